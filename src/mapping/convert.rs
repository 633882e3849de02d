//! Converters between a backend's form of a value and SCIM's. Every converter knows its inverse.

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::scim::compare::text_eq;
use crate::scim::filter::Op;

/// A converter; read goes from the backend to SCIM, write back.
#[derive(Debug, Clone, PartialEq)]
pub enum Converter {
    /// An integer there, its decimal digits in SCIM. Other spellings of the number (`007`, `+7`) are no values of it.
    Integer,
    /// Milliseconds since 1970 there, a dateTime in SCIM.
    EpochMillis,
    /// Seconds since 1970 there, a dateTime in SCIM.
    EpochSeconds,
    /// Lower case is what is written; what is read stays.
    Lower,
    /// A prefix there, none in SCIM.
    Prefix(String),
    /// Listed pairs; several values there may read as one of SCIM, of which the first is written.
    Values(Vec<(Value, Vec<Value>)>),
}

/// A value that has no counterpart on the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCounterpart(pub String);

/// The names that `as` takes, for messages.
pub const NAMES: [&str; 5] = ["integer", "epochMillis", "epochSeconds", "lower", "prefix"];

impl Converter {
    /// The converter of that name, if it takes no argument.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "integer" => Self::Integer,
            "epochMillis" => Self::EpochMillis,
            "epochSeconds" => Self::EpochSeconds,
            "lower" => Self::Lower,
            _ => return None,
        })
    }

    /// Whether a comparison of the backend's forms finds what the comparison of SCIM's forms finds.
    pub const fn keeps(&self, op: Op) -> bool {
        match op {
            Op::Eq | Op::Ne | Op::Pr => true,
            Op::Sw => matches!(self, Self::Lower | Self::Prefix(_)),
            Op::Co | Op::Ew => matches!(self, Self::Lower),
            Op::Gt | Op::Ge | Op::Lt | Op::Le => matches!(self, Self::EpochMillis | Self::EpochSeconds | Self::Prefix(_)),
        }
    }

    /// From the backend to SCIM; `None` if the backend's value is none that the converter knows.
    pub fn read(&self, value: Value) -> Option<Value> {
        match self {
            Self::Integer => match &value {
                Value::Number(number) => Some(Value::from(number.to_string())),
                Value::String(_) => Some(value),
                _ => None,
            },
            Self::EpochMillis => read_epoch(&value, Timestamp::from_millisecond),
            Self::EpochSeconds => read_epoch(&value, Timestamp::from_second),
            Self::Lower => Some(value),
            Self::Prefix(prefix) => value.as_str()?.strip_prefix(prefix.as_str()).map(Value::from),
            Self::Values(pairs) => pairs.iter().find(|(_, there)| there.contains(&value)).map(|(here, _)| here.clone()),
        }
    }

    /// From SCIM to the backend.
    pub fn write(&self, value: Value) -> Result<Value, NoCounterpart> {
        match self {
            Self::Integer => {
                let text = text(&value);
                match text.parse::<i64>() {
                    Ok(number) if number.to_string() == text => Ok(Value::from(number)),
                    _ => Err(NoCounterpart(format!("`{text}` is not an integer"))),
                }
            }
            Self::EpochMillis => Ok(Value::from(write_epoch(&value)?.as_millisecond())),
            Self::EpochSeconds => Ok(Value::from(write_epoch(&value)?.as_second())),
            Self::Lower => Ok(match value {
                Value::String(text) => Value::from(text.to_lowercase()),
                other => other,
            }),
            Self::Prefix(prefix) => Ok(Value::from(format!("{prefix}{}", text(&value)))),
            Self::Values(pairs) => {
                let there = pairs.iter().find(|(here, _)| *here == value).and_then(|(_, there)| there.first());
                there.cloned().ok_or_else(|| {
                    let known: Vec<String> = pairs.iter().map(|(here, _)| here.to_string()).collect();
                    NoCounterpart(format!("{value} is none of {}", known.join(", ")))
                })
            }
        }
    }
}

fn read_epoch(value: &Value, make: impl Fn(i64) -> Result<Timestamp, jiff::Error>) -> Option<Value> {
    let count = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    make(count).ok().map(|instant| Value::from(instant.to_string()))
}

fn write_epoch(value: &Value) -> Result<Timestamp, NoCounterpart> {
    let text = text(value);
    text.parse().map_err(|_| NoCounterpart(format!("`{text}` is not a dateTime such as 2026-01-31T08:00:00Z")))
}

/// The text of a scalar: a string as it is, anything else as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether two values are the same name: a backend may write it in another case, or as a number.
pub fn same_name(one: &Value, other: &Value) -> bool {
    text_eq(&text(one), &text(other), false)
}

/// A number as the shortest text, so that `7.0` is `7`.
pub fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn converters_and_their_inverses() {
        let values = Converter::Values(vec![(json!(true), vec![json!("A")]), (json!(false), vec![json!("D"), json!("L")])]);
        let cases = [
            (Converter::Integer, json!(42), json!("42")),
            (Converter::EpochMillis, json!(1_700_000_000_123_i64), json!("2023-11-14T22:13:20.123Z")),
            (Converter::EpochSeconds, json!(0), json!("1970-01-01T00:00:00Z")),
            (Converter::Prefix("P-".into()), json!("P-7"), json!("7")),
            (values.clone(), json!("D"), json!(false)),
        ];
        for (converter, there, here) in cases {
            assert_eq!(converter.read(there.clone()), Some(here.clone()), "{converter:?}");
            assert_eq!(converter.write(here), Ok(there), "{converter:?}");
        }
        assert_eq!(values.read(json!("L")), Some(json!(false)));
        assert_eq!(values.read(json!("X")), None);
        assert!(values.write(json!("yes")).is_err());
        for bad in ["007", "+7", "", "7a", " 7", "99999999999999999999"] {
            assert!(Converter::Integer.write(json!(bad)).is_err(), "{bad}");
        }
    }
}
