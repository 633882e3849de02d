//! PATCH (RFC 7644 section 3.5.2) through the whole gateway; the single rules are in patch_cases.rs.

use serde_json::{Value, json};

use crate::demo::{Demo, mapping_with};
use crate::scim::{ENTERPRISE, PATCH_OP, group, patch, user};
use scimitar::engine::Offer;

async fn with_ann() -> (Demo, String) {
    with_mapping(crate::demo::MAPPING).await
}

async fn with_mapping(mapping: &str) -> (Demo, String) {
    let demo = Demo::with(mapping, 0, 0, Offer::default()).await;
    let emails = json!([
        { "value": "ann@work.example", "type": "work", "primary": true },
        { "value": "ann@home.example", "type": "home" },
        { "value": "ann@other.example", "type": "other" },
    ]);
    let id = demo.create("/Users", user("ann", json!({ "title": "Guide", "emails": emails }))).await;
    demo.calls();
    (demo, format!("/Users/{id}"))
}

fn writes(demo: &Demo) -> Vec<String> {
    demo.calls().into_iter().filter(|call| !call.starts_with("GET ")).collect()
}

#[tokio::test]
async fn patch_01_patch_13_success_is_200_with_the_whole_resource() {
    let (demo, ann) = with_ann().await;
    assert_eq!(demo.get("/ServiceProviderConfig").await.ok(200)["patch"]["supported"], true);
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "Lead" }]));
    let answer = demo.strictly("PATCH", &ann, Some(change.clone())).await;
    assert_eq!((&answer.ok(200)["title"], &answer.body["userName"]), (&json!("Lead"), &json!("ann")));
    assert_eq!(answer.body, *demo.get(&ann).await.ok(200));
    assert_eq!(demo.send("PATCH", &format!("{ann}?attributes=title"), Some(change)).await.ok(200)["title"], "Lead");
    // A group, for Entra ID's sake, is answered by 204, but not if attributes are asked for.
    let id = demo.create("/Groups", group("One", json!({}))).await;
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Two" }]));
    assert_eq!(demo.strictly("PATCH", &format!("/Groups/{id}"), Some(rename.clone())).await.ok(200)["displayName"], "Two");
    let bare = demo.send("PATCH", &format!("/Groups/{id}"), Some(rename.clone())).await;
    assert_eq!((bare.status, &bare.body), (204, &Value::Null));
    let answer = demo.send("PATCH", &format!("/Groups/{id}?attributes=displayName"), Some(rename)).await;
    assert_eq!(answer.ok(200)["displayName"], "Two");
}

#[tokio::test]
async fn patch_02_to_06_the_body_has_a_form() {
    let (demo, ann) = with_ann().await;
    let one = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    for (body, keyword) in [
        (json!({ "Operations": one }), "invalidSyntax"),
        (json!({ "schemas": [ENTERPRISE], "Operations": one }), "invalidSyntax"),
        (json!({ "schemas": [PATCH_OP] }), "invalidSyntax"),
        (json!({ "schemas": [PATCH_OP], "Operations": [] }), "invalidSyntax"),
        (json!({ "schemas": [PATCH_OP], "Operations": {} }), "invalidSyntax"),
        (patch(json!([{ "path": "title", "value": "x" }])), "invalidSyntax"),
        (patch(json!([{ "op": "move", "path": "title", "value": "x" }])), "invalidSyntax"),
        (patch(json!([{ "op": "remove" }])), "noTarget"),
        (patch(json!([{ "op": "add", "path": "title" }])), "invalidValue"),
        (patch(json!([{ "op": "replace", "path": "emails[0].value", "value": "x" }])), "invalidPath"),
        (patch(json!([{ "op": "replace", "path": "/title", "value": "x" }])), "invalidPath"),
    ] {
        demo.strictly("PATCH", &ann, Some(body)).await.refused(400, Some(keyword));
    }
    let capital = patch(json!([{ "op": "Replace", "path": "TITLE", "value": "x" }]));
    assert_eq!(demo.strictly("PATCH", &ann, Some(capital)).await.ok(200)["title"], "x");
    assert_eq!(writes(&demo).len(), 1);
}

#[tokio::test]
async fn patch_07_patch_28_read_only_and_required_attributes_stay() {
    let (demo, ann) = with_ann().await;
    for operation in [
        json!({ "op": "replace", "path": "id", "value": "7" }),
        json!({ "op": "add", "path": "groups", "value": [{ "value": "1" }] }),
        json!({ "op": "remove", "path": "groups" }),
        json!({ "op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z" }),
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "x" }),
    ] {
        demo.strictly("PATCH", &ann, Some(patch(json!([operation])))).await.refused(400, Some("mutability"));
    }
    assert!(writes(&demo).is_empty());
}

#[tokio::test]
async fn patch_08_an_extension_comes_and_goes_with_its_data() {
    let (demo, ann) = with_ann().await;
    let path = format!("{ENTERPRISE}:department");
    let add = patch(json!([{ "op": "add", "path": path, "value": "Sales" }]));
    assert!(demo.strictly("PATCH", &ann, Some(add)).await.ok(200)["schemas"].as_array().unwrap().contains(&json!(ENTERPRISE)));
    let remove = patch(json!([{ "op": "remove", "path": path }]));
    assert!(
        !demo.strictly("PATCH", &ann, Some(remove)).await.ok(200)["schemas"].as_array().unwrap().contains(&json!(ENTERPRISE))
    );
}

#[tokio::test]
async fn patch_09_operations_build_on_each_other_and_are_one_call() {
    let (demo, ann) = with_ann().await;
    let change = patch(json!([
        { "op": "remove", "path": "emails" },
        { "op": "add", "path": "emails", "value": [{ "value": "a@x", "type": "work" }] },
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@x" },
        { "op": "add", "path": "title", "value": "One" },
        { "op": "replace", "path": "title", "value": "Two" },
    ]));
    let answer = demo.strictly("PATCH", &ann, Some(change)).await;
    assert_eq!(answer.ok(200)["title"], "Two");
    assert_eq!(answer.body["emails"].as_array().unwrap().len(), 1);
    assert_eq!(answer.body["emails"][0]["value"], "b@x");
    assert_eq!(writes(&demo), [format!("PATCH {}", ann.to_lowercase())]);
}

#[tokio::test]
async fn patch_10_a_new_primary_value_takes_that_from_the_others() {
    let (demo, ann) = with_ann().await;
    let primary = |body: &Value| {
        let emails = body["emails"].as_array().unwrap();
        let primaries = emails.iter().filter(|email| email["primary"] == true).map(|email| email["value"].as_str().unwrap());
        primaries.map(str::to_owned).collect::<Vec<_>>()
    };
    let new = json!({ "value": "new@x", "type": "other", "primary": true });
    for (operation, expected) in [
        (json!({ "op": "add", "path": "emails", "value": [new] }), "new@x"),
        (json!({ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }), "ann@home.example"),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "w@x", "primary": true } }), "w@x"),
    ] {
        let answer = demo.strictly("PATCH", &ann, Some(patch(json!([operation])))).await;
        assert_eq!(primary(answer.ok(200)), [expected]);
        assert_eq!(primary(demo.get(&ann).await.ok(200)), [expected]);
    }
}

#[tokio::test]
async fn patch_11_patch_12_a_mistake_in_the_last_operation_changes_nothing() {
    let (demo, ann) = with_ann().await;
    let before = demo.get(&ann).await.ok(200).clone();
    demo.calls();
    for (last, keyword) in [
        (json!({ "op": "replace", "path": "noSuch", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x" }), "noTarget"),
        (json!({ "op": "replace", "path": "active", "value": "perhaps" }), "invalidValue"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "replace", "path": "emails[type bogus \"x\"].value", "value": "x" }), "invalidFilter"),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": "nobody" }), "invalidValue"),
    ] {
        let change = patch(json!([
            { "op": "replace", "path": "title", "value": "Lead" },
            { "op": "replace", "path": "active", "value": false },
            last,
        ]));
        let answer = demo.strictly("PATCH", &ann, Some(change)).await;
        answer.refused(400, Some(keyword));
        assert!(writes(&demo).is_empty(), "{last}");
    }
    // A mistake that only the backend can see: it refuses the whole call, and the other one is not made.
    let manager = json!({ "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "999999" } });
    let change = patch(json!([{ "op": "replace", "value": { "title": "Lead", "active": false } }, manager]));
    demo.strictly("PATCH", &ann, Some(change)).await.refused(400, Some("invalidValue"));
    assert_eq!(writes(&demo).len(), 1);
    assert_eq!(*demo.get(&ann).await.ok(200), before);
}

/// `title` and `active` take a call each; a mapping whose second call fails.
#[tokio::test]
async fn patch_11_what_a_failing_second_call_leaves_is_changed_back() {
    let mapping = mapping_with(&[("call: \"POST /users/{{key}}/suspend\"", "call: \"PUT /users/{{key}}/suspend\"")]);
    let (demo, ann) = with_mapping(&mapping).await;
    let change = |value: Value| Some(patch(json!([{ "op": "replace", "value": value }])));
    let body = change(json!({ "title": "Lead", "displayName": "Ann", "active": false }));
    let answer = demo.strictly("PATCH", &ann, body).await;
    let detail = answer.refused(502, None);
    assert!(!detail.contains("taken back"), "{detail}");
    let user = ann.to_lowercase();
    assert_eq!(writes(&demo), [format!("PATCH {user}"), format!("PUT {user}/suspend"), format!("PATCH {user}")]);
    let record = demo.record(&user);
    assert_eq!((&record["employment"]["job_title"], &record["profile"]["shown_as"]), (&json!("Guide"), &Value::Null));
    assert_eq!(record["status"], "ACTIVE");
    // The same with PUT.
    let put = user_named_lead();
    demo.strictly("PUT", &ann, Some(put)).await.refused(502, None);
    assert_eq!(demo.record(&user)["employment"]["job_title"], "Guide");
}

fn user_named_lead() -> Value {
    user("ann", json!({ "title": "Lead", "active": false }))
}

#[tokio::test]
async fn patch_11_what_cannot_be_changed_back_is_named() {
    let mapping = mapping_with(&[("call: \"POST /users/{{key}}/suspend\"", "call: \"PUT /users/{{key}}/suspend\"")]);
    let (demo, ann) = with_mapping(&mapping).await;
    let change = patch(json!([{ "op": "replace", "value": { "title": "Lead", "password": "t1meMa$heen", "active": false } }]));
    let answer = demo.strictly("PATCH", &ann, Some(change)).await;
    let detail = answer.refused(502, None);
    // The former password is not known.
    assert!(detail.contains("taken back: password."), "{detail}");
    assert!(!detail.contains("t1meMa$heen"));
    assert_eq!(demo.record(&ann.to_lowercase())["employment"]["job_title"], "Guide");
}

#[tokio::test]
async fn patch_11_a_transition_that_cannot_be_changed_back_is_named() {
    let from = "\
      - { call: \"PATCH /users/{{key}}\", headers: { If-Match: \"{{record.rev}}\" } }
      - { when: active eq false, call: \"POST /users/{{key}}/suspend\" }
      - { when: active eq true, call: \"POST /users/{{key}}/reactivate\" }
";
    let to = "\
      - { when: active eq false, call: \"POST /users/{{key}}/suspend\" }
      - { when: active eq true, call: \"PUT /users/{{key}}/reactivate\" }
      - { call: \"PATCH /users/{{key}}\", headers: { If-Match: \"{{record.rev}}\" } }
";
    let (demo, ann) = with_mapping(&mapping_with(&[(from, to)])).await;
    let change =
        patch(json!([{ "op": "replace", "value": { "active": false, ENTERPRISE: { "manager": { "value": "999999" } } } }]));
    let answer = demo.strictly("PATCH", &ann, Some(change)).await;
    let detail = answer.refused(400, Some("invalidValue"));
    assert!(detail.contains("taken back: active."), "{detail}");
    assert_eq!(demo.record(&ann.to_lowercase())["status"], "SUSPENDED");
}

#[tokio::test]
async fn patch_20_patch_29_what_is_so_already_is_no_call() {
    let (demo, ann) = with_ann().await;
    let before = demo.get(&ann).await.ok(200).clone();
    demo.calls();
    for operation in [
        json!({ "op": "add", "path": "title", "value": "Guide" }),
        json!({ "op": "add", "path": "emails", "value": [{ "value": "ann@work.example", "type": "work" }] }),
        json!({ "op": "replace", "path": "active", "value": true }),
        json!({ "op": "remove", "path": "nickName" }),
        json!({ "op": "remove", "path": "emails[type eq \"fax\"]" }),
    ] {
        let answer = demo.strictly("PATCH", &ann, Some(patch(json!([operation])))).await;
        assert_eq!(*answer.ok(200), before, "{operation}");
        assert!(writes(&demo).is_empty(), "{operation}");
    }
}

#[tokio::test]
async fn patch_21_patch_26_patch_27_patch_35_value_paths_reach_the_backend() {
    let (demo, ann) = with_ann().await;
    let change = patch(json!([
        { "op": "add", "path": "emails[type eq \"work\"].display", "value": "Work" },
        { "op": "replace", "path": "emails[type eq \"home\"].value", "value": "new@home.example" },
        { "op": "remove", "path": "emails[type eq \"other\"]" },
        { "op": "remove", "path": "emails[type eq \"work\"].type" },
    ]));
    demo.strictly("PATCH", &ann, Some(change)).await.ok(200);
    let mail = &demo.record(&ann.to_lowercase())["contact"]["mail"];
    assert_eq!(mail.as_array().unwrap().len(), 2);
    assert_eq!(
        (&mail[0]["label"], &mail[0]["kind"], &mail[0]["address"]),
        (&json!("Work"), &Value::Null, &json!("ann@work.example"))
    );
    assert_eq!((&mail[1]["address"], &mail[1]["kind"]), (&json!("new@home.example"), &json!("home")));
    let all = patch(json!([{ "op": "remove", "path": "emails[value co \"@\"]" }]));
    assert!(demo.strictly("PATCH", &ann, Some(all)).await.ok(200).get("emails").is_none());
}

#[tokio::test]
async fn patch_24_patch_37_what_is_cleared_is_cleared_in_the_backend() {
    let (demo, ann) = with_ann().await;
    let user = ann.to_lowercase();
    for operation in [
        json!({ "op": "remove", "path": "title" }),
        json!({ "op": "replace", "path": "title", "value": null }),
        json!({ "op": "replace", "value": { "title": null } }),
    ] {
        let set = patch(json!([{ "op": "add", "path": "title", "value": "Guide" }]));
        demo.strictly("PATCH", &ann, Some(set)).await.ok(200);
        assert!(demo.strictly("PATCH", &ann, Some(patch(json!([operation])))).await.ok(200).get("title").is_none());
        assert_eq!(demo.record(&user)["employment"]["job_title"], Value::Null, "{operation}");
    }
    let empty = patch(json!([{ "op": "replace", "path": "emails", "value": [] }]));
    assert!(demo.strictly("PATCH", &ann, Some(empty)).await.ok(200).get("emails").is_none());
    assert_eq!(demo.record(&user)["contact"]["mail"], json!([]));
    let required = patch(json!([{ "op": "replace", "path": "userName", "value": null }]));
    assert_eq!(demo.strictly("PATCH", &ann, Some(required)).await.status, 400);
}

#[tokio::test]
async fn patch_39_a_user_name_that_is_taken_is_409() {
    let (demo, ann) = with_ann().await;
    demo.create("/Users", user("bob", json!({}))).await;
    for name in ["bob", "BOB"] {
        let change = patch(json!([{ "op": "replace", "value": { "title": "Lead", "userName": name } }]));
        demo.strictly("PATCH", &ann, Some(change)).await.refused(409, Some("uniqueness"));
        assert_eq!(demo.get(&ann).await.ok(200)["title"], "Guide");
    }
    // One's own name is nobody's else.
    let own = patch(json!([{ "op": "replace", "path": "userName", "value": "ANN" }]));
    assert_eq!(demo.strictly("PATCH", &ann, Some(own)).await.ok(200)["userName"], "ANN");
}

#[tokio::test]
async fn patch_12_what_does_not_exist_is_404() {
    let demo = Demo::start(0, 0).await;
    let change = Some(patch(json!([{ "op": "replace", "path": "displayName", "value": "x" }])));
    let members = Some(patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "1" }] }])));
    let nothing = Some(patch(json!([{ "op": "add", "path": "members", "value": [] }])));
    for path in ["/Users/77", "/Users/abc", "/Groups/77"] {
        demo.strictly("PATCH", path, change.clone()).await.refused(404, None);
    }
    demo.send("PATCH", "/Groups/77", members).await.refused(404, None);
    demo.send("PATCH", "/Groups/77", nothing).await.refused(404, None);
}
