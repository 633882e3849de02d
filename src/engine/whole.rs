//! Setting all members of a group at once: by a call for that, or with the record that they are in.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::fetch::{Found, build};
use super::membership::{Group, cannot_be_removed, ids, pinned, refused, report_skipped, without};
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::{Error, Operation};
use crate::limits;
use crate::mapping::model::{Call, Send, UnknownMember, Update};
use crate::mapping::path::WritePath;
use crate::mapping::template::Scope;
use crate::telemetry::audit;
use crate::translate::create::member_element;
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::MemberChange;
use crate::translate::write::{self, Before, key_of};
use crate::translate::{change, relation};

/// A record whose array of members, or of groups, is written.
pub(super) struct Written<'w> {
    pub(super) id: &'w str,
    pub(super) identity: &'w Identity,
    /// The record as it was read.
    pub(super) found: Option<&'w Found>,
    pub(super) update: &'w Update,
    /// What changes, for people.
    pub(super) what: &'static str,
}

impl<B: Backend> Operation<'_, B> {
    /// Sets all members at once: by a call for that, or with the record that they are in. The list is read first, unless
    /// all of it is replaced; it is read again if the backend's revision has moved on.
    pub(super) async fn change_whole(
        &self,
        group: &mut Group<'_>,
        change: MemberChange,
        set: Option<&Call>,
    ) -> Result<bool, Error> {
        let members = group.members;
        let (mut keys, mut unknown) = (Vec::new(), Vec::new());
        for member in &change.add {
            match key_of(group.of, member) {
                Some(key) => keys.push(key),
                None => unknown.push(member.clone()),
            }
        }
        let wanted = !change.add.is_empty();
        let is_blind = relation::sets_blindly(members, &change, set);
        let (mut stale, mut dropped) = (0, 0);
        while stale <= limits::REPLANS && dropped <= limits::UNKNOWN_ROUNDS {
            if (members.unknown == UnknownMember::Refuse || wanted && keys.is_empty()) && !unknown.is_empty() {
                return Err(refused(&unknown));
            }
            let rows = if is_blind { Vec::new() } else { self.rows_of(group, stale + dropped > 0).await? };
            let next = desired(group, &change, &keys, &rows)?;
            let unchanged = next.len() == rows.len() && next.iter().zip(&rows).all(|(id, (present, _))| id == present);
            if unchanged && !is_blind {
                group.now = group.found.take();
                report_skipped(group.id, &unknown);
                return Ok(true);
            }
            let outcome = match set {
                Some(set) => self.set_members(group, &next, &rows, set).await?,
                None => self.write_members(group, &next, &rows).await?,
            };
            match outcome {
                Outcome::Good(_) | Outcome::Done => {
                    report_skipped(group.id, &unknown);
                    return Ok(true);
                }
                Outcome::Stale => stale += 1,
                Outcome::UnknownMembers(named) => {
                    dropped += 1;
                    let (gone, rest) = without(group, &keys, &named);
                    // Somebody is unknown, and nobody can tell who.
                    if gone.is_empty() {
                        return Err(refused(&ids(group, &keys)));
                    }
                    unknown.extend(ids(group, &gone));
                    keys = rest;
                }
                // It may be about the group, or about a member.
                Outcome::NotFound if self.fetch(&group.identity.key).await?.is_some() => return Err(refused(&ids(group, &keys))),
                Outcome::NotFound => return Err(self.not_found(group.id)),
                Outcome::Refused(error) => return Err(error.into()),
                Outcome::Fault(fault) => return Err(fault.into()),
            }
        }
        Err(if stale > limits::REPLANS { self.contended(group.id) } else { refused(&unknown) })
    }

    /// Those who are members, with the record of the group where it is needed.
    async fn rows_of(&self, group: &mut Group<'_>, again: bool) -> Result<Vec<(String, Value)>, Error> {
        let (members, of) = (group.members, group.of);
        if relation::lists_with_group(members) && (again || group.found.is_none()) {
            let found = self.fetch(&group.identity.key).await?;
            group.found = Some(found.ok_or_else(|| self.not_found(group.id))?);
        }
        match (members.list.inline(), &group.found) {
            (Some(inline), Some(found)) => {
                let element = &inline.element;
                let row = |row: &Value| Some((id_of(of, element.key.first(row)?)?, row.clone()));
                Ok(inline.items.all(&found.record).into_iter().filter_map(row).collect())
            }
            _ => self.member_rows(members, &group.identity.key).await?.ok_or_else(|| self.not_found(group.id)),
        }
    }

    /// Makes the call that sets these members.
    async fn set_members(
        &self,
        group: &Group<'_>,
        next: &[String],
        rows: &[(String, Value)],
        set: &Call,
    ) -> Result<Outcome, Error> {
        let present: HashMap<&String, &Value> = rows.iter().map(|(id, row)| (id, row)).collect();
        let element = group.members.list.element();
        // A member who is there keeps the key in the form in which the backend has it.
        let key = |id: &String| present.get(id).and_then(|row| element.key.first(row)).cloned().or_else(|| key_of(group.of, id));
        let members: Value = next.iter().filter_map(key).collect();
        self.send(build(set, &Scope { members: Some(&members), ..scope_of(group) }, None)?).await
    }

    /// Writes the record with these members, with the calls around that.
    async fn write_members(&self, group: &mut Group<'_>, next: &[String], rows: &[(String, Value)]) -> Result<Outcome, Error> {
        let update = change::rest(self.resource).ok_or_else(|| Error::mapping("members: no call writes the record"))?;
        let body = self.record_with(group, update, next, rows)?;
        let (id, identity, found) = (group.id, &group.identity, group.found.as_ref());
        let (outcome, now) = self.write_rest(&Written { id, identity, found, update, what: "members" }, &body).await?;
        group.now = now;
        Ok(outcome)
    }

    /// Makes the call that writes the rest of a record, with the calls around it; gives the record where the answer is the whole
    /// of it.
    pub(super) async fn write_rest(&self, written: &Written<'_>, body: &Value) -> Result<(Outcome, Option<Found>), Error> {
        let Written { id, found, update, what, .. } = *written;
        let mut sides = Sides::default();
        let (mut asked, mut made) = (false, false);
        let done = async {
            let scope = written.scope();
            self.side_calls(&update.around.before, &scope, &mut sides).await?;
            let scope = Scope { kept: Some(&sides.kept), ..scope };
            let call = build(&update.call, &scope, Some(body))?;
            asked = true;
            let (outcome, headers) = self.exchange(call).await?;
            let mut now = None;
            if let Outcome::Good(body) = &outcome {
                let is_it = |now: &Found| {
                    let before = found.map_or(&Value::Null, |found| &found.record);
                    now.resource.get("id").and_then(Value::as_str) == Some(id) && self.is_whole(now, before, &[])
                };
                let found = self.record(&update.call, &update.item, body, Some(&headers)).await.ok();
                now = found.filter(|found| !update.read_back && update.around.after.is_empty() && is_it(found));
            }
            made = matches!(outcome, Outcome::Good(_) | Outcome::Done);
            if made {
                self.side_calls(&update.around.after, &written.scope(), &mut sides).await?;
            }
            Ok((outcome, now))
        };
        let done: Result<_, Error> = done.await;
        let left = match &done {
            Ok(_) if made => Vec::new(),
            // What belongs to a change that was made, or may have been, stays with it.
            Err(error) if made || asked && error.may_have_acted() => sides.names(),
            _ => self.undo(sides, &written.scope()).await,
        };
        match done {
            Ok(done) if left.is_empty() => Ok(done),
            Ok((Outcome::Refused(error), _)) => Err(Error::from(error).leaving(left)),
            Ok((Outcome::NotFound, _)) => Err(self.not_found(id).leaving(left)),
            Ok((outcome @ Outcome::UnknownMembers(_), _)) => {
                audit::left_behind(&self.resource.kind.name, Some(id), &left);
                Ok((outcome, None))
            }
            Ok(_) => Err(self.contended(id).leaving(left)),
            Err(error) => {
                let changed = if made { vec![what.to_owned()] } else { Vec::new() };
                Err(error.leaving(changed).leaving(left))
            }
        }
    }

    /// The body of the call that writes the rest of a record, with these elements in one of its arrays.
    pub(super) fn record_body(
        &self,
        found: &Found,
        update: &Update,
        place: &WritePath,
        elements: Vec<Value>,
    ) -> Result<Value, Error> {
        let is_full = update.send == Send::Full;
        let lines = self.resource.lines.iter().filter(|line| is_full && change::is_rest(self.resource, line));
        let before = Before { record: &found.record, changed: &[], restore: None };
        let mut body = write::body(self.mapping(), &self.tables(), lines, &found.resource, Some(before))?;
        if is_full {
            self.keep_members(&found.record, &mut body);
        }
        place.put(&mut body, Value::Array(elements));
        Ok(body)
    }

    /// The body of the call that writes the record. Elements of the array that are no members of this type stay in it.
    fn record_with(&self, group: &Group<'_>, update: &Update, next: &[String], rows: &[(String, Value)]) -> Result<Value, Error> {
        let (Some(inline), Some(found)) = (group.members.list.inline(), &group.found) else {
            return Err(Error::mapping("members: `inline` cannot be written"));
        };
        let Some((place, _)) = &inline.write else { return Err(Error::mapping("members: `inline` cannot be written")) };
        let (stay, here): (HashSet<&String>, HashSet<&String>) = (next.iter().collect(), rows.iter().map(|(id, _)| id).collect());
        let mut elements: Vec<Value> = Vec::with_capacity(next.len());
        for item in inline.items.all(&found.record) {
            let id = inline.element.key.first(item).and_then(|key| id_of(group.of, key));
            if id.is_none_or(|id| stay.contains(&id)) {
                elements.push(item.clone());
            }
        }
        let new = next.iter().filter(|id| !here.contains(id));
        elements.extend(new.filter_map(|id| member_element(self.mapping(), self.resource, id)));
        self.record_body(found, update, place, elements)
    }
}

impl Written<'_> {
    fn scope(&self) -> Scope<'_> {
        Scope {
            record: self.found.map(|found| &found.record),
            version: self.found.and_then(|found| found.version.as_ref()),
            resource: self.found.map(|found| &found.resource),
            ..self.identity.scope()
        }
    }
}

fn scope_of<'g>(group: &'g Group<'_>) -> Scope<'g> {
    let found = group.found.as_ref();
    Scope {
        record: found.map(|found| &found.record),
        version: found.and_then(|found| found.version.as_ref()),
        resource: found.map(|found| &found.resource),
        ..group.identity.scope()
    }
}

/// The members that a group shall have, by their ids: those who stay in their order, then the new ones.
fn desired(group: &Group<'_>, change: &MemberChange, add: &[Value], rows: &[(String, Value)]) -> Result<Vec<String>, Error> {
    let add = ids(group, add);
    let remove: HashSet<&String> = change.remove.iter().collect();
    let keep: HashSet<&String> = add.iter().collect();
    let mut next = Vec::with_capacity(rows.len() + add.len());
    for (id, row) in rows {
        let is_pinned = pinned(group.members, row);
        if remove.contains(id) && is_pinned {
            return Err(cannot_be_removed(id));
        }
        if is_pinned || keep.contains(id) || !change.replace && !remove.contains(id) {
            next.push(id.clone());
        }
    }
    let here: HashSet<String> = next.iter().cloned().collect();
    next.extend(add.into_iter().filter(|id| !here.contains(id)));
    Ok(next)
}
