//! Values in the data types of RFC 7643 section 2.3: an answer holds no value of another type than its schema says.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::number_text;
use crate::scim::compare::instant;
use crate::scim::schema::Type;

/// The value as one of the type: as it is, or what it says beyond doubt. `None` if it says nothing of the kind.
pub fn typed(value: Value, kind: Type) -> Option<Value> {
    match (kind, &value) {
        (Type::String | Type::Reference | Type::Binary, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Decimal, Value::Number(_)) => Some(value),
        (Type::Integer, Value::Number(number)) if !number.is_f64() => Some(value),
        (Type::String | Type::Reference | Type::Binary, Value::Number(number)) => Some(Value::from(number_text(number))),
        (Type::String, Value::Bool(flag)) => Some(Value::from(flag.to_string())),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        (Type::Integer, Value::Number(number)) => whole(&number_text(number)).map(Value::Number),
        (Type::Integer, Value::String(text)) => whole(text).map(Value::Number),
        (Type::Decimal, Value::String(text)) => decimal(text).map(Value::Number),
        (Type::DateTime, Value::String(text)) => {
            if instant(text, false).is_some() {
                Some(value)
            } else if instant(text, true).is_some() {
                // Without a zone it is UTC, as in what clients send.
                Some(Value::from(format!("{text}Z")))
            } else {
                text.parse::<Timestamp>().ok().map(|moment| Value::from(moment.to_string()))
            }
        }
        _ => None,
    }
}

/// The integer that a text spells in the one way in which it is written.
pub fn whole(text: &str) -> Option<Number> {
    let number: Number = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()?;
    (number.to_string() == text).then_some(number)
}

/// The number that a text spells as JSON does.
pub fn decimal(text: &str) -> Option<Number> {
    let first_and_last = text.bytes().next().zip(text.bytes().last());
    // The reader of JSON takes blanks around.
    if !first_and_last.is_some_and(|(first, last)| (first == b'-' || first.is_ascii_digit()) && last.is_ascii_digit()) {
        return None;
    }
    let number: Number = serde_json::from_str(text).ok()?;
    // The reader of JSON is quick, and not exact to the last digit.
    if number.is_f64() { Number::from_f64(text.parse().ok()?) } else { Some(number) }
}
