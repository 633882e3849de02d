//! Changes of the members of a group.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::fetch::{Found, build, unexpected};
use super::ports::Backend;
use super::results::judge;
use super::sides::Identity;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::model::{Call, Inline, MemberCall, Membership, Resource, UnknownMember};
use crate::mapping::template::{Root, Scope};
use crate::scim::ScimError;
use crate::translate::lookup::Needed;
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::{self, MemberChange, Way, needs_group};
use crate::translate::write::key_of;

/// A group whose members change.
pub(super) struct Group<'m> {
    pub(super) id: &'m str,
    pub(super) identity: Identity,
    pub(super) members: &'m Membership,
    /// What its members are.
    pub(super) of: &'m Resource,
    /// The group as it was read last, if it was.
    pub(super) found: Option<Found>,
    /// The group as a call that wrote it answered.
    pub(super) now: Option<Found>,
    /// The rows of the members who go, by id, where a call needs them.
    pub(super) rows: HashMap<String, Vec<Value>>,
    /// How many of those that are wanted are members already.
    pub(super) kept: usize,
    /// How many were added or removed.
    pub(super) changed: AtomicUsize,
}

/// How those who come, or those who go, are changed.
#[derive(Clone, Copy)]
pub(super) enum By<'m> {
    /// By a call for one or several of them.
    Call(&'m MemberCall),
    /// With the record of each, which has its groups here.
    Record(&'m Inline),
}

/// What became of a change of members.
#[derive(Debug, Default)]
pub(super) struct MembersChanged {
    /// Whether a call showed that the group is there.
    pub(super) is_there: bool,
    /// The group as it is now, if a call told it.
    pub(super) now: Option<Found>,
}

impl<B: Backend> Operation<'_, B> {
    /// Changes the members of the group with a key. What is done already is no error; whom the backend does not know is
    /// skipped or refused, as the mapping says. A group is never emptied for the sake of members that nobody knows. Where
    /// a call fails after others, the error says that members were changed: to take that back would need to know who was a
    /// member before. `known` is the group, if it has just been read.
    pub(super) async fn change_members(
        &self,
        id: &str,
        key: &Value,
        change: MemberChange,
        known: Option<&Found>,
    ) -> Result<MembersChanged, Error> {
        let Some(members) = &self.resource.members else { return Ok(MembersChanged::default()) };
        let Some(of) = self.mapping().resources.get(members.of) else { return Ok(MembersChanged::default()) };
        if change.is_empty() {
            return Ok(MembersChanged::default());
        }
        let mut group = Group {
            id,
            identity: Identity::new(id, key),
            members,
            of,
            found: known.cloned(),
            now: None,
            rows: HashMap::new(),
            kept: 0,
            changed: AtomicUsize::new(0),
        };
        let result = match relation::way(members, &change)? {
            Way::Each { add, remove } => self.change_each(&mut group, add, remove, change).await,
            Way::Whole(set) => self.change_whole(&mut group, change, set).await,
            Way::Member(inline) => self.change_in_members(&mut group, inline, change).await,
        };
        let changed = group.changed.load(Ordering::Relaxed);
        let is_there = result
            .map_err(|error| if changed > 0 { error.leaving(vec![format!("members ({changed} of them)")]) } else { error })?;
        Ok(MembersChanged { is_there, now: group.now })
    }

    /// Additions and removals by calls for those who come and go.
    async fn change_each(
        &self,
        group: &mut Group<'_>,
        add: &MemberCall,
        remove: &MemberCall,
        change: MemberChange,
    ) -> Result<bool, Error> {
        let members = group.members;
        let wanted = change.add.len();
        let was_read = relation::needs_rows(members, Some(remove), &change);
        let change = if was_read { self.against_rows(group, change, Some(remove)).await? } else { change };
        group.kept = wanted - change.add.len();
        if change.is_empty() {
            return Ok(was_read);
        }
        let is_needed =
            !change.add.is_empty() && needs_group(&add.call) || !change.remove.is_empty() && needs_group(&remove.call);
        if is_needed && group.found.is_none() {
            let found = self.fetch(&group.identity.key).await?;
            group.found = Some(found.ok_or_else(|| self.not_found(group.id))?);
        }
        let (add, remove) = (By::Call(add), By::Call(remove));
        self.add_and_remove(group, add, remove, change).await.map(|called| called || was_read || is_needed)
    }

    /// The change against those who are members, whose rows are kept if the calls need them.
    pub(super) async fn against_rows(
        &self,
        group: &mut Group<'_>,
        change: MemberChange,
        remove: Option<&MemberCall>,
    ) -> Result<MemberChange, Error> {
        let members = group.members;
        let rows = self.member_rows(members, &group.identity.key).await?.ok_or_else(|| self.not_found(group.id))?;
        let is_pinned = |row: &Value| pinned(members, row);
        let mut change = if change.replace {
            let present: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
            let mut change = change.against(&present);
            let stay: HashSet<&String> = rows.iter().filter(|(_, row)| is_pinned(row)).map(|(id, _)| id).collect();
            change.remove.retain(|id| !stay.contains(id));
            change
        } else {
            let asked: HashSet<&String> = change.remove.iter().collect();
            if let Some((id, _)) = rows.iter().find(|(id, row)| asked.contains(id) && is_pinned(row)) {
                return Err(cannot_be_removed(id));
            }
            change
        };
        if remove.is_some_and(|remove| remove.call.uses_any(&[Root::Membership])) {
            let asked: HashSet<&String> = change.remove.iter().collect();
            for (id, row) in rows.into_iter().filter(|(id, _)| asked.contains(id)) {
                group.rows.entry(id).or_default().push(row);
            }
            // Who has no row is no member.
            change.remove.retain(|id| group.rows.contains_key(id));
        }
        Ok(change)
    }

    pub(super) async fn add_and_remove(
        &self,
        group: &Group<'_>,
        add: By<'_>,
        remove: By<'_>,
        change: MemberChange,
    ) -> Result<bool, Error> {
        let wanted = !change.add.is_empty();
        let (mut unknown, mut keys) = (Vec::new(), Vec::new());
        for member in change.add {
            match key_of(group.of, &member) {
                Some(key) => keys.push(key),
                None => unknown.push(member),
            }
        }
        if group.members.unknown == UnknownMember::Refuse && !unknown.is_empty() {
            return Err(refused(&unknown));
        }
        let asked = keys.len();
        let missing = match add {
            By::Call(call) if call.batch > 1 => {
                let mut missing = Vec::new();
                for batch in keys.chunks(call.batch) {
                    missing.extend(self.add_batch(group, call, batch).await?);
                }
                missing
            }
            add => self.one_by_one(group, add, &keys, true).await?,
        };
        if group.members.unknown == UnknownMember::Refuse && !missing.is_empty() {
            return Err(refused(&missing));
        }
        let added = asked - missing.len();
        unknown.extend(missing);
        if wanted && added + group.kept == 0 && !unknown.is_empty() {
            return Err(refused(&unknown));
        }
        let gone: Vec<Value> = change.remove.iter().filter_map(|member| key_of(group.of, member)).collect();
        match remove {
            By::Call(call) if call.batch > 1 => {
                for batch in gone.chunks(call.batch) {
                    self.remove_batch(group, call, batch).await?;
                }
            }
            remove => drop(self.one_by_one(group, remove, &gone, false).await?),
        }
        report_skipped(group.id, &unknown);
        Ok(asked > 0 || !gone.is_empty())
    }

    async fn remove_batch(&self, group: &Group<'_>, remove: &MemberCall, batch: &[Value]) -> Result<(), Error> {
        if batch.len() > 1 {
            match self.member_call(group, remove, batch, None).await? {
                // Who is unknown is no member.
                Outcome::Good(body) => return judge(group, remove, batch, &body).map(|_| ()),
                // Of a batch these say nothing about each member: one that is gone already may have sunk the others.
                Outcome::Done | Outcome::UnknownMembers(_) | Outcome::NotFound => {}
                other => return Err(refused_or_unexpected(&remove.call, other)),
            }
        }
        self.one_by_one(group, By::Call(remove), batch, false).await.map(|_| ())
    }

    /// Adds members and tells which are unknown to the backend.
    async fn add_batch(&self, group: &Group<'_>, add: &MemberCall, batch: &[Value]) -> Result<Vec<String>, Error> {
        let mut keys = batch.to_vec();
        let mut unknown = Vec::new();
        // Each round drops at least one key, or goes on one by one.
        while keys.len() > 1 {
            let named = match self.member_call(group, add, &keys, None).await? {
                Outcome::Good(body) => {
                    unknown.extend(judge(group, add, &keys, &body)?);
                    return Ok(ids(group, &unknown));
                }
                Outcome::UnknownMembers(named) => named,
                // Of a batch these say nothing about each member.
                Outcome::Done | Outcome::NotFound => break,
                other => return Err(refused_or_unexpected(&add.call, other)),
            };
            let (gone, rest) = without(group, &keys, &named);
            if group.members.unknown == UnknownMember::Refuse {
                return Err(refused(&ids(group, if gone.is_empty() { &keys } else { &gone })));
            }
            if gone.is_empty() {
                break;
            }
            unknown.extend(gone);
            keys = rest;
        }
        let mut unknown = ids(group, &unknown);
        unknown.extend(self.one_by_one(group, By::Call(add), &keys, true).await?);
        Ok(unknown)
    }

    /// A change for each member, side by side within the bound of the mapping, and who is unknown to the backend. After a
    /// failure no further call is begun, but those that run are awaited.
    async fn one_by_one(&self, group: &Group<'_>, by: By<'_>, keys: &[Value], adds: bool) -> Result<Vec<String>, Error> {
        // A revision that one call uses up cannot serve two at the same time.
        let alone = matches!(by, By::Call(call) if call.call.uses_any(&[Root::Record, Root::Version]));
        let concurrency = if alone { 1 } else { self.mapping().backend.concurrency };
        let failed = AtomicBool::new(false);
        let results: Vec<_> = futures_util::stream::iter(keys.to_vec())
            .map(|key| {
                let failed = &failed;
                async move {
                    if failed.load(Ordering::Relaxed) {
                        return Ok(true);
                    }
                    let known = match by {
                        By::Call(call) => self.member_one(group, call, &key).await,
                        By::Record(inline) => self.member_record(group, inline, &key, adds).await,
                    };
                    // Who is unknown is no member, which is all that a removal wants.
                    let refuses = adds && group.members.unknown == UnknownMember::Refuse && matches!(known, Ok(false));
                    if known.is_err() || refuses {
                        failed.store(true, Ordering::Relaxed);
                    }
                    known
                }
            })
            .buffered(concurrency)
            .collect()
            .await;
        let (mut unknown, mut error) = (Vec::new(), None);
        for (key, known) in keys.iter().zip(results) {
            match known {
                Ok(true) => {}
                Ok(false) => unknown.extend(id_of(group.of, key)),
                // Of several the one that the client must know of: that something may have been done.
                Err(next) => {
                    if error.as_ref().is_none_or(|error: &Error| next.may_have_acted() && !error.may_have_acted()) {
                        error = Some(next);
                    }
                }
            }
        }
        error.map_or(Ok(unknown), Err)
    }

    /// Adds or removes one member; `false` if the backend does not know it. A 404 may be about the member or the group.
    async fn member_one(&self, group: &Group<'_>, call: &MemberCall, key: &Value) -> Result<bool, Error> {
        // Somebody may be a member several times.
        let rows = id_of(group.of, key).and_then(|id| group.rows.get(&id)).map(Vec::as_slice).unwrap_or_default();
        let Some((last, first)) = rows.split_last() else { return self.member_row(group, call, key, None).await };
        for row in first {
            self.member_row(group, call, key, Some(row)).await?;
        }
        self.member_row(group, call, key, Some(last)).await
    }

    async fn member_row(&self, group: &Group<'_>, call: &MemberCall, key: &Value, row: Option<&Value>) -> Result<bool, Error> {
        match self.member_call(group, call, std::slice::from_ref(key), row).await? {
            Outcome::Good(body) => judge(group, call, std::slice::from_ref(key), &body).map(|unknown| unknown.is_empty()),
            Outcome::Done => Ok(true),
            Outcome::UnknownMembers(_) => Ok(false),
            Outcome::NotFound if self.fetch(&group.identity.key).await?.is_some() => Ok(false),
            Outcome::NotFound => Err(self.not_found(group.id)),
            other => Err(refused_or_unexpected(&call.call, other)),
        }
    }

    /// One call for one or several members. If the revision of the group has moved on, the group is read again.
    async fn member_call(
        &self,
        group: &Group<'_>,
        call: &MemberCall,
        batch: &[Value],
        row: Option<&Value>,
    ) -> Result<Outcome, Error> {
        let members = json!(batch);
        let one = batch.first();
        let record = match one.filter(|_| call.call.uses_any(&[Root::MemberRecord])) {
            Some(key) => match (Operation { resource: group.of, needed: Needed::NONE, ..*self }).fetch(key).await? {
                Some(found) => Some(found.record),
                None => return Ok(Outcome::UnknownMembers(vec![key.clone()])),
            },
            None => None,
        };
        let mut again = None;
        for _ in 0..=limits::REPLANS {
            let found = again.as_ref().or(group.found.as_ref());
            let scope = Scope {
                members: Some(&members),
                member: one,
                member_record: record.as_ref(),
                membership: row,
                record: found.map(|found| &found.record),
                version: found.and_then(|found| found.version.as_ref()),
                resource: found.map(|found| &found.resource),
                ..group.identity.scope()
            };
            match self.send(build(&call.call, &scope, None)?).await? {
                Outcome::Stale if needs_group(&call.call) => {
                    again = Some(self.fetch(&group.identity.key).await?.ok_or_else(|| self.not_found(group.id))?);
                }
                outcome => return Ok(outcome),
            }
        }
        Err(self.contended(group.id))
    }
}

pub(super) fn pinned(members: &Membership, row: &Value) -> bool {
    // A condition selects among elements, so the row is held as one.
    members.pinned.as_ref().is_some_and(|pinned| pinned.holds(&Value::Array(vec![row.clone()])))
}

pub(super) fn ids(group: &Group<'_>, keys: &[Value]) -> Vec<String> {
    keys.iter().filter_map(|key| id_of(group.of, key)).collect()
}

/// The keys that are among those that the backend named, and the others. Some backends write the same key now as a number,
/// now as a text.
pub(super) fn without(group: &Group<'_>, keys: &[Value], named: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let is_named = |key: &Value| named.iter().any(|named| id_of(group.of, named) == id_of(group.of, key));
    keys.iter().cloned().partition(is_named)
}

pub(super) fn report_skipped(group: &str, unknown: &[String]) {
    if !unknown.is_empty() {
        tracing::warn!(group, count = unknown.len(), "members that the backend does not know were skipped");
        tracing::debug!(group, ?unknown, "skipped members");
    }
}

pub(super) fn cannot_be_removed(id: &str) -> Error {
    ScimError::mutability(format!("members: {id} belongs to this group for good: the application does not let it be removed."))
        .into()
}

pub(super) fn refused(unknown: &[String]) -> Error {
    relation::unknown(unknown).into()
}

pub(super) fn refused_or_unexpected(call: &Call, outcome: Outcome) -> Error {
    match outcome {
        Outcome::Refused(error) => error.into(),
        other => unexpected(call, &other),
    }
}
