//! The one integration binary. Most tests are data in `tests/fixtures`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod architecture;
mod backend_faults;
mod bad_input;
mod bulk_jobs;
mod changes;
mod cli;
mod columns;
mod conformance;
mod conformance_doc;
mod cursors;
mod demo;
mod devices;
mod docs;
mod engine_calls;
mod explained;
mod filter_cases;
mod filter_properties;
mod lifecycle;
mod list_details;
mod mapping_diagnostics;
mod natural_keys;
mod nothing_lost;
mod operations;
mod paging;
mod patch_cases;
mod pitfalls;
mod process;
mod queries;
mod readme;
mod reload;
mod scim;
mod scripted;
mod search_bodies;
mod stub;
mod support;
