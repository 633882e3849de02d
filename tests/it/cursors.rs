//! Paging by cursor (RFC 9865) in front of the demo backend.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::demo::Demo;

async fn walk(demo: &Demo, query: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = demo.get(&format!("/Users?{query}&cursor={cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body.get("startIndex"), None);
        assert_eq!(answer.body.get("previousCursor"), None);
        pages += 1;
        let resources = answer.body["Resources"].as_array().unwrap();
        assert_eq!(answer.body["itemsPerPage"], resources.len());
        ids.extend(resources.iter().map(|resource| resource["id"].as_str().unwrap().to_owned()));
        match answer.body.get("nextCursor").and_then(Value::as_str) {
            Some(next) => {
                assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{next}");
                next.clone_into(&mut cursor);
            }
            None => return (ids, pages),
        }
    }
}

#[tokio::test]
async fn a_walk_by_cursor_visits_each_once() {
    let demo = Demo::start(120, 1).await;
    // Pushed, checked again by the gateway, sorted by the gateway.
    for (query, expected) in
        [("count=20", 120), ("count=50", 120), ("count=7&filter=title%20pr", 0), ("count=30&sortBy=displayName", 120)]
    {
        let (ids, pages) = walk(&demo, &format!("{query}&attributes=userName")).await;
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{query}");
        let total = demo.get(&format!("/Users?{query}&attributes=userName")).await.body["totalResults"].as_u64().unwrap();
        assert_eq!(ids.len() as u64, total, "{query}");
        assert!(expected == 0 || ids.len() == expected, "{query}");
        let count: usize = query.trim_start_matches("count=").split('&').next().unwrap().parse().unwrap();
        // An exact multiple of the page size ends without an empty page.
        assert_eq!(pages, ids.len().div_ceil(count), "{query}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query() {
    let demo = Demo::start(30, 1).await;
    let first = demo.get("/Users?count=10&cursor=").await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let changed = cursor.chars().rev().collect::<String>();
    for (path, scim_type) in [
        (format!("/Users?count=10&cursor={cursor}&filter=title%20pr"), "invalidCursor"),
        (format!("/Groups?count=10&cursor={cursor}"), "invalidCursor"),
        (format!("/Users?count=11&cursor={cursor}"), "invalidCount"),
        (format!("/Users?count=10&cursor={changed}"), "invalidCursor"),
        ("/Users?count=10&cursor=garbage".to_owned(), "invalidCursor"),
        (format!("/Users?count=10&cursor={}", "A".repeat(20_000)), "invalidCursor"),
        ("/?cursor=".to_owned(), "invalidCursor"),
        (format!("/Users?startIndex=1&cursor={cursor}"), "invalidValue"),
    ] {
        let answer = demo.get(&path).await;
        assert_eq!((answer.status, &answer.body["scimType"]), (400, &Value::from(scim_type)), "{path}");
    }
    let second = demo.get(&format!("/Users?count=10&cursor={cursor}")).await;
    assert_eq!(second.status, 200);
    assert_ne!(first.body["Resources"][0]["id"], second.body["Resources"][0]["id"]);
}

#[tokio::test]
async fn counts_of_cursor_pages() {
    let demo = Demo::start(5, 1).await;
    for count in ["0", "-3"] {
        let answer = demo.get(&format!("/Users?cursor=&count={count}")).await;
        assert_eq!(answer.body["totalResults"], 5);
        assert_eq!(answer.body["Resources"], Value::Array(Vec::new()));
        assert_eq!(answer.body.get("nextCursor"), None);
    }
    let config = demo.get("/ServiceProviderConfig").await;
    assert_eq!(config.body["pagination"]["cursor"], true);
    assert_eq!(config.body["pagination"]["defaultPaginationMethod"], "index");
}
