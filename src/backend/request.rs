//! From an `HttpCall` to the request that is sent.

use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;

use super::SetupError;
use super::stack::{About, Outbound};
use crate::mapping::model::{Answers, Format};
use crate::translate::call::HttpCall;
use crate::translate::outcome::Terms;

/// What the gateway calls itself.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("scimitar/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const XML: HeaderValue = HeaderValue::from_static("application/xml");

/// Writes the requests to one place.
#[derive(Clone)]
pub(super) struct Writer {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    path: String,
    /// Of every request.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Writer {
    /// For requests below a URL.
    pub(super) fn new(url: &Uri, headers: &[(HeaderName, HeaderValue)]) -> Result<Self, SetupError> {
        let parts = url.clone().into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(SetupError::NoHost) };
        let path = parts.path_and_query.map(|path| path.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        Ok(Self { scheme, authority, path, headers: headers.to_vec() })
    }

    /// For requests to the host of a URL, whatever their path.
    pub(super) fn host(url: &Uri) -> Result<Self, SetupError> {
        Ok(Self { path: String::new(), ..Self::new(url, &[])? })
    }

    pub(super) fn write(&self, call: &HttpCall<'_>) -> Result<Outbound, http::Error> {
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{}", self.path, call.target))
            .build()?;
        let accept = match *call.call.answers {
            Answers::Json { .. } => JSON,
            Answers::Xml { .. } => XML,
        };
        let mut request = Request::builder().method(&call.method).uri(uri).header(ACCEPT, accept).header(USER_AGENT, AGENT);
        request = request.extension(About { terms: Terms::of(call.call), deadline: call.deadline });
        if call.body.is_some() {
            request = request.header(
                CONTENT_TYPE,
                match call.call.format {
                    Format::Json => JSON,
                    Format::Form => FORM,
                    Format::Xml { .. } => XML,
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
