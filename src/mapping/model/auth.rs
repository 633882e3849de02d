//! How the gateway proves itself to the backend. Secrets are resolved, and shown by no `Debug`.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret as _, SecretString};

use super::Call;
use crate::mapping::path::JsonPath;
use crate::mapping::template::{Part, Root, Template};

/// The one way.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    #[default]
    None,
    /// A header of every call, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// A query parameter of every call.
    Query(String, SecretString),
    /// What the answer to a call of its own gives is sent in every other: `login` and `oauth2`.
    Session(Box<Session>),
    /// Every call is signed.
    Signed(Box<Signing>),
}

/// A call that is made before others, what is kept of its answer, and how that is sent.
#[derive(Debug, Clone)]
pub struct Session {
    pub call: Call,
    /// Secrets are variables in the templates ([`Root::Kept`]), by the text that refers to them.
    pub secrets: Vec<(String, SecretString)>,
    /// Scheme and host that the call goes to, if these are not the backend's.
    pub base: Option<Uri>,
    pub keep: Vec<(String, Source)>,
    /// What is sent; the variables are the names of `keep`.
    pub headers: Vec<(HeaderName, Template)>,
    pub query: Vec<(String, Template)>,
    /// Whether cookies of the answer are kept and sent.
    pub cookies: bool,
    pub expires: Expires,
}

/// Where in an answer a value is.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the body, from its root.
    Body(JsonPath),
    Header(HeaderName),
    Cookie(String),
}

/// When a session has ended, besides when the backend says so; whatever comes first.
#[derive(Debug, Clone, Default)]
pub struct Expires {
    /// So long after the login.
    pub after: Option<Duration>,
    /// So long after the last call.
    pub idle: Option<Duration>,
    /// The answer tells the seconds here.
    pub told: Option<JsonPath>,
}

/// A signature (HMAC, RFC 2104) over what a call sends.
#[derive(Debug, Clone)]
pub struct Signing {
    pub key: Key,
    pub hash: Hash,
    pub encode: Encode,
    /// What is signed.
    pub message: Template,
    pub headers: Vec<(HeaderName, Template)>,
    pub query: Vec<(String, Template)>,
    /// As in a [`Session`].
    pub secrets: Vec<(String, SecretString)>,
}

/// A key of bytes.
#[derive(Clone)]
pub struct Key(pub Arc<[u8]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hash {
    #[default]
    Sha256,
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encode {
    #[default]
    Hex,
    Base64,
}

/// What TLS needs besides what the system has.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Authorities that are trusted besides those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
    pub identity: Option<Identity>,
}

/// The certificate of the gateway, with what leads to its authority, and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: Arc<PrivateKeyDer<'static>>,
}

// === impl Auth ===

impl Auth {
    /// Everything secret in it: what all replicas have in common, and nobody else knows.
    pub fn secrets(&self) -> Vec<&[u8]> {
        match self {
            Self::None => Vec::new(),
            Self::Header(_, value) => vec![value.as_bytes()],
            Self::Query(_, value) => vec![value.expose_secret().as_bytes()],
            Self::Session(session) => session.secrets.iter().map(|(_, secret)| secret.expose_secret().as_bytes()).collect(),
            Self::Signed(signing) => vec![&signing.key.0],
        }
    }

    /// In a few words, where calls of their own are made or signed: `login (POST /login), cookies and x-csrf`.
    pub fn in_words(&self) -> Option<String> {
        let (what, headers, query, cookies) = match self {
            Self::None | Self::Header(..) | Self::Query(..) => return None,
            Self::Session(session) => {
                let way = session.call.name.rsplit('.').next().unwrap_or_default();
                let path: Vec<String> = session.call.path.iter().map(as_written).collect();
                let host = session.base.as_ref().and_then(Uri::host).unwrap_or_default();
                let what = format!("{way} ({} {host}/{})", session.call.method, path.join("/"));
                (what, &session.headers, &session.query, session.cookies)
            }
            Self::Signed(signing) => ("hmac".to_owned(), &signing.headers, &signing.query, false),
        };
        let mut sent: Vec<String> = if cookies { vec!["cookies".to_owned()] } else { Vec::new() };
        sent.extend(headers.iter().map(|(name, _)| name.as_str().to_owned()));
        sent.extend(query.iter().map(|(name, _)| format!("?{name}=")));
        Some(format!("{what}, {}", sent.join(" and ")))
    }
}

/// Secrets as the mapping refers to them.
fn as_written(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Variable(variable) => variable.text.clone(),
    };
    template.parts().iter().map(part).collect()
}

// === impl Session ===

impl Session {
    /// Whether something that is sent holds the value of this name.
    pub fn sends(&self, name: &str) -> bool {
        let templates = self.headers.iter().map(|(_, template)| template).chain(self.query.iter().map(|(_, template)| template));
        templates.flat_map(Template::variables).any(|variable| variable.root == Root::Kept(name.to_owned()))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}
