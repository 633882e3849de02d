//! Simple values in the types of RFC 7643 section 2.3.

use std::fmt::Display;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use serde_json::{Number, Value};

use super::compare::instant;
use super::{Attribute, Profile, ScimError, Type, json};

/// RFC 7643 section 2.3.6 lets the padding be left out, and RFC 4648 section 5 lets the alphabet be URL-safe.
const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Reads a simple value. Values are never quoted in an error: they may be secrets.
pub(super) fn read(value: Value, attribute: &Attribute, profile: &Profile, place: &dyn Display) -> Result<Value, ScimError> {
    let coerce = profile.coerce_values;
    let invalid = |how: &str| Err(ScimError::invalid_value(format!("{place} must be {how}.")));
    match (attribute.kind, value) {
        (Type::String, value @ Value::String(_))
        | (Type::Boolean, value @ Value::Bool(_))
        | (Type::Decimal, value @ Value::Number(_)) => Ok(value),
        (Type::String, Value::Number(number)) if coerce => Ok(Value::String(number.to_string())),
        (Type::Boolean, Value::String(text)) if coerce && text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        (Type::Boolean, Value::String(text)) if coerce && text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        (Type::Integer, Value::Number(number)) if !number.is_f64() => Ok(Value::Number(number)),
        (Type::Integer, Value::Number(_)) => invalid("an integer, without fraction or exponent"),
        (Type::Integer, Value::String(text)) if coerce => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => invalid("an integer, not another string"),
        },
        (Type::Decimal, Value::String(text)) if coerce => match text.trim().parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) => Ok(Value::Number(number)),
            None => invalid("a number, not another string"),
        },
        (Type::DateTime, Value::String(text)) => match date_time(text) {
            Some(text) => Ok(Value::String(text)),
            None => invalid("a date and time like \"2008-01-23T04:56:22Z\""),
        },
        (Type::Binary, Value::String(text)) => match binary(&text, coerce) {
            Some(text) => Ok(Value::String(text)),
            None => invalid("base64"),
        },
        (Type::Reference, Value::String(text)) => {
            if is_reference(&text, coerce) {
                Ok(Value::String(text))
            } else {
                invalid("a URI, absolute or relative; percent-encode blanks and quotes")
            }
        }
        (kind, other) => Err(wrong(place, kind, &other)),
    }
}

/// The error for a value of another type.
pub(super) fn wrong(place: &dyn Display, kind: Type, value: &Value) -> ScimError {
    ScimError::invalid_value(format!("{place} must be {}, not {}.", wanted(kind), json::kind(value)))
}

/// The type, for messages.
pub(super) const fn wanted(kind: Type) -> &'static str {
    match kind {
        Type::String => "a string",
        Type::Boolean => "a boolean (true or false, without quotes)",
        Type::Decimal => "a number",
        Type::Integer => "an integer",
        Type::DateTime => "a string with a date and time",
        Type::Binary => "a string in base64",
        Type::Reference => "a string with a URI",
        Type::Complex => "an object",
    }
}

/// `xsd:dateTime` with date and time (RFC 7643 section 2.3.5). One without a time zone is UTC, and is written so.
fn date_time(text: String) -> Option<String> {
    if instant(&text, false).is_some() {
        return Some(text);
    }
    instant(&text, true).map(|_| format!("{text}Z"))
}

/// Base64 in its standard form with padding, whatever form it came in; line breaks, as in PEM, only if `coerce`.
fn binary(text: &str, coerce: bool) -> Option<String> {
    let text: String = text.chars().filter(|c| !(coerce && c.is_ascii_whitespace())).collect();
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    let bytes = engine.decode(text).ok()?;
    Some(BASE64_STANDARD.encode(bytes))
}

/// A URI reference by its characters (RFC 3986 appendix A); with `any_language` also an IRI.
fn is_reference(text: &str, any_language: bool) -> bool {
    !text.is_empty()
        && text.chars().all(|c| {
            if c.is_ascii() {
                !c.is_ascii_control() && !" \"<>\\^`{|}".contains(c)
            } else {
                any_language && !c.is_whitespace() && !c.is_control()
            }
        })
}
