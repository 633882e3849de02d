//! Tests of a mapping, ready to run: requests of a client, the calls that they must become, and the answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::mapping::source::Span;
use crate::scim::{AttrPath, Profile};

/// A test: one request after the other, each with the calls that it becomes.
#[derive(Debug, Clone)]
pub struct Trial {
    pub name: String,
    /// Its name in the document.
    pub place: Span,
    /// The profile of the client.
    pub profile: &'static Profile,
    /// At least one.
    pub exchanges: Vec<Exchange>,
}

/// A request, what it becomes, and what the client sees.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub place: Span,
    pub send: Sent,
    pub backend: Vec<Turn>,
    pub expect: Expectation,
}

/// A request of the client.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: Method,
    /// Path and query below the base URL, as a person types them: blanks and quotes stand as they are.
    pub target: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Value>,
}

/// What is next in the backend's script: mostly one call; several if the gateway may make them side by side.
#[derive(Debug, Clone)]
pub struct Turn(pub Vec<Answered>);

/// A call that must come, and its answer.
#[derive(Debug, Clone)]
pub struct Answered {
    pub place: Span,
    /// As it was written: `GET /users?login=ann`.
    pub line: String,
    pub method: Method,
    pub target: Target,
    /// `None`: the call must not have the header.
    pub headers: Vec<(HeaderName, Option<String>)>,
    pub body: Wanted,
    pub answer: Given,
}

/// Path and query of a call, without their escapes: however a text is written, it is compared by what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
}

/// What a body must be.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Wanted {
    /// Nothing is said of it.
    #[default]
    Anything,
    /// There is none.
    Nothing,
    Exactly(Value),
    /// It holds at least this.
    Holding(Value),
}

/// How the backend answers.
#[derive(Debug, Clone)]
pub enum Given {
    Answer { status: u16, headers: HeaderMap, body: Bytes },
    None(NoAnswer),
}

/// Why no answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// It does not come in time.
    Timeout,
    /// No connection could be made.
    Refused,
    /// The connection breaks before the answer is whole.
    Cut,
}

/// What the client must see.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Any success unless said.
    pub status: Option<u16>,
    pub body: Wanted,
    /// Attributes that no resource in the answer has.
    pub absent: Vec<AttrPath>,
    /// `None`: the answer must not have the header.
    pub headers: Vec<(HeaderName, Option<String>)>,
    pub scim_type: Option<&'static str>,
}

// === impl Target ===

impl Target {
    /// Reads path and query of a call, escaped or not. A plus is a plus.
    pub fn parse(text: &str) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.trim_start_matches('/').split('/').map(decoded).collect();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self { path, query: pairs.map(|(name, value)| (decoded(name), decoded(value))).collect() }
    }

    /// Whether it is the same path with the same parameters, in whatever order these stand.
    pub fn is(&self, other: &Self) -> bool {
        let sorted = |target: &Self| {
            let mut query = target.query.clone();
            query.sort();
            query
        };
        self.path == other.path && sorted(self) == sorted(other)
    }
}
