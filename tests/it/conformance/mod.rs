//! The behaviour that RFC 7643 and RFC 7644 ask for, row by row; docs/conformance.md lists the rows.

mod bulk;
mod ent;
mod etag;
mod filter;
mod group;
mod i18n;
mod lists;
mod page;
mod patch;
mod patch_concurrency;
mod proj;
mod query;
mod search;
mod sec;
mod sort;
mod user;
