//! Protocol version in URLs (RFC 7644 section 3.13).

use http::Request;
use http_body_util::Full;
use scimitar::server::step::Body;
use serde_json::json;

use crate::demo::{Answer, Demo, LENIENT};
use crate::scim::{group, patch, user};

async fn get(demo: &Demo, path: &str) -> Answer {
    let request = Request::get(path).header("Host", "scim.test").header("Authorization", format!("Bearer {LENIENT}"));
    demo.request(request.body(Body::new(Full::default())).unwrap()).await
}

#[tokio::test]
async fn ver_01_ver_02_versions_in_the_path() {
    let demo = Demo::start(1, 0).await;
    get(&demo, "/scim/v2/Users").await.ok(200);
    demo.calls();
    for path in ["/scim/v1/Users", "/scim/v9/Users", "/scim/v3/Users/1001"] {
        let answer = get(&demo, path).await;
        assert!(answer.refused(400, Some("invalidVers")).contains("/scim/v2"), "{path}");
    }
    get(&demo, "/scim/Users").await.refused(404, None);
    get(&demo, "/scim/v2/v2/Users").await.refused(404, None);
    assert!(demo.calls().is_empty());
}

/// The base URL and the version in a `$ref` are not looked at.
#[tokio::test]
async fn ver_04_references_without_a_version() {
    let demo = Demo::start(0, 0).await;
    let member = demo.create("/Users", user("a", json!({}))).await;
    for base in ["http://scim.test/scim", "http://scim.test/scim/v1", "https://old.example.com"] {
        let id = demo.create("/Groups", group("g", json!({}))).await;
        let path = format!("/Groups/{id}");
        let reference = json!({ "op": "add", "path": "members", "value": [{ "$ref": format!("{base}/Users/{member}") }] });
        demo.strictly("PATCH", &path, Some(patch(reference))).await.ok(200);
        assert_eq!(demo.get(&path).await.body["members"][0]["value"], json!(member), "{base}");
    }
}
