//! `auth.hmac`: what is signed, and where the signature goes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;

use super::call::Names;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Encode, Hash, Key, Signing};
use crate::mapping::source::Node;
use crate::mapping::template::{Root, Template};
use crate::mapping::vocabulary;

/// What may be signed and sent; `backend/sign.rs` has their values.
const VARIABLES: [&str; 11] =
    ["method", "host", "path", "query", "target", "body", "bodyHash", "date", "time", "seconds", "nonce"];
/// The variable that only what is sent may use.
const SIGNATURE: &str = "signature";

impl Compiler<'_> {
    pub(super) fn signing(&mut self, node: &Node) -> Option<Signing> {
        let keys = self.block(node, &vocabulary::HMAC)?;
        let encodings = [("hex", Encode::Hex), ("base64", Encode::Base64)];
        let decode = keys.get("decode").map(|node| self.word(node, &encodings));
        let key = self.require(&keys, "key", "write `key: ${NAME}`").and_then(|node| self.signing_key(node, decode));
        let hash = keys
            .get("hash")
            .map_or(Some(Hash::default()), |node| self.word(node, &[("sha256", Hash::Sha256), ("sha512", Hash::Sha512)]));
        let encode = keys.get("encode").map_or(Some(Encode::default()), |node| self.word(node, &encodings));
        let signed: Vec<String> = VARIABLES.iter().map(ToString::to_string).collect();
        let sent: Vec<String> = signed.iter().cloned().chain([SIGNATURE.to_owned()]).collect();
        let message = self
            .require(&keys, "sign", "tell what is signed: `sign: \"{{method}}\\n{{path}}\\n{{date}}\"`")
            .and_then(|node| self.template(node, &Names::NOTHING.keeping(&signed)));
        for key in ["query", "headers"] {
            if let Some(node) = keys.get(key) {
                self.literal_secrets(node);
            }
        }
        self.found = Some(Vec::new());
        let headers = self.sent_headers(&keys, &sent);
        let query = self.sent_query(&keys, &sent);
        let secrets = self.found.take().unwrap_or_default();
        let signing =
            Signing { key: key?, hash: hash?, encode: encode?, message: message?, headers: headers?, query: query?, secrets };
        self.check_signature(&keys, &signing).then_some(signing)
    }

    /// The key itself, or its bytes in another form.
    #[expect(clippy::option_option, reason = "said or not, and understood or not")]
    fn signing_key(&mut self, node: &Node, decode: Option<Option<Encode>>) -> Option<Key> {
        let text = self.secret(node)?;
        let text = text.expose_secret();
        let bytes = match decode {
            None => Some(text.as_bytes().to_vec()),
            Some(None) => return None,
            Some(Some(Encode::Base64)) => BASE64_STANDARD.decode(text).ok(),
            Some(Some(Encode::Hex)) => hex(text),
        };
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        if bytes.is_none() && !node.text().is_some_and(|text| self.secrets.is_stand_in(text)) {
            self.error(
                Code::BadValue,
                node.span,
                "the key is not written as `decode` says",
                "look at how the key was given out, or take `decode` out if it is the key itself",
            );
            return None;
        }
        Some(Key(bytes.unwrap_or_else(|| text.as_bytes().to_vec()).into()))
    }

    /// The signature must be sent, and so must what only the gateway knows of what is signed.
    fn check_signature(&mut self, keys: &Keys<'_>, signing: &Signing) -> bool {
        let sent = || signing.headers.iter().map(|(_, value)| value).chain(signing.query.iter().map(|(_, value)| value));
        let uses =
            |template: &Template, name: &str| template.variables().any(|variable| variable.root == Root::Kept(name.to_owned()));
        if !sent().any(|template| uses(template, SIGNATURE)) {
            self.error(
                Code::MissingKey,
                keys.span,
                "the signature is not sent",
                "write for example `headers: { Authorization: \"HMAC {{signature}}\" }`",
            );
            return false;
        }
        let mut whole = true;
        for (name, header) in [("date", "Date"), ("time", "X-Time"), ("seconds", "X-Timestamp"), ("nonce", "X-Nonce")] {
            if uses(&signing.message, name) && !sent().any(|template| uses(template, name)) {
                let span = keys.entry("sign").map_or(keys.span, |entry| entry.value.span);
                self.error(
                    Code::MissingKey,
                    span,
                    format!("`{{{{{name}}}}}` is signed, but not sent: the backend could not check the signature"),
                    format!("send it, too: `headers: {{ {header}: \"{{{{{name}}}}}\" }}`"),
                );
                whole = false;
            }
        }
        whole
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
