//! Lists whose rows do not tell all attributes: what of a query needs a call for a row.

use crate::mapping::Mapping;
use crate::mapping::model::Resource;
use crate::scim::filter::Predicate;
use crate::scim::sort::SortKey;
use crate::scim::{AttrRef, Projection};

/// What cannot be done with the rows of the list alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Details {
    pub filter: bool,
    pub sort: bool,
    /// To give what was asked for.
    pub rows: bool,
}

impl Details {
    /// Whether only the resources of the answer need a call each.
    pub const fn rows_only(self) -> bool {
        !self.filter && !self.sort
    }

    /// For what a call is made, for people; nothing if none is.
    pub const fn of_what(self) -> Option<&'static str> {
        match self {
            Self { filter: false, sort: false, rows: false } => None,
            Self { filter: false, sort: false, rows: true } => Some("for each resource of the answer"),
            _ => Some("for each row that is left to check or to sort"),
        }
    }
}

/// What of a query needs attributes that the rows of the list do not tell.
pub fn details(
    mapping: &Mapping,
    resource: &Resource,
    check: &Predicate<'_>,
    sort: Option<&SortKey<'_>>,
    projection: &Projection<'_>,
) -> Details {
    let missing = |reference: &AttrRef<'_>| is_missing(mapping, resource, reference);
    let mut filter = false;
    check.attributes(&mut |reference| filter |= missing(&reference));
    let sort = sort.is_some_and(|key| missing(&key.target));
    let rows = resource.kind.attributes().any(|attribute| projection.wants(&attribute) && missing(&attribute));
    Details { filter, sort, rows }
}

/// Whether only a call for the one resource tells the attribute.
pub fn is_missing(mapping: &Mapping, resource: &Resource, reference: &AttrRef<'_>) -> bool {
    let Some(has) = resource.list.as_ref().and_then(|list| list.has.as_ref()) else { return false };
    let members = || resource.members.as_ref()?.list.inline();
    let groups = || mapping.resources.get(resource.groups?)?.members.as_ref()?.groups.as_ref()?.inline();
    let inline = match reference.attribute.name.as_str() {
        "members" => members().is_some(),
        "groups" => groups().is_some(),
        _ => false,
    };
    let mapped = inline || resource.lines.iter().any(|line| line.target.same_attribute(reference) && line.shape.is_readable());
    mapped && !has.iter().any(|known| known.same_attribute(reference))
}
