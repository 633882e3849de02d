//! Operations that refer to each other in a circle.

use super::*;
use crate::scripted::{Scripted, Seen, Step, call};

const MAPPING: &str = r#"
mapping: v1
name: circles
backend:
  url: https://people.test/api
  errors:
    - { when: "$.error[?@ == 'TAKEN']", as: uniqueness }
    - { when: "$.error[?@ == 'NO']", as: invalidValue }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      enterprise:manager.value: $.boss
    get: GET /users/{{key}}
    create: { call: POST /users, undo: delete }
    update: PATCH /users/{{key}}
    delete: DELETE /users/{{key}}
  Group:
    id: $.id
    attributes: { displayName: $.name }
    get: GET /groups/{{key}}
    create: POST /groups
    update: "PATCH /groups/{{key}}"
    delete: DELETE /groups/{{key}}
    members:
      of: Group
      list: { call: "GET /groups/{{key}}/members", items: "$.rows[*]", key: $.id }
      add: { call: "POST /groups/{{key}}/members", body: { ids: "{{members}}" }, batch: 10 }
      remove: { call: "DELETE /groups/{{key}}/members/{{member}}" }
"#;

async fn job(operations: Value, steps: impl IntoIterator<Item = Step>) -> Vec<Value> {
    let body = json!({ "schemas": [BULK_REQUEST], "Operations": operations });
    let job = BulkRequest::parse(body.to_string().as_bytes(), &Profile::STRICT).unwrap();
    let Seen { status, mut body, .. } = Scripted::new(MAPPING).ask(ScimRequest::Bulk { job }, steps).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body["Operations"].take()).unwrap()
}

fn detail(result: &Value) -> &str {
    result["response"]["detail"].as_str().unwrap()
}

#[tokio::test]
async fn groups_in_each_other_are_created_and_then_linked() {
    let rows = |ids: &[&str]| json!({ "rows": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
    let record = |id: &str, name: &str| json!({ "id": id, "name": name });
    let results = job(
        json!([
            post("/Groups", "a", group("A", members(["g9", "bulkId:b"]))),
            post("/Groups", "b", group("B", members(["bulkId:a"]))),
        ]),
        [
            // What is known goes in at once, what is not comes after.
            call("POST /groups").body(json!({ "name": "A" })).status(201).answer(record("ga", "A")),
            call("POST /groups/ga/members").body(json!({ "ids": ["g9"] })),
            call("GET /groups/ga").answer(record("ga", "A")),
            call("GET /groups/ga/members").answer(rows(&["g9"])),
            call("POST /groups").body(json!({ "name": "B" })).status(201).answer(record("gb", "B")),
            call("POST /groups/gb/members").body(json!({ "ids": ["ga"] })),
            call("GET /groups/gb").answer(record("gb", "B")),
            call("GET /groups/gb/members").answer(rows(&["ga"])),
            call("POST /groups/ga/members").body(json!({ "ids": ["gb"] })),
            call("GET /groups/ga").answer(record("ga", "A")),
            call("GET /groups/ga/members").answer(rows(&["g9", "gb"])),
        ],
    )
    .await;
    assert_eq!(statuses(&results), ["201", "201"]);
    let members: Vec<&Value> = results[0]["response"]["members"].as_array().unwrap().iter().map(|it| &it["value"]).collect();
    assert_eq!((members, &results[0]["method"]), (vec![&json!("g9"), &json!("gb")], &json!("POST")));
}

#[tokio::test]
async fn a_circle_that_cannot_be_created_is_taken_back() {
    let operations = json!([
        post("/Users", "a", user("ann", manager("bulkId:b"))),
        post("/Users", "b", user("bob", manager("bulkId:c"))),
        post("/Users", "c", user("cid", manager("bulkId:a"))),
        post("/Users", "d", user("dan", manager("bulkId:a"))),
    ]);
    let made =
        |id: &str, name: &str| call("POST /users").body(json!({ "login": name })).answer(json!({ "id": id, "login": name }));
    let refused =
        || call("POST /users").body(json!({ "login": "bob", "boss": "uc" })).status(409).answer(json!({ "error": "TAKEN" }));
    let with_boss = || {
        let body = json!({ "login": "cid", "boss": "ua" });
        call("POST /users").body(body).answer(json!({ "id": "uc", "login": "cid", "boss": "ua" }))
    };
    let results =
        job(operations.clone(), [made("ua", "ann"), with_boss(), refused(), call("DELETE /users/uc"), call("DELETE /users/ua")])
            .await;
    assert_eq!(statuses(&results), ["409"; 4]);
    assert_eq!(results[1]["response"]["scimType"], "uniqueness");
    for result in [&results[0], &results[2]] {
        assert!(detail(result).contains("in a circle") && !detail(result).contains("could not be taken back"), "{result}");
    }
    // What cannot be taken back is named.
    let stays = call("DELETE /users/ua").status(500);
    let results = job(operations, [made("ua", "ann"), with_boss(), refused(), call("DELETE /users/uc"), stays]).await;
    assert_eq!(statuses(&results), ["409"; 4]);
    assert!(detail(&results[0]).contains("could not be taken back: User ua"), "{}", results[0]);
    assert!(!detail(&results[2]).contains("taken back"), "{}", results[2]);
}

#[tokio::test]
async fn a_link_that_fails_tells_what_is_left() {
    let record = |id: &str, name: &str, boss: Option<&str>| json!({ "id": id, "login": name, "boss": boss });
    let refuses = |id: &str| call(&format!("PATCH /users/{id}")).body(json!({ "boss": if id == "ua" { "ub" } else { id } }));
    let steps = [
        call("POST /users").body(json!({ "login": "ann" })).answer(record("ua", "ann", None)),
        call("POST /users").body(json!({ "login": "bob", "boss": "ua" })).answer(record("ub", "bob", Some("ua"))),
        call("GET /users/ua").answer(record("ua", "ann", None)),
        refuses("ua").status(422).answer(json!({ "error": "NO" })),
    ];
    let operations = json!([
        post("/Users", "a", user("ann", manager("bulkId:b"))),
        post("/Users", "b", user("bob", manager("bulkId:a"))),
        post("/Users", "c", user("cid", manager("bulkId:a"))),
    ]);
    let results = job(operations, steps).await;
    // The second is what it was to be; what waited for the whole of the first is not done.
    assert_eq!(statuses(&results), ["400", "201", "409"]);
    assert!(detail(&results[0]).contains("User ua"), "{}", results[0]);
    // One that refers to itself alone is taken back.
    let steps = [
        call("POST /users").body(json!({ "login": "own" })).answer(record("uo", "own", None)),
        call("GET /users/uo").answer(record("uo", "own", None)),
        refuses("uo").status(422).answer(json!({ "error": "NO" })),
        call("DELETE /users/uo"),
    ];
    let results = job(json!([post("/Users", "o", user("own", manager("bulkId:o")))]), steps).await;
    assert_eq!(statuses(&results), ["400"]);
    assert!(!detail(&results[0]).contains("taken back"), "{}", results[0]);
    assert_eq!(results[0].get("location"), None);
}

#[tokio::test]
async fn changes_in_a_circle_come_after_the_creations() {
    let gateway = Gateway::new(0, 0);
    let boss = gateway.create("/Users", user("boss", json!({}))).await;
    let mut demote = change(
        &format!("/Users/{boss}"),
        json!([{ "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "bulkId:new" } }]),
    );
    demote["bulkId"] = json!("old");
    let mut rename = json!({ "method": "PUT", "path": "/Users/bulkId:new", "data": user("newer", manager("bulkId:old")) });
    rename["bulkId"] = json!("renamed");
    let operations = [demote, post("/Users", "new", user("new", manager("bulkId:renamed"))), rename];
    let results = gateway.job(&operations, None).await;
    assert_eq!(statuses(&results), ["200", "201", "200"], "{results:#?}");
    assert_eq!(
        gateway.state(),
        ["user \"boss\" null \"ACTIVE\" null under \"newer\"", "user \"newer\" null \"ACTIVE\" null under \"boss\""]
    );
}

/// Long circles cost no stack, and many references no square.
#[tokio::test]
async fn a_long_circle() {
    let gateway = Gateway::new(0, 0);
    let operations: Vec<Value> = (0..400)
        .map(|number| {
            let next = format!("bulkId:{}", (number + 1) % 400);
            post("/Users", &number.to_string(), user(&format!("user{number}"), manager(&next)))
        })
        .collect();
    let results = gateway.job(&operations, None).await;
    assert_eq!(statuses(&results), ["201"; 400]);
    for (number, result) in results.iter().enumerate() {
        let found = gateway.read("/Users", id_of(result)).await;
        assert_eq!(found[ENTERPRISE]["manager"]["value"], id_of(&results[(number + 1) % 400]));
    }
    // Only one of them needed a second step.
    let patches = gateway.backend.directory.calls().iter().filter(|call| call.starts_with("PATCH")).count();
    assert_eq!(patches, 1);
}
