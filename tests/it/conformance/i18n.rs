//! Internationalised strings.

use serde_json::json;

use super::lists::found;
use crate::demo::Demo;
use crate::scim::user;

#[tokio::test]
async fn i18n_03_languages_and_zones_come_back_as_they_were_sent() {
    let demo = Demo::start(0, 0).await;
    let sent = json!({ "preferredLanguage": "en-US,en;q=0.8", "locale": "en_US", "timezone": "Europe/Rome" });
    let id = demo.create("/Users", user("ann", sent.clone())).await;
    let answer = demo.get(&format!("/Users/{id}")).await;
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(answer.ok(200)[name], *value);
    }
}

#[tokio::test]
async fn i18n_02_letters_beyond_ascii_compare_without_case() {
    let demo = Demo::start(0, 0).await;
    demo.create("/Users", user("jürgen", json!({ "title": "Größe" }))).await;
    for filter in ["userName eq \"JÜRGEN\"", "userName sw \"JÜ\"", "title co \"GRÖ\""] {
        assert_eq!(found(&demo, filter).await, ["jürgen"], "{filter}");
    }
    demo.strictly("POST", "/Users", Some(user("JÜRGEN", json!({})))).await.refused(409, Some("uniqueness"));
}

#[tokio::test]
async fn i18n_04_the_keyword_of_an_error_is_the_same_in_every_language() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.send_as(crate::demo::STRICT, "GET", "/Users?count=x", &[("Accept-Language", "de")], None).await;
    answer.refused(400, Some("invalidValue"));
}
