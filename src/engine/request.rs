//! What the engine is asked and what it answers, free of HTTP.

use std::time::Instant;

use serde_json::Value;

use crate::scim::Profile;
use crate::scim::bulk::BulkRequest;
use crate::scim::messages::SearchRequest;

/// One operation of RFC 7644. `endpoint` is that of a mapped resource type as discovery publishes it: `/Users`.
#[derive(Debug, Clone, PartialEq)]
pub enum ScimRequest {
    ServiceProviderConfig,
    /// All resource types, or the one of that name.
    ResourceTypes {
        name: Option<String>,
    },
    /// All schemas, or the one of that URN.
    Schemas {
        id: Option<String>,
    },
    Read {
        endpoint: String,
        id: String,
        names: Names,
    },
    /// A query of one resource type, or of all of them (section 3.4.2.1), whether it came by GET or by `/.search`.
    List {
        endpoint: Option<String>,
        search: SearchRequest,
    },
    Create {
        endpoint: String,
        body: Value,
        names: Names,
    },
    Replace {
        endpoint: String,
        id: String,
        body: Value,
        names: Names,
    },
    Patch {
        endpoint: String,
        id: String,
        body: Value,
        names: Names,
    },
    Delete {
        endpoint: String,
        id: String,
    },
    Bulk {
        job: BulkRequest,
    },
}

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
    /// When no further operation of a job is begun; `None` for never.
    pub deadline: Option<Instant>,
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
    /// Whether a creation took over a resource that was there.
    pub adopted: bool,
}

// === impl ScimRequest ===

impl ScimRequest {
    /// The endpoint of the resource type that it is about, if it is about one.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Read { endpoint, .. }
            | Self::List { endpoint: Some(endpoint), .. }
            | Self::Create { endpoint, .. }
            | Self::Replace { endpoint, .. }
            | Self::Patch { endpoint, .. }
            | Self::Delete { endpoint, .. } => Some(endpoint),
            _ => None,
        }
    }

    /// The id of the resource that it is about, if it names one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Read { id, .. } | Self::Replace { id, .. } | Self::Patch { id, .. } | Self::Delete { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether it may change something, so that it must not be broken off half-way.
    pub const fn is_write(&self) -> bool {
        match self {
            Self::ServiceProviderConfig
            | Self::ResourceTypes { .. }
            | Self::Schemas { .. }
            | Self::Read { .. }
            | Self::List { .. } => false,
            Self::Create { .. } | Self::Replace { .. } | Self::Patch { .. } | Self::Delete { .. } | Self::Bulk { .. } => true,
        }
    }
}
