//! Reading a job. Its operations are read one by one, so that a job of too many costs no more than one that is full.

use std::collections::HashSet;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::Value;

use super::{BULK_REQUEST_SCHEMA, BulkEntry, BulkMethod, BulkOperation, BulkPath, BulkRequest};
use crate::limits;
use crate::scim::members::Members;
use crate::scim::{Object, Profile, ScimError, json};

/// The BulkRequest: its operations, and its other members.
struct Message<'m> {
    /// Set when the reading ended at an operation that is too many.
    too_many: &'m mut bool,
}

/// The value of `Operations`; `null` counts as absent.
struct Operations<'m> {
    too_many: &'m mut bool,
}

// === impl BulkRequest ===

impl BulkRequest {
    /// Reads the body of a job. What is wrong with the message is an error; what is wrong with one operation stays with
    /// it. The reading ends at the first operation that is too many.
    pub fn parse(bytes: &[u8], profile: &Profile) -> Result<Self, ScimError> {
        let mut too_many = false;
        let read = json::read(bytes, Message { too_many: &mut too_many });
        if too_many {
            let most = limits::BULK_OPERATIONS;
            return Err(ScimError::status(
                413,
                format!("The job has more than {most} operations, the most in one job (bulk.maxOperations). Send several jobs."),
            ));
        }
        let (rest, operations) = read?;
        let mut members = Members::of(Value::Object(rest), "The BulkRequest")?;
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
        let operations = operations
            .ok_or_else(|| ScimError::invalid_syntax("The BulkRequest lacks \"Operations\", an array of operations."))?;
        Ok(Self { fail_on_errors, operations })
    }
}

// === impl Message ===

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = (Object, Option<Vec<BulkEntry>>);

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = (Object, Option<Vec<BulkEntry>>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the JSON object of a BulkRequest")
    }

    /// What is wrong within it is told first, as everywhere.
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        json::Node::at(0).visit_seq(items)?;
        Err(A::Error::invalid_type(Unexpected::Seq, &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut rest = Object::new();
        let mut operations = None;
        while let Some(name) = members.next_key::<String>()? {
            if rest.contains_key(&name) {
                return Err(json::twice(&name));
            }
            let value = if name.eq_ignore_ascii_case("Operations") {
                if rest.keys().any(|known| known.eq_ignore_ascii_case("Operations")) {
                    return Err(json::twice(&name));
                }
                operations = members.next_value_seed(Operations { too_many: &mut *self.too_many })?;
                Value::Null
            } else {
                members.next_value_seed(json::Node::at(1))?
            };
            rest.insert(name, value);
        }
        Ok((rest, operations))
    }
}

// === impl Operations ===

impl<'de> DeserializeSeed<'de> for Operations<'_> {
    type Value = Option<Vec<BulkEntry>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Operations<'_> {
    type Value = Option<Vec<BulkEntry>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of operations")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        json::Node::at(1).visit_map(members)?;
        Err(A::Error::invalid_type(Unexpected::Map, &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut seen = HashSet::new();
        let mut operations = Vec::new();
        while let Some(operation) = items.next_element_seed(json::Node::at(2))? {
            if operations.len() >= limits::BULK_OPERATIONS {
                *self.too_many = true;
                return Err(A::Error::custom("it has too many operations"));
            }
            operations.push(BulkEntry::read(operation, &mut seen));
        }
        Ok(Some(operations))
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
                return Err(ScimError::invalid_syntax(format!("\"data\" must be an object, not {}.", json::kind(&other))));
            }
            (_, None) => {
                return Err(ScimError::invalid_syntax(format!("A {} needs \"data\", the body of the request.", method.as_str())));
            }
        };
        Ok(Self { method, path, bulk_id, version, data })
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
