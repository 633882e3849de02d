use serde_json::json;

use super::*;
use crate::scim::ScimType;
use crate::scim::schema::{Extension, Schema, core};

fn user() -> ResourceType {
    ResourceType {
        name: "User".to_owned(),
        description: String::new(),
        endpoint: "/Users".to_owned(),
        schema: core()[0].clone(),
        extensions: vec![Extension { schema: core()[2].clone(), required: false }],
    }
}

fn room() -> ResourceType {
    let schema: Schema = serde_json::from_value(json!({
        "id": "urn:example:Room",
        "attributes": [
            {"name": "number", "type": "integer"},
            {"name": "open", "type": "boolean"},
            {"name": "code", "type": "string", "caseExact": true},
        ],
    }))
    .unwrap();
    ResourceType {
        name: "Room".to_owned(),
        description: String::new(),
        endpoint: "/Rooms".to_owned(),
        schema,
        extensions: Vec::new(),
    }
}

/// Sorts resources, given without ids, and tells their places before, as one text.
fn order(resource_type: &ResourceType, sort_by: &str, order: SortOrder, resources: Value) -> String {
    let key = SortKey::parse(sort_by, resource_type, &Profile::LENIENT).unwrap_or_else(|error| panic!("{error}"));
    let Value::Array(resources) = resources else { panic!("no array") };
    let mut resources: Vec<Object> = resources
        .into_iter()
        .enumerate()
        .map(|(i, mut resource)| {
            resource["id"] = json!(i.to_string());
            resource.as_object().unwrap().clone()
        })
        .collect();
    resources.reverse();
    resources.sort_by(|a, b| key.compare(a, b, order));
    resources.iter().map(|resource| resource["id"].as_str().unwrap()).collect()
}

const UP: SortOrder = SortOrder::Ascending;
const DOWN: SortOrder = SortOrder::Descending;

#[test]
fn strings_sort_without_case_unless_case_exact() {
    let names = json!([{"userName": "a"}, {"userName": "B"}, {"userName": "c"}, {"userName": "É"}, {"userName": "é2"}]);
    assert_eq!(order(&user(), "userName", UP, names.clone()), "01234");
    assert_eq!(order(&user(), "USERNAME", DOWN, names), "43210");
    assert_eq!(order(&room(), "code", UP, json!([{"code": "a"}, {"code": "B"}])), "10");
}

#[test]
fn values_sort_by_their_type() {
    assert_eq!(order(&room(), "number", UP, json!([{"number": 10}, {"number": 9}, {"number": 9.5}, {"number": -1}])), "3120");
    assert_eq!(order(&room(), "open", UP, json!([{"open": true}, {"open": false}])), "10");
    let dates = json!([
        {"meta": {"created": "2011-05-13T06:00:00+02:00"}},
        {"meta": {"created": "2011-05-13T05:00:00Z"}},
        {"meta": {"created": "2011-05-12T23:00:00-04:00"}},
    ]);
    assert_eq!(order(&user(), "meta.created", UP, dates), "201");
}

#[test]
fn what_has_no_value_is_last_and_in_descending_order_first() {
    let titles = json!([{}, {"title": "b"}, {"title": null}, {"title": "a"}, {"title": ""}]);
    assert_eq!(order(&user(), "title", UP, titles.clone()), "31024");
    assert_eq!(order(&user(), "title", DOWN, titles), "02413");
}

#[test]
fn the_primary_value_counts_or_else_the_first() {
    let emails = json!([
        {"emails": [{"value": "a"}, {"value": "z", "primary": true}]},
        {"emails": [{"value": "m"}, {"value": "b"}]},
        {"emails": []},
        {"emails": [{"value": "c", "primary": false}]},
    ]);
    assert_eq!(order(&user(), "emails.value", UP, emails.clone()), "3102");
    // Bare means `value`.
    assert_eq!(order(&user(), "emails", UP, emails), "3102");
}

#[test]
fn equal_keys_are_ordered_by_id_in_both_directions() {
    let same = json!([{"title": "x"}, {"title": "X"}, {"title": "x"}]);
    assert_eq!(order(&user(), "title", UP, same.clone()), "012");
    assert_eq!(order(&user(), "title", DOWN, same), "012");
}

#[test]
fn odd_values_have_no_place_and_do_no_harm() {
    let odd = json!([{"number": "7"}, {"number": [3]}, {"number": {}}, {"number": "x"}, {"number": 5}, {"number": [[1]]}]);
    assert_eq!(order(&room(), "number", UP, odd), "140235");
}

#[test]
fn what_cannot_be_sorted_by_is_refused() {
    let user = user();
    let error = |sort_by: &str| SortKey::parse(sort_by, &user, &Profile::STRICT).unwrap_err();
    for sort_by in ["", "a b", "usrName", "name", "addresses", "password", "emails[type eq \"work\"].value", "manager", "name.x"]
    {
        assert_eq!((error(sort_by).status, error(sort_by).scim_type), (400, Some(ScimType::InvalidPath)), "{sort_by}");
    }
    assert_eq!(error("usrName").detail, "sortBy: User has no attribute `usrName`; did you mean `userName`?");
    assert!(error("name").detail.starts_with("sortBy: `name` is complex and wants a sub-attribute, as in `name.formatted`"));
}
