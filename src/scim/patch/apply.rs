//! The operations of a PATCH, carried out on a resource.

use std::collections::HashMap;

use serde_json::Value;

use super::values::{add, is_meant, merge, set};
use super::{Op, Operation, PatchRequest, at};
use crate::scim::filter::Predicate;
use crate::scim::resource::{is_reference_list, schemas_of};
use crate::scim::value::{Identity, Place, one_primary};
use crate::scim::{AttrRef, Mutability, Object, Profile, ScimError};

// === impl PatchRequest ===

impl PatchRequest<'_> {
    /// Applies the operations in their order, each to the result of the one before. `schemas` is set anew from the
    /// data. On an error the resource is left as it was (section 3.5.2: all or nothing).
    pub fn apply(&self, resource: &mut Object) -> Result<(), ScimError> {
        if let Some(id) = resource.get("id").and_then(Value::as_str) {
            self.check_id(id)?;
        }
        let mut changed = resource.clone();
        for operation in &self.operations {
            operation.apply(&mut changed, &self.profile).map_err(|error| at(operation.index, &error))?;
        }
        self.check_required(resource, &changed)?;
        let schemas = schemas_of(&changed, self.resource_type);
        changed.insert("schemas".to_owned(), Value::from(schemas));
        *resource = changed;
        Ok(())
    }

    /// What is required and was there must still be there. What the backend did not have in the first place is not the
    /// client's fault.
    fn check_required(&self, before: &Object, after: &Object) -> Result<(), ScimError> {
        for attribute in self.resource_type.attributes().filter(|attribute| attribute.attribute.required) {
            let is_used = attribute.extension.is_none_or(|schema| {
                let required = self.resource_type.extension(&schema.id).is_some_and(|extension| extension.required);
                required || after.contains_key(&schema.id)
            });
            if is_used && attribute.get(before).is_some() && attribute.get(after).is_none() {
                return Err(ScimError::mutability(format!(
                    "{attribute} is required; after these operations it would have no value."
                )));
            }
        }
        Ok(())
    }
}

// === impl Operation ===

impl Operation<'_> {
    fn apply(&self, resource: &mut Object, profile: &Profile) -> Result<(), ScimError> {
        let current = self.target.take(resource).filter(|value| !value.is_null());
        let next = if self.target.attribute.multi_valued {
            let values = match current {
                Some(Value::Array(values)) => values,
                Some(single) => vec![single],
                None => Vec::new(),
            };
            let values = self.on_values(values, profile)?;
            (!values.is_empty()).then_some(Value::Array(values))
        } else {
            self.on_single(current, profile)?
        };
        if let Some(next) = next {
            self.target.set(resource, next);
        }
        Ok(())
    }

    /// On a singular attribute.
    fn on_single(&self, current: Option<Value>, profile: &Profile) -> Result<Option<Value>, ScimError> {
        let attribute = self.target.attribute;
        let mut current = current;
        if let Some(filter) = &self.filter {
            // `manager[value eq ".."]`: one value, which is the one meant or is not.
            if !current.as_ref().is_some_and(|value| filter.matches_value(value)) {
                if self.op == Op::Remove || self.unassigns_leniently(profile) {
                    return if self.op != Op::Remove || profile.remove_unmatched_succeeds {
                        Ok(current)
                    } else {
                        Err(self.no_match())
                    };
                }
                if current.is_some() {
                    return Err(self.no_match());
                }
                current = Some(Value::Object(self.created(profile)?));
            }
        }
        let change = self.value.as_ref().filter(|_| self.op != Op::Remove);
        let next = match (self.target.sub, change) {
            (Some(sub), change) => {
                let mut object = into_object(current);
                if self.op == Op::Add && sub.multi_valued {
                    let joined = joined(object.get(&sub.name), change);
                    set(&mut object, attribute, sub, joined.as_ref())?;
                } else {
                    set(&mut object, attribute, sub, change)?;
                }
                Some(Value::Object(object)).filter(not_empty)
            }
            (None, Some(Value::Object(changes))) if attribute.is_complex() => {
                let former = current.clone();
                let mut object = into_object(current);
                merge(&mut object, changes, attribute)?;
                let next = Some(Value::Object(object)).filter(not_empty);
                self.check_immutable(former.as_ref(), next.as_ref())?;
                next
            }
            (None, change) => {
                self.check_immutable(current.as_ref(), change)?;
                change.cloned()
            }
        };
        Ok(next)
    }

    /// An immutable attribute can be set while it has no value, and set again to the value it has.
    fn check_immutable(&self, current: Option<&Value>, next: Option<&Value>) -> Result<(), ScimError> {
        let attribute = self.target.attribute;
        let fixed = |value: &Value| {
            attribute.mutability == Mutability::Immutable
                || attribute.sub_attributes.iter().any(|sub| {
                    sub.mutability == Mutability::Immutable && value.get(&sub.name) != next.and_then(|next| next.get(&sub.name))
                })
        };
        match current {
            Some(value) if Some(value) != next && fixed(value) => {
                Err(ScimError::mutability(format!("{} is immutable and has a value already.", self.target)))
            }
            _ => Ok(()),
        }
    }

    /// On all values of a multi-valued attribute, or on those that a filter chooses.
    fn on_values(&self, values: Vec<Value>, profile: &Profile) -> Result<Vec<Value>, ScimError> {
        let attribute = self.target.attribute;
        let former = (attribute.mutability == Mutability::Immutable && !values.is_empty()).then(|| values.clone());
        let next = match (&self.filter, self.target.sub) {
            (None, None) => self.on_all(values)?,
            (None, Some(_)) => {
                let chosen = (0..values.len()).collect();
                self.on_chosen(values, chosen, profile)?
            }
            (Some(filter), _) => {
                let matches =
                    |(place, value): (usize, &Value)| (!value.is_null() && filter.matches_value(value)).then_some(place);
                let chosen: Vec<usize> = values.iter().enumerate().filter_map(matches).collect();
                self.on_chosen(values, chosen, profile)?
            }
        };
        match former {
            Some(former) if former != next => {
                Err(ScimError::mutability(format!("{} is immutable and has values already.", self.target)))
            }
            _ => Ok(next),
        }
    }

    fn on_all(&self, mut values: Vec<Value>) -> Result<Vec<Value>, ScimError> {
        let attribute = self.target.attribute;
        let given = self.value.as_ref().and_then(Value::as_array).map(Vec::as_slice);
        match (self.op, given) {
            (Op::Remove, Some(entries)) => {
                values.retain(|value| !entries.iter().any(|entry| is_meant(value, entry, attribute)));
                Ok(values)
            }
            (Op::Remove | Op::Replace | Op::Add, None) => Ok(Vec::new()),
            (Op::Replace, Some(given)) => Ok(given.to_vec()),
            (Op::Add, Some(given)) => {
                let mut places: HashMap<Identity, usize> =
                    values.iter().enumerate().map(|(place, value)| (Identity::of(value, attribute), place)).collect();
                let mut primary = None;
                for value in given {
                    let place = add(&mut values, &mut places, value, attribute)?;
                    if is_primary(value) {
                        primary = Some(place);
                    }
                }
                move_primary(&mut values, primary.as_slice());
                Ok(values)
            }
        }
    }

    fn on_chosen(&self, mut values: Vec<Value>, chosen: Vec<usize>, profile: &Profile) -> Result<Vec<Value>, ScimError> {
        let attribute = self.target.attribute;
        let mut chosen = chosen;
        if chosen.is_empty() {
            match (self.op, &self.filter) {
                (Op::Remove, Some(_)) if !profile.remove_unmatched_succeeds => return Err(self.no_match()),
                (Op::Remove, _) | (_, None) if self.value.is_none() => return Ok(values),
                (_, Some(_)) if self.unassigns_leniently(profile) => return Ok(values),
                _ => {}
            }
            let fresh = match &self.filter {
                Some(_) => self.created(profile)?,
                None => Object::new(),
            };
            chosen.push(values.len());
            values.push(Value::Object(fresh));
        }
        let change = self.value.as_ref().filter(|_| self.op != Op::Remove);
        for &place in &chosen {
            let Some(value) = values.get_mut(place) else { continue };
            match (self.target.sub, change) {
                (Some(sub), change) => {
                    let Value::Object(object) = value else { continue };
                    set(object, attribute, sub, change)?;
                    // The reverse of creating a value from a filter: what is left of it tells nothing.
                    let is_husk =
                        profile.create_from_filter && change.is_none() && sub.name == "value" && says_only_its_kind(object);
                    if is_husk {
                        *value = Value::Null;
                    }
                }
                (None, Some(Value::Object(changes))) => {
                    let Value::Object(object) = value else { continue };
                    merge(object, changes, attribute)?;
                }
                (None, Some(change)) => *value = change.clone(),
                (None, None) => *value = Value::Null,
            }
        }
        let sets_primary = change.is_some_and(|change| match self.target.sub {
            Some(sub) => sub.name == "primary" && *change == Value::Bool(true),
            None => is_primary(change),
        });
        if sets_primary {
            if chosen.len() > 1 {
                let primaries: Vec<Value> = chosen.iter().filter_map(|&place| values.get(place).cloned()).collect();
                one_primary(&primaries, Place::of(attribute))?;
            }
            move_primary(&mut values, &chosen);
        }
        values.retain(not_empty);
        Ok(values)
    }

    /// Entra ID clears what it thinks is there; where nothing is, nothing is to be done.
    fn unassigns_leniently(&self, profile: &Profile) -> bool {
        self.value.is_none() && profile.create_from_filter
    }

    /// A new value that satisfies the filter, if the profile creates such.
    fn created(&self, profile: &Profile) -> Result<Object, ScimError> {
        // Not for references: `members[value eq ".."].display` must not make somebody a member.
        let creates = profile.create_from_filter && !is_reference_list(self.target.attribute);
        let equalities = self.filter.as_ref().filter(|_| creates).and_then(Predicate::equalities);
        let Some(equalities) = equalities else { return Err(self.no_match()) };
        let mut object = Object::new();
        for (AttrRef { sub, .. }, value) in equalities {
            match sub {
                Some(sub) if sub.mutability != Mutability::ReadOnly => drop(object.insert(sub.name.clone(), value)),
                _ => return Err(self.no_match()),
            }
        }
        Ok(object)
    }

    fn no_match(&self) -> ScimError {
        let filter = self.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = AttrRef { sub: None, ..self.target };
        ScimError::no_target(format!(
            "no value of {name} satisfies the filter {filter}: correct it, or add the value with \"path\": \"{name}\"."
        ))
    }
}

fn into_object(value: Option<Value>) -> Object {
    match value {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    }
}

fn not_empty(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

fn says_only_its_kind(object: &Object) -> bool {
    object.keys().all(|name| matches!(name.as_str(), "type" | "primary"))
}

/// The values of a multi-valued sub-attribute with those that are added.
fn joined(current: Option<&Value>, more: Option<&Value>) -> Option<Value> {
    let mut values: Vec<Value> = current.and_then(Value::as_array).cloned().unwrap_or_default();
    for value in more.and_then(Value::as_array).into_iter().flatten() {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    (!values.is_empty()).then_some(Value::Array(values))
}

/// A value that becomes primary takes that from all others (section 3.5.2).
fn move_primary(values: &mut [Value], to: &[usize]) {
    if to.is_empty() {
        return;
    }
    for (place, value) in values.iter_mut().enumerate() {
        if !to.contains(&place)
            && is_primary(value)
            && let Some(object) = value.as_object_mut()
        {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}
