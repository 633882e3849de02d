//! What the mapping makes of the habits of the application.

use serde_json::{Value, json};

use super::cases::{Gateway, hurried};
use super::fake::{Moods, Orion};
use super::hr::Hr;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

async fn gateway() -> Gateway {
    Gateway::before(Orion::new(Hr::seeded(), Moods::default()), &hurried()).await
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "as the requests are written with it")]
fn patch(operations: Value) -> Option<Value> {
    Some(json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }))
}

/// The calls since the last time, without the login.
fn calls(gateway: &Gateway) -> Vec<String> {
    let calls = gateway.orion.calls().into_iter().filter(|call| call.path != "/login");
    calls.map(|call| format!("{} {}", call.method, call.path)).collect()
}

#[tokio::test]
async fn a_change_leaves_what_the_mapping_does_not_know() {
    let gateway = gateway().await;
    let title = json!([{ "op": "replace", "path": "title", "value": "Porter & clerk" }]);
    let answer = gateway.scim.send("PATCH", "/Users/41", patch(title)).await;
    assert_eq!(answer.ok(200)["title"], "Porter & clerk");
    assert_eq!(calls(&gateway)[..3], ["GET /person/get", "POST /person/save", "GET /person/get"]);
    let fields = gateway.orion.with(|hr| hr.people[&41].fields.clone());
    let left = [("desk", "4/17"), ("extern", "N"), ("sname", "novak"), ("title", "Porter & clerk")];
    assert_eq!(fields, left.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    // Nothing differs, nothing is called.
    let again = json!([{ "op": "replace", "path": "title", "value": "Porter & clerk" }]);
    gateway.scim.send("PATCH", "/Users/41", patch(again)).await.ok(200);
    assert!(calls(&gateway).iter().all(|call| call.starts_with("GET ")));
}

#[tokio::test]
async fn a_change_by_several_calls_uses_up_several_revisions() {
    let gateway = gateway().await;
    let all = json!([{ "op": "replace", "value": {
        "userName": "novakova", "active": false, "displayName": "N",
        "emails": [{ "type": "home", "value": "n@home.test" }]
    } }]);
    let answer = gateway.scim.send("PATCH", "/Users/41", patch(all)).await;
    assert_eq!(answer.ok(200)["emails"], json!([{ "type": "home", "value": "n@home.test" }]));
    let person = gateway.orion.with(|hr| hr.people[&41].clone());
    let held = (person.login.as_str(), person.mail.as_str(), person.mail2.as_str(), person.st, person.fields["disp"].as_str());
    assert_eq!(held, ("novakova", "", "n@home.test", 'D', "N"));
    // A rename, the mails and the rest: each has its own revision, and the application saw the present one each time.
    assert_eq!(person.rev, 6);
    assert!(gateway.orion.calls().iter().all(|call| call.no != Some(60)));
}

#[tokio::test]
async fn who_is_hidden_is_found_and_told_in_whole() {
    let gateway = gateway().await;
    let found = gateway.scim.get("/Users?filter=userName%20eq%20%22DVORAK%22").await;
    let user = found.ok(200)["Resources"][0].clone();
    assert_eq!((&user["id"], &user["active"], &user["userName"]), (&json!("43"), &json!(false), &json!("Dvorak")));
    assert_eq!((&user["name"]["familyName"], &user["userType"]), (&json!("Dvorak"), &json!("employee")));
    // 17.03.2019 begins an hour earlier in Prague than in Greenwich.
    assert_eq!(user["meta"]["created"], "2019-03-16T23:00:00Z");
    assert_eq!(calls(&gateway), ["GET /person/find", "GET /person/get", "GET /person/teams"]);
    // Who is no longer there is none; the others are listed, the disabled ones, too.
    let all = gateway.scim.get("/Users?attributes=userName").await;
    let names: Vec<&Value> = all.ok(200)["Resources"].as_array().unwrap().iter().map(|user| &user["userName"]).collect();
    assert_eq!(names, ["novak", "svoboda", "Dvorak", "kral"]);
    assert_eq!(calls(&gateway), ["GET /person/list"]);
    let off = gateway.scim.get("/Users?attributes=userName&filter=active%20eq%20false").await;
    assert_eq!(off.ok(200)["totalResults"], 2);
    let call = gateway.orion.calls().pop().unwrap();
    assert!(call.params.contains(&("states".to_owned(), "D,L".to_owned())), "{call:?}");
    gateway.scim.get("/Users/44").await.refused(404, None);
}

#[tokio::test]
async fn a_search_with_many_hits_misses_nobody() {
    let gateway = gateway().await;
    gateway.orion.with(|hr| {
        hr.fill(120);
        // The last one of those whose login begins so, and the only one who is called so.
        hr.people.get_mut(&167).unwrap().login = "crowd1".to_owned();
    });
    let found = gateway.scim.get("/Users?attributes=userName&filter=userName%20eq%20%22crowd1%22").await;
    assert_eq!(found.ok(200)["Resources"], json!([{ "id": "167", "schemas": [USER], "userName": "crowd1" }]));
    assert_eq!(calls(&gateway), ["GET /person/find", "GET /person/find"]);
}

#[tokio::test]
async fn a_leaver_comes_back_and_nobody_else_is_taken_over() {
    let gateway = gateway().await;
    let post = |name: &str| Some(json!({ "schemas": [USER], "userName": name, "title": "Again" }));
    let back = gateway.scim.send("POST", "/Users", post("svoboda")).await;
    assert_eq!((&back.ok(201)["id"], &back.body["active"]), (&json!("42"), &json!(true)));
    assert_eq!(gateway.orion.with(|hr| (hr.people[&42].st, hr.people[&42].fields["desk"].clone())), ('A', "4/17".to_owned()));
    gateway.scim.send("POST", "/Users", post("novak")).await.refused(409, Some("uniqueness"));
}

#[tokio::test]
async fn who_is_deleted_is_retired() {
    let gateway = gateway().await;
    assert_eq!(gateway.scim.send("DELETE", "/Users/41", None).await.status, 204);
    assert_eq!(calls(&gateway).iter().filter(|call| call.starts_with("POST")).count(), 2);
    gateway.scim.get("/Users/41").await.refused(404, None);
    gateway.scim.send("DELETE", "/Users/41", None).await.refused(404, None);
    assert_eq!(gateway.orion.with(|hr| (hr.people[&41].st, hr.teams[&46].people.len())), ('R', 1));
    let group = gateway.scim.get("/Groups/46").await;
    assert_eq!(group.ok(200)["members"][0]["value"], "42");
}

#[tokio::test]
async fn departments_have_names() {
    let gateway = gateway().await;
    let department = |name: &str| json!({ "schemas": [USER, ENTERPRISE], "userName": format!("of-{name}"), ENTERPRISE: { "department": name } });
    let made = gateway.scim.send("POST", "/Users", Some(department("Tours"))).await;
    assert_eq!(made.ok(201)[ENTERPRISE]["department"], "Tours");
    assert_eq!(gateway.orion.with(|hr| hr.by_login("of-tours").unwrap().1.fields["dept_id"].clone()), "11");
    gateway.scim.send("POST", "/Users", Some(department("Nowhere"))).await.refused(400, Some("invalidValue"));
    assert!(gateway.orion.with(|hr| hr.by_login("of-Nowhere").is_none()));
}

#[tokio::test]
async fn members_come_and_go_by_the_name_of_the_team() {
    let gateway = gateway().await;
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "45" }, { "value": "42" }, { "value": "999" }] }]);
    gateway.scim.send("PATCH", "/Groups/46", patch(add)).await.ok(204);
    assert_eq!(gateway.orion.with(|hr| hr.teams[&46].people.iter().copied().collect::<Vec<_>>()), [41, 42, 45]);
    let joined: Vec<Option<u64>> =
        gateway.orion.calls().into_iter().filter(|call| call.path == "/person/join").map(|call| call.no).collect();
    assert_eq!(joined, [Some(0), Some(41), Some(12)], "one came, one was there, one is unknown");
    let user = gateway.scim.get("/Users/45").await;
    assert_eq!(user.ok(200)["groups"][0]["display"], "Night shift");
    // The name of another team holds what forms must escape.
    let change = json!([
        { "op": "add", "path": "members", "value": [{ "value": "41" }] },
        { "op": "replace", "path": "displayName", "value": "Spät & früh = beides" }
    ]);
    gateway.scim.send("PATCH", "/Groups/47", patch(change)).await.ok(204);
    let team = gateway.orion.with(|hr| hr.teams[&47].clone());
    assert_eq!((team.name.as_str(), team.people.len()), ("Spät & früh = beides", 1));
}

#[tokio::test]
async fn nobody_logs_in_more_often_than_needed() {
    let gateway = gateway().await;
    for _ in 0..3 {
        gateway.scim.get("/Users?attributes=userName").await.ok(200);
    }
    assert_eq!(gateway.orion.logins(), 1);
    gateway.orion.end_sessions();
    gateway.scim.get("/Users?attributes=userName").await.ok(200);
    assert_eq!(gateway.orion.logins(), 2);
}
