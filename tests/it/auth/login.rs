//! A backend that wants a login: cookie, CSRF token, a session that ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{Came, Fake, Reply, mapping, person, reply};
use crate::demo::Demo;
use crate::scim::{patch, user};

const LOGIN: &str = "
auth:
  login:
    call: POST /login
    body: { user: gateway, pass: \"${PEOPLE_TOKEN}\" }
    keep: { csrf: $.data.csrf }
    send: { headers: { X-Csrf: \"{{csrf}}\" } }
";

/// An old application: the session is a cookie, each session has a CSRF token.
#[derive(Default)]
struct Php {
    /// The one session that counts.
    sessions: AtomicUsize,
    ended: AtomicBool,
    created: AtomicUsize,
    /// A session that has ended is a 200 with an error.
    polite: bool,
    /// Sessions end at once.
    hopeless: bool,
}

impl Php {
    fn answer(&self, came: &Came) -> Reply {
        if came.target.starts_with("/login") {
            assert_eq!(came.header("cookie"), None);
            assert_eq!(came.header("x-csrf"), None);
            if came.json() != json!({ "user": "gateway", "pass": "people" }) {
                return reply(403, json!({ "err": "wrong password" }));
            }
            let number = self.sessions.fetch_add(1, Ordering::SeqCst) + 1;
            self.ended.store(false, Ordering::SeqCst);
            return reply(200, json!({ "data": { "csrf": format!("c{number}") } }))
                .with("set-cookie", &format!("SID=s{number}; Path=/; HttpOnly; SameSite=Lax"))
                .with("set-cookie", "theme=dark; Max-Age=86400");
        }
        let number = self.sessions.load(Ordering::SeqCst);
        let cookie = format!("SID=s{number}; theme=dark");
        let csrf = format!("c{number}");
        let known = came.header("cookie") == Some(&cookie) && came.header("x-csrf") == Some(&csrf);
        if !known || self.hopeless || self.ended.load(Ordering::SeqCst) {
            return if self.polite { reply(200, json!({ "err": { "no": 7 } })) } else { reply(401, json!({})) };
        }
        if came.line() == "POST /people" {
            self.created.fetch_add(1, Ordering::SeqCst);
        }
        person(came)
    }
}

/// The application, and a gateway in front of it.
async fn start(php: Php, backend: &str) -> (Arc<Php>, Fake, Demo) {
    let php = Arc::new(php);
    let answers = Arc::clone(&php);
    let fake = Fake::start(move |came| answers.answer(came)).await;
    let gateway = fake.gateway(backend);
    (php, fake, gateway)
}

#[tokio::test]
async fn one_login_serves_all_calls() {
    let (_, fake, gateway) = start(Php::default(), LOGIN).await;
    gateway.get("/Users/7").await.ok(200);
    gateway.get("/Users").await.ok(200);
    gateway.send("DELETE", "/Users/7", None).await;
    assert_eq!(fake.lines(), ["POST /login", "GET /people/7", "GET /people", "DELETE /people/7"]);
}

#[tokio::test]
async fn a_session_that_has_ended_is_a_401() {
    let (php, fake, gateway) = start(Php::default(), LOGIN).await;
    gateway.get("/Users/7").await.ok(200);
    fake.came();
    php.ended.store(true, Ordering::SeqCst);
    gateway.get("/Users/7").await.ok(200);
    assert_eq!(fake.lines(), ["GET /people/7", "POST /login", "GET /people/7"]);
}

#[tokio::test]
async fn a_session_that_has_ended_is_a_200_with_an_error() {
    let backend = format!("{LOGIN}errors:\n  - {{ when: \"$.err[?@ == 7]\", as: relogin }}\n");
    let (php, fake, gateway) = start(Php { polite: true, ..Php::default() }, &backend).await;
    gateway.get("/Users/7").await.ok(200);
    fake.came();
    php.ended.store(true, Ordering::SeqCst);
    gateway.get("/Users/7").await.ok(200);
    assert_eq!(fake.lines(), ["GET /people/7", "POST /login", "GET /people/7"]);
}

#[tokio::test]
async fn many_requests_make_one_login() {
    let (php, fake, gateway) = start(Php::default(), LOGIN).await;
    let all = || futures_util::future::join_all((0..20).map(|_| gateway.get("/Users/7")));
    assert!(all().await.iter().all(|answer| answer.status == 200));
    let logins = |lines: Vec<String>| lines.iter().filter(|line| *line == "POST /login").count();
    assert_eq!(logins(fake.lines()), 1);
    php.ended.store(true, Ordering::SeqCst);
    assert!(all().await.iter().all(|answer| answer.status == 200));
    assert_eq!(logins(fake.lines()), 1);
}

/// A call that was refused because of its session did nothing, so that a write may be made again.
#[tokio::test]
async fn a_write_is_performed_once() {
    let (php, fake, gateway) = start(Php::default(), LOGIN).await;
    gateway.get("/Users/7").await.ok(200);
    php.ended.store(true, Ordering::SeqCst);
    fake.came();
    let answer = gateway.send("POST", "/Users", Some(user("ann", json!({})))).await;
    assert_eq!(answer.ok(201)["id"], "7");
    let came = fake.came();
    assert_eq!(came.iter().map(Came::line).collect::<Vec<_>>(), ["POST /people", "POST /login", "POST /people"]);
    assert_eq!(came[0].body, came[2].body);
    assert_eq!(came[2].json()["login"], "ann");
    assert_eq!(php.created.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_login_is_502_and_no_storm() {
    let (php, fake, gateway) = start(Php::default(), &LOGIN.replace("${PEOPLE_TOKEN}", "${PEOPLE_URL}")).await;
    for _ in 0..5 {
        let detail = gateway.get("/Users/7").await.refused(502, None).to_owned();
        assert!(!detail.contains("login"), "{detail}");
        gateway.send("POST", "/Users", Some(user("ann", json!({})))).await.refused(502, None);
    }
    let change = patch(json!({ "op": "replace", "path": "userName", "value": "bob" }));
    gateway.send("PATCH", "/Users/7", Some(change)).await.refused(502, None);
    assert_eq!(fake.lines(), ["POST /login"]);
    assert_eq!(php.created.load(Ordering::SeqCst), 0);
}

/// Not a loop: the call is repeated once, and what is refused then is refused.
#[tokio::test]
async fn a_login_that_does_not_help_is_502() {
    let (_, fake, gateway) = start(Php { hopeless: true, ..Php::default() }, LOGIN).await;
    gateway.get("/Users/7").await.refused(502, None);
    assert_eq!(fake.lines(), ["POST /login", "GET /people/7", "POST /login", "GET /people/7"]);
    for _ in 0..3 {
        gateway.get("/Users/7").await.refused(502, None);
    }
    assert_eq!(fake.lines(), ["GET /people/7"; 3]);
}

/// 403 is a matter of permissions, not of the session.
#[tokio::test]
async fn what_is_forbidden_makes_no_login() {
    let fake = Fake::start(|came| match came.target.as_str() {
        "/login" => reply(200, json!({ "data": { "csrf": "c" } })),
        _ => reply(403, json!({})),
    })
    .await;
    fake.gateway(LOGIN).get("/Users/7").await.refused(502, None);
    assert_eq!(fake.lines(), ["POST /login", "GET /people/7"]);
}

#[tokio::test]
async fn a_login_that_gives_nothing_is_502() {
    for body in
        [json!({}), json!({ "data": { "csrf": null } }), json!({ "data": { "csrf": "" } }), json!({ "data": { "csrf": {} } })]
    {
        let fake = Fake::start(move |_| reply(200, body.clone())).await;
        fake.gateway(LOGIN).get("/Users/7").await.refused(502, None);
        assert_eq!(fake.lines(), ["POST /login"]);
    }
}

/// What would be sent with other calls is a cookie, and there is none.
#[tokio::test]
async fn a_login_without_a_cookie_is_502() {
    let fake = Fake::start(|_| reply(200, json!({ "welcome": "?" }))).await;
    fake.gateway("auth: { login: { call: POST /login } }").get("/Users/7").await.refused(502, None);
    assert_eq!(fake.lines(), ["POST /login"]);
}

/// A wrong password in a 200, told by a row of errors; it is not the client's either.
#[tokio::test]
async fn a_login_that_is_refused_in_a_200() {
    for meaning in ["unauthorized", "failed", "invalidValue", "forbidden", "notFound"] {
        let fake = Fake::start(|_| reply(200, json!({ "err": { "no": 3 }, "data": { "csrf": "c" } }))).await;
        let backend = format!("{LOGIN}errors:\n  - {{ when: \"$.err[?@ == 3]\", as: {meaning} }}\n");
        fake.gateway(&backend).get("/Users/7").await.refused(502, None);
        assert_eq!(fake.lines(), ["POST /login"]);
    }
}

/// As Keystone does it: the token is in a header of the answer, and the body of the login is nested.
#[tokio::test]
async fn a_token_in_a_header() {
    const KEYSTONE: &str = "
auth:
  login:
    call: POST /auth/tokens
    body:
      auth:
        identity:
          methods: [password]
          password: { user: { name: admin, domain: { id: default }, password: \"${PEOPLE_TOKEN}\" } }
    keep: { token: { header: X-Subject-Token } }
    send: { headers: { X-Auth-Token: \"{{token}}\" } }
";
    let fake = Fake::start(|came| {
        if came.target == "/auth/tokens" {
            let user = json!({ "name": "admin", "domain": { "id": "default" }, "password": "people" });
            let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": user } } } });
            assert_eq!(came.json(), body);
            return reply(201, json!({ "token": { "methods": ["password"] } })).with("x-subject-token", "gAAAA-1");
        }
        if came.header("x-auth-token") == Some("gAAAA-1") { person(came) } else { reply(401, json!({})) }
    })
    .await;
    fake.gateway(KEYSTONE).get("/Users/7").await.ok(200);
    assert_eq!(fake.lines(), ["POST /auth/tokens", "GET /people/7"]);
}

/// As GLPI does it: a GET with tokens in headers, a token in the body, and two headers afterwards.
#[tokio::test]
async fn a_login_by_get() {
    const GLPI: &str = "
auth:
  login:
    call: GET /initSession
    headers: { Authorization: \"user_token ${file:tests/fixtures/secret.txt}\", App-Token: \"${PEOPLE_TOKEN}\" }
    keep: { session: $.session_token }
    send: { headers: { Session-Token: \"{{session}}\", App-Token: \"${PEOPLE_TOKEN}\" } }
errors:
  - { status: 401, when: \"$[?@ == 'ERROR_SESSION_TOKEN_INVALID']\", as: relogin }
";
    let fake = Fake::start(|came| {
        assert_eq!(came.header("app-token"), Some("people"));
        if came.target == "/initSession" {
            assert_eq!(came.header("authorization"), Some("user_token of the fixture"));
            return reply(200, json!({ "session_token": "83af7e620c83a50a18d3eac2f6ed05a3ca0bea62" }));
        }
        let session = came.header("session-token") == Some("83af7e620c83a50a18d3eac2f6ed05a3ca0bea62");
        if session { person(came) } else { reply(401, json!(["ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid"])) }
    })
    .await;
    fake.gateway(GLPI).get("/Users/7").await.ok(200);
    assert_eq!(fake.lines(), ["GET /initSession", "GET /people/7"]);
}

/// A token that each answer replaces, and a cookie that a later answer replaces.
#[tokio::test]
async fn later_answers_renew_what_is_sent() {
    let count = AtomicUsize::new(0);
    let fake = Fake::start(move |came| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let next = format!("c{number}");
        if came.target == "/login" {
            return reply(200, Value::Null).with("x-csrf-token", &next).with("set-cookie", "SID=s0");
        }
        assert_eq!(came.header("x-csrf-token"), Some(format!("c{}", number - 1).as_str()));
        assert_eq!(came.header("cookie"), Some(format!("SID=s{}", number - 1).as_str()));
        person(came).with("x-csrf-token", &next).with("set-cookie", &format!("SID=s{number}; Path=/")).with("set-cookie", "ads=1")
    })
    .await;
    let gateway = fake.gateway(
        "auth: { login: { call: POST /login, keep: { csrf: { header: X-Csrf-Token } }, send: { headers: { X-Csrf-Token: \"{{csrf}}\" } } } }",
    );
    for _ in 0..3 {
        gateway.get("/Users/7").await.ok(200);
    }
    assert_eq!(fake.came().len(), 4);
}

/// A token in a cookie that has to come back in a header, and one in a query; cookies themselves stay here.
#[tokio::test]
async fn cookies_that_are_sent_otherwise() {
    let fake = Fake::start(|came| {
        if came.target.starts_with("/login") {
            assert_eq!(came.target, "/login?realm=a%20b&key=people");
            return reply(200, json!({ "sid": 42 })).with("set-cookie", "XSRF-TOKEN=x1; Path=/");
        }
        assert_eq!(came.header("cookie"), None);
        assert_eq!(came.header("x-xsrf-token"), Some("x1"));
        assert_eq!(came.target, "/people/7?sid=42");
        person(&Came { target: "/people/7".to_owned(), ..came.clone() })
    })
    .await;
    let gateway = fake.gateway(
        "
auth:
  login:
    call: POST /login?realm=a b&key=${PEOPLE_TOKEN}
    keep: { xsrf: { cookie: XSRF-TOKEN }, sid: $.sid }
    send: { headers: { X-XSRF-TOKEN: \"{{xsrf}}\" }, query: { sid: \"{{sid}}\" }, cookies: false }
",
    );
    gateway.get("/Users/7").await.ok(200);
    assert_eq!(fake.came().len(), 2);
}

/// Old applications send the browser elsewhere when it has logged in.
#[tokio::test]
async fn a_login_that_ends_in_a_redirect() {
    let fake = Fake::start(|came| {
        if came.target == "/login.php" {
            assert_eq!(came.form(), [("pass".to_owned(), "people".to_owned())]);
            return reply(302, Value::Null).with("location", "/index.php").with("set-cookie", "PHPSESSID=1");
        }
        assert_eq!(came.header("cookie"), Some("PHPSESSID=1"));
        person(came)
    })
    .await;
    let gateway = fake.gateway(
        "auth: { login: { call: POST /login.php, format: form, body: { pass: \"${PEOPLE_TOKEN}\" }, errors: [{ status: 302, as: done }] } }",
    );
    gateway.get("/Users/7").await.ok(200);
}

/// Neither a mapping nor what is made of it shows a secret.
#[test]
fn secrets_are_not_shown() {
    let text = mapping(LOGIN).replace("${PEOPLE_TOKEN}", "${LOGIN_SECRET}");
    let (found, _) = scimitar::mapping::load(&text, &Shown);
    let shown = format!("{:?}", found.unwrap().backend);
    assert!(shown.contains("LOGIN_SECRET") && !shown.contains("s3cret"), "{shown}");
}

struct Shown;

impl scimitar::mapping::Secrets for Shown {
    fn resolve(&self, text: &str) -> Result<secrecy::SecretString, String> {
        Ok(if text.contains("URL") { "http://people.test".into() } else { "s3cret".into() })
    }
}
