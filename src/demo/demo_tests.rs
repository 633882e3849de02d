//! The API as a client sees it, without a network.

use serde_json::{Value, json};

use super::*;

#[path = "team_tests.rs"]
mod team_tests;
#[path = "user_tests.rs"]
mod user_tests;

/// A client of a directory.
struct Client(Directory);

/// A status and a body; null without one.
type Reply = (u16, Value);

impl Client {
    fn new(users: usize, teams: usize) -> Self {
        Self(Directory::new(Options { users, teams, ..Options::default() }))
    }

    fn request(method: &str, target: &str, body: Bytes) -> Request<Bytes> {
        Request::builder().method(method).uri(target).header("authorization", "Bearer demo-token").body(body).unwrap()
    }

    fn send(&self, request: &Request<Bytes>) -> Reply {
        let response = self.0.handle(request);
        let body = if response.body().is_empty() { Value::Null } else { serde_json::from_slice(response.body()).unwrap() };
        (response.status().as_u16(), body)
    }

    fn get(&self, target: &str) -> Reply {
        self.send(&Self::request("GET", target, Bytes::new()))
    }

    fn call(&self, method: &str, target: &str, body: &Value) -> Reply {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.send(&Self::request(method, target, body))
    }

    fn call_if_match(&self, method: &str, target: &str, rev: &str, body: &Value) -> Reply {
        let mut request = Self::request(method, target, Bytes::from(body.to_string()));
        request.headers_mut().insert("if-match", rev.parse().unwrap());
        self.send(&request)
    }

    /// Creates a user and answers its id.
    fn user(&self, login: &str) -> u64 {
        let (status, body) = self.call("POST", "/users", &json!({"login": login}));
        assert_eq!(status, 201, "{body}");
        body["data"]["id"].as_u64().unwrap()
    }

    fn team(&self, name: &str) -> u64 {
        let (status, body) = self.call("POST", "/teams", &json!({"name": name}));
        assert_eq!(status, 201, "{body}");
        body["data"]["id"].as_u64().unwrap()
    }

    /// The ids in `data` of a list, under that key, and the total.
    fn ids(&self, target: &str, key: &str) -> (Vec<u64>, u64) {
        let (status, body) = self.get(target);
        assert_eq!(status, 200, "{body}");
        let ids = body["data"].as_array().unwrap().iter().map(|row| row[key].as_u64().unwrap()).collect();
        (ids, body["meta"]["total"].as_u64().unwrap())
    }
}

/// Status, code and field of an error.
fn error(reply: &Reply) -> (u16, &str, Option<&str>) {
    let (status, body) = reply;
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    (*status, body["error"]["code"].as_str().unwrap(), body["error"]["field"].as_str())
}

#[test]
fn without_the_token_nothing() {
    let client = Client::new(1, 0);
    let bare = |credentials: Option<&str>, target: &str| {
        let mut request = Request::builder().uri(target);
        if let Some(credentials) = credentials {
            request = request.header("authorization", credentials);
        }
        client.send(&request.body(Bytes::new()).unwrap())
    };
    for target in ["/users", "/nowhere", "/_faults", "/_calls"] {
        for credentials in [None, Some("Bearer wrong"), Some("demo-token"), Some("Basic demo-token"), Some("Bearer ")] {
            assert_eq!(error(&bare(credentials, target)), (401, "UNAUTHENTICATED", None));
        }
    }
    assert_eq!(bare(Some("bearer demo-token"), "/users").0, 200);
}

#[test]
fn paths_and_methods() {
    let client = Client::new(1, 1);
    for path in ["/", "/users/", "/users/abc", "/users/+1001", "/users/01001", "/users/9999", "/groups", "/users/1001/suspended"]
    {
        assert_eq!(error(&client.get(path)), (404, "NOT_FOUND", None), "{path}");
    }
    let extra = client.call("DELETE", "/teams/1002/members/1001/x", &Value::Null);
    assert_eq!(error(&extra), (404, "NOT_FOUND", None));
    for (method, path) in [
        ("DELETE", "/users"),
        ("PUT", "/users/1001"),
        ("POST", "/users/1001"),
        ("GET", "/users/1001/suspend"),
        ("POST", "/users/1001/teams"),
        ("DELETE", "/teams/1002/members"),
        ("GET", "/teams/1002/members/1001"),
        ("DELETE", "/_faults"),
        ("PUT", "/_calls"),
    ] {
        assert_eq!(error(&client.call(method, path, &json!({}))), (405, "METHOD_NOT_ALLOWED", None), "{method} {path}");
    }
    let response = client.0.handle(&Client::request("PUT", "/users/1001", Bytes::new()));
    assert_eq!(response.headers()["allow"], "GET, PATCH, DELETE");
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[test]
fn bodies_that_are_no_json_or_too_large() {
    let client = Client::new(1, 0);
    let post = |body: Bytes| client.send(&Client::request("POST", "/users", body));
    for body in ["", "{", "{\"login\":\"ann\"", "login=ann"] {
        assert_eq!(error(&post(Bytes::from(body))), (400, "BAD_JSON", None));
    }
    let deep = "[".repeat(100_000);
    assert_eq!(error(&post(Bytes::from(deep))), (400, "BAD_JSON", None));
    let sized = |bytes: usize| {
        let mut body = json!({"login": "ann"}).to_string();
        body.extend(std::iter::repeat_n(' ', bytes - body.len()));
        Bytes::from(body)
    };
    assert_eq!(error(&post(sized(limits::REQUEST_BYTES + 1))), (413, "TOO_LARGE", None));
    assert_eq!(post(sized(limits::REQUEST_BYTES)).0, 201);
}

#[test]
fn pages() {
    let client = Client::new(30, 0);
    let (status, body) = client.get("/users");
    assert_eq!((status, &body["meta"]), (200, &json!({"page": 1, "per_page": 25, "total": 30})));
    assert_eq!(client.ids("/users", "id").0, (1001..=1025).collect::<Vec<_>>());
    assert_eq!(client.ids("/users?page=2", "id"), ((1026..=1030).collect(), 30));
    assert_eq!(client.ids("/users?page=3&per_page=7", "id"), ((1015..=1021).collect(), 30));
    assert_eq!(client.ids("/users?page=31&per_page=1", "id"), (Vec::new(), 30));
    assert_eq!(client.ids("/users?page=18446744073709551615&per_page=100", "id"), (Vec::new(), 30));
    assert_eq!(client.ids("/users?per_page=100", "id").0.len(), 30);
    for (query, field) in [
        ("per_page=101", "per_page"),
        ("per_page=0", "per_page"),
        ("per_page=x", "per_page"),
        ("page=0", "page"),
        ("page=-1", "page"),
    ] {
        assert_eq!(error(&client.get(&format!("/users?{query}"))), (422, "BAD_PAGE", Some(field)));
        assert_eq!(error(&client.get(&format!("/teams?{query}"))), (422, "BAD_PAGE", Some(field)));
    }
}

#[test]
fn faults_are_shown_set_and_never_hit_themselves() {
    let client = Client::new(3, 0);
    let none = json!({"latency_ms": 0, "error_rate": 0.0, "cut_rate": 0.0, "throttle_rate": 0.0});
    assert_eq!(client.get("/_faults"), (200, json!({"data": none})));
    let broken = json!({"latency_ms": 0, "error_rate": 1.0, "cut_rate": 0.0, "throttle_rate": 0.0});
    assert_eq!(client.call("PUT", "/_faults", &json!({"error_rate": 1})), (200, json!({"data": broken})));
    assert_eq!(error(&client.get("/users")), (500, "INTERNAL", None));
    assert_eq!(error(&client.call("DELETE", "/users/1001", &Value::Null)), (500, "INTERNAL", None));
    assert_eq!(client.get("/_faults"), (200, json!({"data": broken})));
    assert_eq!(client.call("PUT", "/_faults", &json!({"throttle_rate": 1})).0, 200);
    assert_eq!(error(&client.get("/users/1001")), (429, "SLOW_DOWN", None));
    assert_eq!(client.0.handle(&Client::request("GET", "/users", Bytes::new())).headers()["retry-after"], "1");
    assert_eq!(error(&client.call("PUT", "/_faults", &json!({"error_rate": 2}))), (422, "INVALID", Some("error_rate")));
    assert_eq!(client.call("PUT", "/_faults", &json!({})), (200, json!({"data": none})));
    assert_eq!(client.get("/users/1001").0, 200, "what failed before did nothing");
}

#[test]
fn calls_are_shown_and_forgotten() {
    let client = Client::new(1, 0);
    assert_eq!(client.get("/users?q=a%20b").0, 200);
    assert_eq!(client.get("/users/1").0, 404);
    assert_eq!(client.get("/_faults").0, 200);
    let calls = json!({"data": ["GET /users?q=a%20b", "GET /users/1"]});
    assert_eq!(client.get("/_calls"), (200, calls.clone()));
    assert_eq!(client.get("/_calls"), (200, calls), "looking is no call");
    assert_eq!(client.call("DELETE", "/_calls", &Value::Null), (200, json!({"data": []})));
    assert_eq!(client.get("/_calls"), (200, json!({"data": []})));
}

#[test]
fn faults_repeat() {
    let faults = Faults { error_rate: 0.3, throttle_rate: 0.2, ..Faults::default() };
    let run = |seed| {
        let client = Client(Directory::new(Options { users: 1, teams: 0, faults, seed, ..Options::default() }));
        (0..200).map(|_| client.get("/users").0).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
    for status in [200, 429, 500] {
        assert!(run(5).contains(&status), "{status} must occur");
    }
}

#[test]
fn calls_are_recorded() {
    let client = Client::new(2, 0);
    client.get("/users?login=a%20b");
    client.call("PATCH", "/users/1001", &json!({}));
    client.get("/_faults");
    client.send(&Request::builder().uri("/users/1002").body(Bytes::new()).unwrap());
    assert_eq!(client.0.calls(), ["GET /users?login=a%20b", "PATCH /users/1001", "GET /users/1002"]);
    client.0.clear_calls();
    assert_eq!((client.0.calls(), client.0.call_count()), (Vec::new(), 3));
    for _ in 0..limits::DEMO_CALLS {
        client.get("/teams");
    }
    client.get("/teams?last");
    let calls = client.0.calls();
    assert_eq!((calls.len(), calls.last().map(String::as_str)), (limits::DEMO_CALLS, Some("GET /teams?last")));
    assert_eq!(client.0.call_count(), 3 + limits::DEMO_CALLS as u64 + 1);
}

#[test]
fn the_same_options_give_the_same_data() {
    let dump = |seed| {
        let client = Client(Directory::new(Options { users: 60, teams: 9, seed, ..Options::default() }));
        (client.get("/users?per_page=100"), client.get("/teams?per_page=100"), client.get("/teams/1063/members?per_page=100"))
    };
    assert_eq!(dump(3), dump(3));
    assert_ne!(dump(3), dump(4));
    let ((_, users), (_, teams), _) = dump(3);
    assert_eq!(users["data"][0]["created_ms"], 1_767_600_000_000_i64, "2026-01-05T08:00:00Z");
    assert_eq!(users["data"].as_array().unwrap().len(), 60);
    assert_eq!(teams["data"][0]["member_count"], 60, "everyone is in the first team");
    assert!(teams["data"].as_array().unwrap().iter().all(|team| team["member_count"].as_u64() > Some(0)));
}

#[test]
fn the_seed_looks_like_people() {
    let client = Client::new(250, 12);
    let suspended = client.ids("/users?status=SUSPENDED&per_page=100", "id").1;
    assert!((3..50).contains(&suspended), "{suspended} of 250 suspended");
    assert_eq!(suspended + client.ids("/users?status=ACTIVE", "id").1, 250);
    let (_, body) = client.get("/users?per_page=100");
    for row in body["data"].as_array().unwrap() {
        assert!(row["profile"]["full_name"].is_string() && row["employment"]["department"].is_string(), "{row}");
        let login = row["login"].as_str().unwrap();
        assert!(login.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.'), "{login}");
        assert_eq!(row["employment"]["manager_id"].is_null(), row["id"] == 1001, "{row}");
        assert_eq!(row["employment"]["manager_name"].is_null(), row["id"] == 1001, "{row}");
    }
    assert_eq!(Client::new(0, 0).ids("/users", "id"), (Vec::new(), 0));
    assert_eq!(Client::new(0, 3).ids("/teams", "id"), (vec![1001, 1002, 1003], 3));
}

#[test]
fn a_hundred_thousand_members() {
    let client = Client::new(100_000, 1);
    let (members, total) = client.ids("/teams/101001/members?page=1000&per_page=100", "user_id");
    assert_eq!((members.first(), members.last(), total), (Some(&100_901), Some(&101_000), 100_000));
    let id = client.user("late.comer");
    let (_, body) = client.call("POST", "/teams/101001/members", &json!({"user_ids": [1001, id]}));
    assert_eq!(body, json!({"data": {"added": [id], "already": [1001]}}));
    assert_eq!(client.ids("/users?login=LATE.COMER", "id"), (vec![id], 1));
    assert_eq!(client.get("/teams/101001").1["data"]["member_count"], 100_001);
}
