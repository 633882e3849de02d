use serde_json::{Value, json};

use super::{Client, error};

#[test]
fn a_user_has_every_key() {
    let client = Client::new(0, 0);
    let (status, body) = client.call("POST", "/users", &json!({"login": "ann"}));
    assert_eq!(status, 201);
    let mut user = body["data"].clone();
    let (created, updated) = (user["created_ms"].take(), user["updated_ms"].take());
    assert!(created.as_i64() > Some(1_767_600_000_000) && created == updated, "{created} {updated}");
    let expected = json!({
        "id": 1001, "rev": 1, "login": "ann", "external_ref": null, "status": "ACTIVE", "created_ms": null, "updated_ms": null,
        "profile": {"full_name": null, "surname": null, "first_name": null, "middle_name": null, "prefix": null, "suffix": null,
            "shown_as": null, "nick": null, "homepage": null, "language": null, "locale": null, "tz": null},
        "contact": {"mail": [], "phones": [], "chats": [], "pictures": [], "places": []},
        "employment": {"job_title": null, "relation": null, "number": null, "cost_center": null, "company": null,
            "division": null, "department": null, "manager_id": null, "manager_name": null},
        "access": {"entitlements": [], "roles": [], "certificates": []},
    });
    assert_eq!(user, expected);
    assert!(body.get("meta").is_none(), "meta is for lists");
    assert_eq!(client.get("/users/1001"), (200, body));
}

#[test]
fn every_field_is_stored_and_items_have_every_key() {
    let client = Client::new(1, 0);
    let written = json!({
        "login": "Ann", "external_ref": "x-1",
        "profile": {"full_name": "Dr Ann B Lee Jr", "surname": "Lee", "first_name": "Ann", "middle_name": "B", "prefix": "Dr",
            "suffix": "Jr", "shown_as": "Ann Lee", "nick": "Annie", "homepage": "https://example.com", "language": "en",
            "locale": "en-GB", "tz": "Europe/London"},
        "contact": {
            "mail": [{"address": "a@example.com", "kind": "work", "label": "W", "preferred": true}],
            "phones": [{"number": "+1 555 0100", "kind": "mobile", "label": "M", "preferred": false}],
            "chats": [{"handle": "@ann", "network": "xmpp", "label": "C", "preferred": true}],
            "pictures": [{"url": "https://example.com/p", "kind": "photo", "label": "P", "preferred": true}],
            "places": [{"label": "L", "street": "S", "city": "C", "state": "ST", "zip": "Z", "country_code": "DE", "kind": "work",
                "preferred": true}]},
        "employment": {"job_title": "T", "relation": "employee", "number": "7", "cost_center": "CC", "company": "Co",
            "division": "Di", "department": "De", "manager_id": 1001},
        "access": {"entitlements": [{"code": "e", "label": "E", "kind": "k", "preferred": false}],
            "roles": [{"code": "r", "label": "R", "kind": "k", "preferred": true}],
            "certificates": [{"der": "MII=", "label": "X", "kind": "k", "preferred": false}]},
    });
    let (status, body) = client.call("POST", "/users", &written);
    assert_eq!(status, 201, "{body}");
    let mut user = body["data"].clone();
    assert!(user["employment"]["manager_name"].is_string());
    user["employment"].as_object_mut().unwrap().remove("manager_name");
    for (key, value) in written.as_object().unwrap() {
        assert_eq!(&user[key], value);
    }
    let (_, body) = client.call("PATCH", "/users/1002", &json!({"contact": {"mail": [{"address": "b@example.com"}]}}));
    let mail = json!([{"address": "b@example.com", "kind": null, "label": null, "preferred": false}]);
    assert_eq!(body["data"]["contact"]["mail"], mail);
}

#[test]
fn logins_are_required_and_unique_in_any_case() {
    let client = Client::new(0, 0);
    let id = client.user("Ünal");
    for body in [json!({}), json!({"login": ""}), json!({"login": " \t"}), json!({"login": null})] {
        assert_eq!(error(&client.call("POST", "/users", &body)), (422, "INVALID", Some("login")));
    }
    assert_eq!(error(&client.call("POST", "/users", &json!({"login": "üNAL"}))), (409, "LOGIN_TAKEN", Some("login")));
    let other = client.user("ann");
    let path = format!("/users/{other}");
    assert_eq!(error(&client.call("PATCH", &path, &json!({"login": "ünal"}))), (409, "LOGIN_TAKEN", Some("login")));
    assert_eq!(client.call("PATCH", &path, &json!({"login": "ANN"})).0, 200, "one's own login in another case is free");
    assert_eq!(client.call("PATCH", &path, &json!({"login": "bob"})).0, 200);
    assert_eq!(client.user("ann"), other + 1, "a login that was given up is free, and ids of refused users are not spent");
    assert_eq!(client.call("DELETE", &format!("/users/{id}"), &Value::Null).0, 204);
    assert_eq!(client.user("ünal"), other + 2, "ids are never used again");
}

#[test]
fn status_changes_by_calls_only() {
    let client = Client::new(0, 0);
    let new = json!({"login": "ann", "status": "SUSPENDED"});
    assert_eq!(error(&client.call("POST", "/users", &new)), (422, "STATUS_READ_ONLY", Some("status")));
    let path = format!("/users/{}", client.user("ann"));
    assert_eq!(error(&client.call("PATCH", &path, &json!({"status": "ACTIVE"}))), (422, "STATUS_READ_ONLY", Some("status")));
    for (call, status, rev) in
        [("reactivate", "ACTIVE", 1), ("suspend", "SUSPENDED", 2), ("suspend", "SUSPENDED", 2), ("reactivate", "ACTIVE", 3)]
    {
        let (code, body) = client.call("POST", &format!("{path}/{call}"), &Value::Null);
        assert_eq!((code, &body["data"]["status"], &body["data"]["rev"]), (200, &json!(status), &json!(rev)));
    }
    assert_eq!(client.get(&path).1["data"]["status"], "ACTIVE");
    assert_eq!(error(&client.call("POST", "/users/7/suspend", &Value::Null)), (404, "NOT_FOUND", None));
}

#[test]
fn read_only_fields_are_refused_everywhere() {
    let client = Client::new(1, 0);
    for key in ["id", "rev", "created_ms", "updated_ms"] {
        assert_eq!(error(&client.call("PATCH", "/users/1001", &json!({ key: 1 }))), (422, "READ_ONLY", Some(key)));
        assert_eq!(error(&client.call("POST", "/users", &json!({"login": "x", key: 1}))), (422, "READ_ONLY", Some(key)));
    }
    let body = json!({"employment": {"manager_name": "Zoë"}});
    assert_eq!(error(&client.call("PATCH", "/users/1001", &body)), (422, "READ_ONLY", Some("employment.manager_name")));
}

#[test]
fn wrong_bodies_change_nothing() {
    let client = Client::new(1, 0);
    let before = client.get("/users/1001");
    for (body, code, field) in [
        (json!({"profile": {"nick": "N", "shoe": 43}}), "UNKNOWN_FIELD", "profile.shoe"),
        (json!({"profile": {"nick": 5}}), "INVALID", "profile.nick"),
        (json!({"secret": 5}), "INVALID", "secret"),
        (json!({"secret": ""}), "INVALID", "secret"),
        (json!({"login": null}), "INVALID", "login"),
        (json!({"employment": {"manager_id": 77}}), "UNKNOWN_USER", "employment.manager_id"),
    ] {
        assert_eq!(error(&client.call("PATCH", "/users/1001", &body)), (422, code, Some(field)));
    }
    assert_eq!(client.get("/users/1001"), before);
}

#[test]
fn a_rev_counts_changes() {
    let client = Client::new(1, 0);
    let (_, before) = client.get("/users/1001");
    let rev = before["data"]["rev"].as_u64().unwrap();
    let same = json!({"login": before["data"]["login"], "profile": before["data"]["profile"]});
    assert_eq!(client.call("PATCH", "/users/1001", &same), (200, before.clone()));
    assert_eq!(client.call("PATCH", "/users/1001", &json!({})), (200, before.clone()));
    let (_, after) = client.call("PATCH", "/users/1001", &json!({"profile": {"nick": "New"}}));
    assert_eq!(after["data"]["rev"].as_u64(), Some(rev + 1));
    assert!(after["data"]["updated_ms"].as_i64() > before["data"]["updated_ms"].as_i64());
    assert_eq!(after["data"]["created_ms"], before["data"]["created_ms"]);
}

#[test]
fn if_match() {
    let client = Client::new(0, 0);
    let path = format!("/users/{}", client.user("ann"));
    let nick = json!({"profile": {"nick": "A"}});
    assert_eq!(error(&client.call_if_match("PATCH", &path, "2", &nick)), (409, "STALE", None));
    assert_eq!(client.call_if_match("PATCH", &path, "1", &nick).0, 200);
    for (method, suffix) in [("PATCH", ""), ("DELETE", ""), ("POST", "/suspend"), ("POST", "/reactivate")] {
        let stale = client.call_if_match(method, &format!("{path}{suffix}"), "1", &json!({}));
        assert_eq!(error(&stale), (409, "STALE", None), "{method} {suffix}");
    }
    for wrong in ["\"2\"", "W/2", "*", "two"] {
        assert_eq!(error(&client.call_if_match("DELETE", &path, wrong, &json!({}))), (422, "INVALID", Some("If-Match")));
    }
    assert_eq!(client.call_if_match("DELETE", &path, "2", &json!({})).0, 204);
    assert_eq!(error(&client.call_if_match("DELETE", &path, "2", &json!({}))), (404, "NOT_FOUND", None));
}

#[test]
fn secrets_are_kept_and_never_told() {
    let client = Client::new(0, 0);
    let (_, body) = client.call("POST", "/users", &json!({"login": "ann", "secret": "hunter2"}));
    assert!(!body.to_string().contains("hunter2") && body["data"].get("secret").is_none(), "{body}");
    assert!(client.0.secret_is(1001, "hunter2") && !client.0.secret_is(1001, "hunter3"));
    let rev = |secret: Value| client.call("PATCH", "/users/1001", &json!({"secret": secret})).1["data"]["rev"].as_u64();
    assert_eq!(rev(json!("hunter2")), Some(1), "the same secret is no change");
    assert_eq!(rev(json!("hunter3")), Some(2));
    assert!(client.0.secret_is(1001, "hunter3"));
    assert_eq!(rev(Value::Null), Some(3));
    assert!(!client.0.secret_is(1001, "hunter3"));
}

#[test]
fn filters() {
    let client = Client::new(0, 0);
    let ann = json!({"login": "Ann", "external_ref": "X-1", "profile": {"full_name": "Ann LEE", "first_name": "Änne"},
        "contact": {"mail": [{"address": "first@example.com"}, {"address": "Second@Example.com"}]}});
    let bob = json!({"login": "bob", "external_ref": "x-1", "profile": {"surname": "Leeds", "shown_as": "Bobby"},
        "contact": {"mail": [{"address": "second@example.com"}]}});
    for body in [&ann, &bob, &json!({"login": "cleo"})] {
        assert_eq!(client.call("POST", "/users", body).0, 201);
    }
    client.call("POST", "/users/1003/suspend", &Value::Null);
    let cases: [(&str, &[u64]); 22] = [
        ("login=aNN", &[1001]),
        ("login=an", &[]),
        ("login=", &[]),
        ("email=SECOND@example.com", &[1001, 1002]),
        ("email=first%40example.com", &[1001]),
        ("email=example.com", &[]),
        ("external_ref=X-1", &[1001]),
        ("external_ref=x-1", &[1002]),
        ("external_ref=X", &[]),
        ("status=SUSPENDED", &[1003]),
        ("status=ACTIVE", &[1001, 1002]),
        ("q=lee", &[1001, 1002]),
        ("q=LEED", &[1002]),
        ("q=%C3%A4NN", &[1001]),
        ("q=bobby", &[1002]),
        ("q=first@", &[1001]),
        ("q=cl", &[1003]),
        ("q=", &[1001, 1002, 1003]),
        ("email=second@example.com&login=bob", &[1002]),
        ("email=second@example.com&q=ann", &[1001]),
        ("login=ann&status=SUSPENDED", &[]),
        ("colour=blue", &[1001, 1002, 1003]),
    ];
    for (query, expected) in cases {
        assert_eq!(client.ids(&format!("/users?{query}"), "id"), (expected.to_vec(), expected.len() as u64), "{query}");
    }
    assert_eq!(client.ids("/users?q=lee&per_page=1&page=2", "id"), (vec![1002], 2));
    assert_eq!(error(&client.get("/users?status=GONE")), (422, "INVALID", Some("status")));
}

#[test]
fn filters_follow_changes() {
    let client = Client::new(0, 0);
    let body = json!({"login": "ann", "external_ref": "1", "contact": {"mail": [{"address": "a@example.com"}]}});
    assert_eq!(client.call("POST", "/users", &body).0, 201);
    let change = json!({"login": "eve", "external_ref": "2", "contact": {"mail": [{"address": "e@example.com"}]}});
    assert_eq!(client.call("PATCH", "/users/1001", &change).0, 200);
    for (query, found) in [
        ("login=ann", 0),
        ("login=eve", 1),
        ("external_ref=1", 0),
        ("external_ref=2", 1),
        ("email=a@example.com", 0),
        ("email=e@example.com", 1),
    ] {
        assert_eq!(client.ids(&format!("/users?{query}"), "id").1, found, "{query}");
    }
    assert_eq!(client.call("DELETE", "/users/1001", &Value::Null).0, 204);
    for query in ["login=eve", "external_ref=2", "email=e@example.com", "q="] {
        assert_eq!(client.ids(&format!("/users?{query}"), "id").1, 0, "{query}");
    }
}

#[test]
fn managers() {
    let client = Client::new(0, 0);
    let boss = client.user("boss");
    let (_, body) = client.call("POST", "/users", &json!({"login": "ann", "employment": {"manager_id": boss}}));
    assert_eq!(body["data"]["employment"]["manager_name"], "boss");
    let name = || client.get("/users/1002").1["data"]["employment"]["manager_name"].clone();
    client.call("PATCH", "/users/1001", &json!({"profile": {"full_name": "Big Boss"}}));
    assert_eq!(name(), "Big Boss");
    client.call("PATCH", "/users/1001", &json!({"profile": {"shown_as": "B."}}));
    assert_eq!(name(), "B.");
    assert_eq!(client.get("/users?login=ann").1["data"][0]["employment"]["manager_name"], "B.");
    assert_eq!(client.get("/users/1002").1["data"]["rev"], 1, "the name of the manager is computed");
    assert_eq!(client.call("DELETE", "/users/1001", &Value::Null).0, 204);
    let employment = &client.get("/users/1002").1["data"]["employment"];
    assert_eq!((&employment["manager_id"], &employment["manager_name"]), (&Value::Null, &Value::Null));
    assert_eq!(client.get("/users/1002").1["data"]["rev"], 2);
}
