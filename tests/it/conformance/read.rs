//! GET of one resource (RFC 7644 section 3.4.1).

use scimitar::engine::Offer;
use serde_json::json;

use crate::demo::{Demo, mapping_with};
use crate::scim::{GROUP, USER};

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
async fn read_04_an_etag_only_where_there_is_a_version() {
    let line = "      meta.version: { read: $.rev }         # gives the ETag\n";
    let demo = Demo::with(&mapping_with(&[(line, "")]), 1, 1, Offer::default()).await;
    let user = demo.get("/Users/1001").await;
    assert!(user.ok(200)["meta"].get("version").is_none());
    assert_eq!((user.header("etag"), user.header("last-modified")), (None, None));
    let team = demo.get("/Groups?attributes=id").await.body["Resources"][0]["id"].as_str().unwrap().to_owned();
    assert!(demo.get(&format!("/Groups/{team}")).await.header("etag").is_some());
}

#[tokio::test]
async fn read_05_a_filter_on_one_resource_is_ignored() {
    let demo = Demo::start(1, 0).await;
    let plain = demo.get("/Users/1001").await;
    let answer = demo.get("/Users/1001?filter=userName%20eq%20%22nobody%22").await;
    assert_eq!(answer.ok(200), &plain.body);
}
