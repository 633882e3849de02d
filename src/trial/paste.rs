//! A call as a test writes it, to be pasted.

use serde_json::{Map, Value};

use super::seen::{Call, Content};

/// An element of `backend` for a call that came.
pub(super) fn element(call: &Call) -> String {
    let body = match &call.body {
        Content::None => String::new(),
        Content::Json(value) => format!("body: {}, ", flow(value)),
        Content::Form(pairs) => {
            let object: Map<String, Value> =
                pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            if object.len() == pairs.len() {
                format!("body: {}, ", flow(&Value::Object(object)))
            } else {
                let text: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                format!("body: {}, ", flow(&Value::from(text)))
            }
        }
        Content::Text(text) => format!("body: {}, ", flow(&Value::from(text.as_str()))),
    };
    let line = call.line();
    let plain = !line.contains(": ") && !line.contains(" #") && !line.ends_with(':');
    let key = if plain { line } else { Value::from(line).to_string() };
    format!("- {key}: {{ {body}reply: {{}} }}")
}

/// A value in one line of YAML, with as few quotes as can be.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{}: {}", word(name), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => word(text),
        scalar => scalar.to_string(),
    }
}

/// A text, in quotes unless it can only be one.
fn word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}
