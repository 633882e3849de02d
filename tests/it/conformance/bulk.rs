//! Bulk (RFC 7644 section 3.7).

use serde_json::{Value, json};

use super::lists::ids;
use crate::demo::{Answer, BASE, Demo, LENIENT};
use crate::scim::{BULK_REQUEST, ENTERPRISE, group, patch, user, with};
use scimitar::limits;

async fn job(demo: &Demo, operations: Value) -> Answer {
    let answer = demo.strictly("POST", "/Bulk", Some(json!({ "schemas": [BULK_REQUEST], "Operations": operations }))).await;
    let body = answer.ok(200);
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    answer
}

/// The statuses of a job, which are strings.
#[track_caller]
fn statuses(answer: &Answer) -> Vec<&str> {
    results(answer).iter().map(|result| result["status"].as_str().unwrap()).collect()
}

#[track_caller]
fn results(answer: &Answer) -> &[Value] {
    answer.ok(200)["Operations"].as_array().unwrap()
}

fn post(endpoint: &str, bulk_id: &str, data: Value) -> Value {
    let mut operation = json!({ "method": "POST", "path": endpoint, "bulkId": bulk_id });
    operation["data"] = data;
    operation
}

fn member(id: &str) -> Value {
    json!({ "members": [{ "value": id }] })
}

fn id_of(result: &Value) -> &str {
    result["response"]["id"].as_str().unwrap()
}

#[tokio::test]
async fn bulk_01_bulk_02_the_message_says_what_it_is() {
    let demo = Demo::start(0, 0).await;
    let offer = demo.get("/ServiceProviderConfig").await.ok(200)["bulk"].clone();
    assert_eq!((&offer["supported"], &offer["maxOperations"]), (&json!(true), &json!(limits::BULK_OPERATIONS)));
    let one = json!([post("/Users", "a", user("ann", json!({})))]);
    for (body, keyword) in [
        (json!({ "Operations": one }), "invalidSyntax"),
        (json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": one }), "invalidSyntax"),
        (json!({ "schemas": [BULK_REQUEST] }), "invalidSyntax"),
        (json!({ "schemas": [BULK_REQUEST], "Operations": {} }), "invalidSyntax"),
        (json!({ "schemas": [BULK_REQUEST], "failOnErrors": "x", "Operations": one }), "invalidValue"),
    ] {
        demo.strictly("POST", "/Bulk", Some(body)).await.refused(400, Some(keyword));
    }
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn bulk_03_to_06_bulk_09_a_wrong_operation_fails_alone() {
    let demo = Demo::start(1, 0).await;
    let id = ids(&demo.get("/Users").await)[0].clone();
    let data = user("new", json!({}));
    let wrong = [
        json!({ "path": "/Users", "bulkId": "1", "data": data }),
        json!({ "method": "POST", "bulkId": "2", "data": data }),
        json!({ "method": "POST", "path": "/Users", "data": data }),
        json!({ "method": "POST", "path": "/Users", "bulkId": "4" }),
        json!({ "method": "PUT", "path": format!("/Users/{id}") }),
        json!({ "method": "POST", "path": format!("/Users/{id}"), "bulkId": "6", "data": data }),
        json!({ "method": "DELETE", "path": "/Users" }),
        json!({ "method": "GET", "path": format!("/Users/{id}") }),
        json!({ "method": "POST", "path": "/Bulk", "bulkId": "9", "data": {} }),
        json!({ "method": "POST", "path": "/Users", "bulkId": "10", "data": { "schemas": [crate::scim::USER] } }),
        json!("no object"),
    ];
    let mut operations = wrong.to_vec();
    operations.insert(5, post("/Users", "good", user("good", json!({}))));
    let answer = job(&demo, json!(operations)).await;
    let results = results(&answer);
    assert_eq!(results.len(), operations.len());
    for (place, result) in results.iter().enumerate() {
        if place == 5 {
            assert_eq!(result["status"], "201");
            continue;
        }
        assert_eq!(result["status"], "400", "{}", operations[place]);
        assert_eq!(result["response"]["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(result["response"]["status"], "400");
    }
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 2);
    // A job in which all fails is a job that was done.
    assert_eq!(statuses(&job(&demo, json!([{ "method": "DELETE", "path": "/Users/77" }])).await), ["404"]);
    assert_eq!(statuses(&job(&demo, json!([post("/Devices", "a", json!({}))])).await), ["404"]);
}

#[tokio::test]
async fn bulk_07_it_stops_after_as_many_errors_as_it_was_told() {
    let demo = Demo::start(0, 0).await;
    let fail = json!({ "method": "DELETE", "path": "/Users/77" });
    let operations =
        json!([post("/Users", "a", user("ann", json!({}))), fail, fail, post("/Users", "b", user("bob", json!({})))]);
    for (most, done) in [(1, 2), (2, 3), (3, 4)] {
        let demo = if most == 1 { &demo } else { &Demo::start(0, 0).await };
        let body = json!({ "schemas": [BULK_REQUEST], "failOnErrors": most, "Operations": operations });
        let answer = demo.strictly("POST", "/Bulk", Some(body)).await;
        assert_eq!(results(&answer).len(), done);
        assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], if done == 4 { 2 } else { 1 });
    }
}

#[tokio::test]
async fn bulk_08_bulk_10_every_result_says_what_became_of_it() {
    let demo = Demo::start(1, 0).await;
    let id = ids(&demo.get("/Users").await)[0].clone();
    let path = format!("/Users/{id}");
    let answer = job(
        &demo,
        json!([
            post("/Users", "qwerty", user("alice", json!({}))),
            { "method": "PUT", "path": path, "data": user("bob", json!({})) },
            { "method": "PATCH", "path": path, "data": patch(json!([{ "op": "add", "path": "title", "value": "x" }])) },
            { "method": "DELETE", "path": path },
            post("/Users", "again", user("alice", json!({}))),
        ]),
    )
    .await;
    let results = results(&answer);
    assert_eq!(statuses(&answer), ["201", "200", "200", "204", "409"]);
    let methods: Vec<&str> = results.iter().map(|result| result["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["POST", "PUT", "PATCH", "DELETE", "POST"]);
    assert_eq!((&results[0]["bulkId"], &results[4]["bulkId"]), (&json!("qwerty"), &json!("again")));
    let alice = id_of(&results[0]);
    assert_eq!(results[0]["location"], format!("{BASE}/Users/{alice}"));
    for result in &results[1..4] {
        assert_eq!(result["location"], format!("{BASE}{path}"));
    }
    for result in &results[..3] {
        assert_eq!(result["version"], result["response"]["meta"]["version"]);
        assert!(result["version"].as_str().unwrap().starts_with("W/\""));
    }
    assert_eq!(results[4].get("location"), None);
    assert_eq!(results[4]["response"]["scimType"], "uniqueness");
}

#[tokio::test]
async fn bulk_11_references_become_ids() {
    let demo = Demo::start(0, 0).await;
    let manager = json!({ ENTERPRISE: { "manager": { "value": "bulkId:boss" } } });
    let answer = job(
        &demo,
        json!([
            // What it refers to comes later.
            post("/Groups", "team", group("Team", member("bulkId:ann"))),
            post("/Users", "ann", user("ann", manager)),
            post("/Users", "boss", user("boss", json!({}))),
            { "method": "PATCH", "path": "/Groups/bulkId:team",
              "data": patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "bulkId:boss" }] }])) },
            { "method": "PATCH", "path": "/Groups/bulkId:team",
              "data": patch(json!([{ "op": "remove", "path": "members[value eq \"bulkId:ann\"]" }])) },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["201", "201", "201", "200", "200"]);
    let results = results(&answer);
    let (team, boss) = (id_of(&results[0]), id_of(&results[2]));
    assert_eq!(results[1]["response"][ENTERPRISE]["manager"]["value"], boss);
    let members = demo.get(&format!("/Groups/{team}")).await.ok(200)["members"].clone();
    assert_eq!((members.as_array().unwrap().len(), &members[0]["value"]), (1, &json!(boss)));
    assert_eq!(results[3]["location"], format!("{BASE}/Groups/{team}"));
}

#[tokio::test]
async fn bulk_12_unknown_and_duplicate_bulk_ids() {
    let demo = Demo::start(0, 0).await;
    let answer = job(
        &demo,
        json!([
            post("/Users", "a", user("ann", json!({}))),
            post("/Users", "a", user("bob", json!({}))),
            post("/Groups", "g", group("One", member("bulkId:nobody"))),
            { "method": "DELETE", "path": "/Users/bulkId:nobody" },
            // The first of that name is there.
            post("/Groups", "h", group("Two", member("bulkId:a"))),
            post("/Users", "f", user("ann", json!({}))),
            post("/Groups", "i", group("Three", member("bulkId:f"))),
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["201", "400", "400", "400", "201", "409", "409"]);
    assert_eq!(results(&answer)[3].get("location"), None);
    assert_eq!(results(&answer)[4]["response"]["members"][0]["value"], id_of(&results(&answer)[0]));
    assert_eq!(demo.get("/Groups").await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn bulk_13_circles_are_created_and_then_linked() {
    let demo = Demo::start(0, 0).await;
    let manager = |id: &str| json!({ ENTERPRISE: { "manager": { "value": format!("bulkId:{id}") } } });
    let answer = job(
        &demo,
        json!([
            post("/Groups", "g", group("One", member("bulkId:a"))),
            post("/Users", "a", user("ann", manager("b"))),
            post("/Users", "b", user("bob", manager("a"))),
            post("/Users", "c", user("cid", manager("c"))),
            post("/Users", "d", user("dan", json!({}))),
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["201"; 5]);
    let results = results(&answer);
    let ids: Vec<&str> = results.iter().map(id_of).collect();
    for (user, manager) in [(1, 2), (2, 1), (3, 3)] {
        let found = demo.get(&format!("/Users/{}", ids[user])).await;
        assert_eq!(found.ok(200)[ENTERPRISE]["manager"]["value"], ids[manager]);
        // The result tells the end, not the first half.
        assert_eq!(results[user]["response"][ENTERPRISE]["manager"]["value"], ids[manager]);
        assert_eq!(results[user]["version"], found.body["meta"]["version"]);
        assert_eq!(results[user]["location"], format!("{BASE}/Users/{}", ids[user]));
    }
    assert_eq!(results[0]["response"]["members"][0]["value"], ids[1]);
}

#[tokio::test]
async fn bulk_14_the_result_is_that_of_the_sequence() {
    let demo = Demo::start(0, 0).await;
    let old = demo.create("/Users", user("ann", json!({}))).await;
    let team = demo.create("/Groups", group("Team", json!({}))).await;
    let answer = job(
        &demo,
        json!([
            // Waits for the new user, but not for what comes after that one.
            { "method": "PATCH", "path": format!("/Groups/{team}"),
              "data": patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "bulkId:new" }] }])) },
            { "method": "DELETE", "path": format!("/Users/{old}") },
            post("/Users", "new", user("ann", json!({}))),
            { "method": "PUT", "path": format!("/Groups/{team}"), "data": group("Emptied", json!({})) },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["200", "204", "201", "200"]);
    let team = demo.get(&format!("/Groups/{team}")).await;
    assert_eq!((&team.ok(200)["displayName"], &team.body["members"]), (&json!("Emptied"), &json!([])));
}

#[tokio::test]
async fn bulk_11_long_chains_of_references_in_the_wrong_order() {
    let demo = Demo::start(0, 0).await;
    let operations: Vec<Value> = (0..30)
        .map(|number| {
            let manager = json!({ ENTERPRISE: { "manager": { "value": format!("bulkId:{}", number + 1) } } });
            post("/Users", &number.to_string(), user(&format!("user{number}"), if number < 29 { manager } else { json!({}) }))
        })
        .collect();
    let answer = job(&demo, json!(operations)).await;
    assert!(statuses(&answer).iter().all(|status| *status == "201"));
    let results = results(&answer);
    for pair in results.windows(2) {
        assert_eq!(pair[0]["response"][ENTERPRISE]["manager"]["value"], id_of(&pair[1]));
    }
}

#[tokio::test]
async fn bulk_15_an_operation_can_ask_for_a_version() {
    let demo = Demo::start(0, 0).await;
    let id = demo.create("/Users", user("ann", json!({}))).await;
    let path = format!("/Users/{id}");
    let version = demo.get(&path).await.header("etag").unwrap().to_owned();
    let title = |title: &str| patch(json!([{ "op": "replace", "path": "title", "value": title }]));
    let answer = job(
        &demo,
        json!([
            { "method": "PATCH", "path": path, "version": version, "data": title("One") },
            { "method": "PATCH", "path": path, "version": version, "data": title("Two") },
            { "method": "PUT", "path": path, "version": version, "data": user("ann", json!({})) },
            { "method": "DELETE", "path": path, "version": version },
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["200", "412", "412", "412"]);
    assert_eq!(demo.get(&path).await.ok(200)["title"], "One");
}

#[tokio::test]
async fn bulk_16_bulk_17_a_job_that_is_too_large_is_refused_whole() {
    let demo = Demo::start(0, 0).await;
    let operation = json!({ "method": "DELETE", "path": "/Users/7" });
    let of = |count: usize| json!({ "schemas": [BULK_REQUEST], "Operations": vec![operation.clone(); count] });
    let answer = demo.strictly("POST", "/Bulk", Some(of(limits::BULK_OPERATIONS + 1))).await;
    assert!(answer.refused(413, None).contains(&limits::BULK_OPERATIONS.to_string()));
    let most = demo.get("/ServiceProviderConfig").await.ok(200)["bulk"]["maxPayloadSize"].as_u64().unwrap();
    let padded = with(of(1), json!({ "padding": "x".repeat(usize::try_from(most).unwrap()) }));
    let answer = demo.strictly("POST", "/Bulk", Some(padded)).await;
    assert!(answer.refused(413, None).contains(&most.to_string()));
    assert!(demo.calls().is_empty());
    let answer = demo.send_as(LENIENT, "POST", "/Bulk", &[], Some(of(limits::BULK_OPERATIONS))).await;
    assert_eq!(results(&answer).len(), limits::BULK_OPERATIONS);
}
