//! What a call to the backend came to: who is to blame, and whether a retry may help.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::call::{Answer, is_wait, seconds_in};
use super::xml;
use crate::limits;
use crate::mapping::model::{After, Answers, Call, Meaning, Rule};
use crate::mapping::path::JsonPath;
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
    /// 429, or what the mapping calls so; or there is no turn for the call under `backend.rate`.
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
    answers: Arc<Answers>,
}

/// The backend has not done what it was asked, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// How long it asks to wait before it is asked again.
    pub wait: Option<Duration>,
}

/// Gives an answer its meaning by the call's rules.
pub fn classify(call: &Call, answer: &Answer) -> Outcome {
    meaning(call, answer, document(&call.answers, answer), call.success.as_ref())
}

/// The rule that gives an answer its meaning, if one does.
pub fn rule_of<'c>(call: &'c Call, answer: &Answer) -> Option<&'c Rule> {
    rule_for(&call.rules, answer, &body(call, answer))
}

/// The body of an answer, whatever it means; null if there is none, or none that can be read.
pub fn body(call: &Call, answer: &Answer) -> Value {
    document(&call.answers, answer).unwrap_or_default()
}

/// Whether an answer says that the login has ended. What was asked for was not done then.
pub fn wants_relogin(terms: &Terms, answer: &Answer) -> bool {
    let may = |rule: &Rule| rule.meaning == Meaning::Relogin && has_status(rule, answer.status);
    // Most answers are not looked into for this.
    if !terms.rules.iter().any(may) {
        return false;
    }
    let body = document(&terms.answers, answer).unwrap_or_default();
    rule_for(&terms.rules, answer, &body).is_some_and(|rule| rule.meaning == Meaning::Relogin)
}

/// Gives one result of an answer that has several its meaning: the rules see it as if it were the whole. `success` is about
/// the whole.
pub fn classify_result(call: &Call, status: u16, result: &Value) -> Outcome {
    let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::new() };
    meaning(call, &answer, Ok(result.clone()), None)
}

/// Whether an answer asks for a repetition that cannot do anything twice: a row of the mapping says that nothing was done, or
/// the status is 429 (RFC 6585 section 4) and the wait is short.
pub fn repetition(terms: &Terms, answer: &Answer) -> Option<Repetition> {
    let may_ask = |rule: &Rule| rule.meaning == Meaning::Retry && has_status(rule, answer.status);
    let is_throttled = answer.status == 429;
    if !(is_throttled || terms.rules.iter().any(may_ask)) || answer.body.len() > limits::AGAIN_BYTES {
        return None;
    }
    let body = document(&terms.answers, answer).unwrap_or_default();
    let rule = rule_for(&terms.rules, answer, &body)?;
    let wait = wait(rule, answer, &body);
    let is_short = wait.is_some_and(|wait| wait <= Duration::from_secs(limits::THROTTLE_SECONDS));
    match rule.meaning {
        Meaning::Retry => Some(Repetition { wait }),
        Meaning::Overloaded if is_throttled && is_short => Some(Repetition { wait }),
        _ => None,
    }
}

/// The body of an answer as JSON; null if there is none. The error says what else it is.
fn document(answers: &Answers, answer: &Answer) -> Result<Value, String> {
    let body: &[u8] = &answer.body;
    match answers {
        _ if body.is_empty() => Ok(Value::Null),
        Answers::Json { prefix } => {
            // RFC 8259 section 8.1: nobody writes a byte order mark, and anybody may ignore one.
            let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
            let body = prefix.as_ref().and_then(|prefix| body.strip_prefix(prefix.as_bytes())).unwrap_or(body);
            serde_json::from_slice(body).map_err(|_| "a body that is not JSON".to_owned())
        }
        Answers::Xml { lists } => {
            xml::read(body, charset(answer), lists).map_err(|reason| format!("a body that cannot be read as XML: {reason}"))
        }
    }
}

/// What the media type says about the encoding; it stands before what the document says of itself (RFC 7303 section 3).
fn charset(answer: &Answer) -> Option<&str> {
    let mut parameters = answer.header(&CONTENT_TYPE)?.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"'))
}

fn rule_for<'r>(rules: &'r [Rule], answer: &Answer, body: &Value) -> Option<&'r Rule> {
    rules.iter().find(|rule| {
        has_status(rule, answer.status)
            && rule.headers.iter().all(|(name, begin)| begins_with(&answer.headers, name, begin))
            && rule.when.as_ref().is_none_or(|path| path.holds(body))
    })
}

fn has_status(rule: &Rule, status: u16) -> bool {
    rule.status.as_ref().is_none_or(|range| range.contains(&status))
}

fn begins_with(headers: &HeaderMap, name: &http::HeaderName, begin: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().any(|value| value.trim().to_lowercase().starts_with(begin))
}

/// How long an answer asks to wait, by its rule or else by Retry-After.
fn wait(rule: &Rule, answer: &Answer, body: &Value) -> Option<Duration> {
    let told = match &rule.after {
        Some(After::Time(time)) => Some(*time),
        Some(After::Header(name)) => answer.wait_in(name),
        Some(After::Body(path)) => path.first(body).and_then(|told| match told {
            Value::String(text) => seconds_in(text),
            Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok().filter(is_wait),
            _ => None,
        }),
        None => None,
    };
    told.or_else(|| answer.retry_after())
}

fn meaning(call: &Call, answer: &Answer, parsed: Result<Value, String>, success: Option<&JsonPath>) -> Outcome {
    let status = answer.status;
    let waiting =
        |class, detail: String, retry_after| Outcome::Fault(Fault { class, call: call.name.clone(), detail, retry_after });
    let fault = |class, detail: String| waiting(class, detail, answer.retry_after());
    let empty = Value::Null;
    let body = parsed.as_ref().unwrap_or(&empty);
    if let Some(rule) = rule_for(&call.rules, answer, body) {
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
            Meaning::Overloaded => waiting(FaultClass::Overloaded, format!("status {status}"), wait(rule, answer, body)),
            Meaning::Retry => {
                let detail = format!("status {status}: the backend asks to be called again, as often as it was");
                waiting(FaultClass::Overloaded, detail, wait(rule, answer, body))
            }
            Meaning::Failed => fault(FaultClass::Failed, format!("status {status}")),
        };
    }
    match (status, parsed) {
        // Where there can be no body it says nothing (RFC 9110 sections 15.3.5 and 15.3.6).
        (204 | 205, Ok(body)) if answer.body.is_empty() => Outcome::Good(body),
        (200..=299, Ok(body)) if success.is_some_and(|success| !success.holds(&body)) => {
            let detail = format!(
                "status {status}, but `success` does not hold: if it means more than that it failed, add a row to `errors`"
            );
            fault(FaultClass::Failed, detail)
        }
        (200..=299, Ok(body)) => Outcome::Good(body),
        (200..=299, Err(what)) => fault(FaultClass::Unintelligible, format!("status {status} with {what}")),
        (status, _) => fault(FaultClass::Unexpected, format!("status {status}: give it a meaning under `errors`")),
    }
}

// === impl Terms ===

impl Terms {
    pub fn of(call: &Call) -> Self {
        Self { rules: Arc::clone(&call.rules), answers: Arc::clone(&call.answers) }
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

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
