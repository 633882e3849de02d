//! Writers at the same time lose nothing (PATCH-40).

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::demo::{Demo, STRICT};
use crate::scim::{ENTERPRISE, group, patch, user};
use scimitar::demo::Faults;
use std::time::Duration;

/// A backend that takes its time, so that the writers meet.
fn slow(demo: &Demo) {
    demo.directory.set_faults(Faults { latency: Duration::from_millis(5), ..Faults::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patch_40_parallel_changes_of_one_user_are_all_kept() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({}))).await;
    slow(&demo);
    let paths = [
        "title",
        "nickName",
        "displayName",
        "userType",
        "locale",
        "name.givenName",
        "name.familyName",
        "preferredLanguage",
        &format!("{ENTERPRISE}:department"),
        &format!("{ENTERPRISE}:division"),
    ];
    let url = format!("/Users/{id}");
    let gateways: Vec<Demo> = paths.iter().map(|_| demo.replica()).collect();
    demo.calls();
    let answers = join_all(paths.iter().zip(&gateways).map(|(path, gateway)| {
        let change = patch(json!([{ "op": "replace", "path": path, "value": format!("{}-x", path.len()) }]));
        gateway.strictly("PATCH", &url, Some(change))
    }))
    .await;
    for answer in &answers {
        answer.ok(200);
    }
    let conflicts = demo.calls().iter().filter(|call| call.starts_with("PATCH ")).count() - paths.len();
    assert!(conflicts > 0, "nobody met anybody: the test shows nothing");
    let ann = demo.get(&url).await.ok(200).clone();
    for path in paths {
        let pointer = match path.rsplit_once(':') {
            Some((urn, name)) => format!("/{urn}/{name}"),
            None => format!("/{}", path.replace('.', "/")),
        };
        assert_eq!(ann.pointer(&pointer), Some(&json!(format!("{}-x", path.len()))), "{path}: {ann}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patch_40_writers_at_one_gateway_wait_for_each_other() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({}))).await;
    slow(&demo);
    let url = format!("/Users/{id}");
    demo.calls();
    let answers = join_all((0..10).map(|number| {
        let change = patch(json!([{ "op": "replace", "path": "title", "value": format!("Title {number}") }]));
        demo.strictly("PATCH", &url, Some(change))
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    // None of them met a stale revision.
    assert_eq!(demo.calls().iter().filter(|call| call.starts_with("PATCH ")).count(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patch_40_parallel_changes_of_one_list_are_all_kept() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({}))).await;
    slow(&demo);
    let url = format!("/Users/{id}");
    let answers = join_all((0..6).map(|number| {
        let value = json!([{ "value": format!("{number}@example.com"), "type": "work" }]);
        demo.strictly("PATCH", &url, Some(patch(json!([{ "op": "add", "path": "emails", "value": value }]))))
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(demo.get(&url).await.ok(200)["emails"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patch_40_of_writers_with_the_same_version_one_gets_through() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({}))).await;
    slow(&demo);
    let url = format!("/Users/{id}");
    let version = demo.get(&url).await.header("etag").unwrap().to_owned();
    let answers = join_all((0..5).map(|number| {
        let change = patch(json!([{ "op": "replace", "path": "title", "value": format!("Title {number}") }]));
        let (demo, url, version) = (&demo, &url, &version);
        async move { demo.send_as(STRICT, "PATCH", url, &[("If-Match", version)], Some(change)).await }
    }))
    .await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412]);
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert_eq!(demo.get(&url).await.ok(200)["title"], winner.body["title"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patch_18_patch_40_parallel_adds_to_one_group_lose_nobody() {
    let demo = Demo::start(40, 0).await;
    let id = demo.create("/Groups", group("Night shift", json!({}))).await;
    let users = super::lists::ids(&demo.get("/Users?attributes=id").await);
    slow(&demo);
    let url = format!("/Groups/{id}");
    // Twenty add two each, while others take away what is not there and rename the group.
    let adds = users.chunks(2).map(|pair| {
        let members: Vec<Value> = pair.iter().map(|id| json!({ "value": id })).collect();
        patch(json!([{ "op": "add", "path": "members", "value": members }]))
    });
    let others = (0..3).map(|number| {
        patch(json!([
            { "op": "remove", "path": "members[value eq \"999\"]" },
            { "op": "replace", "path": "displayName", "value": format!("Shift {number}") },
        ]))
    });
    let answers = join_all(adds.chain(others).map(|change| demo.send("PATCH", &url, Some(change)))).await;
    assert_eq!(answers.len(), 23);
    for answer in &answers {
        assert_eq!(answer.status, 204, "{}", answer.body);
    }
    let group = demo.get(&url).await.ok(200).clone();
    let mut members: Vec<&str> =
        group["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    members.sort_unstable();
    let mut expected: Vec<&str> = users.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert!(group["displayName"].as_str().unwrap().starts_with("Shift "));
}
