//! The paths of the corpus, a small part of JSONPath, and what it expects of the values there.

use regex::Regex;
use serde_json::Value;

/// A step of a path.
enum Step<'p> {
    Name(&'p str),
    Index(isize),
    All,
    /// The first element whose member has this text.
    First(&'p str, &'p str),
}

/// What a path leads to. Behind `[*]` it is a list of what is there.
pub(super) fn select(doc: Option<&Value>, path: &str) -> Option<Value> {
    let (mut one, mut many): (Option<Value>, Option<Vec<Value>>) = (doc.cloned(), None);
    for step in steps(path) {
        match (&mut many, step) {
            (Some(many), step) => *many = many.iter().filter_map(|value| take(value, &step)).collect(),
            (None, Step::All) => {
                many = Some(match one.take() {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(items)) => items,
                    Some(other) => vec![other],
                });
            }
            (None, step) => one = one.and_then(|value| take(&value, &step)),
        }
    }
    many.map(Value::Array).or(one)
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut rest = path.strip_prefix('$').unwrap_or_else(|| panic!("bad path {path}"));
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let (name, behind) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
            steps.push(Step::Name(name));
            rest = behind;
        } else if let Some(name) = rest.strip_prefix("['") {
            let (name, behind) = name.split_once("']").unwrap_or_else(|| panic!("bad path {path}"));
            steps.push(Step::Name(name));
            rest = behind;
        } else if let Some(condition) = rest.strip_prefix("[?(@.") {
            let (condition, behind) = condition.split_once("')]").unwrap_or_else(|| panic!("bad path {path}"));
            let (name, text) = condition.split_once("=='").unwrap_or_else(|| panic!("bad path {path}"));
            steps.push(Step::First(name, text));
            rest = behind;
        } else if let Some(index) = rest.strip_prefix('[') {
            let (index, behind) = index.split_once(']').unwrap_or_else(|| panic!("bad path {path}"));
            steps.push(if index == "*" { Step::All } else { Step::Index(index.parse().unwrap()) });
            rest = behind;
        } else {
            panic!("bad path {path}");
        }
    }
    steps
}

fn take(value: &Value, step: &Step<'_>) -> Option<Value> {
    match step {
        Step::Name(name) => value.get(name).cloned(),
        Step::Index(index) => {
            let items = value.as_array()?;
            let index = if *index < 0 { items.len().checked_add_signed(*index)? } else { usize::try_from(*index).ok()? };
            items.get(index).cloned()
        }
        Step::First(name, text) => value.as_array()?.iter().find(|item| item[*name].as_str() == Some(*text)).cloned(),
        Step::All => panic!("two [*] in one path"),
    }
}

/// Whether a value is as expected; the reason if not. `None` is nothing at all, which is not null.
pub(super) fn check(value: Option<&Value>, expected: &Value) -> Result<(), String> {
    let shown = || value.map_or("absent".to_owned(), |value| value.to_string().chars().take(300).collect());
    let matchers = expected.as_object().filter(|object| !object.is_empty() && object.keys().all(|key| key.starts_with('$')));
    let Some(matchers) = matchers else {
        let is_it = value.is_some_and(|value| same(value, expected));
        return if is_it { Ok(()) } else { Err(format!("is {}, expected {expected}", shown())) };
    };
    for (matcher, wanted) in matchers {
        if matcher == "$every" {
            items(value).iter().try_for_each(|item| check(Some(item), wanted))?;
        } else if !holds(value, matcher, wanted, matchers.contains_key("$orValueEmpty")) {
            return Err(format!("is {}, expected {matcher}: {wanted}", shown()));
        }
    }
    Ok(())
}

fn holds(value: Option<&Value>, matcher: &str, wanted: &Value, or_value: bool) -> bool {
    let text = value.and_then(Value::as_str);
    let found = |pattern: &Value| text.is_some_and(|text| Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text));
    let all = || wanted.as_array().unwrap().iter();
    let is = wanted.as_bool();
    match matcher {
        "$exists" => Some(value.is_some()) == is,
        "$absent" => Some(value.is_none()) == is,
        "$nonempty" => Some(!empty(value)) == is,
        "$emptyish" => empty(value) || or_value && value.is_some_and(|value| value.is_object() && empty(value.get("value"))),
        "$orValueEmpty" => true,
        "$type" => kind(value) == wanted,
        "$regex" => found(wanted),
        "$notRegex" => !found(wanted),
        "$contains" => contains(value, wanted),
        "$notContains" => !contains(value, wanted),
        "$containsAll" => all().all(|wanted| among(wanted, &items(value))),
        "$containsAny" => all().any(|wanted| among(wanted, &items(value))),
        "$set" => items(value).len() == all().len() && all().all(|wanted| among(wanted, &items(value))),
        "$in" => value.is_some_and(|value| among(value, &items(Some(wanted)))),
        "$notIn" => !value.is_some_and(|value| among(value, &items(Some(wanted)))),
        "$ne" => !value.is_some_and(|value| same(value, wanted)),
        "$gte" => value.and_then(Value::as_f64) >= wanted.as_f64(),
        "$len" => Some(length(value)) == wanted.as_u64(),
        "$minLen" => Some(length(value)) >= wanted.as_u64(),
        "$hasKeys" => all().all(|name| value.is_some_and(|value| value.get(name.as_str().unwrap()).is_some())),
        "$absentOrRegex" => empty(value) || found(wanted),
        "$absentOrUrl" => empty(value) || found(&Value::from(r"^https?://[^\s/]+")),
        "$absentOrIn" => empty(value) || value.is_some_and(|value| among(value, &items(Some(wanted)))),
        other => panic!("unknown matcher {other}"),
    }
}

fn empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
    }
}

/// A text that holds another, or a list that has the value.
fn contains(value: Option<&Value>, wanted: &Value) -> bool {
    match (value, wanted) {
        (Some(Value::String(text)), Value::String(wanted)) => text.contains(wanted.as_str()),
        _ => among(wanted, &items(value)),
    }
}

fn among(value: &Value, items: &[Value]) -> bool {
    items.iter().any(|item| same(item, value))
}

fn items(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(other) => vec![other.clone()],
    }
}

/// Characters of a text, or elements.
fn length(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::String(text)) => text.chars().count() as u64,
        other => items(other).len() as u64,
    }
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "absent",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(number)) if number.is_f64() => "number",
        Some(Value::Number(_)) => "integer",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

/// Types count, but for the two kinds of numbers.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(name, a)| other.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, select};

    #[test]
    fn paths_lead_where_the_runner_says() {
        let doc =
            json!({ "a": [{ "k": "x", "v": 1 }, { "k": "y", "v": 2 }, { "w": 3 }], "urn:x:2.0:User": { "n": "m" }, "z": null });
        for (path, found) in [
            ("$.a[0].v", Some(json!(1))),
            ("$.a[-1].w", Some(json!(3))),
            ("$.a[?(@.k=='y')].v", Some(json!(2))),
            ("$.a[?(@.k=='q')].v", None),
            ("$.a[*].v", Some(json!([1, 2]))),
            ("$.none[*].v", Some(json!([]))),
            ("$['urn:x:2.0:User'].n", Some(json!("m"))),
            ("$.z", Some(json!(null))),
            ("$.z.y", None),
            ("$.a[7]", None),
        ] {
            assert_eq!(select(Some(&doc), path), found, "{path}");
        }
        assert_eq!(select(None, "$.a"), None);
    }

    #[test]
    fn each_matcher_holds_and_does_not() {
        for (value, expected, holds) in [
            (json!(1), json!(1.0), true),
            (json!(true), json!("true"), false),
            (json!("1"), json!(1), false),
            (json!("abc"), json!({ "$contains": "b" }), true),
            (json!(["abc"]), json!({ "$contains": "b" }), false),
            (json!([1, 2]), json!({ "$set": [2, 1] }), true),
            (json!([1, 2, 3]), json!({ "$set": [2, 1] }), false),
            (json!([]), json!({ "$emptyish": true }), true),
            (json!({ "value": "" }), json!({ "$emptyish": true }), false),
            (json!({ "value": "" }), json!({ "$emptyish": true, "$orValueEmpty": true }), true),
            (json!([1]), json!({ "$type": "array", "$len": 2 }), false),
            (json!([{ "a": 1 }, { "a": 2 }]), json!({ "$every": { "$hasKeys": ["a"] } }), true),
            (json!([{ "a": 1 }, {}]), json!({ "$every": { "$hasKeys": ["a"] } }), false),
            (json!(5), json!({ "$gte": 5 }), true),
            (json!(4), json!({ "$gte": 5 }), false),
            (json!("x"), json!({ "$absentOrIn": ["y"] }), false),
            (json!(null), json!({ "$absentOrIn": ["y"] }), true),
            (json!(null), json!({ "$absent": true }), false),
            (json!({}), json!({}), true),
        ] {
            assert_eq!(check(Some(&value), &expected).is_ok(), holds, "{value} {expected}");
        }
        assert!(check(None, &json!({ "$absent": true })).is_ok() && check(None, &json!(null)).is_err());
    }
}
