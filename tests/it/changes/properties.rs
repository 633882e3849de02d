//! Any sequence of changes leaves every kind of backend as a plain model says, every answer tells what the backend holds,
//! and the explanation of every change that is made foretells its calls.

use std::hash::{BuildHasher as _, RandomState};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use serde_json::Value;

use super::fake::{Entry, Kind, State};
use super::foretold;
use super::model::{Change, Model, Refusal, User};
use super::requests::{GROUPS, Step, USERS, steps};
use super::{Gateway, context};

/// Sequences for each kind.
const CASES: u32 = 120;

pub(crate) fn gateway(kind: Kind) -> Gateway {
    Gateway::new(kind, State::new(USERS, &GROUPS))
}

/// Runs a property over cases from a strategy, from a seed that is told when it fails.
pub(crate) fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let given = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let cases = given("SCIMITAR_TEST_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let seed = given("SCIMITAR_TEST_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let config =
        Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), max_shrink_iters: 5_000, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(strategy, test) {
        panic!("{error}\nagain with SCIMITAR_TEST_SEED={seed}");
    }
}

pub(crate) fn shown(calls: &[Entry]) -> String {
    let line = |call: &Entry| {
        let mishap = call.mishap.map_or(String::new(), |mishap| format!("  <- {mishap:?}"));
        let body = if call.body.is_null() { String::new() } else { format!(" {}", call.body) };
        format!("  {}{body}{mishap}", call.line)
    };
    calls.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Whether an answer tells what is held.
pub(crate) fn check_body(body: Option<&Value>, endpoint: &str, held: &Model) -> Result<(), TestCaseError> {
    let Some(body) = body else { return Ok(()) };
    let id = body["id"].as_str().unwrap_or_default();
    if endpoint == "/Users" {
        prop_assert_eq!(Some(&User::of_scim(body)), held.users.get(id), "the answer is {}", body);
        return Ok(());
    }
    let group = held.groups.get(id);
    prop_assert!(group.is_some(), "the answer is {}", body);
    let group = group.unwrap();
    prop_assert_eq!(&body["displayName"], &Value::from(group.name.as_str()), "the answer is {}", body);
    prop_assert_eq!(body["externalId"].as_str(), group.external_id.as_deref(), "the answer is {}", body);
    let mut members: Vec<&str> =
        body["members"].as_array().into_iter().flatten().filter_map(|member| member["value"].as_str()).collect();
    members.sort_unstable();
    prop_assert_eq!(members, group.members.iter().map(String::as_str).collect::<Vec<_>>(), "the answer is {}", body);
    Ok(())
}

async fn check(gateway: &Gateway, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let after = match model.after(&step.change) {
        Err(Refusal::Ambiguous) => return Ok(()),
        Err(Refusal::Status(statuses)) => Err(statuses),
        Ok(after) => Ok(after),
    };
    let answer = gateway.engine.call(&context(), step.request()).await;
    let calls = gateway.fake.calls();
    let held = gateway.held();
    let what = || format!("{:?}\nby {:?}\n{}", step.change, step.request(), shown(&calls));
    match (after, answer) {
        (Ok(mut after), Ok(reply)) => {
            let id = reply.body.as_ref().and_then(|body| body["id"].as_str()).unwrap_or_default().to_owned();
            if matches!(step.change, Change::CreateUser(_) | Change::CreateGroup(_)) {
                prop_assert!(!id.is_empty() && !model.users.contains_key(&id) && !model.groups.contains_key(&id), "{}", what());
                after.settle(&id);
            } else {
                prop_assert!(reply.body.is_none() || step.target().1 == Some(&id), "{}", what());
            }
            prop_assert!(held == after, "held and asked for are {}\n{}", held.against(&after), what());
            prop_assert_eq!(reply.status, step.status(), "{}", what());
            prop_assert_eq!(reply.body.is_none(), reply.status == 204, "{}", what());
            check_body(reply.body.as_ref(), step.target().0, &held)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{}", what())))?;
            *model = after;
            let wrongly = foretold::wrongly(gateway.engine.mapping(), &step.request(), &calls);
            prop_assert!(wrongly.is_none(), "explained as\n{}\n{}", wrongly.unwrap_or_default(), what());
        }
        (Err(statuses), Err(error)) => {
            prop_assert!(
                held == *model,
                "refused with \"{}\", but now and before are {}\n{}",
                error,
                held.against(model),
                what()
            );
            prop_assert!(statuses.contains(&error.to_scim().status), "{} instead of {:?}: {}", error, statuses, what());
        }
        (Ok(_), Err(error)) => prop_assert!(false, "{error}: {}", what()),
        (Err(statuses), Ok(reply)) => prop_assert!(false, "{} instead of {statuses:?}: {}", reply.status, what()),
    }
    Ok(())
}

fn holds(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    run(CASES, &prop::collection::vec(steps(), 1..12), |steps| {
        let gateway = gateway(kind);
        let mut model = gateway.held();
        steps.iter().try_for_each(|step| runtime.block_on(check(&gateway, &mut model, step)))
    });
}

#[test]
fn changes_are_made_with_members_in_endpoints_of_their_own() {
    holds(Kind::Separate);
}

#[test]
fn changes_are_made_one_member_a_call() {
    holds(Kind::Single);
}

#[test]
fn changes_are_made_with_members_in_the_group() {
    holds(Kind::Inline);
}

#[test]
fn changes_are_made_with_records_as_wholes() {
    holds(Kind::Document);
}

#[test]
fn changes_are_made_field_by_field() {
    holds(Kind::Rpc);
}

#[test]
fn changes_are_made_with_memberships_that_are_records() {
    holds(Kind::Records);
}

#[test]
fn changes_are_made_with_members_set_at_once() {
    holds(Kind::Set);
}
