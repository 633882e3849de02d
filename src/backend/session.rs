//! A login: made at the first call, sent with all others, made again when it has ended. One at a time, whoever needs it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tower::{BoxError, ServiceExt as _};

use super::cookies::Jar;
use super::credentials::{Below, add_header, add_parameter};
use super::request::Writer;
use super::stack::{self, About, Outbound};
use crate::limits;
use crate::mapping::convert::text;
use crate::mapping::model::{Session, Source};
use crate::mapping::template::{RenderError, Scope};
use crate::translate::call::{Answer, build};
use crate::translate::outcome::{self, Fault, FaultClass, Outcome};

/// The login of one backend.
pub(super) struct Sessions {
    session: Session,
    writer: Writer,
    state: Mutex<State>,
    /// Whoever holds it logs in; the others wait for what comes of it.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    pass: Option<Pass>,
    /// Logins that were made.
    count: u64,
    /// A login failed: until then the next ones do, too, and no call is made for them.
    failed: Option<(Instant, Fault)>,
    /// A new login was refused like the one before: until then none is made because of a refusal.
    useless: Option<Instant>,
}

/// What a login gave.
#[derive(Clone)]
struct Pass {
    number: u64,
    kept: Map<String, Value>,
    cookies: Jar,
    ends: Option<Instant>,
    used: Instant,
}

// === impl Sessions ===

impl Sessions {
    pub(super) fn new(session: Session, writer: Writer) -> Self {
        Self { session, writer, state: Mutex::default(), gate: tokio::sync::Mutex::default() }
    }

    /// Sends a request. If its answer says that the login has ended, the request was not performed: it is sent once more with a
    /// new one, whatever it does.
    pub(super) async fn send<S: Below>(&self, inner: S, request: Outbound) -> Result<Answer, BoxError> {
        let about = request.extensions().get::<About>().cloned();
        let ended = |answer: &Answer| about.as_ref().is_some_and(|about| outcome::wants_relogin(&about.terms, answer));
        let pass = self.pass(&inner).await?;
        let answer = self.attempt(inner.clone(), request.clone(), &pass).await?;
        if !ended(&answer) {
            return Ok(answer);
        }
        let Some(pass) = self.renewed(&inner, pass.number).await? else { return Ok(answer) };
        let answer = self.attempt(inner, request, &pass).await?;
        if ended(&answer) {
            self.state().useless = Some(Instant::now() + pause(None));
        }
        Ok(answer)
    }

    async fn attempt<S: Below>(&self, inner: S, mut request: Outbound, pass: &Pass) -> Result<Answer, BoxError> {
        self.attach(&mut request, pass)?;
        let answer = inner.oneshot(request).await?;
        self.observe(pass.number, &answer);
        Ok(answer)
    }

    /// A login that has not ended, as far as one can tell from here.
    async fn pass<S: Below>(&self, inner: &S) -> Result<Pass, Fault> {
        if let Some(pass) = self.present(None) {
            return Ok(pass);
        }
        let _gate = self.gate.lock().await;
        match self.present(None) {
            Some(pass) => Ok(pass),
            None => self.login(inner).await,
        }
    }

    /// Another login than this one, which was refused; `None` if a new one is likely to be refused, too.
    async fn renewed<S: Below>(&self, inner: &S, refused: u64) -> Result<Option<Pass>, Fault> {
        let _gate = self.gate.lock().await;
        if let Some(pass) = self.present(Some(refused)) {
            return Ok(Some(pass));
        }
        if self.state().useless.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        self.login(inner).await.map(Some)
    }

    /// What the last login gave, if it can still be used, and is not the one that was refused.
    fn present(&self, refused: Option<u64>) -> Option<Pass> {
        let now = Instant::now();
        let mut state = self.state();
        let idle = self.session.expires.idle;
        let pass = state.pass.as_mut().filter(|pass| {
            Some(pass.number) != refused
                && pass.ends.is_none_or(|ends| now < ends)
                && idle.is_none_or(|idle| now.duration_since(pass.used) < idle)
        })?;
        pass.used = now;
        Some(pass.clone())
    }

    /// Logs in. What went wrong a moment ago is not tried again.
    async fn login<S: Below>(&self, inner: &S) -> Result<Pass, Fault> {
        if let Some((until, fault)) = &self.state().failed
            && Instant::now() < *until
        {
            return Err(fault.clone());
        }
        let begun = Instant::now();
        let result = self.ask(inner.clone(), begun).await;
        let mut state = self.state();
        match result {
            Ok(mut pass) => {
                state.count += 1;
                pass.number = state.count;
                state.failed = None;
                state.pass = Some(pass.clone());
                tracing::info!(call = self.session.call.name, "logged in to the backend");
                Ok(pass)
            }
            Err(fault) => {
                tracing::warn!(call = self.session.call.name, class = fault.class.as_str(), "no login: {}", fault.detail);
                state.failed = Some((Instant::now() + pause(fault.retry_after), fault.clone()));
                Err(fault)
            }
        }
    }

    async fn ask<S: Below>(&self, inner: S, begun: Instant) -> Result<Pass, Fault> {
        let call = &self.session.call;
        let secrets: Map<String, Value> = self.session.secrets.iter().map(exposed).collect();
        let scope = Scope { kept: Some(&secrets), ..Scope::default() };
        let unwritable = |error: String| self.fault(FaultClass::Unexpected, format!("the login cannot be written: {error}"));
        let mut written = build(call, &scope, None).map_err(|error| unwritable(error.to_string()))?;
        written.headers.iter_mut().for_each(|(_, value)| value.set_sensitive(true));
        let request = self.writer.write(&written).map_err(|error| unwritable(error.to_string()))?;
        let answer = inner.oneshot(request).await.map_err(|error| self.failure(&stack::describe(&call.name, &*error)))?;
        let status = answer.status;
        let refused =
            || self.fault(FaultClass::Unauthorized, format!("the login is refused: status {status}: check `backend.auth`"));
        match outcome::classify(call, &answer) {
            Outcome::Good(body) => self.keep(&answer, &body, begun),
            // The mapping says that this is a success, whatever it looks like.
            Outcome::Done => self.keep(&answer, &outcome::body(call, &answer), begun),
            // A failure told by an answer that is none is a login that was not granted.
            Outcome::Fault(fault) if fault.class == FaultClass::Failed && status < 500 => Err(refused()),
            Outcome::Fault(fault) if fault.class != FaultClass::Unauthorized => Err(self.failure(&fault)),
            _ => Err(refused()),
        }
    }

    /// What the answer to a login gives.
    fn keep(&self, answer: &Answer, body: &Value, begun: Instant) -> Result<Pass, Fault> {
        let cookies = Jar::of(&answer.headers);
        let sent = self.session.secrets.iter().filter(|(name, _)| self.session.sends(name));
        let mut kept: Map<String, Value> = sent.map(exposed).collect();
        for (name, source) in &self.session.keep {
            let (value, place) = match source {
                Source::Body(path) => (path.first(body).filter(|value| is_text(value)).map(text), path.as_str().to_owned()),
                Source::Header(header) => (answer.header(header).map(str::to_owned), format!("the header {header}")),
                Source::Cookie(cookie) => (cookies.get(cookie).map(str::to_owned), format!("the cookie {cookie}")),
            };
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                let detail = format!("the answer to the login has no text at {place} for `{name}`: paths begin at its root");
                return Err(self.fault(FaultClass::Unauthorized, detail));
            };
            kept.insert(name.clone(), Value::from(value));
        }
        if self.session.headers.is_empty() && self.session.query.is_empty() && cookies.header(None).is_none() {
            return Err(self.fault(FaultClass::Unauthorized, "the answer to the login sets no cookie".to_owned()));
        }
        let told = self.session.expires.told.as_ref().and_then(|path| path.first(body));
        let told = told.and_then(|told| text(told).parse().ok()).filter(|seconds| *seconds > 0).map(|seconds| {
            // Very short ones keep the most of their time.
            Duration::from_secs(seconds).saturating_sub(Duration::from_secs(limits::TOKEN_SPARE_SECONDS.min(seconds / 4)))
        });
        let lifetime = [told, self.session.expires.after].into_iter().flatten().min();
        // A time beyond all clocks is no end.
        let ends = lifetime.and_then(|lifetime| begun.checked_add(lifetime));
        Ok(Pass { number: 0, kept, cookies, ends, used: begun })
    }

    /// Puts what a login gave into a request.
    fn attach(&self, request: &mut Outbound, pass: &Pass) -> Result<(), BoxError> {
        let scope = Scope { kept: Some(&pass.kept), ..Scope::default() };
        let unwritable =
            |error: &RenderError| self.fault(FaultClass::Unauthorized, format!("what the login gave cannot be sent: {error}"));
        for (name, template) in &self.session.headers {
            let value = template.header(&scope).map_err(|error| unwritable(&error))?;
            add_header(request, name, HeaderValue::from_str(&value)?);
        }
        for (name, template) in &self.session.query {
            add_parameter(request, name, &template.parameter(&scope).map_err(|error| unwritable(&error))?)?;
        }
        if self.session.cookies
            && let Some(cookies) = pass.cookies.header(request.headers().get(http::header::COOKIE))
        {
            request.headers_mut().insert(http::header::COOKIE, cookies);
        }
        Ok(())
    }

    /// Later answers may renew cookies, and what is kept of headers.
    fn observe(&self, number: u64, answer: &Answer) {
        let mut state = self.state();
        let Some(pass) = state.pass.as_mut().filter(|pass| pass.number == number) else { return };
        pass.cookies.renew(&answer.headers);
        for (name, source) in &self.session.keep {
            let value = match source {
                Source::Body(_) => continue,
                Source::Header(header) => answer.header(header),
                Source::Cookie(cookie) => pass.cookies.get(cookie),
            };
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                pass.kept.insert(name.clone(), Value::from(value));
            }
        }
    }

    fn fault(&self, class: FaultClass, detail: String) -> Fault {
        Fault { class, call: self.session.call.name.clone(), detail, retry_after: None }
    }

    /// A login that failed, as a fault of the call that needed it: that one was not made, so that nobody may have acted.
    fn failure(&self, fault: &Fault) -> Fault {
        let class = match fault.class {
            FaultClass::Unreachable | FaultClass::Broken | FaultClass::TimedOut | FaultClass::Failed => FaultClass::Unreachable,
            FaultClass::Overloaded => FaultClass::Overloaded,
            FaultClass::Unauthorized | FaultClass::Unintelligible | FaultClass::Unexpected => FaultClass::Unauthorized,
        };
        Fault { retry_after: fault.retry_after, ..self.fault(class, format!("the login failed: {}", fault.detail)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long no login is made after one that was of no use.
fn pause(asked: Option<Duration>) -> Duration {
    let least = Duration::from_secs(limits::LOGIN_PAUSE_SECONDS);
    asked.unwrap_or(least).clamp(least, Duration::from_secs(limits::LOGIN_PAUSE_MOST_SECONDS))
}

/// A secret as the value of a variable.
pub(super) fn exposed((name, secret): &(String, SecretString)) -> (String, Value) {
    (name.clone(), Value::from(secret.expose_secret()))
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
