//! Bringing a resource from what it is to what it shall be.

use serde_json::Value;

use super::fetch::{Found, build, unexpected};
use super::ports::Backend;
use super::{Error, Operation};
use crate::mapping::model::{Body, Line};
use crate::mapping::template::Scope;
use crate::scim::{Object, Projection, ScimError};
use crate::translate::change::{self, Planned};
use crate::translate::outcome::Outcome;
use crate::translate::write;

/// What became of a change.
pub(super) enum Changed {
    /// The resource as the backend holds it now.
    Now(Box<Found>),
    /// The backend has another revision than the one that was read: read again, plan again.
    Stale,
}

impl<B: Backend> Operation<'_, B> {
    /// A PUT or PATCH of what no call can change would be a 200 for nothing.
    pub(super) fn check_changeable(&self) -> Result<(), Error> {
        if self.resource.update.is_empty() && self.resource.members.is_none() {
            let name = &self.resource.kind.name;
            return Err(ScimError::status(501, format!("{name} resources cannot be changed here.")).into());
        }
        Ok(())
    }

    /// Makes the calls that change `from` into `desired`. When one fails, what the earlier ones changed is changed back;
    /// what cannot be is named in the error.
    pub(super) async fn change(&self, id: &str, key: &Value, from: &Found, desired: &Object) -> Result<Changed, Error> {
        let changed = change::changed(self.resource, &from.resource, desired);
        let planned = change::updates(self.resource, &changed, desired)?;
        let mut now = from.clone();
        let mut done: Vec<&Line> = Vec::new();
        for step in &planned {
            match self.step(id, key, step, &now.record, desired).await {
                Ok(Some(found)) => now = *found,
                // With If-Match, to plan again would be to find our own revision and say that nothing was done.
                Ok(None) if done.is_empty() || self.context.if_match.is_none() => return Ok(Changed::Stale),
                Ok(None) => {
                    let left = self.change_back(id, key, &now, &from.resource, &done).await;
                    return Err(self.contended(id).leaving(left));
                }
                Err(error) if done.is_empty() => return Err(error),
                // What may have been done is changed back, too, if it was.
                Err(error) if error.may_have_acted() => {
                    done.extend(changed.iter().filter(|line| step.makes(line)).copied());
                    let left = self.revert(id, key, &from.resource, &done).await;
                    return Err(error.leaving(left));
                }
                Err(error) => {
                    let left = self.change_back(id, key, &now, &from.resource, &done).await;
                    return Err(error.leaving(left));
                }
            }
            done.extend(changed.iter().filter(|line| step.makes(line)).copied());
        }
        Ok(Changed::Now(Box::new(now)))
    }

    /// One call; `None` if the revision is stale.
    async fn step(
        &self,
        id: &str,
        key: &Value,
        step: &Planned<'_>,
        record: &Value,
        desired: &Object,
    ) -> Result<Option<Box<Found>>, Error> {
        let update = step.update;
        let id_value = Value::from(id);
        let scope =
            Scope { id: Some(&id_value), key: Some(key), record: Some(record), resource: Some(desired), ..Scope::default() };
        let body = match &update.call.body {
            Body::Record => {
                let before = write::Before { record, changed: &step.changed };
                Some(write::body(self.mapping(), step.lines.iter().copied(), desired, Some(before))?)
            }
            _ => None,
        };
        let outcome = self.send(build(&update.call, &scope, body.as_ref(), &[])?).await?;
        match outcome {
            Outcome::Good(body) if !update.read_back => {
                // An answer without the record is no fault: it is read instead.
                if let Ok(found) = self.record(&update.call, &update.item, &body)
                    && found.resource.get("id").and_then(Value::as_str) == Some(id)
                {
                    return Ok(Some(Box::new(found)));
                }
                self.again(id, key).await.map(Some).map_err(|error| error.leaving(step.names()))
            }
            Outcome::Good(_) | Outcome::Done => self.again(id, key).await.map(Some).map_err(|error| error.leaving(step.names())),
            Outcome::NotFound => Err(self.not_found(id)),
            Outcome::Stale => Ok(None),
            Outcome::Refused(error) => Err(error.into()),
            other => Err(unexpected(&update.call, &other)),
        }
    }

    /// Reads the resource after a change of it.
    pub(super) async fn again(&self, id: &str, key: &Value) -> Result<Box<Found>, Error> {
        self.fetch(key).await?.map(Box::new).ok_or_else(|| self.not_found(id))
    }

    /// The resource after a write, with its relation if that is wanted; read again if `now` is nothing. The write was made,
    /// whatever becomes of this.
    pub(super) async fn after_write(
        &self,
        id: &str,
        key: &Value,
        now: Option<Object>,
        projection: &Projection<'_>,
    ) -> Result<Object, Error> {
        let read = async {
            let mut resource = match now {
                Some(resource) => resource,
                None => self.again(id, key).await?.resource,
            };
            if self.relation().is_some_and(|relation| projection.wants(&relation)) {
                self.attach(&mut resource).await?;
            }
            Ok(resource)
        };
        read.await.map_err(|error: Error| error.leaving(vec![format!("{} {id}", self.resource.kind.name)]))
    }

    /// Takes a change of these lines back because a later part of the same request failed; tells what is left of it.
    pub(super) async fn revert(&self, id: &str, key: &Value, former: &Object, done: &[&Line]) -> Vec<String> {
        if done.is_empty() {
            return Vec::new();
        }
        // The later part may have given the record another revision, and what may have been done may not have been.
        match self.fetch(key).await {
            Ok(Some(now)) => {
                let differing = change::changed(self.resource, &now.resource, former);
                let is_there =
                    |line: &&&Line| !line.shape.is_readable() || differing.iter().any(|other| other.target == line.target);
                let done: Vec<&Line> = done.iter().filter(is_there).copied().collect();
                self.change_back(id, key, &now, former, &done).await
            }
            Ok(None) | Err(_) => done.iter().map(|line| line.target.to_string()).collect(),
        }
    }

    /// Gives the lines their former values again, and tells which it could not.
    async fn change_back(&self, id: &str, key: &Value, now: &Found, former: &Object, done: &[&Line]) -> Vec<String> {
        let names = |lines: &[&Line]| lines.iter().map(|line| line.target.to_string()).collect::<Vec<_>>();
        let (readable, lost): (Vec<&Line>, Vec<&Line>) = done.iter().partition(|line| line.shape.is_readable());
        let Ok(planned) = change::updates(self.resource, &readable, former) else { return names(done) };
        let mut left = names(&lost);
        let mut now = now.clone();
        for step in planned.iter().rev() {
            match self.step(id, key, step, &now.record, former).await {
                Ok(Some(found)) => now = *found,
                Ok(None) | Err(_) => {
                    let lines: Vec<&Line> = readable.iter().copied().filter(|line| step.makes(line)).collect();
                    left.extend(names(&lines));
                }
            }
        }
        left
    }

    /// The error for a resource whose revision will not stand still.
    pub(super) fn contended(&self, id: &str) -> Error {
        let status = if self.context.if_match.is_some() { 412 } else { 409 };
        let name = &self.resource.kind.name;
        ScimError::status(
            status,
            format!("The {name} \"{id}\" is being changed by others at the same time: read it and try again."),
        )
        .into()
    }
}
