#![doc = include_str!("ARCHITECTURE.md")]
#![forbid(unsafe_code)]

pub mod demo;
pub mod engine;
pub mod limits;
pub mod mapping;
pub mod scim;
pub mod translate;
