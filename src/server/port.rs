//! What the server needs of the engine.

use std::future::Future;

use crate::engine;
use crate::engine::{Context, Reply, ScimRequest};

/// Performs SCIM operations.
pub trait Service: Send + Sync + 'static {
    /// Performs one operation. Reads are dropped when their client hangs up; writes are not.
    fn call(&self, context: Context, request: ScimRequest) -> impl Future<Output = Result<Reply, engine::Error>> + Send;

    /// The endpoints of the mapped resource types, as `/ResourceTypes` publishes them: `/Users`, `/Groups`.
    fn endpoints(&self) -> &[String];
}
