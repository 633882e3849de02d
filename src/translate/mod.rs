//! Translation: a SCIM request and a compiled mapping become a plan; what the backend answers becomes SCIM. PURE.

pub mod call;
pub mod change;
pub mod columns;
mod conjunct;
pub mod create;
pub mod details;
pub mod explain;
pub mod language;
pub mod lookup;
pub mod merge;
pub mod operand;
pub mod outcome;
pub mod pages;
pub mod query;
pub mod read;
pub mod relation;
pub mod write;
pub mod xml;
