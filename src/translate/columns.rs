//! Fixed columns: an attribute with many values of which the backend has a field each, `emails[type eq "work"].value`.
//!
//! What a client sends is fitted into the columns before it is compared with what is there. Each column takes the first
//! value with its sub-attributes; `primary` only decides between several, because clients set it as they like. A value that
//! does not say what the column would tell it by (an email without `type`) takes a column that is free. What is left over
//! has no place, and no answer shows it.

use serde_json::Value;

use crate::mapping::model::{Line, Resource, Target};
use crate::scim::patch::PatchRequest;
use crate::scim::{Object, ScimError};

/// A value that has no column.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped {
    /// The attribute.
    pub target: Target,
    pub value: Value,
}

/// Gives the values of attributes with fixed columns their places: each has the sub-attributes of its column and those
/// that the column has fields for, in the order of the columns. Gives those that have none.
pub fn fit(resource: &Resource, desired: &mut Object) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    let mut done: Vec<&Target> = Vec::new();
    for line in resource.lines.iter().filter(|line| !line.target.tags.is_empty()) {
        if done.iter().any(|target| target.same_top(&line.target)) {
            continue;
        }
        done.push(&line.target);
        let container = match &line.target.extension {
            Some(uri) => desired.get_mut(uri).and_then(Value::as_object_mut),
            None => Some(&mut *desired),
        };
        let Some(container) = container else { continue };
        let Some(Value::Array(values)) = container.remove(&line.target.attribute) else { continue };
        let (placed, left) = place(&columns(resource, &line.target), values);
        if !placed.is_empty() {
            container.insert(line.target.attribute.clone(), Value::Array(placed));
        }
        let target = Target { tags: Vec::new(), sub: None, ..line.target.clone() };
        dropped.extend(left.into_iter().map(|value| Dropped { target: target.clone(), value }));
    }
    dropped
}

/// Whether a PATCH says nothing but values that have no place.
pub fn says_only(request: &PatchRequest<'_>, dropped: &[Dropped]) -> bool {
    let values = |value: &Value| value.as_array().map_or(1, Vec::len);
    let said: usize = request.operations().iter().map(|operation| operation.value.as_ref().map_or(1, values)).sum();
    said <= dropped.len()
}

/// The error for a change of nothing but a value that has no place.
pub fn no_place(resource: &Resource, dropped: &Dropped) -> ScimError {
    let places: Vec<String> = columns(resource, &dropped.target).iter().map(|column| described(column)).collect();
    ScimError::invalid_value(format!(
        "{}: the application has no place for this value; it has one each for {}.",
        dropped.target.attribute,
        places.join(", ")
    ))
}

/// The lines of an attribute, by column.
fn columns<'m>(resource: &'m Resource, target: &Target) -> Vec<Vec<&'m Line>> {
    let mut columns: Vec<Vec<&Line>> = Vec::new();
    for line in resource.lines.iter().filter(|line| !line.target.tags.is_empty() && line.target.same_top(target)) {
        let same = |column: &&mut Vec<&Line>| column.first().is_some_and(|first| first.target.tags == line.target.tags);
        match columns.iter_mut().find(same) {
            Some(column) => column.push(line),
            None => columns.push(vec![line]),
        }
    }
    columns
}

fn place(columns: &[Vec<&Line>], values: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let mut left: Vec<Option<Value>> = values.into_iter().map(Some).collect();
    let mut places: Vec<Option<Value>> = columns.iter().map(|_| None).collect();
    // The exact ones first, then those that differ in `primary` only, then those that do not say.
    for fits in [is_exact, is_but_for_primary, says_nothing_else] {
        for (column, place) in columns.iter().zip(&mut places).filter(|(_, place)| place.is_none()) {
            let Some(target) = column.first().map(|line| &line.target) else { continue };
            let found = left.iter_mut().find(|value| value.as_ref().is_some_and(|value| fits(target, value)));
            *place = found.and_then(Option::take).map(|value| shaped(column, &value));
        }
    }
    (places.into_iter().flatten().collect(), left.into_iter().flatten().collect())
}

fn is_exact(target: &Target, value: &Value) -> bool {
    target.tags.iter().all(|(name, tag)| same(value.get(name), tag))
}

fn is_but_for_primary(target: &Target, value: &Value) -> bool {
    let mut tags = target.tags.iter().filter(|(name, _)| name != "primary").peekable();
    tags.peek().is_some() && tags.all(|(name, tag)| same(value.get(name), tag))
}

fn says_nothing_else(target: &Target, value: &Value) -> bool {
    target
        .tags
        .iter()
        .filter(|(name, _)| name != "primary")
        .all(|(name, tag)| value.get(name).is_none_or(|other| same(Some(other), tag)))
}

/// Types such as `work` are compared without case (RFC 7643 section 2.4 leaves them to be labels).
fn same(value: Option<&Value>, tag: &Value) -> bool {
    match (value, tag) {
        (Some(Value::String(value)), Value::String(tag)) => value.eq_ignore_ascii_case(tag),
        (value, tag) => value == Some(tag),
    }
}

/// The value as the column would be read.
fn shaped(column: &[&Line], value: &Value) -> Value {
    let mut shaped = Object::new();
    for line in column {
        shaped.extend(line.target.tags.iter().cloned());
        if let Some(sub) = &line.target.sub
            && let Some(part) = value.get(sub)
        {
            shaped.insert(sub.clone(), part.clone());
        }
    }
    Value::Object(shaped)
}

fn described(column: &[&Line]) -> String {
    let tags = column.first().map(|line| line.target.tags.as_slice()).unwrap_or_default();
    tags.iter().map(|(name, value)| format!("{name} eq {value}")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
