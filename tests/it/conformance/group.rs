//! Groups and their members (RFC 7643 section 4.2).

use serde_json::{Value, json};

use super::lists::ids;
use crate::demo::{Answer, BASE, Demo, mapping_with};
use crate::scim::{filtered, group, patch};
use scimitar::engine::Offer;

/// Users, and a group of the first few of them.
struct Team {
    demo: Demo,
    users: Vec<String>,
    path: String,
}

impl Team {
    async fn with(mapping: &str, members: usize) -> Self {
        let demo = Demo::with(mapping, 6, 0, Offer::default()).await;
        let users = ids(&demo.get("/Users").await);
        let first: Vec<Value> = users.iter().take(members).map(|id| json!({ "value": id })).collect();
        let id = demo.create("/Groups", group("Night shift", json!({ "members": first }))).await;
        demo.calls();
        Self { demo, users, path: format!("/Groups/{id}") }
    }

    async fn new(members: usize) -> Self {
        Self::with(crate::demo::MAPPING, members).await
    }

    async fn patch(&self, operations: Value) -> Answer {
        self.demo.send("PATCH", &self.path, Some(patch(operations))).await
    }

    /// Which of the users are members.
    async fn members(&self) -> Vec<usize> {
        let answer = self.demo.get(&self.path).await;
        let place = |member: &Value| self.users.iter().position(|id| member["value"] == **id).unwrap();
        let mut places: Vec<usize> = answer.ok(200)["members"].as_array().unwrap().iter().map(place).collect();
        places.sort_unstable();
        self.demo.calls();
        places
    }
}

#[tokio::test]
async fn group_01_group_05_a_name_is_required_and_members_are_not() {
    let demo = Demo::start(0, 0).await;
    for body in [json!({}), json!({ "displayName": "" }), json!({ "displayName": null })] {
        let body = crate::scim::with(json!({ "schemas": [crate::scim::GROUP] }), body);
        demo.strictly("POST", "/Groups", Some(body)).await.refused(400, Some("invalidValue"));
    }
    assert!(demo.calls().is_empty());
    // Names need not be unique.
    let one = demo.strictly("POST", "/Groups", Some(group("Same", json!({})))).await;
    let two = demo.strictly("POST", "/Groups", Some(group("Same", json!({ "members": [] })))).await;
    for answer in [one, two] {
        assert_eq!(answer.ok(201)["members"], json!([]));
    }
    assert_eq!(demo.get(&filtered("/Groups", "displayName eq \"SAME\"")).await.ok(200)["totalResults"], 2);
}

#[tokio::test]
async fn group_02_a_member_has_an_id_a_reference_and_a_type() {
    let team = Team::new(2).await;
    let answer = team.demo.get(&team.path).await;
    let members = answer.ok(200)["members"].as_array().unwrap();
    for (member, id) in members.iter().zip(&team.users) {
        let user = team.demo.get(&format!("/Users/{id}")).await;
        assert_eq!(member["value"], **id);
        assert_eq!((&member["$ref"], &member["type"]), (&json!(format!("{BASE}/Users/{id}")), &json!("User")));
        assert_eq!(member["display"], user.ok(200)["name"]["formatted"]);
    }
    // Its parts are immutable: values come and go.
    for path in ["members[value eq \"1001\"].value", "members.display", "members[value eq \"1001\"]"] {
        let change = json!([{ "op": "replace", "path": path, "value": "1002" }]);
        assert_eq!(team.patch(change).await.status, 400, "{path}");
    }
    assert_eq!(team.members().await, [0, 1]);
}

#[tokio::test]
async fn group_03_a_group_is_no_member_where_the_mapping_has_users_only() {
    let team = Team::new(1).await;
    let other = team.demo.create("/Groups", group("Inner", json!({}))).await;
    team.patch(json!([{ "op": "add", "path": "members", "value": [{ "value": other, "type": "Group" }] }]))
        .await
        .refused(400, Some("invalidValue"));
    assert_eq!(team.members().await, [0]);
}

#[tokio::test]
async fn group_04_the_size_of_a_group_costs_only_who_reads_it() {
    let demo = Demo::start(5_000, 1).await;
    let group = ids(&demo.get("/Groups?excludedAttributes=members").await)[0].clone();
    let member = ids(&demo.get("/Users?count=1&attributes=id").await)[0].clone();
    demo.calls();
    let path = format!("/Groups/{group}");
    assert!(demo.get(&format!("{path}?excludedAttributes=members")).await.ok(200).get("members").is_none());
    assert_eq!(demo.calls(), [format!("GET /teams/{group}")]);
    for (operation, call) in [
        (json!({ "op": "add", "path": "members", "value": [{ "value": member }] }), format!("POST /teams/{group}/members")),
        (
            json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }),
            format!("DELETE /teams/{group}/members/{member}"),
        ),
        (
            json!({ "op": "remove", "path": "members", "value": [{ "value": member }] }),
            format!("DELETE /teams/{group}/members/{member}"),
        ),
    ] {
        assert_eq!(demo.send("PATCH", &path, Some(patch(json!([operation])))).await.status, 204);
        assert_eq!(demo.calls(), [call]);
    }
    // Renaming reads the group, but not its members.
    let rename = patch(json!([{ "op": "replace", "value": { "id": group, "displayName": "Everyone" } }]));
    assert_eq!(demo.send("PATCH", &path, Some(rename)).await.status, 204);
    assert_eq!(demo.calls(), [format!("GET /teams/{group}"), format!("PATCH /teams/{group}")]);
    let whole = demo.get(&path).await;
    assert_eq!(whole.ok(200)["members"].as_array().unwrap().len(), 4_999);
    assert_eq!(demo.calls().len(), 1 + 50);
    // All of them again, and one more: a call for every hundred, but none for those who are members.
    let mut members = whole.body["members"].as_array().unwrap().clone();
    members.push(json!({ "value": member }));
    let replace = patch(json!([{ "op": "replace", "path": "members", "value": members }]));
    assert_eq!(demo.send("PATCH", &path, Some(replace)).await.status, 204);
    assert_eq!(demo.calls().len(), 50 + 1);
}

#[tokio::test]
async fn group_04_many_members_are_added_in_batches() {
    let demo = Demo::start(250, 0).await;
    let mut users = ids(&demo.get("/Users?attributes=id").await);
    users.extend(ids(&demo.get("/Users?attributes=id&startIndex=201").await));
    let members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
    demo.calls();
    let id = demo.create("/Groups", group("All", json!({ "members": members }))).await;
    let adds = demo.calls().iter().filter(|call| **call == format!("POST /teams/{id}/members")).count();
    assert_eq!(adds, 3);
    assert_eq!(demo.get(&format!("/Groups/{id}")).await.ok(200)["members"].as_array().unwrap().len(), 250);
}

#[tokio::test]
async fn patch_25_members_are_removed_in_the_forms_of_the_clients() {
    for operation in [
        // Okta, and Entra ID with its flag.
        json!({ "op": "remove", "path": "members[value eq \"ID\"]" }),
        // Entra ID without it, JumpCloud.
        json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "ID" }] }),
        json!({ "op": "remove", "path": "members", "value": { "value": "ID" } }),
        // Salesforce.
        json!({ "op": "remove", "path": "members", "value": { "members": [{ "$ref": null, "value": "ID" }] } }),
        json!({ "op": "remove", "path": "members[value eq \"ID\" and type eq \"User\"]" }),
    ] {
        let team = Team::new(3).await;
        let operation: Value = serde_json::from_str(&operation.to_string().replace("ID", &team.users[1])).unwrap();
        assert_eq!(team.patch(json!([operation])).await.status, 204, "{operation}");
        assert_eq!(team.members().await, [0, 2], "{operation}");
        // Once more is no error.
        assert_eq!(team.patch(json!([operation])).await.status, 204, "{operation}");
    }
    // An empty list removes nobody; no value removes all, and so does, by the letter, any value.
    let team = Team::new(3).await;
    assert_eq!(team.patch(json!([{ "op": "remove", "path": "members", "value": [] }])).await.status, 204);
    assert_eq!(team.members().await, [0, 1, 2]);
    assert_eq!(team.patch(json!([{ "op": "remove", "path": "members" }])).await.status, 204);
    assert!(team.members().await.is_empty());
    let team = Team::new(3).await;
    let listed = patch(json!([{ "op": "remove", "path": "members", "value": [{ "value": team.users[0] }] }]));
    team.demo.strictly("PATCH", &team.path, Some(listed)).await.ok(200);
    assert!(team.members().await.is_empty());
}

#[tokio::test]
async fn patch_18_patch_31_members_are_added_and_replaced() {
    let team = Team::new(2).await;
    let value = |place: usize| json!({ "value": team.users[place] });
    let change = json!([
        { "op": "remove", "path": format!("members[value eq \"{}\"]", team.users[0]) },
        { "op": "add", "path": "members", "value": [value(2), value(1)] },
        { "op": "Add", "path": "members", "value": value(3) },
    ]);
    assert_eq!(team.patch(change).await.status, 204);
    assert_eq!(team.members().await, [1, 2, 3]);
    assert_eq!(team.patch(json!([{ "op": "replace", "path": "members", "value": [value(3), value(4)] }])).await.status, 204);
    assert_eq!(team.members().await, [3, 4]);
    // The last word counts.
    let change = json!([
        { "op": "add", "path": "members", "value": [value(5), value(0)] },
        { "op": "remove", "path": format!("members[value eq \"{}\"]", team.users[5]) },
        { "op": "remove", "path": format!("members[value eq \"{}\"]", team.users[3]) },
        { "op": "add", "path": "members", "value": [value(3)] },
    ]);
    assert_eq!(team.patch(change).await.status, 204);
    assert_eq!(team.members().await, [0, 3, 4]);
    let whole = group("Day shift", json!({ "members": [value(1)] }));
    let answer = team.demo.strictly("PUT", &team.path, Some(whole)).await;
    assert_eq!(answer.ok(200)["displayName"], "Day shift");
    assert_eq!(team.members().await, [1]);
}

#[tokio::test]
async fn unknown_members_are_skipped_but_never_empty_a_group() {
    let team = Team::new(2).await;
    let mixed = json!([{ "value": team.users[2] }, { "value": "99999" }, { "value": "no-number" }]);
    assert_eq!(team.patch(json!([{ "op": "add", "path": "members", "value": mixed }])).await.status, 204);
    assert_eq!(team.members().await, [0, 1, 2]);
    let unknown = json!([{ "value": "99999" }, { "value": "no-number" }]);
    let only_unknown = [
        json!([{ "op": "add", "path": "members", "value": unknown }]),
        json!([{ "op": "replace", "path": "members", "value": unknown }]),
        // The name is changed by a call of its own, and changed back.
        json!([{ "op": "replace", "value": { "displayName": "Renamed", "members": unknown } }]),
    ];
    for change in only_unknown {
        let answer = team.patch(change.clone()).await;
        let detail = answer.refused(400, Some("invalidValue"));
        assert!(detail.contains("99999") && !detail.contains("taken back"), "{detail}");
        assert_eq!(team.members().await, [0, 1, 2], "{change}");
        assert_eq!(team.demo.get(&team.path).await.ok(200)["displayName"], "Night shift");
    }
    let put = group("Renamed", json!({ "members": unknown }));
    team.demo.strictly("PUT", &team.path, Some(put)).await.refused(400, Some("invalidValue"));
    assert_eq!(team.members().await, [0, 1, 2]);
    assert_eq!(team.demo.get(&team.path).await.ok(200)["displayName"], "Night shift");
    // A group that could not be made as it was asked for is not left behind.
    let created = team.demo.strictly("POST", "/Groups", Some(group("New", json!({ "members": unknown })))).await;
    created.refused(400, Some("invalidValue"));
    assert_eq!(team.demo.get("/Groups").await.ok(200)["totalResults"], 1);
}

#[tokio::test]
async fn unknown_members_are_refused_where_the_mapping_says_so() {
    let mapping = mapping_with(&[("unknown: skip ", "unknown: refuse ")]);
    let team = Team::with(&mapping, 2).await;
    for unknown in ["99999", "no-number"] {
        let mixed = json!([{ "value": team.users[2] }, { "value": unknown }]);
        for op in ["add", "replace"] {
            let answer = team.patch(json!([{ "op": op, "path": "members", "value": mixed }])).await;
            let detail = answer.refused(400, Some("invalidValue"));
            assert!(detail.contains(unknown) && !detail.contains("taken back"), "{detail}");
            assert_eq!(team.members().await, [0, 1], "{op} {unknown}");
        }
    }
    // Where the answer does not say who is unknown, nobody is blamed alone.
    let mapping = mapping_with(&[("unknown: skip ", "unknown: refuse "), (", members: \"$.error.user_ids[*]\"", "")]);
    let team = Team::with(&mapping, 2).await;
    let mixed = json!([{ "op": "add", "path": "members", "value": [{ "value": team.users[2] }, { "value": "99999" }] }]);
    team.patch(mixed).await.refused(400, Some("invalidValue"));
    assert_eq!(team.members().await, [0, 1]);
}

#[tokio::test]
async fn unknown_members_are_found_one_by_one_where_the_backend_does_not_name_them() {
    let team = Team::with(&mapping_with(&[(", members: \"$.error.user_ids[*]\"", "")]), 1).await;
    let mixed = json!([{ "value": team.users[2] }, { "value": "99999" }, { "value": team.users[3] }]);
    assert_eq!(team.patch(json!([{ "op": "add", "path": "members", "value": mixed }])).await.status, 204);
    assert_eq!(team.members().await, [0, 2, 3]);
}

#[tokio::test]
async fn patch_11_members_that_were_changed_before_a_failure_are_named() {
    let from = "remove: { call: \"DELETE /teams/{{key}}/members/{{member}}\" }";
    let to = "remove: { call: \"POST /teams/{{key}}/members/{{member}}\" }";
    let team = Team::with(&mapping_with(&[(from, to)]), 2).await;
    let value = json!({ "displayName": "Renamed", "members": [{ "value": team.users[4] }] });
    let answer = team.patch(json!([{ "op": "replace", "value": value }])).await;
    let detail = answer.refused(502, None);
    assert!(detail.contains("taken back: members (1 of them)."), "{detail}");
    assert_eq!(team.members().await, [0, 1, 4]);
    assert_eq!(team.demo.get(&team.path).await.ok(200)["displayName"], "Night shift");
    // Nothing was done before: nothing is named.
    let answer = team.patch(json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", team.users[0]) }])).await;
    assert!(!answer.refused(502, None).contains("taken back"));
}

#[tokio::test]
async fn user_07_groups_mirror_the_members_and_are_changed_through_them_only() {
    let team = Team::new(2).await;
    let id = team.path.rsplit('/').next().unwrap();
    let user = format!("/Users/{}", team.users[0]);
    let groups = json!([{ "value": id, "$ref": format!("{BASE}/Groups/{id}"), "display": "Night shift", "type": "direct" }]);
    assert_eq!(team.demo.get(&user).await.ok(200)["groups"], groups);
    assert_eq!(team.demo.get(&filtered("/Users", &format!("groups.value eq \"{id}\""))).await.ok(200)["totalResults"], 2);
    let change = patch(json!([{ "op": "remove", "path": "groups" }]));
    team.demo.strictly("PATCH", &user, Some(change)).await.refused(400, Some("mutability"));
    let put = crate::scim::user("someone", json!({ "groups": [] }));
    assert_eq!(team.demo.strictly("PUT", &user, Some(put)).await.ok(200)["groups"], groups);
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", team.users[0]) }]);
    assert_eq!(team.patch(remove).await.status, 204);
    assert!(team.demo.get(&user).await.ok(200).get("groups").is_none());
}

#[tokio::test]
async fn who_is_deleted_is_a_member_no_more() {
    let team = Team::new(3).await;
    assert_eq!(team.demo.strictly("DELETE", &format!("/Users/{}", team.users[1]), None).await.status, 204);
    assert_eq!(team.members().await, [0, 2]);
    assert_eq!(team.demo.strictly("DELETE", &team.path, None).await.status, 204);
    let user = team.demo.get(&format!("/Users/{}", team.users[0])).await;
    assert!(user.ok(200).get("groups").is_none());
}
