//! DELETE (RFC 7644 section 3.6).

use serde_json::Value;

use super::fetch::{Found, build, unexpected};
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::update::Changed;
use super::{Error, Operation, Reply};
use crate::limits;
use crate::mapping::model::{Delete, Deletion, Target};
use crate::mapping::template::Scope;
use crate::scim::ScimError;
use crate::translate::outcome::Outcome;
use crate::translate::read::put;
use crate::translate::write::key_of;

/// What became of a deletion.
pub(super) enum Deleted {
    Yes,
    /// The backend has another revision than the one that was read.
    Stale,
}

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn delete(&self, id: &str) -> Result<Reply, Error> {
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        match &self.resource.delete {
            Some(Delete::Calls(deletion)) => {
                let conditional = self.context.if_match.as_deref().is_some_and(|tags| tags.trim() != "*")
                    || self.context.if_none_match.is_some();
                // What does not exist for SCIM cannot be deleted, whatever the backend would say.
                let is_read = conditional || deletion.needs_record() || self.resource.gone.is_some();
                self.delete_planned(deletion, id, &key, is_read).await?;
            }
            Some(Delete::Change(target, value)) => self.delete_by_change(id, &key, target, value).await?,
            Some(Delete::Refuse(reason)) => return Err(ScimError::status(403, reason.clone()).into()),
            None => {
                return Err(
                    ScimError::status(501, format!("{} resources cannot be deleted here.", self.resource.kind.name)).into()
                );
            }
        }
        Ok(Reply { status: 204, ..Reply::default() })
    }

    /// Deletes by calls. If the backend has another revision than the one that was read, it is read again.
    async fn delete_planned(&self, deletion: &Deletion, id: &str, key: &Value, is_read: bool) -> Result<(), Error> {
        for _ in 0..=limits::REPLANS {
            let mut found = None;
            if is_read {
                let current = self.fetch(key).await?.ok_or_else(|| self.not_found(id))?;
                self.check_version(&current.resource)?;
                found = Some(current);
            }
            match self.delete_calls(deletion, id, key, found.as_ref()).await? {
                Deleted::Yes => return Ok(()),
                Deleted::Stale if is_read => {}
                Deleted::Stale => break,
            }
        }
        Err(self.contended(id))
    }

    /// The change that stands for a deletion. What is there afterwards is nobody's business: it may not exist for SCIM.
    async fn delete_by_change(&self, id: &str, key: &Value, target: &Target, value: &Value) -> Result<(), Error> {
        let mut remain: Vec<String> = Vec::new();
        for _ in 0..=limits::REPLANS {
            let leaving = |error: Error| error.leaving(remain.clone());
            let current = self.fetch(key).await.map_err(leaving)?.ok_or_else(|| leaving(self.not_found(id)))?;
            self.check_version(&current.resource).map_err(leaving)?;
            let mut desired = current.resource.clone();
            put(&mut desired, target, value.clone(), None);
            let changed = self.change(id, key, &current, &desired, false).await;
            match changed.map_err(leaving)? {
                Changed::Now(_) => return Ok(()),
                Changed::Stale(done) => remain.extend(done),
            }
        }
        Err(self.contended(id).leaving(remain))
    }

    /// Makes the calls of a deletion. If one fails before the resource is deleted, what the earlier ones did is taken back;
    /// behind that only those that come after it are.
    pub(super) async fn delete_calls(
        &self,
        deletion: &Deletion,
        id: &str,
        key: &Value,
        found: Option<&Found>,
    ) -> Result<Deleted, Error> {
        let identity = Identity::new(id, key);
        let scope = Scope {
            record: found.map(|found| &found.record),
            version: found.and_then(|found| found.version.as_ref()),
            resource: found.map(|found| &found.resource),
            ..identity.scope()
        };
        let mut sides = Sides::default();
        let done = async {
            self.side_calls(&deletion.around.before, &scope, &mut sides).await?;
            let call = &deletion.call;
            match self.send(build(call, &Scope { kept: Some(&sides.kept), ..scope }, None)?).await? {
                Outcome::Good(_) | Outcome::Done => Ok(Deleted::Yes),
                Outcome::NotFound => Err(self.not_found(id)),
                Outcome::Stale => Ok(Deleted::Stale),
                Outcome::Refused(error) => Err(error.into()),
                other => Err(unexpected(call, &other)),
            }
        };
        let done = done.await;
        if !matches!(done, Ok(Deleted::Yes)) {
            let left = self.undo(sides, &scope).await;
            return match done {
                Ok(stale) if left.is_empty() => Ok(stale),
                Ok(_) => Err(self.contended(id).leaving(left)),
                Err(error) => Err(error.leaving(left)),
            };
        }
        let mark = sides.mark();
        if let Err(error) = self.side_calls(&deletion.around.after, &scope, &mut sides).await {
            let mut left = vec![format!("{} {id} was deleted", self.resource.kind.name)];
            left.extend(self.undo(sides.since(mark), &scope).await);
            return Err(error.leaving(left));
        }
        Ok(Deleted::Yes)
    }
}
