//! Changes that must not destroy what they are not about, and answers that must not be taken for what they are not.

use serde_json::{Value, json};

use crate::scripted::{Scripted, call};

const MAPPING: &str = r#"
mapping: v1
name: people
backend:
  url: https://people.test/api
  errors:
    - { when: "$.error[?@ == 'NOT_THERE']", as: done }
    - { when: "$.error[?@ == 'NOBODY']", as: unknownMember }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.job
      active: { at: $.status, values: { true: A, false: D } }
      password: { write: $.secret }
    get: GET /users/{{key}}
    list:
      call: GET /users
      items: $.rows[*]
      pages: { by: number, page: page, size: size, max: 2, total: $.total }
      filters:
        userName eq: { call: "GET /users/by-login/{{value}}", item: $.user, match: exact }
    create: { call: POST /users, then: read, undo: delete }
    update: { call: "PUT /users/{{key}}", send: full }
    delete: DELETE /users/{{key}}
  Group:
    id: $.id
    attributes: { displayName: $.name }
    get: GET /groups/{{key}}
    list: { call: GET /groups, items: "$.rows[*]" }
    create: POST /groups
    update: "PATCH /groups/{{key}}"
    delete: DELETE /groups/{{key}}
    members:
      list: { call: "GET /groups/{{key}}/members", items: "$.rows[*]", key: $.user }
      add: { call: "POST /groups/{{key}}/members", body: { users: "{{members}}" }, batch: 10 }
      remove: { call: "POST /groups/{{key}}/gone", body: { users: "{{members}}" }, batch: 10 }
"#;

fn gateway() -> Scripted {
    Scripted::new(MAPPING)
}

fn remove(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })).collect()
}

fn add(ids: &[&str]) -> Value {
    json!([{ "op": "add", "path": "members", "value": ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>() }])
}

#[tokio::test]
async fn a_full_body_clears_neither_a_password_nor_a_value_that_the_mapping_does_not_know() {
    let record = |job: &str| json!({ "id": "7", "login": "ann", "job": job, "status": "LOCKED", "shoe": 42 });
    let steps = [
        call("GET /users/7").answer(record("Guide")),
        call("PUT /users/7").body(json!({ "login": "ann", "job": "Boss", "status": "LOCKED" })).answer(record("Boss")),
    ];
    let seen = gateway().patch("/Users/7", json!([{ "op": "replace", "path": "title", "value": "Boss" }]), steps).await;
    assert_eq!((seen.status, &seen.body["title"]), (200, &json!("Boss")));
}

#[tokio::test]
async fn one_member_who_is_gone_already_does_not_keep_the_others_in() {
    let steps = [
        call("POST /groups/1/gone")
            .body(json!({ "users": ["a", "b"] }))
            .status(409)
            .answer(json!({ "error": { "code": "NOT_THERE" } })),
        call("POST /groups/1/gone")
            .body(json!({ "users": ["a"] }))
            .status(409)
            .answer(json!({ "error": { "code": "NOT_THERE" } })),
        call("POST /groups/1/gone").body(json!({ "users": ["b"] })).status(204),
        call("GET /groups/1").answer(json!({ "id": "1", "name": "Night shift" })),
        call("GET /groups/1/members").answer(json!({ "rows": [] })),
    ];
    let seen = gateway().patch("/Groups/1", remove(&["a", "b"]), steps).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test]
async fn a_404_about_a_member_is_not_one_about_the_group() {
    let steps = [
        call("POST /groups/1/members").body(json!({ "users": ["a", "b"] })).status(404),
        call("POST /groups/1/members").body(json!({ "users": ["a"] })).status(204),
        call("POST /groups/1/members").body(json!({ "users": ["b"] })).status(404),
        call("GET /groups/1").answer(json!({ "id": "1", "name": "Night shift" })),
        call("GET /groups/1").answer(json!({ "id": "1", "name": "Night shift" })),
        call("GET /groups/1/members").answer(json!({ "rows": [{ "user": "a" }] })),
    ];
    let seen = gateway().patch("/Groups/1", add(&["a", "b"]), steps).await;
    assert_eq!((seen.status, &seen.body["members"][0]["value"]), (200, &json!("a")));
    // Here it is about the group.
    let steps = [call("POST /groups/2/gone").body(json!({ "users": ["a"] })).status(404), call("GET /groups/2").status(404)];
    assert_eq!(gateway().patch("/Groups/2", remove(&["a"]), steps).await.status, 404);
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_nobody() {
    let expired = json!({ "message": "session expired" });
    let seen = gateway().list("/Users", "userName eq \"ann\"", [call("GET /users/by-login/ann").answer(expired.clone())]).await;
    assert_eq!(seen.status, 502);
    let seen = gateway().list("/Groups", "", [call("GET /groups").answer(expired)]).await;
    assert_eq!(seen.status, 502);
    // These do say that there is nobody.
    let seen =
        gateway().list("/Users", "userName eq \"ann\"", [call("GET /users/by-login/ann").answer(json!({ "user": null }))]).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(0)));
    let seen = gateway().list("/Groups", "", [call("GET /groups").answer(json!({ "rows": [] }))]).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(0)));
}

#[tokio::test]
async fn the_same_page_again_is_not_the_end_of_the_list() {
    let page = json!({ "rows": [{ "id": "1", "login": "a" }, { "id": "2", "login": "b" }], "total": 3 });
    let steps = ["GET /users?page=1&size=2", "GET /users?page=2&size=2"].map(|line| call(line).answer(page.clone()));
    let seen = gateway().list("/Users", "title pr", steps).await;
    assert_eq!(seen.status, 502, "{}", seen.body);
}

#[tokio::test]
async fn a_created_record_that_cannot_be_read_is_taken_back() {
    let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann" });
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).status(201).answer(json!({ "id": "7" })),
        call("GET /users/7").status(500),
        call("DELETE /users/7").status(204),
    ];
    assert_eq!(gateway().create("/Users", user, steps).await.status, 502);
}

#[tokio::test]
async fn what_the_backend_refuses_about_an_id_is_the_clients_to_mend() {
    let seen = gateway().read("/Users/x", &[], [call("GET /users/x").status(422)]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
}
