//! The calls of the changes that identity providers ask for, on every kind of backend: what each needs, and no more. Where
//! more are made, `more` tells which of them are not needed. The explanation of each request foretells them.

use scimitar::engine::{Names, ScimRequest};
use serde_json::{Value, json};

use super::fake::{Entry, Kind, State};
use super::foretold;
use super::requests::{GROUPS, USERS};
use super::{Gateway, context};
use crate::support::lines;

/// The kinds whose calls are in the table, by their names there.
const KINDS: [(&str, Kind); 6] = [
    ("separate", Kind::Separate),
    ("single", Kind::Single),
    ("inline", Kind::Inline),
    ("document", Kind::Document),
    ("rpc", Kind::Rpc),
    ("records", Kind::Records),
];

fn request(case: &Value) -> ScimRequest {
    let (path, body, names) = (case["path"].as_str().unwrap(), case["body"].clone(), Names::default());
    let (endpoint, id) = match path.rsplit_once('/') {
        Some(("", _)) | None => (path, ""),
        Some(parts) => parts,
    };
    let (endpoint, id) = (endpoint.to_owned(), id.to_owned());
    match case["method"].as_str().unwrap() {
        "POST" => ScimRequest::Create { endpoint, body, names },
        "PUT" => ScimRequest::Replace { endpoint, id, body, names },
        "PATCH" => ScimRequest::Patch { endpoint, id, body, names },
        "DELETE" => ScimRequest::Delete { endpoint, id },
        other => panic!("{other}"),
    }
}

/// A call as it stands in the table: a line, or a line and a body.
fn written(call: &Entry) -> Value {
    let line = call.rev.as_ref().map_or(call.line.clone(), |rev| format!("{} if-match: {rev}", call.line));
    if call.body.is_null() { json!(line) } else { json!([line, call.body]) }
}

async fn calls_of(name: &str) {
    let (_, kind) = KINDS.into_iter().find(|(known, _)| *known == name).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in lines("change-calls.jsonl") {
        let Some(expected) = case["calls"].get(name) else { continue };
        cases += 1;
        let mut state = State::new(USERS, &GROUPS);
        // One has a manager.
        state.users.get_mut(&5).unwrap()["boss"] = json!(1);
        let gateway = Gateway::new(kind, state);
        let answer = gateway.engine.call(&context(), request(&case["request"])).await;
        let calls = gateway.fake.calls();
        if let Some(explained) = foretold::wrongly(gateway.engine.mapping(), &request(&case["request"]), &calls) {
            wrong.push(format!("{}: {}\n  explained as\n{explained}", case["why"], case["request"]));
        }
        let made: Vec<Value> = calls.iter().map(written).collect();
        let status = answer.as_ref().map(|reply| reply.status).unwrap_or_default();
        if case["status"] != status || json!(made) != *expected {
            let show = |calls: &[Value]| calls.iter().map(Value::to_string).collect::<Vec<_>>().join("\n    ");
            wrong.push(format!(
                "{}: {}\n  wanted {}\n    {}\n  made {status} {:?}\n    {}",
                case["why"],
                case["request"],
                case["status"],
                show(expected.as_array().unwrap()),
                answer.err(),
                show(&made)
            ));
        }
    }
    assert!(cases >= 20, "{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} on {name}\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn changes_take_the_calls_they_need_with_members_in_endpoints_of_their_own() {
    calls_of("separate").await;
}

#[tokio::test]
async fn changes_take_the_calls_they_need_one_member_a_call() {
    calls_of("single").await;
}

#[tokio::test]
async fn changes_take_the_calls_they_need_with_members_in_the_group() {
    calls_of("inline").await;
}

#[tokio::test]
async fn changes_take_the_calls_they_need_with_records_as_wholes() {
    calls_of("document").await;
}

#[tokio::test]
async fn changes_take_the_calls_they_need_field_by_field() {
    calls_of("rpc").await;
}

#[tokio::test]
async fn changes_take_the_calls_they_need_with_memberships_that_are_records() {
    calls_of("records").await;
}
