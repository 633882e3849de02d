//! Changes, made at random, and the requests that ask for them in the ways of identity providers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scimitar::engine::{Names, ScimRequest};
use serde_json::{Value, json};

use super::model::{Change, ENTERPRISE, Email, GroupOp, NewGroup, NewUser, Text, UserOp};

/// Users and groups that are there at the beginning; what is made gets the ids behind them.
pub(crate) const USERS: u64 = 6;
pub(crate) const GROUPS: [&[u64]; 3] = [&[1, 2, 3], &[2], &[]];

/// A change, and in which of the usual ways it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) change: Change,
    pub(crate) forms: Vec<u8>,
}

fn pick<T: Clone + std::fmt::Debug + 'static>(from: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(from.to_vec())
}

fn users() -> impl Strategy<Value = String> {
    prop_oneof![12 => 1..=USERS, 2 => 10..14_u64, 1 => Just(999)].prop_map(|id| id.to_string())
}

fn groups() -> impl Strategy<Value = String> {
    prop_oneof![12 => USERS + 1..=USERS + 3, 2 => 10..14_u64, 1 => Just(999)].prop_map(|id| id.to_string())
}

fn texts() -> impl Strategy<Value = String> {
    pick(&["Boss", "Guide", "Ann", "Lee", "O'Brien", "Zoë", "日本", "a/b?c&d", "{{record}}", "\"quoted\\\"", "User 1", "Sales"])
        .prop_map(str::to_owned)
}

fn logins() -> impl Strategy<Value = String> {
    pick(&["user1", "USER2", "ann", "Ann", "bob@x.test", "zoë"]).prop_map(str::to_owned)
}

fn names() -> impl Strategy<Value = String> {
    pick(&["group7", "group8", "Staff", "Night shift", "Ünter/Uns"]).prop_map(str::to_owned)
}

fn kinds() -> impl Strategy<Value = String> {
    pick(&["work", "home", "other"]).prop_map(str::to_owned)
}

fn addresses() -> impl Strategy<Value = String> {
    pick(&["user1@x.test", "user2@x.test", "a@x.test", "b@x.test"]).prop_map(str::to_owned)
}

/// One of a kind, and one primary at the most.
fn emails() -> impl Strategy<Value = Vec<Email>> {
    prop::collection::vec((addresses(), kinds(), any::<bool>()), 0..3).prop_map(|emails| {
        let mut found: Vec<Email> = Vec::new();
        for (value, kind, primary) in emails {
            if found.iter().all(|email| email.kind != kind) {
                let primary = primary && found.iter().all(|email| !email.primary);
                found.push(Email { value, kind, primary });
            }
        }
        found
    })
}

/// Any attribute but the name to log in by, which has values of its own.
fn names_of_texts() -> impl Strategy<Value = Text> {
    pick(&Text::ALL[1..])
}

fn new_user() -> impl Strategy<Value = NewUser> {
    let texts = prop::collection::btree_map(names_of_texts(), texts(), 0..5);
    (logins(), texts, prop::option::of(any::<bool>()), emails(), prop::option::weighted(0.3, users())).prop_map(
        |(login, mut texts, active, emails, manager)| {
            texts.insert(Text::UserName, login);
            NewUser { texts, active, emails, manager }
        },
    )
}

fn new_group() -> impl Strategy<Value = NewGroup> {
    let members = prop::option::weighted(0.7, prop::collection::vec(users(), 0..4));
    (names(), prop::option::of(texts()), members).prop_map(|(name, external_id, members)| NewGroup { name, external_id, members })
}

fn user_op() -> impl Strategy<Value = UserOp> {
    prop_oneof![
        5 => (names_of_texts(), texts()).prop_map(|(name, text)| UserOp::Text(name, text)),
        1 => logins().prop_map(|login| UserOp::Text(Text::UserName, login)),
        2 => names_of_texts().prop_map(UserOp::Clear),
        1 => (texts(), prop::option::of(texts())).prop_map(|(given, family)| UserOp::Name(Some(given), family)),
        1 => texts().prop_map(|family| UserOp::Name(None, Some(family))),
        3 => any::<bool>().prop_map(UserOp::Active),
        2 => emails().prop_map(UserOp::AddEmails),
        1 => emails().prop_map(UserOp::ReplaceEmails),
        1 => emails().prop_map(UserOp::RemoveEmails),
        1 => kinds().prop_map(UserOp::RemoveEmailsOf),
        1 => addresses().prop_map(UserOp::RemoveEmail),
        1 => Just(UserOp::RemoveAllEmails),
        2 => (kinds(), addresses()).prop_map(|(kind, value)| UserOp::EmailOf(kind, value)),
        1 => kinds().prop_map(UserOp::ClearEmailOf),
        2 => users().prop_map(UserOp::Manager),
        1 => Just(UserOp::ClearManager),
    ]
}

fn group_op() -> impl Strategy<Value = GroupOp> {
    let several = || prop::collection::vec(users(), 0..4);
    prop_oneof![
        2 => names().prop_map(GroupOp::Rename),
        1 => prop::option::of(texts()).prop_map(GroupOp::ExternalId),
        4 => several().prop_map(GroupOp::Add),
        3 => users().prop_map(GroupOp::Remove),
        2 => several().prop_map(GroupOp::RemoveListed),
        1 => Just(GroupOp::RemoveAll),
        2 => several().prop_map(GroupOp::Replace),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        2 => new_user().prop_map(Change::CreateUser),
        2 => (users(), new_user()).prop_map(|(id, new)| Change::ReplaceUser(id, new)),
        6 => (users(), prop::collection::vec(user_op(), 1..4)).prop_map(|(id, operations)| Change::PatchUser(id, operations)),
        1 => users().prop_map(Change::DeleteUser),
        1 => new_group().prop_map(Change::CreateGroup),
        2 => (groups(), new_group()).prop_map(|(id, new)| Change::ReplaceGroup(id, new)),
        6 => (groups(), prop::collection::vec(group_op(), 1..4)).prop_map(|(id, operations)| Change::PatchGroup(id, operations)),
        1 => groups().prop_map(Change::DeleteGroup),
    ];
    (change, prop::collection::vec(0..8_u8, 1..4)).prop_map(|(change, forms)| Step { change, forms })
}

// === impl Step ===

impl Step {
    /// The endpoint, and the id of what is changed if it is there already.
    pub(crate) fn target(&self) -> (&'static str, Option<&str>) {
        match &self.change {
            Change::CreateUser(_) => ("/Users", None),
            Change::CreateGroup(_) => ("/Groups", None),
            Change::ReplaceUser(id, _) | Change::PatchUser(id, _) | Change::DeleteUser(id) => ("/Users", Some(id)),
            Change::ReplaceGroup(id, _) | Change::PatchGroup(id, _) | Change::DeleteGroup(id) => ("/Groups", Some(id)),
        }
    }

    /// The status of success.
    pub(crate) fn status(&self) -> u16 {
        match &self.change {
            Change::CreateUser(_) | Change::CreateGroup(_) => 201,
            Change::PatchGroup(..) if self.wants_answer() => 200,
            Change::PatchGroup(..) | Change::DeleteUser(_) | Change::DeleteGroup(_) => 204,
            Change::ReplaceUser(..) | Change::PatchUser(..) | Change::ReplaceGroup(..) => 200,
        }
    }

    /// Whether a PATCH of a group asks for attributes; without, its answer is empty.
    fn wants_answer(&self) -> bool {
        self.forms[0] % 4 == 3
    }

    pub(crate) fn request(&self) -> ScimRequest {
        let (endpoint, id) = self.target();
        let (endpoint, id, names) = (endpoint.to_owned(), id.unwrap_or_default().to_owned(), Names::default());
        let form = |index: usize| self.forms[index % self.forms.len()];
        match &self.change {
            Change::CreateUser(new) => ScimRequest::Create { endpoint, body: user(new, form(0)), names },
            Change::CreateGroup(new) => ScimRequest::Create { endpoint, body: group(new, form(0)), names },
            Change::ReplaceUser(_, new) => ScimRequest::Replace { endpoint, body: echoed(user(new, form(0)), &id), id, names },
            Change::ReplaceGroup(_, new) => ScimRequest::Replace { endpoint, body: echoed(group(new, form(0)), &id), id, names },
            Change::PatchUser(_, operations) => {
                let operations: Vec<Value> =
                    operations.iter().enumerate().map(|(index, operation)| user_operation(operation, form(index))).collect();
                ScimRequest::Patch { endpoint, id, body: patch(&operations), names }
            }
            Change::PatchGroup(_, operations) => {
                let operations = operations.iter().enumerate().map(|(index, op)| group_operation(op, form(index), &id));
                let wanted = ["displayName", "externalId", "members"].into_iter().filter(|_| self.wants_answer());
                let names = Names { attributes: wanted.map(str::to_owned).collect(), ..names };
                ScimRequest::Patch { endpoint, body: patch(&operations.collect::<Vec<_>>()), id, names }
            }
            Change::DeleteUser(_) | Change::DeleteGroup(_) => ScimRequest::Delete { endpoint, id },
        }
    }
}

fn patch(operations: &[Value]) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

/// What a client has read, it sends back.
fn echoed(mut body: Value, id: &str) -> Value {
    body["id"] = json!(id);
    body["meta"] = json!({ "resourceType": "whatever" });
    body
}

fn user(new: &NewUser, form: u8) -> Value {
    let mut body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] });
    for (name, value) in &new.texts {
        name.put(&mut body, &json!(value));
    }
    match new.active {
        // Entra ID with a mapping of its own.
        Some(active) if form == 1 => body["active"] = json!(if active { "True" } else { "False" }),
        Some(active) => body["active"] = json!(active),
        None => {}
    }
    if !new.emails.is_empty() || form == 2 {
        body["emails"] = new.emails.iter().map(Email::scim).collect();
    }
    match &new.manager {
        // Entra ID sends the id alone.
        Some(id) if form == 3 => body[ENTERPRISE]["manager"] = json!(id),
        Some(id) => body[ENTERPRISE]["manager"] = json!({ "value": id }),
        None => {}
    }
    body
}

fn references(ids: &[String], form: u8) -> Value {
    let reference = |id: &String| match form {
        0..=3 => json!({ "value": id }),
        4 | 5 => json!({ "$ref": null, "value": id }),
        _ => json!({ "value": id, "display": "somebody" }),
    };
    ids.iter().map(reference).collect()
}

fn group(new: &NewGroup, form: u8) -> Value {
    let mut body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": new.name });
    if let Some(id) = &new.external_id {
        body["externalId"] = json!(id);
    }
    if let Some(members) = &new.members {
        body["members"] = references(members, form);
    }
    body
}

/// An object with one attribute, as a PATCH without a path has it.
fn only(name: Text, value: &Value) -> Value {
    let mut object = json!({});
    name.put(&mut object, value);
    object
}

fn keyed(key: &str, value: Value) -> Value {
    Value::Object(serde_json::Map::from_iter([(key.to_owned(), value)]))
}

fn user_operation(operation: &UserOp, form: u8) -> Value {
    let list = |emails: &[Email]| emails.iter().map(Email::scim).collect::<Value>();
    match operation {
        UserOp::Text(name, value) => match form {
            0 => json!({ "op": "replace", "path": name.path(), "value": value }),
            1 => json!({ "op": "Replace", "path": name.path(), "value": value }),
            2 => json!({ "op": "add", "path": name.path(), "value": value }),
            3 => json!({ "op": "replace", "value": only(*name, &json!(value)) }),
            4 => json!({ "op": "replace", "value": keyed(&name.path(), json!(value)) }),
            5 => json!({ "op": "REPLACE", "path": name.path(), "value": [value] }),
            6 => json!({ "op": "Add", "path": name.path().to_uppercase(), "value": value }),
            _ => json!({ "op": "add", "value": only(*name, &json!(value)) }),
        },
        UserOp::Clear(name) => match form {
            0 | 1 => json!({ "op": "remove", "path": name.path() }),
            2 | 3 => json!({ "op": "Remove", "path": name.path() }),
            4 => json!({ "op": "replace", "path": name.path(), "value": "" }),
            5 => json!({ "op": "replace", "path": name.path(), "value": null }),
            6 => json!({ "op": "Replace", "value": keyed(&name.path(), json!("")) }),
            _ => json!({ "op": "replace", "value": only(*name, &Value::Null) }),
        },
        UserOp::Name(given, family) => {
            let parts = [("givenName", given), ("familyName", family)];
            let name: BTreeMap<&str, &String> =
                parts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
            match form {
                0..=3 => json!({ "op": "replace", "value": { "name": name } }),
                4 | 5 => json!({ "op": "replace", "path": "name", "value": name }),
                _ => json!({ "op": "add", "path": "name", "value": name }),
            }
        }
        UserOp::Active(active) => match form {
            0 | 1 => json!({ "op": "replace", "path": "active", "value": active }),
            2 | 3 => json!({ "op": "Replace", "path": "active", "value": if *active { "True" } else { "False" } }),
            4 => json!({ "op": "replace", "value": { "active": active } }),
            5 => json!({ "op": "replace", "value": { "active": active.to_string() } }),
            _ => json!({ "op": "add", "path": "active", "value": active }),
        },
        UserOp::AddEmails(emails) => match (form, emails.as_slice()) {
            (0..=3, _) => json!({ "op": "add", "path": "emails", "value": list(emails) }),
            (4, [email]) => json!({ "op": "Add", "path": "emails", "value": email.scim() }),
            _ => json!({ "op": "add", "value": { "emails": list(emails) } }),
        },
        UserOp::ReplaceEmails(emails) if form < 4 => json!({ "op": "replace", "path": "emails", "value": list(emails) }),
        UserOp::ReplaceEmails(emails) => json!({ "op": "replace", "value": { "emails": list(emails) } }),
        UserOp::RemoveEmails(emails) => json!({ "op": "Remove", "path": "emails", "value": list(emails) }),
        UserOp::RemoveEmailsOf(kind) => json!({ "op": "remove", "path": format!("emails[type eq \"{kind}\"]") }),
        UserOp::RemoveEmail(value) => json!({ "op": "remove", "path": format!("emails[value eq \"{value}\"]") }),
        UserOp::RemoveAllEmails if form < 4 => json!({ "op": "remove", "path": "emails" }),
        UserOp::RemoveAllEmails => json!({ "op": "replace", "path": "emails", "value": [] }),
        UserOp::EmailOf(kind, value) => {
            let path = format!("emails[type eq \"{kind}\"].value");
            match form {
                0..=2 => json!({ "op": "replace", "path": path, "value": value }),
                3..=5 => json!({ "op": "Add", "path": path, "value": value }),
                _ => json!({ "op": "replace", "value": keyed(&path, json!(value)) }),
            }
        }
        UserOp::ClearEmailOf(kind) => {
            let path = format!("emails[type eq \"{kind}\"].value");
            match form {
                0..=4 => json!({ "op": "remove", "path": path }),
                _ => json!({ "op": "replace", "path": path, "value": "" }),
            }
        }
        UserOp::Manager(id) => match form {
            0 | 1 => json!({ "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": id }),
            2 | 3 => json!({ "op": "replace", "path": "manager", "value": [{ "$ref": null, "value": id }] }),
            4 | 5 => json!({ "op": "replace", "value": keyed(ENTERPRISE, json!({ "manager": { "value": id } })) }),
            _ => json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": id }),
        },
        UserOp::ClearManager => match form {
            0..=3 => json!({ "op": "remove", "path": format!("{ENTERPRISE}:manager") }),
            4 | 5 => json!({ "op": "Replace", "path": format!("{ENTERPRISE}:manager"), "value": "" }),
            _ => json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "" } }),
        },
    }
}

fn group_operation(operation: &GroupOp, form: u8, id: &str) -> Value {
    match operation {
        GroupOp::Rename(name) => match form {
            0..=2 => json!({ "op": "Replace", "path": "displayName", "value": name }),
            3..=5 => json!({ "op": "replace", "value": { "id": id, "displayName": name } }),
            _ => json!({ "op": "add", "value": { "displayName": name } }),
        },
        GroupOp::ExternalId(Some(value)) => json!({ "op": "replace", "path": "externalId", "value": value }),
        GroupOp::ExternalId(None) => json!({ "op": "remove", "path": "externalId" }),
        GroupOp::Add(ids) => match (form, ids.as_slice()) {
            (0..=4, _) => json!({ "op": "Add", "path": "members", "value": references(ids, form) }),
            (5, [id]) => json!({ "op": "add", "path": "members", "value": { "value": id } }),
            _ => json!({ "op": "add", "value": { "members": references(ids, form) } }),
        },
        GroupOp::Remove(id) => json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") }),
        GroupOp::RemoveListed(ids) if form == 7 => {
            json!({ "op": "remove", "path": "members", "value": { "members": references(ids, form) } })
        }
        GroupOp::RemoveListed(ids) => json!({ "op": "Remove", "path": "members", "value": references(ids, form) }),
        GroupOp::RemoveAll if form < 4 => json!({ "op": "remove", "path": "members" }),
        GroupOp::RemoveAll => json!({ "op": "replace", "path": "members", "value": [] }),
        GroupOp::Replace(ids) if form < 4 => json!({ "op": "replace", "path": "members", "value": references(ids, form) }),
        GroupOp::Replace(ids) => json!({ "op": "replace", "value": { "id": id, "members": references(ids, form) } }),
    }
}
