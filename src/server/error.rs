//! Why a request did not get its answer. Layers return these; [`super::rescue`] alone makes responses of them.

use std::time::Duration;

use crate::engine;
use crate::scim::ScimError;

/// A failure of one request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operation failed, or the request was refused with a SCIM error before it got there.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// No client of the settings sent this.
    #[error("not authenticated: {0}")]
    Unauthorized(Refusal),
    /// The endpoint exists, but not for this method.
    #[error("{method} on {route}")]
    MethodNotAllowed { method: String, route: &'static str, allow: String },
    /// More requests are running than the settings allow.
    #[error("{limit} requests are running already")]
    Overloaded { limit: usize },
    /// The request took longer than the settings allow.
    #[error("no answer within {limit:?}")]
    TimedOut { limit: Duration },
    /// The body stopped before its end, or was no HTTP.
    #[error("the body broke off: {0}")]
    BrokenBody(String),
    /// A bug of the gateway.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// Why credentials were refused. Says nothing about which tokens exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No header Authorization.
    Missing,
    /// Not `Bearer`, a space and a token; or several headers Authorization.
    Malformed,
    /// No client has this token.
    Unknown,
}

// === impl Error ===

impl From<ScimError> for Error {
    fn from(error: ScimError) -> Self {
        Self::Engine(engine::Error::Client(error))
    }
}

// === impl Refusal ===

impl Refusal {
    /// What the client is told.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Missing => "A token is needed: send the header `Authorization: Bearer <token>`.",
            Self::Malformed => {
                "The header Authorization is not understood: send it once, as `Authorization: Bearer <token>`, \
                 with the word Bearer and one space before the token."
            }
            Self::Unknown => {
                "This token is not known here: check that it was copied whole, and that it was not replaced in the \
                 settings of the SCIM service."
            }
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "no token",
            Self::Malformed => "Authorization is not a bearer token",
            Self::Unknown => "unknown token",
        })
    }
}
