//! Queries (RFC 7644 section 3.4.2).

use serde_json::{Value, json};

use super::lists::{ids, rows};
use crate::demo::{Demo, mapping_with};
use crate::scim::{filtered, group, user};
use scimitar::engine::Offer;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

#[tokio::test]
async fn query_01_a_list_response_tells_how_much_there_is() {
    let demo = Demo::start(5, 0).await;
    let answer = demo.strictly("GET", "/Users?startIndex=2&count=2", None).await;
    let body = answer.ok(200);
    assert_eq!(body["schemas"], json!([LIST]));
    assert_eq!((&body["totalResults"], &body["startIndex"], &body["itemsPerPage"]), (&json!(5), &json!(2), &json!(2)));
    assert_eq!(body["Resources"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn query_02_no_match_is_an_empty_list() {
    let demo = Demo::start(5, 1).await;
    for path in [
        filtered("/Users", "userName eq \"nobody\""),
        filtered("/Users", "title eq \"Nothing\""),
        filtered("/Users", "id eq \"77\""),
        filtered("/Users", "id eq \"no-number\""),
        filtered("/Groups", "members.value eq \"77\""),
    ] {
        let answer = demo.strictly("GET", &path, None).await;
        assert_eq!(answer.ok(200)["totalResults"], 0, "{path}");
        assert_eq!(answer.body["Resources"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn query_03_page_09_the_total_is_that_of_the_matches() {
    let demo = Demo::start(250, 0).await;
    let leads = rows(&demo, "/users").iter().filter(|row| title(row).to_lowercase().contains("lead")).count();
    assert!(leads > 2 && leads < 250);
    let answer = demo.get(&format!("{}&count=1", filtered("/Users", "title co \"lead\""))).await;
    assert_eq!((&answer.ok(200)["totalResults"], &answer.body["itemsPerPage"]), (&json!(leads), &json!(1)));
    let active = rows(&demo, "/users").iter().filter(|row| row["status"] == "ACTIVE").count();
    let answer = demo.get(&format!("{}&count=2", filtered("/Users", "active eq true"))).await;
    assert_eq!((&answer.ok(200)["totalResults"], &answer.body["itemsPerPage"]), (&json!(active), &json!(2)));
}

fn title(row: &Value) -> &str {
    row["employment"]["job_title"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn query_04_query_05_the_root_is_all_types_and_a_filter_restricts_it() {
    let demo = Demo::start(7, 3).await;
    let answer = demo.strictly("GET", "/", None).await;
    assert_eq!(answer.ok(200)["totalResults"], 10);
    let kinds = |body: &Value, kind: &str| {
        body["Resources"].as_array().unwrap().iter().filter(|resource| resource["meta"]["resourceType"] == kind).count()
    };
    assert_eq!((kinds(&answer.body, "User"), kinds(&answer.body, "Group")), (7, 3));
    for (kind, count) in [("User", 7), ("Group", 3), ("Device", 0)] {
        let answer = demo.strictly("GET", &filtered("/", &format!("meta.resourceType eq \"{kind}\"")), None).await;
        assert_eq!((&answer.ok(200)["totalResults"], kinds(&answer.body, kind)), (&json!(count), count), "{kind}");
    }
    // A page over the border between the types.
    let all = ids(&demo.get("/").await);
    let page = demo.get("/?startIndex=6&count=3").await;
    assert_eq!(ids(&page), all[5..8]);
    assert_eq!((&page.body["totalResults"], &page.body["startIndex"]), (&json!(10), &json!(6)));
}

#[tokio::test]
async fn query_06_an_attribute_that_a_type_does_not_have_has_no_value() {
    let demo = Demo::start(4, 3).await;
    for (filter, count) in
        [("userName pr", 4), ("not (userName pr)", 3), ("userName eq \"x\" or displayName eq \"All Staff\"", 1)]
    {
        assert_eq!(demo.strictly("GET", &filtered("/", filter), None).await.ok(200)["totalResults"], count, "{filter}");
    }
}

#[tokio::test]
async fn query_07_what_would_take_too_long_is_refused() {
    let mapping = mapping_with(&[("scan: { rows: 20000, calls: 250 }", "scan: { rows: 100, calls: 250 }")]);
    let demo = Demo::with(&mapping, 101, 0, Offer::default()).await;
    for query in ["filter=title%20pr", "sortBy=title", "filter=not%20(userName%20eq%20%22a%22)"] {
        let answer = demo.strictly("GET", &format!("/Users?{query}"), None).await;
        assert!(answer.refused(400, Some("tooMany")).contains("100"));
    }
    // What the backend does itself takes no walk.
    demo.calls();
    let answer = demo.get(&filtered("/Users", "active eq true")).await;
    assert_eq!(answer.status, 200, "{} {:?}", answer.body, demo.calls());
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 101);
}

#[tokio::test]
async fn query_07_looking_up_relations_for_a_filter_is_bounded_too() {
    let mapping = mapping_with(&[("scan: { rows: 20000, calls: 250 }", "scan: { rows: 20000, calls: 20 }")]);
    let demo = Demo::with(&mapping, 21, 1, Offer::default()).await;
    for query in [filtered("/Users", "groups.display co \"Staff\""), "/Users?sortBy=groups.display".to_owned()] {
        demo.get(&query).await.refused(400, Some("tooMany"));
        assert_eq!(demo.calls().len(), 1, "{query}");
    }
    // The conditions that need no relation go first.
    let first = demo.get("/Users?count=1").await.body["Resources"][0]["userName"].as_str().unwrap().to_owned();
    let both = format!("userName eq \"{first}\" and groups.display co \"Staff\"");
    assert_eq!(demo.get(&filtered("/Users", &both)).await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn query_08_every_item_has_schemas_id_and_meta() {
    let demo = Demo::start(30, 3).await;
    for (path, kind) in [("/Users", "User"), ("/Groups", "Group")] {
        let answer = demo.strictly("GET", path, None).await;
        for item in answer.ok(200)["Resources"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            assert!(item["schemas"].as_array().is_some_and(|schemas| !schemas.is_empty()), "{item}");
            assert_eq!(item["meta"]["resourceType"], kind);
            assert_eq!(item["meta"]["location"], format!("{}{path}/{id}", crate::demo::BASE));
        }
    }
}

#[tokio::test]
async fn query_09_the_calls_of_a_list_are_bounded() {
    let demo = Demo::start(250, 1).await;
    demo.get("/Users?count=200&excludedAttributes=groups").await.ok(200);
    assert_eq!(demo.calls(), ["GET /users?page=1&per_page=100", "GET /users?page=2&per_page=100"]);
    // The groups of a user are a call of their own; the most that a page can take.
    demo.get("/Users?count=1000").await.ok(200);
    assert_eq!(demo.calls().len(), 2 + 200);
    demo.get("/Users?count=1000&attributes=userName,emails").await.ok(200);
    assert_eq!(demo.calls().len(), 2);
}

#[tokio::test]
async fn a_backend_that_gives_smaller_pages_than_it_was_asked_for_loses_nobody() {
    // The demo gives 25 rows where `per_page` is not asked for.
    let mapping = mapping_with(&[("size: per_page, max: 100", "size: rows_per_page, max: 100")]);
    let demo = Demo::with(&mapping, 60, 0, Offer::default()).await;
    for query in ["/Users?excludedAttributes=groups", "/Users?excludedAttributes=groups&filter=title%20pr"] {
        demo.get(query).await.refused(502, None);
    }
    // Where all rows are there, all is well.
    assert_eq!(demo.get("/Users?count=1&filter=userName%20eq%20%22nobody%22").await.ok(200)["totalResults"], 0);
}

#[tokio::test]
async fn whether_somebody_is_in_a_group_is_found_without_reading_the_group() {
    let demo = Demo::start(150, 1).await;
    let group = demo.create("/Groups", group("Two", json!({}))).await;
    let all = ids(&demo.get("/Groups?count=1").await)[0].clone();
    let user = demo.create("/Users", user("in.none", json!({}))).await;
    let member = ids(&demo.get("/Users?count=1").await)[0].clone();
    demo.calls();
    for (group, user, expected) in [(&all, &member, 1), (&all, &user, 0), (&group, &member, 0)] {
        // As Entra ID asks.
        let filter = format!("id eq \"{group}\" and members eq \"{user}\"");
        let answer = demo.get(&format!("{}&attributes=id", filtered("/Groups", &filter))).await;
        assert_eq!(answer.ok(200)["totalResults"], expected);
        assert_eq!(ids(&answer), vec![group.clone(); expected]);
        assert_eq!(demo.calls().len(), 1 + expected);
    }
}
