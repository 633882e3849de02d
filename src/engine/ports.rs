//! What the engine needs of the world.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::Fault;

/// The backend, one call at a time. An answer of any status is an answer; a fault is that there was none.
pub trait Backend: Send + Sync + 'static {
    fn send(&self, call: &HttpCall<'_>) -> impl Future<Output = Result<Answer, Fault>> + Send;
}

/// What the operating system gives: time, and chance.
pub trait System: fmt::Debug + Send + Sync + 'static {
    fn now(&self) -> Instant;

    /// Waits.
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Fills the bytes so that nobody can guess them; `false` if there is no such chance to be had.
    fn random(&self, bytes: &mut [u8]) -> bool;
}
