//! Bodies that hold a part of what the attribute map writes.

use serde_json::{Value, json};

use crate::scripted::{Scripted, call};

const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.job
      password: { write: $.secret.word, generate: 12 }
      name.givenName: $.first
      emails[type eq "work"].value: $.mail
    get: GET /people/{{key}}
    create: { call: POST /people, body: { login: "{{userName}}", pw: "{{fields.secret.word}}" }, key: $.id }
    update:
      - { carries: [emails], call: "POST /people/{{key}}/mail", body: { to: "{{fields.mail}}" }, then: read }
      - { carries: [password], call: "POST /people/{{key}}/pw", body: { pw: "{{password}}" }, then: read }
      - { call: "PATCH /people/{{key}}", then: read }
"#;

#[expect(clippy::needless_pass_by_value, reason = "as it is called with `json!`")]
fn ann(changes: Value) -> Value {
    let mut ann = json!({ "id": "7", "login": "ann", "job": null, "first": null, "mail": null });
    ann.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    ann
}

#[tokio::test]
async fn what_the_body_of_a_create_does_not_hold_is_written_afterwards() {
    let gateway = Scripted::new(MAPPING);
    let sent = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann", "title": "Guide", "password": "pw",
        "name": { "givenName": "Ann" }, "emails": [{ "type": "work", "value": "ann@x.test" }]
    });
    let steps = vec![
        call("POST /people").body(json!({ "login": "ann", "pw": "pw" })).answer(json!({ "id": "7" })),
        call("GET /people/7").answer(ann(json!({}))),
        call("POST /people/7/mail").body(json!({ "to": "ann@x.test" })),
        call("PATCH /people/7").body(json!({ "job": "Guide", "first": "Ann" })),
        call("GET /people/7").answer(ann(json!({ "job": "Guide", "first": "Ann", "mail": "ann@x.test" }))),
    ];
    let seen = gateway.create("/Users", sent, steps).await;
    assert_eq!((seen.status, &seen.body["title"]), (201, &json!("Guide")), "{}", seen.body);
    assert_eq!(seen.body["emails"], json!([{ "type": "work", "value": "ann@x.test" }]));
}
