//! PATCH (RFC 7644 section 3.5.2).

use serde_json::Value;

use super::fetch::Found;
use super::ports::Backend;
use super::sides::Sides;
use super::update::{Changed, Goal};
use super::{Error, Names, Operation, Reply};
use crate::limits;
use crate::scim::Object;
use crate::scim::patch::PatchRequest;
use crate::translate::write::key_of;
use crate::translate::{change, columns, relation};

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn patch(&self, id: &str, sent: Value, names: &Names) -> Result<Reply, Error> {
        change::check_changeable(self.resource)?;
        let projection = self.projection(names)?;
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        let request = PatchRequest::parse(sent, &self.resource.kind, self.context.profile)?;
        request.check_id(id)?;
        let written: Vec<_> = request.targets().collect();
        let (on_members, rest) = request.split(|target| self.resource.members.is_some() && target.attribute.name == "members");
        let conditional =
            self.context.if_match.as_deref().is_some_and(|tags| tags.trim() != "*") || self.context.if_none_match.is_some();

        // The members are planned before anything is changed, so that a mistake in them changes nothing.
        let change = match &self.resource.members {
            Some(members) if !on_members.is_empty() => {
                let present = if relation::needs_members(&on_members) {
                    let mut group = Object::from_iter([("id".to_owned(), Value::from(id))]);
                    if members.list.inline().is_some() {
                        group = self.fetch(&key).await?.ok_or_else(|| self.not_found(id))?.resource;
                    } else if !self.attach(&mut group).await? {
                        return Err(self.not_found(id));
                    }
                    group.get("members").and_then(Value::as_array).cloned().unwrap_or_default()
                } else {
                    Vec::new()
                };
                Some(relation::fold(&on_members, &present)?)
            }
            _ => None,
        };
        let mut found = None;
        let (mut former, mut remain): (_, Vec<String>) = (None, Vec::new());
        if !conditional && change.is_none() {
            found = self.patch_blindly(id, &key, &rest).await?;
        }
        if found.is_none() && (!rest.operations().is_empty() || conditional) {
            for _ in 0..=limits::REPLANS {
                let leaving = |error: Error| error.leaving(remain.clone());
                let current = self.fetch(&key).await.map_err(leaving)?.ok_or_else(|| leaving(self.not_found(id)))?;
                self.check_version(&current.resource).map_err(leaving)?;
                let mut desired = current.resource.clone();
                rest.apply(&mut desired).map_err(|error| leaving(error.into()))?;
                let dropped = columns::fit(self.resource, &mut desired);
                self.settle(&mut desired, Some(&current.resource)).await.map_err(leaving)?;
                if let Some(first) =
                    dropped.first().filter(|_| change.is_none() && remain.is_empty() && columns::says_only(&rest, &dropped))
                    && change::changed(self.resource, &current.resource, &desired).is_empty()
                {
                    return Err(columns::no_place(self.resource, first).into());
                }
                let changed = self.change(id, &key, &current, &desired, true).await;
                match changed.map_err(leaving)? {
                    Changed::Now(now) => {
                        found = Some(*now);
                        former = Some((current, desired));
                        break;
                    }
                    Changed::Stale(done) => remain.extend(done),
                }
            }
            if found.is_none() {
                return Err(self.contended(id).leaving(remain));
            }
        }
        // A change of the name may have given it another id.
        let (id, key) = found.as_ref().and_then(|found| self.identity(found)).unwrap_or_else(|| (id.to_owned(), key));
        let id = id.as_str();
        let mut is_there = found.is_some();
        let expected = change.clone();
        if let Some(change) = change {
            match self.change_members(id, &key, change, found.as_ref()).await {
                Ok(changed) => {
                    is_there |= changed.is_there;
                    found = changed.now;
                }
                Err(error) => {
                    let left = match &former {
                        Some((former, desired)) => {
                            let done = change::changed(self.resource, &former.resource, desired);
                            self.revert(id, &key, former, &done, &[]).await
                        }
                        None => Vec::new(),
                    };
                    return Err(error.leaving(remain).leaving(left));
                }
            }
        }
        let answers = !self
            .resource
            .members
            .as_ref()
            .is_some_and(|_| self.context.profile.patch_group_no_content && projection.is_default());
        if !answers {
            // No call, no proof that there is anything: of the operations nothing may be left to do.
            if !is_there && self.fetch(&key).await?.is_none() {
                return Err(self.not_found(id));
            }
            let version =
                found.as_ref().and_then(|found| found.resource.get("meta")?.get("version")?.as_str()).map(str::to_owned);
            return Ok(Reply { status: 204, version, ..Reply::default() });
        }
        let resource = self.after_write(id, &key, found.map(|found| found.resource), expected.as_ref(), &projection).await?;
        Ok(Reply::resource(200, resource, &projection.clone().also(written)))
    }

    /// A change that says all that is to be known, in one call, without reading before; nothing if it takes more, or if the
    /// backend has another revision than this call needs.
    async fn patch_blindly(&self, id: &str, key: &Value, request: &PatchRequest<'_>) -> Result<Option<Found>, Error> {
        let Some((mut desired, step)) = change::blind(self.resource, request) else { return Ok(None) };
        self.settle(&mut desired, None).await?;
        let unread = Found { record: Value::Null, resource: Object::new(), version: None };
        let moved = self.moved(&step, &unread, &desired, None)?;
        let goal = Goal { id, key, moved: moved.as_ref(), desired: &desired, is_read: true, restore: None };
        let found = self.step(goal, &step, &unread, &mut Sides::default()).await;
        let found = found.map_err(|failed| failed.alone(&step))?;
        Ok(found.map(|found| *found))
    }
}
