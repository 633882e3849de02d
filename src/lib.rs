#![doc = include_str!("ARCHITECTURE.md")]
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod engine;
pub mod limits;
pub mod scim;
pub mod server;
pub mod telemetry;
pub mod translate;
