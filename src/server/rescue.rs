//! The only place where an error becomes a response. The client is told what to do and the request id; the log gets
//! the internals.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use tower::{Layer, Service};

use super::Error;
use super::error::Refusal;
use super::respond;
use super::step::{Next, Request, Response};
use super::trace::request_id;
use crate::engine;
use crate::scim::ScimError;
use crate::translate::outcome::Fault;

/// What a client that was shed or met a dead backend is asked to wait for when nobody knows better.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(5);

/// Turns every error and panic below it into a response.
#[derive(Debug, Clone, Copy)]
pub struct RescueLayer;

/// A service that always answers.
#[derive(Debug, Clone)]
pub struct Rescue<S>(S);

/// What the client gets for an error.
struct Rescued {
    error: ScimError,
    headers: Vec<(HeaderName, String)>,
}

// === impl RescueLayer ===

impl<S> Layer<S> for RescueLayer {
    type Service = Rescue<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Rescue(inner)
    }
}

// === impl Rescue ===

impl<S: Next> Service<Request> for Rescue<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut inner = self.0.clone();
        let method = request.method().clone();
        let id = request_id(&request).to_owned();
        Box::pin(async move {
            let answer = AssertUnwindSafe(async move { inner.call(request).await }).catch_unwind().await;
            let answer = answer.unwrap_or_else(|panic| Err(Error::Panicked(panic_text(&*panic))));
            let response = answer.unwrap_or_else(|error| response(&error, &id));
            Ok(respond::for_method(&method, response))
        })
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a value that is not text".to_owned())
}

/// The response for an error, which is logged on the way.
pub fn response(error: &Error, request_id: &str) -> Response {
    let rescued = rescue(error, request_id);
    log(error, rescued.error.status);
    // An error with the status of a success would be a lie whatever its body says.
    let status = StatusCode::from_u16(rescued.error.status).ok().filter(|status| status.as_u16() >= 400);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = ScimError { status: status.as_u16(), ..rescued.error }.body();
    let mut response = respond::json(status, &body).unwrap_or_else(|_| respond::empty(status));
    for (name, value) in rescued.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn rescue(error: &Error, request_id: &str) -> Rescued {
    let plain = |error: ScimError| Rescued { error, headers: Vec::new() };
    match error {
        Error::Engine(engine::Error::Client(error)) => plain(error.clone()),
        Error::Engine(error @ engine::Error::Partly { .. }) => plain(error.to_scim()),
        Error::Engine(error @ engine::Error::Backend { fault, .. }) => backend(error, fault, request_id),
        Error::Engine(error @ engine::Error::Busy(_)) => {
            Rescued { error: error.to_scim(), headers: vec![retry_after(RETRY_AFTER_DEFAULT)] }
        }
        Error::Engine(error @ (engine::Error::Mapping { .. } | engine::Error::Gateway { .. })) => {
            plain(gateway(&error.to_scim().detail, request_id))
        }
        Error::Panicked(_) => plain(gateway("The SCIM service itself failed here; the request is not at fault.", request_id)),
        Error::Unauthorized(refusal) => {
            // RFC 6750 section 3.1: no error code where no credentials were sent.
            let challenge = match refusal {
                Refusal::Missing => r#"Bearer realm="scim""#,
                Refusal::Malformed => r#"Bearer realm="scim", error="invalid_request""#,
                Refusal::Unknown => r#"Bearer realm="scim", error="invalid_token""#,
            };
            Rescued { error: ScimError::status(401, refusal.advice()), headers: vec![(WWW_AUTHENTICATE, challenge.to_owned())] }
        }
        Error::MethodNotAllowed { method, route, allow } => Rescued {
            error: ScimError::status(405, format!("{method} is not possible on {route}; these are: {allow}.")),
            headers: vec![(ALLOW, allow.clone())],
        },
        Error::Overloaded { .. } => Rescued {
            error: ScimError::status(
                503,
                "Too many requests are running here: nothing was done; send it again after the time in Retry-After.",
            ),
            headers: vec![retry_after(RETRY_AFTER_DEFAULT)],
        },
        Error::TimedOut { limit } => plain(ScimError::status(
            504,
            format!(
                "No answer within {} s. A change may have been made or be under way: read the resource before you send it \
                 again. Request id {request_id}.",
                limit.as_secs_f64()
            ),
        )),
        Error::BrokenBody(_) => plain(ScimError::status(400, "The body broke off before its end: send the request again.")),
    }
}

fn gateway(detail: &str, request_id: &str) -> ScimError {
    ScimError::status(
        500,
        format!("{detail} The log tells the reason under the request id {request_id}: pass that on to whoever runs the service."),
    )
}

fn backend(error: &engine::Error, fault: &Fault, request_id: &str) -> Rescued {
    let status = fault.class.status();
    let wait = fault.retry_after.or((status == 503).then_some(RETRY_AFTER_DEFAULT));
    let error = error.to_scim();
    let error = ScimError { detail: format!("{} Request id {request_id}.", error.detail), ..error };
    Rescued { error, headers: wait.map(retry_after).into_iter().collect() }
}

/// In whole seconds, and never less than was asked for.
fn retry_after(wait: Duration) -> (HeaderName, String) {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    (RETRY_AFTER, seconds.max(1).to_string())
}

/// Refused requests are no news for an operator, so they are seen at level info only.
fn log(error: &Error, status: u16) {
    match error {
        Error::Engine(engine::Error::Client(error) | engine::Error::Partly { error, .. }) => {
            tracing::info!(status, %error, "refused");
        }
        Error::Engine(engine::Error::Backend { fault, left }) => tracing::warn!(
            status,
            class = %fault.class,
            call = %fault.call,
            left = ?left,
            error = %fault.detail,
            "the backend failed"
        ),
        Error::Engine(engine::Error::Mapping { .. } | engine::Error::Gateway { .. }) | Error::Panicked(_) => {
            tracing::error!(status, %error, "the gateway failed");
        }
        Error::Engine(engine::Error::Busy(_)) | Error::Overloaded { .. } | Error::TimedOut { .. } => {
            tracing::warn!(status, %error, "gave up");
        }
        Error::Unauthorized(_) | Error::MethodNotAllowed { .. } | Error::BrokenBody(_) => {
            tracing::info!(status, %error, "refused");
        }
    }
}
