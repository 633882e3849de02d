//! Batches of members whose answer tells of each what became of it.

use serde_json::{Value, json};

use super::{add, remove};
use crate::scripted::{Scripted, call};

fn teams(results: &str, unknown: &str) -> Scripted {
    Scripted::new(&format!(
        r#"
mapping: v1
backend: {{ url: "https://people.test" }}
resources:
  User:
    id: {{ at: $.id, as: integer }}
    attributes: {{ userName: {{ read: $.login }} }}
    get: GET /people/{{{{key}}}}
    list: GET /people
  Group:
    id: $.id
    attributes: {{ displayName: {{ read: $.name }} }}
    get: GET /teams/{{{{key}}}}
    list: GET /teams
    members:
      list: {{ call: "GET /teams/{{{{key}}}}/people", key: $.id }}
      add:
        call: POST /teams/{{{{key}}}}/people
        body: {{ ids: "{{{{members}}}}" }}
        batch: 3
        results: {results}
      remove:
        call: DELETE /teams/{{{{key}}}}/people
        body: {{ ids: "{{{{members}}}}" }}
        batch: 3
        results: {results}
      unknown: {unknown}
"#
    ))
}

const BY_KEY: &str =
    r#"{ items: "$.rows[*]", status: $.code, key: $.person, errors: [{ when: "$[?$.why == 'IS_MEMBER']", as: done }] }"#;
const IN_ORDER: &str = r#"{ items: "$[*]", errors: [{ when: $.unknown, as: unknownMember }, { when: $.error, as: failed }] }"#;

fn team() -> Value {
    json!({ "id": "t", "name": "Guides" })
}

fn listed(ids: &[u64]) -> Value {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

fn shown(body: &Value) -> Vec<&str> {
    body["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_member_has_a_result_by_its_key() {
    let gateway = teams(BY_KEY, "skip");
    // 7 is new, 8 was a member, nobody knows 9; 10 comes in a call of its own.
    let rows = json!({ "rows": [
        { "person": "9", "code": 404, "why": "NOBODY" },
        { "person": 7, "code": 201 },
        { "person": 8, "code": 409, "why": "IS_MEMBER" },
    ] });
    let steps = vec![
        call("POST /teams/t/people").body(json!({ "ids": [7, 8, 9] })).status(207).answer(rows),
        call("POST /teams/t/people").body(json!({ "ids": [10] })).answer(json!({ "rows": [{ "person": 10, "code": "201" }] })),
        call("GET /teams/t").answer(team()),
        call("GET /teams/t/people").answer(listed(&[7, 8, 10])),
    ];
    let seen = gateway.patch("/Groups/t", add(&["7", "8", "9", "10"]), steps).await;
    assert_eq!((seen.status, shown(&seen.body)), (200, vec!["7", "8", "10"]), "{}", seen.body);

    // One alone, and unknown: nothing is left of the request.
    let rows = json!({ "rows": [{ "person": 9, "code": 404 }] });
    let steps = vec![call("POST /teams/t/people").body(json!({ "ids": [9] })).answer(rows)];
    let seen = gateway.patch("/Groups/t", add(&["9"]), steps).await;
    assert_eq!((seen.status, seen.body["scimType"].as_str()), (400, Some("invalidValue")));

    // Of who goes and is not known nothing is said.
    let rows = json!({ "rows": [{ "person": 7, "code": 200 }, { "person": 9, "code": 404 }] });
    let steps = vec![
        call("DELETE /teams/t/people").body(json!({ "ids": [7, 9] })).answer(rows),
        call("GET /teams/t").answer(team()),
        call("GET /teams/t/people").answer(listed(&[])),
    ];
    let gone = json!([remove("7")[0], remove("9")[0]]);
    assert_eq!(gateway.patch("/Groups/t", gone, steps).await.status, 200);
}

#[tokio::test]
async fn who_is_unknown_may_be_refused_and_what_was_done_is_told() {
    let gateway = teams(BY_KEY, "refuse");
    let rows = json!({ "rows": [{ "person": 7, "code": 201 }, { "person": 9, "code": 404 }] });
    let steps = vec![call("POST /teams/t/people").body(json!({ "ids": [7, 9] })).answer(rows)];
    let seen = gateway.patch("/Groups/t", add(&["7", "9"]), steps).await;
    let detail = seen.body["detail"].as_str().unwrap();
    assert_eq!(seen.status, 400, "{detail}");
    assert!(detail.contains('9') && detail.contains("members (1 of them)"), "{detail}");
}

#[tokio::test]
async fn an_answer_that_leaves_somebody_out_is_no_success() {
    for rows in [json!({ "rows": [{ "person": 7, "code": 201 }] }), json!({ "rows": [] }), json!({}), json!([{ "person": 7 }])] {
        let gateway = teams(BY_KEY, "skip");
        let steps = vec![call("POST /teams/t/people").body(json!({ "ids": [7, 8] })).answer(rows.clone())];
        let seen = gateway.patch("/Groups/t", add(&["7", "8"]), steps).await;
        assert_eq!(seen.status, 502, "{rows}: {}", seen.body);
    }
}

#[tokio::test]
async fn results_may_come_in_the_order_of_the_members() {
    let gateway = teams(IN_ORDER, "skip");
    let steps = vec![
        call("POST /teams/t/people").body(json!({ "ids": [7, 8] })).answer(json!([{ "unknown": true }, {}])),
        call("GET /teams/t").answer(team()),
        call("GET /teams/t/people").answer(listed(&[8])),
    ];
    let seen = gateway.patch("/Groups/t", add(&["7", "8"]), steps).await;
    assert_eq!((seen.status, shown(&seen.body)), (200, vec!["8"]));
    // One result less than members: whose they are, nobody can tell.
    let steps = vec![call("POST /teams/t/people").body(json!({ "ids": [7, 8] })).answer(json!([{}]))];
    assert_eq!(gateway.patch("/Groups/t", add(&["7", "8"]), steps).await.status, 502);
    // A failure of one is a failure, and the other was added.
    let steps = vec![call("POST /teams/t/people").body(json!({ "ids": [7, 8] })).answer(json!([{ "error": "x" }, {}]))];
    let seen = gateway.patch("/Groups/t", add(&["7", "8"]), steps).await;
    assert_eq!(seen.status, 502, "{}", seen.body);
    assert!(seen.body["detail"].as_str().unwrap().contains("members (1 of them)"), "{}", seen.body);
}
