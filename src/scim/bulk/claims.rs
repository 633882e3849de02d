//! Which operations of a job must keep their order, although they do not refer to each other.
//!
//! A job may be worked on in any order that gives the result of the sequence (RFC 7644 section 3.7). What an operation
//! does depends on what it finds, so that each claims what it touches, and an operation waits for every earlier one with a
//! claim that does not go with its own. Where it is not sure whether two of them meet, they keep their order: to wait costs
//! time, a wrong guess an account.
//!
//! * **An id, or a value that tells resources apart.** PUT, PATCH and DELETE claim the id in their path for themselves; what
//!   mentions an id in its data claims it together with others that do. So the operations on one resource stay in their
//!   order, and a DELETE of a user and a PATCH that makes this user a member of a group stay in theirs. POST, PUT and PATCH
//!   also claim for themselves the values of attributes that are unique, and of those that many a backend holds to be unique
//!   whatever the schema says (`externalId`, `emails`, and the `displayName` of a type that has nothing else): of two users
//!   with the same userName the first must win. Ids and values are one kind of claim, as a backend may make the one of the
//!   other; and all are compared without regard to case, which can only find too much.
//! * **The names of a resource type.** Nobody but the backend knows which names a DELETE frees, or a PUT that gives a
//!   resource another. So creations go together and deletions go together, but not the ones with the others; a change of a
//!   unique attribute, such as every PUT of a user, goes with nothing that takes or frees a name of the type, as two
//!   resources may swap names. A change of an attribute that is not unique by its schema goes with others of its kind.
//! * **References.** A backend may refuse to delete what is still referred to. A change that may take references away
//!   without naming them (a PUT, a PATCH that replaces all members, another manager) is not passed by a DELETE. Nor
//!   is an operation that asks for a version: with a member a group may get another version. Deletions of one type go
//!   together, those of different types do not.
//!
//! What is not foreseen: an id that a backend makes of the data in another way than to take a value as it is, when a later
//! operation has it in its path. For that there are bulkIds, which [`super::Schedule`] sees to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{BulkMethod, BulkOperation, named};
use crate::scim::resource::{is_reference_list, referenced_id};
use crate::scim::{AttrRef, Attribute, Mutability, Object, ResourceType, Target, Uniqueness};

/// What an operation touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// An id, or a value that tells resources apart.
    Text(String),
    /// The names of the resource type at that place.
    Names(usize),
    /// References from any resource to any other.
    References,
}

/// How it does. Operations with the same mode on a key go together, unless that is `Alone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Alone,
    /// Says that a resource is there.
    Mention,
    /// Takes names.
    Take,
    /// Frees names.
    Free,
    /// Changes what may count as a name.
    Change,
    /// May drop references that it does not name.
    Drop,
    /// Deletes resources of the type at that place.
    Delete(usize),
}

/// The claims of one operation, or of several that are done as one.
pub(super) type Claims = BTreeMap<Key, Mode>;

/// What a change touches.
#[derive(Default)]
struct Touched {
    /// An attribute that is unique by its schema.
    unique: bool,
    /// One that a backend may hold to be unique.
    likely: bool,
    /// References that go without being named.
    drops: bool,
    /// The values of both kinds of attributes.
    names: BTreeSet<String>,
}

/// The claims of all operations, in their order; `None` for what will not be tried.
pub(super) fn claims(operations: &[Option<&BulkOperation>], kinds: &[&ResourceType]) -> Vec<Claims> {
    let mut all: Vec<Claims> = Vec::with_capacity(operations.len());
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for operation in operations {
        let place = |operation: &BulkOperation| kinds.iter().position(|kind| kind.endpoint == operation.path.endpoint);
        all.push(match operation.and_then(|operation| Some((operation, place(operation)?))) {
            Some((operation, place)) => own(operation, place, kinds.get(place).copied()),
            None => Claims::new(),
        });
    }
    for claims in &all {
        told.extend(claims.keys().filter_map(|key| match key {
            Key::Text(text) => Some(text.as_str()),
            Key::Names(_) | Key::References => None,
        }));
    }
    // A mention matters only of what another operation claims for itself.
    let mut mentions = Vec::with_capacity(all.len());
    for (operation, claims) in operations.iter().zip(&all) {
        let mut found = BTreeSet::new();
        if let Some(data) = operation.filter(|_| !claims.is_empty()).and_then(|operation| operation.data.as_ref()) {
            said(data, &mut |text| {
                if told.contains(text.as_str()) {
                    found.insert(Key::Text(text));
                }
            });
        }
        mentions.push(found);
    }
    for (claims, found) in all.iter_mut().zip(mentions) {
        for key in found {
            claims.entry(key).or_insert(Mode::Mention);
        }
    }
    all
}

/// Adds a claim; two different ones of the same operation go with no other.
pub(super) fn add(claims: &mut Claims, key: Key, mode: Mode) {
    claims.entry(key).and_modify(|known| *known = if *known == mode { mode } else { Mode::Alone }).or_insert(mode);
}

/// What an operation claims for what it is, whatever the others are.
fn own(operation: &BulkOperation, place: usize, kind: Option<&ResourceType>) -> Claims {
    let mut claims = Claims::new();
    let Some(kind) = kind else { return claims };
    if let Some(id) = &operation.path.id {
        add(&mut claims, Key::Text(folded(id)), Mode::Alone);
    }
    let mut touched = Touched::default();
    match (operation.method, &operation.data) {
        (BulkMethod::Delete, _) => {
            add(&mut claims, Key::Names(place), Mode::Free);
            add(&mut claims, Key::References, Mode::Delete(place));
        }
        (BulkMethod::Post, data) => {
            touched.resource(data.as_ref(), kind);
            add(&mut claims, Key::Names(place), Mode::Take);
        }
        (BulkMethod::Put, data) => {
            // What it leaves out is cleared, and may have been a name or a reference.
            kind.attributes().for_each(|attribute| touched.attribute(&attribute, kind, true));
            touched.resource(data.as_ref(), kind);
        }
        (BulkMethod::Patch, data) => touched.patch(data.as_ref(), kind),
    }
    if matches!(operation.method, BulkMethod::Put | BulkMethod::Patch) {
        if touched.unique {
            add(&mut claims, Key::Names(place), Mode::Alone);
        } else if touched.likely {
            add(&mut claims, Key::Names(place), Mode::Change);
        }
        if touched.drops {
            add(&mut claims, Key::References, Mode::Drop);
        }
    }
    if operation.version.is_some() {
        add(&mut claims, Key::References, Mode::Drop);
    }
    for name in touched.names {
        add(&mut claims, Key::Text(name), Mode::Alone);
    }
    claims
}

fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Visits every text that may be an id: a whole string or number, the end of a `$ref`, a quoted piece of a PATCH path.
fn said(value: &Value, visit: &mut dyn FnMut(String)) {
    match value {
        Value::String(text) => {
            visit(folded(text));
            if text.contains('/')
                && let Some(id) = referenced_id(text)
            {
                visit(folded(&id));
            }
            text.split('"').skip(1).step_by(2).for_each(|quoted| visit(folded(quoted)));
        }
        Value::Number(number) => visit(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| said(item, visit)),
        Value::Object(members) => members.values().for_each(|member| said(member, visit)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn is_unique(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::ReadOnly
        && (attribute.uniqueness != Uniqueness::None
            || attribute.sub_attributes.iter().any(|sub| sub.uniqueness != Uniqueness::None))
}

/// What a backend may hold to be unique whatever the schema says.
fn may_be_unique(attribute: &AttrRef<'_>, kind: &ResourceType) -> bool {
    attribute.extension.is_none()
        && match attribute.attribute.name.as_str() {
            "externalId" | "emails" => true,
            "displayName" => !kind.attributes().any(|other| is_unique(other.attribute)),
            _ => false,
        }
}

/// A member by name, in any case.
fn member<'v>(object: &'v Object, name: &str) -> Option<&'v Value> {
    object.iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
}

// === impl Touched ===

impl Touched {
    /// Takes in that an attribute is written; `whole` if its former value goes.
    fn attribute(&mut self, attribute: &AttrRef<'_>, kind: &ResourceType, whole: bool) {
        self.unique |= is_unique(attribute.attribute);
        self.likely |= may_be_unique(attribute, kind);
        let refers =
            attribute.attribute.sub_attribute("$ref").is_some() && attribute.attribute.mutability != Mutability::ReadOnly;
        self.drops |= refers && (whole || !is_reference_list(attribute.attribute));
    }

    /// Takes in an attribute with its new value.
    fn value(&mut self, attribute: &AttrRef<'_>, kind: &ResourceType, whole: bool, value: Option<&Value>) {
        self.attribute(attribute, kind, whole);
        if let Some(value) = value
            && (is_unique(attribute.attribute) || may_be_unique(attribute, kind))
        {
            self.leaves(value, attribute);
        }
    }

    /// The values that may be names; of complex ones those of `value` and of unique sub-attributes.
    fn leaves(&mut self, value: &Value, attribute: &AttrRef<'_>) {
        match value {
            Value::String(text) => self.names.extend([folded(text)]),
            Value::Number(number) => self.names.extend([number.to_string()]),
            Value::Array(items) => items.iter().for_each(|item| self.leaves(item, attribute)),
            Value::Object(members) => {
                for (name, member) in members {
                    let sub = attribute.attribute.sub_attribute(name);
                    if sub.is_some_and(|sub| sub.name == "value" || sub.uniqueness != Uniqueness::None) {
                        self.leaves(member, attribute);
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The attributes of a resource, or of the value of a PATCH operation without a path.
    fn resource(&mut self, data: Option<&Value>, kind: &ResourceType) {
        for (name, value) in data.and_then(Value::as_object).into_iter().flatten() {
            match named(kind, name) {
                Some(Target::Attribute(attribute)) => self.value(&attribute, kind, true, Some(value)),
                Some(Target::Extension(schema)) => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if let Some(attribute) = schema.attribute(name) {
                            self.value(&AttrRef { extension: Some(schema), attribute, sub: None }, kind, true, Some(value));
                        }
                    }
                }
                Some(Target::Resource) => self.resource(Some(value), kind),
                None => {}
            }
        }
    }

    /// The attributes that the operations of a PATCH change.
    fn patch(&mut self, data: Option<&Value>, kind: &ResourceType) {
        let operations = data.and_then(Value::as_object).and_then(|data| member(data, "Operations"));
        for operation in operations.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
            let text = |name| member(operation, name).and_then(Value::as_str);
            let (value, adds) = (member(operation, "value"), text("op").is_some_and(|op| op.eq_ignore_ascii_case("add")));
            let Some(path) = text("path").filter(|path| !path.trim().is_empty()) else {
                self.resource(value, kind);
                continue;
            };
            let (path, filtered) = path.split_once('[').map_or((path, false), |(path, _)| (path, true));
            match named(kind, path) {
                Some(Target::Attribute(attribute)) => self.value(&attribute, kind, !adds && !filtered, value),
                Some(Target::Extension(_) | Target::Resource) => {
                    let nested = serde_json::json!({ path: value });
                    self.resource(Some(&nested), kind);
                    self.drops = true;
                }
                None => {}
            }
        }
    }
}
