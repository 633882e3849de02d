//! The members of a group, and the groups of a member.

use super::{Call, Mapping, Paging, Resource};
use crate::mapping::path::{JsonPath, WritePath};

/// The members of a group as a relation.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The resource type of the members.
    pub of: usize,
    pub list: Members,
    pub change: MembershipChange,
    /// The groups of a member.
    pub groups: Option<Members>,
    pub unknown: UnknownMember,
    /// Members whose row this holds for, in a list of its own, cannot be removed.
    pub pinned: Option<JsonPath>,
}

/// Where members, or the groups of a member, are told.
#[derive(Debug, Clone)]
pub enum Members {
    Call(Box<MemberList>),
    Inline(Box<Inline>),
}

/// A list of members, or of a member's groups.
#[derive(Debug, Clone)]
pub struct MemberList {
    pub call: Call,
    pub items: JsonPath,
    pub paging: Paging,
    /// Where the key and the name are in a row.
    pub element: Element,
    /// Where the list is that of all who could be members: a row is of a group if this place in it has the key of the group.
    pub only: Option<Inline>,
}

/// Members, or a member's groups, in the record itself.
#[derive(Debug, Clone)]
pub struct Inline {
    pub items: JsonPath,
    pub element: Element,
    /// The place of the array, and that of the key in an element, if they can be written.
    pub write: Option<(WritePath, Option<WritePath>)>,
}

/// What a row says of a member or group.
#[derive(Debug, Clone)]
pub struct Element {
    pub key: JsonPath,
    pub display: Option<JsonPath>,
}

/// How members change.
#[derive(Debug, Clone)]
pub enum MembershipChange {
    Never,
    /// By calls for those who come and those who go.
    Each {
        add: Box<MemberCall>,
        remove: Box<MemberCall>,
        /// A call that sets all members, for what replaces them.
        set: Option<Box<Call>>,
    },
    /// By a call that sets all members.
    Whole(Box<Call>),
    /// With the record that they are in, by the calls that write it.
    Record,
    /// With the record of each member, which has its groups, by the calls that write that one.
    Member {
        /// Whether nothing but the list of all who could be members tells who is one.
        walks: bool,
    },
}

/// Adding or removing members.
#[derive(Debug, Clone)]
pub struct MemberCall {
    pub call: Call,
    /// Members in one call.
    pub batch: usize,
    /// What the answer tells of each member; without it an answer is about all of them.
    pub results: Option<Box<Results>>,
}

/// What an answer tells of each member that a call is for.
#[derive(Debug, Clone)]
pub struct Results {
    pub items: JsonPath,
    /// Where a result tells its status.
    pub status: Option<JsonPath>,
    /// Where a result tells whose it is; without it they come in the order of the members.
    pub key: Option<JsonPath>,
    /// The call, with what a result means instead of what an answer means.
    pub call: Call,
}

/// What happens to a member that the backend does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownMember {
    /// The known ones are taken, the others reported in the log; a request in which none is known is refused.
    #[default]
    Skip,
    /// The request is refused.
    Refuse,
}

// === impl Members ===

impl Members {
    /// The call that tells them, if one does.
    pub fn call(&self) -> Option<&MemberList> {
        match self {
            Self::Call(list) => Some(list),
            Self::Inline(_) => None,
        }
    }

    /// The place in the record that tells them, if one does.
    pub fn inline(&self) -> Option<&Inline> {
        match self {
            Self::Inline(inline) => Some(inline),
            Self::Call(_) => None,
        }
    }

    pub fn element(&self) -> &Element {
        match self {
            Self::Call(list) => &list.element,
            Self::Inline(inline) => &inline.element,
        }
    }
}

// === impl Membership ===

impl Membership {
    /// Where the record of a member has its groups, if memberships are written there.
    pub fn in_member(&self) -> Option<&Inline> {
        let groups = self.groups.as_ref().filter(|_| matches!(self.change, MembershipChange::Member { .. }));
        groups.and_then(Members::inline)
    }
}

// === impl Mapping ===

impl Mapping {
    /// The arrays of a record that are written with it, and are no lines of the attribute map: the members of a group, the
    /// groups of a member.
    pub fn arrays<'m>(&'m self, resource: &'m Resource) -> impl Iterator<Item = &'m WritePath> {
        let members = resource.members.as_ref().and_then(|members| members.list.inline());
        let group = resource.groups.and_then(|index| self.resources.get(index));
        let groups = group.and_then(|group| group.members.as_ref()?.in_member());
        members.into_iter().chain(groups).filter_map(|inline| inline.write.as_ref().map(|(place, _)| place))
    }

    /// The attribute of a resource type that calls of its own tell, with these calls and the other resource type.
    pub fn listed_relation<'m>(&'m self, resource: &'m Resource) -> Option<(&'static str, &'m MemberList, &'m Resource)> {
        if let Some(members) = &resource.members {
            return Some(("members", members.list.call()?, self.resources.get(members.of)?));
        }
        let group = self.resources.get(resource.groups?)?;
        Some(("groups", group.members.as_ref()?.groups.as_ref()?.call()?, group))
    }
}

// === impl MembershipChange ===

impl MembershipChange {
    pub const fn is_possible(&self) -> bool {
        !matches!(self, Self::Never)
    }
}
