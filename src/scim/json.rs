//! JSON as a client sends it: bounded in depth, no member twice, and errors that say where.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value, error::Category};

use super::{Object, ScimError};
use crate::limits;

/// Reads one JSON document.
///
/// A member that appears twice is refused: RFC 8259 section 4 leaves its meaning open, and what one party checks another
/// would store. A byte order mark is skipped (RFC 8259 section 8.1).
pub fn parse(bytes: &[u8]) -> Result<Value, ScimError> {
    read(bytes, Node::at(0))
}

/// Reads one JSON document into something else than a [`Value`]; the rules are those of whoever reads the parts.
pub(super) fn read<'b, S: DeserializeSeed<'b>>(bytes: &'b [u8], seed: S) -> Result<S::Value, ScimError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        ScimError::invalid_syntax(format!(
            "The body is not UTF-8: byte {} does not belong to a character. Send JSON encoded as UTF-8.",
            error.valid_up_to() + 1
        ))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ScimError::invalid_syntax("The body is empty. Send a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|error| explain(&error))
}

/// The kind of a value, for messages: "a string".
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// One value at some depth.
#[derive(Clone, Copy)]
pub(super) struct Node {
    depth: usize,
}

/// The error for a member that is there twice.
pub(super) fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format!("the member {name:?} appears twice in one object; send it once"))
}

fn explain(error: &serde_json::Error) -> ScimError {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let place = format!("line {}, column {}", error.line(), error.column());
    ScimError::invalid_syntax(match error.classify() {
        Category::Eof => format!("The body is cut off at {place}: {what}. Close every string, array and object."),
        Category::Data => format!("The body cannot be used: {what} ({place})."),
        Category::Syntax | Category::Io => format!("The body is not JSON: {what} at {place}."),
    })
}

// === impl Node ===

impl Node {
    /// A value that stands inside so many arrays and objects.
    pub(super) const fn at(depth: usize) -> Self {
        Self { depth }
    }

    /// A level deeper; checked before the reader goes down, so that nesting costs no stack.
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH {
            return Err(E::custom(format!("it nests deeper than {} levels", limits::JSON_DEPTH)));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(twice(&name));
            }
            let value = members.next_value_seed(inside)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
