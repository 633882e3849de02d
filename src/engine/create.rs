//! POST (RFC 7644 section 3.3).

use serde_json::Value;

use super::delete::Deleted;
use super::fetch::{Found, build, unexpected, unintelligible};
use super::membership::{refused, report_skipped};
use super::ports::Backend;
use super::sides::{Identity, Sides};
use super::update::Changed;
use super::{Error, Names, Operation, Reply};
use crate::limits;
use crate::mapping::model::{Create, Delete, UnknownMember};
use crate::mapping::template::Scope;
use crate::scim::resource::{Incoming, Intent, read};
use crate::scim::{Object, ScimError};
use crate::translate::outcome::Outcome;
use crate::translate::read::id_of;
use crate::translate::relation::MemberChange;
use crate::translate::write::key_of;
use crate::translate::{columns, create, relation};

/// What a new resource shall be.
pub(super) struct Wanted<'m> {
    pub(super) create: &'m Create,
    /// Without its members.
    pub(super) desired: Object,
    pub(super) members: Option<Value>,
    /// With its members, for the conditions of calls.
    pub(super) whole: Object,
}

/// A resource that was created, or taken over.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) key: Value,
    pub(super) resource: Object,
    /// Whether it was there before.
    pub(super) adopted: bool,
}

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn create(&self, sent: Value, names: &Names) -> Result<Reply, Error> {
        let Some(create) = &self.resource.create else {
            return Err(ScimError::status(501, format!("{} resources cannot be created here.", self.resource.kind.name)).into());
        };
        self.projection(names)?;
        let incoming = read(sent, &self.resource.kind, Intent::Create, self.context.profile)?;
        let (incoming, mut wanted) = self.wanted(create, incoming)?;
        self.settle_wanted(&mut wanted).await?;
        let made = self.make_or_adopt(&wanted, &incoming).await?;
        self.created_reply(&wanted, made, names).await
    }

    /// What is wanted of what came in, and that without its members.
    pub(super) fn wanted<'c, 'i>(
        &self,
        create: &'c Create,
        mut incoming: Incoming<'i>,
    ) -> Result<(Incoming<'i>, Wanted<'c>), Error> {
        let members = self.resource.members.as_ref().and_then(|_| incoming.resource.remove("members"));
        let mut desired = incoming.resource.clone();
        columns::fit(self.resource, &mut desired);
        create::fill_in(self.resource, &mut desired, |chars| super::random::text(&*self.engine.system, chars))?;
        let mut whole = desired.clone();
        whole.extend(members.clone().map(|members| ("members".to_owned(), members)));
        Ok((incoming, Wanted { create, desired, members, whole }))
    }

    /// Sees to it that the names in a new resource have ids.
    pub(super) async fn settle_wanted(&self, wanted: &mut Wanted<'_>) -> Result<(), Error> {
        self.settle(&mut wanted.desired, None).await?;
        self.settle(&mut wanted.whole, None).await
    }

    /// The answer to a creation.
    pub(super) async fn created_reply(&self, wanted: &Wanted<'_>, made: Made, names: &Names) -> Result<Reply, Error> {
        let projection = self.projection(names)?;
        let members = wanted.members.as_ref().map(|members| relation::replaced(Some(members)));
        let adopted = made.adopted;
        let resource = self.after_write(&made.id, &made.key, Some(made.resource), members.as_ref(), &projection).await?;
        let written = self.resource.kind.attributes().filter(|attribute| attribute.get(&wanted.desired).is_some());
        Ok(Reply { adopted, ..Reply::resource(201, resource, &projection.clone().also(written)) })
    }

    /// Creates the resource with all that belongs to it. What fails half-way is taken back, or named in the error.
    pub(super) async fn make(&self, wanted: &Wanted<'_>) -> Result<Made, Error> {
        let mut sides = Sides::default();
        let scope = Scope { resource: Some(&wanted.whole), ..Scope::default() };
        let (mut asked, mut there) = (false, false);
        let made = async {
            self.side_calls(&wanted.create.around.before, &scope, &mut sides).await?;
            asked = true;
            let found = self.create_record(wanted, &sides.kept).await?;
            there = true;
            self.finish(wanted, found, &sides.kept).await
        };
        match made.await {
            Ok(made) => Ok(made),
            Err(error) => {
                // What a resource stands on that is there, or may be, stays.
                let stays = if there { error.left().is_some() } else { asked && error.may_have_acted() };
                let left = if stays { sides.names() } else { self.undo(sides, &scope).await };
                Err(error.leaving(left))
            }
        }
    }

    /// What comes after the call that created the record. If it fails, the record is deleted again, or named in the error.
    pub(super) async fn finish(&self, wanted: &Wanted<'_>, found: Found, kept: &Object) -> Result<Made, Error> {
        let Wanted { create, whole, .. } = wanted;
        let Some(id) = found.resource.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(unintelligible(&create.call, "the created record has no id: see `id`"));
        };
        let key = key_of(self.resource, &id).ok_or_else(|| Error::mapping(format!("{}: the id has no key", create.call.name)))?;
        let identity = Identity::new(&id, &key);
        let first = found.clone();
        let scope =
            Scope { record: Some(&first.record), version: first.version.as_ref(), resource: Some(whole), ..identity.scope() };
        let mut sides = Sides::keeping(kept);
        let completed = async {
            self.side_calls(&create.around.after, &scope, &mut sides).await?;
            let found = if create.around.after.is_empty() { found } else { *self.again(&id, &key).await? };
            self.complete(&id, &key, found, wanted).await
        };
        match completed.await {
            Ok(found) => Ok(Made { id, key, resource: found.resource, adopted: false }),
            Err(error) => {
                let mut left = self.uncreate(create, &id, &key, Some(&first)).await;
                left.extend(self.undo(sides, &scope).await);
                Err(error.leaving(left))
            }
        }
    }

    /// What the attribute map writes of a new resource, and the keys of its members.
    pub(super) fn new_body(&self, wanted: &Wanted<'_>) -> Result<(Value, Value), Error> {
        let (ids, unknown) = self.known_members(wanted)?;
        report_skipped("a new one", &unknown);
        Ok((
            create::record(self.mapping(), &self.tables(), self.resource, wanted.create, &wanted.desired, &ids)?,
            self.member_keys(&ids),
        ))
    }

    /// The members that can be, and those that cannot, if the call carries members at all.
    fn known_members(&self, wanted: &Wanted<'_>) -> Result<(Vec<String>, Vec<String>), Error> {
        if !create::carries_members(self.resource, wanted.create) {
            return Ok((Vec::new(), Vec::new()));
        }
        let can_be = |id: &String| self.member_type().is_some_and(|of| key_of(of, id).is_some());
        let (ids, unknown): (Vec<String>, Vec<String>) = relation::ids(wanted.members.as_ref()).partition(can_be);
        self.check_unknown(&ids, &unknown)?;
        Ok((ids, unknown))
    }

    /// A request is refused for members that nobody knows if the mapping says so, or if nobody else is left.
    fn check_unknown(&self, known: &[String], unknown: &[String]) -> Result<(), Error> {
        let refuses = self.resource.members.as_ref().is_some_and(|members| members.unknown == UnknownMember::Refuse);
        if !unknown.is_empty() && (refuses || known.is_empty()) { Err(refused(unknown)) } else { Ok(()) }
    }

    /// Makes the one call that creates the record. Members that it carries and that the backend does not know are left out,
    /// if the mapping says so.
    async fn create_record(&self, wanted: &Wanted<'_>, kept: &Object) -> Result<Found, Error> {
        let Wanted { create, desired, .. } = wanted;
        let (mut ids, mut unknown) = self.known_members(wanted)?;
        for _ in 0..=limits::UNKNOWN_ROUNDS {
            let record = create::record(self.mapping(), &self.tables(), self.resource, create, desired, &ids)?;
            let keys = self.member_keys(&ids);
            let scope = Scope { resource: Some(desired), kept: Some(kept), members: Some(&keys), ..Scope::default() };
            let (outcome, headers) = self.exchange(build(&create.call, &scope, Some(&record))?).await?;
            match outcome {
                Outcome::Good(body) => {
                    report_skipped("a new one", &unknown);
                    return if create.read_back || create.key.is_some() {
                        let payload = create.call.envelope.first(&body);
                        let record = payload.and_then(|payload| create.item.first(payload));
                        self.created(create, payload, record).await
                    } else {
                        self.record(&create.call, &create.item, &body, Some(&headers)).await
                    };
                }
                Outcome::Refused(error) => return Err(error.into()),
                Outcome::UnknownMembers(named) if create::carries_members(self.resource, create) => {
                    let before = ids.len();
                    let named: Vec<String> = named.iter().filter_map(|key| id_of(self.member_type()?, key)).collect();
                    ids.retain(|id| !named.contains(id));
                    unknown.extend(named);
                    // Each round leaves somebody out.
                    if ids.len() == before {
                        return Err(refused(&unknown));
                    }
                    self.check_unknown(&ids, &unknown)?;
                }
                other => return Err(unexpected(&create.call, &other)),
            }
        }
        Err(refused(&unknown))
    }

    fn member_type(&self) -> Option<&crate::mapping::model::Resource> {
        self.mapping().resources.get(self.resource.members.as_ref()?.of)
    }

    fn member_keys(&self, ids: &[String]) -> Value {
        ids.iter().filter_map(|id| key_of(self.member_type()?, id)).collect()
    }

    /// Reads the record that a call created. The backend may take a while to show it.
    pub(super) async fn created(&self, create: &Create, payload: Option<&Value>, record: Option<&Value>) -> Result<Found, Error> {
        let key = match &create.key {
            Some(path) => payload.and_then(|payload| path.first(payload)),
            None => record.and_then(|record| self.resource.id.path.first(record)),
        };
        let key = key.filter(|key| !key.is_null());
        let key = key.ok_or_else(|| {
            unintelligible(&create.call, "the answer has no id of the created record: see `key`, or `item` and `id`")
        })?;
        let read = self.settled(key, |_| true).await;
        let read = read.and_then(|found| found.ok_or_else(|| unintelligible(&create.call, "the created record cannot be read")));
        match (read, id_of(self.resource, key)) {
            (Err(error), Some(id)) => {
                let left = self.uncreate(create, &id, key, None).await;
                Err(error.leaving(left))
            }
            (read, _) => read,
        }
    }

    /// What the create call could not carry: changes with a call of their own, and the members.
    async fn complete(&self, id: &str, key: &Value, found: Found, wanted: &Wanted<'_>) -> Result<Found, Error> {
        let mut whole = found.resource.clone();
        create::complete(self.resource, &wanted.desired, &mut whole);
        let mut found = match self.change(id, key, &found, &whole, true).await? {
            Changed::Now(found) => *found,
            Changed::Stale(_) => return Err(self.contended(id)),
        };
        if wanted.members.is_some() && !create::carries_members(self.resource, wanted.create) {
            let change = MemberChange { replace: false, ..relation::replaced(wanted.members.as_ref()) };
            if !change.is_empty() {
                let changed = self.change_members(id, key, change, Some(&found)).await?;
                // Members may count as a change of the group: its revision is read again.
                found = self.now_or_again(id, key, changed.now).await?;
            }
        }
        Ok(found)
    }

    pub(super) async fn now_or_again(&self, id: &str, key: &Value, now: Option<Found>) -> Result<Found, Error> {
        match now {
            Some(now) => Ok(now),
            None => self.again(id, key).await.map(|found| *found),
        }
    }

    /// Takes a resource back whose creation could not be completed; tells what is left.
    async fn uncreate(&self, create: &Create, id: &str, key: &Value, found: Option<&Found>) -> Vec<String> {
        let left = || vec![format!("{} {id}", self.resource.kind.name)];
        let Some(Delete::Calls(deletion)) = self.resource.delete.as_ref().filter(|_| create.undo) else { return left() };
        match self.delete_calls(deletion, id, key, found).await {
            Ok(Deleted::Yes) => Vec::new(),
            Err(Error::Client(error)) if error.status == 404 => Vec::new(),
            Ok(Deleted::Stale) | Err(_) => left(),
        }
    }
}
