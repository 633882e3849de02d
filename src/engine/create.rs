//! POST (RFC 7644 section 3.3).

use serde_json::Value;

use super::fetch::{Found, build, unexpected, unintelligible};
use super::membership::refused;
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::update::Changed;
use super::{Error, Names, Operation, Reply};
use crate::mapping::model::{Create, Delete, Initial, MembershipChange, Shape, Target, UnknownMember};
use crate::mapping::template::{Root, Scope};
use crate::scim::resource::{Incoming, Intent, read};
use crate::scim::{Object, ScimError, ScimType};
use crate::telemetry::audit;
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::write::{body, key_of, value_of};
use crate::translate::{change, relation};

/// What a new resource shall be.
struct Wanted<'m> {
    create: &'m Create,
    /// Without its members.
    desired: Object,
    members: Option<Value>,
}

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn create(&self, sent: Value, names: &Names) -> Result<Reply, Error> {
        let Some(create) = &self.resource.create else {
            return Err(ScimError::status(501, format!("{} resources cannot be created here.", self.resource.kind.name)).into());
        };
        let projection = self.projection(names)?;
        let mut incoming = read(sent, &self.resource.kind, Intent::Create, self.context.profile)?;
        let members = self.resource.members.as_ref().and_then(|_| incoming.resource.remove("members"));
        let mut desired = incoming.resource.clone();
        self.fill_in(&mut desired)?;
        let wanted = Wanted { create, desired, members };
        let (id, key, resource) = self.make_or_adopt(&wanted, &incoming).await?;
        let wanted_members = wanted.members.as_ref().map(|members| relation::replaced(Some(members)));
        let resource = self.after_write(&id, &key, Some(resource), wanted_members.as_ref(), &projection).await?;
        let written = self.resource.kind.attributes().filter(|attribute| attribute.get(&wanted.desired).is_some());
        Ok(Reply::resource(201, resource, &projection.clone().also(written)))
    }

    /// Gives the attributes that the client left out the values that the mapping has for them.
    fn fill_in(&self, desired: &mut Object) -> Result<(), Error> {
        for line in &self.resource.lines {
            let Shape::Field(field) = &line.shape else { continue };
            let Some(initial) = field.initial.as_ref().filter(|_| value_of(desired, &line.target).is_none()) else { continue };
            let value = match initial {
                Initial::Value(value) => value.clone(),
                Initial::Random(chars) => Value::from(super::random::text(&*self.engine.system, *chars)?),
            };
            self.put(desired, &line.target, value);
        }
        Ok(())
    }

    /// Puts a value in the place of an attribute or sub-attribute.
    pub(super) fn put(&self, resource: &mut Object, target: &Target, value: Value) {
        let Some(reference) = target.resolve(&self.resource.kind) else { return };
        match reference.sub {
            None => reference.set(resource, value),
            Some(sub) => {
                let mut whole = reference.get(resource).cloned().unwrap_or_else(|| Value::Object(Object::new()));
                if let Some(object) = whole.as_object_mut() {
                    object.insert(sub.name.clone(), value);
                }
                reference.set(resource, whole);
            }
        }
    }

    /// The new resource, or one that is there already and that the mapping lets be taken over.
    async fn make_or_adopt(&self, wanted: &Wanted<'_>, incoming: &Incoming<'_>) -> Result<(String, Value, Object), Error> {
        let conflict = wanted.create.conflict.as_ref();
        if let Some(conflict) = conflict.filter(|conflict| conflict.look_first)
            && let Some(id) = self.other(&conflict.by, &wanted.desired).await?
        {
            return self.adopt(&id, wanted, incoming).await;
        }
        match self.make(wanted).await {
            Err(Error::Client(error)) if error.scim_type == Some(ScimType::Uniqueness) => {
                match conflict.filter(|conflict| conflict.adopt.is_some()) {
                    Some(conflict) => match self.other(&conflict.by, &wanted.desired).await? {
                        Some(id) => self.adopt(&id, wanted, incoming).await,
                        None => Err(error.into()),
                    },
                    None => Err(error.into()),
                }
            }
            other => other,
        }
    }

    /// The id of the one resource that has the same value.
    async fn other(&self, by: &Target, desired: &Object) -> Result<Option<String>, Error> {
        let Some(value) = value_of(desired, by) else { return Ok(None) };
        let found = self.find_equal(by, value).await?;
        match found.as_slice() {
            [one] => Ok(one.get("id").and_then(Value::as_str).map(str::to_owned)),
            [] => Ok(None),
            _ => Err(self.taken(by)),
        }
    }

    fn taken(&self, by: &Target) -> Error {
        let name = &self.resource.kind.name;
        ScimError::new(ScimType::Uniqueness, format!("Another {name} has this {by} already.")).into()
    }

    /// Brings a resource that is there to what the client sent, if the mapping lets it be taken over.
    async fn adopt(&self, id: &str, wanted: &Wanted<'_>, incoming: &Incoming<'_>) -> Result<(String, Value, Object), Error> {
        let Some(conflict) = &wanted.create.conflict else { return Err(Error::Gateway("nothing to adopt by".to_owned())) };
        let taken = || self.taken(&conflict.by);
        let Some(condition) = &conflict.adopt else { return Err(taken()) };
        let key = key_of(self.resource, id).ok_or_else(taken)?;
        let _turn = self.turn(id).await?;
        let matches = condition.check(&self.resource.kind, &crate::scim::Profile::STRICT)?;
        for _ in 0..=crate::limits::REPLANS {
            let Some(current) = self.fetch(&key).await?.filter(|current| matches.matches(&current.resource)) else {
                return Err(taken());
            };
            let mut desired = self.merged(incoming, &current.resource)?;
            // Who is created anew is active, unless the client says otherwise.
            if !incoming.resource.contains_key("active") && self.resource.kind.schema.attribute("active").is_some() {
                desired.insert("active".to_owned(), Value::from(true));
            }
            if let Changed::Now(found) = self.change(id, &key, &current, &desired).await? {
                let mut found = *found;
                if let Some(members) = &wanted.members {
                    match self.change_members(id, &key, relation::replaced(Some(members)), Some(&found)).await {
                        Ok(changed) => found = self.now_or_again(id, &key, changed.now).await?,
                        Err(error) => {
                            let done = change::changed(self.resource, &current.resource, &desired);
                            return Err(error.leaving(self.revert(id, &key, &current.resource, &done).await));
                        }
                    }
                }
                audit::adopted(&self.resource.kind.name, id);
                return Ok((id.to_owned(), key, found.resource));
            }
        }
        Err(self.contended(id))
    }

    /// Creates the resource with all that belongs to it. What fails half-way is taken back, or named in the error.
    async fn make(&self, wanted: &Wanted<'_>) -> Result<(String, Value, Object), Error> {
        let mut sides = Sides::default();
        let scope = Scope { resource: Some(&wanted.desired), ..Scope::default() };
        match self.make_steps(wanted, &mut sides).await {
            Ok(made) => Ok(made),
            Err(error) => {
                let left = self.undo(sides, &scope).await;
                Err(error.leaving(left))
            }
        }
    }

    async fn make_steps<'m>(&self, wanted: &Wanted<'m>, sides: &mut Sides<'m>) -> Result<(String, Value, Object), Error> {
        let Wanted { create, desired, .. } = wanted;
        let scope = Scope { resource: Some(desired), ..Scope::default() };
        self.side_calls(&create.around.before, &scope, sides).await?;
        let found = self.create_record(wanted, &sides.kept).await?;
        let Some(id) = found.resource.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(unintelligible(&create.call, "the created record has no id: see `id`"));
        };
        let key = key_of(self.resource, &id).ok_or_else(|| Error::mapping(format!("{}: the id has no key", create.call.name)))?;
        let identity = Identity::new(&id, &key);
        let record = found.record.clone();
        let completed = async {
            let around = Scope { record: Some(&record), resource: Some(desired), ..identity.scope() };
            self.side_calls(&create.around.after, &around, sides).await?;
            let found = if create.around.after.is_empty() { found } else { *self.again(&id, &key).await? };
            self.complete(&id, &key, found, wanted).await
        };
        match completed.await {
            Ok(found) => Ok((id, key, found.resource)),
            Err(error) => {
                let left = self.uncreate(create, &id, &key).await;
                Err(error.leaving(left))
            }
        }
    }

    /// Makes the one call that creates the record. Members that it carries and that the backend does not know are left out,
    /// if the mapping says so.
    async fn create_record(&self, wanted: &Wanted<'_>, kept: &Object) -> Result<Found, Error> {
        let Wanted { create, desired, members } = wanted;
        let mut ids: Vec<String> = relation::ids(members.as_ref()).collect();
        let mut unknown = Vec::new();
        loop {
            let record = self.new_record(create, desired, &ids)?;
            let keys = self.member_keys(&ids);
            let scope = Scope { resource: Some(desired), kept: Some(kept), members: Some(&keys), ..Scope::default() };
            let (outcome, headers) = self.exchange(build(&create.call, &scope, Some(&record), &[])?).await?;
            match outcome {
                Outcome::Good(body) if create.read_back || create.key.is_some() => return self.created(create, &body).await,
                Outcome::Good(body) => return self.record(&create.call, &create.item, &body, Some(&headers)),
                Outcome::Refused(error) => return Err(error.into()),
                Outcome::UnknownMembers(named) if self.carries_members(create) => {
                    let before = ids.len();
                    let named: Vec<String> = named.iter().filter_map(|key| id_of(self.member_type()?, key)).collect();
                    let refuses = self.resource.members.as_ref().is_some_and(|members| members.unknown == UnknownMember::Refuse);
                    ids.retain(|id| !named.contains(id));
                    unknown.extend(named);
                    // Each round leaves somebody out, and somebody is left.
                    if refuses || ids.len() == before || ids.is_empty() {
                        return Err(refused(&unknown));
                    }
                }
                other => return Err(unexpected(&create.call, &other)),
            }
        }
    }

    /// What the attribute map writes of a new resource, with the members that are in the record itself.
    fn new_record(&self, create: &Create, desired: &Object, members: &[String]) -> Result<Value, Error> {
        let mut record = body(self.mapping(), change::created(self.resource), desired, None)?;
        let inline = self.resource.members.as_ref().and_then(|members| members.list.inline());
        if let Some((place, _)) = inline.and_then(|inline| inline.write.as_ref()).filter(|_| self.members_in_record(create)) {
            place.put(&mut record, members.iter().filter_map(|id| self.member_element(id)).collect());
        }
        Ok(record)
    }

    fn member_type(&self) -> Option<&crate::mapping::model::Resource> {
        self.mapping().resources.get(self.resource.members.as_ref()?.of)
    }

    fn member_keys(&self, ids: &[String]) -> Value {
        ids.iter().filter_map(|id| key_of(self.member_type()?, id)).collect()
    }

    fn members_in_record(&self, create: &Create) -> bool {
        let written = |change: &MembershipChange| matches!(change, MembershipChange::Record);
        create.call.holds_fields() && self.resource.members.as_ref().is_some_and(|members| written(&members.change))
    }

    /// Whether the call creates the group with its members.
    fn carries_members(&self, create: &Create) -> bool {
        create.call.uses_any(&[Root::Members]) || self.members_in_record(create)
    }

    /// Reads the record that a call created. The backend may take a while to show it.
    async fn created(&self, create: &Create, body: &Value) -> Result<Found, Error> {
        let payload = create.call.envelope.first(body);
        let key = match &create.key {
            Some(path) => payload.and_then(|payload| path.first(payload)),
            None => payload.and_then(|payload| create.item.first(payload)).and_then(|record| self.resource.id.path.first(record)),
        };
        let key = key.filter(|key| !key.is_null());
        let key = key.ok_or_else(|| {
            unintelligible(&create.call, "the answer has no id of the created record: see `key`, or `item` and `id`")
        })?;
        let read = self.settled(key, |_| true).await;
        let read = read.and_then(|found| found.ok_or_else(|| unintelligible(&create.call, "the created record cannot be read")));
        match (read, id_of(self.resource, key)) {
            (Err(error), Some(id)) => {
                let left = self.uncreate(create, &id, key).await;
                Err(error.leaving(left))
            }
            (read, _) => read,
        }
    }

    /// What the create call could not carry: changes with a call of their own, and the members.
    async fn complete(&self, id: &str, key: &Value, found: Found, wanted: &Wanted<'_>) -> Result<Found, Error> {
        let mut whole = found.resource.clone();
        let carried: Vec<_> = change::created(self.resource).map(|line| &line.target).collect();
        for line in self.resource.lines.iter().filter(|line| line.shape.is_writable() && !carried.contains(&&line.target)) {
            if let Some(value) = value_of(&wanted.desired, &line.target) {
                self.put(&mut whole, &line.target, value.clone());
            }
        }
        let mut found = match self.change(id, key, &found, &whole).await? {
            Changed::Now(found) => *found,
            Changed::Stale => return Err(self.contended(id)),
        };
        if wanted.members.is_some() && !self.carries_members(wanted.create) {
            let change = relation::MemberChange { replace: false, ..relation::replaced(wanted.members.as_ref()) };
            if !change.is_empty() {
                let changed = self.change_members(id, key, change, Some(&found)).await?;
                // Members may count as a change of the group: its revision is read again.
                found = self.now_or_again(id, key, changed.now).await?;
            }
        }
        Ok(found)
    }

    async fn now_or_again(&self, id: &str, key: &Value, now: Option<Found>) -> Result<Found, Error> {
        match now {
            Some(now) => Ok(now),
            None => self.again(id, key).await.map(|found| *found),
        }
    }

    /// Takes a resource back whose creation could not be completed; tells what is left.
    async fn uncreate(&self, create: &Create, id: &str, key: &Value) -> Vec<String> {
        let left = || vec![format!("{} {id}", self.resource.kind.name)];
        let Some(Delete::Calls(deletion)) = self.resource.delete.as_ref().filter(|_| create.undo) else { return left() };
        match self.delete_calls(deletion, id, key, None).await {
            Ok(()) => Vec::new(),
            Err(Error::Client(error)) if error.status == 404 => Vec::new(),
            Err(_) => left(),
        }
    }
}
