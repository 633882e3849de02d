//! Members of groups and groups of members.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::fetch::{build, unexpected};
use super::ports::Backend;
use super::walk::Source;
use super::{Error, Operation};
use crate::mapping::convert::text;
use crate::mapping::model::{MemberCall, MemberList, Membership, Resource, UnknownMember};
use crate::mapping::template::Scope;
use crate::scim::{AttrRef, Object, ScimError};
use crate::translate::outcome::Outcome;
use crate::translate::read::{id_of, location};
use crate::translate::relation::{MemberChange, ids};
use crate::translate::write::key_of;

/// A group whose members change.
struct Group<'m> {
    id: &'m str,
    key: &'m Value,
    /// What its members are.
    of: &'m Resource,
    unknown: UnknownMember,
    /// How many of those that are wanted are members already.
    kept: usize,
}

impl<B: Backend> Operation<'_, B> {
    /// The attribute of this resource type that is a relation, if it is wanted.
    pub(super) fn relation(&self) -> Option<AttrRef<'_>> {
        let name = match (&self.resource.members, self.resource.groups) {
            (Some(_), _) => "members",
            (None, Some(_)) => "groups",
            (None, None) => return None,
        };
        let attribute = self.resource.kind.schema.attribute(name)?;
        Some(AttrRef { extension: None, attribute, sub: None })
    }

    /// Puts the relation into a resource; `false` if the backend has no such resource any more.
    pub(super) async fn attach(&self, resource: &mut Object) -> Result<bool, Error> {
        let Some(id) = resource.get("id").and_then(Value::as_str) else { return Ok(false) };
        let Some(key) = key_of(self.resource, id) else { return Ok(false) };
        if let Some(members) = &self.resource.members {
            let Some(found) = self.members(members, &key).await? else { return Ok(false) };
            // An empty list, not nothing: older authentik skips all adds when `members` is absent.
            resource.insert("members".to_owned(), Value::Array(found));
        } else if let Some((group, list)) = self.groups_list() {
            let Some(found) = self.related(list, &key, group, Some("direct")).await? else { return Ok(false) };
            if !found.is_empty() {
                resource.insert("groups".to_owned(), Value::Array(found));
            }
        }
        Ok(true)
    }

    /// Puts the relation into several resources, side by side within the bound of the mapping. Those that are gone drop out.
    pub(super) async fn attach_all(&self, resources: Vec<Object>) -> Result<Vec<Object>, Error> {
        let concurrency = self.mapping().backend.concurrency;
        futures_util::stream::iter(resources)
            .map(|mut resource| async move { Ok(self.attach(&mut resource).await?.then_some(resource)) })
            .buffered(concurrency)
            .try_filter_map(|resource| async move { Ok(resource) })
            .try_collect()
            .await
    }

    /// The values of `members`; `None` if there is no such group.
    pub(super) async fn members(&self, members: &Membership, key: &Value) -> Result<Option<Vec<Value>>, Error> {
        let Some(of) = self.mapping().resources.get(members.of) else { return Ok(Some(Vec::new())) };
        self.related(&members.list, key, of, None).await
    }

    fn groups_list(&self) -> Option<(&Resource, &MemberList)> {
        let group = self.mapping().resources.get(self.resource.groups?)?;
        Some((group, group.members.as_ref()?.groups.as_ref()?))
    }

    async fn related(
        &self,
        list: &MemberList,
        key: &Value,
        other: &Resource,
        kind: Option<&str>,
    ) -> Result<Option<Vec<Value>>, Error> {
        let id = id_of(self.resource, key).map(Value::from);
        let scope = Scope { key: Some(key), id: id.as_ref(), ..Scope::default() };
        let mut found = Vec::new();
        let exists = self
            .walk(Source::members(list), &scope, &[], &list.key, |row| {
                if let Some(id) = list.key.first(row).and_then(|key| id_of(other, key)) {
                    let mut value = Object::new();
                    value.insert("$ref".to_owned(), Value::from(location(&self.context.base_url, other, &id)));
                    value.insert("value".to_owned(), Value::from(id));
                    value.insert("type".to_owned(), Value::from(kind.unwrap_or(&other.kind.name)));
                    if let Some(display) =
                        list.display.as_ref().and_then(|path| path.first(row)).filter(|display| !display.is_null())
                    {
                        value.insert("display".to_owned(), Value::from(text(display)));
                    }
                    found.push(Value::Object(value));
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(exists.then_some(found))
    }

    /// The keys of the groups of a member.
    pub(super) async fn groups_of(&self, members: &Membership, key: &Value) -> Result<Vec<Value>, Error> {
        let (Some(list), Some(of)) = (&members.groups, self.mapping().resources.get(members.of)) else { return Ok(Vec::new()) };
        let id = id_of(of, key).map(Value::from);
        let scope = Scope { key: Some(key), id: id.as_ref(), ..Scope::default() };
        let mut keys = Vec::new();
        self.walk(Source::members(list), &scope, &[], &list.key, |row| {
            keys.extend(list.key.first(row).cloned());
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(keys)
    }

    /// Changes the members of the group with a key. What is done already is no error; whom the backend does not know is
    /// skipped or refused, as the mapping says. A group is never emptied for the sake of members that nobody knows. Where
    /// a call fails after others, the error says that members were changed: to take that back would need to know who was a
    /// member before.
    ///
    /// Gives whether a call showed that the group is there.
    pub(super) async fn change_members(&self, id: &str, key: &Value, change: MemberChange) -> Result<bool, Error> {
        let Some(members) = &self.resource.members else { return Ok(false) };
        let Some(of) = self.mapping().resources.get(members.of) else { return Ok(false) };
        let was_read = change.replace;
        let wanted = change.add.len();
        let change = if change.replace {
            let Some(present) = self.members(members, key).await? else { return Err(self.not_found(id)) };
            let present: Vec<String> = ids(Some(&Value::Array(present))).collect();
            change.against(&present)
        } else {
            change
        };
        if change.add.is_empty() && change.remove.is_empty() {
            return Ok(was_read);
        }
        let (Some(add), Some(remove)) = (&members.add, &members.remove) else {
            return Err(ScimError::mutability("members: the application does not let memberships be changed.").into());
        };
        let group = Group { id, key, of, unknown: members.unknown, kept: wanted - change.add.len() };
        let mut changed = false;
        let result = self.change_each(&group, add, remove, change, &mut changed).await;
        let called = result.map_err(|error| if changed { error.leaving(vec!["members".to_owned()]) } else { error })?;
        Ok(was_read || called)
    }

    async fn change_each(
        &self,
        group: &Group<'_>,
        add: &MemberCall,
        remove: &MemberCall,
        change: MemberChange,
        changed: &mut bool,
    ) -> Result<bool, Error> {
        let wanted = !change.add.is_empty();
        let (mut unknown, mut keys) = (Vec::new(), Vec::new());
        for member in change.add {
            match key_of(group.of, &member) {
                Some(key) => keys.push(key),
                None => unknown.push(member),
            }
        }
        if group.unknown == UnknownMember::Refuse && !unknown.is_empty() {
            return Err(refused(&unknown));
        }
        let mut added = 0;
        for batch in keys.chunks(add.batch) {
            let missing = self.add_batch(group, add, batch, changed).await?;
            added += batch.len() - missing.len();
            unknown.extend(missing);
        }
        if wanted && added + group.kept == 0 && !unknown.is_empty() {
            return Err(refused(&unknown));
        }
        let gone: Vec<Value> = change.remove.iter().filter_map(|member| key_of(group.of, member)).collect();
        for batch in gone.chunks(remove.batch) {
            if batch.len() > 1 {
                match self.member_call(group, remove, batch).await? {
                    Outcome::Good(_) => {
                        *changed = true;
                        continue;
                    }
                    // Of a batch these say nothing about each member: one that is gone already may have sunk the others.
                    Outcome::Done | Outcome::UnknownMembers(_) | Outcome::NotFound => {}
                    other => return Err(refused_or_unexpected(remove, other)),
                }
            }
            for one in batch {
                self.member_one(group, remove, one, changed).await?;
            }
        }
        if !unknown.is_empty() {
            tracing::warn!(group = group.id, count = unknown.len(), "members that the backend does not know were skipped");
            tracing::debug!(group = group.id, ?unknown, "skipped members");
        }
        Ok(!keys.is_empty() || !gone.is_empty())
    }

    /// Adds members and tells which are unknown to the backend.
    async fn add_batch(
        &self,
        group: &Group<'_>,
        add: &MemberCall,
        batch: &[Value],
        changed: &mut bool,
    ) -> Result<Vec<String>, Error> {
        let ids = |keys: &[Value]| keys.iter().filter_map(|key| id_of(group.of, key)).collect::<Vec<_>>();
        let mut keys = batch.to_vec();
        let mut unknown = Vec::new();
        // Each round drops at least one key, or goes on one by one.
        while keys.len() > 1 {
            let named = match self.member_call(group, add, &keys).await? {
                Outcome::Good(_) => {
                    *changed = true;
                    return Ok(ids(&unknown));
                }
                Outcome::UnknownMembers(named) => named,
                // Of a batch these say nothing about each member.
                Outcome::Done | Outcome::NotFound => break,
                other => return Err(refused_or_unexpected(add, other)),
            };
            // Some backends write the same key now as a number, now as a text.
            let is_named = |key: &Value| named.iter().any(|named| id_of(group.of, named) == id_of(group.of, key));
            let (gone, rest): (Vec<Value>, Vec<Value>) = keys.iter().cloned().partition(is_named);
            if group.unknown == UnknownMember::Refuse {
                return Err(refused(&ids(if gone.is_empty() { &keys } else { &gone })));
            }
            if gone.is_empty() {
                break;
            }
            unknown.extend(gone);
            keys = rest;
        }
        for one in &keys {
            if !self.member_one(group, add, one, changed).await? {
                if group.unknown == UnknownMember::Refuse {
                    return Err(refused(&ids(std::slice::from_ref(one))));
                }
                unknown.push(one.clone());
            }
        }
        Ok(ids(&unknown))
    }

    /// Adds or removes one member; `false` if the backend does not know it. A 404 may be about the member or the group.
    async fn member_one(&self, group: &Group<'_>, call: &MemberCall, key: &Value, changed: &mut bool) -> Result<bool, Error> {
        match self.member_call(group, call, std::slice::from_ref(key)).await? {
            Outcome::Good(_) => {
                *changed = true;
                Ok(true)
            }
            Outcome::Done => Ok(true),
            Outcome::UnknownMembers(_) => Ok(false),
            Outcome::NotFound if self.fetch(group.key).await?.is_some() => Ok(false),
            Outcome::NotFound => Err(self.not_found(group.id)),
            other => Err(refused_or_unexpected(call, other)),
        }
    }

    async fn member_call(&self, group: &Group<'_>, call: &MemberCall, batch: &[Value]) -> Result<Outcome, Error> {
        let id = Value::from(group.id);
        let members = json!(batch);
        let scope =
            Scope { key: Some(group.key), id: Some(&id), members: Some(&members), member: batch.first(), ..Scope::default() };
        self.send(build(&call.call, &scope, None, &[])?).await
    }
}

fn refused(unknown: &[String]) -> Error {
    let shown: Vec<&str> = unknown.iter().take(5).map(String::as_str).collect();
    let and_more = if unknown.len() > shown.len() { format!(" and {} more", unknown.len() - shown.len()) } else { String::new() };
    let shown = shown.join(", ");
    ScimError::invalid_value(format!(
        "members: the application does not know {shown}{and_more}. Send the ids of users that exist."
    ))
    .into()
}

fn refused_or_unexpected(call: &MemberCall, outcome: Outcome) -> Error {
    match outcome {
        Outcome::Refused(error) => error.into(),
        other => unexpected(&call.call, &other),
    }
}
