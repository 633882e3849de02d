//! `auth.login` and `auth.oauth2`: a call of its own, what is kept of its answer, and how that is sent with all others.

use std::sync::Arc;

use http::{HeaderName, Method, Uri};
use secrecy::{ExposeSecret as _, SecretString};

use super::auth::{basic_of, is_secret_name};
use super::backend::with_built_in;
use super::call::{Names, Purpose, Shared};
use super::{Compiler, Keys, is_reference, known};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Body, Call, Expires, Format, Meaning, Rule, Session, Source, Tree};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::template::{Part, Template, Variable};
use crate::mapping::vocabulary;

/// Where the secrets of a client go in the call for a token (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Header,
    Body,
}

/// The endpoint for tokens.
struct Endpoint {
    base: Option<Uri>,
    path: Template,
    query: Vec<(String, Template)>,
}

impl Compiler<'_> {
    pub(super) fn login(&mut self, node: &Node, shared: &Shared) -> Option<Session> {
        let keys = self.block(node, &vocabulary::LOGIN)?;
        let line = self.require(&keys, "call", "write method and path: `call: POST /login`");
        let format = keys.get("format").map_or_else(|| Some(shared.format.clone()), |node| self.format(node));
        for key in ["query", "headers", "body"] {
            if let Some(node) = keys.get(key) {
                self.literal_secrets(node);
            }
        }
        let inline = line.and_then(Node::text).and_then(|text| text.split_once('?')).map_or("", |(_, query)| query);
        let is_literal =
            |pair: &str| pair.split_once('=').is_some_and(|(name, value)| is_secret_name(name) && !is_reference(value));
        if let Some(line) = line.filter(|_| inline.split('&').any(is_literal)) {
            self.literal_secret(line);
        }
        let has_format = format.is_some();
        let shared = Shared { format: format.unwrap_or_default(), ..shared.clone() };
        self.found = Some(Vec::new());
        let call =
            line.and_then(|line| self.call("backend.auth.login".to_owned(), &keys, line, &Names::NOTHING, &shared, Purpose::Act));
        let keep = keys.get("keep").map_or(Some(Vec::new()), |node| self.sources(node));
        let names: Option<Vec<String>> = keep.as_ref().map(|keep| keep.iter().map(|(name, _)| name.clone()).collect());
        let send = keys.get("send").map(|node| self.sent(node, names.as_deref()));
        let secrets = self.found.take().unwrap_or_default();
        let expires = keys.get("expires").map_or(Some(Expires::default()), |node| self.expires(node));
        let send = known(send)?.unwrap_or_default();
        let call = call.filter(|_| has_format);
        let session = Session {
            call: call?,
            secrets,
            base: None,
            keep: keep?,
            headers: send.headers,
            query: send.query,
            cookies: send.cookies,
            expires: expires?,
        };
        self.check_sent(&keys, &session).then_some(session)
    }

    /// What is kept must be sent, and something must be.
    fn check_sent(&mut self, keys: &Keys<'_>, session: &Session) -> bool {
        let mut whole = true;
        if let Some(Data::Mapping(entries)) = keys.get("keep").map(|node| &node.data) {
            for entry in entries.iter().filter(|entry| !session.sends(&entry.key)) {
                let name = &entry.key;
                self.error(
                    Code::BadValue,
                    entry.key_span,
                    format!("`{name}` is kept, but not sent"),
                    format!("write `send: {{ headers: {{ X-Token: \"{{{{{name}}}}}\" }} }}`, or take it out"),
                );
                whole = false;
            }
        }
        if whole && !session.cookies && session.headers.is_empty() && session.query.is_empty() {
            let entry = keys.entry("send");
            self.error(
                Code::BadValue,
                entry.map_or(keys.span, |entry| entry.key_span),
                "nothing of the login is sent with other calls",
                "keep a value and send it, or take out `cookies: false`",
            );
            return false;
        }
        whole
    }

    /// `keep`: a JSONPath, a header or a cookie by name.
    fn sources(&mut self, node: &Node) -> Option<Vec<(String, Source)>> {
        let sources: Vec<Option<(String, Source)>> =
            self.entries(node, "keep")?.iter().map(|entry| Some((self.kept_name(entry)?, self.source(entry)?))).collect();
        sources.into_iter().collect()
    }

    fn kept_name(&mut self, entry: &Entry) -> Option<String> {
        let fits = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits(&entry.key) {
            self.error(
                Code::BadValue,
                entry.key_span,
                format!("`{}` cannot be the name of a variable", entry.key),
                "write letters and digits, such as `csrf`",
            );
            return None;
        }
        Some(entry.key.clone())
    }

    fn source(&mut self, entry: &Entry) -> Option<Source> {
        let node = &entry.value;
        if let Some(text) = node.text() {
            if ["cookie", "cookies"].contains(&entry.key.as_str()) && !text.starts_with('$') {
                let message = format!("`{text}` is not a JSONPath: here stands where a value is in the answer");
                self.error(Code::BadPath, node.span, message, "take it out: the cookies of the answer are kept without a word");
                return None;
            }
            return self.path(node).map(Source::Body);
        }
        let keys = self.block(node, &vocabulary::SOURCE)?;
        match (keys.get("header"), keys.get("cookie")) {
            (Some(node), None) => {
                let text = self.text(node)?;
                self.header_name(text, node.span).map(Source::Header)
            }
            (None, Some(node)) => self.text(node).map(|text| Source::Cookie(text.to_owned())),
            _ => {
                self.error(
                    Code::MissingKey,
                    node.span,
                    "a value that is kept is in one place",
                    "write a JSONPath, or `{ header: X-Csrf-Token }`, or `{ cookie: XSRF-TOKEN }`",
                );
                None
            }
        }
    }

    /// `send`; without names nothing can be said of its variables.
    fn sent(&mut self, node: &Node, names: Option<&[String]>) -> Option<Sent> {
        let keys = self.block(node, &vocabulary::SEND)?;
        for key in ["query", "headers"] {
            if let Some(node) = keys.get(key) {
                self.literal_secrets(node);
            }
        }
        let cookies = keys.get("cookies").map_or(Some(true), |node| self.flag(node));
        let names = names?;
        let headers = self.sent_headers(&keys, names);
        let query = self.sent_query(&keys, names);
        Some(Sent { headers: headers?, query: query?, cookies: cookies? })
    }

    /// `headers` of what is sent with every call.
    pub(super) fn sent_headers(&mut self, keys: &Keys<'_>, names: &[String]) -> Option<Vec<(HeaderName, Template)>> {
        let Some(node) = keys.get("headers") else { return Some(Vec::new()) };
        let names = Names::NOTHING.keeping(names);
        let entries = self.entries(node, "headers")?;
        let header = |entry: &Entry| {
            let name = self.header_name(&entry.key, entry.key_span);
            name.zip(self.header_template(entry, &names))
        };
        let headers: Vec<Option<_>> = entries.iter().map(header).collect();
        headers.into_iter().collect()
    }

    /// `query` of what is sent with every call.
    pub(super) fn sent_query(&mut self, keys: &Keys<'_>, names: &[String]) -> Option<Vec<(String, Template)>> {
        let Some(node) = keys.get("query") else { return Some(Vec::new()) };
        let names = Names::NOTHING.keeping(names);
        let count = self.entries(node, "query")?.len();
        let query = self.parameters(node, &names);
        (query.len() == count).then_some(query)
    }

    /// `18m`, or a block.
    fn expires(&mut self, node: &Node) -> Option<Expires> {
        if node.text().is_some() {
            return self.duration(node).map(|after| Expires { after: Some(after), ..Expires::default() });
        }
        let keys = self.block(node, &vocabulary::EXPIRES)?;
        if keys.get("after").is_none() && keys.get("idle").is_none() {
            self.error(Code::MissingKey, node.span, "expires needs `after` or `idle`", "write `expires: { idle: 18m }`");
            return None;
        }
        let after = keys.get("after").map(|node| self.duration(node));
        let idle = keys.get("idle").map(|node| self.duration(node));
        Some(Expires { after: known(after)?, idle: known(idle)?, told: None })
    }

    pub(super) fn oauth2(&mut self, node: &Node) -> Option<Session> {
        let keys = self.block(node, &vocabulary::OAUTH2)?;
        let endpoint =
            self.require(&keys, "token", "write the URL that gives tokens: `token: https://login.example.com/oauth2/token`");
        let endpoint = endpoint.and_then(|node| self.token_endpoint(node));
        let client = self.require(&keys, "client", "write `client: ${NAME}`").and_then(|node| self.resolved(node));
        let secret = self.require(&keys, "secret", "write `secret: ${NAME}`").and_then(|node| self.secret(node));
        let place = keys
            .get("send")
            .map_or(Some(Place::Header), |node| self.word(node, &[("header", Place::Header), ("body", Place::Body)]));
        // Later fields stand in the place of earlier ones, so that `body` may name another grant.
        let mut fields = vec![("grant_type".to_owned(), Tree::Literal("client_credentials".into()))];
        self.found = Some(Vec::new());
        for key in ["scope", "audience"] {
            if let Some(node) = keys.get(key) {
                fields.extend(self.tree(node, &Names::NOTHING).map(|value| (key.to_owned(), value)));
            }
        }
        if let Some(node) = keys.get("body") {
            self.literal_secrets(node);
            for entry in self.entries(node, "body").unwrap_or_default() {
                let value = self.text(&entry.value).and_then(|_| self.tree(&entry.value, &Names::NOTHING));
                fields.retain(|(name, _)| *name != entry.key);
                fields.extend(value.map(|value| (entry.key.clone(), value)));
            }
        }
        let mut secrets = self.found.take().unwrap_or_default();
        let (endpoint, client, secret) = (endpoint?, client?, secret?);
        let mut headers = Vec::new();
        match place? {
            Place::Header => {
                let both = [&client, &secret].map(|part| form_text(part.expose_secret()));
                let [client, secret] = &both;
                secrets.push(("the client".to_owned(), SecretString::from(basic_of(client, secret))));
                headers.push((http::header::AUTHORIZATION, kept("the client")));
            }
            Place::Body => {
                for (name, secret) in [("client_id", client), ("client_secret", secret)] {
                    secrets.push((name.to_owned(), secret));
                    fields.push((name.to_owned(), Tree::Template(kept(name))));
                }
            }
        }
        let fields = fields.into_iter().map(|(name, value)| (Template::literal(&name), value)).collect();
        let call = Call {
            name: "backend.auth.oauth2".to_owned(),
            place: node.span,
            method: Method::POST,
            path: vec![endpoint.path],
            query: endpoint.query,
            headers,
            body: Body::Tree(Tree::Object(fields)),
            format: Format::Form,
            envelope: JsonPath::root(),
            answers: Arc::default(),
            success: None,
            // RFC 6749 section 5.2.
            rules: with_built_in(vec![Rule::of(400..=403, Meaning::Unauthorized)], &[]),
        };
        Some(Session {
            call,
            secrets,
            base: endpoint.base,
            keep: vec![("token".to_owned(), Source::Body(JsonPath::parse("$.access_token").ok()?))],
            headers: vec![(http::header::AUTHORIZATION, self.bearer_of(node)?)],
            query: Vec::new(),
            cookies: false,
            expires: Expires { told: Some(JsonPath::parse("$.expires_in").ok()?), ..Expires::default() },
        })
    }

    /// `Bearer {{token}}`
    fn bearer_of(&mut self, node: &Node) -> Option<Template> {
        let names = ["token".to_owned()];
        self.template_text("Bearer {{token}}", node.span, &Names::NOTHING.keeping(&names))
    }

    /// A URL, or a path below that of the backend.
    fn token_endpoint(&mut self, node: &Node) -> Option<Endpoint> {
        let resolved = self.resolved(node)?;
        // Any path will do where nothing is sent.
        let text = if self.secrets.is_stand_in(node.text()?) { "/token" } else { resolved.expose_secret() };
        let uri = text.parse::<Uri>().ok();
        let whole = uri.as_ref().is_some_and(|uri| match uri.scheme_str() {
            Some("http" | "https") => uri.authority().is_some_and(|authority| !authority.as_str().contains('@')),
            None => text.starts_with('/') && !text.starts_with("//"),
            Some(_) => false,
        });
        let Some(uri) = uri.filter(|uri| whole && uri.path() != "/") else {
            // The text is not shown: it may come from the environment.
            self.error(
                Code::BadUrl,
                node.span,
                "this cannot be the URL that gives tokens",
                "write for example `https://login.example.com/oauth2/token`, or `/oauth2/token` for a path of the backend",
            );
            return None;
        };
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Some(Endpoint {
            path: Template::literal(uri.path().trim_start_matches('/')),
            query: query.map(|(name, value)| (name.into_owned(), Template::literal(&value))).collect(),
            base: uri.scheme().is_some().then_some(uri),
        })
    }
}

/// What `send` says.
struct Sent {
    headers: Vec<(HeaderName, Template)>,
    query: Vec<(String, Template)>,
    cookies: bool,
}

impl Default for Sent {
    fn default() -> Self {
        Self { headers: Vec::new(), query: Vec::new(), cookies: true }
    }
}

fn kept(name: &str) -> Template {
    Template::of(vec![Part::Variable(Variable::kept(name))])
}

/// As a form has it: RFC 6749 section 2.3.1 wants it so before Basic, for what Basic cannot carry.
fn form_text(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
