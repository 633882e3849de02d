//! Membership changes: the operations of a PATCH on a relation become the fewest changes of it.

use std::collections::HashSet;

use serde_json::Value;

use crate::mapping::model::{Call, Inline, MemberCall, Membership, MembershipChange};
use crate::mapping::template::Root;
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

/// How a change of members is made.
#[derive(Debug, Clone, Copy)]
pub enum Way<'m> {
    /// By calls for those who come and those who go.
    Each { add: &'m MemberCall, remove: &'m MemberCall },
    /// All at once: by a call for that, or with the record that they are in.
    Whole(Option<&'m Call>),
    /// With the records of those who come and those who go, which have their groups here.
    Member(&'m Inline),
}

/// What operations say about members, in their order; a group may have a hundred thousand, so nothing here is searched.
#[derive(Debug, Clone, Default)]
struct Wishes {
    replace: bool,
    /// An id, and whether it shall be there.
    log: Vec<(String, bool)>,
}

/// Whether the operations can only be understood with the members that are there: a filter other than
/// `value eq "..."`.
pub fn needs_members(operations: &[Operation<'_>]) -> bool {
    operations.iter().any(|operation| operation.filter.is_some() && filtered_id(operation).is_none())
}

/// The change that the operations make one after the other. `present` are the values of the members, where
/// [`needs_members`] asked for them.
pub fn fold(operations: &[Operation<'_>], present: &[Value]) -> Result<MemberChange, ScimError> {
    let mut wishes = Wishes::default();
    for operation in operations {
        let number = operation.index + 1;
        if operation.target.sub.is_some() || operation.filter.is_some() && operation.op != Op::Remove {
            return Err(ScimError::mutability(format!(
                "Operation {number}: the sub-attributes of a member are immutable: remove the member and add another."
            )));
        }
        match (operation.op, &operation.filter) {
            (Op::Add, _) => wishes.all(operation.value.as_ref(), true),
            (Op::Replace, _) => {
                wishes = Wishes { replace: true, log: Vec::new() };
                wishes.all(operation.value.as_ref(), true);
            }
            (Op::Remove, Some(filter)) => match filtered_id(operation) {
                Some(id) => wishes.log.push((id, false)),
                None => {
                    let added: Vec<Value> =
                        wishes.clone().change().add.iter().map(|id| serde_json::json!({ "value": id })).collect();
                    let gone = present.iter().chain(&added).filter(|member| filter.matches_value(member));
                    let gone = gone.filter_map(|member| member.get("value")?.as_str()).map(|id| (id.to_owned(), false));
                    wishes.log.extend(gone);
                }
            },
            (Op::Remove, None) => match &operation.value {
                Some(value) => wishes.all(Some(value), false),
                None => wishes = Wishes { replace: true, log: Vec::new() },
            },
        }
    }
    Ok(wishes.change())
}

/// The change from the members that are there to those of a resource.
pub fn replaced(members: Option<&Value>) -> MemberChange {
    let mut wishes = Wishes { replace: true, log: Vec::new() };
    wishes.all(members, true);
    wishes.change()
}

/// The ids of member values.
pub fn ids(members: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    let items = members.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|member| member.get("value")?.as_str()).map(str::to_owned)
}

/// How the mapping wants this change made.
pub fn way<'m>(members: &'m Membership, change: &MemberChange) -> Result<Way<'m>, ScimError> {
    match &members.change {
        MembershipChange::Never => Err(ScimError::mutability("members: the application does not let memberships be changed.")),
        MembershipChange::Each { set: Some(set), .. } if change.replace && members.pinned.is_none() => Ok(Way::Whole(Some(set))),
        MembershipChange::Each { add, remove, .. } => Ok(Way::Each { add, remove }),
        MembershipChange::Whole(set) => Ok(Way::Whole(Some(set))),
        MembershipChange::Record => Ok(Way::Whole(None)),
        MembershipChange::Member { .. } => match members.in_member() {
            Some(inline) => Ok(Way::Member(inline)),
            None => Err(ScimError::status(500, "members: nothing tells where they are written")),
        },
    }
}

/// Whether those who are members are listed before calls for those who come and go.
pub fn needs_rows(members: &Membership, remove: Option<&MemberCall>, change: &MemberChange) -> bool {
    let by_row = remove.is_some_and(|remove| remove.call.uses_any(&[Root::Membership]));
    change.replace || !change.remove.is_empty() && (by_row || members.pinned.is_some())
}

/// Whether all members can be set without knowing who is one.
pub fn sets_blindly(members: &Membership, change: &MemberChange, set: Option<&Call>) -> bool {
    change.replace && members.pinned.is_none() && set.is_some_and(|set| !needs_group(set))
}

/// Whether the group is read for those who are members, be it that it holds them, or for the call that sets them.
pub fn lists_with_group(members: &Membership) -> bool {
    members.list.inline().is_some() || matches!(&members.change, MembershipChange::Whole(set) if needs_group(set))
}

/// What the client is told of members that the backend does not know.
pub fn unknown(ids: &[String]) -> ScimError {
    let shown: Vec<&str> = ids.iter().take(5).map(String::as_str).collect();
    let and_more = if ids.len() > shown.len() { format!(" and {} more", ids.len() - shown.len()) } else { String::new() };
    let shown = shown.join(", ");
    ScimError::invalid_value(format!(
        "members: the application does not know {shown}{and_more}. Send the ids of users that exist."
    ))
}

/// Whether a call needs more of the group than its key.
pub fn needs_group(call: &Call) -> bool {
    call.uses_any(&[Root::Record, Root::Version]) || call.holds_attributes()
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

    /// Whether the values of `members` show the change.
    pub fn shows_in(&self, members: &Value) -> bool {
        let found: HashSet<String> = ids(Some(members)).collect();
        let is_there = |id: &String| found.contains(id);
        self.add.iter().all(is_there) && !self.remove.iter().any(is_there) && (!self.replace || found.len() == self.add.len())
    }

    /// With the members that are there, the change without `replace`: only those who come and go.
    #[must_use]
    pub fn against(self, present: &[String]) -> Self {
        if !self.replace {
            return self;
        }
        let (here, wanted): (HashSet<&str>, HashSet<&str>) =
            (present.iter().map(String::as_str).collect(), self.add.iter().map(String::as_str).collect());
        let remove = present.iter().filter(|id| !wanted.contains(id.as_str())).cloned().collect();
        let add = self.add.iter().filter(|id| !here.contains(id.as_str())).cloned().collect();
        Self { replace: false, add, remove }
    }
}

// === impl Wishes ===

impl Wishes {
    fn all(&mut self, members: Option<&Value>, there: bool) {
        self.log.extend(ids(members).map(|id| (id, there)));
    }

    /// The last word about each member.
    fn change(self) -> MemberChange {
        let mut change = MemberChange { replace: self.replace, ..MemberChange::default() };
        let mut seen = HashSet::with_capacity(self.log.len());
        for (id, there) in self.log.into_iter().rev() {
            if seen.insert(id.clone()) {
                match there {
                    true => change.add.push(id),
                    false if !self.replace => change.remove.push(id),
                    false => {}
                }
            }
        }
        change.add.reverse();
        change.remove.reverse();
        change
    }
}
