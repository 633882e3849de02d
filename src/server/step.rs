//! What most layers of the stack have in common: they look at a request, and pass it on or refuse it with an error.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Layer, Service};

use super::Error;

/// The body of a request, from hyper or from a test. A type of its own rather than an alias: rustc forgets the
/// `'static` of a boxed error inside a future and then cannot show that the future is Send.
#[derive(Debug)]
pub struct Body(UnsyncBoxBody<Bytes, BoxError>);
/// A request inside the stack.
pub type Request = http::Request<Body>;
/// A response. Answers are whole in memory, as SCIM resources are small and pages are bounded.
pub type Response = http::Response<Full<Bytes>>;

/// A layer below [`super::rescue`].
pub trait Step: Clone + Send + Sync + 'static {
    /// Lets the request pass to `next`, or refuses it.
    fn run<N: Next>(self, request: Request, next: N) -> impl Future<Output = Result<Response, Error>> + Send;
}

/// The rest of the stack below a step. Always ready: nothing here queues, so nothing needs `poll_ready`.
pub trait Next: Service<Request, Response = Response, Error = Error, Future: Send> + Clone + Send + 'static {}

/// Makes a layer of a step.
#[derive(Debug, Clone)]
pub struct Around<P>(pub P);

/// A service with a step before it.
#[derive(Debug, Clone)]
pub struct Stepped<P, S> {
    step: P,
    next: S,
}

impl<T> Next for T where T: Service<Request, Response = Response, Error = Error, Future: Send> + Clone + Send + 'static {}

// === impl Body ===

impl Body {
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

// === impl Around ===

impl<P: Clone, S> Layer<S> for Around<P> {
    type Service = Stepped<P, S>;

    fn layer(&self, next: S) -> Self::Service {
        Stepped { step: self.0.clone(), next }
    }
}

// === impl Stepped ===

impl<P: Step, S: Next> Service<Request> for Stepped<P, S> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(self.step.clone().run(request, self.next.clone()))
    }
}
