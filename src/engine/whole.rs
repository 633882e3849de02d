//! Setting all members of a group at once: by a call for that, or with the record that they are in.

use std::collections::{HashMap, HashSet};

use http::HeaderMap;
use serde_json::Value;

use super::fetch::{Found, build};
use super::membership::{Group, cannot_be_removed, ids, pinned, refused, report_skipped, without};
use super::ports::Backend;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::model::{Call, Send, UnknownMember};
use crate::mapping::template::Scope;
use crate::translate::create::member_element;
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::MemberChange;
use crate::translate::write::{self, Before, key_of};
use crate::translate::{change, relation};

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
        // Each round drops a member or finds another revision.
        for round in 0..=limits::REPLANS + change.add.len().min(limits::REPLANS) {
            if (members.unknown == UnknownMember::Refuse || wanted && keys.is_empty()) && !unknown.is_empty() {
                return Err(refused(&unknown));
            }
            let rows = if is_blind { Vec::new() } else { self.rows_of(group, round > 0).await? };
            let next = desired(group, &change, &keys, &rows)?;
            let unchanged = next.len() == rows.len() && next.iter().zip(&rows).all(|(id, (present, _))| id == present);
            if unchanged && !is_blind {
                group.now = group.found.take();
                report_skipped(group, &unknown);
                return Ok(true);
            }
            let (outcome, headers) = self.set_members(group, &next, &rows, set).await?;
            match outcome {
                Outcome::Good(_) | Outcome::Done => {
                    group.now = self.answered(group, set, &outcome, &headers);
                    report_skipped(group, &unknown);
                    return Ok(true);
                }
                Outcome::Stale => {}
                Outcome::UnknownMembers(named) => {
                    let (gone, rest) = without(group, &keys, &named);
                    // Somebody is unknown, and nobody can tell who.
                    if gone.is_empty() {
                        return Err(refused(&ids(group, &keys)));
                    }
                    unknown.extend(ids(group, &gone));
                    keys = rest;
                }
                Outcome::NotFound => return Err(self.not_found(group.id)),
                Outcome::Refused(error) => return Err(error.into()),
                Outcome::Fault(fault) => return Err(fault.into()),
            }
        }
        Err(self.contended(group.id))
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

    /// The group as the call that writes its record answered.
    fn answered(&self, group: &Group<'_>, set: Option<&Call>, outcome: &Outcome, headers: &HeaderMap) -> Option<Found> {
        let update = change::rest(self.resource).filter(|update| set.is_none() && !update.read_back)?;
        let Outcome::Good(body) = outcome else { return None };
        let found = self.record(&update.call, &update.item, body, Some(headers)).ok()?;
        (found.resource.get("id").and_then(Value::as_str) == Some(group.id)).then_some(found)
    }

    /// Makes the call that sets these members.
    async fn set_members(
        &self,
        group: &Group<'_>,
        next: &[String],
        rows: &[(String, Value)],
        set: Option<&Call>,
    ) -> Result<(Outcome, HeaderMap), Error> {
        let present: HashMap<&String, &Value> = rows.iter().map(|(id, row)| (id, row)).collect();
        let element = group.members.list.element();
        let found = group.found.as_ref();
        let scope = Scope {
            record: found.map(|found| &found.record),
            version: found.and_then(|found| found.version.as_ref()),
            resource: found.map(|found| &found.resource),
            ..group.identity.scope()
        };
        if let Some(set) = set {
            // A member who is there keeps the key in the form in which the backend has it.
            let key =
                |id: &String| present.get(id).and_then(|row| element.key.first(row)).cloned().or_else(|| key_of(group.of, id));
            let members: Value = next.iter().filter_map(key).collect();
            return self.exchange(build(set, &Scope { members: Some(&members), ..scope }, None, &[])?).await;
        }
        let update = change::rest(self.resource).ok_or_else(|| Error::mapping("members: no call writes the record"))?;
        let (Some((place, _)), Some(found)) = (group.members.list.inline().and_then(|inline| inline.write.as_ref()), found)
        else {
            return Err(Error::mapping("members: `inline` cannot be written"));
        };
        let lines = self.resource.lines.iter().filter(|line| update.send == Send::Full && change::is_rest(self.resource, line));
        let before = Before { record: &found.record, changed: &[] };
        let mut body = write::body(self.mapping(), lines, &found.resource, Some(before))?;
        let elements = next.iter().filter_map(|id| {
            present.get(id).map(|row| (*row).clone()).or_else(|| member_element(self.mapping(), self.resource, id))
        });
        place.put(&mut body, elements.collect());
        self.exchange(build(&update.call, &scope, Some(&body), &[])?).await
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
