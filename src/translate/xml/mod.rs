//! XML, in the form that the mapping language has for it: that of JSON, so that paths and bodies mean one thing.
//!
//! The root element is the one member of the document, an element the member of its parent that has its local name. Elements of
//! one name are a list; so is one alone, if the mapping says that it is one of several. An element with nothing in it but text is
//! that text, an empty one null. Attributes are the members `@name`, with their prefix; text beside attributes or elements is the
//! member `#text`.

mod read;
mod write;

pub use read::{Unreadable, read};
pub use write::{write, write_whole};

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
