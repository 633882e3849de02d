//! Filters (RFC 7644 section 3.4.2.2) and PATCH paths (section 3.5.2).
//!
//! Three steps: [`parse`] reads the text into an [`Expr`]; [`Filter::check`] holds it against a resource type and gives
//! a [`Predicate`]; [`Predicate::matches`] evaluates that on a resource.
//!
//! ```text
//! pub fn parse(text: &str, profile: &Profile) -> Result<Filter, ScimError>
//! pub fn parse_path(text: &str, profile: &Profile) -> Result<PatchPath, ScimError>
//! Filter::check<'s>(&self, &'s ResourceType, &Profile) -> Result<Predicate<'s>, ScimError>
//! Filter::check_any<'s>(&self, &[&'s ResourceType], &Profile) -> Result<Vec<Predicate<'s>>, ScimError>
//! PatchPath::resolve<'s>(&self, &'s ResourceType, &Profile) -> Result<PatchTarget<'s>, ScimError>
//! Predicate::matches(&self, &Object) -> bool
//! Predicate::matches_value(&self, &Value) -> bool
//! ```

mod ast;
mod patch_path;
mod predicate;

pub use ast::{CompareOp, Expr, Filter, Literal, Span};
pub use patch_path::{PatchPath, PatchTarget};
pub use predicate::{Op, Operand, Predicate, Test};
