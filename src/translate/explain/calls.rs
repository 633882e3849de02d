//! The calls of a write with the values that the request has for them. What only the backend knows stands as it is written in
//! the mapping: `{{record.rev}}`.

use http::header::{IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use serde::Serialize;
use serde_json::Value;

use crate::mapping::model::{Call, Format, Resource, SideCall, Target};
use crate::mapping::path::Step;
use crate::mapping::template::{Root, Scope, Variable};
use crate::scim::{Mutability, Object, Profile, ResourceType, Returned, ScimError};
use crate::translate::call::{self, build};
use crate::translate::read::put;
use crate::translate::write::value_of;

/// What is sent is what the record has.
pub(super) const AS_IT_IS: &str = "(as it is)";
/// What is sent is what the record has, after the operations of the request.
pub(super) const CHANGED: &str = "(as it is, with the change)";
/// What stands for the elements of an array that do not change.
pub(super) const OTHERS: &str = "(the others as they are)";
/// A value of the request that is not shown.
pub(super) const AS_SENT: &str = "(as sent)";
/// A value that the gateway makes up.
pub(super) const MADE_UP: &str = "(made up)";

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    Reads,
    Writes,
}

/// A call of a write.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteCall {
    pub effect: Effect,
    /// What the mapping calls it.
    pub name: String,
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers that make it conditional; no others are shown, as they may hold secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body as it is sent, if it is a document of XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What it depends on; a call without is made in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// When it is made more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<String>,
    /// What takes it back if a later part of the request fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoCall>,
}

/// A call that takes another one back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoCall {
    pub method: String,
    pub target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// Which attributes of the resource a plan knows.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// All: the request has them.
    All,
    /// These, and what of them is missing is missing; the record has the others.
    These(Vec<Target>),
}

/// The values at hand where a call is made.
#[derive(Clone, Copy)]
pub(super) struct At<'v> {
    pub(super) scope: Scope<'v>,
    pub(super) known: &'v Known,
    /// Whether the record is read by then.
    pub(super) record: bool,
}

/// Explains a call that writes. `record` is what the attribute map writes.
pub(super) fn written(call: &Call, at: &At<'_>, record: Option<&Value>) -> Result<WriteCall, ScimError> {
    explained(call, at, record, Effect::Writes)
}

/// Explains a call that reads.
pub(super) fn read(call: &Call, at: &At<'_>) -> Result<WriteCall, ScimError> {
    explained(call, at, None, Effect::Reads)
}

fn explained(original: &Call, at: &At<'_>, record: Option<&Value>, effect: Effect) -> Result<WriteCall, ScimError> {
    let call = original.standing(&|variable| at.stands(variable));
    let request = build(&call, &at.scope, record).map_err(|error| {
        let text = || format!("{}: {error}: whoever runs the service has to look at the mapping.", call.name);
        call::refusal(original, &error).unwrap_or_else(|| ScimError::status(500, text()))
    })?;
    let body = call::body(&call, &at.scope, record).ok().flatten();
    let document = request.body.filter(|_| matches!(call.format, Format::Xml { .. }));
    let document = document.and_then(|bytes| Some(std::str::from_utf8(&bytes).ok()?.split_once('\n')?.1.to_owned()));
    let shown = |name: &&http::HeaderName| [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE].contains(name);
    let headers = request.headers.iter().filter(|(name, _)| shown(&name));
    let conditions = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Ok(WriteCall {
        effect,
        name: call.name.clone(),
        method: request.method.to_string(),
        target: request.target,
        conditions: conditions.collect(),
        body,
        document,
        when: None,
        repeated: None,
        undo: None,
    })
}

/// Explains the calls around a call that are made, or may be.
pub(super) fn sides(kind: &ResourceType, sides: &[SideCall], at: &At<'_>) -> Result<Vec<WriteCall>, ScimError> {
    let mut calls = Vec::new();
    for side in sides {
        let when = match (&side.condition, at.scope.resource) {
            (Some(condition), Some(resource)) => {
                let checked = condition.check(kind, &Profile::STRICT)?;
                let mut decided = true;
                checked.attributes(&mut |reference| decided &= at.known.holds(&Target::of(&reference)));
                match (decided, checked.matches(resource)) {
                    (true, true) => None,
                    (true, false) => continue,
                    (false, _) => Some(format!("if the resource then matches {}", condition.text())),
                }
            }
            _ => None,
        };
        let undo = match &side.undo {
            Some(undo) => Some(written(undo, at, None)?),
            None => None,
        };
        let undo = undo.map(|WriteCall { method, target, body, document, .. }| UndoCall { method, target, body, document });
        calls.push(WriteCall { when, undo, ..written(&side.call, at, None)? });
    }
    Ok(calls)
}

/// Whether the value of a line is not shown: it may be a secret of the client's.
pub(super) fn is_secret(kind: &ResourceType, target: &Target) -> bool {
    target.resolve(kind).is_some_and(|reference| {
        [reference.attribute, reference.leaf()]
            .iter()
            .any(|attribute| attribute.mutability == Mutability::WriteOnly || attribute.returned == Returned::Never)
    })
}

/// The resource as calls may show it: without secrets.
pub(super) fn shown(resource: &Resource, object: &Object) -> Object {
    let mut shown = object.clone();
    for line in &resource.lines {
        if is_secret(&resource.kind, &line.target) && value_of(&shown, &line.target).is_some_and(|value| value != MADE_UP) {
            put(&mut shown, &line.target, Value::from(AS_SENT), None);
        }
    }
    shown
}

// === impl At ===

impl At<'_> {
    /// Whether only the backend, or an earlier answer of it, knows the value of a variable.
    fn stands(&self, variable: &Variable) -> bool {
        let is_missing = || variable.value(&self.scope).is_err();
        match &variable.root {
            Root::Attribute { extension, name } => {
                let sub = match variable.steps.first() {
                    Some(Step::Name(sub)) => Some(sub.clone()),
                    _ => None,
                };
                !self.known.holds(&Target { extension: extension.clone(), attribute: name.clone(), tags: Vec::new(), sub })
            }
            Root::Record | Root::Version => self.record && is_missing(),
            Root::Kept(_) | Root::Member | Root::Members | Root::MemberRecord | Root::Membership | Root::Key | Root::Id => {
                is_missing()
            }
            _ => false,
        }
    }
}

// === impl Known ===

impl Known {
    /// Whether the value of an attribute, or of one of its parts, is known.
    fn holds(&self, target: &Target) -> bool {
        let covers = |known: &Target| known.same_top(target) && (known.sub.is_none() || known.sub == target.sub);
        match self {
            Self::All => true,
            Self::These(known) => known.iter().any(covers),
        }
    }
}
