//! The mapping language: from YAML text to the compiled form, all mistakes at once. PURE.
//!
//! source (text with places) -> compile (diagnostics) -> model (nothing in it still needs parsing).

pub mod compile;
pub mod convert;
pub mod diagnostics;
pub mod model;
pub mod path;
mod path_rules;
mod place;
pub mod source;
pub mod template;
pub mod vocabulary;
pub mod xml;

pub use compile::{Secrets, load, load_tests};
pub use diagnostics::{Code, Diagnostic, Report, Severity};
pub use model::Mapping;
