//! Outbound HTTP: one call of the mapping becomes one request to the backend, and its answer is read whole.
//!
//! [`stack`] is the one tower stack. What an answer means is not decided here: any status is an answer. A fault is that
//! there is no answer, or one that cannot be read to its end.

mod body;
mod stack;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use tower::{Service as _, ServiceExt as _};

use crate::mapping::model;
use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::{Fault, FaultClass};
use stack::Stack;

/// What the gateway calls itself.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("scimitar/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A backend that can be called. Clones share its connections.
#[derive(Clone)]
pub struct Backend {
    base: Base,
    headers: Vec<(http::HeaderName, HeaderValue)>,
    stack: Stack,
}

#[derive(Clone)]
struct Base {
    scheme: http::uri::Scheme,
    authority: http::uri::Authority,
    /// Without a slash at its end.
    path: String,
}

/// Why a backend cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the base URL of the backend has no host")]
    NoHost,
    #[error("the certificates of the system that TLS needs cannot be read: {0}")]
    Roots(std::io::Error),
}

// === impl Backend ===

impl Backend {
    /// Prepares the calls to a backend; no connection is made yet.
    pub fn new(settings: &model::Backend) -> Result<Self, SetupError> {
        let parts = settings.url.clone().into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(SetupError::NoHost) };
        let is_secure = scheme == http::uri::Scheme::HTTPS;
        let path = parts.path_and_query.map(|path| path.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        Ok(Self {
            base: Base { scheme, authority, path },
            headers: settings.headers.clone(),
            stack: stack::build(settings.timeout, is_secure).map_err(SetupError::Roots)?,
        })
    }

    /// Makes one call.
    pub async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        let fault = |class, detail: String| Fault { class, call: call.call.name.clone(), detail, retry_after: None };
        let request = self
            .request(call)
            .map_err(|error| fault(FaultClass::Unexpected, format!("the request cannot be written: {error}")))?;
        let mut stack = self.stack.clone();
        let answer = async { stack.ready().await?.call(request).await }.await;
        answer.map_err(|error| {
            let (class, detail) = stack::describe(&*error);
            fault(class, detail)
        })
    }

    fn request(&self, call: &HttpCall<'_>) -> Result<Request<Full<Bytes>>, http::Error> {
        let uri = Uri::builder()
            .scheme(self.base.scheme.clone())
            .authority(self.base.authority.clone())
            .path_and_query(format!("{}{}", self.base.path, call.target))
            .build()?;
        let mut request = Request::builder().method(&call.method).uri(uri).header(ACCEPT, JSON).header(USER_AGENT, AGENT);
        if call.body.is_some() {
            request = request.header(
                CONTENT_TYPE,
                match call.call.format {
                    model::Format::Json => JSON,
                    model::Format::Form => FORM,
                },
            );
        }
        // What the call says stands before what the backend's calls have in common, and that before the usual.
        if let Some(headers) = request.headers_mut() {
            for (name, value) in self.headers.iter().chain(&call.headers) {
                headers.insert(name, value.clone());
            }
        }
        request.body(Full::new(call.body.clone().unwrap_or_default()))
    }
}
