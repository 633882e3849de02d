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

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn delete(&self, id: &str) -> Result<Reply, Error> {
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        match &self.resource.delete {
            Some(Delete::Calls(deletion)) => {
                let conditional = self.context.if_match.as_deref().is_some_and(|tags| tags.trim() != "*")
                    || self.context.if_none_match.is_some();
                let mut found = None;
                // What does not exist for SCIM cannot be deleted, whatever the backend would say.
                if conditional || deletion.needs_record() || self.resource.gone.is_some() {
                    let current = self.fetch(&key).await?.ok_or_else(|| self.not_found(id))?;
                    self.check_version(&current.resource)?;
                    found = Some(current);
                }
                self.delete_calls(deletion, id, &key, found.as_ref()).await?;
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

    /// The change that stands for a deletion.
    async fn delete_by_change(&self, id: &str, key: &Value, target: &Target, value: &Value) -> Result<(), Error> {
        for _ in 0..=limits::REPLANS {
            let current = self.fetch(key).await?.ok_or_else(|| self.not_found(id))?;
            self.check_version(&current.resource)?;
            let mut desired = current.resource.clone();
            put(&mut desired, target, value.clone(), None);
            if let Changed::Now(_) = self.change(id, key, &current, &desired).await? {
                return Ok(());
            }
        }
        Err(self.contended(id))
    }

    /// Makes the calls of a deletion. What the earlier ones did is taken back if a later one fails.
    pub(super) async fn delete_calls(
        &self,
        deletion: &Deletion,
        id: &str,
        key: &Value,
        found: Option<&Found>,
    ) -> Result<(), Error> {
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
            match self.send(build(call, &Scope { kept: Some(&sides.kept), ..scope }, None, &[])?).await? {
                Outcome::Good(_) | Outcome::Done => {}
                Outcome::NotFound => return Err(self.not_found(id)),
                Outcome::Stale => return Err(self.contended(id)),
                Outcome::Refused(error) => return Err(error.into()),
                other => return Err(unexpected(call, &other)),
            }
            // The resource is gone by now, whatever becomes of these.
            let left = || vec![format!("{} {id} was deleted", self.resource.kind.name)];
            self.side_calls(&deletion.around.after, &scope, &mut sides).await.map_err(|error| error.leaving(left()))
        };
        match done.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let left = self.undo(sides, &scope).await;
                Err(error.leaving(left))
            }
        }
    }
}
