//! Reading answers to their end, within a bound.

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::limits;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer is longer than {} bytes", limits::ANSWER_BYTES)]
    TooLong,
    #[error("the answer broke off: {0}")]
    Cut(String),
}

pub(super) async fn read(body: Incoming) -> Result<Bytes, BodyError> {
    match Limited::new(body, limits::ANSWER_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
        Err(error) => Err(BodyError::Cut(error.to_string())),
    }
}
