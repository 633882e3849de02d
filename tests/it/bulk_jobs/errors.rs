//! `failOnErrors`, and operations that refer to others that failed.

use super::*;

/// Which fail, by their place.
fn some_that_fail(failing: &[usize]) -> Vec<Value> {
    (0..30)
        .map(|place| {
            if failing.contains(&place) {
                delete(&format!("/Users/9{place}"))
            } else {
                post("/Users", &place.to_string(), user(&format!("user{place}"), json!({})))
            }
        })
        .collect()
}

#[tokio::test]
async fn fail_on_errors_does_what_the_sequence_would_do() {
    for failing in [&[0][..], &[29], &[3, 4, 5, 11, 12, 20], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[]] {
        let operations = some_that_fail(failing);
        for most in [1, 2, 5, 31] {
            for seed in 0..5 {
                let gateway = Gateway::new(0, 0).rebuilt(|backend| (backend.yields, backend.seed) = (10, seed));
                let results = gateway.job(&operations, Some(most)).await;
                let last = failing.get(usize::try_from(most).unwrap() - 1).copied().unwrap_or(29);
                let expected: Vec<&str> = (0..=last).map(|place| if failing.contains(&place) { "404" } else { "201" }).collect();
                assert_eq!(statuses(&results), expected, "{failing:?}, {most} allowed");
                // What has no result was not done.
                assert_eq!(gateway.state().len(), expected.iter().filter(|status| **status == "201").count());
                if most > 5 && failing.len() < 3 {
                    assert!(gateway.backend.seen.most.load(Ordering::SeqCst) > 1, "allowed errors allow side by side");
                }
                if most == 1 {
                    assert_eq!(gateway.backend.seen.most.load(Ordering::SeqCst), 1);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_failure_in_a_chain_fails_what_refers_to_it() {
    let gateway = Gateway::new(0, 0);
    gateway.create("/Users", user("taken", json!({}))).await;
    let operations = [
        post("/Groups", "all", group("All", members(["bulkId:a", "bulkId:b"]))),
        post("/Users", "d", user("dan", manager("bulkId:c"))),
        post("/Users", "c", user("cid", manager("bulkId:b"))),
        post("/Users", "b", user("Taken", manager("bulkId:a"))),
        post("/Users", "a", user("ann", json!({}))),
        post("/Groups", "some", group("Some", members(["bulkId:a"]))),
        change("/Users/bulkId:c", json!([{ "op": "replace", "path": "title", "value": "x" }])),
        delete("/Users/bulkId:d"),
        post("/Users", "e", user("eve", json!({}))),
    ];
    let results = gateway.job(&operations, None).await;
    assert_eq!(statuses(&results), ["409", "409", "409", "409", "201", "201", "409", "409", "201"]);
    assert_eq!(results[3]["response"]["scimType"], "uniqueness");
    // Each of the others names what it waited for.
    for (place, bulk_id) in [(0, "b"), (1, "c"), (2, "b"), (6, "c"), (7, "d")] {
        let detail = results[place]["response"]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("\"{bulk_id}\"")), "{detail}");
        assert_eq!(results[place].get("location"), None);
    }
    let rows: Vec<String> = gateway.state().iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["team \"Some\"", "user \"ann\"", "user \"eve\"", "user \"taken\""]);
    // With failOnErrors the first failure of the sequence ends it: that of `b`, as all before it wait.
    let gateway = Gateway::new(0, 0);
    gateway.create("/Users", user("taken", json!({}))).await;
    let results = gateway.job(&operations, Some(1)).await;
    assert_eq!((statuses(&results), &results[1]["bulkId"]), (vec!["409", "201"], &json!("a")));
}
