//! OAuth 2.0, client credentials (RFC 6749 section 4.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{Came, Fake, Reply, person, reply};
use crate::demo::Demo;

/// RFC 6749 section 5.1; the example's own values where they do not matter.
fn token(number: usize) -> Reply {
    reply(
        200,
        json!({ "access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": 3600, "example_parameter": "v" }),
    )
}

/// An API that gives tokens and takes those of the last `alive` ones.
async fn start(auth: &str) -> (Arc<AtomicUsize>, Fake, Demo) {
    let oldest = Arc::new(AtomicUsize::new(1));
    let (taken, count) = (Arc::clone(&oldest), AtomicUsize::new(0));
    let fake = Fake::start(move |came| {
        if came.target == "/oauth/token" {
            return token(count.fetch_add(1, Ordering::SeqCst) + 1);
        }
        let number = came.header("authorization").and_then(|value| value.strip_prefix("Bearer t")?.parse::<usize>().ok());
        if number.is_some_and(|number| number >= taken.load(Ordering::SeqCst)) { person(came) } else { reply(401, json!({})) }
    })
    .await;
    let gateway = fake.gateway(auth);
    (oldest, fake, gateway)
}

fn fields(came: &Came) -> Vec<(String, String)> {
    let mut fields = came.form();
    fields.sort();
    fields
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Id and secret are written as in a form before they are put together (section 2.3.1).
#[tokio::test]
async fn the_secret_in_the_header() {
    let auth = "auth: { oauth2: { token: /oauth/token, client: \"gate way\", secret: \"p:+%\", scope: read write } }";
    let (_, fake, gateway) = start(auth).await;
    gateway.get("/Users/7").await.ok(200);
    gateway.get("/Users").await.ok(200);
    let came = fake.came();
    assert_eq!(came.iter().map(Came::line).collect::<Vec<_>>(), ["POST /oauth/token", "GET /people/7", "GET /people"]);
    let basic = came[0].header("authorization").unwrap().strip_prefix("Basic ").unwrap();
    assert_eq!(BASE64_STANDARD.decode(basic).unwrap(), b"gate+way:p%3A%2B%25");
    assert_eq!(fields(&came[0]), pairs(&[("grant_type", "client_credentials"), ("scope", "read write")]));
    assert_eq!(came[2].header("authorization"), Some("Bearer t1"));
}

#[tokio::test]
async fn the_secret_in_the_body() {
    let auth = "
auth:
  oauth2:
    token: /oauth/token
    client: gateway
    secret: ${PEOPLE_TOKEN}
    audience: https://people.test/
    send: body
    body: { grant_type: account_credentials, account_id: 42, tenant: \"${PEOPLE_TOKEN}\" }
";
    let (_, fake, gateway) = start(auth).await;
    gateway.get("/Users/7").await.ok(200);
    let came = fake.came();
    assert_eq!(came[0].header("authorization"), None);
    let expected = [
        ("account_id", "42"),
        ("audience", "https://people.test/"),
        ("client_id", "gateway"),
        ("client_secret", "people"),
        ("grant_type", "account_credentials"),
        ("tenant", "people"),
    ];
    assert_eq!(fields(&came[0]), pairs(&expected));
}

const AUTH: &str = "auth: { oauth2: { token: /oauth/token, client: gateway, secret: \"${PEOPLE_TOKEN}\" } }";

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_renewed() {
    let (oldest, fake, gateway) = start(AUTH).await;
    gateway.get("/Users/7").await.ok(200);
    fake.came();
    oldest.store(2, Ordering::SeqCst);
    gateway.get("/Users/7").await.ok(200);
    gateway.get("/Users/7").await.ok(200);
    let came = fake.came();
    assert_eq!(
        came.iter().map(Came::line).collect::<Vec<_>>(),
        ["GET /people/7", "POST /oauth/token", "GET /people/7", "GET /people/7"]
    );
    assert_eq!(came[3].header("authorization"), Some("Bearer t2"));
}

#[tokio::test]
async fn many_requests_ask_for_one_token() {
    let (_, fake, gateway) = start(AUTH).await;
    let all = futures_util::future::join_all((0..20).map(|_| gateway.get("/Users/7"))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    assert_eq!(fake.lines().iter().filter(|line| *line == "POST /oauth/token").count(), 1);
}

/// RFC 6749 section 5.2: a wrong secret is 401 or 400.
#[tokio::test]
async fn a_refused_client_is_502_and_no_storm() {
    for (status, error) in [(401, "invalid_client"), (400, "invalid_scope")] {
        let fake = Fake::start(move |_| reply(status, json!({ "error": error }))).await;
        let gateway = fake.gateway(AUTH);
        for _ in 0..5 {
            gateway.get("/Users/7").await.refused(502, None);
        }
        assert_eq!(fake.lines(), ["POST /oauth/token"]);
    }
}

/// 503: what gives tokens is away, and a retry may help. The API itself was not called.
#[tokio::test]
async fn a_token_endpoint_that_is_away_is_503() {
    let fake = Fake::start(|_| reply(500, json!({}))).await;
    let gateway = fake.gateway(AUTH);
    gateway.get("/Users/7").await.refused(503, None);
    assert_eq!(fake.lines(), ["POST /oauth/token"]);
}

/// The usual case: tokens come from another host, and the headers of the API's calls do not go there.
#[tokio::test]
async fn tokens_come_from_elsewhere() {
    let issuer = Fake::start(|_| token(1)).await;
    let fake = Fake::start(person).await;
    let backend = format!(
        "
headers: {{ X-Api-Key: \"${{PEOPLE_TOKEN}}\" }}
auth:
  oauth2: {{ token: \"{}/o/token/?tenant=a%20b\", client: gateway, secret: \"${{PEOPLE_TOKEN}}\" }}",
        issuer.url
    );
    fake.gateway(&backend).get("/Users/7").await.ok(200);
    let came = issuer.came();
    assert_eq!(came.iter().map(Came::line).collect::<Vec<_>>(), ["POST /o/token/?tenant=a%20b"]);
    assert_eq!(came[0].header("x-api-key"), None);
    let came = fake.came();
    assert_eq!(came[0].header("authorization"), Some("Bearer t1"));
    assert_eq!(came[0].header("x-api-key"), Some("people"));
}
