//! The compiled form of a mapping. Nothing in it still needs parsing.

mod answer;
mod auth;
mod call;
mod calls;
mod list;
mod membership;
mod trial;

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use serde_json::Value;

pub use self::answer::{After, Answers, Rate};
pub use self::auth::{Auth, Encode, Expires, Hash, Identity, Key, Session, Signing, Source, Tls};
pub use self::call::{
    Around, Batch, Body, Call, Carries, Conflict, Create, Delete, Deletion, Format, Get, Meaning, Rule, Send, SideCall, Tree,
    Update,
};
pub use self::list::{
    Accepts, Addition, Form, How, Language, List, Lookup, LookupAnswer, PageBy, PageSize, Paging, PushDown, Quote, Scan,
    SortPushDown, Total,
};
pub use self::membership::{
    Element, Inline, MemberCall, MemberList, Members, Membership, MembershipChange, Results, UnknownMember,
};
pub use self::trial::{Answered, Exchange, Expectation, Given, NoAnswer, Sent, Target as CallTarget, Trial, Turn, Wanted};
use super::convert::Converter;
use super::path::{JsonPath, WritePath};
use super::template::Template;
use crate::scim::{AttrRef, ResourceType, ScimError, Type};

/// A backend and how SCIM maps onto it.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub name: String,
    pub digests: Digests,
    pub backend: Backend,
    /// Tables of names and ids of other collections.
    pub lookups: Vec<NameTable>,
    /// The resource types, in the order of the document.
    pub resources: Vec<Resource>,
    /// The tests that stand in the document. Who serves the mapping has no use for them.
    pub tests: Vec<Trial>,
}

/// Digests of what was written, with references to secrets as they stand: the same digest is the same mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    pub document: Digest,
    pub backend: Digest,
}

/// A SHA-256.
pub type Digest = [u8; 32];

/// Where the backend is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Scheme, authority and the path before every call's, without a slash at its end.
    pub url: Uri,
    /// Headers of every call; those that may be secret are marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub auth: Auth,
    pub tls: Tls,
    /// The time for one call.
    pub timeout: Duration,
    /// Calls side by side for one request.
    pub concurrency: usize,
    /// How long it may take until what was written shows in what is read.
    pub lag: Duration,
    /// How often it may be called, by the whole process.
    pub rate: Option<Rate>,
    /// Whether some of its answers ask for a repetition.
    pub retries: bool,
}

/// A table of names and ids of another collection of the backend.
#[derive(Debug, Clone)]
pub struct NameTable {
    /// What lines call it.
    pub name: String,
    pub call: Call,
    pub items: JsonPath,
    pub paging: Paging,
    /// Where the name is in a row.
    pub label: JsonPath,
    pub id: JsonPath,
    /// How long what was read is good.
    pub keep: Duration,
    /// How what is missing is created.
    pub create: Option<NewEntry>,
}

/// The call that creates what a name is the name of.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub call: Call,
    /// Where the id is in the payload; without it the table is read again.
    pub id: Option<JsonPath>,
}

/// A resource type and its calls.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What the mapping can hold of the schemas; this is published and checked against.
    pub kind: ResourceType,
    pub id: Id,
    /// Records for which this holds, in a list of their own, do not exist for SCIM.
    pub gone: Option<JsonPath>,
    pub version: Version,
    pub lines: Vec<Line>,
    pub get: Option<Get>,
    pub list: Option<List>,
    pub create: Option<Create>,
    pub update: Vec<Update>,
    pub delete: Option<Delete>,
    /// Its members, for a group.
    pub members: Option<Membership>,
    /// The resource type whose membership gives this type's `groups`, if one does.
    pub groups: Option<usize>,
}

/// Where the version of a resource comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Version {
    /// A hash of the resource.
    #[default]
    Hash,
    /// A field of the record; the line of `meta.version` reads it.
    Field,
    /// A header of the answers to the calls about one resource.
    Header(HeaderName),
}

/// Where the key of a record stands, and its form in SCIM.
#[derive(Debug, Clone)]
pub struct Id {
    pub path: JsonPath,
    pub convert: Vec<Converter>,
}

// === impl Id ===

impl Id {
    /// Whether a line writes the key: a change of it gives the resource another id. RFC 7643 section 3.1 wants ids that stay, but
    /// a backend whose names are its keys has no others.
    pub fn is_written_by(&self, line: &Line) -> bool {
        line.shape.place().is_some_and(|place| self.path.to_write().as_ref() == Some(place))
    }
}

/// A top-level attribute or sub-attribute, as the schemas spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URN, for an attribute of an extension.
    pub extension: Option<String>,
    pub attribute: String,
    /// Of an attribute with many values the one that has these sub-attributes, by their names: a fixed column of the backend,
    /// `emails[type eq "work"].value`. Empty for all others.
    pub tags: Vec<(String, Value)>,
    pub sub: Option<String>,
}

/// A line of the attribute map.
#[derive(Debug, Clone)]
pub struct Line {
    pub target: Target,
    pub shape: Shape,
}

/// What a line ties together.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A singular attribute or sub-attribute and a field.
    Field(Field),
    /// A multi-valued attribute of plain values and an array.
    Values(Values),
    /// A multi-valued complex attribute and an array of objects.
    Each(Each),
}

/// One value in both directions.
#[derive(Debug, Clone)]
pub struct Field {
    pub read: Option<Read>,
    pub write: Option<WritePath>,
    /// In the order from the backend to SCIM.
    pub convert: Vec<Converter>,
    /// What is read where the backend has nothing.
    pub default: Option<Value>,
    /// What clearing sends.
    pub clear: Clear,
    /// The resource type whose id the value is.
    pub refers: Option<usize>,
    /// What a create writes where the client sends nothing.
    pub initial: Option<Initial>,
    /// The type that it has in SCIM.
    pub kind: Type,
}

/// What a create writes where the client sends nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Initial {
    Value(Value),
    /// A text of so many characters that nobody can guess.
    Random(usize),
}

/// Where a value is read from.
#[derive(Debug, Clone)]
pub enum Read {
    Path(JsonPath),
    /// A text computed from the record.
    Template(Template),
}

/// What is sent for an attribute that is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clear {
    #[default]
    Null,
    Empty,
    Omit,
}

/// An array of plain values; or one text with all of them, if the first converter is [`Converter::Split`].
#[derive(Debug, Clone)]
pub struct Values {
    pub items: JsonPath,
    pub write: Option<WritePath>,
    pub convert: Vec<Converter>,
    /// The type that each has in SCIM.
    pub kind: Type,
}

/// An array of objects; the paths of the fields begin at an element.
#[derive(Debug, Clone)]
pub struct Each {
    pub items: JsonPath,
    pub write: Option<WritePath>,
    pub fields: Vec<(String, Field)>,
}

// === impl Resource ===

impl Resource {
    /// What the client is told of an id that nothing has.
    pub fn not_found(&self, id: &str) -> ScimError {
        ScimError::not_found(format!("There is no {} with the id \"{id}\".", self.kind.name))
    }
}

// === impl Target ===

impl Target {
    /// The attribute that a reference names.
    pub fn of(reference: &AttrRef<'_>) -> Self {
        Self {
            extension: reference.extension.map(|schema| schema.id.clone()),
            attribute: reference.attribute.name.clone(),
            tags: Vec::new(),
            sub: reference.sub.map(|sub| sub.name.clone()),
        }
    }

    /// Whether a reference names the same top-level attribute.
    pub fn same_attribute(&self, reference: &AttrRef<'_>) -> bool {
        self.attribute == reference.attribute.name && self.extension.as_ref() == reference.extension.map(|schema| &schema.id)
    }

    /// Whether a reference names exactly this.
    pub fn names(&self, reference: &AttrRef<'_>) -> bool {
        self.tags.is_empty()
            && self.same_attribute(reference)
            && self.sub.as_deref() == reference.sub.map(|sub| sub.name.as_str())
    }

    /// Whether a value of the attribute is that of the column.
    pub fn has_tags(&self, value: &Value) -> bool {
        self.tags.iter().all(|(name, tag)| value.get(name) == Some(tag))
    }

    /// Whether both name the same top-level attribute.
    pub fn same_top(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.extension == other.extension
    }

    /// The reference into the schemas of a resource type.
    pub fn resolve<'s>(&self, kind: &'s ResourceType) -> Option<AttrRef<'s>> {
        let (extension, attribute) = match &self.extension {
            Some(uri) => {
                let schema = &kind.extension(uri)?.schema;
                (Some(schema), schema.attribute(&self.attribute)?)
            }
            None => (None, kind.attribute(&self.attribute)?),
        };
        let sub = match &self.sub {
            Some(sub) => Some(attribute.sub_attribute(sub)?),
            None => None,
        };
        Some(AttrRef { extension, attribute, sub })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(uri) = &self.extension {
            write!(f, "{uri}:")?;
        }
        f.write_str(&self.attribute)?;
        for (index, (name, value)) in self.tags.iter().enumerate() {
            let before = if index == 0 { "[" } else { " and " };
            write!(f, "{before}{name} eq {value}")?;
        }
        if !self.tags.is_empty() {
            f.write_str("]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

// === impl Shape ===

impl Shape {
    /// Whether the backend takes the attribute.
    pub fn is_writable(&self) -> bool {
        match self {
            Self::Field(field) => field.write.is_some(),
            Self::Values(values) => values.write.is_some(),
            Self::Each(each) => each.write.is_some(),
        }
    }

    /// The place that is written.
    pub fn place(&self) -> Option<&WritePath> {
        match self {
            Self::Field(field) => field.write.as_ref(),
            Self::Values(values) => values.write.as_ref(),
            Self::Each(each) => each.write.as_ref(),
        }
    }

    /// The names that lead to the place that is written.
    pub fn written(&self) -> Option<&[String]> {
        self.place().map(WritePath::names)
    }

    /// Whether a name in it stands for an id of another collection.
    pub fn looks_up(&self) -> bool {
        let mut found = false;
        self.each_table(&mut |_| found = true);
        found
    }

    /// Visits the places of the look-ups that names in it are in.
    pub fn each_table(&self, visit: &mut dyn FnMut(usize)) {
        let mut add = |converters: &[Converter]| {
            if let Some(Converter::Lookup { table, .. }) = converters.last() {
                visit(*table);
            }
        };
        match self {
            Self::Field(field) => add(&field.convert),
            Self::Values(values) => add(&values.convert),
            Self::Each(each) => each.fields.iter().for_each(|(_, field)| add(&field.convert)),
        }
    }

    /// Whether the backend gives the attribute.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::Field(field) => field.read.is_some(),
            Self::Values(_) | Self::Each(_) => true,
        }
    }
}

// === impl Mapping ===

impl Mapping {
    /// The resource type served at an endpoint (`/Users`); endpoints are case-sensitive.
    pub fn at(&self, endpoint: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.kind.endpoint == endpoint)
    }
}
