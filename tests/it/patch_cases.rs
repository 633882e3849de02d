//! PATCH cases as data, one a line: a resource, a request, and what RFC 7644 or a client's documentation expects.
//!
//! Cases of the profile "rfc" run under the strict profile, those of "interop" under the lenient one.

use scimitar::scim::patch::PatchRequest;
use scimitar::scim::projection::Projection;
use scimitar::scim::{Object, Profile};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{lines, resource_type};

/// Uniqueness among several resources is not for a PATCH on one resource to see.
const NEEDS_OTHER_RESOURCES: [&str; 2] = ["P60", "P61"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    title: String,
    profile: String,
    resource_type: String,
    before: Object,
    request: Value,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expect {
    status: Vec<u16>,
    scim_type: Option<String>,
    #[serde(default)]
    alt_scim_type: Vec<String>,
    after: Object,
    #[serde(default)]
    last_modified_unchanged: bool,
}

/// What the case leaves open: ids that a server would have given.
fn filled(text: &str) -> String {
    let mut text = text.replace("{{self}}", "the-resource-itself");
    for name in ["u1", "u2", "u3", "u4", "g1", "g2"] {
        text = text.replace(&format!("{{{{{name}}}}}"), &format!("id-of-{name}"));
    }
    assert!(!text.contains("{{"), "a placeholder is not known: {text}");
    text
}

fn run(case: Case) -> Result<(), String> {
    let profile = match case.profile.as_str() {
        "rfc" => Profile::STRICT,
        "interop" => Profile::LENIENT,
        other => panic!("no profile {other}"),
    };
    let resource_type = resource_type(&case.resource_type);
    let mut before = case.before.clone();
    before.insert("id".to_owned(), Value::from("the-resource-itself"));
    let mut resource = before.clone();
    let outcome = PatchRequest::parse(case.request, &resource_type, &profile).and_then(|patch| patch.apply(&mut resource));
    let succeeds = NEEDS_OTHER_RESOURCES.contains(&case.id.as_str()) || case.expect.status.contains(&200);
    if !succeeds {
        let error = outcome.err().ok_or("it succeeds")?;
        let scim_type = error.scim_type.map(|scim_type| scim_type.as_str().to_owned());
        let known = scim_type.is_some()
            && (scim_type == case.expect.scim_type || case.expect.alt_scim_type.contains(&scim_type.clone().unwrap()));
        if !known || !case.expect.status.contains(&error.status) {
            return Err(format!("the error is {} {scim_type:?}: {error}", error.status));
        }
        return if resource == before { Ok(()) } else { Err("the resource was changed in spite of the error".to_owned()) };
    }
    outcome.map_err(|error| format!("it fails with {:?}: {error}", error.scim_type))?;
    if NEEDS_OTHER_RESOURCES.contains(&case.id.as_str()) {
        return Ok(());
    }
    if case.expect.last_modified_unchanged && resource != before {
        return Err(format!("it changes the resource to {}", Value::Object(resource)));
    }
    Projection::of(&resource_type).apply(&mut resource);
    resource.remove("id");
    if resource == case.expect.after {
        Ok(())
    } else {
        Err(format!(
            "the resource becomes\n    {}\n  instead of\n    {}",
            Value::Object(resource),
            Value::Object(case.expect.after)
        ))
    }
}

fn run_all(fixture: &str, at_least: usize) {
    let mut count = 0;
    let mut failures = Vec::new();
    for line in lines(fixture) {
        let case: Case = serde_json::from_str(&filled(&line.to_string())).unwrap();
        let name = format!("{} ({})", case.id, case.title);
        count += 1;
        if let Err(why) = run(case) {
            failures.push(format!("{name}: {why}"));
        }
    }
    assert!(count >= at_least, "only {count} cases were read");
    assert!(failures.is_empty(), "{} of {count} cases fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn patch_cases_of_the_rfc_and_of_interoperability() {
    run_all("patch-cases.jsonl", 60);
}

#[test]
fn patch_cases_of_every_lenient_rule() {
    run_all("patch-lenient.jsonl", 80);
}
