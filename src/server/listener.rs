//! Connections: accepted up to a bound, bounded in time and size, drained at the end.

use std::future::{Future, pending};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Stack;
use super::step::Body;
use crate::limits;

/// Bounds of connections.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    /// How many at once; more wait in the queue of the operating system.
    pub limit: usize,
    /// For the head of the first request.
    pub head: Duration,
    /// For the head of each later request, the idle time before it included.
    pub idle: Duration,
    /// For what runs when the stop comes.
    pub drain: Duration,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Everything that ran was finished.
    Clean,
    /// The time was up; so many requests were cut off.
    Cut { requests: usize },
}

// === impl Connections ===

impl Default for Connections {
    fn default() -> Self {
        Self {
            limit: limits::CONNECTIONS,
            head: Duration::from_secs(limits::HEAD_SECONDS),
            idle: Duration::from_secs(limits::IDLE_SECONDS),
            drain: Duration::from_secs(limits::DRAIN_SECONDS),
        }
    }
}

/// Serves until `stop`, then closes the listener, lets what runs finish, and returns.
pub async fn serve(listener: TcpListener, stack: Stack, bounds: Connections, stop: impl Future<Output = ()>) -> Drained {
    let builder = Arc::new(builder(bounds));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(bounds.limit.min(Semaphore::MAX_PERMITS)));
    // Dropped with everything in it when this returns: what was not finished is cut off then.
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = tasks.join_next() => {}
            (permit, accepted) = accept(&listener, &places) => match accepted {
                Ok(stream) => {
                    let watcher = graceful.watcher();
                    tasks.spawn(connection(stream, Arc::clone(&builder), stack.clone(), bounds.head, watcher, permit));
                }
                // Out of file descriptors, or a client that was gone before it was served: neither ends the service.
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let rest = async {
        graceful.shutdown().await;
        // A write whose client hung up has no connection any more.
        stack.finished().await;
    };
    let in_time = timeout(bounds.drain, rest).await.is_ok();
    if in_time { Drained::Clean } else { Drained::Cut { requests: stack.running() } }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (Option<OwnedSemaphorePermit>, io::Result<TcpStream>) {
    // The semaphore is never closed, so there is always a permit in the end.
    let permit = Arc::clone(places).acquire_owned().await.ok();
    (permit, listener.accept().await.map(|(stream, _)| stream))
}

fn builder(bounds: Connections) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper starts this clock when it begins to wait for a head, so that it is the idle time as well.
        .header_read_timeout(bounds.idle)
        .max_headers(limits::HEADERS)
        .max_buf_size(limits::HEAD_BYTES)
        // A client that closes its side has gone; curl and the IdPs keep theirs open.
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS)
        .max_header_list_size(u32::try_from(limits::HEAD_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(limits::PING_SECONDS))
        .keep_alive_timeout(Duration::from_secs(limits::PING_SECONDS));
    builder
}

async fn connection(
    stream: TcpStream,
    builder: Arc<Builder<TokioExecutor>>,
    stack: Stack,
    head: Duration,
    watcher: Watcher,
    permit: Option<OwnedSemaphorePermit>,
) {
    // Small answers must not wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let begun = Arc::new(AtomicBool::new(false));
    let begun_by_service = Arc::clone(&begun);
    let service = service_fn(move |request: http::Request<Incoming>| {
        begun_by_service.store(true, Ordering::Relaxed);
        let stack = stack.clone();
        async move {
            let request = request.map(Body::new);
            Ok::<_, std::convert::Infallible>(stack.call(request).await)
        }
    });
    let served = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    // hyper-util has no clock while it finds out which version of HTTP a client speaks.
    let silent = async {
        sleep(head).await;
        if begun.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::debug!(%error, "a connection ended");
        },
        () = silent => tracing::debug!("closed a connection that sent no request"),
    }
    drop(permit);
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
