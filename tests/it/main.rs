//! The one integration binary. Most tests are data in `tests/fixtures`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod demo;
mod engine_calls;
mod filter_cases;
mod filter_properties;
mod mapping_diagnostics;
mod patch_cases;
mod support;
