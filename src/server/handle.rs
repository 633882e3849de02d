//! The bottom of the stack: an HTTP request becomes an operation, and its reply a response.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ALLOW, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::auth::Principal;
use super::base::BaseUrl;
use super::query::Parameters;
use super::rescue::panic_text;
use super::routes::{self, Route};
use super::shed::Place;
use super::step::{Body, Request, Response};
use super::{Error, Service, Services, body, media, respond};
use crate::engine;
use crate::engine::{Context, Reply, ScimRequest};
use crate::limits;
use crate::scim::bulk::BulkRequest;
use crate::scim::messages::SearchRequest;
use crate::scim::{ScimError, json};

/// Hands requests to the service of the moment.
pub struct Handler<S>(Arc<Shared<S>>);

struct Shared<S> {
    services: S,
    base: BaseUrl,
    /// How long a write may run; longer than its client waits.
    write_limit: Duration,
    /// How long a job may begin operations; shorter than its client waits, which is to get the results.
    job_limit: Duration,
}

// === impl Handler ===

impl<S: Services> Handler<S> {
    pub fn new(services: S, base: BaseUrl, request_timeout: Duration) -> Self {
        let write_limit = request_timeout.saturating_add(Duration::from_secs(limits::WRITE_GRACE_SECONDS));
        let job_limit = request_timeout.saturating_sub(request_timeout / limits::BULK_SPARE);
        Self(Arc::new(Shared { services, base, write_limit, job_limit }))
    }
}

impl<S> Clone for Handler<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Services> tower::Service<Request> for Handler<S> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(handle(Arc::clone(&self.0), request))
    }
}

async fn handle<S: Services>(shared: Arc<Shared<S>>, request: Request) -> Result<Response, Error> {
    // Once, so that a reload meanwhile changes neither what the path names nor what is done.
    let service = shared.services.current();
    // The upload of the body counts, as it does for the time of the whole request.
    let deadline = Instant::now().checked_add(shared.job_limit);
    let (parts, body) = request.into_parts();
    let route = routes::resolve(shared.base.path(), service.endpoints(), parts.uri.path())?;
    let span = tracing::Span::current();
    span.record("route", route.pattern());
    if let Some(endpoint) = route.endpoint() {
        span.record("endpoint", endpoint);
    }
    if route == Route::Me {
        return Err(
            ScimError::status(501, "/Me is not served here (RFC 7644 section 3.11): address the resource by its id.").into()
        );
    }
    if parts.method == Method::OPTIONS {
        let mut response = respond::empty(StatusCode::NO_CONTENT);
        if let Ok(allow) = HeaderValue::from_str(&route.allow()) {
            response.headers_mut().insert(ALLOW, allow);
        }
        return Ok(response);
    }
    if !route.methods().contains(&parts.method) {
        return Err(Error::MethodNotAllowed { method: parts.method.to_string(), route: route.pattern(), allow: route.allow() });
    }
    let principal = parts
        .extensions
        .get::<Principal>()
        .ok_or_else(|| engine::Error::gateway("a request came through without authentication"))?;
    let context = Context {
        base_url: shared.base.of(&parts),
        profile: principal.profile,
        if_match: joined(&parts.headers, &IF_MATCH)?,
        if_none_match: joined(&parts.headers, &IF_NONE_MATCH)?,
        deadline,
    };
    let place = parts.extensions.get::<Place>().cloned();
    let operation = operation(&context, route, &parts, body).await?;
    let reply = if operation.is_write() {
        detached(service, shared.write_limit, context, operation, place).await?
    } else {
        service.call(context, operation).await?
    };
    respond::success(&reply)
}

/// What the request asks for. The method is one that the route has.
async fn operation(context: &Context, route: Route, parts: &Parts, body: Body) -> Result<ScimRequest, Error> {
    let parameters = Parameters::new(parts.uri.query())?;
    if route.is_discovery() && parameters.has("filter") {
        // Section 4 asks for 403, lest a client believes that what it does not see is not there. Other parameters
        // "SHALL be ignored".
        return Err(ScimError::status(403, "Discovery endpoints cannot be filtered: leave out the parameter filter.").into());
    }
    Ok(match (route, &parts.method) {
        (Route::ServiceProviderConfig, _) => ScimRequest::ServiceProviderConfig,
        (Route::ResourceTypes, _) => ScimRequest::ResourceTypes { name: None },
        (Route::ResourceType(name), _) => ScimRequest::ResourceTypes { name: Some(name) },
        (Route::Schemas, _) => ScimRequest::Schemas { id: None },
        (Route::Schema(id), _) => ScimRequest::Schemas { id: Some(id) },
        (Route::Root, _) => ScimRequest::List { endpoint: None, search: parameters.search()? },
        (Route::RootSearch, _) => {
            let body = document(parts, body).await?;
            ScimRequest::List { endpoint: None, search: SearchRequest::from_body(body, context.profile)? }
        }
        (Route::Search { endpoint }, _) => {
            let body = document(parts, body).await?;
            ScimRequest::List { endpoint: Some(endpoint), search: SearchRequest::from_body(body, context.profile)? }
        }
        (Route::Bulk, _) => ScimRequest::Bulk { job: BulkRequest::parse(&bytes(parts, body).await?, context.profile)? },
        (Route::Collection { endpoint }, &Method::POST) => {
            let names = parameters.names()?;
            ScimRequest::Create { endpoint, body: document(parts, body).await?, names }
        }
        (Route::Collection { endpoint }, _) => ScimRequest::List { endpoint: Some(endpoint), search: parameters.search()? },
        (Route::Resource { endpoint, id }, &Method::PUT) => {
            let names = parameters.names()?;
            ScimRequest::Replace { endpoint, id, body: document(parts, body).await?, names }
        }
        (Route::Resource { endpoint, id }, &Method::PATCH) => {
            let names = parameters.names()?;
            ScimRequest::Patch { endpoint, id, body: document(parts, body).await?, names }
        }
        (Route::Resource { endpoint, id }, &Method::DELETE) => ScimRequest::Delete { endpoint, id },
        (Route::Resource { endpoint, id }, _) => ScimRequest::Read { endpoint, id, names: parameters.names()? },
        (Route::Me, _) => return Err(engine::Error::gateway("/Me got as far as its operation").into()),
    })
}

/// The body as JSON.
async fn document(parts: &Parts, body: Body) -> Result<serde_json::Value, Error> {
    Ok(json::parse(&bytes(parts, body).await?)?)
}

/// The body. Only asked for where one means something: a Content-Type on GET or DELETE (authentik, Keycloak) is not
/// looked at.
async fn bytes(parts: &Parts, body: Body) -> Result<Bytes, Error> {
    media::check(&parts.headers)?;
    body::read(&parts.extensions, body).await
}

/// Several headers of one name are one list (RFC 9110 section 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, ScimError> {
    let mut whole: Option<String> = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| {
            ScimError::status(
                400,
                format!("The header {name} holds a character that no ETag has: send the ETag as it was received."),
            )
        })?;
        match &mut whole {
            None => whole = Some(value.to_owned()),
            Some(whole) => {
                whole.push_str(", ");
                whole.push_str(value);
            }
        }
    }
    Ok(whole)
}

/// Runs a write to its end, whether its client waits or not: an IdP that gave up after a second must not leave half
/// a change behind.
async fn detached<S: Service>(
    service: Arc<S>,
    limit: Duration,
    context: Context,
    operation: ScimRequest,
    place: Option<Place>,
) -> Result<Reply, Error> {
    let (sender, receiver) = oneshot::channel();
    let write = async move {
        let call = AssertUnwindSafe(tokio::time::timeout(limit, service.call(context, operation))).catch_unwind();
        let result = match call.await {
            Ok(Ok(result)) => result.map_err(Error::from),
            Ok(Err(_)) => Err(Error::TimedOut { limit }),
            Err(panic) => Err(Error::Panicked(panic_text(&*panic))),
        };
        if let Err(unheard) = sender.send(result) {
            match unheard {
                Ok(_) => tracing::info!("the write was finished after its client had gone"),
                Err(error) => tracing::warn!(%error, "the write failed after its client had gone"),
            }
        }
        drop(place);
    };
    tokio::spawn(write.in_current_span());
    receiver.await.unwrap_or_else(|_| Err(engine::Error::gateway("the task of a write was ended").into()))
}
