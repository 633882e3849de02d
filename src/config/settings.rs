//! What may be written into the file of settings.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// The settings as they are written. [`super::check`] makes [`super::Resolved`] of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address and port to listen on: `127.0.0.1:8080` for this machine alone, `0.0.0.0:8080` for all.
    pub listen: String,
    /// The path that the service is mounted at. Clients get it as the end of their base URL.
    pub base_path: String,
    /// The base URL as clients know it, path included, where a proxy stands in front:
    /// `https://scim.example.com/scim/v2`. Empty: what each request says in its header Host.
    pub public_url: String,
    /// The file of the mapping, from the folder of the file of settings.
    pub mapping: String,
    /// Whether the mapping is read again when its file, or a file of its secrets, has changed. SIGHUP does that in any case.
    pub reload: bool,
    /// The profile of clients that name none: `lenient` or `strict`.
    pub profile: String,
    /// Who may connect; at least one.
    pub clients: Vec<Client>,
    /// Whether /ServiceProviderConfig is readable without a token, as RFC 7643 section 5 recommends.
    pub discovery_without_token: bool,
    pub limits: Limits,
    /// What is logged, in the syntax of tracing's EnvFilter: `info`, `warn,scimitar=debug`. Empty: warnings, and a line
    /// when the service starts.
    pub log: String,
}

/// One client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The name in logs.
    pub name: String,
    /// Where its bearer token is: `${ENV_NAME}` or `${file:/path}`.
    pub token: Reference,
    /// Its profile. Empty: that of the settings.
    pub profile: String,
}

/// Text that may refer to secrets, or be one by mistake: never shown.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

/// Bounds that an operator may want to move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the body of a request.
    pub request_bytes: u64,
    /// Time for a request, all calls to the backend included: `60s`, `1m 30s`.
    pub request_timeout: String,
    /// Requests that run at once; more get 503.
    pub concurrent_requests: u64,
    /// Connections at once; more wait.
    pub connections: u64,
    /// Time for running requests to end after a signal to stop. Kubernetes ends a pod after 30 s.
    pub drain_timeout: String,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            base_path: "/scim/v2".to_owned(),
            public_url: String::new(),
            mapping: String::new(),
            reload: true,
            profile: "lenient".to_owned(),
            clients: Vec::new(),
            discovery_without_token: true,
            limits: Limits::default(),
            log: String::new(),
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: limits::REQUEST_BYTES as u64,
            request_timeout: format!("{}s", limits::REQUEST_SECONDS),
            concurrent_requests: limits::REQUESTS as u64,
            connections: limits::CONNECTIONS as u64,
            drain_timeout: format!("{}s", limits::DRAIN_SECONDS),
        }
    }
}

// === impl Reference ===

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(..)")
    }
}
