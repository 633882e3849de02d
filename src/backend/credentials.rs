//! The layer that makes the gateway known to the backend: what `backend.auth` says is put into every request that passes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use tower::{BoxError, Layer, Service, ServiceExt as _};

use super::SetupError;
use super::request::Writer;
use super::session::Sessions;
use super::sign::Signer;
use super::stack::Outbound;
use crate::mapping::model::Auth;
use crate::translate::call::Answer;

/// [`Auth`], ready to be used.
pub(super) enum Way {
    None,
    Header(HeaderName, HeaderValue),
    Query(String, SecretString),
    Session(Box<Sessions>),
    Signed(Box<Signer>),
}

#[derive(Clone)]
pub(super) struct Credentials(Arc<Way>);

/// The layer around what is below it.
#[derive(Clone)]
pub(super) struct Known<S> {
    way: Arc<Way>,
    inner: S,
}

/// A service below: it may be called several times for one request.
pub(super) trait Below:
    Service<Outbound, Response = Answer, Error = BoxError, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Below for S where S: Service<Outbound, Response = Answer, Error = BoxError, Future: Send> + Clone + Send + Sync + 'static {}

/// What stays as it is in a query (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Adds a query parameter.
pub(super) fn add_parameter(request: &mut Outbound, name: &str, value: &str) -> Result<(), http::Error> {
    let (name, value) = (utf8_percent_encode(name, UNRESERVED), utf8_percent_encode(value, UNRESERVED));
    let mut parts = request.uri().clone().into_parts();
    let target = parts.path_and_query.as_ref().map_or("/", |target| target.as_str());
    let separator = if target.contains('?') { '&' } else { '?' };
    parts.path_and_query = Some(format!("{target}{separator}{name}={value}").parse()?);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// Adds a header, unless the call has one of that name itself.
pub(super) fn add_header(request: &mut Outbound, name: &HeaderName, mut value: HeaderValue) {
    value.set_sensitive(true);
    request.headers_mut().entry(name).or_insert(value);
}

// === impl Way ===

impl Way {
    /// `writer` writes the calls to the backend.
    pub(super) fn new(auth: &Auth, writer: &Writer) -> Result<Self, SetupError> {
        Ok(match auth {
            Auth::None => Self::None,
            Auth::Header(name, value) => Self::Header(name.clone(), value.clone()),
            Auth::Query(name, value) => Self::Query(name.clone(), value.clone()),
            Auth::Session(session) => {
                let writer = session.base.as_ref().map_or_else(|| Ok(writer.clone()), Writer::host)?;
                Self::Session(Box::new(Sessions::new((**session).clone(), writer)))
            }
            Auth::Signed(signing) => Self::Signed(Box::new(Signer((**signing).clone()))),
        })
    }

    async fn send<S: Below>(&self, inner: S, mut request: Outbound) -> Result<Answer, BoxError> {
        match self {
            Self::None => {}
            Self::Header(name, value) => add_header(&mut request, name, value.clone()),
            Self::Query(name, value) => add_parameter(&mut request, name, value.expose_secret())?,
            Self::Signed(signer) => signer.sign(&mut request)?,
            Self::Session(sessions) => return sessions.send(inner, request).await,
        }
        inner.oneshot(request).await
    }
}

// === impl Credentials ===

impl Credentials {
    pub(super) fn new(way: Way) -> Self {
        Self(Arc::new(way))
    }
}

impl<S> Layer<S> for Credentials {
    type Service = Known<S>;

    fn layer(&self, inner: S) -> Known<S> {
        Known { way: Arc::clone(&self.0), inner }
    }
}

impl<S: Below> Service<Outbound> for Known<S> {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Outbound) -> Self::Future {
        let (way, inner) = (Arc::clone(&self.way), self.inner.clone());
        Box::pin(async move { way.send(inner, request).await })
    }
}
