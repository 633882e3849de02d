//! What came: calls to the backend, and the answer to the client.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::mapping::model::{CallTarget, Format};
use crate::mapping::source::Span;
use crate::server::step::Response;
use crate::translate::call::{self, HttpCall};
use crate::translate::xml;

/// A call as the backend would see it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Where the mapping describes it.
    pub(super) place: Span,
    pub(super) method: Method,
    pub(super) target: CallTarget,
    /// Those of the call, then those that all calls have.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) format: Format,
    pub(super) body: Content,
    /// The body before it was written.
    pub(super) content: Option<Value>,
    /// How it was answered; nothing if there was no answer.
    pub(super) answer: Option<call::Answer>,
}

/// A body.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    None,
    Json(Value),
    /// In the order of the names; values of one name keep theirs.
    Form(Vec<(String, String)>),
    Text(String),
}

/// The answer to the client.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Value>,
}

// === impl Call ===

impl Call {
    pub(super) fn of(sent: &HttpCall<'_>, shared: &[(HeaderName, HeaderValue)]) -> Self {
        let common = shared.iter().filter(|(name, _)| !sent.headers.iter().any(|(own, _)| own == name));
        Self {
            place: sent.call.place,
            method: sent.method.clone(),
            target: CallTarget::parse(&sent.target),
            headers: sent.headers.iter().chain(common).cloned().collect(),
            format: sent.call.format.clone(),
            body: sent.body.as_ref().map_or(Content::None, |body| Content::of(body, &sent.call.format)),
            content: sent.content.clone(),
            answer: None,
        }
    }

    /// Method and target, escaped no more than a test needs it.
    pub(super) fn line(&self) -> String {
        let escaped = |text: &str, reserved: &[char]| {
            text.chars().map(|c| if reserved.contains(&c) { format!("%{:02X}", u32::from(c)) } else { c.to_string() }).collect()
        };
        let path: Vec<String> = self.target.path.iter().map(|segment| escaped(segment, &['%', '/', '?'])).collect();
        let pair = |(name, value): &(String, String)| -> String {
            format!("{}={}", escaped(name, &['%', '&', '=']), escaped(value, &['%', '&']))
        };
        let query: Vec<String> = self.target.query.iter().map(pair).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} /{}{mark}{}", self.method, path.join("/"), query.join("&"))
    }

    /// A header that was sent.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|(sent, _)| sent == name).map(|(_, value)| value)
    }
}

// === impl Content ===

impl Content {
    pub(super) fn of(bytes: &[u8], format: &Format) -> Self {
        let tree = match format {
            Format::Form => return Self::form(bytes),
            Format::Json => serde_json::from_slice(bytes).ok(),
            Format::Xml { .. } => xml::read(bytes, None, &[]).ok(),
        };
        tree.map_or_else(|| Self::Text(String::from_utf8_lossy(bytes).into_owned()), Self::Json)
    }

    pub(super) fn form(bytes: &[u8]) -> Self {
        let mut pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self::Form(pairs)
    }
}

// === impl Answer ===

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(never) => match never {},
        };
        Self { status: parts.status.as_u16(), headers: parts.headers, body: serde_json::from_slice(&bytes).ok() }
    }

    /// The resources in it: itself, those of a list, those of the operations of a Bulk.
    pub(super) fn resources(body: &Value) -> Vec<&Value> {
        let list = |name: &str| body.get(name).and_then(Value::as_array);
        match (list("Resources"), list("Operations")) {
            (Some(resources), _) => resources.iter().collect(),
            (None, Some(operations)) => operations.iter().filter_map(|operation| operation.get("response")).collect(),
            (None, None) => vec![body],
        }
    }
}
