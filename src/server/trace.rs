//! The span of a request, and the line about it: method, route, status, time. Never a query string, an id or a body,
//! which hold personal data.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderName, HeaderValue};
use tower::{Layer, Service};
use tower_http::request_id::RequestId;
use tracing::Instrument;
use tracing::field::Empty;

use super::step::{Request, Response};
use crate::limits;

/// The header of the request id.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Opens a span around each request.
#[derive(Debug, Clone, Copy)]
pub struct TraceLayer;

/// A service inside spans.
#[derive(Debug, Clone)]
pub struct Trace<S>(S);

/// Tells when a request is dropped before its answer: its client hung up.
struct HangUp {
    since: Instant,
    answered: bool,
}

/// Takes away a request id that could forge log lines, so that a new one is made. RFC 9110 has no word on the header;
/// proxies send UUIDs and the like.
pub fn well_formed_id(mut request: Request) -> Request {
    let good = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        (1..=limits::REQUEST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(harmless)
    };
    if request.headers().get(X_REQUEST_ID).is_some_and(|value| !good(value)) {
        request.headers_mut().remove(X_REQUEST_ID);
    }
    request
}

/// The id that the lines about a request have; `-` outside the stack.
pub fn request_id(request: &Request) -> &str {
    request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or("-")
}

// === impl TraceLayer ===

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Trace(inner)
    }
}

// === impl Trace ===

impl<S> Service<Request> for Trace<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut inner = self.0.clone();
        let id = request_id(&request);
        // Of level error, so that a warning has its request id under every filter.
        let span = tracing::error_span!(
            "request",
            request_id = %id,
            method = %request.method(),
            route = Empty,
            endpoint = Empty,
            client = Empty
        );
        let mut hang_up = HangUp { since: Instant::now(), answered: false };
        Box::pin(
            async move {
                let response = inner.call(request).await?;
                hang_up.disarm(&response);
                Ok(response)
            }
            .instrument(span),
        )
    }
}

// === impl HangUp ===

impl HangUp {
    fn disarm(&mut self, response: &Response) {
        self.answered = true;
        tracing::info!(status = response.status().as_u16(), ms = millis(self.since), "answered");
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        if !self.answered {
            tracing::info!(ms = millis(self.since), "the client hung up before its answer");
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
