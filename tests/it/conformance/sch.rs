//! The attribute `schemas` and extensions (RFC 7643 section 3).

use serde_json::{Value, json};

use crate::demo::{Demo, LENIENT, STRICT};
use crate::scim::{ENTERPRISE, GROUP, USER, group, patch, user};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The schemas, in order of the alphabet; none twice.
fn schemas(resource: &Value) -> Vec<&str> {
    let mut schemas: Vec<&str> = resource["schemas"].as_array().unwrap().iter().map(|uri| uri.as_str().unwrap()).collect();
    schemas.sort_unstable();
    assert!(schemas.windows(2).all(|pair| pair[0] != pair[1]), "{schemas:?}");
    schemas
}

#[tokio::test]
async fn sch_01_every_resource_and_message_has_schemas() {
    let demo = Demo::start(2, 1).await;
    for body in
        [json!({ "userName": "a" }), json!({ "schemas": [], "userName": "a" }), json!({ "schemas": null, "userName": "a" })]
    {
        assert_eq!(demo.strictly("POST", "/Users", Some(body.clone())).await.status, 400, "{body}");
    }
    assert!(demo.calls().is_empty());
    assert_eq!(schemas(demo.strictly("POST", "/Users", Some(user("a", json!({})))).await.ok(201)), [USER]);
    assert_eq!(schemas(demo.strictly("POST", "/Groups", Some(group("a", json!({})))).await.ok(201)), [GROUP]);
    for path in ["/Users", "/Groups", "/Schemas", "/ResourceTypes", "/"] {
        let answer = demo.get(path).await;
        assert_eq!(schemas(answer.ok(200)), [LIST], "{path}");
        for resource in answer.body["Resources"].as_array().unwrap() {
            assert!(!schemas(resource).is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn sch_02_foreign_schemas_are_refused_or_at_least_not_echoed() {
    let demo = Demo::start(0, 0).await;
    for foreign in ["urn:example:nothing", GROUP, LIST] {
        let body = user("a", json!({ "schemas": [USER, foreign] }));
        assert!(demo.strictly("POST", "/Users", Some(body)).await.refused(400, Some("invalidValue")).contains(foreign));
    }
    assert!(demo.calls().is_empty());
    let body = user("a", json!({ "schemas": [USER, "urn:example:nothing"], "urn:example:nothing": { "a": 1 } }));
    let answer = demo.send("POST", "/Users", Some(body)).await;
    assert_eq!(schemas(answer.ok(201)), [USER]);
    assert!(answer.body.get("urn:example:nothing").is_none());
}

#[tokio::test]
async fn sch_03_sch_04_duplicates_and_order() {
    let demo = Demo::start(0, 0).await;
    let extension = json!({ "department": "D" });
    let lists = [json!([ENTERPRISE, USER]), json!([USER, USER, ENTERPRISE]), json!([USER, USER.to_uppercase(), ENTERPRISE])];
    for (index, list) in lists.into_iter().enumerate() {
        let body = user(&format!("user{index}"), json!({ "schemas": list, ENTERPRISE: extension }));
        let answer = demo.strictly("POST", "/Users", Some(body)).await;
        assert_eq!(schemas(answer.ok(201)), [USER, ENTERPRISE], "{list}");
        assert_eq!(answer.body[ENTERPRISE], extension);
    }
}

#[tokio::test]
async fn sch_05_the_base_schema_must_be_there() {
    let demo = Demo::start(0, 0).await;
    let body = user("a", json!({ "schemas": [ENTERPRISE], ENTERPRISE: { "department": "D" } }));
    assert!(demo.strictly("POST", "/Users", Some(body)).await.refused(400, Some("invalidValue")).contains(USER));
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn sch_06_extension_attributes_stand_in_their_container() {
    let demo = Demo::start(0, 0).await;
    let qualified = format!("{ENTERPRISE}:department");
    for body in [user("a", json!({ "department": "D" })), user("a", json!({ qualified: "D" }))] {
        demo.strictly("POST", "/Users", Some(body)).await.refused(400, Some("invalidSyntax"));
    }
    assert!(demo.calls().is_empty());
    let answer = demo.strictly("POST", "/Users", Some(user("a", json!({ ENTERPRISE: { "department": "D" } })))).await;
    assert_eq!(answer.ok(201)[ENTERPRISE], json!({ "department": "D" }));
    assert!(answer.body.get("department").is_none());
}

#[tokio::test]
async fn sch_07_the_extension_is_listed_while_it_has_data() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("a", json!({}))).await;
    let path = format!("/Users/{id}");
    assert_eq!(schemas(demo.get(&path).await.ok(200)), [USER]);
    let department = format!("{ENTERPRISE}:department");
    let add = patch(json!({ "op": "add", "path": department, "value": "D" }));
    assert_eq!(schemas(demo.strictly("PATCH", &path, Some(add)).await.ok(200)), [USER, ENTERPRISE]);
    assert_eq!(schemas(demo.get(&path).await.ok(200)), [USER, ENTERPRISE]);
    let remove = patch(json!({ "op": "remove", "path": department }));
    assert_eq!(schemas(demo.strictly("PATCH", &path, Some(remove)).await.ok(200)), [USER]);
    assert!(demo.get(&path).await.ok(200).get(ENTERPRISE).is_none());
}

#[tokio::test]
async fn sch_08_urns_in_any_case() {
    let demo = Demo::start(0, 0).await;
    for (name, token) in [("a", LENIENT), ("b", STRICT)] {
        let body =
            json!({ "schemas": [USER.to_uppercase()], "userName": name, ENTERPRISE.to_uppercase(): { "department": "D" } });
        let answer = demo.send_as(token, "POST", "/Users", &[], Some(body)).await;
        assert_eq!(schemas(answer.ok(201)), [USER, ENTERPRISE]);
        assert_eq!(answer.body[ENTERPRISE]["department"], "D");
    }
}

#[tokio::test]
async fn sch_09_the_endpoint_makes_the_resource_type() {
    let demo = Demo::start(0, 0).await;
    let body = user("a", json!({ "meta": { "resourceType": "Group" } }));
    assert_eq!(demo.strictly("POST", "/Users", Some(body)).await.ok(201)["meta"]["resourceType"], "User");
}
