//! Attribute names and paths (RFC 7644 section 3.10): `userName`, `name.familyName`,
//! `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`.
//!
//! [`AttrPath`] is what somebody wrote; [`AttrRef`] is what it names in the schemas of a resource type.

use std::fmt;

use serde_json::Value;

use super::Object;
use super::schema::{Attribute, Schema};

/// A path as it is written; its letters keep their case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    text: String,
    /// Where the name begins: behind the last colon, or 0.
    name: usize,
    /// Where the sub-attribute begins: behind the dot.
    sub: Option<usize>,
}

/// An attribute or sub-attribute of a resource type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttrRef<'s> {
    /// The extension that the attribute belongs to; `None` for core and common attributes.
    pub extension: Option<&'s Schema>,
    pub attribute: &'s Attribute,
    pub sub: Option<&'s Attribute>,
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'s> {
    /// The resource itself: the URN of its own schema, alone.
    Resource,
    /// A whole extension: its URN, alone.
    Extension(&'s Schema),
    Attribute(AttrRef<'s>),
}

// === impl AttrPath ===

impl AttrPath {
    /// Reads a path. `None` if it is not of the form `[URI ":"] ATTRNAME ["." ATTRNAME]`.
    ///
    /// The URI ends at the last colon; that a URN may also stand alone is for [`super::ResourceType::resolve`] to see.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.rfind(':').map_or(0, |colon| colon + 1);
        if name > 0 && !is_uri(text.get(..name - 1)?) {
            return None;
        }
        let local = text.get(name..)?;
        let (attribute, sub) = match local.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub)),
            None => (local, None),
        };
        (is_attr_name(attribute) && sub.is_none_or(is_attr_name)).then(|| Self {
            text: text.to_owned(),
            name,
            sub: sub.map(|_| name + attribute.len() + 1),
        })
    }

    /// The whole text, if it could be a URI that stands alone.
    pub fn whole_uri(&self) -> Option<&str> {
        (self.name > 0).then_some(self.text.as_str())
    }

    /// The URI before the name.
    pub fn uri(&self) -> Option<&str> {
        self.text.get(..self.name.checked_sub(1)?)
    }

    /// The name of the attribute.
    pub fn name(&self) -> &str {
        let end = self.sub.map_or(self.text.len(), |sub| sub - 1);
        self.text.get(self.name..end).unwrap_or_default()
    }

    /// The name of the sub-attribute.
    pub fn sub(&self) -> Option<&str> {
        self.text.get(self.sub?..)
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `ATTRNAME` with `$` allowed (RFC 7643 section 2.1; erratum 8924 for the `$` of `$ref`).
pub fn is_attr_name(text: &str) -> bool {
    let rest = text.strip_prefix('$').unwrap_or(text);
    rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.chars().all(is_name_char)
}

/// A character of an attribute name.
pub fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_')
}

/// A URI of which only the characters are checked: every schema in use has a URN, but custom ones may be URLs.
fn is_uri(text: &str) -> bool {
    text.contains(':')
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "()+,-.:=@;$_!*'%/?#&~".contains(c))
}

// === impl AttrRef ===

impl<'s> AttrRef<'s> {
    /// The attribute that holds the values: the sub-attribute, or the attribute itself.
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// Whether both name the same top-level attribute.
    pub fn same_attribute(&self, other: &AttrRef<'_>) -> bool {
        self.attribute.name == other.attribute.name && self.extension.map(|e| &e.id) == other.extension.map(|e| &e.id)
    }

    /// The value of the top-level attribute in a resource.
    pub fn get<'v>(&self, resource: &'v Object) -> Option<&'v Value> {
        match self.extension {
            Some(schema) => resource.get(&schema.id)?.get(&self.attribute.name),
            None => resource.get(&self.attribute.name),
        }
    }

    /// Sets the value of the top-level attribute in a resource.
    pub fn set(&self, resource: &mut Object, value: Value) {
        let container = match self.extension {
            Some(schema) => {
                let container = resource.entry(schema.id.clone()).or_insert_with(|| Value::Object(Object::new()));
                if !container.is_object() {
                    *container = Value::Object(Object::new());
                }
                match container.as_object_mut() {
                    Some(container) => container,
                    None => return,
                }
            }
            None => resource,
        };
        container.insert(self.attribute.name.clone(), value);
    }

    /// Takes the value of the top-level attribute out of a resource, and with its last attribute the extension.
    pub fn take(&self, resource: &mut Object) -> Option<Value> {
        let Some(schema) = self.extension else { return resource.remove(&self.attribute.name) };
        let container = resource.get_mut(&schema.id)?.as_object_mut()?;
        let value = container.remove(&self.attribute.name);
        if container.is_empty() {
            resource.remove(&schema.id);
        }
        value
    }
}

/// The canonical spelling, with the URN only for extension attributes.
impl fmt::Display for AttrRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.extension {
            write!(f, "{}:", schema.id)?;
        }
        f.write_str(&self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(Option<String>, String, Option<String>)> {
        let path = AttrPath::parse(text)?;
        Some((path.uri().map(str::to_owned), path.name().to_owned(), path.sub().map(str::to_owned)))
    }

    #[test]
    fn paths_have_a_uri_a_name_and_a_sub_attribute() {
        let s = str::to_owned;
        assert_eq!(parts("userName"), Some((None, s("userName"), None)));
        assert_eq!(parts("name.familyName"), Some((None, s("name"), Some(s("familyName")))));
        assert_eq!(parts("members.$ref"), Some((None, s("members"), Some(s("$ref")))));
        assert_eq!(parts("urn:x:2.0:User:manager.value"), Some((Some(s("urn:x:2.0:User")), s("manager"), Some(s("value")))));
        for bad in ["", ".", "a.", ".a", "a.b.c", "1a", "a b", "a[0]", "/name", ":a", "x:a", "urn:x:"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
