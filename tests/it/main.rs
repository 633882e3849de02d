//! The one integration binary. Most tests are data in `tests/fixtures`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod architecture;
mod cli;
mod demo;
mod engine_calls;
mod filter_cases;
mod filter_properties;
mod operations;
mod patch_cases;
mod process;
mod queries;
mod readme;
mod support;
