//! Ways in which a backend wants the gateway to prove itself. Each test has a fake of its own: a real HTTP server.

mod hmac;
mod keys;
mod login;
mod oauth2;
mod tls;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::demo::Demo;
use crate::support::indented;

/// What came to a fake.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What a fake answers.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// Nothing for null.
    body: Value,
}

/// A server that runs until the test ends.
pub(crate) struct Fake {
    pub(crate) url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Came {
    /// Method and target.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// A header; nothing for none, and for several of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().unwrap();
        values.next().is_none().then_some(value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.header("content-type"), Some("application/x-www-form-urlencoded"));
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// An answer with a body.
pub(crate) fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: vec![("content-type", "application/json".to_owned())], body }
}

/// One person, or many, or the one that was created.
pub(crate) fn person(came: &Came) -> Reply {
    let ann = json!({ "id": "7", "login": "ann" });
    match came.line().as_str() {
        "GET /people" => reply(200, json!({ "people": [ann] })),
        "POST /people" => reply(201, ann),
        "DELETE /people/7" => reply(204, Value::Null),
        line if line.contains(" /people/7") => reply(200, ann),
        line => panic!("{line}"),
    }
}

impl Reply {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Fake {
    pub(crate) async fn start(answer: impl Fn(&Came) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    pub(crate) async fn start_with(tls: Option<TlsAcceptor>, answer: impl Fn(&Came) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let came = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&came), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                    async move {
                        let came = came_of(request).await;
                        seen.lock().unwrap().push(came.clone());
                        Ok::<_, Infallible>(response(answer(&came)))
                    }
                });
                tokio::spawn(async move {
                    let server = http1::Builder::new();
                    // A client that goes away is no matter here.
                    if let Some(tls) = tls {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(server.serve_connection(TokioIo::new(stream), service).await);
                        }
                    } else {
                        drop(server.serve_connection(TokioIo::new(stream), service).await);
                    }
                });
            }
        });
        Self { url, came }
    }

    /// What came since the last time.
    pub(crate) fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.came.lock().unwrap())
    }

    /// The methods and targets that came since the last time.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.came().iter().map(Came::line).collect()
    }

    /// A gateway in front of it, with these lines in `backend`.
    pub(crate) fn gateway(&self, backend: &str) -> Demo {
        Demo::before(&self.url, &mapping(backend))
    }
}

/// A mapping of people; `backend` is what stands below `url`.
pub(crate) fn mapping(backend: &str) -> String {
    let backend = indented(backend.trim(), 2);
    format!(
        "mapping: v1
backend:
  url: ${{PEOPLE_URL}}
{backend}
resources:
  User:
    id: $.id
    attributes: {{ userName: $.login }}
    get: GET /people/{{{{key}}}}
    list: {{ call: GET /people, items: \"$.people[*]\" }}
    create: POST /people
    update: PATCH /people/{{{{key}}}}
    delete: DELETE /people/{{{{key}}}}
"
    )
}

async fn came_of(request: Request<Incoming>) -> Came {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Came {
        method: head.method.to_string(),
        target: head.uri.path_and_query().unwrap().to_string(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = if reply.body.is_null() { String::new() } else { reply.body.to_string() };
    response.body(Full::from(body)).unwrap()
}
