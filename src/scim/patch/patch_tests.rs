use serde_json::json;

use super::*;
use crate::limits;
use crate::scim::schema::{self, Extension, Type};
use crate::scim::{Attribute, Object, ScimType};

const E: &str = schema::ENTERPRISE_USER;

fn resource_type(id: &str) -> ResourceType {
    let core = |id: &str| schema::core().iter().find(|schema| schema.id == id).unwrap().clone();
    ResourceType {
        name: "Thing".to_owned(),
        description: String::new(),
        endpoint: "/Things".to_owned(),
        schema: core(id),
        extensions: vec![Extension { schema: core(E), required: false }],
    }
}

#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn parse(resource_type: &ResourceType, operations: Value) -> Result<PatchRequest<'_>, ScimError> {
    PatchRequest::parse(json!({"schemas": [PATCH_OP_SCHEMA], "Operations": operations}), resource_type, &Profile::LENIENT)
}

#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn patched(resource_type: &ResourceType, before: Value, operations: Value) -> Result<Value, ScimError> {
    let mut resource: Object = before.as_object().unwrap().clone();
    parse(resource_type, operations)?.apply(&mut resource)?;
    resource.remove("schemas");
    Ok(Value::Object(resource))
}

#[test]
fn an_operation_on_several_attributes_becomes_several() {
    let user = resource_type(schema::USER);
    let value = json!({"title": "T", "name.givenName": "B", E: {"department": null, "manager": "m"}, "nope": 1});
    let patch = parse(&user, json!([{"op": "replace", "value": value}])).unwrap();
    let mut found: Vec<String> = patch
        .operations()
        .iter()
        .map(|operation| {
            assert_eq!((operation.index, operation.op, &operation.filter), (0, Op::Replace, &None));
            format!("{} {}", operation.target, operation.value.clone().unwrap_or_default())
        })
        .collect();
    found.sort();
    let manager = format!("{E}:manager {{\"value\":\"m\"}}");
    assert_eq!(found, ["name.givenName \"B\"", "title \"T\"", &format!("{E}:department null"), &manager]);
    assert_eq!(patch.ignored(), ["nope"]);
}

#[test]
fn relations_are_split_off_in_their_order() {
    let group = resource_type(schema::GROUP);
    let patch = parse(
        &group,
        json!([
            {"op": "add", "path": "members", "value": [{"value": "a"}]},
            {"op": "replace", "value": {"displayName": "D", "members": [{"value": "b"}]}},
            {"op": "remove", "path": "members[value eq \"c\"]"},
        ]),
    )
    .unwrap();
    assert!(patch.needs_current());
    let (members, rest) = patch.split(|target| target.attribute.name == "members");
    assert_eq!(
        members.iter().map(|operation| (operation.index, operation.op)).collect::<Vec<_>>(),
        [(0, Op::Add), (1, Op::Replace), (2, Op::Remove)]
    );
    assert_eq!(rest.operations().iter().map(|operation| operation.target.to_string()).collect::<Vec<_>>(), ["displayName"]);
    assert!(!rest.needs_current());
    let mut empty = Object::new();
    rest.apply(&mut empty).unwrap();
    assert_eq!(empty.get("displayName"), Some(&json!("D")));
}

#[test]
fn the_current_resource_is_needed_only_where_it_matters() {
    let user = resource_type(schema::USER);
    for (operation, expected) in [
        (json!({"op": "replace", "path": "title", "value": "T"}), false),
        (json!({"op": "add", "path": "active", "value": false}), false),
        (json!({"op": "remove", "path": "title"}), false),
        (json!({"op": "replace", "path": "name.givenName", "value": "B"}), false),
        (json!({"op": "replace", "path": "emails", "value": [{"value": "a"}]}), false),
        (json!({"op": "remove", "path": "emails"}), false),
        (json!({"op": "remove", "path": "emails", "value": [{"value": "a"}]}), true),
        (json!({"op": "add", "path": "emails", "value": [{"value": "a"}]}), true),
        (json!({"op": "replace", "path": "emails.value", "value": "a"}), true),
        (json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a"}), true),
        (json!({"op": "remove", "path": "manager[value eq \"m\"]"}), true),
    ] {
        assert_eq!(parse(&user, json!([operation])).unwrap().needs_current(), expected, "{operation}");
    }
}

#[test]
fn the_body_has_a_structure() {
    let user = resource_type(schema::USER);
    let fails = |body: Value| {
        let error = PatchRequest::parse(body.clone(), &user, &Profile::STRICT).err().unwrap_or_else(|| panic!("{body}"));
        (error.status, error.scim_type.map(ScimType::as_str))
    };
    let with = |operation: Value| json!({"schemas": [PATCH_OP_SCHEMA], "Operations": [operation]});
    let syntax = (400, Some("invalidSyntax"));
    assert_eq!(fails(json!([])), syntax);
    assert_eq!(fails(json!({"schemas": [PATCH_OP_SCHEMA]})), syntax);
    assert_eq!(fails(json!({"schemas": [PATCH_OP_SCHEMA], "Operations": "x"})), syntax);
    assert_eq!(fails(with(json!("x"))), syntax);
    assert_eq!(fails(with(json!({"op": 1}))), syntax);
    assert_eq!(fails(with(json!({"op": "move", "path": "title", "value": "x"}))), syntax);
    assert_eq!(fails(with(json!({"op": "add", "OP": "add", "path": "title", "value": "x"}))), syntax);
    assert_eq!(fails(with(json!({"op": "add", "path": 1, "value": "x"}))), (400, Some("invalidPath")));
    assert_eq!(fails(with(json!({"op": "add", "value": "x"}))), (400, Some("invalidValue")));
    assert_eq!(fails(with(json!({"op": "replace"}))), (400, Some("invalidValue")));
    assert_eq!(fails(with(json!({"op": "add", "path": "title", "value": {"a": 1}}))), (400, Some("invalidValue")));
    let many =
        |count: usize| json!({"schemas": [PATCH_OP_SCHEMA], "Operations": vec![json!({"op": "remove", "path": "title"}); count]});
    assert!(PatchRequest::parse(many(limits::PATCH_OPERATIONS), &user, &Profile::STRICT).is_ok());
    assert_eq!(fails(many(limits::PATCH_OPERATIONS + 1)), (413, None));
}

#[test]
fn an_error_says_which_operation_and_what_to_do() {
    let user = resource_type(schema::USER);
    for (operation, words) in [
        (json!({"op": "delete", "path": "title"}), "\"remove\""),
        (json!({"op": "remove"}), "\"path\""),
        (json!({"op": "add", "path": "title"}), "\"value\""),
        (json!({"op": "replace", "path": "id", "value": "x"}), "read-only"),
        (json!({"op": "replace", "path": "active", "value": "x"}), "a boolean"),
    ] {
        let error = parse(&user, json!([{"op": "remove", "path": "title"}, operation])).unwrap_err();
        assert!(error.detail.starts_with("Operation 2: ") && error.detail.contains(words), "{error}");
    }
    let error =
        patched(&user, json!({}), json!([{"op": "replace", "path": "emails[type sw \"w\"].value", "value": "x"}])).unwrap_err();
    assert!(error.detail.starts_with("Operation 1: ") && error.detail.contains("emails.type sw \"w\""), "{error}");
}

#[test]
fn immutable_attributes_are_set_once() {
    let mut user = resource_type(schema::USER);
    let badge: Attribute = serde_json::from_value(json!({"name": "badge", "mutability": "immutable"})).unwrap();
    user.schema.attributes.push(Attribute { kind: Type::String, ..badge });
    let set = |value: &str| json!([{"op": "replace", "path": "badge", "value": value}]);
    assert_eq!(patched(&user, json!({}), set("7")), Ok(json!({"badge": "7"})));
    assert_eq!(patched(&user, json!({"badge": "7"}), set("7")), Ok(json!({"badge": "7"})));
    for operations in
        [set("8"), json!([{"op": "remove", "path": "badge"}]), json!([{"op": "add", "path": "badge", "value": null}])]
    {
        assert!(parse(&user, operations.clone()).unwrap().needs_current());
        assert_eq!(patched(&user, json!({"badge": "7"}), operations).unwrap_err().scim_type, Some(ScimType::Mutability));
    }
    assert_eq!(patched(&user, json!({}), json!([{"op": "remove", "path": "badge"}])), Ok(json!({})));
}

#[test]
fn required_attributes_survive() {
    let mut user = resource_type(schema::USER);
    let emails = user.schema.attributes.iter_mut().find(|attribute| attribute.name == "emails").unwrap();
    emails.required = true;
    user.extensions[0].schema.attributes[0].required = true;
    let name = user.extensions[0].schema.attributes[0].name.clone();
    let before = || json!({"emails": [{"value": "a"}, {"value": "b"}], E: {&name: "x", "manager": {"value": "m"}}});
    let outcome = |operations: Value| patched(&user, before(), operations).map(|_| ()).map_err(|error| error.scim_type.unwrap());
    assert_eq!(outcome(json!([{"op": "remove", "path": "emails[value eq \"a\"]"}])), Ok(()));
    assert_eq!(outcome(json!([{"op": "remove", "path": "emails[value pr]"}])), Err(ScimType::Mutability));
    assert_eq!(outcome(json!([{"op": "remove", "path": "emails", "value": ["a", "b"]}])), Err(ScimType::Mutability));
    assert_eq!(outcome(json!([{"op": "remove", "path": "emails"}])), Err(ScimType::Mutability));
    assert_eq!(outcome(json!([{"op": "replace", "path": "emails", "value": []}])), Err(ScimType::InvalidValue));
    // Gone in between, but there at the end.
    assert_eq!(
        outcome(json!([{"op": "remove", "path": "emails[value pr]"}, {"op": "add", "path": "emails", "value": ["c"]}])),
        Ok(())
    );
    // An extension that is not required may go as a whole, but not its required attribute alone.
    assert_eq!(outcome(json!([{"op": "remove", "path": E}])), Ok(()));
    assert_eq!(outcome(json!([{"op": "remove", "path": format!("{E}:{name}")}])), Err(ScimType::Mutability));
    // What was not there before is not asked for.
    assert!(patched(&user, json!({}), json!([{"op": "add", "path": "title", "value": "T"}])).is_ok());
}

#[test]
fn an_id_is_checked_against_the_resource() {
    let group = resource_type(schema::GROUP);
    let patch = parse(&group, json!([{"op": "replace", "value": {"id": "1", "displayName": "D"}}])).unwrap();
    assert!(!patch.needs_current());
    assert_eq!(patch.check_id("1"), Ok(()));
    assert_eq!(patch.check_id("2").unwrap_err().scim_type, Some(ScimType::Mutability));
}

#[test]
fn many_members_are_added_in_passable_time() {
    let group = resource_type(schema::GROUP);
    let members = |range: std::ops::Range<usize>| range.map(|n| json!({"value": n.to_string()})).collect::<Vec<_>>();
    let after = patched(
        &group,
        json!({"members": members(0..20_000)}),
        json!([{"op": "add", "path": "members", "value": members(10_000..30_000)}]),
    )
    .unwrap();
    assert_eq!(after["members"].as_array().unwrap().len(), 30_000);
}
