//! /Me (RFC 7644 section 3.11).

use serde_json::json;

use crate::demo::Demo;
use crate::scim::user;

/// ME-05 follows: a token names a client, never a person, so nobody's record is given.
#[tokio::test]
async fn me_01_me_05_not_served() {
    let demo = Demo::start(1, 0).await;
    for (method, body) in [
        ("GET", None),
        ("POST", Some(user("a", json!({})))),
        ("PUT", Some(json!({}))),
        ("PATCH", Some(json!({}))),
        ("DELETE", None),
    ] {
        let answer = demo.send(method, "/Me", body).await;
        assert!(answer.refused(501, None).contains("/Me"), "{method}");
    }
    assert!(demo.calls().is_empty());
}
