//! Tables of names: what they cost, and what becomes of a name that they lack.

use serde_json::Value;

use super::write::Writer;
use super::{ExplainedCall, Explainer, explained};
use crate::limits;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Call, Line, NameTable, PageBy};
use crate::mapping::template::Scope;
use crate::translate::lookup::Needed;

impl Explainer<'_> {
    /// The ids of names, in words.
    pub(super) fn tables(&self) -> Tables {
        Tables::Told(self.mapping.lookups.iter().map(|lookup| lookup.name.clone()).collect())
    }

    /// The calls for the tables that a query needs, and how many they are at the most.
    pub(super) fn table_calls(&self, needed: Needed) -> (Vec<ExplainedCall>, u64) {
        let tables = self.mapping.lookups.iter().enumerate().filter(|(place, _)| needed.has(*place));
        let mut calls = (Vec::new(), 0);
        for (_, lookup) in tables {
            let when =
                format!("if the table is older than {} s, and once more if it lacks what is looked for", lookup.keep.as_secs());
            calls.0.extend(explained(&lookup.call, &Scope::default(), Some(&when)));
            calls.1 += 2 * pages_at_most(lookup);
        }
        calls
    }
}

impl Writer<'_> {
    /// What becomes of the names in these lines.
    pub(super) fn names<'l>(&mut self, lines: impl IntoIterator<Item = &'l Line>) {
        let mut places = Vec::new();
        for line in lines {
            line.shape.each_table(&mut |place| {
                if !places.contains(&place) {
                    places.push(place);
                }
            });
        }
        for place in places {
            let Some(lookup) = self.explainer.mapping.lookups.get(place) else { continue };
            let shown = |call: &Call, scope: &Scope<'_>| {
                explained(call, scope, None).map_or_else(|| call.name.clone(), |call| format!("{} {}", call.method, call.target))
            };
            let name = Value::from("(the name)");
            let missing = match &lookup.create {
                Some(create) => {
                    let scope = Scope { value: Some(&name), ..Scope::default() };
                    format!("what it lacks is created by {}", shown(&create.call, &scope))
                }
                None => "a name that it lacks is 400 invalidValue, before anything is changed".to_owned(),
            };
            let text = format!(
                "{}: names and ids are in a table ({}), read if it is older than {} s, and once more if it lacks one; {missing}",
                lookup.name,
                shown(&lookup.call, &Scope::default()),
                lookup.keep.as_secs()
            );
            self.note("lookup", text);
        }
    }
}

fn pages_at_most(lookup: &NameTable) -> u64 {
    if matches!(lookup.paging.by, PageBy::Nothing) { 1 } else { limits::SCAN_CALLS as u64 }
}
