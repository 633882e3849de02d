//! What of `backend` is about answers, and bodies that are XML: how they are written, how long they ask to wait.

use std::time::Duration;

use http::HeaderName;

use super::field::example;
use super::{Compiler, Keys};
use crate::limits;
use crate::mapping::diagnostics::{Code, Diagnostic};
use crate::mapping::model::{After, Answers, Format, Meaning, Rate, Tree};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::template::{Part, Root};
use crate::mapping::vocabulary;
use crate::mapping::xml;
use crate::scim::schema::{Attribute, Type};

/// What is XML in this mapping.
#[derive(Debug, Clone, Default)]
pub(super) struct Xml {
    /// The elements that are lists, if answers are XML.
    pub(super) lists: Option<Vec<String>>,
    /// Whether bodies are.
    pub(super) bodies: bool,
}

impl Compiler<'_> {
    /// How answers and bodies are written. Paths that are compiled later are held against it.
    pub(super) fn formats(&mut self, keys: &Keys<'_>) -> (Option<Answers>, Option<Format>) {
        let is_xml = keys.get("answers").map_or(Some(false), |node| self.word(node, &[("json", false), ("xml", true)]));
        let format = keys.get("format").map_or(Some(Format::Json), |node| self.format(node));
        let writes = matches!(format, Some(Format::Xml { .. }));
        let (root, lists) = self.xml(keys, is_xml == Some(true), writes);
        let prefix = keys.get("prefix").map(|node| {
            let text = self.text(node)?;
            if text.is_empty() || is_xml == Some(true) {
                let (message, help) = match text {
                    "" => ("nothing stands in front of the answers then", "write what does: `prefix: \")]}'\"`"),
                    _ => ("`prefix` stands in front of JSON, and the answers are XML", "take it out"),
                };
                self.error(Code::BadValue, node.span, message, help);
                return None;
            }
            Some(text.to_owned())
        });
        let answers = match (is_xml, prefix) {
            (Some(true), _) => lists.clone().map(|lists| Answers::Xml { lists }),
            (Some(false), None) => Some(Answers::Json { prefix: None }),
            (Some(false), Some(prefix)) => prefix.map(|prefix| Answers::Json { prefix: Some(prefix) }),
            (None, _) => None,
        };
        self.xml = Xml { lists: lists.filter(|_| is_xml == Some(true)), bodies: writes };
        let format = if writes { root.map(|root| Format::Xml { root }) } else { format };
        (answers, format)
    }

    pub(super) fn format(&mut self, node: &Node) -> Option<Format> {
        self.word(node, &[("json", 0), ("form", 1), ("xml", 2)]).map(|word| match word {
            0 => Format::Json,
            1 => Format::Form,
            _ => Format::Xml { root: None },
        })
    }

    /// The block `xml`: the root of bodies, and the lists in answers.
    #[expect(clippy::option_option, reason = "given or not, and compiled or not")]
    fn xml(&mut self, keys: &Keys<'_>, reads: bool, writes: bool) -> (Option<Option<String>>, Option<Vec<String>>) {
        let Some(node) = keys.get("xml") else { return (Some(None), Some(Vec::new())) };
        if !reads && !writes {
            let span = keys.entry("xml").map_or(node.span, |entry| entry.key_span);
            self.error(Code::BadValue, span, "nothing is XML here", "write `answers: xml` or `format: xml`, or take it out");
            return (None, None);
        }
        let Some(block) = self.block(node, &vocabulary::XML) else { return (None, None) };
        if !writes {
            self.meaningless(&block, &["root"], "answers", "it is for bodies: write `format: xml`, or take it out");
        }
        if !reads {
            self.meaningless(&block, &["lists"], "bodies", "it is for answers: write `answers: xml`, or take it out");
        }
        let root = block.get("root").map(|node| self.element(node));
        let lists = block.get("lists").map(|node| match &node.data {
            Data::Sequence(items) => {
                let names: Vec<_> = items.iter().map(|item| self.element(item)).collect();
                names.into_iter().collect::<Option<Vec<_>>>()
            }
            _ => {
                self.error(Code::WrongShape, node.span, "lists is a list of elements", "write `lists: [user, mail]`");
                None
            }
        });
        let root = match root {
            Some(None) => None,
            Some(root) => Some(root),
            None => Some(None),
        };
        (root, lists.unwrap_or_else(|| Some(Vec::new())))
    }

    /// The name of an element.
    fn element(&mut self, node: &Node) -> Option<String> {
        let name = self.text(node)?;
        if !xml::is_name(name) {
            self.no_name(name, node.span);
            return None;
        }
        Some(name.to_owned())
    }

    fn no_name(&mut self, name: &str, span: Span) {
        self.error(
            Code::XmlName,
            span,
            format!("`{name}` is no name that an element of XML can have"),
            "a name begins with a letter or `_` and goes on with letters, digits, `_`, `-` and `.`; `@name` is an attribute, `#text` the text beside it",
        );
    }

    /// Whether a path that is written can be written as XML.
    pub(super) fn xml_place(&mut self, names: &[String], span: Span) {
        if let Some(name) = names.iter().find(|name| self.xml.bodies && !xml::is_member(name)) {
            self.no_name(name, span);
        }
    }

    /// What is read of XML is text, also where SCIM has none.
    pub(super) fn xml_value(&mut self, leaf: &Attribute, span: Span) {
        let help = match leaf.kind {
            Type::Boolean => "tell which texts: `values: { true: \"true\", false: \"false\" }`",
            Type::Integer | Type::Decimal => "write `as: number`",
            _ => return,
        };
        if self.xml.lists.is_some() {
            let message = format!("`{}` is {}, and what XML has is a text", leaf.name, example(leaf.kind).0);
            self.error(Code::BadAttribute, span, message, help);
        }
    }

    /// A path that takes for a list what XML has as one element as soon as there is only one.
    pub(super) fn xml_arrays(&mut self, path: &JsonPath, span: Span) {
        let Some(lists) = &self.xml.lists else { return };
        let Some(name) = path.arrays().into_iter().find(|name| !lists.iter().any(|list| list == name)) else { return };
        let all = lists.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(", ");
        let message = format!("where there is only one `{name}`, this finds nothing: XML does not tell one from a list");
        let help = format!("name it under `backend`: `xml: {{ lists: [{all}] }}`");
        self.report(Diagnostic::warning(Code::XmlList, span, message).help(help));
    }

    /// A body that is spelled out as XML has one root. `{{fields}}` alone is what the attribute map writes.
    pub(super) fn xml_body(&mut self, node: &Node, tree: &Tree) {
        let root = match &node.data {
            Data::Mapping(entries) => match entries.as_slice() {
                [root] => Some(root),
                _ => None,
            },
            _ if tree.is_object() => return,
            _ => None,
        };
        let Some(root) = root else {
            self.error(
                Code::WrongShape,
                node.span,
                "an XML document has one element around all others",
                "write one name with all else below it: `body: { user: { name: ... } }`",
            );
            return;
        };
        let is_list = match (tree, &root.value.data) {
            (_, Data::Sequence(_)) => true,
            (Tree::Object(members), _) => members.iter().any(|(_, member)| is_list(member)),
            _ => false,
        };
        if is_list {
            self.error(
                Code::WrongShape,
                root.value.span,
                format!("an XML document has one element around all others, and `{}` is a list", root.key),
                format!("write the element of one below it: `{{ {}: {{ item: ... }} }}`", root.key),
            );
        }
        self.xml_names(std::slice::from_ref(root));
    }

    fn xml_names(&mut self, entries: &[Entry]) {
        for entry in entries {
            if !entry.key.contains("{{") && !xml::is_member(&entry.key) {
                self.no_name(&entry.key, entry.key_span);
            }
            let below = match &entry.value.data {
                Data::Sequence(items) => items.as_slice(),
                Data::Mapping(_) | Data::Scalar { .. } => std::slice::from_ref(&entry.value),
            };
            for node in below {
                if let Data::Mapping(entries) = &node.data {
                    self.xml_names(entries);
                }
            }
        }
    }

    /// What the attribute map writes needs an element around it.
    pub(super) fn xml_root(&mut self, format: &Format, line: &Node) {
        if *format == (Format::Xml { root: None }) {
            self.error(
                Code::MissingKey,
                line.span,
                "nothing says which element is around what the attribute map writes",
                "write `xml: { root: user }` under `backend`, or spell the body out: `body: { user: \"{{fields}}\" }`",
            );
        }
    }

    /// `5/s`, `100/m`
    pub(super) fn rate(&mut self, node: &Node) -> Option<Rate> {
        let parts = node.text().and_then(|text| text.split_once('/'));
        let period = parts.and_then(|(_, unit)| match unit.trim() {
            "s" => Some(Duration::from_secs(1)),
            "m" => Some(Duration::from_mins(1)),
            _ => None,
        });
        let calls = parts.and_then(|(calls, _)| calls.trim().parse::<usize>().ok());
        let calls = calls.filter(|calls| (1..=limits::RATE_CALLS).contains(calls));
        if calls.is_none() || period.is_none() {
            let help = format!("write for example `5/s` or `100/m`; {} calls are the most", limits::RATE_CALLS);
            self.error(Code::BadValue, node.span, "calls in a second or in a minute are meant here", help);
        }
        Some(Rate { calls: calls?, period: period? })
    }

    /// `after` of a row of errors.
    pub(super) fn after(&mut self, node: &Node) -> Option<After> {
        match &node.data {
            Data::Mapping(_) => {
                let keys = self.block(node, &vocabulary::AFTER)?;
                let header = self.require(&keys, "header", "name the header: `after: { header: X-Wait }`")?;
                let name = self.text(header)?;
                self.header_name(name, header.span).map(After::Header)
            }
            Data::Scalar { text, .. } if text.starts_with('$') => self.path(node).map(After::Body),
            _ => {
                let time = self.duration(node)?;
                if time > Duration::from_secs(limits::WAIT_SECONDS) {
                    self.error(Code::BadValue, node.span, "nobody waits for longer than a day", "write for example `after: 3s`");
                    return None;
                }
                Some(After::Time(time))
            }
        }
    }

    /// `after` where nobody waits.
    pub(super) fn check_after(&mut self, keys: &Keys<'_>, meaning: Option<Meaning>) {
        if meaning.is_some_and(|meaning| !matches!(meaning, Meaning::Retry | Meaning::Overloaded)) {
            self.meaningless(keys, &["after"], "this meaning", "it is for `as: retry` and `as: overloaded`");
        }
    }

    /// `header` of a row of errors: names, and what their values begin with.
    pub(super) fn row_headers(&mut self, node: &Node) -> Option<Vec<(HeaderName, String)>> {
        let entries = self.entries(node, "header")?;
        if entries.is_empty() {
            self.error(Code::MissingKey, node.span, "header names no header", "write `header: { Content-Type: text/html }`");
            return None;
        }
        let header = |entry: &Entry| {
            let name = self.header_name(&entry.key, entry.key_span);
            let begin = self.text(&entry.value).map(str::to_lowercase);
            name.zip(begin)
        };
        let headers: Vec<_> = entries.iter().map(header).collect();
        headers.into_iter().collect()
    }
}

fn is_list(tree: &Tree) -> bool {
    match tree {
        Tree::List(_) => true,
        Tree::Template(template) => {
            matches!(template.parts(), [Part::Variable(variable)] if matches!(variable.root, Root::Members | Root::Records) && variable.steps.is_empty())
        }
        Tree::Literal(_) | Tree::Object(_) => false,
    }
}
