//! `attributes`: the attribute map, line by line.

use serde_json::Value;

use super::call::Names;
use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::convert::{self, Converter};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Clear, Each, Field, Line, Read, Shape, Target, Values};
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::vocabulary;
use crate::scim::schema::{Attribute, Mutability, ResourceType, Returned, Type};
use crate::scim::{AttrPath, AttrRef, Target as ScimTarget};

/// A compiled line with what it says about the schema.
pub(super) struct MappedLine {
    pub(super) line: Line,
    pub(super) span: Span,
    mutability: Option<Mutability>,
    returned: Option<Returned>,
    case_exact: Option<bool>,
    required: Option<bool>,
}

/// Words for clear.
const CLEAR: [(&str, Clear); 3] = [("null", Clear::Null), ("empty", Clear::Empty), ("omit", Clear::Omit)];

impl Compiler<'_> {
    pub(super) fn lines(&mut self, node: &Node, full: &ResourceType, schemas: &Schemas, types: &[&str]) -> Vec<MappedLine> {
        let mut lines: Vec<MappedLine> = Vec::new();
        for entry in self.entries(node, "attributes").unwrap_or_default() {
            let Some(found) = self.attribute_named(entry, full, schemas) else { continue };
            let target = Target::of(&found);
            let clash = |line: &MappedLine| {
                line.line.target.same_top(&target)
                    && (line.line.target.sub == target.sub || line.line.target.sub.is_none() || target.sub.is_none())
            };
            if lines.iter().any(clash) {
                self.error(
                    Code::DuplicateAttribute,
                    entry.key_span,
                    format!("`{target}` is mapped already"),
                    "keep one of the lines",
                );
                continue;
            }
            lines.extend(self.line(entry, found, types));
        }
        lines
    }

    /// The attribute that a key names: `userName`, `name.givenName`, `enterprise:department`, or with a whole URN.
    fn attribute_named<'s>(&mut self, entry: &Entry, full: &'s ResourceType, schemas: &Schemas) -> Option<AttrRef<'s>> {
        let key = &entry.key;
        let expanded = key
            .split_once(':')
            .and_then(|(alias, rest)| Some(format!("{}:{rest}", schemas.get(alias)?.id)))
            .unwrap_or_else(|| key.clone());
        let found = AttrPath::parse(&expanded).and_then(|path| full.resolve(&path, false));
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
                Some(found)
            }
            _ => {
                let known: Vec<String> = full
                    .attributes()
                    .flat_map(|top| {
                        std::iter::once(top)
                            .chain(top.attribute.sub_attributes.iter().map(move |sub| AttrRef { sub: Some(sub), ..top }))
                    })
                    .map(|reference| match reference.extension {
                        Some(schema) => {
                            let alias = schemas.names().find(|name| schemas.get(name).is_some_and(|known| known.id == schema.id));
                            reference.to_string().replacen(&schema.id, alias.unwrap_or(&schema.id), 1)
                        }
                        None => reference.to_string(),
                    })
                    .collect();
                let help = match did_you_mean(key, known.iter().map(String::as_str)) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "an attribute that no built-in schema has needs a schema of your own under `schemas`".to_owned(),
                };
                self.error(Code::UnknownAttribute, entry.key_span, format!("no schema of this resource type has `{key}`"), help);
                None
            }
        }
    }

    fn line(&mut self, entry: &Entry, found: AttrRef<'_>, types: &[&str]) -> Option<MappedLine> {
        let target = Target::of(&found);
        let node = &entry.value;
        let leaf = found.leaf();
        let subs: Vec<&str> = found.attribute.sub_attributes.iter().map(|sub| sub.name.as_str()).collect();
        let each = matches!(&node.data, Data::Mapping(entries) if entries.iter().any(|entry| entry.key == "each"));
        let keys = if node.text().is_some() {
            Keys { entries: &[], span: node.span, name: "an attribute line" }
        } else {
            self.block_with(node, &vocabulary::ATTRIBUTE, if each { &subs } else { &[] })?
        };
        let mut line = MappedLine {
            line: Line {
                target,
                shape: Shape::Values(Values { items: crate::mapping::path::JsonPath::root(), write: None, convert: Vec::new() }),
            },
            span: entry.key_span,
            mutability: None,
            returned: None,
            case_exact: keys.get("caseExact").and_then(|node| self.flag(node)),
            required: keys.get("required").and_then(|node| self.flag(node)),
        };
        if let Some(node) = keys.get("mutability") {
            line.mutability = self.word(node, &[("readOnly", Mutability::ReadOnly), ("immutable", Mutability::Immutable)]);
        }
        if let Some(node) = keys.get("returned") {
            line.returned = self.word(node, &[("request", Returned::Request), ("default", Returned::Default)]);
        }
        let read_only = line.mutability == Some(Mutability::ReadOnly) || leaf.mutability == Mutability::ReadOnly;
        line.line.shape = match (found.attribute.multi_valued, leaf.kind) {
            (true, Type::Complex) => self.each(&keys, node, found.attribute, read_only, types)?,
            (true, _) if found.sub.is_some() => {
                self.error(
                    Code::BadAttribute,
                    entry.key_span,
                    format!("`{}` has many values, so a single field cannot be its `{}`", found.attribute.name, leaf.name),
                    format!("write `{}: {{ each: \"$.items[*]\", {}: $.field }}`", found.attribute.name, leaf.name),
                );
                return None;
            }
            (true, _) => {
                let at = keys.get("at").or_else(|| node.text().map(|_| node));
                let at = at.or_else(|| keys.get("read"));
                let Some(at) = at else { return self.incomplete(node) };
                let items = self.path(at)?;
                let write = if read_only || keys.get("read").is_some() { None } else { Some(self.writable_items(&items, at)?) };
                Shape::Values(Values { items, write, convert: self.converters(&keys, leaf) })
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
            (false, _) => Shape::Field(self.field(&keys, node, leaf, read_only, types)?),
        };
        Some(line)
    }

    fn incomplete<T>(&mut self, node: &Node) -> Option<T> {
        self.error(
            Code::BadAttribute,
            node.span,
            "this line does not tell where the value is",
            "write `at: $.field`, `read:`, `write:` or `each:`",
        );
        None
    }

    fn each(&mut self, keys: &Keys<'_>, node: &Node, attribute: &Attribute, read_only: bool, types: &[&str]) -> Option<Shape> {
        let Some(at) = keys.get("each") else {
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` has many values", attribute.name),
                format!("write `{}: {{ each: \"$.items[*]\", value: $.field }}`", attribute.name),
            );
            return None;
        };
        let items = self.path(at)?;
        let write = if read_only { None } else { Some(self.writable_items(&items, at)?) };
        let mut fields = Vec::new();
        for sub in &attribute.sub_attributes {
            let Some(entry) = keys.entries.iter().find(|entry| entry.key == sub.name) else { continue };
            let node = &entry.value;
            let inner = if node.text().is_some() {
                Keys { entries: &[], span: node.span, name: "a sub-attribute line" }
            } else {
                self.block(node, &vocabulary::ATTRIBUTE)?
            };
            fields.push((
                sub.name.clone(),
                self.field(&inner, node, sub, read_only || sub.mutability == Mutability::ReadOnly, types)?,
            ));
        }
        if fields.is_empty() {
            let subs: Vec<&str> = attribute.sub_attributes.iter().map(|sub| sub.name.as_str()).collect();
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` maps none of its sub-attributes", attribute.name),
                format!("write a line for some of {}", subs.join(", ")),
            );
            return None;
        }
        Some(Shape::Each(Each { items, write, fields }))
    }

    fn writable_items(&mut self, items: &crate::mapping::path::JsonPath, node: &Node) -> Option<crate::mapping::path::WritePath> {
        let write = items.to_write_items();
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

    fn field(&mut self, keys: &Keys<'_>, node: &Node, leaf: &Attribute, read_only: bool, types: &[&str]) -> Option<Field> {
        let at = keys.get("at").or_else(|| node.text().map(|_| node));
        let (read, write) = (keys.get("read"), keys.get("write"));
        let (read, write) = match (at, read, write) {
            (Some(at), None, None) => {
                let path = self.path(at)?;
                let write = if read_only { None } else { Some(self.writable(&path, at)?) };
                (Some(Read::Path(path)), write)
            }
            (None, None, None) => return self.incomplete(node),
            (None, read, write) => {
                let read = match read {
                    Some(node) if node.text().is_some_and(|text| text.starts_with('$')) => Some(Read::Path(self.path(node)?)),
                    Some(node) => Some(Read::Template(self.template(node, &Names::RECORD_FIELDS)?)),
                    None => None,
                };
                let write = match write {
                    Some(node) => {
                        let path = self.path(node)?;
                        Some(self.writable(&path, node)?)
                    }
                    None => None,
                };
                (read, write)
            }
            (Some(at), ..) => {
                self.error(
                    Code::BadAttribute,
                    at.span,
                    "`at` is both read and written",
                    "keep `at` alone, or write `read` and `write`",
                );
                return None;
            }
        };
        let convert = self.converters(keys, leaf);
        let default = keys.get("default").and_then(Node::scalar);
        // `clear: null` is a null node, so that it is taken from the entry itself.
        let clear = match keys.entries.iter().find(|entry| entry.key == "clear") {
            Some(entry) if entry.value.is_null() => Clear::Null,
            Some(entry) => self.word(&entry.value, &CLEAR)?,
            None => Clear::default(),
        };
        let refers = match keys.get("refers") {
            Some(node) => Some(self.type_named(node, types)?),
            None => None,
        };
        Some(Field { read, write, convert, default, clear, refers })
    }

    fn writable(&mut self, path: &crate::mapping::path::JsonPath, node: &Node) -> Option<crate::mapping::path::WritePath> {
        let write = path.to_write();
        if write.is_none() {
            self.error(
                Code::UnwritablePath,
                node.span,
                format!("`{}` cannot be written: it does not name one place", path.as_str()),
                "write a path of names such as `$.profile.surname`, or `read:` instead of `at:` if the field is only read",
            );
        }
        write
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

    pub(super) fn converters(&mut self, keys: &Keys<'_>, leaf: &Attribute) -> Vec<Converter> {
        let mut converters = Vec::new();
        if let Some(node) = keys.get("as") {
            match &node.data {
                Data::Sequence(items) => converters.extend(items.iter().filter_map(|item| self.converter(item))),
                _ => converters.extend(self.converter(node)),
            }
        }
        if let Some(node) = keys.get("values") {
            let pairs = self.entries(node, "values").unwrap_or_default().iter().map(|entry| {
                let here = match (leaf.kind, entry.key.as_str()) {
                    (Type::Boolean, "true") => Value::Bool(true),
                    (Type::Boolean, "false") => Value::Bool(false),
                    (_, text) => Value::from(text),
                };
                let there = match &entry.value.data {
                    Data::Sequence(items) => items.iter().filter_map(Node::scalar).collect(),
                    _ => entry.value.scalar().into_iter().collect(),
                };
                (here, there)
            });
            converters.push(Converter::Values(pairs.collect()));
        }
        converters
    }

    fn converter(&mut self, node: &Node) -> Option<Converter> {
        if let Data::Mapping(entries) = &node.data {
            if let [entry] = entries.as_slice()
                && entry.key == "prefix"
            {
                return self.text(&entry.value).map(|prefix| Converter::Prefix(prefix.to_owned()));
            }
            self.error(
                Code::UnknownConverter,
                node.span,
                "there is no such converter",
                "the one with an argument is `{ prefix: P- }`",
            );
            return None;
        }
        let text = self.text(node)?;
        let found = Converter::named(text);
        if found.is_none() {
            let help = match did_you_mean(text, convert::NAMES) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("there are {}", convert::NAMES.join(", ")),
            };
            self.error(Code::UnknownConverter, node.span, format!("there is no converter `{text}`"), help);
        }
        found
    }
}

impl MappedLine {
    /// What the line says about the attribute, put upon what the schema says.
    pub(super) fn narrow(&self, attribute: &Attribute) -> Attribute {
        let mut narrowed = attribute.clone();
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
