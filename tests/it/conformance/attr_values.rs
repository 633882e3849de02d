//! Data types and values of attributes (RFC 7643 sections 2.1, 2.3 to 2.5).

use scimitar::app::Given;
use scimitar::engine::Offer;
use scimitar::mapping::{self, Severity};
use serde_json::{Value, json};

use crate::demo::{BASE, Demo, LENIENT, STRICT, mapping_with};
use crate::scim::{ENTERPRISE, USER, filtered, group, patch, user};

const BOTH: [&str; 2] = [LENIENT, STRICT];

/// The backend has milliseconds since 1970.
#[tokio::test]
async fn attr_17_date_times_are_xsd_date_times() {
    let demo = Demo::start(1, 0).await;
    let millis = demo.record("/users/1001")["created_ms"].as_i64().unwrap();
    let created = demo.get("/Users/1001").await.ok(200)["meta"]["created"].as_str().unwrap().to_owned();
    assert!(created.contains('T') && created.ends_with('Z'), "{created}");
    assert_eq!(created.parse::<jiff::Timestamp>().unwrap().as_millisecond(), millis);
}

#[tokio::test]
async fn attr_18_binary_values() {
    let demo = Demo::start(0, 0).await;
    let der = "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM=";
    let body = |value: &str| user("a", json!({ "x509Certificates": [{ "value": value }] }));
    for bad in ["***", "not base64", "A"] {
        demo.strictly("POST", "/Users", Some(body(bad))).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
    let created = demo.strictly("POST", "/Users", Some(body(der))).await;
    assert_eq!(created.ok(201)["x509Certificates"], json!([{ "value": der, "primary": false }]));
}

#[tokio::test]
async fn attr_19_references_can_be_followed() {
    let demo = Demo::start(3, 1).await;
    let user = demo.get("/Users/1002").await;
    let team = user.ok(200)["groups"][0].clone();
    let group = demo.get(&format!("/Groups/{}", team["value"].as_str().unwrap())).await;
    for value in [&team, &group.ok(200)["members"][0], &user.body[ENTERPRISE]["manager"]] {
        let reference = value["$ref"].as_str().unwrap_or_else(|| panic!("{value} has no $ref"));
        let found = demo.get(reference.strip_prefix(BASE).unwrap()).await;
        assert_eq!(found.ok(200)["id"], value["value"], "{reference}");
        assert_eq!(found.body["meta"]["location"], reference);
    }
}

#[tokio::test]
async fn attr_20_relative_references() {
    let demo = Demo::start(2, 0).await;
    for reference in ["Users/1002", "../Users/1002"] {
        let body = group("g", json!({ "members": [{ "$ref": reference }] }));
        let created = demo.strictly("POST", "/Groups", Some(body)).await;
        assert_eq!(created.ok(201)["members"][0]["value"], "1002", "{reference}");
    }
}

/// The mapping says what becomes of unknown members: `skip` in the demo. Where nobody at all is known it is an error.
#[tokio::test]
async fn attr_21_referential_integrity() {
    let add = |ids: &[&str]| {
        let value: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        Some(patch(json!({ "op": "add", "path": "members", "value": value })))
    };
    let skip = Demo::start(2, 0).await;
    let id = skip.create("/Groups", group("g", json!({}))).await;
    let path = format!("/Groups/{id}");
    let added = skip.strictly("PATCH", &path, add(&["1002", "99999", "no-number"])).await;
    let members = added.ok(200)["members"].as_array().unwrap();
    assert_eq!((members.len(), &members[0]["value"]), (1, &json!("1002")));
    skip.strictly("PATCH", &path, add(&["99999"])).await.refused(400, Some("invalidValue"));
    let boss = user("a", json!({ ENTERPRISE: { "manager": { "value": "99999" } } }));
    skip.strictly("POST", "/Users", Some(boss)).await.refused(400, Some("invalidValue"));

    let unknown = "unknown: skip                         # one id that is gone must not sink a whole push";
    let refuse = Demo::with(&mapping_with(&[(unknown, "unknown: refuse")]), 2, 0, Offer::default()).await;
    let id = refuse.create("/Groups", group("g", json!({}))).await;
    let path = format!("/Groups/{id}");
    for ids in [&["1002", "99999"][..], &["no-number", "1002"]] {
        assert!(refuse.strictly("PATCH", &path, add(ids)).await.refused(400, Some("invalidValue")).contains("members"));
    }
    assert_eq!(refuse.get(&path).await.ok(200)["members"], json!([]));
}

/// A mapping that declares what RFC 7643 has not, and the place that is blamed.
#[test]
fn attr_22_attr_30_attr_32_schemas_that_are_no_schemas() {
    let schema = |attribute: &str| {
        let schemas =
            format!("schemas:\n  hr:\n    id: urn:example:hr:1.0\n    attributes:\n      {attribute}\n\nresources:\n  User:\n");
        mapping_with(&[("resources:\n  User:\n", &schemas)])
    };
    let secrets = Given(&[("PEOPLE_URL", "http://localhost"), ("PEOPLE_TOKEN", "people")]);
    let inner = "{ type: complex, subAttributes: { b: { type: complex, subAttributes: { c: { } } } } }";
    for (attribute, code) in [
        (format!("a: {inner}"), "bad-schema"),
        ("a: { type: complex }".to_owned(), "bad-schema"),
        ("a: { type: money }".to_owned(), "bad-schema"),
        ("a: { type: date }".to_owned(), "bad-schema"),
        ("1st: { }".to_owned(), "bad-schema"),
        ("a.b: { }".to_owned(), "bad-schema"),
        ("a b: { }".to_owned(), "bad-schema"),
    ] {
        let (mapping, diagnostics) = mapping::load(&schema(&attribute), &secrets);
        let errors: Vec<&str> = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| diagnostic.code.as_str())
            .collect();
        assert!(mapping.is_none() && errors == [code], "{attribute}: {errors:?}");
    }
    let (mapping, _) = mapping::load(&schema("a-b_1: { type: integer }"), &secrets);
    assert!(mapping.is_some());
}

#[tokio::test]
async fn attr_23_booleans() {
    let demo = Demo::start(0, 0).await;
    for text in ["true", "True", "false"] {
        demo.strictly("POST", "/Users", Some(user("a", json!({ "active": text })))).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
    let answer = demo.send("POST", "/Users", Some(user("a", json!({ "active": "False" })))).await;
    assert_eq!(answer.ok(201)["active"], false);
}

#[tokio::test]
async fn attr_24_one_primary() {
    let demo = Demo::start(0, 0).await;
    let mail = |name: &str, primary: bool| json!({ "value": format!("{name}@example.com"), "primary": primary });
    for token in BOTH {
        let body = user("a", json!({ "emails": [mail("a", true), mail("b", true)] }));
        demo.send_as(token, "POST", "/Users", &[], Some(body)).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
    let id = demo.create("/Users", user("a", json!({ "emails": [mail("a", true), mail("b", false)] }))).await;
    let add = patch(json!({ "op": "add", "path": "emails", "value": [mail("c", true)] }));
    let answer = demo.strictly("PATCH", &format!("/Users/{id}"), Some(add)).await;
    let primaries: Vec<bool> = answer.ok(200)["emails"].as_array().unwrap().iter().map(|mail| mail["primary"] == true).collect();
    assert_eq!(primaries, [false, false, true]);
}

#[tokio::test]
async fn attr_25_a_missing_primary_is_false() {
    let demo = Demo::start(0, 0).await;
    let mail = json!({ "value": "a@example.com", "primary": false });
    let id = demo.create("/Users", user("a", json!({ "emails": [mail] }))).await;
    let path = format!("/Users/{id}");
    let before = demo.get(&path).await;
    demo.calls();
    let without = user("a", json!({ "active": true, "emails": [{ "value": "a@example.com" }] }));
    assert_eq!(demo.strictly("PUT", &path, Some(without)).await.ok(200)["meta"], before.body["meta"]);
    assert!(demo.calls().iter().all(|call| call.starts_with("GET")), "nothing has changed");
}

#[tokio::test]
async fn attr_26_attr_27_values_once_and_with_their_type() {
    let demo = Demo::start(0, 0).await;
    let mail = |value: &str, kind: &str| json!({ "value": value, "type": kind });
    let sent = [mail("a@example.com", "work"), mail("a@example.com", "work"), mail("a@example.com", "home")];
    for (name, token) in [("a", LENIENT), ("b", STRICT)] {
        let answer = demo.send_as(token, "POST", "/Users", &[], Some(user(name, json!({ "emails": sent })))).await;
        let emails = answer.ok(201)["emails"].as_array().unwrap();
        let types: Vec<&Value> = emails.iter().map(|mail| &mail["type"]).collect();
        assert_eq!(types, ["work", "home"]);
    }
}

#[tokio::test]
async fn attr_28_attr_29_unassigned() {
    let demo = Demo::start(0, 0).await;
    for token in BOTH {
        let full = json!({ "nickName": "Al", "name": { "givenName": "A" }, "emails": [{ "value": "a@example.com" }] });
        let id = demo.create("/Users", user(token, full)).await;
        let path = format!("/Users/{id}");
        let cleared = user(token, json!({ "nickName": null, "name": null, "emails": [] }));
        demo.send_as(token, "PUT", &path, &[], Some(cleared)).await.ok(200);
        let read = demo.get(&path).await;
        for name in ["nickName", "name", "emails", "title", ENTERPRISE] {
            assert!(read.ok(200).get(name).is_none(), "{name} of {}", read.body);
        }
        for filter in ["nickName pr", "name pr", "emails pr"] {
            let found = demo.get(&filtered("/Users", &format!("id eq \"{id}\" and {filter}"))).await;
            assert_eq!(found.ok(200)["totalResults"], 0, "{filter}");
        }
        let record = demo.record(&format!("/users/{id}"));
        assert_eq!((&record["profile"]["nick"], &record["contact"]["mail"]), (&Value::Null, &json!([])));
    }
}

#[tokio::test]
async fn attr_33_one_value_or_many() {
    let demo = Demo::start(0, 0).await;
    for more in [
        json!({ "emails": { "value": "a@example.com" } }),
        json!({ "emails": "a@example.com" }),
        json!({ "displayName": ["A"] }),
        json!({ "name": [{ "givenName": "A" }] }),
    ] {
        let answer = demo.strictly("POST", "/Users", Some(user("a", more.clone()))).await;
        answer.refused(400, Some("invalidValue"));
    }
    // Where two readings exist, the lenient profile refuses too.
    let body = json!({ "schemas": [USER], "userName": "a", "displayName": ["A", "B"] });
    demo.send("POST", "/Users", Some(body)).await.refused(400, Some("invalidValue"));
    assert!(demo.calls().is_empty());
}
