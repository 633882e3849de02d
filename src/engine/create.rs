//! POST (RFC 7644 section 3.3).

use serde_json::Value;

use super::fetch::{Found, build, unexpected, unintelligible};
use super::ports::Backend;
use super::update::Changed;
use super::{Error, Names, Operation, Reply};
use crate::mapping::model::{Create, Delete};
use crate::mapping::template::Scope;
use crate::scim::resource::{Intent, read};
use crate::scim::{Object, ScimError};
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::write::{body, key_of, value_of};
use crate::translate::{change, relation};

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn create(&self, sent: Value, names: &Names) -> Result<Reply, Error> {
        let Some(create) = &self.resource.create else {
            return Err(ScimError::status(501, format!("{} resources cannot be created here.", self.resource.kind.name)).into());
        };
        let projection = self.projection(names)?;
        let incoming = read(sent, &self.resource.kind, Intent::Create, self.context.profile)?;
        let mut desired = incoming.resource;
        let members = self.resource.members.as_ref().and_then(|_| desired.remove("members"));
        let found = self.create_record(create, &desired).await?;
        let Some(id) = found.resource.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(unintelligible(&create.call, "the created record has no id: see `id`"));
        };
        let key = key_of(self.resource, &id).ok_or_else(|| Error::mapping(format!("{}: the id has no key", create.call.name)))?;
        let resource = match self.complete(&id, &key, found, &desired, members.as_ref()).await {
            Ok(found) => found.resource,
            Err(error) => {
                let left = self.uncreate(create, &id, &key).await;
                return Err(error.leaving(left));
            }
        };
        let resource = self.after_write(&id, &key, Some(resource), &projection).await?;
        let written = self.resource.kind.attributes().filter(|attribute| attribute.get(&desired).is_some());
        Ok(Reply::resource(201, resource, &projection.clone().also(written)))
    }

    async fn create_record(&self, create: &Create, desired: &Object) -> Result<Found, Error> {
        let lines = change::created(self.resource);
        let record = body(self.mapping(), lines, desired, None)?;
        let scope = Scope { resource: Some(desired), ..Scope::default() };
        match self.send(build(&create.call, &scope, Some(&record), &[])?).await? {
            Outcome::Good(body) if create.read_back => {
                let key = create.call.envelope.first(&body).and_then(|payload| create.item.first(payload));
                let key = key.and_then(|record| self.resource.id.path.first(record));
                let key =
                    key.ok_or_else(|| unintelligible(&create.call, "the answer has no id of the created record: see `id`"))?;
                let read = self.fetch(key).await;
                let read =
                    read.and_then(|found| found.ok_or_else(|| unintelligible(&create.call, "the created record cannot be read")));
                match (read, id_of(self.resource, key)) {
                    (Err(error), Some(id)) => {
                        let left = self.uncreate(create, &id, key).await;
                        Err(error.leaving(left))
                    }
                    (read, _) => read,
                }
            }
            Outcome::Good(body) => self.record(&create.call, &create.item, &body),
            Outcome::Refused(error) => Err(error.into()),
            other => Err(unexpected(&create.call, &other)),
        }
    }

    /// What the create call could not carry: changes with a call of their own, and the members.
    async fn complete(
        &self,
        id: &str,
        key: &Value,
        found: Found,
        desired: &Object,
        members: Option<&Value>,
    ) -> Result<Found, Error> {
        let mut wanted = found.resource.clone();
        let carried: Vec<_> = change::created(self.resource).map(|line| &line.target).collect();
        for line in self.resource.lines.iter().filter(|line| line.shape.is_writable() && !carried.contains(&&line.target)) {
            if let (Some(value), Some(reference)) = (value_of(desired, &line.target), line.target.resolve(&self.resource.kind)) {
                match reference.sub {
                    None => reference.set(&mut wanted, value.clone()),
                    Some(sub) => {
                        let mut whole = reference.get(&wanted).cloned().unwrap_or_else(|| Value::Object(Object::new()));
                        if let Some(object) = whole.as_object_mut() {
                            object.insert(sub.name.clone(), value.clone());
                        }
                        reference.set(&mut wanted, whole);
                    }
                }
            }
        }
        let mut found = match self.change(id, key, &found, &wanted).await? {
            Changed::Now(found) => *found,
            Changed::Stale => return Err(self.contended(id)),
        };
        if members.is_some() {
            let change = relation::MemberChange { replace: false, ..relation::replaced(members) };
            if !change.is_empty() {
                self.change_members(id, key, change).await?;
                // Members may count as a change of the group: its revision is read again.
                found = *self.again(id, key).await?;
            }
        }
        Ok(found)
    }

    /// Takes a resource back whose creation could not be completed; tells what is left.
    async fn uncreate(&self, create: &Create, id: &str, key: &Value) -> Vec<String> {
        let left = || vec![format!("{} {id}", self.resource.kind.name)];
        let Some(Delete::Call(delete)) = self.resource.delete.as_ref().filter(|_| create.undo) else { return left() };
        let id_value = Value::from(id);
        let scope = Scope { id: Some(&id_value), key: Some(key), ..Scope::default() };
        let Ok(call) = build(delete, &scope, None, &[]) else { return left() };
        match self.send(call).await {
            Ok(Outcome::Good(_) | Outcome::Done | Outcome::NotFound) => Vec::new(),
            _ => left(),
        }
    }
}
