//! What a call to the backend came to: who is to blame, and whether a retry may help.

use std::time::Duration;

/// A failure that is the backend's, or lies between it and the gateway. Never the client's doing, and never told to
/// the client as 401 or 404.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{call}: {class}: {detail}")]
pub struct Fault {
    pub class: FaultClass,
    /// The operation of the mapping (`User.get`), never a URL.
    pub call: String,
    /// For the operator's log. Holds no secret and no personal data, but may hold internals: not for the client.
    pub detail: String,
    /// How long the backend asked to wait.
    pub retry_after: Option<Duration>,
}

/// The kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// No connection, or it broke before an answer was there.
    Unreachable,
    /// No answer in time. A write may have happened.
    TimedOut,
    /// 429, or what the mapping calls so.
    Overloaded,
    /// 5xx, or what the mapping calls a failure.
    Failed,
    /// The backend refuses the gateway's own credentials.
    Unauthorized,
    /// The answer is cut off, not the announced format, too large, or lacks what the mapping promises.
    Unintelligible,
    /// A status or body that neither HTTP nor the mapping gives a meaning to.
    Unexpected,
}

impl FaultClass {
    /// The status for the client: 504 for a time-out, 503 where a retry may help, else 502.
    pub const fn status(self) -> u16 {
        match self {
            Self::TimedOut => 504,
            Self::Unreachable | Self::Overloaded => 503,
            Self::Failed | Self::Unauthorized | Self::Unintelligible | Self::Unexpected => 502,
        }
    }

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Overloaded => "overloaded",
            Self::Failed => "failed",
            Self::Unauthorized => "unauthorized",
            Self::Unintelligible => "unintelligible",
            Self::Unexpected => "unexpected",
        }
    }
}

impl std::fmt::Display for FaultClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
