use serde_json::{Value, json};

use super::{Client, error};
use crate::limits;

#[test]
fn a_team_has_every_key() {
    let client = Client::new(0, 0);
    assert_eq!(client.user("ann"), 1001);
    let (status, body) = client.call("POST", "/teams", &json!({"name": "Ops"}));
    let mut team = body["data"].clone();
    let (created, updated) = (team["created_ms"].take(), team["updated_ms"].take());
    assert!(created.as_i64() > Some(0) && created == updated);
    let expected = json!({"id": 1002, "rev": 1, "name": "Ops", "external_ref": null, "created_ms": null, "updated_ms": null,
        "member_count": 0});
    assert_eq!((status, team), (201, expected), "users and teams share one sequence of ids");
    assert_eq!(client.get("/teams/1002"), (200, body));
    assert_eq!(error(&client.get("/users/1002")), (404, "NOT_FOUND", None));
    assert_eq!(error(&client.get("/teams/1001")), (404, "NOT_FOUND", None));
}

#[test]
fn writing_teams() {
    let client = Client::new(0, 0);
    let (first, second) = (client.team("Ops"), client.team("Ops"));
    assert_ne!(first, second, "names need not be unique");
    for body in [json!({}), json!({"name": " "}), json!({"name": null}), json!({"name": 5})] {
        assert_eq!(error(&client.call("POST", "/teams", &body)), (422, "INVALID", Some("name")));
    }
    assert_eq!(error(&client.call("POST", "/teams", &json!({"displayName": "x"}))), (422, "UNKNOWN_FIELD", Some("displayName")));
    for key in ["id", "rev", "created_ms", "updated_ms", "member_count"] {
        assert_eq!(error(&client.call("PATCH", "/teams/1001", &json!({ key: 5 }))), (422, "READ_ONLY", Some(key)));
    }
    let rev = |body: &Value| client.call("PATCH", "/teams/1001", body).1["data"]["rev"].as_u64();
    assert_eq!(rev(&json!({"name": "Ops"})), Some(1));
    assert_eq!(rev(&json!({"name": "Operations", "external_ref": "r"})), Some(2));
    assert_eq!(client.ids("/teams?name=ops", "id"), (vec![1002], 1));
    assert_eq!(error(&client.call_if_match("PATCH", "/teams/1001", "1", &json!({"name": "x"}))), (409, "STALE", None));
    assert_eq!(error(&client.call_if_match("DELETE", "/teams/1001", "1", &json!({}))), (409, "STALE", None));
    assert_eq!(client.call_if_match("DELETE", "/teams/1001", "2", &json!({})).0, 204);
    assert_eq!(error(&client.get("/teams/1001")), (404, "NOT_FOUND", None));
}

#[test]
fn filters() {
    let client = Client::new(0, 0);
    for (name, reference) in [("Ops", "R"), ("DevOps", "r"), ("OPS", "R")] {
        assert_eq!(client.call("POST", "/teams", &json!({"name": name, "external_ref": reference})).0, 201);
    }
    let cases: [(&str, &[u64]); 7] = [
        ("name=ops", &[1001, 1003]),
        ("name=op", &[]),
        ("external_ref=R", &[1001, 1003]),
        ("external_ref=r", &[1002]),
        ("q=vop", &[1002]),
        ("name=ops&external_ref=r", &[]),
        ("login=ops", &[1001, 1002, 1003]),
    ];
    for (query, expected) in cases {
        assert_eq!(client.ids(&format!("/teams?{query}"), "id"), (expected.to_vec(), expected.len() as u64), "{query}");
    }
}

#[test]
fn members_come_and_go() {
    let client = Client::new(3, 0);
    client.call("PATCH", "/users/1001", &json!({"login": "ann", "profile": {"shown_as": "Ann"}}));
    let team = client.team("Ops");
    let members = format!("/teams/{team}/members");
    let add = |ids: Value| client.call("POST", &members, &json!({"user_ids": ids}));
    assert_eq!(add(json!([1003, 1001])), (200, json!({"data": {"added": [1003, 1001], "already": []}})));
    assert_eq!(add(json!([1001, 1002, 1002])), (200, json!({"data": {"added": [1002], "already": [1001, 1002]}})));
    let (_, body) = client.get(&format!("/teams/{team}"));
    assert_eq!((&body["data"]["rev"], &body["data"]["member_count"]), (&json!(3), &json!(3)));
    assert_eq!(add(json!([1001])).0, 200);
    assert_eq!(client.get(&format!("/teams/{team}")).1, body, "nothing added, nothing changed");

    assert_eq!(client.ids(&members, "user_id"), (vec![1001, 1002, 1003], 3));
    assert_eq!(client.ids(&format!("{members}?per_page=2&page=2"), "user_id"), (vec![1003], 3));
    let row = client.get(&members).1["data"][0].clone();
    assert_eq!((&row["login"], &row["name"]), (&json!("ann"), &json!("Ann")));
    assert!(row["since_ms"].as_i64() > Some(1_767_600_000_000) && row.as_object().unwrap().len() == 4, "{row}");

    assert_eq!(client.call("DELETE", &format!("{members}/1002"), &Value::Null), (204, Value::Null));
    let again = client.call("DELETE", &format!("{members}/1002"), &Value::Null);
    assert_eq!(error(&again), (404, "NOT_A_MEMBER", None));
    assert_eq!(client.get(&format!("/teams/{team}")).1["data"]["rev"], 4);
    assert_eq!(client.ids("/users/1002/teams", "team_id").1, 0);
    assert_eq!(error(&client.call("DELETE", "/teams/1/members/1001", &Value::Null)), (404, "NOT_FOUND", None));
}

#[test]
fn adding_is_all_or_nothing() {
    let client = Client::new(101, 0);
    let team = client.team("Ops");
    let members = format!("/teams/{team}/members");
    let add = |ids: Value| client.call("POST", &members, &json!({"user_ids": ids}));
    let reply = add(json!([1001, 7, 1002, team]));
    assert_eq!(error(&reply), (422, "UNKNOWN_USER", None));
    assert_eq!(reply.1["error"]["user_ids"], json!([7, team]));
    assert_eq!(error(&add(json!([]))), (422, "INVALID", Some("user_ids")));
    assert_eq!(error(&add(json!([1001, "1002"]))), (422, "INVALID", Some("user_ids[1]")));
    assert_eq!(error(&client.call("POST", &members, &json!({}))), (422, "INVALID", Some("user_ids")));
    assert_eq!(error(&client.call("POST", &members, &json!({"ids": [1001]}))), (422, "UNKNOWN_FIELD", Some("ids")));
    let ids = |count: u64| json!((0..count).map(|index| 1001 + index).collect::<Vec<_>>());
    let bound = u64::try_from(limits::DEMO_BATCH).unwrap();
    assert_eq!(bound, 100);
    assert_eq!(error(&add(ids(bound + 1))), (422, "TOO_MANY", Some("user_ids")));
    assert_eq!(client.ids(&members, "user_id").1, 0, "nothing was added so far");
    assert_eq!(add(ids(bound)).0, 200);
    assert_eq!(client.ids(&members, "user_id").1, bound);
    assert_eq!(error(&client.call("POST", "/teams/1/members", &json!({"user_ids": [1001]}))), (404, "NOT_FOUND", None));
}

#[test]
fn memberships_end_with_the_user_and_with_the_team() {
    let client = Client::new(2, 0);
    let (first, second) = (client.team("Ops"), client.team("Dev"));
    for team in [second, first] {
        client.call("POST", &format!("/teams/{team}/members"), &json!({"user_ids": [1001, 1002]}));
    }
    let (_, body) = client.get("/users/1001/teams?per_page=1");
    assert_eq!(body, json!({"data": [{"team_id": first, "name": "Ops"}], "meta": {"page": 1, "per_page": 1, "total": 2}}));
    assert_eq!(client.ids("/users/1001/teams?per_page=1&page=2", "team_id"), (vec![second], 2));
    assert_eq!(client.call("DELETE", &format!("/teams/{first}"), &Value::Null).0, 204);
    assert_eq!(client.ids("/users/1001/teams", "team_id"), (vec![second], 1));
    assert_eq!(client.call("DELETE", "/users/1001", &Value::Null).0, 204);
    assert_eq!(client.ids(&format!("/teams/{second}/members"), "user_id"), (vec![1002], 1));
    assert_eq!(client.get(&format!("/teams/{second}")).1["data"]["rev"], 3);
    assert_eq!(error(&client.get("/users/1001/teams")), (404, "NOT_FOUND", None));
}
