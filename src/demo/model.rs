//! The records of the directory, and the JSON they are read as.
//!
//! What a client may write is a struct of its own (`UserFields`, `TeamFields`): unknown keys are refused there, and
//! `null` clears wherever something may be unset. The rows add what only the directory sets.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// A person.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) rev: u64,
    pub(super) status: Status,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) fields: UserFields,
    /// SHA-256 of the secret; the secret itself is not kept.
    pub(super) secret: Option<[u8; 32]>,
}

/// Whether a person may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Active,
    Suspended,
}

/// A team and, for each member, since when.
#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) id: u64,
    pub(super) rev: u64,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) fields: TeamFields,
    pub(super) members: BTreeMap<u64, i64>,
}

/// The part of a user that a client writes, but for the secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct UserFields {
    pub(super) login: String,
    pub(super) external_ref: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) profile: Profile,
    #[serde(deserialize_with = "null_clears")]
    pub(super) contact: Contact,
    #[serde(deserialize_with = "null_clears")]
    pub(super) employment: Employment,
    #[serde(deserialize_with = "null_clears")]
    pub(super) access: Access,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Profile {
    pub(super) full_name: Option<String>,
    pub(super) surname: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) middle_name: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) shown_as: Option<String>,
    pub(super) nick: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) language: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) tz: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Contact {
    #[serde(deserialize_with = "null_clears")]
    pub(super) mail: Vec<Mail>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) phones: Vec<Phone>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) chats: Vec<Chat>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) pictures: Vec<Picture>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) places: Vec<Place>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Mail {
    pub(super) address: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) label: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Phone {
    pub(super) number: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) label: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Chat {
    pub(super) handle: Option<String>,
    pub(super) network: Option<String>,
    pub(super) label: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Picture {
    pub(super) url: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) label: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Place {
    pub(super) label: Option<String>,
    pub(super) street: Option<String>,
    pub(super) city: Option<String>,
    pub(super) state: Option<String>,
    pub(super) zip: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Employment {
    pub(super) job_title: Option<String>,
    pub(super) relation: Option<String>,
    pub(super) number: Option<String>,
    pub(super) cost_center: Option<String>,
    pub(super) company: Option<String>,
    pub(super) division: Option<String>,
    pub(super) department: Option<String>,
    pub(super) manager_id: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Access {
    #[serde(deserialize_with = "null_clears")]
    pub(super) entitlements: Vec<Grant>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) roles: Vec<Grant>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) certificates: Vec<Certificate>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Grant {
    pub(super) code: Option<String>,
    pub(super) label: Option<String>,
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct Certificate {
    pub(super) der: Option<String>,
    pub(super) label: Option<String>,
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "null_clears")]
    pub(super) preferred: bool,
}

/// The part of a team that a client writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct TeamFields {
    pub(super) name: String,
    pub(super) external_ref: Option<String>,
}

/// The body that adds members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub(super) struct NewMembers {
    pub(super) user_ids: Vec<u64>,
}

/// A user as it is read.
#[derive(Debug, Serialize)]
pub(super) struct UserRow<'a> {
    pub(super) id: u64,
    pub(super) rev: u64,
    pub(super) login: &'a str,
    pub(super) external_ref: Option<&'a str>,
    pub(super) status: Status,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) profile: &'a Profile,
    pub(super) contact: &'a Contact,
    pub(super) employment: EmploymentRow<'a>,
    pub(super) access: &'a Access,
}

/// Employment as it is read: with the name of the manager.
#[derive(Debug, Serialize)]
pub(super) struct EmploymentRow<'a> {
    #[serde(flatten)]
    pub(super) written: &'a Employment,
    pub(super) manager_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct TeamRow<'a> {
    pub(super) id: u64,
    pub(super) rev: u64,
    pub(super) name: &'a str,
    pub(super) external_ref: Option<&'a str>,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) member_count: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct MemberRow<'a> {
    pub(super) user_id: u64,
    pub(super) login: &'a str,
    pub(super) name: &'a str,
    pub(super) since_ms: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct UserTeamRow<'a> {
    pub(super) team_id: u64,
    pub(super) name: &'a str,
}

/// What adding members did.
#[derive(Debug, Serialize)]
pub(super) struct Added {
    pub(super) added: Vec<u64>,
    pub(super) already: Vec<u64>,
}

fn null_clears<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

// === impl User ===

impl User {
    /// The name that other records show: the first of `shown_as`, `full_name` and `login` that is set.
    pub(super) fn name(&self) -> &str {
        let profile = &self.fields.profile;
        profile.shown_as.as_deref().or(profile.full_name.as_deref()).unwrap_or(&self.fields.login)
    }

    pub(super) fn touch(&mut self, now: i64) {
        self.rev += 1;
        self.updated_ms = now;
    }

    pub(super) fn row<'a>(&'a self, manager: Option<&'a Self>) -> UserRow<'a> {
        UserRow {
            id: self.id,
            rev: self.rev,
            login: &self.fields.login,
            external_ref: self.fields.external_ref.as_deref(),
            status: self.status,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            profile: &self.fields.profile,
            contact: &self.fields.contact,
            employment: EmploymentRow { written: &self.fields.employment, manager_name: manager.map(Self::name) },
            access: &self.fields.access,
        }
    }
}

// === impl Team ===

impl Team {
    pub(super) fn touch(&mut self, now: i64) {
        self.rev += 1;
        self.updated_ms = now;
    }

    pub(super) fn row(&self) -> TeamRow<'_> {
        TeamRow {
            id: self.id,
            rev: self.rev,
            name: &self.fields.name,
            external_ref: self.fields.external_ref.as_deref(),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            member_count: self.members.len(),
        }
    }
}
