use serde_json::json;

use super::*;
use crate::scim::ScimType;
use crate::scim::schema::{self, Extension};

const E: &str = schema::ENTERPRISE_USER;

/// A User of which `title` is returned on request, and of `emails` the sub-attribute `display`.
fn user() -> ResourceType {
    let core = |id: &str| schema::core().iter().find(|schema| schema.id == id).unwrap().clone();
    let mut schema = core(schema::USER);
    for attribute in &mut schema.attributes {
        match attribute.name.as_str() {
            "title" => attribute.returned = Returned::Request,
            "emails" => {
                attribute.sub_attributes.iter_mut().find(|sub| sub.name == "display").unwrap().returned = Returned::Request;
            }
            _ => {}
        }
    }
    ResourceType {
        name: "User".to_owned(),
        description: String::new(),
        endpoint: "/Users".to_owned(),
        schema,
        extensions: vec![Extension { schema: core(E), required: false }],
    }
}

fn full() -> Object {
    let value = json!({
        "schemas": [schema::USER, E], "id": "1", "externalId": "e", "meta": {"resourceType": "User", "version": "W/\"1\""},
        "userName": "b", "password": "secret", "title": "T", "name": {"givenName": "B", "familyName": "J"},
        "emails": [{"value": "w", "type": "work", "display": "W"}, {"value": "h", "type": "home"}],
        E: {"department": "D", "manager": {"value": "m", "displayName": "M"}}, "unheard": 1
    });
    value.as_object().unwrap().clone()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Projects the full user; `schemas` and `id`, which must always be there, are left out of the comparison.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn check(attributes: &[&str], excluded: &[&str], expected: Value) {
    let resource_type = user();
    let projection = Projection::new(&strings(attributes), &strings(excluded), &resource_type, &Profile::STRICT).unwrap();
    let mut resource = full();
    projection.apply(&mut resource);
    assert_eq!(resource.remove("schemas"), Some(json!([schema::USER, E])));
    assert_eq!(resource.remove("id"), Some(json!("1")));
    assert_eq!(Value::Object(resource.clone()), expected);
    // What is there was wanted, and what was not wanted is not there.
    for attribute in resource_type.attributes() {
        if attribute.get(&full()).is_some() && !["schemas", "id"].contains(&attribute.attribute.name.as_str()) {
            assert_eq!(projection.wants(&attribute), attribute.get(&resource).is_some(), "{attribute}");
        }
    }
}

#[test]
fn by_default_nothing_is_returned_that_is_never_or_on_request() {
    let expected = json!({
        "externalId": "e", "meta": {"resourceType": "User", "version": "W/\"1\""}, "userName": "b",
        "name": {"givenName": "B", "familyName": "J"}, "emails": [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}],
        E: {"department": "D", "manager": {"value": "m", "displayName": "M"}}
    });
    check(&[], &[], expected.clone());
    check(&["", " , "], &[""], expected);
}

#[test]
fn attributes_give_the_minimum_and_what_is_named() {
    check(&["userName"], &[], json!({"userName": "b"}));
    check(&["USERNAME, externalid ,"], &[], json!({"userName": "b", "externalId": "e"}));
    check(
        &["name.givenName", "emails.value"],
        &[],
        json!({"name": {"givenName": "B"}, "emails": [{"value": "w"}, {"value": "h"}]}),
    );
    check(&["name.givenName", "name"], &[], json!({"name": {"givenName": "B", "familyName": "J"}}));
    check(&["nope", "urn:x:y:z", "a b"], &[], json!({}));
    check(&["id"], &[], json!({}));
    check(&["password"], &[], json!({}));
    check(&["title"], &[], json!({"title": "T"}));
    check(&["emails.display"], &[], json!({"emails": [{"display": "W"}]}));
    check(&["emails"], &[], json!({"emails": [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}]}));
    check(&[&format!("{}:userName", schema::USER)], &[], json!({"userName": "b"}));
    check(&[&format!("{E}:department")], &[], json!({E: {"department": "D"}}));
    check(&[&format!("{}:MANAGER.value", E.to_uppercase())], &[], json!({E: {"manager": {"value": "m"}}}));
    check(&[E], &[], json!({E: {"department": "D", "manager": {"value": "m", "displayName": "M"}}}));
}

#[test]
fn excluded_attributes_go_but_not_those_that_are_always_returned() {
    check(
        &[],
        &["id,schemas,userName,meta,name.familyName", E],
        json!({"externalId": "e", "name": {"givenName": "B"}, "emails": [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}]}),
    );
    check(
        &[],
        &["emails.type", "name", "externalId", "meta", &format!("{E}:manager")],
        json!({"userName": "b", "emails": [{"value": "w"}, {"value": "h"}], E: {"department": "D"}}),
    );
}

#[test]
fn both_parameters_exclude_each_other() {
    let resource_type = user();
    let new = |profile| Projection::new(&strings(&["userName"]), &strings(&["name"]), &resource_type, profile);
    assert_eq!(new(&Profile::STRICT).unwrap_err().scim_type, Some(ScimType::InvalidValue));
    let mut resource = full();
    new(&Profile::LENIENT).unwrap().apply(&mut resource);
    assert_eq!(resource.keys().collect::<Vec<_>>(), ["id", "schemas", "userName"]);
}

#[test]
fn what_the_client_wrote_is_returned_although_on_request() {
    let resource_type = user();
    let title = AttrRef { extension: None, attribute: resource_type.attribute("title").unwrap(), sub: None };
    let names = |names: &[&str]| strings(names);
    let has_title = |attributes: &[&str], excluded: &[&str]| {
        let projection = Projection::new(&names(attributes), &names(excluded), &resource_type, &Profile::STRICT).unwrap();
        let mut resource = full();
        let projection = projection.also([title]);
        projection.apply(&mut resource);
        assert_eq!(projection.wants(&title), resource.contains_key("title"));
        resource.contains_key("title")
    };
    assert!(has_title(&[], &[]));
    assert!(has_title(&[], &["name"]));
    assert!(!has_title(&[], &["title"]));
    assert!(!has_title(&["userName"], &[]));
}

#[test]
fn the_number_of_names_is_bounded() {
    let resource_type = user();
    let names = |count: usize| vec!["nope"; count].join(",");
    assert!(Projection::new(&[names(limits::PROJECTION_NAMES)], &[], &resource_type, &Profile::STRICT).is_ok());
    assert!(Projection::new(&[names(limits::PROJECTION_NAMES + 1)], &[], &resource_type, &Profile::STRICT).is_err());
}

#[test]
fn an_empty_list_of_members_stays() {
    let resource_type = ResourceType { schema: schema::core()[1].clone(), extensions: vec![], ..user() };
    let mut resource = json!({"id": "1", "members": []}).as_object().unwrap().clone();
    Projection::of(&resource_type).apply(&mut resource);
    assert_eq!(Value::Object(resource), json!({"id": "1", "members": []}));
}
