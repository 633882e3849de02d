//! `attributes`: the attribute map, line by line.

use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::convert::Converter;
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Line, Shape, Target, Values, Version};
use crate::mapping::path::{JsonPath, WritePath};
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::vocabulary;
use serde_json::Value;

use crate::scim::schema::{Attribute, Mutability, ResourceType, Returned, Type};
use crate::scim::{AttrPath, AttrRef, Target as ScimTarget};

/// A compiled line with what it says about the schema.
pub(super) struct MappedLine {
    pub(super) line: Line,
    /// As the mapping would write it.
    pub(super) name: String,
    pub(super) span: Span,
    mutability: Option<Mutability>,
    returned: Option<Returned>,
    case_exact: Option<bool>,
    required: Option<bool>,
    /// It was reported; nothing is concluded from what it does not say.
    pub(super) broken: bool,
}

/// A line as the mapping would write it.
fn named(found: &AttrRef<'_>, target: &Target, schemas: &Schemas) -> String {
    if target.tags.is_empty() { schemas.shorten(found) } else { target.to_string() }
}

/// The key `header` of a line.
fn version_header(entry: &Entry) -> Option<&Entry> {
    match &entry.value.data {
        Data::Mapping(entries) => entries.iter().find(|entry| entry.key == "header"),
        _ => None,
    }
}

fn is_version(found: &AttrRef<'_>) -> bool {
    found.extension.is_none() && found.attribute.name == "meta" && found.sub.is_some_and(|sub| sub.name == "version")
}

impl Compiler<'_> {
    /// `read_only` if no call of the resource type writes.
    pub(super) fn lines(
        &mut self,
        node: &Node,
        full: &ResourceType,
        schemas: &Schemas,
        types: &[&str],
        read_only: bool,
    ) -> Vec<MappedLine> {
        let mut lines: Vec<MappedLine> = Vec::new();
        for entry in self.entries(node, "attributes").unwrap_or_default() {
            let Some((found, tags)) = self.attribute_named(entry, full, schemas) else { continue };
            if version_header(entry).is_some() && is_version(&found) {
                continue;
            }
            let target = Target { tags, ..Target::of(&found) };
            let clash = |line: &&MappedLine| {
                let other = &line.line.target;
                // Columns stand beside columns, and beside nothing else.
                other.same_top(&target)
                    && (other.tags.is_empty() != target.tags.is_empty()
                        || other.tags == target.tags && (other.sub == target.sub || other.sub.is_none() || target.sub.is_none()))
            };
            if let Some(other) = lines.iter().find(clash) {
                let (name, first) = (named(&found, &target, schemas), other.name.clone());
                let message = if name == first {
                    format!("`{name}` is mapped already")
                } else {
                    format!("`{name}` is mapped already, by `{first}`")
                };
                self.error(Code::DuplicateAttribute, entry.key_span, message, "keep one of the lines");
                continue;
            }
            let line = self.line(entry, found, &target, schemas, types, read_only);
            lines.push(line.unwrap_or_else(|| MappedLine::new(&found, &target, schemas, entry.key_span, true)));
        }
        self.written_once(&lines);
        self.one_primary(&lines);
        lines
    }

    /// Where the version of a resource comes from, as its lines say.
    pub(super) fn version(&mut self, node: Option<&Node>, lines: &[MappedLine]) -> Option<Version> {
        let entries = match node.map(|node| &node.data) {
            Some(Data::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let Some(entry) = entries.iter().find(|entry| entry.key == "meta.version") else { return Some(Version::Hash) };
        let Some(header) = version_header(entry) else {
            let is_field = lines.iter().any(|mapped| mapped.name == "meta.version");
            return Some(if is_field { Version::Field } else { Version::Hash });
        };
        let keys = self.block(&entry.value, &vocabulary::ATTRIBUTE)?;
        let others: Vec<&str> = vocabulary::ATTRIBUTE.keys.iter().map(|key| key.name).filter(|name| *name != "header").collect();
        self.meaningless(&keys, &others, "a version that comes in a header", "keep `header` alone");
        let name = self.text(&header.value)?;
        self.header_name(name, header.value.span).map(Version::Header)
    }

    /// A place that two attributes are written to would hold whichever comes last.
    fn written_once(&mut self, lines: &[MappedLine]) {
        for (index, line) in lines.iter().enumerate() {
            let Some(place) = line.line.shape.place() else { continue };
            let overlaps = |other: &&MappedLine| other.line.shape.place().is_some_and(|before| before.overlaps(place));
            let Some(other) = lines.iter().take(index).find(overlaps) else { continue };
            let what = match other.line.shape.place() {
                Some(before) if before.has_other_key(place) => "which may be the element that",
                _ => "which",
            };
            let quote = if place.is_keyed() { "\"" } else { "" };
            self.error(
                Code::BadAttribute,
                line.span,
                format!("`{}` writes `{place}`, {what} `{}` writes already", line.name, other.name),
                format!("let one of them only read it: `{}: {{ read: {quote}{place}{quote} }}`", line.name),
            );
        }
    }

    /// The attribute that a key names: `userName`, `name.givenName`, `enterprise:department`, or with a whole URN.
    fn attribute_named<'s>(
        &mut self,
        entry: &Entry,
        full: &'s ResourceType,
        schemas: &Schemas,
    ) -> Option<(AttrRef<'s>, Vec<(String, Value)>)> {
        let key = &entry.key;
        if key.contains('[') {
            return self.column_named(entry, full, schemas);
        }
        let found = AttrPath::parse(&schemas.expand(key)).and_then(|path| full.resolve(&path, false));
        match found {
            Some(ScimTarget::Attribute(found)) => {
                let owned = match found.attribute.name.as_str() {
                    "id" | "schemas" if found.extension.is_none() => true,
                    "meta" => !found.sub.is_some_and(|sub| matches!(sub.name.as_str(), "created" | "lastModified" | "version")),
                    _ => false,
                };
                if owned {
                    self.error(
                        Code::BadAttribute,
                        entry.key_span,
                        format!("`{key}` is made by the gateway"),
                        "map `id` beside `attributes`; of meta there are `meta.created`, `meta.lastModified` and `meta.version`",
                    );
                    return None;
                }
                if matches!(found.attribute.name.as_str(), "members" | "groups") && found.attribute.is_complex() {
                    self.error(
                        Code::BadAttribute,
                        entry.key_span,
                        format!("`{key}` is a relation, not an attribute"),
                        "describe the calls under `members` of the group's resource type",
                    );
                    return None;
                }
                Some((found, Vec::new()))
            }
            _ => {
                let known = schemas.paths(full);
                let help = match did_you_mean(key, known.iter().map(String::as_str)) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "an attribute that no built-in schema has needs a schema of your own under `schemas`".to_owned(),
                };
                self.error(Code::UnknownAttribute, entry.key_span, format!("no schema of this resource type has `{key}`"), help);
                None
            }
        }
    }

    fn line(
        &mut self,
        entry: &Entry,
        found: AttrRef<'_>,
        target: &Target,
        schemas: &Schemas,
        types: &[&str],
        read_only: bool,
    ) -> Option<MappedLine> {
        let node = &entry.value;
        let leaf = found.leaf();
        let subs: Vec<&str> = found.attribute.sub_attributes.iter().map(|sub| sub.name.as_str()).collect();
        if node.is_null() {
            let key = Node { span: entry.key_span, ..node.clone() };
            return self.incomplete(&key, "write the field behind the colon, such as `$.field`");
        }
        let each = matches!(&node.data, Data::Mapping(entries) if entries.iter().any(|entry| entry.key == "each"));
        let keys = if node.text().is_some() {
            Keys { entries: &[], span: node.span, name: "an attribute line" }
        } else {
            self.block_with(node, &vocabulary::ATTRIBUTE, if each { &subs } else { &[] })?
        };
        let mut line = MappedLine::new(&found, target, schemas, entry.key_span, false);
        line.case_exact = keys.get("caseExact").and_then(|node| self.flag(node));
        line.required = keys.get("required").and_then(|node| self.flag(node));
        if let Some(node) = keys.get("mutability") {
            line.mutability = self.word(node, &[("readOnly", Mutability::ReadOnly), ("immutable", Mutability::Immutable)]);
        }
        if let Some(node) = keys.get("returned") {
            line.returned = self.word(node, &[("request", Returned::Request), ("default", Returned::Default)]);
        }
        if let Some(entry) = keys.entry("header") {
            self.error(
                Code::BadAttribute,
                entry.key_span,
                format!("`{}` does not come in a header: only `meta.version` may", line.name),
                "write the field of the record: `at: $.field`",
            );
            return None;
        }
        let declared = line.mutability == Some(Mutability::ReadOnly) || leaf.mutability == Mutability::ReadOnly;
        if let Some(write) = keys.entry("write").filter(|_| declared) {
            self.error(
                Code::BadAttribute,
                write.key_span,
                format!("`{}` is readOnly, so it cannot be written", line.name),
                "keep `read`, or take out `mutability: readOnly`",
            );
        }
        let read_only = declared || read_only;
        line.line.shape = match (found.attribute.multi_valued, leaf.kind) {
            (true, Type::Complex) => {
                let words =
                    ["at", "read", "write", "as", "values", "default", "clear", "refers", "caseExact", "initial", "generate"];
                let words: Vec<&str> = words.into_iter().filter(|word| !subs.contains(word)).collect();
                if each {
                    self.meaningless(&keys, &words, "the whole of an array", "write it for the sub-attribute it belongs to");
                }
                self.each(&keys, node, found.attribute, read_only, types)?
            }
            (true, _) if found.sub.is_some() && target.tags.is_empty() => {
                self.error(
                    Code::BadAttribute,
                    entry.key_span,
                    format!("`{}` has many values, so a single field cannot be its `{}`", found.attribute.name, leaf.name),
                    format!(
                        "write `{0}: {{ each: \"$.items[*]\", {1}: $.field }}`, or for one field `{0}[type eq \"work\"].{1}: $.field`",
                        found.attribute.name, leaf.name
                    ),
                );
                return None;
            }
            (true, _) if target.tags.is_empty() => {
                let help = "an attribute with many values takes `at` or `read`, `as` and `values`";
                self.meaningless(
                    &keys,
                    &["write", "each", "default", "clear", "refers", "initial", "generate"],
                    "an array of plain values",
                    help,
                );
                let at = keys.get("at").or_else(|| node.text().map(|_| node));
                let at = at.or_else(|| keys.get("read"));
                let Some(at) = at else { return self.incomplete(node, "write `at: \"$.items[*]\"`") };
                let items = self.path(at);
                let is_read = read_only || keys.get("read").is_some();
                let convert = self.converters(&keys, leaf, !is_read, true);
                let is_text = matches!(convert.as_deref(), Some([Converter::Split(_), ..]));
                let write = match &items {
                    // Of a form that is not known nothing is concluded.
                    Some(_) if is_read || convert.is_none() => Some(None),
                    Some(items) if is_text => self.writable(items, at, false).map(Some),
                    Some(items) => self.writable_items(items, at).map(Some),
                    None => None,
                };
                Shape::Values(Values { items: items?, write: write?, convert: convert?, kind: leaf.kind })
            }
            (false, Type::Complex) => {
                self.error(
                    Code::BadAttribute,
                    entry.key_span,
                    format!("`{}` has sub-attributes", found.attribute.name),
                    format!(
                        "map them one a line: {}",
                        subs.iter().map(|sub| format!("`{}.{sub}`", found.attribute.name)).collect::<Vec<_>>().join(", ")
                    ),
                );
                return None;
            }
            (_, _) => {
                self.meaningless(&keys, &["each"], "an attribute with one value", "write `at: $.field`");
                Shape::Field(self.field(&keys, node, leaf, read_only, types, false)?)
            }
        };
        if let Some(entry) = keys.entry("returned").filter(|_| !line.line.shape.is_readable()) {
            self.error(
                Code::BadAttribute,
                entry.key_span,
                format!("`{}` is only written, so it is never returned", line.name),
                "take the line out",
            );
        }
        Some(line)
    }

    pub(super) fn incomplete<T>(&mut self, node: &Node, help: &str) -> Option<T> {
        self.error(Code::BadAttribute, node.span, "this line does not tell where the value is", help);
        None
    }

    pub(super) fn writable_items(&mut self, items: &JsonPath, node: &Node) -> Option<WritePath> {
        let write = items.to_write_items();
        if let Some(write) = &write {
            self.xml_place(write.names(), node.span);
        }
        if write.is_none() {
            self.error(
                Code::UnwritablePath,
                node.span,
                format!("`{}` cannot be written: it is not the whole of one array", items.as_str()),
                "write a path of names that ends in `[*]`, such as `$.contact.mail[*]`, or make the line read only: `mutability: readOnly`",
            );
        }
        write
    }
}

// === impl MappedLine ===

impl MappedLine {
    fn new(found: &AttrRef<'_>, target: &Target, schemas: &Schemas, span: Span, broken: bool) -> Self {
        let shape = Shape::Values(Values { items: JsonPath::root(), write: None, convert: Vec::new(), kind: Type::String });
        Self {
            line: Line { target: target.clone(), shape },
            name: named(found, target, schemas),
            span,
            mutability: None,
            returned: None,
            case_exact: None,
            required: None,
            broken,
        }
    }

    /// What the line says about the attribute, put upon what the schema says.
    pub(super) fn narrow(&self, attribute: &Attribute) -> Attribute {
        let mut narrowed = attribute.clone();
        if self.broken {
            return narrowed;
        }
        match &self.line.shape {
            Shape::Each(each) => {
                narrowed.sub_attributes.retain(|sub| {
                    let field = each.fields.iter().find(|(name, _)| *name == sub.name).map(|(_, field)| field);
                    field.is_some() || sub.name == "$ref" && each.fields.iter().any(|(_, field)| field.refers.is_some())
                });
                for sub in &mut narrowed.sub_attributes {
                    if each.fields.iter().any(|(name, field)| *name == sub.name && field.write.is_none()) {
                        sub.mutability = Mutability::ReadOnly;
                    }
                }
            }
            Shape::Field(field) if field.read.is_none() => {
                narrowed.mutability = Mutability::WriteOnly;
                narrowed.returned = Returned::Never;
            }
            _ => {}
        }
        if !self.line.shape.is_writable() {
            narrowed.mutability = Mutability::ReadOnly;
        }
        narrowed.mutability = self.mutability.unwrap_or(narrowed.mutability);
        narrowed.returned = self.returned.unwrap_or(narrowed.returned);
        narrowed.case_exact = self.case_exact.unwrap_or(narrowed.case_exact);
        narrowed.required = self.required.unwrap_or(narrowed.required);
        narrowed
    }
}
