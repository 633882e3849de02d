//! Names that stand for ids of another collection: which tables a request needs, which ids a record has, which names a
//! resource has.

use serde_json::Value;

use super::write::value_of;
use crate::mapping::convert::Converter;
use crate::mapping::model::{Field, Line, Read, Resource, Shape, Target};
use crate::mapping::path::JsonPath;
use crate::scim::filter::{Op, Operand, Predicate, Test};
use crate::scim::sort::SortKey;
use crate::scim::{AttrRef, Object, Projection};

/// The tables that a request needs, one a bit: a mapping has [`crate::limits::LOOKUPS`] at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed(u32);

/// A name in a resource, or in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The place of the look-up in the mapping.
    pub table: usize,
    /// Whether case counts.
    pub exact: bool,
    pub name: String,
}

impl Needed {
    pub const ALL: Self = Self(u32::MAX);
    pub const NONE: Self = Self(0);

    const fn bit(table: usize) -> u32 {
        if table < u32::BITS as usize { 1 << table } else { 0 }
    }

    pub const fn has(self, table: usize) -> bool {
        self.0 & Self::bit(table) != 0
    }

    /// Those of a query: what is asked for, what is compared, what is sorted by.
    pub fn of(resource: &Resource, projection: &Projection<'_>, filter: &Predicate<'_>, sort: Option<&SortKey<'_>>) -> Self {
        let mut needed = Self::NONE;
        for line in &resource.lines {
            let Some(reference) = line.target.resolve(&resource.kind).filter(|_| line.shape.looks_up()) else { continue };
            let top = AttrRef { sub: None, ..reference };
            let mut wanted = projection.wants(&top) || sort.is_some_and(|sort| sort.target.same_attribute(&top));
            filter.attributes(&mut |asked| wanted |= asked.same_attribute(&top));
            if wanted {
                line.shape.each_table(&mut |table| needed.0 |= Self::bit(table));
            }
        }
        needed
    }

    /// For the key of what is kept of a query.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// The look-up of a list of converters, and whether case counts: it is the last one.
fn lookup(converters: &[Converter]) -> Option<(usize, bool)> {
    match converters.last() {
        Some(Converter::Lookup { table, exact }) => Some((*table, *exact)),
        _ => None,
    }
}

/// The ids that a record has for tables that are needed.
pub fn ids(resource: &Resource, needed: Needed, record: &Value) -> Vec<(usize, Value)> {
    let mut found = Vec::new();
    let mut add = |converters: &[Converter], value: &Value| {
        let Some((table, _)) = lookup(converters).filter(|(table, _)| needed.has(*table)) else { return };
        let before = converters.split_last().map_or(&[][..], |(_, before)| before);
        let id = before.iter().try_fold(value.clone(), |value, converter| converter.read(value));
        found.extend(id.filter(|id| !id.is_null() && id.as_str() != Some("")).map(|id| (table, id)));
    };
    let field_in = |field: &Field, value: &Value, add: &mut dyn FnMut(&[Converter], &Value)| {
        if let Some(Read::Path(path)) = &field.read
            && let Some(value) = path.first(value)
        {
            add(&field.convert, value);
        }
    };
    for line in resource.lines.iter().filter(|line| line.shape.looks_up()) {
        match &line.shape {
            Shape::Field(field) => field_in(field, record, &mut add),
            Shape::Values(values) => match values.convert.as_slice() {
                [split @ Converter::Split(_), each @ ..] => {
                    let parts = values.items.first(record).and_then(|text| split.read(text.clone()));
                    parts.iter().filter_map(Value::as_array).flatten().for_each(|part| add(each, part));
                }
                converters => elements(&values.items, record).for_each(|value| add(converters, value)),
            },
            Shape::Each(each) => {
                for item in elements(&each.items, record) {
                    each.fields.iter().for_each(|(_, field)| field_in(field, item, &mut add));
                }
            }
        }
    }
    found
}

fn elements<'v>(items: &JsonPath, record: &'v Value) -> impl Iterator<Item = &'v Value> {
    items.all(record).into_iter()
}

/// Visits the names of a resource that differ from those that it had before, each with its table.
pub fn each_name(
    resource: &Resource,
    desired: &mut Object,
    before: Option<&Object>,
    visit: &mut dyn FnMut(usize, bool, &mut Value),
) {
    for line in resource.lines.iter().filter(|line| line.shape.looks_up() && line.shape.is_writable()) {
        if before.is_some_and(|before| value_of(before, &line.target) == value_of(desired, &line.target)) {
            continue;
        }
        let Some(value) = value_in(desired, &line.target) else { continue };
        match &line.shape {
            Shape::Field(field) => {
                if let Some((table, exact)) = lookup(&field.convert) {
                    visit(table, exact, value);
                }
            }
            Shape::Values(values) => {
                if let Some((table, exact)) = lookup(&values.convert) {
                    value.as_array_mut().into_iter().flatten().for_each(|value| visit(table, exact, value));
                }
            }
            Shape::Each(each) => {
                for item in value.as_array_mut().into_iter().flatten() {
                    for (name, field) in &each.fields {
                        let found = lookup(&field.convert).filter(|_| field.write.is_some());
                        if let Some(((table, exact), value)) = found.zip(item.get_mut(name)) {
                            visit(table, exact, value);
                        }
                    }
                }
            }
        }
    }
}

/// The value of an attribute or sub-attribute, to be changed.
fn value_in<'o>(resource: &'o mut Object, target: &Target) -> Option<&'o mut Value> {
    let container = match &target.extension {
        Some(uri) => resource.get_mut(uri)?.as_object_mut()?,
        None => resource,
    };
    let mut value = container.get_mut(&target.attribute)?;
    if !target.tags.is_empty() {
        value = value.as_array_mut()?.iter_mut().find(|value| target.has_tags(value))?;
    }
    match &target.sub {
        Some(sub) => value.get_mut(sub),
        None => Some(value),
    }
}

/// The table that an attribute's names are in, unless it has a value where the backend has none.
pub fn table_of(resource: &Resource, asked: &AttrRef<'_>) -> Option<(usize, bool)> {
    let is_it = |line: &&Line| {
        line.target.names(asked) || line.target.sub.is_none() && line.target.tags.is_empty() && line.target.same_attribute(asked)
    };
    match &resource.lines.iter().find(is_it)?.shape {
        Shape::Field(Field { default: Some(_), .. }) => None,
        Shape::Field(field) => lookup(&field.convert),
        Shape::Values(values) => lookup(&values.convert),
        Shape::Each(each) => {
            let (_, field) = each.fields.iter().find(|(name, _)| asked.sub.is_some_and(|sub| sub.name == *name))?;
            if field.default.is_some() { None } else { lookup(&field.convert) }
        }
    }
}

/// The names that a filter compares with.
pub fn compared(resource: &Resource, filter: &Predicate<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    each_test(filter, &mut |test| {
        if let (Test { op: Op::Eq | Op::Ne, value: Operand::String(name), target }, Some((table, exact))) =
            (test, table_of(resource, &test.target))
            && !target.attribute.name.is_empty()
        {
            names.push(Name { table, exact, name: name.clone() });
        }
    });
    names
}

fn each_test<'p, 's>(filter: &'p Predicate<'s>, visit: &mut dyn FnMut(&'p Test<'s>)) {
    match filter {
        Predicate::True | Predicate::False => {}
        Predicate::And(operands) | Predicate::Or(operands) => operands.iter().for_each(|operand| each_test(operand, visit)),
        Predicate::Not(operand) => each_test(operand, visit),
        Predicate::Test(test) => visit(test),
        Predicate::ValuePath { filter, .. } => each_test(filter, visit),
    }
}

/// The filter without comparisons with names that no table has: nothing is equal to them.
pub fn without_unknown<'s>(filter: Predicate<'s>, is_unknown: &dyn Fn(&Test<'s>) -> bool) -> Predicate<'s> {
    match filter {
        Predicate::And(operands) => Predicate::and(operands.into_iter().map(|operand| without_unknown(operand, is_unknown))),
        Predicate::Or(operands) => Predicate::or(operands.into_iter().map(|operand| without_unknown(operand, is_unknown))),
        Predicate::Not(operand) => match without_unknown(*operand, is_unknown) {
            Predicate::True => Predicate::False,
            Predicate::False => Predicate::True,
            operand => Predicate::Not(Box::new(operand)),
        },
        Predicate::Test(test) if is_unknown(&test) => match test.op {
            Op::Ne => Predicate::True,
            _ => Predicate::False,
        },
        other => other,
    }
}
