//! Bringing a resource from what it is to what it shall be.

use serde_json::Value;

use super::fetch::{Found, build, unexpected};
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::{Error, Operation};
use crate::mapping::model::{Line, MembershipChange, Send};
use crate::mapping::template::{Root, Scope};
use crate::scim::{Object, Projection, ScimError};
use crate::translate::change::{self, Planned};
use crate::translate::outcome::Outcome;
use crate::translate::relation::MemberChange;
use crate::translate::write;

/// What became of a change.
pub(super) enum Changed {
    /// The resource as the backend holds it now.
    Now(Box<Found>),
    /// The backend has another revision than the one that was read: read again, plan again.
    Stale,
}

/// What a step of a change is to lead to.
#[derive(Clone, Copy)]
pub(super) struct Goal<'g> {
    pub(super) id: &'g str,
    pub(super) key: &'g Value,
    pub(super) desired: &'g Object,
    /// Whether what is there after the step is needed.
    pub(super) is_read: bool,
}

impl<B: Backend> Operation<'_, B> {
    /// Makes the calls that change `from` into `desired`. When one fails, what the earlier ones changed is changed back;
    /// what cannot be is named in the error.
    pub(super) async fn change(&self, id: &str, key: &Value, from: &Found, desired: &Object) -> Result<Changed, Error> {
        let changed = change::changed(self.resource, &from.resource, desired);
        let planned = change::updates(self.resource, &changed, desired)?;
        let mut now = from.clone();
        let mut done: Vec<&Line> = Vec::new();
        let mut sides = Sides::default();
        // Between two calls nothing is read, unless the next ones need it.
        let mut unread = false;
        for (index, step) in planned.iter().enumerate() {
            let mut later = planned.iter().skip(index + 1).peekable();
            let is_read = later.peek().is_none() || later.any(|step| step.update.needs_record());
            let error = match self.step(Goal { id, key, desired, is_read }, step, &now, &mut sides).await {
                Ok(Some(found)) => {
                    now = *found;
                    unread |= !is_read;
                    done.extend(changed.iter().filter(|line| step.makes(line)).copied());
                    continue;
                }
                // With If-Match, to plan again would be to find our own revision and say that nothing was done.
                Ok(None) if done.is_empty() || self.context.if_match.is_none() => {
                    let identity = Identity::new(id, key);
                    let left = self.undo(sides, &Scope { record: Some(&now.record), ..identity.scope() }).await;
                    return if left.is_empty() { Ok(Changed::Stale) } else { Err(self.contended(id).leaving(left)) };
                }
                Ok(None) => self.contended(id),
                Err(error) => error,
            };
            let mut left = Vec::new();
            if error.may_have_acted() && !done.is_empty() {
                // What may have been done is changed back, too, if it was.
                done.extend(changed.iter().filter(|line| step.makes(line)).copied());
            }
            if (error.may_have_acted() || unread) && !done.is_empty() {
                left.extend(self.revert(id, key, &from.resource, &done).await);
            } else if !done.is_empty() {
                left.extend(self.change_back(id, key, &now, &from.resource, &done).await);
            }
            let scope = Identity::new(id, key);
            left.extend(self.undo(sides, &Scope { record: Some(&now.record), resource: Some(desired), ..scope.scope() }).await);
            return Err(error.leaving(left));
        }
        Ok(Changed::Now(Box::new(now)))
    }

    /// One call, with those around it; `None` if the revision is stale.
    pub(super) async fn step<'m>(
        &self,
        goal: Goal<'_>,
        step: &Planned<'m>,
        now: &Found,
        sides: &mut Sides<'m>,
    ) -> Result<Option<Box<Found>>, Error> {
        let Goal { id, key, desired, is_read } = goal;
        let identity = Identity::new(id, key);
        let scope = Scope {
            record: (!now.record.is_null()).then_some(&now.record),
            version: now.version.as_ref(),
            resource: Some(desired),
            ..identity.scope()
        };
        let around = &step.update.around;
        self.side_calls(&around.before, &scope, sides).await?;
        // What comes after may want the record that this call leaves; it is read at the end in any case.
        let is_wanted = around.after.iter().any(|side| side.call.uses_any(&[Root::Record, Root::Version]));
        let here = Goal { is_read: is_wanted || is_read && around.after.is_empty(), ..goal };
        let Some(found) = self.update_call(here, step, now, &Scope { kept: Some(&sides.kept), ..scope }).await? else {
            return Ok(None);
        };
        if around.after.is_empty() {
            return Ok(Some(found));
        }
        let after = Scope { record: Some(&found.record), version: found.version.as_ref(), ..scope };
        self.side_calls(&around.after, &after, sides).await.map_err(|error| error.leaving(step.names()))?;
        self.shown(goal, step).await.map(Some)
    }

    async fn update_call(
        &self,
        goal: Goal<'_>,
        step: &Planned<'_>,
        now: &Found,
        scope: &Scope<'_>,
    ) -> Result<Option<Box<Found>>, Error> {
        let Goal { id, desired, is_read, .. } = goal;
        let update = step.update;
        let body = if update.call.holds_fields() || update.send == Send::Each {
            let before = write::Before { record: &now.record, changed: &step.changed };
            let mut body = write::body(self.mapping(), step.lines.iter().copied(), desired, Some(before))?;
            if update.send == Send::Full {
                self.keep_members(&now.record, &mut body);
            }
            Some(body)
        } else {
            None
        };
        let place = step.lines.first().and_then(|line| line.shape.place()).filter(|_| update.send == Send::Each);
        let field = place.map(|place| Value::from(place.names().join(".")));
        let value = place.zip(body.as_ref()).and_then(|(place, body)| place.get(body));
        let scope = Scope { field: field.as_ref(), value, ..*scope };
        let (outcome, headers) = self.exchange(build(&update.call, &scope, body.as_ref(), &[])?).await?;
        match outcome {
            Outcome::Good(body) if !update.read_back => {
                // An answer without the record is no fault: it is read instead.
                if let Ok(found) = self.record(&update.call, &update.item, &body, Some(&headers))
                    && found.resource.get("id").and_then(Value::as_str) == Some(id)
                {
                    return Ok(Some(Box::new(found)));
                }
                if !is_read {
                    return Ok(Some(Box::new(now.clone())));
                }
                self.shown(goal, step).await.map(Some)
            }
            Outcome::Good(_) | Outcome::Done if !is_read => Ok(Some(Box::new(now.clone()))),
            Outcome::Good(_) | Outcome::Done => self.shown(goal, step).await.map(Some),
            Outcome::NotFound => Err(self.not_found(id)),
            Outcome::Stale => Ok(None),
            Outcome::Refused(error) => Err(error.into()),
            other => Err(unexpected(&update.call, &other)),
        }
    }

    /// Reads the resource after a call, until it shows what the call changed.
    async fn shown(&self, goal: Goal<'_>, step: &Planned<'_>) -> Result<Box<Found>, Error> {
        let Goal { id, key, desired, .. } = goal;
        let shows = |found: &Found| {
            let differing = change::changed(self.resource, &found.resource, desired);
            !differing.iter().any(|line| line.shape.is_readable() && step.makes(line))
        };
        let found = self.settled(key, shows).await.map_err(|error| error.leaving(step.names()))?;
        found.map(Box::new).ok_or_else(|| self.not_found(id).leaving(step.names()))
    }

    /// Members that are written with the record are sent as they are by a call that replaces the whole of it.
    fn keep_members(&self, record: &Value, body: &mut Value) {
        let Some(members) = self.resource.members.as_ref().filter(|members| matches!(members.change, MembershipChange::Record))
        else {
            return;
        };
        if let Some((place, _)) = members.list.inline().and_then(|inline| inline.write.as_ref())
            && let Some(raw) = place.get(record)
        {
            place.put(body, raw.clone());
        }
    }

    /// Reads the resource after a change of it.
    pub(super) async fn again(&self, id: &str, key: &Value) -> Result<Box<Found>, Error> {
        self.fetch(key).await?.map(Box::new).ok_or_else(|| self.not_found(id))
    }

    /// The resource after a write, with its relation if that is wanted; read again if `now` is nothing. A change of members
    /// that the answer is to show is waited for as long as the backend may lag behind. The write was made, whatever becomes
    /// of this.
    pub(super) async fn after_write(
        &self,
        id: &str,
        key: &Value,
        now: Option<Object>,
        members: Option<&MemberChange>,
        projection: &Projection<'_>,
    ) -> Result<Object, Error> {
        let wants_relation = self.relation().is_some_and(|relation| projection.wants(&relation));
        let read = async {
            let mut now = now;
            let mut pauses = self.pauses();
            loop {
                let mut resource = match now.take() {
                    Some(resource) => resource,
                    None => self.again(id, key).await?.resource,
                };
                if wants_relation {
                    self.attach(&mut resource).await?;
                }
                let shown = members.is_none_or(|change| resource.get("members").is_none_or(|found| change.shows_in(found)));
                if shown || !pauses.pause().await {
                    return Ok(resource);
                }
            }
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
            match self.step(Goal { id, key, desired: former, is_read: true }, step, &now, &mut Sides::default()).await {
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
