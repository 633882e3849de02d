//! Any job ends like its sequence: the same statuses, the same state of the backend.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::*;

const CASES: u32 = 250;
/// Users and groups that are there before.
const USERS: usize = 4;
const TEAMS: usize = 2;

/// What an operation is about: something that is there, or what another operation creates.
#[derive(Debug, Clone, Copy)]
enum Who {
    There(usize),
    Made(usize),
    Nobody,
}

#[derive(Debug, Clone)]
enum Op {
    CreateUser { name: usize, upper: bool, manager: Option<Who>, reference: Option<usize> },
    CreateGroup { name: usize, members: Vec<Who> },
    PutUser { who: Who, name: usize },
    PutGroup { who: Who, name: usize, members: Vec<Who> },
    Rename { who: Who, name: usize, by_object: bool },
    Title { who: Who, title: usize, version: Option<u8> },
    Manager { who: Who, manager: Option<Who> },
    Active { who: Who, active: bool },
    Members { who: Who, op: &'static str, members: Vec<Who>, version: Option<u8> },
    RemoveMember { who: Who, member: Who },
    DeleteUser { who: Who },
    DeleteGroup { who: Who },
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![4 => (0..USERS).prop_map(Who::There), 4 => (0..16_usize).prop_map(Who::Made), 1 => Just(Who::Nobody)]
}

fn name() -> impl Strategy<Value = usize> {
    0..6_usize
}

fn op() -> impl Strategy<Value = Op> {
    let members = || prop::collection::vec(who(), 0..3);
    let version = || prop::option::weighted(0.2, 1..4_u8);
    prop_oneof![
        5 => (name(), any::<bool>(), prop::option::of(who()), prop::option::of(0..2_usize))
            .prop_map(|(name, upper, manager, reference)| Op::CreateUser { name, upper, manager, reference }),
        2 => (name(), members()).prop_map(|(name, members)| Op::CreateGroup { name, members }),
        2 => (who(), name()).prop_map(|(who, name)| Op::PutUser { who, name }),
        1 => (who(), name(), members()).prop_map(|(who, name, members)| Op::PutGroup { who, name, members }),
        2 => (who(), name(), any::<bool>()).prop_map(|(who, name, by_object)| Op::Rename { who, name, by_object }),
        2 => (who(), 0..9_usize, version()).prop_map(|(who, title, version)| Op::Title { who, title, version }),
        2 => (who(), prop::option::of(who())).prop_map(|(who, manager)| Op::Manager { who, manager }),
        1 => (who(), any::<bool>()).prop_map(|(who, active)| Op::Active { who, active }),
        4 => (who(), prop::sample::select(vec!["add", "replace"]), members(), version())
            .prop_map(|(who, op, members, version)| Op::Members { who, op, members, version }),
        2 => (who(), who()).prop_map(|(who, member)| Op::RemoveMember { who, member }),
        3 => who().prop_map(|who| Op::DeleteUser { who }),
        1 => who().prop_map(|who| Op::DeleteGroup { who }),
    ]
}

/// What is there before, and who creates what in the job.
struct Cast {
    users: Vec<String>,
    teams: Vec<String>,
    new_users: Vec<usize>,
    new_groups: Vec<usize>,
}

impl Cast {
    /// An id, or a reference to what stands before or behind. What is created refers to what has a lower rank only, so that
    /// nothing refers to itself in a circle: a circle has no sequence to be held against.
    fn id(&self, who: Who, group: bool, from: Option<usize>) -> String {
        let (there, made) = if group { (&self.teams, &self.new_groups) } else { (&self.users, &self.new_users) };
        match who {
            Who::There(number) => there[number % there.len()].clone(),
            Who::Made(number) => {
                // The rank of an operation is a shuffle of its place; references go to lower ranks.
                let rank = |place: usize| place * 7 % 16;
                let fitting: Vec<&usize> =
                    made.iter().filter(|place| from.is_none_or(|from| rank(**place) < rank(from))).collect();
                match fitting.get(number % fitting.len().max(1)) {
                    Some(place) => format!("bulkId:{place}"),
                    None => there[number % there.len()].clone(),
                }
            }
            Who::Nobody => "987654".to_owned(),
        }
    }

    fn members(&self, members: &[Who], from: Option<usize>) -> Value {
        members.iter().map(|member| json!({ "value": self.id(*member, false, from) })).collect()
    }

    fn operation(&self, place: usize, op: &Op) -> Value {
        let user_at = |who: Who| format!("/Users/{}", self.id(who, false, None));
        let group_at = |who: Who| format!("/Groups/{}", self.id(who, true, None));
        let with_version = |mut operation: Value, version: Option<u8>| {
            if let Some(version) = version {
                operation["version"] = json!(format!("W/\"{version}\""));
            }
            operation
        };
        match op {
            Op::CreateUser { name, upper, manager: boss, reference } => {
                let name = if *upper { format!("NAME{name}") } else { format!("name{name}") };
                let mut data = match boss {
                    Some(boss) => user(&name, manager(&self.id(*boss, false, Some(place)))),
                    None => user(&name, json!({})),
                };
                if let Some(reference) = reference {
                    data["externalId"] = json!(format!("reference{reference}"));
                }
                post("/Users", &place.to_string(), data)
            }
            Op::CreateGroup { name, members } => {
                let data = group(&format!("Group {name}"), json!({ "members": self.members(members, Some(place)) }));
                post("/Groups", &place.to_string(), data)
            }
            Op::PutUser { who, name } => {
                json!({ "method": "PUT", "path": user_at(*who), "data": user(&format!("name{name}"), json!({})) })
            }
            Op::PutGroup { who, name, members } => {
                let data = group(&format!("Group {name}"), json!({ "members": self.members(members, None) }));
                json!({ "method": "PUT", "path": group_at(*who), "data": data })
            }
            Op::Rename { who, name, by_object: false } => {
                change(&user_at(*who), json!([{ "op": "replace", "path": "userName", "value": format!("Name{name}") }]))
            }
            Op::Rename { who, name, by_object: true } => {
                change(&user_at(*who), json!([{ "op": "replace", "value": { "userName": format!("Name{name}") } }]))
            }
            Op::Title { who, title, version } => {
                let title = json!([{ "op": "replace", "path": "title", "value": format!("Title {title}") }]);
                with_version(change(&user_at(*who), title), *version)
            }
            Op::Manager { who, manager } => {
                let path = format!("{ENTERPRISE}:manager");
                let operation = match manager {
                    Some(boss) => json!({ "op": "replace", "path": path, "value": { "value": self.id(*boss, false, None) } }),
                    None => json!({ "op": "remove", "path": path }),
                };
                change(&user_at(*who), json!([operation]))
            }
            Op::Active { who, active } => change(&user_at(*who), json!([{ "op": "replace", "path": "active", "value": active }])),
            Op::Members { who, op, members, version } => {
                let operations = json!([{ "op": op, "path": "members", "value": self.members(members, None) }]);
                with_version(change(&group_at(*who), operations), *version)
            }
            Op::RemoveMember { who, member } => {
                let path = format!("members[value eq \"{}\"]", self.id(*member, false, None));
                change(&group_at(*who), json!([{ "op": "remove", "path": path }]))
            }
            Op::DeleteUser { who } => delete(&user_at(*who)),
            Op::DeleteGroup { who } => delete(&group_at(*who)),
        }
    }
}

/// A gateway with some users and groups, and the operations for it.
async fn staged(ops: &[Op], seed: u64) -> (Gateway, Vec<Value>) {
    let gateway = Gateway::new(0, 0).rebuilt(|backend| (backend.yields, backend.seed) = (12, seed));
    let mut cast = Cast { users: Vec::new(), teams: Vec::new(), new_users: Vec::new(), new_groups: Vec::new() };
    for number in 0..USERS {
        cast.users.push(gateway.create("/Users", user(&format!("name{number}"), json!({}))).await);
    }
    for number in 0..TEAMS {
        let data = group(&format!("Group {number}"), members(cast.users.iter().take(number + 1).map(String::as_str)));
        cast.teams.push(gateway.create("/Groups", data).await);
    }
    for (place, op) in ops.iter().enumerate() {
        match op {
            Op::CreateUser { .. } => cast.new_users.push(place),
            Op::CreateGroup { .. } => cast.new_groups.push(place),
            _ => {}
        }
    }
    let operations = ops.iter().enumerate().map(|(place, op)| cast.operation(place, op)).collect();
    (gateway, operations)
}

/// One operation after the other, each by a request of its own: always the first of which all that it refers to is done.
async fn one_by_one(gateway: &Gateway, operations: &[Value], most: Option<u64>) -> Vec<(usize, u16)> {
    let mut made: HashMap<String, Option<String>> = HashMap::new();
    let mut done: Vec<(usize, u16)> = Vec::new();
    while done.len() < operations.len() {
        if most.is_some_and(|most| done.iter().filter(|(_, status)| *status >= 400).count() as u64 >= most) {
            break;
        }
        let waiting = |place: &usize| !done.iter().any(|(known, _)| known == place);
        let references = |place: usize| {
            let text = operations[place].to_string();
            let pieces: Vec<String> = text
                .split("bulkId:")
                .skip(1)
                .map(|piece| piece.chars().take_while(char::is_ascii_digit).collect::<String>())
                .collect();
            pieces
        };
        let is_free = |place: &usize| references(*place).iter().all(|id| made.contains_key(id));
        let place = (0..operations.len()).filter(waiting).find(is_free).unwrap();
        let failed = references(place).iter().any(|id| made[id].is_none());
        let mut status = 409;
        let mut id = None;
        if !failed {
            let mut text = operations[place].to_string();
            // Longer ones first: `bulkId:1` is the beginning of `bulkId:12`.
            let mut known: Vec<(&String, &Option<String>)> = made.iter().collect();
            known.sort_by_key(|(bulk_id, _)| std::cmp::Reverse(bulk_id.len()));
            for (bulk_id, id) in known {
                if let Some(id) = id {
                    text = text.replace(&format!("bulkId:{bulk_id}"), id);
                }
            }
            let operation: Value = serde_json::from_str(&text).unwrap();
            let reply = single(gateway, &operation).await;
            status = reply.status;
            id = reply.body.filter(|_| status == 201).map(|body| body["id"].as_str().unwrap().to_owned());
        }
        if operations[place]["method"] == "POST" {
            made.insert(place.to_string(), id);
        }
        done.push((place, status));
    }
    done.sort_unstable();
    done
}

async fn single(gateway: &Gateway, operation: &Value) -> Reply {
    let path = operation["path"].as_str().unwrap();
    let (endpoint, id) = match path.trim_start_matches('/').split_once('/') {
        Some((endpoint, id)) => (format!("/{endpoint}"), id.to_owned()),
        None => (path.to_owned(), String::new()),
    };
    let (body, names) = (operation["data"].clone(), Names::default());
    let request = match operation["method"].as_str().unwrap() {
        "POST" => ScimRequest::Create { endpoint, body, names },
        "PUT" => ScimRequest::Replace { endpoint, id, body, names },
        "PATCH" => ScimRequest::Patch { endpoint, id, body, names },
        _ => ScimRequest::Delete { endpoint, id },
    };
    let context = Context { if_match: operation["version"].as_str().map(str::to_owned), ..gateway.context() };
    Box::pin(gateway.engine.call(&context, request)).await.unwrap_or_else(|error| {
        let error = error.to_scim();
        Reply { status: error.status, body: Some(error.body()), ..Reply::default() }
    })
}

async fn check(ops: &[Op], most: Option<u64>, seed: u64) -> Result<(), TestCaseError> {
    let (sequence, operations) = staged(ops, seed).await;
    let expected = one_by_one(&sequence, &operations, most).await;
    let (gateway, same) = staged(ops, seed).await;
    prop_assert_eq!(&operations, &same);
    let results = gateway.job(&operations, most).await;
    let found: Vec<u16> = statuses(&results).iter().map(|status| status.parse().unwrap()).collect();
    let shown = || {
        let lines: Vec<String> = operations.iter().enumerate().map(|(place, it)| format!("{place}: {it}\n")).collect();
        lines.concat()
    };
    prop_assert_eq!(&found, &expected.iter().map(|(_, status)| *status).collect::<Vec<_>>(), "{}{:#?}", shown(), results);
    prop_assert_eq!(gateway.state(), sequence.state(), "{}", shown());
    Ok(())
}

#[test]
fn any_job_ends_like_its_sequence() {
    let seed = std::env::var("SCIMITAR_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("jobs"));
    let config = Config { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let jobs = (prop::collection::vec(op(), 1..14), prop::option::of(1..5_u64), any::<u64>());
    let result = TestRunner::new(config).run(&jobs, |(ops, most, chance)| runtime.block_on(check(&ops, most, chance)));
    if let Err(error) = result {
        panic!("{error}\nagain with SCIMITAR_TEST_SEED={seed}");
    }
}
