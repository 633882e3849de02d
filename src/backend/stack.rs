//! THE outbound tower stack, built once.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder};

use super::again::AgainLayer;
use super::body::{self, BodyError};
use super::credentials::{Credentials, Way};
use super::rate::{NoTurn, RateLayer};
use crate::limits;
use crate::mapping::model;
use crate::translate::call::Answer;
use crate::translate::outcome::{Fault, FaultClass, Terms};

/// A request in the stack.
pub(super) type Outbound = Request<Full<Bytes>>;

/// The stack, boxed at this one boundary.
pub(super) type Stack = BoxCloneSyncService<Outbound, Answer, BoxError>;

/// What the layers know of the call that a request is for; in its extensions.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) terms: Terms,
    /// When no pause may end any more.
    pub(super) deadline: Option<std::time::Instant>,
}

/// The pooled client, reading answers to their end.
#[derive(Clone)]
struct Whole {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

pub(super) fn build(settings: &model::Backend, tls: rustls::ClientConfig, way: Way) -> Stack {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(Duration::from_secs(limits::CONNECT_SECONDS)));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let https = https.enable_http1().enable_http2().wrap_connector(http);
    let client = Client::builder(TokioExecutor::new())
        // Without a timer idle connections would never be closed.
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(limits::POOL_IDLE_SECONDS))
        // Left on: a request is sent again only if the pooled connection was closed before any of it was written.
        .retry_canceled_requests(true)
        .build(https);
    BoxCloneSyncService::new(
        ServiceBuilder::new()
            // Above all that a repetition has to go through again; it may need another login.
            .layer(AgainLayer)
            // Above the time for one call: a login is a call of its own, and so is the repetition behind it.
            .layer(Credentials::new(way))
            // Each repetition and each login is a call. Above the time-out: waiting for a turn says nothing about the backend.
            .layer(RateLayer::new(settings.rate))
            // The time is for connecting, waiting for the answer and reading its body together.
            .timeout(settings.timeout)
            .service(Whole { client }),
    )
}

/// What an error of the stack is. Its text names neither URL nor header.
pub(super) fn describe(call: &str, error: &(dyn StdError + Send + Sync + 'static)) -> Fault {
    let (class, detail) = class(error);
    let retry_after = error.downcast_ref::<NoTurn>().map(|refused| refused.wait);
    Fault { class, call: call.to_owned(), detail, retry_after }
}

fn class(error: &(dyn StdError + Send + Sync + 'static)) -> (FaultClass, String) {
    if error.is::<tower::timeout::error::Elapsed>() {
        return (FaultClass::TimedOut, "no answer within `backend.timeout`".to_owned());
    }
    if error.is::<NoTurn>() {
        return (FaultClass::Overloaded, error.to_string());
    }
    match error.downcast_ref::<BodyError>() {
        Some(cut @ BodyError::Cut(_)) => (FaultClass::Broken, cut.to_string()),
        Some(body) => (FaultClass::Unintelligible, body.to_string()),
        // Only where no connection was made is it certain that the backend did nothing.
        None if error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) => {
            (FaultClass::Unreachable, chain(error))
        }
        None => (FaultClass::Broken, chain(error)),
    }
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

// === impl About ===

impl About {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline.map(Instant::from_std)
    }

    /// Whether the request is not over by then.
    pub(super) fn lasts(&self, until: Instant) -> bool {
        self.deadline().is_none_or(|deadline| until < deadline)
    }
}

// === impl Whole ===

impl Service<Outbound> for Whole {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Outbound) -> Self::Future {
        let response = self.client.request(request);
        Box::pin(async move {
            let (head, body) = response.await?.into_parts();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body::read(body).await? })
        })
    }
}
