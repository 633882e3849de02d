//! The engine runs plans: one file per SCIM operation, against the ports it declares.

pub mod error;
pub mod request;

pub use error::Error;
pub use request::{Context, Names, Reply, ScimRequest};
