//! `schemas`: custom schemas, in the characteristics of RFC 7643 section 7.

use serde_json::{Value, json};

use super::Compiler;
use crate::mapping::diagnostics::Code;
use crate::mapping::source::{Data, Node};
use crate::mapping::vocabulary;
use crate::scim::path::is_attr_name;
use crate::scim::schema::{self, Attribute, Schema, Type};

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

    pub(super) fn all(&self) -> impl Iterator<Item = &Schema> {
        self.0.iter().map(|(_, schema)| schema)
    }
}

impl Compiler<'_> {
    pub(super) fn schemas(&mut self, node: &Node) -> Schemas {
        let mut schemas = Schemas::default();
        for entry in self.entries(node, "schemas").unwrap_or_default() {
            if schemas.get(&entry.key).is_some() {
                self.error(
                    Code::BadSchema,
                    entry.key_span,
                    format!("`{}` is the name of a built-in schema", entry.key),
                    "choose another short name",
                );
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
        let attributes: Vec<Option<Attribute>> = entries
            .iter()
            .map(|entry| {
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
                "canonicalValues" | "referenceTypes" => match &entry.value.data {
                    Data::Sequence(items) => items.iter().filter_map(|item| item.text()).map(Value::from).collect(),
                    _ => {
                        self.error(Code::WrongShape, entry.value.span, format!("{} is a list", entry.key), "write `[a, b]`");
                        good = false;
                        continue;
                    }
                },
                _ => entry.value.scalar().unwrap_or(Value::Null),
            };
            // One characteristic at a time, so that each mistake is told where it stands.
            let alone = json!({ "name": name, entry.key.as_str(): value });
            if serde_json::from_value::<Attribute>(alone).is_err() {
                let meaning =
                    vocabulary::SCHEMA_ATTRIBUTE.keys.iter().find(|key| key.name == entry.key).map_or("", |key| key.meaning);
                self.error(
                    Code::BadSchema,
                    entry.value.span,
                    format!("this cannot be the `{}` of an attribute", entry.key),
                    meaning,
                );
                good = false;
            } else if let Some(object) = form.as_object_mut() {
                object.insert(entry.key.clone(), value);
            }
        }
        let mut attribute: Attribute = serde_json::from_value(form).ok().filter(|_| good)?;
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
