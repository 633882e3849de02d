//! Fields of the attribute map: places, conversions, and what is assumed where nothing stands.

use jiff::Timestamp;
use serde_json::Value;

use super::call::Names;
use super::{Compiler, Keys, known};
use crate::limits;
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Clear, Each, Field, Initial, Read, Shape};
use crate::mapping::path::{JsonPath, WritePath};
use crate::mapping::source::{Entry, Node};
use crate::mapping::vocabulary;
use crate::scim::schema::{Attribute, Mutability, Type};

/// Words for clear.
const CLEAR: [(&str, Clear); 3] = [("null", Clear::Null), ("empty", Clear::Empty), ("omit", Clear::Omit)];

/// Whether a value is one of a data type (RFC 7643 section 2.3).
pub(super) fn is_of(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.is_i64() || value.is_u64(),
        Type::Decimal => value.is_number(),
        Type::DateTime => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
        Type::Complex => false,
        Type::String | Type::Binary | Type::Reference => value.is_string(),
    }
}

/// A value of a data type, for messages: what it is called, and an example.
pub(super) fn example(kind: Type) -> (&'static str, &'static str) {
    match kind {
        Type::Boolean => ("a boolean", "true"),
        Type::Integer => ("an integer", "7"),
        Type::Decimal => ("a number", "7.5"),
        Type::DateTime => ("a dateTime", "\"2026-01-31T08:00:00Z\""),
        Type::Complex => ("an object", "{ ... }"),
        Type::String | Type::Binary | Type::Reference => ("a text", "\"employee\""),
    }
}

impl Compiler<'_> {
    pub(super) fn each(
        &mut self,
        keys: &Keys<'_>,
        node: &Node,
        attribute: &Attribute,
        read_only: bool,
        types: &[&str],
    ) -> Option<Shape> {
        let subs: Vec<&str> = attribute.sub_attributes.iter().map(|sub| sub.name.as_str()).collect();
        let Some(at) = keys.get("each") else {
            let first = subs.first().copied().unwrap_or("value");
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` has many values", attribute.name),
                format!("write `{}: {{ each: \"$.items[*]\", {first}: $.field }}`", attribute.name),
            );
            return None;
        };
        let items = self.path(at);
        let write =
            if read_only { Some(None) } else { items.as_ref().and_then(|items| self.writable_items(items, at)).map(Some) };
        let mut fields = Vec::new();
        for sub in &attribute.sub_attributes {
            let Some(entry) = keys.entry(&sub.name) else { continue };
            let read_only = read_only || sub.mutability == Mutability::ReadOnly;
            fields.push(self.sub_field(entry, sub, read_only, types).map(|field| (sub.name.clone(), field)));
        }
        if fields.is_empty() {
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` maps none of its sub-attributes", attribute.name),
                format!("write a line for some of {}", subs.join(", ")),
            );
            return None;
        }
        let fields = fields.into_iter().collect::<Option<Vec<_>>>();
        Some(Shape::Each(Each { items: items?, write: write?, fields: fields? }))
    }

    fn sub_field(&mut self, entry: &Entry, sub: &Attribute, read_only: bool, types: &[&str]) -> Option<Field> {
        let node = &entry.value;
        let keys = if node.text().is_some() {
            Keys { entries: &[], span: node.span, name: "a sub-attribute line" }
        } else {
            self.block(node, &vocabulary::ATTRIBUTE)?
        };
        self.meaningless(
            &keys,
            &["each", "clear", "mutability", "returned", "caseExact", "required", "initial", "generate", "header"],
            "a sub-attribute in an array",
            "a sub-attribute takes at, read, write, as, values, default and refers",
        );
        self.field(&keys, node, sub, read_only, types, true)
    }

    /// `within` an element of an array, which `$` is itself.
    pub(super) fn field(
        &mut self,
        keys: &Keys<'_>,
        node: &Node,
        leaf: &Attribute,
        read_only: bool,
        types: &[&str],
        within: bool,
    ) -> Option<Field> {
        let places = self.places(keys, node, read_only, within);
        let (reads, writes) = match &places {
            Some((read, write)) => (read.is_some(), write.is_some()),
            None => (true, true),
        };
        let default = keys.get("default").map(|node| self.constant(node, leaf, "default"));
        let convert = self.converters(keys, leaf, writes, false);
        if let Some(entry) = keys.entry("default").filter(|_| !reads) {
            self.error(
                Code::BadAttribute,
                entry.key_span,
                "`default` is what is read, but this line only writes",
                "take it out, or tell where the value is read",
            );
        }
        // `clear: null` is a null node, so that it is taken from the entry itself.
        let clear = match keys.entry("clear") {
            Some(entry) if entry.value.is_null() => Some(Clear::Null),
            Some(entry) => self.word(&entry.value, &CLEAR),
            None => Some(Clear::default()),
        };
        if let Some(entry) = keys.entry("clear").filter(|_| !writes) {
            self.error(
                Code::BadAttribute,
                entry.key_span,
                "`clear` is what is written, but this line only reads",
                "take it out, or tell where the value is written",
            );
        }
        let refers = keys.get("refers").map(|node| {
            if !matches!(leaf.kind, Type::String | Type::Reference) {
                let (what, _) = example(leaf.kind);
                self.error(
                    Code::BadAttribute,
                    node.span,
                    format!("`{}` is {what}, and ids are texts", leaf.name),
                    "take `refers` out",
                );
                return None;
            }
            self.type_named(node, types)
        });
        let initial = self.initial(keys, leaf, writes);
        let (read, write) = places?;
        if matches!(read, Some(Read::Path(_))) && convert.as_ref()?.is_empty() {
            self.xml_value(leaf, node.span);
        }
        Some(Field {
            read,
            write,
            convert: convert?,
            default: known(default)?,
            clear: clear?,
            refers: known(refers)?,
            initial: initial?,
            kind: leaf.kind,
        })
    }

    /// What a create writes where the client sends nothing.
    #[expect(clippy::option_option, reason = "given or not, and compiled or not")]
    fn initial(&mut self, keys: &Keys<'_>, leaf: &Attribute, writes: bool) -> Option<Option<Initial>> {
        for word in ["initial", "generate"] {
            if let Some(entry) = keys.entry(word).filter(|_| !writes) {
                self.error(
                    Code::BadAttribute,
                    entry.key_span,
                    format!("`{word}` is what a create writes, but this line only reads"),
                    "take it out, or tell where the value is written",
                );
                return None;
            }
        }
        match (keys.get("initial"), keys.get("generate")) {
            (None, None) => Some(None),
            (Some(node), None) => self.constant(node, leaf, "initial").map(|value| Some(Initial::Value(value))),
            (None, Some(node)) if leaf.kind == Type::String => {
                let count = self.count(node)?;
                if !limits::GENERATED_CHARS.contains(&count) {
                    let (least, most) = (limits::GENERATED_CHARS.start(), limits::GENERATED_CHARS.end());
                    self.error(
                        Code::BadValue,
                        node.span,
                        format!("a generated text has {least} to {most} characters"),
                        "write for example `generate: 24`",
                    );
                    return None;
                }
                Some(Some(Initial::Random(count)))
            }
            (None, Some(node)) => {
                let (what, _) = example(leaf.kind);
                self.error(
                    Code::BadAttribute,
                    node.span,
                    format!("`{}` is {what}, and what is generated is a text", leaf.name),
                    "take `generate` out",
                );
                None
            }
            (Some(_), Some(node)) => {
                self.error(Code::BadAttribute, node.span, "`initial` and `generate` are two answers to one question", "keep one");
                None
            }
        }
    }

    /// Where a field is read and where it is written.
    fn places(
        &mut self,
        keys: &Keys<'_>,
        node: &Node,
        read_only: bool,
        within: bool,
    ) -> Option<(Option<Read>, Option<WritePath>)> {
        let at = keys.get("at").or_else(|| node.text().map(|_| node));
        match (at, keys.get("read"), keys.get("write")) {
            (Some(at), None, None) => {
                let path = self.path(at)?;
                let write = if read_only { None } else { Some(self.writable(&path, at, within)?) };
                Some((Some(Read::Path(path)), write))
            }
            (None, None, None) => self.incomplete(node, "write `at: $.field`, `read:` or `write:`"),
            (None, read, write) => {
                let read = read.map(|node| self.read(node));
                let write = write.map(|node| {
                    let path = self.path(node)?;
                    self.writable(&path, node, within)
                });
                Some((known(read)?, known(write)?))
            }
            (Some(at), ..) => {
                self.error(
                    Code::BadAttribute,
                    at.span,
                    "`at` is both read and written",
                    "keep `at` alone, or write `read` and `write`",
                );
                None
            }
        }
    }

    /// A path, or a text made of fields.
    fn read(&mut self, node: &Node) -> Option<Read> {
        let text = self.text(node)?;
        if text.starts_with('$') {
            return self.path(node).map(Read::Path);
        }
        // Without quotes it is far more often a field whose `$.` was forgotten than a text that all resources share.
        if node.is_plain() && !text.contains("{{") && !text.contains(' ') {
            self.error(
                Code::BadPath,
                node.span,
                format!("`{text}` is neither a JSONPath nor a text in quotes"),
                format!("write `$.{text}` for the field, or `\"{text}\"` if every resource has this text"),
            );
            return None;
        }
        self.template(node, &Names::RECORD_FIELDS).map(Read::Template)
    }

    pub(super) fn writable(&mut self, path: &JsonPath, node: &Node, within: bool) -> Option<WritePath> {
        let write = if within { path.to_write_within() } else { path.to_write() };
        if let Some(write) = &write {
            self.xml_place(write.names(), node.span);
        }
        if write.is_none() {
            let help = if path.as_str().contains("[?") {
                "write names and one key, which compares one name with one value: `$.custom_fields[?@.id == 7].value`; or `read:` instead of `at:`"
            } else {
                "write a path of names such as `$.profile.surname`, or `read:` instead of `at:` if the field is only read"
            };
            let message = format!("`{}` cannot be written: it does not name one place", path.as_str());
            self.error(Code::UnwritablePath, node.span, message, help);
        }
        write
    }

    /// The value of `default` or `initial`: `word`.
    fn constant(&mut self, node: &Node, leaf: &Attribute, word: &str) -> Option<Value> {
        let value = match leaf.kind {
            // `default: 7` for a text is the text 7.
            Type::String | Type::Reference | Type::Binary => node.text().map(Value::from),
            _ => node.scalar(),
        };
        let value = value.filter(|value| is_of(value, leaf.kind));
        if value.is_none() {
            let (what, example) = example(leaf.kind);
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` is {what}, so `{word}` is one too", leaf.name),
                format!("write for example `{word}: {example}`"),
            );
        }
        value
    }

    /// The place of a resource type in the document.
    pub(super) fn type_named(&mut self, node: &Node, types: &[&str]) -> Option<usize> {
        let text = self.text(node)?;
        let found = types.iter().position(|name| *name == text);
        if found.is_none() {
            let help = match did_you_mean(text, types.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("this mapping has {}", types.join(", ")),
            };
            self.error(Code::UnknownResource, node.span, format!("`{text}` is no resource type of this mapping"), help);
        }
        found
    }
}
