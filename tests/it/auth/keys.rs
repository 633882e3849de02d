//! Credentials that are the same in every call.

use super::{Fake, mapping, person, reply};
use crate::demo::Demo;
use crate::scim::user;
use serde_json::json;

#[tokio::test]
async fn an_api_key_in_the_query() {
    let fake = Fake::start(|came| match came.target.split_once('?') {
        Some((path, query)) if query.contains("api_key=people") => {
            let came = super::Came { target: path.to_owned(), ..came.clone() };
            person(&came)
        }
        _ => reply(401, json!({})),
    })
    .await;
    let gateway = fake.gateway("auth: { query: { name: api_key, value: \"${PEOPLE_TOKEN}\" } }");
    gateway.get("/Users/7").await.ok(200);
    gateway.get("/Users").await.ok(200);
    gateway.send("POST", "/Users", Some(user("ann", json!({})))).await.ok(201);
    let lines = fake.lines();
    assert_eq!(lines, ["GET /people/7?api_key=people", "GET /people?api_key=people", "POST /people?api_key=people"]);
}

/// It stands behind what the call itself asks for, and is escaped.
#[tokio::test]
async fn an_api_key_beside_other_parameters() {
    let fake = Fake::start(|_| reply(200, json!({ "id": "7", "login": "ann" }))).await;
    let text = mapping("auth: { query: { name: \"api[key]\", value: \"a&b=c d\" } }")
        .replace("GET /people/{{key}}", "GET /people?id={{key}}");
    Demo::before(&fake.url, &text).get("/Users/7").await.ok(200);
    assert_eq!(fake.lines(), ["GET /people?id=7&api%5Bkey%5D=a%26b%3Dc%20d"]);
}

/// The call's own header stands before that of all calls.
#[tokio::test]
async fn a_header_of_the_call_is_kept() {
    let fake = Fake::start(person).await;
    let text = mapping("auth: { bearer: \"${PEOPLE_TOKEN}\" }")
        .replace("get: GET /people/{{key}}", "get: { call: \"GET /people/{{key}}\", headers: { Authorization: Other } }");
    let gateway = Demo::before(&fake.url, &text);
    gateway.get("/Users/7").await.ok(200);
    gateway.get("/Users").await.ok(200);
    let came = fake.came();
    let sent: Vec<_> = came.iter().map(|came| came.header("authorization")).collect();
    assert_eq!(sent, [Some("Other"), Some("Bearer people")]);
}

/// A wrong key is no business of the client's, and is not tried again.
#[tokio::test]
async fn a_refused_key_is_502() {
    let fake = Fake::start(|_| reply(401, json!({}))).await;
    let gateway = fake.gateway("auth: { query: { name: api_key, value: \"${PEOPLE_TOKEN}\" } }");
    let detail = gateway.get("/Users/7").await.refused(502, None).to_owned();
    assert!(!detail.contains("people"), "{detail}");
    assert_eq!(fake.came().len(), 1);
}
