//! Scans of many rows, to see what memory and time they take: `cargo run --release --example scan_memory [rows]`.
//!
//! The backend is in process and makes its rows as they are asked for, so what is measured is the gateway alone.
#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use scimitar::app::{Given, load_mapping};
use scimitar::engine::ports::Backend;
use scimitar::engine::{Context, Engine, Offer, ScimRequest};
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::Fault;
use serde_json::{Value, json};

const PAGE: u64 = 1_000;

const MAPPING: &str = r#"
mapping: v1
name: million
backend:
  url: https://million.test
  pages: { by: offset, offset: offset, size: limit, max: 1000, total: counted }
resources:
  User:
    id: { at: $.id, as: integer }
    attributes:
      userName: $.login
      name.familyName: $.surname
      active: { at: $.status, values: { true: A, false: D } }
      emails: { each: "$.mails[*]", value: $.address, type: $.kind }
    get: GET /users/{{key}}
    list:
      call: GET /users
      items: $.rows[*]
      scan: { rows: 10000000, calls: 100000, time: 600s }
"#;

/// A backend of so many users.
struct Million {
    rows: u64,
}

impl Backend for Million {
    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        let query = call.target.split_once('?').map_or("", |(_, query)| query);
        let offset = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "offset");
        let offset = offset.and_then(|(_, offset)| offset.parse::<u64>().ok()).unwrap_or(0);
        let rows: Vec<Value> = (offset..self.rows.min(offset + PAGE)).map(user).collect();
        Ok(Answer { status: 200, headers: HeaderMap::new(), body: Bytes::from(json!({ "rows": rows }).to_string()) })
    }
}

fn user(id: u64) -> Value {
    let address = format!("user{id}@example.com");
    json!({
        "id": id, "login": format!("user{id}"), "surname": format!("Lee {}", id % 1_000), "status": "A",
        "mails": [{ "address": address, "kind": "work" }]
    })
}

/// A figure of this process in KiB: `VmRSS` is now, `VmHWM` the most so far.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let engine =
        Engine::new(load_mapping("million.yaml", MAPPING, &Given(&[]))?, Million { rows }, scimitar::app::Host, Offer::default());
    let context = Context {
        base_url: "https://scim.test".to_owned(),
        profile: &Profile::LENIENT,
        if_match: None,
        if_none_match: None,
        deadline: None,
    };
    println!("before                          {:>8} KiB", memory("VmRSS"));
    // None match, a thousandth, all.
    for filter in ["userName ew \"nobody\"", "name.familyName eq \"lee 7\"", "active eq true"] {
        let began = Instant::now();
        let search = SearchRequest { filter: Some(filter.to_owned()), count: Some(100), ..SearchRequest::default() };
        let list = ScimRequest::List { endpoint: Some("/Users".to_owned()), search };
        let body = engine.call(&context, list).await?.body.unwrap_or_default();
        let total = body.get("totalResults").and_then(Value::as_u64).unwrap_or_default();
        let (peak, seconds) = (memory("VmHWM"), began.elapsed().as_secs_f64());
        println!("{filter:<28} {total:>8} found, {peak:>8} KiB at most so far, {seconds:.1} s");
    }
    Ok(())
}
