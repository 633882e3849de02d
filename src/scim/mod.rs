//! SCIM 2.0 (RFC 7643, RFC 7644) as a pure library: no async, no I/O, no clock, nothing about mappings or backends.
//!
//! A resource is a JSON object in canonical form: attribute names as the schema spells them, extension attributes
//! under the URN of their schema, no unassigned values.

mod access;
pub mod bulk;
pub mod compare;
pub mod error;
pub mod etag;
pub mod filter;
pub mod json;
mod members;
pub mod messages;
pub mod patch;
pub mod path;
pub mod profile;
pub mod projection;
pub mod resource;
pub mod schema;
mod simple;
pub mod sort;
mod value;

pub use error::{ScimError, ScimType};
pub use filter::{Filter, PatchPath, PatchTarget, Predicate};
pub use path::{AttrPath, AttrRef, Target};
pub use profile::Profile;
pub use projection::Projection;
pub use schema::{Attribute, Extension, Mutability, ResourceType, Returned, Schema, Type, Uniqueness};

/// A JSON object: the form of every resource and message.
pub type Object = serde_json::Map<String, serde_json::Value>;
