//! Jobs that take longer than they may.

use super::*;
use crate::demo::Demo;

/// The accounting is exact: what was not done is told, and was not done.
fn check(operations: &[Value], results: &[Value], rows: usize) {
    assert_eq!(results.len(), operations.len());
    let created = results.iter().filter(|result| result["status"] == "201").count();
    assert_eq!(created, rows);
    for (operation, result) in operations.iter().zip(results) {
        assert_eq!(operation["bulkId"], result["bulkId"]);
        if result["status"] != "201" {
            assert_eq!((&result["status"], &result["response"]["status"]), (&json!("503"), &json!("503")));
            assert!(result["response"]["detail"].as_str().unwrap().contains("send it again"), "{result}");
        }
    }
}

fn users(count: usize) -> Vec<Value> {
    (0..count).map(|number| post("/Users", &number.to_string(), user(&format!("user{number}"), json!({})))).collect()
}

#[tokio::test]
async fn what_is_not_begun_in_time_is_told() {
    let operations = users(50);
    let mut gateway = Gateway::new(0, 0);
    gateway.deadline = Some(Instant::now());
    let results = gateway.job(&operations, None).await;
    check(&operations, &results, 0);
    assert_eq!((statuses(&results), gateway.backend.seen.calls.load(Ordering::SeqCst)), (vec!["503"; 50], 0));
    // These count as errors, too.
    assert_eq!(statuses(&gateway.job(&operations, Some(3)).await), ["503"; 3]);

    // In the middle: what is begun is finished.
    let mut gateway = Gateway::new(0, 0).rebuilt(|backend| backend.latency = Duration::from_millis(40));
    gateway.deadline = Some(Instant::now() + Duration::from_millis(100));
    let results = gateway.job(&operations, None).await;
    check(&operations, &results, gateway.state().len());
    let created = gateway.state().len();
    assert!(created > 0 && created < 50, "{created}");
    // What refers to them has not failed for their sake, but for the time.
    gateway.deadline = Some(Instant::now());
    let results =
        gateway.job(&[post("/Groups", "g", group("g", members(["bulkId:u"]))), post("/Users", "u", json!({}))], None).await;
    assert_eq!(statuses(&results), ["503", "503"]);
}

#[tokio::test]
async fn a_job_without_time_gets_its_results_so_far() {
    let faults = Faults { latency: Duration::from_millis(50), ..Faults::default() };
    let demo = Demo::hurried(Duration::from_secs(4), faults).await;
    let operations = users(1_000);
    let body = json!({ "schemas": [BULK_REQUEST], "Operations": operations });
    let answer = demo.strictly("POST", "/Bulk", Some(body)).await;
    let results = answer.ok(200)["Operations"].as_array().unwrap();
    let created = results.iter().filter(|result| result["status"] == "201").count();
    assert!(created > 0 && created < 1_000, "{created}");
    let calls = demo.calls().iter().filter(|call| *call == "POST /users").count();
    check(&operations, results, calls);
}
