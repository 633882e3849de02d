//! The rules for teams and their members.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use super::merge::{merged, refuse_read_only};
use super::model::{Added, MemberRow, NewMembers, Team, TeamFields};
use super::refusal::Refusal;
use super::store::{Page, Paged, Store, check_rev, holds};
use crate::limits;

/// What a list of teams is narrowed to; all that is set must hold.
#[derive(Debug, Default)]
pub(super) struct TeamFilter {
    pub(super) name: Option<String>,
    pub(super) external_ref: Option<String>,
    pub(super) q: Option<String>,
}

impl Store {
    pub(super) fn list_teams(&self, filter: &TeamFilter, page: Page) -> Paged<&Team> {
        let (name, q) = (filter.name.as_ref().map(|it| it.to_lowercase()), filter.q.as_ref().map(|it| it.to_lowercase()));
        let fits = |team: &&Team| {
            let fields = &team.fields;
            name.as_ref().is_none_or(|it| fields.name.to_lowercase() == *it)
                && filter.external_ref.as_ref().is_none_or(|it| fields.external_ref.as_ref() == Some(it))
                && q.as_ref().is_none_or(|it| holds(&fields.name, it))
        };
        let known = |id: u64| self.teams.get(&id);
        if let Some(name) = &name {
            page.of_counted(self.team_names.ids(name).filter_map(known).filter(fits))
        } else if let Some(reference) = &filter.external_ref {
            page.of_counted(self.team_refs.ids(reference).filter_map(known).filter(fits))
        } else if q.is_some() {
            page.of_counted(self.teams.values().filter(fits))
        } else {
            page.of_known(self.teams.values(), self.teams.len())
        }
    }

    pub(super) fn create_team(&mut self, body: &Value, now: i64) -> Result<u64, Refusal> {
        let fields = checked(&TeamFields::default(), body)?;
        Ok(self.insert_team(fields, now))
    }

    /// Takes in a team whose fields are known to be right.
    pub(super) fn insert_team(&mut self, fields: TeamFields, now: i64) -> u64 {
        let id = self.new_id();
        self.index_team(id, &fields);
        let team = Team { id, rev: 1, created_ms: now, updated_ms: now, fields, members: BTreeMap::new() };
        self.teams.insert(id, team);
        id
    }

    pub(super) fn patch_team(&mut self, id: u64, expected: Option<u64>, body: &Value, now: i64) -> Result<(), Refusal> {
        let team = self.team(id)?;
        check_rev(team.rev, expected)?;
        let fields = checked(&team.fields, body)?;
        if fields == team.fields {
            return Ok(());
        }
        let mut team = self.teams.remove(&id).ok_or_else(|| Refusal::no_team(id))?;
        self.unindex_team(&team);
        self.index_team(id, &fields);
        team.fields = fields;
        team.touch(now);
        self.teams.insert(id, team);
        Ok(())
    }

    pub(super) fn delete_team(&mut self, id: u64, expected: Option<u64>) -> Result<(), Refusal> {
        check_rev(self.team(id)?.rev, expected)?;
        if let Some(team) = self.teams.remove(&id) {
            self.unindex_team(&team);
            for member in team.members.keys() {
                self.memberships.remove(member, id);
            }
        }
        Ok(())
    }

    pub(super) fn members_of(&self, id: u64, page: Page) -> Result<Paged<MemberRow<'_>>, Refusal> {
        let team = self.team(id)?;
        let members = team.members.iter().filter_map(|(user, since)| Some((self.users.get(user)?, *since)));
        let rows = members.map(|(user, since_ms)| MemberRow {
            user_id: user.id,
            login: &user.fields.login,
            name: user.name(),
            since_ms,
        });
        Ok(page.of_known(rows, team.members.len()))
    }

    /// Adds all or, if one of them is unknown, nobody.
    pub(super) fn add_members(&mut self, id: u64, body: &Value, now: i64) -> Result<Added, Refusal> {
        self.team(id)?;
        let user_ids = merged(&NewMembers::default(), body)?.user_ids;
        if user_ids.is_empty() {
            let message = format!("user_ids takes 1 to {} ids of users", limits::DEMO_BATCH);
            return Err(Refusal::invalid("user_ids", message));
        }
        if user_ids.len() > limits::DEMO_BATCH {
            let message = format!("at most {} users can be added at once; send the rest in more calls", limits::DEMO_BATCH);
            return Err(Refusal::unprocessable("TOO_MANY", message).at("user_ids"));
        }
        let unknown: Vec<u64> = user_ids.iter().copied().filter(|user| !self.users.contains_key(user)).collect();
        if !unknown.is_empty() {
            return Err(Refusal::unknown_users(unknown));
        }
        self.insert_members(id, user_ids, now)
    }

    /// Adds users who are known to exist.
    pub(super) fn insert_members(&mut self, id: u64, users: impl IntoIterator<Item = u64>, now: i64) -> Result<Added, Refusal> {
        let team = self.teams.get_mut(&id).ok_or_else(|| Refusal::no_team(id))?;
        let mut done = Added { added: Vec::new(), already: Vec::new() };
        for user in users {
            if let Entry::Vacant(place) = team.members.entry(user) {
                place.insert(now);
                self.memberships.add(user, id);
                done.added.push(user);
            } else {
                done.already.push(user);
            }
        }
        if !done.added.is_empty() {
            team.touch(now);
        }
        Ok(done)
    }

    pub(super) fn remove_member(&mut self, id: u64, user: u64, now: i64) -> Result<(), Refusal> {
        let team = self.teams.get_mut(&id).ok_or_else(|| Refusal::no_team(id))?;
        if team.members.remove(&user).is_none() {
            return Err(Refusal::not_a_member(id, user));
        }
        team.touch(now);
        self.memberships.remove(&user, id);
        Ok(())
    }

    fn index_team(&mut self, id: u64, fields: &TeamFields) {
        self.team_names.add(fields.name.to_lowercase(), id);
        if let Some(reference) = &fields.external_ref {
            self.team_refs.add(reference.clone(), id);
        }
    }

    fn unindex_team(&mut self, team: &Team) {
        self.team_names.remove(&team.fields.name.to_lowercase(), team.id);
        if let Some(reference) = &team.fields.external_ref {
            self.team_refs.remove(reference, team.id);
        }
    }
}

/// The fields of a team after a body is merged in. Names need not be unique.
fn checked(current: &TeamFields, body: &Value) -> Result<TeamFields, Refusal> {
    refuse_read_only(body, &["id", "rev", "created_ms", "updated_ms", "member_count"])?;
    let fields = merged(current, body)?;
    if fields.name.trim().is_empty() {
        return Err(Refusal::invalid("name", "name is required and must not be blank"));
    }
    Ok(fields)
}
