//! One attribute's value as a client sent it, read in the type that the schema gives it (RFC 7643 sections 2.3 to 2.5).
//!
//! What comes out is canonical: names as the schema spells them, nothing unassigned, no value twice. A value that stands
//! for "unassigned" (`null`, `[]`, under some profiles `""`) comes out as `None`.

use std::collections::{HashMap, hash_map::Entry};
use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::compare::is_case_exact;
use super::members::{did_you_mean, refuse_ambiguous};
use super::{Attribute, Mutability, Object, Profile, ScimError, Type, json, simple};
use crate::limits;

/// Reads a whole value of an attribute; `None` if it stands for "unassigned".
///
/// Sub-attributes that are read-only are dropped silently (RFC 7644 section 3.3), required ones must be there.
pub fn read_value(value: Value, attribute: &Attribute, profile: &Profile) -> Result<Option<Value>, ScimError> {
    Reader::new(profile).whole(value, Place::of(attribute))
}

/// Whether the values of an attribute point at other resources by their id (`members`, `groups`): `value` and `$ref`.
pub fn is_reference_list(attribute: &Attribute) -> bool {
    attribute.multi_valued && attribute.sub_attribute("value").is_some() && attribute.sub_attribute("$ref").is_some()
}

/// The id at the end of a `$ref`. Only the last segment counts: the base URL and the version may differ (RFC 7643
/// section 2.4).
pub fn referenced_id(reference: &str) -> Option<String> {
    let path = reference.split(['?', '#']).next()?;
    let segment = path.rsplit('/').next().filter(|segment| !segment.is_empty())?;
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// What tells two values of a multi-valued attribute apart: `value` and `type` (RFC 7643 section 2.4), for references
/// to resources `value` alone, for values without `value` everything.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    Value(String, Option<String>),
    Whole(String),
}

/// Where a value stands, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Attribute>,
    attribute: &'a Attribute,
}

/// Reads values and remembers which names it did not know.
pub(super) struct Reader<'p> {
    profile: &'p Profile,
    pub(super) ignored: Vec<String>,
}

/// How complete an object must be.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// A value to be stored: required sub-attributes are there.
    Whole,
    /// Sub-attributes to merge into a value: those to clear stay, as `null`.
    Partial,
}

// === impl Identity ===

impl Identity {
    pub(super) fn of(value: &Value, attribute: &Attribute) -> Self {
        let Some(id) = value.get("value").filter(|id| !id.is_null()) else {
            return Self::Whole(folded(value, attribute));
        };
        let by_value_alone = attribute.sub_attribute("value").is_some_and(|sub| sub.mutability == Mutability::Immutable)
            || is_reference_list(attribute);
        let kind = value.get("type").and_then(Value::as_str).filter(|_| !by_value_alone);
        Self::Value(folded(id, attribute.sub_attribute("value").unwrap_or(attribute)), kind.map(str::to_lowercase))
    }
}

fn folded(value: &Value, attribute: &Attribute) -> String {
    match value {
        Value::String(text) if is_case_exact(attribute) => text.clone(),
        Value::String(text) => text.chars().flat_map(char::to_lowercase).collect(),
        other => other.to_string(),
    }
}

// === impl Place ===

impl<'a> Place<'a> {
    pub(super) const fn of(attribute: &'a Attribute) -> Self {
        Self { parent: None, attribute }
    }

    pub(super) const fn under(parent: Option<&'a Attribute>, attribute: &'a Attribute) -> Self {
        Self { parent, attribute }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parent {
            Some(parent) => write!(f, "{}.{}", parent.name, self.attribute.name),
            None => f.write_str(&self.attribute.name),
        }
    }
}

// === impl Reader ===

impl<'p> Reader<'p> {
    pub(super) const fn new(profile: &'p Profile) -> Self {
        Self { profile, ignored: Vec::new() }
    }

    /// A whole value: all values of a multi-valued attribute, or the one of a singular.
    pub(super) fn whole(&mut self, value: Value, place: Place<'_>) -> Result<Option<Value>, ScimError> {
        if place.attribute.multi_valued {
            let values = self.list(value, place)?;
            Ok((!values.is_empty()).then_some(Value::Array(values)))
        } else {
            self.single(value, place, Form::Whole)
        }
    }

    /// Sub-attributes to merge into a value of a complex attribute; those to clear come out as `null`. `None` if the
    /// whole value is to be unassigned.
    pub(super) fn partial(&mut self, value: Value, place: Place<'_>) -> Result<Option<Object>, ScimError> {
        match self.single(value, place, Form::Partial)? {
            Some(Value::Object(object)) => Ok(Some(object)),
            _ => Ok(None),
        }
    }

    /// One value of a multi-valued attribute, to find it and not to store it: nothing need be complete.
    pub(super) fn sample(&mut self, value: Value, place: Place<'_>) -> Result<Option<Value>, ScimError> {
        let value = self.one(value, place, Form::Partial)?;
        Ok(value.map(|mut value| {
            if let Some(object) = value.as_object_mut() {
                object.retain(|_, member| !member.is_null());
            }
            value
        }))
    }

    fn single(&mut self, value: Value, place: Place<'_>, form: Form) -> Result<Option<Value>, ScimError> {
        let value = match value {
            Value::Array(mut list) if self.profile.coerce_values && list.len() <= 1 => match list.pop() {
                Some(only) => only,
                None => return Ok(None),
            },
            Value::Array(list) => {
                return Err(ScimError::invalid_value(format!(
                    "{place} has one value, not an array of {}: send {}.",
                    list.len(),
                    simple::wanted(place.attribute.kind)
                )));
            }
            other => other,
        };
        self.one(value, place, form)
    }

    /// All values of a multi-valued attribute, none of them twice.
    pub(super) fn list(&mut self, value: Value, place: Place<'_>) -> Result<Vec<Value>, ScimError> {
        let items = match value {
            Value::Null => return Ok(Vec::new()),
            Value::String(text) if text.is_empty() && self.profile.empty_string_clears => return Ok(Vec::new()),
            Value::Array(items) => items,
            other if self.profile.coerce_values => vec![other],
            other => {
                return Err(ScimError::invalid_value(format!(
                    "{place} has many values: send an array, not {}.",
                    json::kind(&other)
                )));
            }
        };
        // Relations are bounded by the size of the request alone: a group may have more members than this.
        if items.len() > limits::ATTRIBUTE_VALUES && !is_reference_list(place.attribute) {
            return Err(ScimError::invalid_value(format!(
                "{place} has {} values; the most that is taken is {}.",
                items.len(),
                limits::ATTRIBUTE_VALUES
            )));
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.extend(self.one(item, place, Form::Whole)?);
        }
        let values = without_duplicates(values, place.attribute);
        one_primary(&values, place)?;
        Ok(values)
    }

    fn one(&mut self, value: Value, place: Place<'_>, form: Form) -> Result<Option<Value>, ScimError> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if text.is_empty() && self.profile.empty_string_clears => Ok(None),
            value if place.attribute.is_complex() => Ok(self.complex(value, place, form)?.map(Value::Object)),
            value => simple::read(value, place.attribute, self.profile, &place).map(Some),
        }
    }

    fn complex(&mut self, value: Value, place: Place<'_>, form: Form) -> Result<Option<Object>, ScimError> {
        let attribute = place.attribute;
        let members = match value {
            Value::Object(members) => members,
            // Entra ID sends the manager as a plain id, others a list of e-mail addresses as strings.
            plain @ (Value::String(_) | Value::Number(_) | Value::Bool(_))
                if self.profile.coerce_values && attribute.sub_attribute("value").is_some() =>
            {
                Object::from_iter([("value".to_owned(), plain)])
            }
            other => return Err(simple::wrong(&place, Type::Complex, &other)),
        };
        refuse_ambiguous(&members, &place)?;
        let mut object = Object::new();
        for (name, member) in members {
            let Some(sub) = attribute.sub_attribute(&name) else {
                self.unknown(&name, attribute, place)?;
                continue;
            };
            if sub.mutability == Mutability::ReadOnly {
                continue;
            }
            match self.whole(member, Place::under(Some(attribute), sub))? {
                Some(member) => {
                    object.insert(sub.name.clone(), member);
                }
                None if form == Form::Partial => {
                    object.insert(sub.name.clone(), Value::Null);
                }
                None => {}
            }
        }
        id_from_reference(&mut object, attribute);
        if form == Form::Whole {
            if is_reference_list(attribute) && !object.contains_key("value") {
                return Err(ScimError::invalid_value(format!(
                    "A value of {place} names nobody: it needs \"value\" with the id of a resource."
                )));
            }
            if object.is_empty() {
                return Ok(None);
            }
            complete(&object, place)?;
        }
        Ok(Some(object))
    }

    fn unknown(&mut self, name: &str, attribute: &Attribute, place: Place<'_>) -> Result<(), ScimError> {
        if self.profile.ignore_unknown {
            self.ignored.push(format!("{place}.{name}"));
            return Ok(());
        }
        let hint = did_you_mean(name, attribute.sub_attributes.iter().map(|sub| sub.name.as_str()));
        Err(ScimError::invalid_syntax(format!("{place} has no sub-attribute {name:?}.{hint}")))
    }
}

/// A reference by `$ref` alone gets its `value` (RFC 7643 section 2.4; also `{"$ref": "..", "value": null}`).
fn id_from_reference(object: &mut Object, attribute: &Attribute) {
    if attribute.sub_attribute("value").is_none() || object.get("value").is_some_and(|id| !id.is_null()) {
        return;
    }
    if let Some(id) = object.get("$ref").and_then(Value::as_str).and_then(referenced_id) {
        object.insert("value".to_owned(), Value::String(id));
    }
}

fn complete(object: &Object, place: Place<'_>) -> Result<(), ScimError> {
    let missing = place.attribute.sub_attributes.iter().find(|sub| {
        sub.required && sub.mutability != Mutability::ReadOnly && object.get(&sub.name).is_none_or(super::resource::is_blank)
    });
    match missing {
        Some(sub) => {
            Err(ScimError::invalid_value(format!("{place} lacks its required sub-attribute {:?}, or it is blank.", sub.name)))
        }
        None => Ok(()),
    }
}

/// Each value once (RFC 7643 section 2.4); what only a later copy says is kept.
fn without_duplicates(values: Vec<Value>, attribute: &Attribute) -> Vec<Value> {
    let mut places: HashMap<Identity, usize> = HashMap::with_capacity(values.len());
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        match places.entry(Identity::of(&value, attribute)) {
            Entry::Vacant(entry) => {
                entry.insert(kept.len());
                kept.push(value);
            }
            Entry::Occupied(entry) => {
                if let (Some(Value::Object(first)), Value::Object(again)) = (kept.get_mut(*entry.get()), value) {
                    for (name, member) in again {
                        first.entry(name).or_insert(member);
                    }
                }
            }
        }
    }
    kept
}

/// At most one value is primary (RFC 7643 section 2.4).
pub(super) fn one_primary(values: &[Value], place: Place<'_>) -> Result<(), ScimError> {
    let primaries = values.iter().filter(|value| value.get("primary") == Some(&Value::Bool(true))).count();
    if primaries > 1 && place.attribute.sub_attribute("primary").is_some() {
        return Err(ScimError::invalid_value(format!(
            "{place} has {primaries} values with \"primary\": true; at most one can be primary."
        )));
    }
    Ok(())
}
