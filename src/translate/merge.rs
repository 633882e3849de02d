//! What a PUT makes of a resource (RFC 7644 section 3.5.1): what came in, and what it leaves as it is.

use serde_json::Value;

use super::change;
use crate::mapping::model::Resource;
use crate::scim::resource::Incoming;
use crate::scim::{AttrRef, Mutability, Object, Profile, ScimError};

/// The desired resource. `current` is the resource as it is.
pub fn merged(resource: &Resource, profile: &Profile, incoming: &Incoming<'_>, current: &Object) -> Result<Object, ScimError> {
    let mut desired = incoming.resource.clone();
    for attribute in resource.kind.attributes() {
        let (sent, present) = (attribute.get(&desired), attribute.get(current));
        if attribute.attribute.mutability == Mutability::Immutable
            && let (Some(sent), Some(present)) = (sent, present)
            && sent != present
        {
            return Err(ScimError::mutability(format!(
                "{attribute} has a value and cannot be changed any more: send it as it is, or leave it out."
            )));
        }
        if !is_kept(resource, profile, incoming, &attribute) {
            continue;
        }
        match present.cloned() {
            Some(value) => attribute.set(&mut desired, value),
            None => {
                attribute.take(&mut desired);
            }
        }
    }
    keep_read_only_parts(&resource.kind.attributes().collect::<Vec<_>>(), &mut desired, current);
    Ok(desired)
}

/// Whether a PUT leaves the attribute as it is, whatever that is: it is not the client's, or it was left out and nothing
/// asks for clearing it.
pub fn is_kept(resource: &Resource, profile: &Profile, incoming: &Incoming<'_>, attribute: &AttrRef<'_>) -> bool {
    let is_sent = attribute.get(&incoming.resource).is_some();
    match attribute.attribute.mutability {
        Mutability::ReadOnly => true,
        Mutability::Immutable => !is_sent,
        Mutability::ReadWrite => !is_sent && stays(resource, profile, incoming, attribute),
        Mutability::WriteOnly => false,
    }
}

/// Whether a PUT that leaves the attribute out keeps it: section 3.5.1 lets an omitted attribute count as not asserted.
/// What nothing can clear is kept, too; a client that sets it to `null` is told so.
fn stays(resource: &Resource, profile: &Profile, incoming: &Incoming<'_>, attribute: &AttrRef<'_>) -> bool {
    let is_status = attribute.extension.is_none() && attribute.attribute.name == "active";
    (profile.put_keeps_status && is_status || !change::can_be_cleared(resource, attribute))
        && !incoming.cleared.iter().any(|cleared| cleared.same_attribute(attribute))
}

/// Read-only sub-attributes of singular complex attributes are the backend's, whatever came in.
fn keep_read_only_parts(attributes: &[AttrRef<'_>], desired: &mut Object, current: &Object) {
    for attribute in attributes.iter().filter(|attribute| attribute.attribute.is_complex() && !attribute.attribute.multi_valued) {
        let Some(Value::Object(mut value)) = attribute.get(desired).cloned() else { continue };
        for sub in
            attribute.attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::ReadOnly || sub.name == "$ref")
        {
            match attribute.get(current).and_then(|present| present.get(&sub.name)) {
                Some(present) => value.insert(sub.name.clone(), present.clone()),
                None => value.remove(&sub.name),
            };
        }
        attribute.set(desired, Value::Object(value));
    }
}
