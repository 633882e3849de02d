//! Values that a backend holds in another form than SCIM: dates, numbers, parts of texts, elements with a key, names in tables.

mod converters;
mod destroys;
mod keyed;
mod lookups;
mod tables;

/// The schema of a user.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
