//! Why an operation failed. `server::rescue` is the only place that turns one into an HTTP response.

use crate::scim::ScimError;
use crate::translate::outcome::Fault;

/// A failed operation, by who is to blame.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The client's request cannot be done; the text is meant for the client.
    #[error(transparent)]
    Client(#[from] ScimError),
    /// The backend failed, or could not be reached. `left` names changes that were made before and could not be undone.
    #[error("backend {fault}")]
    Backend { fault: Fault, left: Vec<String> },
    /// The mapping cannot do what it was asked; the text is for the operator and tells what to change.
    #[error("mapping: {0}")]
    Mapping(String),
    /// A fault of the gateway itself.
    #[error("gateway: {0}")]
    Gateway(String),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Backend { fault, left: Vec::new() }
    }
}
