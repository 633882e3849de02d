//! A backend that asks to be asked again.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::server::{Came, Given, Server, given};
use crate::scim::{patch, user};

const MAPPING: &str = r#"
mapping: v1
backend:
  url: ${PEOPLE_URL}
  errors:
    - { status: 200, when: "$.state[?@ == 'LOCKED']", as: retry, after: 20ms }
resources:
  User:
    id: $.id
    attributes: { userName: $.login, title: $.title }
    get: GET /users/{{key}}
    list: { call: GET /users, items: "$.users[*]" }
    create: POST /users
    update: PATCH /users/{{key}}
    delete: DELETE /users/{{key}}
"#;

/// The first answers are `refusal`; then all is well.
fn reluctant(refusals: usize, refusal: Given) -> impl Fn(&Came) -> Given + Send + Sync {
    let count = AtomicUsize::new(0);
    move |came| {
        if count.fetch_add(1, Ordering::SeqCst) < refusals {
            return refusal.clone();
        }
        let record = json!({ "id": "7", "login": "ann", "title": "Boss" });
        match came.line.split_once(' ').unwrap() {
            ("DELETE", _) => given(204, "text/plain", ""),
            ("POST", _) => given(201, "application/json", record.to_string()),
            (_, "/users") => given(200, "application/json", json!({ "users": [record] }).to_string()),
            _ => given(200, "application/json", record.to_string()),
        }
    }
}

fn locked() -> Given {
    given(200, "application/json", json!({ "state": { "code": "LOCKED" } }).to_string())
}

fn requests() -> Vec<(&'static str, &'static str, Option<Value>, u16)> {
    vec![
        ("GET", "/Users/7", None, 200),
        ("GET", "/Users", None, 200),
        ("POST", "/Users", Some(user("ann", json!({ "title": "Boss" }))), 201),
        ("PATCH", "/Users/7", Some(patch(json!({ "op": "replace", "path": "title", "value": "Boss" }))), 200),
        ("DELETE", "/Users/7", None, 204),
    ]
}

#[tokio::test]
async fn it_ends_well() {
    for (method, path, body, status) in requests() {
        let server = Server::start(reluctant(2, locked())).await;
        let answer = server.gateway(MAPPING).send(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let came = server.came();
        let first = &came[0];
        let same = came.iter().take_while(|call| call.line == first.line && call.body == first.body).count();
        assert_eq!(same, 3, "{method} {path}: {came:?}");
    }
}

/// The client is told when to come again; a change that was not made is not told as one that may have been.
#[tokio::test]
async fn it_never_ends() {
    for (method, path, body, _) in requests() {
        let server = Server::start(reluctant(usize::MAX, locked())).await;
        let answer = server.gateway(MAPPING).send(method, path, body).await;
        let detail = answer.refused(503, None);
        assert!(!detail.contains("may have been made"), "{detail}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{method} {path}: of 20 ms, in whole seconds");
        assert_eq!(server.lines().len(), 4, "{method} {path}");
    }
}

#[tokio::test]
async fn too_many_requests() {
    let wait = |seconds| given(429, "text/plain", "slow down").header("retry-after", seconds);
    let server = Server::start(reluctant(1, wait("1"))).await;
    server.gateway(MAPPING).send("POST", "/Users", Some(user("ann", json!({})))).await.ok(201);
    let came = server.came();
    assert_eq!(came.len(), 2);
    assert!(came[1].at.duration_since(came[0].at).as_secs_f64() >= 1.0, "{came:?}");
    let server = Server::start(reluctant(1, wait("30"))).await;
    let answer = server.gateway(MAPPING).get("/Users/7").await;
    answer.refused(503, None);
    assert_eq!((answer.header("retry-after"), server.lines().len()), (Some("30"), 1));
    let server = Server::start(reluctant(1, given(429, "text/plain", "slow down"))).await;
    server.gateway(MAPPING).get("/Users/7").await.refused(503, None);
    assert_eq!(server.lines().len(), 1, "nobody knows how long to wait");
}
