//! Names in SCIM, ids of another collection in the backend.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use scimitar::app::Host;
use scimitar::engine::{Context, Engine, Names, Offer, ScimRequest, ports};
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::Fault;
use serde_json::{Value, json};

use super::USER;
use crate::scripted::{BASE, Scripted, Step, call, mapping};
use crate::support::with_members;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test/api" }
lookups:
  department: { call: GET /depts, items: "$.depts[*]", name: $.title, id: $.id }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      enterprise:department: { at: $.dept, as: { lookup: department } }
    get: GET /users/{{key}}
    list:
      call: GET /users
      filters:
        enterprise:department eq: { query: { dept: "{{value}}" }, match: exact }
        enterprise:department ne: { query: { not: "{{value}}" } }
        userName eq: { query: { login: "{{value}}" }, match: exact }
    create: POST /users
    update: PATCH /users/{{key}}
"#;
const CREATE: &str = "create: { call: POST /depts, body: { title: \"{{name}}\" }, id: $.id }";

fn people() -> Scripted {
    Scripted::new(MAPPING)
}

/// With the call that creates a department.
fn creating() -> String {
    MAPPING.replace("id: $.id }\nresources", &format!("id: $.id, {CREATE} }}\nresources"))
}

fn user(dept: &Value) -> Value {
    json!({ "id": "1", "login": "ann", "dept": dept })
}

fn read(dept: &Value) -> Step {
    call("GET /users/1").answer(user(dept))
}

fn depts(rows: &[(u8, &str)]) -> Step {
    let rows: Vec<Value> = rows.iter().map(|(id, title)| json!({ "id": id, "title": title })).collect();
    call("GET /depts").answer(json!({ "depts": rows }))
}

fn usual() -> Step {
    depts(&[(5, "Sales"), (6, "Research")])
}

fn department(body: &Value) -> &Value {
    &body[ENTERPRISE]["department"]
}

fn set(name: &str) -> Value {
    json!([{ "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": name }])
}

#[tokio::test]
async fn ids_are_read_as_names_from_one_table() {
    let people = people();
    let seen = people.read("/Users/1", &[], [read(&json!(5)), usual()]).await;
    assert_eq!(department(&seen.body), "Sales");
    // The table is kept. Whether the id is a number or a text is the same.
    let seen = people.read("/Users/1", &[], [read(&json!("6"))]).await;
    assert_eq!(department(&seen.body), "Research");
}

#[tokio::test]
async fn the_table_is_read_only_where_it_is_asked_for() {
    let people = people();
    let plain = people.read("/Users/1", &["userName"], [read(&json!(5))]).await;
    assert_eq!(plain.body.get(ENTERPRISE), None);
    let nobody = people.read("/Users/1", &[], [read(&Value::Null)]).await;
    assert_eq!(nobody.body.get(ENTERPRISE), None);
    let search = SearchRequest { attributes: vec!["userName".to_owned()], ..SearchRequest::default() };
    people.search("/Users", search, [call("GET /users").answer(json!([user(&json!(5))]))]).await;
    let whole = people.read("/Users/1", &[], [read(&json!(5)), usual()]).await;
    assert_eq!(whole.version, plain.version, "the version does not depend on what is asked for");
    assert_ne!(whole.version, nobody.version, "another department is another version");
}

/// A list of many rows reads the table once, and an id that nobody knows costs one more reading, once.
#[tokio::test]
async fn an_unknown_id_has_no_name_and_is_no_error() {
    let people = people();
    let rows = json!([user(&json!(5)), { "id": "2", "login": "bob", "dept": 99 }, { "id": "3", "login": "eve", "dept": 98 }]);
    let all = || call("GET /users").answer(rows.clone());
    let seen = people.list("/Users", "", [all(), usual()]).await;
    let names: Vec<&Value> = seen.body["Resources"].as_array().unwrap().iter().map(department).collect();
    assert_eq!(names, [&json!("Sales"), &Value::Null, &Value::Null]);
    assert_eq!(people.list("/Users", "", [all()]).await.body["totalResults"], 3, "what is unknown is remembered");
    // A table that is there already is read again for an id that is new.
    let seen = people.read("/Users/1", &[], [read(&json!(7)), depts(&[(5, "Sales"), (7, "Legal")])]).await;
    assert_eq!(department(&seen.body), "Legal");
    let seen = people.read("/Users/1", &[], [read(&json!(99))]).await;
    assert_eq!((seen.status, seen.body.get(ENTERPRISE)), (200, None));
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_a_fault() {
    let seen = people().read("/Users/1", &[], [read(&json!(5)), call("GET /depts").status(500)]).await;
    assert_eq!(seen.status, 502);
    let seen = people().read("/Users/1", &[], [read(&json!(5)), call("GET /depts").answer(json!({}))]).await;
    assert_eq!(seen.status, 502);
}

#[tokio::test]
async fn a_table_is_read_again_when_it_is_old() {
    let people = Scripted::new(&MAPPING.replace("id: $.id }\nresources", "id: $.id, keep: 30ms }\nresources"));
    people.read("/Users/1", &[], [read(&json!(5)), usual()]).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let seen = people.read("/Users/1", &[], [read(&json!(5)), depts(&[(5, "Sales EMEA")])]).await;
    assert_eq!(department(&seen.body), "Sales EMEA");
}

#[tokio::test]
async fn names_are_written_as_ids() {
    let people = people();
    let body = json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: { "department": "research" } });
    // The id has the type that the table has it in; case does not count.
    let steps = [usual(), call("POST /users").body(json!({ "login": "ann", "dept": 6 })).status(201).answer(user(&json!(6)))];
    let seen = people.create("/Users", body, steps).await;
    assert_eq!((seen.status, department(&seen.body)), (201, &json!("Research")));
    // What one call carries is known without reading the record.
    let steps = [call("PATCH /users/1").body(json!({ "dept": 5 })).answer(user(&json!(5)))];
    assert_eq!(department(&people.patch("/Users/1", set("Sales"), steps).await.body), "Sales");
    // The same name in other letters is no change.
    let put = json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: { "department": "SALES" } });
    assert_eq!(people.replace("/Users/1", put, [read(&json!(5))]).await.status, 200);
    let clear = json!([{ "op": "remove", "path": format!("{ENTERPRISE}:department") }]);
    let steps = [read(&json!(5)), call("PATCH /users/1").body(json!({ "dept": null })).answer(user(&Value::Null))];
    assert_eq!(people.patch("/Users/1", clear, steps).await.body.get(ENTERPRISE), None);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_refused_before_anything_is_changed() {
    let people = people();
    let seen = people.patch("/Users/1", set("Legal"), [usual()]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
    assert!(seen.body["detail"].as_str().unwrap().contains("department"), "{}", seen.body);
    // It may be new: the table is read again each time.
    let steps = [depts(&[(5, "Sales"), (7, "Legal")]), call("PATCH /users/1").body(json!({ "dept": 7 })).answer(user(&json!(7)))];
    assert_eq!(people.patch("/Users/1", set("Legal"), steps).await.status, 200);
    // Nobody can tell which of two is meant, unless it is the one that is there.
    let twice = Scripted::new(MAPPING);
    let two = || depts(&[(5, "Sales"), (8, "Sales"), (9, "sales")]);
    assert_eq!(twice.patch("/Users/1", set("SALES"), [two()]).await.status, 400);
    let put = json!({ "schemas": [USER, ENTERPRISE], "userName": "bea", ENTERPRISE: { "department": "Sales" } });
    let after = json!({ "id": "1", "login": "bea", "dept": 8 });
    let steps = [read(&json!(8)), call("PATCH /users/1").body(json!({ "login": "bea" })).answer(after)];
    assert_eq!(twice.replace("/Users/1", put, steps).await.status, 200);
    let steps = [call("PATCH /users/1").body(json!({ "dept": 9 })).answer(user(&json!(9)))];
    assert_eq!(twice.patch("/Users/1", set("sales"), steps).await.status, 200, "the one that is spelled so");
}

#[tokio::test]
async fn filters_are_pushed_down_with_the_id() {
    let people = people();
    let filter = |op: &str, name: &str| format!("{ENTERPRISE}:department {op} \"{name}\"");
    let rows = json!([user(&json!(5)), { "id": "2", "login": "bob", "dept": 6 }, { "id": "3", "login": "eve" }]);
    let sales = || call("GET /users?dept=5").answer(json!([rows[0]]));
    let all = || call("GET /users").answer(rows.clone());
    assert_eq!(people.list("/Users", &filter("eq", "sales"), [usual(), sales()]).await.body["totalResults"], 1);
    let others = call("GET /users?not=5").answer(json!([rows[1], rows[2]]));
    assert_eq!(people.list("/Users", &filter("ne", "Sales"), [others]).await.body["totalResults"], 2);
    // A name that no department has: nobody for `eq`, without asking for people; everybody for what denies it.
    assert_eq!(people.list("/Users", &filter("eq", "Legal"), [usual()]).await.body["totalResults"], 0);
    assert_eq!(people.list("/Users", &filter("ne", "Legal"), [usual(), all()]).await.body["totalResults"], 3);
    let not = format!("not ({})", filter("eq", "Legal"));
    assert_eq!(people.list("/Users", &not, [usual(), all()]).await.body["totalResults"], 3);
    let or = format!("{} or userName eq \"ann\"", filter("eq", "Legal"));
    let ann = call("GET /users?login=ann").answer(json!([rows[0]]));
    assert_eq!(people.list("/Users", &or, [usual(), ann]).await.body["totalResults"], 1);
    let and = format!("{} and userName eq \"ann\"", filter("eq", "Legal"));
    assert_eq!(people.list("/Users", &and, [usual()]).await.body["totalResults"], 0);
    // Parts of names are compared here, and so is a name that two ids have.
    assert_eq!(people.list("/Users", &filter("co", "sea"), [all()]).await.body["totalResults"], 1);
    let twice = Scripted::new(MAPPING);
    let seen = twice.list("/Users", &filter("eq", "Sales"), [depts(&[(5, "Sales"), (6, "Sales")]), all()]).await;
    assert_eq!(seen.body["totalResults"], 2);
}

#[tokio::test]
async fn what_is_missing_is_created() {
    let people = Scripted::new(&creating());
    let created = || call("POST /depts").body(json!({ "title": "Legal" }));
    let patched = || call("PATCH /users/1").body(json!({ "dept": 7 })).answer(user(&json!(7)));
    let steps = [usual(), created().status(201).answer(json!({ "id": 7 })), patched()];
    assert_eq!(department(&people.patch("/Users/1", set("Legal"), steps).await.body), "Legal");
    assert_eq!(people.patch("/Users/1", set("legal"), [patched()]).await.status, 200, "it is known now");
    // Another gateway was faster.
    let people = Scripted::new(&creating());
    let steps = [usual(), created().status(409), depts(&[(7, "Legal")]), patched()];
    assert_eq!(people.patch("/Users/1", set("Legal"), steps).await.status, 200);
    // The backend refuses the name.
    let people = Scripted::new(&creating());
    let steps = [usual(), created().status(422), usual()];
    assert_eq!(people.patch("/Users/1", set("Legal"), steps).await.status, 400);
    // Without an id in the answer the table tells it.
    let people = Scripted::new(&creating().replace("\"{{name}}\" }, id: $.id }", "\"{{name}}\" } }"));
    let steps = [usual(), created().status(201), depts(&[(7, "Legal")]), patched()];
    assert_eq!(people.patch("/Users/1", set("Legal"), steps).await.status, 200);
}

#[tokio::test]
async fn many_values_and_elements_are_looked_up() {
    let text = r#"
mapping: v1
backend: { url: "https://people.test/api" }
lookups:
  team: { call: GET /teams, items: "$.teams[*]", name: $.name, id: $.no }
schemas:
  hr: { id: urn:example:hr, attributes: { teams: { multiValued: true }, codes: { multiValued: true } } }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      roles: { each: "$.roles[*]", value: { at: $.team, as: { lookup: team } }, type: $.kind }
      hr:teams: { at: "$.teams[*]", as: [ { prefix: T- }, { lookup: team } ] }
      hr:codes: { at: $.codes, as: [ { split: "," }, { lookup: team } ] }
    get: GET /users/{{key}}
    list: GET /users
    create: POST /users
    update: PATCH /users/{{key}}
"#;
    let people = Scripted::new(text);
    let there = json!({ "id": "1", "login": "ann", "teams": ["T-1", "T-9", "T-2"], "codes": "2,1", "roles": [{ "team": "2", "kind": "x" }] });
    let teams = || call("GET /teams").answer(json!({ "teams": [{ "no": "1", "name": "Red" }, { "no": "2", "name": "Blue" }] }));
    let seen = people.read("/Users/1", &[], [call("GET /users/1").answer(there.clone()), teams()]).await;
    assert_eq!(seen.body["urn:example:hr"], json!({ "teams": ["Red", "Blue"], "codes": ["Blue", "Red"] }));
    assert_eq!(seen.body["roles"], json!([{ "value": "Blue", "type": "x" }]));
    let write = json!([{ "op": "replace", "value": { "urn:example:hr": { "teams": ["blue"], "codes": ["Red"] }, "roles": [{ "value": "red", "type": "y" }] } }]);
    let body = json!({ "teams": ["T-2"], "codes": "1", "roles": [{ "team": "1", "kind": "y" }] });
    let steps = [
        call("GET /users/1").answer(there.clone()),
        call("PATCH /users/1").body(body.clone()).answer(with_members(there, &body)),
    ];
    assert_eq!(people.patch("/Users/1", write, steps).await.body["roles"], json!([{ "value": "Red", "type": "y" }]));
}

/// `explain` tells what a table costs, and only where it is needed. (The plans of writes are in tests/fixtures/explained.)
#[test]
fn explanations_tell_of_the_table() {
    let explained = |request: &str| {
        let output = crate::process::run(&["explain", "tests/fixtures/explained/values.yaml", request], &[]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(explained("GET /Users/42").contains("GET /depts   (lookups.department, if the table is older than 300 s"));
    assert!(!explained("GET /Users/42?attributes=userName").contains("depts"));
    let filter = format!("GET /Users?attributes=userName&filter={ENTERPRISE}:department eq \"Sales\"");
    assert!(explained(&filter).contains("GET /depts"), "{}", explained(&filter));
}

/// A backend that counts, and takes its time.
#[derive(Debug, Clone, Default)]
struct Slow {
    lists: Arc<AtomicUsize>,
    created: Arc<Mutex<VecDeque<String>>>,
}

impl ports::Backend for Slow {
    async fn send(&self, sent: &HttpCall<'_>) -> Result<Answer, Fault> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let body = sent.body.as_ref().map(|body| serde_json::from_slice::<Value>(body).unwrap()).unwrap_or_default();
        let mut created = self.created.lock().unwrap();
        let answer = match (sent.method.as_str(), sent.target.as_str()) {
            ("GET", "/depts") => {
                self.lists.fetch_add(1, Ordering::Relaxed);
                json!({ "depts": created.iter().enumerate().map(|(id, title)| json!({ "id": id, "title": title })).collect::<Vec<_>>() })
            }
            ("POST", "/depts") => {
                created.push_back(body["title"].as_str().unwrap().to_owned());
                json!({ "id": created.len() - 1 })
            }
            ("POST", "/users") => json!({ "id": body["login"], "login": body["login"], "dept": body["dept"] }),
            other => panic!("{other:?}"),
        };
        Ok(Answer { status: 200, headers: HeaderMap::new(), body: answer.to_string().into() })
    }
}

#[tokio::test]
async fn requests_at_the_same_time_share_the_table_and_create_once() {
    let backend = Slow::default();
    let engine = Arc::new(Engine::new(mapping(&creating()), backend.clone(), Host, Offer::default()));
    let context =
        Context { base_url: BASE.to_owned(), profile: &Profile::STRICT, if_match: None, if_none_match: None, deadline: None };
    let create = |number: usize| {
        let (engine, context) = (Arc::clone(&engine), context.clone());
        // Two names, each written in two ways.
        let name = ["Legal", "legal", "Press", "PRESS"][number % 4];
        let body = json!({ "schemas": [USER, ENTERPRISE], "userName": format!("u{number}"), ENTERPRISE: { "department": name } });
        let request = ScimRequest::Create { endpoint: "/Users".to_owned(), body, names: Names::default() };
        tokio::spawn(async move { engine.call(&context, request).await.unwrap().body.unwrap() })
    };
    let all: Vec<_> = (0..40).map(create).collect();
    for reply in all {
        let body = reply.await.unwrap();
        assert!(["legal", "press"].contains(&department(&body).as_str().unwrap().to_lowercase().as_str()), "{body}");
    }
    assert_eq!(backend.created.lock().unwrap().len(), 2);
    // No name is there: each of the first readings may be too old for those who came after it began.
    assert!(backend.lists.load(Ordering::Relaxed) <= 3, "{:?}", backend.lists);
}
