//! Many at once lose nobody, and large groups cost no more than small ones.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use scimitar::engine::{Context, Names, ScimRequest};
use scimitar::scim::Profile;
use serde_json::{Value, json};

use super::fake::{Fake, Kind, State};
use super::{Gateway, context};

/// No more than a way to notice what never ends.
const EVER: Duration = Duration::from_mins(2);

fn patch(endpoint: &str, id: u64, operations: &Value) -> ScimRequest {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    ScimRequest::Patch { endpoint: endpoint.to_owned(), id: id.to_string(), body, names: Names::default() }
}

fn added(user: u64) -> Value {
    json!({ "op": "add", "path": "members", "value": [{ "value": user.to_string() }] })
}

fn removed(user: u64) -> Value {
    json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") })
}

/// Sends all requests at once, spread over gateways that know nothing of each other. Where there is more than one, a client
/// that is told of others tries again, as clients do.
async fn all_at_once(fake: &Fake, gateways: usize, requests: Vec<ScimRequest>) {
    // One gateway lets writes of one resource pass one by one; several meet.
    fake.wait_for(gateways);
    let engines: Vec<Arc<Gateway>> = (0..gateways).map(|_| Arc::new(Gateway::before(fake.clone()))).collect();
    let tasks: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(place, request)| {
            let gateway = Arc::clone(&engines[place % gateways]);
            tokio::spawn(async move {
                for _ in 0..100 {
                    match gateway.engine.call(&context(), request.clone()).await {
                        Ok(reply) => return assert!(reply.status < 300),
                        Err(error) if gateways > 1 && error.to_scim().status == 409 => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                panic!("never through: {request:?}");
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(EVER, task).await.unwrap().unwrap();
    }
}

/// Fifty requests that each add another user to one group, of which every tenth also removes somebody.
async fn members(kind: Kind, behind: &[usize]) {
    for &gateways in behind {
        let fake = Fake::new(kind, State::new(60, &[&[51, 52, 53, 54, 55, 56, 57, 58, 59, 60]]));
        let requests = (1..=50).map(|user| match user % 10 {
            0 => patch("/Groups", 61, &json!([added(user), removed(50 + user / 10)])),
            _ => patch("/Groups", 61, &json!([added(user)])),
        });
        all_at_once(&fake, gateways, requests.collect()).await;
        let members: BTreeSet<u64> = fake.state().members(61).collect();
        let expected: BTreeSet<u64> = (1..=50).chain(56..=60).collect();
        assert_eq!(members, expected, "{kind:?} behind {gateways}");
    }
}

/// Requests that each change another attribute of one user.
async fn attributes(kind: Kind) {
    let paths = ["externalId", "displayName", "name.givenName", "name.familyName", "title", "nickName"];
    let fields = ["ext", "display", "first", "last", "job", "nick"];
    for gateways in [1, 3] {
        let fake = Fake::new(kind, State::new(1, &[]));
        let requests = paths.iter().map(|path| patch("/Users", 1, &json!([{ "op": "replace", "path": path, "value": "new" }])));
        all_at_once(&fake, gateways, requests.collect()).await;
        let state = fake.state();
        for field in fields {
            assert_eq!(state.users[&1][field], "new", "{kind:?} behind {gateways}: {}", state.users[&1]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_with_members_in_endpoints_of_their_own() {
    members(Kind::Separate, &[1, 3]).await;
    attributes(Kind::Separate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_one_member_a_call() {
    members(Kind::Single, &[1, 3]).await;
    attributes(Kind::Single).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_with_members_in_the_group() {
    members(Kind::Inline, &[1, 3]).await;
    attributes(Kind::Inline).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_with_records_as_wholes() {
    members(Kind::Document, &[1, 3]).await;
    attributes(Kind::Document).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_field_by_field() {
    members(Kind::Rpc, &[1, 3]).await;
    attributes(Kind::Rpc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_with_memberships_that_are_records() {
    members(Kind::Records, &[1, 3]).await;
    attributes(Kind::Records).await;
}

/// Without a revision nothing but the gateway itself keeps writers apart, which it can do for its own alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_with_members_set_at_once() {
    members(Kind::Set, &[1]).await;
}

/// What one change of a group of a hundred thousand costs.
async fn of_many(kind: Kind, operation: Value) -> Vec<String> {
    let mut state = State::new(3, &[&[1]]);
    state.fill(4, 100_000);
    let gateway = Gateway::new(kind, state);
    let answer = gateway.engine.call(&context(), patch("/Groups", 4, &json!([operation]))).await.unwrap();
    assert_eq!(answer.status, 204);
    gateway.fake.calls().into_iter().map(|call| format!("{} {}", call.line, call.body)).collect()
}

#[tokio::test]
async fn one_more_of_a_hundred_thousand_is_one_call_with_members_in_endpoints_of_their_own() {
    assert_eq!(of_many(Kind::Separate, added(2)).await, [r#"POST /groups/4/members {"user_ids":[2]}"#]);
    assert_eq!(of_many(Kind::Separate, removed(1)).await, ["DELETE /groups/4/members/1 null"]);
}

#[tokio::test]
async fn one_more_of_a_hundred_thousand_is_one_call_one_member_a_call() {
    assert_eq!(of_many(Kind::Single, added(2)).await, ["POST /groups/4/members/2 null"]);
    assert_eq!(of_many(Kind::Single, removed(1)).await, ["DELETE /groups/4/members/1 null"]);
}

#[tokio::test]
async fn one_more_of_a_hundred_thousand_is_one_call_with_members_in_the_group() {
    assert_eq!(of_many(Kind::Inline, added(2)).await, [r#"PATCH /groups/4 {"add":[2]}"#]);
    assert_eq!(of_many(Kind::Inline, removed(1)).await, [r#"PATCH /groups/4 {"remove":[1]}"#]);
}

/// The name of the group is in the call: the group is read, which does not have its members.
#[tokio::test]
async fn one_more_of_a_hundred_thousand_does_not_read_the_others_field_by_field() {
    let joined = ["GET /team?team=4 null", r#"POST /person/join {"person":2,"team":"group4"}"#];
    assert_eq!(of_many(Kind::Rpc, added(2)).await, joined);
    let quit = ["GET /team?team=4 null", r#"POST /person/quit {"person":1,"team":"group4"}"#];
    assert_eq!(of_many(Kind::Rpc, removed(1)).await, quit);
}

/// Only the list tells the id of the membership that goes.
#[tokio::test]
async fn one_more_of_a_hundred_thousand_is_one_call_with_memberships_that_are_records() {
    assert_eq!(of_many(Kind::Records, added(2)).await, [r#"POST /memberships {"group":4,"user":2}"#]);
    assert_eq!(of_many(Kind::Records, removed(1)).await, ["GET /memberships?group=4 null", "DELETE /memberships/90001 null"]);
}

/// A client that wants an answer, but no members in it: the group is read, its members are not.
#[tokio::test]
async fn an_answer_without_members_does_not_read_them() {
    let mut state = State::new(3, &[&[1]]);
    state.fill(4, 100_000);
    let gateway = Gateway::new(Kind::Separate, state);
    let ScimRequest::Patch { endpoint, id, body, .. } = patch("/Groups", 4, &json!([added(2)])) else { unreachable!() };
    let names = Names { excluded: vec!["members".to_owned()], ..Names::default() };
    let strict = Context { profile: &Profile::STRICT, ..context() };
    let reply = gateway.engine.call(&strict, ScimRequest::Patch { endpoint, id, body, names }).await.unwrap();
    assert_eq!((reply.status, reply.body.unwrap().get("members")), (200, None));
    let lines: Vec<String> = gateway.fake.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["POST /groups/4/members", "GET /groups/4"]);
}
