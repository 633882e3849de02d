//! A Bulk job of operations that do not depend on each other comes to the same as they do one after the other: the same
//! changes, the same answers. Those about one resource are in their order.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use scimitar::engine::ScimRequest;
use scimitar::scim::Profile;
use scimitar::scim::bulk::BulkRequest;
use serde_json::{Value, json};

use super::fake::Kind;
use super::model::{Change, GroupOp, Refusal, Text, UserOp};
use super::properties::{gateway, run, shown};
use super::requests::{Step, USERS, steps};
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

/// The steps whose order does not matter unless they are about the same resource: who is there stays there, and nobody
/// takes a name that another one has or gives up.
fn independent(steps: Vec<Step>) -> Vec<Step> {
    let mut taken: BTreeSet<String> = ["user1", "user2", "group7", "group8"].map(str::to_owned).into();
    let lasting = |id: &String| id.parse::<u64>().unwrap() <= USERS + 3 || id == "999";
    let mut is_independent = |step: &Step| {
        let mut names = Vec::new();
        let mut ids: Vec<&String> = Vec::new();
        match &step.change {
            Change::CreateUser(new) | Change::ReplaceUser(_, new) => {
                names.push(new.texts[&Text::UserName].to_lowercase());
                ids.extend(&new.manager);
            }
            Change::PatchUser(_, operations) => {
                for operation in operations {
                    match operation {
                        UserOp::Text(Text::UserName, name) => names.push(name.to_lowercase()),
                        UserOp::Manager(id) => ids.push(id),
                        _ => {}
                    }
                }
            }
            Change::CreateGroup(new) | Change::ReplaceGroup(_, new) => {
                names.push(new.name.clone());
                ids.extend(new.members.iter().flatten());
            }
            Change::PatchGroup(_, operations) => {
                for operation in operations {
                    match operation {
                        GroupOp::Rename(name) => names.push(name.clone()),
                        GroupOp::Add(members) | GroupOp::Replace(members) => ids.extend(members),
                        _ => {}
                    }
                }
            }
            Change::DeleteGroup(_) => {}
            Change::DeleteUser(_) => return false,
        }
        let there = step.target().1.map(str::to_owned);
        let free = names.iter().all(|name| !taken.contains(name)) && ids.into_iter().chain(&there).all(lasting);
        taken.extend(names.into_iter().filter(|_| free));
        free
    };
    steps.into_iter().filter(|step| is_independent(step)).collect()
}

async fn check(gateway: &Gateway, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = gateway.held();
    let operations: Vec<Value> = steps.iter().enumerate().map(|(place, step)| operation(place, step)).collect();
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    let job = BulkRequest::parse(body.to_string().as_bytes(), &Profile::LENIENT).unwrap();
    let reply = gateway.engine.call(&context(), ScimRequest::Bulk { job }).await;
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
    let job = prop::collection::vec(steps(), 1..20).prop_map(independent);
    run(CASES, &job.prop_filter("an empty job", |steps| !steps.is_empty()), |steps| {
        runtime.block_on(check(&gateway(kind), &steps))
    });
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
