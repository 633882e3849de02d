//! What a call to the backend came to: who is to blame, and whether a retry may help.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::call::Answer;
use crate::mapping::model::{Call, Meaning, Rule};
use crate::mapping::template::Scope;
use crate::scim::{ScimError, ScimType};

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
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// The connection broke before the answer was whole. A write may have happened.
    Broken,
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

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The call did what it is for. The whole body; `null` if there was none. [`Call::envelope`] leads to the payload.
    Good(Value),
    /// What was asked for is so already.
    Done,
    /// There is no such thing.
    NotFound,
    /// The revision is not the present one.
    Stale,
    /// The backend says no, in words for the client.
    Refused(ScimError),
    /// The backend does not know these members, by their keys; none are named if the answer names none.
    UnknownMembers(Vec<Value>),
    /// The backend failed.
    Fault(Fault),
}

/// What of a call says whether an answer asks for its repetition.
#[derive(Debug, Clone)]
pub struct Terms {
    rules: Arc<[Rule]>,
}

/// Gives an answer its meaning by the call's rules.
pub fn classify(call: &Call, answer: &Answer) -> Outcome {
    meaning(call, answer.status, parsed(answer), answer.retry_after())
}

/// The rule that gives an answer its meaning, if one does.
pub fn rule_of<'c>(call: &'c Call, answer: &Answer) -> Option<&'c Rule> {
    let body = parsed(answer).unwrap_or_default();
    call.rules.iter().find(|rule| applies(rule, answer.status, &body))
}

/// The body; `null` if there is none, nothing if it is not JSON.
fn parsed(answer: &Answer) -> Option<Value> {
    if answer.body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&answer.body).ok() }
}

/// Whether an answer says that the login has ended. What was asked for was not done then.
pub fn wants_relogin(terms: &Terms, answer: &Answer) -> bool {
    let may =
        |rule: &Rule| rule.meaning == Meaning::Relogin && rule.status.as_ref().is_none_or(|range| range.contains(&answer.status));
    // Most answers are not looked into for this.
    if !terms.rules.iter().any(may) {
        return false;
    }
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let rule = terms.rules.iter().find(|rule| applies(rule, answer.status, &body));
    rule.is_some_and(|rule| rule.meaning == Meaning::Relogin)
}

/// Gives one result of an answer that has several its meaning: the rules see it as if it were the whole.
pub fn classify_result(call: &Call, status: u16, result: &Value) -> Outcome {
    meaning(call, status, Some(result.clone()), None)
}

fn meaning(call: &Call, status: u16, parsed: Option<Value>, retry_after: Option<Duration>) -> Outcome {
    let fault = |class, detail: String| Outcome::Fault(Fault { class, call: call.name.clone(), detail, retry_after });
    let empty = Value::Null;
    let body = parsed.as_ref().unwrap_or(&empty);
    if let Some(rule) = call.rules.iter().find(|rule| applies(rule, status, body)) {
        let detail = || {
            let scope = Scope { body: Some(body), ..Scope::default() };
            rule.detail.as_ref().and_then(|template| template.text(&scope).ok())
        };
        let refused =
            |scim_type, usual: &str| Outcome::Refused(ScimError::new(scim_type, detail().unwrap_or_else(|| usual.to_owned())));
        return match rule.meaning {
            Meaning::NotFound => Outcome::NotFound,
            Meaning::Uniqueness => refused(ScimType::Uniqueness, "Another resource has this value already."),
            Meaning::InvalidValue => refused(ScimType::InvalidValue, "The application does not accept one of the values."),
            Meaning::Mutability => refused(ScimType::Mutability, "The application does not let this value be changed."),
            Meaning::Stale => Outcome::Stale,
            Meaning::Done => Outcome::Done,
            Meaning::UnknownMember => Outcome::UnknownMembers(
                rule.members.as_ref().map(|path| path.all(body).into_iter().cloned().collect()).unwrap_or_default(),
            ),
            Meaning::Forbidden => Outcome::Refused(ScimError::status(
                403,
                detail().unwrap_or_else(|| "The application does not allow this.".to_owned()),
            )),
            Meaning::Unauthorized => {
                fault(FaultClass::Unauthorized, format!("status {status}: check the credentials under `backend.auth`"))
            }
            // A new login did not help, or there was no time for one.
            Meaning::Relogin => {
                fault(FaultClass::Unauthorized, format!("status {status}: the login has ended, or is not enough for this call"))
            }
            Meaning::Overloaded => fault(FaultClass::Overloaded, format!("status {status}")),
            Meaning::Failed => fault(FaultClass::Failed, format!("status {status}")),
        };
    }
    match (status, parsed) {
        (200..=299, Some(body)) => Outcome::Good(body),
        (200..=299, None) => fault(FaultClass::Unintelligible, format!("status {status} with a body that is not JSON")),
        (status, _) => fault(FaultClass::Unexpected, format!("status {status}: give it a meaning under `errors`")),
    }
}

fn applies(rule: &Rule, status: u16, body: &Value) -> bool {
    rule.status.as_ref().is_none_or(|range| range.contains(&status)) && rule.when.as_ref().is_none_or(|path| path.holds(body))
}

// === impl Terms ===

impl Terms {
    pub fn of(call: &Call) -> Self {
        Self { rules: Arc::clone(&call.rules) }
    }
}

// === impl FaultClass ===

impl FaultClass {
    /// The status for the client: 504 for a time-out, 503 where a retry may help, else 502.
    pub const fn status(self) -> u16 {
        match self {
            Self::TimedOut => 504,
            Self::Unreachable | Self::Overloaded => 503,
            Self::Broken | Self::Failed | Self::Unauthorized | Self::Unintelligible | Self::Unexpected => 502,
        }
    }

    /// Whether the backend may have acted: no answer came, or none that can be read.
    pub const fn may_have_acted(self) -> bool {
        match self {
            Self::Broken | Self::TimedOut | Self::Failed | Self::Unintelligible => true,
            Self::Unreachable | Self::Overloaded | Self::Unauthorized | Self::Unexpected => false,
        }
    }

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
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
