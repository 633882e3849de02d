//! What is true when calls fail: a success was made, a failure was not or says what remains, nothing is asked for twice
//! that must not be, and the next change goes through.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use scimitar::engine::{Names, ScimRequest};
use serde_json::json;

use super::fake::{Entry, Kind, Mishap};
use super::model::{Change, Model, Refusal};
use super::properties::{check_body, gateway, run, shown};
use super::requests::{Step, steps};
use super::{Gateway, context};

/// Sequences for each kind.
const CASES: u32 = 200;
/// How long anything may take that is not expected to take any time: no more than a way to notice what never ends.
const EVER: Duration = Duration::from_mins(2);

/// A step, and what befalls its calls: about every tenth.
fn unlucky() -> impl Strategy<Value = (Step, Vec<Option<Mishap>>)> {
    let mishap = prop_oneof![9 => Just(None), 1 => prop::sample::select(Mishap::ALL.to_vec()).prop_map(Some)];
    (steps(), prop::collection::vec(mishap, 0..12))
}

/// A call that was made again although nobody knows whether it did its work the first time.
fn repeated(calls: &[Entry]) -> Option<&Entry> {
    let is_unsafe = |call: &&Entry| call.line.starts_with("POST ") && call.mishap.is_some_and(Mishap::is_unknown);
    calls.iter().enumerate().filter(|(_, call)| is_unsafe(call)).find_map(|(place, call)| {
        let again = calls[place + 1..].iter().any(|later| (&later.line, &later.body) == (&call.line, &call.body));
        again.then_some(call)
    })
}

/// Whether an error says that something may not be as it was.
fn tells_of_a_change(detail: &str) -> bool {
    ["may have been made", "could not be taken back"].iter().any(|text| detail.contains(text))
}

fn same_apart_from_members(one: &Model, other: &Model) -> bool {
    let groups = |model: &Model| -> BTreeMap<String, (String, Option<String>)> {
        model.groups.iter().map(|(id, group)| (id.clone(), (group.name.clone(), group.external_id.clone()))).collect()
    };
    one.users == other.users && groups(one) == groups(other)
}

async fn check(
    gateway: &Gateway,
    model: &mut Model,
    step: &Step,
    mishaps: &[Option<Mishap>],
    failures: &Cell<u32>,
) -> Result<(), TestCaseError> {
    let after = match model.after(&step.change) {
        Err(Refusal::Ambiguous) => return Ok(()),
        Err(Refusal::Status(statuses)) => Err(statuses),
        Ok(after) => Ok(after),
    };
    gateway.fake.befall(mishaps.to_vec());
    let answer = tokio::time::timeout(EVER, gateway.engine.call(&context(), step.request())).await;
    gateway.fake.befall(Vec::new());
    let calls = gateway.fake.calls();
    let held = gateway.held();
    let what = || format!("{:?}\nby {:?}\n{}", step.change, step.request(), shown(&calls));
    let Ok(answer) = answer else { return Err(TestCaseError::fail(format!("no end: {}", what()))) };
    if let Some(call) = repeated(&calls) {
        return Err(TestCaseError::fail(format!("{} twice: {}", call.line, what())));
    }
    let struck: Vec<Mishap> = calls.iter().filter_map(|call| call.mishap).collect();
    match answer {
        Ok(reply) => {
            let Ok(mut after) = after else {
                return Err(TestCaseError::fail(format!("{} for what cannot be done: {}", reply.status, what())));
            };
            if matches!(step.change, Change::CreateUser(_) | Change::CreateGroup(_)) {
                after.settle(reply.body.as_ref().and_then(|body| body["id"].as_str()).unwrap_or_default());
            }
            prop_assert!(held == after, "told as done, but held and asked for are {}\n{}", held.against(&after), what());
            prop_assert_eq!(reply.status, step.status(), "{}", what());
            check_body(reply.body.as_ref(), step.target().0, &held)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{}", what())))?;
        }
        Err(error) => {
            let error = error.to_scim();
            prop_assert!(
                held == *model || tells_of_a_change(&error.detail),
                "\"{}\", but this is not as it was: {}
{}",
                error.detail,
                held.against(model),
                what()
            );
            let is_possible = after.is_ok();
            let expected = after.err().unwrap_or_default();
            let contended = error.status == 409 && struck.contains(&Mishap::Stale);
            prop_assert!(
                expected.contains(&error.status) || contended || error.status >= 500 && !struck.is_empty(),
                "{} {:?} instead of {:?}: {}",
                error.status,
                error.detail,
                expected,
                what()
            );
            // A write that was surely not made is no reason to leave half of a change.
            let clean = |call: &Entry| call.writes && matches!(call.mishap, Some(Mishap::Busy | Mishap::Unreachable));
            if is_possible && struck.len() == 1 && calls.iter().any(clean) {
                prop_assert!(same_apart_from_members(&held, model), "half of a change is left: {}", what());
            }
            failures.set(failures.get() + 1);
        }
    }
    *model = held;
    if !struck.is_empty() {
        again(gateway, model, step).await.map_err(|error| TestCaseError::fail(format!("{error}\nafter {}", what())))?;
    }
    Ok(())
}

/// The same resource can be changed at once.
async fn again(gateway: &Gateway, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let (endpoint, Some(id)) = step.target() else { return Ok(()) };
    let name = "Once more";
    let present = match endpoint {
        "/Users" => model.users.contains_key(id),
        _ => model.groups.contains_key(id) && model.groups.values().all(|group| group.name != name),
    };
    if !present {
        return Ok(());
    }
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "displayName", "value": name }]
    });
    let request = ScimRequest::Patch { endpoint: endpoint.to_owned(), id: id.to_owned(), body, names: Names::default() };
    let answer = tokio::time::timeout(EVER, gateway.engine.call(&context(), request)).await;
    let calls = gateway.fake.calls();
    prop_assert!(matches!(answer, Ok(Ok(_))), "the next change of {endpoint}/{id}: {answer:?}\n{}", shown(&calls));
    *model = gateway.held();
    Ok(())
}

fn holds(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let failures = Cell::new(0);
    run(CASES, &prop::collection::vec(unlucky(), 1..10), |steps| {
        let gateway = gateway(kind);
        let mut model = gateway.held();
        steps.iter().try_for_each(|(step, mishaps)| runtime.block_on(check(&gateway, &mut model, step, mishaps, &failures)))
    });
    assert!(failures.get() > CASES / 2, "hardly anything failed: the test shows nothing");
}

/// A request that is dropped half-way keeps nobody out.
async fn dropped(kind: Kind) {
    let operations = json!([
        { "op": "replace", "path": "displayName", "value": "Staff" },
        { "op": "add", "path": "members", "value": [{ "value": "4" }] },
    ]);
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    for polls in 0..40 {
        let gateway = gateway(kind);
        let context = context();
        let request = ScimRequest::Patch {
            endpoint: "/Groups".to_owned(),
            id: "7".to_owned(),
            body: body.clone(),
            names: Names::default(),
        };
        {
            let mut call = Box::pin(gateway.engine.call(&context, request.clone()));
            for _ in 0..polls {
                if poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await {
                    break;
                }
            }
        }
        let again = tokio::time::timeout(EVER, gateway.engine.call(&context, request)).await;
        assert!(matches!(again, Ok(Ok(_))), "{kind:?} after {polls}: {again:?}");
        let group = &gateway.held().groups["7"];
        assert!(group.name == "Staff" && group.members.contains("4"), "{kind:?} after {polls}: {group:?}");
    }
}

#[test]
fn answers_are_true_with_members_in_endpoints_of_their_own() {
    holds(Kind::Separate);
}

#[test]
fn answers_are_true_one_member_a_call() {
    holds(Kind::Single);
}

#[test]
fn answers_are_true_with_members_in_the_group() {
    holds(Kind::Inline);
}

#[test]
fn answers_are_true_with_records_as_wholes() {
    holds(Kind::Document);
}

#[test]
fn answers_are_true_field_by_field() {
    holds(Kind::Rpc);
}

#[test]
fn answers_are_true_with_memberships_that_are_records() {
    holds(Kind::Records);
}

#[test]
fn answers_are_true_with_members_set_at_once() {
    holds(Kind::Set);
}

#[tokio::test]
async fn a_request_that_is_dropped_keeps_nobody_out() {
    for kind in [Kind::Separate, Kind::Single, Kind::Inline, Kind::Document, Kind::Rpc, Kind::Records, Kind::Set] {
        dropped(kind).await;
    }
}

/// Of calls that are made side by side one fails cleanly, and one may have acted.
#[tokio::test]
async fn a_call_that_may_have_acted_is_told_of_when_another_one_failed_first() {
    let operations = json!([{ "op": "remove", "path": "members" }]);
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    for kind in [Kind::Single, Kind::Records] {
        let gateway = gateway(kind);
        let request = ScimRequest::Patch {
            endpoint: "/Groups".to_owned(),
            id: "7".to_owned(),
            body: body.clone(),
            names: Names::default(),
        };
        let before = gateway.held();
        gateway.fake.befall(vec![None, Some(Mishap::Unreachable), Some(Mishap::CutAfter), Some(Mishap::Unreachable)]);
        let error = gateway.engine.call(&context(), request).await.unwrap_err().to_scim();
        let held = gateway.held();
        let calls = gateway.fake.calls();
        assert!(
            held == before || tells_of_a_change(&error.detail),
            "{kind:?}: \"{}\", but now and before are {}\n{}",
            error.detail,
            held.against(&before),
            shown(&calls)
        );
    }
}
