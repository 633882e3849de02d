//! From a SCIM resource to what the backend takes.

use serde_json::{Map, Value};

use super::read::read_field;
use crate::mapping::Mapping;
use crate::mapping::convert::Converter;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Clear, Each, Field, Line, Read, Resource, Shape, Target, Values};

use crate::scim::{Object, ScimError};

/// The key for an id; `None` if no record can have that id. An empty or dot segment in a path would name something else.
pub fn key_of(resource: &Resource, id: &str) -> Option<Value> {
    if matches!(id, "" | "." | "..") {
        return None;
    }
    resource.id.convert.iter().rev().try_fold(Value::from(id), |value, converter| converter.write(value)).ok()
}

/// The value of an attribute or sub-attribute in a resource.
pub fn value_of<'o>(resource: &'o Object, target: &Target) -> Option<&'o Value> {
    let container = match &target.extension {
        Some(uri) => resource.get(uri)?.as_object()?,
        None => resource,
    };
    let mut value = container.get(&target.attribute)?;
    if !target.tags.is_empty() {
        value = value.as_array()?.iter().find(|value| target.has_tags(value))?;
    }
    match &target.sub {
        Some(sub) => value.get(sub),
        None => Some(value),
    }
}

/// What is known of a resource that is changed.
#[derive(Debug, Clone, Copy)]
pub struct Before<'b> {
    /// The record as the backend has it.
    pub record: &'b Value,
    /// The lines whose values change.
    pub changed: &'b [&'b Line],
    /// Where a change is taken back the record that it was made on: what it has is what is written.
    pub restore: Option<&'b Value>,
}

/// The body of a call: the lines' fields with the values of the resource. Where a value that changes is missing, the field
/// is cleared; what does not change is sent as the backend has it, so that a body with everything in it clears neither a
/// password, which cannot be read, nor a value that the mapping does not know. The body of a create holds what there is.
pub fn body<'m>(
    mapping: &Mapping,
    tables: &Tables,
    lines: impl IntoIterator<Item = &'m Line>,
    resource: &Object,
    before: Option<Before<'_>>,
) -> Result<Value, ScimError> {
    let clearing = before.is_some();
    let mut body = Value::Object(Map::new());
    for line in lines {
        // An array of which an element is written is sent whole, as most backends replace arrays.
        if let Some((place, before)) = line.shape.place().zip(before) {
            place.begin(&mut body, before.record);
        }
        if let Some(before) = before.filter(|before| !before.changed.iter().any(|changed| changed.target == line.target)) {
            if let Some((place, raw)) = line.shape.place().and_then(|place| Some((place, place.get(before.record)?))) {
                place.put(&mut body, raw.clone());
                continue;
            }
            // What is read elsewhere than it is written must not get lost.
            if !is_read_elsewhere(line, before.record) {
                continue;
            }
        }
        let former = before.and_then(|before| line.shape.place()?.get(before.restore?));
        if let Some((place, raw)) = line.shape.place().zip(former) {
            place.put(&mut body, raw.clone());
            continue;
        }
        let value = value_of(resource, &line.target);
        match &line.shape {
            Shape::Field(field) => {
                let Some(place) = &field.write else { continue };
                match (value, field.clear) {
                    (Some(value), _) => place.put(&mut body, write_field(mapping, tables, field, value.clone(), &line.target)?),
                    (None, Clear::Null) if clearing => place.put(&mut body, Value::Null),
                    (None, Clear::Empty) if clearing => place.put(&mut body, Value::from("")),
                    (None, _) if place.is_keyed() => place.remove(&mut body),
                    (None, _) => {}
                }
            }
            Shape::Values(values) => {
                let Some(place) = &values.write else { continue };
                match value {
                    Some(value) => place.put(&mut body, write_values(tables, values, value, &line.target)?),
                    None if clearing => {
                        place.put(&mut body, write_values(tables, values, &Value::Array(Vec::new()), &line.target)?);
                    }
                    None => {}
                }
            }
            Shape::Each(each) => {
                let Some(place) = &each.write else { continue };
                match value {
                    Some(value) => {
                        let raw = before.map(|before| each.items.all(before.record)).unwrap_or_default();
                        place.put(&mut body, write_each(mapping, tables, each, value, &raw, &line.target)?);
                    }
                    None if clearing => place.put(&mut body, Value::Array(Vec::new())),
                    None => {}
                }
            }
        }
    }
    Ok(body)
}

/// The value of one field in the backend's form.
fn write_field(mapping: &Mapping, tables: &Tables, field: &Field, value: Value, target: &Target) -> Result<Value, ScimError> {
    let value = convert(value, &field.convert, tables, target)?;
    let Some(other) = field.refers.and_then(|index| mapping.resources.get(index)) else { return Ok(value) };
    let id = value.as_str().unwrap_or_default();
    key_of(other, id)
        .ok_or_else(|| ScimError::invalid_value(format!("{target}: there is no {} with the id \"{id}\".", other.kind.name)))
}

fn write_values(tables: &Tables, values: &Values, value: &Value, target: &Target) -> Result<Value, ScimError> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let (split, each) = match values.convert.as_slice() {
        [split @ Converter::Split(_), each @ ..] => (Some(split), each),
        each => (None, each),
    };
    let items =
        items.iter().map(|item| convert(item.clone(), each, tables, target)).collect::<Result<Vec<_>, _>>().map(Value::Array)?;
    match split {
        Some(split) => convert(items, std::slice::from_ref(split), tables, target),
        None => Ok(items),
    }
}

/// What an element has besides what the mapping knows stays with it: a value that is there keeps its element.
fn write_each(
    mapping: &Mapping,
    tables: &Tables,
    each: &Each,
    value: &Value,
    raw: &[&Value],
    target: &Target,
) -> Result<Value, ScimError> {
    let mut left: Vec<(Object, &Value)> = raw.iter().map(|raw| (read_item(mapping, tables, each, raw), *raw)).collect();
    let mut items = Vec::new();
    for item in value.as_array().map(Vec::as_slice).unwrap_or_default() {
        let same = |name: &str, other: &Object| item.get(name) == other.get(name);
        let whole = left.iter().position(|(other, _)| each.fields.iter().all(|(name, _)| same(name, other)));
        if let Some(place) = whole {
            items.push(left.remove(place).1.clone());
            continue;
        }
        let alike = |(other, _): &(Object, &Value)| other.contains_key("value") && same("value", other) && same("type", other);
        let (other, mut object) = match left.iter().position(alike) {
            Some(place) => {
                let (other, raw) = left.remove(place);
                (other, raw.clone())
            }
            None => (Object::new(), Value::Object(Map::new())),
        };
        for (name, field) in each.fields.iter().filter(|(name, _)| !same(name, &other)) {
            let Some(place) = &field.write else { continue };
            if place.is_root() && item.get(name).is_none() {
                return Err(ScimError::invalid_value(format!("{target}: the application cannot hold a value without {name}.")));
            }
            match item.get(name) {
                Some(part) => place.put(&mut object, write_field(mapping, tables, field, part.clone(), target)?),
                None => place.remove(&mut object),
            }
        }
        items.push(object);
    }
    // Elements of which the mapping knows nothing are nobody's to take away.
    items.extend(left.into_iter().filter(|(other, _)| other.is_empty()).map(|(_, raw)| raw.clone()));
    Ok(Value::Array(items))
}

fn read_item(mapping: &Mapping, tables: &Tables, each: &Each, raw: &Value) -> Object {
    each.fields.iter().filter_map(|(name, field)| Some((name.clone(), read_field(mapping, tables, field, raw)?))).collect()
}

/// Whether a line has a value that the record does not hold in the place where it is written.
fn is_read_elsewhere(line: &Line, record: &Value) -> bool {
    match &line.shape {
        Shape::Field(Field { read: Some(Read::Path(path)), .. }) => path.first(record).is_some_and(|value| !value.is_null()),
        Shape::Field(Field { read: Some(Read::Template(_)), .. }) => true,
        _ => false,
    }
}

/// Whether the backend is sent the same for two values of a line. What is looked up is not: other names have other ids.
pub fn is_written_alike(line: &Line, one: &Value, other: &Value) -> bool {
    let Shape::Field(field) = &line.shape else { return false };
    let written = |value: &Value| {
        let convert = |value, converter: &Converter| converter.write(value).ok();
        field.convert.iter().rev().try_fold(value.clone(), convert)
    };
    let is_looked_up = field.convert.iter().any(|converter| matches!(converter, Converter::Lookup { .. }));
    !is_looked_up && written(one).is_some_and(|one| written(other) == Some(one))
}

fn convert(value: Value, converters: &[Converter], tables: &Tables, target: &Target) -> Result<Value, ScimError> {
    converters
        .iter()
        .rev()
        .try_fold(value, |value, converter| match converter {
            Converter::Lookup { table, exact } => tables.write(*table, *exact, &value),
            converter => converter.write(value),
        })
        .map_err(|error| ScimError::invalid_value(format!("{target}: {error}.")))
}
