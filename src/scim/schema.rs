//! Schemas and resource types (RFC 7643 sections 2.2, 6 and 7) as data.
//!
//! The core schemas are the JSON documents in `schemas/`, RFC 7643 section 8.7.1 with the verified errata applied. A
//! custom schema has the same form.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::path::{AttrPath, AttrRef, Target};

/// The URN of the core User schema.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the core Group schema.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of the Enterprise User extension.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A data type (RFC 7643 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Type {
    #[default]
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// When an attribute can be written (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    ReadOnly,
    #[default]
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When an attribute is returned (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    Always,
    Never,
    #[default]
    Default,
    Request,
}

/// Among what a value is unique (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    #[default]
    None,
    Server,
    Global,
}

/// An attribute or sub-attribute with all its characteristics; those left out have the defaults of RFC 7643 section 2.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: Type,
    #[serde(default)]
    pub multi_valued: bool,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    #[serde(default)]
    pub case_exact: bool,
    #[serde(default)]
    pub mutability: Mutability,
    #[serde(default)]
    pub returned: Returned,
    #[serde(default)]
    pub uniqueness: Uniqueness,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Self>,
}

/// A schema (RFC 7643 section 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schema {
    /// The URI; compared without regard to case (RFC 8141).
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub attributes: Vec<Attribute>,
}

/// An extension of a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    pub schema: Schema,
    /// Whether every resource must carry it.
    pub required: bool,
}

/// A resource type (RFC 7643 section 6) with its schemas.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// `name` and `id`; the value of `meta.resourceType`.
    pub name: String,
    pub description: String,
    /// The path below the base URL, with its slash: `/Users`.
    pub endpoint: String,
    pub schema: Schema,
    pub extensions: Vec<Extension>,
}

/// The attributes that every resource has (RFC 7643 section 3.1): `schemas`, `id`, `externalId`, `meta`.
static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| builtin(include_str!("schemas/common.json")).attributes);
static CORE: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    [include_str!("schemas/user.json"), include_str!("schemas/group.json"), include_str!("schemas/enterprise_user.json")]
        .map(builtin)
        .into()
});
static DISCOVERY: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    [
        include_str!("schemas/service_provider_config.json"),
        include_str!("schemas/resource_type.json"),
        include_str!("schemas/schema.json"),
    ]
    .map(builtin)
    .into()
});

#[expect(clippy::expect_used, reason = "the documents are part of the source and each is read by a test")]
fn builtin(text: &str) -> Schema {
    serde_json::from_str(text).expect("a built-in schema is well-formed")
}

/// The attributes that every resource has; in no schema document (RFC 7643 section 3.1).
pub fn common() -> &'static [Attribute] {
    &COMMON
}

/// The built-in schemas of resources: User, Group, EnterpriseUser.
pub fn core() -> &'static [Schema] {
    &CORE
}

/// The schemas of ServiceProviderConfig, ResourceType and Schema itself.
pub fn discovery() -> &'static [Schema] {
    &DISCOVERY
}

// === impl Attribute ===

impl Attribute {
    /// The sub-attribute of that name, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// Whether the values are JSON objects.
    pub fn is_complex(&self) -> bool {
        self.kind == Type::Complex
    }

    /// Whether `gt`, `ge`, `lt` and `le` have a meaning (RFC 7644 Table 3).
    pub fn is_ordered(&self) -> bool {
        !matches!(self.kind, Type::Boolean | Type::Binary | Type::Complex)
    }
}

// === impl Schema ===

impl Schema {
    /// The attribute of that name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }

    /// Whether the URI is that of this schema.
    pub fn is(&self, uri: &str) -> bool {
        self.id.eq_ignore_ascii_case(uri)
    }
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

// === impl ResourceType ===

impl ResourceType {
    /// The core or common attribute of that name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&COMMON, name).or_else(|| self.schema.attribute(name))
    }

    /// The extension with that URN, in any case.
    pub fn extension(&self, uri: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.schema.is(uri))
    }

    /// The URIs of all its schemas, the primary one first.
    pub fn schema_uris(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.schema.id.as_str()).chain(self.extensions.iter().map(|extension| extension.schema.id.as_str()))
    }

    /// Every top-level attribute: the common ones, the core ones, then those of the extensions.
    pub fn attributes(&self) -> impl Iterator<Item = AttrRef<'_>> {
        let core =
            COMMON.iter().chain(&self.schema.attributes).map(|attribute| AttrRef { extension: None, attribute, sub: None });
        let extended = self.extensions.iter().flat_map(|extension| {
            extension.schema.attributes.iter().map(|attribute| AttrRef {
                extension: Some(&extension.schema),
                attribute,
                sub: None,
            })
        });
        core.chain(extended)
    }

    /// What a path names on this resource type; `None` if its schemas have no such thing.
    ///
    /// With `bare_extension_names`, a name without URN that the core schema does not have is looked for in the
    /// extensions (see [`super::Profile`]).
    pub fn resolve(&self, path: &AttrPath, bare_extension_names: bool) -> Option<Target<'_>> {
        if let Some(uri) = path.whole_uri() {
            if let Some(extension) = self.extension(uri) {
                return Some(Target::Extension(&extension.schema));
            }
            if self.schema.is(uri) {
                return Some(Target::Resource);
            }
        }
        let (extension, attribute) = match path.uri() {
            Some(uri) if self.schema.is(uri) => (None, self.attribute(path.name())?),
            Some(uri) => {
                let schema = &self.extension(uri)?.schema;
                (Some(schema), schema.attribute(path.name())?)
            }
            None => match self.attribute(path.name()) {
                Some(attribute) => (None, attribute),
                None if bare_extension_names => self
                    .extensions
                    .iter()
                    .find_map(|extension| Some((Some(&extension.schema), extension.schema.attribute(path.name())?)))?,
                None => return None,
            },
        };
        let sub = match path.sub() {
            Some(name) => Some(attribute.sub_attribute(name)?),
            None => None,
        };
        Some(Target::Attribute(AttrRef { extension, attribute, sub }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_schemas_are_read() {
        assert_eq!(common().iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["schemas", "id", "externalId", "meta"]);
        assert_eq!(core().iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), [USER, GROUP, ENTERPRISE_USER]);
        assert_eq!(discovery().len(), 3);
    }

    #[test]
    fn complex_attributes_have_sub_attributes_and_no_others_do() {
        for schema in core() {
            for attribute in &schema.attributes {
                assert_eq!(attribute.is_complex(), !attribute.sub_attributes.is_empty(), "{}", attribute.name);
                assert!(attribute.sub_attributes.iter().all(|sub| !sub.is_complex()), "{}", attribute.name);
            }
        }
    }
}
