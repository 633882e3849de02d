//! Why an operation failed. `server::rescue` is the only place that turns one into an HTTP response.

use crate::scim::ScimError;
use crate::translate::outcome::{Fault, FaultClass};

/// A failed operation, by who is to blame.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The client's request cannot be done; the text is meant for the client.
    #[error(transparent)]
    Client(#[from] ScimError),
    /// The client's request cannot be done, and of what was done for it before, this remains.
    #[error("{error}; what remains: {left:?}")]
    Partly { error: ScimError, left: Vec<String> },
    /// The backend failed, or could not be reached. `left` names changes that were made before and could not be undone.
    #[error("backend {fault}")]
    Backend { fault: Fault, left: Vec<String> },
    /// The mapping cannot do what it was asked; the text is for the operator and tells what to change. `left` as above.
    #[error("mapping: {text}")]
    Mapping { text: String, left: Vec<String> },
    /// Other writes of the same resource take too long. Nothing was done, so that the request may be sent again.
    #[error("busy: {0}")]
    Busy(String),
    /// A fault of the gateway itself.
    #[error("gateway: {text}")]
    Gateway { text: String, left: Vec<String> },
}

impl Error {
    /// The mapping cannot do what it was asked.
    pub fn mapping(text: impl Into<String>) -> Self {
        Self::Mapping { text: text.into(), left: Vec::new() }
    }

    /// A fault of the gateway itself.
    pub fn gateway(text: impl Into<String>) -> Self {
        Self::Gateway { text: text.into(), left: Vec::new() }
    }

    /// Whether the backend may have acted although the call failed: no answer came, or none that can be read.
    pub const fn may_have_acted(&self) -> bool {
        match self {
            Self::Backend { fault, .. } => fault.class.may_have_acted(),
            Self::Client(_) | Self::Partly { .. } | Self::Mapping { .. } | Self::Busy(_) | Self::Gateway { .. } => false,
        }
    }

    /// What remains of the request although it failed, if anything does.
    pub fn left(&self) -> Option<&[String]> {
        match self {
            Self::Partly { left, .. } | Self::Backend { left, .. } | Self::Mapping { left, .. } | Self::Gateway { left, .. }
                if !left.is_empty() =>
            {
                Some(left)
            }
            _ => None,
        }
    }

    /// The error with the changes that remain although the operation failed.
    #[must_use]
    pub fn leaving(self, remain: Vec<String>) -> Self {
        match self {
            Self::Backend { fault, mut left } => {
                left.extend(remain);
                Self::Backend { fault, left }
            }
            Self::Mapping { text, mut left } => {
                left.extend(remain);
                Self::Mapping { text, left }
            }
            Self::Client(error) if !remain.is_empty() => Self::Partly { error, left: remain },
            Self::Partly { error, mut left } => {
                left.extend(remain);
                Self::Partly { error, left }
            }
            Self::Gateway { text, mut left } => {
                left.extend(remain);
                Self::Gateway { text, left }
            }
            // Nothing was done by the part that was busy, but something before it.
            Self::Busy(text) if !remain.is_empty() => Self::Partly { error: ScimError::status(503, text), left: remain },
            other @ (Self::Client(_) | Self::Busy(_)) => other,
        }
    }

    /// The error as a client may see it: without internals.
    pub fn to_scim(&self) -> ScimError {
        match self {
            Self::Client(error) => error.clone(),
            Self::Partly { error, left } => ScimError { detail: format!("{}{}", error.detail, remaining(left)), ..error.clone() },
            Self::Backend { fault, left } => {
                let mut detail = match fault.class {
                    FaultClass::Unreachable => {
                        "The application behind this service cannot be reached; send the request again later."
                    }
                    FaultClass::TimedOut => {
                        "The application behind this service did not answer in time. A change may have been made: read the \
                         resource before you send it again."
                    }
                    FaultClass::Broken => {
                        "The connection to the application behind this service broke before its answer was whole. A change \
                         may have been made: read the resource before you send it again."
                    }
                    FaultClass::Overloaded => {
                        "The application behind this service takes no more requests for now; send it again after the time in \
                         Retry-After."
                    }
                    FaultClass::Failed => {
                        "The application behind this service failed on this. If it was a change, it may have been made all the same: \
                         read the resource before you send it again."
                    }
                    FaultClass::Unauthorized => {
                        "The application behind this service refuses the service's own credentials, not yours: whoever runs \
                         the service has to renew them."
                    }
                    FaultClass::Unintelligible => {
                        "The application behind this service gave an answer that the service does not understand: whoever \
                         runs the service has to look at its mapping. If it was a change, it may have been made: read the \
                         resource before you send it again."
                    }
                    FaultClass::Unexpected => {
                        "The application behind this service gave an answer that the service does not understand: whoever \
                         runs the service has to look at its mapping."
                    }
                }
                .to_owned();
                if !left.is_empty() {
                    detail.push_str(&remaining(left));
                }
                ScimError::status(fault.class.status(), detail)
            }
            Self::Mapping { left, .. } | Self::Gateway { left, .. } => {
                let remain = if left.is_empty() { String::new() } else { remaining(left) };
                ScimError::status(500, format!("The SCIM service itself failed here; the request is not at fault.{remain}"))
            }
            Self::Busy(text) => ScimError::status(503, text.clone()),
        }
    }
}

fn remaining(left: &[String]) -> String {
    format!(" Part of the change was made and could not be taken back: {}. Read the resource before you go on.", left.join(", "))
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Backend { fault, left: Vec::new() }
    }
}
