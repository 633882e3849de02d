//! DELETE (RFC 7644 section 3.6).

use serde_json::json;

use crate::demo::{Demo, LENIENT};
use crate::scim::{ENTERPRISE, filtered, group, patch, user};

#[tokio::test]
async fn delete_01_delete_02_delete_03_delete_04_gone() {
    let demo = Demo::start(1, 0).await;
    let things = [("/Users", user("bjensen", json!({}))), ("/Groups", group("g", json!({ "members": [{ "value": "1001" }] })))];
    for (endpoint, body) in things {
        let before = demo.get(endpoint).await.ok(200)["totalResults"].clone();
        let id = demo.create(endpoint, body.clone()).await;
        let path = format!("{endpoint}/{id}");
        let deleted = demo.strictly("DELETE", &path, None).await;
        assert!(deleted.ok(204).is_null());
        assert_eq!(deleted.header("content-type"), None);
        demo.strictly("GET", &path, None).await.refused(404, None);
        demo.strictly("PUT", &path, Some(body.clone())).await.refused(404, None);
        let change = patch(json!({ "op": "add", "path": "externalId", "value": "x" }));
        demo.strictly("PATCH", &path, Some(change)).await.refused(404, None);
        demo.strictly("DELETE", &path, None).await.refused(404, None);
        assert_eq!(demo.get(endpoint).await.ok(200)["totalResults"], before);
        let by_id = demo.get(&filtered(endpoint, &format!("id eq \"{id}\""))).await;
        assert_eq!(by_id.ok(200)["totalResults"], 0);
        assert_eq!(demo.get(&filtered("/Users", "userName eq \"bjensen\"")).await.ok(200)["totalResults"], 0);
        let again = demo.create(endpoint, body).await;
        demo.send("DELETE", &format!("{endpoint}/{again}"), None).await.ok(204);
    }
}

/// Members of a group that is not there: adding and removing them is 404 too, although no record is read for it.
#[tokio::test]
async fn delete_02_members_of_a_deleted_group() {
    let demo = Demo::start(2, 0).await;
    let id = demo.create("/Groups", group("g", json!({ "members": [{ "value": "1001" }] }))).await;
    let path = format!("/Groups/{id}");
    demo.send("DELETE", &path, None).await.ok(204);
    for operation in [
        json!({ "op": "add", "path": "members", "value": [{ "value": "1002" }] }),
        json!({ "op": "remove", "path": "members[value eq \"1001\"]" }),
        json!({ "op": "replace", "path": "members", "value": [{ "value": "1002" }] }),
        json!({ "op": "remove", "path": "members" }),
        json!({ "op": "add", "path": "members", "value": [] }),
    ] {
        let answer = demo.strictly("PATCH", &path, Some(patch(operation.clone()))).await;
        answer.refused(404, None);
    }
}

#[tokio::test]
async fn delete_06_references_to_who_is_gone() {
    let demo = Demo::start(0, 0).await;
    let boss = demo.create("/Users", user("boss", json!({}))).await;
    let clerk = demo.create("/Users", user("clerk", json!({ ENTERPRISE: { "manager": { "value": boss } } }))).await;
    let team = demo.create("/Groups", group("g", json!({ "members": [{ "value": boss }, { "value": clerk }] }))).await;
    demo.send("DELETE", &format!("/Users/{boss}"), None).await.ok(204);
    let members = demo.get(&format!("/Groups/{team}")).await.ok(200)["members"].clone();
    assert_eq!(members.as_array().unwrap().iter().map(|member| &member["value"]).collect::<Vec<_>>(), [&clerk]);
    assert!(demo.get(&format!("/Users/{clerk}")).await.ok(200).get(ENTERPRISE).is_none());
}

#[tokio::test]
async fn delete_07_another_version() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("a", json!({}))).await;
    let path = format!("/Users/{id}");
    demo.send_as(LENIENT, "DELETE", &path, &[("If-Match", "W/\"77\"")], None).await.refused(412, None);
    let etag = demo.get(&path).await.header("etag").unwrap().to_owned();
    demo.send_as(LENIENT, "DELETE", &path, &[("If-Match", &etag)], None).await.ok(204);
}
