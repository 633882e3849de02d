//! The YAML text of a mapping as a tree that remembers where everything stands.
//!
//! Mappings are not read through serde: a person wants to hear about all mistakes at once, each with its line, and
//! `1.10` must stay what it is. The parser is the one that serde-saphyr uses, so there is one YAML dialect.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::diagnostics::{Code, Diagnostic};
use crate::limits;

/// A range of bytes in the text of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A YAML node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub data: Data,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A scalar; `plain` if it is written without quotes, so that `true` and `7` are not strings.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

/// Reads one YAML document, and tells the keys that stand in it twice.
pub fn parse(text: &str) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    if text.len() > limits::MAPPING_BYTES {
        return Err(limit(Span::default(), format!("the document is longer than {} bytes", limits::MAPPING_BYTES)));
    }
    Builder { text, events: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0, depth: 0, twice: Vec::new() }
        .document()
}

struct Builder<'t> {
    text: &'t str,
    events: Parser<'t, granit_parser::StrInput<'t>>,
    /// With the depth of what they hold.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    depth: usize,
    twice: Vec<Diagnostic>,
}

fn limit(span: Span, what: String) -> Diagnostic {
    Diagnostic::error(Code::YamlLimit, span, what).help("split the mapping, or write out less")
}

fn syntax(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::YamlSyntax, span, message)
}

// === impl Builder ===

impl<'t> Builder<'t> {
    fn document(mut self) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
        loop {
            match self.next()? {
                (Event::StreamEnd, span) => {
                    return Err(syntax(span, "the document is empty").help("begin with `mapping: v1`"));
                }
                (event, span) if event.is_node() => {
                    let root = self.node(event, span)?;
                    return match self.after()? {
                        Some(span) => Err(syntax(span, "a second document begins here").help("keep one mapping in a file")),
                        None => Ok((root, self.twice)),
                    };
                }
                _ => {}
            }
        }
    }

    fn after(&mut self) -> Result<Option<Span>, Diagnostic> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (event, span) if event.is_node() => return Ok(Some(span)),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Diagnostic> {
        match self.events.next() {
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or_default();
                Ok((event, Span { start: range.start, end: range.end }))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or_default();
                let help = if error.info().contains("tab") {
                    "indent with blanks: YAML takes no tabs there"
                } else {
                    "check the indentation, and put quotes around texts that hold `: ` or begin with `{`, `[`, `*`, `@` or `%`"
                };
                Err(syntax(Span { start: at, end: at + 1 }, format!("this is not YAML: {}", error.info())).help(help))
            }
        }
    }

    /// The next event that is a node or ends a collection.
    fn next_node(&mut self) -> Result<(Event<'t>, Span), Diagnostic> {
        loop {
            let (event, span) = self.next()?;
            if event.is_node() || matches!(event, Event::SequenceEnd | Event::MappingEnd | Event::StreamEnd) {
                return Ok((event, span));
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, Diagnostic> {
        self.take(span, 1, 1)?;
        self.depth += 1;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let data = Data::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                (Node { span, data }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(span)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(span)?, anchor),
            Event::Alias(id) => {
                let Some((target, depth)) = self.anchors.get(&id) else {
                    return Err(syntax(span, "this alias has no anchor before it")
                        .help("put quotes around a text that begins with `*`, or write `&name` before what it stands for"));
                };
                let (data, size, depth) = (target.data.clone(), target.size(), *depth);
                self.take(span, size, depth)?;
                (Node { span, data }, 0)
            }
            _ => return Err(syntax(span, "a value is missing here").help("write a value behind the colon")),
        };
        self.depth -= 1;
        if anchor != 0 {
            let depth = node.depth();
            self.take(span, node.size(), depth)?;
            self.anchors.insert(anchor, (node.clone(), depth));
        }
        Ok(node)
    }

    /// Counts nodes before they are there: so many, so deep below this place.
    fn take(&mut self, span: Span, nodes: usize, depth: usize) -> Result<(), Diagnostic> {
        self.nodes += nodes;
        if self.nodes > limits::MAPPING_NODES {
            return Err(limit(span, format!("the document has more than {} nodes, aliases followed", limits::MAPPING_NODES)));
        }
        if self.depth + depth > limits::MAPPING_DEPTH {
            return Err(limit(span, format!("the document is nested deeper than {} blocks", limits::MAPPING_DEPTH)));
        }
        Ok(())
    }

    fn sequence(&mut self, start: Span) -> Result<Node, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.next_node()? {
                (Event::SequenceEnd | Event::StreamEnd, end) => {
                    return Ok(Node {
                        span: Span { start: start.start, end: end.end.max(start.end) },
                        data: Data::Sequence(items),
                    });
                }
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self, start: Span) -> Result<Node, Diagnostic> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, key_span) = self.next_node()?;
            let key = match event {
                Event::MappingEnd | Event::StreamEnd => {
                    let end = entries.last().map_or(key_span.end.max(start.end), |last| last.value.span.end.max(start.end));
                    return Ok(Node { span: Span { start: start.start, end }, data: Data::Mapping(entries) });
                }
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    return Err(syntax(key_span, "a key is a text, but a list or a block stands here")
                        .help("put quotes around a template: `\"{{key}}\"`; YAML reads `{` as the begin of a block"));
                }
            };
            let (event, span) = self.next_node()?;
            let mut value = self.node(event, span)?;
            // A block below its key is pointed at by the key: its first line is seldom what is wrong.
            let between = self.text.get(key_span.end..value.span.start).unwrap_or_default();
            if !matches!(value.data, Data::Scalar { .. }) && between.contains('\n') {
                value.span = key_span;
            }
            if !seen.insert(key.clone()) {
                self.twice.push(
                    Diagnostic::error(Code::DuplicateKey, key_span, format!("`{key}` stands in this block twice"))
                        .help("keep one of the two"),
                );
                continue;
            }
            entries.push(Entry { key, key_span, value });
        }
    }
}

// === impl Node ===

impl Node {
    /// The entry of a block with that key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        1 + match &self.data {
            Data::Scalar { .. } => 0,
            Data::Sequence(items) => items.iter().map(Self::size).sum(),
            Data::Mapping(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }

    /// How deep it is nested; 1 for a scalar.
    fn depth(&self) -> usize {
        1 + match &self.data {
            Data::Scalar { .. } => 0,
            Data::Sequence(items) => items.iter().map(Self::depth).max().unwrap_or(0),
            Data::Mapping(entries) => entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
        }
    }

    /// A digest of what it says: places, comments and the way it is laid out are not in it, what an alias stands for is.
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        self.digest_into(&mut digest);
        digest.finalize().into()
    }

    fn digest_into(&self, digest: &mut Sha256) {
        // Each part with its length before it: no two trees look the same.
        let mut part = |kind: u8, length: usize, text: &str| {
            digest.update([kind]);
            digest.update((length as u64).to_be_bytes());
            digest.update(text);
        };
        match &self.data {
            Data::Scalar { text, plain } => part(if *plain { b'p' } else { b'q' }, text.len(), text),
            Data::Sequence(items) => {
                part(b's', items.len(), "");
                for item in items {
                    item.digest_into(digest);
                }
            }
            Data::Mapping(entries) => {
                part(b'm', entries.len(), "");
                for Entry { key, value, .. } in entries {
                    digest.update((key.len() as u64).to_be_bytes());
                    digest.update(key);
                    value.digest_into(digest);
                }
            }
        }
    }

    /// What kind of node it is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar { .. } if self.is_null() => "nothing",
            Data::Scalar { .. } => "a text",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a block of keys",
        }
    }

    /// The text of a scalar, quoted or not.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Whether it is a text without quotes.
    pub fn is_plain(&self) -> bool {
        matches!(&self.data, Data::Scalar { plain: true, .. })
    }

    /// Whether nothing stands there, or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The JSON value of the whole node.
    pub fn json(&self) -> Value {
        match &self.data {
            Data::Scalar { .. } => self.scalar().unwrap_or(Value::Null),
            Data::Sequence(items) => items.iter().map(Self::json).collect(),
            Data::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect())
            }
        }
    }

    /// The JSON value of a scalar by YAML's core schema: `null`, `true`, `7`, `1.5`, else a string.
    pub fn scalar(&self) -> Option<Value> {
        let Data::Scalar { text, plain } = &self.data else { return None };
        if !plain {
            return Some(Value::from(text.as_str()));
        }
        if self.is_null() {
            return Some(Value::Null);
        }
        Some(match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            // JSON's number grammar: `007` and `1_000` stay texts.
            other => serde_json::from_str::<serde_json::Number>(other).map_or_else(|_| Value::from(other), Value::Number),
        })
    }
}
