//! From a call of the mapping and the values of its variables to one HTTP request.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::fmt::rfc2822::DateTimeParser;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::xml;
use crate::limits;
use crate::mapping::convert::text;
use crate::mapping::model::{Body, Call, Format, Tree};
use crate::mapping::template::{RenderError, Root, Scope, Template, Variable};
use crate::scim::ScimError;

/// A request to the backend, ready to be sent.
#[derive(Debug, Clone)]
pub struct HttpCall<'m> {
    pub call: &'m Call,
    pub method: Method,
    /// Path and query, to be put behind the base URL; begins with a slash.
    pub target: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Written as [`Call::format`] says.
    pub body: Option<Bytes>,
    /// The body before it was written.
    pub content: Option<Value>,
    /// When no pause before it, or before its repetition, may end; none is set where nobody waits.
    pub deadline: Option<Instant>,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Retry-After (RFC 9110 section 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        self.wait_in(&RETRY_AFTER)
    }

    /// How long a header asks to wait: the whole number that it begins with, in seconds, or until a time, by the clock of the
    /// backend itself.
    pub fn wait_in(&self, name: &HeaderName) -> Option<Duration> {
        let text = self.header(name)?;
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return seconds_in(text);
        }
        let time = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
        let wait = time(text)?.duration_since(time(self.header(&DATE)?)?);
        Some(wait.try_into().unwrap_or(Duration::ZERO)).filter(is_wait)
    }

    /// A header as text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// The first whole number in a text, as seconds.
pub(super) fn seconds_in(text: &str) -> Option<Duration> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok().map(Duration::from_secs).filter(is_wait)
}

/// Whether somebody may be asked to wait for so long.
pub(super) fn is_wait(wait: &Duration) -> bool {
    *wait <= Duration::from_secs(limits::WAIT_SECONDS)
}

/// What stays as it is in a query (RFC 3986 section 2.3). A blank becomes `%20`, which every server reads the same way.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is added to the list call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct More {
    pub query: Vec<(String, String)>,
    /// Members of the body.
    pub body: Option<Value>,
}

/// Builds the request. `record` is what the attribute map writes, for a call that carries it.
pub fn build<'m>(call: &'m Call, scope: &Scope<'_>, record: Option<&Value>) -> Result<HttpCall<'m>, RenderError> {
    build_with(call, scope, record, &More::default())
}

/// Builds the request with what is added to it.
pub fn build_with<'m>(
    call: &'m Call,
    scope: &Scope<'_>,
    record: Option<&Value>,
    more: &More,
) -> Result<HttpCall<'m>, RenderError> {
    let mut target = String::with_capacity(64);
    for segment in &call.path {
        target.push('/');
        target.push_str(&segment.segment(scope)?);
    }
    let mut separator = '?';
    let mut pair = |target: &mut String, name: &str, value: &str| {
        target.push(separator);
        separator = '&';
        target.extend(utf8_percent_encode(name, RESERVED));
        target.push('=');
        target.extend(utf8_percent_encode(value, RESERVED));
    };
    // What a filter says goes before what the list says of the same parameter: `status=` for all, `status=1` for some.
    for (name, value) in call.query.iter().filter(|(name, _)| !more.query.iter().any(|(other, _)| other == name)) {
        pair(&mut target, name, &value.parameter(scope)?);
    }
    for (name, value) in &more.query {
        pair(&mut target, name, value);
    }
    let mut headers = Vec::with_capacity(call.headers.len());
    for (name, template) in &call.headers {
        // A condition on the present record cannot be made where the record was not read, or has no version.
        let unknown = |root: &Root| match root {
            Root::Record => scope.record.is_none(),
            Root::Version => scope.version.is_none(),
            _ => false,
        };
        if template.variables().any(|variable| unknown(&variable.root)) {
            continue;
        }
        let text = template.header(scope)?;
        let value = HeaderValue::from_str(&text).map_err(|_| RenderError::Header(name.as_str().to_owned()))?;
        headers.push((name.clone(), value));
    }
    let mut content = body(call, scope, record)?;
    if let (Some(content), Some(more)) = (&mut content, &more.body) {
        merge(content, more.clone());
    }
    let body = content.as_ref().map(|content| sent(call, content)).transpose()?;
    Ok(HttpCall { call, method: call.method.clone(), target, headers, body, content, deadline: None })
}

/// The body of a call as it is sent.
fn sent(call: &Call, body: &Value) -> Result<Bytes, RenderError> {
    match (&call.format, &call.body) {
        (Format::Xml { root: Some(root) }, Body::Record { .. }) => xml::write(root, body).map(Bytes::from),
        (format, _) => written(format, body),
    }
}

/// A body as it is sent.
pub fn written(format: &Format, body: &Value) -> Result<Bytes, RenderError> {
    Ok(match format {
        Format::Json => Bytes::from(body.to_string()),
        Format::Form => Bytes::from(form(body)),
        Format::Xml { .. } => Bytes::from(xml::write_whole(body)?),
    })
}

/// What the client is told if a call cannot be built because of a value of its own; nothing if that is for the author of the
/// mapping to mend.
pub fn refusal(call: &Call, error: &RenderError) -> Option<ScimError> {
    if let RenderError::Character(name) = error {
        return Some(ScimError::invalid_value(format!("{name}: the application cannot take a control character.")));
    }
    let about = |variable: &Variable| match error {
        RenderError::Segment => true,
        RenderError::Missing(text) | RenderError::NotText(text) | RenderError::Header(text) | RenderError::Format(text) => {
            *text == variable.text
        }
        RenderError::Xml(_) | RenderError::Character(_) => false,
    };
    let sent = |variable: &&Variable| matches!(variable.root, Root::Attribute { .. }) && about(variable);
    let variable = call.templates().flat_map(Template::variables).find(sent)?;
    Some(ScimError::invalid_value(format!("{}: the application cannot take this value, or needs one.", variable.text)))
}

/// The body of a call. `record` is what the attribute map writes.
pub fn body(call: &Call, scope: &Scope<'_>, record: Option<&Value>) -> Result<Option<Value>, RenderError> {
    Ok(match &call.body {
        Body::None => None,
        Body::Record { with: None } => record.cloned(),
        Body::Record { with: Some(tree) } => {
            let mut whole = record.cloned().unwrap_or_else(|| Value::Object(Map::new()));
            merge(&mut whole, render(tree, scope)?);
            Some(whole)
        }
        Body::Tree(tree) => Some(render(tree, &Scope { fields: record, ..*scope })?),
    })
}

/// A body as a form: `user[name]=Ann&user[ids][]=1`. What is cleared is empty.
fn form(body: &Value) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        pairs(name, value, &mut out);
    }
    out.finish()
}

fn pairs(name: &str, value: &Value, out: &mut form_urlencoded::Serializer<'_, String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| pairs(&format!("{name}[{member}]"), value, out)),
        // Nothing at all would leave the list as it is.
        Value::Array(items) if items.is_empty() => drop(out.append_pair(&format!("{name}[]"), "")),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // Objects are told apart by their number, as their members stand one by one.
                let place = if item.is_object() { format!("{name}[{index}]") } else { format!("{name}[]") };
                pairs(&place, item, out);
            }
        }
        Value::Null => drop(out.append_pair(name, "")),
        scalar => drop(out.append_pair(name, &text(scalar))),
    }
}

// === impl More ===

impl More {
    /// Adds what another one adds; `false`, and nothing is added, where both want the same place.
    pub fn join(&mut self, other: &Self) -> bool {
        let taken = |name: &String| self.query.iter().any(|(taken, _)| taken == name);
        let clash = self.body.as_ref().zip(other.body.as_ref()).is_some_and(|(one, other)| clash(one, other));
        if clash || other.query.iter().any(|(name, _)| taken(name)) {
            return false;
        }
        self.query.extend(other.query.iter().cloned());
        match (&mut self.body, &other.body) {
            (Some(body), Some(more)) => merge(body, more.clone()),
            (body @ None, Some(more)) => *body = Some(more.clone()),
            (_, None) => {}
        }
        true
    }
}

/// Whether two bodies say something else in the same place.
fn clash(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().any(|(name, value)| other.get(name).is_some_and(|other| clash(value, other)))
        }
        _ => one != other,
    }
}

/// Adds members to a body; objects on both sides become one.
fn merge(body: &mut Value, more: Value) {
    match (body, more) {
        (Value::Object(body), Value::Object(more)) => {
            for (name, value) in more {
                merge(body.entry(name).or_insert(Value::Null), value);
            }
        }
        (body, more) => *body = more,
    }
}

/// A body tree with its values. A member whose one variable has no value is left out.
pub(super) fn render(tree: &Tree, scope: &Scope<'_>) -> Result<Value, RenderError> {
    Ok(match tree {
        Tree::Literal(value) => value.clone(),
        Tree::Template(template) => template.json(scope)?,
        Tree::List(items) => Value::Array(items.iter().map(|item| render(item, scope)).collect::<Result<_, _>>()?),
        Tree::Object(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                match render(member, scope) {
                    Ok(value) => {
                        object.insert(name.text(scope)?, value);
                    }
                    Err(RenderError::Missing(_)) if matches!(member, Tree::Template(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Value::Object(object)
        }
    })
}
