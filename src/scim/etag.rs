//! Versions of resources: entity tags and conditional requests (RFC 7644 section 3.14, RFC 9110 sections 8.8.3 and 13.1).
//!
//! All tags are weak: whether the gateway writes the same bytes twice is not for a backend's revision to say. Comparison
//! is weak in If-Match too, where RFC 9110 has the strong one: with weak tags that would never match, and SCIM clients
//! send back the tag they got.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use super::ScimError;
use crate::limits;

/// What a conditional request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Proceed,
    /// 304: the client has this version.
    NotModified,
}

/// The value of an If-Match or If-None-Match header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// `*`.
    any: bool,
    /// What stands between the quotes.
    opaque: Vec<String>,
}

/// The tag for a revision of the backend, in whatever form it has: `W/"..."`, with all that an `etagc` cannot be
/// percent-encoded, `%` included.
pub fn weak(revision: &str) -> String {
    let mut tag = String::with_capacity(revision.len() + 4);
    tag.push_str("W/\"");
    for byte in revision.bytes() {
        match byte {
            b'"' | b'%' | 0..=b' ' | 0x7f.. => {
                // Writing to a string cannot fail.
                write!(tag, "%{byte:02X}").unwrap_or_default();
            }
            _ => tag.push(char::from(byte)),
        }
    }
    tag.push('"');
    tag
}

/// The tag for an `ETag` of the backend: what stands between its quotes, in a weak tag.
pub fn of_header(header: &str) -> String {
    let tags = Tags::parse(header);
    weak(tags.opaque.first().map_or(header, String::as_str))
}

/// The revision of the backend for a tag that [`weak`] made; `None` for `*`, a list, or what is no such tag.
pub fn revision(tag: &str) -> Option<String> {
    let tags = Tags::parse(tag);
    match (tags.any, tags.opaque.as_slice()) {
        (false, [only]) => percent_decode_str(only).decode_utf8().ok().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}

/// Evaluates the headers in the order of RFC 9110 section 13.2.2. `current` is the version (`meta.version`) of the
/// resource as it is, `None` if it does not exist or has no version; `safe_method` is true for GET and HEAD.
///
/// `If-Match: *` always proceeds: SAP sends it with every request, POST included, and where nothing exists the operation
/// itself says 404. The error is 412, for which the RFC has no `scimType`.
pub fn condition(
    if_match: Option<&str>,
    if_none_match: Option<&str>,
    current: Option<&str>,
    safe_method: bool,
) -> Result<Condition, ScimError> {
    if let Some(tags) = if_match.map(Tags::parse)
        && !tags.any
        && !current.is_some_and(|current| tags.have(current))
    {
        let now = current.map_or_else(|| "it has no version".to_owned(), |current| format!("it is now at {current}"));
        return Err(ScimError::status(
            412,
            format!("The resource is not in the version that If-Match asks for: {now}. Read it again and repeat the change."),
        ));
    }
    if let (Some(tags), Some(current)) = (if_none_match.map(Tags::parse), current)
        && (tags.any || tags.have(current))
    {
        if safe_method {
            return Ok(Condition::NotModified);
        }
        return Err(ScimError::status(412, format!("The resource exists in a version that If-None-Match excludes: {current}.")));
    }
    Ok(Condition::Proceed)
}

// === impl Tags ===

impl Tags {
    /// Reads a header. Never fails: a tag without quotes is taken as it stands, what is no tag matches nothing.
    pub fn parse(header: &str) -> Self {
        let mut tags = Self::default();
        let mut rest = header;
        while tags.opaque.len() < limits::ENTITY_TAGS {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let bare = rest.strip_prefix("W/").filter(|after| after.starts_with('"')).unwrap_or(rest);
            if let Some((opaque, after)) = bare.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
                tags.opaque.push(opaque.to_owned());
                rest = after;
            } else {
                let (token, after) = rest.split_once(',').unwrap_or((rest, ""));
                match token.trim_end() {
                    "*" => tags.any = true,
                    token => tags.opaque.push(token.to_owned()),
                }
                rest = after;
            }
        }
        tags
    }

    /// Whether the header is, or holds, `*`.
    pub const fn is_any(&self) -> bool {
        self.any
    }

    /// Whether one of the tags is that one, by weak comparison (RFC 9110 section 8.8.3.2).
    pub fn have(&self, tag: &str) -> bool {
        let Self { opaque, .. } = Self::parse(tag);
        opaque.first().is_some_and(|wanted| self.opaque.contains(wanted))
    }
}

#[cfg(test)]
#[path = "etag_tests.rs"]
mod tests;
