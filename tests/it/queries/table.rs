//! The calls of the queries that identity providers send, on four kinds of backend: no more than each needs.

use serde_json::{Value, json};

use scimitar::scim::messages::SearchRequest;

use super::Gateway;
use super::fake::{Kind, Lookup, Pages, Push, Total};
use super::languages::Language;
use crate::support::lines;

fn kind(name: &str) -> Kind {
    match name {
        // Parameters that compare exactly, page numbers, a total in the body.
        "number" => Kind::default(),
        // Parameters that give more than they should.
        "offset" => Kind { push: Push::Superset, pages: Pages::Offset, first: 0, total: Total::Header, ..Kind::default() },
        // A look-up of its own, and no total anywhere.
        "cursor" => Kind { lookup: Lookup::Path, pages: Pages::Cursor, total: Total::Counted, ..Kind::default() },
        // A query language instead of parameters.
        "odata" => Kind {
            push: Push::None,
            pages: Pages::Range,
            total: Total::ContentRange,
            language: Some(Language::OData),
            ..Kind::default()
        },
        other => panic!("{other}"),
    }
}

fn users() -> Vec<Value> {
    let user = |id| {
        json!({
            "id": id, "login": format!("user{id}"), "ext": format!("x{id}"), "surname": "Lee", "status": "A", "created": id * 1_000,
            "mails": [{ "address": format!("user{id}@x.test"), "kind": "work" }]
        })
    };
    (1..=250).map(user).collect()
}

fn groups() -> Vec<Value> {
    vec![
        json!({ "id": 1, "name": "Staff", "members": (1..=150).collect::<Vec<_>>() }),
        json!({ "id": 2, "name": "Night", "members": [3] }),
        json!({ "id": 3, "name": "Empty", "members": [] }),
    ]
}

#[tokio::test]
async fn the_queries_of_identity_providers_take_the_calls_they_need() {
    let mut wrong = Vec::new();
    let cases = lines("query-calls.jsonl");
    assert!(cases.len() >= 30);
    for case in cases {
        let request = &case["request"];
        let names = |name: &str| -> Vec<String> {
            request[name]
                .as_array()
                .map(|names| names.iter().map(|name| name.as_str().unwrap().to_owned()).collect())
                .unwrap_or_default()
        };
        let text = |name: &str| request[name].as_str().map(str::to_owned);
        let search = SearchRequest {
            attributes: names("attributes"),
            excluded_attributes: names("excluded"),
            filter: text("filter"),
            sort_by: text("sort"),
            start_index: request["start"].as_i64(),
            count: request["count"].as_i64(),
            ..SearchRequest::default()
        };
        for (name, expected) in case["calls"].as_object().unwrap() {
            let gateway = Gateway::new(kind(name), users(), groups());
            let answer = gateway.search(request["endpoint"].as_str().unwrap(), search.clone()).await;
            let calls = json!(gateway.fake.calls());
            if answer.is_err() || calls != *expected {
                wrong.push(format!(
                    "{}: {request} on {name}\n  wanted {expected}\n  made   {calls} {:?}",
                    case["why"],
                    answer.err()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
