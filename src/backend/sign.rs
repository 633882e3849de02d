//! Signing calls (HMAC, RFC 2104).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use http_body_util::{BodyExt as _, Collected, Full};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use rustls::crypto::aws_lc_rs::default_provider;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};
use tower::BoxError;

use super::credentials::{add_header, add_parameter};
use super::session::exposed;
use super::stack::Outbound;
use crate::mapping::model::{Encode, Hash, Signing};
use crate::mapping::template::Scope;
use crate::translate::outcome::{Fault, FaultClass};

/// Signs requests.
pub(super) struct Signer(pub(super) Signing);

impl Signer {
    /// Adds what the mapping sends of the signature. Each attempt has a signature of its own.
    pub(super) fn sign(&self, request: &mut Outbound) -> Result<(), BoxError> {
        let mut values = self.values(request)?;
        let scope = Scope { kept: Some(&values), ..Scope::default() };
        let unwritable = |error: String| {
            let detail = format!("the call cannot be signed: {error}");
            Fault { class: FaultClass::Unauthorized, call: "backend.auth.hmac".to_owned(), detail, retry_after: None }
        };
        let message = self.0.message.text(&scope).map_err(|error| unwritable(error.to_string()))?;
        let signature = mac(self.0.hash, &self.0.key.0, message.as_bytes())?;
        values.extend(self.0.secrets.iter().map(exposed));
        values.insert("signature".to_owned(), Value::from(encoded(self.0.encode, &signature)));
        let scope = Scope { kept: Some(&values), ..Scope::default() };
        for (name, template) in &self.0.headers {
            let value = template.header(&scope).map_err(|error| unwritable(error.to_string()))?;
            add_header(request, name, HeaderValue::from_str(&value)?);
        }
        for (name, template) in &self.0.query {
            let value = template.parameter(&scope).map_err(|error| unwritable(error.to_string()))?;
            add_parameter(request, name, &value)?;
        }
        Ok(())
    }

    /// The variables, but for the signature.
    fn values(&self, request: &Outbound) -> Result<Map<String, Value>, BoxError> {
        let body = bytes(request.body());
        let uri = request.uri();
        let now = Timestamp::now();
        let mut nonce = [0; 16];
        default_provider().secure_random.fill(&mut nonce).map_err(|_| "there is no chance to be had")?;
        // HTTP/1.1 sends the port only where it is not the usual one (RFC 9110 section 4.2.3).
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let host = uri.host().unwrap_or_default();
        let host = uri.port_u16().filter(|port| *port != usual).map_or(host.to_owned(), |port| format!("{host}:{port}"));
        let pairs = [
            ("method", request.method().as_str().to_owned()),
            ("host", host),
            ("path", uri.path().to_owned()),
            ("query", uri.query().unwrap_or_default().to_owned()),
            ("target", uri.path_and_query().map_or("/", |target| target.as_str()).to_owned()),
            ("body", String::from_utf8(body.to_vec())?),
            ("bodyHash", encoded(self.0.encode, &hash(self.0.hash, &body))),
            ("date", DateTimePrinter::new().timestamp_to_rfc9110_string(&now)?),
            ("time", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("seconds", now.as_second().to_string()),
            ("nonce", encoded(Encode::Hex, &nonce)),
        ];
        Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
    }
}

/// The whole body, which is there already.
fn bytes(body: &Full<Bytes>) -> Bytes {
    body.clone().collect().now_or_never().and_then(Result::ok).map(Collected::to_bytes).unwrap_or_default()
}

fn hash(kind: Hash, bytes: &[u8]) -> Vec<u8> {
    match kind {
        Hash::Sha256 => Sha256::digest(bytes).to_vec(),
        Hash::Sha512 => Sha512::digest(bytes).to_vec(),
    }
}

fn mac(kind: Hash, key: &[u8], message: &[u8]) -> Result<Vec<u8>, BoxError> {
    Ok(match kind {
        Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key)?.chain_update(message).finalize().into_bytes().to_vec(),
        Hash::Sha512 => Hmac::<Sha512>::new_from_slice(key)?.chain_update(message).finalize().into_bytes().to_vec(),
    })
}

fn encoded(encode: Encode, bytes: &[u8]) -> String {
    match encode {
        Encode::Hex => {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
        }
        Encode::Base64 => BASE64_STANDARD.encode(bytes),
    }
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
