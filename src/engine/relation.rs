//! Members of groups and groups of members, as they are.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::ports::Backend;
use super::walk::Source;
use super::{Error, Operation};
use crate::mapping::model::{Inline, MemberList, Members, Membership};
use crate::mapping::path::JsonPath;
use crate::mapping::template::Scope;
use crate::scim::{AttrRef, Object};
use crate::translate::call::More;
use crate::translate::lookup::Needed;
use crate::translate::read::{id_of, related};
use crate::translate::write::key_of;

impl<B: Backend> Operation<'_, B> {
    /// The attribute of this resource type that calls of its own tell, if there is one.
    pub(super) fn relation(&self) -> Option<AttrRef<'_>> {
        let (name, _, _) = self.mapping().listed_relation(self.resource)?;
        let attribute = self.resource.kind.schema.attribute(name)?;
        Some(AttrRef { extension: None, attribute, sub: None })
    }

    /// Puts the relation into a resource, if calls tell it; `false` if the backend has no such resource any more.
    pub(super) async fn attach(&self, resource: &mut Object) -> Result<bool, Error> {
        let Some((name, list, other)) = self.mapping().listed_relation(self.resource) else { return Ok(true) };
        let Some(id) = resource.get("id").and_then(Value::as_str) else { return Ok(false) };
        let Some(key) = key_of(self.resource, id) else { return Ok(false) };
        let kind = (name == "groups").then_some("direct");
        let mut found = Vec::new();
        let exists = self
            .each_related(list, &key, &list.element.key, |row| {
                found.extend(related(&list.element, row, other, kind, &self.context.base_url));
            })
            .await?;
        // An empty list of members, not nothing: older authentik skips all adds when `members` is absent.
        if name == "members" || !found.is_empty() {
            resource.insert(name.to_owned(), Value::Array(found));
        }
        Ok(exists)
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

    /// The rows of the members of a group, each with the id that it is about; `None` if there is no such group.
    pub(super) async fn member_rows(&self, members: &Membership, key: &Value) -> Result<Option<Vec<(String, Value)>>, Error> {
        let Some(of) = self.mapping().resources.get(members.of) else { return Ok(Some(Vec::new())) };
        let element = members.list.element();
        let row = |row: &Value| Some((id_of(of, element.key.first(row)?)?, row.clone()));
        match &members.list {
            Members::Call(list) => {
                // Somebody may be a member several times.
                let mut rows = Vec::new();
                let exists = self.each_related(list, key, &JsonPath::root(), |found| rows.extend(row(found))).await?;
                Ok(exists.then_some(rows))
            }
            Members::Inline(inline) => {
                let found = self.fetch(key).await?;
                Ok(found.map(|found| inline.items.all(&found.record).into_iter().filter_map(row).collect()))
            }
        }
    }

    /// Whether the record of a member has this group among its groups. Some backends write the same key now as a number, now
    /// as a text.
    pub(super) fn is_in(&self, groups: &Inline, member: &Value, group: &Value) -> bool {
        let wanted = id_of(self.resource, group);
        let key = |item| groups.element.key.first(item).and_then(|key| id_of(self.resource, key));
        groups.items.all(member).into_iter().any(|item| key(item) == wanted)
    }

    /// The keys of the groups of a member.
    pub(super) async fn groups_of(&self, members: &Membership, key: &Value) -> Result<Vec<Value>, Error> {
        let (Some(groups), Some(of)) = (&members.groups, self.mapping().resources.get(members.of)) else { return Ok(Vec::new()) };
        let keys = |row: &Value| groups.element().key.first(row).cloned();
        let member = Operation { resource: of, needed: Needed::NONE, ..*self };
        match groups {
            Members::Call(list) => {
                let mut found = Vec::new();
                member.each_related(list, key, &list.element.key, |row| found.extend(keys(row))).await?;
                Ok(found)
            }
            Members::Inline(inline) => {
                let found = member.fetch(key).await?;
                Ok(found.map(|found| inline.items.all(&found.record).into_iter().filter_map(keys).collect()).unwrap_or_default())
            }
        }
    }

    /// Visits the rows of a list that belongs to the resource with a key, each once by what is `distinct`; `false` if there is no
    /// such resource.
    async fn each_related(
        &self,
        list: &MemberList,
        key: &Value,
        distinct: &JsonPath,
        mut visit: impl FnMut(&Value),
    ) -> Result<bool, Error> {
        let id = id_of(self.resource, key).map(Value::from);
        let scope = Scope { key: Some(key), id: id.as_ref(), ..Scope::default() };
        let of = self.resource.members.as_ref().and_then(|members| self.mapping().resources.get(members.of));
        let is_gone = |row: &Value| of.is_some_and(|of| Operation { resource: of, ..*self }.is_gone(row));
        self.walk(Source::members(list), &scope, &More::default(), distinct, |row| {
            if list.only.as_ref().is_none_or(|groups| self.is_in(groups, row, key) && !is_gone(row)) {
                visit(row);
            }
            Ok(ControlFlow::Continue(()))
        })
        .await
    }
}
