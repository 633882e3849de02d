//! The total time of one request.

use std::time::Duration;

use tower::ServiceExt;

use super::Error;
use super::step::{Next, Request, Response, Step};

/// Ends requests that take longer; a slow upload counts, too.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub limit: Duration,
}

impl Step for Deadline {
    async fn run<N: Next>(self, request: Request, next: N) -> Result<Response, Error> {
        tokio::time::timeout(self.limit, next.oneshot(request)).await.unwrap_or(Err(Error::TimedOut { limit: self.limit }))
    }
}
