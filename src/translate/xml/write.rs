//! From JSON to XML.

use quick_xml::escape::{escape, partial_escape};
use serde_json::Value;

use crate::limits;
use crate::mapping::convert::text;
use crate::mapping::template::RenderError;
use crate::mapping::xml::{is_char, is_name};

/// A document that is being written: the one place where text becomes markup.
struct Document(String);

/// A document whose root element has that name.
pub fn write(root: &str, content: &Value) -> Result<String, RenderError> {
    let mut document = Document("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
    document.element(root, content, 0)?;
    Ok(document.0)
}

/// A document whose root element is the one member of an object.
pub fn write_whole(body: &Value) -> Result<String, RenderError> {
    let mut members = body.as_object().into_iter().flatten();
    match (members.next(), members.next()) {
        (Some((root, content)), None) => write(root, content),
        _ => Err(RenderError::Xml("a document has one element around all others".to_owned())),
    }
}

// === impl Document ===

impl Document {
    fn element(&mut self, name: &str, content: &Value, depth: usize) -> Result<(), RenderError> {
        if !is_name(name) {
            return Err(RenderError::Xml(format!("`{name}` is no name of an element")));
        }
        if depth >= limits::XML_DEPTH {
            return Err(RenderError::Xml(format!("it would be nested more than {} deep", limits::XML_DEPTH)));
        }
        self.0.push('<');
        self.0.push_str(name);
        match content {
            Value::Null => {
                self.0.push_str("/>");
                return Ok(());
            }
            Value::Array(_) => return Err(RenderError::Xml(format!("`{name}` is a list where one element can stand"))),
            Value::Object(members) => {
                for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                    if let Some(attribute) = member.strip_prefix('@') {
                        self.attribute(attribute, value)?;
                    }
                }
                self.0.push('>');
                for (member, value) in members.iter().filter(|(member, _)| !member.starts_with('@')) {
                    match value {
                        _ if member == "#text" => self.text(name, value)?,
                        Value::Array(items) => items.iter().try_for_each(|item| self.element(member, item, depth + 1))?,
                        value => self.element(member, value, depth + 1)?,
                    }
                }
            }
            scalar => {
                self.0.push('>');
                self.text(name, scalar)?;
            }
        }
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &Value) -> Result<(), RenderError> {
        if !is_name(name) {
            return Err(RenderError::Xml(format!("`@{name}` is no name of an attribute")));
        }
        let value = plain(name, value)?;
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        // A reader makes blanks of the line breaks and tabs in an attribute (XML 1.0 section 3.3.3).
        self.0.push_str(&escape(value).replace('\n', "&#10;").replace('\t', "&#9;"));
        self.0.push('"');
        Ok(())
    }

    fn text(&mut self, name: &str, value: &Value) -> Result<(), RenderError> {
        if !value.is_null() {
            self.0.push_str(&partial_escape(plain(name, value)?));
        }
        Ok(())
    }
}

/// A scalar as text that a document can hold.
fn plain(name: &str, value: &Value) -> Result<String, RenderError> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(RenderError::Xml(format!("`{name}` is a text, not a list or an object"))),
        scalar => {
            let text = text(scalar);
            if text.chars().all(is_char) { Ok(text) } else { Err(RenderError::Character(name.to_owned())) }
        }
    }
}
