//! Memberships that are kept in the records of the members: who comes or goes is written as any other change of that member.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::fetch::{Found, unexpected};
use super::membership::{By, Group};
use super::ports::Backend;
use super::sides::Identity;
use super::whole::Written;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::model::Inline;
use crate::translate::change;
use crate::translate::create::element;
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::{self, MemberChange};

impl<B: Backend> Operation<'_, B> {
    /// Additions and removals by writing each member.
    pub(super) async fn change_in_members(
        &self,
        group: &mut Group<'_>,
        inline: &Inline,
        change: MemberChange,
    ) -> Result<bool, Error> {
        // Of the group itself no call is made, so that nothing else shows that it is there.
        if group.found.is_none() {
            let found = self.fetch(&group.identity.key).await?;
            group.found = Some(found.ok_or_else(|| self.not_found(group.id))?);
        }
        let wanted = change.add.len();
        let was_read = relation::needs_rows(group.members, None, &change);
        let change = if was_read { self.against_rows(group, change, None).await? } else { change };
        group.kept = wanted - change.add.len();
        if !change.is_empty() {
            self.add_and_remove(group, By::Record(inline), By::Record(inline), change).await?;
        }
        Ok(true)
    }

    /// Adds the group to the record of one member, or takes it out; `false` if there is no such member. It is a write of the
    /// member: it waits for its turn among the others, and is planned again if the revision has moved on.
    pub(super) async fn member_record(&self, group: &Group<'_>, inline: &Inline, key: &Value, adds: bool) -> Result<bool, Error> {
        let member = Operation { resource: group.of, ..*self };
        let Some(id) = id_of(group.of, key) else { return Ok(false) };
        let _turn = member.turn(&id).await?;
        let identity = Identity::new(&id, key);
        let update = change::rest(group.of).ok_or_else(|| Error::mapping("members: no call writes the record of a member"))?;
        for _ in 0..=limits::REPLANS {
            let Some(found) = member.fetch(key).await? else { return Ok(false) };
            if self.is_in(inline, &found.record, &group.identity.key) == adds {
                return Ok(true);
            }
            let Some((place, _)) = &inline.write else { return Err(Error::mapping("members: `groups` cannot be written")) };
            let elements = self.groups_with(inline, &found, &group.identity.key, adds);
            let body = member.record_body(&found, update, place, elements)?;
            let written = Written { id: &id, identity: &identity, found: Some(&found), update, what: "groups" };
            match member.write_rest(&written, &body).await?.0 {
                Outcome::Good(_) => {
                    group.changed.fetch_add(1, Ordering::Relaxed);
                    return Ok(true);
                }
                Outcome::Done => return Ok(true),
                Outcome::NotFound => return Ok(false),
                Outcome::Stale => {}
                Outcome::Refused(error) => return Err(error.into()),
                other => return Err(unexpected(&update.call, &other)),
            }
        }
        Err(member.contended(&id))
    }

    /// The groups of a member with this one, or without it. What else is in the array stays as it is.
    fn groups_with(&self, inline: &Inline, found: &Found, group: &Value, adds: bool) -> Vec<Value> {
        let wanted = id_of(self.resource, group);
        let is_it = |item: &&Value| inline.element.key.first(item).and_then(|key| id_of(self.resource, key)) == wanted;
        let items = inline.items.all(&found.record).into_iter();
        let mut elements: Vec<Value> = items.filter(|item| !is_it(item)).cloned().collect();
        if adds {
            let place = inline.write.as_ref().and_then(|(_, place)| place.as_ref());
            elements.push(element(place, group.clone()));
        }
        elements
    }
}
