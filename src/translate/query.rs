//! Planning a query: what of its filter the backend performs, and what is left to the gateway.
//!
//! A filter is a conjunction of conditions. Each way that the mapping offers to find rows covers some of them; the way
//! that is likely to take the fewest calls is taken, and what it does not cover exactly is checked again on every row.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::call::{self, More};
use super::conjunct::{EQUAL_ROWS, contradict, equals, estimate, estimate_test, simple};
use super::language::{Expression, Speaker};
use super::lookup;
use super::operand::{Comparable, comparable, may_be_empty};
use super::pages::tells_total;
use super::write::key_of;
use crate::mapping::Mapping;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Addition, How, List, Lookup, LookupAnswer, PushDown, Resource, Shape, SortPushDown, Target};
use crate::mapping::template::{Root, Scope, Template};
use crate::scim::compare::{is_case_exact, text_eq};
use crate::scim::filter::{Op, Operand, Predicate, Test};
use crate::scim::messages::SortOrder;
use crate::scim::sort::SortKey;
use crate::scim::{AttrRef, ScimError};

/// How the resources that match a filter are found.
#[derive(Debug, Clone)]
pub enum Access<'m> {
    /// There can be none: the filter contradicts itself, or names an id that cannot be.
    Nothing,
    /// By reading the one with this key.
    Key(Value),
    /// By a call of its own, with the value that it looks for.
    Lookup { lookup: &'m Lookup, value: Option<Value> },
    /// By listing the groups of the member with this key; `only` the one with that key, if it is among them. Who asks
    /// whether somebody is in a group (Entra ID: `id eq "g" and members eq "u"`) must not make the gateway read the group.
    GroupsOf { member: Value, only: Option<Value> },
    /// By the list, with what is added to its call.
    List { more: More },
    /// By several ways, without duplicates.
    Union(Vec<Self>),
}

/// A planned query.
#[derive(Debug, Clone)]
pub struct Plan<'m, 's> {
    pub access: Access<'m>,
    /// What the backend performs, for people.
    pub pushed: Vec<String>,
    /// What every resource found must satisfy; [`Predicate::True`] if the backend's answer needs no second look.
    pub residual: Predicate<'s>,
    /// The whole filter. The backend may ignore a parameter in silence: its rows are held against this.
    pub filter: Predicate<'s>,
    /// Whether the backend gives the order that was asked for.
    pub sorted: bool,
}

/// How a window of a list is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// Straight from the pages that hold it.
    Slice,
    /// From page to page, going on where the window before it ended.
    Follow,
    /// By a walk through the whole list.
    Walk,
}

impl Access<'_> {
    /// Whether it gives rows, which may not tell all attributes.
    pub fn gives_rows(&self) -> bool {
        match self {
            Self::List { .. } | Self::Union(_) => true,
            Self::Lookup { lookup, .. } => matches!(lookup.answer, LookupAnswer::Rows { .. }),
            Self::Nothing | Self::Key(_) | Self::GroupsOf { .. } => false,
        }
    }
}

impl Plan<'_, '_> {
    /// How a window is served: only what the backend filters, sorts and, if the total must be told, counts itself can be
    /// taken from its pages.
    pub fn serving(&self, list: &List, total: bool) -> Serving {
        let exact = self.residual == Predicate::True && self.sorted && !list.counts_gone && (!total || tells_total(&list.paging));
        match (exact, list.paging.is_random_access()) {
            (false, _) => Serving::Walk,
            (true, true) => Serving::Slice,
            (true, false) => Serving::Follow,
        }
    }
}

/// A way to find rows.
struct Way<'m> {
    access: Access<'m>,
    /// The conjuncts that need no second look.
    covers: Vec<usize>,
    pushed: Vec<String>,
    /// Rows that it is likely to give.
    rows: u64,
    calls: u64,
}

/// What planning needs to know besides the filter.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'m> {
    pub mapping: &'m Mapping,
    /// What is known of the names that the filter compares with.
    pub tables: &'m Tables,
    pub resource: &'m Resource,
    /// The base URL of this service, by which `meta.location` names resources.
    pub base_url: &'m str,
}

impl<'m> Planner<'m> {
    /// Plans a query of one resource type.
    pub fn plan<'s>(&self, filter: Predicate<'s>, sort: Option<(&SortKey<'_>, SortOrder)>) -> Result<Plan<'m, 's>, ScimError> {
        self.check(&filter)?;
        let filter = lookup::without_unknown(filter, &|test| self.is_unknown(test));
        if filter == Predicate::False {
            return Ok(nothing(filter));
        }
        let conjuncts: Vec<Predicate<'s>> = match &filter {
            Predicate::True => Vec::new(),
            Predicate::And(conjuncts) => conjuncts.clone(),
            one => vec![one.clone()],
        };
        if contradict(&conjuncts) || conjuncts.iter().any(|conjunct| self.wants_empty(conjunct)) {
            return Ok(nothing(filter));
        }
        let way = self.best(&conjuncts);
        let way = way.unwrap_or_else(|| Way {
            access: Access::List { more: More::default() },
            covers: Vec::new(),
            pushed: Vec::new(),
            rows: 0,
            calls: self.scan_calls(),
        });
        let left =
            conjuncts.into_iter().enumerate().filter(|(index, _)| !way.covers.contains(index)).map(|(_, conjunct)| conjunct);
        let residual = Predicate::and(left);
        let mut plan = Plan { access: way.access, pushed: way.pushed, residual, filter, sorted: sort.is_none() };
        if let (Some((key, order)), Access::List { more }) = (sort, &mut plan.access)
            && let Some(order) = self.sort(key, order)
            && more.join(&order)
        {
            plan.sorted = true;
            plan.pushed.push(format!("sort by {}", key.target));
        }
        Ok(plan)
    }

    /// Whether a comparison is one with a name that nothing has.
    fn is_unknown(&self, test: &Test<'_>) -> bool {
        let (Test { target, op: Op::Eq | Op::Ne, value: Operand::String(name) }, tables) = (test, self.tables) else {
            return false;
        };
        lookup::table_of(self.resource, target).is_some_and(|(table, exact)| tables.lacks(table, exact, name))
    }

    /// Refuses a filter on what nobody can tell: an empty answer would look like the truth.
    fn check(&self, filter: &Predicate<'_>) -> Result<(), ScimError> {
        let mut unknown = None;
        filter.attributes(&mut |reference| {
            if !is_answered(self.resource, &reference) {
                unknown = Some(reference.to_string());
            }
        });
        unknown.map_or(Ok(()), |name| {
            Err(ScimError::invalid_filter(format!(
                "`{name}` cannot be filtered by: the application does not tell it. /Schemas lists the attributes that exist."
            )))
        })
    }

    /// The way with the fewest calls; the first of several that are equally good, for the mapping names the more
    /// selective filters first. `None` if only a scan is left.
    fn best(&self, conjuncts: &[Predicate<'_>]) -> Option<Way<'m>> {
        let mut ways = Vec::new();
        for (index, conjunct) in conjuncts.iter().enumerate() {
            ways.extend(self.direct(index, conjunct));
        }
        let list = self.resource.list.as_ref();
        ways.extend(list.into_iter().flat_map(|list| self.push_downs(list, conjuncts)));
        ways.extend(list.and_then(|list| self.spoken(list, conjuncts)));
        for (index, conjunct) in conjuncts.iter().enumerate() {
            ways.extend(self.groups_of(index, conjunct, conjuncts));
            ways.extend(self.union(index, conjunct));
        }
        // What is left to check of a relation takes calls for every row.
        let fetched = |covers: &[usize], rows: u64| {
            let mut found = false;
            for (_, left) in conjuncts.iter().enumerate().filter(|(index, _)| !covers.contains(index)) {
                left.attributes(&mut |reference| found |= self.is_relation(&reference));
            }
            if found { rows.saturating_mul(RELATION_CALLS) } else { 0 }
        };
        let scanned = fetched(&[], list.map_or(0, |list| list.scan.rows as u64));
        let scan = self.scan_calls().saturating_add(scanned);
        // What the backend does whole needs no walk: a page of it is a page of the answer.
        let cost = |way: &Way<'_>| {
            let calls = match (&way.access, list) {
                (Access::List { .. }, Some(list)) if way.covers.len() == conjuncts.len() && tells_total(&list.paging) => 1,
                (Access::List { .. }, _) => way.calls.min(self.scan_calls()),
                _ => way.calls,
            };
            calls.saturating_add(fetched(&way.covers, way.rows))
        };
        // Of equally many calls the one with fewer rows, then the one that leaves less to check.
        ways.into_iter().filter(|way| cost(way) <= scan).min_by_key(|way| (cost(way), way.rows, usize::MAX - way.covers.len()))
    }

    /// Whether the condition wants a text to be empty: what is empty is unassigned, and equal to nothing. Sent to a
    /// backend, an empty parameter often means no filter at all.
    fn wants_empty(&self, conjunct: &Predicate<'_>) -> bool {
        let Some((Test { target, op: Op::Eq, value: Operand::String(text) }, _)) = simple(conjunct) else { return false };
        text.is_empty() && !may_be_empty(self.resource, &Target::of(target))
    }

    /// `id eq` and `meta.location eq` name one resource.
    fn direct(&self, index: usize, conjunct: &Predicate<'_>) -> Option<Way<'m>> {
        let id = match equals(conjunct, "id", None) {
            Some(id) => id.to_owned(),
            None => {
                let location = equals(conjunct, "meta", Some("location"))?;
                let prefix = format!("{}{}/", self.base_url, self.resource.kind.endpoint);
                let id = location.strip_prefix(&prefix).and_then(|id| percent_decode_str(id).decode_utf8().ok());
                id.unwrap_or_default().into_owned()
            }
        };
        self.resource.get.as_ref()?;
        let access = key_of(self.resource, &id).map_or(Access::Nothing, Access::Key);
        Some(Way { access, covers: vec![index], pushed: vec![conjunct.to_string()], rows: 1, calls: 1 })
    }

    fn push_downs(&self, list: &'m List, conjuncts: &[Predicate<'_>]) -> Vec<Way<'m>> {
        let mut ways: Vec<Way<'m>> = Vec::new();
        let mut together: Option<Way<'m>> = None;
        for push_down in &list.filters {
            for (index, conjunct) in conjuncts.iter().enumerate() {
                let Some((test, whole)) = simple(conjunct) else { continue };
                let Some(Comparable { value, exact }) = self.carried(push_down, test) else { continue };
                let rows = rows(push_down, test);
                let covers = if push_down.exact && exact && whole { vec![index] } else { Vec::new() };
                let pushed = vec![conjunct.to_string()];
                let calls = rows.div_ceil(list.paging.max).max(1);
                match &push_down.how {
                    How::Call(lookup) => {
                        // Some values cannot stand in a segment of a path or in a header.
                        let scope = Scope { value: value.as_ref(), ..Scope::default() };
                        if call::build(&lookup.call, &scope, None).is_err() {
                            continue;
                        }
                        let (rows, calls) = match &lookup.answer {
                            LookupAnswer::One(_) => (1, 1),
                            LookupAnswer::Rows { paging, .. } => (rows, rows.div_ceil(paging.max).max(1)),
                        };
                        ways.push(Way { access: Access::Lookup { lookup, value }, covers, pushed, rows, calls });
                    }
                    How::List(addition) => {
                        let scope = Scope { value: value.as_ref(), ..Scope::default() };
                        let Some(more) = compared(addition, &scope, test) else { continue };
                        if list.together {
                            together = Some(joined(together, &more, &covers, &pushed, rows, list));
                        }
                        ways.push(Way { access: Access::List { more }, covers, pushed, rows, calls });
                    }
                }
            }
        }
        // One call with all of them finds no more than each alone.
        ways.extend(together.filter(|way| way.pushed.len() > 1));
        ways
    }

    /// The comparison in the backend's form, if this push-down is for it and can carry its value.
    fn carried(&self, push_down: &PushDown, test: &Test<'_>) -> Option<Comparable> {
        if test.op != push_down.op || !push_down.target.names(&test.target) {
            return None;
        }
        // What a table sends, the mapping says itself.
        if let How::List(addition) = &push_down.how
            && !addition.tables.is_empty()
            && !addition.uses(&Root::Value)
        {
            return Some(Comparable { value: None, exact: true });
        }
        let operand = comparable(self.mapping, self.tables, self.resource, &push_down.target, test)?;
        operand.value.as_ref().is_none_or(|value| push_down.accepts.takes(value)).then_some(operand)
    }

    /// As much of the filter as the backend's query language can say.
    fn spoken(&self, list: &'m List, conjuncts: &[Predicate<'_>]) -> Option<Way<'m>> {
        let language = list.language.as_ref()?;
        let speaker = Speaker { mapping: self.mapping, tables: self.tables, resource: self.resource, language };
        let said: Vec<(usize, Expression)> =
            conjuncts.iter().enumerate().filter_map(|(index, conjunct)| Some((index, speaker.express(conjunct)?))).collect();
        let whole = speaker.all(said.iter().map(|(_, expression)| expression.clone()).collect());
        // Without a form for `and` the most selective one is said alone.
        let (said, expression) = match whole {
            Some(whole) => (said, whole),
            None => {
                let one = said.into_iter().min_by_key(|(index, _)| conjuncts.get(*index).map(estimate))?;
                (vec![one.clone()], one.1)
            }
        };
        let value = match &expression.value {
            Value::String(_) => expression.value.clone(),
            json => Value::from(json.to_string()),
        };
        let scope = Scope { expression: Some(&value), ..Scope::default() };
        let more = added(&language.place, &scope)?;
        let rows = said.iter().filter_map(|(index, _)| conjuncts.get(*index)).map(estimate).min()?;
        Some(Way {
            access: Access::List { more },
            covers: said.iter().filter(|(_, expression)| expression.exact).map(|(index, _)| *index).collect(),
            pushed: said.iter().filter_map(|(index, _)| conjuncts.get(*index)).map(ToString::to_string).collect(),
            rows,
            calls: rows.div_ceil(list.paging.max).max(1),
        })
    }

    /// `members eq "id"`, from the member's side.
    fn groups_of(&self, index: usize, conjunct: &Predicate<'_>, conjuncts: &[Predicate<'_>]) -> Option<Way<'m>> {
        let members = self.resource.members.as_ref().filter(|members| members.groups.is_some())?;
        let id = equals(conjunct, "members", Some("value"))?;
        let member = self.mapping.resources.get(members.of).and_then(|of| key_of(of, id));
        let only = conjuncts.iter().enumerate().find_map(|(at, one)| Some((at, equals(one, "id", None)?)));
        let (mut covers, mut pushed, mut calls) = (vec![index], vec![conjunct.to_string()], 1 + EQUAL_ROWS);
        let mut rows = EQUAL_ROWS;
        let access = match (member, only) {
            (None, _) => Access::Nothing,
            (Some(member), None) => Access::GroupsOf { member, only: None },
            (Some(member), Some((at, id))) => {
                covers.push(at);
                pushed.extend(conjuncts.get(at).map(ToString::to_string));
                (rows, calls) = (1, 2);
                key_of(self.resource, id).map_or(Access::Nothing, |only| Access::GroupsOf { member, only: Some(only) })
            }
        };
        Some(Way { access, covers, pushed, rows, calls })
    }

    fn is_relation(&self, reference: &AttrRef<'_>) -> bool {
        self.mapping.listed_relation(self.resource).is_some_and(|(name, _, _)| name == reference.attribute.name)
    }

    /// Alternatives, each by its own best way, if all have one. Every row is checked again.
    fn union(&self, index: usize, conjunct: &Predicate<'_>) -> Option<Way<'m>> {
        let Predicate::Or(alternatives) = conjunct else { return None };
        let mut whole = Way { access: Access::Nothing, covers: Vec::new(), pushed: Vec::new(), rows: 0, calls: 0 };
        let mut branches = Vec::new();
        let mut exact = true;
        for alternative in alternatives {
            let conjuncts = match alternative {
                Predicate::And(conjuncts) => conjuncts.as_slice(),
                one => std::slice::from_ref(one),
            };
            let way = self.best(conjuncts)?;
            exact &= way.covers.len() == conjuncts.len();
            whole.calls = whole.calls.saturating_add(way.calls);
            whole.rows = whole.rows.saturating_add(way.rows);
            whole.pushed.extend(way.pushed);
            match way.access {
                Access::Union(more) => branches.extend(more),
                other => branches.push(other),
            }
        }
        if exact {
            whole.covers.push(index);
        }
        Some(Way { access: Access::Union(branches), ..whole })
    }

    fn sort(&self, key: &SortKey<'_>, order: SortOrder) -> Option<More> {
        let found: &SortPushDown = self.resource.list.as_ref()?.sorts.iter().find(|sort| sort.target.names(&key.target))?;
        let addition = match order {
            SortOrder::Ascending => &found.ascending,
            SortOrder::Descending => &found.descending,
        };
        added(addition, &Scope::default())
    }

    fn scan_calls(&self) -> u64 {
        self.resource.list.as_ref().map_or(u64::MAX, |list| (list.scan.rows as u64).div_ceil(list.paging.max).max(1))
    }
}

/// Calls that it is likely to take to fetch the members or groups of one resource: a group may be large.
const RELATION_CALLS: u64 = 10;

/// Whether the backend, the gateway or a relation gives the attribute, so that its absence means something.
pub fn is_answered(resource: &Resource, reference: &AttrRef<'_>) -> bool {
    if reference.extension.is_none() {
        match (reference.attribute.name.as_str(), reference.sub.map(|sub| sub.name.as_str())) {
            ("id" | "schemas", _) | ("meta", None | Some("resourceType" | "location")) => return true,
            ("members", _) if resource.members.is_some() => return true,
            ("groups", _) if resource.groups.is_some() => return true,
            _ => {}
        }
    }
    resource.lines.iter().any(|line| {
        line.target.same_attribute(reference)
            && match (&line.target.sub, reference.sub) {
                (Some(own), Some(asked)) => {
                    *own == asked.name || asked.name == "$ref" || line.target.tags.iter().any(|(tag, _)| *tag == asked.name)
                }
                _ => true,
            }
            && (line.shape.is_readable() || matches!(line.shape, Shape::Each(_)))
    })
}

fn nothing<'m>(filter: Predicate<'_>) -> Plan<'m, '_> {
    Plan { access: Access::Nothing, pushed: Vec::new(), residual: Predicate::False, filter, sorted: true }
}

/// Adds a push-down to those that go into one call, unless a parameter of it is taken.
fn joined<'m>(so_far: Option<Way<'m>>, more: &More, covers: &[usize], pushed: &[String], rows: u64, list: &List) -> Way<'m> {
    let mut way = so_far.unwrap_or(Way {
        access: Access::List { more: More::default() },
        covers: Vec::new(),
        pushed: Vec::new(),
        rows: u64::MAX,
        calls: 1,
    });
    let Access::List { more: present } = &mut way.access else { return way };
    if !present.join(more) {
        return way;
    }
    way.covers.extend(covers);
    way.pushed.extend(pushed.iter().cloned());
    way.rows = way.rows.min(rows);
    way.calls = way.rows.div_ceil(list.paging.max).max(1);
    way
}

/// What is added to the list call with these values; nothing where a value is missing.
fn added(addition: &Addition, scope: &Scope<'_>) -> Option<More> {
    let parameter = |(name, template): &(String, Template)| Some((name.clone(), template.parameter(scope).ok()?));
    let query = addition.query.iter().map(parameter).collect::<Option<_>>()?;
    let body = match &addition.body {
        Some(tree) => Some(call::render(tree, scope).ok()?),
        None => None,
    };
    Some(More { query, body })
}

/// What is added to the list call for a comparison; nothing if a table does not name the value.
fn compared(addition: &Addition, scope: &Scope<'_>, test: &Test<'_>) -> Option<More> {
    let mut more = added(addition, scope)?;
    if addition.tables.is_empty() {
        return Some(more);
    }
    let (asked, exact) = (test.value.to_value()?, is_case_exact(test.target.leaf()));
    let is_it = |here: &Value| match (here, &asked) {
        (Value::String(here), Value::String(asked)) => text_eq(here, asked, exact),
        (here, asked) => here == asked,
    };
    for (name, table) in &addition.tables {
        let (_, there) = table.iter().find(|(here, _)| is_it(here))?;
        more.query.push((name.clone(), there.clone()));
    }
    Some(more)
}

fn rows(push_down: &PushDown, test: &Test<'_>) -> u64 {
    push_down.rows.unwrap_or_else(|| estimate_test(test))
}
