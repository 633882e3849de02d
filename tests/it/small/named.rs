//! Groups that the application knows by their names alone.

use scimitar::engine::{Names, ScimRequest};
use serde_json::{Value, json};

use super::{add, remove};
use crate::scripted::{Scripted, Seen, Step, call};

const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test", errors: [{ when: "$[?$.error == 'IN']", as: done }] }
resources:
  User:
    id: $.login
    attributes: { userName: { read: $.login } }
    get: GET /people/{{key}}
    list: GET /people
  Group:
    id: $.name
    attributes: { displayName: { at: $.name, mutability: immutable } }
    get: GET /teams/{{key}}
    list: GET /teams
    create: { call: "PUT /teams/{{displayName}}" }
    delete: { call: DELETE /teams, body: { name: "{{key}}" } }
    members:
      list: { call: "GET /teams/{{key}}/people", items: "$.people[*]", key: $ }
      add: { call: "POST /people/{{member}}/teams", body: { join: "{{key}}" } }
      remove: { call: "DELETE /people/{{member}}/teams", body: { leave: "{{key}}" } }
"#;

const NAME: &str = "Früh & spät/1";
const PATH: &str = "Fr%C3%BCh%20%26%20sp%C3%A4t%2F1";

fn team() -> Value {
    json!({ "name": NAME })
}

#[tokio::test]
async fn a_name_is_the_key_everywhere_and_a_delete_may_have_a_body() {
    let gateway = Scripted::new(MAPPING);
    let people = |logins: &[&str]| call(&format!("GET /teams/{PATH}/people")).answer(json!({ "people": logins }));
    let get = || call(&format!("GET /teams/{PATH}")).answer(team());

    let sent = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": NAME });
    let steps = vec![call(&format!("PUT /teams/{PATH}")).body(team()).answer(team()), people(&[])];
    let seen = gateway.create("/Groups", sent, steps).await;
    assert_eq!((seen.status, &seen.body["id"]), (201, &json!(NAME)), "{}", seen.body);
    // The id is escaped in the location (RFC 3986 section 3.3).
    assert!(seen.location.unwrap().ends_with(&format!("/Groups/{PATH}")));

    let joins = |login: &str| call(&format!("POST /people/{login}/teams")).body(json!({ "join": NAME }));
    let steps = vec![joins("ann"), joins("bob").answer(json!({ "error": "IN" })), get(), people(&["ann", "bob"])];
    let seen = patch(&gateway, add(&["ann", "bob"]), steps).await;
    assert_eq!((seen.status, &seen.body["members"][1]["value"]), (200, &json!("bob")));

    let leaves = call("DELETE /people/ann/teams").body(json!({ "leave": NAME }));
    let seen = patch(&gateway, remove("ann"), vec![leaves, get(), people(&["bob"])]).await;
    assert_eq!((seen.status, &seen.body["members"][0]["value"]), (200, &json!("bob")));

    let steps = vec![call("DELETE /teams").body(json!({ "name": NAME })).status(204)];
    let delete = ScimRequest::Delete { endpoint: "/Groups".to_owned(), id: NAME.to_owned() };
    assert_eq!(gateway.ask(delete, steps).await.status, 204);
}

/// A PATCH of the group, whose name holds a slash.
async fn patch(gateway: &Scripted, operations: Value, steps: Vec<Step>) -> Seen {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    let names = Names::default();
    gateway.ask(ScimRequest::Patch { endpoint: "/Groups".to_owned(), id: NAME.to_owned(), body, names }, steps).await
}
