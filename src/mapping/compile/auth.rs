//! `backend.auth`: the one way in which the gateway proves itself.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use super::call::Shared;
use super::{Compiler, is_reference};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::Auth;
use crate::mapping::source::{Data, Node, Span};
use crate::mapping::template::{Part, Template, Variable};
use crate::mapping::vocabulary;

/// What the names of fields that hold secrets usually have in them.
const SECRET_WORDS: [&str; 9] = ["pass", "pwd", "secret", "token", "apikey", "api_key", "api-key", "credential", "signature"];

impl Compiler<'_> {
    pub(super) fn auth(&mut self, node: &Node, shared: &Shared) -> Option<Auth> {
        let ways = || vocabulary::AUTH.keys.iter().map(|key| key.name);
        if let Some(text) = node.text() {
            if text == "none" {
                return Some(Auth::None);
            }
            if let Some(way) = ways().find(|way| *way == text) {
                let message = format!("`{text}` alone does not say enough");
                self.error(Code::WrongShape, node.span, message, format!("write `auth: {{ {way}: ... }}`"));
                return None;
            }
            if !is_reference(text) {
                self.literal_secret(node);
            }
        }
        let keys = self.block(node, &vocabulary::AUTH)?;
        let known: Vec<_> = keys.entries.iter().filter(|entry| ways().any(|way| way == entry.key)).collect();
        if let ([], [_, ..]) = (known.as_slice(), keys.entries) {
            return None;
        }
        let [entry] = known.as_slice() else {
            let count = if known.is_empty() { "no way" } else { "several ways" };
            self.error(
                Code::BadValue,
                node.span,
                format!("auth holds {count} to authenticate"),
                format!("write one of {}, or `auth: none`", ways().collect::<Vec<_>>().join(", ")),
            );
            // What stands there may be secret, used or not.
            for entry in keys.entries.iter().filter(|entry| entry.value.text().is_some_and(|text| !is_reference(text))) {
                self.literal_secret(&entry.value);
            }
            return None;
        };
        let node = &entry.value;
        match entry.key.as_str() {
            "bearer" => {
                let token = self.secret(node)?;
                self.credentials(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()), node)
            }
            "basic" => {
                let basic = self.block(node, &vocabulary::BASIC)?;
                let user = self.require(&basic, "user", "write `user: ${NAME}`").and_then(|node| self.resolved(node));
                let password = self.require(&basic, "password", "write `password: ${NAME}`").and_then(|node| self.secret(node));
                self.credentials(AUTHORIZATION, &basic_of(user?.expose_secret(), password?.expose_secret()), node)
            }
            "header" => {
                let header = self.block(node, &vocabulary::HEADER)?;
                let name = self.require(&header, "name", "write `name: X-Api-Key`");
                let value = self.require(&header, "value", "write `value: ${NAME}`").and_then(|node| self.secret(node));
                let name = name.and_then(|node| self.text(node).and_then(|text| self.header_name(text, node.span)));
                self.credentials(name?, value?.expose_secret(), node)
            }
            "query" => {
                let query = self.block(node, &vocabulary::QUERY)?;
                let name = self.require(&query, "name", "write `name: api_key`").and_then(|node| self.text(node));
                let value = self.require(&query, "value", "write `value: ${NAME}`").and_then(|node| self.secret(node));
                Some(Auth::Query(name?.to_owned(), value?))
            }
            "login" => self.login(node, shared).map(|session| Auth::Session(Box::new(session))),
            "oauth2" => self.oauth2(node).map(|session| Auth::Session(Box::new(session))),
            _ => self.signing(node).map(|signing| Auth::Signed(Box::new(signing))),
        }
    }

    fn credentials(&mut self, name: HeaderName, value: &str, node: &Node) -> Option<Auth> {
        let value = self.header_value(value, node)?;
        Some(Auth::Header(name, sensitive(value)))
    }

    /// Where secrets may stand in templates each becomes a variable, so that what is compiled shows none.
    pub(super) fn with_secrets(&mut self, template: Template, span: Span) -> Option<Template> {
        let refers = |part: &Part| matches!(part, Part::Literal(text) if is_reference(text));
        if self.found.is_none() || !template.parts().iter().any(refers) {
            return Some(template);
        }
        let parts = template.parts().iter().map(|part| match part {
            Part::Literal(text) if is_reference(text) => {
                let secret = self.resolved_text(text, span)?;
                self.found.get_or_insert_default().push((text.clone(), secret));
                Some(Part::Variable(Variable::kept(text)))
            }
            part => Some(part.clone()),
        });
        parts.collect::<Option<Vec<_>>>().map(Template::of)
    }

    /// Warns about values in the mapping itself that are secret by their names.
    pub(super) fn literal_secrets(&mut self, node: &Node) {
        match &node.data {
            Data::Scalar { .. } => {}
            Data::Sequence(items) => items.iter().for_each(|item| self.literal_secrets(item)),
            Data::Mapping(entries) => {
                for entry in entries {
                    let literal =
                        entry.value.text().is_some_and(|text| !text.is_empty() && !is_reference(text) && !text.contains("{{"));
                    if literal && is_secret_name(&entry.key) {
                        self.literal_secret(&entry.value);
                    } else {
                        self.literal_secrets(&entry.value);
                    }
                }
            }
        }
    }
}

pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "authorization" || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// `Basic`, as RFC 7617 has it.
pub(super) fn basic_of(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}
