//! A POST for a resource that is there already: refused, or taken over under the condition of the mapping.

use serde_json::Value;

use super::create::{Made, Wanted};
use super::fetch::Found;
use super::ports::Backend;
use super::update::Changed;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::convert::{same_name, text};
use crate::mapping::model::Target;
use crate::scim::resource::Incoming;
use crate::scim::{Object, Profile, ScimError, ScimType};
use crate::telemetry::audit;
use crate::translate::merge::merged;
use crate::translate::write::{key_of, value_of};
use crate::translate::{change, columns, relation};

impl<B: Backend> Operation<'_, B> {
    /// The new resource, or one that is there already and that the mapping lets be taken over.
    pub(super) async fn make_or_adopt(&self, wanted: &Wanted<'_>, incoming: &Incoming<'_>) -> Result<Made, Error> {
        let conflict = wanted.create.conflict.as_ref().filter(|conflict| conflict.look_first);
        let name = conflict.and_then(|conflict| value_of(&wanted.desired, &conflict.by));
        // Two that look at the same time would both find nobody.
        let _turn = match name {
            Some(name) => Some(self.turn_of_name(&text(name).to_lowercase()).await?),
            None => None,
        };
        if let Some(conflict) = conflict
            && let Some(id) = self.other(&conflict.by, &wanted.desired).await?
        {
            return self.adopt(&id, wanted, incoming).await;
        }
        match self.make(wanted).await {
            Err(error) => self.adopt_on_conflict(wanted, incoming, error).await,
            made => made,
        }
    }

    /// A name that is taken may be taken over; any other error stays.
    pub(super) async fn adopt_on_conflict(
        &self,
        wanted: &Wanted<'_>,
        incoming: &Incoming<'_>,
        error: Error,
    ) -> Result<Made, Error> {
        let is_taken = matches!(&error, Error::Client(error) if error.scim_type == Some(ScimType::Uniqueness));
        let conflict = wanted.create.conflict.as_ref().filter(|conflict| is_taken && conflict.adopt.is_some());
        let Some(conflict) = conflict else { return Err(error) };
        match self.other(&conflict.by, &wanted.desired).await {
            Ok(Some(id)) => self.adopt(&id, wanted, incoming).await,
            // That the other one cannot be looked for is no news: the name is taken.
            Ok(None) | Err(Error::Client(_)) => Err(error),
            Err(fault) => Err(fault),
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

    pub(super) fn taken(&self, by: &Target) -> Error {
        let name = &self.resource.kind.name;
        ScimError::new(ScimType::Uniqueness, format!("Another {name} has this {by} already.")).into()
    }

    /// Brings a resource that is there to what the client sent, if the mapping lets it be taken over.
    async fn adopt(&self, id: &str, wanted: &Wanted<'_>, incoming: &Incoming<'_>) -> Result<Made, Error> {
        let Some(conflict) = &wanted.create.conflict else { return Err(Error::gateway("nothing to adopt by")) };
        let taken = || self.taken(&conflict.by);
        let Some(condition) = &conflict.adopt else { return Err(taken()) };
        let key = key_of(self.resource, id).ok_or_else(taken)?;
        let _turn = self.turn(id).await?;
        let matches = condition.check(&self.resource.kind, &Profile::STRICT)?;
        let mut remain: Vec<String> = Vec::new();
        for _ in 0..=limits::REPLANS {
            let leaving = |error: Error| error.leaving(remain.clone());
            let is_it = |current: &Found| {
                let (here, sent) = (value_of(&current.resource, &conflict.by), value_of(&wanted.desired, &conflict.by));
                matches.matches(&current.resource) && here.zip(sent).is_some_and(|(here, sent)| same_name(here, sent))
            };
            // A list that lags behind may tell of what is not so any more.
            let current = self.fetch(&key).await.map_err(leaving)?.filter(is_it);
            let current = current.ok_or_else(|| leaving(taken()))?;
            let desired = merged(self.resource, self.context.profile, incoming, &current.resource);
            let mut desired = desired.map_err(|error| leaving(error.into()))?;
            // Who is created anew is active, unless the client says otherwise.
            if !incoming.resource.contains_key("active") && self.resource.kind.schema.attribute("active").is_some() {
                desired.insert("active".to_owned(), Value::from(true));
            }
            columns::fit(self.resource, &mut desired);
            self.settle(&mut desired, Some(&current.resource)).await.map_err(leaving)?;
            let changed = self.change(id, &key, &current, &desired, true).await;
            let mut found = match changed.map_err(leaving)? {
                Changed::Now(found) => *found,
                Changed::Stale(done) => {
                    remain.extend(done);
                    continue;
                }
            };
            // Members that are not sent stay: clients create groups without them, and add them later.
            if let Some(members) = &wanted.members {
                match self.change_members(id, &key, relation::replaced(Some(members)), Some(&found)).await {
                    Ok(changed) => found = self.now_or_again(id, &key, changed.now).await?,
                    Err(error) => {
                        let done = change::changed(self.resource, &current.resource, &desired);
                        return Err(leaving(error).leaving(self.revert(id, &key, &current, &done, &[]).await));
                    }
                }
            }
            audit::adopted(&self.resource.kind.name, id);
            return Ok(Made { id: id.to_owned(), key, resource: found.resource, adopted: true });
        }
        Err(self.contended(id).leaving(remain))
    }
}
