//! A Bulk job is its operations one after the other: the same changes, the same answers.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use scimitar::engine::ScimRequest;
use serde_json::{Value, json};

use super::fake::Kind;
use super::model::{Change, Refusal};
use super::properties::{gateway, run, shown};
use super::requests::{Step, steps};
use super::{Gateway, context};

/// Jobs for each kind.
const CASES: u32 = 60;

fn operation(place: usize, step: &Step) -> Value {
    match step.request() {
        ScimRequest::Create { endpoint, body, .. } => {
            json!({ "method": "POST", "path": endpoint, "bulkId": format!("b{place}"), "data": body })
        }
        ScimRequest::Replace { endpoint, id, body, .. } => {
            json!({ "method": "PUT", "path": format!("{endpoint}/{id}"), "data": body })
        }
        ScimRequest::Patch { endpoint, id, body, .. } => {
            json!({ "method": "PATCH", "path": format!("{endpoint}/{id}"), "data": body })
        }
        ScimRequest::Delete { endpoint, id } => json!({ "method": "DELETE", "path": format!("{endpoint}/{id}") }),
        other => panic!("{other:?}"),
    }
}

async fn check(gateway: &Gateway, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = gateway.held();
    let operations: Vec<Value> = steps.iter().enumerate().map(|(place, step)| operation(place, step)).collect();
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    let reply = gateway.engine.call(&context(), ScimRequest::Bulk { body }).await;
    let reply = reply.map_err(|error| TestCaseError::fail(error.to_string()))?.body.unwrap();
    let calls = gateway.fake.calls();
    let results = reply["Operations"].as_array().unwrap();
    prop_assert_eq!(results.len(), steps.len());
    for (step, result) in steps.iter().zip(results) {
        let status: u16 = result["status"].as_str().unwrap().parse().unwrap();
        match model.after(&step.change) {
            Ok(mut after) => {
                if matches!(step.change, Change::CreateUser(_) | Change::CreateGroup(_)) {
                    after
                        .settle(result["location"].as_str().and_then(|location| location.rsplit('/').next()).unwrap_or_default());
                }
                // Nobody can ask for attributes here.
                let expected = if matches!(step.change, Change::PatchGroup(..)) { 204 } else { step.status() };
                prop_assert_eq!(status, expected, "{} for {:?}\n{}", result, step.change, shown(&calls));
                model = after;
            }
            Err(Refusal::Status(statuses)) => {
                prop_assert!(statuses.contains(&status), "{result} for {:?}\n{}", step.change, shown(&calls));
            }
            // Nobody can say what is there now.
            Err(Refusal::Ambiguous) => return Ok(()),
        }
    }
    let held = gateway.held();
    prop_assert!(held == model, "held and asked for are {}\n{}", held.against(&model), shown(&calls));
    Ok(())
}

fn holds(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    run(CASES, &prop::collection::vec(steps(), 1..12), |steps| runtime.block_on(check(&gateway(kind), &steps)));
}

#[test]
fn jobs_are_their_operations_with_members_in_endpoints_of_their_own() {
    holds(Kind::Separate);
}

#[test]
fn jobs_are_their_operations_one_member_a_call() {
    holds(Kind::Single);
}

#[test]
fn jobs_are_their_operations_with_members_in_the_group() {
    holds(Kind::Inline);
}

#[test]
fn jobs_are_their_operations_with_records_as_wholes() {
    holds(Kind::Document);
}

#[test]
fn jobs_are_their_operations_field_by_field() {
    holds(Kind::Rpc);
}

#[test]
fn jobs_are_their_operations_with_memberships_that_are_records() {
    holds(Kind::Records);
}

#[test]
fn jobs_are_their_operations_with_members_set_at_once() {
    holds(Kind::Set);
}
