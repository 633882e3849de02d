//! `backend.rate`: how often this process calls the backend.
//!
//! In any period of that length there are no more calls than said; within it they may come all at once. Turns are given in the
//! order in which they are asked for, at once, so that whoever would have to wait for too long knows it before anything is sent.
//! Limiters by buckets let twice as many through where a full bucket meets a new period, and give no turn beforehand.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tower::{BoxError, Layer, Service, ServiceExt as _};

use super::stack::{About, Outbound};
use crate::limits;
use crate::mapping::model::Rate;
use crate::translate::call::Answer;

/// Lets calls wait for their turn.
#[derive(Debug, Clone)]
pub(super) struct RateLayer(Option<Arc<Turns>>);

#[derive(Debug, Clone)]
pub(super) struct Paced<S> {
    inner: S,
    turns: Option<Arc<Turns>>,
}

/// The turns of the last period, in order; those to come among them.
#[derive(Debug)]
struct Turns {
    rate: Rate,
    given: Mutex<VecDeque<Instant>>,
}

/// There is no turn soon enough; nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("`backend.rate` is used up: the next turn is {} s away", wait.as_secs())]
pub(super) struct NoTurn {
    pub(super) wait: Duration,
}

// === impl RateLayer ===

impl RateLayer {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self(rate.map(|rate| Arc::new(Turns { rate, given: Mutex::default() })))
    }
}

impl<S> Layer<S> for RateLayer {
    type Service = Paced<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Paced { inner, turns: self.0.clone() }
    }
}

// === impl Turns ===

impl Turns {
    /// Gives the next turn, if it is not after `latest`.
    fn take(&self, now: Instant, latest: Instant) -> Result<Instant, NoTurn> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let period = self.rate.period + Duration::from_millis(limits::RATE_MARGIN_MILLIS);
        let is_full = given.len() >= self.rate.calls;
        let turn = given.front().filter(|_| is_full).map_or(now, |first| now.max(*first + period));
        if turn > latest {
            return Err(NoTurn { wait: turn.saturating_duration_since(now) });
        }
        if is_full {
            given.pop_front();
        }
        given.push_back(turn);
        Ok(turn)
    }
}

// === impl Paced ===

impl<S> Service<Outbound> for Paced<S>
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
        let (mut inner, turns) = (self.inner.clone(), self.turns.clone());
        Box::pin(async move {
            if let Some(turns) = turns {
                let now = Instant::now();
                let latest = now + Duration::from_secs(limits::RATE_SECONDS);
                let deadline = request.extensions().get::<About>().and_then(About::deadline);
                let turn = turns.take(now, deadline.map_or(latest, |deadline| latest.min(deadline)))?;
                if turn > now {
                    sleep_until(turn).await;
                }
            }
            inner.ready().await?.call(request).await
        })
    }
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
