//! `backend`: the address, the credentials, what all calls share.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use secrecy::ExposeSecret as _;

use super::call::{Names, Shared};
use super::{Compiler, Keys, is_reference, known};
use crate::limits;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Auth, Backend, Meaning, Paging, Rule, Tls};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Node};
use crate::mapping::vocabulary;

/// The words of `as` in the error table.
const MEANINGS: [(&str, Meaning); 13] = [
    ("notFound", Meaning::NotFound),
    ("uniqueness", Meaning::Uniqueness),
    ("invalidValue", Meaning::InvalidValue),
    ("mutability", Meaning::Mutability),
    ("stale", Meaning::Stale),
    ("done", Meaning::Done),
    ("unknownMember", Meaning::UnknownMember),
    ("forbidden", Meaning::Forbidden),
    ("unauthorized", Meaning::Unauthorized),
    ("relogin", Meaning::Relogin),
    ("overloaded", Meaning::Overloaded),
    ("retry", Meaning::Retry),
    ("failed", Meaning::Failed),
];

/// Headers that are not the mapping's.
const CONNECTION: [&str; 9] =
    ["host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "proxy-connection"];

/// What HTTP says (RFC 9110), where the mapping says nothing. 409 on a write is a taken value with most backends.
const BUILT_IN: [(RangeInclusive<u16>, Meaning); 9] = [
    (404..=404, Meaning::NotFound),
    (410..=410, Meaning::NotFound),
    (409..=409, Meaning::Uniqueness),
    (412..=412, Meaning::Stale),
    (400..=400, Meaning::InvalidValue),
    (422..=422, Meaning::InvalidValue),
    (401..=403, Meaning::Unauthorized),
    (429..=429, Meaning::Overloaded),
    (500..=599, Meaning::Failed),
];

/// Whether a header of that name usually holds a secret.
pub(super) fn carries_secret(name: &HeaderName) -> bool {
    ["authorization", "cookie", "token", "secret", "api-key", "apikey"].iter().any(|word| name.as_str().contains(word))
}

/// Whether a way to authenticate has a login that ends.
fn renews(auth: &Node) -> bool {
    matches!(&auth.data, Data::Mapping(entries) if entries.iter().any(|entry| ["login", "oauth2"].contains(&entry.key.as_str())))
}

impl Compiler<'_> {
    /// The backend, if it can be used, and what its calls have in common in any case.
    pub(super) fn backend(&mut self, node: &Node) -> (Option<Backend>, Shared) {
        let Some(keys) = self.block(node, &vocabulary::BACKEND) else { return Default::default() };
        let (answers, format) = self.formats(&keys);
        let url = self.require(&keys, "url", "write the base URL: `url: ${PEOPLE_URL}`").and_then(|node| self.url(node));
        let mut headers = Vec::new();
        if let Some(entries) = keys.get("headers").and_then(|node| self.entries(node, "headers")) {
            for entry in entries {
                let name = self.header_name(&entry.key, entry.key_span);
                if name.as_ref().is_some_and(carries_secret) && entry.value.text().is_some_and(|text| !is_reference(text)) {
                    self.literal_secret(&entry.value);
                }
                let value = self.resolved(&entry.value).and_then(|value| self.header_value(value.expose_secret(), &entry.value));
                let value = value.map(|mut value| {
                    value.set_sensitive(entry.value.text().is_some_and(is_reference) || value.is_sensitive());
                    value
                });
                headers.extend(name.zip(value));
            }
        }
        let timeout = keys.get("timeout").map_or(Some(Duration::from_secs(10)), |node| self.duration(node));
        let concurrency = keys.get("concurrency").map_or(Some(limits::CALL_CONCURRENCY), |node| self.count(node));
        let lag = keys.get("lag").map_or(Some(Duration::ZERO), |node| {
            let lag = self.duration(node)?;
            if lag > Duration::from_secs(limits::LAG_SECONDS) {
                let message = format!("a write would wait for so long: {} seconds are the most", limits::LAG_SECONDS);
                self.error(Code::BadValue, node.span, message, "write for example `lag: 2s`");
            }
            Some(lag)
        });
        let envelope = self.path_or(keys.get("envelope"), &JsonPath::root());
        self.renews = keys.get("auth").is_some_and(renews);
        let mut rules = self.rules(&keys);
        let success = keys.get("success").map(|node| self.path(node));
        let rate = keys.get("rate").map(|node| self.rate(node));
        let retries = rules.iter().any(|rule| rule.meaning == Meaning::Retry);
        if self.renews {
            rules.push(Rule::of(401..=401, Meaning::Relogin));
        }
        let usable = answers.is_some() && format.is_some() && !matches!(success, Some(None));
        let mut shared = Shared {
            envelope: envelope.clone().unwrap_or_else(JsonPath::root),
            paging: Paging::unpaged(),
            rules,
            format: format.unwrap_or_default(),
            answers: Arc::new(answers.unwrap_or_default()),
            success: success.flatten(),
        };
        let paging = keys.get("pages").map_or(Some(Paging::unpaged()), |node| self.paging(node, "count", &shared));
        let usable = usable && envelope.is_some() && paging.is_some();
        shared.paging = paging.unwrap_or(Paging::unpaged());
        let auth = keys.get("auth").map_or(Some(Auth::None), |node| self.auth(node, &shared));
        let tls = keys.get("tls").map_or(Some(Tls::default()), |node| self.tls(node));
        let backend = match (url, timeout, concurrency, lag, auth, tls, known(rate)) {
            (Some(url), Some(timeout), Some(concurrency), Some(lag), Some(auth), Some(tls), Some(rate)) if usable => {
                Some(Backend { url, headers, auth, tls, timeout, concurrency, lag, rate, retries })
            }
            _ => None,
        };
        (backend, shared)
    }

    fn url(&mut self, node: &Node) -> Option<Uri> {
        let text = self.resolved(node)?;
        let text = text.expose_secret().trim_end_matches('/');
        let problem = match text.parse::<Uri>() {
            Ok(uri) if !matches!(uri.scheme_str(), Some("http" | "https")) => "it begins with neither http:// nor https://",
            Ok(uri) if uri.query().is_some() => "it has a query",
            Ok(uri) if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => {
                if node.text().is_some_and(|literal| literal.contains('@')) {
                    self.literal_secret(node);
                }
                "it holds a user name"
            }
            Ok(uri) => return Some(uri),
            Err(_) if !text.contains("://") => "it begins with neither http:// nor https://",
            Err(_) => "it is not a URL",
        };
        // The text is not shown: it may come from the environment.
        self.error(
            Code::BadUrl,
            node.span,
            format!("this cannot be the base URL of the backend: {problem}"),
            "write for example `https://people.example.com/api`; credentials belong under `auth`",
        );
        None
    }

    pub(super) fn header_name(&mut self, text: &str, span: crate::mapping::source::Span) -> Option<HeaderName> {
        let name = text.parse::<HeaderName>().ok();
        match &name {
            None => {
                self.error(
                    Code::BadValue,
                    span,
                    format!("`{text}` is not the name of a header"),
                    "write a name such as `X-Api-Key`",
                );
            }
            // RFC 9110 sections 7.2, 7.6.1 and 8.6: they belong to the message and its connection.
            Some(name) if CONNECTION.contains(&name.as_str()) => {
                self.error(Code::BadValue, span, format!("`{text}` is a header that the gateway sets itself"), "leave it out");
                return None;
            }
            Some(_) => {}
        }
        name
    }

    pub(super) fn header_value(&mut self, text: &str, node: &Node) -> Option<HeaderValue> {
        let value = HeaderValue::from_str(text).ok();
        if value.is_none() {
            self.error(
                Code::BadValue,
                node.span,
                "this value cannot stand in a header",
                "take out line breaks and control characters, also at the end of the file or variable",
            );
        }
        value
    }

    /// The error table of a block, without the built-in rules.
    pub(super) fn rules(&mut self, keys: &Keys<'_>) -> Vec<Rule> {
        let Some(node) = keys.get("errors") else { return Vec::new() };
        let Data::Sequence(rows) = &node.data else {
            self.error(
                Code::WrongShape,
                node.span,
                "errors is a list",
                "begin each row with a dash: `- { status: 409, as: uniqueness }`",
            );
            return Vec::new();
        };
        rows.iter().filter_map(|row| self.rule(row)).collect()
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        let keys = self.block(node, &vocabulary::ERROR)?;
        let meaning =
            self.require(&keys, "as", "tell what it means: `as: uniqueness`").and_then(|node| self.word(node, &MEANINGS));
        if let Some(node) = keys.get("as").filter(|_| meaning == Some(Meaning::Relogin)) {
            self.check_relogin(node);
        }
        let status = keys.get("status").map(|node| self.status(node));
        let when = keys.get("when").map(|node| self.path(node));
        let headers = keys.get("header").map(|node| self.row_headers(node));
        if status.is_none() && when.is_none() && headers.is_none() {
            let message = "a row of errors needs `status`, `when` or `header`";
            self.error(Code::MissingKey, node.span, message, "tell which answers it is for");
            return None;
        }
        let detail = keys.get("detail").map(|node| self.template(node, &Names::BODY));
        let members = keys.get("members").map(|node| self.path(node));
        let after = keys.get("after").map(|node| self.after(node));
        self.check_after(&keys, meaning);
        if meaning.is_some_and(|meaning| meaning != Meaning::UnknownMember) {
            self.meaningless(&keys, &["members"], "this meaning", "it is for `as: unknownMember`");
        }
        if matches!(
            meaning,
            Some(
                Meaning::NotFound
                    | Meaning::Stale
                    | Meaning::Done
                    | Meaning::UnknownMember
                    | Meaning::Unauthorized
                    | Meaning::Relogin
                    | Meaning::Overloaded
                    | Meaning::Retry
                    | Meaning::Failed
            )
        ) {
            self.meaningless(
                &keys,
                &["detail"],
                "this meaning",
                "leave it out: only uniqueness, invalidValue, mutability and forbidden carry a text of the backend to the client",
            );
        }
        let all = |ok: bool| ok.then_some(());
        all(!matches!(status, Some(None))
            && !matches!(when, Some(None))
            && !matches!(detail, Some(None))
            && !matches!(members, Some(None))
            && !matches!(after, Some(None))
            && !matches!(headers, Some(None)))?;
        Some(Rule {
            place: Some(node.span),
            status: status.flatten(),
            when: when.flatten(),
            meaning: meaning?,
            detail: detail.flatten(),
            members: members.flatten(),
            headers: headers.flatten().unwrap_or_default(),
            after: after.flatten(),
        })
    }

    /// `as: relogin` needs a login that it can renew.
    fn check_relogin(&mut self, node: &Node) {
        let (message, help) = if self.found.is_some() {
            ("this is the login: if it is refused there is nothing to renew", "write `as: unauthorized`")
        } else if !self.renews {
            (
                "there is no login that could be renewed",
                "describe it under `auth`, as `login` or `oauth2`, or write `as: unauthorized`",
            )
        } else {
            return;
        };
        self.error(Code::BadValue, node.span, message, help);
    }

    fn status(&mut self, node: &Node) -> Option<RangeInclusive<u16>> {
        let range = node.text().and_then(|text| match text.strip_suffix("xx") {
            Some(class) => {
                class.parse::<u16>().ok().filter(|class| (1..=5).contains(class)).map(|class| class * 100..=class * 100 + 99)
            }
            None => text.parse::<u16>().ok().filter(|status| (100..=599).contains(status)).map(|status| status..=status),
        });
        if range.is_none() {
            self.error(
                Code::BadValue,
                node.span,
                "a status is meant here",
                "write a status such as `409`, or a class such as `4xx`",
            );
        }
        range
    }
}

/// The rules of a call, then the backend's, then HTTP's.
pub(super) fn with_built_in(own: Vec<Rule>, shared: &[Rule]) -> Arc<[Rule]> {
    let built_in = BUILT_IN.into_iter().map(|(status, meaning)| Rule::of(status, meaning));
    own.into_iter().chain(shared.iter().cloned()).chain(built_in).collect()
}
