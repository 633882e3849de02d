//! PATCH (RFC 7644 section 3.5.2).
//!
//! [`PatchRequest::parse`] reads a body into operations on one attribute each and checks all that needs no current state;
//! [`PatchRequest::apply`] carries them out on a resource. Where the RFC leaves a choice:
//!
//! - A `replace` of a complex value merges: sub-attributes that are not given stay (section 3.5.2.3), also where a value
//!   filter chose the value. `null` clears a sub-attribute.
//! - An `add` of a value that is there (same `value` and `type`) adds nothing; what it says beyond that is merged in, but
//!   members of a group stay as they are.
//! - `schemas` follows from the data; operations on it are accepted and do nothing, but it cannot be removed.

mod apply;
mod parse;
mod values;

use serde_json::Value;

use super::filter::Predicate;
use super::{AttrRef, Mutability, Profile, ResourceType, ScimError};

/// The URN of the PATCH body.
pub const PATCH_OP_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH, held against a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest<'s> {
    resource_type: &'s ResourceType,
    profile: Profile,
    operations: Vec<Operation<'s>>,
    id: Option<EchoedId>,
    ignored: Vec<String>,
}

/// One operation on one attribute; an operation of the request on several attributes becomes several of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation<'s> {
    /// The place of the operation in the request, from 0.
    pub index: usize,
    pub op: Op,
    /// The attribute, with the sub-attribute if the path names one, be it behind a filter.
    pub target: AttrRef<'s>,
    /// Which values of the attribute; for [`Predicate::matches_value`].
    pub filter: Option<Predicate<'s>>,
    /// Canonical. For `add` and `replace`, `None` unassigns the target; a complex value that is merged into one that is
    /// there may hold `null` for what is cleared in it. For `remove`, the values to be removed, or `None` for all.
    pub value: Option<Value>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Add,
    Remove,
    Replace,
}

/// An `id` among the attributes of an operation without path: Okta sends the id of the group along. Ignored when it is
/// the resource's own.
#[derive(Debug, Clone, PartialEq)]
struct EchoedId {
    index: usize,
    id: String,
}

// === impl Op ===

impl Op {
    /// The name as the RFC has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

// === impl PatchRequest ===

impl<'s> PatchRequest<'s> {
    /// The operations in their order.
    pub fn operations(&self) -> &[Operation<'s>] {
        &self.operations
    }

    /// Names that no schema has and that were ignored, as the profile says.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Every attribute that an operation is about; one may come several times.
    pub fn targets(&self) -> impl Iterator<Item = AttrRef<'s>> + '_ {
        self.operations.iter().map(|operation| operation.target)
    }

    /// Takes out the operations on relations, such as the members of a group: they are carried out without reading the
    /// resource. The order within both parts stays.
    pub fn split(mut self, is_relation: impl Fn(&AttrRef<'s>) -> bool) -> (Vec<Operation<'s>>, Self) {
        let (relations, rest) = self.operations.into_iter().partition(|operation| is_relation(&operation.target));
        self.operations = rest;
        (relations, self)
    }

    /// Whether the outcome depends on the resource as it is. If not, applying the operations to an empty object gives
    /// every attribute and sub-attribute that they set; what they clear is in [`Self::operations`].
    pub fn needs_current(&self) -> bool {
        self.operations.iter().any(Operation::needs_current)
    }

    /// Checks an id that the client sent along with other attributes against the id of the resource.
    pub fn check_id(&self, id: &str) -> Result<(), ScimError> {
        match &self.id {
            Some(echoed) if echoed.id != id => Err(at(
                echoed.index,
                &ScimError::mutability(
                    "the \"id\" in the value is not that of the resource, and an id cannot be changed: leave it out",
                ),
            )),
            _ => Ok(()),
        }
    }
}

// === impl Operation ===

impl Operation<'_> {
    /// Whether the outcome depends on the value that the attribute has.
    pub fn needs_current(&self) -> bool {
        let attribute = self.target.attribute;
        let has_immutable = attribute.mutability == Mutability::Immutable
            || (!attribute.multi_valued && attribute.sub_attributes.iter().any(|sub| sub.mutability == Mutability::Immutable));
        if self.filter.is_some() || has_immutable {
            return true;
        }
        if attribute.multi_valued {
            let replaces_all = self.target.sub.is_none() && self.op == Op::Replace;
            let removes_all = self.target.sub.is_none() && self.op == Op::Remove && self.value.is_none();
            return !(replaces_all || removes_all);
        }
        // An `add` to a multi-valued sub-attribute depends on what it holds.
        self.op == Op::Add && self.target.leaf().multi_valued
    }
}

/// Says which operation an error is about; counted from 1, as people do.
fn at(index: usize, error: &ScimError) -> ScimError {
    ScimError { detail: format!("Operation {}: {}", index + 1, error.detail), ..error.clone() }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
