//! What the gateway would do for a request, as the planner says it: the calls, what is left to the gateway, the bounds.

mod bulk;
mod calls;
mod change;
mod create;
mod lookups;
mod members;
mod write;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::translate::call::{More, build};
use crate::translate::details::details;
use crate::translate::lookup::Needed;
use crate::translate::pages::{self, Start, Window};
use crate::translate::query::{Access, Plan, Planner, Serving};
use crate::translate::read::id_of;
use crate::translate::write::key_of;
pub use bulk::{BulkExplanation, BulkStep, bulk};
pub use calls::{Effect, UndoCall, WriteCall};
pub use write::{Note, WriteExplanation};

use crate::limits;
use crate::mapping::Mapping;
use crate::mapping::model::{Call, List, Lookup, LookupAnswer, MemberList, PageBy, Rate, Resource, Total};
use crate::mapping::template::Scope;
use crate::scim::filter::{self, Predicate};
use crate::scim::messages::SearchRequest;
use crate::scim::sort::SortKey;
use crate::scim::{AttrRef, Profile, Projection, ScimError};

/// The plan of a request, for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// How the resources are found, in a sentence.
    pub found_by: String,
    /// The calls, in order; of a walk the first one.
    pub calls: Vec<ExplainedCall>,
    /// What the backend performs.
    pub pushed: Vec<String>,
    /// What the gateway checks on every resource; nothing if the backend's answer needs no second look.
    pub checked_again: Option<String>,
    /// Who sorts: `backend` or `gateway`.
    pub sorted_by: Option<&'static str>,
    /// How the number of all results comes about.
    pub total: String,
    /// Calls at the most.
    pub calls_at_most: u64,
    /// Records at the most that are walked through; beyond, the answer is 400 tooMany.
    pub rows_at_most: Option<u64>,
    /// What may make calls wait, or be made again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedCall {
    /// What the mapping calls it.
    pub name: String,
    pub method: String,
    /// Path and query.
    pub target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// When it is made more than once, or not always.
    pub repeated: Option<String>,
}

/// Plans without sending anything.
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'m> {
    pub mapping: &'m Mapping,
    pub resource: &'m Resource,
    pub base_url: &'m str,
    pub profile: &'m Profile,
}

impl Explainer<'_> {
    /// What may make calls wait, or be made again.
    fn pace(&self) -> Vec<Note> {
        let backend = &self.mapping.backend;
        let mut notes = Vec::new();
        if let Some(Rate { calls, period }) = backend.rate {
            let text = format!(
                "{calls} calls in {} s at the most, those of all requests together; a call waits for its turn, for {} s at the most, \
                 then 503",
                period.as_secs(),
                limits::RATE_SECONDS
            );
            notes.push(Note { about: "rate", text });
        }
        if backend.retries {
            let text = format!(
                "a call that the backend asks to repeat is made up to {} times more, within {} s of waiting; then 503",
                limits::AGAIN,
                limits::AGAIN_SECONDS
            );
            notes.push(Note { about: "retry", text });
        }
        notes
    }

    /// GET of one resource.
    pub fn read(&self, id: &str, names: &SearchRequest) -> Result<Explanation, ScimError> {
        let projection = self.projection(names)?;
        let Some(key) = key_of(self.resource, id) else { return Ok(nothing("no record can have this id: 404 without a call")) };
        let mut calls: Vec<ExplainedCall> = self.key_call(&key).into_iter().collect();
        let mut calls_at_most = calls.len() as u64;
        if let Some((_, list)) = self.relation().filter(|(attribute, _)| projection.wants(attribute)) {
            calls.extend(relation_call(list, "for each page"));
            calls_at_most += pages_at_most(list);
        }
        let (tables, at_most) = self.table_calls(Needed::of(self.resource, &projection, &Predicate::True, None));
        calls.extend(tables);
        calls_at_most += at_most;
        Ok(Explanation { calls, calls_at_most, notes: self.pace(), ..nothing("by its key") })
    }

    /// A query of one resource type.
    pub fn list(&self, search: &SearchRequest) -> Result<Explanation, ScimError> {
        let (kind, profile) = (&self.resource.kind, self.profile);
        let filter = match &search.filter {
            Some(text) => filter::parse(text, profile)?.check(kind, profile)?,
            None => Predicate::True,
        };
        let sort = search.sort_by.as_deref().map(|sort_by| SortKey::parse(sort_by, kind, profile)).transpose()?;
        let projection = self.projection(search)?;
        let tables = self.tables();
        let planner = Planner { mapping: self.mapping, tables: &tables, resource: self.resource, base_url: self.base_url };
        let plan = planner.plan(filter, sort.as_ref().map(|key| (key, search.sort_order)))?;
        let window = Window::of(search, limits::LIST_RESULTS as u64);

        let (found_by, mut calls) = self.access(&plan.access, &plan, window, search.cursor.is_none());
        let list = self.resource.list.as_ref();
        let walked = matches!(&plan.access, Access::List { .. })
            && list.is_some_and(|list| plan.serving(list, search.cursor.is_none()) == Serving::Walk);
        let mut calls_at_most = match (&plan.access, list) {
            (Access::List { .. }, Some(list)) if walked => list.scan.calls as u64,
            (Access::List { .. }, Some(list)) => match plan.serving(list, search.cursor.is_none()) {
                Serving::Slice => window.count.div_ceil(pages::covering(&list.paging, window).1).max(1) + 1,
                _ => list.scan.calls as u64,
            },
            (access, _) => self.calls_at_most(access),
        };
        if let (Access::List { .. }, Some(Total::Call { call, .. }), false) =
            (&plan.access, list.map(|list| &list.paging.total), walked)
        {
            calls_at_most += 1;
            calls.extend(explained(call, &Scope::default(), Some("with the same filter, unless the page tells the total")));
        }
        let sorted = sort.as_ref();
        let (tables, at_most) = self.table_calls(Needed::of(self.resource, &projection, &plan.filter, sorted));
        calls.extend(tables);
        calls_at_most += at_most;
        let listed = plan.access.gives_rows();
        let needs = details(self.mapping, self.resource, &plan.filter, sort.as_ref().filter(|_| !plan.sorted), &projection);
        if let Some(rows) = needs.of_what().filter(|_| listed) {
            calls_at_most += if needs.rows_only() { window.count } else { list.map_or(0, |list| list.scan.calls as u64) };
            calls
                .extend(self.key_call(&Value::from("KEY")).map(|call| ExplainedCall { repeated: Some(rows.to_owned()), ..call }));
        }
        if let Some((attribute, list)) = self.relation().filter(|_| !matches!(plan.access, Access::Nothing)) {
            let mut decides = sort.as_ref().is_some_and(|key| !plan.sorted && key.target.same_attribute(&attribute));
            plan.residual.attributes(&mut |reference| decides |= reference.same_attribute(&attribute));
            let (resources, repeated) = match &plan.access {
                _ if !decides && !projection.wants(&attribute) => (0, None),
                Access::Key(_) => (1, Some("for each page")),
                _ if decides => (self.scan_calls(), Some("for each resource that is left to check or to sort, for each page")),
                _ => (window.count, Some("for each resource of the answer, for each page")),
            };
            calls.extend(repeated.and_then(|repeated| relation_call(list, repeated)));
            calls_at_most += resources.saturating_mul(pages_at_most(list));
        }
        let total = match (&plan.access, list) {
            (Access::List { .. }, Some(list)) if !walked => match (&list.paging.by, &list.paging.total) {
                (PageBy::Nothing, _) => "the number of rows".to_owned(),
                (_, Total::Body(path)) => format!("the backend tells it at {}", path.as_str()),
                (_, Total::Header(name)) => format!("the backend tells it in {name}"),
                (_, Total::Call { call, .. }) => format!("the backend tells it by {}", call.name),
                (_, _) => "the backend tells it in Content-Range".to_owned(),
            },
            (Access::List { .. }, _) => "counted by the walk".to_owned(),
            _ => "counted".to_owned(),
        };
        Ok(Explanation {
            found_by,
            calls,
            checked_again: (plan.residual != Predicate::True).then(|| plan.filter.to_string()),
            sorted_by: sort.map(|_| if plan.sorted { "backend" } else { "gateway" }),
            total,
            calls_at_most,
            rows_at_most: walked.then_some(list).flatten().map(|list| list.scan.rows as u64),
            pushed: plan.pushed,
            notes: self.pace(),
        })
    }

    fn access(&self, access: &Access<'_>, plan: &Plan<'_, '_>, window: Window, total: bool) -> (String, Vec<ExplainedCall>) {
        match access {
            Access::Nothing => ("nothing can match: an empty answer without a call".to_owned(), Vec::new()),
            Access::Key(key) => ("by its key".to_owned(), self.key_call(key).into_iter().collect()),
            Access::Lookup { lookup, value } => {
                let scope = Scope { value: value.as_ref(), ..Scope::default() };
                let paging = match &lookup.answer {
                    LookupAnswer::Rows { paging, .. } if !matches!(paging.by, PageBy::Nothing) => paging,
                    _ => return ("by a look-up".to_owned(), explained(&lookup.call, &scope, None).into_iter().collect()),
                };
                let (base, start) = (self.mapping.backend.url.path(), pages::first(paging));
                let request = pages::page_call(&lookup.call, paging, &scope, &More::default(), &start, paging.max, base).ok();
                let call = request.map(|request| ExplainedCall {
                    name: lookup.call.name.clone(),
                    method: request.method.to_string(),
                    target: request.target,
                    body: request.body.as_deref().map(shown),
                    repeated: Some("for each page".to_owned()),
                });
                ("by a look-up".to_owned(), call.into_iter().collect())
            }
            Access::GroupsOf { member: key, only } => {
                let list = self.resource.members.as_ref().and_then(|members| members.groups.as_ref()?.call());
                let scope = Scope { key: Some(key), ..Scope::default() };
                let mut calls: Vec<_> = match (list, self.member_type().and_then(|of| of.get.as_ref())) {
                    (Some(list), _) => explained(&list.call, &scope, Some("for each page")),
                    // The record of the member has its groups.
                    (None, Some(get)) => explained(&get.call, &scope, None),
                    (None, None) => None,
                }
                .into_iter()
                .collect();
                calls.extend(self.key_call(only.as_ref().unwrap_or(&Value::from("KEY"))).map(|call| {
                    let repeated = if only.is_some() { "if it is among them" } else { "for each group found" };
                    ExplainedCall { repeated: Some(repeated.to_owned()), ..call }
                }));
                ("by the groups of the member".to_owned(), calls)
            }
            Access::List { more } => match &self.resource.list {
                Some(list) => self.pages(list, more, plan.serving(list, total), window),
                None => ("the mapping has no `list`".to_owned(), Vec::new()),
            },
            Access::Union(branches) => {
                let calls = branches
                    .iter()
                    .flat_map(|branch| self.access(branch, plan, Window { skip: 0, count: u64::MAX }, true).1)
                    .collect();
                ("by several ways, each resource once".to_owned(), calls)
            }
        }
    }

    fn pages(&self, list: &List, more: &More, serving: Serving, window: Window) -> (String, Vec<ExplainedCall>) {
        let (found_by, start, size, repeated) = match serving {
            Serving::Slice => {
                let (row, size) = pages::covering(&list.paging, window);
                let several = window.count > size && !matches!(list.paging.by, PageBy::Nothing);
                ("by the pages that hold them", Start::Row(row), size, several.then_some("until the page of the client is full"))
            }
            Serving::Follow => {
                let size = window.count.clamp(1, list.paging.max);
                ("by going on from page to page", pages::first(&list.paging), size, Some("until the page of the client is full"))
            }
            Serving::Walk => {
                let paged = !matches!(list.paging.by, PageBy::Nothing);
                (
                    "by a walk through the list",
                    pages::first(&list.paging),
                    list.paging.max,
                    paged.then_some("for each page of the list"),
                )
            }
        };
        let base = self.mapping.backend.url.path();
        let request = pages::page_call(&list.call, &list.paging, &Scope::default(), more, &start, size, base).ok();
        let calls = request.map(|request| ExplainedCall {
            name: list.call.name.clone(),
            method: request.method.to_string(),
            target: request.target,
            body: request.body.as_deref().map(shown),
            repeated: repeated.map(str::to_owned),
        });
        (found_by.to_owned(), calls.into_iter().collect())
    }

    fn key_call(&self, key: &Value) -> Option<ExplainedCall> {
        let get = self.resource.get.as_ref()?;
        let id = id_of(self.resource, key).map(Value::from);
        explained(&get.call, &Scope { key: Some(key), id: id.as_ref(), ..Scope::default() }, None)
    }

    /// Members or groups, if a call of their own tells them.
    fn relation(&self) -> Option<(AttrRef<'_>, &MemberList)> {
        let (name, list, _) = self.mapping.listed_relation(self.resource)?;
        Some((AttrRef { extension: None, attribute: self.resource.kind.schema.attribute(name)?, sub: None }, list))
    }

    /// Calls at the most to find the resources other than from the pages of one list. Each branch of a union has the
    /// budget of a walk.
    fn calls_at_most(&self, access: &Access<'_>) -> u64 {
        match access {
            Access::Nothing => 0,
            Access::Lookup { lookup: Lookup { answer: LookupAnswer::Rows { paging, .. }, .. }, .. }
                if !matches!(paging.by, PageBy::Nothing) =>
            {
                self.scan_calls()
            }
            Access::Key(_) | Access::Lookup { .. } => 1,
            Access::List { .. } => self.scan_calls(),
            Access::GroupsOf { only, .. } => {
                let groups = self.resource.members.as_ref().and_then(|members| members.groups.as_ref());
                // Groups in the record of the member cost the call that reads it.
                groups.map_or(0, |groups| groups.call().map_or(1, pages_at_most))
                    + if only.is_some() { 1 } else { self.scan_calls() }
            }
            Access::Union(branches) => branches.iter().map(|branch| self.calls_at_most(branch)).sum(),
        }
    }

    /// What the members of this resource type are.
    fn member_type(&self) -> Option<&Resource> {
        self.mapping.resources.get(self.resource.members.as_ref()?.of)
    }

    fn scan_calls(&self) -> u64 {
        self.resource.list.as_ref().map_or(limits::SCAN_CALLS, |list| list.scan.calls) as u64
    }

    fn projection(&self, search: &SearchRequest) -> Result<Projection<'_>, ScimError> {
        Projection::new(&search.attributes, &search.excluded_attributes, &self.resource.kind, self.profile)
    }
}

/// The call for the members or groups of a resource.
fn relation_call(list: &MemberList, repeated: &str) -> Option<ExplainedCall> {
    let key = Value::from("KEY");
    explained(&list.call, &Scope { key: Some(&key), id: Some(&key), ..Scope::default() }, Some(repeated))
}

fn pages_at_most(list: &MemberList) -> u64 {
    if matches!(list.paging.by, PageBy::Nothing) { 1 } else { limits::RELATION_CALLS as u64 }
}

fn explained(call: &Call, scope: &Scope<'_>, repeated: Option<&str>) -> Option<ExplainedCall> {
    let request = build(call, scope, None).ok()?;
    Some(ExplainedCall {
        name: call.name.clone(),
        method: request.method.to_string(),
        target: request.target,
        body: request.body.as_deref().map(shown),
        repeated: repeated.map(str::to_owned),
    })
}

/// A body as it is sent: JSON, or the text of a form.
fn shown(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body)))
}

fn nothing(found_by: &str) -> Explanation {
    Explanation {
        found_by: found_by.to_owned(),
        calls: Vec::new(),
        pushed: Vec::new(),
        checked_again: None,
        sorted_by: None,
        total: "one or none".to_owned(),
        calls_at_most: 0,
        rows_at_most: None,
        notes: Vec::new(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "found         {}", self.found_by)?;
        for call in &self.calls {
            write!(f, "call          {} {}   ({}", call.method, call.target, call.name)?;
            match &call.repeated {
                Some(repeated) => writeln!(f, ", {repeated})")?,
                None => writeln!(f, ")")?,
            }
            if let Some(body) = &call.body {
                writeln!(f, "  body        {body}")?;
            }
        }
        for pushed in &self.pushed {
            writeln!(f, "pushed down   {pushed}")?;
        }
        if let Some(again) = &self.checked_again {
            writeln!(f, "checked again {again}")?;
        }
        if let Some(who) = self.sorted_by {
            writeln!(f, "sorted by     the {who}")?;
        }
        writeln!(f, "total         {}", self.total)?;
        write!(f, "at most       {} calls", self.calls_at_most)?;
        if let Some(rows) = self.rows_at_most {
            write!(f, ", {rows} records walked through (beyond: 400 tooMany)")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{:<13} {}", note.about, note.text))
    }
}
