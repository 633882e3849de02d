//! The path of a PATCH operation (RFC 7644 section 3.5.2): `members`, `emails[type eq "work"].value`.

use std::fmt;

use super::ast::Expr;
use super::predicate::Predicate;
use crate::scim::path::{AttrPath, AttrRef};
use crate::scim::schema::Schema;

/// A PATCH path as it was written; see [`super::parse_path`].
///
/// A condition as a path (erratum 7122: `schemas eq "urn:…"`) is read as `schemas[value eq "urn:…"]`, and
/// `emails.type eq "work"` as `emails[type eq "work"]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    pub path: AttrPath,
    pub filter: Option<Expr>,
    /// The sub-attribute behind the brackets.
    pub sub: Option<String>,
    /// The path as it was written.
    pub text: String,
}

/// What a PATCH path names on a resource type.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchTarget<'s> {
    /// The resource itself: the URN of its own schema.
    Resource,
    /// A whole extension.
    Extension(&'s Schema),
    Attribute {
        /// With the sub-attribute, whether it stood in the path or behind the filter.
        attribute: AttrRef<'s>,
        /// For [`Predicate::matches_value`] on each value of the attribute.
        filter: Option<Predicate<'s>>,
    },
}

// === impl PatchPath ===

/// The canonical spelling, not the text that was parsed.
impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}
