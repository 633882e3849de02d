//! The fake itself: it is as nasty as it claims to be.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::fake::{Moods, Orion, PASSWORD, USER};
use super::hr::Hr;

/// Somebody who talks to it without a gateway.
struct Visitor {
    orion: Orion,
    headers: HeaderMap,
}

impl Visitor {
    async fn enter(moods: Moods) -> Self {
        let mut visitor = Self { orion: Orion::new(Hr::seeded(), moods), headers: HeaderMap::new() };
        visitor.login().await;
        visitor
    }

    async fn login(&mut self) {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs([("user", USER), ("pass", PASSWORD)]).finish();
        let answer = self.orion.direct(&Method::POST, "/login", &form_headers(), &form);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
        self.headers.insert("cookie", HeaderValue::from_str(&cookie).unwrap());
        self.headers.insert("x-orion-csrf", HeaderValue::from_str(body["data"]["csrf"].as_str().unwrap()).unwrap());
    }

    async fn ask(&self, method: Method, target: &str, headers: &HeaderMap, body: &str) -> Value {
        let answer = self.orion.direct(&method, target, headers, body);
        assert_eq!(answer.status(), 200);
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8(bytes.to_vec()).unwrap()))
    }

    async fn get(&self, target: &str) -> Value {
        self.ask(Method::GET, target, &self.headers, "").await
    }

    async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Value {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mut headers = form_headers();
        headers.extend(self.headers.clone());
        self.ask(Method::POST, path, &headers, &form).await
    }

    /// The number of the answer to a form.
    async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Value {
        self.form(path, pairs).await["err"]["no"].take()
    }
}

fn form_headers() -> HeaderMap {
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))])
}

fn column(answer: &Value, rows: &str, name: &str) -> Vec<Value> {
    answer["data"][rows].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn who_does_not_keep_to_the_rules_is_refused_with_200() {
    let visitor = Visitor::enter(Moods::default()).await;
    let json = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let mut no_token = visitor.headers.clone();
    no_token.remove("x-orion-csrf");
    let no = |answer: Value| answer["err"]["no"].clone();
    let with = |more: &HeaderMap| {
        let mut headers = visitor.headers.clone();
        headers.extend(more.clone());
        headers
    };
    let (form, mine) = (with(&form_headers()), &visitor.headers);
    let nobody = HeaderMap::new();
    for (method, target, headers, body, expected) in [
        (Method::POST, "/login", &form_headers(), "user=scim&pass=wrong", 1),
        (Method::GET, "/login?user=scim&pass=x", &nobody, "", 2),
        (Method::GET, "/person/new?login=x&pw=y", mine, "", 2),
        (Method::POST, "/person/list", &form, "", 2),
        (Method::DELETE, "/person/get?pno=P-00041", mine, "", 2),
        (Method::GET, "/person/all", mine, "", 2),
        (Method::POST, "/person/new", &with(&json), r#"{"login":"x","pw":"y"}"#, 3),
        (Method::POST, "/person/new?login=x", &form, "pw=y", 3),
        (Method::GET, "/person/list?page=1", mine, "", 4),
        (Method::GET, "/person/list?pg=1&pg=2", mine, "", 4),
        (Method::POST, "/person/save", &form, "pno=P-00041&rev=3&mail=a%40b", 4),
        (Method::POST, "/person/new", &form, "login=&pw=y", 5),
        (Method::POST, "/person/save", &form, "pno=P-00041", 5),
        (Method::GET, "/person/list", &nobody, "", 7),
        (Method::GET, "/person/list", &no_token, "", 8),
        (Method::GET, "/person/get?pno=41", mine, "", 10),
        (Method::GET, "/person/get?pno=P-000041", mine, "", 10),
        (Method::GET, "/person/list?n=51", mine, "", 10),
        (Method::GET, "/person/get?pno=P-00099", mine, "", 12),
        (Method::GET, "/team/get?tid=7", mine, "", 13),
    ] {
        let answer = visitor.ask(method.clone(), target, headers, body).await;
        assert_eq!(no(answer), json!(expected), "{method} {target} {body}");
    }
    let calls = visitor.orion.calls();
    assert_eq!(calls.len(), 21, "the login and those above");
    assert_eq!(calls.iter().filter(|call| call.is_clumsy()).count(), 14);
}

#[tokio::test]
async fn lists_hide_much_and_repeat_their_last_page() {
    let visitor = Visitor::enter(Moods::default()).await;
    visitor.orion.with(|hr| hr.fill(30));
    let rows = visitor.get("/person/list?n=2").await;
    assert_eq!(rows["data"]["people"][0], json!({ "pno": "P-00041", "login": "novak", "st": "A" }));
    assert_eq!(rows["data"].as_object().unwrap().len(), 1, "no total");
    let all = visitor.get("/person/list?states=A,D,L,R&n=50").await;
    assert_eq!(column(&all, "people", "st").len(), 35);
    let hidden = visitor.get("/person/list?states=D,L,R").await;
    assert_eq!(column(&hidden, "people", "pno"), ["P-00042", "P-00043", "P-00044"]);
    let last = visitor.get("/person/list?pg=2").await;
    assert_eq!(column(&last, "people", "pno").len(), 12);
    assert_eq!(visitor.get("/person/list?pg=3").await, last);
    assert_eq!(visitor.get("/person/list?pg=400").await, last);
    let found = visitor.get("/person/find?q=DVO&states=A,D,L").await;
    assert_eq!(column(&found, "people", "login"), ["Dvorak"]);
    assert_eq!(column(&visitor.get("/person/find?q=DVO").await, "people", "login"), Vec::<Value>::new());
}

#[tokio::test]
async fn people_are_changed_by_many_calls_and_never_deleted() {
    let visitor = Visitor::enter(Moods::default()).await;
    let made = visitor.form("/person/new", &[("login", "maly"), ("pw", "x"), ("fname", "Jan"), ("sname", "Malý")]).await;
    assert_eq!(made["data"], json!({ "pno": "P-00048" }), "the number and nothing else");
    assert_eq!(visitor.post("/person/new", &[("login", "MALY"), ("pw", "x")]).await, 23);
    assert_eq!(visitor.post("/person/setmail", &[("pno", "P-00048"), ("mail", "maly@orion.test"), ("mail2", "m@x")]).await, 0);
    assert_eq!(visitor.post("/person/setmail", &[("pno", "P-00048"), ("mail2", "m@y")]).await, 0);
    assert_eq!(visitor.post("/person/rename", &[("pno", "P-00048"), ("newlogin", "Novak")]).await, 23);
    assert_eq!(visitor.post("/person/save", &[("pno", "P-00048"), ("rev", "1"), ("title", "x")]).await, 60);
    let save = [("pno", "P-00048"), ("rev", "3"), ("title", "Porter"), ("dept_id", "11"), ("boss", "P-00041"), ("extern", "Y")];
    assert_eq!(visitor.post("/person/save", &save).await, 0);
    let mut person = visitor.get("/person/get?pno=P-00048").await["data"]["person"].take();
    let today = person["hired"].take();
    assert!(
        today.as_str().is_some_and(|day| day.len() == 10 && day.get(2..3) == Some(".") && day.get(5..6) == Some(".")),
        "{today}"
    );
    assert_eq!(person["chg"].take(), today);
    let left = json!({
        "pno": "P-00048", "login": "maly", "st": "A", "fname": "", "mname": "", "sname": "", "disp": "", "title": "Porter", "nick": "",
        "lang": "", "loc": "", "tel": "", "gsm": "", "extern": "Y", "dept_id": 11, "boss": "P-00041", "persno": "", "ref": "", "desk": "",
        "mail": "", "mail2": "m@y", "hired": null, "chg": null, "rev": 4
    });
    assert_eq!(person, left, "what a call replaces is gone if it does not say it");
    assert_eq!(visitor.post("/person/retire", &[("pno", "P-00048"), ("why", "x")]).await, 44);
    assert_eq!(visitor.post("/person/disable", &[("pno", "P-00048")]).await, 0);
    assert_eq!(visitor.post("/person/retire", &[("pno", "P-00048"), ("why", "x")]).await, 0);
    assert_eq!(visitor.post("/person/enable", &[("pno", "P-00048")]).await, 12);
    assert_eq!(visitor.get("/person/get?pno=P-00048").await["data"]["person"]["st"], "R");
    assert_eq!(visitor.post("/person/new", &[("login", "maly"), ("pw", "x")]).await, 0, "the login is free again");
}

#[tokio::test]
async fn people_join_and_leave_by_the_name_of_the_team() {
    let visitor = Visitor::enter(Moods::default()).await;
    let (shift, early) = ([("pno", "P-00045"), ("team", "Night shift")], [("pno", "P-00045"), ("team", "Früh & spät")]);
    assert_eq!(visitor.post("/person/join", &shift).await, 0);
    assert_eq!(visitor.post("/person/join", &shift).await, 41);
    assert_eq!(visitor.post("/person/join", &early).await, 0);
    assert_eq!(visitor.post("/person/join", &[("pno", "P-00045"), ("team", "night shift")]).await, 13);
    assert_eq!(visitor.post("/person/join", &[("pno", "P-00044"), ("team", "Night shift")]).await, 12, "retired");
    assert_eq!(column(&visitor.get("/team/people?tid=46").await, "people", "pno"), ["P-00041", "P-00042", "P-00045"]);
    assert_eq!(column(&visitor.get("/person/teams?pno=P-00045").await, "teams", "tid"), [46, 47]);
    assert_eq!(visitor.post("/person/leave", &early).await, 0);
    assert_eq!(visitor.post("/person/leave", &early).await, 42);
    let renamed = [("tid", "47"), ("rev", "1"), ("tname", "Early")];
    assert_eq!(visitor.post("/team/save", &renamed).await, 0);
    assert_eq!(visitor.post("/team/save", &renamed).await, 60);
    assert_eq!(visitor.post("/team/new", &[("tname", "Early")]).await, 23);
    assert_eq!(visitor.post("/team/retire", &[("tid", "47"), ("why", "x")]).await, 0);
    assert_eq!(visitor.get("/team/get?tid=47").await["err"]["no"], 13);
}

#[tokio::test]
async fn its_moods_are_as_bad_as_they_are_told_to_be() {
    let mut visitor = Visitor::enter(Moods { session: Some(2), ..Moods::default() }).await;
    let list = "/person/list";
    for expected in [0, 0, 7, 7] {
        assert_eq!(visitor.get(list).await["err"]["no"], expected);
    }
    visitor.login().await;
    assert_eq!(visitor.get(list).await["err"]["no"], 0);
    visitor.orion.end_sessions();
    assert_eq!(visitor.get(list).await["err"]["no"], 7);
    assert_eq!(visitor.orion.logins(), 2);

    let visitor = Visitor::enter(Moods { busy: Some(3), maintenance: Some(4), ..Moods::default() }).await;
    assert_eq!(visitor.get(list).await["err"]["no"], 0);
    assert_eq!(visitor.get(list).await["err"]["no"], 99);
    assert!(visitor.get(list).await.as_str().is_some_and(|page| page.starts_with("<!DOCTYPE html>")));
    assert_eq!(visitor.get(list).await["err"]["no"], 0);

    let visitor = Visitor::enter(Moods { rate: Some(5), ..Moods::default() }).await;
    let mut numbers = Vec::new();
    for _ in 0..6 {
        numbers.push(visitor.get(list).await["err"]["no"].take());
    }
    assert_eq!(numbers, [0, 0, 0, 0, 99, 99], "the login was the first of five");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(visitor.get(list).await["err"]["no"], 0);
}
