//! The directory on a listener: HTTP/1.1 with keep-alive and HTTP/2, with latency and answers that break off.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::routes::Call;
use super::{Answer, Directory, is_control};
use crate::limits;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Between the first half of an answer and its end, so that the half is on the wire before the connection closes.
const BEFORE_CUT: Duration = Duration::from_millis(20);
/// After a failed accept, as when file descriptors have run out: trying at once would only spin.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

pub(super) async fn serve(directory: Directory, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper counts the idle time between two requests in this; a pool in front keeps connections for a while.
        .header_read_timeout(Duration::from_secs(limits::REQUEST_SECONDS))
        .max_headers(limits::HEADERS)
        .max_buf_size(limits::HEAD_BYTES)
        .http2()
        .timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < limits::CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "demo: no TCP_NODELAY");
                    }
                    let directory = directory.clone();
                    let service = service_fn(move |request| exchange(directory.clone(), request));
                    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                    let connection = graceful.watch(connection);
                    connections.spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "demo: connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "demo: cannot accept");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(limits::DRAIN_SECONDS), graceful.shutdown()).await.is_err() {
        tracing::warn!("demo: requests were still running at the end");
    }
    Ok(())
}

/// One request and its answer. An error closes the connection without an answer.
async fn exchange(directory: Directory, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let latency = directory.faults().latency;
    // The timer counts in milliseconds: even a sleep of zero may take one.
    if !latency.is_zero() && !is_control(&head.uri) {
        tokio::time::sleep(latency).await;
    }
    let body = if directory.admits(&head.headers) { read(body).await? } else { Some(Bytes::new()) };
    let call = Call { method: &head.method, uri: &head.uri, headers: &head.headers, body: body.as_deref() };
    let Answer { response, cut } = directory.answer(call);
    if cut { cut_off(response) } else { Ok(response.map(|body| Full::new(body).map_err(never).boxed_unsync())) }
}

/// The body, or nothing if it is too large.
async fn read(body: Incoming) -> io::Result<Option<Bytes>> {
    match Limited::new(body, limits::REQUEST_BYTES).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Announces the whole body and sends half. Of an answer without a body nothing is sent at all.
fn cut_off(response: Response<Bytes>) -> io::Result<Response<Body>> {
    let (mut head, body) = response.into_parts();
    if body.is_empty() {
        return Err(io::Error::other("cut off on purpose"));
    }
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(async {
        tokio::time::sleep(BEFORE_CUT).await;
        Err(io::Error::other("cut off on purpose"))
    }));
    Ok(Response::from_parts(head, StreamBody::new(frames).boxed_unsync()))
}

fn never(impossible: Infallible) -> io::Error {
    match impossible {}
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
