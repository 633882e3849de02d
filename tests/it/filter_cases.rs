//! Filters and PATCH paths, case by case.

use std::collections::HashMap;
use std::fmt::Write;

use scimitar::scim::filter::{Expr, Literal, PatchPath, parse, parse_path};
use scimitar::scim::schema::{ResourceType, Schema};
use scimitar::scim::{Object, Profile, ScimError};
use serde_json::{Value, json};

use crate::support::{custom_type, lines, resource_type};

/// As the cases write expressions: `and` and `or` with two operands each, from the left.
fn s_expression(expr: &Expr) -> String {
    let join = |word: &str, operands: &[Expr]| {
        operands.iter().map(s_expression).reduce(|left, right| format!("({word} {left} {right})")).unwrap()
    };
    match expr {
        Expr::And(operands) => join("and", operands),
        Expr::Or(operands) => join("or", operands),
        Expr::Not(inner) => format!("(not {})", s_expression(inner)),
        Expr::Compare { path, op, value, .. } => format!("({op} {path} {})", literal(value)),
        Expr::Present { path, .. } => format!("(pr {path})"),
        Expr::ValuePath { path, filter, .. } => format!("(valuePath {path} {})", s_expression(filter)),
    }
}

fn path_s_expression(path: &PatchPath) -> String {
    let sub = path.sub.as_ref().map_or_else(String::new, |sub| format!(" {sub}"));
    match &path.filter {
        None => format!("(path {})", path.path),
        // Erratum 7122: a condition as a path; the parser reads `schemas eq "x"` as `schemas[value eq "x"]`.
        Some(Expr::Compare { op, value, .. }) if !path.text.contains('[') => {
            format!("(path ({op} {} {}))", path.path, literal(value))
        }
        Some(filter) => format!("(path (valuePath {} {}){sub})", path.path, s_expression(filter)),
    }
}

/// JSON in ASCII, as the cases have it.
fn literal(value: &Literal) -> String {
    let mut ascii = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() { ascii.push(c) } else { write!(ascii, "\\u{:04x}", c as u32).unwrap() }
    }
    ascii
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap_or_default()
}

/// A difference from the case, if there is one.
fn run(case: &Value, user: &ResourceType, profile: &Profile) -> Option<String> {
    let input = text(case, "input");
    let parsed: Result<String, ScimError> = if text(case, "kind") == "path" {
        parse_path(input, profile).map(|path| path_s_expression(&path))
    } else {
        parse(input, profile).and_then(|filter| {
            if text(case, "level") == "semantic" {
                filter.check(user, profile)?;
            }
            Ok(s_expression(filter.expr()))
        })
    };
    match (parsed, case["valid"] == json!(true)) {
        (Ok(found), true) if found == text(case, "sexpr") => None,
        (Ok(found), true) => Some(format!("expected {}, found {found}", text(case, "sexpr"))),
        (Ok(found), false) => Some(format!("accepted as {found}")),
        (Err(error), true) => Some(format!("refused: {error}")),
        (Err(error), false) => {
            let expected = &case["error"];
            let keyword = json!(error.scim_type.map(scimitar::scim::ScimType::as_str));
            let keywords = expected["alt"].as_array().unwrap();
            (expected["status"] != json!(error.status) || (expected["scimType"] != keyword && !keywords.contains(&keyword)))
                .then(|| format!("expected {expected}, found {error:?}"))
        }
    }
}

#[test]
fn syntax_and_semantics() {
    let user = resource_type("User");
    let mut failures = Vec::new();
    let cases = lines("filter-cases.jsonl");
    assert!(cases.len() > 100);
    for case in &cases {
        for profile in [&Profile::STRICT, &Profile::LENIENT] {
            // What is common leniency is refused by the strict profile only.
            if profile.name == "lenient" && case["lenient_common"] == json!(true) {
                continue;
            }
            if let Some(failure) = run(case, &user, profile) {
                failures.push(format!("{} ({}) {:?}: {failure}", text(case, "id"), profile.name, text(case, "input")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A resource type with the data types that the core schemas have no attribute of.
fn room() -> ResourceType {
    let schema: Schema = serde_json::from_value(json!({
        "id": "urn:example:Room",
        "attributes": [
            {"name": "number", "type": "integer"},
            {"name": "area", "type": "decimal"},
            {"name": "codes", "type": "string", "multiValued": true},
            {"name": "open", "type": "boolean"},
            {"name": "built", "type": "dateTime"},
        ],
    }))
    .unwrap();
    custom_type("Room", schema, Vec::new())
}

#[test]
fn evaluation() {
    let types: HashMap<&str, ResourceType> =
        [("User", resource_type("User")), ("Group", resource_type("Group")), ("Room", room())].into();
    let mut resources: HashMap<String, (&ResourceType, Object)> = HashMap::new();
    let mut failures = Vec::new();
    let mut cases = 0;
    for case in lines("filter-eval.jsonl") {
        if let Some(name) = case["name"].as_str() {
            let resource = case["resource"].as_object().unwrap().clone();
            resources.insert(name.to_owned(), (&types[text(&case, "type")], resource));
            continue;
        }
        cases += 1;
        let (resource_type, resource) = &resources[text(&case, "on")];
        let profile = case["profile"].as_str().map_or(&Profile::STRICT, |name| Profile::named(name).unwrap());
        let filter = text(&case, "filter");
        let checked = parse(filter, profile);
        let checked = checked.as_ref().map_err(ScimError::clone).and_then(|filter| filter.check(resource_type, profile));
        match checked {
            Ok(predicate) => {
                if json!(predicate.matches(resource)) != case["expected"] {
                    failures.push(format!("{filter}: {} ({predicate})", text(&case, "why")));
                }
                // What a predicate prints is a filter that means the same.
                let printed = predicate.to_string();
                let again = parse(&printed, &Profile::STRICT).unwrap();
                let again = again.check(resource_type, profile).unwrap_or_else(|error| panic!("{printed}: {error}"));
                assert_eq!(again, predicate, "{printed}");
            }
            Err(error) => failures.push(format!("{filter}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases > 100);
}

#[test]
fn messages() {
    let user = resource_type("User");
    let mut failures = Vec::new();
    for case in lines("filter-errors.jsonl") {
        let (input, profile) = (text(&case, "input"), Profile::named(text(&case, "profile")).unwrap());
        let error = match text(&case, "kind") {
            "path" => parse_path(input, profile).err(),
            "check" => parse(input, profile).unwrap().check(&user, profile).err(),
            _ => parse(input, profile).err(),
        };
        let found = error.map(|error| (error.status, json!(error.scim_type.map(scimitar::scim::ScimType::as_str)), error.detail));
        let expected = Some((400, case["scimType"].clone(), text(&case, "detail").to_owned()));
        if found != expected {
            failures.push(format!("{input:?}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
