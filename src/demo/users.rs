//! The rules for users.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::merge::{merged, refuse_read_only};
use super::model::{Status, User, UserFields, UserTeamRow};
use super::refusal::Refusal;
use super::store::{Page, Paged, Store, check_rev, holds};

/// What a list of users is narrowed to; all that is set must hold.
#[derive(Debug, Default)]
pub(super) struct UserFilter {
    pub(super) login: Option<String>,
    pub(super) email: Option<String>,
    pub(super) external_ref: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) q: Option<String>,
}

/// What a body does to the secret.
#[derive(Clone, Copy)]
enum Secret {
    Keep,
    Clear,
    Set([u8; 32]),
}

impl Store {
    pub(super) fn list_users(&self, filter: &UserFilter, page: Page) -> Paged<&User> {
        let (login, email) =
            (filter.login.as_ref().map(|it| it.to_lowercase()), filter.email.as_ref().map(|it| it.to_lowercase()));
        let q = filter.q.as_ref().map(|it| it.to_lowercase());
        let fits = |user: &&User| {
            let fields = &user.fields;
            login.as_ref().is_none_or(|it| fields.login.to_lowercase() == *it)
                && email.as_ref().is_none_or(|it| addresses(fields).any(|address| address.to_lowercase() == *it))
                && filter.external_ref.as_ref().is_none_or(|it| fields.external_ref.as_ref() == Some(it))
                && filter.status.is_none_or(|it| user.status == it)
                && q.as_ref().is_none_or(|it| texts(fields).any(|text| holds(text, it)))
        };
        let known = |id: u64| self.users.get(&id);
        if let Some(login) = &login {
            page.of_counted(self.logins.get(login).copied().into_iter().filter_map(known).filter(fits))
        } else if let Some(email) = &email {
            page.of_counted(self.addresses.ids(email).filter_map(known).filter(fits))
        } else if let Some(reference) = &filter.external_ref {
            page.of_counted(self.user_refs.ids(reference).filter_map(known).filter(fits))
        } else if filter.status.is_some() || q.is_some() {
            page.of_counted(self.users.values().filter(fits))
        } else {
            page.of_known(self.users.values(), self.users.len())
        }
    }

    pub(super) fn create_user(&mut self, body: Value, now: i64) -> Result<u64, Refusal> {
        let (fields, secret) = self.checked(None, &UserFields::default(), body)?;
        let id = self.insert_user(fields, now);
        if let (Secret::Set(digest), Some(user)) = (secret, self.users.get_mut(&id)) {
            user.secret = Some(digest);
        }
        Ok(id)
    }

    /// Takes in a user whose fields are known to be right.
    pub(super) fn insert_user(&mut self, fields: UserFields, now: i64) -> u64 {
        let id = self.new_id();
        self.index_user(id, &fields);
        let user = User { id, rev: 1, status: Status::Active, created_ms: now, updated_ms: now, fields, secret: None };
        self.users.insert(id, user);
        id
    }

    pub(super) fn patch_user(&mut self, id: u64, expected: Option<u64>, body: Value, now: i64) -> Result<(), Refusal> {
        let user = self.user(id)?;
        check_rev(user.rev, expected)?;
        let (fields, secret) = self.checked(Some(id), &user.fields, body)?;
        let secret = match secret {
            Secret::Keep => user.secret,
            Secret::Clear => None,
            Secret::Set(digest) => Some(digest),
        };
        if fields == user.fields && secret == user.secret {
            return Ok(());
        }
        let mut user = self.users.remove(&id).ok_or_else(|| Refusal::no_user(id))?;
        self.unindex_user(&user);
        self.index_user(id, &fields);
        (user.fields, user.secret) = (fields, secret);
        user.touch(now);
        self.users.insert(id, user);
        Ok(())
    }

    /// Suspends or reactivates. Doing it twice changes nothing.
    pub(super) fn set_status(&mut self, id: u64, expected: Option<u64>, status: Status, now: i64) -> Result<(), Refusal> {
        let user = self.users.get_mut(&id).ok_or_else(|| Refusal::no_user(id))?;
        check_rev(user.rev, expected)?;
        if user.status != status {
            user.status = status;
            user.touch(now);
        }
        Ok(())
    }

    /// Deletes; who reported to the user has no manager then, and the user's teams have one member less.
    pub(super) fn delete_user(&mut self, id: u64, expected: Option<u64>, now: i64) -> Result<(), Refusal> {
        check_rev(self.user(id)?.rev, expected)?;
        if let Some(user) = self.users.remove(&id) {
            self.unindex_user(&user);
        }
        for report in self.reports.take(&id) {
            if let Some(user) = self.users.get_mut(&report) {
                user.fields.employment.manager_id = None;
                user.touch(now);
            }
        }
        for team in self.memberships.take(&id) {
            if let Some(team) = self.teams.get_mut(&team) {
                team.members.remove(&id);
                team.touch(now);
            }
        }
        Ok(())
    }

    pub(super) fn teams_of(&self, id: u64, page: Page) -> Result<Paged<UserTeamRow<'_>>, Refusal> {
        self.user(id)?;
        let teams = self.memberships.ids(&id).filter_map(|team| self.teams.get(&team));
        let rows = teams.map(|team| UserTeamRow { team_id: team.id, name: &team.fields.name });
        Ok(page.of_known(rows, self.memberships.count(&id)))
    }

    /// Whether that is the user's secret.
    pub(super) fn secret_is(&self, id: u64, secret: &str) -> bool {
        self.users.get(&id).is_some_and(|user| user.secret == Some(digest(secret)))
    }

    /// The fields of a user after a body is merged in, checked against everyone else.
    fn checked(&self, id: Option<u64>, current: &UserFields, mut body: Value) -> Result<(UserFields, Secret), Refusal> {
        if body.get("status").is_some() {
            let message = "status cannot be written; a new user is ACTIVE, then POST /users/{id}/suspend or /reactivate";
            return Err(Refusal::unprocessable("STATUS_READ_ONLY", message).at("status"));
        }
        refuse_read_only(&body, &["id", "rev", "created_ms", "updated_ms", "employment.manager_name"])?;
        let secret = match body.as_object_mut().and_then(|object| object.remove("secret")) {
            None => Secret::Keep,
            Some(Value::Null) => Secret::Clear,
            Some(Value::String(secret)) if !secret.is_empty() => Secret::Set(digest(&secret)),
            Some(_) => return Err(Refusal::invalid("secret", "secret takes a string that is not empty, or null")),
        };
        let fields = merged(current, &body)?;
        if fields.login.trim().is_empty() {
            return Err(Refusal::invalid("login", "login is required and must not be blank"));
        }
        if self.logins.get(&fields.login.to_lowercase()).is_some_and(|&other| Some(other) != id) {
            return Err(Refusal::login_taken(&fields.login));
        }
        match fields.employment.manager_id {
            Some(manager) if !self.users.contains_key(&manager) => {
                let message = format!("there is no user {manager} who could be the manager");
                Err(Refusal::unprocessable("UNKNOWN_USER", message).at("employment.manager_id"))
            }
            _ => Ok((fields, secret)),
        }
    }

    fn index_user(&mut self, id: u64, fields: &UserFields) {
        self.logins.insert(fields.login.to_lowercase(), id);
        for address in addresses(fields) {
            self.addresses.add(address.to_lowercase(), id);
        }
        if let Some(reference) = &fields.external_ref {
            self.user_refs.add(reference.clone(), id);
        }
        if let Some(manager) = fields.employment.manager_id {
            self.reports.add(manager, id);
        }
    }

    fn unindex_user(&mut self, user: &User) {
        self.logins.remove(&user.fields.login.to_lowercase());
        for address in addresses(&user.fields) {
            self.addresses.remove(&address.to_lowercase(), user.id);
        }
        if let Some(reference) = &user.fields.external_ref {
            self.user_refs.remove(reference, user.id);
        }
        if let Some(manager) = user.fields.employment.manager_id {
            self.reports.remove(&manager, user.id);
        }
    }
}

fn addresses(fields: &UserFields) -> impl Iterator<Item = &str> {
    fields.contact.mail.iter().filter_map(|mail| mail.address.as_deref())
}

/// What `q` looks through.
fn texts(fields: &UserFields) -> impl Iterator<Item = &str> {
    let profile = &fields.profile;
    let names = [&profile.full_name, &profile.first_name, &profile.surname, &profile.shown_as];
    let names = names.into_iter().filter_map(Option::as_deref);
    std::iter::once(fields.login.as_str()).chain(names).chain(addresses(fields))
}

/// Enough for a demonstration: a directory for real people would take a slow, salted hash.
fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
