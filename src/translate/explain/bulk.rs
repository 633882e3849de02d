//! Bulk: which operations wait for which, those that refer to each other in a circle, and the plan of each.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Explainer, UndoCall, WriteCall, WriteExplanation};
use crate::limits;
use crate::mapping::Mapping;
use crate::scim::bulk::{BulkMethod, BulkOperation, BulkRequest, Circle, Resolved, Schedule, Step};
use crate::scim::messages::SearchRequest;
use crate::scim::{Profile, ResourceType, ScimError};
use crate::translate::create::batch_size;

/// How many operations a line names before it counts the others.
const NAMED: usize = 5;
/// Where the search for the beginning of ids that nothing in a job has begins, and how many ids have the same beginning: more
/// than a job has operations.
const FIRST: u64 = 70_000_000_000;
const IDS: u64 = 100_000;

/// The plan of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkExplanation {
    /// In the order in which they are begun where nothing lets one pass another.
    pub operations: Vec<BulkStep>,
    /// What holds for all of them.
    pub notes: Vec<super::Note>,
}

/// An operation of a job, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkStep {
    /// Its place in the request, from 1.
    pub number: usize,
    /// Method, path and bulkId.
    pub operation: String,
    /// The numbers of the operations that are done before it is begun.
    pub waits_for: Vec<usize>,
    /// The numbers of the operations that it makes a circle with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub circle: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<WriteExplanation>,
    /// The error that is its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Value>,
}

/// What stands for the ids that are known only once their operations are done.
struct StandIns {
    known: HashMap<String, Resolved>,
    /// By bulkId.
    shown: HashMap<String, String>,
}

/// Explains a job.
pub fn bulk(mapping: &Mapping, base_url: &str, profile: &Profile, job: &BulkRequest) -> BulkExplanation {
    let kinds: Vec<&ResourceType> = mapping.resources.iter().map(|resource| &resource.kind).collect();
    let schedule = Schedule::new(job, &kinds);
    let stand_ins = StandIns::of(job);
    let waits = schedule.predecessors();
    let place_of = |units: &BTreeSet<usize>| -> Vec<usize> {
        let places: BTreeSet<usize> = units.iter().flat_map(|unit| schedule.unit(*unit).0).map(|place| place + 1).collect();
        places.into_iter().collect()
    };
    let mut operations = Vec::new();
    for unit in 0..schedule.len() {
        let (places, is_circle) = schedule.unit(unit);
        let waits_for = waits.get(unit).map(place_of).unwrap_or_default();
        let explain = |place: usize, operation: &BulkOperation| {
            let result = explained(mapping, base_url, profile, operation, &stand_ins);
            step(place, name_of(operation), &waits_for, result)
        };
        if !is_circle {
            for place in places {
                let Some(entry) = job.operations.get(*place) else { continue };
                operations.push(match &entry.operation {
                    Ok(operation) => explain(*place, operation),
                    Err(error) => {
                        let name = entry.method.clone().unwrap_or_else(|| "(no method)".to_owned());
                        step(*place, name, &waits_for, Err(error.clone()))
                    }
                });
            }
            continue;
        }
        let circle: Vec<usize> = places.iter().map(|place| place + 1).collect();
        let entries = places.iter().filter_map(|place| Some((*place, job.operations.get(*place)?.operation.as_ref().ok()?)));
        let entries: Vec<(usize, &BulkOperation)> = entries.collect();
        let steps = match Circle::plan(&entries, &kinds) {
            Ok(planned) => planned
                .steps
                .iter()
                .map(|step| match step {
                    Step::Create(place, operation) | Step::Link(place, operation) | Step::Whole(place, operation) => {
                        explain(*place, operation)
                    }
                })
                .collect(),
            Err(error) => entries
                .iter()
                .map(|(place, operation)| step(*place, name_of(operation), &waits_for, Err(error.clone())))
                .collect::<Vec<_>>(),
        };
        operations.extend(steps.into_iter().map(|step| BulkStep { circle: circle.clone(), ..step }));
    }
    BulkExplanation { operations, notes: notes(mapping, job) }
}

fn step(place: usize, operation: String, waits_for: &[usize], result: Result<WriteExplanation, ScimError>) -> BulkStep {
    let (plan, refused) = match result {
        Ok(plan) => (Some(plan), None),
        Err(error) => (None, Some(error.body())),
    };
    BulkStep { number: place + 1, operation, waits_for: waits_for.to_vec(), circle: Vec::new(), plan, refused }
}

fn name_of(operation: &BulkOperation) -> String {
    let id = operation.path.id.as_ref().map(|id| format!("/{id}")).unwrap_or_default();
    let bulk_id = operation.bulk_id.as_ref().map(|bulk_id| format!(" (bulkId {bulk_id})")).unwrap_or_default();
    format!("{} {}{id}{bulk_id}", operation.method.as_str(), operation.path.endpoint)
}

fn notes(mapping: &Mapping, job: &BulkRequest) -> Vec<super::Note> {
    let bound = limits::BULK_CONCURRENCY.min(mapping.backend.concurrency).max(1);
    let order = match job.fail_on_errors {
        Some(1) => "operations are begun in their sequence; after an error no more are begun".to_owned(),
        Some(most) => format!("operations are begun in their sequence; after {most} errors no more are begun"),
        None => format!("what waits for nothing runs side by side, {bound} at a time"),
    };
    let mut notes = vec![super::Note { about: "order", text: order }];
    for resource in mapping.resources.iter().filter(|_| job.fail_on_errors.is_none()) {
        let creates =
            |operation: &BulkOperation| operation.method == BulkMethod::Post && operation.path.endpoint == resource.kind.endpoint;
        let count = job.operations.iter().filter(|entry| entry.operation.as_ref().is_ok_and(creates)).count();
        let batch = resource.create.as_ref().and_then(|create| create.batch.as_ref());
        if let (Some(size), Some(batch)) = (batch_size(resource).filter(|_| count > 1), batch) {
            notes.push(super::Note {
                about: "batch",
                text: format!(
                    "creations of {} that wait for nothing go together, up to {size} in one call ({}), whose body has those of \
                     the calls shown",
                    resource.kind.name, batch.call.name
                ),
            });
        }
    }
    notes
}

fn explained(
    mapping: &Mapping,
    base_url: &str,
    profile: &Profile,
    operation: &BulkOperation,
    stand_ins: &StandIns,
) -> Result<WriteExplanation, ScimError> {
    let (mut operation, references) = (operation.clone(), operation.references());
    operation.resolve(&stand_ins.known)?;
    let BulkOperation { method, path, data, version, .. } = operation;
    let missing = || {
        let known: Vec<&str> = mapping.resources.iter().map(|resource| resource.kind.endpoint.as_str()).collect();
        ScimError::not_found(format!("There is no endpoint {}; there are {}.", path.endpoint, known.join(", ")))
    };
    let resource = mapping.at(&path.endpoint).ok_or_else(missing)?;
    let explainer = Explainer { mapping, resource, base_url, profile };
    let (id, data, names) = (path.id.unwrap_or_default(), data.unwrap_or_default(), SearchRequest::default());
    let mut plan = match method {
        BulkMethod::Post => explainer.create(data, &names)?,
        BulkMethod::Put => explainer.replace(&id, data, &names)?,
        BulkMethod::Patch => explainer.patch(&id, data, &names)?,
        BulkMethod::Delete => explainer.delete(&id)?,
    };
    if version.is_some() {
        let text =
            "the operation asks for a version, so that the resource is read first, if it is not anyway; 412 if it has another";
        plan.notes.push(super::Note { about: "version", text: text.to_owned() });
    }
    stand_ins.show(&references, &mut plan);
    Ok(plan)
}

// === impl StandIns ===

impl StandIns {
    /// Ids that no text of the job holds, in a form that converters of ids take.
    fn of(job: &BulkRequest) -> Self {
        let texts: String = job
            .operations
            .iter()
            .filter_map(|entry| entry.operation.as_ref().ok()?.data.as_ref())
            .map(Value::to_string)
            .collect();
        // No text of that many bytes holds them all.
        let mut beginnings = FIRST..=FIRST + limits::REQUEST_BYTES as u64;
        let beginning = beginnings.find(|number| !texts.contains(&number.to_string())).unwrap_or(FIRST);
        let (mut known, mut shown) = (HashMap::new(), HashMap::new());
        for (number, entry) in (beginning * IDS..).zip(&job.operations) {
            let Some(operation) = entry.operation.as_ref().ok() else { continue };
            let Some(bulk_id) = operation.bulk_id.clone().filter(|bulk_id| !known.contains_key(bulk_id)) else { continue };
            let there = operation.path.id.clone().filter(|_| operation.path.reference().is_none());
            let id = there.unwrap_or_else(|| {
                shown.insert(bulk_id.clone(), number.to_string());
                number.to_string()
            });
            known.insert(bulk_id, Resolved::Id(id));
        }
        Self { known, shown }
    }

    /// Shows the ids that an operation refers to by the operations that they come from.
    fn show(&self, references: &BTreeSet<String>, plan: &mut WriteExplanation) {
        let ids = references.iter().filter_map(|bulk_id| Some((self.shown.get(bulk_id)?.clone(), format!("(bulkId {bulk_id})"))));
        let ids = Shown(ids.collect());
        for call in &mut plan.calls {
            let WriteCall { target, body, document, undo, repeated, .. } = call;
            ids.text(target);
            for text in document.as_mut().into_iter().chain(repeated) {
                ids.text(text);
            }
            let undo_body = undo.as_mut().and_then(|UndoCall { target, body, document, .. }| {
                for text in std::iter::once(target).chain(document) {
                    ids.text(text);
                }
                body.as_mut()
            });
            for body in body.as_mut().into_iter().chain(undo_body) {
                ids.value(body);
            }
        }
        plan.notes.iter_mut().for_each(|note| ids.text(&mut note.text));
    }
}

/// Texts of ids, and what is shown instead.
struct Shown(Vec<(String, String)>);

impl Shown {
    fn text(&self, text: &mut String) {
        for (id, shown) in &self.0 {
            if text.contains(id) {
                *text = text.replace(id, shown);
            }
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Number(number) => {
                let text = number.to_string();
                if let Some((_, shown)) = self.0.iter().find(|(id, _)| *id == text) {
                    *value = Value::from(shown.as_str());
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            Value::Null | Value::Bool(_) => {}
        }
    }
}

// === impl BulkExplanation ===

/// In brief: the calls without their bodies.
impl fmt::Display for BulkExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for step in &self.operations {
            let after = if step.waits_for.is_empty() { String::new() } else { format!(", after {}", numbers(&step.waits_for)) };
            let circle =
                if step.circle.is_empty() { String::new() } else { format!(", in a circle of {}", numbers(&step.circle)) };
            lines.push(format!("operation {:<3} {}{after}{circle}", step.number, step.operation));
            if let Some(plan) = &step.plan {
                lines.extend(plan.calls.iter().map(|call| format!("  {call}")));
            }
            if let Some(error) = &step.refused {
                let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
                lines.push(format!("  refused       {} {}: {}", text("status"), text("scimType"), text("detail")));
            }
        }
        lines.extend(self.notes.iter().map(|note| format!("{:<13} {}", note.about, note.text)));
        f.write_str(&lines.join("\n"))
    }
}

fn numbers(numbers: &[usize]) -> String {
    let named: Vec<String> = numbers.iter().take(NAMED).map(usize::to_string).collect();
    match numbers.len().saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
