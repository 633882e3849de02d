//! PUT (RFC 7644 section 3.5.1).

use scimitar::engine::Offer;
use serde_json::{Value, json};

use crate::demo::{Demo, LENIENT, STRICT, mapping_with};
use crate::scim::{ENTERPRISE, USER, group, user, with};

const BOTH: [&str; 2] = [LENIENT, STRICT];

#[tokio::test]
async fn put_01_put_03_put_08_values_are_replaced() {
    let demo = Demo::start(1, 0).await;
    for token in BOTH {
        let mail = |kind: &str| json!([{ "value": format!("{kind}@example.com"), "type": kind, "primary": true }]);
        let before = json!({
            "title": "Clerk", "active": true, "name": { "givenName": "B", "familyName": "J" }, "emails": mail("work"),
            ENTERPRISE: { "department": "D", "costCenter": "C" },
        });
        let id = demo.create("/Users", user(token, before)).await;
        let after = json!({
            "schemas": [USER, ENTERPRISE], "title": "Boss", "active": false, "name": { "givenName": "C" }, "emails": mail("home"),
            "externalId": "e", ENTERPRISE: { "department": "E", "manager": { "value": "1001" } },
        });
        let path = format!("/Users/{id}");
        let put = demo.send_as(token, "PUT", &path, &[], Some(user(&format!("{token}2"), after.clone()))).await;
        assert_eq!(put.ok(200)["userName"], json!(format!("{token}2")));
        for name in ["title", "active", "name", "emails", "externalId"] {
            assert_eq!(put.body[name], after[name], "{name}");
        }
        assert_eq!(
            (&put.body[ENTERPRISE]["department"], &put.body[ENTERPRISE]["manager"]["value"]),
            (&json!("E"), &json!("1001"))
        );
        assert!(put.body[ENTERPRISE].get("costCenter").is_none());
        assert_eq!((&put.body["id"], &put.body["meta"]["resourceType"]), (&json!(id), &json!("User")));
        assert_eq!(demo.get(&path).await.ok(200), &put.body);
    }
}

#[tokio::test]
async fn put_02_put_never_creates() {
    let demo = Demo::start(0, 0).await;
    for (path, body) in [
        ("/Users/99999", user("a", json!({}))),
        ("/Users/new", user("a", json!({}))),
        ("/Groups/99999", group("g", json!({}))),
        ("/Groups/99999", group("g", json!({ "members": [{ "value": "1" }] }))),
    ] {
        for token in BOTH {
            demo.send_as(token, "PUT", path, &[], Some(body.clone())).await.refused(404, None);
        }
    }
    assert!(demo.calls().iter().all(|call| call.starts_with("GET")));
}

#[tokio::test]
async fn put_04_what_is_left_out_is_cleared_but_not_what_cannot_be_seen() {
    // The gateway knows nothing of titles here.
    let demo = Demo::with(&mapping_with(&[("      title: $.employment.job_title\n", "")]), 1, 0, Offer::default()).await;
    let title = demo.record("/users/1001")["employment"]["job_title"].clone();
    assert!(title.is_string());
    let name = demo.record("/users/1001")["login"].as_str().unwrap().to_owned();
    let put = demo.strictly("PUT", "/Users/1001", Some(user(&name, json!({})))).await;
    assert!(put.ok(200).get("emails").is_none() && put.body.get(ENTERPRISE).is_none(), "{}", put.body);
    let record = demo.record("/users/1001");
    assert_eq!((&record["employment"]["job_title"], &record["employment"]["department"]), (&title, &Value::Null));

    let id = demo.create("/Users", user("a", json!({ "password": "t1meMa$heen", "nickName": "Al", "active": false }))).await;
    let put = demo.send("PUT", &format!("/Users/{id}"), Some(user("a", json!({})))).await;
    assert!(put.ok(200).get("nickName").is_none());
    assert!(demo.directory.secret_is(id.parse().unwrap(), "t1meMa$heen"));
    assert_eq!(put.body["active"], false, "nobody is let in again by being left out");
}

#[tokio::test]
async fn put_05_put_06_put_07_mutability_and_required() {
    let line = ("title: $.employment.job_title", "title: { at: $.employment.job_title, mutability: immutable }");
    let demo = Demo::with(&mapping_with(&[line]), 2, 0, Offer::default()).await;
    let id = demo.create("/Users", user("a", json!({}))).await;
    let path = format!("/Users/{id}");
    let put = demo.strictly("PUT", &path, Some(user("a", json!({ "id": "1002", "title": "Boss" })))).await;
    assert_eq!((&put.ok(200)["id"], &put.body["title"]), (&json!(id), &json!("Boss")));
    demo.strictly("PUT", &path, Some(user("a", json!({ "title": "Clerk" })))).await.refused(400, Some("mutability"));
    let nameless = json!({ "schemas": [USER], "title": "Boss" });
    demo.strictly("PUT", &path, Some(nameless)).await.refused(400, Some("invalidValue"));
    assert_eq!(demo.get(&path).await.ok(200), &put.body);
}

#[tokio::test]
async fn put_09_null_and_empty_lists_clear() {
    let demo = Demo::start(1, 0).await;
    for token in BOTH {
        let id = demo.create("/Users", user(token, json!({ "nickName": "Al", "emails": [{ "value": "a" }] }))).await;
        let body = user(token, json!({ "nickName": null, "emails": [] }));
        let put = demo.send_as(token, "PUT", &format!("/Users/{id}"), &[], Some(body)).await;
        assert!(put.ok(200).get("nickName").is_none() && put.body.get("emails").is_none(), "{}", put.body);
    }
    let id = demo.create("/Groups", group("g", json!({ "members": [{ "value": "1001" }] }))).await;
    let put = demo.strictly("PUT", &format!("/Groups/{id}"), Some(group("g", json!({ "members": [] })))).await;
    assert_eq!(put.ok(200)["members"], json!([]));
}

#[tokio::test]
async fn put_10_a_name_that_is_taken() {
    let demo = Demo::start(0, 0).await;
    demo.create("/Users", user("bjensen", json!({}))).await;
    let id = demo.create("/Users", user("other", json!({ "title": "Ms" }))).await;
    let path = format!("/Users/{id}");
    let put = demo.strictly("PUT", &path, Some(user("BJENSEN", json!({ "title": "Mr" })))).await;
    put.refused(409, Some("uniqueness"));
    let read = demo.get(&path).await;
    assert_eq!((&read.ok(200)["userName"], &read.body["title"]), (&json!("other"), &json!("Ms")));
}

#[tokio::test]
async fn put_11_put_12_put_of_what_is_there_changes_nothing() {
    let demo = Demo::start(12, 3).await;
    for endpoint in ["/Users", "/Groups"] {
        let ids = demo.get(&format!("{endpoint}?attributes=id")).await;
        for id in ids.body["Resources"].as_array().unwrap().iter().map(|resource| resource["id"].as_str().unwrap()) {
            let path = format!("{endpoint}/{id}");
            let read = demo.get(&path).await;
            for token in BOTH {
                demo.calls();
                let put = demo.send_as(token, "PUT", &path, &[], Some(read.body.clone())).await;
                assert_eq!(put.ok(200), &read.body);
                let calls = demo.calls();
                assert!(calls.iter().all(|call| call.starts_with("GET")), "{calls:?}");
            }
        }
    }
    let id = demo.create("/Users", user("a", json!({}))).await;
    let body = with(user("b", json!({ "active": false })), json!({ "emails": [{ "value": "a", "type": "work" }] }));
    let first = demo.strictly("PUT", &format!("/Users/{id}"), Some(body.clone())).await;
    assert_eq!(demo.strictly("PUT", &format!("/Users/{id}"), Some(body)).await.ok(200), first.ok(200));
}
