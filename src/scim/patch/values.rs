//! Values within a PATCH: which of them are meant, and what becomes of one.

use serde_json::Value;

use crate::scim::compare::{is_case_exact, text_eq};
use crate::scim::resource::is_reference_list;
use crate::scim::value::Identity;
use crate::scim::{Attribute, Mutability, Object, ScimError};

/// The list within `{"members": [...]}` as the value of the path `members` (Salesforce).
pub(super) fn unpacked(value: Value, attribute: &Attribute) -> Value {
    match value {
        Value::Object(mut object)
            if object.len() == 1
                && attribute.sub_attribute(&attribute.name).is_none()
                && object.keys().all(|name| name.eq_ignore_ascii_case(&attribute.name)) =>
        {
            let name = object.keys().next().cloned().unwrap_or_default();
            object.remove(&name).unwrap_or(Value::Null)
        }
        other => other,
    }
}

/// An id that came along with other attributes; `null` is none.
pub(super) fn echoed_id(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(id) => Some(id),
        other => Some(other.to_string()),
    }
}

/// Whether an entry of a list of values to remove says which one: an empty entry must not mean all.
pub(super) fn is_removal(entry: &Value, attribute: &Attribute) -> bool {
    match entry {
        Value::Object(members) if is_reference_list(attribute) => members.contains_key("value"),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

/// Whether a value is the one that an entry of a list of values to remove means: by `value`, and by `type` where both
/// have one; without `value` by all that the entry says.
pub(super) fn is_meant(value: &Value, entry: &Value, attribute: &Attribute) -> bool {
    let same = |name: &str, entry: &Value| {
        let exact = attribute.sub_attribute(name).is_none_or(is_case_exact);
        value.get(name).is_some_and(|value| equal(value, entry, exact))
    };
    let Value::Object(entry) = entry else {
        return equal(value, entry, is_case_exact(attribute));
    };
    match entry.get("value") {
        Some(id) if is_reference_list(attribute) => same("value", id),
        Some(id) => {
            let kind = entry.get("type").filter(|_| value.get("type").is_some());
            same("value", id) && kind.is_none_or(|kind| same("type", kind))
        }
        None => !entry.is_empty() && entry.iter().all(|(name, member)| same(name, member)),
    }
}

fn equal(a: &Value, b: &Value, exact: bool) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => text_eq(a, b, exact),
        (a, b) => a == b,
    }
}

/// Merges sub-attributes into a complex value; `null` clears one.
pub(super) fn merge(value: &mut Object, changes: &Object, attribute: &Attribute) -> Result<(), ScimError> {
    let repoints = changes.get("value").is_some_and(|id| value.get("value").is_some_and(|former| former != id));
    if repoints {
        forget_former(value, attribute);
    }
    for (name, change) in changes {
        if let Some(sub) = attribute.sub_attribute(name) {
            assign(value, attribute, sub, Some(change))?;
        }
    }
    Ok(())
}

/// Sets or clears one sub-attribute of a complex value.
pub(super) fn set(value: &mut Object, attribute: &Attribute, sub: &Attribute, change: Option<&Value>) -> Result<(), ScimError> {
    if sub.name == "value" && value.get("value") != change {
        // With the id of a reference its target is gone: `$ref` alone would dangle.
        match change {
            None if attribute.sub_attribute("$ref").is_some() && sub.mutability != Mutability::Immutable => {
                value.clear();
                return Ok(());
            }
            Some(_) if value.contains_key("value") => forget_former(value, attribute),
            None | Some(_) => {}
        }
    }
    assign(value, attribute, sub, change)
}

/// What described the former target of a reference (`$ref`, the manager's `displayName`) is no longer true.
fn forget_former(value: &mut Object, attribute: &Attribute) {
    value.retain(|name, _| {
        attribute.sub_attribute(name).is_none_or(|sub| {
            sub.mutability == Mutability::Immutable || (sub.name != "$ref" && sub.mutability != Mutability::ReadOnly)
        })
    });
}

fn assign(value: &mut Object, attribute: &Attribute, sub: &Attribute, change: Option<&Value>) -> Result<(), ScimError> {
    let change = change.filter(|change| !change.is_null());
    let former = value.get(&sub.name).filter(|former| !former.is_null());
    if sub.mutability == Mutability::Immutable && former.is_some_and(|former| Some(former) != change) {
        return Err(ScimError::mutability(format!(
            "{}.{} is immutable and has a value: remove the whole value and add another.",
            attribute.name, sub.name
        )));
    }
    match change {
        Some(change) => drop(value.insert(sub.name.clone(), change.clone())),
        None => drop(value.remove(&sub.name)),
    }
    Ok(())
}

/// Adds a value to those of a multi-valued attribute, unless it is there (section 3.5.2.1: no change then). Returns the
/// place of the value.
pub(super) fn add(
    values: &mut Vec<Value>,
    places: &mut std::collections::HashMap<Identity, usize>,
    value: &Value,
    attribute: &Attribute,
) -> Result<usize, ScimError> {
    let identity = Identity::of(value, attribute);
    if let Some(&place) = places.get(&identity) {
        // Who is a member is settled by the id; a repeated add must leave the group untouched (JumpCloud, Okta).
        if !is_reference_list(attribute)
            && let (Some(Value::Object(present)), Value::Object(more)) = (values.get_mut(place), value)
        {
            merge(present, more, attribute)?;
        }
        return Ok(place);
    }
    let place = values.len();
    places.insert(identity, place);
    values.push(value.clone());
    Ok(place)
}
