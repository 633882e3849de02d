//! The messages of RFC 7644 about queries: SearchRequest and ListResponse.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::Value;

use super::json::kind;
use super::members::Members;
use super::{Object, Profile, ScimError, ScimType};

/// The URN of the ListResponse (section 3.4.2).
pub const LIST_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URN of the SearchRequest (section 3.4.3).
pub const SEARCH_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A query (RFC 7644 section 3.4.3), from the URL of a GET or the body of a POST to `.search`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchRequest {
    pub attributes: Vec<String>,
    pub excluded_attributes: Vec<String>,
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    pub sort_order: SortOrder,
    /// As the client sent it; values below 1 mean 1.
    pub start_index: Option<i64>,
    /// As the client sent it; negative values mean 0.
    pub count: Option<i64>,
    /// RFC 9865: empty to begin, then the `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// The direction of a sort (RFC 7644 section 3.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

/// A ListResponse to a query by cursor (RFC 9865 section 2): without `startIndex`, and without `totalResults` where it is
/// not known.
pub fn cursor_response(total: Option<u64>, next: Option<String>, resources: Vec<Value>) -> Value {
    let mut response = Object::new();
    response.insert("schemas".to_owned(), Value::from(vec![LIST_RESPONSE_SCHEMA]));
    response.extend(total.map(|total| ("totalResults".to_owned(), Value::from(total))));
    response.insert("itemsPerPage".to_owned(), Value::from(resources.len()));
    response.extend(next.map(|next| ("nextCursor".to_owned(), Value::from(next))));
    response.insert("Resources".to_owned(), Value::Array(resources));
    Value::Object(response)
}

/// A ListResponse. `Resources` and the paging members are always there: Entra ID and Auth0 need them in empty lists too.
pub fn list_response(total: u64, start_index: u64, resources: Vec<Value>) -> Value {
    let mut response = Object::new();
    response.insert("schemas".to_owned(), Value::from(vec![LIST_RESPONSE_SCHEMA]));
    response.insert("totalResults".to_owned(), Value::from(total));
    response.insert("startIndex".to_owned(), Value::from(start_index));
    response.insert("itemsPerPage".to_owned(), Value::from(resources.len()));
    response.insert("Resources".to_owned(), Value::Array(resources));
    Value::Object(response)
}

// === impl SortOrder ===

impl SortOrder {
    /// Reads `ascending` or `descending`, in any case.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        match text.trim() {
            word if word.eq_ignore_ascii_case("ascending") => Ok(Self::Ascending),
            word if word.eq_ignore_ascii_case("descending") => Ok(Self::Descending),
            other => Err(ScimError::invalid_value(format!("sortOrder is \"ascending\" or \"descending\", not {other:?}."))),
        }
    }
}

// === impl SearchRequest ===

impl SearchRequest {
    /// Reads the decoded parameters of a URL. Names come in any case; unknown ones are ignored (Entra ID's
    /// `aadOptscim062020`); blank values of all but `filter`, `startIndex` and `count` count as not given.
    pub fn from_query<'q>(pairs: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>) -> Result<Self, ScimError> {
        const NAMES: [&str; 8] =
            ["attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"];
        let mut seen = [false; NAMES.len()];
        let mut request = Self::default();
        for (name, value) in pairs {
            let known = NAMES.iter().zip(&mut seen).find(|(known, _)| known.eq_ignore_ascii_case(&name));
            let Some((&name, seen)) = known else { continue };
            if std::mem::replace(seen, true) {
                return Err(ScimError::invalid_value(format!("The parameter {name} is given twice; send it once.")));
            }
            let text = value.trim();
            match name {
                "attributes" => request.attributes = split(text),
                "excludedAttributes" => request.excluded_attributes = split(text),
                "filter" => request.filter = Some(filter(&value)?),
                "sortBy" => request.sort_by = (!text.is_empty()).then(|| text.to_owned()),
                "sortOrder" if text.is_empty() => {}
                "sortOrder" => request.sort_order = SortOrder::parse(text)?,
                "startIndex" => request.start_index = Some(integer(name, text)?),
                "cursor" => request.cursor = Some(text.to_owned()),
                _ => request.count = Some(integer(name, text)?),
            }
        }
        request.one_method()
    }

    /// Reads the body of a POST to `.search`. Members come in any case, `null` counts as absent.
    pub fn from_body(body: Value, profile: &Profile) -> Result<Self, ScimError> {
        let mut members = Members::of(body, "The SearchRequest")?;
        members.expect_schema(SEARCH_REQUEST_SCHEMA, profile.schemas_optional)?;
        let sort_order = match members.take("sortOrder") {
            None => SortOrder::default(),
            Some(Value::String(text)) => SortOrder::parse(&text)?,
            Some(other) => return Err(not_a("sortOrder", "\"ascending\" or \"descending\"", &other)),
        };
        let filter = match members.take("filter") {
            None => None,
            Some(Value::String(text)) => Some(filter(&text)?),
            Some(other) => {
                return Err(ScimError::invalid_filter(format!("\"filter\" must be a string, not {}.", kind(&other))));
            }
        };
        let sort_by = match members.take("sortBy") {
            None => None,
            Some(Value::String(text)) => Some(text).filter(|text| !text.trim().is_empty()),
            Some(other) => return Err(not_a("sortBy", "a string with the path of an attribute", &other)),
        };
        let cursor = match members.take("cursor") {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                return Err(ScimError::new(
                    ScimType::InvalidCursor,
                    format!("\"cursor\" must be a string, not {}.", kind(&other)),
                ));
            }
        };
        Self {
            attributes: list("attributes", members.take("attributes"), profile)?,
            excluded_attributes: list("excludedAttributes", members.take("excludedAttributes"), profile)?,
            filter,
            sort_by,
            sort_order,
            start_index: number("startIndex", members.take("startIndex"), profile)?,
            count: number("count", members.take("count"), profile)?,
            cursor,
        }
        .one_method()
    }

    /// A query is paged by index or by cursor, not by both.
    fn one_method(self) -> Result<Self, ScimError> {
        if self.cursor.is_some() && self.start_index.is_some() {
            return Err(ScimError::invalid_value("startIndex and cursor exclude each other: send one of them."));
        }
        Ok(self)
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// An empty filter is an error: answering it with everything would hand out the wrong accounts.
fn filter(text: &str) -> Result<String, ScimError> {
    if text.trim().is_empty() {
        return Err(ScimError::invalid_filter(
            "The filter is empty. Write one, such as userName eq \"bjensen\", or leave the parameter out.",
        ));
    }
    Ok(text.to_owned())
}

/// A number out of the range of `i64` is its end: the meaning, "beyond everything", is the same.
fn integer(name: &str, text: &str) -> Result<i64, ScimError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_a_number(name, &format_args!("{text:?}")));
    }
    let end = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(text.parse().unwrap_or(end))
}

fn number(name: &str, value: Option<Value>, profile: &Profile) -> Result<Option<i64>, ScimError> {
    match value {
        None => Ok(None),
        Some(Value::Number(number)) if !number.is_f64() => Ok(Some(number.as_i64().unwrap_or(i64::MAX))),
        Some(Value::Number(number)) => Err(not_a_number(name, &number)),
        Some(Value::String(text)) if profile.coerce_values => integer(name, text.trim()).map(Some),
        Some(other) => Err(not_a_number(name, &kind(&other))),
    }
}

fn list(name: &str, value: Option<Value>, profile: &Profile) -> Result<Vec<String>, ScimError> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if profile.coerce_values => Ok(split(&text)),
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Ok(text),
                other => Err(not_a(name, "an array of strings only", &other)),
            })
            .collect(),
        Some(other) => Err(not_a(name, "an array of strings", &other)),
    }
}

fn not_a(name: &str, wanted: &str, found: &Value) -> ScimError {
    ScimError::invalid_value(format!("{name:?} must be {wanted}, not {}.", kind(found)))
}

fn not_a_number(name: &str, found: &dyn Display) -> ScimError {
    ScimError::invalid_value(format!("{name} must be an integer, not {found}."))
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
