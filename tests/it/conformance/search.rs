//! Queries by POST (RFC 7644 section 3.4.3).

use serde_json::{Value, json};

use super::lists::ids;
use crate::demo::{Answer, Demo};
use crate::scim::{SEARCH_REQUEST, with};

async fn search(demo: &Demo, path: &str, more: Value) -> Answer {
    demo.strictly("POST", path, Some(with(json!({ "schemas": [SEARCH_REQUEST] }), more))).await
}

#[tokio::test]
async fn search_01_search_04_every_endpoint_has_a_search() {
    let demo = Demo::start(6, 2).await;
    for (path, total) in [("/.search", 8), ("/Users/.search", 6), ("/Groups/.search", 2)] {
        let answer = search(&demo, path, json!({})).await;
        assert_eq!(answer.ok(200)["totalResults"], total, "{path}");
        assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
        assert_eq!(answer.header("location"), None);
    }
    assert!(demo.calls().iter().all(|call| call.starts_with("GET ")));
}

#[tokio::test]
async fn search_02_the_body_says_what_it_is() {
    let demo = Demo::start(1, 0).await;
    let bodies =
        [json!({}), json!({ "schemas": [] }), json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] }), json!([])];
    for body in bodies {
        demo.strictly("POST", "/Users/.search", Some(body)).await.refused(400, Some("invalidSyntax"));
    }
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn search_03_proj_07_it_finds_what_get_finds() {
    let demo = Demo::start(60, 2).await;
    let body = json!({
        "attributes": ["userName", "emails"], "filter": "active eq true", "sortBy": "userName", "sortOrder": "descending",
        "startIndex": 3, "count": 10,
    });
    let found = search(&demo, "/Users/.search", body).await;
    let query = "attributes=userName,emails&filter=active%20eq%20true&sortBy=userName&sortOrder=descending&startIndex=3&count=10";
    assert_eq!(found.ok(200), demo.strictly("GET", &format!("/Users?{query}"), None).await.ok(200));
    assert_eq!((ids(&found).len(), &found.body["startIndex"]), (10, &json!(3)));
    let found = search(&demo, "/Groups/.search", json!({ "excludedAttributes": ["members"] })).await;
    assert_eq!(found.ok(200), demo.get("/Groups?excludedAttributes=members").await.ok(200));
    assert!(found.body["Resources"].as_array().unwrap().iter().all(|group| group.get("members").is_none()));
}

#[tokio::test]
async fn search_05_mistakes_are_refused() {
    let demo = Demo::start(1, 0).await;
    for (body, keyword) in [
        (json!({ "filter": "userName eq" }), "invalidFilter"),
        (json!({ "filter": "" }), "invalidFilter"),
        (json!({ "filter": 7 }), "invalidFilter"),
        (json!({ "startIndex": "a" }), "invalidValue"),
        (json!({ "count": [1] }), "invalidValue"),
        (json!({ "attributes": "userName" }), "invalidValue"),
        (json!({ "sortOrder": "up" }), "invalidValue"),
        (json!({ "sortBy": "noSuch" }), "invalidPath"),
    ] {
        search(&demo, "/Users/.search", body).await.refused(400, Some(keyword));
    }
    assert!(demo.calls().is_empty());
}
