//! Memberships that are kept in the record of the member and written with it.

use serde_json::{Value, json};

use super::{add, members, remove};
use crate::scripted::{Scripted, Step, call};

/// A backend whose people have their teams, and are replaced as wholes with their revision.
fn people(list: &str) -> Scripted {
    Scripted::new(&format!(
        r#"
mapping: v1
backend:
  url: https://people.test
  concurrency: 1
  errors: [{{ when: "$[?$.error == 'OLD']", as: stale }}]
resources:
  User:
    id: {{ at: $.id, as: integer }}
    gone: "$[?@.left == true]"
    attributes:
      userName: $.login
      title: $.job
    get: GET /people/{{{{key}}}}
    list: GET /people
    update: {{ call: "PUT /people/{{{{key}}}}", send: full, with: {{ rev: "{{{{record.rev}}}}" }} }}
  Group:
    id: {{ at: $.id, as: integer }}
    attributes: {{ displayName: {{ read: $.name }} }}
    get: GET /teams/{{{{key}}}}
    list: GET /teams
    members:{list}
      groups: {{ inline: "$.org.teams[*]", key: $.no, write: true }}
"#
    ))
}

const LISTED: &str = "\n      list: { call: \"GET /people?team={{key}}\", key: $.id }";

fn person(id: u64, rev: u64, teams: &[u64]) -> Value {
    let teams: Value = teams.iter().map(|no| json!({ "no": no, "since": "2020" })).collect();
    json!({ "id": id, "rev": rev, "login": format!("p{id}"), "job": "Guide", "org": { "teams": teams } })
}

/// The whole of a person as it is sent, with these elements.
#[expect(clippy::needless_pass_by_value, reason = "as it is called with `json!`")]
fn sent(id: u64, rev: u64, teams: Value) -> Value {
    json!({ "login": format!("p{id}"), "job": "Guide", "rev": rev, "org": { "teams": teams } })
}

fn read(id: u64, rev: u64, teams: &[u64]) -> Step {
    call(&format!("GET /people/{id}")).answer(person(id, rev, teams))
}

fn put(id: u64, rev: u64, teams: Value) -> Step {
    call(&format!("PUT /people/{id}")).body(sent(id, rev, teams))
}

fn team() -> Step {
    call("GET /teams/50").answer(json!({ "id": 50, "name": "Guides" }))
}

fn shown(body: &Value) -> Vec<&str> {
    body["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_comes_and_goes_is_written_as_any_change_of_the_member() {
    let gateway = people(LISTED);
    // 1 is a member of another team, 2 is in the team already, 3 does not exist. What an element has besides stays with it.
    let steps = vec![
        team(),
        read(1, 4, &[60]),
        put(1, 4, json!([{ "no": 60, "since": "2020" }, { "no": 50 }])),
        read(2, 9, &[50]),
        call("GET /people/3").status(404),
        team(),
        call("GET /people?team=50").answer(json!([{ "id": 1 }, { "id": 2 }])),
    ];
    let seen = gateway.patch("/Groups/50", add(&["1", "2", "3"]), steps).await;
    assert_eq!((seen.status, shown(&seen.body)), (200, vec!["1", "2"]), "{}", seen.body);
    // The revision has moved on, and so has the team: both are read again.
    let steps = vec![
        team(),
        read(2, 9, &[50, 60]),
        put(2, 9, json!([{ "no": 60, "since": "2020" }])).status(409).answer(json!({ "error": "OLD" })),
        read(2, 10, &[50]),
        put(2, 10, json!([])),
        team(),
        call("GET /people?team=50").answer(json!([{ "id": 1 }])),
    ];
    let seen = gateway.patch("/Groups/50", remove("2"), steps).await;
    assert_eq!((seen.status, shown(&seen.body)), (200, vec!["1"]), "{}", seen.body);
    // A team that is not there is nobody's.
    let steps = vec![call("GET /teams/50").status(404)];
    assert_eq!(gateway.patch("/Groups/50", add(&["1"]), steps).await.status, 404);
}

#[tokio::test]
async fn a_change_of_the_member_itself_keeps_its_teams() {
    let gateway = people(LISTED);
    let teams = json!([{ "no": 50, "since": "2020" }]);
    let mut body = sent(1, 4, teams);
    body["job"] = json!("Boss");
    let mut after = person(1, 5, &[50]);
    after["job"] = json!("Boss");
    let steps = vec![read(1, 4, &[50]), call("PUT /people/1").body(body).answer(after)];
    let seen = gateway.patch("/Users/1", json!([{ "op": "replace", "path": "title", "value": "Boss" }]), steps).await;
    assert_eq!((seen.status, &seen.body["groups"][0]["value"]), (200, &json!("50")), "{}", seen.body);
}

#[tokio::test]
async fn without_a_list_of_members_the_list_of_all_tells_them() {
    let gateway = people("");
    let mut left = person(4, 1, &[50]);
    left["left"] = json!(true);
    let all = |teams: [&[u64]; 3]| {
        let [one, two, three] = teams;
        call("GET /people").answer(json!([person(1, 1, one), person(2, 1, two), person(3, 1, three), left.clone()]))
    };
    let seen = gateway.read("/Groups/50", &[], vec![team(), all([&[50], &[60], &[60, 50]])]).await;
    assert_eq!(shown(&seen.body), ["1", "3"]);
    // All members are replaced: 3 stays, 2 comes, 1 goes.
    let steps = vec![
        team(),
        all([&[50], &[], &[50]]),
        read(2, 1, &[]),
        put(2, 1, json!([{ "no": 50 }])),
        read(1, 1, &[50]),
        put(1, 1, json!([])),
        team(),
        all([&[], &[50], &[50]]),
    ];
    let replace = json!([{ "op": "replace", "path": "members", "value": members(&["2", "3"]) }]);
    let seen = gateway.patch("/Groups/50", replace, steps).await;
    assert_eq!((seen.status, shown(&seen.body)), (200, vec!["2", "3"]), "{}", seen.body);
}

#[tokio::test]
async fn what_was_written_before_a_failure_is_told() {
    let gateway = people(LISTED);
    let steps = vec![
        team(),
        read(1, 4, &[]),
        put(1, 4, json!([{ "no": 50 }])),
        read(2, 4, &[]),
        put(2, 4, json!([{ "no": 50 }])).status(500),
    ];
    let seen = gateway.patch("/Groups/50", add(&["1", "2"]), steps).await;
    assert_eq!(seen.status, 502, "{}", seen.body);
    assert!(seen.body["detail"].as_str().unwrap().contains("members (1 of them)"), "{}", seen.body);
}
