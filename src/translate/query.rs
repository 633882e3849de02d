//! Planning a query: what of its filter the backend performs, and what is left to the gateway.

use serde_json::Value;

use super::write::{convert_operand, key_of};
use crate::mapping::Mapping;
use crate::mapping::model::{PushDown, Resource, Shape};
use crate::mapping::template::Scope;
use crate::scim::filter::{Op, Predicate, Test};
use crate::scim::{AttrRef, ScimError};

/// How the resources that match a filter are found.
#[derive(Debug, Clone)]
pub enum Access<'m> {
    /// There can be none.
    Nothing,
    /// By reading the one with this key.
    Key(Value),
    /// By listing the groups of the member with this key; `only` the one with that key, if it is among them. Who asks
    /// whether somebody is in a group (Entra ID: `id eq "g" and members eq "u"`) must not make the gateway read the group.
    GroupsOf { member: Value, only: Option<Value> },
    /// By the list, with these query parameters.
    List { push_down: Option<&'m PushDown>, query: Vec<(String, String)> },
}

/// A planned query.
#[derive(Debug, Clone)]
pub struct Plan<'m, 's> {
    pub access: Access<'m>,
    /// What every resource found must satisfy; [`Predicate::True`] if the backend's answer needs no second look.
    pub residual: Predicate<'s>,
}

/// Plans a query of one resource type.
pub fn plan<'m, 's>(mapping: &'m Mapping, resource: &'m Resource, filter: Predicate<'s>) -> Result<Plan<'m, 's>, ScimError> {
    let mut unknown = None;
    filter.attributes(&mut |reference| {
        if !is_answered(resource, &reference) {
            unknown = Some(reference.to_string());
        }
    });
    if let Some(name) = unknown {
        return Err(ScimError::invalid_filter(format!(
            "`{name}` cannot be filtered by: the application does not tell it. /Schemas lists the attributes that exist."
        )));
    }
    let conjuncts: Vec<Predicate<'s>> = match filter {
        Predicate::False => return Ok(Plan { access: Access::Nothing, residual: Predicate::False }),
        Predicate::True => Vec::new(),
        Predicate::And(conjuncts) => conjuncts,
        other => vec![other],
    };

    let by_member = resource.members.as_ref().filter(|members| members.groups.is_some()).and_then(|members| {
        let found = conjuncts.iter().enumerate().find_map(|(at, one)| Some((at, equals(one, "members", Some("value"))?)));
        found.map(|(at, id)| (at, mapping.resources.get(members.of).and_then(|of| key_of(of, id))))
    });
    for (index, conjunct) in conjuncts.iter().enumerate() {
        if let Some(id) = equals(conjunct, "id", None) {
            let Some(key) = key_of(resource, id) else {
                return Ok(Plan { access: Access::Nothing, residual: Predicate::False });
            };
            let (access, conjuncts) = match by_member {
                Some((at, Some(member))) if at != index => {
                    let rest = without(conjuncts, at.max(index));
                    (Access::GroupsOf { member, only: Some(key) }, without(rest, at.min(index)))
                }
                _ => (Access::Key(key), without(conjuncts, index)),
            };
            return Ok(Plan { access, residual: Predicate::and(conjuncts) });
        }
    }
    let scanned =
        |conjuncts| Plan { access: Access::List { push_down: None, query: Vec::new() }, residual: Predicate::and(conjuncts) };
    let usable = resource.list.iter().flat_map(|list| &list.filters).flat_map(|push_down| {
        let found = |(index, conjunct)| Some((index, push_down, parameters(mapping, resource, push_down, conjunct)?));
        conjuncts.iter().enumerate().filter_map(found).collect::<Vec<_>>()
    });
    // The first of several that are equally good: the mapping names the more selective ones first.
    if let Some((index, push_down, query)) = usable.min_by_key(|(_, push_down, _)| rank(push_down)) {
        let residual = if push_down.exact { without(conjuncts, index) } else { conjuncts };
        return Ok(Plan { access: Access::List { push_down: Some(push_down), query }, residual: Predicate::and(residual) });
    }
    if let Some((index, key)) = by_member {
        let access = key.map_or(Access::Nothing, |member| Access::GroupsOf { member, only: None });
        return Ok(Plan { access, residual: Predicate::and(without(conjuncts, index)) });
    }
    Ok(scanned(conjuncts))
}

/// Whether the backend, the gateway or a relation gives the attribute, so that its absence means something.
pub fn is_answered(resource: &Resource, reference: &AttrRef<'_>) -> bool {
    if reference.extension.is_none() {
        match (reference.attribute.name.as_str(), reference.sub.map(|sub| sub.name.as_str())) {
            ("id" | "schemas", _) | ("meta", None | Some("resourceType" | "location")) => return true,
            ("members", _) if resource.members.is_some() => return true,
            ("groups", _) if resource.groups.is_some() => return true,
            _ => {}
        }
    }
    resource.lines.iter().any(|line| {
        line.target.same_attribute(reference)
            && match (&line.target.sub, reference.sub) {
                (Some(own), Some(asked)) => *own == asked.name || asked.name == "$ref",
                _ => true,
            }
            && (line.shape.is_readable() || matches!(line.shape, Shape::Each(_)))
    })
}

/// Equality finds fewer than the other comparisons, and what is exact needs no second look.
fn rank(push_down: &PushDown) -> (bool, bool) {
    (push_down.op != Op::Eq, !push_down.exact)
}

fn parameters(
    mapping: &Mapping,
    resource: &Resource,
    push_down: &PushDown,
    conjunct: &Predicate<'_>,
) -> Option<Vec<(String, String)>> {
    let Predicate::Test(test) = simple(conjunct)? else { return None };
    if test.op != push_down.op || !push_down.target.names(&test.target) {
        return None;
    }
    let value = match test.value.to_value() {
        Some(value) => Some(convert_operand(mapping, resource, &push_down.target, value)?),
        None => None,
    };
    let scope = Scope { value: value.as_ref(), ..Scope::default() };
    push_down.query.iter().map(|(name, template)| Some((name.clone(), template.parameter(&scope).ok()?))).collect()
}

/// `emails[value eq "x"]` is `emails.value eq "x"`.
fn simple<'p, 's>(conjunct: &'p Predicate<'s>) -> Option<&'p Predicate<'s>> {
    match conjunct {
        Predicate::Test(_) => Some(conjunct),
        Predicate::ValuePath { filter, .. } => match filter.as_ref() {
            test @ Predicate::Test(Test { op, .. }) if *op != Op::Ne => Some(test),
            _ => None,
        },
        _ => None,
    }
}

fn equals<'p>(conjunct: &'p Predicate<'_>, attribute: &str, sub: Option<&str>) -> Option<&'p str> {
    let Predicate::Test(Test { target, op: Op::Eq, value: crate::scim::filter::Operand::String(text) }) = simple(conjunct)?
    else {
        return None;
    };
    let same = target.extension.is_none() && target.attribute.name == attribute && target.sub.map(|sub| sub.name.as_str()) == sub;
    same.then_some(text)
}

fn without<T>(mut items: Vec<T>, index: usize) -> Vec<T> {
    items.remove(index);
    items
}
