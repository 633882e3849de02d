//! PUT (RFC 7644 section 3.5.1).

use serde_json::Value;

use super::ports::Backend;
use super::update::Changed;
use super::{Error, Names, Operation, Reply};
use crate::limits;
use crate::scim::resource::{Intent, read};
use crate::translate::merge::merged;
use crate::translate::write::key_of;
use crate::translate::{change, columns, relation};

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn replace(&self, id: &str, sent: Value, names: &Names) -> Result<Reply, Error> {
        change::check_changeable(self.resource)?;
        let projection = self.projection(names)?;
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        let mut incoming = read(sent, &self.resource.kind, Intent::Replace, self.context.profile)?;
        // Members that are left out go, as section 3.5.1 has it and SAP expects.
        let members = self.resource.members.as_ref().filter(|members| members.change.is_possible());
        let members = members.map(|_| incoming.resource.remove("members"));
        let (mut found, mut remain): (_, Vec<String>) = (None, Vec::new());
        for _ in 0..=limits::REPLANS {
            let leaving = |error: Error| error.leaving(remain.clone());
            let current = self.fetch(&key).await.map_err(leaving)?.ok_or_else(|| leaving(self.not_found(id)))?;
            self.check_version(&current.resource).map_err(leaving)?;
            let desired = merged(self.resource, self.context.profile, &incoming, &current.resource);
            let mut desired = desired.map_err(|error| leaving(error.into()))?;
            columns::fit(self.resource, &mut desired);
            self.settle(&mut desired, Some(&current.resource)).await.map_err(leaving)?;
            let changed = self.change(id, &key, &current, &desired, true).await;
            match changed.map_err(leaving)? {
                Changed::Now(now) => {
                    found = Some((*now, current, desired));
                    break;
                }
                Changed::Stale(done) => remain.extend(done),
            }
        }
        let (now, former, desired) = found.ok_or_else(|| self.contended(id).leaving(remain.clone()))?;
        // A change of the name may have given it another id.
        let (id, key) = self.identity(&now).unwrap_or_else(|| (id.to_owned(), key));
        let id = id.as_str();
        let mut now = Some(now);
        let change = members.as_ref().map(|members| relation::replaced(members.as_ref()));
        if let Some(change) = &change {
            // Members may count as a change of the group: its revision is read again.
            now = match self.change_members(id, &key, change.clone(), now.as_ref()).await {
                Ok(changed) => changed.now,
                Err(error) => {
                    let done = change::changed(self.resource, &former.resource, &desired);
                    return Err(error.leaving(remain).leaving(self.revert(id, &key, &former, &done, &[]).await));
                }
            };
        }
        let resource = self.after_write(id, &key, now.map(|found| found.resource), change.as_ref(), &projection).await?;
        let written = self.resource.kind.attributes().filter(|attribute| attribute.get(&incoming.resource).is_some());
        Ok(Reply::resource(200, resource, &projection.clone().also(written)))
    }
}
