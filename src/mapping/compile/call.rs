//! Calls: method and path, query, headers, body; and the templates in them.

use std::sync::Arc;

use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;

use super::backend::with_built_in;
use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Answers, Call, Format, PageBy, Paging, Rule};
use crate::mapping::path::{JsonPath, Step};
use crate::mapping::source::{Entry, Node, Span};
use crate::mapping::template::{self, Part, Root, Template};
use crate::mapping::vocabulary;
use crate::scim::schema::Attribute;
use crate::scim::{AttrPath, ResourceType, Target};

/// What the calls of a backend have in common.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) envelope: JsonPath,
    pub(super) paging: Paging,
    pub(super) rules: Vec<Rule>,
    pub(super) format: Format,
    pub(super) answers: Arc<Answers>,
    pub(super) success: Option<JsonPath>,
}

/// The variables that a template may use in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'k> {
    roots: &'static [(&'static str, Root)],
    /// The attributes of this resource type are variables too.
    attributes: Option<(&'k ResourceType, &'k Schemas)>,
    /// Values that earlier calls kept.
    kept: &'k [String],
    /// Which page of a list is asked for.
    page: &'static [(&'static str, Root)],
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It reads.
    Read,
    /// It changes something; without a body unless the mapping spells one out.
    Act,
    /// It changes something; the body is what the attribute map writes unless the mapping spells one out.
    Record,
}

// === impl Shared ===

impl Default for Shared {
    fn default() -> Self {
        Self {
            envelope: JsonPath::root(),
            paging: Paging::unpaged(),
            rules: Vec::new(),
            format: Format::Json,
            answers: Arc::default(),
            success: None,
        }
    }
}

// === impl Names ===

impl Names<'static> {
    pub(super) const NOTHING: Self = Self { roots: &[], attributes: None, kept: &[], page: &[] };
    pub(super) const BODY: Self = Self { roots: &[("body", Root::Body)], attributes: None, kept: &[], page: &[] };
    pub(super) const RECORD_FIELDS: Self = Self { roots: &[("record", Root::Record)], attributes: None, kept: &[], page: &[] };
    pub(super) const VALUE: Self = Self { roots: &[("value", Root::Value)], attributes: None, kept: &[], page: &[] };
    /// The name that a look-up lacks.
    pub(super) const NAME: Self = Self { roots: &[("name", Root::Value)], attributes: None, kept: &[], page: &[] };
    pub(super) const EXPRESSION: Self =
        Self { roots: &[("expression", Root::Expression)], attributes: None, kept: &[], page: &[] };
    pub(super) const FIELD: Self = Self { roots: &[("field", Root::Field)], attributes: None, kept: &[], page: &[] };
    pub(super) const COMPARISON: Self =
        Self { roots: &[("field", Root::Field), ("value", Root::Value)], attributes: None, kept: &[], page: &[] };
    pub(super) const PAIR: Self =
        Self { roots: &[("left", Root::Left), ("right", Root::Right)], attributes: None, kept: &[], page: &[] };
    pub(super) const OPERAND: Self = Self { roots: &[("operand", Root::Operand)], attributes: None, kept: &[], page: &[] };
    pub(super) const KEY: Self = Self { roots: &[("id", Root::Id), ("key", Root::Key)], attributes: None, kept: &[], page: &[] };
    pub(super) const ONE: Self = Self {
        roots: &[("id", Root::Id), ("key", Root::Key), ("record", Root::Record), ("version", Root::Version)],
        attributes: None,
        kept: &[],
        page: &[],
    };
    pub(super) const CREATE: Self =
        Self { roots: &[("fields", Root::Fields), ("members", Root::Members)], attributes: None, kept: &[], page: &[] };
    pub(super) const BATCH: Self = Self { roots: &[("records", Root::Records)], attributes: None, kept: &[], page: &[] };
    pub(super) const UPDATE: Self = Self {
        roots: &[
            ("id", Root::Id),
            ("key", Root::Key),
            ("record", Root::Record),
            ("version", Root::Version),
            ("fields", Root::Fields),
        ],
        attributes: None,
        kept: &[],
        page: &[],
    };
    pub(super) const UPDATE_EACH: Self = Self {
        roots: &[
            ("id", Root::Id),
            ("key", Root::Key),
            ("record", Root::Record),
            ("version", Root::Version),
            ("field", Root::Field),
            ("value", Root::Value),
        ],
        attributes: None,
        kept: &[],
        page: &[],
    };
    pub(super) const MEMBERS: Self = Self {
        roots: &[
            ("id", Root::Id),
            ("key", Root::Key),
            ("record", Root::Record),
            ("version", Root::Version),
            ("member", Root::Member),
            ("members", Root::Members),
            ("memberRecord", Root::MemberRecord),
            ("membership", Root::Membership),
        ],
        attributes: None,
        kept: &[],
        page: &[],
    };
}

impl<'k> Names<'k> {
    pub(super) fn with(self, kind: &'k ResourceType, schemas: &'k Schemas) -> Self {
        Self { attributes: Some((kind, schemas)), ..self }
    }

    pub(super) fn keeping(self, kept: &'k [String]) -> Self {
        Self { kept, ..self }
    }

    /// With the variables of a page.
    pub(super) fn paged(self, paging: &Paging) -> Self {
        let page: &[(&str, Root)] = match &paging.by {
            PageBy::Number { .. } => &[("page", Root::Start), ("size", Root::Size)],
            PageBy::Offset { .. } => &[("offset", Root::Start), ("size", Root::Size)],
            PageBy::Cursor { .. } => &[("cursor", Root::Start), ("size", Root::Size)],
            PageBy::Link { .. } => &[("size", Root::Size)],
            PageBy::Nothing | PageBy::Range { .. } => &[],
        };
        Self { page, ..self }
    }

    /// Whether a name means something here.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        // The variables of other places count, too, so that one name means one thing in a mapping.
        let everywhere = [
            "id",
            "key",
            "record",
            "records",
            "version",
            "fields",
            "field",
            "value",
            "member",
            "members",
            "memberRecord",
            "membership",
            "body",
            "left",
            "right",
            "operand",
            "expression",
            "page",
            "offset",
            "cursor",
            "size",
        ];
        everywhere.contains(&name) || self.resolve(&[name.to_owned()]).is_ok()
    }

    fn resolve(&self, path: &[String]) -> Result<(Root, Vec<Step>), String> {
        let steps = |names: &[String]| {
            let step = |name: &String| name.parse().map_or_else(|_| Step::Name(name.clone()), Step::Index);
            names.iter().map(step).collect::<Vec<_>>()
        };
        let (first, rest) = path.split_first().ok_or("a variable is missing")?;
        if let Some((_, root)) = self.roots.iter().chain(self.page).find(|(name, _)| name == first) {
            return Ok((root.clone(), steps(rest)));
        }
        if let Some(name) = self.kept.iter().find(|name| *name == first) {
            return Ok((Root::Kept(name.clone()), steps(rest)));
        }
        if let Some((kind, schemas)) = self.attributes {
            let named = AttrPath::parse(&schemas.expand(first)).and_then(|path| kind.resolve(&path, true));
            if let Some(Target::Attribute(found)) = named {
                let root = Root::Attribute {
                    extension: found.extension.map(|schema| schema.id.clone()),
                    name: found.attribute.name.clone(),
                };
                let (sub, rest) = rest.split_first().map_or((None, rest), |(sub, rest)| (Some(sub), rest));
                let sub = match sub {
                    None => None,
                    Some(name) => Some(match found.attribute.sub_attribute(name) {
                        Some(sub) => Step::Name(sub.name.clone()),
                        None => match name.parse() {
                            Ok(index) if found.attribute.multi_valued => Step::Index(index),
                            _ => return Err(no_sub_attribute(&found.attribute.name, name, &found.attribute.sub_attributes)),
                        },
                    }),
                };
                return Ok((root, sub.into_iter().chain(steps(rest)).collect()));
            }
        }
        let known = self.roots.iter().chain(self.page).map(|(name, _)| *name).chain(self.kept.iter().map(String::as_str));
        let attributes = self
            .attributes
            .into_iter()
            .flat_map(|(kind, _)| kind.schema.attributes.iter().map(|attribute| attribute.name.as_str()));
        let near = did_you_mean(first, known.clone().chain(attributes));
        let known: Vec<String> = known.map(|name| format!("`{{{{{name}}}}}`")).collect();
        Err(match near {
            Some(word) => format!("did you mean `{{{{{word}}}}}`?"),
            None if known.is_empty() && self.attributes.is_none() => "there are no variables here: write a plain text".to_owned(),
            None if self.roots.iter().any(|(_, root)| *root == Root::Record) && self.attributes.is_none() => {
                format!("{}; a field of the record is `{{{{record.{}}}}}`", there_are(&known), path.join("."))
            }
            None if known.is_empty() => "there are the attributes that the resource type maps, such as `{{userName}}`".to_owned(),
            None if self.attributes.is_some() => {
                format!("there are {} and the attributes that the resource type maps", known.join(", "))
            }
            None => there_are(&known),
        })
    }
}

fn there_are(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("there {verb} {}", names.join(", "))
}

fn no_sub_attribute(attribute: &str, name: &str, subs: &[Attribute]) -> String {
    let names: Vec<&str> = subs.iter().map(|sub| sub.name.as_str()).collect();
    match did_you_mean(name, names.iter().copied()) {
        Some(word) => format!("did you mean `{{{{{attribute}.{word}}}}}`?"),
        None if names.is_empty() => format!("`{attribute}` has no parts: write `{{{{{attribute}}}}}`"),
        None => format!("`{attribute}` has {}", names.join(", ")),
    }
}

impl Compiler<'_> {
    /// A template; reports what is wrong with it.
    pub(super) fn template(&mut self, node: &Node, names: &Names<'_>) -> Option<Template> {
        let text = self.text(node)?;
        self.template_text(text, node.span, names)
    }

    pub(super) fn template_text(&mut self, text: &str, span: Span, names: &Names<'_>) -> Option<Template> {
        let mut unknown = None;
        let parsed = template::parse(text, &mut |path| {
            names.resolve(path).map_err(|help| {
                unknown = Some((path.join("."), help));
                String::new()
            })
        });
        match (parsed, unknown) {
            (Ok(template), _) => return self.with_secrets(template, span),
            (Err(_), Some((variable, help))) => {
                self.error(Code::UnknownVariable, span, format!("`{{{{{variable}}}}}` is not a variable here"), help);
            }
            (Err(reason), None) => {
                let code = if reason.contains("is not a format") { Code::UnknownConverter } else { Code::BadTemplate };
                let help = if code == Code::UnknownConverter {
                    "write for example `{{epochSeconds value}}`, or the variable alone"
                } else {
                    "write plain variables such as `{{key}}`"
                };
                self.error(code, span, format!("this template cannot be used: {reason}"), help);
            }
        }
        None
    }

    /// A call that may be written as `METHOD /path` alone: its keys, if it is a block.
    pub(super) fn call_keys<'n>(&mut self, node: &'n Node, block: &vocabulary::Block) -> Option<(Keys<'n>, &'n Node)> {
        if node.text().is_some() {
            return Some((Keys { entries: &[], span: node.span, name: block.name }, node));
        }
        let keys = self.block(node, block)?;
        let call = self.require(&keys, "call", "write method and path: `call: GET /users`")?;
        Some((keys, call))
    }

    pub(super) fn call(
        &mut self,
        name: String,
        keys: &Keys<'_>,
        line: &Node,
        names: &Names<'_>,
        shared: &Shared,
        purpose: Purpose,
    ) -> Option<Call> {
        let text = self.text(line)?;
        let Some((method, target)) = text.split_once(' ') else {
            let help = match text {
                path if path.starts_with('/') => format!("write `GET {path}`"),
                "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => format!("write the path behind it: `{text} /users/{{{{key}}}}`"),
                _ => "write for example `GET /users`".to_owned(),
            };
            self.error(Code::BadCall, line.span, format!("`{text}` is not a method and a path"), help);
            return None;
        };
        let method = self.method(method, line, purpose, keys.get("body").is_some());
        let target = target.trim();
        let (path, inline_query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let path = self.call_path(path, line, names);
        let mut query = Vec::new();
        for pair in inline_query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (percent_decode_str(name).decode_utf8_lossy(), percent_decode_str(value).decode_utf8_lossy());
            query.extend(self.template_text(&value, line.span, names).map(|value| (name.into_owned(), value)));
        }
        if let Some(node) = keys.get("query") {
            query.extend(self.parameters(node, names));
        }
        let mut headers = Vec::new();
        if let Some(entries) = keys.get("headers").and_then(|node| self.entries(node, "headers")) {
            for entry in entries {
                let name = self.header_name(&entry.key, entry.key_span);
                headers.extend(name.zip(self.header_template(entry, names)));
            }
        }
        let body = self.body(keys, line, names, shared, purpose);
        let rules = self.meanings(keys, shared);
        let (envelope, format, answers) = (shared.envelope.clone(), shared.format.clone(), Arc::clone(&shared.answers));
        let success = match keys.get("success") {
            Some(node) => Some(self.path(node)?),
            None => shared.success.clone(),
        };
        let (method, path, body) = (method?, path?, body?);
        Some(Call { name, place: line.span, method, path, query, headers, body, format, envelope, answers, success, rules })
    }

    /// What answers mean: the rows of the block, then those of the backend, then HTTP.
    pub(super) fn meanings(&mut self, keys: &Keys<'_>, shared: &Shared) -> Arc<[Rule]> {
        with_built_in(self.rules(keys), &shared.rules)
    }

    fn call_path(&mut self, path: &str, line: &Node, names: &Names<'_>) -> Option<Vec<Template>> {
        let Some(rest) = path.strip_prefix('/') else {
            self.error(
                Code::BadCall,
                line.span,
                format!("the path `{path}` does not begin with a slash"),
                format!("write `/{path}`"),
            );
            return None;
        };
        let mut segments = Vec::new();
        for segment in rest.split('/') {
            let (what, help) = match segment {
                "" => (
                    "an empty segment",
                    "take out the slash that nothing stands behind; `//` and a slash at the end are not sent",
                ),
                "." | ".." => ("a dot segment", "write the path that it leads to"),
                _ => {
                    segments.push(self.template_text(segment, line.span, names).filter(|found| self.segment(found, path, line)));
                    continue;
                }
            };
            self.error(Code::BadCall, line.span, format!("the path `{path}` has {what}"), help);
            return None;
        }
        segments.into_iter().collect()
    }

    /// Whether the plain text in a segment can stand in a URL as it is (RFC 3986 section 3.3).
    fn segment(&mut self, segment: &Template, path: &str, line: &Node) -> bool {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c);
        let bad = segment.parts().iter().find_map(|part| match part {
            Part::Literal(text) => text.chars().find(|c| !fits(*c)),
            Part::Variable(_) => None,
        });
        if let Some(c) = bad {
            self.error(
                Code::BadCall,
                line.span,
                format!("the path `{path}` holds `{c}`, which cannot stand in a URL"),
                "escape it: a blank is `%20`; what variables hold is escaped anyway",
            );
        }
        bad.is_none()
    }

    fn method(&mut self, method: &str, line: &Node, purpose: Purpose, body: bool) -> Option<Method> {
        let (problem, help) = match (method, purpose) {
            ("GET", Purpose::Record) => {
                ("a GET carries no body, so it cannot create or change what the attribute map writes", "write POST, PUT or PATCH")
            }
            ("GET", _) if body => ("a GET carries no body", "put the values under `query`, or write POST"),
            ("GET" | "POST", _) | ("PUT" | "PATCH" | "DELETE", Purpose::Act | Purpose::Record) => {
                return Method::from_bytes(method.as_bytes()).ok();
            }
            ("PUT" | "PATCH" | "DELETE", Purpose::Read) => ("this call only reads", "write GET, or POST for a search"),
            _ => ("the call does not begin with a method", "write GET, POST, PUT, PATCH or DELETE, in capitals, before the path"),
        };
        self.error(Code::BadCall, line.span, format!("`{method}`: {problem}"), help);
        None
    }

    pub(super) fn header_template(&mut self, entry: &Entry, names: &Names<'_>) -> Option<Template> {
        let template = self.template(&entry.value, names)?;
        let found = self.found.as_deref().unwrap_or_default();
        let is_bad = |text: &str| HeaderValue::from_str(text).is_err();
        let bad = |part: &Part| match part {
            Part::Literal(text) => is_bad(text),
            Part::Variable(variable) => {
                found.iter().any(|(name, secret)| *name == variable.text && is_bad(secret.expose_secret()))
            }
        };
        if template.parts().iter().any(bad) {
            self.error(
                Code::BadValue,
                entry.value.span,
                "this value cannot stand in a header",
                "take out line breaks and control characters",
            );
            return None;
        }
        Some(template)
    }

    /// A call about one resource must say which: `DELETE /users` would be for all of them.
    pub(super) fn about_one(&mut self, call: Option<&Call>, line: &Node) {
        let Some(call) = call else { return };
        if call.uses_any(&[Root::Key, Root::Id, Root::Record]) {
            return;
        }
        let text = line.text().unwrap_or_default().trim_end_matches('/');
        self.error(
            Code::BadCall,
            line.span,
            format!("`{text}` does not say which resource it is for"),
            format!("put the key into the path, `{text}/{{{{key}}}}`, or into the query or body"),
        );
    }

    /// Query parameters, by name.
    pub(super) fn parameters(&mut self, node: &Node, names: &Names<'_>) -> Vec<(String, Template)> {
        let Some(entries) = self.entries(node, "query") else { return Vec::new() };
        entries.iter().filter_map(|entry| Some((entry.key.clone(), self.template(&entry.value, names)?))).collect()
    }
}
