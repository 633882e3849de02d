//! Calls: method and path, query, headers, body; and the templates in them.

use http::Method;
use serde_json::Value;

use super::backend::with_built_in;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Body, Call, Paging, Rule, Tree};
use crate::mapping::path::{JsonPath, Step};
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::template::{self, Root, Template};
use crate::mapping::vocabulary;
use crate::scim::{AttrPath, ResourceType, Target};

/// What the calls of a backend have in common.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) envelope: JsonPath,
    pub(super) paging: Paging,
    pub(super) rules: Vec<Rule>,
}

/// The variables that a template may use in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'k> {
    roots: &'static [(&'static str, Root)],
    /// The attributes of this resource type are variables too.
    attributes: Option<&'k ResourceType>,
}

/// What a body is if the mapping does not spell one out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultBody {
    None,
    Record,
}

impl Names<'static> {
    pub(super) const NOTHING: Self = Self { roots: &[], attributes: None };
    pub(super) const BODY: Self = Self { roots: &[("body", Root::Body)], attributes: None };
    pub(super) const RECORD_FIELDS: Self = Self { roots: &[("record", Root::Record)], attributes: None };
    pub(super) const VALUE: Self = Self { roots: &[("value", Root::Value)], attributes: None };
    pub(super) const EXPRESSION: Self = Self { roots: &[("expression", Root::Expression)], attributes: None };
    pub(super) const FIELD: Self = Self { roots: &[("field", Root::Field)], attributes: None };
    pub(super) const COMPARISON: Self = Self { roots: &[("field", Root::Field), ("value", Root::Value)], attributes: None };
    pub(super) const PAIR: Self = Self { roots: &[("left", Root::Left), ("right", Root::Right)], attributes: None };
    pub(super) const OPERAND: Self = Self { roots: &[("operand", Root::Operand)], attributes: None };
    pub(super) const KEY: Self = Self { roots: &[("id", Root::Id), ("key", Root::Key)], attributes: None };
    pub(super) const ONE: Self =
        Self { roots: &[("id", Root::Id), ("key", Root::Key), ("record", Root::Record)], attributes: None };
    pub(super) const MEMBERS: Self = Self {
        roots: &[("id", Root::Id), ("key", Root::Key), ("member", Root::Member), ("members", Root::Members)],
        attributes: None,
    };
}

impl<'k> Names<'k> {
    pub(super) fn with(self, kind: &'k ResourceType) -> Self {
        Self { roots: self.roots, attributes: Some(kind) }
    }

    fn resolve(&self, path: &[String]) -> Result<(Root, Vec<Step>), String> {
        let steps = |names: &[String]| {
            let step = |name: &String| name.parse().map_or_else(|_| Step::Name(name.clone()), Step::Index);
            names.iter().map(step).collect::<Vec<_>>()
        };
        let (first, rest) = path.split_first().ok_or("a variable is missing")?;
        if let Some((_, root)) = self.roots.iter().find(|(name, _)| name == first) {
            return Ok((root.clone(), steps(rest)));
        }
        if let Some(kind) = self.attributes {
            let named = AttrPath::parse(first).and_then(|path| kind.resolve(&path, true));
            if let Some(Target::Attribute(found)) = named {
                let root = Root::Attribute {
                    extension: found.extension.map(|schema| schema.id.clone()),
                    name: found.attribute.name.clone(),
                };
                let canonical = |name: &String| match found.attribute.sub_attribute(name) {
                    Some(sub) => Step::Name(sub.name.clone()),
                    None => name.parse().map_or_else(|_| Step::Name(name.clone()), Step::Index),
                };
                return Ok((root, rest.iter().map(canonical).collect()));
            }
        }
        let known = self.roots.iter().map(|(name, _)| *name);
        let attributes =
            self.attributes.into_iter().flat_map(|kind| kind.schema.attributes.iter().map(|attribute| attribute.name.as_str()));
        let near = did_you_mean(first, known.clone().chain(attributes));
        let known: Vec<&str> = known.collect();
        Err(match near {
            Some(word) => format!("did you mean `{word}`?"),
            None if known.is_empty() && self.attributes.is_none() => "no variables exist here".to_owned(),
            None if self.attributes.is_some() => {
                format!("there are {} and the attributes of the resource type", known.join(", "))
            }
            None => format!("there are {}", known.join(", ")),
        })
    }
}

impl Compiler<'_> {
    /// A template; reports what is wrong with it.
    pub(super) fn template(&mut self, node: &Node, names: &Names<'_>) -> Option<Template> {
        let text = self.text(node)?;
        self.template_text(text, node, names)
    }

    fn template_text(&mut self, text: &str, node: &Node, names: &Names<'_>) -> Option<Template> {
        let mut unknown = None;
        let parsed = template::parse(text, &mut |path| {
            names.resolve(path).map_err(|help| {
                unknown = Some((path.join("."), help));
                String::new()
            })
        });
        match (parsed, unknown) {
            (Ok(template), _) => return Some(template),
            (Err(_), Some((variable, help))) => {
                self.error(Code::UnknownVariable, node.span, format!("`{{{{{variable}}}}}` is not a variable here"), help);
            }
            (Err(reason), None) => {
                let code = if reason.contains("is not a format") { Code::UnknownConverter } else { Code::BadTemplate };
                self.error(
                    code,
                    node.span,
                    format!("this template cannot be used: {reason}"),
                    "write plain variables such as `{{key}}`",
                );
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
        default_body: DefaultBody,
    ) -> Option<Call> {
        let text = self.text(line)?;
        let Some((method, target)) = text.split_once(' ') else {
            self.error(Code::BadCall, line.span, format!("`{text}` is not a call"), "write method and path: `GET /users`");
            return None;
        };
        let method = match method {
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => Method::from_bytes(method.as_bytes()).ok(),
            _ => None,
        };
        if method.is_none() {
            self.error(
                Code::BadCall,
                line.span,
                format!("`{text}` does not begin with a method"),
                "write GET, POST, PUT, PATCH or DELETE before the path",
            );
        }
        let target = target.trim();
        let (path, inline_query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let path = self.call_path(path, line, names);
        let mut query = Vec::new();
        for pair in inline_query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.extend(self.template_text(value, line, names).map(|value| (name.to_owned(), value)));
        }
        if let Some(node) = keys.get("query") {
            query.extend(self.parameters(node, names));
        }
        let mut headers = Vec::new();
        if let Some(entries) = keys.get("headers").and_then(|node| self.entries(node, "headers")) {
            for entry in entries {
                let name = self.header_name(&entry.key, entry.key_span);
                let value = self.template(&entry.value, names);
                headers.extend(name.zip(value));
            }
        }
        let body = match (keys.get("body"), default_body) {
            (Some(node), _) => Some(self.tree(node, names).map(Body::Tree)),
            (None, DefaultBody::Record) => Some(Some(Body::Record)),
            (None, DefaultBody::None) => Some(Some(Body::None)),
        };
        let rules = with_built_in(self.rules(keys), &shared.rules);
        Some(Call { name, method: method?, path: path?, query, headers, body: body??, envelope: shared.envelope.clone(), rules })
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
            if matches!(segment, "" | "." | "..") || segment.contains(['#', ' ']) && !segment.contains("{{") {
                self.error(
                    Code::BadCall,
                    line.span,
                    format!("the path `{path}` has a segment that cannot stand in a URL: `{segment}`"),
                    "write segments that are neither empty nor dots; escape blanks as %20",
                );
                return None;
            }
            segments.push(self.template_text(segment, line, names)?);
        }
        Some(segments)
    }

    /// Query parameters, by name.
    pub(super) fn parameters(&mut self, node: &Node, names: &Names<'_>) -> Vec<(String, Template)> {
        let Some(entries) = self.entries(node, "query") else { return Vec::new() };
        entries.iter().filter_map(|entry| Some((entry.key.clone(), self.template(&entry.value, names)?))).collect()
    }

    pub(super) fn tree(&mut self, node: &Node, names: &Names<'_>) -> Option<Tree> {
        match &node.data {
            Data::Scalar { text, .. } if text.contains("{{") => self.template(node, names).map(Tree::Template),
            Data::Scalar { .. } => Some(Tree::Literal(node.scalar().unwrap_or(Value::Null))),
            Data::Sequence(items) => {
                let items: Vec<Option<Tree>> = items.iter().map(|item| self.tree(item, names)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Tree::List)
            }
            Data::Mapping(entries) => {
                let member = |entry: &Entry| {
                    let name = self.template_text(&entry.key, &entry.value, names);
                    name.zip(self.tree(&entry.value, names))
                };
                let members: Vec<Option<(Template, Tree)>> = entries.iter().map(member).collect();
                members.into_iter().collect::<Option<Vec<_>>>().map(Tree::Object)
            }
        }
    }
}
