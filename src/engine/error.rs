//! Why an operation failed. `server::rescue` is the only place that turns one into an HTTP response.

use crate::scim::ScimError;
use crate::translate::outcome::{Fault, FaultClass};

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

impl Error {
    /// The error with the changes that remain although the operation failed.
    #[must_use]
    pub fn leaving(self, remain: Vec<String>) -> Self {
        match self {
            Self::Backend { fault, mut left } => {
                left.extend(remain);
                Self::Backend { fault, left }
            }
            Self::Client(error) if !remain.is_empty() => {
                let detail = format!("{} These changes were made before and could not be undone: {}.", error.detail, remain.join(", "));
                Self::Client(ScimError { detail, ..error })
            }
            other => other,
        }
    }

    /// The error as a client may see it: without internals.
    pub fn to_scim(&self) -> ScimError {
        match self {
            Self::Client(error) => error.clone(),
            Self::Backend { fault, left } => {
                let what = match fault.class {
                    FaultClass::Unreachable => "The application behind this service cannot be reached. Try again later.",
                    FaultClass::TimedOut => "The application behind this service did not answer in time. A change may have been made: read before you repeat it.",
                    FaultClass::Overloaded => "The application behind this service asks for patience. Try again later.",
                    FaultClass::Failed => "The application behind this service failed. Try again later, or ask its operator.",
                    FaultClass::Unauthorized => "The application behind this service refuses the gateway's credentials. Ask the operator of the gateway.",
                    FaultClass::Unintelligible => "The application behind this service gave an answer that cannot be understood. Ask the operator of the gateway.",
                    FaultClass::Unexpected => "The application behind this service gave an unexpected answer. Ask the operator of the gateway.",
                };
                let mut detail = what.to_owned();
                if !left.is_empty() {
                    detail.push_str(&format!(" These changes were made before and could not be undone: {}.", left.join(", ")));
                }
                ScimError::status(fault.class.status(), detail)
            }
            Self::Mapping(_) => ScimError::status(500, "The mapping of this service cannot do this. Ask the operator of the gateway."),
            Self::Gateway(_) => ScimError::status(500, "The gateway failed. Ask its operator."),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Backend { fault, left: Vec::new() }
    }
}
