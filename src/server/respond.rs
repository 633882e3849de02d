//! A reply becomes a response.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use super::Error;
use super::media::SCIM_JSON;
use super::step::Response;
use crate::engine;
use crate::engine::Reply;

/// The response for a reply.
pub fn success(reply: &Reply) -> Result<Response, Error> {
    let status = StatusCode::from_u16(reply.status)
        .ok()
        .filter(|status| status.is_success() || *status == StatusCode::NOT_MODIFIED)
        .ok_or_else(|| gateway(format!("an operation succeeded with status {}", reply.status)))?;
    // RFC 9110 sections 15.3.5 and 15.4.5: neither has content.
    let bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = match &reply.body {
        Some(body) if !bare => json(status, body)?,
        _ => empty(status),
    };
    if status == StatusCode::CREATED {
        set(&mut response, LOCATION, reply.location.as_deref());
    }
    set(&mut response, ETAG, reply.version.as_deref());
    Ok(response)
}

/// A response with a body.
pub fn json(status: StatusCode, body: &Value) -> Result<Response, Error> {
    let bytes = serde_json::to_vec(body).map_err(|error| gateway(format!("a reply is not JSON: {error}")))?;
    let mut response = empty(status);
    *response.body_mut() = Full::new(Bytes::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    Ok(response)
}

/// A response without one. Nothing may be kept on the way: resources are personal data, and a 404 (which caches may
/// keep unless told otherwise) hides a user who is created a moment later.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to HEAD: that to GET, without its body (RFC 9110 section 9.3.2).
pub fn for_method(method: &Method, mut response: Response) -> Response {
    use http_body::Body as _;

    if *method == Method::HEAD {
        let length = response.body().size_hint().exact().filter(|length| *length > 0);
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Full::new(Bytes::new());
    }
    response
}

/// What was done stays done: a value that no header can hold costs the header, not the answer.
fn set(response: &mut Response, name: HeaderName, value: Option<&str>) {
    let Some(value) = value else { return };
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    } else {
        tracing::error!(header = %name, "left out a header: its value holds a character that no header can hold");
    }
}

fn gateway(text: String) -> Error {
    engine::Error::gateway(text).into()
}
