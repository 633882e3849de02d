//! Bulk jobs before the people directory in process: what runs side by side, what keeps its order, what is told.

mod circles;
mod errors;
mod properties;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use scimitar::app::{Given, load_mapping};
use scimitar::demo::{Directory, Faults, Options};
use scimitar::engine::{Context, Engine, Names, Offer, Reply, ScimRequest, ports};
use scimitar::limits;
use scimitar::scim::Profile;
use scimitar::scim::bulk::BulkRequest;
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::Fault;
use serde_json::{Value, json};

use crate::demo::{BASE, MAPPING, mapping_with};
use crate::scim::{BULK_REQUEST, ENTERPRISE, group, patch, user};

const TOKEN: &str = "people";

/// The directory as a backend that counts the calls in flight, and keeps each for a while.
#[derive(Clone)]
struct Backend {
    directory: Directory,
    seen: Arc<Seen>,
    /// How often a call yields before and after it is done: at most so often, by chance from the seed.
    yields: u64,
    seed: u64,
    /// How long each call takes.
    latency: Duration,
}

#[derive(Default)]
struct Seen {
    calls: AtomicUsize,
    inside: AtomicUsize,
    most: AtomicUsize,
}

struct Gateway {
    engine: Engine<Backend>,
    backend: Backend,
    deadline: Option<Instant>,
}

impl ports::Backend for Backend {
    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        let number = self.seen.calls.fetch_add(1, Ordering::SeqCst) as u64;
        let inside = self.seen.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.most.fetch_max(inside, Ordering::SeqCst);
        let chance =
            |salt: u64| (self.seed ^ number.wrapping_mul(31).wrapping_add(salt)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        self.pass(chance(1)).await;
        let mut request = Request::builder().method(call.method.clone()).uri(&call.target);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request = request.header("content-type", "application/json");
        let response = self.directory.handle(&request.body(call.body.clone().unwrap_or_default()).unwrap());
        self.pass(chance(2)).await;
        self.seen.inside.fetch_sub(1, Ordering::SeqCst);
        let (head, body) = response.into_parts();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}

impl Backend {
    async fn pass(&self, chance: u64) {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency / 2).await;
        }
        for _ in 0..chance % (self.yields + 1) {
            tokio::task::yield_now().await;
        }
    }
}

impl Gateway {
    fn new(users: usize, teams: usize) -> Self {
        Self::with(MAPPING, users, teams)
    }

    fn with(mapping: &str, users: usize, teams: usize) -> Self {
        let given = [("PEOPLE_URL", "http://people.test"), ("PEOPLE_TOKEN", TOKEN)];
        let mapping = load_mapping("mapping.yaml", mapping, &Given(&given)).unwrap_or_else(|error| panic!("{error}"));
        let options = Options { users, teams, token: TOKEN.to_owned(), faults: Faults::default(), ..Options::default() };
        let directory = Directory::new(options);
        let backend = Backend { directory, seen: Arc::default(), yields: 5, seed: 1, latency: Duration::ZERO };
        Self { engine: Engine::new(mapping, backend.clone(), scimitar::app::Host, Offer::default()), backend, deadline: None }
    }

    fn rebuilt(self, change: impl FnOnce(&mut Backend)) -> Self {
        let mut backend = self.backend;
        change(&mut backend);
        let engine = Engine::new(self.engine.mapping().clone(), backend.clone(), scimitar::app::Host, Offer::default());
        Self { engine, backend, deadline: self.deadline }
    }

    fn context(&self) -> Context {
        Context {
            base_url: BASE.to_owned(),
            profile: &Profile::STRICT,
            if_match: None,
            if_none_match: None,
            deadline: self.deadline,
        }
    }

    async fn ask(&self, request: ScimRequest) -> Reply {
        let context = self.context();
        Box::pin(self.engine.call(&context, request)).await.unwrap_or_else(|error| {
            let error = error.to_scim();
            Reply { status: error.status, body: Some(error.body()), ..Reply::default() }
        })
    }

    /// The results of a job.
    async fn job(&self, operations: &[Value], fail_on_errors: Option<u64>) -> Vec<Value> {
        let mut body = json!({ "schemas": [BULK_REQUEST], "Operations": operations });
        if let Some(most) = fail_on_errors {
            body["failOnErrors"] = json!(most);
        }
        let job = BulkRequest::parse(body.to_string().as_bytes(), &Profile::STRICT).unwrap();
        let mut body = self.ask(ScimRequest::Bulk { job }).await.body.unwrap();
        serde_json::from_value(body["Operations"].take()).unwrap()
    }

    async fn read(&self, endpoint: &str, id: &str) -> Value {
        let request = ScimRequest::Read { endpoint: endpoint.to_owned(), id: id.to_owned(), names: Names::default() };
        self.ask(request).await.body.unwrap()
    }

    async fn create(&self, endpoint: &str, body: Value) -> String {
        let request = ScimRequest::Create { endpoint: endpoint.to_owned(), body, names: Names::default() };
        let reply = self.ask(request).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// What the directory has, without the ids: they depend on which creation came first.
    fn state(&self) -> Vec<String> {
        let rows = |path: &str| {
            let mut rows = Vec::new();
            for page in 1.. {
                let request = Request::get(format!("{path}?per_page=100&page={page}"));
                let request = request.header("authorization", format!("Bearer {TOKEN}")).body(Bytes::new()).unwrap();
                let body: Value = serde_json::from_slice(self.backend.directory.handle(&request).body()).unwrap();
                let found = body["data"].as_array().unwrap().clone();
                if found.is_empty() {
                    break;
                }
                rows.extend(found);
            }
            rows
        };
        let users = rows("/users");
        let login = |id: &Value| {
            users.iter().find(|user| user["id"] == *id).map_or_else(|| id.to_string(), |user| user["login"].to_string())
        };
        let mut state: Vec<String> = Vec::new();
        for user in &users {
            let employment = &user["employment"];
            state.push(format!(
                "user {} {} {} {} under {}",
                user["login"],
                user["external_ref"],
                user["status"],
                employment["job_title"],
                login(&employment["manager_id"])
            ));
        }
        for team in rows("/teams") {
            let mut members: Vec<String> =
                rows(&format!("/teams/{}/members", team["id"])).iter().map(|row| login(&row["user_id"])).collect();
            members.sort();
            state.push(format!("team {} {} {members:?}", team["name"], team["external_ref"]));
        }
        state.sort();
        state
    }
}

fn post(endpoint: &str, bulk_id: &str, data: Value) -> Value {
    let mut operation = json!({ "method": "POST", "path": endpoint, "bulkId": bulk_id });
    operation["data"] = data;
    operation
}

fn delete(path: &str) -> Value {
    json!({ "method": "DELETE", "path": path })
}

fn change(path: &str, operations: Value) -> Value {
    json!({ "method": "PATCH", "path": path, "data": patch(operations) })
}

fn manager(id: &str) -> Value {
    json!({ ENTERPRISE: { "manager": { "value": id } } })
}

fn members<'i>(ids: impl IntoIterator<Item = &'i str>) -> Value {
    json!({ "members": ids.into_iter().map(|id| json!({ "value": id })).collect::<Vec<_>>() })
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn id_of(result: &Value) -> &str {
    result["response"]["id"].as_str().unwrap_or_else(|| panic!("{result}"))
}

#[tokio::test]
async fn a_thousand_users_and_their_groups() {
    let gateway = Gateway::new(0, 0);
    let of = |team: usize| (0..50).map(move |number| format!("bulkId:user{}", team * 50 + number)).collect::<Vec<_>>();
    let team = |number: usize| {
        let ids = of(number);
        post("/Groups", &format!("team{number}"), group(&format!("Team {number}"), members(ids.iter().map(String::as_str))))
    };
    // Half of the groups come before their members.
    let mut operations: Vec<Value> = (0..10).map(team).collect();
    for number in 0..1_000 {
        // The boss of each comes earlier or later.
        let boss = (number * 7 + 3) % 1_000;
        let boss = if boss < number { manager(&format!("bulkId:user{boss}")) } else { json!({}) };
        operations.push(post("/Users", &format!("user{number}"), user(&format!("user{number}"), boss)));
    }
    operations.extend((10..20).map(team));
    let results = gateway.job(&operations, None).await;
    assert_eq!(results.len(), operations.len());
    for (operation, result) in operations.iter().zip(&results) {
        assert_eq!((&result["status"], &result["bulkId"]), (&json!("201"), &operation["bulkId"]), "{result}");
    }
    let ids: std::collections::HashMap<&str, &str> =
        results.iter().map(|result| (result["bulkId"].as_str().unwrap(), id_of(result))).collect();
    for number in 0..20 {
        let found = gateway.read("/Groups", ids[format!("team{number}").as_str()]).await;
        let mut found: Vec<&str> = found["members"].as_array().unwrap().iter().map(|it| it["value"].as_str().unwrap()).collect();
        let names: Vec<String> = of(number).iter().map(|id| id.replace("bulkId:", "")).collect();
        let mut expected: Vec<&str> = names.iter().map(|name| ids[name.as_str()]).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
    let boss = gateway.read("/Users", ids["user900"]).await;
    assert_eq!(boss[ENTERPRISE]["manager"]["value"], ids["user303"]);
}

#[tokio::test]
async fn operations_run_side_by_side_within_the_bound() {
    let bounded = |most: usize| mapping_with(&[("  timeout: 10s\n", &format!("  timeout: 10s\n  concurrency: {most}\n"))]);
    for (mapping, most) in [
        (MAPPING.to_owned(), limits::CALL_CONCURRENCY),
        (bounded(1), 1),
        (bounded(3), 3),
        (bounded(100), limits::BULK_CONCURRENCY),
    ] {
        let gateway = Gateway::with(&mapping, 0, 0).rebuilt(|backend| backend.yields = 50);
        let operations: Vec<Value> =
            (0..100).map(|number| post("/Users", &number.to_string(), user(&format!("user{number}"), json!({})))).collect();
        assert_eq!(statuses(&gateway.job(&operations, None).await), ["201"; 100]);
        assert_eq!(gateway.backend.seen.most.load(Ordering::SeqCst), most);
    }
}

#[tokio::test]
async fn what_happens_to_one_resource_keeps_its_order() {
    let gateway = Gateway::new(0, 0).rebuilt(|backend| backend.yields = 20);
    let id = gateway.create("/Users", user("ann", json!({}))).await;
    let mut operations = Vec::new();
    for number in 0..50 {
        operations
            .push(change(&format!("/Users/{id}"), json!([{ "op": "replace", "path": "title", "value": format!("{number}") }])));
        operations.push(post("/Users", &number.to_string(), user(&format!("user{number}"), json!({}))));
        operations.push(change(
            &format!("/Users/bulkId:{number}"),
            json!([{ "op": "replace", "path": "title", "value": format!("first of {number}") }]),
        ));
        operations.push(change(
            &format!("/Users/bulkId:{number}"),
            json!([{ "op": "replace", "path": "title", "value": format!("last of {number}") }]),
        ));
    }
    let results = gateway.job(&operations, None).await;
    for (number, results) in results.chunks(4).enumerate() {
        assert_eq!(statuses(results), ["200", "201", "200", "200"]);
        assert_eq!(results[0]["response"]["title"], number.to_string());
        assert_eq!(results[2]["response"]["title"], format!("first of {number}"));
        let found = gateway.read("/Users", id_of(&results[1])).await;
        assert_eq!(found["title"], format!("last of {number}"));
    }
    assert_eq!(gateway.read("/Users", &id).await["title"], "49");
    assert!(gateway.backend.seen.most.load(Ordering::SeqCst) > 1);
}

/// Each job with its statuses one after the other, whichever call is slow.
#[tokio::test]
async fn jobs_in_which_the_order_decides() {
    for seed in 0..40 {
        let gateway = Gateway::new(0, 0).rebuilt(|backend| (backend.yields, backend.seed) = (15, seed));
        let ann = gateway.create("/Users", user("ann", json!({}))).await;
        let bob = gateway.create("/Users", user("bob", json!({}))).await;
        let team = gateway.create("/Groups", group("Team", json!({}))).await;
        let at = |id: &str| format!("/Users/{id}");
        let put = |id: &str, name: &str| json!({ "method": "PUT", "path": at(id), "data": user(name, json!({})) });
        let add = |id: &str| {
            change(&format!("/Groups/{team}"), json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]))
        };
        let rename = |id: &str, name: &str| change(&at(id), json!([{ "op": "replace", "path": "userName", "value": name }]));
        let jobs: [(&[Value], &[&str]); 6] = [
            // Of two with the same name, in any case, the first wins.
            (
                &[
                    post("/Users", "1", user("cid", json!({ "title": "first" }))),
                    post("/Users", "2", user("CID", json!({ "title": "second" }))),
                    post("/Users", "3", user("dan", json!({}))),
                ],
                &["201", "409", "201"],
            ),
            // Two swap their names by way of a third.
            (&[rename(&ann, "x"), put(&bob, "ann"), rename(&ann, "bob"), put(&bob, "bob")], &["200", "200", "200", "409"]),
            // A name that a change frees is free for later ones only.
            (&[post("/Users", "4", user("eve", json!({}))), rename(&bob, "Eve"), rename(&bob, "fay")], &["201", "409", "200"]),
            // A member that is there, and then is not; and a member that nobody knows any more.
            (&[add(&ann), delete(&at(&ann)), add(&ann)], &["200", "204", "400"]),
            // The name of one that is deleted is free.
            (
                &[post("/Users", "5", user("fay", json!({}))), delete(&at(&bob)), post("/Users", "6", user("fay", json!({})))],
                &["409", "204", "201"],
            ),
            (&[put(&bob, "x"), delete(&at(&bob))], &["404", "404"]),
        ];
        for (operations, expected) in jobs {
            let results = gateway.job(operations, None).await;
            assert_eq!(statuses(&results), expected, "seed {seed}: {results:#?}");
        }
        let cids: Vec<String> = gateway.state().into_iter().filter(|row| row.contains("\"cid\"")).collect();
        assert!(cids.len() == 1 && cids[0].contains("first"), "{cids:?}");
    }
}
