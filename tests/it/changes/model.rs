//! What changes mean, in plain structures and without the gateway: a few users and groups, and what a request makes of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fake::State;

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// An attribute with one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Text {
    UserName,
    ExternalId,
    DisplayName,
    GivenName,
    FamilyName,
    Title,
    NickName,
    EmployeeNumber,
    Department,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) value: String,
    pub(crate) kind: String,
    pub(crate) primary: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) texts: BTreeMap<Text, String>,
    pub(crate) active: bool,
    pub(crate) emails: Vec<Email>,
    pub(crate) manager: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) members: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
}

/// A user in whole, as POST and PUT have it.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) texts: BTreeMap<Text, String>,
    pub(crate) active: Option<bool>,
    pub(crate) emails: Vec<Email>,
    pub(crate) manager: Option<String>,
}

/// A group in whole.
#[derive(Debug, Clone)]
pub(crate) struct NewGroup {
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) members: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub(crate) enum UserOp {
    Text(Text, String),
    Clear(Text),
    /// What of the name is said.
    Name(Option<String>, Option<String>),
    Active(bool),
    AddEmails(Vec<Email>),
    ReplaceEmails(Vec<Email>),
    /// All that are named.
    RemoveEmails(Vec<Email>),
    RemoveEmailsOf(String),
    RemoveEmail(String),
    RemoveAllEmails,
    /// `emails[type eq "work"].value`
    EmailOf(String, String),
    ClearEmailOf(String),
    Manager(String),
    ClearManager,
}

#[derive(Debug, Clone)]
pub(crate) enum GroupOp {
    Rename(String),
    ExternalId(Option<String>),
    Add(Vec<String>),
    /// `members[value eq "..."]`
    Remove(String),
    RemoveListed(Vec<String>),
    RemoveAll,
    Replace(Vec<String>),
}

/// What is asked for; ids are those of the client.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    CreateUser(NewUser),
    ReplaceUser(String, NewUser),
    PatchUser(String, Vec<UserOp>),
    DeleteUser(String),
    CreateGroup(NewGroup),
    ReplaceGroup(String, NewGroup),
    PatchGroup(String, Vec<GroupOp>),
    DeleteGroup(String),
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// One of these statuses.
    Status(Vec<u16>),
    /// It can be understood in two ways.
    Ambiguous,
}

/// Stands for the id that the backend will give.
pub(crate) const NEW: &str = "new";

type Members = Result<BTreeSet<String>, Refusal>;

// === impl Text ===

impl Text {
    pub(crate) const ALL: [Self; 9] = [
        Self::UserName,
        Self::ExternalId,
        Self::DisplayName,
        Self::GivenName,
        Self::FamilyName,
        Self::Title,
        Self::NickName,
        Self::EmployeeNumber,
        Self::Department,
    ];

    /// What it is in (nothing, `name` or the extension), and its name there.
    pub(crate) fn place(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::UserName => (None, "userName"),
            Self::ExternalId => (None, "externalId"),
            Self::DisplayName => (None, "displayName"),
            Self::GivenName => (Some("name"), "givenName"),
            Self::FamilyName => (Some("name"), "familyName"),
            Self::Title => (None, "title"),
            Self::NickName => (None, "nickName"),
            Self::EmployeeNumber => (Some(ENTERPRISE), "employeeNumber"),
            Self::Department => (Some(ENTERPRISE), "department"),
        }
    }

    pub(crate) fn path(self) -> String {
        match self.place() {
            (None, name) => name.to_owned(),
            (Some("name"), name) => format!("name.{name}"),
            (Some(urn), name) => format!("{urn}:{name}"),
        }
    }

    /// The field of the backend.
    fn field(self) -> &'static str {
        match self {
            Self::UserName => "login",
            Self::ExternalId => "ext",
            Self::DisplayName => "display",
            Self::GivenName => "first",
            Self::FamilyName => "last",
            Self::Title => "job",
            Self::NickName => "nick",
            Self::EmployeeNumber => "number",
            Self::Department => "dept",
        }
    }

    /// Puts a value into a SCIM resource.
    pub(crate) fn put(self, resource: &mut Value, value: &Value) {
        match self.place() {
            (None, name) => resource[name] = value.clone(),
            (Some(container), name) => resource[container][name] = value.clone(),
        }
    }

    fn get(self, resource: &Value) -> Option<String> {
        let (container, name) = self.place();
        let value = container.map_or(&resource[name], |container| &resource[container][name]);
        value.as_str().map(str::to_owned)
    }
}

impl Email {
    pub(crate) fn scim(&self) -> Value {
        let mut value = json!({ "value": self.value, "type": self.kind });
        if self.primary {
            value["primary"] = json!(true);
        }
        value
    }

    fn is(&self, other: &Self) -> bool {
        (&self.value, &self.kind) == (&other.value, &other.kind)
    }
}

// === impl User ===

impl User {
    fn of_record(record: &Value) -> Self {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let email = |mail: &Value| Email {
            value: mail["address"].as_str().unwrap().to_owned(),
            kind: mail["kind"].as_str().unwrap().to_owned(),
            primary: mail["main"] == true,
        };
        Self {
            texts: Text::ALL.iter().filter_map(|name| Some((*name, text(&record[name.field()])?))).collect(),
            active: record["status"] == "A",
            emails: record["mails"].as_array().unwrap().iter().map(email).collect(),
            manager: record["boss"].as_u64().map(|id| id.to_string()),
        }
    }

    /// The user that a SCIM resource tells of.
    pub(crate) fn of_scim(resource: &Value) -> Self {
        let email = |email: &Value| Email {
            value: email["value"].as_str().unwrap().to_owned(),
            kind: email["type"].as_str().unwrap().to_owned(),
            primary: email["primary"] == true,
        };
        Self {
            texts: Text::ALL.iter().filter_map(|name| Some((*name, name.get(resource)?))).collect(),
            active: resource["active"] == true,
            emails: resource["emails"].as_array().into_iter().flatten().map(email).collect(),
            manager: resource[ENTERPRISE]["manager"]["value"].as_str().map(str::to_owned),
        }
    }

    fn apply(&mut self, op: &UserOp) -> Result<(), Refusal> {
        match op {
            UserOp::Text(name, value) => drop(self.texts.insert(*name, value.clone())),
            UserOp::Clear(name) => drop(self.texts.remove(name)),
            UserOp::Name(given, family) => {
                let parts = [(Text::GivenName, given), (Text::FamilyName, family)];
                self.texts.extend(parts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
            }
            UserOp::Active(active) => self.active = *active,
            UserOp::AddEmails(emails) => {
                for email in emails {
                    if email.primary {
                        self.emails.iter_mut().for_each(|other| other.primary = false);
                    }
                    match self.emails.iter_mut().find(|known| known.is(email)) {
                        Some(known) => known.primary |= email.primary,
                        None => self.emails.push(email.clone()),
                    }
                }
            }
            UserOp::ReplaceEmails(emails) => self.emails.clone_from(emails),
            UserOp::RemoveEmails(emails) => self.emails.retain(|known| !emails.iter().any(|email| known.is(email))),
            UserOp::RemoveEmailsOf(kind) | UserOp::ClearEmailOf(kind) => self.emails.retain(|known| known.kind != *kind),
            UserOp::RemoveEmail(value) => self.emails.retain(|known| known.value != *value),
            UserOp::RemoveAllEmails => self.emails.clear(),
            UserOp::EmailOf(kind, value) => {
                let mut found = self.emails.iter_mut().filter(|known| known.kind == *kind);
                match (found.next(), found.next()) {
                    (Some(email), None) => email.value.clone_from(value),
                    (None, _) => self.emails.push(Email { value: value.clone(), kind: kind.clone(), primary: false }),
                    // Two of a kind would become the same.
                    (Some(_), Some(_)) => return Err(Refusal::Ambiguous),
                }
            }
            UserOp::Manager(id) => self.manager = Some(id.clone()),
            UserOp::ClearManager => self.manager = None,
        }
        Ok(())
    }
}

// === impl Model ===

impl Model {
    /// What a backend holds.
    pub(crate) fn of_state(state: &State) -> Self {
        let group = |(id, record): (&u64, &Value)| {
            let group = Group {
                name: record["name"].as_str().unwrap().to_owned(),
                external_id: record["ext"].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
                members: state.members(*id).map(|user| user.to_string()).collect(),
            };
            (id.to_string(), group)
        };
        Self {
            users: state.users.iter().map(|(id, record)| (id.to_string(), User::of_record(record))).collect(),
            groups: state.groups.iter().map(group).collect(),
        }
    }

    /// What another one has otherwise, for people.
    pub(crate) fn against(&self, other: &Self) -> String {
        let users: BTreeSet<&String> = self.users.keys().chain(other.users.keys()).collect();
        let users = users.into_iter().filter(|id| self.users.get(*id) != other.users.get(*id));
        let groups: BTreeSet<&String> = self.groups.keys().chain(other.groups.keys()).collect();
        let groups = groups.into_iter().filter(|id| self.groups.get(*id) != other.groups.get(*id));
        let mut lines: Vec<String> =
            users.map(|id| format!("user {id}:\n    {:?}\n    {:?}", self.users.get(id), other.users.get(id))).collect();
        lines.extend(groups.map(|id| format!("group {id}:\n    {:?}\n    {:?}", self.groups.get(id), other.groups.get(id))));
        lines.join("\n")
    }

    /// Gives what was made its id.
    pub(crate) fn settle(&mut self, id: &str) {
        if let Some(user) = self.users.remove(NEW) {
            self.users.insert(id.to_owned(), user);
        }
        if let Some(group) = self.groups.remove(NEW) {
            self.groups.insert(id.to_owned(), group);
        }
    }

    /// What is after the change.
    pub(crate) fn after(&self, change: &Change) -> Result<Self, Refusal> {
        let mut after = self.clone();
        let not_found = || Refusal::Status(vec![404]);
        match change {
            Change::CreateUser(new) => {
                drop(after.users.insert(NEW.to_owned(), whole(new, true)));
                after.check_user(NEW)?;
            }
            Change::ReplaceUser(id, new) => {
                let user = after.users.get_mut(id).ok_or_else(not_found)?;
                *user = whole(new, user.active);
                after.check_user(id)?;
            }
            Change::PatchUser(id, operations) => {
                let user = after.users.get_mut(id).ok_or_else(not_found)?;
                operations.iter().try_for_each(|operation| user.apply(operation))?;
                after.check_user(id)?;
            }
            Change::DeleteUser(id) => {
                after.users.remove(id).ok_or_else(not_found)?;
                after.users.values_mut().filter(|user| user.manager.as_ref() == Some(id)).for_each(|user| user.manager = None);
                for group in after.groups.values_mut() {
                    group.members.remove(id);
                }
            }
            Change::CreateGroup(new) => {
                let members = new.members.clone().unwrap_or_default();
                let members = self.members(&BTreeSet::new(), &[GroupOp::Add(members)]);
                let group = Group { name: new.name.clone(), external_id: new.external_id.clone(), members: BTreeSet::new() };
                after.groups.insert(NEW.to_owned(), group);
                after.settle_group(NEW, members)?;
            }
            Change::ReplaceGroup(id, new) => {
                let group = after.groups.get_mut(id).ok_or_else(not_found)?;
                let replace = GroupOp::Replace(new.members.clone().unwrap_or_default());
                let members = self.members(&group.members, &[replace]);
                (group.name, group.external_id) = (new.name.clone(), new.external_id.clone());
                after.settle_group(id, members)?;
            }
            Change::PatchGroup(id, operations) => {
                let group = after.groups.get_mut(id).ok_or_else(not_found)?;
                let members = self.members(&group.members, operations);
                for operation in operations {
                    match operation {
                        GroupOp::Rename(name) => group.name.clone_from(name),
                        GroupOp::ExternalId(id) => group.external_id.clone_from(id),
                        _ => {}
                    }
                }
                after.settle_group(id, members)?;
            }
            Change::DeleteGroup(id) => drop(after.groups.remove(id).ok_or_else(not_found)?),
        }
        Ok(after)
    }

    /// The members after the operations. Whom nobody knows is left out, unless nobody at all would be there whom the
    /// client wants there.
    fn members(&self, present: &BTreeSet<String>, operations: &[GroupOp]) -> Members {
        let mut members = present.clone();
        let mut wanted = BTreeSet::new();
        for operation in operations {
            match operation {
                GroupOp::Add(ids) => {
                    members.extend(ids.iter().cloned());
                    wanted.extend(ids.iter().cloned());
                }
                GroupOp::Replace(ids) => {
                    members = ids.iter().cloned().collect();
                    wanted.clone_from(&members);
                }
                GroupOp::Remove(id) => {
                    members.remove(id);
                    wanted.remove(id);
                }
                GroupOp::RemoveListed(ids) => {
                    members.retain(|id| !ids.contains(id));
                    wanted.retain(|id| !ids.contains(id));
                }
                GroupOp::RemoveAll => {
                    members.clear();
                    wanted.clear();
                }
                GroupOp::Rename(_) | GroupOp::ExternalId(_) => {}
            }
        }
        let known = |id: &String| self.users.contains_key(id);
        if !wanted.is_empty() && !wanted.iter().any(known) {
            return Err(Refusal::Status(vec![400]));
        }
        members.retain(known);
        Ok(members)
    }

    fn settle_group(&mut self, id: &str, members: Members) -> Result<(), Refusal> {
        let name = self.groups[id].name.clone();
        let taken = self.groups.iter().any(|(known, group)| known != id && group.name == name);
        match (taken, members) {
            (true, Err(_)) => Err(Refusal::Status(vec![400, 409])),
            (true, Ok(_)) => Err(Refusal::Status(vec![409])),
            (false, Err(refusal)) => Err(refusal),
            (false, Ok(members)) => {
                self.groups.get_mut(id).unwrap().members = members;
                Ok(())
            }
        }
    }

    /// Names are unique, whatever their case; managers are users.
    fn check_user(&self, id: &str) -> Result<(), Refusal> {
        let user = &self.users[id];
        let name = |user: &User| user.texts[&Text::UserName].to_lowercase();
        let mut wrong = Vec::new();
        if self.users.iter().any(|(known, other)| known != id && name(other) == name(user)) {
            wrong.push(409);
        }
        // Nobody knows the id of who is just made.
        if user.manager.as_ref().is_some_and(|manager| manager == NEW || !self.users.contains_key(manager)) {
            wrong.push(400);
        }
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::Status(wrong)) }
    }
}

fn whole(new: &NewUser, active: bool) -> User {
    User {
        texts: new.texts.clone(),
        active: new.active.unwrap_or(active),
        emails: new.emails.clone(),
        manager: new.manager.clone(),
    }
}
