//! Paging by cursor (RFC 9865); more in cursors.rs.

use serde_json::{Value, json};

use super::lists::{ids, texts};
use crate::demo::{Demo, LENIENT, STRICT};
use crate::scim::{SEARCH_REQUEST, with};

#[tokio::test]
async fn cursor_08_cursor_11_sorted_pages_by_get_and_by_search() {
    let demo = Demo::start(50, 0).await;
    let whole = demo.get("/Users?sortBy=userName&sortOrder=descending&attributes=userName&count=200").await;
    let mut found = Vec::new();
    let mut cursor = String::new();
    for page in 0.. {
        let query = json!({ "sortBy": "userName", "sortOrder": "descending", "attributes": ["userName"], "count": 20 });
        let answer = if page % 2 == 0 {
            let body = with(json!({ "schemas": [SEARCH_REQUEST], "cursor": cursor }), query);
            demo.strictly("POST", "/Users/.search", Some(body)).await
        } else {
            let path = format!("/Users?sortBy=userName&sortOrder=descending&attributes=userName&count=20&cursor={cursor}");
            demo.strictly("GET", &path, None).await
        };
        found.extend(texts(&answer, "userName"));
        match answer.body.get("nextCursor").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(found, texts(&whole, "userName"));
}

#[tokio::test]
async fn cursor_13_every_page_is_asked_for_by_somebody_who_may() {
    let demo = Demo::start(30, 0).await;
    let first = demo.send_as(LENIENT, "GET", "/Users?count=10&cursor=", &[], None).await;
    let cursor = first.ok(200)["nextCursor"].as_str().unwrap();
    let path = format!("/Users?count=10&cursor={cursor}");
    demo.send_as("somebody else's token", "GET", &path, &[], None).await.refused(401, None);
    // All clients see the same, so that another one may go on.
    assert_eq!(ids(&demo.send_as(STRICT, "GET", &path, &[], None).await).len(), 10);
}
