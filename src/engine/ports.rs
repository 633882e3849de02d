//! What the engine needs of the world.

use std::future::Future;

use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::Fault;

/// The backend, one call at a time. An answer of any status is an answer; a fault is that there was none.
pub trait Backend: Send + Sync + 'static {
    fn send(&self, call: &HttpCall<'_>) -> impl Future<Output = Result<Answer, Fault>> + Send;
}
