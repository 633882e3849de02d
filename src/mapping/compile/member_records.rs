//! Memberships that are kept in the records of the members and written with them.

use super::Compiler;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Carries, Element, Inline, List, MemberList, Members, Membership, MembershipChange, Resource};
use crate::mapping::source::{Entry, Span};

impl Compiler<'_> {
    /// Holds such memberships against the resource type of the members, and finds who is a member by the list of that type,
    /// where nothing else tells it.
    pub(super) fn link_member_records(&mut self, resources: &mut [Resource], entries: &[Entry]) {
        for (index, entry) in entries.iter().enumerate() {
            let Some(members) = resources.get(index).and_then(|group| group.members.clone()) else { continue };
            let (Some(inline), Some(of)) = (members.in_member().cloned(), resources.get(members.of)) else { continue };
            let span = entry.value.entry("members").and_then(|members| members.value.entry("groups"));
            let span = span.map_or(entry.key_span, |groups| groups.key_span);
            self.check_written(of, &inline, members.of == index, span);
            let MembershipChange::Member { walks: true } = members.change else { continue };
            let list = self.walked(of, inline, span);
            if let Some((list, group)) = list.zip(resources.get_mut(index)) {
                group.members = Some(Membership { list, ..members });
            }
        }
    }

    fn check_written(&mut self, of: &Resource, inline: &Inline, is_itself: bool, span: Span) {
        let name = &of.kind.name;
        if is_itself {
            self.error(
                Code::BadValue,
                span,
                format!("members of a {name} that are {name} resources themselves are not written with their own records"),
                "describe `add` and `remove`",
            );
        }
        let Some((place, _)) = &inline.write else { return };
        let carries = |call: &crate::mapping::model::Call| call.holds_field(place.names());
        if !of.update.iter().any(|update| matches!(update.carries, Carries::Rest) && carries(&update.call)) {
            self.error(
                Code::NotCarried,
                span,
                format!("memberships are written with the {name}, but no `update` call of {name} carries what the attribute map writes"),
                format!("describe an `update` of {name} without `carries`, or `add` and `remove`"),
            );
        }
    }

    /// The list of all who could be members, of which those are that have the group.
    fn walked(&mut self, of: &Resource, inline: Inline, span: Span) -> Option<Members> {
        let name = &of.kind.name;
        let tells = |list: &List| list.has.as_ref().is_none_or(|has| has.iter().any(|target| target.attribute == "groups"));
        let problem = match &of.list {
            Some(list) if tells(list) => {
                let element = Element { key: of.id.path.clone(), display: None };
                let (call, items, paging) = (list.call.clone(), list.items.clone(), list.paging.clone());
                return Some(Members::Call(Box::new(MemberList { call, items, paging, element, only: Some(inline) })));
            }
            Some(_) => format!("nothing tells who is a member: the rows of the list of {name} do not have their `groups` (`has`)"),
            None => format!("nothing tells who is a member: {name} has no list to walk through"),
        };
        self.error(Code::MissingKey, span, problem, "describe `list`: the call that lists the members of a group");
        None
    }
}
