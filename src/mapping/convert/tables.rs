//! Names of another collection of the backend and their ids, as look-ups gave them.
//!
//! A table is data: the engine reads it, and gives it to whoever converts. So all that is here is pure.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{NoCounterpart, text};
use crate::scim::compare::text_eq;

/// What one look-up gave.
#[derive(Debug, Clone, Default)]
pub struct Table {
    names: HashMap<String, String>,
    /// By the name in lower case; each with the name as it is spelled.
    ids: HashMap<String, Vec<(String, Value)>>,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'t> {
    None,
    /// The name as the table spells it, and its id.
    One(&'t str, &'t Value),
    /// Nobody can tell which is meant.
    Several,
}

/// The tables of a mapping, as far as they are known.
#[derive(Debug, Clone)]
pub enum Tables {
    /// In the order of the look-ups.
    Known(Vec<Option<Arc<Table>>>),
    /// Ids are left as they are: for what must be the same with and without the names.
    Ids,
    /// The names of the look-ups: ids are told in words, for people.
    Told(Vec<String>),
}

fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

// === impl Table ===

impl Table {
    /// Adds a row. Of two rows with one id the first counts.
    pub fn add(&mut self, name: &str, id: &Value) {
        let key = text(id);
        if self.names.contains_key(&key) {
            return;
        }
        self.names.insert(key, name.to_owned());
        self.ids.entry(folded(name)).or_default().push((name.to_owned(), id.clone()));
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn name(&self, id: &Value) -> Option<&str> {
        self.names.get(&text(id)).map(String::as_str)
    }

    /// The one that is written for a name: the one that is spelled so, or the only one that compares equal.
    pub fn find(&self, name: &str, exact: bool) -> Entry<'_> {
        let mut spelled = self.equal(name, true);
        if let (Some((name, id)), None) = (spelled.next(), spelled.next()) {
            return Entry::One(name, id);
        }
        let mut equal = self.equal(name, exact);
        match (equal.next(), equal.next()) {
            (None, _) => Entry::None,
            (Some((name, id)), None) => Entry::One(name, id),
            (Some(_), Some(_)) => Entry::Several,
        }
    }

    /// All rows whose name is equal.
    fn equal<'t>(&'t self, name: &str, exact: bool) -> impl Iterator<Item = (&'t str, &'t Value)> {
        let rows = self.ids.get(&folded(name)).into_iter().flatten();
        rows.filter(move |(other, _)| text_eq(other, name, exact)).map(|(name, id)| (name.as_str(), id))
    }
}

// === impl Tables ===

impl Default for Tables {
    fn default() -> Self {
        Self::Known(Vec::new())
    }
}

impl Tables {
    /// A table, if it is known.
    pub fn table(&self, place: usize) -> Option<&Table> {
        match self {
            Self::Known(tables) => tables.get(place)?.as_deref(),
            Self::Ids | Self::Told(_) => None,
        }
    }

    /// The name for an id; `None` if the table has none.
    pub fn read(&self, place: usize, id: Value) -> Option<Value> {
        match self {
            Self::Ids => Some(id),
            _ => self.table(place)?.name(&id).map(Value::from),
        }
    }

    /// The id for a name.
    pub fn write(&self, place: usize, exact: bool, name: &Value) -> Result<Value, NoCounterpart> {
        let name = text(name);
        if let Self::Told(names) = self {
            let table = names.get(place).map(String::as_str).unwrap_or_default();
            return Ok(Value::from(format!("(the id of {name} in {table})")));
        }
        match self.table(place).map_or(Entry::None, |table| table.find(&name, exact)) {
            Entry::One(_, id) => Ok(id.clone()),
            Entry::None => Err(NoCounterpart(format!("the application has nothing with the name `{name}`"))),
            Entry::Several => Err(NoCounterpart(format!("the application has several with the name `{name}`"))),
        }
    }

    /// The id that a comparison with a name is one with; `None` if there is not just one.
    pub fn compared(&self, place: usize, exact: bool, name: &Value) -> Option<Value> {
        if let Self::Told(_) = self {
            return self.write(place, exact, name).ok();
        }
        let name = text(name);
        let mut equal = self.table(place)?.equal(&name, exact);
        match (equal.next(), equal.next()) {
            (Some((_, id)), None) => Some(id.clone()),
            _ => None,
        }
    }

    /// Whether it is known that no row has the name.
    pub fn lacks(&self, place: usize, exact: bool, name: &str) -> bool {
        self.table(place).is_some_and(|table| table.equal(name, exact).next().is_none())
    }
}
