//! An application as many houses have one: PHP, forms, and 200 whatever happened.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::server::{Came, Given, Server, given};
use crate::scim::{filtered, patch, user};

const MAPPING: &str = r#"
mapping: v1
backend:
  url: ${PEOPLE_URL}
  format: form
  success: "$.err[?@ == 0]"
  errors:
    - { header: { Content-Type: text/html }, as: overloaded, after: 120s }     # the page of the maintenance
    - { when: "$.err[?@ == 12]", as: notFound }
    - { when: "$.err[?@ == 23]", as: uniqueness, detail: "{{body.err.msg}}" }
    - { when: "$.err[?@ == 88]", as: overloaded, after: $.err.msg }            # "Too many requests, wait 42 seconds"
  envelope: $.data
resources:
  User:
    id: $.pno
    attributes: { userName: $.login, title: $.title }
    get: { call: GET /person.php, query: { pno: "{{key}}" } }
    list:
      call: GET /people.php
      items: "$.people[*]"
      filters:
        userName eq: { query: { login: "{{value}}" }, match: exact }
    create: { call: POST /new.php, key: $.pno }
    update: { call: POST /save.php, with: { pno: "{{key}}" } }
    delete: { call: POST /fire.php, body: { pno: "{{key}}" } }
"#;

fn ok(data: &Value) -> Given {
    given(200, "application/json", json!({ "err": { "no": 0 }, "data": data }).to_string())
}

fn error(number: u32, text: &str) -> Given {
    given(200, "application/json", json!({ "err": { "no": number, "msg": text } }).to_string())
}

/// People by their numbers; `down` is what it says to everything, if it is down.
fn application(down: &'static str) -> impl Fn(&Came) -> Given + Send + Sync {
    let people: Mutex<BTreeMap<u64, Value>> = Mutex::default();
    move |came| {
        match down {
            "" => {}
            "maintenance" => return given(200, "text/html; charset=utf-8", "<h1>Back soon</h1>"),
            "quota" => return error(88, "Too many requests, wait 42 seconds"),
            "unknown" => return error(500, "SQLSTATE[HY000]"),
            "dead" => return given(200, "application/json", ""),
            other => panic!("{other}"),
        }
        let (_, target) = came.line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let form = if came.body.is_empty() { query } else { &came.body };
        let form: BTreeMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let mut people = people.lock().unwrap();
        let number = form.get("pno").and_then(|number| number.parse::<u64>().ok());
        let known = number.filter(|number| people.contains_key(number));
        match (path, known) {
            ("/person.php", Some(number)) => ok(&people[&number]),
            ("/save.php", Some(number)) => {
                for (name, value) in form.into_iter().filter(|(name, _)| name != "pno") {
                    people.get_mut(&number).unwrap()[name] = Value::from(value);
                }
                ok(&Value::Null)
            }
            ("/fire.php", Some(number)) => {
                people.remove(&number);
                ok(&Value::Null)
            }
            ("/person.php" | "/save.php" | "/fire.php", None) => error(12, "no such person"),
            ("/people.php", _) => {
                let rows: Vec<&Value> =
                    people.values().filter(|row| form.get("login").is_none_or(|login| row["login"] == **login)).collect();
                ok(&json!({ "people": rows }))
            }
            ("/new.php", _) if people.values().any(|row| row["login"] == *form["login"]) => error(23, "login is in use"),
            ("/new.php", _) => {
                let number = people.keys().next_back().map_or(1, |last| last + 1);
                people.insert(number, json!({ "pno": number, "login": form["login"], "title": form.get("title") }));
                ok(&json!({ "pno": number }))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn errors_inside_a_success() {
    let server = Server::start(application("")).await;
    let gateway = server.gateway(MAPPING);
    let id = gateway.create("/Users", user("ann", json!({ "title": "Boss" }))).await;
    assert_eq!(gateway.get("/Users/1").await.ok(200)["title"], "Boss");
    gateway.get("/Users/2").await.refused(404, None);
    let detail = gateway.send("POST", "/Users", Some(user("ann", json!({})))).await;
    assert_eq!(detail.refused(409, Some("uniqueness")), "login is in use");
    let title = patch(json!({ "op": "replace", "path": "title", "value": "Chief" }));
    assert_eq!(gateway.send("PATCH", "/Users/1", Some(title.clone())).await.ok(200)["title"], "Chief");
    gateway.send("PATCH", "/Users/2", Some(title)).await.refused(404, None);
    assert_eq!(gateway.get(&filtered("/Users", "userName eq \"ann\"")).await.ok(200)["totalResults"], 1);
    assert_eq!(gateway.get(&filtered("/Users", "userName eq \"bob\"")).await.ok(200)["totalResults"], 0);
    assert_eq!(gateway.send("DELETE", &format!("/Users/{id}"), None).await.status, 204);
    gateway.send("DELETE", &format!("/Users/{id}"), None).await.refused(404, None);
}

/// Whatever is asked for: what the application says is no success is none, and no list of nobody.
#[tokio::test]
async fn nothing_works() {
    for (down, status, wait) in
        [("maintenance", 503, Some("120")), ("quota", 503, Some("42")), ("unknown", 502, None), ("dead", 502, None)]
    {
        let server = Server::start(application(down)).await;
        let gateway = server.gateway(MAPPING);
        let title = patch(json!({ "op": "replace", "path": "title", "value": "x" }));
        for (method, path, body) in [
            ("GET", "/Users/1".to_owned(), None),
            ("GET", "/Users".to_owned(), None),
            ("GET", filtered("/Users", "userName eq \"ann\""), None),
            ("POST", "/Users".to_owned(), Some(user("ann", json!({})))),
            ("PUT", "/Users/1".to_owned(), Some(user("ann", json!({})))),
            ("PATCH", "/Users/1".to_owned(), Some(title)),
            ("DELETE", "/Users/1".to_owned(), None),
        ] {
            let answer = gateway.send(method, &path, body).await;
            let detail = answer.refused(status, None);
            assert!(!detail.contains("SQL") && !detail.contains("Back soon"), "{detail}");
            assert_eq!(answer.header("retry-after"), wait, "{down}: {method} {path}");
            assert_eq!(server.lines().len(), 1, "{down}: {method} {path} is sent once");
        }
    }
}

/// Gerrit puts a line in front of its JSON; not in front of its errors, which are plain text.
#[tokio::test]
async fn a_prefix() {
    let mapping = r#"
mapping: v1
backend: { url: "${PEOPLE_URL}", prefix: ")]}'" }
resources:
  User:
    id: { at: $._account_id, as: integer }
    attributes: { userName: $.username, displayName: $.name }
    get: GET /a/accounts/{{key}}/detail
    list: { call: GET /a/accounts, query: { q: "is:active" } }
"#;
    let server = Server::start(|came| match came.line.as_str() {
        "GET /a/accounts/7/detail" => {
            given(200, "application/json", ")]}'\n{\"_account_id\":7,\"username\":\"ann\",\"name\":\"Ann\"}")
        }
        "GET /a/accounts/8/detail" => given(200, "application/json", "{\"_account_id\":8,\"username\":\"bob\"}"),
        line if line.starts_with("GET /a/accounts?") => {
            given(200, "application/json", ")]}'\n[{\"_account_id\":7,\"username\":\"ann\"}]")
        }
        _ => given(404, "text/plain", "Not found"),
    })
    .await;
    let gateway = server.gateway(mapping);
    assert_eq!(gateway.get("/Users/7").await.ok(200)["displayName"], "Ann");
    assert_eq!(gateway.get("/Users/8").await.ok(200)["userName"], "bob");
    assert_eq!(gateway.get("/Users").await.ok(200)["Resources"][0]["id"], "7");
    gateway.get("/Users/9").await.refused(404, None);
}
