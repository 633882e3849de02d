//! How resources come, change and go where a backend wants more than one plain call.
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use serde_json::{Value, json};

use crate::scripted::{Scripted, call};
use crate::support::{indented, posts, statuses, with_members};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A mapping with users, whose calls are given.
fn people(calls: &str) -> Scripted {
    people_with("", "", calls)
}

fn people_with(backend: &str, lines: &str, calls: &str) -> Scripted {
    let lines = indented(lines, 6);
    let calls = indented(calls, 4);
    Scripted::new(&format!(
        r#"
mapping: v1
backend:
  url: https://people.test/api
  {backend}
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.job
      active: {{ at: $.on, default: true }}
{lines}
    get: GET /users/{{{{key}}}}
    list: {{ call: GET /users, filters: {{ userName eq: {{ query: {{ login: "{{{{value}}}}" }}, match: exact }} }} }}
{calls}
"#
    ))
}

fn ann(changes: Value) -> Value {
    with_members(json!({ "schemas": [USER], "userName": "ann" }), &changes)
}

fn record(changes: Value) -> Value {
    with_members(json!({ "id": "7", "login": "ann" }), &changes)
}

fn replace(path: &str, value: Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

const STEPS: &str = r#"create:
  before:
    - { call: POST /accounts, body: { name: "{{userName}}" }, keep: { account: $.no }, undo: "DELETE /accounts/{{account}}" }
    - { if: title pr, call: "PUT /jobs/{{title}}", undo: "DELETE /jobs/{{title}}" }
  call: POST /users
  with: { account: "{{account}}" }
  after: { call: POST /mail, body: { to: "{{key}}", account: "{{account}}" } }
  undo: delete
update: PATCH /users/{{key}}
delete: DELETE /users/{{key}}"#;

#[tokio::test]
async fn steps_pass_values_on_and_have_conditions() {
    let steps = |title: Option<&str>| {
        let mut steps = vec![call("POST /accounts").body(json!({ "name": "ann" })).answer(json!({ "no": 31 }))];
        steps.extend(title.map(|title| call(&format!("PUT /jobs/{title}"))));
        let mut body = json!({ "login": "ann", "account": 31 });
        if let Some(title) = title {
            body["job"] = json!(title);
        }
        steps.push(call("POST /users").body(body).answer(record(json!({}))));
        steps.push(call("POST /mail").body(json!({ "to": "7", "account": 31 })));
        // What comes after may have changed the record.
        steps.push(call("GET /users/7").answer(record(json!({ "job": title, "mailbox": 4 }))));
        steps
    };
    let seen = people(STEPS).create("/Users", ann(json!({})), steps(None)).await;
    assert_eq!((seen.status, seen.location.as_deref()), (201, Some("http://scim.test/scim/v2/Users/7")));
    let seen = people(STEPS).create("/Users", ann(json!({ "title": "Guide" })), steps(Some("Guide"))).await;
    assert_eq!((seen.status, &seen.body["title"]), (201, &json!("Guide")));
}

#[tokio::test]
async fn what_was_done_before_a_failure_is_taken_back_in_reverse() {
    let account = || call("POST /accounts").body(json!({ "name": "ann" })).answer(json!({ "no": 31 }));
    let body = json!({ "login": "ann", "job": "Guide", "account": 31 });
    // The create call itself is refused.
    let steps = [
        account(),
        call("PUT /jobs/Guide"),
        call("POST /users").body(body.clone()).status(409),
        call("DELETE /jobs/Guide"),
        call("DELETE /accounts/31"),
    ];
    let seen = people(STEPS).create("/Users", ann(json!({ "title": "Guide" })), steps).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (409, &json!("uniqueness")));
    assert!(!seen.body["detail"].as_str().unwrap().contains("taken back"));
    // A later call fails: the user goes, too.
    let steps = [
        account(),
        call("PUT /jobs/Guide"),
        call("POST /users").body(body.clone()).answer(record(json!({}))),
        call("POST /mail").body(json!({ "to": "7", "account": 31 })).status(422),
        call("DELETE /users/7"),
        call("DELETE /jobs/Guide"),
        call("DELETE /accounts/31"),
    ];
    assert_eq!(people(STEPS).create("/Users", ann(json!({ "title": "Guide" })), steps).await.status, 400);
    // What may have been done counts as done; what cannot be taken back is named.
    let steps =
        [account(), call("PUT /jobs/Guide").status(500), call("DELETE /jobs/Guide"), call("DELETE /accounts/31").status(500)];
    let seen = people(STEPS).create("/Users", ann(json!({ "title": "Guide" })), steps).await;
    assert_eq!(seen.status, 502);
    let detail = seen.body["detail"].as_str().unwrap();
    assert!(detail.contains("could not be taken back: User.create.before"), "{detail}");
}

const CONFLICT: &str = r"create: { call: POST /users, conflict: { match: userName, adopt: active eq false } }
update: PATCH /users/{{key}}";

#[tokio::test]
async fn a_leaver_who_comes_back_is_taken_over_and_nobody_else() {
    let taken = || call("POST /users").body(json!({ "login": "ann", "job": "Guide" })).status(409);
    let look = |records: Value| call("GET /users?login=ann").answer(records);
    let left = record(json!({ "on": false, "job": "Cook" }));
    let steps = [
        taken(),
        look(json!([left])),
        call("GET /users/7").answer(left.clone()),
        call("PATCH /users/7").body(json!({ "job": "Guide", "on": true })).answer(record(json!({ "on": true, "job": "Guide" }))),
    ];
    let seen = people(CONFLICT).create("/Users", ann(json!({ "title": "Guide" })), steps).await;
    assert_eq!((seen.status, &seen.body["id"], &seen.body["active"]), (201, &json!("7"), &json!(true)));
    // Somebody who is there stays as they are.
    let steps =
        [taken(), look(json!([record(json!({ "on": true }))])), call("GET /users/7").answer(record(json!({ "on": true })))];
    let seen = people(CONFLICT).create("/Users", ann(json!({ "title": "Guide" })), steps).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (409, &json!("uniqueness")));
    // So does somebody who cannot be found.
    let seen = people(CONFLICT).create("/Users", ann(json!({ "title": "Guide" })), [taken(), look(json!([]))]).await;
    assert_eq!(seen.status, 409);
}

#[tokio::test]
async fn a_backend_that_writes_over_what_is_there_is_asked_first() {
    let upsert =
        "create: { call: \"PUT /users/{{userName}}\", conflict: { match: userName, look: first } }\nupdate: PATCH /users/{{key}}";
    let look = |records: Value| call("GET /users?login=ann").answer(records);
    let steps = [look(json!([])), call("PUT /users/ann").body(json!({ "login": "ann" })).answer(record(json!({})))];
    assert_eq!(people(upsert).create("/Users", ann(json!({})), steps).await.status, 201);
    let seen = people(upsert).create("/Users", ann(json!({})), [look(json!([record(json!({}))]))]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (409, &json!("uniqueness")));
}

#[tokio::test]
async fn a_create_whose_answer_is_a_key_is_read_back() {
    let calls = "create: { call: POST /users, key: $.new.no, body: { person: \"{{fields}}\" } }\nupdate: PATCH /users/{{key}}";
    let made = call("POST /users").body(json!({ "person": { "login": "ann" } }));
    let steps = [made.clone().answer(json!({ "new": { "no": "7" } })), call("GET /users/7").answer(record(json!({})))];
    let seen = people(calls).create("/Users", ann(json!({})), steps).await;
    assert_eq!((seen.status, &seen.body["id"]), (201, &json!("7")));
    let seen = people(calls).create("/Users", ann(json!({})), [made.answer(json!({ "new": {} }))]).await;
    assert_eq!(seen.status, 502);
}

#[tokio::test]
async fn a_backend_that_lags_behind_is_waited_for() {
    let calls = "create: { call: POST /users, then: read }\nupdate: { call: \"PATCH /users/{{key}}\", then: read }";
    let patient = || people_with("lag: 5s", "", calls);
    let read = |answer: Value| call("GET /users/7").answer(answer);
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).answer(json!({ "id": "7" })),
        call("GET /users/7").status(404),
        call("GET /users/7").status(404),
        read(record(json!({}))),
    ];
    assert_eq!(patient().create("/Users", ann(json!({})), steps).await.status, 201);
    let steps = [
        call("PATCH /users/7").body(json!({ "job": "Guide" })),
        read(record(json!({ "job": "Cook" }))),
        read(record(json!({ "job": "Guide" }))),
    ];
    let seen = patient().patch("/Users/7", replace("title", json!("Guide")), steps).await;
    assert_eq!((seen.status, &seen.body["title"]), (200, &json!("Guide")));
    // Without lag what is read is told, whatever was asked for.
    let steps = [call("PATCH /users/7").body(json!({ "job": "Guide" })), read(record(json!({ "job": "GUIDE" })))];
    let seen = people(calls).patch("/Users/7", replace("title", json!("Guide")), steps).await;
    assert_eq!((seen.status, &seen.body["title"]), (200, &json!("GUIDE")));
}

#[tokio::test]
async fn what_the_client_leaves_out_gets_its_first_value() {
    let calls = "create: POST /users\nupdate: PATCH /users/{{key}}";
    let lines = "userType: { at: $.kind, initial: Employee }\npassword: { write: $.secret }";
    let steps =
        [call("POST /users").body(json!({ "login": "ann", "kind": "Employee" })).answer(record(json!({ "kind": "Employee" })))];
    let seen = people_with("", lines, calls).create("/Users", ann(json!({})), steps).await;
    assert_eq!((seen.status, &seen.body["userType"]), (201, &json!("Employee")));
    let steps = [call("POST /users").body(json!({ "login": "ann", "kind": "Guest" })).answer(record(json!({ "kind": "Guest" })))];
    let seen = people_with("", lines, calls).create("/Users", ann(json!({ "userType": "Guest" })), steps).await;
    assert_eq!(seen.body["userType"], "Guest");
}

#[tokio::test]
async fn what_is_gone_does_not_exist() {
    let calls = "gone: \"$[?@.state == 'retired']\"\nupdate: PATCH /users/{{key}}\ndelete: DELETE /users/{{key}}";
    let gone = || call("GET /users/7").answer(record(json!({ "state": "retired" })));
    assert_eq!(people(calls).read("/Users/7", &[], [gone()]).await.status, 404);
    assert_eq!(people(calls).patch("/Users/7", replace("title", json!("x")), [gone()]).await.status, 404);
    assert_eq!(people(calls).delete("/Users/7", [gone()]).await.status, 404);
    let rows = json!([record(json!({ "state": "retired" })), { "id": "8", "login": "bob", "state": "here" }]);
    let seen = people(calls).list("/Users", "", [call("GET /users").answer(rows)]).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("8")));
    let found = call("GET /users?login=ann").answer(json!([record(json!({ "state": "retired" }))]));
    let seen = people(calls).list("/Users", "userName eq \"ann\"", [found]).await;
    assert_eq!(seen.body["totalResults"], 0);
}

#[tokio::test]
async fn a_deletion_of_several_calls_is_taken_back_as_a_whole() {
    let calls = r#"update: PATCH /users/{{key}}
delete:
  - { call: "POST /users/{{key}}/disable", undo: "POST /users/{{key}}/enable" }
  - { call: POST /retire, body: { who: "{{key}}" } }"#;
    let disable = || call("POST /users/7/disable");
    let retire = || call("POST /retire").body(json!({ "who": "7" }));
    assert_eq!(people(calls).delete("/Users/7", [disable(), retire().status(204)]).await.status, 204);
    let steps = [disable(), retire().status(403).answer(json!({})), call("POST /users/7/enable")];
    let seen = people_with("errors: [{ status: 403, as: forbidden }]", "", calls).delete("/Users/7", steps).await;
    assert_eq!(seen.status, 403);
}

#[tokio::test]
async fn a_deletion_may_be_a_change() {
    let calls = "update: PATCH /users/{{key}}\ndelete: { set: active eq false }";
    let steps = [
        call("GET /users/7").answer(record(json!({ "on": true }))),
        call("PATCH /users/7").body(json!({ "on": false })).answer(record(json!({ "on": false }))),
    ];
    assert_eq!(people(calls).delete("/Users/7", steps).await.status, 204);
    // It is so already: no call.
    let steps = [call("GET /users/7").answer(record(json!({ "on": false })))];
    assert_eq!(people(calls).delete("/Users/7", steps).await.status, 204);
}

#[tokio::test]
async fn one_call_for_each_field() {
    let calls = "update: { send: each, call: \"PUT /users/{{key}}/fields\", body: { name: \"{{field}}\", to: \"{{value}}\" } }";
    let field = |name: &str, to: Value| call("PUT /users/7/fields").body(json!({ "name": name, "to": to }));
    let steps = [
        call("GET /users/7").answer(record(json!({ "job": "Cook" }))),
        field("job", json!("Guide")),
        // What is there between the two is of no use.
        field("on", json!(false)),
        call("GET /users/7").answer(record(json!({ "job": "Guide", "on": false }))),
    ];
    let both = json!([{ "op": "replace", "value": { "title": "Guide", "active": false } }]);
    assert_eq!(people(calls).patch("/Users/7", both.clone(), steps).await.status, 200);
    // The second fails, the first is changed back.
    let steps = [
        call("GET /users/7").answer(record(json!({ "job": "Cook" }))),
        field("job", json!("Guide")),
        field("on", json!(false)).status(400),
        call("GET /users/7").answer(record(json!({ "job": "Guide" }))),
        field("job", json!("Cook")),
        call("GET /users/7").answer(record(json!({ "job": "Cook" }))),
    ];
    let seen = people(calls).patch("/Users/7", both, steps).await;
    assert_eq!(seen.status, 400);
    assert!(!seen.body["detail"].as_str().unwrap().contains("taken back"));
    // One field needs nothing of what is there.
    let steps = [field("job", json!("Guide")), call("GET /users/7").answer(record(json!({ "job": "Guide" })))];
    assert_eq!(people(calls).patch("/Users/7", replace("title", json!("Guide")), steps).await.status, 200);
}

#[tokio::test]
async fn a_patch_is_made_blindly_only_where_nothing_must_be_known() {
    let plain = "update: PATCH /users/{{key}}";
    let patched = |body: Value| call("PATCH /users/7").body(body).answer(record(json!({ "job": "Guide", "rev": 5 })));
    let read = || call("GET /users/7").answer(record(json!({ "job": "Cook", "rev": 4 })));
    let title = || replace("title", json!("Guide"));
    let seen = people(plain).patch("/Users/7", title(), [patched(json!({ "job": "Guide" }))]).await;
    assert_eq!((seen.status, &seen.body["title"]), (200, &json!("Guide")));
    assert_eq!(
        people(plain)
            .patch("/Users/7", title(), [call("PATCH /users/7").body(json!({ "job": "Guide" })).status(404)])
            .await
            .status,
        404
    );
    let cleared = json!([{ "op": "replace", "path": "title", "value": null }]);
    assert_eq!(people(plain).patch("/Users/7", cleared, [patched(json!({ "job": null }))]).await.status, 200);
    // What is added or removed, or what the call wants of the record, must be read.
    let add = json!([{ "op": "add", "path": "title", "value": "Guide" }]);
    assert_eq!(people(plain).patch("/Users/7", add, [read(), patched(json!({ "job": "Guide" }))]).await.status, 200);
    let clear = json!([{ "op": "remove", "path": "title" }]);
    assert_eq!(people(plain).patch("/Users/7", clear, [read(), patched(json!({ "job": null }))]).await.status, 200);
    let full = "update: { call: \"PUT /users/{{key}}\", send: full }";
    let put =
        call("PUT /users/7").body(json!({ "login": "ann", "job": "Guide" })).answer(record(json!({ "job": "Guide", "rev": 5 })));
    assert_eq!(people(full).patch("/Users/7", title(), [read(), put]).await.status, 200);
    let revision = "update: { call: \"PATCH /users/{{key}}\", with: { rev: \"{{record.rev}}\" } }";
    let steps = [read(), patched(json!({ "job": "Guide", "rev": 4 }))];
    assert_eq!(people(revision).patch("/Users/7", title(), steps).await.status, 200);
    let transition = "update:\n  - PATCH /users/{{key}}\n  - { when: active eq false, call: \"POST /users/{{key}}/off\" }\n  - { when: active eq true, call: \"POST /users/{{key}}/on\" }";
    let steps = [read(), call("POST /users/7/off").answer(record(json!({ "job": "Cook", "rev": 5, "on": false })))];
    assert_eq!(people(transition).patch("/Users/7", replace("active", json!(false)), steps).await.status, 200);
    // A mistake is told without a call.
    assert_eq!(people(plain).patch("/Users/7", replace("nickName", json!("x")), []).await.status, 400);
}

#[tokio::test]
async fn the_version_may_come_in_a_header_and_go_back_in_one() {
    let calls = "update: { call: \"PUT /users/{{key}}\", send: full, headers: { If-Match: \"{{version}}\" } }";
    let lines = "meta.version: { header: ETag }";
    let read = |tag| call("GET /users/7").answer(record(json!({ "job": "Cook" }))).answer_header("etag", tag);
    let put = |tag, status| {
        let put = call("PUT /users/7").body(json!({ "login": "ann", "job": "Guide" })).header("if-match", tag).status(status);
        put.answer(record(json!({ "job": "Guide" }))).answer_header("etag", "\"c\"")
    };
    let steps = [read("\"a\""), put("\"a\"", 412), read("W/\"b\""), put("W/\"b\"", 200)];
    let seen = people_with("", lines, calls).patch("/Users/7", replace("title", json!("Guide")), steps).await;
    assert_eq!((seen.status, seen.version.as_deref()), (200, Some("W/\"c\"")));
    let seen = people_with("", lines, calls).read("/Users/7", &[], [read("W/\"b\"")]).await;
    assert_eq!((seen.version.as_deref(), &seen.body["meta"]["version"]), (Some("W/\"b\""), &json!("W/\"b\"")));
}

/// Groups with members as given.
fn teams(members: &str) -> Scripted {
    teams_with("", members)
}

fn teams_with(backend: &str, members: &str) -> Scripted {
    let members = indented(members, 6);
    Scripted::new(&format!(
        r#"
mapping: v1
backend:
  url: https://people.test/api
  {backend}
  errors: [{{ status: 409, as: done }}, {{ status: 422, as: unknownMember, members: "$.unknown[*]" }}]
resources:
  User:
    id: $.id
    attributes: {{ userName: $.login }}
    get: GET /users/{{{{key}}}}
    list: GET /users
  Group:
    id: $.id
    attributes: {{ displayName: $.name }}
    get: GET /teams/{{{{key}}}}
    list: GET /teams
    create: POST /teams
    update: {{ call: "PUT /teams/{{{{key}}}}", send: full, with: {{ rev: "{{{{record.rev}}}}" }} }}
    members:
{members}
"#
    ))
}

fn team(members: &[&str]) -> Value {
    json!({ "id": "1", "name": "Night", "rev": 3, "people": members })
}

fn add(ids: &[&str]) -> Value {
    json!([{ "op": "add", "path": "members", "value": ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>() }])
}

fn remove(id: &str) -> Value {
    json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }])
}

fn members(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn found(body: &Value) -> Vec<&str> {
    body["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn members_in_the_record_are_read_and_written_with_it() {
    let inline = || teams("inline: \"$.people[*]\"");
    let read = |members: &[&str]| call("GET /teams/1").answer(team(members));
    let put = |members: &[&str]| call("PUT /teams/1").body(json!({ "name": "Night", "people": members, "rev": 3 }));
    let seen = inline().read("/Groups/1", &[], [read(&["a", "b"])]).await;
    assert_eq!(found(&seen.body), ["a", "b"]);
    let steps = [read(&["a"]), put(&["a", "b"]).answer(team(&["a", "b"]))];
    assert_eq!(found(&inline().patch("/Groups/1", add(&["b"]), steps).await.body), ["a", "b"]);
    // Who is there already is no change.
    let seen = inline().patch("/Groups/1", add(&["a"]), [read(&["a"])]).await;
    assert_eq!(seen.status, 200);
    let steps = [read(&["a", "b"]), put(&["b"]), read(&["b"])];
    assert_eq!(found(&inline().patch("/Groups/1", remove("a"), steps).await.body), ["b"]);
    // A change of the name keeps the members.
    let renamed = call("PUT /teams/1").body(json!({ "name": "Day", "people": ["a", "b"], "rev": 3 }));
    let steps = [read(&["a", "b"]), renamed.answer(team(&["a", "b"]))];
    assert_eq!(inline().patch("/Groups/1", replace("displayName", json!("Day")), steps).await.status, 200);
    // A stale revision is read again; an unknown member is left out.
    let steps = [read(&["a"]), put(&["a", "b"]).status(412), read(&["a", "c"]), put(&["a", "c", "b"]), read(&["a", "c", "b"])];
    assert_eq!(found(&inline().patch("/Groups/1", add(&["b"]), steps).await.body), ["a", "c", "b"]);
    let unknown = put(&["a", "b", "x"]).status(422).answer(json!({ "unknown": ["x"] }));
    let steps = [read(&["a"]), unknown, read(&["a"]), put(&["a", "b"]), read(&["a", "b"])];
    assert_eq!(found(&inline().patch("/Groups/1", add(&["b", "x"]), steps).await.body), ["a", "b"]);
    // Somebody whom nobody knows never empties a group.
    let unknown = put(&["x"]).status(422).answer(json!({ "unknown": ["x"] }));
    let whole = json!([{ "op": "replace", "path": "members", "value": members(&["x"]) }]);
    let seen = inline().patch("/Groups/1", whole, [read(&["a"]), unknown]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
    // A group is created with its members.
    let body = json!({ "schemas": [GROUP], "displayName": "Night", "members": members(&["a", "b"]) });
    let post = call("POST /teams").body(json!({ "name": "Night", "people": ["a", "b"] })).answer(team(&["a", "b"]));
    let seen = inline().create("/Groups", body, [post]).await;
    assert_eq!((seen.status, found(&seen.body)), (201, vec!["a", "b"]));
}

#[tokio::test]
async fn a_put_of_a_group_reads_it_once() {
    let inline = || teams("inline: \"$.people[*]\"");
    let read = || call("GET /teams/1").answer(team(&["a"]));
    let body = |members: Value| json!({ "schemas": [GROUP], "displayName": "Night", "members": members });
    assert_eq!(inline().replace("/Groups/1", body(members(&["a"])), [read()]).await.status, 200);
    let put = call("PUT /teams/1").body(json!({ "name": "Night", "people": ["b"], "rev": 3 })).answer(team(&["b"]));
    let seen = inline().replace("/Groups/1", body(members(&["b"])), [read(), put]).await;
    assert_eq!((seen.status, found(&seen.body)), (200, vec!["b"]));
}

#[tokio::test]
async fn members_that_lag_behind_are_waited_for() {
    let list = "list: { call: \"GET /teams/{{key}}/people\", key: $.id }\nadd: \"PUT /teams/{{key}}/people/{{member}}\"\nremove: \"DELETE /teams/{{key}}/people/{{member}}\"";
    let shown = |ids: &[&str]| call("GET /teams/1/people").answer(ids.iter().map(|id| json!({ "id": id })).collect());
    let read = || call("GET /teams/1").answer(team(&[]));
    let steps = [call("PUT /teams/1/people/b"), read(), shown(&["a"]), read(), shown(&["a", "b"])];
    let seen = teams_with("lag: 5s", list).patch("/Groups/1", add(&["b"]), steps).await;
    assert_eq!((seen.status, found(&seen.body)), (200, vec!["a", "b"]));
}

#[tokio::test]
async fn a_call_that_sets_all_members() {
    let set = "list: { call: \"GET /teams/{{key}}/people\", key: $.id }\nset: { call: \"PUT /teams/{{key}}/people\", body: { ids: \"{{members}}\" } }";
    let list = |ids: &[&str]| call("GET /teams/1/people").answer(ids.iter().map(|id| json!({ "id": id })).collect());
    let put = |ids: &[&str]| call("PUT /teams/1/people").body(json!({ "ids": ids }));
    let read = || call("GET /teams/1").answer(team(&[]));
    let steps = [list(&["a"]), put(&["a", "b"]), read(), list(&["a", "b"])];
    assert_eq!(found(&teams(set).patch("/Groups/1", add(&["b"]), steps).await.body), ["a", "b"]);
    let steps = [list(&["a", "b"]), put(&["b"]), read(), list(&["b"])];
    assert_eq!(found(&teams(set).patch("/Groups/1", remove("a"), steps).await.body), ["b"]);
    // What is replaced as a whole needs not be read before.
    let whole = json!([{ "op": "replace", "path": "members", "value": members(&["b", "c"]) }]);
    let steps = [put(&["b", "c"]), read(), list(&["b", "c"])];
    assert_eq!(found(&teams(set).patch("/Groups/1", whole, steps).await.body), ["b", "c"]);
}

#[tokio::test]
async fn memberships_with_ids_of_their_own_from_the_side_of_the_person_and_by_name() {
    let records = "list: { call: \"GET /memberships?team={{key}}\", key: $.person }\nadd: { call: \"POST /users/{{member}}/join\", body: { team: \"{{displayName}}\", as: \"{{memberRecord.login}}\" } }\nremove: DELETE /memberships/{{membership.id}}\npinned: \"$[?@.owner == true]\"";
    let list = |rows: Value| call("GET /memberships?team=1").answer(rows);
    let row = |id: u64, person: &str| json!({ "id": id, "person": person });
    let read = || call("GET /teams/1").answer(team(&[]));
    let steps = [
        read(),
        call("GET /users/b").answer(json!({ "id": "b", "login": "bob" })),
        call("POST /users/b/join").body(json!({ "team": "Night", "as": "bob" })),
        read(),
        list(json!([row(1, "b")])),
    ];
    assert_eq!(found(&teams(records).patch("/Groups/1", add(&["b"]), steps).await.body), ["b"]);
    let rows = json!([row(1, "a"), row(2, "b"), { "id": 3, "person": "o", "owner": true }]);
    let steps = [list(rows.clone()), call("DELETE /memberships/2"), read(), list(rows.clone())];
    assert_eq!(teams(records).patch("/Groups/1", remove("b"), steps).await.status, 200);
    // Who is no member has no membership to delete.
    let steps = [list(rows.clone()), read(), list(rows.clone())];
    assert_eq!(teams(records).patch("/Groups/1", remove("z"), steps).await.status, 200);
    // Who belongs to it for good: not removed with the others, and not alone.
    let whole = json!([{ "op": "replace", "path": "members", "value": members(&["a"]) }]);
    let steps = [list(rows.clone()), call("DELETE /memberships/2"), read(), list(rows.clone())];
    assert_eq!(teams(records).patch("/Groups/1", whole, steps).await.status, 200);
    let seen = teams(records).patch("/Groups/1", remove("o"), [list(rows)]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("mutability")));
}

const BATCH: &str = r#"create:
  call: POST /users
  batch:
    call: POST /users/import
    body: { users: "{{records}}" }
    size: 3
    items: "$.results[*]"
    status: $.code
    item: $.user
update: PATCH /users/{{key}}"#;

fn login(id: u64, login: &str) -> Value {
    json!({ "id": id.to_string(), "login": login })
}

#[tokio::test]
async fn a_job_creates_several_in_one_call_where_the_backend_can() {
    let import = |names: &[&str]| {
        let users: Vec<Value> = names.iter().map(|name| json!({ "login": name })).collect();
        call("POST /users/import").body(json!({ "users": users }))
    };
    let made = |id, name| json!({ "code": 201, "user": login(id, name) });
    let refused = json!({ "code": 409, "message": "taken" });
    let steps = [
        import(&["a", "b", "c"]).answer(json!({ "results": [made(1, "a"), refused, made(3, "c")] })),
        import(&["d", "e"]).answer(json!({ "results": [made(4, "d"), made(5, "e")] })),
    ];
    let seen = people(BATCH).bulk(posts(&["a", "b", "c", "d", "e"]), steps).await;
    assert_eq!(statuses(&seen.body), ["201", "409", "201", "201", "201"], "{}", seen.body);
    let operations = &seen.body["Operations"];
    assert_eq!((&operations[1]["bulkId"], &operations[1]["response"]["scimType"]), (&json!("b"), &json!("uniqueness")));
    assert_eq!((&operations[2]["bulkId"], &operations[2]["response"]["id"]), (&json!("c"), &json!("3")));
    assert_eq!(operations[4]["location"], "http://scim.test/scim/v2/Users/5");
    // One alone needs no batch.
    let one = [call("POST /users").body(json!({ "login": "a" })).answer(login(1, "a"))];
    assert_eq!(statuses(&people(BATCH).bulk(posts(&["a"]), one).await.body), ["201"]);
    // All are refused together: each is tried alone.
    let steps = [
        import(&["a", "b"]).status(400),
        call("POST /users").body(json!({ "login": "a" })).answer(login(1, "a")),
        call("POST /users").body(json!({ "login": "b" })).status(409),
    ];
    assert_eq!(statuses(&people(BATCH).bulk(posts(&["a", "b"]), steps).await.body), ["201", "409"]);
    // Without a result for each nobody knows what was done: none is sent a second time.
    let steps = [import(&["a", "b"]).answer(json!({ "results": [made(1, "a")] }))];
    assert_eq!(statuses(&people(BATCH).bulk(posts(&["a", "b"]), steps).await.body), ["502", "502"]);
    let seen = people(BATCH).bulk(posts(&["a", "b"]), [import(&["a", "b"]).status(500)]).await;
    assert_eq!(statuses(&seen.body), ["502", "502"]);
    // A mistake in one of them is told without the backend.
    let mut operations = posts(&["a", "b", "c"]);
    operations[1]["data"]["active"] = json!("perhaps");
    let steps = [import(&["a", "c"]).answer(json!({ "results": [made(1, "a"), made(3, "c")] }))];
    assert_eq!(statuses(&people(BATCH).bulk(operations, steps).await.body), ["201", "400", "201"]);
}

#[tokio::test]
async fn results_are_told_apart_by_a_name_where_the_backend_leaves_some_out() {
    let by_name = BATCH.replace("    status: $.code\n    item: $.user", "    match: userName");
    let body = json!({ "users": [{ "login": "a" }, { "login": "b" }, { "login": "c" }] });
    let answer = json!({ "results": [login(3, "C"), login(1, "a")] });
    let seen = people(&by_name).bulk(posts(&["a", "b", "c"]), [call("POST /users/import").body(body).answer(answer)]).await;
    assert_eq!(statuses(&seen.body), ["201", "409", "201"]);
    assert_eq!(seen.body["Operations"][2]["response"]["id"], "3");
}

#[tokio::test]
async fn bodies_may_be_forms() {
    let calls = "create: { call: POST /users, body: { user: \"{{fields}}\", tags: [a, \"b&c\"], rows: [{ x: 1 }, { x: true }] } }\nupdate: PATCH /users/{{key}}";
    let form = "rows%5B0%5D%5Bx%5D=1&rows%5B1%5D%5Bx%5D=true&tags%5B%5D=a&tags%5B%5D=b%26c&user%5Bjob%5D=A+%C3%A4%3D%26&user%5Blogin%5D=ann";
    let seen = people_with("format: form", "", calls)
        .create("/Users", ann(json!({ "title": "A ä=&" })), [call("POST /users").form(form).answer(record(json!({})))])
        .await;
    assert_eq!(seen.status, 201, "{}", seen.body);
    // What is cleared is empty.
    let clear = json!([{ "op": "replace", "path": "title", "value": null }]);
    let steps = [call("PATCH /users/7").form("job=").answer(record(json!({})))];
    assert_eq!(people_with("format: form", "", calls).patch("/Users/7", clear, steps).await.status, 200);
}
