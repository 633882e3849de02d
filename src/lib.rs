#![doc = include_str!("ARCHITECTURE.md")]
#![forbid(unsafe_code)]

pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
pub mod demo;
pub mod engine;
pub mod limits;
pub mod mapping;
pub mod scim;
pub mod server;
pub mod telemetry;
pub mod translate;
pub mod trial;
