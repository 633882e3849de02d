//! The body of a request: bounded before anything reads it, then read whole.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::ServiceExt;

use super::Error;
use super::step::{Body, Next, Request, Response, Step};
use crate::limits;
use crate::scim::ScimError;

/// Refuses bodies that are too large: at once by their Content-Length, else while they are read (BULK-17).
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit {
    pub bytes: usize,
}

/// The bound that the body of this request has, for the message when it is passed.
#[derive(Debug, Clone, Copy)]
struct Bound(usize);

impl Step for BodyLimit {
    async fn run<N: Next>(self, request: Request, next: N) -> Result<Response, Error> {
        let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.bytes as u64) {
            return Err(too_large(self.bytes).into());
        }
        let mut request = request.map(|body| Body::new(Limited::new(body, self.bytes)));
        request.extensions_mut().insert(Bound(self.bytes));
        next.oneshot(request).await
    }
}

/// Reads a body to its end.
pub async fn read(extensions: &http::Extensions, body: Body) -> Result<Bytes, Error> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let bytes = extensions.get::<Bound>().map_or(limits::REQUEST_BYTES, |bound| bound.0);
            Err(too_large(bytes).into())
        }
        Err(error) => Err(Error::BrokenBody(error.to_string())),
    }
}

/// Section 3.7.4 wants the bound named.
fn too_large(bytes: usize) -> ScimError {
    ScimError::status(
        413,
        format!("The body is larger than {bytes} bytes, the most that this service takes: split the request into smaller ones."),
    )
}
