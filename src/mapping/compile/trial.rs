//! `tests`: what a mapping is to do, request by request.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Exchange, Expectation, Sent, Trial, Turn, Wanted};
use crate::mapping::source::{Data, Node, Span};
use crate::mapping::vocabulary::{self, Block};
use crate::scim::{AttrPath, Profile, ScimType};

/// Methods of SCIM (RFC 7644 section 3.2).
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

impl Compiler<'_> {
    /// A document that holds tests alone.
    pub(super) fn tests_file(&mut self, root: &Node) -> Option<Vec<Trial>> {
        let keys = self.block(root, &vocabulary::TESTS_FILE)?;
        let tests = self.require(&keys, "tests", "write the tests as a list below `tests:`")?;
        Some(self.tests(tests))
    }

    /// The tests that can be read.
    pub(super) fn tests(&mut self, node: &Node) -> Vec<Trial> {
        let Some(items) = self.listed(node, "tests", "begin each test with a dash: `- name: reads a person`") else {
            return Vec::new();
        };
        let mut names = HashSet::new();
        for item in items {
            let Some(name) = item.entry("name").and_then(|entry| entry.value.text().map(|text| (text, entry.value.span))) else {
                continue;
            };
            if !names.insert(name.0) {
                self.error(Code::BadTest, name.1, "a test before this one has the same name", "give each test a name of its own");
            }
        }
        items.iter().filter_map(|item| self.trial(item)).collect()
    }

    /// The elements of a list.
    pub(super) fn listed<'n>(&mut self, node: &'n Node, name: &str, help: &str) -> Option<&'n [Node]> {
        let Data::Sequence(items) = &node.data else {
            self.error(Code::WrongShape, node.span, format!("{name} is a list"), help);
            return None;
        };
        Some(items)
    }

    fn trial(&mut self, node: &Node) -> Option<Trial> {
        let keys = self.block(node, &vocabulary::TEST)?;
        let name = self.require(&keys, "name", "tell what it shows: `name: a taken name is 409`");
        let name = name.and_then(|node| Some((self.text(node)?.to_owned(), node.span)));
        let profiles = Profile::ALL.map(|profile| (profile.name, profile));
        let profile = keys.get("profile").map_or(Some(&Profile::LENIENT), |node| self.word(node, &profiles));
        let exchanges = match keys.get("steps") {
            None => vec![self.exchange(&keys)],
            Some(steps) => {
                for word in ["send", "headers", "backend", "expect"] {
                    if let Some(entry) = keys.entry(word) {
                        let message = format!("`{word}` stands beside `steps`");
                        self.error(Code::BadTest, entry.key_span, message, "put it into the step that it is for");
                    }
                }
                let items = self.listed(steps, "steps", "begin each step with a dash: `- send: GET /Users/7`")?;
                if items.is_empty() {
                    self.error(Code::BadTest, steps.span, "this test sends nothing", "write a step: `- send: GET /Users/7`");
                }
                let step = |item| self.block(item, &vocabulary::TEST_STEP).and_then(|keys| self.exchange(&keys));
                items.iter().map(step).collect()
            }
        };
        let exchanges = exchanges.into_iter().collect::<Option<Vec<_>>>()?;
        let (name, place) = name?;
        Some(Trial { name, place, profile: profile?, exchanges })
    }

    fn exchange(&mut self, keys: &Keys<'_>) -> Option<Exchange> {
        let send = self.require(keys, "send", "write the request: `send: GET /Users/7`").and_then(|node| {
            let headers = keys.get("headers").map_or(Some(Vec::new()), |node| self.client_headers(node));
            let (method, target, body) = self.client_request(node)?;
            Some((Sent { method, target, headers: headers?, body }, node.span))
        });
        let backend = keys.get("backend").map_or(Some(Vec::new()), |node| self.turns(node));
        let expect =
            keys.get("expect").map_or_else(|| Some(Expectation::default()), |node| self.expectation(node, backend.as_deref()));
        let (send, place) = send?;
        Some(Exchange { place, send, backend: backend?, expect: expect? })
    }

    /// The request of the client: a text, or a block with the request as its one key.
    fn client_request(&mut self, node: &Node) -> Option<(Method, String, Option<Value>)> {
        let (line, span, body) = self.one_line(node, "send", "`send: { PATCH /Users/7: { ... } }`")?;
        let (method, target) = self.request_line(line, span, "GET /Users/7")?;
        let body = body.filter(|body| !body.is_null());
        if let Some(body) = body
            && matches!(method, Method::GET | Method::DELETE)
        {
            self.error(
                Code::BadTest,
                body.span,
                format!("a {method} carries no body"),
                "take the body out, or write another method",
            );
        }
        Some((method, target.to_owned(), body.map(Node::json)))
    }

    /// A line with a method and a path, alone or as the one key of a block.
    pub(super) fn one_line<'n>(
        &mut self,
        node: &'n Node,
        name: &str,
        example: &str,
    ) -> Option<(&'n str, Span, Option<&'n Node>)> {
        if let Some(text) = node.text() {
            return Some((text, node.span, None));
        }
        match &node.data {
            Data::Mapping(entries) => match entries.as_slice() {
                [entry] => Some((&entry.key, entry.key_span, Some(&entry.value))),
                _ => {
                    let message = format!("{name} is one line with a method and a path, and what belongs to it below");
                    self.error(Code::BadTest, node.span, message, format!("write {example}, indented further than the line"));
                    None
                }
            },
            _ => self.text(node).map(|text| (text, node.span, None)),
        }
    }

    /// A method and a path that begins with a slash.
    pub(super) fn request_line<'t>(&mut self, line: &'t str, span: Span, example: &str) -> Option<(Method, &'t str)> {
        let (method, target) = line.trim().split_once(' ').unwrap_or((line, ""));
        let target = target.trim();
        let known = METHODS.iter().find(|known| known.as_str() == method);
        let (problem, help) = match known {
            Some(known) if target.starts_with('/') => return Some((known.clone(), target)),
            Some(_) if target.is_empty() => ("the path is missing".to_owned(), format!("write for example `{example}`")),
            Some(known) => ("the path does not begin with a slash".to_owned(), format!("write `{known} /{target}`")),
            None => {
                let near = did_you_mean(method, METHODS.iter().map(Method::as_str));
                let help = match near {
                    Some(near) => format!("did you mean `{near} {target}`?"),
                    None => format!("write GET, POST, PUT, PATCH or DELETE, then the path: `{example}`"),
                };
                ("it does not begin with a method".to_owned(), help)
            }
        };
        self.error(Code::BadCall, span, format!("`{line}` is no request: {problem}"), help);
        None
    }

    fn client_headers(&mut self, node: &Node) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let entries = self.entries(node, "headers")?;
        let mut headers = Vec::new();
        for entry in entries {
            let name = self.header_name(&entry.key, entry.key_span);
            if name.as_ref() == Some(&http::header::AUTHORIZATION) {
                let message = "who the client is, is no part of a test";
                self.error(Code::BadTest, entry.key_span, message, "take it out: the request comes as from a known client");
                continue;
            }
            let value = self.text(&entry.value).and_then(|text| self.header_value(text, &entry.value));
            headers.push(name.zip(value));
        }
        headers.into_iter().collect()
    }

    /// Headers that something must have, or must not have.
    pub(super) fn wanted_headers(&mut self, keys: &Keys<'_>) -> Option<Vec<(HeaderName, Option<String>)>> {
        let Some(node) = keys.get("headers") else { return Some(Vec::new()) };
        let entries = self.entries(node, "headers")?;
        let mut headers = Vec::new();
        for entry in entries {
            let Ok(name) = entry.key.parse::<HeaderName>() else {
                let message = format!("`{}` is not the name of a header", entry.key);
                self.error(Code::BadValue, entry.key_span, message, "write a name such as `If-Match`");
                headers.push(None);
                continue;
            };
            let value =
                if entry.value.is_null() { Some(None) } else { self.text(&entry.value).map(|text| Some(text.to_owned())) };
            headers.push(value.map(|value| (name, value)));
        }
        headers.into_iter().collect()
    }

    /// `body` or `contains`.
    pub(super) fn wanted(&mut self, keys: &Keys<'_>) -> Wanted {
        match (keys.entry("body"), keys.entry("contains")) {
            (None, None) => Wanted::Anything,
            (Some(body), None) if body.value.is_null() => Wanted::Nothing,
            (Some(body), None) => Wanted::Exactly(body.value.json()),
            (None, Some(contains)) => Wanted::Holding(contains.value.json()),
            (Some(_), Some(contains)) => {
                let message = "`body` says all of it already";
                self.error(Code::BadTest, contains.key_span, message, "keep `body` for all of it, or `contains` for a part");
                Wanted::Anything
            }
        }
    }

    fn expectation(&mut self, node: &Node, backend: Option<&[Turn]>) -> Option<Expectation> {
        if node.text().is_some() {
            return Some(Expectation { status: Some(self.http_status(node)?), ..Expectation::default() });
        }
        let keys = self.expect_keys(node)?;
        let status = keys.get("status").map(|node| self.http_status(node));
        let body = self.wanted(&keys);
        let headers = self.wanted_headers(&keys);
        let types = ScimType::ALL.map(|scim_type| (scim_type.as_str(), scim_type.as_str()));
        let scim_type = keys.get("scimType").map(|node| self.word(node, &types));
        let absent = keys.get("absent").map_or(Some(Vec::new()), |node| self.absent(node));
        if let Some(node) = keys.get("calls") {
            self.word(node, &[("none", ())])?;
            if backend.is_some_and(|turns| !turns.is_empty()) {
                let message = "the backend is not to be called, but `backend` answers calls";
                self.error(Code::BadTest, node.span, message, "take out `calls`, or `backend`");
            }
        }
        let given = |value: Option<Option<u16>>| !matches!(value, Some(None));
        if !given(status) || matches!(scim_type, Some(None)) {
            return None;
        }
        Some(Expectation { status: status.flatten(), body, absent: absent?, headers: headers?, scim_type: scim_type.flatten() })
    }

    /// The keys of `expect`. Who writes attributes there means `contains`.
    fn expect_keys<'n>(&mut self, node: &'n Node) -> Option<Keys<'n>> {
        const BLOCK: Block = vocabulary::TEST_EXPECT;
        let entries = self.entries(node, BLOCK.name)?;
        let known = |key: &str| BLOCK.keys.iter().any(|known| known.name == key);
        let near = |key: &str| did_you_mean(key, BLOCK.keys.iter().map(|known| known.name)).is_some();
        let stray = entries.iter().find(|entry| !known(&entry.key) && !near(&entry.key));
        if let Some(entry) = stray {
            let message = format!("`{}` is not a key of {}", entry.key, BLOCK.name);
            self.error(
                Code::UnknownKey,
                entry.key_span,
                message,
                format!("what the body holds stands below `contains`: `contains: {{ {}: ... }}`", entry.key),
            );
            return None;
        }
        self.block(node, &BLOCK)
    }

    /// A status of HTTP, as a number.
    pub(super) fn http_status(&mut self, node: &Node) -> Option<u16> {
        let status = node.text().and_then(|text| text.parse::<u16>().ok()).filter(|status| (100..=599).contains(status));
        if status.is_none() {
            self.error(Code::BadValue, node.span, "a status is meant here", "write a status such as `409`");
        }
        status
    }

    fn absent(&mut self, node: &Node) -> Option<Vec<AttrPath>> {
        let items = self.listed(node, "absent", "write it in brackets: `absent: [password]`")?;
        let schemas = Schemas::default();
        let mut paths = Vec::new();
        for item in items {
            let text = self.text(item)?;
            let path = AttrPath::parse(&schemas.expand(text));
            if path.is_none() {
                let message = format!("`{text}` is not an attribute");
                let help =
                    "write a name such as `password` or `name.givenName`; one of a schema of your own stands behind its URN";
                self.error(Code::UnknownAttribute, item.span, message, help);
            }
            paths.push(path);
        }
        paths.into_iter().collect()
    }
}
