//! A backend whose names are its keys, which knows no state of a user and says in sentences what it refuses: what JupyterHub
//! and Redmine were seen to do.

use serde_json::{Value, json};

use crate::scripted::{BASE, Scripted, Step, call};

const MAPPING: &str = r#"
mapping: v1
backend:
  url: https://hub.example.com
  errors:
    - { status: 422, as: invalidValue, detail: "{{body.errors}}" }
resources:
  User:
    id: $.name
    attributes:
      userName: $.name
      title: $.title
    get: GET /users/{{key}}
    list: GET /users
    create: { call: "POST /users/{{userName}}", body: {} }
    update:
      - { carries: [title], call: "PUT /users/{{key}}/title", body: { title: "{{title}}" } }
      - { call: "PATCH /users/{{key}}" }
    delete: DELETE /users/{{key}}
  Group:
    id: $.name
    attributes: { displayName: $.name }
    get: GET /teams/{{key}}
    list: GET /teams
    create: { call: "POST /teams/{{displayName}}", body: {} }
    update: { call: "PATCH /teams/{{key}}" }
    members:
      list: { call: "GET /teams/{{key}}/people", key: $.name }
      add: { call: "POST /teams/{{key}}/people", body: { name: "{{member}}" } }
      remove: DELETE /teams/{{key}}/people/{{member}}
"#;

fn hub() -> Scripted {
    Scripted::new(MAPPING).lenient()
}

fn ann(title: Option<&str>) -> Value {
    json!({ "name": "ann", "title": title })
}

fn rename(to: &str) -> Value {
    json!([{ "op": "replace", "path": "userName", "value": to }])
}

fn get(name: &str, title: Option<&str>) -> Step {
    call(&format!("GET /users/{name}")).answer(json!({ "name": name, "title": title }))
}

#[tokio::test]
async fn a_new_name_is_a_new_id() {
    let seen = hub()
        .patch(
            "/Users/ann",
            rename("bea"),
            [
                get("ann", Some("Boss")),
                call("PATCH /users/ann").body(json!({ "name": "bea" })).answer(json!({ "name": "bea", "title": "Boss" })),
            ],
        )
        .await;
    assert_eq!((seen.status, &seen.body["id"], &seen.body["userName"]), (200, &json!("bea"), &json!("bea")));
    assert_eq!(seen.body["meta"]["location"], format!("{BASE}/Users/bea"));
}

#[tokio::test]
async fn an_answer_in_part_is_read_under_the_new_name() {
    let steps =
        [get("ann", Some("Boss")), call("PATCH /users/ann").body(json!({ "name": "bea" })).status(204), get("bea", Some("Boss"))];
    let seen = hub().patch("/Users/ann", rename("bea"), steps).await;
    assert_eq!((seen.status, &seen.body["id"], &seen.body["title"]), (200, &json!("bea"), &json!("Boss")));
}

#[tokio::test]
async fn the_name_may_be_written_in_the_way_of_the_backend() {
    let steps = [
        get("ann", Some("Boss")),
        call("PATCH /users/ann").body(json!({ "name": "BEA" })).answer(json!({ "name": "bea", "title": "Boss" })),
    ];
    let seen = hub().patch("/Users/ann", rename("BEA"), steps).await;
    assert_eq!((seen.status, &seen.body["id"]), (200, &json!("bea")));
}

/// JupyterHub was seen to lose a user whose name is sent as it is.
#[tokio::test]
async fn a_name_that_would_be_sent_as_it_is_is_not_sent() {
    let mapping = MAPPING.replace("userName: $.name", "userName: { at: $.name, as: lower }");
    for name in ["ann", "ANN"] {
        let hub = Scripted::new(&mapping).lenient();
        let seen = hub.patch("/Users/ann", rename(name), [get("ann", None)]).await;
        assert_eq!((seen.status, &seen.body["userName"]), (200, &json!("ann")), "{name}");
        let seen = hub.replace("/Users/ann", json!({ "userName": name }), [get("ann", None)]).await;
        assert_eq!((seen.status, &seen.body["userName"]), (200, &json!("ann")), "{name}");
    }
}

#[tokio::test]
async fn put_follows_the_new_name() {
    let sent = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bea", "title": "Head" });
    let steps = [
        get("ann", Some("Boss")),
        call("PUT /users/ann/title").body(json!({ "title": "Head" })).status(204),
        call("PATCH /users/ann").body(json!({ "name": "bea" })).status(204),
        get("bea", Some("Head")),
    ];
    let seen = hub().replace("/Users/ann", sent, steps).await;
    assert_eq!((seen.status, &seen.body["id"], &seen.body["title"]), (200, &json!("bea"), &json!("Head")));
}

/// What fails behind the change of the name is taken back under the new name, to the old one.
#[tokio::test]
async fn a_rename_is_taken_back_under_the_new_name() {
    let team = |name: &str| json!({ "name": name });
    let operations = json!([
        { "op": "replace", "path": "displayName", "value": "ops" },
        { "op": "add", "path": "members", "value": [{ "value": "ann" }] },
    ]);
    let steps = [
        call("GET /teams/dev").answer(team("dev")),
        call("PATCH /teams/dev").body(team("ops")).answer(team("ops")),
        call("POST /teams/ops/people").body(json!({ "name": "ann" })).status(500),
        call("GET /teams/ops").answer(team("ops")),
        call("PATCH /teams/ops").body(team("dev")).answer(team("dev")),
    ];
    let seen = hub().patch("/Groups/dev", operations, steps).await;
    assert_eq!(seen.status, 502);
    assert!(!seen.body["detail"].as_str().unwrap().contains("could not be taken back"), "{}", seen.body);
}

#[tokio::test]
async fn a_lock_out_that_the_application_cannot_do_is_refused() {
    let ways = [
        json!([{ "op": "replace", "path": "active", "value": false }]),
        json!([{ "op": "Replace", "path": "active", "value": "False" }]),
        json!([{ "op": "replace", "value": { "active": false } }]),
        json!([{ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false }]),
        json!([{ "op": "replace", "value": { "urn:ietf:params:scim:schemas:core:2.0:User:Active": "false" } }]),
        json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "replace", "path": "ACTIVE", "value": false }]),
    ];
    for operations in ways {
        let seen = hub().patch("/Users/ann", operations.clone(), []).await;
        assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")), "{operations}");
        assert!(seen.body["detail"].as_str().unwrap().contains("Delete the user instead"), "{}", seen.body);
    }
    let sent = json!({ "userName": "ann", "active": false });
    assert_eq!(hub().replace("/Users/ann", sent.clone(), []).await.status, 400);
    assert_eq!(hub().create("/Users", sent, []).await.status, 400);
}

#[tokio::test]
async fn whoever_shall_be_active_is_so_without_the_attribute() {
    let operations = json!([{ "op": "replace", "path": "active", "value": true }]);
    let seen = hub().patch("/Users/ann", operations, [get("ann", None)]).await;
    assert_eq!((seen.status, seen.body.get("active")), (200, None));
    let steps = [call("POST /users/ann").body(json!({})).answer(ann(None))];
    assert_eq!(hub().create("/Users", json!({ "userName": "ann", "active": true }), steps).await.status, 201);
}

#[tokio::test]
async fn sentences_of_a_refusal_come_together() {
    let answer = json!({ "errors": ["Login is invalid", "Email is invalid"] });
    let steps = [call("POST /users/ann").body(json!({})).status(422).answer(answer)];
    let seen = hub().create("/Users", json!({ "userName": "ann" }), steps).await;
    assert_eq!((seen.status, &seen.body["detail"]), (400, &json!("Login is invalid; Email is invalid")));
}
