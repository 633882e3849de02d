//! All calls that a mapping can make, for those who look at it from outside.

use super::{Call, Delete, How, List, Mapping, Members, Membership, MembershipChange, Resource, Total};

impl Mapping {
    /// The calls of all resource types, each with its type, in the order of the language.
    pub fn calls(&self) -> Vec<(&Resource, &Call)> {
        self.resources.iter().flat_map(|resource| resource.calls().into_iter().map(move |call| (resource, call))).collect()
    }
}

impl Resource {
    fn calls(&self) -> Vec<&Call> {
        let mut calls: Vec<&Call> = self.get.iter().map(|get| &get.call).collect();
        if let Some(list) = &self.list {
            calls.extend(list.calls());
        }
        if let Some(create) = &self.create {
            calls.push(&create.call);
            calls.extend(create.around.calls());
            calls.extend(create.batch.iter().map(|batch| &batch.call));
        }
        for update in &self.update {
            calls.push(&update.call);
            calls.extend(update.around.calls());
        }
        if let Some(Delete::Calls(deletion)) = &self.delete {
            calls.push(&deletion.call);
            calls.extend(deletion.around.calls());
        }
        if let Some(members) = &self.members {
            calls.extend(members.calls());
        }
        calls
    }
}

impl List {
    fn calls(&self) -> impl Iterator<Item = &Call> {
        let lookups = self.filters.iter().filter_map(|filter| match &filter.how {
            How::Call(lookup) => Some(&lookup.call),
            How::List(_) => None,
        });
        std::iter::once(&self.call).chain(told(&self.paging.total)).chain(lookups)
    }
}

impl Membership {
    fn calls(&self) -> Vec<&Call> {
        let mut calls = Vec::new();
        for members in std::iter::once(&self.list).chain(&self.groups) {
            // A list of all who could be members is that of their type.
            if let Members::Call(list) = members
                && list.only.is_none()
            {
                calls.push(&list.call);
                calls.extend(told(&list.paging.total));
            }
        }
        match &self.change {
            MembershipChange::Each { add, remove, set } => {
                calls.extend([&add.call, &remove.call]);
                calls.extend(set.as_deref());
            }
            MembershipChange::Whole(set) => calls.push(set),
            MembershipChange::Never | MembershipChange::Record | MembershipChange::Member { .. } => {}
        }
        calls
    }
}

/// The call that tells a total, if one does.
fn told(total: &Total) -> Option<&Call> {
    match total {
        Total::Call { call, .. } => Some(call),
        Total::Counted | Total::Body(_) | Total::Header(_) | Total::ContentRange => None,
    }
}
