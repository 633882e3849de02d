//! The Enterprise User extension (RFC 7643 section 4.3).

use serde_json::{Value, json};

use crate::demo::{BASE, Demo};
use crate::scim::{ENTERPRISE, USER, patch, user};

#[tokio::test]
async fn ent_01_its_attributes_come_back_as_they_were_sent() {
    let demo = Demo::start(0, 0).await;
    let sent = json!({ "employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios",
        "division": "Theme Park", "department": "Tour Operations" });
    let body = user("bjensen", json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: sent }));
    let answer = demo.strictly("POST", "/Users", Some(body)).await;
    assert_eq!(answer.ok(201)[ENTERPRISE], sent);
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(demo.get(&format!("/Users/{id}")).await.ok(200)[ENTERPRISE], sent);
}

#[tokio::test]
async fn ent_02_the_manager_is_a_user() {
    let demo = Demo::start(0, 0).await;
    let boss = demo.create("/Users", user("boss", json!({ "name": { "formatted": "The Boss" } }))).await;
    let sent = json!({ "manager": { "value": boss, "displayName": "Somebody else", "$ref": "../Users/1" } });
    let answer = demo.strictly("POST", "/Users", Some(user("ann", json!({ ENTERPRISE: sent })))).await;
    let expected = json!({ "value": boss, "$ref": format!("{BASE}/Users/{boss}"), "displayName": "The Boss" });
    assert_eq!(answer.ok(201)[ENTERPRISE]["manager"], expected);
    let ann = format!("/Users/{}", answer.body["id"].as_str().unwrap());
    for unknown in ["999999", "no-number"] {
        let change = patch(json!([{ "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": { "value": unknown } }]));
        demo.strictly("PATCH", &ann, Some(change)).await.refused(400, Some("invalidValue"));
    }
    let filter = format!("{ENTERPRISE}:manager.value eq \"{boss}\"");
    assert_eq!(super::lists::found(&demo, &filter).await, ["ann"]);
    // In the forms of Entra ID.
    for value in [json!(""), json!(boss), json!([{ "value": boss }]), json!({ "value": "" }), json!({ "value": boss })] {
        let change = patch(json!([{ "op": "Replace", "path": "manager", "value": value }]));
        let answer = demo.send("PATCH", &ann, Some(change)).await;
        let manager = answer.ok(200).get(ENTERPRISE).map_or(Value::Null, |extension| extension["manager"].clone());
        let cleared = value == json!("") || value["value"] == json!("");
        assert_eq!(manager, if cleared { Value::Null } else { expected.clone() }, "{value}");
    }
    demo.strictly("DELETE", &format!("/Users/{boss}"), None).await;
    assert!(demo.get(&ann).await.ok(200).get(ENTERPRISE).is_none());
}
