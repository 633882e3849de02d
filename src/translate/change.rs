//! PUT and PATCH as a change set: from the current resource to the desired one, and the calls that bring it about.

use crate::mapping::model::{Carries, Line, Resource, Send, Shape, Update};
use crate::mapping::path::WritePath;
use crate::mapping::template::{Root, Template, Variable};
use crate::scim::patch::{Op, Operation, PatchRequest};
use crate::scim::{AttrRef, Mutability, Object, ScimError};
use serde_json::Value;

use super::columns;
use super::write::{is_written_alike, value_of};

/// An update call and the lines whose fields its body holds.
#[derive(Debug, Clone)]
pub struct Planned<'m> {
    pub update: &'m Update,
    pub lines: Vec<&'m Line>,
    /// Those of all lines whose values change.
    pub changed: Vec<&'m Line>,
}

impl Planned<'_> {
    /// Whether the call makes the change of this line: carries its field, or is the transition itself.
    pub fn makes(&self, line: &Line) -> bool {
        self.lines.iter().any(|mine| mine.target == line.target)
            || matches!(&self.update.carries, Carries::Transition(target, _) if *target == line.target)
    }

    /// Whether the call needs the record as it is: what stays in an array is sent along.
    pub fn needs_record(&self) -> bool {
        self.update.needs_record() || self.lines.iter().any(|line| line.shape.place().is_some_and(WritePath::is_keyed))
    }

    /// The attributes that the call changes, for people.
    pub fn names(&self) -> Vec<String> {
        match &self.update.carries {
            Carries::Transition(target, _) => vec![target.to_string()],
            _ => self.lines.iter().map(|line| line.target.to_string()).collect(),
        }
    }
}

/// A PUT or PATCH of what no call can change would be a 200 for nothing.
pub fn check_changeable(resource: &Resource) -> Result<(), ScimError> {
    if resource.update.is_empty() && resource.members.is_none() {
        let name = &resource.kind.name;
        return Err(ScimError::status(501, format!("{name} resources cannot be changed here.")));
    }
    Ok(())
}

/// The writable lines whose value differs. What cannot be read, such as a password, differs if it is given. Two values that
/// the backend would be sent alike do not differ: some lose what they are sent a second time.
pub fn changed<'m>(resource: &'m Resource, current: &Object, desired: &Object) -> Vec<&'m Line> {
    let differs = |line: &&Line| {
        let wanted = value_of(desired, &line.target);
        if !line.shape.is_readable() {
            return wanted.is_some();
        }
        let there = value_of(current, &line.target);
        !same(wanted, there) && !wanted.zip(there).is_some_and(|(wanted, there)| is_written_alike(line, wanted, there))
    };
    resource.lines.iter().filter(|line| line.shape.is_writable() && is_written(resource, line)).filter(differs).collect()
}

/// Whether two values say the same: a missing `primary` is `false` (RFC 7643 section 2.4).
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Array(ones)), Some(Value::Array(others))) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(Some(one), Some(other)))
        }
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let says = |value: &&Value| !matches!(value, Value::Bool(false));
            let part =
                |object: &'_ Object, name: &str| object.get(name).filter(|value| name != "primary" || says(value)).cloned();
            one.keys().chain(other.keys()).all(|name| part(one, name) == part(other, name))
        }
        (one, other) => one == other,
    }
}

/// The lines that the body of a create carries. A line whose changes have calls of their own is not in the body that the
/// attribute map writes: the backend wants to be called for it.
pub fn created(resource: &Resource) -> impl Iterator<Item = &Line> {
    let call = resource.create.as_ref().map(|create| &create.call);
    resource.lines.iter().filter(move |line| {
        line.shape.is_writable()
            && is_written(resource, line)
            && call
                .is_some_and(|call| call.uses(&line.target) || call.carries(line) && transitions(resource, line).next().is_none())
    })
}

/// The calls for a change set, in the order of the mapping. No change means no call.
pub fn updates<'m>(resource: &'m Resource, changed: &[&'m Line], desired: &Object) -> Result<Vec<Planned<'m>>, ScimError> {
    let mut planned = Vec::new();
    let mut carried = vec![false; changed.len()];
    for update in &resource.update {
        let mut mine = Vec::new();
        for (line, carried) in changed.iter().zip(&mut carried) {
            let takes = match &update.carries {
                Carries::Rest => is_rest(resource, line),
                Carries::Attributes(targets) => targets.iter().any(|target| target.same_top(&line.target)),
                Carries::Transition(target, value) => *target == line.target && value_of(desired, target) == Some(value),
            };
            if takes {
                mine.push(*line);
                *carried = true;
            }
        }
        if mine.is_empty() {
            continue;
        }
        if update.send == Send::Each {
            planned.extend(mine.into_iter().map(|line| Planned { update, lines: vec![line], changed: vec![line] }));
            continue;
        }
        let lines = match (&update.carries, update.send) {
            (Carries::Transition(..), _) => Vec::new(),
            (_, Send::Changed | Send::Each) => mine,
            (Carries::Attributes(targets), Send::Full) => {
                resource.lines.iter().filter(|line| targets.iter().any(|target| target.same_top(&line.target))).collect()
            }
            (Carries::Rest, Send::Full) => resource.lines.iter().filter(|line| is_rest(resource, line)).collect(),
        };
        planned.push(Planned { update, lines, changed: changed.to_vec() });
    }
    match changed.iter().zip(carried).find(|(_, carried)| !carried) {
        Some((line, _)) => {
            Err(ScimError::mutability(format!("{}: the application has no call that makes this change.", line.target)))
        }
        None => Ok(planned),
    }
}

/// A PATCH that can be carried out by one call without knowing what is there: it only replaces values as wholes, the call
/// holds nothing of the record, and performs no transition. Gives what it sets, and the call. Several calls could not be
/// changed back, as nobody knows what was there.
pub fn blind<'m>(resource: &'m Resource, request: &PatchRequest<'_>) -> Option<(Object, Planned<'m>)> {
    let plain = |operation: &Operation<'_>| {
        operation.op == Op::Replace && operation.value.as_ref().is_none_or(|value| !holds_null(value))
    };
    // What does not exist for SCIM must not be changed.
    if resource.gone.is_some() {
        return None;
    }
    if request.operations().is_empty() || request.needs_current() || !request.operations().iter().all(plain) {
        return None;
    }
    let mut desired = Object::new();
    request.apply(&mut desired).ok()?;
    // What has no place is for the usual way to complain about.
    if !columns::fit(resource, &mut desired).is_empty() {
        return None;
    }
    let is_cleared = |line: &Line| {
        request.operations().iter().any(|operation| {
            let whole = operation.target.sub.is_none();
            // Columns that a new list of values leaves out are cleared.
            (operation.value.is_none() || whole && !line.target.tags.is_empty())
                && line.target.same_attribute(&operation.target)
                && (whole || line.target.names(&operation.target))
        })
    };
    let lines: Vec<&Line> = resource
        .lines
        .iter()
        .filter(|line| line.shape.is_writable() && is_written(resource, line))
        .filter(|line| value_of(&desired, &line.target).is_some() || is_cleared(line))
        .collect();
    // What no line writes is for the usual way to complain about.
    let is_carried = |operation: &Operation<'_>| lines.iter().any(|line| line.target.same_attribute(&operation.target));
    if !request.operations().iter().all(is_carried) {
        return None;
    }
    // A key that is sent without being another one is more than some backends can take: JupyterHub forgets the user.
    if lines.iter().any(|line| resource.id.is_written_by(line)) {
        return None;
    }
    // What elements have besides what the mapping knows would be lost.
    let is_part = |line: &&Line| matches!(line.shape, Shape::Each(_)) || line.shape.place().is_some_and(WritePath::is_keyed);
    if lines.iter().any(is_part) {
        return None;
    }
    let mut planned = updates(resource, &lines, &desired).ok()?;
    let step = planned.pop().filter(|_| planned.is_empty())?;
    let call = &step.update.call;
    let known = |variable: &Variable| match &variable.root {
        Root::Attribute { extension, name } => {
            lines.iter().any(|line| line.target.attribute == *name && line.target.extension == *extension)
        }
        Root::Record | Root::Version => false,
        _ => true,
    };
    let whole = step.update.send == Send::Full || matches!(step.update.carries, Carries::Transition(..));
    let fits = !whole && step.update.around.is_empty() && call.templates().flat_map(Template::variables).all(known);
    fits.then_some((desired, step))
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

/// Whether some call unassigns an attribute. None does where the backend has a call for each of its values: a status is
/// left out of a PUT without being changed, as there is nothing that it could be changed to.
pub fn can_be_cleared(resource: &Resource, attribute: &AttrRef<'_>) -> bool {
    let mut lines = resource.lines.iter().filter(|line| line.shape.is_writable() && line.target.same_attribute(attribute));
    lines.any(|line| {
        resource.update.iter().any(|update| match &update.carries {
            Carries::Rest => is_rest(resource, line),
            Carries::Attributes(targets) => targets.iter().any(|target| target.same_top(&line.target)),
            Carries::Transition(..) => false,
        })
    })
}

/// The call that carries what no other call is for.
pub fn rest(resource: &Resource) -> Option<&Update> {
    resource.update.iter().find(|update| matches!(update.carries, Carries::Rest))
}

/// Whether no update call is for this line in particular.
pub fn is_rest(resource: &Resource, line: &Line) -> bool {
    is_written(resource, line)
        && line.shape.is_writable()
        && !resource.update.iter().any(|update| match &update.carries {
            Carries::Rest => false,
            Carries::Attributes(targets) => targets.iter().any(|target| target.same_top(&line.target)),
            Carries::Transition(target, _) => *target == line.target,
        })
}

fn transitions<'m>(resource: &'m Resource, line: &'m Line) -> impl Iterator<Item = &'m Update> {
    resource.update.iter().filter(|update| matches!(&update.carries, Carries::Transition(target, _) if *target == line.target))
}

/// Whether the published schema lets clients write the attribute.
pub fn is_written(resource: &Resource, line: &Line) -> bool {
    line.target.resolve(&resource.kind).is_some_and(|reference| {
        reference.leaf().mutability != Mutability::ReadOnly && reference.attribute.mutability != Mutability::ReadOnly
    })
}
