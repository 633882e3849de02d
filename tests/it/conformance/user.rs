//! Users (RFC 7643 section 4.1).

use serde_json::{Value, json};

use crate::demo::Demo;
use crate::scim::{ENTERPRISE, patch, user};

#[tokio::test]
async fn user_01_the_user_name_is_not_empty_and_unique_in_any_case() {
    let demo = Demo::start(0, 0).await;
    for name in [json!(""), json!(" "), Value::Null, json!([]), json!(7)] {
        let body = user("x", json!({ "userName": name }));
        demo.strictly("POST", "/Users", Some(body)).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
    demo.create("/Users", user("bjensen", json!({}))).await;
    demo.strictly("POST", "/Users", Some(user("BJensen", json!({})))).await.refused(409, Some("uniqueness"));
}

#[tokio::test]
async fn user_02_name_and_user_08_attributes_without_vocabulary_come_back_as_they_were_sent() {
    let demo = Demo::start(0, 0).await;
    let sent = json!({
        "name": { "formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane",
            "honorificPrefix": "Ms.", "honorificSuffix": "III" },
        "entitlements": [{ "value": "crm", "type": "seat", "display": "CRM" }],
        "roles": [{ "value": "anything at all" }],
        "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.example.com/bjensen",
        "title": "Tour Guide", "userType": "Employee", "preferredLanguage": "en-US", "locale": "en-US",
        "timezone": "America/Los_Angeles",
        "phoneNumbers": [{ "value": "tel:+1-555-555-8377", "type": "work" }],
        "ims": [{ "value": "someaimhandle", "type": "aim" }],
        "photos": [{ "value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo" }],
        "addresses": [{ "type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA",
            "postalCode": "91608", "country": "US", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA" }],
        "x509Certificates": [{ "value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM=" }],
    });
    let id =
        demo.strictly("POST", "/Users", Some(user("bjensen", sent.clone()))).await.ok(201)["id"].as_str().unwrap().to_owned();
    let found = demo.strictly("GET", &format!("/Users/{id}"), None).await.ok(200).clone();
    for (name, value) in sent.as_object().unwrap() {
        let mut found = found[name].clone();
        if let Some(values) = found.as_array_mut() {
            // A missing primary is false (RFC 7643 section 2.4); the backend says so.
            for value in values {
                let primary = value.as_object_mut().unwrap().remove("primary");
                assert!(matches!(primary, None | Some(Value::Bool(false))), "{name}");
            }
        }
        assert_eq!(found, *value, "{name}");
    }
}

#[tokio::test]
async fn user_03_active_is_a_state_of_the_backend() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({ "active": false }))).await;
    let record = || demo.record(&format!("/users/{id}"))["status"].clone();
    assert_eq!(record(), "SUSPENDED");
    for (value, expected) in
        [(json!(true), "ACTIVE"), (json!("False"), "SUSPENDED"), (json!("TRUE"), "ACTIVE"), (json!(false), "SUSPENDED")]
    {
        let change = patch(json!([{ "op": "Replace", "path": "active", "value": value }]));
        let answer = demo.send("PATCH", &format!("/Users/{id}"), Some(change)).await;
        assert_eq!(answer.ok(200)["active"], expected == "ACTIVE");
        assert_eq!(record(), expected);
    }
    // Who is suspended is still there.
    demo.get(&format!("/Users/{id}")).await.ok(200);
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn user_04_a_password_is_set_and_replaced_and_never_told() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.strictly("POST", "/Users", Some(user("ann", json!({ "password": "first-secret" })))).await;
    assert!(!answer.ok(201).to_string().contains("secret"));
    let id: u64 = answer.body["id"].as_str().unwrap().parse().unwrap();
    assert!(demo.directory.secret_is(id, "first-secret"));
    let change = patch(json!([{ "op": "replace", "path": "password", "value": "second-secret" }]));
    let answer = demo.strictly("PATCH", &format!("/Users/{id}"), Some(change)).await;
    assert!(!answer.ok(200).to_string().contains("secret"));
    assert!(demo.directory.secret_is(id, "second-secret"));
    // PUT without it keeps it.
    demo.strictly("PUT", &format!("/Users/{id}"), Some(user("ann", json!({ "title": "x" })))).await.ok(200);
    assert!(demo.directory.secret_is(id, "second-secret"));
    let put = user("ann", json!({ "password": "third-secret" }));
    assert!(!demo.strictly("PUT", &format!("/Users/{id}"), Some(put)).await.ok(200).to_string().contains("secret"));
    assert!(demo.directory.secret_is(id, "third-secret"));
}

#[tokio::test]
async fn user_05_an_address_is_stored_as_it_was_sent_and_found_in_any_case() {
    let demo = Demo::start(0, 0).await;
    let emails = json!([{ "value": "bjensen@EXAMPLE.COM", "type": "work" }]);
    let id = demo.create("/Users", user("bjensen", json!({ "emails": emails }))).await;
    assert_eq!(demo.get(&format!("/Users/{id}")).await.ok(200)["emails"][0]["value"], "bjensen@EXAMPLE.COM");
    assert_eq!(super::lists::found(&demo, "emails.value eq \"BJENSEN@example.com\"").await, ["bjensen"]);
}

#[tokio::test]
async fn ent_attributes_survive_a_put_only_if_they_are_sent() {
    let demo = Demo::start(0, 0).await;
    let extended = user("ann", json!({ ENTERPRISE: { "department": "Sales" } }));
    let id = demo.create("/Users", extended).await;
    let answer = demo.strictly("PUT", &format!("/Users/{id}"), Some(user("ann", json!({})))).await;
    assert!(answer.ok(200).get(ENTERPRISE).is_none());
}
