//! A bound on requests that run at once. There is no queue: an IdP retries a 503 better than it bears a time-out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use super::Error;
use super::step::{Next, Request, Response, Step};

/// Refuses requests above the bound.
#[derive(Debug, Clone)]
pub struct Shed {
    pub running: Arc<Semaphore>,
    pub limit: usize,
}

/// The place that a request takes. A write keeps a copy, so that it counts until it is done, not until its client
/// hangs up.
#[derive(Debug, Clone)]
pub struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Step for Shed {
    async fn run<N: Next>(self, mut request: Request, next: N) -> Result<Response, Error> {
        let permit = self.running.try_acquire_owned().map_err(|_| Error::Overloaded { limit: self.limit })?;
        let place = Place { _permit: Arc::new(permit) };
        request.extensions_mut().insert(place.clone());
        let answer = next.oneshot(request).await;
        drop(place);
        answer
    }
}
