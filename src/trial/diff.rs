//! What was expected beside what came, line by line.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::contain::{holds, part};
use super::seen::Content;
use crate::mapping::model::{Format, Wanted};
use crate::translate::call::written;
use crate::translate::xml;

/// Lines without a difference that are shown around one.
const AROUND: usize = 3;

/// The lines of two texts: `-` what was expected, `+` what came. Of what is the same no more than the surroundings are shown.
pub(super) fn lines(expected: &str, got: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(expected, got);
    let mut shown = Vec::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            shown.push("  ...".to_owned());
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            shown.push(format!("{mark} {}", change.value().trim_end_matches(['\r', '\n'])));
        }
    }
    shown
}

/// The differences of two documents.
pub(super) fn json(expected: &Value, got: &Value) -> Vec<String> {
    lines(&pretty(expected), &pretty(got))
}

/// A document, line by line.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The differences between the body of a call and what it must be, if there are any.
pub(super) fn body(wanted: &Wanted, got: &Content, format: &Format) -> Option<Vec<String>> {
    let (expected, whole) = match wanted {
        Wanted::Anything => return None,
        Wanted::Nothing => return (*got != Content::None).then(|| lines("no body\n", &text(got))),
        Wanted::Exactly(expected) => (expected, true),
        Wanted::Holding(expected) => (expected, false),
    };
    let document = match (expected, format) {
        (Value::Object(_), Format::Xml { .. }) => as_document(expected),
        _ => None,
    };
    let expected = document.as_ref().unwrap_or(expected);
    match got {
        Content::Json(got) if whole => (expected != got).then(|| json(expected, got)),
        Content::Json(got) => (!holds(expected, got)).then(|| json(expected, &part(expected, got))),
        Content::Form(pairs) => {
            let Content::Form(expected) = as_form(expected) else { return None };
            let mut left = expected.clone();
            // Those that are expected, and those beside them that have one of their names.
            let mut rest = pairs.clone();
            rest.retain(|pair| {
                let place = left.iter().position(|other| other == pair);
                place.map(|place| left.remove(place)).is_none()
            });
            let good = left.is_empty() && (!whole || rest.is_empty());
            let named = |pair: &&(String, String)| whole || expected.iter().any(|(name, _)| *name == pair.0);
            let shown: Vec<(String, String)> = pairs.iter().filter(named).cloned().collect();
            (!good).then(|| lines(&text(&Content::Form(expected)), &text(&Content::Form(shown))))
        }
        Content::Text(got) => {
            let expected = match expected {
                Value::String(text) => text.clone(),
                tree => written(format, tree).map_or_else(|_| pretty(tree), |bytes| String::from_utf8_lossy(&bytes).into_owned()),
            };
            let good = if whole { expected == *got } else { got.contains(&expected) };
            (!good).then(|| lines(&format!("{expected}\n"), &format!("{got}\n")))
        }
        Content::None => Some(lines(&pretty(expected), "no body\n")),
    }
}

/// What is expected of a form: a tree as the mapping would write it, or the form itself.
fn as_form(expected: &Value) -> Content {
    match expected {
        Value::String(text) => Content::form(text.as_bytes()),
        tree => Content::form(&written(&Format::Form, tree).unwrap_or_default()),
    }
}

/// What is expected of a document: all that is in it is text, and one element of a list is no list.
fn as_document(expected: &Value) -> Option<Value> {
    let bytes = written(&Format::Xml { root: None }, expected).ok()?;
    xml::read(&bytes, None, &[]).ok()
}

/// A body, line by line.
fn text(content: &Content) -> String {
    match content {
        Content::None => "no body\n".to_owned(),
        Content::Json(value) => pretty(value),
        Content::Form(pairs) => pairs.iter().flat_map(|(name, value)| [name, "=", value, "\n"]).collect(),
        Content::Text(text) => format!("{text}\n"),
    }
}
