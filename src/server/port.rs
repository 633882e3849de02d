//! What the server needs of the engine.

use std::future::Future;
use std::sync::Arc;

use crate::engine;
use crate::engine::{Context, Reply, ScimRequest};

/// Performs SCIM operations.
pub trait Service: Send + Sync + 'static {
    /// Performs one operation. Reads are dropped when their client hangs up; writes are not.
    fn call(&self, context: Context, request: ScimRequest) -> impl Future<Output = Result<Reply, engine::Error>> + Send;

    /// The endpoints of the mapped resource types, as `/ResourceTypes` publishes them: `/Users`, `/Groups`.
    fn endpoints(&self) -> &[String];
}

/// Hands out the service of the moment. A request asks once, at its beginning, and keeps what it got to its end: what it
/// sees is all of one mapping.
pub trait Services: Send + Sync + 'static {
    type One: Service;

    fn current(&self) -> Arc<Self::One>;
}

/// One that stays.
impl<S: Service> Services for Arc<S> {
    type One = S;

    fn current(&self) -> Self {
        Self::clone(self)
    }
}
