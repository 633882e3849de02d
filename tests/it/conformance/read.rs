//! GET of one resource (RFC 7644 section 3.4.1).

use scimitar::engine::Offer;
use serde_json::json;

use crate::demo::{Answer, Demo, STRICT, mapping_with};
use crate::scim::{GROUP, USER, patch};

#[tokio::test]
async fn read_01_read_03_a_resource_of_the_type_or_404() {
    let demo = Demo::start(2, 1).await;
    let team = demo.get("/Groups?attributes=id").await.body["Resources"][0]["id"].as_str().unwrap().to_owned();
    let user = demo.strictly("GET", "/Users/1002", None).await;
    assert_eq!((&user.ok(200)["id"], &user.body["schemas"][0]), (&json!("1002"), &json!(USER)));
    assert_eq!(demo.strictly("GET", &format!("/Groups/{team}"), None).await.ok(200)["schemas"], json!([GROUP]));
    // The backend counts users and teams in one sequence.
    for path in ["/Users/99999".to_owned(), "/Groups/1002".to_owned(), format!("/Users/{team}")] {
        let answer = demo.strictly("GET", &path, None).await;
        assert!(answer.refused(404, None).contains(path.rsplit('/').next().unwrap()), "{path}");
    }
}

#[tokio::test]
async fn read_02_what_is_returned_by_default() {
    let line = ("nickName: $.profile.nick", "nickName: { at: $.profile.nick, returned: request }");
    let demo = Demo::with(&mapping_with(&[line]), 0, 0, Offer::default()).await;
    let body = json!({ "schemas": [USER], "userName": "a", "nickName": "Al", "password": "t1meMa$heen", "title": "Ms" });
    let id = demo.create("/Users", body).await;
    let read = demo.strictly("GET", &format!("/Users/{id}"), None).await;
    assert_eq!(read.ok(200)["title"], "Ms");
    assert!(read.body.get("nickName").is_none() && read.body.get("password").is_none());
}

#[tokio::test]
async fn read_04_etag_01_without_a_revision_the_version_is_a_hash() {
    let line = "      meta.version: { read: $.rev }         # gives the ETag\n";
    let demo = Demo::with(&mapping_with(&[(line, "")]), 2, 0, Offer::default()).await;
    let version = |answer: &Answer| {
        let version = answer.ok(200)["meta"]["version"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("etag"), Some(version.as_str()));
        assert!(version.starts_with("W/\"") && answer.header("last-modified").is_none(), "{version}");
        version
    };
    let first = version(&demo.get("/Users/1001").await);
    assert_eq!(version(&demo.get("/Users/1001").await), first);
    assert_eq!(version(&demo.replica_with(&mapping_with(&[(line, "")])).get("/Users/1001").await), first);
    assert_ne!(version(&demo.get("/Users/1002").await), first);
    let change = |title: &str| Some(patch(json!([{ "op": "replace", "path": "title", "value": title }])));
    let second = version(&demo.send_as(STRICT, "PATCH", "/Users/1001", &[("If-Match", &first)], change("Lead")).await);
    assert_ne!(second, first);
    demo.send_as(STRICT, "PATCH", "/Users/1001", &[("If-Match", &first)], change("Boss")).await.refused(412, None);
    demo.send_as(STRICT, "DELETE", "/Users/1001", &[("If-Match", &first)], None).await.refused(412, None);
    let unchanged = demo.send_as(STRICT, "GET", "/Users/1001", &[("If-None-Match", &second)], None).await;
    assert_eq!(unchanged.status, 304);
    assert_eq!(version(&demo.get("/Users/1001").await), second);
}

#[tokio::test]
async fn read_05_a_filter_on_one_resource_is_ignored() {
    let demo = Demo::start(1, 0).await;
    let plain = demo.get("/Users/1001").await;
    let answer = demo.get("/Users/1001?filter=userName%20eq%20%22nobody%22").await;
    assert_eq!(answer.ok(200), &plain.body);
}
