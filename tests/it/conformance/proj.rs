//! `attributes` and `excludedAttributes` (RFC 7644 sections 3.4.2.5 and 3.9).

use serde_json::{Value, json};

use crate::demo::Demo;
use crate::scim::{ENTERPRISE, USER, patch, user};

async fn with_ann() -> (Demo, String) {
    let demo = Demo::start(0, 0).await;
    let ann = json!({
        "name": { "givenName": "Ann", "familyName": "Archer" }, "title": "Guide", "password": "t1meMa$heen",
        "emails": [{ "value": "ann@example.com", "type": "work" }],
        ENTERPRISE: { "department": "Sales", "division": "South" },
    });
    let id = demo.create("/Users", user("ann", ann)).await;
    (demo, id)
}

/// The names of the members, in order of the alphabet.
fn names(resource: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = resource.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn proj_01_proj_02_on_every_operation_the_minimum_and_what_is_named() {
    let (demo, id) = with_ann().await;
    let path = format!("/Users/{id}");
    let query = "attributes=userName";
    let minimum = ["id", "schemas", "userName"];
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "Lead" }]));
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"] });
    assert_eq!(names(demo.strictly("GET", &format!("{path}?{query}"), None).await.ok(200)), minimum);
    assert_eq!(names(&demo.strictly("GET", &format!("/Users?{query}"), None).await.ok(200)["Resources"][0]), minimum);
    assert_eq!(names(&demo.strictly("POST", "/Users/.search", Some(search)).await.ok(200)["Resources"][0]), minimum);
    assert_eq!(names(demo.strictly("PATCH", &format!("{path}?{query}"), Some(change)).await.ok(200)), minimum);
    let put = demo.strictly("PUT", &format!("{path}?{query}"), Some(user("ann", json!({ "title": "Guide" })))).await;
    assert_eq!(names(put.ok(200)), minimum);
    let post = demo.strictly("POST", &format!("/Users?{query}"), Some(user("bob", json!({ "title": "Guide" })))).await;
    assert_eq!(names(post.ok(201)), minimum);
    assert!(post.header("location").is_some());
}

#[tokio::test]
async fn proj_03_excluded_attributes_go_but_not_those_that_are_always_returned() {
    let (demo, id) = with_ann().await;
    let answer = demo.strictly("GET", &format!("/Users/{id}?excludedAttributes=id,schemas,userName,title,name"), None).await;
    assert_eq!(names(answer.ok(200)), ["active", "emails", "id", "meta", "schemas", ENTERPRISE]);
}

#[tokio::test]
async fn proj_04_both_at_once_are_refused() {
    let (demo, id) = with_ann().await;
    for path in [format!("/Users/{id}"), "/Users".to_owned()] {
        let path = format!("{path}?attributes=title&excludedAttributes=name");
        demo.strictly("GET", &path, None).await.refused(400, Some("invalidValue"));
        // The documented precedence of the lenient profile.
        demo.get(&path).await.ok(200);
    }
    assert_eq!(
        names(demo.get(&format!("/Users/{id}?attributes=title&excludedAttributes=title")).await.ok(200)),
        ["id", "schemas", "title"]
    );
}

#[tokio::test]
async fn proj_05_proj_06_names_of_every_form() {
    let (demo, id) = with_ann().await;
    let get = async |names: &str| demo.strictly("GET", &format!("/Users/{id}?attributes={names}"), None).await.ok(200).clone();
    let schemas = json!([USER, ENTERPRISE]);
    for (name, expected) in [
        ("name.givenName", json!({ "name": { "givenName": "Ann" } })),
        ("NAME.GIVENNAME", json!({ "name": { "givenName": "Ann" } })),
        ("emails.value", json!({ "emails": [{ "value": "ann@example.com" }] })),
        (&format!("{USER}:title"), json!({ "title": "Guide" })),
        (&format!("{ENTERPRISE}:department"), json!({ ENTERPRISE: { "department": "Sales" } })),
        (ENTERPRISE, json!({ ENTERPRISE: { "department": "Sales", "division": "South" } })),
        ("nope", json!({})),
        ("nope,title", json!({ "title": "Guide" })),
    ] {
        let mut body = get(name).await;
        assert_eq!((body["id"].take(), body["schemas"].take()), (json!(id), schemas.clone()), "{name}");
        let body = body.as_object_mut().unwrap();
        body.retain(|_, value| !value.is_null());
        assert_eq!(Value::Object(body.clone()), expected, "{name}");
    }
}

#[tokio::test]
async fn proj_08_what_is_never_returned_stays_hidden() {
    let (demo, id) = with_ann().await;
    for query in ["attributes=password", "attributes=userName,password", "excludedAttributes=title", ""] {
        for path in [format!("/Users/{id}?{query}"), format!("/Users?{query}")] {
            let answer = demo.get(&path).await;
            let text = answer.ok(200).to_string();
            assert!(!text.contains("password") && !text.contains("t1meMa$heen"), "{text}");
        }
    }
}

#[tokio::test]
async fn proj_09_what_is_not_asked_for_is_not_fetched() {
    let (demo, id) = with_ann().await;
    demo.calls();
    demo.get(&format!("/Users/{id}?attributes=userName")).await.ok(200);
    demo.get(&format!("/Users/{id}?excludedAttributes=groups")).await.ok(200);
    assert_eq!(demo.calls(), [format!("GET /users/{id}"), format!("GET /users/{id}")]);
    demo.get(&format!("/Users/{id}?attributes=groups.value")).await.ok(200);
    assert_eq!(demo.calls(), [format!("GET /users/{id}"), format!("GET /users/{id}/teams?page=1&per_page=100")]);
}
