//! THE inbound stack.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE};
use tokio::sync::Semaphore;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveHeadersLayer;

use super::auth::Authenticate;
use super::body::BodyLimit;
use super::deadline::Deadline;
use super::handle::Handler;
use super::rescue::RescueLayer;
use super::shed::Shed;
use super::step::{Around, Request, Response};
use super::trace::{TraceLayer, X_REQUEST_ID, well_formed_id};
use super::{Options, Services};

/// The stack around a service. Cloning is cheap.
#[derive(Clone)]
pub struct Stack {
    service: BoxCloneSyncService<Request, Response, Infallible>,
    running: Arc<Semaphore>,
    places: u32,
}

// === impl Stack ===

impl Stack {
    /// Builds the stack. A request passes the layers from the top to the bottom.
    pub fn new<S: Services>(services: S, options: &Options) -> Self {
        let places = u32::try_from(options.concurrent_requests).unwrap_or(u32::MAX).min(1 << 20);
        let running = Arc::new(Semaphore::new(places as usize));
        let open_base = options.discovery_without_token.then(|| Arc::from(options.base.path()));
        let service = ServiceBuilder::new()
            // First, as nothing that logs headers may see these.
            .layer(SetSensitiveHeadersLayer::new([AUTHORIZATION, COOKIE]))
            // Above the span and the errors, which both name the id. Ids that could forge log lines are replaced.
            .map_request(well_formed_id)
            .layer(SetRequestIdLayer::new(X_REQUEST_ID, MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(X_REQUEST_ID))
            // Above everything that refuses, so that refused requests are seen, too.
            .layer(TraceLayer)
            // Everything below may return an error or panic; everything above always has a response.
            .layer(RescueLayer)
            // Above whatever can wait: the body, the engine.
            .layer(Around(Deadline { limit: options.request_timeout }))
            // Before anything that costs: a body, a digest, a call.
            .layer(Around(Shed { running: Arc::clone(&running), limit: places as usize }))
            // Before anything reads the body.
            .layer(Around(BodyLimit { bytes: options.request_bytes }))
            // Before routing, so that strangers do not learn which paths exist.
            .layer(Around(Authenticate { clients: Arc::new(options.clients.clone()), open_base, profile: options.profile }))
            // Path, method, media type and body become an operation; writes run detached from their client.
            .service(Handler::new(services, options.base.clone(), options.request_timeout));
        Self { service: BoxCloneSyncService::new(service), running, places }
    }

    /// Answers one request.
    pub async fn call(&self, request: Request) -> Response {
        match self.service.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Waits until nothing runs any more: neither a request nor a write whose client hung up. No request is taken
    /// after that.
    pub async fn finished(&self) {
        if let Ok(all) = self.running.acquire_many(self.places).await {
            all.forget();
        }
    }

    /// How many requests run now.
    pub fn running(&self) -> usize {
        (self.places as usize).saturating_sub(self.running.available_permits())
    }
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
