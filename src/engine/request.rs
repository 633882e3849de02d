//! What the engine is asked and what it answers, free of HTTP.

use serde_json::Value;

use crate::scim::Profile;

/// Everything about a request that is not its operation.
#[derive(Debug, Clone)]
pub struct Context {
    /// The public base URL, without a slash at its end: `https://scim.example.com/scim/v2`.
    pub base_url: String,
    /// The profile of the client that asks.
    pub profile: &'static Profile,
    /// The header If-Match as it came.
    pub if_match: Option<String>,
    /// The header If-None-Match as it came.
    pub if_none_match: Option<String>,
}

/// `attributes` and `excludedAttributes` as they came (RFC 7644 section 3.9).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    pub attributes: Vec<String>,
    pub excluded: Vec<String>,
}

/// The answer to an operation that succeeded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// A success, or 304.
    pub status: u16,
    pub body: Option<Value>,
    /// `meta.location`, for the header Location (201) or Content-Location.
    pub location: Option<String>,
    /// `meta.version`, for the header ETag.
    pub version: Option<String>,
}
