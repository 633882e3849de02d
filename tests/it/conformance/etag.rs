//! Versions (RFC 7644 section 3.14).

use serde_json::{Value, json};

use crate::demo::{Answer, Demo, STRICT};
use crate::scim::{group, patch, user};

async fn with_ann() -> (Demo, String, String) {
    let demo = Demo::start(0, 0).await;
    let answer = demo.strictly("POST", "/Users", Some(user("ann", json!({})))).await;
    let path = format!("/Users/{}", answer.ok(201)["id"].as_str().unwrap());
    (demo, path, version(&answer))
}

/// The tag, which header and body must agree on.
#[track_caller]
fn version(answer: &Answer) -> String {
    let tag = answer.header("etag").unwrap().to_owned();
    assert_eq!(answer.body["meta"]["version"], tag);
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    tag
}

fn titled(title: &str) -> Value {
    patch(json!([{ "op": "replace", "path": "title", "value": title }]))
}

async fn conditional(demo: &Demo, method: &str, path: &str, header: (&str, &str), body: Option<Value>) -> Answer {
    demo.send_as(STRICT, method, path, &[header], body).await
}

#[tokio::test]
async fn etag_01_etag_02_etag_03_every_resource_has_its_version() {
    let (demo, path, created) = with_ann().await;
    assert_eq!(demo.get("/ServiceProviderConfig").await.ok(200)["etag"]["supported"], true);
    assert_eq!(version(&demo.get(&path).await), created);
    let patched = version(&demo.strictly("PATCH", &path, Some(titled("Lead"))).await);
    assert_ne!(patched, created);
    let put = version(&demo.strictly("PUT", &path, Some(user("ann", json!({})))).await);
    assert!(put != patched && put != created);
    assert_eq!(demo.get("/Users").await.ok(200)["Resources"][0]["meta"]["version"], put);
    assert_eq!(version(&demo.get(&path).await), put);
}

#[tokio::test]
async fn etag_04_what_the_client_has_is_not_sent_again() {
    let (demo, path, tag) = with_ann().await;
    let strong = tag.trim_start_matches("W/").to_owned();
    for header in [tag.clone(), strong, "*".to_owned(), format!("\"x\", {tag}, W/\"y\"")] {
        let answer = conditional(&demo, "GET", &path, ("If-None-Match", &header), None).await;
        assert_eq!((answer.status, &answer.body, answer.header("etag")), (304, &Value::Null, Some(tag.as_str())), "{header}");
    }
    conditional(&demo, "GET", &path, ("If-None-Match", "W/\"x\""), None).await.ok(200);
    demo.strictly("PATCH", &path, Some(titled("Lead"))).await.ok(200);
    conditional(&demo, "GET", &path, ("If-None-Match", &tag), None).await.ok(200);
}

#[tokio::test]
async fn etag_05_etag_06_etag_07_a_write_of_another_version_is_412() {
    let (demo, path, stale) = with_ann().await;
    let now = version(&demo.strictly("PATCH", &path, Some(titled("Lead"))).await);
    let before = demo.record(&path.to_lowercase());
    demo.calls();
    for header in [stale.as_str(), "W/\"nonsense\"", "\"\""] {
        for (method, body) in [("PUT", Some(user("ann", json!({})))), ("PATCH", Some(titled("x"))), ("DELETE", None)] {
            let answer = conditional(&demo, method, &path, ("If-Match", header), body).await;
            assert!(answer.refused(412, None).contains(&now), "{method} {header}");
        }
    }
    assert!(demo.calls().iter().all(|call| call.starts_with("GET ")));
    assert_eq!(demo.record(&path.to_lowercase()), before);
    // Weak tags count as equal, or no client could ever use them.
    let next = version(&conditional(&demo, "PATCH", &path, ("If-Match", &now), Some(titled("x"))).await);
    let strong = next.trim_start_matches("W/").to_owned();
    version(&conditional(&demo, "PATCH", &path, ("If-Match", &strong), Some(titled("y"))).await);
    version(&conditional(&demo, "PUT", &path, ("If-Match", "*"), Some(user("ann", json!({})))).await);
    assert_eq!(conditional(&demo, "DELETE", &path, ("If-Match", "*"), None).await.status, 204);
    for (method, body) in [("PUT", Some(user("ann", json!({})))), ("PATCH", Some(titled("x"))), ("DELETE", None)] {
        for header in ["*", next.as_str()] {
            conditional(&demo, method, &path, ("If-Match", header), body.clone()).await.refused(404, None);
        }
    }
}

#[tokio::test]
async fn etag_05_members_are_guarded_too() {
    let demo = Demo::start(2, 0).await;
    let users = super::lists::ids(&demo.get("/Users").await);
    let id = demo.create("/Groups", group("One", json!({}))).await;
    let path = format!("/Groups/{id}");
    let stale = version(&demo.get(&path).await);
    let add = |id: &str| Some(patch(json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }])));
    conditional(&demo, "PATCH", &path, ("If-Match", &stale), add(&users[0])).await.ok(200);
    conditional(&demo, "PATCH", &path, ("If-Match", &stale), add(&users[1])).await.refused(412, None);
    assert_eq!(demo.get(&path).await.ok(200)["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn etag_08_the_version_changes_with_every_change_and_only_then() {
    let (demo, path, first) = with_ann().await;
    let same = demo.strictly("PATCH", &path, Some(patch(json!([{ "op": "replace", "path": "userName", "value": "ann" }])))).await;
    assert_eq!(version(&same), first);
    let suspended = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_ne!(version(&demo.strictly("PATCH", &path, Some(suspended)).await), first);
    let id = demo.create("/Groups", group("One", json!({}))).await;
    let group = format!("/Groups/{id}");
    let empty = version(&demo.get(&group).await);
    let member = path.rsplit('/').next().unwrap();
    let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]));
    let with_member = version(&demo.strictly("PATCH", &group, Some(add.clone())).await);
    assert_ne!(with_member, empty);
    assert_eq!(version(&demo.strictly("PATCH", &group, Some(add)).await), with_member);
}

#[tokio::test]
async fn etag_09_a_204_after_a_rename_has_the_new_version() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Groups", group("One", json!({}))).await;
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Two" }]));
    let answer = demo.send("PATCH", &format!("/Groups/{id}"), Some(rename)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("etag"), Some(version(&demo.get(&format!("/Groups/{id}")).await).as_str()));
}

#[tokio::test]
async fn etag_10_the_tag_is_that_of_the_resource_whatever_part_is_shown() {
    let (demo, path, tag) = with_ann().await;
    for query in ["attributes=userName", "excludedAttributes=meta"] {
        let answer = demo.get(&format!("{path}?{query}")).await;
        assert_eq!((answer.ok(200).get("meta"), answer.header("etag")), (None, Some(tag.as_str())), "{query}");
    }
    conditional(&demo, "PATCH", &path, ("If-Match", &tag), Some(titled("x"))).await.ok(200);
}
