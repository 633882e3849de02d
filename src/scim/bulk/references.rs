//! References of operations to each other (RFC 7644 section 3.7.2).

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{BulkOperation, BulkPath};
use crate::scim::ScimError;

/// How a reference to another operation begins.
const REFERENCE: &str = "bulkId:";

/// What became of the operation with some bulkId.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The id of the resource that it created.
    Id(String),
    /// It failed; what refers to it cannot be done.
    Failed,
}

/// A piece of a string.
enum Piece<'t> {
    Text(&'t str),
    Reference(&'t str),
}

impl BulkPath {
    /// The bulkId in the place of the id.
    pub fn reference(&self) -> Option<&str> {
        self.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE))
    }
}

impl BulkOperation {
    /// The bulkIds that the path and the data refer to.
    pub fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        found.extend(self.path.reference().map(str::to_owned));
        if let Some(data) = &self.data {
            references(data, &mut |bulk_id| found.extend([bulk_id.to_owned()]));
        }
        found
    }

    /// Puts ids in the place of references, in the path and in the data.
    pub fn resolve(&mut self, known: &HashMap<String, Resolved>) -> Result<(), ScimError> {
        if let Some(bulk_id) = self.path.reference() {
            self.path.id = Some(look_up(bulk_id, known)?.to_owned());
        }
        self.data.as_mut().map_or(Ok(()), |data| resolve_references(data, known))
    }
}

/// Visits the bulkIds that a value refers to, in the order in which they stand.
pub(super) fn references(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => {
            pieces(text, &mut |piece| {
                if let Piece::Reference(bulk_id) = piece {
                    visit(bulk_id);
                }
            });
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(members) => members.values().for_each(|member| references(member, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts ids in the place of `"bulkId:..."` anywhere in a value: as a whole string, as the last segment of a `$ref`, or
/// as a quoted string in a PATCH path (`members[value eq "bulkId:..."]`).
///
/// A reference to nothing is 400 invalidValue, one to an operation that failed 409.
fn resolve_references(value: &mut Value, known: &HashMap<String, Resolved>) -> Result<(), ScimError> {
    match value {
        Value::String(text) => {
            if text.contains(REFERENCE) {
                *text = replaced(text, known)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve_references(item, known)),
        Value::Object(members) => members.values_mut().try_for_each(|member| resolve_references(member, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Cuts a string at its references. Only three forms count, so that a text that merely mentions "bulkId:" stays whole.
fn pieces<'t>(text: &'t str, visit: &mut dyn FnMut(Piece<'t>)) {
    if let Some(bulk_id) = text.strip_prefix(REFERENCE) {
        return visit(Piece::Reference(bulk_id));
    }
    if let Some((base, bulk_id)) = text.rsplit_once("/bulkId:").filter(|(_, id)| !id.contains(['/', ' ', '"'])) {
        visit(Piece::Text(base));
        visit(Piece::Text("/"));
        return visit(Piece::Reference(bulk_id));
    }
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\"bulkId:") {
        let Some((bulk_id, behind)) = after.split_once('"') else { break };
        visit(Piece::Text(before));
        visit(Piece::Text("\""));
        visit(Piece::Reference(bulk_id));
        visit(Piece::Text("\""));
        rest = behind;
    }
    visit(Piece::Text(rest));
}

fn replaced(text: &str, known: &HashMap<String, Resolved>) -> Result<String, ScimError> {
    let mut result = Ok(String::with_capacity(text.len()));
    pieces(text, &mut |piece| {
        let Ok(whole) = &mut result else { return };
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Reference(bulk_id) => match look_up(bulk_id, known) {
                Ok(id) => whole.push_str(id),
                Err(error) => result = Err(error),
            },
        }
    });
    result
}

fn look_up<'k>(bulk_id: &str, known: &'k HashMap<String, Resolved>) -> Result<&'k str, ScimError> {
    match known.get(bulk_id) {
        Some(Resolved::Id(id)) => Ok(id),
        Some(Resolved::Failed) => Err(ScimError::status(
            409,
            format!("The operation with the bulkId {bulk_id:?}, which this one refers to, failed or was not done."),
        )),
        None => Err(ScimError::invalid_value(format!("No operation of the job has the bulkId {bulk_id:?}."))),
    }
}
