//! Walks through lists: whatever the size of the pages, each resource comes once, and all that match come.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::demo::Demo;

const USERS: usize = 250;

/// The user names on one page.
async fn page(demo: &Demo, query: &str, start: usize, count: usize) -> (Vec<String>, usize) {
    let path = format!("/Users?attributes=userName&startIndex={start}&count={count}{query}");
    let answer = demo.strictly("GET", &path, None).await;
    let body = answer.ok(200);
    let names: Vec<String> =
        body["Resources"].as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect();
    assert_eq!((body["itemsPerPage"].as_u64(), body["startIndex"].as_u64()), (Some(names.len() as u64), Some(start as u64)));
    (names, usize::try_from(body["totalResults"].as_u64().unwrap()).unwrap())
}

/// A query, and the logins that it must give, in their order, by the rows of the directory itself.
fn queries(demo: &Demo) -> Vec<(&'static str, Vec<String>)> {
    let rows: Vec<Value> =
        (1..=3).flat_map(|page| demo.record(&format!("/users?per_page=100&page={page}")).as_array().unwrap().clone()).collect();
    assert_eq!(rows.len(), USERS);
    let login = |row: &Value| row["login"].as_str().unwrap().to_owned();
    let title = |row: &Value| row["employment"]["job_title"].as_str().unwrap().to_lowercase();
    let by_id = |row: &Value| row["id"].to_string();
    let all = |matches: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| matches(row)).map(login).collect::<Vec<_>>();
    let mut by_login = rows.clone();
    by_login.sort_by_key(login);
    let mut by_title: Vec<Value> = rows.iter().filter(|row| row["status"] == "ACTIVE").cloned().collect();
    by_title.sort_by(|a, b| title(b).cmp(&title(a)).then(by_id(a).cmp(&by_id(b))));
    vec![
        ("", all(&|_| true)),
        // The backend does it all.
        ("&filter=active%20eq%20true", all(&|row| row["status"] == "ACTIVE")),
        // The backend does a part.
        ("&filter=userName%20sw%20%22a%22", all(&|row| login(row).starts_with('a'))),
        // The backend does nothing.
        ("&filter=title%20co%20%22special%22", all(&|row| title(row).contains("special"))),
        ("&sortBy=userName", by_login.iter().map(login).collect()),
        ("&filter=active%20eq%20true&sortBy=title&sortOrder=descending", by_title.iter().map(login).collect()),
    ]
}

#[tokio::test]
async fn page_08_a_walk_visits_each_once() {
    let demo = Demo::start(USERS, 0).await;
    for (query, expected) in queries(&demo) {
        assert!(expected.len() > 5, "{query}");
        for count in [1, 2, 7, 100, 150] {
            // Single steps through a walk of the gateway's own take too long in full.
            let end = if count < 7 && !query.is_empty() { 15 } else { expected.len() };
            let mut seen = Vec::new();
            while seen.len() < end {
                let (names, total) = page(&demo, query, seen.len() + 1, count).await;
                assert_eq!(total, expected.len(), "{query}");
                assert!(!names.is_empty() && names.len() <= count, "{query} {count}");
                seen.extend(names);
            }
            assert_eq!(seen, expected[..seen.len()], "{query} {count}");
        }
    }
}

/// Any window is a part of the whole, whether it lies on the backend's pages or across them.
#[test]
fn page_08_any_window_is_a_part_of_the_whole() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let demo = runtime.block_on(Demo::start(USERS, 0));
    let queries = queries(&demo);
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() });
    let windows = (1..USERS + 20, prop::sample::select(vec![1, 2, 7, 99, 100, 101, 150, 200]), 0..queries.len());
    let result = runner.run(&windows, |(start, count, query)| {
        let (query, expected) = &queries[query];
        let (names, total) = runtime.block_on(page(&demo, query, start, count));
        let from = (start - 1).min(expected.len());
        let part = &expected[from..(from + count).min(expected.len())];
        prop_assert_eq!((names.as_slice(), total), (part, expected.len()), "{} {} {}", query, start, count);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
