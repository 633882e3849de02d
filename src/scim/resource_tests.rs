use serde_json::json;

use super::*;
use crate::scim::schema::{self, Extension, Returned, Type};
use crate::scim::{Attribute, ScimType};

const E: &str = schema::ENTERPRISE_USER;

fn core(id: &str) -> Schema {
    schema::core().iter().find(|schema| schema.id == id).unwrap().clone()
}

fn user() -> ResourceType {
    ResourceType {
        name: "User".to_owned(),
        description: String::new(),
        endpoint: "/Users".to_owned(),
        schema: core(schema::USER),
        extensions: vec![Extension { schema: core(E), required: false }],
    }
}

fn group() -> ResourceType {
    ResourceType {
        name: "Group".to_owned(),
        endpoint: "/Groups".to_owned(),
        schema: core(schema::GROUP),
        extensions: vec![],
        ..user()
    }
}

fn attribute(name: &str, kind: Type) -> Attribute {
    Attribute { kind, ..serde_json::from_value(json!({"name": name})).unwrap() }
}

/// Reads a user with a name, and compares all but `schemas`.
#[track_caller]
fn check(profile: &Profile, body: Value, expected: Value) {
    let resource_type = user();
    let incoming = read(with_basics(body), &resource_type, Intent::Create, profile).unwrap();
    let mut resource = incoming.resource;
    assert!(resource.remove("schemas").is_some());
    assert_eq!(Value::Object(resource), with_user_name(expected));
}

#[track_caller]
fn refused(profile: &Profile, body: Value, scim_type: ScimType, words: &[&str]) {
    let resource_type = user();
    let error = read(with_basics(body), &resource_type, Intent::Create, profile).unwrap_err();
    assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{error}");
    for word in words {
        assert!(error.detail.contains(word), "{:?} lacks {word:?}", error.detail);
    }
}

fn with_basics(mut body: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    object.entry("schemas").or_insert(json!([schema::USER]));
    with_user_name(body)
}

fn with_user_name(mut body: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    if !object.keys().any(|name| name.eq_ignore_ascii_case("userName")) {
        object.insert("userName".to_owned(), json!("bjensen"));
    }
    body
}

const BOTH: [&Profile; 2] = [&Profile::STRICT, &Profile::LENIENT];

#[test]
fn names_come_in_any_case_and_leave_as_the_schema_spells_them() {
    for profile in BOTH {
        check(
            profile,
            json!({"USERNAME": "a", "Emails": [{"VALUE": "a@b", "Type": "work"}], E.to_uppercase(): {"DEPARTMENT": "D"}}),
            json!({"userName": "a", "emails": [{"value": "a@b", "type": "work"}], E: {"department": "D"}}),
        );
        refused(profile, json!({"userName": "a", "USERNAME": "b"}), ScimType::InvalidSyntax, &["userName", "twice"]);
        refused(profile, json!({"name": {"givenName": "a", "GIVENNAME": "a"}}), ScimType::InvalidSyntax, &["name", "twice"]);
        refused(profile, json!({E: {"department": "a", "Department": "a"}}), ScimType::InvalidSyntax, &["twice"]);
    }
}

#[test]
fn read_only_attributes_are_dropped_silently() {
    for profile in BOTH {
        check(
            profile,
            json!({"id": "x", "meta": {"resourceType": "Group"}, "groups": [{"value": "g"}], E: {"manager": {"value": "m", "displayName": "M"}}}),
            json!({E: {"manager": {"value": "m"}}}),
        );
        // Whatever their type.
        check(profile, json!({"id": 5, "groups": "x"}), json!({}));
    }
}

#[test]
fn unassigned_values_leave_no_trace_but_are_known_as_cleared() {
    let resource_type = user();
    let body = json!({"schemas": [schema::USER], "userName": "a", "nickName": null, "emails": [], "name": {"givenName": null}, E: {"manager": null}});
    let incoming = read(body, &resource_type, Intent::Replace, &Profile::STRICT).unwrap();
    assert_eq!(Value::Object(incoming.resource), json!({"schemas": [schema::USER], "userName": "a"}));
    let mut cleared: Vec<String> = incoming.cleared.iter().map(ToString::to_string).collect();
    cleared.sort();
    assert_eq!(cleared, ["emails", "name", "nickName", &format!("{E}:manager")]);

    check(
        &Profile::LENIENT,
        json!({"title": "", "emails": "", "name": {"givenName": "", "familyName": "J"}}),
        json!({"name": {"familyName": "J"}}),
    );
    check(&Profile::STRICT, json!({"title": ""}), json!({"title": ""}));
    // authentik sends blank names.
    check(&Profile::LENIENT, json!({"name": {"givenName": " "}}), json!({"name": {"givenName": " "}}));
    check(&Profile::LENIENT, json!({"emails": [{}, {"value": null}, {"value": "a"}]}), json!({"emails": [{"value": "a"}]}));
}

#[test]
fn dotted_and_qualified_names_are_paths_or_errors_but_never_names() {
    check(
        &Profile::LENIENT,
        json!({"name.familyName": "J", "NAME.givenname": "B", format!("{E}:department"): "D", format!("{E}:manager.value"): "m", "costCenter": "C"}),
        json!({"name": {"familyName": "J", "givenName": "B"}, E: {"department": "D", "manager": {"value": "m"}, "costCenter": "C"}}),
    );
    check(&Profile::LENIENT, json!({"emails.value": "a@b"}), json!({"emails": [{"value": "a@b"}]}));
    check(&Profile::LENIENT, json!({E: {"manager.value": "m"}}), json!({E: {"manager": {"value": "m"}}}));
    // Entra ID's second documented example: nulls at the top beside an extension.
    check(
        &Profile::LENIENT,
        json!({"department": null, "manager": null, E: {"department": "D"}}),
        json!({E: {"department": "D"}}),
    );
    check(
        &Profile::LENIENT,
        json!({"name.givenName": "B", "name": {"familyName": "J"}}),
        json!({"name": {"givenName": "B", "familyName": "J"}}),
    );
    refused(
        &Profile::LENIENT,
        json!({"department": "A", E: {"department": "D"}}),
        ScimType::InvalidSyntax,
        &["department", "twice"],
    );
    refused(
        &Profile::LENIENT,
        json!({"name.givenName": "B", "name": {"givenName": "J"}}),
        ScimType::InvalidSyntax,
        &["name", "twice"],
    );
    refused(&Profile::STRICT, json!({"name.familyName": "J"}), ScimType::InvalidSyntax, &["{\"name\": {\"familyName\": ...}}"]);
    refused(&Profile::STRICT, json!({format!("{E}:department"): "D"}), ScimType::InvalidSyntax, &[E, "department"]);
}

#[test]
fn unknown_names_are_ignored_or_refused_with_advice() {
    let body = || json!({"nickname2": "x", "urn:x:y:2.0:Z": {"a": 1}, "name": {"famlyName": "x"}, E: {"departmnt": "x"}, "emails[type eq \"work\"].value": "x"});
    check(&Profile::LENIENT, body(), json!({}));
    let resource_type = user();
    let incoming = read(with_basics(body()), &resource_type, Intent::Create, &Profile::LENIENT).unwrap();
    assert_eq!(incoming.ignored.len(), 5, "{:?}", incoming.ignored);
    refused(&Profile::STRICT, json!({"nicName": "x"}), ScimType::InvalidSyntax, &["nicName", "Did you mean \"nickName\"?"]);
    refused(&Profile::STRICT, json!({"name": {"famlyName": "x"}}), ScimType::InvalidSyntax, &["famlyName", "\"familyName\"?"]);
    refused(&Profile::STRICT, json!({E: {"departmnt": "x"}}), ScimType::InvalidSyntax, &["departmnt", "\"department\"?"]);
    refused(&Profile::STRICT, json!({"urn:x:y:2.0:Z": {"a": 1}}), ScimType::InvalidSyntax, &["urn:x:y:2.0:Z"]);
}

#[test]
fn schemas_must_fit_under_strict_and_follow_from_the_data() {
    let resource_type = user();
    let strict = |body| read(body, &resource_type, Intent::Create, &Profile::STRICT);
    let lenient = |body| read(body, &resource_type, Intent::Create, &Profile::LENIENT);
    assert_eq!(strict(json!({"userName": "a"})).unwrap_err().scim_type, Some(ScimType::InvalidSyntax));
    for schemas in [json!([]), json!([E]), json!([schema::USER, "urn:x:y"]), json!(schema::USER), json!([1])] {
        assert_eq!(strict(json!({"schemas": schemas, "userName": "a"})).unwrap_err().status, 400, "{schemas}");
        assert!(lenient(json!({"schemas": schemas, "userName": "a"})).is_ok(), "{schemas}");
    }
    assert!(lenient(json!({"userName": "a"})).is_ok());
    // Duplicates, any order and case; and an extension without data is not listed (RFC 7643 section 3.3).
    let incoming = strict(json!({"schemas": [E, schema::USER, schema::USER.to_uppercase()], "userName": "a"})).unwrap();
    assert_eq!(incoming.resource.get("schemas"), Some(&json!([schema::USER])));
    let incoming = strict(json!({"schemas": [schema::USER], "userName": "a", E: {"department": "D"}})).unwrap();
    assert_eq!(incoming.resource.get("schemas"), Some(&json!([schema::USER, E])));
}

#[test]
fn required_attributes_are_there_and_not_blank() {
    let resource_type = user();
    for profile in BOTH {
        for body in [json!({}), json!({"userName": null}), json!({"userName": ""}), json!({"userName": " \t"})] {
            let mut body = body;
            body.as_object_mut().unwrap().insert("schemas".to_owned(), json!([schema::USER]));
            for intent in [Intent::Create, Intent::Replace] {
                let error = read(body.clone(), &resource_type, intent, profile).unwrap_err();
                assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
                assert!(error.detail.contains("userName"), "{error}");
            }
        }
    }
    let mut custom = user();
    custom.schema.attributes.push(Attribute {
        required: true,
        mutability: Mutability::WriteOnly,
        returned: Returned::Never,
        ..attribute("pin", Type::String)
    });
    custom.extensions[0].required = true;
    let body = |more: Value| {
        let mut body = json!({"userName": "a", E: {"department": "D"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let error = read(body(json!({})), &custom, Intent::Create, &Profile::LENIENT).unwrap_err();
    assert!(error.detail.contains("pin"), "{error}");
    assert!(read(body(json!({})), &custom, Intent::Replace, &Profile::LENIENT).is_ok());
    let error = read(body(json!({"pin": "1", E: {}})), &custom, Intent::Create, &Profile::LENIENT).unwrap_err();
    assert!(error.detail.contains(E), "{error}");

    // A required sub-attribute, and a required attribute of an extension that is used.
    custom.extensions[0].required = false;
    custom.extensions[0].schema.attributes[0].required = true;
    let name = custom.extensions[0].schema.attributes[0].name.clone();
    let error = read(body(json!({"pin": "1"})), &custom, Intent::Create, &Profile::LENIENT).unwrap_err();
    assert!(error.detail.contains(&name), "{error}");
    assert!(read(body(json!({"pin": "1", E: null})), &custom, Intent::Create, &Profile::LENIENT).is_ok());
    let emails = custom.schema.attributes.iter_mut().find(|attribute| attribute.name == "emails").unwrap();
    emails.sub_attributes[0].required = true;
    let error =
        read(body(json!({"pin": "1", "emails": [{"type": "work"}], E: null})), &custom, Intent::Create, &Profile::LENIENT)
            .unwrap_err();
    assert!(error.detail.contains("emails") && error.detail.contains("value"), "{error}");
}

/// (attribute type, value, outcome under strict, outcome under lenient); `null` stands for 400 invalidValue.
#[test]
fn simple_values_have_the_type_of_the_schema() {
    let bad = Value::Null;
    for (kind, value, strict, lenient) in [
        (Type::String, json!("x"), json!("x"), json!("x")),
        (Type::String, json!(5), bad.clone(), json!("5")),
        (Type::String, json!(["x"]), bad.clone(), json!("x")),
        (Type::String, json!(["x", "y"]), bad.clone(), bad.clone()),
        (Type::String, json!({"value": "x"}), bad.clone(), bad.clone()),
        (Type::Boolean, json!(false), json!(false), json!(false)),
        (Type::Boolean, json!("False"), bad.clone(), json!(false)),
        (Type::Boolean, json!("true"), bad.clone(), json!(true)),
        (Type::Boolean, json!(["TRUE"]), bad.clone(), json!(true)),
        (Type::Boolean, json!("yes"), bad.clone(), bad.clone()),
        (Type::Boolean, json!(1), bad.clone(), bad.clone()),
        (Type::Integer, json!(-7), json!(-7), json!(-7)),
        (Type::Integer, json!(1.0), bad.clone(), bad.clone()),
        (Type::Integer, serde_json::from_str("1e3").unwrap(), bad.clone(), bad.clone()),
        (Type::Integer, json!("5"), bad.clone(), json!(5)),
        (Type::Decimal, json!(1.5), json!(1.5), json!(1.5)),
        (Type::Decimal, json!(2), json!(2), json!(2)),
        (Type::Decimal, json!("1.5"), bad.clone(), json!(1.5)),
        (Type::Decimal, json!("NaN"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2008-01-23T04:56:22Z"), json!("2008-01-23T04:56:22Z"), json!("2008-01-23T04:56:22Z")),
        (
            Type::DateTime,
            json!("2020-01-01T00:00:00.1234567+05:30"),
            json!("2020-01-01T00:00:00.1234567+05:30"),
            json!("2020-01-01T00:00:00.1234567+05:30"),
        ),
        (Type::DateTime, json!("2020-01-01T00:00:00"), json!("2020-01-01T00:00:00Z"), json!("2020-01-01T00:00:00Z")),
        (Type::DateTime, json!("2020-01-01"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2020-13-01T00:00:00Z"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2020-02-30T00:00:00Z"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2020-01-01 00:00:00Z"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2020-01-01T00:00:00+0530"), bad.clone(), bad.clone()),
        (Type::DateTime, json!("2020-01-01T00:00:00.Z"), bad.clone(), bad.clone()),
        (Type::DateTime, json!(1_577_836_800), bad.clone(), bad.clone()),
        (Type::Binary, json!("+/8="), json!("+/8="), json!("+/8=")),
        (Type::Binary, json!("+/8"), json!("+/8="), json!("+/8=")),
        (Type::Binary, json!("-_8"), json!("+/8="), json!("+/8=")),
        (Type::Binary, json!("+/\n8="), bad.clone(), json!("+/8=")),
        (Type::Binary, json!("***"), bad.clone(), bad.clone()),
        (Type::Reference, json!("https://example.com/a"), json!("https://example.com/a"), json!("https://example.com/a")),
        (Type::Reference, json!("../Users/1"), json!("../Users/1"), json!("../Users/1")),
        (Type::Reference, json!("not a url"), bad.clone(), bad.clone()),
        (Type::Reference, json!(7), bad.clone(), bad.clone()),
        (Type::Complex, json!("x"), bad.clone(), bad.clone()),
    ] {
        let attribute = attribute("x", kind);
        for (profile, expected) in [(&Profile::STRICT, &strict), (&Profile::LENIENT, &lenient)] {
            match read_value(value.clone(), &attribute, profile) {
                Ok(found) => assert_eq!(found.as_ref(), Some(expected), "{kind:?} {value} {}", profile.name),
                Err(error) => {
                    assert!(expected.is_null(), "{kind:?} {value} {}: {error}", profile.name);
                    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
                    assert!(error.detail.starts_with('x'), "the attribute is named: {error}");
                }
            }
        }
        for unassigned in [Value::Null, json!("")] {
            if kind != Type::String {
                assert_eq!(read_value(unassigned, &attribute, &Profile::LENIENT), Ok(None));
            }
        }
    }
}

#[test]
fn errors_name_the_wanted_and_the_found_type_and_not_the_value() {
    refused(&Profile::STRICT, json!({"active": "secret"}), ScimType::InvalidValue, &["active", "a boolean", "a string"]);
    refused(
        &Profile::LENIENT,
        json!({"name": {"givenName": {"a": 1}}}),
        ScimType::InvalidValue,
        &["name.givenName", "a string", "an object"],
    );
    refused(&Profile::STRICT, json!({"emails": {"value": "a"}}), ScimType::InvalidValue, &["emails", "an array", "an object"]);
    refused(&Profile::STRICT, json!({"emails": ["a"]}), ScimType::InvalidValue, &["emails", "an object", "a string"]);
    refused(&Profile::LENIENT, json!({E: "x"}), ScimType::InvalidValue, &[E, "an object", "a string"]);
    let error = read_value(json!(["secret"]), &attribute("password", Type::String), &Profile::STRICT).unwrap_err();
    assert!(!error.detail.contains("secret"), "{error}");
}

#[test]
fn shapes_are_coerced_where_one_reading_exists() {
    check(&Profile::LENIENT, json!({"emails": {"value": "a"}}), json!({"emails": [{"value": "a"}]}));
    check(&Profile::LENIENT, json!({"emails": "a"}), json!({"emails": [{"value": "a"}]}));
    check(
        &Profile::LENIENT,
        json!({"emails": ["a", {"value": "b", "primary": "True"}]}),
        json!({"emails": [{"value": "a"}, {"value": "b", "primary": true}]}),
    );
    check(
        &Profile::LENIENT,
        json!({"name": [{"givenName": "B"}], "active": "True"}),
        json!({"name": {"givenName": "B"}, "active": true}),
    );
    check(&Profile::LENIENT, json!({E: {"manager": "m"}}), json!({E: {"manager": {"value": "m"}}}));
    check(&Profile::LENIENT, json!({E: [{"manager": [{"value": "m"}]}]}), json!({E: {"manager": {"value": "m"}}}));
}

#[test]
fn multi_valued_attributes_hold_each_value_once_and_one_primary() {
    for profile in BOTH {
        check(
            profile,
            json!({"emails": [{"value": "a", "type": "work"}, {"value": "a", "type": "home"}, {"value": "A", "type": "WORK", "display": "x"}]}),
            json!({"emails": [{"value": "a", "type": "work", "display": "x"}, {"value": "a", "type": "home"}]}),
        );
        refused(
            profile,
            json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
            ScimType::InvalidValue,
            &["emails", "primary"],
        );
        check(
            profile,
            json!({"addresses": [{"type": "work"}, {"type": "work"}, {"type": "work", "country": "US"}]}),
            json!({"addresses": [{"type": "work"}, {"type": "work", "country": "US"}]}),
        );
    }
    let many: Vec<Value> = (0..=crate::limits::ATTRIBUTE_VALUES).map(|n| json!({"value": n.to_string()})).collect();
    refused(&Profile::LENIENT, json!({"emails": many}), ScimType::InvalidValue, &["emails", "10000"]);
}

#[test]
fn members_have_an_id() {
    let resource_type = group();
    let members = |members: Value, profile: &Profile| {
        let body = json!({"schemas": [schema::GROUP], "displayName": "g", "members": members});
        read(body, &resource_type, Intent::Create, profile).map(|incoming| incoming.resource.get("members").cloned())
    };
    for profile in BOTH {
        let reference = json!([{"$ref": "https://old.example.com/v1/Users/a%20b?x=/y", "type": "User"}]);
        let expected = json!([{"$ref": "https://old.example.com/v1/Users/a%20b?x=/y", "type": "User", "value": "a b"}]);
        assert_eq!(members(reference, profile), Ok(Some(expected)));
        assert_eq!(
            members(json!([{"value": "1", "$ref": null}, {"value": "1", "type": "User"}, {"value": "2"}]), profile),
            Ok(Some(json!([{"value": "1", "type": "User"}, {"value": "2"}])))
        );
        for nobody in
            [json!([{}]), json!([{"display": "x"}]), json!([{"$ref": "https://example.com/Users/"}]), json!([{"value": null}])]
        {
            let error = members(nobody, profile).unwrap_err();
            assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
        }
    }
    // A group may have more members than other attributes have values.
    let many: Vec<Value> = (0..=crate::limits::ATTRIBUTE_VALUES).map(|n| json!({"value": n.to_string()})).collect();
    assert_eq!(members(json!(many), &Profile::STRICT).unwrap().unwrap().as_array().unwrap().len(), many.len());
}

#[test]
fn a_body_is_an_object() {
    let resource_type = user();
    for body in [json!([]), json!("x"), json!(null)] {
        assert_eq!(
            read(body, &resource_type, Intent::Create, &Profile::LENIENT).unwrap_err().scim_type,
            Some(ScimType::InvalidSyntax)
        );
    }
}
