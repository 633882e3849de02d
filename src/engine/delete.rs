//! DELETE (RFC 7644 section 3.6).

use serde_json::Value;

use super::fetch::{build, unexpected};
use super::ports::Backend;
use super::{Error, Operation, Reply};
use crate::mapping::model::Delete;
use crate::mapping::template::{Root, Scope, Template};
use crate::scim::ScimError;
use crate::translate::outcome::Outcome;
use crate::translate::write::key_of;

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn delete(&self, id: &str) -> Result<Reply, Error> {
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        let call = match &self.resource.delete {
            Some(Delete::Call(call)) => call,
            Some(Delete::Refuse(reason)) => return Err(ScimError::status(403, reason.clone()).into()),
            None => {
                return Err(
                    ScimError::status(501, format!("{} resources cannot be deleted here.", self.resource.kind.name)).into()
                );
            }
        };
        let conditional =
            self.context.if_match.as_deref().is_some_and(|tags| tags.trim() != "*") || self.context.if_none_match.is_some();
        let needs_record = call.templates().flat_map(Template::variables).any(|variable| variable.root == Root::Record);
        let mut record = None;
        if conditional || needs_record {
            let Some(found) = self.fetch(&key).await? else { return Err(self.not_found(id)) };
            self.check_version(&found.resource)?;
            record = Some(found.record);
        }
        let id_value = Value::from(id);
        let scope = Scope { id: Some(&id_value), key: Some(&key), record: record.as_ref(), ..Scope::default() };
        match self.send(build(call, &scope, None, &[])?).await? {
            Outcome::Good(_) | Outcome::Done => Ok(Reply { status: 204, ..Reply::default() }),
            Outcome::NotFound => Err(self.not_found(id)),
            Outcome::Stale => Err(self.contended(id)),
            Outcome::Refused(error) => Err(error.into()),
            other => Err(unexpected(call, &other)),
        }
    }
}
