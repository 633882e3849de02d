//! The whole gateway in front of the demo backend, driven through its inbound stack.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use scimitar::app::{App, Given, load_mapping};
use scimitar::demo::{Directory, Faults, Options};
use scimitar::engine::Offer;
use scimitar::limits;
use scimitar::scim::Profile;
use scimitar::server::auth::{Client, Clients, TokenHash};
use scimitar::server::base::BaseUrl;
use scimitar::server::step::Body;
use scimitar::server::{self, Stack};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The base URL that the gateway believes to have.
pub(crate) const BASE: &str = "http://scim.test/scim/v2";
/// The token of a client with the lenient profile.
pub(crate) const LENIENT: &str = "token-of-the-lenient-client";
/// The token of a client with the strict profile.
pub(crate) const STRICT: &str = "token-of-the-strict-client";
const BACKEND_TOKEN: &str = "people";

/// The mapping that the demo ships with.
pub(crate) const MAPPING: &str = include_str!("../../mappings/demo/mapping.yaml");

/// A gateway and its backend.
pub(crate) struct Demo {
    /// The backend, to look at what it holds and which calls it got.
    pub(crate) directory: Directory,
    /// Where the backend listens.
    url: String,
    stack: Stack,
}

/// The mapping that the demo ships with, one part of it written otherwise.
#[track_caller]
pub(crate) fn mapping_with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(MAPPING.to_owned(), |mapping, (from, to)| {
        assert_eq!(mapping.matches(from).count(), 1, "{from:?} is there once");
        mapping.replace(from, to)
    })
}

/// An answer of the gateway.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `null` if there was no body.
    pub(crate) body: Value,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that it is this error, in the form of RFC 7644 section 3.12 (ERR-01, ERR-02), and gives its detail.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, scim_type: Option<&str>) -> &str {
        assert_eq!((self.status, self.body["scimType"].as_str()), (status, scim_type), "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/scim+json"));
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(self.body["status"], json!(status.to_string()));
        let detail = self.body["detail"].as_str().unwrap_or_default();
        assert!(!detail.is_empty() && detail.chars().count() < 1_100, "{detail}");
        detail
    }

    /// Asserts a success, and gives the body.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.body);
        &self.body
    }
}

impl Demo {
    /// Users and teams from the seed, no faults.
    pub(crate) async fn start(users: usize, teams: usize) -> Self {
        Self::with(MAPPING, users, teams, Offer::default()).await
    }

    /// With another mapping of the same backend.
    pub(crate) async fn with(mapping: &str, users: usize, teams: usize, offer: Offer) -> Self {
        let options = Options { users, teams, token: BACKEND_TOKEN.to_owned(), faults: Faults::default(), ..Options::default() };
        let directory = Directory::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(directory.clone().serve(listener, std::future::pending()));
        Self { stack: stack(mapping, &url, offer), url, directory }
    }

    /// Another gateway in front of the same backend.
    pub(crate) fn replica(&self) -> Self {
        self.replica_with(MAPPING)
    }

    /// Another gateway in front of the same backend, with another mapping.
    pub(crate) fn replica_with(&self, mapping: &str) -> Self {
        Self { stack: stack(mapping, &self.url, Offer::default()), url: self.url.clone(), directory: self.directory.clone() }
    }

    /// An empty directory with faults, and less time for a request.
    pub(crate) async fn hurried(request_timeout: Duration, faults: Faults) -> Self {
        let directory =
            Directory::new(Options { users: 0, teams: 0, token: BACKEND_TOKEN.to_owned(), faults, ..Options::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(directory.clone().serve(listener, std::future::pending()));
        Self { stack: stack_within(request_timeout, MAPPING, &url, Offer::default()), url, directory }
    }

    /// A gateway whose backend does not listen.
    pub(crate) async fn without_backend() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        Self::before(&url, MAPPING)
    }

    /// A gateway in front of whatever answers at a URL; `directory` is nobody's then.
    pub(crate) fn before(url: &str, mapping: &str) -> Self {
        let directory = Directory::new(Options { users: 0, teams: 0, token: BACKEND_TOKEN.to_owned(), ..Options::default() });
        Self { stack: stack(mapping, url, Offer::default()), url: url.to_owned(), directory }
    }

    /// A gateway in front of whatever a mapping with these variables leads to; `directory` is nobody's then.
    pub(crate) fn given(mapping: &str, given: &[(&str, &str)]) -> Self {
        let directory = Directory::new(Options { users: 0, teams: 0, token: BACKEND_TOKEN.to_owned(), ..Options::default() });
        let request_timeout = Duration::from_secs(limits::REQUEST_SECONDS);
        Self { stack: stack_given(request_timeout, mapping, given, Offer::default()), url: String::new(), directory }
    }

    /// Sends a request as it is; the path is put behind the base path.
    pub(crate) async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request =
            Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(format!("/scim/v2{path}"));
        request = request.header("Host", "scim.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.request(request.body(Body::new(Full::from(body))).unwrap()).await
    }

    /// Sends a request to wherever it says.
    pub(crate) async fn request(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.stack.call(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends a request with the token of the lenient client.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send_as(LENIENT, method, path, &[], body).await
    }

    /// Sends a request with the token of the strict client.
    pub(crate) async fn strictly(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send_as(STRICT, method, path, &[], body).await
    }

    /// Sends a request with a token and more headers.
    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("Authorization", authorization.as_str())];
        if body.is_some() {
            headers.push(("Content-Type", "application/scim+json"));
        }
        headers.extend(more);
        self.raw(method, path, &headers, body.map(|body| body.to_string().into_bytes()).unwrap_or_default()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Creates a resource and gives its id.
    pub(crate) async fn create(&self, path: &str, body: Value) -> String {
        let answer = self.send("POST", path, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The record that the backend itself shows.
    pub(crate) fn record(&self, path: &str) -> Value {
        let request = Request::get(path).header("Authorization", format!("Bearer {BACKEND_TOKEN}"));
        let response = self.directory.handle(&request.body(bytes::Bytes::new()).unwrap());
        serde_json::from_slice::<Value>(response.body()).unwrap()["data"].take()
    }

    /// The calls that the backend got since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.directory.calls();
        self.directory.clear_calls();
        calls
    }
}

fn stack(mapping: &str, url: &str, offer: Offer) -> Stack {
    stack_within(Duration::from_secs(limits::REQUEST_SECONDS), mapping, url, offer)
}

fn stack_within(request_timeout: Duration, mapping: &str, url: &str, offer: Offer) -> Stack {
    stack_given(request_timeout, mapping, &[("PEOPLE_URL", url), ("PEOPLE_TOKEN", BACKEND_TOKEN)], offer)
}

fn stack_given(request_timeout: Duration, mapping: &str, given: &[(&str, &str)], offer: Offer) -> Stack {
    // Fails when another test was first, which is as good.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let mapping = load_mapping("mapping.yaml", mapping, &Given(given)).unwrap_or_else(|error| panic!("{error}"));
    let client =
        |name: &str, token: &str, profile| Client { name: name.into(), tokens: vec![TokenHash::of(&token.into())], profile };
    let options = server::Options {
        base: BaseUrl::new(None, "/scim/v2", "scim.test"),
        clients: Clients(vec![client("lenient", LENIENT, &Profile::LENIENT), client("strict", STRICT, &Profile::STRICT)]),
        profile: &Profile::LENIENT,
        discovery_without_token: true,
        request_bytes: limits::REQUEST_BYTES,
        request_timeout,
        concurrent_requests: limits::REQUESTS,
    };
    let app = App::new(mapping, offer).unwrap_or_else(|error| panic!("{error}"));
    Stack::new(Arc::new(app), &options)
}
