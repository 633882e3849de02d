//! Tables of names and ids of other collections: read when they are needed, and kept for a while.
//!
//! A table is read by one request at a time; others wait and share it. It is read again when it is too old, or when it
//! lacks a name or an id that was not looked for before. An id that is in no table has no name, which is no error: the
//! record is as it is. A name that is in no table is created, if the mapping says how, or refused.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;
// The lock of tokio needs no runtime of it.
use tokio::sync::Mutex as Fair;

use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::walk::Source;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::convert::tables::{Entry, Table, Tables};
use crate::mapping::convert::text;
use crate::mapping::model::{NameTable, NewEntry};
use crate::mapping::template::Scope;
use crate::scim::filter::Predicate;
use crate::scim::{Object, ScimError, ScimType};
use crate::translate::call::More;
use crate::translate::lookup::{self, Name};
use crate::translate::outcome::Outcome;

/// The tables of a mapping, in its order.
#[derive(Debug)]
pub(super) struct Shelf {
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    now: Mutex<Option<Loaded>>,
    /// Held by the one request that reads the table, or adds to it.
    turn: Fair<()>,
}

/// A table as it was read.
#[derive(Debug, Clone)]
struct Loaded {
    table: Arc<Table>,
    /// When the reading began.
    at: Instant,
    /// Ids that records have, and the table has not: the table is not read again for them.
    unknown: Arc<HashSet<String>>,
    /// What this process created, and when: a list that lags behind does not show it yet.
    added: Arc<Vec<(String, Value, Instant)>>,
}

impl Shelf {
    pub(super) fn new(tables: usize) -> Self {
        Self { slots: (0..tables).map(|_| Slot::default()).collect() }
    }

    fn slot(&self, place: usize) -> Result<&Slot, Error> {
        self.slots.get(place).ok_or_else(|| Error::gateway("a table that is not in the mapping"))
    }
}

impl Slot {
    fn get(&self) -> Option<Loaded> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, loaded: Loaded) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }
}

impl<B: Backend> Operation<'_, B> {
    /// The tables as far as they were read.
    pub(super) fn tables(&self) -> Tables {
        Tables::Known(self.engine.shelf.slots.iter().map(|slot| Some(slot.get()?.table)).collect())
    }

    /// Reads the tables that the names in these records are in.
    pub(super) fn learn<'a>(&'a self, records: Vec<&'a Value>) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async move {
            let began = self.engine.system.now();
            let mut wanted: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
            for record in records {
                for (place, id) in lookup::ids(self.resource, self.needed, record) {
                    wanted.entry(place).or_default().push(id);
                }
            }
            for (place, ids) in wanted {
                let has = |loaded: &Loaded, id: &Value| loaded.table.name(id).is_some() || loaded.unknown.contains(&text(id));
                let is_enough =
                    |loaded: &Loaded| loaded.unknown.len() >= limits::UNKNOWN_IDS || ids.iter().all(|id| has(loaded, id));
                let loaded = self.table(place, began, is_enough).await?;
                let missing: HashSet<String> = ids.iter().filter(|id| !has(&loaded, id)).map(text).collect();
                if !missing.is_empty() {
                    self.remember(place, loaded, missing)?;
                }
            }
            Ok(())
        })
    }

    /// Whether records have names in tables that this request needs.
    pub(super) fn learns(&self) -> bool {
        !self.engine.shelf.slots.is_empty() && self.needed != lookup::Needed::NONE
    }

    /// Remembers ids that no table has, so that it is not read again for each record that has them.
    fn remember(&self, place: usize, loaded: Loaded, missing: HashSet<String>) -> Result<(), Error> {
        let slot = self.engine.shelf.slot(place)?;
        let name = self.mapping().lookups.get(place).map_or("", |lookup| lookup.name.as_str());
        tracing::warn!(
            lookup = name,
            count = missing.len(),
            "records have ids that the table lacks: they are read without a name"
        );
        let mut unknown = (*loaded.unknown).clone();
        unknown.extend(missing);
        slot.put(Loaded { unknown: Arc::new(unknown), ..slot.get().unwrap_or(loaded) });
        Ok(())
    }

    /// The table, not older than it may be. It is read again if it is not enough and was read before this request asked.
    async fn table(&self, place: usize, began: Instant, is_enough: impl Fn(&Loaded) -> bool) -> Result<Loaded, Error> {
        let slot = self.engine.shelf.slot(place)?;
        let lookup = self.lookup(place)?;
        let usable = |loaded: &Loaded| {
            let age = self.engine.system.now().saturating_duration_since(loaded.at);
            age < lookup.keep && (loaded.at >= began || is_enough(loaded))
        };
        if let Some(loaded) = slot.get().filter(usable) {
            return Ok(loaded);
        }
        let _turn = slot.turn.lock().await;
        match slot.get().filter(usable) {
            Some(loaded) => Ok(loaded),
            None => self.load(slot, lookup).await,
        }
    }

    fn lookup(&self, place: usize) -> Result<&NameTable, Error> {
        self.mapping().lookups.get(place).ok_or_else(|| Error::gateway("a table that is not in the mapping"))
    }

    /// Reads a table.
    async fn load(&self, slot: &Slot, lookup: &NameTable) -> Result<Loaded, Error> {
        let at = self.engine.system.now();
        let mut table = Table::default();
        let walked = self
            .walk(Source::table(lookup), &Scope::default(), &More::default(), &lookup.id, |row| {
                let (name, id) = (lookup.label.first(row), lookup.id.first(row));
                // What has no name cannot be named.
                if let Some((name, id)) = name.zip(id).filter(|(name, id)| !name.is_null() && !id.is_null()) {
                    table.add(&text(name), id);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await;
        match walked {
            Ok(true) => {}
            Ok(false) => return Err(unexpected(&lookup.call, &Outcome::NotFound)),
            Err(Error::Client(error)) if error.scim_type == Some(ScimType::TooMany) => {
                let rows = limits::TABLE_ROWS;
                return Err(Error::mapping(format!(
                    "{}: the table is larger than a look-up may be ({rows} rows)",
                    lookup.call.name
                )));
            }
            Err(error) => return Err(error),
        }
        let (mut unknown, mut added) = (HashSet::new(), Vec::new());
        if let Some(before) = slot.get() {
            let lag = self.mapping().backend.lag;
            added.extend(before.added.iter().filter(|(_, _, made)| at.saturating_duration_since(*made) <= lag).cloned());
            for (name, id, _) in &added {
                table.add(name, id);
            }
            // Ids that it still lacks are not looked for again.
            unknown.extend(before.unknown.iter().filter(|id| table.name(&Value::from(id.as_str())).is_none()).cloned());
        }
        let loaded = Loaded { table: Arc::new(table), at, unknown: Arc::new(unknown), added: Arc::new(added) };
        slot.put(loaded.clone());
        Ok(loaded)
    }

    /// Reads the tables of the names that a filter compares with.
    pub(super) async fn tables_of(&self, filter: &Predicate<'_>) -> Result<Tables, Error> {
        let began = self.engine.system.now();
        for name in lookup::compared(self.resource, filter) {
            self.table(name.table, began, |loaded| is_known(&loaded.table, &name)).await?;
        }
        Ok(self.tables())
    }

    /// Makes sure that the new names of a resource are in their tables, and spells them as the tables do. To be called before
    /// anything is changed.
    pub(super) async fn settle(&self, desired: &mut Object, before: Option<&Object>) -> Result<(), Error> {
        if self.engine.shelf.slots.is_empty() {
            return Ok(());
        }
        let mut names: Vec<Name> = Vec::new();
        lookup::each_name(self.resource, desired, before, &mut |table, exact, value| {
            let name = Name { table, exact, name: text(value) };
            if !names.contains(&name) {
                names.push(name);
            }
        });
        for name in &names {
            self.known(name).await?;
        }
        let tables = self.tables();
        lookup::each_name(self.resource, desired, before, &mut |table, exact, value| {
            let name = text(value);
            if let Some(Entry::One(spelled, _)) = tables.table(table).map(|table| table.find(&name, exact)) {
                *value = Value::from(spelled);
            }
        });
        Ok(())
    }

    /// Sees to it that a name has an id: by creating what it is the name of, if need be and the mapping says how.
    async fn known(&self, name: &Name) -> Result<(), Error> {
        let lookup = self.lookup(name.table)?;
        let loaded = self.table(name.table, self.engine.system.now(), |loaded| is_known(&loaded.table, name)).await?;
        match (loaded.table.find(&name.name, name.exact), &lookup.create) {
            (Entry::One(..), _) => Ok(()),
            (Entry::Several, _) => Err(ScimError::invalid_value(format!(
                "The application has several {} with the name \"{}\": nobody can tell which is meant.",
                lookup.name, name.name
            ))
            .into()),
            (Entry::None, None) => {
                Err(ScimError::invalid_value(format!("The application has no {} with the name \"{}\".", lookup.name, name.name))
                    .into())
            }
            (Entry::None, Some(create)) => self.enter(name, lookup, create).await,
        }
    }

    /// Creates what a name is the name of. Of several requests that want it one does so.
    async fn enter(&self, name: &Name, lookup: &NameTable, create: &NewEntry) -> Result<(), Error> {
        let slot = self.engine.shelf.slot(name.table)?;
        let _turn = slot.turn.lock().await;
        let is_there = |loaded: &Loaded| is_known(&loaded.table, name);
        if slot.get().as_ref().is_some_and(is_there) {
            return Ok(());
        }
        let value = Value::from(name.name.as_str());
        let scope = Scope { value: Some(&value), ..Scope::default() };
        let call = build(&create.call, &scope, None)?;
        let refused = match self.send(call).await? {
            Outcome::Good(body) => {
                let id = create.id.as_ref().and_then(|path| path.first(create.call.envelope.first(&body)?));
                if let Some((id, loaded)) = id.filter(|id| !id.is_null()).zip(slot.get()) {
                    let mut table = (*loaded.table).clone();
                    table.add(&name.name, id);
                    let mut added = (*loaded.added).clone();
                    added.push((name.name.clone(), id.clone(), self.engine.system.now()));
                    slot.put(Loaded { table: Arc::new(table), added: Arc::new(added), ..loaded });
                    return Ok(());
                }
                None
            }
            Outcome::Done => None,
            // Somebody else may have created it meanwhile.
            Outcome::Refused(error) => Some(error),
            other => return Err(unexpected(&create.call, &other)),
        };
        let mut pauses = self.pauses();
        loop {
            if is_there(&self.load(slot, lookup).await?) {
                return Ok(());
            }
            match &refused {
                Some(error) => return Err(error.clone().into()),
                None if pauses.pause().await => {}
                None => return Err(unintelligible(&create.call, "the table lacks what was created: see `id`, and `lag`")),
            }
        }
    }
}

fn is_known(table: &Table, name: &Name) -> bool {
    table.find(&name.name, name.exact) != Entry::None
}
