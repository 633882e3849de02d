//! What of a mapping its tests have used.
//!
//! Nothing in the gateway counts for this. It is told afterwards from what came and went: the calls, their answers, the queries, and
//! what the client saw, each held against the mapping by the functions that the gateway itself uses.

use serde::Serialize;
use serde_json::Value;

use super::gateway::Search;
use super::seen::{Answer, Call};
use crate::mapping::Mapping;
use crate::mapping::Report;
use crate::mapping::model::{self, Body, Carries, How, Line, PushDown, Resource, Target, Tree};
use crate::mapping::source::Span;
use crate::mapping::template::{Part, Root, Template};
use crate::scim::filter::{self, Predicate};
use crate::scim::schema::ENTERPRISE_USER;
use crate::translate::outcome::rule_of;
use crate::translate::write::value_of;

/// Characters of the mapping that are shown for a row of errors.
const EXCERPT_CHARS: usize = 90;

/// What was used, and what there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    pub attributes: Vec<AttributeUse>,
    pub calls: Vec<CallUse>,
    pub errors: Vec<RowUse>,
    pub filters: Vec<FilterUse>,
}

/// A line of the attribute map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributeUse {
    pub resource: String,
    pub attribute: String,
    /// Whether an answer to the client had it; nothing if the line does not read.
    pub read: Option<bool>,
    /// Whether a call carried it; nothing if the line does not write.
    pub written: Option<bool>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallUse {
    pub name: String,
    pub line: usize,
    pub call: String,
    /// How often it was made.
    pub made: usize,
    #[serde(skip)]
    place: Span,
}

/// A row of errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowUse {
    pub line: usize,
    pub row: String,
    /// How many answers it gave their meaning.
    pub matched: usize,
    #[serde(skip)]
    place: Span,
}

/// A comparison that the backend performs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterUse {
    pub resource: String,
    pub filter: String,
    /// How many queries pushed it down.
    pub pushed: usize,
}

// === impl Coverage ===

impl Coverage {
    /// What there is in a mapping; `text` is its document.
    pub fn new(mapping: &Mapping, text: &str) -> Self {
        let report = Report { file: "", text, diagnostics: &[] };
        let line = |place: Span| report.position(place.start).0;
        let mut coverage = Self { attributes: Vec::new(), calls: Vec::new(), errors: Vec::new(), filters: Vec::new() };
        for resource in &mapping.resources {
            let name = &resource.kind.name;
            coverage.attributes.extend(resource.lines.iter().map(|line| AttributeUse {
                resource: name.clone(),
                attribute: short(&line.target),
                read: line.shape.is_readable().then_some(false),
                written: line.shape.is_writable().then_some(false),
            }));
            coverage.filters.extend(filters(resource).map(|filter| FilterUse {
                resource: name.clone(),
                filter: format!("{} {}", short(&filter.target), filter.op),
                pushed: 0,
            }));
        }
        for (_, call) in mapping.calls() {
            if coverage.calls.iter().all(|known| known.place != call.place) {
                let (name, place) = (call.name.clone(), call.place);
                coverage.calls.push(CallUse {
                    name,
                    line: line(place),
                    call: excerpt(text, place).trim_matches('"').to_owned(),
                    made: 0,
                    place,
                });
            }
            for place in call.rules.iter().filter_map(|rule| rule.place) {
                if coverage.errors.iter().all(|known| known.place != place) {
                    coverage.errors.push(RowUse { line: line(place), row: excerpt(text, place), matched: 0, place });
                }
            }
        }
        coverage.errors.sort_by_key(|row| row.place.start);
        coverage
    }

    /// Notes what one request has used.
    pub(super) fn observe(&mut self, mapping: &Mapping, calls: &[Call], searches: &[Search], answer: Option<&Value>) {
        for seen in calls {
            let Some((resource, call)) = mapping.calls().into_iter().find(|(_, call)| call.place == seen.place) else { continue };
            if let Some(known) = self.calls.iter_mut().find(|known| known.place == seen.place) {
                known.made += 1;
            }
            let row = seen.answer.as_ref().and_then(|answer| rule_of(call, answer)?.place);
            if let Some(known) = self.errors.iter_mut().find(|known| Some(known.place) == row) {
                known.matched += 1;
            }
            let Some(resource) = resource else { continue };
            let update = resource.update.iter().find(|update| update.call.place == call.place);
            let writes = update.is_some()
                || resource.update.iter().any(|update| update.around.calls().any(|other| other.place == call.place))
                || call.name.contains(".create");
            for line in resource.lines.iter().filter(|_| writes) {
                let by_change = update
                    .is_some_and(|update| matches!(&update.carries, Carries::Transition(target, _) if *target == line.target));
                if by_change || call.uses(&line.target) || carries(call, line, seen.content.as_ref()) {
                    self.note(resource, line, |known| &mut known.written);
                }
            }
        }
        for object in answer.into_iter().flat_map(Answer::resources).filter_map(Value::as_object) {
            let schemas = object.get("schemas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let is_of = |resource: &&Resource| schemas.iter().any(|uri| uri.as_str() == Some(&resource.kind.schema.id));
            let Some(resource) = mapping.resources.iter().find(is_of) else { continue };
            for line in resource.lines.iter().filter(|line| value_of(object, &line.target).is_some()) {
                self.note(resource, line, |known| &mut known.read);
            }
        }
        for search in searches {
            self.pushed(mapping, search, calls);
        }
    }

    fn note(&mut self, resource: &Resource, line: &Line, direction: impl Fn(&mut AttributeUse) -> &mut Option<bool>) {
        let name = short(&line.target);
        let known = self.attributes.iter_mut().find(|known| known.resource == resource.kind.name && known.attribute == name);
        if let Some(used) = known.and_then(|known| direction(known).as_mut()) {
            *used = true;
        }
    }

    /// Notes what of a query the backend performs: what the filter asks, and a call has.
    fn pushed(&mut self, mapping: &Mapping, query: &Search, calls: &[Call]) {
        let Some(resource) = mapping.at(&query.endpoint) else { return };
        let text = query.asked.filter.as_deref().and_then(|text| filter::parse(text, query.profile).ok());
        let Some(Ok(filter)) = text.map(|filter| filter.check(&resource.kind, query.profile)) else { return };
        for known in filters(resource).filter(|known| asks(&filter, known) && performs(resource, known, calls)) {
            let name = format!("{} {}", short(&known.target), known.op);
            let known = self.filters.iter_mut().find(|known| known.resource == resource.kind.name && known.filter == name);
            if let Some(known) = known {
                known.pushed += 1;
            }
        }
    }
}

fn filters(resource: &Resource) -> impl Iterator<Item = &PushDown> {
    resource.list.iter().flat_map(|list| &list.filters)
}

/// Whether a call asks the backend for the comparison.
fn performs(resource: &Resource, filter: &PushDown, calls: &[Call]) -> bool {
    let addition = match &filter.how {
        How::Call(lookup) => return calls.iter().any(|seen| seen.place == lookup.call.place),
        How::List(addition) => addition,
    };
    let Some(list) = &resource.list else { return false };
    // The list itself may have a parameter of that name, with another value.
    let own = |name: &str, value: &str| list.call.query.iter().any(|(own, text)| own == name && text.as_literal() == Some(value));
    calls.iter().filter(|seen| seen.place == list.call.place).any(|seen| {
        let has = |wanted: &str| seen.target.query.iter().any(|(name, value)| name == wanted && !own(name, value));
        let holds = |name: &Template| {
            name.as_literal().is_none_or(|name| seen.content.as_ref().is_some_and(|body| body.get(name).is_some()))
        };
        let in_body = match &addition.body {
            Some(Tree::Object(members)) => members.iter().all(|(name, _)| holds(name)),
            _ => true,
        };
        in_body && addition.query.iter().all(|(name, _)| has(name))
    })
}

/// Whether the comparison is in a filter.
fn asks(predicate: &Predicate<'_>, filter: &PushDown) -> bool {
    match predicate {
        Predicate::True | Predicate::False => false,
        Predicate::And(operands) | Predicate::Or(operands) => operands.iter().any(|operand| asks(operand, filter)),
        Predicate::Not(inner) | Predicate::ValuePath { filter: inner, .. } => asks(inner, filter),
        Predicate::Test(test) => {
            test.op == filter.op
                && filter.target.same_attribute(&test.target)
                && filter.target.sub.as_deref() == test.target.sub.map(|sub| sub.name.as_str())
        }
    }
}

/// Whether the body of a call holds the field that a line writes.
fn carries(call: &model::Call, line: &Line, content: Option<&Value>) -> bool {
    let (Some(content), Some(place)) = (content, line.shape.place()) else { return false };
    match &call.body {
        Body::None => false,
        Body::Record { .. } => place.get(content).is_some(),
        Body::Tree(tree) => in_tree(tree, content, &mut |template, value| {
            let [Part::Variable(variable)] = template.parts() else { return false };
            match variable.root {
                Root::Fields if variable.steps.is_empty() => place.get(value).is_some(),
                // `{{fields.mail}}`: the place itself, if there is something in it.
                Root::Fields => variable.text == format!("fields.{}", place.names().join(".")),
                Root::Records => value.as_array().is_some_and(|bodies| bodies.iter().any(|body| place.get(body).is_some())),
                Root::Field => value.as_str() == Some(&place.names().join(".")),
                _ => false,
            }
        }),
    }
}

/// Walks a tree beside the document that it became, and looks at the templates.
fn in_tree(tree: &Tree, value: &Value, look: &mut dyn FnMut(&Template, &Value) -> bool) -> bool {
    match (tree, value) {
        (Tree::Template(template), value) => look(template, value),
        (Tree::List(items), Value::Array(values)) => items.iter().zip(values).any(|(item, value)| in_tree(item, value, look)),
        (Tree::Object(members), Value::Object(values)) => members.iter().any(|(name, member)| {
            let [Part::Literal(name)] = name.parts() else { return false };
            values.get(name).is_some_and(|value| in_tree(member, value, look))
        }),
        _ => false,
    }
}

/// A target as a mapping writes it.
fn short(target: &Target) -> String {
    let text = target.to_string();
    match text.strip_prefix(ENTERPRISE_USER).and_then(|rest| rest.strip_prefix(':')) {
        Some(rest) => format!("enterprise:{rest}"),
        None => text,
    }
}

/// What stands in a place, in one line.
fn excerpt(text: &str, place: Span) -> String {
    let words: Vec<&str> = text.get(place.start..place.end).unwrap_or_default().split_whitespace().collect();
    let line = words.join(" ");
    // The span of a row in one line ends before its bracket.
    let line = line.strip_prefix("{ ").map_or(line.as_str(), |line| line.trim_end_matches(" }"));
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{} ...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
