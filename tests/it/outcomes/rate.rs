//! `backend.rate`, by the clock of the backend.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::server::{Server, given};

fn mapping(rate: &str) -> String {
    format!(
        "mapping: v1\nbackend: {{ url: \"${{PEOPLE_URL}}\", rate: {rate}, timeout: 500ms }}\nresources:\n  User:\n    id: $.id\n    \
         attributes: {{ userName: $.login }}\n    get: GET /users/{{{{key}}}}\n    list: {{ call: GET /users, items: \"$[*]\" }}\n"
    )
}

async fn people() -> Server {
    Server::start(|came| {
        let id = came.line.rsplit('/').next().unwrap();
        given(200, "application/json", json!({ "id": id, "login": format!("user{id}") }).to_string())
    })
    .await
}

/// A call can come later than its turn, but never before; so each is held against its own turn. Waiting for it is no time-out,
/// though it takes longer than `timeout`.
#[tokio::test]
async fn calls_come_at_the_rate() {
    const CALLS: usize = 17;
    let server = people().await;
    let gateway = server.gateway(&mapping("5/s"));
    let began = Instant::now();
    let paths: Vec<String> = (0..CALLS).map(|number| format!("/Users/{number}")).collect();
    for answer in join_all(paths.iter().map(|path| gateway.get(path))).await {
        answer.ok(200);
    }
    let mut came: Vec<Instant> = server.came().into_iter().map(|call| call.at).collect();
    came.sort();
    assert_eq!(came.len(), CALLS);
    for (number, at) in came.iter().enumerate() {
        let periods = u32::try_from(number / 5).unwrap();
        let after = at.duration_since(began);
        assert!(after >= Duration::from_secs(1) * periods, "call {number} came after {after:?}");
    }
}

#[tokio::test]
async fn a_turn_that_is_too_far_away() {
    let server = people().await;
    let gateway = server.gateway(&mapping("2/m"));
    gateway.get("/Users/1").await.ok(200);
    gateway.get("/Users/2").await.ok(200);
    let began = Instant::now();
    let answer = gateway.get("/Users/3").await;
    assert!(!answer.refused(503, None).is_empty());
    assert!(began.elapsed() < Duration::from_secs(9), "it is told at once");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=61).contains(&wait), "{wait}");
    assert_eq!(server.lines(), ["GET /users/1", "GET /users/2"]);
    // What needs no call goes on.
    gateway.get("/Schemas").await.ok(200);
}
