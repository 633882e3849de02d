//! POST (RFC 7644 section 3.3).

use scimitar::engine::Offer;
use serde_json::json;

use crate::demo::{Demo, STRICT, mapping_with};
use crate::scim::{ENTERPRISE, USER, filtered, group, user};

#[tokio::test]
async fn create_01_create_02_create_07_create_08_created_as_stored() {
    let demo = Demo::start(1, 0).await;
    let more = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "Ext-1",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "emails": [{ "value": "b@example.com", "type": "work", "primary": true }],
        ENTERPRISE: { "department": "D", "manager": { "value": "1001" } },
    });
    let created = demo.strictly("POST", "/Users", Some(user("bjensen", more))).await;
    assert_eq!(created.ok(201)["externalId"], "Ext-1");
    assert_eq!(created.header("location"), created.body["meta"]["location"].as_str());
    let read = demo.get(&format!("/Users/{}", created.body["id"].as_str().unwrap())).await;
    assert_eq!(read.ok(200), &created.body);

    let group = demo.strictly("POST", "/Groups", Some(group("g", json!({ "members": [{ "value": "1001" }] })))).await;
    let read = demo.get(&format!("/Groups/{}", group.ok(201)["id"].as_str().unwrap())).await;
    assert_eq!((read.ok(200), &read.body["members"][0]["value"]), (&group.body, &json!("1001")));
}

#[tokio::test]
async fn create_03_read_only_attributes_are_ignored() {
    let demo = Demo::start(1, 1).await;
    let team = demo.get("/Groups?attributes=id").await.body["Resources"][0]["id"].clone();
    let created = demo.strictly("POST", "/Users", Some(user("a", json!({ "groups": [{ "value": team }] })))).await;
    assert!(created.ok(201).get("groups").is_none());
    let path = format!("/Groups/{}", team.as_str().unwrap());
    assert_eq!(demo.get(&path).await.body["members"].as_array().map(Vec::len), Some(1));
}

/// The backend's default: who is new is active. It has no state in between, and what it stored is what is shown.
#[tokio::test]
async fn create_04_defaults_are_those_of_the_backend() {
    let demo = Demo::start(0, 0).await;
    for (name, more) in [("a", json!({})), ("b", json!({ "active": null }))] {
        let created = demo.strictly("POST", "/Users", Some(user(name, more))).await;
        assert_eq!(created.ok(201)["active"], true);
    }
    let created = demo.strictly("POST", "/Users", Some(user("c", json!({ "active": false })))).await;
    assert_eq!(created.ok(201)["active"], false);
    assert_eq!(demo.get(&filtered("/Users", "active eq true")).await.ok(200)["totalResults"], 2);
}

#[tokio::test]
async fn create_05_duplicates() {
    let demo = Demo::start(0, 0).await;
    demo.strictly("POST", "/Users", Some(user("bjensen", json!({})))).await.ok(201);
    let again = demo.strictly("POST", "/Users", Some(user("bjensen", json!({})))).await;
    assert!(again.refused(409, Some("uniqueness")).contains("bjensen"));
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn create_06_post_to_a_resource_is_no_create() {
    let demo = Demo::start(1, 0).await;
    let answer = demo.strictly("POST", "/Users/1001", Some(user("a", json!({})))).await;
    answer.refused(405, None);
    assert!(demo.calls().is_empty());
}

/// The second call of a create fails: the first is undone.
#[tokio::test]
async fn create_09_nothing_is_left_half_created() {
    let mapping = mapping_with(&[
        ("call: \"POST /users/{{key}}/suspend\"", "call: \"PUT /users/{{key}}/suspend\""),
        ("        call: POST /teams/{{key}}/members\n", "        call: PUT /teams/{{key}}/members\n"),
    ]);
    let demo = Demo::with(&mapping, 1, 0, Offer::default()).await;
    let halves = [
        ("/Users", user("a", json!({ "active": false })), "/users"),
        ("/Groups", group("g", json!({ "members": [{ "value": "1001" }] })), "/teams"),
    ];
    for (endpoint, body, collection) in halves {
        let before = demo.get(endpoint).await.ok(200)["totalResults"].clone();
        demo.calls();
        demo.send_as(STRICT, "POST", endpoint, &[], Some(body)).await.refused(502, None);
        let calls = demo.calls();
        assert!(calls[0] == format!("POST {collection}"), "{calls:?}");
        assert!(calls.last().unwrap().starts_with(&format!("DELETE {collection}/")), "{calls:?}");
        assert_eq!(demo.get(endpoint).await.ok(200)["totalResults"], before);
    }
}
