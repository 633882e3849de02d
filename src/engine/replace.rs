//! PUT (RFC 7644 section 3.5.1).

use serde_json::Value;

use super::ports::Backend;
use super::update::Changed;
use super::{Error, Names, Operation, Reply};
use crate::limits;
use crate::scim::resource::{Incoming, Intent, read};
use crate::scim::{AttrRef, Mutability, Object, ScimError};
use crate::translate::write::key_of;
use crate::translate::{change, columns, relation};

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn replace(&self, id: &str, sent: Value, names: &Names) -> Result<Reply, Error> {
        self.check_changeable()?;
        let projection = self.projection(names)?;
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        let mut incoming = read(sent, &self.resource.kind, Intent::Replace, self.context.profile)?;
        // Members that are left out go, as section 3.5.1 has it and SAP expects.
        let members = self.resource.members.as_ref().filter(|members| members.change.is_possible());
        let members = members.map(|_| incoming.resource.remove("members"));
        let mut found = None;
        for _ in 0..=limits::REPLANS {
            let Some(current) = self.fetch(&key).await? else { return Err(self.not_found(id)) };
            self.check_version(&current.resource)?;
            let mut desired = self.merged(&incoming, &current.resource)?;
            columns::fit(self.resource, &mut desired);
            if let Changed::Now(now) = self.change(id, &key, &current, &desired).await? {
                found = Some((*now, current.resource, desired));
                break;
            }
        }
        let (now, former, desired) = found.ok_or_else(|| self.contended(id))?;
        let mut now = Some(now);
        let change = members.as_ref().map(|members| relation::replaced(members.as_ref()));
        if let Some(change) = &change {
            // Members may count as a change of the group: its revision is read again.
            now = match self.change_members(id, &key, change.clone(), now.as_ref()).await {
                Ok(changed) => changed.now,
                Err(error) => {
                    let done = change::changed(self.resource, &former, &desired);
                    return Err(error.leaving(self.revert(id, &key, &former, &done).await));
                }
            };
        }
        let resource = self.after_write(id, &key, now.map(|found| found.resource), change.as_ref(), &projection).await?;
        let written = self.resource.kind.attributes().filter(|attribute| attribute.get(&incoming.resource).is_some());
        Ok(Reply::resource(200, resource, &projection.clone().also(written)))
    }

    /// The desired resource: what came in, and what a PUT leaves as it is.
    pub(super) fn merged(&self, incoming: &Incoming<'_>, current: &Object) -> Result<Object, Error> {
        let mut desired = incoming.resource.clone();
        for attribute in self.resource.kind.attributes() {
            let (sent, present) = (attribute.get(&desired), attribute.get(current));
            let kept = match (attribute.attribute.mutability, sent, present) {
                (Mutability::Immutable, Some(sent), Some(present)) if sent != present => {
                    return Err(ScimError::mutability(format!(
                        "{attribute} has a value and cannot be changed any more: send it as it is, or leave it out."
                    ))
                    .into());
                }
                (Mutability::ReadOnly, _, present) | (Mutability::Immutable, None, present) => present,
                (Mutability::ReadWrite, None, present) if self.stays(&attribute, incoming) => present,
                _ => continue,
            };
            match kept.cloned() {
                Some(value) => attribute.set(&mut desired, value),
                None => {
                    attribute.take(&mut desired);
                }
            }
        }
        keep_read_only_parts(&self.resource.kind.attributes().collect::<Vec<_>>(), &mut desired, current);
        Ok(desired)
    }

    /// Whether a PUT that leaves the attribute out keeps it: section 3.5.1 lets an omitted attribute count as not asserted.
    /// What nothing can clear is kept, too; a client that sets it to `null` is told so.
    fn stays(&self, attribute: &AttrRef<'_>, incoming: &Incoming<'_>) -> bool {
        let is_status = attribute.extension.is_none() && attribute.attribute.name == "active";
        (self.context.profile.put_keeps_status && is_status || !change::can_be_cleared(self.resource, attribute))
            && !incoming.cleared.iter().any(|cleared| cleared.same_attribute(attribute))
    }
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
