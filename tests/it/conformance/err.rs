//! Errors (RFC 7644 section 3.12).

use scimitar::engine::Offer;
use serde_json::{Value, json};

use crate::demo::{Demo, STRICT, mapping_with};
use crate::scim::{filtered, patch, user};

/// One for each status and scimType that the gateway gives by itself; `refused` compares the body with the status.
#[tokio::test]
async fn err_01_err_02_err_03_err_05_err_06_err_07_err_08_err_09_err_14_the_form_of_errors() {
    let demo = Demo::start(2, 0).await;
    let taken = demo.record("/users/1001")["login"].as_str().unwrap().to_owned();
    let replace = |path: &str, value: Value| Some(patch(json!({ "op": "replace", "path": path, "value": value })));
    let cases = [
        ("GET", "/Users?filter=userName%20regex%20%22x%22", None, 400, Some("invalidFilter")),
        ("GET", "/Users?filter=active%20gt%20true", None, 400, Some("invalidFilter")),
        ("POST", "/Users", Some(user(&taken, json!({}))), 409, Some("uniqueness")),
        ("PUT", "/Users/1002", Some(user(&taken, json!({}))), 409, Some("uniqueness")),
        ("PATCH", "/Users/1002", replace("userName", json!(taken)), 409, Some("uniqueness")),
        ("PATCH", "/Users/1001", replace("id", json!("9")), 400, Some("mutability")),
        ("POST", "/Users", Some(json!([])), 400, Some("invalidSyntax")),
        ("PATCH", "/Users/1001", Some(json!({ "schemas": ["urn:x"], "Operations": [] })), 400, Some("invalidSyntax")),
        ("PATCH", "/Users/1001", replace("emails[", json!("x")), 400, Some("invalidPath")),
        ("PATCH", "/Users/1001", replace("noSuch", json!("x")), 400, Some("invalidPath")),
        ("PATCH", "/Users/1001", replace("emails[value eq \"none\"].type", json!("x")), 400, Some("noTarget")),
        ("PATCH", "/Users/1001", Some(patch(json!({ "op": "remove" }))), 400, Some("noTarget")),
        ("POST", "/Users", Some(user("a", json!({ "active": "x" }))), 400, Some("invalidValue")),
        ("GET", "/Users?count=abc", None, 400, Some("invalidValue")),
        ("GET", "/Users/99999", None, 404, None),
        ("GET", "/Nope", None, 404, None),
        ("PUT", "/Users", Some(user("a", json!({}))), 405, None),
        ("GET", "/Me", None, 501, None),
        ("GET", "/Schemas?filter=x", None, 403, None),
    ];
    for (method, path, body, status, scim_type) in cases {
        let answer = demo.strictly(method, path, body).await;
        answer.refused(status, scim_type);
    }
    assert_eq!(demo.get(&filtered("/Users", &format!("userName eq \"{taken}\""))).await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn err_04_too_many() {
    let scan = ("scan: { rows: 20000, calls: 250 }", "scan: { rows: 100, calls: 250 }");
    let demo = Demo::with(&mapping_with(&[scan]), 250, 0, Offer::default()).await;
    let answer = demo.strictly("GET", &filtered("/Users", "title eq \"Nobody has this\""), None).await;
    assert!(answer.refused(400, Some("tooMany")).contains("100"));
    // What the backend finds by itself is not too many.
    assert_eq!(demo.get(&filtered("/Users", "userName eq \"nobody\"")).await.ok(200)["totalResults"], 0);
    assert_eq!(demo.get("/Users?count=10").await.ok(200)["totalResults"], 250);
}

#[tokio::test]
async fn err_13_a_conflict_of_versions_is_412() {
    let demo = Demo::start(1, 0).await;
    let change = patch(json!({ "op": "replace", "path": "title", "value": "x" }));
    let answer = demo.send_as(STRICT, "PATCH", "/Users/1001", &[("If-Match", "W/\"old\"")], Some(change)).await;
    answer.refused(412, None);
    assert!(demo.calls().iter().all(|call| call.starts_with("GET")));
}
