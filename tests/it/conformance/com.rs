//! Common attributes (RFC 7643 section 3.1).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::demo::{BASE, Demo, STRICT};
use crate::scim::{group, patch, user};

#[tokio::test]
async fn com_01_ids_are_unique_and_stable() {
    let demo = Demo::start(30, 5).await;
    let mut ids = BTreeSet::new();
    for path in ["/Users", "/Groups"] {
        for resource in demo.get(path).await.ok(200)["Resources"].as_array().unwrap() {
            assert!(resource["id"].as_str().is_some_and(|id| !id.is_empty()));
            assert!(ids.insert(resource["id"].clone().to_string()), "{} is there twice", resource["id"]);
        }
    }
    let first = demo.create("/Users", user("a", json!({}))).await;
    let rename = patch(json!({ "op": "replace", "path": "userName", "value": "b" }));
    assert_eq!(demo.strictly("PATCH", &format!("/Users/{first}"), Some(rename)).await.ok(200)["id"], json!(first));
    demo.send("DELETE", &format!("/Users/{first}"), None).await.ok(204);
    assert_ne!(demo.create("/Users", user("b", json!({}))).await, first);
}

#[tokio::test]
async fn com_02_com_06_id_and_meta_of_the_client_are_ignored() {
    let demo = Demo::start(0, 0).await;
    let meta = json!({ "created": "2001-01-01T00:00:00Z", "location": "http://x/", "version": "W/\"x\"" });
    let answer = demo.strictly("POST", "/Users", Some(user("a", json!({ "id": "my-own-id", "meta": meta })))).await;
    assert_ne!(answer.ok(201)["id"], "my-own-id");
    for (name, value) in meta.as_object().unwrap() {
        assert_ne!(&answer.body["meta"][name], value, "{name}");
    }
}

/// Integers there, strings here: other spellings of the number are other ids.
#[tokio::test]
async fn com_04_ids_are_exact() {
    let demo = Demo::start(1, 0).await;
    demo.get("/Users/1001").await.ok(200);
    for id in ["01001", "+1001", "1001.0", "1001%20", "%31001x", "1e3"] {
        demo.get(&format!("/Users/{id}")).await.refused(404, None);
        demo.send("DELETE", &format!("/Users/{id}"), None).await.refused(404, None);
    }
    demo.get("/Users/1001").await.ok(200);
}

#[tokio::test]
async fn com_05_external_ids() {
    let demo = Demo::start(1, 0).await;
    assert!(demo.get("/Users/1001").await.ok(200).get("externalId").is_none(), "none is invented");
    for name in ["a", "b"] {
        let answer = demo.strictly("POST", "/Users", Some(user(name, json!({ "externalId": "701984" })))).await;
        assert_eq!(answer.ok(201)["externalId"], "701984");
    }
}

#[tokio::test]
async fn com_07_com_08_com_09_meta() {
    let demo = Demo::start(0, 0).await;
    for (endpoint, name, body) in [("/Users", "User", user("a", json!({}))), ("/Groups", "Group", group("g", json!({})))] {
        let created = demo.strictly("POST", endpoint, Some(body)).await;
        let id = created.ok(201)["id"].as_str().unwrap();
        let meta = &created.body["meta"];
        assert_eq!(meta["resourceType"], name);
        assert_eq!(meta["created"], meta["lastModified"]);
        assert_eq!(meta["location"], json!(format!("{BASE}{endpoint}/{id}")));
        assert_eq!(created.header("location"), meta["location"].as_str());
        assert!(meta["version"].as_str().is_some_and(|version| version.starts_with("W/\"")));
        assert_eq!(created.header("etag"), meta["version"].as_str());

        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let path = format!("{endpoint}/{id}");
        let change = patch(json!({ "op": "replace", "path": "externalId", "value": "x" }));
        let changed = demo.send_as(STRICT, "PATCH", &path, &[], Some(change)).await;
        let time = |meta: &Value, name: &str| meta[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let after = &changed.ok(200)["meta"];
        assert_eq!((&after["created"], &after["location"]), (&meta["created"], &meta["location"]));
        assert!(time(after, "lastModified") > time(meta, "lastModified"));
        assert_ne!(after["version"], meta["version"]);
        assert_eq!(changed.header("etag"), after["version"].as_str());
        assert_eq!(demo.get(&path).await.header("etag"), after["version"].as_str());
    }
}
