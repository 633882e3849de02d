//! Inbound HTTP. [`stack`] is the one tower stack, [`listener`] the connections around it, [`rescue`] the only place
//! where an error becomes a response. What a request means is for [`routes`] and [`handle`] to find out; what it does
//! is behind the [`Service`] port.

pub mod auth;
pub mod base;
pub mod body;
pub mod deadline;
pub mod error;
pub mod handle;
pub mod listener;
pub mod media;
pub mod options;
pub mod port;
pub mod query;
pub mod rescue;
pub mod respond;
pub mod routes;
pub mod shed;
pub mod stack;
pub mod step;
pub mod trace;

#[cfg(test)]
#[path = "fake_tests.rs"]
pub(crate) mod fake;

pub use error::Error;
pub use listener::{Connections, Drained, serve};
pub use options::Options;
pub use port::{Service, Services};
pub use stack::Stack;
