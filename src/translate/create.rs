//! What a new resource shall be, and what of it the call that creates it carries.

use serde_json::{Value, json};

use super::change;
use super::read::put;
use super::write::{body, key_of, value_of};
use crate::mapping::Mapping;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Create, Initial, MembershipChange, Resource, Shape};
use crate::mapping::path::WritePath;
use crate::mapping::template::Root;
use crate::scim::{Object, ScimError};

/// Gives the attributes that the client left out the values that the mapping has for them. `made_up` gives a text of so many
/// characters.
pub fn fill_in<E>(
    resource: &Resource,
    desired: &mut Object,
    mut made_up: impl FnMut(usize) -> Result<String, E>,
) -> Result<(), E> {
    for line in &resource.lines {
        let Shape::Field(field) = &line.shape else { continue };
        let Some(initial) = field.initial.as_ref().filter(|_| value_of(desired, &line.target).is_none()) else { continue };
        let value = match initial {
            Initial::Value(value) => value.clone(),
            Initial::Random(chars) => Value::from(made_up(*chars)?),
        };
        put(desired, &line.target, value, None);
    }
    Ok(())
}

/// What the attribute map writes of a new resource, with the members that are in the record itself.
pub fn record(
    mapping: &Mapping,
    tables: &Tables,
    resource: &Resource,
    create: &Create,
    desired: &Object,
    members: &[String],
) -> Result<Value, ScimError> {
    let mut record = body(mapping, tables, change::created(resource), desired, None)?;
    let inline = resource.members.as_ref().and_then(|members| members.list.inline());
    if let Some((place, _)) = inline.and_then(|inline| inline.write.as_ref()).filter(|_| has_members_in_record(resource, create))
    {
        place.put(&mut record, members.iter().filter_map(|id| member_element(mapping, resource, id)).collect());
    }
    Ok(record)
}

/// Whether the call creates the group with its members.
pub fn carries_members(resource: &Resource, create: &Create) -> bool {
    create.call.uses_any(&[Root::Members]) || has_members_in_record(resource, create)
}

fn has_members_in_record(resource: &Resource, create: &Create) -> bool {
    resource.members.as_ref().filter(|members| matches!(members.change, MembershipChange::Record)).is_some_and(|members| {
        let place = members.list.inline().and_then(|inline| inline.write.as_ref());
        place.is_some_and(|(place, _)| create.call.holds_field(place.names()))
    })
}

/// A new member as an element of the array in the record.
pub fn member_element(mapping: &Mapping, resource: &Resource, id: &str) -> Option<Value> {
    let members = resource.members.as_ref()?;
    let key = key_of(mapping.resources.get(members.of)?, id)?;
    let (_, place) = members.list.inline()?.write.as_ref()?;
    Some(element(place.as_ref(), key))
}

/// An element of an array of keys: the key itself, or an object that has it.
pub fn element(place: Option<&WritePath>, key: Value) -> Value {
    match place {
        None => key,
        Some(place) => {
            let mut element = json!({});
            place.put(&mut element, key);
            element
        }
    }
}

/// Puts what the create call could not carry, and so has calls of its own, into the resource that it made.
pub fn complete(resource: &Resource, desired: &Object, made: &mut Object) {
    let carried: Vec<_> = change::created(resource).map(|line| &line.target).collect();
    for line in resource.lines.iter().filter(|line| line.shape.is_writable() && !carried.contains(&&line.target)) {
        if let Some(value) = value_of(desired, &line.target) {
            put(made, &line.target, value.clone(), None);
        }
    }
}

/// How many resources of a type one call creates; nothing if the backend has no such call, or if the mapping wants to look
/// at each of them before.
pub fn batch_size(resource: &Resource) -> Option<usize> {
    let create = resource.create.as_ref()?;
    let looks = create.conflict.as_ref().is_some_and(|conflict| conflict.look_first);
    create.batch.as_ref().filter(|_| !looks).map(|batch| batch.size)
}
