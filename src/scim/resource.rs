//! A resource as a client sent it, in POST and PUT, read into canonical form.

use serde_json::Value;

use super::access::refuse_unheld;
use super::members::{did_you_mean, refuse_ambiguous};
use super::value::{Place, Reader};
use super::{AttrPath, AttrRef, Mutability, Object, Profile, ResourceType, Schema, ScimError, Target, json};

pub use super::value::{is_reference_list, read_value, referenced_id};

/// What a resource is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// POST.
    Create,
    /// PUT. A required attribute that cannot be read, such as a password, may be left out: it stays as it is.
    Replace,
}

/// A resource that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming<'s> {
    /// Canonical; without read-only attributes. `schemas` follows from the data.
    pub resource: Object,
    /// What the client set to `null`, `[]` or, under some profiles, `""`: unassigned on purpose, which overrides a
    /// default (RFC 7644 section 3.3).
    pub cleared: Vec<AttrRef<'s>>,
    /// Names that no schema has and that were ignored.
    pub ignored: Vec<String>,
}

/// What was found for one attribute.
struct Found<'s> {
    attribute: AttrRef<'s>,
    /// Under its own name.
    whole: Option<Value>,
    /// Sub-attributes that came under dotted names.
    parts: Object,
}

struct Sorter<'s, 'p> {
    resource_type: &'s ResourceType,
    profile: &'p Profile,
    found: Vec<Found<'s>>,
    reader: Reader<'p>,
}

/// Reads the body of a POST or PUT.
///
/// Names come in any case, extension attributes in a container named by their URN, which need not be in `schemas`.
/// Read-only attributes are dropped silently (RFC 7644 sections 3.3 and 3.5.1). With `coerce_values` dotted and
/// URN-qualified names (`name.familyName`, `urn:...:User:department`) are resolved like paths; where the same attribute
/// also came under its own name, the two must agree or one must be `null`.
pub fn read<'s>(
    body: Value,
    resource_type: &'s ResourceType,
    intent: Intent,
    profile: &Profile,
) -> Result<Incoming<'s>, ScimError> {
    let Value::Object(mut body) = body else {
        return Err(ScimError::invalid_syntax(format!("A resource must be a JSON object, not {}.", json::kind(&body))));
    };
    refuse_ambiguous(&body, &"The resource")?;
    let schemas = body.keys().find(|name| name.eq_ignore_ascii_case("schemas")).cloned().and_then(|name| body.remove(&name));
    check_schemas(schemas.as_ref(), resource_type, profile)?;

    let mut sorter = Sorter { resource_type, profile, found: Vec::new(), reader: Reader::new(profile) };
    sorter.object(body)?;
    let mut incoming = sorter.finish()?;
    check_required(&incoming.resource, resource_type, intent)?;
    let schemas = schemas_of(&incoming.resource, resource_type);
    incoming.resource.insert("schemas".to_owned(), Value::from(schemas));
    Ok(incoming)
}

/// The value of `schemas`: the primary schema and every extension that has data (RFC 7643 section 3.3).
pub fn schemas_of<'s>(resource: &Object, resource_type: &'s ResourceType) -> Vec<&'s str> {
    let extended = resource_type
        .extensions
        .iter()
        .map(|extension| extension.schema.id.as_str())
        .filter(|id| resource.get(*id).is_some_and(|data| data.as_object().is_some_and(|attributes| !attributes.is_empty())));
    std::iter::once(resource_type.schema.id.as_str()).chain(extended).collect()
}

/// Whether a value says nothing: unassigned, or a string of blanks.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn check_schemas(schemas: Option<&Value>, resource_type: &ResourceType, profile: &Profile) -> Result<(), ScimError> {
    let primary = &resource_type.schema.id;
    let list = match schemas {
        None | Some(Value::Null) if profile.schemas_optional => return Ok(()),
        None | Some(Value::Null) => {
            return Err(ScimError::invalid_syntax(format!("The resource lacks \"schemas\": [{primary:?}].")));
        }
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) if profile.schemas_optional => return Ok(()),
        Some(other) => {
            return Err(ScimError::invalid_syntax(format!(
                "\"schemas\" must be an array of URNs, not {}: send [{primary:?}].",
                json::kind(other)
            )));
        }
    };
    if !profile.ignore_unknown {
        for uri in list {
            let Some(uri) = uri.as_str() else {
                return Err(ScimError::invalid_syntax(format!("\"schemas\" holds {}; send URNs only.", json::kind(uri))));
            };
            if !resource_type.schema_uris().any(|known| known.eq_ignore_ascii_case(uri)) {
                let hint = did_you_mean(uri, resource_type.schema_uris());
                return Err(ScimError::invalid_value(format!("A {} has no schema {uri:?}.{hint}", resource_type.name)));
            }
        }
    }
    let has_primary = list.iter().any(|uri| uri.as_str().is_some_and(|uri| resource_type.schema.is(uri)));
    if !has_primary && !profile.schemas_optional {
        return Err(ScimError::invalid_value(format!("\"schemas\" of a {} must hold {primary:?}.", resource_type.name)));
    }
    Ok(())
}

fn check_required(resource: &Object, resource_type: &ResourceType, intent: Intent) -> Result<(), ScimError> {
    for extension in resource_type.extensions.iter().filter(|extension| extension.required) {
        if !resource.contains_key(&extension.schema.id) {
            return Err(ScimError::invalid_value(format!(
                "A {} must have the attributes of {:?}.",
                resource_type.name, extension.schema.id
            )));
        }
    }
    for attribute in resource_type.attributes() {
        let is_asked = match attribute.attribute.mutability {
            Mutability::ReadOnly => false,
            Mutability::WriteOnly => intent == Intent::Create,
            Mutability::ReadWrite | Mutability::Immutable => true,
        };
        let is_used = attribute.extension.is_none_or(|schema| resource.contains_key(&schema.id));
        // `schemas` is required too, but it has been checked, and follows from the data.
        if attribute.attribute.required && is_asked && is_used && !is_schemas(&attribute) {
            match attribute.get(resource) {
                None => {
                    return Err(ScimError::invalid_value(format!("{attribute} is required: send a value.")));
                }
                Some(value) if is_blank(value) => {
                    return Err(ScimError::invalid_value(format!("{attribute} must not be blank.")));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Whether it is the common attribute `schemas`, which follows from the data of a resource.
pub(super) fn is_schemas(attribute: &AttrRef<'_>) -> bool {
    attribute.extension.is_none() && attribute.attribute.name == "schemas"
}

// === impl Sorter ===

impl<'s> Sorter<'s, '_> {
    fn object(&mut self, body: Object) -> Result<(), ScimError> {
        for (name, value) in body {
            if let Some(attribute) = self.resource_type.attribute(&name) {
                self.put(AttrRef { extension: None, attribute, sub: None }, value)?;
            } else if let Some(extension) = self.resource_type.extension(&name) {
                self.extension(&extension.schema, value)?;
            } else {
                self.flattened(&name, value)?;
            }
        }
        Ok(())
    }

    fn extension(&mut self, schema: &'s Schema, value: Value) -> Result<(), ScimError> {
        let attributes = match self.container(&schema.id, value)? {
            Some(attributes) => attributes,
            None => schema.attributes.iter().map(|attribute| (attribute.name.clone(), Value::Null)).collect(),
        };
        refuse_ambiguous(&attributes, &schema.id)?;
        for (name, value) in attributes {
            if let Some(attribute) = schema.attribute(&name) {
                self.put(AttrRef { extension: Some(schema), attribute, sub: None }, value)?;
                continue;
            }
            let path = AttrPath::parse(&format!("{}:{name}", schema.id)).filter(|_| self.profile.coerce_values);
            match path.and_then(|path| self.resource_type.resolve(&path, false)) {
                Some(Target::Attribute(attribute)) => self.put(attribute, value)?,
                _ => self.unknown(&name, &schema.id, schema.attributes.iter().map(|attribute| attribute.name.as_str()))?,
            }
        }
        Ok(())
    }

    /// The members of an object that groups attributes; `None` for `null`.
    fn container(&self, name: &str, value: Value) -> Result<Option<Object>, ScimError> {
        match value {
            Value::Object(attributes) => Ok(Some(attributes)),
            Value::Null => Ok(None),
            Value::Array(mut list) if self.profile.coerce_values && list.len() == 1 => {
                self.container(name, list.pop().unwrap_or(Value::Null))
            }
            other => Err(ScimError::invalid_value(format!(
                "{name:?} must be an object with the attributes of that schema, not {}.",
                json::kind(&other)
            ))),
        }
    }

    /// A name that stands in no schema as it is: perhaps a path, or an extension attribute without its URN.
    fn flattened(&mut self, name: &str, value: Value) -> Result<(), ScimError> {
        refuse_unheld(name, &value, self.resource_type)?;
        let bare = self.profile.bare_extension_names;
        let target = AttrPath::parse(name).and_then(|path| self.resource_type.resolve(&path, bare));
        match target {
            Some(Target::Attribute(attribute)) if self.profile.coerce_values => self.put(attribute, value),
            Some(Target::Resource) if self.profile.coerce_values => {
                let attributes = self.container(name, value)?.unwrap_or_default();
                refuse_ambiguous(&attributes, &name)?;
                for (name, value) in attributes {
                    match self.resource_type.attribute(&name) {
                        Some(attribute) => self.put(AttrRef { extension: None, attribute, sub: None }, value)?,
                        None => self.unknown_here(&name)?,
                    }
                }
                Ok(())
            }
            Some(Target::Attribute(attribute)) if !self.profile.ignore_unknown => Err(ScimError::invalid_syntax(format!(
                "{name:?} is a path, not the name of an attribute. Nest it instead: {}.",
                nested(&attribute)
            ))),
            _ => self.unknown_here(name),
        }
    }

    fn unknown_here(&mut self, name: &str) -> Result<(), ScimError> {
        let resource_type = self.resource_type;
        let known = resource_type.attributes().filter(|attribute| attribute.extension.is_none());
        let known = known.map(|attribute| attribute.attribute.name.as_str()).chain(resource_type.schema_uris());
        self.unknown(name, &resource_type.name, known)
    }

    fn unknown<'a>(&mut self, name: &str, of: &str, known: impl Iterator<Item = &'a str>) -> Result<(), ScimError> {
        if self.profile.ignore_unknown {
            self.reader.ignored.push(name.to_owned());
            return Ok(());
        }
        let hint = did_you_mean(name, known);
        Err(ScimError::invalid_syntax(format!("{of} has no attribute {name:?}.{hint}")))
    }

    fn put(&mut self, attribute: AttrRef<'s>, value: Value) -> Result<(), ScimError> {
        if attribute.attribute.mutability == Mutability::ReadOnly
            || attribute.leaf().mutability == Mutability::ReadOnly
            || is_schemas(&attribute)
        {
            return Ok(());
        }
        let known = self.found.iter().position(|found| found.attribute.same_attribute(&attribute));
        let at = known.unwrap_or(self.found.len());
        if known.is_none() {
            let whole = AttrRef { sub: None, ..attribute };
            self.found.push(Found { attribute: whole, whole: None, parts: Object::new() });
        }
        let Some(found) = self.found.get_mut(at) else { return Ok(()) };
        let former = match attribute.sub {
            Some(sub) => found.parts.entry(sub.name.clone()).or_insert(Value::Null),
            None => found.whole.get_or_insert(Value::Null),
        };
        if former.is_null() {
            *former = value;
        } else if !value.is_null() && *former != value {
            return Err(twice(&attribute));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Incoming<'s>, ScimError> {
        let mut resource = Object::new();
        let mut cleared = Vec::new();
        for found in std::mem::take(&mut self.found) {
            let attribute = found.attribute;
            match self.reader.whole(found.value()?, Place::of(attribute.attribute))? {
                Some(value) => attribute.set(&mut resource, value),
                None => cleared.push(attribute),
            }
        }
        Ok(Incoming { resource, cleared, ignored: self.reader.ignored })
    }
}

// === impl Found ===

impl Found<'_> {
    /// The attribute's own value and its dotted parts as one value.
    fn value(self) -> Result<Value, ScimError> {
        if self.parts.is_empty() {
            return Ok(self.whole.unwrap_or(Value::Null));
        }
        match self.whole {
            None | Some(Value::Null) => Ok(Value::Object(self.parts)),
            Some(Value::Object(mut whole)) => {
                for (name, part) in self.parts {
                    let same = whole.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, value)| value);
                    match same {
                        Some(value) if *value == part || part.is_null() => {}
                        Some(_) => return Err(twice(&self.attribute)),
                        None => drop(whole.insert(name, part)),
                    }
                }
                Ok(Value::Object(whole))
            }
            Some(_) => Err(twice(&self.attribute)),
        }
    }
}

fn twice(attribute: &AttrRef<'_>) -> ScimError {
    ScimError::invalid_syntax(format!("{attribute} comes twice, under different names and with different values. Send it once."))
}

/// How a path is written as nested objects, for advice.
fn nested(attribute: &AttrRef<'_>) -> String {
    let inner = match attribute.sub {
        Some(sub) => format!("{{{:?}: {{{:?}: ...}}}}", attribute.attribute.name, sub.name),
        None => format!("{{{:?}: ...}}", attribute.attribute.name),
    };
    match attribute.extension {
        Some(schema) => format!("{{{:?}: {inner}}}", schema.id),
        None => inner,
    }
}

#[cfg(test)]
#[path = "resource_tests.rs"]
mod tests;
