use serde_json::{Value, json};

use super::*;
use crate::limits;
use crate::scim::path::AttrRef;
use crate::scim::schema::{Extension, core};
use crate::scim::{Object, Profile, ResourceType, ScimError, ScimType};

fn resource_type(name: &str) -> ResourceType {
    let extensions = match name {
        "User" => vec![Extension { schema: core()[2].clone(), required: false }],
        _ => Vec::new(),
    };
    ResourceType {
        name: name.to_owned(),
        description: String::new(),
        endpoint: format!("/{name}s"),
        schema: core().iter().find(|schema| schema.name == name).unwrap().clone(),
        extensions,
    }
}

fn check<'s>(text: &str, resource_type: &'s ResourceType, profile: &Profile) -> Result<Predicate<'s>, ScimError> {
    parse(text, profile)?.check(resource_type, profile)
}

#[test]
fn bounds_hold_at_and_one_past() {
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(limits::FILTER_DEPTH), &Profile::STRICT).is_ok());
    assert!(parse(&nested(limits::FILTER_DEPTH + 1), &Profile::STRICT).is_err());
    // The brackets count as well.
    let bracketed = |depth: usize| format!("a[{}]", nested(depth));
    assert!(parse(&bracketed(limits::FILTER_DEPTH - 1), &Profile::STRICT).is_ok());
    assert!(parse(&bracketed(limits::FILTER_DEPTH), &Profile::STRICT).is_err());
    let many = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert!(parse(&many(limits::FILTER_TERMS), &Profile::STRICT).is_ok());
    assert!(parse(&many(limits::FILTER_TERMS + 1), &Profile::STRICT).is_err());
    let long = |bytes: usize| format!("a eq \"{}\"", "x".repeat(bytes - 7));
    assert!(parse(&long(limits::FILTER_BYTES), &Profile::STRICT).is_ok());
    assert!(parse(&long(limits::FILTER_BYTES + 1), &Profile::STRICT).is_err());
    assert!(parse_path(&long(limits::FILTER_BYTES + 1), &Profile::STRICT).is_err());
}

#[test]
fn hostile_nesting_is_a_clean_refusal() {
    for text in ["(".repeat(20_000), "(".repeat(8_000), "not (".repeat(1_600), "a[".repeat(4_000), "a and ".repeat(1_300)] {
        let error = parse(&text, &Profile::LENIENT).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidFilter)));
        assert!(error.detail.len() < 400, "{}", error.detail);
    }
}

#[test]
fn messages_do_not_grow_with_the_filter() {
    let user = resource_type("User");
    let long = "x".repeat(7_000);
    for text in [
        format!("{long} pr"),
        format!("{long}[a pr] eq 1"),
        format!("name.{long} pr"),
        format!("urn:{long}:a pr"),
        format!("a.b.{long}"),
        format!("{long} eq {long} {long}"),
    ] {
        let error = check(&text, &user, &Profile::STRICT).unwrap_err();
        assert!(error.detail.len() < 1_000, "{}", error.detail);
    }
}

#[test]
fn groups_of_the_same_operator_are_one() {
    let Expr::And(operands) = parse("(a pr and b pr) and (c pr and d pr)", &Profile::STRICT).unwrap().expr().clone() else {
        panic!("no conjunction");
    };
    assert_eq!(operands.len(), 4);
}

#[test]
fn habits_are_read_by_the_lenient_profile_only() {
    let user = resource_type("User");
    for (habit, standard) in [
        (r"userName eq bjensen", r#"userName eq "bjensen""#),
        (r"active eq True", r"active eq true"),
        (r#"active eq "False""#, r"active eq false"),
        (r#"emails[type eq "work"].value eq "x""#, r#"emails[type eq "work" and value eq "x"]"#),
        (r#"emails[type eq "work"].value pr"#, r#"emails[type eq "work" and value pr]"#),
        (r#"emails[type eq "a" or type eq "b"].value sw "x""#, r#"emails[(type eq "a" or type eq "b") and value sw "x"]"#),
        (r"externalId eq 701984", r#"externalId eq "701984""#),
        (r#"meta.created gt "2011-05-13T04:42:34""#, r#"meta.created gt "2011-05-13T04:42:34Z""#),
    ] {
        let lenient = check(habit, &user, &Profile::LENIENT).unwrap_or_else(|error| panic!("{habit}: {error}"));
        let strict = check(standard, &user, &Profile::STRICT).unwrap();
        // The text of an instant is the client's.
        assert_eq!(lenient.to_string().replace("34\"", "34Z\""), strict.to_string(), "{habit}");
        assert!(check(habit, &user, &Profile::STRICT).is_err(), "{habit}");
    }
}

#[test]
fn words_that_cannot_be_values_are_refused_by_every_profile() {
    for text in [
        "userName eq 'x'",
        "userName eq “x”",
        "userName eq and",
        "userName eq and title pr",
        "userName eq or",
        "title eq not (a pr)",
        "userName eq \"a\"b",
        "userName eq x\"",
        "userName eq =x",
        "a eq",
        "a eq )",
        "a eq [1]",
        "userName eq\"a\"",
    ] {
        assert!(parse(text, &Profile::LENIENT).is_err(), "{text}");
        assert!(parse(text, &Profile::STRICT).is_err(), "{text}");
    }
}

#[test]
fn null_is_absence() {
    let user = resource_type("User");
    let print = |text: &str| check(text, &user, &Profile::STRICT).unwrap().to_string();
    assert_eq!(print("title eq null"), "not (title pr)");
    assert_eq!(print("title ne null"), "title pr");
    assert_eq!(print("not (title eq null)"), "title pr");
    assert_eq!(print("name eq null"), "not (name pr)");
    assert_eq!(print("emails[type eq \"work\" and display eq null]"), "emails[type eq \"work\" and not (display pr)]");
    assert!(check("title gt null", &user, &Profile::STRICT).is_err());
}

#[test]
fn names_are_canonical_after_the_check() {
    let user = resource_type("User");
    let print = |text: &str| check(text, &user, &Profile::LENIENT).unwrap().to_string();
    assert_eq!(print("EMAILS co \"x\" and NAME.FAMILYNAME pr"), "emails.value co \"x\" and name.familyName pr");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(print("manager eq \"26\""), format!("{enterprise}:manager.value eq \"26\""));
    assert_eq!(print("urn:ietf:params:scim:schemas:core:2.0:USER:username pr"), "userName pr");
    assert_eq!(print("(title pr or nickName pr) and active eq true"), "(title pr or nickName pr) and active eq true");
}

#[test]
fn a_predicate_tells_its_attributes() {
    let user = resource_type("User");
    let predicate = check("title pr and not (emails[type eq \"work\" and value co \"x\"])", &user, &Profile::STRICT).unwrap();
    let mut names = Vec::new();
    predicate.attributes(&mut |attribute| names.push(attribute.to_string()));
    assert_eq!(names, ["title", "emails", "emails.type", "emails.value"]);
}

#[test]
fn equalities_are_those_of_a_conjunction() {
    let user = resource_type("User");
    let inner = |text: &str| {
        let path = parse_path(text, &Profile::LENIENT).unwrap();
        let PatchTarget::Attribute { filter: Some(filter), .. } = path.resolve(&user, &Profile::LENIENT).unwrap() else {
            panic!("no filter");
        };
        filter.equalities().map(|found| found.iter().map(|(a, v)| (a.sub.unwrap().name.clone(), v.clone())).collect::<Vec<_>>())
    };
    let s = str::to_owned;
    assert_eq!(inner("emails[type eq \"work\"].value"), Some(vec![(s("type"), json!("work"))]));
    assert_eq!(
        inner("emails[type eq \"work\" and primary eq true]"),
        Some(vec![(s("type"), json!("work")), (s("primary"), json!(true))])
    );
    for not_one in [
        "type eq \"a\" or type eq \"b\"",
        "type ne \"a\"",
        "not (type eq \"a\")",
        "type pr",
        "type eq \"a\" and type eq \"b\"",
        "type eq null",
    ] {
        assert_eq!(inner(&format!("emails[{not_one}]")), None, "{not_one}");
    }
}

#[test]
fn over_several_types_an_unknown_attribute_has_no_value() {
    let (user, group) = (resource_type("User"), resource_type("Group"));
    let types = [&user, &group];
    let print = |text: &str| {
        let filter = parse(text, &Profile::STRICT).unwrap();
        filter.check_any(&types, &Profile::STRICT).map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        print("userName eq \"a\" or displayName eq \"a\"").unwrap(),
        ["userName eq \"a\" or displayName eq \"a\"", "displayName eq \"a\""]
    );
    assert_eq!(print("userName eq \"a\"").unwrap(), ["userName eq \"a\"", "false"]);
    assert_eq!(print("userName ne \"a\"").unwrap(), ["userName ne \"a\"", "true"]);
    assert_eq!(print("userName eq null").unwrap(), ["not (userName pr)", "true"]);
    assert_eq!(print("userName ne null").unwrap(), ["userName pr", "false"]);
    assert_eq!(print("not (userName pr) and members[value eq \"1\"]").unwrap(), ["false", "members[value eq \"1\"]"]);
    let error = print("title pr and usrName pr").unwrap_err();
    assert_eq!(error.detail, "Filter, column 14: User or Group has no attribute `usrName`; did you mean `userName`?");
}

// --- PATCH paths ---

#[test]
fn paths_resolve() {
    let (user, group) = (resource_type("User"), resource_type("Group"));
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let show = |text: &str, resource_type: &ResourceType, profile: &Profile| {
        let path = parse_path(text, profile)?;
        Ok::<_, ScimError>(match path.resolve(resource_type, profile)? {
            PatchTarget::Resource => "resource".to_owned(),
            PatchTarget::Extension(schema) => format!("extension {}", schema.name),
            PatchTarget::Attribute { attribute, filter: None } => attribute.to_string(),
            PatchTarget::Attribute { attribute, filter: Some(filter) } => format!("{attribute} where {filter}"),
        })
    };
    let strict = |text: &str| show(text, &user, &Profile::STRICT).map_err(|error| error.scim_type);
    let lenient = |text: &str| show(text, &user, &Profile::LENIENT).map_err(|error| error.scim_type);
    assert_eq!(strict("Emails[TYPE eq \"work\"].VALUE").unwrap(), "emails.value where emails.type eq \"work\"");
    assert_eq!(strict("name.familyname").unwrap(), "name.familyName");
    assert_eq!(strict(enterprise).unwrap(), "extension EnterpriseUser");
    assert_eq!(strict("urn:ietf:params:scim:schemas:core:2.0:User").unwrap(), "resource");
    assert_eq!(strict(&format!("{enterprise}:manager.value")).unwrap(), format!("{enterprise}:manager.value"));
    // Erratum 7122, and the same in brackets.
    assert_eq!(strict("schemas eq \"urn:x\"").unwrap(), "schemas where schemas eq \"urn:x\"");
    assert_eq!(strict("schemas[value eq \"urn:x\"]").unwrap(), "schemas where schemas eq \"urn:x\"");
    assert_eq!(strict("emails.type eq \"work\"").unwrap(), "emails where emails.type eq \"work\"");
    assert_eq!(show("members eq \"7\"", &group, &Profile::STRICT).unwrap(), "members where members.value eq \"7\"");
    // A habit for each profile.
    assert_eq!(lenient("manager").unwrap(), format!("{enterprise}:manager"));
    assert_eq!(strict("manager"), Err(Some(ScimType::InvalidPath)));
    assert_eq!(
        lenient("manager[value eq \"7\"]").unwrap(),
        format!("{enterprise}:manager where {enterprise}:manager.value eq \"7\"")
    );
    assert_eq!(strict(&format!("{enterprise}:manager[value eq \"7\"]")), Err(Some(ScimType::InvalidPath)));
    assert_eq!(lenient("roles[primary eq \"True\"]").unwrap(), "roles where roles.primary eq true");
    // What does not fit.
    assert_eq!(strict("usrName"), Err(Some(ScimType::InvalidPath)));
    assert_eq!(strict("emails[type eq \"work\"].vale"), Err(Some(ScimType::InvalidPath)));
    assert_eq!(strict("emails.value[type eq \"work\"]"), Err(Some(ScimType::InvalidPath)));
    assert_eq!(strict("title[value eq \"x\"]"), Err(Some(ScimType::InvalidPath)));
    assert_eq!(strict("title eq \"x\""), Err(Some(ScimType::InvalidPath)));
    assert_eq!(strict("emails[kind eq \"work\"]"), Err(Some(ScimType::InvalidFilter)));
    assert_eq!(strict("emails[primary gt true]"), Err(Some(ScimType::InvalidFilter)));
    assert_eq!(strict("schemas[type eq \"x\"]"), Err(Some(ScimType::InvalidFilter)));
    assert_eq!(strict(&format!("{enterprise}[value eq \"x\"]")), Err(Some(ScimType::InvalidPath)));
    let error = show("emails[type eq \"work\"].vale", &user, &Profile::STRICT).unwrap_err();
    assert_eq!(error.detail, "Path `emails[type eq \"work\"].vale`: `emails` has no sub-attribute `vale`; did you mean `value`?");
}

#[test]
fn a_path_filter_chooses_values() {
    let user = resource_type("User");
    let chooses = |text: &str, value: Value| {
        let path = parse_path(text, &Profile::STRICT).unwrap();
        let PatchTarget::Attribute { filter: Some(filter), .. } = path.resolve(&user, &Profile::STRICT).unwrap() else {
            panic!("no filter");
        };
        filter.matches_value(&value)
    };
    assert!(chooses("emails[type eq \"WORK\"]", json!({"type": "work"})));
    assert!(!chooses("emails[type eq \"work\"]", json!({"type": "home"})));
    assert!(!chooses("emails[type eq \"work\"]", json!({})));
    assert!(chooses("emails[type ne \"work\"]", json!({})));
    assert!(chooses("emails[primary eq false]", json!({"value": "x"})));
    assert!(!chooses("emails[type pr]", json!({"type": ""})));
    assert!(chooses("schemas eq \"urn:x\"", json!("urn:x")));
    assert!(!chooses("schemas eq \"urn:x\"", json!("urn:y")));
    for odd in [json!(null), json!([]), json!([[1]]), json!(1.5), json!({"type": {"type": "work"}})] {
        assert!(!chooses("emails[type eq \"work\"]", odd));
    }
}

#[test]
fn attributes_of_an_extension_are_found_under_its_urn() {
    let user = resource_type("User");
    let predicate = check("department eq \"Sales\"", &user, &Profile::LENIENT).unwrap();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let resource = |value: Value| -> Object { value.as_object().unwrap().clone() };
    assert!(predicate.matches(&resource(json!({ enterprise: {"department": "sales"} }))));
    assert!(!predicate.matches(&resource(json!({"department": "sales"}))));
    let Predicate::Test(Test { target: AttrRef { extension: Some(schema), .. }, .. }) = predicate else { panic!("no test") };
    assert_eq!(schema.id, enterprise);
}
