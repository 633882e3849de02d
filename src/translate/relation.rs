//! Membership changes: the operations of a PATCH on a relation become the fewest changes of it.

use serde_json::Value;

use crate::scim::ScimError;
use crate::scim::patch::{Op, Operation};

/// What is to become of the members of a group, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Whether all members that are not in `add` go.
    pub replace: bool,
    pub add: Vec<String>,
    /// Empty if `replace` is set.
    pub remove: Vec<String>,
}

/// Whether the operations can only be understood with the members that are there: a filter other than
/// `value eq "..."`.
pub fn needs_members(operations: &[Operation<'_>]) -> bool {
    operations.iter().any(|operation| operation.filter.is_some() && filtered_id(operation).is_none())
}

/// The change that the operations make one after the other. `present` are the values of the members, where
/// [`needs_members`] asked for them.
pub fn fold(operations: &[Operation<'_>], present: &[Value]) -> Result<MemberChange, ScimError> {
    let mut change = MemberChange::default();
    for operation in operations {
        let number = operation.index + 1;
        if operation.target.sub.is_some() || operation.filter.is_some() && operation.op != Op::Remove {
            return Err(ScimError::mutability(format!(
                "Operation {number}: the sub-attributes of a member are immutable: remove the member and add another."
            )));
        }
        match (operation.op, &operation.filter) {
            (Op::Add, _) => ids(operation.value.as_ref()).for_each(|id| change.add(id)),
            (Op::Replace, _) => {
                change = MemberChange { replace: true, ..MemberChange::default() };
                ids(operation.value.as_ref()).for_each(|id| change.add(id));
            }
            (Op::Remove, Some(filter)) => match filtered_id(operation) {
                Some(id) => change.remove(id),
                None => {
                    let added: Vec<Value> = change.add.iter().map(|id| serde_json::json!({ "value": id })).collect();
                    let gone = present.iter().chain(&added).filter(|member| filter.matches_value(member));
                    let gone: Vec<String> = gone.filter_map(|member| member.get("value")?.as_str()).map(str::to_owned).collect();
                    for id in gone {
                        change.remove(id);
                    }
                }
            },
            (Op::Remove, None) => match &operation.value {
                Some(value) => ids(Some(value)).for_each(|id| change.remove(id)),
                None => change = MemberChange { replace: true, ..MemberChange::default() },
            },
        }
    }
    Ok(change)
}

/// The change from the members that are there to those of a resource.
pub fn replaced(members: Option<&Value>) -> MemberChange {
    let mut change = MemberChange { replace: true, ..MemberChange::default() };
    ids(members).for_each(|id| change.add(id));
    change
}

/// The ids of member values.
pub fn ids(members: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    let items = members.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|member| member.get("value")?.as_str()).map(str::to_owned)
}

/// The id of `members[value eq "id"]`.
fn filtered_id(operation: &Operation<'_>) -> Option<String> {
    let equalities = operation.filter.as_ref()?.equalities()?;
    match equalities.as_slice() {
        [(target, Value::String(id))] if target.sub.is_some_and(|sub| sub.name == "value") => Some(id.clone()),
        _ => None,
    }
}

// === impl MemberChange ===

impl MemberChange {
    /// Whether nothing changes, whoever is a member.
    pub fn is_empty(&self) -> bool {
        !self.replace && self.add.is_empty() && self.remove.is_empty()
    }

    /// With the members that are there, the change without `replace`: only those who come and go.
    #[must_use]
    pub fn against(self, present: &[String]) -> Self {
        if !self.replace {
            return self;
        }
        let remove = present.iter().filter(|id| !self.add.contains(id)).cloned().collect();
        let add = self.add.into_iter().filter(|id| !present.contains(id)).collect();
        Self { replace: false, add, remove }
    }

    fn add(&mut self, id: String) {
        self.remove.retain(|gone| *gone != id);
        if !self.add.contains(&id) {
            self.add.push(id);
        }
    }

    fn remove(&mut self, id: String) {
        self.add.retain(|added| *added != id);
        if !self.replace && !self.remove.contains(&id) {
            self.remove.push(id);
        }
    }
}
