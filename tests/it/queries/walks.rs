//! Clients that walk through all pages: what it costs, and what is still true when others write.

use scimitar::engine::ScimRequest;
use serde_json::{Value, json};

use super::fake::{Kind, Pages, Push, Total};
use super::{Gateway, context, ids, window};

fn people(count: usize) -> Vec<Value> {
    (1..=count)
        .map(|id| json!({ "id": id, "login": format!("user{id}"), "status": "A", "created": id, "surname": "Lee" }))
        .collect()
}

fn cursor(total: Total) -> Kind {
    Kind { push: Push::Superset, pages: Pages::Cursor, total, ..Kind::default() }
}

/// One page of 100, without groups: they would be a call each.
async fn page(gateway: &Gateway, filter: Option<&str>, start: usize) -> Value {
    let mut search = window(filter, i64::try_from(start).unwrap(), 100);
    search.excluded_attributes = vec!["groups".to_owned()];
    gateway.search("/Users", search).await.unwrap()
}

async fn walk(gateway: &Gateway, filter: Option<&str>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let body = page(gateway, filter, all.len() + 1).await;
        all.extend(ids(&body));
        if ids(&body).is_empty() || all.len() as u64 >= body["totalResults"].as_u64().unwrap() {
            return all;
        }
    }
}

fn numbers(range: std::ops::RangeInclusive<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn pages_of_a_list_of_cursors_cost_one_walk() {
    for (total, filter) in [(Total::Body, None), (Total::Counted, None), (Total::Counted, Some("name.familyName sw \"l\""))] {
        let gateway = Gateway::new(cursor(total), people(20_000), Vec::new());
        let all = walk(&gateway, filter).await;
        assert_eq!(all, numbers(1..=20_000), "{total:?}");
        // 200 pages hold them; at most a twentieth more.
        let calls = gateway.fake.calls().len();
        assert!((200..=210).contains(&calls), "{total:?} {filter:?}: {calls} calls");
    }
}

#[tokio::test]
async fn pages_by_links_cost_one_walk() {
    for pages in [Pages::NextLink, Pages::LinkHeader] {
        let gateway = Gateway::new(Kind { pages, ..cursor(Total::Header) }, people(2_000), Vec::new());
        assert_eq!(walk(&gateway, None).await, numbers(1..=2_000));
        assert_eq!(gateway.fake.calls().len(), 20, "{pages:?}");
    }
}

#[tokio::test]
async fn two_clients_walk_at_once() {
    for total in [Total::Body, Total::Counted] {
        let gateway = Gateway::new(cursor(total), people(1_000), Vec::new());
        let (mut one, mut other) = (Vec::new(), Vec::new());
        // The other one begins late, and asks for what the first one asked for before.
        for turn in 0..13 {
            if turn < 10 {
                one.extend(ids(&page(&gateway, None, turn * 100 + 1).await));
            }
            if turn >= 3 {
                other.extend(ids(&page(&gateway, None, (turn - 3) * 100 + 1).await));
            }
        }
        assert_eq!((&one, &other), (&numbers(1..=1_000), &numbers(1..=1_000)));
        // Each page once for each client, or a walk for each first page.
        assert_eq!(gateway.fake.calls().len(), 20, "{total:?}");
    }
}

#[tokio::test]
async fn a_write_in_between_is_seen() {
    for total in [Total::Body, Total::Counted] {
        let gateway = Gateway::new(cursor(total), people(300), Vec::new());
        assert_eq!(ids(&page(&gateway, None, 1).await), numbers(1..=100));
        let delete = ScimRequest::Delete { endpoint: "/Users".to_owned(), id: "150".to_owned() };
        assert_eq!(gateway.engine.call(&context(), delete).await.unwrap().status, 204);
        let body = page(&gateway, None, 101).await;
        assert_eq!(body["totalResults"], 299, "{total:?}");
        let expected: Vec<String> = (101..=201).filter(|id| *id != 150).map(|id: usize| id.to_string()).collect();
        assert_eq!(ids(&body), expected, "{total:?}");
    }
}

#[tokio::test]
async fn a_first_page_is_never_an_old_one() {
    let gateway = Gateway::new(cursor(Total::Counted), people(300), Vec::new());
    page(&gateway, None, 1).await;
    gateway.fake.calls();
    page(&gateway, None, 1).await;
    assert_eq!(gateway.fake.calls().len(), 3);
}

#[tokio::test]
async fn a_lost_position_is_found_again_in_the_largest_steps() {
    let gateway = Gateway::new(cursor(Total::Body), people(1_000), Vec::new());
    let mut search = window(None, 501, 10);
    search.excluded_attributes = vec!["groups".to_owned()];
    let body = gateway.search("/Users", search).await.unwrap();
    assert_eq!((ids(&body), &body["totalResults"]), (numbers(501..=510), &json!(1_000)));
    assert_eq!(gateway.fake.calls().len(), 6);
}

#[tokio::test]
async fn a_scan_ends_at_its_bound() {
    let rows = 300;
    for (bound, fits) in [(rows, true), (rows - 1, false)] {
        let kind = Kind { scan: Some(bound as u64), ..cursor(Total::Counted) };
        let gateway = Gateway::new(kind, people(rows), Vec::new());
        let answer = gateway.search("/Users", window(Some("title eq \"x\""), 1, 10)).await;
        match answer {
            Ok(body) => assert!(fits && body["totalResults"] == 0, "{body}"),
            Err(error) => {
                let error = error.to_scim();
                assert!(!fits && error.status == 400, "{error:?}");
                assert_eq!(error.scim_type, Some(scimitar::scim::ScimType::TooMany));
                assert!(error.detail.contains("userName eq"), "{}", error.detail);
            }
        }
    }
}
