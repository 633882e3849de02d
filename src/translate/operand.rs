//! What a filter compares with, in the backend's form: only where comparing there finds no less than comparing here.

use serde_json::Value;

use super::write::key_of;
use crate::mapping::Mapping;
use crate::mapping::convert::Converter;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Field, Line, Resource, Shape, Target};
use crate::scim::compare::instant;
use crate::scim::filter::{Op, Test};

/// A comparison that a backend can make.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// What it compares with; `pr` has nothing.
    pub value: Option<Value>,
    /// Whether the converters of the line leave the same rows. A code that they do not know is a value there, and none here.
    pub exact: bool,
}

/// The comparison in the form that the attribute's line gives it; `None` if the backend would lose rows by it, or the
/// line knows no such value.
pub fn comparable(
    mapping: &Mapping,
    tables: &Tables,
    resource: &Resource,
    target: &Target,
    test: &Test<'_>,
) -> Option<Comparable> {
    let value = test.value.to_value();
    // What an empty parameter means, every backend decides for itself; often it means no filter.
    if value.as_ref().and_then(Value::as_str) == Some("") {
        return None;
    }
    if target.extension.is_none() && target.attribute == "id" {
        return match (test.op, value) {
            (Op::Eq | Op::Ne, Some(value)) => {
                key_of(resource, value.as_str()?).map(|key| Comparable { value: Some(key), exact: true })
            }
            _ => None,
        };
    }
    // RFC 7643 section 2.4: where `primary` is absent it is false, and a backend does not find what is absent.
    if target.sub.as_deref() == Some("primary") && !(test.op == Op::Eq && value == Some(Value::Bool(true))) {
        return None;
    }
    let shape = shape(resource, target)?;
    let (converters, field) = match shape {
        Found::Field(field) => (field.convert.as_slice(), Some(field)),
        Found::Values(converters) => (converters, None),
        Found::Whole => (&[][..], None),
    };
    // What is read where the backend has nothing, the backend does not find.
    if let Some(default) = field.and_then(|field| field.default.as_ref())
        && (test.op != Op::Eq || value.as_ref().is_none_or(|value| is_same(value, default)))
    {
        return None;
    }
    let exact = converters.iter().all(|converter| converter.is_exact(test.op));
    let Some(value) = value else { return Some(Comparable { value: None, exact }) };
    if let Found::Whole = shape {
        return None;
    }
    let value = converters.iter().rev().try_fold(value, |value, converter| write(converter, tables, test.op, value))?;
    match field.and_then(|field| field.refers) {
        None => Some(Comparable { value: Some(value), exact }),
        Some(index) if matches!(test.op, Op::Eq | Op::Ne) => {
            key_of(mapping.resources.get(index)?, value.as_str()?).map(|key| Comparable { value: Some(key), exact })
        }
        Some(_) => None,
    }
}

/// Whether the attribute may read as an empty text: only a converter or a default makes one.
pub fn may_be_empty(resource: &Resource, target: &Target) -> bool {
    match shape(resource, target) {
        Some(Found::Field(field)) => !field.convert.is_empty() || field.default.is_some(),
        Some(Found::Values(converters)) => !converters.is_empty(),
        Some(Found::Whole) | None => true,
    }
}

/// Where the attribute comes from.
#[derive(Clone, Copy)]
enum Found<'m> {
    Field(&'m Field),
    Values(&'m [Converter]),
    /// All values of a complex attribute.
    Whole,
}

fn shape<'m>(resource: &'m Resource, target: &Target) -> Option<Found<'m>> {
    let line =
        resource.lines.iter().find(|line| line.target == *target || line.target.sub.is_none() && line.target.same_top(target));
    let Some(line) = line else { return columns(resource, target) };
    Some(match (&line.shape, &target.sub) {
        (Shape::Field(field), _) => Found::Field(field),
        (Shape::Values(values), _) => Found::Values(&values.convert),
        (Shape::Each(_), None) => Found::Whole,
        (Shape::Each(each), Some(sub)) => Found::Field(each.fields.iter().find(|(name, _)| name == sub).map(|(_, field)| field)?),
    })
}

/// The fixed columns of an attribute together, if all have their values in the same form.
fn columns<'m>(resource: &'m Resource, target: &Target) -> Option<Found<'m>> {
    let mut lines = resource.lines.iter().filter(|line| {
        !line.target.tags.is_empty() && line.target.same_top(target) && (target.sub.is_none() || line.target.sub == target.sub)
    });
    let first = lines.next()?;
    let Shape::Field(field) = &first.shape else { return None };
    let alike = |line: &Line| matches!(&line.shape, Shape::Field(other) if other.convert == field.convert && other.default == field.default);
    match target.sub {
        None => Some(Found::Whole),
        Some(_) => lines.all(alike).then_some(Found::Field(field)),
    }
}

/// The value in the backend's form, if the operator means the same there.
fn write(converter: &Converter, tables: &Tables, op: Op, value: Value) -> Option<Value> {
    if !converter.keeps(op) {
        return None;
    }
    match converter {
        Converter::Lookup { table, exact } => tables.compared(*table, *exact, &value),
        // One value here may be several there: asked for one of them the backend would not find the others.
        Converter::Values(pairs) => match pairs.iter().find(|(here, _)| *here == value)? {
            (_, there) if there.len() == 1 => there.first().cloned(),
            _ => None,
        },
        Converter::EpochMillis | Converter::EpochSeconds | Converter::Date(_) => {
            let asked = instant(value.as_str()?, true)?;
            let written = converter.write(Value::from(asked.to_string())).ok()?;
            let read = converter.read(written.clone())?;
            let whole = instant(read.as_str()?, true)? == asked;
            // Between two instants of the backend, `gt` and `le` say the same of the earlier one.
            (whole || matches!(op, Op::Gt | Op::Le) && asked.as_second() >= 0).then_some(written)
        }
        converter => converter.write(value).ok(),
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.to_lowercase() == b.to_lowercase(),
        (a, b) => a == b,
    }
}
