//! Bulk messages (RFC 7644 section 3.7): what they say, and the references of their operations to each other.

use std::collections::{BTreeSet, HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::members::Members;
use super::{Object, Profile, ScimError, json as kinds};
use crate::limits;

/// The URN of the BulkRequest.
pub const BULK_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of the BulkResponse.
pub const BULK_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// How a reference to another operation begins (section 3.7.2).
const REFERENCE: &str = "bulkId:";

/// A job of several operations.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After how many errors to stop; `None` means never.
    pub fail_on_errors: Option<u64>,
    pub operations: Vec<BulkEntry>,
}

/// An operation as it came, with what is known of it even when it is wrong: the response names it by that.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkEntry {
    /// As the client wrote it.
    pub method: Option<String>,
    pub bulk_id: Option<String>,
    /// An error here is the result of this operation alone.
    pub operation: Result<BulkOperation, ScimError>,
}

/// An operation that can be tried.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    pub method: BulkMethod,
    pub path: BulkPath,
    pub bulk_id: Option<String>,
    /// The version that the resource must have, like If-Match.
    pub version: Option<String>,
    /// There for every method but DELETE.
    pub data: Option<Value>,
}

/// The methods of an operation; GET is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkMethod {
    Post,
    Put,
    Patch,
    Delete,
}

/// What an operation is about: `/Users` or `/Users/2819c223`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkPath {
    /// The endpoint of the resource type, with its slash.
    pub endpoint: String,
    /// Decoded; possibly still `bulkId:...`.
    pub id: Option<String>,
}

/// What became of the operation with some bulkId.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The id of the resource that it created.
    Id(String),
    /// It failed; what refers to it cannot be done.
    Failed,
}

/// The result of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkResult {
    pub method: Option<String>,
    pub bulk_id: Option<String>,
    pub version: Option<String>,
    /// There unless a POST failed.
    pub location: Option<String>,
    pub status: u16,
    /// The body; for an error the SCIM error.
    pub response: Option<Value>,
}

// === impl BulkRequest ===

impl BulkRequest {
    /// Reads a job. What is wrong with the message is an error; what is wrong with one operation stays with it.
    pub fn parse(body: Value, profile: &Profile) -> Result<Self, ScimError> {
        let mut members = Members::of(body, "The BulkRequest")?;
        members.expect_schema(BULK_REQUEST_SCHEMA, profile.schemas_optional)?;
        let fail_on_errors = match members.take("failOnErrors") {
            None => None,
            Some(Value::Number(number)) if number.as_u64().is_some_and(|limit| limit > 0) => number.as_u64(),
            Some(_) => {
                return Err(ScimError::invalid_value(
                    "\"failOnErrors\" must be an integer of 1 or more; leave it out for no limit.",
                ));
            }
        };
        let operations = match members.take("Operations") {
            Some(Value::Array(operations)) => operations,
            Some(other) => {
                return Err(ScimError::invalid_syntax(format!("\"Operations\" must be an array, not {}.", kinds::kind(&other))));
            }
            None => return Err(ScimError::invalid_syntax("The BulkRequest lacks \"Operations\", an array of operations.")),
        };
        if operations.len() > limits::BULK_OPERATIONS {
            return Err(ScimError::status(
                413,
                format!(
                    "The job has {} operations; the most in one job is {} (bulk.maxOperations). Send several jobs.",
                    operations.len(),
                    limits::BULK_OPERATIONS
                ),
            ));
        }
        let mut seen = HashSet::new();
        let operations = operations.into_iter().map(|operation| BulkEntry::read(operation, &mut seen)).collect();
        Ok(Self { fail_on_errors, operations })
    }

    /// The places of the operations in the order in which they can be done, and those that wait for each other in a circle,
    /// or for such. All stay in their order, but what refers to later operations comes right after the last of them: the
    /// result must be that of the sequence (section 3.7).
    pub fn order(&self) -> (Vec<usize>, Vec<usize>) {
        let mut makers: HashMap<&str, usize> = HashMap::new();
        for (place, entry) in self.operations.iter().enumerate() {
            if let Some(bulk_id) = &entry.bulk_id {
                makers.entry(bulk_id).or_insert(place);
            }
        }
        let mut missing: Vec<usize> = Vec::with_capacity(self.operations.len());
        let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, entry) in self.operations.iter().enumerate() {
            let references = entry.operation.as_ref().map(BulkOperation::references).unwrap_or_default();
            let needed: Vec<usize> = references.iter().filter_map(|id| makers.get(id.as_str()).copied()).collect();
            missing.push(needed.len());
            for maker in needed {
                waiting.entry(maker).or_default().push(place);
            }
        }
        let mut order = Vec::with_capacity(missing.len());
        let mut next = Vec::new();
        for place in 0..missing.len() {
            if missing.get(place) == Some(&0) {
                next.push(place);
            }
            while let Some(done) = next.pop() {
                order.push(done);
                for later in waiting.remove(&done).unwrap_or_default().into_iter().rev() {
                    let Some(missing) = missing.get_mut(later) else { continue };
                    *missing -= 1;
                    // Those further on have their turn yet.
                    if *missing == 0 && later < place {
                        next.push(later);
                    }
                }
            }
        }
        let circular = (0..missing.len()).filter(|place| missing.get(*place) != Some(&0)).collect();
        (order, circular)
    }
}

// === impl BulkEntry ===

impl BulkEntry {
    fn read(value: Value, seen: &mut HashSet<String>) -> Self {
        let mut entry = Self {
            method: None,
            bulk_id: None,
            operation: Err(ScimError::invalid_syntax("A Bulk operation must be a JSON object.")),
        };
        entry.operation = Members::of(value, "A Bulk operation").and_then(|mut members| {
            let method = members.take_string("method")?;
            entry.method.clone_from(&method);
            let bulk_id = members.take_string("bulkId")?;
            entry.bulk_id.clone_from(&bulk_id);
            BulkOperation::read(method, bulk_id, members, seen)
        });
        entry
    }

    /// The result of an operation that failed.
    pub fn failed(&self, location: Option<String>, error: &ScimError) -> BulkResult {
        BulkResult {
            method: self.method.clone(),
            bulk_id: self.bulk_id.clone(),
            version: None,
            location,
            status: error.status,
            response: Some(error.body()),
        }
    }
}

// === impl BulkOperation ===

impl BulkOperation {
    fn read(
        method: Option<String>,
        bulk_id: Option<String>,
        mut members: Members,
        seen: &mut HashSet<String>,
    ) -> Result<Self, ScimError> {
        let method =
            method.ok_or_else(|| ScimError::invalid_syntax("The operation lacks \"method\": POST, PUT, PATCH or DELETE."))?;
        let method = BulkMethod::parse(&method)?;
        if let Some(bulk_id) = &bulk_id
            && !seen.insert(bulk_id.clone())
        {
            return Err(ScimError::invalid_value(format!(
                "The bulkId {bulk_id:?} is used by an earlier operation; each must be unique within the job."
            )));
        }
        let path = members.take_string("path")?.ok_or_else(|| {
            ScimError::invalid_syntax(
                "The operation lacks \"path\", such as \"/Users\" for POST or \"/Users/{id}\" for the others.",
            )
        })?;
        let path = BulkPath::parse(&path)?;
        match (method, &path.id) {
            (BulkMethod::Post, Some(_)) => {
                return Err(ScimError::invalid_value(format!(
                    "A POST goes to the endpoint of a resource type: send \"path\": {:?}.",
                    path.endpoint
                )));
            }
            (BulkMethod::Put | BulkMethod::Patch | BulkMethod::Delete, None) => {
                return Err(ScimError::invalid_value(format!(
                    "A {} needs the resource in its path: send \"path\": \"{}/{{id}}\".",
                    method.as_str(),
                    path.endpoint
                )));
            }
            _ => {}
        }
        if method == BulkMethod::Post && bulk_id.is_none() {
            return Err(ScimError::invalid_syntax(
                "A POST in a job needs a \"bulkId\", any string that is unique within the job.",
            ));
        }
        let version = members.take_string("version")?;
        let data = match (method, members.take("data")) {
            (BulkMethod::Delete, _) => None,
            (_, Some(data @ Value::Object(_))) => Some(data),
            (_, Some(other)) => {
                return Err(ScimError::invalid_syntax(format!("\"data\" must be an object, not {}.", kinds::kind(&other))));
            }
            (_, None) => {
                return Err(ScimError::invalid_syntax(format!("A {} needs \"data\", the body of the request.", method.as_str())));
            }
        };
        Ok(Self { method, path, bulk_id, version, data })
    }

    /// The bulkIds that the path and the data refer to.
    pub fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let path = self.path.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE));
        found.extend(path.map(str::to_owned));
        if let Some(data) = &self.data {
            references(data, &mut |bulk_id| found.extend([bulk_id.to_owned()]));
        }
        found
    }

    /// Puts ids in the place of references, in the path and in the data.
    pub fn resolve(&mut self, known: &HashMap<String, Resolved>) -> Result<(), ScimError> {
        if let Some(bulk_id) = self.path.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE)) {
            self.path.id = Some(look_up(bulk_id, known)?.to_owned());
        }
        self.data.as_mut().map_or(Ok(()), |data| resolve_references(data, known))
    }
}

/// Visits the bulkIds that a value refers to, in the order in which they stand.
pub fn references(value: &Value, visit: &mut dyn FnMut(&str)) {
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
#[expect(clippy::implicit_hasher, reason = "one job, one kind of map")]
pub fn resolve_references(value: &mut Value, known: &HashMap<String, Resolved>) -> Result<(), ScimError> {
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

/// A piece of a string.
enum Piece<'t> {
    Text(&'t str),
    Reference(&'t str),
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

// === impl BulkMethod ===

impl BulkMethod {
    fn parse(text: &str) -> Result<Self, ScimError> {
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                ScimError::invalid_value(format!(
                    "A Bulk operation cannot have the method {text:?}: use POST, PUT, PATCH or DELETE."
                ))
            })
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

// === impl BulkPath ===

impl BulkPath {
    fn parse(text: &str) -> Result<Self, ScimError> {
        let invalid = |why: &str| {
            ScimError::invalid_path(format!("The path {text:?} {why}: send \"/Users\", or \"/Users/{{id}}\" for one resource."))
        };
        let relative = text.trim_start_matches('/').trim_end_matches('/');
        if text.contains("://") || text.contains(['?', '#']) {
            return Err(invalid("must be relative to the base URL, without parameters"));
        }
        let (endpoint, id) = match relative.split_once('/') {
            Some((endpoint, id)) => (endpoint, Some(id)),
            None => (relative, None),
        };
        if endpoint.is_empty() || id.is_some_and(|id| id.is_empty() || id.contains('/')) {
            return Err(invalid("does not name a resource type or a resource"));
        }
        if endpoint.eq_ignore_ascii_case("Bulk") {
            return Err(ScimError::invalid_path("A job cannot hold another job: leave \"/Bulk\" out."));
        }
        let decode = |segment: &str| match percent_decode_str(segment).decode_utf8() {
            Ok(decoded) if !matches!(decoded.as_ref(), "." | "..") => Ok(decoded.into_owned()),
            _ => Err(invalid("does not name a resource")),
        };
        Ok(Self { endpoint: format!("/{endpoint}"), id: id.map(decode).transpose()? })
    }
}

// === impl BulkResult ===

impl BulkResult {
    /// As it stands in the response; `status` is a string there (section 3.7.3).
    pub fn body(self) -> Value {
        let mut body = Object::new();
        let text = [("method", self.method), ("bulkId", self.bulk_id), ("version", self.version), ("location", self.location)];
        for (name, value) in text {
            if let Some(value) = value {
                body.insert(name.to_owned(), Value::String(value));
            }
        }
        body.insert("status".to_owned(), Value::String(self.status.to_string()));
        if let Some(response) = self.response {
            body.insert("response".to_owned(), response);
        }
        Value::Object(body)
    }
}

/// The BulkResponse with the results so far, in the order of the operations.
pub fn bulk_response(results: Vec<BulkResult>) -> Value {
    let operations: Vec<Value> = results.into_iter().map(BulkResult::body).collect();
    json!({"schemas": [BULK_RESPONSE_SCHEMA], "Operations": operations})
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
