//! Calls that are made again, because the backend says that it has not done them.
//!
//! That is all that is ever repeated after an answer, and it is safe for writes. Where no answer came, nobody knows what was done.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower::{BoxError, Layer, Service, ServiceExt as _};

use super::stack::{About, Outbound};
use crate::limits;
use crate::translate::call::Answer;
use crate::translate::outcome::repetition;

/// Repeats what the backend asks to be repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct AgainLayer;

#[derive(Debug, Clone)]
pub(super) struct Again<S>(S);

// === impl AgainLayer ===

impl<S> Layer<S> for AgainLayer {
    type Service = Again<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Again(inner)
    }
}

// === impl Again ===

impl<S> Service<Outbound> for Again<S>
where
    S: Service<Outbound, Response = Answer, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Outbound) -> Self::Future {
        let mut inner = self.0.clone();
        Box::pin(async move {
            let Some(about) = request.extensions().get::<About>().cloned() else {
                return inner.ready().await?.call(request).await;
            };
            let mut answer = inner.ready().await?.call(request.clone()).await?;
            let mut left = Duration::from_secs(limits::AGAIN_SECONDS);
            let mut pause = Duration::from_millis(limits::AGAIN_MILLIS);
            for _ in 0..limits::AGAIN {
                let Some(repetition) = repetition(&about.terms, &answer) else { break };
                let wait = repetition.wait.unwrap_or(pause);
                let Some(rest) = left.checked_sub(wait).filter(|_| about.lasts(Instant::now() + wait)) else { break };
                left = rest;
                pause *= 2;
                sleep(wait).await;
                answer = inner.ready().await?.call(request.clone()).await?;
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
#[path = "again_tests.rs"]
mod tests;
