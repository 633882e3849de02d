//! Filters (RFC 7644 section 3.4.2.2) and PATCH paths (section 3.5.2).
//!
//! Three steps: [`parse`] reads the text into an [`Expr`]; [`Filter::check`] holds it against a resource type and gives
//! a [`Predicate`]; [`Predicate::matches`] evaluates that on a resource.

mod advice;
mod ast;
mod check;
mod complaints;
mod evaluate;
mod lexer;
mod literal;
mod parser;
mod patch_path;
mod predicate;

pub(in crate::scim) use advice::{listed, similar, unknown_attribute};
pub use ast::{CompareOp, Expr, Filter, Literal, Span};
pub use parser::{parse, parse_path};
pub use patch_path::{PatchPath, PatchTarget};
pub use predicate::{Op, Operand, Predicate, Test};

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
