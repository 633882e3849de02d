//! Injection, and secrets (RFC 7644 section 7).

use serde_json::json;

use crate::demo::Demo;
use crate::scim::{patch, user};

#[tokio::test]
async fn sec_05_an_id_never_becomes_another_path() {
    let demo = Demo::start(3, 1).await;
    for id in ["..%2Fteams", "%2e%2e", "1001%2Fsuspend", "1001%3Fx=1", "1001%23", "1001%20", "+1001", "01001", "%00", "1001;x"] {
        for method in ["GET", "DELETE", "PATCH", "PUT"] {
            let body = match method {
                "PATCH" => Some(patch(json!([{ "op": "replace", "path": "title", "value": "x" }]))),
                "PUT" => Some(user("x", json!({}))),
                _ => None,
            };
            let answer = demo.strictly(method, &format!("/Users/{id}"), body).await;
            assert!(matches!(answer.status, 400 | 404), "{method} {id}: {}", answer.status);
        }
    }
    assert!(demo.calls().is_empty());
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 3);
}

#[tokio::test]
async fn sec_05_values_arrive_as_they_are() {
    let demo = Demo::start(0, 0).await;
    let odd = "a\"/../?x=1&y#\\{{record.rev}}\u{1F600}";
    let id = demo.create("/Users", user(odd, json!({ "title": "{{secret}} ${PEOPLE_TOKEN}" }))).await;
    let answer = demo.get(&format!("/Users/{id}")).await;
    assert_eq!((&answer.ok(200)["userName"], &answer.body["title"]), (&json!(odd), &json!("{{secret}} ${PEOPLE_TOKEN}")));
}

#[tokio::test]
async fn sec_06_references_that_a_client_sends_are_never_followed() {
    let demo = Demo::start(1, 0).await;
    demo.calls();
    let photos = json!([{ "value": "http://169.254.169.254/latest/meta-data", "type": "photo" }]);
    demo.create("/Users", user("ann", json!({ "photos": photos }))).await;
    assert_eq!(demo.calls().iter().filter(|call| call.starts_with("POST ")).count(), 1);
}
