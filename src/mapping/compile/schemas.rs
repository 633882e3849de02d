//! `schemas`: custom schemas, in the characteristics of RFC 7643 section 7.

use serde_json::{Value, json};

use super::Compiler;
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::source::{Data, Node};
use crate::mapping::vocabulary;
use crate::scim::AttrRef;
use crate::scim::path::is_attr_name;
use crate::scim::schema::{self, Attribute, Mutability, ResourceType, Returned, Schema, Type};

/// The schemas that a mapping can name, by short name.
#[derive(Debug, Clone)]
pub(super) struct Schemas(Vec<(String, Schema)>);

impl Default for Schemas {
    fn default() -> Self {
        let names = ["User", "Group", "enterprise"];
        Self(names.into_iter().map(str::to_owned).zip(schema::core().iter().cloned()).collect())
    }
}

impl Schemas {
    pub(super) fn get(&self, name: &str) -> Option<&Schema> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, schema)| schema)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A path whose short name of a schema is replaced by the URN: `enterprise:department`.
    pub(super) fn expand(&self, path: &str) -> String {
        path.split_once(':')
            .and_then(|(alias, rest)| Some(format!("{}:{rest}", self.get(alias)?.id)))
            .unwrap_or_else(|| path.to_owned())
    }

    /// The short way to write a reference: with the short name of its schema.
    pub(super) fn shorten(&self, reference: &AttrRef<'_>) -> String {
        let text = reference.to_string();
        let short =
            reference.extension.and_then(|schema| Some((schema, self.0.iter().find(|(_, known)| known.id == schema.id)?)));
        match short {
            Some((schema, (alias, _))) => text.replacen(&schema.id, alias, 1),
            None => text,
        }
    }

    /// Every attribute and sub-attribute of a resource type, as a mapping writes it.
    pub(super) fn paths(&self, kind: &ResourceType) -> Vec<String> {
        kind.attributes()
            .flat_map(|top| {
                let subs = top.attribute.sub_attributes.iter().map(move |sub| AttrRef { sub: Some(sub), ..top });
                std::iter::once(top).chain(subs)
            })
            .map(|reference| self.shorten(&reference))
            .collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Schema> {
        self.0.iter().map(|(_, schema)| schema)
    }
}

impl Compiler<'_> {
    pub(super) fn schemas(&mut self, node: &Node) -> Schemas {
        let mut schemas = Schemas::default();
        for entry in self.entries(node, "schemas").unwrap_or_default() {
            let (problem, help) = if schemas.get(&entry.key).is_some() {
                ("is the name of a built-in schema", "choose another short name")
            } else if !is_attr_name(&entry.key) {
                ("cannot be the short name of a schema", "write letters and digits, such as `Device`")
            } else {
                ("", "")
            };
            if !problem.is_empty() {
                self.error(Code::BadSchema, entry.key_span, format!("`{}` {problem}", entry.key), help);
                continue;
            }
            if let Some(schema) = self.schema(&entry.value, &entry.key) {
                if schemas.all().any(|known| known.is(&schema.id)) {
                    self.error(
                        Code::BadSchema,
                        entry.key_span,
                        format!("there is a schema `{}` already", schema.id),
                        "choose another URN",
                    );
                    continue;
                }
                schemas.0.push((entry.key.clone(), schema));
            }
        }
        schemas
    }

    fn schema(&mut self, node: &Node, short: &str) -> Option<Schema> {
        let keys = self.block(node, &vocabulary::SCHEMA)?;
        let help = format!("write a URN: `id: urn:example:params:scim:schemas:{short}:1.0`");
        let id = self.require(&keys, "id", &help).and_then(|node| {
            let text = self.text(node)?;
            if text.starts_with("urn:") && text.matches(':').count() >= 2 && !text.contains([' ', '"', '[', ']']) {
                return Some(text.to_owned());
            }
            self.error(Code::BadSchema, node.span, format!("`{text}` is not a URN"), help.as_str());
            None
        });
        let name = keys.get("name").and_then(|node| self.text(node)).unwrap_or(short).to_owned();
        let description = keys.get("description").and_then(|node| self.text(node)).unwrap_or_default().to_owned();
        let attributes =
            self.require(&keys, "attributes", "list its attributes by name").and_then(|node| self.schema_attributes(node, true));
        Some(Schema { id: id?, name, description, attributes: attributes? })
    }

    fn schema_attributes(&mut self, node: &Node, top: bool) -> Option<Vec<Attribute>> {
        let entries = self.entries(node, "attributes")?;
        if entries.is_empty() {
            self.error(Code::BadSchema, node.span, "there is no attribute", "write a line such as `serial: { type: string }`");
            return None;
        }
        let attributes: Vec<Option<Attribute>> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                // Names are compared without regard to case (RFC 7643 section 2.1).
                if entries.iter().take(index).any(|other| other.key.eq_ignore_ascii_case(&entry.key)) {
                    self.error(
                        Code::BadSchema,
                        entry.key_span,
                        format!("there is an attribute `{}` already: the case of letters does not tell them apart", entry.key),
                        "choose another name",
                    );
                    return None;
                }
                if top && schema::common().iter().any(|common| common.name.eq_ignore_ascii_case(&entry.key)) {
                    self.error(
                        Code::BadSchema,
                        entry.key_span,
                        format!("every resource has `{}` already (RFC 7643 section 3.1)", entry.key),
                        "leave it out of the schema: it can be mapped all the same",
                    );
                    return None;
                }
                if !is_attr_name(&entry.key) {
                    self.error(
                        Code::BadSchema,
                        entry.key_span,
                        format!("`{}` is not the name of an attribute", entry.key),
                        "begin with a letter; letters, digits, `-` and `_` may follow (RFC 7643 section 2.1)",
                    );
                    return None;
                }
                self.schema_attribute(&entry.key, &entry.value, top)
            })
            .collect();
        attributes.into_iter().collect()
    }

    fn schema_attribute(&mut self, name: &str, node: &Node, top: bool) -> Option<Attribute> {
        let mut form = json!({ "name": name });
        if node.is_null() {
            return serde_json::from_value(form).ok();
        }
        let keys = self.block(node, &vocabulary::SCHEMA_ATTRIBUTE)?;
        let mut good = true;
        for entry in keys.entries {
            let value = match entry.key.as_str() {
                "subAttributes" => continue,
                // Reported by the block.
                unknown if !vocabulary::SCHEMA_ATTRIBUTE.keys.iter().any(|key| key.name == unknown) => {
                    good = false;
                    continue;
                }
                "canonicalValues" | "referenceTypes" => match &entry.value.data {
                    Data::Sequence(items) if items.iter().all(|item| item.text().is_some()) => {
                        items.iter().filter_map(|item| item.text()).map(Value::from).collect()
                    }
                    _ => {
                        self.error(
                            Code::WrongShape,
                            entry.value.span,
                            format!("{} is a list of texts", entry.key),
                            "write `[a, b]`",
                        );
                        good = false;
                        continue;
                    }
                },
                _ => entry.value.scalar().unwrap_or(Value::Null),
            };
            // One characteristic at a time, so that each mistake is told where it stands.
            let alone = json!({ "name": name, entry.key.as_str(): value });
            if serde_json::from_value::<Attribute>(alone).is_err() {
                let words = match entry.key.as_str() {
                    "type" => &["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"][..],
                    "mutability" => &["readOnly", "readWrite", "immutable", "writeOnly"],
                    "returned" => &["always", "never", "default", "request"],
                    "uniqueness" => &["none", "server", "global"],
                    _ => &["true", "false"],
                };
                let help = match entry.value.text().and_then(|text| did_you_mean(text, words.iter().copied())) {
                    Some(word) => format!("did you mean `{word}`, without quotes?"),
                    None => format!("write one of {}", words.join(", ")),
                };
                let what = entry.value.text().map_or_else(|| entry.value.kind().to_owned(), |text| format!("`{text}`"));
                self.error(
                    Code::BadSchema,
                    entry.value.span,
                    format!("{what} cannot be the `{}` of an attribute", entry.key),
                    help,
                );
                good = false;
            } else if let Some(object) = form.as_object_mut() {
                object.insert(entry.key.clone(), value);
            }
        }
        let mut attribute: Attribute = serde_json::from_value(form).ok().filter(|_| good)?;
        // What cannot be read cannot be returned (RFC 7643 section 7).
        if attribute.mutability == Mutability::WriteOnly {
            match keys.get("returned") {
                Some(node) if attribute.returned != Returned::Never => {
                    self.error(
                        Code::BadSchema,
                        node.span,
                        format!("`{name}` is writeOnly, so it is never returned"),
                        "write `returned: never`, or leave the line out",
                    );
                    return None;
                }
                _ => attribute.returned = Returned::Never,
            }
        }
        let subs = keys.get("subAttributes");
        if (attribute.kind == Type::Complex) != subs.is_some() || (attribute.kind == Type::Complex && !top) {
            self.error(
                Code::BadSchema,
                node.span,
                format!("`{name}`: complex attributes have sub-attributes, others have none, and they are never nested (RFC 7643 section 2.3.8)"),
                "write `type: complex` together with `subAttributes`, on the top level only",
            );
            return None;
        }
        if let Some(subs) = subs {
            attribute.sub_attributes = self.schema_attributes(subs, false)?;
        }
        Some(attribute)
    }
}
