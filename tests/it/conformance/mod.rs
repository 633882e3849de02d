//! The behaviour that RFC 7643 and RFC 7644 ask for, row by row; docs/conformance.md lists the rows.

mod attr;
mod attr_values;
mod auth;
mod com;
mod create;
mod delete;
mod disc;
mod err;
mod http;
mod me;
mod put;
mod read;
mod sch;
mod ver;
