//! From a record of the backend to a SCIM resource.

use std::fmt::Write as _;

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::mapping::Mapping;
use crate::mapping::convert::tables::Tables;
use crate::mapping::convert::typed::typed;
use crate::mapping::convert::{Converter, text};
use crate::mapping::model::{Each, Element, Field, Line, Read, Resource, Shape, Target, Values, Version};
use crate::mapping::template::Scope;
use crate::scim::resource::schemas_of;
use crate::scim::{Object, etag};

/// Bytes of a hash that are a version: 64 bits tell the versions of one resource apart.
const HASH_BYTES: usize = 8;

/// What a location may hold of an id unescaped.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The id of a record, and the key that the backend knows it by.
pub fn identity<'r>(resource: &Resource, record: &'r Value) -> Option<(String, &'r Value)> {
    let key = resource.id.path.first(record)?;
    Some((id_of(resource, key)?, key))
}

/// The id for a key. Nothing has an empty id (RFC 7643 section 3.1).
pub fn id_of(resource: &Resource, key: &Value) -> Option<String> {
    let id = text(&convert(key.clone(), &resource.id.convert, &Tables::default())?);
    (!id.is_empty() && !key.is_null()).then_some(id)
}

/// The URI of a resource.
pub fn location(base_url: &str, resource: &Resource, id: &str) -> String {
    format!("{base_url}{}/{}", resource.kind.endpoint, utf8_percent_encode(id, RESERVED))
}

/// The resource that a record is. Relations are not in it. `None` if the record has no id.
pub fn resource(mapping: &Mapping, tables: &Tables, resource: &Resource, record: &Value, base_url: &str) -> Option<Object> {
    let (id, _) = identity(resource, record)?;
    let (mut found, mut meta) = (Object::new(), Object::new());
    let plain = resource.lines.iter().filter(|line| !line.shape.looks_up());
    fill(mapping, tables, plain, record, base_url, &mut found, &mut meta);
    inline_relation(mapping, resource, record, base_url, &mut found);
    let looked_up = || resource.lines.iter().filter(|line| line.shape.looks_up());
    if resource.version == Version::Hash {
        let modified = meta.get("lastModified");
        let version = if looked_up().next().is_some() {
            // The version is the same whether names were asked for or not: it is that of the ids.
            let (mut with_ids, mut nothing) = (found.clone(), Object::new());
            fill(mapping, &Tables::Ids, looked_up(), record, base_url, &mut with_ids, &mut nothing);
            hash(&with_ids, modified)
        } else {
            hash(&found, modified)
        };
        meta.insert("version".to_owned(), Value::from(etag::weak(&version)));
    }
    fill(mapping, tables, looked_up(), record, base_url, &mut found, &mut meta);
    meta.insert("resourceType".to_owned(), Value::from(resource.kind.name.as_str()));
    meta.insert("location".to_owned(), Value::from(location(base_url, resource, &id)));
    found.insert("meta".to_owned(), Value::Object(meta));
    found.insert("id".to_owned(), Value::from(id));
    let schemas: Value = schemas_of(&found, &resource.kind).into();
    found.insert("schemas".to_owned(), schemas);
    Some(found)
}

/// Puts what lines read into a resource.
fn fill<'m>(
    mapping: &Mapping,
    tables: &Tables,
    lines: impl Iterator<Item = &'m Line>,
    record: &Value,
    base_url: &str,
    found: &mut Object,
    meta: &mut Object,
) {
    for line in lines {
        let value = match &line.shape {
            Shape::Field(field) => read_field(mapping, tables, field, record),
            Shape::Values(values) => read_values(tables, values, record),
            Shape::Each(each) => read_each(mapping, tables, each, record, base_url),
        };
        let Some(value) = value else { continue };
        if line.target.extension.is_none() && line.target.attribute == "meta" {
            if let Some(sub) = &line.target.sub {
                let value = if sub == "version" { Value::from(etag::weak(&text(&value))) } else { value };
                meta.insert(sub.clone(), value);
            }
            continue;
        }
        let reference = match &line.shape {
            Shape::Field(Field { refers: Some(index), .. }) => {
                mapping.resources.get(*index).zip(value.as_str()).map(|(other, id)| location(base_url, other, id))
            }
            _ => None,
        };
        put(found, &line.target, value, reference);
    }
}

/// The version as the backend tells it, for calls that want it back.
pub fn revision(resource: &Resource, record: &Value, headers: Option<&HeaderMap>) -> Option<Value> {
    match &resource.version {
        Version::Hash => None,
        Version::Header(name) => headers?.get(name)?.to_str().ok().map(|text| Value::from(text.trim())),
        Version::Field => {
            let is_version = |target: &Target| target.attribute == "meta" && target.sub.as_deref() == Some("version");
            let line = resource.lines.iter().find(|line| is_version(&line.target))?;
            match &line.shape {
                Shape::Field(Field { read: Some(Read::Path(path)), .. }) => path.first(record).cloned(),
                _ => None,
            }
        }
    }
}

/// Members or groups that the record itself has.
fn inline_relation(mapping: &Mapping, resource: &Resource, record: &Value, base_url: &str, found: &mut Object) {
    let own = || {
        let members = resource.members.as_ref()?;
        Some(("members", members.list.inline()?, members.of, None))
    };
    let others = || {
        let group = resource.groups?;
        let groups = mapping.resources.get(group)?.members.as_ref()?.groups.as_ref()?;
        Some(("groups", groups.inline()?, group, Some("direct")))
    };
    let Some((name, inline, other, kind)) = own().or_else(others) else { return };
    let Some(other) = mapping.resources.get(other) else { return };
    let items = inline.items.all(record);
    let values: Vec<Value> = items.into_iter().filter_map(|item| related(&inline.element, item, other, kind, base_url)).collect();
    // An empty list of members, not nothing: older authentik skips all adds when `members` is absent.
    if name == "members" || !values.is_empty() {
        found.insert(name.to_owned(), Value::Array(values));
    }
}

/// The value of `members` or `groups` that a row stands for; `kind` is its `type`, if not that of the resource.
pub fn related(element: &Element, row: &Value, other: &Resource, kind: Option<&str>, base_url: &str) -> Option<Value> {
    let id = element.key.first(row).and_then(|key| id_of(other, key))?;
    let mut value = Object::new();
    value.insert("$ref".to_owned(), Value::from(location(base_url, other, &id)));
    value.insert("value".to_owned(), Value::from(id));
    value.insert("type".to_owned(), Value::from(kind.unwrap_or(&other.kind.name)));
    if let Some(display) = element.display.as_ref().and_then(|path| path.first(row)).filter(|display| !display.is_null()) {
        value.insert("display".to_owned(), Value::from(text(display)));
    }
    Some(Value::Object(value))
}

/// A version for what the backend has none: equal resources have equal ones, in every process.
fn hash(resource: &Object, modified: Option<&Value>) -> String {
    let mut hasher = Sha256::new();
    // Of `serde_json` maps the order is that of their names, or that of the lines of the mapping: the same each time.
    hasher.update(serde_json::to_string(resource).unwrap_or_default());
    hasher.update(modified.map(text).unwrap_or_default());
    let mut name = String::with_capacity(HASH_BYTES * 2);
    for byte in hasher.finalize().iter().take(HASH_BYTES) {
        // Writing to a string cannot fail.
        write!(name, "{byte:02x}").unwrap_or_default();
    }
    name
}

/// Puts a value in the place of its attribute, and beside a reference its URI.
pub fn put(resource: &mut Object, target: &Target, value: Value, reference: Option<String>) -> Option<()> {
    let container = match &target.extension {
        Some(uri) => child(resource, uri)?,
        None => resource,
    };
    match &target.sub {
        Some(sub) => {
            let complex = if target.tags.is_empty() { child(container, &target.attribute)? } else { column(container, target)? };
            complex.insert(sub.clone(), value);
            if let Some(uri) = reference {
                complex.insert("$ref".to_owned(), Value::from(uri));
            }
        }
        None => {
            container.insert(target.attribute.clone(), value);
        }
    }
    Some(())
}

/// The value of a fixed column, made if it is not there.
fn column<'o>(container: &'o mut Object, target: &Target) -> Option<&'o mut Object> {
    let values = container.entry(&target.attribute).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    let place = values.iter().position(|value| target.has_tags(value)).unwrap_or_else(|| {
        values.push(Value::Object(target.tags.iter().cloned().collect()));
        values.len() - 1
    });
    values.get_mut(place)?.as_object_mut()
}

/// The object under a name, made if it is not there.
fn child<'o>(object: &'o mut Object, name: &str) -> Option<&'o mut Object> {
    object.entry(name).or_insert_with(|| Value::Object(Object::new())).as_object_mut()
}

/// The value of a field; `None` where it is unassigned, also where the backend has a value that the mapping does not know.
pub fn read_field(mapping: &Mapping, tables: &Tables, field: &Field, record: &Value) -> Option<Value> {
    let value = match field.read.as_ref()? {
        Read::Path(path) => path.first(record).filter(|value| !is_unassigned(value)).cloned(),
        Read::Template(template) => {
            let scope = Scope { record: Some(record), ..Scope::default() };
            template.text(&scope).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(Value::from)
        }
    };
    let value = match field.refers {
        Some(index) => value.and_then(|key| id_of(mapping.resources.get(index)?, &key)).map(Value::from),
        None => value,
    };
    let value = value.and_then(|value| convert(value, &field.convert, tables));
    value.and_then(|value| typed(value, field.kind)).or_else(|| field.default.clone())
}

fn read_values(tables: &Tables, values: &Values, record: &Value) -> Option<Value> {
    let read = |value: Value, converters: &[Converter]| typed(convert(value, converters, tables)?, values.kind);
    let found: Vec<Value> = match values.convert.as_slice() {
        [split @ Converter::Split(_), each @ ..] => {
            let parts = values.items.first(record).and_then(|text| split.read(text.clone()));
            let parts = parts.and_then(|parts| if let Value::Array(parts) = parts { Some(parts) } else { None });
            parts.into_iter().flatten().filter_map(|part| read(part, each)).collect()
        }
        converters => {
            let values = values.items.all(record).into_iter().filter(|value| !is_unassigned(value));
            values.filter_map(|value| read(value.clone(), converters)).collect()
        }
    };
    (!found.is_empty()).then_some(Value::Array(found))
}

fn read_each(mapping: &Mapping, tables: &Tables, each: &Each, record: &Value, base_url: &str) -> Option<Value> {
    let mut found = Vec::new();
    for item in each.items.all(record) {
        let mut value = Object::new();
        for (name, field) in &each.fields {
            let Some(part) = read_field(mapping, tables, field, item) else { continue };
            if let Some((other, id)) = field.refers.and_then(|index| mapping.resources.get(index)).zip(part.as_str()) {
                value.insert("$ref".to_owned(), Value::from(location(base_url, other, id)));
            }
            value.insert(name.clone(), part);
        }
        if !value.is_empty() {
            found.push(Value::Object(value));
        }
    }
    (!found.is_empty()).then_some(Value::Array(found))
}

/// RFC 7643 section 2.5, and `""`, which no client tells apart.
fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn convert(value: Value, converters: &[Converter], tables: &Tables) -> Option<Value> {
    converters.iter().try_fold(value, |value, converter| match converter {
        Converter::Lookup { table, .. } => tables.read(*table, value),
        converter => converter.read(value),
    })
}
