//! Attribute characteristics (RFC 7643 sections 2.2 and 7).

use scimitar::engine::Offer;
use serde_json::{Value, json};

use crate::demo::{Answer, Demo, LENIENT, STRICT, mapping_with};
use crate::scim::{BULK_REQUEST, ENTERPRISE, SEARCH_REQUEST, USER, filtered, patch, user, with};

const BOTH: [&str; 2] = [LENIENT, STRICT];
const CUSTOM: &str = "urn:example:params:scim:schemas:hr:1.0";

/// The demo's mapping with a schema of its own, whose one attribute says nothing about itself.
fn with_custom_schema() -> String {
    let schema = format!("schemas:\n  hr:\n    id: {CUSTOM}\n    attributes:\n      badge:\n\nresources:\n  User:\n");
    mapping_with(&[
        ("resources:\n  User:\n", &schema),
        ("      enterprise:costCenter: $.employment.cost_center\n", "      hr:badge: $.employment.cost_center\n"),
    ])
}

#[tokio::test]
async fn attr_01_defaults_of_characteristics() {
    let demo = Demo::with(&with_custom_schema(), 0, 0, Offer::default()).await;
    let schema = demo.get(&format!("/Schemas/{CUSTOM}")).await;
    let expected = json!([{
        "name": "badge", "type": "string", "multiValued": false, "required": false, "caseExact": false,
        "mutability": "readWrite", "returned": "default", "uniqueness": "none",
    }]);
    let mut attributes = schema.ok(200)["attributes"].clone();
    attributes[0].as_object_mut().unwrap().remove("description");
    assert_eq!(attributes, expected);
    // And so it behaves.
    demo.strictly("POST", "/Users", Some(user("none", json!({})))).await.ok(201);
    let body = user("one", json!({ "schemas": [USER, CUSTOM], CUSTOM: { "badge": "AbC" } }));
    assert_eq!(demo.strictly("POST", "/Users", Some(body.clone())).await.ok(201)[CUSTOM], json!({ "badge": "AbC" }));
    demo.strictly("POST", "/Users", Some(with(body, json!({ "userName": "two" })))).await.ok(201);
    let found = demo.strictly("GET", &filtered("/Users", &format!("{CUSTOM}:badge eq \"aBc\"")), None).await;
    assert_eq!(found.ok(200)["totalResults"], 2);
}

#[tokio::test]
async fn attr_02_required_attributes() {
    let demo = Demo::start(1, 1).await;
    let nothings = [json!({}), json!({ "userName": null }), json!({ "userName": "" }), json!({ "userName": "  " })];
    for token in BOTH {
        for nothing in &nothings {
            let body = with(json!({ "schemas": [USER] }), nothing.clone());
            for (method, path) in [("POST", "/Users"), ("PUT", "/Users/1001")] {
                let answer = demo.send_as(token, method, path, &[], Some(body.clone())).await;
                assert!(answer.refused(400, Some("invalidValue")).contains("userName"), "{method} {nothing}");
            }
        }
    }
    assert!(demo.calls().iter().all(|call| call.starts_with("GET")));
}

/// They are not enforced here: the backend's own values decide.
#[tokio::test]
async fn attr_03_other_values_than_the_canonical_ones_are_taken() {
    let demo = Demo::start(0, 0).await;
    let body = user("a", json!({ "emails": [{ "value": "a@example.com", "type": "bogus" }] }));
    assert_eq!(demo.strictly("POST", "/Users", Some(body)).await.ok(201)["emails"][0]["type"], "bogus");
}

#[tokio::test]
async fn attr_04_case_exact() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.strictly("POST", "/Users", Some(user("a", json!({ "externalId": "AbC" })))).await;
    assert_eq!(answer.ok(201)["externalId"], "AbC");
    let id = answer.body["id"].as_str().unwrap();
    for (filter, total) in [
        ("externalId eq \"AbC\"", 1),
        ("externalId eq \"abc\"", 0),
        ("externalId sw \"ab\"", 0),
        (&*format!("meta.location co \"/USERS/{id}\""), 0),
    ] {
        assert_eq!(demo.strictly("GET", &filtered("/Users", filter), None).await.ok(200)["totalResults"], total, "{filter}");
    }
}

#[tokio::test]
async fn attr_05_not_case_exact() {
    let demo = Demo::start(0, 0).await;
    for name in ["bjensen", "Adams", "carl"] {
        demo.create("/Users", user(name, json!({ "title": name }))).await;
    }
    for filter in ["userName eq \"BJENSEN\"", "title eq \"BJensen\"", "userName sw \"BJ\"", "userName eq \"BJENSEN\" and id pr"] {
        assert_eq!(demo.strictly("GET", &filtered("/Users", filter), None).await.ok(200)["totalResults"], 1, "{filter}");
    }
    let sorted = demo.strictly("GET", "/Users?sortBy=userName", None).await;
    let names: Vec<&Value> = sorted.body["Resources"].as_array().unwrap().iter().map(|user| &user["userName"]).collect();
    assert_eq!(names, ["Adams", "bjensen", "carl"]);
    let twice = demo.strictly("POST", "/Users", Some(user("BJENSEN", json!({})))).await;
    twice.refused(409, Some("uniqueness"));
}

#[tokio::test]
async fn attr_06_read_only_attributes_are_ignored_in_post_and_put() {
    let demo = Demo::start(1, 1).await;
    let read_only = json!({
        "id": "1001",
        "meta": { "created": "2001-01-01T00:00:00Z", "resourceType": "Group", "location": "http://x/", "version": "W/\"9\"" },
        "groups": [{ "value": "1002" }],
        "schemas": [USER, ENTERPRISE],
        ENTERPRISE: { "manager": { "value": "1001", "displayName": "Somebody else" } },
    });
    let boss = demo.record("/users/1001")["profile"]["full_name"].clone();
    for token in BOTH {
        let body = user(token, read_only.clone());
        let answer = demo.send_as(token, "POST", "/Users", &[], Some(body.clone())).await;
        let id = answer.ok(201)["id"].clone();
        let path = format!("/Users/{}", id.as_str().unwrap());
        let put = demo.send_as(token, "PUT", &path, &[], Some(with(body, json!({ "title": "new" })))).await;
        for resource in [&answer.body, put.ok(200)] {
            assert_eq!((&resource["id"], &resource["meta"]["resourceType"]), (&id, &json!("User")));
            assert_ne!(resource["id"], "1001");
            assert_ne!(resource["meta"]["created"], "2001-01-01T00:00:00Z");
            assert_ne!(resource["meta"]["version"], "W/\"9\"");
            assert!(resource.get("groups").is_none(), "{resource}");
            assert_eq!(resource[ENTERPRISE]["manager"]["displayName"], boss);
        }
    }
}

#[tokio::test]
async fn attr_07_read_only_attributes_in_patch() {
    let demo = Demo::start(2, 1).await;
    let groups = demo.get("/Users/1001").await.body["groups"].clone();
    demo.calls();
    for operation in [
        json!({ "op": "replace", "path": "id", "value": "1002" }),
        json!({ "op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z" }),
        json!({ "op": "add", "path": "groups", "value": [{ "value": "1" }] }),
        json!({ "op": "remove", "path": "groups" }),
        json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "x" }),
    ] {
        demo.strictly("PATCH", "/Users/1001", Some(patch(operation))).await.refused(400, Some("mutability"));
    }
    assert!(demo.calls().iter().all(|call| call.starts_with("GET")));
    assert_eq!(demo.get("/Users/1001").await.body["groups"], groups);
}

#[tokio::test]
async fn attr_08_immutable_attributes() {
    let line = ("title: $.employment.job_title", "title: { at: $.employment.job_title, mutability: immutable }");
    let demo = Demo::with(&mapping_with(&[line]), 0, 0, Offer::default()).await;
    let schema = demo.get(&format!("/Schemas/{USER}")).await;
    let attributes = schema.body["attributes"].as_array().unwrap();
    assert_eq!(attributes.iter().find(|attribute| attribute["name"] == "title").unwrap()["mutability"], "immutable");

    let id = demo.create("/Users", user("a", json!({ "title": "Boss" }))).await;
    let path = format!("/Users/{id}");
    for token in BOTH {
        let put = |title: Value| user("a", json!({ "title": title }));
        demo.send_as(token, "PUT", &path, &[], Some(put(json!("Clerk")))).await.refused(400, Some("mutability"));
        demo.send_as(token, "PUT", &path, &[], Some(put(json!("Boss")))).await.ok(200);
        let change = patch(json!({ "op": "replace", "path": "title", "value": "Clerk" }));
        demo.send_as(token, "PATCH", &path, &[], Some(change)).await.refused(400, Some("mutability"));
        assert_eq!(demo.get(&path).await.ok(200)["title"], "Boss");
    }
    // What has no value yet may be set, by either.
    for (method, body) in [
        ("PUT", user("b", json!({ "title": "Clerk" }))),
        ("PATCH", patch(json!({ "op": "add", "path": "title", "value": "Clerk" }))),
    ] {
        let id = demo.create("/Users", user("b", json!({}))).await;
        let path = format!("/Users/{id}");
        assert_eq!(demo.strictly(method, &path, Some(body)).await.ok(200)["title"], "Clerk", "{method}");
        demo.send("DELETE", &path, None).await.ok(204);
    }
}

#[tokio::test]
async fn attr_09_attr_11_passwords_are_stored_and_never_returned() {
    let demo = Demo::start(0, 0).await;
    let silent = |answer: &Answer| {
        assert!(answer.status < 300, "{}", answer.body);
        let text = answer.body.to_string();
        assert!(!text.contains("password") && !text.contains("t1meMa$heen") && !text.contains("s3condOne"), "{text}");
    };
    let body = user("a", json!({ "password": "t1meMa$heen" }));
    let created = demo.strictly("POST", "/Users?attributes=password", Some(body.clone())).await;
    silent(&created);
    let id = created.body["id"].as_str().unwrap();
    let key = id.parse().unwrap();
    assert!(demo.directory.secret_is(key, "t1meMa$heen"));
    let path = format!("/Users/{id}");
    silent(&demo.strictly("PUT", &path, Some(with(body.clone(), json!({ "password": "s3condOne" })))).await);
    assert!(demo.directory.secret_is(key, "s3condOne"));
    let change = patch(json!({ "op": "replace", "path": "password", "value": "t1meMa$heen" }));
    silent(&demo.strictly("PATCH", &path, Some(change.clone())).await);
    silent(&demo.strictly("PATCH", &format!("{path}?attributes=password"), Some(change)).await);
    assert!(demo.directory.secret_is(key, "t1meMa$heen"));
    for query in ["", "?attributes=password", "?attributes=userName,password", "?excludedAttributes=userName"] {
        silent(&demo.strictly("GET", &format!("{path}{query}"), None).await);
        silent(&demo.strictly("GET", &format!("/Users{query}"), None).await);
    }
    let search = json!({ "schemas": [SEARCH_REQUEST], "attributes": ["password", "userName"] });
    silent(&demo.strictly("POST", "/Users/.search", Some(search)).await);
    let create = json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": with(body, json!({ "userName": "b" })) });
    let bulk = demo.strictly("POST", "/Bulk", Some(json!({ "schemas": [BULK_REQUEST], "Operations": [create] }))).await;
    assert_eq!(bulk.body["Operations"][0]["status"], "201");
    silent(&bulk);
}

#[tokio::test]
async fn attr_10_attr_12_always_and_default() {
    let demo = Demo::start(1, 0).await;
    let plain = demo.strictly("GET", "/Users/1001", None).await;
    assert!(plain.ok(200).get("userName").is_some() && plain.body.get("name").is_some() && plain.body.get("meta").is_some());
    for query in ["attributes=title", "excludedAttributes=id,schemas,userName", "attributes=name.givenName"] {
        for path in [format!("/Users/1001?{query}"), format!("/Users?{query}")] {
            let answer = demo.strictly("GET", &path, None).await;
            let resource = answer.ok(200).get("Resources").map_or(&answer.body, |resources| &resources[0]);
            assert_eq!(resource["id"], "1001", "{path}");
            assert!(resource.get("userName").is_none() && resource["schemas"].is_array(), "{path}: {resource}");
        }
    }
}

#[tokio::test]
async fn attr_13_on_request() {
    let line = ("nickName: $.profile.nick", "nickName: { at: $.profile.nick, returned: request }");
    let demo = Demo::with(&mapping_with(&[line]), 0, 0, Offer::default()).await;
    // The client wrote it, so it comes back; but not where it wrote something else.
    let created = demo.strictly("POST", "/Users", Some(user("a", json!({ "nickName": "Al" })))).await;
    assert_eq!(created.ok(201)["nickName"], "Al");
    let path = format!("/Users/{}", created.body["id"].as_str().unwrap());
    let change = |name: &str| patch(json!({ "op": "replace", "path": name, "value": "Bo" }));
    assert!(demo.strictly("PATCH", &path, Some(change("title"))).await.ok(200).get("nickName").is_none());
    assert_eq!(demo.strictly("PATCH", &path, Some(change("nickName"))).await.ok(200)["nickName"], "Bo");
    assert!(demo.strictly("GET", &path, None).await.ok(200).get("nickName").is_none());
    assert_eq!(demo.strictly("GET", &format!("{path}?attributes=nickName"), None).await.ok(200)["nickName"], "Bo");
    assert!(demo.strictly("GET", "/Users", None).await.ok(200)["Resources"][0].get("nickName").is_none());
}

#[tokio::test]
async fn attr_14_uniqueness() {
    let demo = Demo::start(0, 0).await;
    demo.create("/Users", user("bjensen", json!({}))).await;
    let id = demo.create("/Users", user("other", json!({}))).await;
    let path = format!("/Users/{id}");
    let rename = json!({ "op": "replace", "path": "userName", "value": "BJensen" });
    for (method, path, body) in [
        ("POST", "/Users", user("bjensen", json!({}))),
        ("PUT", &*path, user("bjensen", json!({}))),
        ("PATCH", &*path, patch(rename)),
    ] {
        for token in BOTH {
            let answer = demo.send_as(token, method, path, &[], Some(body.clone())).await;
            answer.refused(409, Some("uniqueness"));
        }
    }
    assert_eq!(demo.get(&path).await.ok(200)["userName"], "other");
}
