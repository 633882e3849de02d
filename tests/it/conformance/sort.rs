//! Sorting (RFC 7644 section 3.4.2.3).

use serde_json::{Value, json};

use super::lists::{ids, texts};
use crate::demo::Demo;
use crate::scim::user;

async fn sorted(demo: &Demo, query: &str) -> Vec<String> {
    texts(&demo.strictly("GET", &format!("/Users?{query}"), None).await, "userName")
}

async fn with(people: &[(&str, Value)]) -> Demo {
    let demo = Demo::start(0, 0).await;
    for (name, more) in people {
        demo.create("/Users", user(name, more.clone())).await;
    }
    demo
}

#[tokio::test]
async fn sort_01_sort_02_in_both_directions_ascending_by_default() {
    let demo = with(&[("bob", json!({})), ("Ann", json!({})), ("cid", json!({}))]).await;
    assert_eq!(demo.get("/ServiceProviderConfig").await.ok(200)["sort"]["supported"], true);
    assert_eq!(sorted(&demo, "sortBy=userName").await, ["Ann", "bob", "cid"]);
    assert_eq!(sorted(&demo, "sortBy=userName&sortOrder=ascending").await, ["Ann", "bob", "cid"]);
    assert_eq!(sorted(&demo, "sortBy=USERNAME&sortOrder=descending").await, ["cid", "bob", "Ann"]);
    // Without sortBy the order has nothing to be about.
    assert_eq!(sorted(&demo, "sortOrder=descending").await.len(), 3);
    demo.get("/Users?sortBy=userName&sortOrder=up").await.refused(400, Some("invalidValue"));
}

#[tokio::test]
async fn sort_03_of_several_values_the_primary_or_the_first() {
    let emails = |first: &str, second: &str, primary: bool| json!({ "emails": [{ "value": first, "type": "work" }, { "value": second, "type": "home", "primary": primary }] });
    let demo =
        with(&[("x", emails("b@x", "z@x", false)), ("y", emails("z@y", "a@y", true)), ("z", emails("c@z", "a@z", false))]).await;
    for sort_by in ["emails.value", "emails"] {
        assert_eq!(sorted(&demo, &format!("sortBy={sort_by}")).await, ["y", "x", "z"], "{sort_by}");
    }
}

#[tokio::test]
async fn sort_04_a_complex_attribute_needs_a_sub_attribute() {
    let name = |given: &str| json!({ "name": { "givenName": given } });
    let demo = with(&[("x", name("Zoe")), ("y", name("adam"))]).await;
    assert_eq!(sorted(&demo, "sortBy=name.givenName").await, ["y", "x"]);
    for sort_by in ["name", "noSuch", "password", "emails[type%20eq%20%22work%22]"] {
        demo.strictly("GET", &format!("/Users?sortBy={sort_by}"), None).await.refused(400, Some("invalidPath"));
    }
}

#[tokio::test]
async fn sort_05_without_a_value_last_when_ascending_first_when_descending() {
    let demo = with(&[("none", json!({})), ("b", json!({ "title": "b" })), ("a", json!({ "title": "a" }))]).await;
    assert_eq!(sorted(&demo, "sortBy=title").await, ["a", "b", "none"]);
    assert_eq!(sorted(&demo, "sortBy=title&sortOrder=descending").await, ["none", "b", "a"]);
}

#[tokio::test]
async fn sort_06_the_order_is_that_of_the_type() {
    let of = |text: &str| json!({ "title": text, "externalId": text });
    let demo = with(&[("1", of("é")), ("2", of("c")), ("3", of("B")), ("4", of("a"))]).await;
    assert_eq!(sorted(&demo, "sortBy=title").await, ["4", "3", "2", "1"]);
    // Case-exact: capitals come first.
    assert_eq!(sorted(&demo, "sortBy=externalId").await, ["3", "4", "2", "1"]);
    assert_eq!(sorted(&demo, "sortBy=meta.created").await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn sort_06_groups_are_known_before_they_are_sorted_by() {
    let demo = with(&[("x", json!({})), ("y", json!({})), ("z", json!({}))]).await;
    let users = ids(&demo.get("/Users").await);
    for (name, member) in [("Zebras", &users[0]), ("Apes", &users[1])] {
        let group = crate::scim::group(name, json!({ "members": [{ "value": member }] }));
        demo.create("/Groups", group).await;
    }
    assert_eq!(sorted(&demo, "sortBy=groups.display&attributes=userName").await, ["y", "x", "z"]);
}

#[tokio::test]
async fn sort_07_equal_keys_do_not_repeat_or_drop_anybody() {
    let demo = Demo::start(120, 0).await;
    for order in ["ascending", "descending"] {
        let mut seen = Vec::new();
        for start in [1, 41, 81] {
            let path = format!("/Users?sortBy=userType&sortOrder={order}&startIndex={start}&count=40&attributes=userName");
            seen.extend(ids(&demo.get(&path).await));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 120, "{order}");
    }
}
