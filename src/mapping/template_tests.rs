use super::*;
use serde_json::json;

fn parse_any(text: &str) -> Result<Template, String> {
    parse(text, &mut |path| {
        let root = match path[0].as_str() {
            "key" => Root::Key,
            "record" => Root::Record,
            "value" => Root::Value,
            other => return Err(format!("no {other}")),
        };
        Ok((root, path[1..].iter().cloned().map(Step::Name).collect()))
    })
}

#[test]
fn every_sink_escapes() {
    let key = json!("../a b?x=1&y#é\u{0}");
    let scope = Scope { key: Some(&key), ..Scope::default() };
    let template = parse_any("{{key}}").unwrap();
    assert_eq!(template.segment(&scope).unwrap(), "..%2Fa%20b%3Fx%3D1%26y%23%C3%A9%00");
    assert!(matches!(template.header(&scope), Err(RenderError::Header(_))));
    assert_eq!(template.json(&scope).unwrap(), key);
}

#[test]
fn empty_and_dot_segments_are_errors() {
    for bad in [json!(""), json!("."), json!("..")] {
        let scope = Scope { key: Some(&bad), ..Scope::default() };
        assert_eq!(parse_any("{{key}}").unwrap().segment(&scope), Err(RenderError::Segment), "{bad}");
    }
    let null = Value::Null;
    let scope = Scope { key: Some(&null), ..Scope::default() };
    assert!(matches!(parse_any("{{key}}").unwrap().segment(&scope), Err(RenderError::Missing(_))));
    assert!(matches!(parse_any("{{key}}").unwrap().segment(&Scope::default()), Err(RenderError::Missing(_))));
}

#[test]
fn one_variable_keeps_its_type() {
    let record = json!({"rev": 7, "tags": ["a"]});
    let scope = Scope { record: Some(&record), ..Scope::default() };
    assert_eq!(parse_any("{{record.rev}}").unwrap().json(&scope).unwrap(), json!(7));
    assert_eq!(parse_any("r{{record.rev}}").unwrap().json(&scope).unwrap(), json!("r7"));
    assert_eq!(parse_any("{{record.tags}}").unwrap().json(&scope).unwrap(), json!(["a"]));
    assert!(matches!(parse_any("r{{record.tags}}").unwrap().json(&scope), Err(RenderError::NotText(_))));
    assert!(matches!(parse_any("{{record.nope}}").unwrap().json(&scope), Err(RenderError::Missing(_))));
}

#[test]
fn formats_are_converters() {
    let value = json!("2023-11-14T22:13:20Z");
    let scope = Scope { value: Some(&value), ..Scope::default() };
    assert_eq!(parse_any("{{epochSeconds value}}").unwrap().json(&scope).unwrap(), json!(1_700_000_000));
}

#[test]
fn only_plain_variables_are_in_the_language() {
    for bad in [
        "{{{key}}}",
        "{{&key}}",
        "{{#if key}}x{{/if}}",
        "{{> part}}",
        "{{key",
        "{{nope}}",
        "{{nope key}}",
        "{{epochSeconds a b}}",
        "{{../key}}",
        "{{key x=1}}",
        "{{~key}}",
        "{{key~}}",
        "a {{~ key ~}} b",
        "{{! why }}",
        "{{!-- why --}}x",
        "{{record/rev}}",
        "{{this.key}}",
        "{{this}}",
        "{{@root.key}}",
        "{{@key}}",
        "{{(key)}}",
        "{{lower (key)}}",
        "{{* key}}",
        "{{{{key}}}}x{{{{/key}}}}",
        "{{^}}",
        "{{else}}",
        "{{}}",
        "{{key}",
        "{{ }}",
        "{{7}}",
        "{{\"key\"}}",
    ] {
        assert!(parse_any(bad).is_err(), "{bad}");
    }
}

#[test]
fn escaped_braces_are_text() {
    for (text, expected) in [("\\{{key}}", "{{key}}"), ("a\\{{b}}{{key}}", "a{{b}}7"), ("}}{{key}}", "}}7")] {
        let key = json!(7);
        let scope = Scope { key: Some(&key), ..Scope::default() };
        assert_eq!(parse_any(text).unwrap().text(&scope).unwrap(), expected, "{text}");
    }
    assert_eq!(parse_any("\\{{key}}").unwrap().as_literal(), Some("{{key}}"));
}

#[test]
fn names_in_brackets_may_hold_anything() {
    let record = json!({"first name": "Ann"});
    let scope = Scope { record: Some(&record), ..Scope::default() };
    assert_eq!(parse_any("{{record.[first name]}}").unwrap().text(&scope).unwrap(), "Ann");
}
