//! Bringing a resource from what it is to what it shall be.

use serde_json::Value;

use super::fetch::{Found, build, unexpected};
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::{Error, Operation};
use crate::mapping::model::{Carries, Field, Line, Read, Send, Shape};
use crate::mapping::template::{Root, Scope};
use crate::scim::{Object, Projection, ScimError};
use crate::translate::change::{self, Planned};
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::MemberChange;
use crate::translate::write;

/// What became of a change.
pub(super) enum Changed {
    /// The resource as the backend holds it now.
    Now(Box<Found>),
    /// The backend has another revision than the one that was read: read again, plan again. These attributes were changed
    /// before, and stay so.
    Stale(Vec<String>),
}

/// How a step of a change failed.
pub(super) enum Failed {
    /// Nothing was changed.
    Clean(Error),
    /// It may have been changed: no answer came, or none that can be read.
    Unsure(Error),
    /// It was changed, but a call that belongs to it failed.
    Made(Error),
    /// It was changed, but what is there now cannot be read.
    Unseen(Error),
}

/// What a step of a change is to lead to.
#[derive(Clone, Copy)]
pub(super) struct Goal<'g> {
    pub(super) id: &'g str,
    pub(super) key: &'g Value,
    /// The id and the key that the resource has after the step, where the step gives it others.
    pub(super) moved: Option<&'g (String, Value)>,
    pub(super) desired: &'g Object,
    /// Whether what is there after the step is needed.
    pub(super) is_read: bool,
    /// The record that is to be restored, where a change is taken back: what it holds counts more than what SCIM says of it.
    pub(super) restore: Option<&'g Value>,
}

// === impl Goal ===

impl<'g> Goal<'g> {
    /// The id and the key after the step.
    fn after(&self) -> (&'g str, &'g Value) {
        self.moved.map_or((self.id, self.key), |(id, key)| (id, key))
    }
}

impl<B: Backend> Operation<'_, B> {
    /// Makes the calls that change `from` into `desired`. When one fails, what the earlier ones changed is changed back;
    /// what cannot be is named in the error. `is_wanted` tells whether what is there in the end is needed.
    pub(super) async fn change(
        &self,
        id: &str,
        key: &Value,
        from: &Found,
        desired: &Object,
        is_wanted: bool,
    ) -> Result<Changed, Error> {
        let changed = change::changed(self.resource, &from.resource, desired);
        let planned = change::updates(self.resource, &changed, desired)?;
        let (mut id, mut key) = (id.to_owned(), key.clone());
        let mut now = from.clone();
        let mut done: Vec<&Line> = Vec::new();
        let mut sides = Sides::default();
        // Between two calls nothing is read, unless the next ones need it.
        let mut unread = false;
        for (index, step) in planned.iter().enumerate() {
            let mut later = planned.iter().skip(index + 1).peekable();
            let is_last = later.peek().is_none();
            let is_read = if is_last { is_wanted } else { later.any(Planned::needs_record) };
            let moved = self.moved(step, &now, desired, None)?;
            let goal = Goal { id: &id, key: &key, moved: moved.as_ref(), desired, is_read, restore: None };
            let mark = sides.mark();
            let result = self.step(goal, step, &now, &mut sides).await;
            let mine = || changed.iter().filter(|line| step.makes(line)).copied();
            let identity = Identity::new(&id, &key);
            let scope =
                Scope { record: Some(&now.record), version: now.version.as_ref(), resource: Some(desired), ..identity.scope() };
            let (error, maybe) = match result {
                Ok(Some(found)) => {
                    now = *found;
                    unread |= !is_read;
                    done.extend(mine());
                    if let Some(moved) = moved {
                        (id, key) = self.identity(&now).filter(|_| is_read).unwrap_or(moved);
                    }
                    continue;
                }
                Ok(None) => {
                    // What belongs to the steps that stay is not taken back.
                    let left = self.undo(sides.since(mark), &scope).await;
                    // With If-Match, to plan again would be to find our own revision and say that nothing was done.
                    if left.is_empty() && (done.is_empty() || self.context.if_match.is_none()) {
                        return Ok(Changed::Stale(names(&done)));
                    }
                    (self.contended(&id).leaving(left), Vec::new())
                }
                Err(Failed::Unseen(error)) => {
                    done.extend(mine());
                    return Err(error.leaving(names(&done)));
                }
                Err(Failed::Clean(error)) => (error, Vec::new()),
                Err(Failed::Unsure(error)) => (error, mine().collect()),
                Err(Failed::Made(error)) => {
                    done.extend(mine());
                    unread = true;
                    if let Some(moved) = moved {
                        (id, key) = moved;
                    }
                    (error, Vec::new())
                }
            };
            let mut left = match (done.is_empty(), unread || !maybe.is_empty()) {
                (true, _) => Vec::new(),
                (false, true) => self.revert(&id, &key, from, &done, &maybe).await,
                (false, false) => self.change_back(&id, &key, &now, from, &done).await,
            };
            if done.is_empty() && !maybe.is_empty() {
                // What belongs to a change that may have been made stays with it.
                left.extend(sides.names());
            } else {
                left.extend(self.undo(sides, &scope).await);
            }
            return Err(error.leaving(left));
        }
        Ok(Changed::Now(Box::new(now)))
    }

    /// The id and the key that a step gives the resource, if it writes the key.
    pub(super) fn moved(
        &self,
        step: &Planned<'_>,
        now: &Found,
        desired: &Object,
        restore: Option<&Value>,
    ) -> Result<Option<(String, Value)>, Error> {
        let id = &self.resource.id;
        let Some(line) = step.changed.iter().find(|line| id.is_written_by(line) && step.makes(line)) else { return Ok(None) };
        let before = write::Before { record: &now.record, changed: &step.changed, restore };
        let body = write::body(self.mapping(), &self.tables(), [*line], desired, Some(before))?;
        let key = id.path.first(&body).cloned();
        Ok(key.and_then(|key| Some((id_of(self.resource, &key)?, key))))
    }

    /// The id and the key of a resource as it was found.
    pub(super) fn identity(&self, found: &Found) -> Option<(String, Value)> {
        let key = self.resource.id.path.first(&found.record)?.clone();
        Some((id_of(self.resource, &key)?, key))
    }

    /// One call, with those around it; `None` if the revision is stale.
    pub(super) async fn step<'m>(
        &self,
        goal: Goal<'_>,
        step: &Planned<'m>,
        now: &Found,
        sides: &mut Sides<'m>,
    ) -> Result<Option<Box<Found>>, Failed> {
        let Goal { id, key, desired, is_read, .. } = goal;
        let identity = Identity::new(id, key);
        let scope = Scope {
            record: (!now.record.is_null()).then_some(&now.record),
            version: now.version.as_ref(),
            resource: Some(desired),
            ..identity.scope()
        };
        let around = &step.update.around;
        self.side_calls(&around.before, &scope, sides).await.map_err(Failed::Clean)?;
        // What comes after may want the record that this call leaves; it is read at the end in any case.
        let is_wanted = around.after.iter().any(|side| side.call.uses_any(&[Root::Record, Root::Version]));
        let here = Goal { is_read: is_wanted || is_read && around.after.is_empty(), ..goal };
        let Some(found) = self.update_call(here, step, now, &Scope { kept: Some(&sides.kept), ..scope }).await? else {
            return Ok(None);
        };
        if around.after.is_empty() {
            return Ok(Some(found));
        }
        let (id, key) = goal.after();
        let identity = Identity::new(id, key);
        let after =
            Scope { record: Some(&found.record), version: found.version.as_ref(), resource: Some(desired), ..identity.scope() };
        self.side_calls(&around.after, &after, sides).await.map_err(Failed::Made)?;
        if is_read { self.shown(goal, step).await.map(Some) } else { Ok(Some(found)) }
    }

    async fn update_call(
        &self,
        goal: Goal<'_>,
        step: &Planned<'_>,
        now: &Found,
        scope: &Scope<'_>,
    ) -> Result<Option<Box<Found>>, Failed> {
        let Goal { id, desired, is_read, restore, .. } = goal;
        let (new_id, _) = goal.after();
        let update = step.update;
        let body = if update.call.holds_fields() || update.send == Send::Each {
            let before = write::Before { record: &now.record, changed: &step.changed, restore };
            let body = write::body(self.mapping(), &self.tables(), step.lines.iter().copied(), desired, Some(before));
            let mut body = body.map_err(|error| Failed::Clean(error.into()))?;
            if update.send == Send::Full && matches!(update.carries, Carries::Rest) {
                self.keep_members(&now.record, &mut body);
            }
            Some(body)
        } else {
            None
        };
        let line = step.lines.first().filter(|_| update.send == Send::Each);
        let place = line.and_then(|line| line.shape.place());
        let field = place.map(|place| Value::from(place.field()));
        let value = place.zip(body.as_ref()).and_then(|(place, body)| place.get(body));
        if let Some(line) = line.filter(|_| value.is_none()) {
            let detail = format!("{}: the application has no call that clears it.", line.target);
            return Err(Failed::Clean(ScimError::mutability(detail).into()));
        }
        let scope = Scope { field: field.as_ref(), value, ..*scope };
        let (outcome, headers) = self.exchange(build(&update.call, &scope, body.as_ref())?).await?;
        match outcome {
            Outcome::Good(body) if !update.read_back => {
                // An answer without the whole record is no fault: it is read instead.
                let found = self.record(&update.call, &update.item, &body, Some(&headers)).await.ok();
                let is_it = |found: &Found| {
                    // A backend may write a new name in its own way: in lower case.
                    (goal.moved.is_some() || found.resource.get("id").and_then(Value::as_str) == Some(new_id))
                        && self.is_whole(found, &now.record, &step.changed)
                };
                match found.filter(is_it) {
                    Some(found) => Ok(Some(Box::new(found))),
                    None if !is_read => Ok(Some(Box::new(now.clone()))),
                    None => self.shown(goal, step).await.map(Some),
                }
            }
            Outcome::Good(_) | Outcome::Done if !is_read => Ok(Some(Box::new(now.clone()))),
            Outcome::Good(_) | Outcome::Done => self.shown(goal, step).await.map(Some),
            Outcome::NotFound => Err(Failed::Clean(self.not_found(id))),
            Outcome::Stale => Ok(None),
            Outcome::Refused(error) => Err(Failed::Clean(error.into())),
            other => Err(Failed::Clean(unexpected(&update.call, &other))),
        }
    }

    /// Whether the answer to a change is the whole record: it has all that the record had that was read before, but for
    /// what changed; or, if none was read, something in every place that the mapping reads.
    pub(super) fn is_whole(&self, found: &Found, before: &Value, changed: &[&Line]) -> bool {
        let paths = changed.iter().filter_map(|line| line.shape.written());
        if !before.is_null() {
            let changed: Vec<&[String]> = paths.collect();
            return has_all(before, &found.record, &mut Vec::new(), &changed);
        }
        self.resource.lines.iter().all(|line| {
            let is_changed = line.shape.written().is_some_and(|place| paths.clone().any(|other| other == place));
            let is_there = match &line.shape {
                Shape::Field(Field { default: Some(_), .. } | Field { read: None | Some(Read::Template(_)), .. }) => true,
                Shape::Field(Field { read: Some(Read::Path(path)), .. }) => path.first(&found.record).is_some(),
                Shape::Values(values) => values.items.container(&found.record).is_some(),
                Shape::Each(each) => each.items.container(&found.record).is_some(),
            };
            is_changed || is_there
        })
    }

    /// Reads the resource after a call, until it shows what the call changed.
    async fn shown(&self, goal: Goal<'_>, step: &Planned<'_>) -> Result<Box<Found>, Failed> {
        let Goal { desired, .. } = goal;
        let (id, key) = goal.after();
        let destroyed = || {
            // The last that is to be seen of it.
            let record = Value::Null;
            step.update.destroys.then(|| Box::new(Found { record, resource: desired.clone(), version: None }))
        };
        let shows = |found: &Found| {
            let differing = change::changed(self.resource, &found.resource, desired);
            !differing.iter().any(|line| line.shape.is_readable() && step.makes(line))
        };
        let found = self.settled(key, shows).await.map_err(Failed::Unseen)?;
        found.map(Box::new).or_else(destroyed).ok_or_else(|| Failed::Unseen(self.not_found(id)))
    }

    /// Members or groups that are in the record are sent as they are by a call that replaces the whole of it.
    pub(super) fn keep_members(&self, record: &Value, body: &mut Value) {
        for place in self.mapping().arrays(self.resource) {
            if let Some(raw) = place.get(record) {
                place.put(body, raw.clone());
            }
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

    /// Takes changes back because a later part of the same request failed; tells what is left of them. Of what may have been
    /// done only that which shows: a backend that lags behind may hide what was done for certain.
    pub(super) async fn revert(&self, id: &str, key: &Value, former: &Found, done: &[&Line], maybe: &[&Line]) -> Vec<String> {
        // The later part may have given the record another revision.
        match self.fetch(key).await {
            Ok(Some(now)) => {
                let differing = change::changed(self.resource, &now.resource, &former.resource);
                let is_there =
                    |line: &&&Line| !line.shape.is_readable() || differing.iter().any(|other| other.target == line.target);
                let lines: Vec<&Line> = done.iter().chain(maybe.iter().filter(is_there)).copied().collect();
                self.change_back(id, key, &now, former, &lines).await
            }
            Ok(None) | Err(_) => names(done),
        }
    }

    /// Gives the lines their former values again, and tells which it could not.
    async fn change_back(&self, id: &str, key: &Value, now: &Found, former: &Found, done: &[&Line]) -> Vec<String> {
        let (readable, lost): (Vec<&Line>, Vec<&Line>) = done.iter().partition(|line| line.shape.is_readable());
        let desired = &former.resource;
        let Ok(planned) = change::updates(self.resource, &readable, desired) else { return names(done) };
        let mut left = names(&lost);
        let mut now = now.clone();
        let (mut id, mut key) = (id.to_owned(), key.clone());
        for step in planned.iter().rev() {
            let moved = self.moved(step, &now, desired, Some(&former.record)).unwrap_or_default();
            let goal = Goal { id: &id, key: &key, moved: moved.as_ref(), desired, is_read: true, restore: Some(&former.record) };
            match self.step(goal, step, &now, &mut Sides::default()).await {
                Ok(Some(found)) => {
                    now = *found;
                    (id, key) = moved.unwrap_or((id, key));
                }
                // It was made, whatever was to be seen of it.
                Err(Failed::Unseen(_)) => (id, key) = moved.unwrap_or((id, key)),
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

/// Whether a record has every place that it had before, but for those that changed. What is in an array is the backend's.
fn has_all<'v>(before: &'v Value, now: &Value, path: &mut Vec<&'v str>, changed: &[&[String]]) -> bool {
    let Value::Object(members) = before else { return true };
    members.iter().all(|(name, value)| {
        path.push(name);
        let is_changed = changed.iter().any(|place| place.iter().map(String::as_str).eq(path.iter().copied()));
        let is_there = match now.get(name) {
            // An object that is cleared as a whole.
            Some(Value::Null) => true,
            Some(now) => has_all(value, now, path, changed),
            // All that was in it may have changed.
            None => is_changed || value.is_object() && !path_is_kept(value, path, changed),
        };
        path.pop();
        is_changed || is_there
    })
}

/// Whether an object has a place that did not change.
fn path_is_kept<'v>(value: &'v Value, path: &mut Vec<&'v str>, changed: &[&[String]]) -> bool {
    let Value::Object(members) = value else { return true };
    members.iter().any(|(name, value)| {
        path.push(name);
        let is_changed = changed.iter().any(|place| place.iter().map(String::as_str).eq(path.iter().copied()));
        let is_kept = !is_changed && !value.is_null() && path_is_kept(value, path, changed);
        path.pop();
        is_kept
    })
}

/// The attributes of lines, for people.
fn names(lines: &[&Line]) -> Vec<String> {
    lines.iter().map(|line| line.target.to_string()).collect()
}

// === impl Failed ===

impl Failed {
    /// The error of a step that is all there is of a change.
    pub(super) fn alone(self, step: &Planned<'_>) -> Error {
        match self {
            Self::Clean(error) | Self::Unsure(error) => error,
            Self::Made(error) | Self::Unseen(error) => error.leaving(step.names()),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        if error.may_have_acted() { Self::Unsure(error) } else { Self::Clean(error) }
    }
}
