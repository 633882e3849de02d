//! Paths (RFC 7644 section 3.2). Names of endpoints are case-sensitive; ids are percent-decoded; one slash at the end is
//! tolerated; an empty segment never is, as `DELETE /Users//` must not become something else.
//!
//! OPTIONS answers 204 with Allow on every endpoint; TRACE and CONNECT are unknown methods like any other.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::scim::{ScimError, ScimType};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The base URL: a query over all resource types (section 3.4.2.1).
    Root,
    RootSearch,
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
    Bulk,
    Me,
    Collection {
        endpoint: String,
    },
    Search {
        endpoint: String,
    },
    Resource {
        endpoint: String,
        id: String,
    },
}

const READ: &[Method] = &[Method::GET, Method::HEAD];
const POST: &[Method] = &[Method::POST];
const COLLECTION: &[Method] = &[Method::GET, Method::HEAD, Method::POST];
const RESOURCE: &[Method] = &[Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE];

/// Finds out what a path names. `base` is empty or begins with a slash; `endpoints` are those of mapped types.
pub fn resolve(base: &str, endpoints: &[String], path: &str) -> Result<Route, ScimError> {
    let Some(rest) = below(base, path) else {
        return Err(other_version(base, endpoints, path).unwrap_or_else(|| {
            let shown = if base.is_empty() { "/" } else { base };
            ScimError::not_found(format!("There is nothing at this path: the base URL of this service ends in {shown}."))
        }));
    };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        // `/scim/v2`, `/scim/v2/`; not `/scim/v2//`, of which `rest` was one slash.
        return if below(base, path).is_some_and(|rest| rest.len() < 2) { Ok(Route::Root) } else { Err(empty_segment()) };
    }
    let segments = rest.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [".search"] => return Ok(Route::RootSearch),
        ["ServiceProviderConfig"] => return Ok(Route::ServiceProviderConfig),
        ["ResourceTypes"] => return Ok(Route::ResourceTypes),
        ["ResourceTypes", name] => return Ok(Route::ResourceType((*name).to_owned())),
        ["Schemas"] => return Ok(Route::Schemas),
        ["Schemas", id] => return Ok(Route::Schema((*id).to_owned())),
        ["Bulk"] => return Ok(Route::Bulk),
        ["Me"] => return Ok(Route::Me),
        _ => {}
    }
    for endpoint in endpoints {
        let names: Vec<&str> = endpoint.trim_matches('/').split('/').collect();
        let Some(behind) = segments.strip_prefix(names.as_slice()) else { continue };
        let endpoint = endpoint.clone();
        match behind {
            [] => return Ok(Route::Collection { endpoint }),
            [".search"] => return Ok(Route::Search { endpoint }),
            [id] => return Ok(Route::Resource { endpoint, id: (*id).to_owned() }),
            _ => {}
        }
    }
    Err(other_version(base, endpoints, path).unwrap_or_else(|| unknown(&segments, endpoints)))
}

/// The path below the base, with the slash that it begins with; `None` outside.
fn below<'p>(base: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn decode(segment: &str) -> Result<String, ScimError> {
    if segment.is_empty() {
        return Err(empty_segment());
    }
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| {
        ScimError::status(400, "The path is not UTF-8 after percent-decoding: encode each id as UTF-8, then percent-encode it.")
    })?;
    if text.chars().any(char::is_control) {
        return Err(ScimError::status(400, "The path holds a control character (such as %00 or %0A), which no id has here."));
    }
    if matches!(&*text, "." | "..") {
        return Err(ScimError::not_found("`.` and `..` name no resource: ids are taken as they are, not as steps in a path."));
    }
    Ok(text.into_owned())
}

fn empty_segment() -> ScimError {
    ScimError::status(
        400,
        "The path has an empty segment (//): remove the doubled slash. If a program joined the URL, give it the base URL \
         without a slash at its end.",
    )
}

/// Section 3.13: a version that is not served here must be refused, not served as another. The version stands where
/// the base has its own, or is the first segment behind a base that has none.
fn other_version(base: &str, endpoints: &[String], path: &str) -> Option<ScimError> {
    let (parent, own) = match base.rsplit_once('/') {
        Some((parent, last)) if is_version(last) => (parent, Some(last)),
        _ => (base, None),
    };
    let mut segments = below(parent, path)?.split('/').skip(1);
    let asked = segments.next().filter(|segment| is_version(segment))?;
    if Some(asked) == own || endpoints.iter().any(|endpoint| endpoint.trim_matches('/') == asked) {
        return None;
    }
    let shown = if base.is_empty() { "/" } else { base };
    Some(ScimError::new(
        ScimType::InvalidVers,
        format!("This service speaks SCIM 2.0 at {shown}, not {asked}: change the base URL to end in {shown}."),
    ))
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unknown(segments: &[&str], endpoints: &[String]) -> ScimError {
    let mut known: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    known.extend(["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/Bulk", "/.search"]);
    let asked = segments.first().copied().unwrap_or_default();
    // Names are case-sensitive, and a person sees a wrong letter's case last.
    let hint = known
        .iter()
        .find(|endpoint| endpoint.trim_matches('/').eq_ignore_ascii_case(asked))
        .filter(|endpoint| endpoint.trim_matches('/') != asked)
        .map(|endpoint| format!(" Did you mean {endpoint}?"))
        .unwrap_or_default();
    let asked: String = segments.join("/").chars().take(100).collect();
    ScimError::not_found(format!("There is no endpoint /{asked} here.{hint} This service has {}.", known.join(", ")))
}

// === impl Route ===

impl Route {
    /// The methods that the endpoint has.
    pub const fn methods(&self) -> &'static [Method] {
        match self {
            Self::Root
            | Self::ServiceProviderConfig
            | Self::ResourceTypes
            | Self::ResourceType(_)
            | Self::Schemas
            | Self::Schema(_) => READ,
            Self::RootSearch | Self::Search { .. } | Self::Bulk => POST,
            Self::Collection { .. } => COLLECTION,
            Self::Resource { .. } => RESOURCE,
            // Nothing: section 3.11 has 501 for all of them.
            Self::Me => &[],
        }
    }

    /// The header Allow.
    pub fn allow(&self) -> String {
        let names: Vec<&str> = self.methods().iter().map(Method::as_str).chain(["OPTIONS"]).collect();
        names.join(", ")
    }

    /// Whether it is one of the three discovery endpoints of section 4.
    pub const fn is_discovery(&self) -> bool {
        matches!(
            self,
            Self::ServiceProviderConfig | Self::ResourceTypes | Self::ResourceType(_) | Self::Schemas | Self::Schema(_)
        )
    }

    /// The path without what varies: for logs and metrics, where an id would be personal data and a label without end.
    pub const fn pattern(&self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::RootSearch => "/.search",
            Self::ServiceProviderConfig => "/ServiceProviderConfig",
            Self::ResourceTypes => "/ResourceTypes",
            Self::ResourceType(_) => "/ResourceTypes/{name}",
            Self::Schemas => "/Schemas",
            Self::Schema(_) => "/Schemas/{id}",
            Self::Bulk => "/Bulk",
            Self::Me => "/Me",
            Self::Collection { .. } => "/{type}",
            Self::Search { .. } => "/{type}/.search",
            Self::Resource { .. } => "/{type}/{id}",
        }
    }

    /// The endpoint of the resource type, if it is about one.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Collection { endpoint } | Self::Search { endpoint } | Self::Resource { endpoint, .. } => Some(endpoint),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
