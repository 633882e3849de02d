//! Where a change could go wrong in silence: each of these did once.
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use scimitar::mapping::load;
use serde_json::{Value, json};

use crate::mapping_diagnostics::Dummy;
use crate::scripted::{Scripted, Step, call};
use crate::support::{indented, posts, statuses, with_members};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn people_text(backend: &str, lines: &str, calls: &str) -> String {
    let (lines, calls) = (indented(lines, 6), indented(calls, 4));
    format!(
        r"
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
{lines}
    get: GET /users/{{{{key}}}}
{calls}
"
    )
}

const ACTIVE: &str = "active: { at: $.on, default: true }";
const LIST: &str = r#"list: { call: GET /users, filters: { userName eq: { query: { login: "{{value}}" }, match: exact } } }"#;

fn people(lines: &str, calls: &str) -> Scripted {
    Scripted::new(&people_text("", &format!("{ACTIVE}\n{lines}"), &format!("{LIST}\n{calls}")))
}

fn groups(of: &str, attributes: &str, calls: &str, members: &str) -> Scripted {
    let (calls, members) = (indented(calls, 4), indented(members, 6));
    Scripted::new(&format!(
        r#"
mapping: v1
backend:
  url: https://people.test/api
  errors: [{{ status: 422, as: unknownMember, members: "$.unknown[*]" }}]
resources:
  User:
    id: {of}
    attributes: {{ userName: $.login }}
    get: GET /users/{{{{key}}}}
    list: GET /users
  Group:
    id: $.id
    attributes: {{ {attributes} }}
    get: GET /teams/{{{{key}}}}
    list: GET /teams
{calls}
    members:
{members}
"#
    ))
}

fn teams(calls: &str, members: &str) -> Scripted {
    groups("$.id", "displayName: $.name", calls, members)
}

fn team(people: Value) -> Value {
    json!({ "id": "1", "name": "Night", "people": people })
}

fn record(changes: Value) -> Value {
    with_members(json!({ "id": "7", "login": "ann" }), &changes)
}

fn ann(changes: Value) -> Value {
    with_members(json!({ "schemas": [USER], "userName": "ann" }), &changes)
}

fn set(path: &str, value: Value) -> Value {
    json!({ "op": "replace", "path": path, "value": value })
}

fn member(op: &str, id: &str) -> Value {
    json!({ "op": op, "path": "members", "value": [{ "value": id }] })
}

fn read(changes: Value) -> Step {
    call("GET /users/7").answer(record(changes))
}

const BY_CALLS: &str = "list: { call: \"GET /teams/{{key}}/people\", key: $.id }\nadd: \"PUT /teams/{{key}}/people/{{member}}\"\nremove: \"DELETE /teams/{{key}}/people/{{member}}\"";

#[tokio::test]
async fn with_refuse_a_removal_goes_on_after_one_who_is_unknown() {
    let steps = [
        call("DELETE /teams/1/people/a").status(404),
        call("GET /teams/1").answer(team(json!([]))),
        call("DELETE /teams/1/people/b"),
        call("GET /teams/1").answer(team(json!([]))),
        call("GET /teams/1/people").answer(json!([])),
    ];
    let teams = teams("update: PATCH /teams/{{key}}", &format!("{BY_CALLS}\nunknown: refuse"));
    let remove = json!([
        { "op": "remove", "path": "members[value eq \"a\"]" }, { "op": "remove", "path": "members[value eq \"b\"]" }
    ]);
    assert_eq!(teams.patch("/Groups/1", remove, steps).await.status, 200);
}

#[tokio::test]
async fn a_circle_does_not_delete_whom_it_took_over() {
    let lines = "enterprise:manager.value: { at: $.boss, refers: User }";
    let calls = "create: { call: POST /users, conflict: { match: userName, adopt: active eq false }, undo: delete }\nupdate: PATCH /users/{{key}}\ndelete: DELETE /users/{{key}}";
    let post = |name: &str, boss: &str| {
        json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": {
            "schemas": [USER, ENTERPRISE], "userName": name, (ENTERPRISE): { "manager": { "value": format!("bulkId:{boss}") } }
        }})
    };
    let left = record(json!({ "on": false }));
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).status(409),
        call("GET /users?login=ann").answer(json!([left])),
        call("GET /users/7").answer(left.clone()),
        call("PATCH /users/7").body(json!({ "on": true })).answer(record(json!({ "on": true }))),
        call("POST /users").body(json!({ "login": "bob", "boss": "7" })).status(400),
    ];
    let seen = people(lines, calls).bulk(json!([post("ann", "bob"), post("bob", "ann")]), steps).await;
    assert_eq!(statuses(&seen.body), ["409", "400"]);
}

#[tokio::test]
async fn an_answer_without_the_members_empties_no_group() {
    let teams = teams("create: POST /teams\nupdate: PATCH /teams/{{key}}", "inline: \"$.people[*]\"");
    let steps = [
        call("GET /teams/1").answer(team(json!(["a"]))),
        call("PATCH /teams/1").body(json!({ "name": "Day" })).answer(json!({ "id": "1", "name": "Day" })),
        call("GET /teams/1").answer(team(json!(["a"]))),
        call("PATCH /teams/1").body(json!({ "people": ["a", "b"] })).answer(team(json!(["a", "b"]))),
    ];
    let seen = teams.patch("/Groups/1", json!([set("displayName", json!("Day")), member("add", "b")]), steps).await;
    assert_eq!(seen.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_no_whole_record_empties_no_full_body() {
    let calls =
        "update:\n  - { carries: [title], call: \"PUT /users/{{key}}/title\" }\n  - { call: \"PUT /users/{{key}}\", send: full }";
    let steps = [
        read(json!({ "job": "Cook", "nick": "an", "on": true })),
        call("PUT /users/7/title").body(json!({ "job": "Guide" })).answer(json!({ "id": "7", "job": "Guide" })),
        read(json!({ "job": "Guide", "nick": "an", "on": true })),
        call("PUT /users/7")
            .body(json!({ "login": "ann", "nick": "an", "on": false }))
            .answer(record(json!({ "job": "Guide", "nick": "an", "on": false }))),
    ];
    let changes = json!([set("title", json!("Guide")), set("active", json!(false))]);
    assert_eq!(people("nickName: $.nick", calls).patch("/Users/7", changes, steps).await.status, 200);
}

#[tokio::test]
async fn what_an_update_answers_in_part_is_not_told_as_the_whole() {
    let steps = [
        call("PATCH /users/7").body(json!({ "job": "Guide" })).answer(json!({ "id": "7", "updated": true })),
        read(json!({ "job": "Guide" })),
    ];
    let seen = people("", "update: PATCH /users/{{key}}").patch("/Users/7", json!([set("title", json!("Guide"))]), steps).await;
    assert_eq!(seen.body["userName"], "ann");
}

#[tokio::test]
async fn a_full_body_holds_what_is_read_elsewhere() {
    let steps = [
        read(json!({ "job": "Cook", "profile": { "nick": "an" } })),
        call("PUT /users/7")
            .body(json!({ "login": "ann", "job": "Guide", "nick": "an" }))
            .answer(record(json!({ "job": "Guide", "profile": { "nick": "an" } }))),
    ];
    let people =
        people("nickName: { read: $.profile.nick, write: $.nick }", "update: { call: \"PUT /users/{{key}}\", send: full }");
    assert_eq!(people.patch("/Users/7", json!([set("title", json!("Guide"))]), steps).await.status, 200);
}

#[tokio::test]
async fn what_is_changed_back_is_what_the_backend_had() {
    let lines = "active: { at: $.state, values: { true: A, false: [D, L] } }";
    let calls = format!(
        "{LIST}\nupdate:\n  - {{ carries: [active], call: \"PUT /users/{{{{key}}}}/state\" }}\n  - PATCH /users/{{{{key}}}}"
    );
    let steps = [
        read(json!({ "job": "Cook", "state": "L" })),
        call("PUT /users/7/state").body(json!({ "state": "A" })),
        call("PATCH /users/7").body(json!({ "job": "Guide" })).status(422),
        read(json!({ "job": "Cook", "state": "A" })),
        call("PUT /users/7/state").body(json!({ "state": "L" })),
        read(json!({ "job": "Cook", "state": "L" })),
    ];
    let changes = json!([set("active", json!(true)), set("title", json!("Guide"))]);
    let seen = Scripted::new(&people_text("", lines, &calls)).patch("/Users/7", changes, steps).await;
    assert_eq!(seen.status, 400);
}

const TWO: &str = "update:\n  - { carries: [title], call: \"PUT /users/{{key}}/title\" }\n  - { call: \"PATCH /users/{{key}}\", headers: { If-Match: \"{{record.rev}}\" } }";

#[tokio::test]
async fn what_a_change_that_stays_needs_is_not_taken_back() {
    let calls = TWO.replace(
        "/title\" }",
        "/title\", with: { no: \"{{job}}\" }, before: { call: POST /jobs, body: { name: \"{{title}}\" }, keep: { job: $.no }, undo: \"DELETE /jobs/{{job}}\" } }",
    );
    let steps = [
        read(json!({ "job": "Cook", "rev": "1", "on": true })),
        call("POST /jobs").body(json!({ "name": "Guide" })).answer(json!({ "no": 4 })),
        call("PUT /users/7/title").body(json!({ "job": "Guide", "no": 4 })),
        read(json!({ "job": "Guide", "rev": "2", "on": true })),
        call("PATCH /users/7").body(json!({ "on": false })).status(412),
        // Here comes `DELETE /jobs/4`, although the title that needs it stays.
        read(json!({ "job": "Guide", "rev": "3", "on": true })),
        call("PATCH /users/7").body(json!({ "on": false })).answer(record(json!({ "job": "Guide", "rev": "4", "on": false }))),
    ];
    let changes = json!([set("title", json!("Guide")), set("active", json!(false))]);
    assert_eq!(people("", &calls).patch("/Users/7", changes, steps).await.status, 200);
}

#[tokio::test]
async fn what_remains_of_a_change_that_is_given_up_is_named() {
    let mut steps =
        vec![read(json!({ "job": "Cook", "rev": "1", "on": true })), call("PUT /users/7/title").body(json!({ "job": "Guide" }))];
    for _ in 0..21 {
        steps.push(read(json!({ "job": "Guide", "rev": "2", "on": true })));
        steps.push(call("PATCH /users/7").body(json!({ "on": false })).status(412));
    }
    let changes = json!([set("title", json!("Guide")), set("active", json!(false))]);
    let seen = people("", TWO).patch("/Users/7", changes, steps).await;
    assert_eq!(seen.status, 409);
    assert!(seen.body["detail"].as_str().unwrap().contains("title"), "{}", seen.body);
}

#[tokio::test]
async fn an_undo_before_a_new_plan_knows_the_attributes() {
    let calls = "update: { call: \"PATCH /users/{{key}}\", headers: { If-Match: \"{{record.rev}}\" }, before: { call: \"PUT /jobs/{{title}}\", undo: \"DELETE /jobs/{{title}}\" } }";
    let patch = || call("PATCH /users/7").body(json!({ "job": "Guide" }));
    let steps = [
        read(json!({ "job": "Cook", "rev": "1" })),
        call("PUT /jobs/Guide"),
        patch().status(412),
        call("DELETE /jobs/Guide"),
        read(json!({ "job": "Cook", "rev": "2" })),
        call("PUT /jobs/Guide"),
        patch().answer(record(json!({ "job": "Guide", "rev": "3" }))),
    ];
    assert_eq!(people("", calls).patch("/Users/7", json!([set("title", json!("Guide"))]), steps).await.status, 200);
}

#[tokio::test]
async fn an_undo_after_create_knows_the_key() {
    let calls = "create:\n  call: POST /users\n  after:\n    - { call: POST /mail, body: { to: \"{{key}}\" }, undo: \"DELETE /mail/{{key}}\" }\n    - { call: POST /phone, body: { to: \"{{key}}\" } }\n  undo: delete\nupdate: PATCH /users/{{key}}\ndelete: DELETE /users/{{key}}";
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).answer(record(json!({}))),
        call("POST /mail").body(json!({ "to": "7" })),
        call("POST /phone").body(json!({ "to": "7" })).status(422),
        call("DELETE /users/7"),
        call("DELETE /mail/7"),
    ];
    let seen = people("", calls).create("/Users", ann(json!({})), steps).await;
    assert!(!seen.body["detail"].as_str().unwrap().contains("taken back"), "{}", seen.body);
}

#[tokio::test]
async fn a_deletion_by_change_that_makes_it_gone_is_no_404() {
    let calls = "gone: \"$[?@.on == false]\"\nupdate: PATCH /users/{{key}}\ndelete: { set: active eq false }";
    let steps = [read(json!({ "on": true })), call("PATCH /users/7").body(json!({ "on": false })).status(204)];
    let seen = people("", calls).delete("/Users/7", steps).await;
    assert_eq!(seen.status, 204, "{}", seen.body);
}

#[tokio::test]
async fn members_written_with_the_record_have_the_calls_around_it() {
    let calls = "update: { call: \"PATCH /teams/{{key}}\", before: { call: \"POST /teams/{{key}}/unlock\" }, after: { call: \"POST /teams/{{key}}/sync\" } }";
    let steps = [
        call("GET /teams/1").answer(team(json!(["a"]))),
        call("POST /teams/1/unlock"),
        call("PATCH /teams/1").body(json!({ "people": ["a", "b"] })).answer(team(json!(["a", "b"]))),
        call("POST /teams/1/sync"),
        call("GET /teams/1").answer(team(json!(["a", "b"]))),
    ];
    let seen = teams(calls, "inline: \"$.people[*]\"").patch("/Groups/1", json!([member("add", "b")]), steps).await;
    assert_eq!(seen.status, 200);
}

#[tokio::test]
async fn elements_that_are_no_members_of_that_type_stay() {
    let teams = teams("update: PATCH /teams/{{key}}", "inline: \"$.people[*]\"\nkey: $.user");
    let steps = [
        call("GET /teams/1").answer(team(json!([{ "user": "a" }, { "group": "g" }]))),
        call("PATCH /teams/1")
            .body(json!({ "people": [{ "user": "a" }, { "group": "g" }, { "user": "b" }] }))
            .answer(team(json!([{ "user": "a" }, { "group": "g" }, { "user": "b" }]))),
    ];
    assert_eq!(teams.patch("/Groups/1", json!([member("add", "b")]), steps).await.status, 200);
}

#[tokio::test]
async fn a_member_whose_id_cannot_be_is_not_dropped_in_silence_from_a_create() {
    let members = "inline: \"$.people[*]\"\nunknown: refuse";
    let teams =
        groups("{ at: $.id, as: integer }", "displayName: $.name", "create: POST /teams\nupdate: PATCH /teams/{{key}}", members);
    let body = json!({ "schemas": [GROUP], "displayName": "Night", "members": [{ "value": "abc" }] });
    let seen = teams.create("/Groups", body, []).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
}

#[tokio::test]
async fn who_is_taken_over_keeps_members_that_were_not_sent() {
    let calls = "create: { call: POST /teams, conflict: { match: displayName, adopt: externalId eq \"old\" } }\nupdate: PATCH /teams/{{key}}";
    let teams = groups("$.id", "displayName: $.name, externalId: $.ref", calls, "inline: \"$.people[*]\"");
    let old = json!({ "id": "1", "name": "Night", "ref": "old", "people": ["a"] });
    let steps = [
        call("POST /teams").body(json!({ "name": "Night", "ref": "new", "people": [] })).status(409),
        call("GET /teams").answer(json!([old])),
        call("GET /teams/1").answer(old.clone()),
        call("PATCH /teams/1")
            .body(json!({ "ref": "new" }))
            .answer(json!({ "id": "1", "name": "Night", "ref": "new", "people": ["a"] })),
    ];
    let seen = teams.create("/Groups", json!({ "schemas": [GROUP], "displayName": "Night", "externalId": "new" }), steps).await;
    assert_eq!((seen.status, &seen.body["members"][0]["value"]), (201, &json!("a")));
}

#[tokio::test]
async fn a_row_that_lags_behind_adopts_nobody_else() {
    let calls =
        "create: { call: POST /users, conflict: { match: userName, adopt: active eq false } }\nupdate: PATCH /users/{{key}}";
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).status(409),
        call("GET /users?login=ann").answer(json!([record(json!({ "on": false }))])),
        call("GET /users/7").answer(json!({ "id": "7", "login": "bob", "on": false })),
    ];
    assert_eq!(people("", calls).create("/Users", ann(json!({})), steps).await.status, 409);
}

#[tokio::test]
async fn a_name_that_is_taken_is_409_though_the_other_cannot_be_looked_up() {
    let calls = "list: { call: GET /users, scan: { rows: 1 } }\ncreate: { call: POST /users, conflict: { match: userName, adopt: active eq false } }\nupdate: PATCH /users/{{key}}";
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).status(409),
        call("GET /users").answer(json!([{ "id": "1", "login": "x" }, { "id": "2", "login": "y" }])),
    ];
    let seen = Scripted::new(&people_text("", ACTIVE, calls)).create("/Users", ann(json!({})), steps).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (409, &json!("uniqueness")), "{}", seen.body);
}

#[tokio::test]
async fn a_backend_that_lags_behind_hides_nothing_that_is_to_be_changed_back() {
    let text = format!("{}\n", TWO.replace(", headers: { If-Match: \"{{record.rev}}\" }", ""));
    let calls = format!("{LIST}\n{text}");
    let steps = [
        read(json!({ "job": "Cook", "on": true })),
        call("PUT /users/7/title").body(json!({ "job": "Guide" })),
        call("PATCH /users/7").body(json!({ "on": false })).status(422),
        // The backend still shows the former title.
        read(json!({ "job": "Cook", "on": true })),
        call("PUT /users/7/title").body(json!({ "job": "Cook" })),
        read(json!({ "job": "Cook", "on": true })),
    ];
    let changes = json!([set("title", json!("Guide")), set("active", json!(false))]);
    let seen = Scripted::new(&people_text("lag: 2s", ACTIVE, &calls)).patch("/Users/7", changes, steps).await;
    assert_eq!(seen.status, 400);
}

fn batch(more: &str) -> String {
    format!(
        "create:\n  call: POST /users\n  batch:\n    call: POST /import\n    body: {{ users: \"{{{{records}}}}\" }}\n    items: \"$.results[*]\"\n    item: $.user\n{more}\nupdate: PATCH /users/{{{{key}}}}"
    )
}

fn import(results: Value) -> Step {
    call("POST /import").body(json!({ "users": [{ "login": "a" }, { "login": "b" }] })).answer(json!({ "results": results }))
}

#[tokio::test]
async fn a_status_that_is_a_text_is_a_status() {
    let results = json!([
        { "code": "201", "user": { "id": "1", "login": "a" } },
        { "code": "409", "user": { "id": "2", "login": "b" } },
    ]);
    let seen = people("", &batch("    status: $.code")).bulk(posts(&["a", "b"]), [import(results)]).await;
    assert_eq!(statuses(&seen.body), ["201", "409"]);
}

#[tokio::test]
async fn a_result_without_an_id_is_not_one_left_out() {
    let results = json!([{ "code": 201, "user": { "id": "1", "login": "a" } }, { "code": 422, "user": { "login": "b" } }]);
    let seen = people("", &batch("    status: $.code\n    match: userName")).bulk(posts(&["a", "b"]), [import(results)]).await;
    assert_eq!(statuses(&seen.body), ["201", "400"]);
}

#[tokio::test]
async fn a_batch_that_is_read_back_finds_the_record_by_its_own_item() {
    let results = json!([{ "user": { "id": "1", "login": "a" } }, { "user": { "id": "2", "login": "b" } }]);
    let steps = [
        import(results),
        call("GET /users/1").answer(json!({ "id": "1", "login": "a" })),
        call("GET /users/2").answer(json!({ "id": "2", "login": "b" })),
    ];
    let seen = people("", &batch("  then: read")).bulk(posts(&["a", "b"]), steps).await;
    assert_eq!(statuses(&seen.body), ["201", "201"]);
}

#[tokio::test]
async fn a_404_for_a_member_is_no_404_for_the_group() {
    let members = "list: { call: \"GET /teams/{{key}}/people\", key: $.id }\nset: { call: \"PUT /teams/{{key}}/people\", body: { ids: \"{{members}}\" } }";
    let steps = [
        call("GET /teams/1/people").answer(json!([{ "id": "a" }])),
        call("PUT /teams/1/people").body(json!({ "ids": ["a", "x"] })).status(404),
        call("GET /teams/1").answer(team(json!([]))),
    ];
    let seen = teams("update: PATCH /teams/{{key}}", members).patch("/Groups/1", json!([member("add", "x")]), steps).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")), "{}", seen.body);
}

#[tokio::test]
async fn every_membership_of_a_member_goes() {
    let members = "list: { call: \"GET /memberships?team={{key}}\", key: $.person }\nadd: { call: POST /memberships, body: { team: \"{{key}}\", person: \"{{member}}\" } }\nremove: DELETE /memberships/{{membership.id}}";
    let list = |rows: Value| call("GET /memberships?team=1").answer(rows);
    let steps = [
        list(json!([{ "id": 1, "person": "a" }, { "id": 2, "person": "a" }])),
        call("DELETE /memberships/1"),
        call("DELETE /memberships/2"),
        call("GET /teams/1").answer(team(json!([]))),
        list(json!([])),
    ];
    let remove = json!([{ "op": "remove", "path": "members[value eq \"a\"]" }]);
    assert_eq!(teams("update: PATCH /teams/{{key}}", members).patch("/Groups/1", remove, steps).await.status, 200);
}

#[test]
fn the_checker_reports_what_has_no_effect_or_cannot_work() {
    let create = "create: POST /users";
    let update = "update: PATCH /users/{{key}}";
    let cases = [
        (
            "undo needs a delete that deletes",
            ACTIVE,
            format!("{LIST}\ncreate: {{ call: POST /users, undo: delete }}\n{update}\ndelete: {{ refuse: never }}"),
        ),
        (
            "undo by a change",
            ACTIVE,
            format!("{LIST}\ncreate: {{ call: POST /users, undo: delete }}\n{update}\ndelete: {{ set: active eq false }}"),
        ),
        (
            "conflict without list",
            ACTIVE,
            format!("create: {{ call: POST /users, conflict: {{ match: userName, adopt: active eq false }} }}\n{update}"),
        ),
        (
            "conflict by what cannot be read",
            "active: $.on\npassword: { write: $.secret }",
            format!("{LIST}\ncreate: {{ call: POST /users, conflict: {{ match: password, adopt: active eq false }} }}\n{update}"),
        ),
        (
            "batch and look first",
            ACTIVE,
            format!(
                "{LIST}\ncreate: {{ call: POST /users, conflict: {{ match: userName, look: first }}, batch: {{ call: POST /i, body: {{ u: \"{{{{records}}}}\" }} }} }}\n{update}"
            ),
        ),
        ("initial without create", "active: { at: $.on, initial: true }", format!("{LIST}\n{update}")),
        ("generate for what is read", "nickName: { at: $.nick, generate: 20 }", format!("{LIST}\n{create}\n{update}")),
        (
            "delete.set of what no update carries",
            "active: { at: $.on, mutability: immutable }",
            format!(
                "{LIST}\n{create}\nupdate: {{ carries: [userName, title], call: \"PATCH /users/{{{{key}}}}\" }}\ndelete: {{ set: active eq false }}"
            ),
        ),
        (
            "delete.set with a call for the other value only",
            "active: $.on",
            format!(
                "{LIST}\n{create}\nupdate:\n  - {{ when: active eq true, call: \"POST /users/{{{{key}}}}/on\" }}\n  - PATCH /users/{{{{key}}}}\ndelete: {{ set: active eq false }}"
            ),
        ),
        (
            "a value that is kept only sometimes",
            ACTIVE,
            format!(
                "{LIST}\ncreate: {{ before: {{ if: title pr, call: POST /jobs, keep: {{ no: $.no }} }}, call: \"POST /users/{{{{no}}}}\" }}\n{update}"
            ),
        ),
        ("list.gone without gone", ACTIVE, format!("list: {{ call: GET /users, gone: hidden }}\n{create}\n{update}")),
    ];
    let mut silent = Vec::new();
    for (name, lines, calls) in cases {
        let text = people_text("", lines, &calls);
        let (_, diagnostics) = load(&text, &Dummy);
        let told: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| format!("{diagnostic:?}"))
            .filter(|text| !text.contains("has no `list`"))
            .collect();
        if told.is_empty() {
            silent.push(name);
        } else {
            eprintln!("{name}: {told:#?}");
        }
    }
    assert!(silent.is_empty(), "the checker says nothing of these: {silent:#?}");
}

#[test]
fn members_that_never_change_have_no_use_for_pinned_and_unknown() {
    let text = "mapping: v1\nbackend: { url: https://people.test }\nresources:\n  User: { id: $.id, attributes: { userName: $.login }, get: 'GET /users/{{key}}', list: GET /users }\n  Group:\n    id: $.id\n    attributes: { displayName: $.name }\n    get: GET /teams/{{key}}\n    list: GET /teams\n    members: { inline: '$.people[*]', mutability: readOnly, pinned: '$[?@.x]', unknown: refuse }\n";
    let (_, diagnostics) = load(text, &Dummy);
    assert!(!diagnostics.is_empty());
}

#[tokio::test]
async fn a_full_body_keeps_members_that_are_in_the_record() {
    let put = || call("PUT /teams/1").body(json!({ "name": "Day", "people": ["a"] })).answer(team(json!(["a"])));
    let read = || call("GET /teams/1").answer(team(json!(["a"])));
    let update = "update: { call: \"PUT /teams/{{key}}\", send: full }";
    for members in [
        "inline: \"$.people[*]\"\nadd: \"PUT /teams/{{key}}/people/{{member}}\"\nremove: \"DELETE /teams/{{key}}/people/{{member}}\"",
        "inline: \"$.people[*]\"\nmutability: readOnly",
    ] {
        let seen = teams(update, members).patch("/Groups/1", json!([set("displayName", json!("Day"))]), [read(), put()]).await;
        assert_eq!(seen.status, 200);
    }
}

#[tokio::test]
async fn members_go_with_the_call_that_carries_the_rest_only() {
    let calls = "update:\n  - { carries: [externalId], send: full, call: \"PUT /teams/{{key}}/ref\" }\n  - { call: \"PUT /teams/{{key}}\", send: full }";
    let teams = groups("$.id", "displayName: $.name, externalId: $.ref", calls, "inline: \"$.people[*]\"");
    let steps = [
        call("GET /teams/1").answer(team(json!(["a"]))),
        call("PUT /teams/1/ref").body(json!({ "ref": "x" })),
        call("GET /teams/1").answer(team(json!(["a"]))),
    ];
    assert_eq!(teams.patch("/Groups/1", json!([set("externalId", json!("x"))]), steps).await.status, 200);
}

#[tokio::test]
async fn a_condition_holds_where_a_creation_is_taken_back() {
    let calls = "create: { call: POST /users, after: { call: POST /mail }, undo: delete }\nupdate: PATCH /users/{{key}}\ndelete:\n  - { if: title pr, call: \"DELETE /jobs/{{key}}\" }\n  - DELETE /users/{{key}}";
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).answer(record(json!({}))),
        call("POST /mail").status(422),
        call("DELETE /users/7"),
    ];
    assert_eq!(people("", calls).create("/Users", ann(json!({})), steps).await.status, 400);
}

#[tokio::test]
async fn what_was_changed_back_is_not_named_as_left() {
    let calls = "update:\n  - { carries: [title], call: \"PUT /users/{{key}}/title\" }\n  - { call: \"PATCH /users/{{key}}\", after: { call: \"POST /users/{{key}}/sync\" } }";
    let steps = [
        read(json!({ "job": "Cook", "on": true })),
        call("PUT /users/7/title").body(json!({ "job": "Guide" })),
        call("PATCH /users/7").body(json!({ "on": false })),
        call("POST /users/7/sync").status(500),
        read(json!({ "job": "Guide", "on": false })),
        call("PATCH /users/7").body(json!({ "on": true })),
        call("POST /users/7/sync"),
        read(json!({ "job": "Guide", "on": true })),
        call("PUT /users/7/title").body(json!({ "job": "Cook" })),
        read(json!({ "job": "Cook", "on": true })),
    ];
    let changes = json!([set("title", json!("Guide")), set("active", json!(false))]);
    let seen = people("", calls).patch("/Users/7", changes, steps).await;
    assert!(!seen.body["detail"].as_str().unwrap().contains("active"), "{}", seen.body);
}

#[tokio::test]
async fn a_call_after_that_fails_has_the_change_before_it_changed_back() {
    let calls = "update: { call: \"PATCH /users/{{key}}\", after: { call: \"POST /users/{{key}}/sync\" } }";
    let steps = [
        read(json!({ "job": "Cook" })),
        call("PATCH /users/7").body(json!({ "job": "Guide" })),
        call("POST /users/7/sync").status(422),
        read(json!({ "job": "Guide" })),
        call("PATCH /users/7").body(json!({ "job": "Cook" })),
        call("POST /users/7/sync"),
        read(json!({ "job": "Cook" })),
    ];
    let seen = people("", calls).patch("/Users/7", json!([set("title", json!("Guide"))]), steps).await;
    assert_eq!(seen.status, 400);
}

#[tokio::test]
async fn who_may_have_been_created_is_told_so() {
    let steps = [call("POST /users").body(json!({ "login": "ann" })).answer(json!({}))];
    let seen = people("", "create: POST /users\nupdate: PATCH /users/{{key}}").create("/Users", ann(json!({})), steps).await;
    assert_eq!(seen.status, 502);
    assert!(seen.body["detail"].as_str().unwrap().contains("may have been made"), "{}", seen.body);
}

#[tokio::test]
async fn a_value_that_the_mapping_does_not_know_is_changed_back_too() {
    let lines = "active: { at: $.state, values: { true: A, false: D } }";
    let calls = format!(
        "{LIST}\nupdate:\n  - {{ carries: [active], call: \"PUT /users/{{{{key}}}}/state\" }}\n  - PATCH /users/{{{{key}}}}"
    );
    let steps = [
        read(json!({ "job": "Cook", "state": "ON-LEAVE" })),
        call("PUT /users/7/state").body(json!({ "state": "A" })),
        call("PATCH /users/7").body(json!({ "job": "Guide" })).status(422),
        read(json!({ "job": "Cook", "state": "A" })),
        call("PUT /users/7/state").body(json!({ "state": "ON-LEAVE" })),
        read(json!({ "job": "Cook", "state": "ON-LEAVE" })),
    ];
    let changes = json!([set("active", json!(true)), set("title", json!("Guide"))]);
    let seen = Scripted::new(&people_text("", lines, &calls)).patch("/Users/7", changes, steps).await;
    assert_eq!(seen.status, 400);
}

#[tokio::test]
async fn what_an_element_has_besides_stays() {
    let people = people("emails: { each: \"$.mail[*]\", value: $.address, type: $.kind }", "update: PATCH /users/{{key}}");
    let old = json!({ "address": "a@x", "kind": "work", "verified": true });
    let new = json!({ "address": "b@x", "kind": "home" });
    let steps = [
        read(json!({ "mail": [old] })),
        call("PATCH /users/7").body(json!({ "mail": [old, new] })).answer(record(json!({ "mail": [old, new] }))),
    ];
    let add = json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@x", "type": "home" }] }]);
    assert_eq!(people.patch("/Users/7", add, steps).await.status, 200);
}

#[tokio::test]
async fn a_stale_deletion_is_planned_again() {
    let calls =
        "update: PATCH /users/{{key}}\ndelete: { call: \"DELETE /users/{{key}}\", headers: { If-Match: \"{{record.rev}}\" } }";
    let steps = [
        read(json!({ "rev": "1" })),
        call("DELETE /users/7").status(412),
        read(json!({ "rev": "2" })),
        call("DELETE /users/7").status(204),
    ];
    assert_eq!(people("", calls).delete("/Users/7", steps).await.status, 204);
}

#[tokio::test]
async fn many_unknown_members_are_nobody_else_who_writes() {
    let members = "list: { call: \"GET /teams/{{key}}/people\", key: $.id }\nset: { call: \"PUT /teams/{{key}}/people\", body: { ids: \"{{members}}\" } }";
    let all: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();
    let put = |from: usize| call("PUT /teams/1/people").body(json!({ "ids": &all[from..] }));
    let steps = (0..41).map(|from| put(from).status(422).answer(json!({ "unknown": [all[from]] })));
    let whole =
        json!([{ "op": "replace", "path": "members", "value": all.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>() }]);
    let seen = teams("update: PATCH /teams/{{key}}", members).patch("/Groups/1", whole, steps).await;
    assert!(!seen.body["detail"].as_str().unwrap_or_default().contains("by others"), "{}", seen.body);
}

#[tokio::test]
async fn after_a_deletion_nothing_of_it_is_opened_again() {
    let calls = "update: PATCH /users/{{key}}\ndelete:\n  before: { call: \"POST /accounts/{{key}}/close\", undo: \"POST /accounts/{{key}}/open\" }\n  call: DELETE /users/{{key}}\n  after: { call: POST /journal }";
    let steps = [call("POST /accounts/7/close"), call("DELETE /users/7").status(204), call("POST /journal").status(422)];
    let seen = people("", calls).delete("/Users/7", steps).await;
    assert!(seen.body["detail"].as_str().unwrap().contains("was deleted"));
}

#[tokio::test]
async fn a_condition_on_groups_looks_at_the_groups() {
    let text = r#"
mapping: v1
backend: { url: https://people.test }
resources:
  User:
    id: $.id
    attributes: { userName: $.login, active: $.on }
    get: GET /users/{{key}}
    list: { call: GET /users, filters: { userName eq: { query: { login: "{{value}}" }, match: exact } } }
    create: { call: POST /users, conflict: { match: userName, adopt: not (groups pr) } }
    update: PATCH /users/{{key}}
  Group:
    id: $.id
    attributes: { displayName: { read: $.name } }
    get: GET /teams/{{key}}
    list: GET /teams
    members:
      list: { call: "GET /teams/{{key}}/people", key: $.id }
      groups: { call: "GET /users/{{key}}/teams", key: $.id }
"#;
    let (mapping, _) = load(text, &Dummy);
    if mapping.is_none() {
        return;
    }
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).status(409),
        call("GET /users?login=ann").answer(json!([record(json!({ "on": true }))])),
        call("GET /users/7").answer(record(json!({ "on": true }))),
        call("GET /users/7/teams").answer(json!([{ "id": "admins" }])),
    ];
    let seen = Scripted::new(text).create("/Users", ann(json!({})), steps).await;
    assert_eq!(seen.status, 409, "{}", seen.body);
}

#[tokio::test]
async fn what_is_cleared_by_omission_is_no_call_of_its_own() {
    let calls = "update: { send: each, call: \"PUT /users/{{key}}/fields\", body: { name: \"{{field}}\", to: \"{{value}}\" } }";
    // Nothing says that the field goes: a call with its name alone must not be made, and there is no success for nothing.
    let seen = people("nickName: { at: $.nick, clear: omit }", calls)
        .patch("/Users/7", json!([{ "op": "remove", "path": "nickName" }]), [read(json!({ "nick": "an" }))])
        .await;
    assert_ne!(seen.status, 500);
}

#[tokio::test]
async fn a_condition_on_members_sees_those_that_were_sent() {
    let calls = "create: { call: POST /teams, after: { if: members pr, call: \"POST /teams/{{key}}/activate\" } }\nupdate: PATCH /teams/{{key}}";
    let steps = [
        call("POST /teams").body(json!({ "name": "Night", "people": ["a"] })).answer(team(json!(["a"]))),
        call("POST /teams/1/activate"),
        call("GET /teams/1").answer(team(json!(["a"]))),
    ];
    let body = json!({ "schemas": [GROUP], "displayName": "Night", "members": [{ "value": "a" }] });
    assert_eq!(teams(calls, "inline: \"$.people[*]\"").create("/Groups", body, steps).await.status, 201);
}

#[tokio::test]
async fn of_two_creations_at_once_the_second_sees_the_first() {
    use scimitar::app::Host;
    use scimitar::engine::{Context, Engine, Names, Offer, ScimRequest, ports};
    use scimitar::scim::Profile;
    use scimitar::translate::call::{Answer, HttpCall};
    use scimitar::translate::outcome::Fault;
    use std::sync::Mutex;

    /// An upsert by name.
    #[derive(Clone, Default)]
    struct Shared(std::sync::Arc<Upsert>);

    #[derive(Default)]
    struct Upsert {
        there: Mutex<Option<Value>>,
        puts: Mutex<u32>,
    }

    impl ports::Backend for Shared {
        async fn send(&self, sent: &HttpCall<'_>) -> Result<Answer, Fault> {
            tokio::task::yield_now().await;
            let body = if sent.method == http::Method::PUT {
                *self.0.puts.lock().unwrap() += 1;
                let record = record(json!({}));
                *self.0.there.lock().unwrap() = Some(record.clone());
                record
            } else {
                json!(self.0.there.lock().unwrap().iter().collect::<Vec<_>>())
            };
            Ok(Answer { status: 200, headers: http::HeaderMap::new(), body: body.to_string().into() })
        }
    }

    let backend = Shared::default();
    let calls = format!(
        "{LIST}\ncreate: {{ call: \"PUT /users/{{{{userName}}}}\", conflict: {{ match: userName, look: first }} }}\nupdate: PATCH /users/{{{{key}}}}"
    );
    let mapping = crate::scripted::mapping(&people_text("", ACTIVE, &calls));
    let engine = Engine::new(mapping, backend.clone(), Host, Offer::default());
    let context = Context {
        base_url: crate::scripted::BASE.to_owned(),
        profile: &Profile::STRICT,
        if_match: None,
        if_none_match: None,
        deadline: None,
    };
    let post = || ScimRequest::Create { endpoint: "/Users".to_owned(), body: ann(json!({})), names: Names::default() };
    let (one, other) = tokio::join!(engine.call(&context, post()), engine.call(&context, post()));
    assert_eq!(*backend.0.puts.lock().unwrap(), 1, "{:?} {:?}", one.is_ok(), other.is_ok());
}

#[tokio::test]
async fn an_error_in_a_template_quotes_no_value_of_a_record() {
    let text = people_text(
        "",
        ACTIVE,
        &format!("{LIST}\nupdate: {{ call: \"PATCH /users/{{{{key}}}}\", with: {{ no: \"{{{{integer record.ssn}}}}\" }} }}"),
    );
    let mapping = crate::scripted::mapping(&text);
    let update = mapping.resources[0].update.first().unwrap();
    let record = json!({ "id": "7", "ssn": "123-45-6789" });
    let key = json!("7");
    let scope = scimitar::mapping::template::Scope { key: Some(&key), record: Some(&record), ..Default::default() };
    let error = scimitar::translate::call::build(&update.call, &scope, Some(&json!({}))).unwrap_err().to_string();
    assert!(!error.contains("123"), "{error}");
}

#[tokio::test]
async fn a_list_that_is_emptied_is_in_a_form() {
    let text = people_text(
        "format: form",
        "emails: { each: \"$.mail[*]\", value: $.address }",
        &format!("{LIST}\nupdate: PATCH /users/{{{{key}}}}"),
    );
    let steps = [
        read(json!({ "mail": [{ "address": "a@x" }] })),
        call("PATCH /users/7").form("mail%5B%5D=").answer(record(json!({ "mail": [] }))),
    ];
    let remove = json!([{ "op": "remove", "path": "emails" }]);
    assert_eq!(Scripted::new(&text).patch("/Users/7", remove, steps).await.status, 200);
}

#[tokio::test]
async fn an_answer_with_a_part_of_what_is_nested_empties_no_group() {
    let teams = teams("update: PATCH /teams/{{key}}", "inline: \"$.has.people[*]\"");
    let team = || json!({ "id": "1", "name": "Night", "has": { "people": ["a"], "owner": "o" } });
    let steps = [
        call("GET /teams/1").answer(team()),
        call("PATCH /teams/1")
            .body(json!({ "name": "Day" }))
            .answer(json!({ "id": "1", "name": "Day", "has": { "owner": "o" } })),
        call("GET /teams/1").answer(team()),
        call("PATCH /teams/1").body(json!({ "has": { "people": ["a", "b"] } })),
        call("GET /teams/1").answer(team()),
    ];
    let seen = teams.patch("/Groups/1", json!([set("displayName", json!("Day")), member("add", "b")]), steps).await;
    assert_eq!(seen.status, 200);
}

#[tokio::test]
async fn what_a_resource_stands_on_that_remains_is_not_taken_away() {
    let calls = "create:\n  before: { call: POST /accounts, keep: { account: $.no }, undo: \"DELETE /accounts/{{account}}\" }\n  call: POST /users\n  after: { call: POST /mail }\nupdate: PATCH /users/{{key}}";
    let steps = [
        call("POST /accounts").answer(json!({ "no": 4 })),
        call("POST /users").body(json!({ "login": "ann" })).answer(record(json!({}))),
        call("POST /mail").status(422),
    ];
    let seen = people("", calls).create("/Users", ann(json!({})), steps).await;
    let detail = seen.body["detail"].as_str().unwrap();
    assert!(detail.contains("User 7") && detail.contains("User.create.before"), "{detail}");
}

#[tokio::test]
async fn an_element_whose_type_the_mapping_does_not_know_keeps_it() {
    let people = people(
        "emails: { each: \"$.mail[*]\", value: $.address, type: { at: $.kind, values: { work: 1 } } }",
        "update: PATCH /users/{{key}}",
    );
    let (old, bare, new) =
        (json!({ "address": "a@x", "kind": 3 }), json!({ "note": "none" }), json!({ "address": "b@x", "kind": 1 }));
    let steps = [
        read(json!({ "mail": [old, bare] })),
        call("PATCH /users/7").body(json!({ "mail": [old, new, bare] })).answer(record(json!({ "mail": [old, new, bare] }))),
    ];
    let add = json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@x", "type": "work" }] }]);
    assert_eq!(people.patch("/Users/7", add, steps).await.status, 200);
}

#[tokio::test]
async fn what_members_in_a_record_stand_on_stays_with_them() {
    let calls = "update: { call: \"PATCH /teams/{{key}}\", before: { call: \"POST /teams/{{key}}/open\", undo: \"POST /teams/{{key}}/close\" }, after: { call: \"POST /teams/{{key}}/sync\" } }";
    let begun = || {
        [
            call("GET /teams/1").answer(team(json!(["a"]))),
            call("POST /teams/1/open"),
            call("PATCH /teams/1").body(json!({ "people": ["a", "b"] })),
        ]
    };
    let gateway = || teams(calls, "inline: \"$.people[*]\"");
    let told = |body: &Value, names: &[&str]| {
        let detail = body["detail"].as_str().unwrap();
        assert!(names.iter().all(|name| detail.contains(name)), "{detail}");
    };
    // It was made, but what comes after it failed.
    let [read, open, patch] = begun();
    let steps = [read, open, patch.answer(team(json!(["a", "b"]))), call("POST /teams/1/sync").status(403)];
    told(&gateway().patch("/Groups/1", json!([member("add", "b")]), steps).await.body, &["members", "Group.update.before"]);
    // Nobody knows whether it was made.
    let [read, open, patch] = begun();
    let seen = gateway().patch("/Groups/1", json!([member("add", "b")]), [read, open, patch.status(500)]).await;
    told(&seen.body, &["Group.update.before", "may have been made"]);
    // It was not made: the call before it is taken back.
    let [read, open, patch] = begun();
    let steps = [read, open, patch.status(400), call("POST /teams/1/close")];
    let seen = gateway().patch("/Groups/1", json!([member("add", "b")]), steps).await;
    assert!(!seen.body["detail"].as_str().unwrap().contains("taken back"), "{}", seen.body);
}
