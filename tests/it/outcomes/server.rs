//! A real server on this machine, whose behaviour is a function.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::demo::Demo;

/// A call that came.
#[derive(Debug, Clone)]
pub(super) struct Came {
    /// Method, path and query: `GET /users?page=1`.
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) at: Instant,
}

/// What it is answered with.
#[derive(Debug, Clone)]
pub(super) struct Given {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

/// It runs until the test ends.
pub(super) struct Server {
    pub(super) url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

pub(super) fn given(status: u16, content_type: &'static str, body: impl Into<String>) -> Given {
    Given { status, headers: vec![("content-type", content_type)], body: body.into() }
}

impl Given {
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Came {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Server {
    pub(super) async fn start(behave: impl Fn(&Came) -> Given + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let came = Arc::new(Mutex::new(Vec::new()));
        let (seen, behave) = (Arc::clone(&came), Arc::new(behave));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, behave) = (Arc::clone(&seen), Arc::clone(&behave));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, behave) = (Arc::clone(&seen), Arc::clone(&behave));
                    async move {
                        let at = Instant::now();
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let body = String::from_utf8(body.to_vec()).unwrap();
                        let came = Came { line: format!("{} {}", head.method, head.uri), headers: head.headers, body, at };
                        let given = behave(&came);
                        seen.lock().unwrap().push(came);
                        let mut response = Response::builder().status(given.status);
                        for (name, value) in given.headers {
                            response = response.header(name, value);
                        }
                        Ok::<_, Infallible>(response.body(Full::new(Bytes::from(given.body))).unwrap())
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, came }
    }

    /// A gateway in front of it.
    pub(super) fn gateway(&self, mapping: &str) -> Demo {
        Demo::before(&self.url, mapping)
    }

    /// The calls since the last time.
    pub(super) fn came(&self) -> Vec<Came> {
        std::mem::take(&mut *self.came.lock().unwrap())
    }

    /// Their lines.
    pub(super) fn lines(&self) -> Vec<String> {
        self.came().into_iter().map(|came| came.line).collect()
    }
}
