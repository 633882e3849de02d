//! Query parameters (RFC 7644 section 3.4.2) and the body of `/.search` (section 3.4.3).
//!
//! Names of parameters are compared without regard to case, as attribute names are. Unknown ones are ignored
//! (`aadOptscim062020` of Entra ID). Several values for one parameter are refused: one of them would be dropped in
//! silence, and a dropped filter is a wrong answer.

use form_urlencoded::parse as form;
use percent_encoding::percent_decode;
use serde_json::Value;

use crate::engine::Names;
use crate::limits;
use crate::scim::messages::{SearchRequest, SortOrder};
use crate::scim::{Object, Profile, ScimError};

/// The URN of the message.
pub const SEARCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters of a query.
#[derive(Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

// === impl Parameters ===

impl Parameters {
    /// Reads the query of a URL: `+` and `%20` are blanks, a `?` or `&` too many does no harm.
    pub fn new(query: Option<&str>) -> Result<Self, ScimError> {
        let query = query.unwrap_or_default();
        if percent_decode(query.as_bytes()).decode_utf8().is_err() {
            return Err(ScimError::invalid_value(
                "The query is not UTF-8 after percent-decoding: encode it as UTF-8, then percent-encode it.",
            ));
        }
        Ok(Self(form(query.as_bytes()).into_owned().collect()))
    }

    /// Whether the parameter is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    fn one(&self, name: &str) -> Result<Option<&str>, ScimError> {
        let mut values = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(ScimError::invalid_value(format!("The parameter {name} is there more than once: send it once.")));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    fn list(&self, name: &'static str) -> Result<Vec<String>, ScimError> {
        bounded(name, self.one(name)?.map(split).unwrap_or_default())
    }

    fn integer(&self, name: &str) -> Result<Option<i64>, ScimError> {
        self.one(name)?
            .map(|value| {
                value
                    .trim()
                    .parse()
                    .map_err(|_| ScimError::invalid_value(format!("{name} must be an integer, such as {name}=1.")))
            })
            .transpose()
    }

    /// `attributes` and `excludedAttributes` (section 3.9).
    pub fn names(&self) -> Result<Names, ScimError> {
        Ok(Names { attributes: self.list("attributes")?, excluded: self.list("excludedAttributes")? })
    }

    /// A whole query.
    pub fn search(&self) -> Result<SearchRequest, ScimError> {
        Ok(SearchRequest {
            attributes: self.list("attributes")?,
            excluded_attributes: self.list("excludedAttributes")?,
            filter: self.one("filter")?.map(str::to_owned),
            sort_by: self.one("sortBy")?.map(str::to_owned),
            sort_order: self.one("sortOrder")?.map_or(Ok(SortOrder::default()), sort_order)?,
            start_index: self.integer("startIndex")?,
            count: self.integer("count")?,
        })
    }
}

/// The query in the body of a POST to `/.search`.
pub fn search_body(body: &Value, profile: &Profile) -> Result<SearchRequest, ScimError> {
    let Some(object) = body.as_object() else {
        return Err(ScimError::invalid_syntax(format!(
            "The body must be a JSON object with \"schemas\": [\"{SEARCH_SCHEMA}\"]."
        )));
    };
    let member = |name: &str| member(object, name);
    match member("schemas") {
        None if profile.schemas_optional => {}
        Some(Value::Array(urns)) if urns.iter().filter_map(Value::as_str).any(|urn| urn.eq_ignore_ascii_case(SEARCH_SCHEMA)) => {}
        _ => {
            return Err(ScimError::invalid_syntax(format!(
                "The body of a search must say so: add \"schemas\": [\"{SEARCH_SCHEMA}\"]."
            )));
        }
    }
    let text = |name: &'static str| match member(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(ScimError::invalid_value(format!("{name} must be a string."))),
    };
    let integer = |name: &'static str| match member(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(ScimError::invalid_value(format!("{name} must be an integer, such as \"{name}\": 1."))),
        },
    };
    let list = |name: &'static str| {
        let wrong = || ScimError::invalid_value(format!("{name} must be an array of strings, such as [\"userName\"]."));
        let names = match member(name) {
            None => Vec::new(),
            Some(Value::String(text)) => split(text),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(wrong()),
        };
        bounded(name, names)
    };
    Ok(SearchRequest {
        attributes: list("attributes")?,
        excluded_attributes: list("excludedAttributes")?,
        filter: text("filter")?,
        sort_by: text("sortBy")?,
        sort_order: text("sortOrder")?.map_or(Ok(SortOrder::default()), |order| sort_order(&order))?,
        start_index: integer("startIndex")?,
        count: integer("count")?,
    })
}

/// A member that is there and not null; null is unassigned (RFC 7643 section 2.5).
fn member<'o>(object: &'o Object, name: &str) -> Option<&'o Value> {
    let found = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

fn split(names: &str) -> Vec<String> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn bounded(parameter: &str, names: Vec<String>) -> Result<Vec<String>, ScimError> {
    if names.len() > limits::PROJECTION_NAMES {
        return Err(ScimError::invalid_value(format!(
            "{parameter} has more than {} names: ask for fewer.",
            limits::PROJECTION_NAMES
        )));
    }
    Ok(names)
}

fn sort_order(text: &str) -> Result<SortOrder, ScimError> {
    if text.eq_ignore_ascii_case("ascending") {
        Ok(SortOrder::Ascending)
    } else if text.eq_ignore_ascii_case("descending") {
        Ok(SortOrder::Descending)
    } else {
        Err(ScimError::invalid_value("sortOrder must be ascending or descending."))
    }
}
