//! `lookups`: tables of names and ids.

use super::call::{Names, Purpose, Shared};
use super::{Compiler, known};
use crate::limits;
use crate::mapping::diagnostics::{Code, Diagnostic};
use crate::mapping::model::{NameTable, NewEntry};
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::template::Root;
use crate::mapping::vocabulary;

impl Compiler<'_> {
    /// The names of the look-ups, before they are compiled: lines refer to them.
    pub(super) fn lookup_names(node: &Node) -> Vec<String> {
        match &node.data {
            Data::Mapping(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn lookups(&mut self, node: &Node, shared: &Shared) -> Option<Vec<NameTable>> {
        let entries = self.entries(node, "lookups")?;
        if entries.len() > limits::LOOKUPS {
            self.error(
                Code::BadValue,
                node.span,
                format!("there are more than {} look-ups", limits::LOOKUPS),
                "take out those that no line uses",
            );
        }
        let tables: Vec<Option<NameTable>> = entries.iter().map(|entry| self.name_table(entry, shared)).collect();
        tables.into_iter().collect()
    }

    fn name_table(&mut self, entry: &Entry, shared: &Shared) -> Option<NameTable> {
        let (keys, line) = self.call_keys(&entry.value, &vocabulary::LOOKUP)?;
        let name = &entry.key;
        let paging = keys
            .get("pages")
            .map_or(Some(shared.paging.clone()), |node| self.paging(node, &format!("lookups.{name}.count"), shared));
        let names = paging.as_ref().map_or(Names::NOTHING, |paging| Names::NOTHING.paged(paging));
        let call = self.call(format!("lookups.{name}"), &keys, line, &names, shared, Purpose::Read);
        let paging = paging.map(|paging| self.asked(paging, call.as_ref(), line));
        let items = self.items(&keys);
        let label = self.require(&keys, "name", "tell where the name is in a row: `name: $.title`").map(|node| self.path(node));
        let id = self.require(&keys, "id", "tell where the id is in a row: `id: $.id`").map(|node| self.path(node));
        let keep = keys.get("keep").map_or(Some(limits::TABLE_TIME), |node| {
            let keep = self.duration(node)?;
            if keep > limits::TABLE_TIME_MOST {
                self.error(
                    Code::BadValue,
                    node.span,
                    "a table is kept for a day at the most",
                    "write for example `keep: 10m`: so long a name may be an old one",
                );
                return None;
            }
            Some(keep)
        });
        let create = keys.get("create").map(|node| self.new_entry(name, node, shared));
        if !self.used_lookups.contains(name) {
            self.report(
                Diagnostic::warning(Code::UnknownLookup, entry.key_span, format!("no line uses the look-up `{name}`"))
                    .help(format!("write `as: {{ lookup: {name} }}` on a line, or take it out")),
            );
        }
        Some(NameTable {
            name: name.clone(),
            call: call?,
            items: items?,
            paging: paging?,
            label: label??,
            id: id??,
            keep: keep?,
            create: known(create)?,
        })
    }

    fn new_entry(&mut self, name: &str, node: &Node, shared: &Shared) -> Option<NewEntry> {
        let (keys, line) = self.call_keys(node, &vocabulary::NEW_ENTRY)?;
        let call = self.call(format!("lookups.{name}.create"), &keys, line, &Names::NAME, shared, Purpose::Act);
        if let Some(call) = &call
            && !call.uses_any(&[Root::Value])
        {
            self.error(
                Code::BadCall,
                line.span,
                "this does not say what is created",
                "put the name into it: `body: { title: \"{{name}}\" }`",
            );
        }
        let id = keys.get("id").map(|node| self.path(node));
        Some(NewEntry { call: call?, id: known(id)? })
    }
}
