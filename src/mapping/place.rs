//! Places in a body that is written: paths of names, of which one step may be an element of an array with a key.

use std::fmt;

use serde_json::{Map, Value};

use crate::scim::compare::number_cmp;

/// A place in a body that is written: `$.profile.mail`, or `$.custom_fields[?@.id == 7].value`.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePath {
    names: Box<[String]>,
    element: Option<Box<Element>>,
}

/// The element of an array that has this key, and the place in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) key: Key,
    pub(super) names: Box<[String]>,
}

/// What the elements of an array are told apart by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) names: Box<[String]>,
    /// A text, a number, true or false.
    pub(super) value: Value,
}

// === impl Key ===

impl Key {
    /// Whether an element has this key, as RFC 9535 section 2.3.5.2.2 compares.
    pub(super) fn is_of(&self, element: &Value) -> bool {
        match (get(element, &self.names), &self.value) {
            (Some(Value::Number(found)), Value::Number(wanted)) => number_cmp(found, wanted).is_eq(),
            (Some(found), wanted) => found == wanted,
            (None, _) => false,
        }
    }
}

// === impl WritePath ===

impl WritePath {
    pub(super) fn plain(names: Box<[String]>) -> Self {
        Self { names, element: None }
    }

    /// A place in an element; `None` if it is the key itself, or the element as a whole.
    pub(super) fn keyed(names: Box<[String]>, element: Element) -> Option<Self> {
        let (key, inner) = (&element.key.names, &element.names);
        let is_key = key.starts_with(inner) || inner.starts_with(key);
        (!names.is_empty() && !key.is_empty() && !is_key).then(|| Self { names, element: Some(Box::new(element)) })
    }

    /// The member names from the root down; for a place in an element those that lead to its array.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is in an element of an array, so that the array must be known.
    pub const fn is_keyed(&self) -> bool {
        self.element.is_some()
    }

    /// An element of an array itself.
    pub(super) fn root() -> Self {
        Self::plain(Box::default())
    }

    /// Whether it is an element of an array itself.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// What calls that send one field name it by.
    pub fn field(&self) -> String {
        let mut field = self.names.join(".");
        if let Some(element) = &self.element {
            field.push('.');
            field.push_str(&super::convert::text(&element.key.value));
            for name in &element.names {
                field.push('.');
                field.push_str(name);
            }
        }
        field
    }

    /// Whether what is written to one would be in the place of the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (&self.element, &other.element) {
            (Some(one), Some(another)) if self.names == other.names => {
                // By another key it may be the same element.
                one.key.names != another.key.names
                    || one.key.value == another.key.value
                        && (one.names.starts_with(&another.names) || another.names.starts_with(&one.names))
            }
            _ => self.names.starts_with(&other.names) || other.names.starts_with(&self.names),
        }
    }

    /// Whether both are in elements of one array that are told apart by different names.
    pub fn has_other_key(&self, other: &Self) -> bool {
        self.names == other.names
            && self.element.as_ref().zip(other.element.as_ref()).is_some_and(|(one, other)| one.key.names != other.key.names)
    }

    /// What is in the place.
    pub fn get<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        let found = get(body, &self.names)?;
        match &self.element {
            None => Some(found),
            Some(element) => get(found.as_array()?.iter().find(|item| element.key.is_of(item))?, &element.names),
        }
    }

    /// Takes the array of a place in an element over from a record, unless the body has it: the other elements stay.
    pub fn begin(&self, body: &mut Value, record: &Value) {
        if self.element.is_some()
            && get(body, &self.names).is_none()
            && let Some(array @ Value::Array(_)) = get(record, &self.names)
        {
            put(body, &self.names, array.clone());
        }
    }

    /// Takes out what is in the place; of an array the whole element.
    pub fn remove(&self, body: &mut Value) {
        if let Some(element) = &self.element {
            if let Some(items) = get_mut(body, &self.names).and_then(Value::as_array_mut) {
                items.retain(|item| !element.key.is_of(item));
            }
            return;
        }
        let Some((last, before)) = self.names.split_last() else { return };
        if let Some(object) = get_mut(body, before).and_then(Value::as_object_mut) {
            object.remove(last);
        }
    }

    /// Puts a value in its place, making the objects on the way, and the element.
    pub fn put(&self, body: &mut Value, value: Value) {
        let Some(element) = &self.element else { return put(body, &self.names, value) };
        if !get(body, &self.names).is_some_and(Value::is_array) {
            put(body, &self.names, Value::Array(Vec::new()));
        }
        let Some(items) = get_mut(body, &self.names).and_then(Value::as_array_mut) else { return };
        match items.iter_mut().find(|item| element.key.is_of(item)) {
            Some(item) => put(item, &element.names, value),
            None => {
                let mut item = Value::Object(Map::new());
                put(&mut item, &element.key.names, element.key.value.clone());
                put(&mut item, &element.names, value);
                items.push(item);
            }
        }
    }

    /// Puts a text for people behind the elements of the array: there are others.
    pub fn remark(&self, body: &mut Value, text: &str) {
        if self.element.is_some()
            && let Some(items) = get_mut(body, &self.names).and_then(Value::as_array_mut)
            && !items.iter().any(|item| item == text)
        {
            items.push(Value::from(text));
        }
    }
}

impl fmt::Display for WritePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$.{}", self.names.join("."))?;
        match &self.element {
            Some(element) => {
                let value = match &element.key.value {
                    Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
                    other => other.to_string(),
                };
                write!(f, "[?@.{} == {value}].{}", element.key.names.join("."), element.names.join("."))
            }
            None => Ok(()),
        }
    }
}

fn get<'v>(value: &'v Value, names: &[String]) -> Option<&'v Value> {
    names.iter().try_fold(value, |value, name| value.get(name))
}

fn get_mut<'v>(value: &'v mut Value, names: &[String]) -> Option<&'v mut Value> {
    names.iter().try_fold(value, |value, name| value.get_mut(name))
}

fn put(body: &mut Value, names: &[String], value: Value) {
    let mut place = body;
    for name in names {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(object) = place.as_object_mut() else { return };
        place = object.entry(name.as_str()).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
