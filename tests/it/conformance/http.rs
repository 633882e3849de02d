//! HTTP, media types, encoding (RFC 7644 sections 3.1, 3.2 and 3.8).

use serde_json::json;

use crate::demo::{BASE, Demo, LENIENT, STRICT, mapping_with};
use crate::scim::{USER, user};

#[tokio::test]
async fn http_01_utf8_round_trip() {
    let demo = Demo::start(0, 0).await;
    let name = json!({ "familyName": "山田", "givenName": "Zoë 🦊 \u{10fffd}" });
    let id = demo.create("/Users", user("山田.zoë", json!({ "name": name }))).await;
    let read = demo.get(&format!("/Users/{id}")).await;
    assert_eq!((&read.ok(200)["userName"], &read.body["name"]), (&json!("山田.zoë"), &name));
    assert_eq!(demo.record(&format!("/users/{id}"))["profile"]["surname"], "山田");
}

#[tokio::test]
async fn http_02_http_03_http_04_http_05_accept() {
    let demo = Demo::start(1, 0).await;
    let accepts: [&[(&str, &str)]; 5] = [
        &[("accept", "application/scim+json")],
        &[("accept", "application/json")],
        &[],
        &[("accept", "*/*")],
        // RFC 9110 section 12.4.1: what cannot be given as it is asked for may be given as it is.
        &[("accept", "text/xml")],
    ];
    for accept in accepts {
        let answer = demo.send_as(LENIENT, "GET", "/Users", accept, None).await;
        assert_eq!(answer.ok(200)["totalResults"], 1, "{accept:?}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{accept:?}");
    }
}

#[tokio::test]
async fn http_06_http_07_content_types() {
    let demo = Demo::start(0, 0).await;
    let authorization = format!("Bearer {STRICT}");
    let types = [
        ("application/scim+json", 201),
        ("application/json", 201),
        ("application/scim+json; charset=utf-8", 201),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
    ];
    for (index, (content_type, status)) in types.into_iter().enumerate() {
        let body = user(&format!("user{index}"), json!({})).to_string().into_bytes();
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", content_type)];
        demo.calls();
        let answer = demo.raw("POST", "/Users", &headers, body).await;
        if status == 201 {
            answer.ok(201);
        } else {
            let detail = answer.refused(415, None);
            assert!(detail.contains(content_type) && detail.contains("application/scim+json"), "{detail}");
            assert!(demo.calls().is_empty(), "{content_type}");
        }
    }
    assert_eq!(demo.get("/Users").await.body["totalResults"], 3);
}

/// A suffix is part of the id here, and nobody has such an id.
#[tokio::test]
async fn http_08_a_format_suffix_means_nothing() {
    let demo = Demo::start(1, 0).await;
    demo.get("/Users/1001").await.ok(200);
    demo.get("/Users/1001.scim").await.refused(404, None);
    demo.get("/Users.scim").await.refused(404, None);
}

#[tokio::test]
async fn http_09_shapes() {
    let demo = Demo::start(0, 0).await;
    let body = user("a", json!({ "title": "Ms", "name": { "givenName": "A" }, "emails": [{ "value": "a@example.com" }] }));
    let answer = demo.strictly("POST", "/Users", Some(body)).await;
    let created = answer.ok(201);
    assert!(created["title"].is_string() && created["name"].is_object(), "{created}");
    assert_eq!(created["emails"].as_array().map(Vec::len), Some(1), "{created}");
    assert_eq!(created["schemas"], json!([USER]));
}

#[tokio::test]
async fn http_10_the_order_of_members_does_not_matter() {
    let demo = Demo::start(0, 0).await;
    let headers = [("Authorization", &*format!("Bearer {STRICT}")), ("Content-Type", "application/scim+json")];
    let body = format!(r#"{{"name":{{"givenName":"B","familyName":"J"}},"userName":"b","schemas":["{USER}"]}}"#);
    let one = demo.raw("POST", "/Users", &headers, body.into_bytes()).await;
    let body = format!(r#"{{"schemas":["{USER}"],"userName":"c","name":{{"familyName":"J","givenName":"B"}}}}"#);
    let other = demo.raw("POST", "/Users", &headers, body.into_bytes()).await;
    assert_eq!(one.ok(201)["name"], other.ok(201)["name"]);
}

/// The demo's logins as ids: they hold what a URL cannot hold as it is.
#[tokio::test]
async fn http_11_ids_are_percent_encoded() {
    let id = "    id: { at: $.id, as: integer }           # a number there, a string in SCIM";
    let demo = Demo::with(&mapping_with(&[(id, "    id: $.login")]), 0, 0, scimitar::engine::Offer::default()).await;
    let answer = demo.strictly("POST", "/Users", Some(user("a/b c+d?é", json!({})))).await;
    let location = format!("{BASE}/Users/a%2Fb%20c%2Bd%3F%C3%A9");
    assert_eq!(answer.ok(201)["meta"]["location"], json!(location));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    // And back: the same record is asked for, by one segment.
    demo.calls();
    demo.get(location.strip_prefix(BASE).unwrap()).await;
    assert_eq!(demo.calls(), ["GET /users/a%2Fb%20c%2Bd%3F%C3%A9"]);
}

#[tokio::test]
async fn http_15_head() {
    let demo = Demo::start(1, 1).await;
    for path in ["/Users/1001", "/Users", "/Users/nobody", "/Schemas"] {
        let get = demo.get(path).await;
        let head = demo.send("HEAD", path, None).await;
        assert_eq!((head.status, head.body.is_null()), (get.status, true), "{path}");
        for name in ["content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path}");
        }
    }
}

#[tokio::test]
async fn http_16_endpoints_are_plural() {
    let contractor = "  Contractor:\n    schema: User\n    id: { at: $.id, as: integer }\n    attributes: { userName: $.login }\n    \
                      get: GET /users/{{key}}\n\n  Group:\n";
    let demo = Demo::with(&mapping_with(&[("  Group:\n", contractor)]), 1, 0, scimitar::engine::Offer::default()).await;
    assert_eq!(demo.get("/ResourceTypes/Contractor").await.ok(200)["endpoint"], "/Contractors");
    assert_eq!(demo.get("/Contractors/1001").await.ok(200)["meta"]["resourceType"], "Contractor");
}

#[tokio::test]
async fn http_17_http_18_names_in_any_case_but_once() {
    let demo = Demo::start(0, 0).await;
    let body = json!({ "SCHEMAS": [USER], "USERNAME": "a", "Emails": [{ "VALUE": "a@example.com" }] });
    let answer = demo.strictly("POST", "/Users", Some(body)).await;
    assert_eq!((&answer.ok(201)["userName"], &answer.body["emails"][0]["value"]), (&json!("a"), &json!("a@example.com")));
    demo.calls();
    let body = json!({ "schemas": [USER], "userName": "b", "USERNAME": "c" });
    for token in [LENIENT, STRICT] {
        demo.send_as(token, "POST", "/Users", &[], Some(body.clone())).await.refused(400, Some("invalidSyntax"));
    }
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn http_19_unknown_query_parameters_are_ignored() {
    let demo = Demo::start(3, 0).await;
    for path in ["/Users?foo=bar", "/Users?aadOptscim062020", "/Users?=&&x"] {
        assert_eq!(demo.strictly("GET", path, None).await.ok(200)["totalResults"], 3, "{path}");
    }
    demo.strictly("GET", "/Users/1001?foo=bar", None).await.ok(200);
}

#[tokio::test]
async fn http_20_malformed_json() {
    let demo = Demo::start(1, 0).await;
    let headers = [("Authorization", &*format!("Bearer {LENIENT}")), ("Content-Type", "application/scim+json")];
    for (method, path) in [("POST", "/Users"), ("PUT", "/Users/1001"), ("PATCH", "/Users/1001"), ("POST", "/.search")] {
        let answer = demo.raw(method, path, &headers, br#"{"userName": :"#.to_vec()).await;
        let detail = answer.refused(400, Some("invalidSyntax"));
        assert!(detail.contains("line 1, column 14"), "{detail}");
    }
    assert!(demo.calls().is_empty());
}
