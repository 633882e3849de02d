//! The path of a PATCH operation (RFC 7644 section 3.5.2): `members`, `emails[type eq "work"].value`.

use std::fmt;

use super::advice::{unknown_attribute, unknown_sub_attribute};
use super::ast::{Expr, Span};
use super::check::Checker;
use super::predicate::Predicate;
use crate::scim::error::{ScimError, ScimType};
use crate::scim::path::{AttrPath, AttrRef, Target};
use crate::scim::profile::Profile;
use crate::scim::schema::{ResourceType, Schema};

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

impl PatchPath {
    /// What the path names on a resource type. An unknown attribute is 400 `invalidPath`; what does not fit within the
    /// brackets is 400 `invalidFilter`.
    pub fn resolve<'s>(&self, resource_type: &'s ResourceType, profile: &Profile) -> Result<PatchTarget<'s>, ScimError> {
        let invalid = |message: String| ScimError::invalid_path(format!("Path {}: {message}", self.shown()));
        let mut attribute = match resource_type.resolve(&self.path, profile.bare_extension_names) {
            Some(Target::Attribute(attribute)) => attribute,
            Some(_) if self.filter.is_some() => {
                return Err(invalid(format!("`{}` names a schema; `[…]` follows an attribute", self.path)));
            }
            Some(Target::Resource) => return Ok(PatchTarget::Resource),
            Some(Target::Extension(schema)) => return Ok(PatchTarget::Extension(schema)),
            None => return Err(invalid(unknown_attribute(&self.path, &[resource_type]))),
        };
        let Some(filter) = &self.filter else { return Ok(PatchTarget::Attribute { attribute, filter: None }) };
        let checker = Checker { text: &self.text, label: "Path", profile, resource_type, absent_allowed: false };
        checker
            .check_brackets(&self.path, attribute, Span::default())
            .map_err(|error| ScimError::new(ScimType::InvalidPath, error.detail))?;
        let filter = checker.expr(filter, Some(attribute))?;
        if let Some(name) = &self.sub {
            let Some(sub) = attribute.attribute.sub_attribute(name) else {
                return Err(invalid(unknown_sub_attribute(name, attribute.attribute)));
            };
            attribute.sub = Some(sub);
        }
        Ok(PatchTarget::Attribute { attribute, filter: Some(filter) })
    }

    fn shown(&self) -> String {
        super::lexer::Shown(self.text.trim()).to_string()
    }
}

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
