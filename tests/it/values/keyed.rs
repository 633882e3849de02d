//! Arrays whose elements have keys, such as the custom fields of Redmine: `[{"id": 1, "name": "Badge", "value": "x"}]`.

use scimitar::scim::messages::SearchRequest;
use serde_json::{Value, json};

use super::USER;
use crate::scripted::{Scripted, Step, call};
use crate::support::with_members;

const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://redmine.test" }
resources:
  User:
    id: { at: $.id, as: integer }
    attributes:
      userName: $.login
      title: "$.custom_fields[?@.id == 1].value"
      nickName: { at: "$.custom_fields[?@.id == 2].value", clear: empty }
      locale: { at: "$.custom_fields[?@.id == 3].value", clear: omit }
      userType: { at: "$.custom_fields[?@.id == 4].value", initial: staff }
    get: { call: "GET /users/{{key}}.json", item: $.user }
    list: { call: GET /users.json, items: "$.users[*]" }
    create: { call: POST /users.json, body: { user: "{{fields}}" }, item: $.user }
    update: { call: "PUT /users/{{key}}.json", body: { user: "{{fields}}" }, then: read }
    delete: DELETE /users/{{key}}.json
"#;

fn redmine() -> Scripted {
    Scripted::new(MAPPING)
}

fn user(fields: &Value) -> Value {
    json!({ "user": { "id": 5, "login": "ann", "custom_fields": fields } })
}

fn read(fields: &Value) -> Step {
    call("GET /users/5.json").answer(user(fields))
}

/// A call that writes just the array.
fn put(fields: &Value) -> Step {
    call("PUT /users/5.json").body(json!({ "user": { "custom_fields": fields } })).status(204)
}

fn badge(value: &str) -> Value {
    json!({ "id": 1, "name": "Badge", "value": value })
}

/// A field that the mapping does not know.
fn other() -> Value {
    json!({ "id": 9, "name": "Secret", "value": "s" })
}

#[tokio::test]
async fn a_creation_holds_the_elements_that_have_values() {
    let body = json!({ "schemas": [USER], "userName": "ann", "title": "B7", "locale": "cs" });
    let fields = json!([{ "id": 1, "value": "B7" }, { "id": 3, "value": "cs" }, { "id": 4, "value": "staff" }]);
    let written = json!({ "user": { "login": "ann", "custom_fields": fields } });
    let seen = redmine().create("/Users", body, [call("POST /users.json").body(written).status(201).answer(user(&fields))]).await;
    assert_eq!((seen.status, &seen.body["title"], &seen.body["userType"]), (201, &json!("B7"), &json!("staff")));
}

#[tokio::test]
async fn a_change_sends_the_array_with_the_one_element_changed() {
    let replace = |path: &str, value: &str| json!([{ "op": "replace", "path": path, "value": value }]);
    // The record must be read, as the other elements are sent along.
    let steps = [read(&json!([other(), badge("B7")])), put(&json!([other(), badge("B8")])), read(&json!([other(), badge("B8")]))];
    assert_eq!(redmine().patch("/Users/5", replace("title", "B8"), steps).await.body["title"], "B8");
    // What has no element yet gets one.
    let new = json!({ "id": 2, "value": "Annie" });
    let after = json!([other(), new]);
    let steps = [read(&json!([other()])), put(&after), read(&after)];
    assert_eq!(redmine().patch("/Users/5", replace("nickName", "Annie"), steps).await.body["nickName"], "Annie");
    // Several lines write one array.
    let both = json!([{ "op": "replace", "value": { "title": "B9", "nickName": "Annie" } }]);
    let after = json!([badge("B9"), other(), new]);
    let steps = [read(&json!([badge("B7"), other()])), put(&after), read(&after)];
    assert_eq!(redmine().patch("/Users/5", both, steps).await.status, 200);
    // No difference, no call.
    let steps = [read(&json!([badge("B7")]))];
    assert_eq!(redmine().patch("/Users/5", replace("title", "B7"), steps).await.status, 200);
}

#[tokio::test]
async fn clearing_follows_the_line() {
    let remove = |path: &str| json!([{ "op": "remove", "path": path }]);
    let field = |id: u8, value: Value| json!({ "id": id, "value": value });
    let there = json!([field(1, json!("a")), field(2, json!("b")), field(3, json!("c")), other()]);
    let cases = [
        ("title", json!([field(1, Value::Null), field(2, json!("b")), field(3, json!("c")), other()])),
        ("nickName", json!([field(1, json!("a")), field(2, json!("")), field(3, json!("c")), other()])),
        ("locale", json!([field(1, json!("a")), field(2, json!("b")), other()])),
    ];
    for (path, after) in cases {
        let seen = redmine().patch("/Users/5", remove(path), [read(&there), put(&after), read(&after)]).await;
        assert_eq!((seen.status, seen.body.get(path)), (200, None), "{path}");
    }
}

#[tokio::test]
async fn a_full_body_keeps_the_elements_of_others() {
    let full = Scripted::new(&MAPPING.replace("then: read }", "then: read, send: full }"));
    let put = |fields: &Value, login: &str| {
        call("PUT /users/5.json").body(json!({ "user": { "login": login, "custom_fields": fields } })).status(204)
    };
    // Even where no element that the mapping knows is there, the array is not lost.
    let there = json!([other()]);
    let rename = json!([{ "op": "replace", "path": "userName", "value": "bea" }]);
    let after = json!({ "user": { "id": 5, "login": "bea", "custom_fields": there } });
    let steps = [read(&there), put(&there, "bea"), call("GET /users/5.json").answer(after)];
    assert_eq!(full.patch("/Users/5", rename, steps).await.body["userName"], "bea");
}

/// The array of the later call holds what the earlier one changed.
#[tokio::test]
async fn two_calls_that_write_one_array() {
    let text = MAPPING.replace(
        "update: {",
        "update:\n      - { carries: [title], call: \"PUT /users/{{key}}/badge\", body: \"{{fields}}\" }\n      - {",
    );
    let both = json!([{ "op": "replace", "value": { "title": "B8", "nickName": "Annie" } }]);
    let after = json!([badge("B8"), { "id": 2, "value": "Annie" }]);
    let steps = [
        read(&json!([badge("B7")])),
        call("PUT /users/5/badge").body(json!({ "custom_fields": [badge("B8")] })).status(204),
        read(&json!([badge("B8")])),
        put(&after),
        read(&after),
    ];
    assert_eq!(Scripted::new(&text).patch("/Users/5", both, steps).await.body["title"], "B8");
}

#[tokio::test]
async fn what_fails_is_taken_back() {
    let text = MAPPING.replace(
        "update: {",
        "update:\n      - { carries: [title, nickName], call: \"PUT /users/{{key}}/fields\", body: \"{{fields}}\" }\n      - {",
    );
    let all = json!([{ "op": "replace", "value": { "title": "B8", "nickName": "Annie", "userName": "bea" } }]);
    let fields = |fields: &Value| call("PUT /users/5/fields").body(json!({ "custom_fields": fields })).status(204);
    let before = json!([badge("B7"), other()]);
    let changed = json!([badge("B8"), other(), { "id": 2, "value": "Annie" }]);
    // What was not there before is empty again, as its line says.
    let back = json!([badge("B7"), other(), { "id": 2, "value": "" }]);
    let steps = [
        read(&before),
        fields(&changed),
        call("PUT /users/5.json").body(json!({ "user": { "login": "bea" } })).status(422),
        read(&changed),
        fields(&back),
        read(&back),
    ];
    assert_eq!(Scripted::new(&text).patch("/Users/5", all, steps).await.status, 400);
}

#[tokio::test]
async fn columns_may_be_elements_too() {
    let text = r#"
mapping: v1
backend: { url: "https://people.test/api" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      emails[type eq "work"].value: "$.contacts[?@.kind == 'mail'].address"
      phoneNumbers[type eq "work"].value: "$.contacts[?@.kind == 'phone'].address"
    get: GET /users/{{key}}
    list: GET /users
    create: POST /users
    update: { call: "PATCH /users/{{key}}", send: each, body: { "{{field}}": "{{value}}" } }
"#;
    let body = json!({ "schemas": [USER], "userName": "ann", "emails": [{ "type": "work", "value": "a@x.test" }] });
    let contacts = json!([{ "kind": "mail", "address": "a@x.test" }]);
    let answer = json!({ "id": "1", "login": "ann", "contacts": contacts });
    let people = Scripted::new(text);
    let written = json!({ "login": "ann", "contacts": contacts });
    let seen = people.create("/Users", body, [call("POST /users").body(written).answer(answer.clone())]).await;
    assert_eq!(seen.body["emails"], json!([{ "type": "work", "value": "a@x.test" }]));
    // A call for a field names the element.
    let patch = json!([{ "op": "add", "path": "phoneNumbers", "value": [{ "type": "work", "value": "7" }] }]);
    let after = with_members(
        answer.clone(),
        &json!({ "contacts": [{ "kind": "mail", "address": "a@x.test" }, { "kind": "phone", "address": "7" }] }),
    );
    let steps = [
        call("GET /users/1").answer(answer),
        call("PATCH /users/1").body(json!({ "contacts.phone.address": "7" })).answer(after),
    ];
    assert_eq!(people.patch("/Users/1", patch, steps).await.body["phoneNumbers"][0]["value"], "7");
}

#[tokio::test]
async fn they_are_filtered_by() {
    let rows = json!({ "users": [
        { "id": 5, "login": "ann", "custom_fields": [badge("B7")] },
        { "id": 6, "login": "bob", "custom_fields": [{ "id": 2, "value": "B7" }] },
    ] });
    let search = SearchRequest { filter: Some("title eq \"b7\"".to_owned()), ..SearchRequest::default() };
    let seen = redmine().search("/Users", search, [call("GET /users.json").answer(rows)]).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("5")));
}
