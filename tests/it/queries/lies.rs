//! Backends that do not do what their mapping says: the answer is right, or there is none.

use serde_json::{Value, json};

use super::fake::{Fake, Kind, Pages, Push, Total};
use super::{Gateway, ids, window};

const PAGES: [Pages; 7] =
    [Pages::Unpaged, Pages::Number, Pages::Offset, Pages::Cursor, Pages::NextLink, Pages::LinkHeader, Pages::Range];

fn people(count: usize) -> Vec<Value> {
    (1..=count).map(|id| json!({ "id": id, "login": format!("user{id}"), "status": "A", "created": id })).collect()
}

fn kind(pages: Pages) -> Kind {
    let total = match pages {
        Pages::Unpaged => Total::Counted,
        Pages::Range => Total::ContentRange,
        _ => Total::Body,
    };
    Kind { pages, total, ..Kind::default() }
}

/// A gateway that believes the backend to be of a kind that it is not.
fn deceived(told: Kind, is: Kind) -> Gateway {
    let mut gateway = Gateway::new(told, Vec::new(), Vec::new());
    let fake = Fake::new(is, people(250), Vec::new());
    gateway.engine = scimitar::engine::Engine::new(
        gateway.engine.mapping().clone(),
        fake.clone(),
        scimitar::app::Host,
        scimitar::engine::Offer::default(),
    );
    gateway.fake = fake;
    gateway
}

#[tokio::test]
async fn a_parameter_called_exact_and_ignored_does_not_hurt() {
    for pages in PAGES {
        let gateway = deceived(kind(pages), Kind { push: Push::Ignored, ..kind(pages) });
        for (count, expected) in [(100, vec!["3".to_owned()]), (1, vec!["3".to_owned()]), (0, Vec::new())] {
            let mut search = window(Some("userName eq \"user3\""), 1, count);
            search.attributes = vec!["userName".to_owned()];
            let body = gateway.search("/Users", search).await.unwrap();
            assert_eq!((ids(&body), &body["totalResults"]), (expected, &json!(1)), "{pages:?} {count}");
        }
    }
}

#[tokio::test]
async fn pages_smaller_than_the_mapping_says_lose_nobody() {
    for pages in PAGES {
        for cap in [1, 30, 99] {
            let gateway = deceived(kind(pages), Kind { cap, ..kind(pages) });
            for (start, count) in [(1, 200), (101, 100), (51, 100), (241, 20)] {
                let mut search = window(None, start, count);
                search.attributes = vec!["userName".to_owned()];
                match gateway.search("/Users", search).await {
                    Ok(body) => {
                        let expected: Vec<String> = (start..(start + count).min(251)).map(|id| id.to_string()).collect();
                        assert_eq!((ids(&body), &body["totalResults"]), (expected, &json!(250)), "{pages:?} {cap} {start}");
                    }
                    Err(error) => assert_eq!(error.to_scim().status, 502, "{error}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_last_page_that_comes_again_is_not_taken_for_more() {
    for pages in [Pages::Number, Pages::Offset] {
        for total in [Total::Body, Total::Counted] {
            let gateway = deceived(Kind { total, ..kind(pages) }, Kind { total, repeats: true, ..kind(pages) });
            for (start, expected) in [(241, 10), (251, 0), (1_001, 0), (1, 200)] {
                let mut search = window(None, start, 200);
                search.attributes = vec!["userName".to_owned()];
                let body = gateway.search("/Users", search).await.unwrap();
                assert_eq!((ids(&body).len(), &body["totalResults"]), (expected, &json!(250)), "{pages:?} {total:?} {start}");
            }
        }
    }
}
