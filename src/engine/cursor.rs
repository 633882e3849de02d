//! Cursors that clients page by (RFC 9865). They hold everything needed to go on, so that any replica can serve the next
//! page; a code over them keeps clients from making the gateway follow a place of their own invention.

use std::hash::{BuildHasher as _, RandomState};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::mapping::Mapping;
use crate::scim::messages::SearchRequest;
use crate::scim::{ScimError, ScimType};
use crate::translate::pages::Start;

/// Bytes of the code that is kept.
const CODE: usize = 16;

/// Where a query goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resume {
    /// Resources before the window.
    pub(super) skip: u64,
    /// The page of the backend that holds the first of the window, and the rows before that page.
    pub(super) page: Option<(Start, u64)>,
}

/// Makes and reads cursors.
#[derive(Clone)]
pub(super) struct Cursors {
    /// Derived from the mapping and the credentials to the backend, which all replicas share. With another mapping a place in
    /// a list may mean another one, so a cursor ends with the mapping that it was made by. Without credentials it is made up,
    /// and a cursor is good in this process only.
    key: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Content {
    /// A digest of the query that the cursor belongs to.
    query: String,
    count: u64,
    skip: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
}

// === impl Cursors ===

impl Cursors {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let mut key = Sha256::new();
        key.update(b"scimitar cursor\n");
        key.update(mapping.digests.document);
        key.update(mapping.backend.url.to_string().as_bytes());
        for (name, value) in &mapping.backend.headers {
            key.update(name.as_str().as_bytes());
            key.update(value.as_bytes());
        }
        let secrets = mapping.backend.auth.secrets();
        for secret in &secrets {
            key.update(secret);
        }
        if secrets.is_empty() && !mapping.backend.headers.iter().any(|(_, value)| value.is_sensitive()) {
            // Nothing secret is shared with other replicas: the key is this process's own.
            for state in [RandomState::new(), RandomState::new(), RandomState::new(), RandomState::new()] {
                key.update(state.hash_one(0).to_be_bytes());
            }
        }
        Self { key: key.finalize().into() }
    }

    /// The cursor for the place where a query goes on. Its characters are unreserved in a URL (section 2).
    pub(super) fn write(&self, endpoint: &str, search: &SearchRequest, count: u64, resume: &Resume) -> String {
        let (token, before) = match &resume.page {
            Some((Start::Token(token), before)) => (token.clone(), Some(*before)),
            _ => (None, None),
        };
        let content = Content { query: digest(endpoint, search), count, skip: resume.skip, token, before };
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let mut whole = self.code(&content).to_vec();
        whole.extend(content);
        BASE64_URL_SAFE_NO_PAD.encode(whole)
    }

    /// Reads a cursor that came back; nothing for the empty one, which starts a query.
    pub(super) fn read(
        &self,
        endpoint: &str,
        search: &SearchRequest,
        count: u64,
        cursor: &str,
    ) -> Result<Option<Resume>, ScimError> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let invalid = |why: &str| {
            ScimError::new(ScimType::InvalidCursor, format!("The cursor {why}: begin again with cursor= and nothing behind it."))
        };
        if cursor.len() > limits::CURSOR_BYTES {
            return Err(invalid("is longer than any that this service makes"));
        }
        let whole = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid("is none that this service made"))?;
        let (code, content) = whole.split_at_checked(CODE).ok_or_else(|| invalid("is none that this service made"))?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(code, &self.code(content)[..])) {
            return Err(invalid("is none that this service made"));
        }
        let content: Content = serde_json::from_slice(content).map_err(|_| invalid("is none that this service made"))?;
        if content.query != digest(endpoint, search) {
            return Err(invalid("belongs to another query"));
        }
        if content.count != count {
            return Err(ScimError::new(
                ScimType::InvalidCount,
                format!("The count has changed between pages: it was {}. Leave it as it is, or begin again.", content.count),
            ));
        }
        Ok(Some(Resume { skip: content.skip, page: content.before.map(|before| (Start::Token(content.token), before)) }))
    }

    fn code(&self, content: &[u8]) -> [u8; CODE] {
        let mut code = [0; CODE];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(content);
            for (to, from) in code.iter_mut().zip(mac.finalize().into_bytes()) {
                *to = from;
            }
        }
        code
    }
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors")
    }
}

/// What must be the same on every page. Projections may differ.
fn digest(endpoint: &str, search: &SearchRequest) -> String {
    let text = format!("{endpoint}\n{:?}\n{:?}\n{:?}", search.filter, search.sort_by, search.sort_order);
    let digest = Sha256::digest(text.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest.iter().copied().take(12).collect::<Vec<u8>>())
}
