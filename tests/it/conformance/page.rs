//! Index pagination (RFC 7644 section 3.4.2.4).

use serde_json::json;

use super::lists::ids;
use crate::demo::Demo;

#[tokio::test]
async fn page_01_a_start_below_one_is_one() {
    let demo = Demo::start(5, 0).await;
    for start in ["0", "-5", "1", "-99999999999999999999"] {
        let answer = demo.strictly("GET", &format!("/Users?startIndex={start}&count=2"), None).await;
        assert_eq!(answer.ok(200)["startIndex"], 1, "{start}");
        assert_eq!(ids(&answer), ids(&demo.get("/Users?count=2").await));
    }
}

#[tokio::test]
async fn page_02_a_start_behind_the_end_is_an_empty_page() {
    let demo = Demo::start(5, 0).await;
    for query in ["startIndex=6", "startIndex=10000&count=7", "startIndex=9223372036854775807", "startIndex=99999999999999999999"]
    {
        for more in ["", "&filter=title%20pr", "&sortBy=title", "&count=200"] {
            if query.contains("count") && more.contains("count") {
                continue;
            }
            let answer = demo.strictly("GET", &format!("/Users?{query}{more}"), None).await;
            assert_eq!((&answer.ok(200)["totalResults"], &answer.body["itemsPerPage"]), (&json!(5), &json!(0)), "{query}{more}");
            assert_eq!(answer.body["Resources"], json!([]));
        }
    }
}

#[tokio::test]
async fn page_03_page_06_never_more_than_count_and_the_page_says_what_it_is() {
    let demo = Demo::start(10, 0).await;
    for filter in ["", "&filter=userName%20pr", "&sortBy=userName"] {
        for (start, count, expected) in [(1, 1, 1), (1, 7, 7), (8, 7, 3), (10, 1, 1), (4, 4, 4)] {
            let answer = demo.strictly("GET", &format!("/Users?startIndex={start}&count={count}{filter}"), None).await;
            assert_eq!(ids(&answer).len(), expected);
            assert_eq!((&answer.body["itemsPerPage"], &answer.body["startIndex"]), (&json!(expected), &json!(start)));
            assert_eq!(answer.body["totalResults"], 10);
        }
    }
}

#[tokio::test]
async fn page_04_a_count_of_nothing_gives_the_total_alone() {
    let demo = Demo::start(150, 0).await;
    for count in ["0", "-1"] {
        for filter in ["", "&filter=userName%20pr", "&startIndex=3"] {
            let answer = demo.strictly("GET", &format!("/Users?count={count}{filter}"), None).await;
            assert_eq!((&answer.ok(200)["totalResults"], &answer.body["itemsPerPage"]), (&json!(150), &json!(0)));
            assert!(ids(&answer).is_empty());
        }
    }
    demo.calls();
    demo.get("/Users?count=0").await.ok(200);
    assert_eq!(demo.calls(), ["GET /users?page=1&per_page=1"]);
}

#[tokio::test]
async fn page_05_without_count_the_most_that_the_service_gives() {
    let demo = Demo::start(1_000, 0).await;
    let most = demo.get("/ServiceProviderConfig").await.ok(200)["filter"]["maxResults"].as_u64().unwrap();
    for query in ["", "&count=1000", "&count=99999999999999999999"] {
        let answer = demo.get(&format!("/Users?attributes=userName{query}")).await;
        assert_eq!(ids(&answer).len() as u64, most, "{query}");
        assert_eq!((&answer.body["itemsPerPage"], &answer.body["totalResults"]), (&json!(most), &json!(1_000)));
    }
}

#[tokio::test]
async fn page_07_what_is_no_number_is_refused() {
    let demo = Demo::start(5, 0).await;
    for query in ["count=abc", "startIndex=abc", "count=1.5", "count=", "startIndex=1e3"] {
        demo.get(&format!("/Users?{query}")).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
}
