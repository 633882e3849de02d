//! Outbound HTTP: one call of the mapping becomes one request to the backend, and its answer is read whole.
//!
//! [`stack`] is the one tower stack. What an answer means is not decided here: any status is an answer. A fault is that
//! there is no answer, or one that cannot be read to its end.

mod again;
mod body;
mod cookies;
mod credentials;
mod rate;
mod request;
mod session;
mod sign;
mod stack;
mod tls;

use http::uri::Scheme;
use tower::{Service as _, ServiceExt as _};

use crate::mapping::model::{self, Auth};
use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::{Fault, FaultClass};
use credentials::Way;
use request::Writer;
use stack::Stack;

/// A backend that can be called. Clones share its connections, and its login.
#[derive(Clone)]
pub struct Backend {
    writer: Writer,
    stack: Stack,
}

/// Why a backend cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the base URL of the backend has no host")]
    NoHost,
    #[error("the certificates of the system that TLS needs cannot be read: {0}")]
    Roots(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

// === impl Backend ===

impl Backend {
    /// Prepares the calls to a backend; no connection is made yet.
    pub fn new(settings: &model::Backend) -> Result<Self, SetupError> {
        let writer = Writer::new(&settings.url, &settings.headers)?;
        let way = Way::new(&settings.auth, &writer)?;
        let elsewhere = match &settings.auth {
            Auth::Session(session) => session.base.as_ref(),
            _ => None,
        };
        let is_secure = std::iter::once(&settings.url).chain(elsewhere).any(|url| url.scheme() == Some(&Scheme::HTTPS));
        let tls = tls::config(&settings.tls, is_secure)?;
        Ok(Self { writer, stack: stack::build(settings, tls, way) })
    }

    /// Makes one call.
    pub async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        let name = &call.call.name;
        let request = self.writer.write(call).map_err(|error| {
            let detail = format!("the request cannot be written: {error}");
            Fault { class: FaultClass::Unexpected, call: name.clone(), detail, retry_after: None }
        })?;
        let mut stack = self.stack.clone();
        let answer = async { stack.ready().await?.call(request).await }.await;
        // A fault of the login is told as such: the call itself was not made.
        answer.map_err(|error| match error.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(error) => stack::describe(name, &*error),
        })
    }
}
