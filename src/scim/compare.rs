//! How values compare (RFC 7644 Table 3 and section 3.4.2.3): text with or without case, numbers, instants.
//!
//! Nothing here allocates: filters run over every row that a backend returns.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Number;

use super::schema::{Attribute, Type};

/// Whether the case of letters counts in the values of an attribute. References and binaries are always exact (RFC 7643
/// sections 2.3.6 and 2.3.7).
pub fn is_case_exact(attribute: &Attribute) -> bool {
    attribute.case_exact || matches!(attribute.kind, Type::Reference | Type::Binary)
}

/// The letters in lower case, by the Unicode mapping of each character alone: no locale (section 3.4.2.3).
fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> + Clone + '_ {
    text.chars().flat_map(char::to_lowercase)
}

pub fn text_eq(a: &str, b: &str, exact: bool) -> bool {
    if exact {
        a == b
    } else if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        folded(a).eq(folded(b))
    }
}

pub fn text_cmp(a: &str, b: &str, exact: bool) -> Ordering {
    if exact {
        a.cmp(b)
    } else if a.is_ascii() && b.is_ascii() {
        a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
    } else {
        folded(a).cmp(folded(b))
    }
}

pub fn text_starts_with(text: &str, start: &str, exact: bool) -> bool {
    if exact { text.starts_with(start) } else { begins(folded(text), folded(start)) }
}

pub fn text_ends_with(text: &str, end: &str, exact: bool) -> bool {
    if exact { text.ends_with(end) } else { begins(folded(text).rev(), folded(end).rev()) }
}

pub fn text_contains(text: &str, part: &str, exact: bool) -> bool {
    if exact {
        return text.contains(part);
    }
    if part.is_empty() {
        return true;
    }
    if text.is_ascii() && part.is_ascii() {
        return text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    }
    let mut rest = text.chars();
    loop {
        if begins(rest.clone().flat_map(char::to_lowercase), folded(part)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

fn begins(mut text: impl Iterator<Item = char>, mut start: impl Iterator<Item = char>) -> bool {
    start.all(|c| text.next() == Some(c))
}

/// A total order, exact also between integers and decimals.
pub fn number_cmp(a: &Number, b: &Number) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => integer_cmp_decimal(a, decimal(b)),
        (None, Some(b)) => integer_cmp_decimal(b, decimal(a)).reverse(),
        (None, None) => decimal(a).partial_cmp(&decimal(b)).unwrap_or(Ordering::Equal),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn decimal(number: &Number) -> f64 {
    // JSON has neither NaN nor infinities.
    number.as_f64().unwrap_or(0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates beyond what any 64-bit integer reaches")]
fn integer_cmp_decimal(integer: i128, decimal: f64) -> Ordering {
    let whole = decimal.trunc();
    integer.cmp(&(whole as i128)).then_with(|| 0.0_f64.partial_cmp(&(decimal - whole)).unwrap_or(Ordering::Equal))
}

/// The instant that an xsd:dateTime names (RFC 7643 section 2.3.5): `2008-01-23T04:56:22Z`, with a fraction or another
/// offset. Without offset it is none, unless `assume_utc`.
pub fn instant(text: &str, assume_utc: bool) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let (clock, zoned) = match time.strip_suffix('Z') {
        Some(clock) => (clock, true),
        None => match time.rfind(['+', '-']) {
            Some(sign) => {
                let offset = time.get(sign + 1..)?;
                if !matches(offset, "00:00") {
                    return None;
                }
                (time.get(..sign)?, true)
            }
            None => (time, false),
        },
    };
    // jiff reads far more forms than XML Schema has.
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if !matches(date, "0000-00-00")
        || !matches(seconds, "00:00:00")
        || fraction.is_empty()
        || !fraction.bytes().all(|c| c.is_ascii_digit())
    {
        return None;
    }
    if zoned {
        text.parse().ok()
    } else if assume_utc {
        Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
    } else {
        None
    }
}

/// Whether the text has a digit where the form has `0`, and else the same characters.
fn matches(text: &str, form: &str) -> bool {
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(|(c, f)| if f == b'0' { c.is_ascii_digit() } else { c == f })
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
