//! Bulk (RFC 7644 section 3.7): what the messages say, how operations refer to each other, and which wait for which.

mod circle;
mod claims;
mod order;
mod parse;
mod references;

use serde_json::{Value, json};

use super::{AttrPath, Object, ResourceType, ScimError, Target};

pub use circle::{Circle, Step};
pub use order::Schedule;
pub use references::Resolved;

/// The URN of the BulkRequest.
pub const BULK_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of the BulkResponse.
pub const BULK_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

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

// === impl BulkMethod ===

impl BulkMethod {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

// === impl BulkResult ===

impl BulkResult {
    /// The result of an operation that failed.
    pub fn failed(method: Option<String>, bulk_id: Option<String>, location: Option<String>, error: &ScimError) -> Self {
        Self { method, bulk_id, version: None, location, status: error.status, response: Some(error.body()) }
    }

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

/// What a name in the data of an operation, or the path of a PATCH, is the name of.
fn named<'s>(kind: &'s ResourceType, name: &str) -> Option<Target<'s>> {
    let extension = kind.extension(name).map(|extension| Target::Extension(&extension.schema));
    extension.or_else(|| kind.resolve(&AttrPath::parse(name)?, true))
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
