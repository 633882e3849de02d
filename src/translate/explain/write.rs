//! What the gateway would do for a write, without knowing what the backend holds: the calls, what each depends on, and the
//! policies that apply.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::calls::{self, At, Effect, Known, WriteCall};
use super::{Explainer, relation_call};
use crate::mapping::model::Resource;
use crate::mapping::template::Scope;
use crate::scim::{Projection, ScimError};
use crate::translate::read::id_of;
use crate::translate::write::key_of;

/// The plan of a write.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteExplanation {
    /// The calls, in order.
    pub calls: Vec<WriteCall>,
    /// What holds besides.
    pub notes: Vec<Note>,
}

/// A sentence about one concern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The concern, in a word or two.
    pub about: &'static str,
    pub text: String,
}

/// A plan that is being made.
pub(super) struct Writer<'m> {
    pub(super) explainer: Explainer<'m>,
    pub(super) plan: WriteExplanation,
}

/// The resource that a plan is about, by the names that its calls have for it.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) id: Value,
    pub(super) key: Value,
}

/// Whether the resource as it is now is at hand.
pub(super) enum Seen {
    Now,
    /// It is read again.
    Not,
    /// It is read again in this case.
    Unless(String),
}

// === impl Subject ===

impl Subject {
    /// The resource with an id. One that no record can have is 404 without a call.
    pub(super) fn of(resource: &Resource, id: &str) -> Result<Self, ScimError> {
        let key = key_of(resource, id).ok_or_else(|| resource.not_found(id))?;
        Ok(Self { id: Value::from(id), key })
    }

    /// A resource that is yet to be created.
    pub(super) fn new() -> Self {
        Self { id: Value::from("KEY"), key: Value::from("KEY") }
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { id: Some(&self.id), key: Some(&self.key), ..Scope::default() }
    }
}

// === impl Writer ===

impl<'m> Writer<'m> {
    pub(super) fn new(explainer: Explainer<'m>) -> Self {
        Self { plan: WriteExplanation { calls: Vec::new(), notes: explainer.pace() }, explainer }
    }

    pub(super) const fn resource(&self) -> &'m Resource {
        self.explainer.resource
    }

    pub(super) fn note(&mut self, about: &'static str, text: impl Into<String>) {
        self.plan.notes.push(Note { about, text: text.into() });
    }

    /// Reading the resource.
    pub(super) fn read(&mut self, subject: &Subject, when: Option<String>) -> Result<(), ScimError> {
        let resource = self.resource();
        let text = || format!("{} has no `get`: describe the call that reads one", resource.kind.name);
        let get = resource.get.as_ref().ok_or_else(|| ScimError::status(500, text()))?;
        let id = id_of(resource, &subject.key).map(Value::from);
        let scope = Scope { id: id.as_ref().or(Some(&subject.id)), ..subject.scope() };
        let call = calls::read(&get.call, &At { scope, known: &Known::All, record: false })?;
        self.plan.calls.push(WriteCall { when, ..call });
        Ok(())
    }

    /// What is read for the answer to the client.
    pub(super) fn answer(&mut self, subject: &Subject, seen: Seen, projection: &Projection<'_>) -> Result<(), ScimError> {
        match seen {
            Seen::Now => {}
            Seen::Not => self.read(subject, None)?,
            Seen::Unless(when) => self.read(subject, Some(when))?,
        }
        let explainer = self.explainer;
        if let Some((_, list)) = explainer.relation().filter(|(attribute, _)| projection.wants(attribute)) {
            self.list(list, subject)?;
        }
        if !self.explainer.mapping.backend.lag.is_zero() {
            let lag = self.explainer.mapping.backend.lag;
            self.note("lag", format!("what is read after a change is read again until it shows it, for {lag:?} at the most"));
        }
        Ok(())
    }

    /// Listing members or groups.
    pub(super) fn list(&mut self, list: &crate::mapping::model::MemberList, subject: &Subject) -> Result<(), ScimError> {
        let repeated = relation_call(list, "for each page").and_then(|call| call.repeated);
        let call = calls::read(&list.call, &At { scope: subject.scope(), known: &Known::All, record: false })?;
        self.plan.calls.push(WriteCall { repeated, ..call });
        Ok(())
    }
}

/// A body as it is sent, but for forms, which nobody can read.
fn sent(document: Option<&String>, body: Option<&Value>) -> Option<String> {
    document.cloned().or_else(|| body.map(Value::to_string))
}

// === impl WriteCall ===

impl fmt::Display for WriteCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.effect {
            Effect::Reads => "read",
            Effect::Writes => "call",
        };
        write!(f, "{label:<13} {} {}   ({}", self.method, self.target, self.name)?;
        for more in [&self.when, &self.repeated].into_iter().flatten() {
            write!(f, ", {more}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for WriteExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for call in &self.calls {
            lines.push(call.to_string());
            lines.extend(call.conditions.iter().map(|(name, value)| format!("  header      {name}: {value}")));
            lines.extend(sent(call.document.as_ref(), call.body.as_ref()).map(|body| format!("  body        {body}")));
            lines.extend(call.undo.iter().map(|undo| {
                let body = sent(undo.document.as_ref(), undo.body.as_ref()).map(|body| format!(" {body}")).unwrap_or_default();
                format!("  taken back  {} {}{body}", undo.method, undo.target)
            }));
        }
        if self.calls.is_empty() {
            lines.push("no call".to_owned());
        }
        lines.extend(self.notes.iter().map(|note| format!("{:<13} {}", note.about, note.text)));
        f.write_str(&lines.join("\n"))
    }
}
