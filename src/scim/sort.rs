//! Sorting (RFC 7644 section 3.4.2.3).

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::Object;
use super::compare::{instant, is_case_exact, number_cmp, text_cmp};
use super::error::ScimError;
use super::filter::{listed, unknown_attribute};
use super::messages::SortOrder;
use super::path::{AttrPath, AttrRef, Target};
use super::profile::Profile;
use super::schema::{ResourceType, Returned, Type};

/// `sortBy`, held against a resource type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SortKey<'s> {
    /// Never complex without sub-attribute.
    pub target: AttrRef<'s>,
}

/// A value in the form that its type is compared in.
enum Key<'v> {
    Text(Cow<'v, str>),
    Number(Cow<'v, Number>),
    Boolean(bool),
    Instant(Timestamp),
}

// === impl SortKey ===

impl<'s> SortKey<'s> {
    /// Reads `sortBy`. What does not fit is a 400 `invalidPath`: a list in an order that nobody asked for would look right.
    pub fn parse(sort_by: &str, resource_type: &'s ResourceType, profile: &Profile) -> Result<Self, ScimError> {
        let invalid = |message: String| ScimError::invalid_path(format!("sortBy: {message}"));
        let Some(path) = AttrPath::parse(sort_by.trim()) else {
            let shown: String = sort_by.chars().take(60).flat_map(char::escape_default).collect();
            return Err(invalid(format!(
                "expected an attribute, as in `userName` or `name.familyName`, found `{shown}`; filters and lists are not possible here"
            )));
        };
        let target = match resource_type.resolve(&path, profile.bare_extension_names) {
            Some(Target::Attribute(target)) => target,
            Some(_) => return Err(invalid(format!("`{path}` names a schema; write `{path}:` and one of its attributes"))),
            None => return Err(invalid(unknown_attribute(&path, &[resource_type]))),
        };
        if target.attribute.returned == Returned::Never || target.leaf().returned == Returned::Never {
            return Err(invalid(format!(
                "`{target}` is never returned, and its order would tell its value; sort by another attribute"
            )));
        }
        if target.sub.is_some() || !target.attribute.is_complex() {
            return Ok(Self { target });
        }
        match target.attribute.sub_attribute("value") {
            Some(sub) if target.attribute.multi_valued => Ok(Self { target: AttrRef { sub: Some(sub), ..target } }),
            _ => {
                let subs = listed(target.attribute.sub_attributes.iter().map(|sub| sub.name.as_str()));
                let example = target.attribute.sub_attributes.first().map_or("value", |sub| sub.name.as_str());
                Err(invalid(format!(
                    "`{target}` is complex and wants a sub-attribute, as in `{target}.{example}`; it has {subs}"
                )))
            }
        }
    }

    /// The order of two resources. Those without value come last, in descending order first. Equal ones are ordered by
    /// `id`, so that a page never repeats or drops a resource.
    pub fn compare(&self, a: &Object, b: &Object, order: SortOrder) -> Ordering {
        let ordering = match (self.key(a), self.key(b)) {
            (Some(a), Some(b)) => self.compare_keys(&a, &b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let ordering = match order {
            SortOrder::Ascending => ordering,
            SortOrder::Descending => ordering.reverse(),
        };
        ordering.then_with(|| a.get("id").and_then(Value::as_str).cmp(&b.get("id").and_then(Value::as_str)))
    }

    fn key<'v>(&self, resource: &'v Object) -> Option<Key<'v>> {
        let value = self.target.get(resource)?;
        // "The primary value, or else the first".
        let value = match value {
            Value::Array(values) => values
                .iter()
                .find(|value| value.get("primary") == Some(&Value::Bool(true)))
                .or_else(|| values.iter().find(|value| !value.is_null()))?,
            value => value,
        };
        let value = match (self.target.sub, value) {
            (Some(sub), Value::Object(object)) => match object.get(&sub.name)? {
                Value::Array(values) => values.first()?,
                value => value,
            },
            (Some(sub), _) if sub.name != "value" => return None,
            (_, value) => value,
        };
        match (self.target.leaf().kind, value) {
            (Type::Boolean, Value::Bool(boolean)) => Some(Key::Boolean(*boolean)),
            (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(Key::Boolean(true)),
            (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Some(Key::Boolean(false)),
            (Type::Integer | Type::Decimal, Value::Number(number)) => Some(Key::Number(Cow::Borrowed(number))),
            (Type::Integer | Type::Decimal, Value::String(text)) => {
                Some(Key::Number(Cow::Owned(serde_json::from_str(text).ok()?)))
            }
            (Type::DateTime, Value::String(text)) => instant(text, true).map(Key::Instant),
            (Type::String | Type::Reference | Type::Binary, value) => match value {
                Value::String(text) if !text.is_empty() => Some(Key::Text(Cow::Borrowed(text))),
                Value::Number(number) => Some(Key::Text(Cow::Owned(number.to_string()))),
                Value::Bool(boolean) => Some(Key::Text(Cow::Borrowed(if *boolean { "true" } else { "false" }))),
                _ => None,
            },
            // A value that is not of its type has no place in the order of the type.
            _ => None,
        }
    }

    fn compare_keys(&self, a: &Key<'_>, b: &Key<'_>) -> Ordering {
        match (a, b) {
            (Key::Text(a), Key::Text(b)) => text_cmp(a, b, is_case_exact(self.target.leaf())),
            (Key::Number(a), Key::Number(b)) => number_cmp(a, b),
            (Key::Boolean(a), Key::Boolean(b)) => a.cmp(b),
            (Key::Instant(a), Key::Instant(b)) => a.cmp(b),
            // Both have the type of the attribute.
            _ => Ordering::Equal,
        }
    }
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
