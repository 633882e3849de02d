//! From XML to JSON. There is no DTD, so that no entity is anything but a character.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value, map};

use crate::limits;

/// Why a document cannot be read. Says nothing of what is in it: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not in UTF-8")]
    Encoding,
    #[error("it has a document type, which may hide anything")]
    DocumentType,
    #[error("it refers to an entity that no document without a document type has")]
    Entity,
    #[error("it is nested more than {} deep", limits::XML_DEPTH)]
    Depth,
    #[error("it has more than {} elements and attributes", limits::XML_NODES)]
    Size,
    #[error("it is not well-formed")]
    Form,
}

/// An element that is not at its end.
#[derive(Default)]
struct Open {
    name: String,
    members: Map<String, Value>,
    text: String,
    /// `xsi:nil="true"`
    is_nil: bool,
}

struct Builder<'l> {
    lists: &'l [String],
    open: Vec<Open>,
    nodes: usize,
    document: Map<String, Value>,
}

/// Reads a document; `lists` are the elements that are lists, also alone. `charset` is what the media type says.
pub fn read(bytes: &[u8], charset: Option<&str>, lists: &[String]) -> Result<Value, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    // Text that is ASCII alone is the same in all encodings that servers announce for it.
    let is_read =
        |charset: &str| text.is_ascii() || charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8");
    if charset.is_some_and(|charset| !is_read(charset)) {
        return Err(Unreadable::Encoding);
    }
    let mut reader = Reader::from_str(text);
    let mut builder = Builder { lists, open: Vec::new(), nodes: 0, document: Map::new() };
    loop {
        match reader.read_event().map_err(|_| Unreadable::Form)? {
            Event::Start(start) => builder.open(&start)?,
            Event::Empty(start) => {
                builder.open(&start)?;
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(text) => builder.text(&text.xml10_content())?,
            Event::CData(text) => builder.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => builder.reference(&reference)?,
            Event::Decl(declaration) => {
                if encoding(&declaration).is_some_and(|encoding| !is_read(&encoding)) {
                    return Err(Unreadable::Encoding);
                }
            }
            Event::DocType(_) => return Err(Unreadable::DocumentType),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if builder.open.is_empty() && !builder.document.is_empty() {
        Ok(Value::Object(builder.document))
    } else {
        Err(Unreadable::Form)
    }
}

fn encoding(declaration: &BytesDecl<'_>) -> Option<String> {
    declaration.encoding()?.ok().map(Cow::into_owned)
}

// === impl Builder ===

impl Builder<'_> {
    fn count(&mut self) -> Result<(), Unreadable> {
        self.nodes += 1;
        if self.nodes > limits::XML_NODES { Err(Unreadable::Size) } else { Ok(()) }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        if self.open.len() >= limits::XML_DEPTH {
            return Err(Unreadable::Depth);
        }
        // A document has one root (XML 1.0 section 2.1).
        if self.open.is_empty() && !self.document.is_empty() {
            return Err(Unreadable::Form);
        }
        self.count()?;
        let mut element = Open { name: start.local_name().as_ref().to_owned(), ..Open::default() };
        let mut attributes = start.attributes();
        // The check compares each with all others; the map finds a second one, too.
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|_| Unreadable::Form)?;
            self.count()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Unreadable::Entity)?;
            let name = attribute.key.local_name();
            match attribute.key.prefix().map(|prefix| prefix.as_ref().to_owned()).as_deref() {
                // They are about the document, not about what it says.
                Some("xmlns") => {}
                None if name.as_ref() == "xmlns" => {}
                Some("xsi") => element.is_nil |= name.as_ref() == "nil" && matches!(value.as_ref(), "true" | "1"),
                _ => {
                    let member = format!("@{}", attribute.key.as_ref());
                    if element.members.insert(member, Value::from(value.into_owned())).is_some() {
                        return Err(Unreadable::Form);
                    }
                }
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Unreadable::Form),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Unreadable> {
        match reference.resolve_char_ref().map_err(|_| Unreadable::Form)? {
            Some(char) => self.text(char.encode_utf8(&mut [0; 4])),
            None => {
                let text = resolve_predefined_entity(reference).ok_or(Unreadable::Entity)?;
                self.text(text)
            }
        }
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let Open { name, mut members, text, is_nil } = self.open.pop().ok_or(Unreadable::Form)?;
        // Blank lines are the layout of the document; a blank may be a value.
        let is_layout = text.trim().is_empty() && (text.is_empty() || text.contains('\n') || !members.is_empty());
        let value = match (members.is_empty(), is_layout) {
            _ if is_nil => Value::Null,
            (true, true) => Value::Null,
            (true, false) => Value::from(text),
            (false, true) => Value::Object(members),
            (false, false) => {
                let has_elements = members.keys().any(|member| !member.starts_with('@'));
                let text = if has_elements { text.trim() } else { &text };
                members.insert("#text".to_owned(), Value::from(text));
                Value::Object(members)
            }
        };
        let is_list = self.lists.contains(&name);
        let Some(parent) = self.open.last_mut() else {
            self.document.insert(name, value);
            return Ok(());
        };
        match parent.members.entry(name) {
            map::Entry::Vacant(place) => {
                place.insert(if is_list { Value::Array(vec![value]) } else { value });
            }
            map::Entry::Occupied(mut place) => match place.get_mut() {
                Value::Array(values) => values.push(value),
                one => *one = Value::Array(vec![one.take(), value]),
            },
        }
        Ok(())
    }
}
