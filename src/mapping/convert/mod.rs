//! Converters between a backend's form of a value and SCIM's. Every converter knows its inverse.

pub mod date;
pub mod tables;
pub mod typed;

use jiff::Timestamp;
use serde_json::{Number, Value};

use self::date::DateForm;
use self::typed::{decimal, whole};
use crate::scim::compare::{instant, text_eq};
use crate::scim::filter::Op;

/// A converter; read goes from the backend to SCIM, write back.
#[derive(Debug, Clone, PartialEq)]
pub enum Converter {
    /// An integer there, its decimal digits in SCIM. Other spellings of the number (`007`, `+7`) are no values of it.
    Integer,
    /// A text there, a number in SCIM; an integer if it is `whole`, of which other spellings (`007`) are no values.
    Number { whole: bool },
    /// Milliseconds since 1970 there, a dateTime in SCIM.
    EpochMillis,
    /// Seconds since 1970 there, a dateTime in SCIM.
    EpochSeconds,
    /// Lower case is what is written; what is read stays.
    Lower,
    /// Upper case is what is written; what is read stays.
    Upper,
    /// A date or time as a text there, a dateTime in SCIM.
    Date(Box<DateForm>),
    /// Zeros on the left there, up to so many characters; none in SCIM. Other spellings (a zero too few or too many) are no
    /// values.
    Pad(usize),
    /// A prefix there, none in SCIM.
    Prefix(String),
    /// A suffix there, none in SCIM.
    Suffix(String),
    /// Several values in one text there, with this between them; the values of an attribute in SCIM. What stands behind it
    /// is for each of the values.
    Split(String),
    /// An id in another collection there, its name in SCIM. Only the tables know the pairs: see [`tables::Tables`].
    Lookup { table: usize, exact: bool },
    /// Listed pairs; several values there may read as one of SCIM, of which the first is written.
    Values(Vec<(Value, Vec<Value>)>),
}

/// A value that has no counterpart on the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCounterpart(pub String);

/// The names that `as` takes, for messages.
pub const NAMES: [&str; 6] = ["integer", "number", "epochMillis", "epochSeconds", "lower", "upper"];

/// The converters that take an argument, and how they are written.
pub const WITH_ARGUMENT: [(&str, &str); 6] = [
    ("prefix", "{ prefix: P- }"),
    ("suffix", "{ suffix: -X }"),
    ("pad", "{ pad: 5 }"),
    ("date", "{ date: \"%d.%m.%Y\", zone: Europe/Prague }"),
    ("lookup", "{ lookup: department }"),
    ("split", "{ split: \",\" }"),
];

impl Converter {
    /// The converter of that name, if it takes no argument.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "integer" => Self::Integer,
            "epochMillis" => Self::EpochMillis,
            "epochSeconds" => Self::EpochSeconds,
            "lower" => Self::Lower,
            "number" => Self::Number { whole: false },
            "upper" => Self::Upper,
            _ => return None,
        })
    }

    /// Whether a comparison of the backend's forms finds what the comparison of SCIM's forms finds.
    pub const fn keeps(&self, op: Op) -> bool {
        match self {
            // A decimal has many spellings (`1.50`), and a list is more than its values.
            Self::Number { whole: false } | Self::Split(_) => matches!(op, Op::Pr),
            Self::Date(form) => form.keeps(op),
            Self::Integer | Self::Number { whole: true } | Self::Pad(_) | Self::Values(_) | Self::Lookup { .. } => {
                matches!(op, Op::Eq | Op::Ne | Op::Pr)
            }
            Self::EpochMillis | Self::EpochSeconds => !matches!(op, Op::Co | Op::Sw | Op::Ew),
            Self::Lower | Self::Upper => !matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le),
            Self::Prefix(_) => !matches!(op, Op::Co | Op::Ew),
            Self::Suffix(_) => matches!(op, Op::Eq | Op::Ne | Op::Pr | Op::Ew),
        }
    }

    /// Whether no value that the converter cannot read satisfies the comparison there.
    pub const fn is_exact(&self, op: Op) -> bool {
        match self {
            Self::Lower | Self::Upper => true,
            Self::Prefix(_) => matches!(op, Op::Eq | Op::Ne | Op::Sw),
            Self::Suffix(_) => matches!(op, Op::Eq | Op::Ne | Op::Ew),
            Self::Integer | Self::Values(_) | Self::EpochMillis | Self::EpochSeconds | Self::Pad(_) | Self::Lookup { .. } => {
                !matches!(op, Op::Pr)
            }
            Self::Number { whole } => *whole && !matches!(op, Op::Pr),
            Self::Date(_) | Self::Split(_) => false,
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
            Self::Number { whole: is_whole } => match &value {
                Value::Number(_) => Some(value),
                Value::String(text) => (if *is_whole { whole(text) } else { decimal(text) }).map(Value::Number),
                _ => None,
            },
            Self::EpochMillis => read_epoch(&value, Timestamp::from_millisecond),
            Self::EpochSeconds => read_epoch(&value, Timestamp::from_second),
            Self::Lower | Self::Upper => Some(value),
            Self::Date(form) => form.read(value.as_str()?).map(|moment| Value::from(moment.to_string())),
            Self::Pad(width) => unpadded(value.as_str()?, *width).map(Value::from),
            Self::Prefix(prefix) => value.as_str()?.strip_prefix(prefix.as_str()).map(Value::from),
            Self::Suffix(suffix) => value.as_str()?.strip_suffix(suffix.as_str()).map(Value::from),
            Self::Split(between) => {
                let parts = value.as_str()?.split(between.as_str()).map(str::trim).filter(|part| !part.is_empty());
                Some(parts.map(Value::from).collect())
            }
            // Whoever has the tables asks them.
            Self::Lookup { .. } => None,
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
            Self::Number { .. } => match &value {
                Value::Number(number) => Ok(Value::from(number_text(number))),
                other => Err(NoCounterpart(format!("`{}` is not a number", text(other)))),
            },
            Self::EpochMillis => Ok(Value::from(write_epoch(&value)?.as_millisecond())),
            Self::EpochSeconds => Ok(Value::from(write_epoch(&value)?.as_second())),
            Self::Lower => Ok(match value {
                Value::String(text) => Value::from(text.to_lowercase()),
                other => other,
            }),
            Self::Upper => Ok(match value {
                Value::String(text) => text.chars().map(upper).collect::<String>().into(),
                other => other,
            }),
            Self::Date(form) => {
                let here = text(&value);
                let moment = instant(&here, true).ok_or_else(|| no_date_time(&here))?;
                form.write(moment).map(Value::from).map_err(|problem| NoCounterpart(format!("`{here}` {problem}")))
            }
            Self::Pad(width) => {
                let here = text(&value);
                let missing = width.saturating_sub(here.chars().count());
                let there = format!("{}{here}", "0".repeat(missing));
                if unpadded(&there, *width) == Some(here.as_str()) {
                    Ok(Value::from(there))
                } else {
                    Err(NoCounterpart(format!("`{here}` begins with a zero, or is empty")))
                }
            }
            Self::Prefix(prefix) => Ok(Value::from(format!("{prefix}{}", text(&value)))),
            Self::Suffix(suffix) => Ok(Value::from(format!("{}{suffix}", text(&value)))),
            Self::Split(between) => joined(&value, between),
            Self::Lookup { .. } => Err(NoCounterpart(format!("`{}` is in a table that is not known", text(&value)))),
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

/// A letter in upper case, if that is one letter which is the same without regard to case: `ß` has none.
fn upper(c: char) -> char {
    let mut raised = c.to_uppercase();
    match (raised.next(), raised.next()) {
        (Some(one), None) if one.to_lowercase().eq(c.to_lowercase()) => one,
        _ => c,
    }
}

/// A text without the zeros that fill it up to a width; `None` if it is not what [`Converter::Pad`] writes.
fn unpadded(text: &str, width: usize) -> Option<&str> {
    let chars = text.chars().count();
    let bare = text.trim_start_matches('0');
    // Zero itself is one digit.
    let bare = if bare.is_empty() { text.get(text.len().checked_sub(1)?..)? } else { bare };
    (chars == width || chars > width && bare.len() == text.len()).then_some(bare)
}

/// Several values as one text. A value that would read as another one, or as two, has no place in it.
fn joined(value: &Value, between: &str) -> Result<Value, NoCounterpart> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        let part = text(item);
        if part.is_empty()
            || part.trim() != part
            || part.contains(between)
            || part.contains(between.trim()) && !between.trim().is_empty()
        {
            return Err(NoCounterpart(format!("`{part}` cannot stand in a list with `{between}` between its values")));
        }
        parts.push(part);
    }
    Ok(Value::from(parts.join(between)))
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
    text.parse().map_err(|_| no_date_time(&text))
}

fn no_date_time(text: &str) -> NoCounterpart {
    NoCounterpart(format!("`{text}` is not a dateTime such as 2026-01-31T08:00:00Z"))
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
#[path = "convert_tests.rs"]
mod tests;
