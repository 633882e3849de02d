//! The compiled form of a mapping. Nothing in it still needs parsing.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;

use super::convert::Converter;
use super::path::{JsonPath, Step, WritePath};
use super::template::{Root, Template};
use crate::scim::filter::Op;
use crate::scim::{AttrRef, ResourceType};

/// A backend and how SCIM maps onto it.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub name: String,
    pub backend: Backend,
    /// The resource types, in the order of the document.
    pub resources: Vec<Resource>,
}

/// Where the backend is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Scheme, authority and the path before every call's, without a slash at its end.
    pub url: Uri,
    /// Headers of every call, credentials among them; those are marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The time for one call.
    pub timeout: Duration,
    /// Calls side by side for one request.
    pub concurrency: usize,
}

/// A resource type and its calls.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What the mapping can hold of the schemas; this is published and checked against.
    pub kind: ResourceType,
    pub id: Id,
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

/// Where the key of a record stands, and its form in SCIM.
#[derive(Debug, Clone)]
pub struct Id {
    pub path: JsonPath,
    pub convert: Vec<Converter>,
}

/// A top-level attribute or sub-attribute, as the schemas spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URN, for an attribute of an extension.
    pub extension: Option<String>,
    pub attribute: String,
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

/// An array of plain values.
#[derive(Debug, Clone)]
pub struct Values {
    pub items: JsonPath,
    pub write: Option<WritePath>,
    pub convert: Vec<Converter>,
}

/// An array of objects; the paths of the fields begin at an element.
#[derive(Debug, Clone)]
pub struct Each {
    pub items: JsonPath,
    pub write: Option<WritePath>,
    pub fields: Vec<(String, Field)>,
}

/// One HTTP request to the backend, ready but for its values.
#[derive(Debug, Clone)]
pub struct Call {
    /// What logs and messages call it: `User.get`.
    pub name: String,
    pub method: Method,
    pub path: Vec<Template>,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(HeaderName, Template)>,
    pub body: Body,
    /// Where in a good answer the payload is.
    pub envelope: JsonPath,
    /// What answers mean, the first match wins; the built-in rules stand at the end.
    pub rules: Arc<[Rule]>,
}

/// What a call carries.
#[derive(Debug, Clone)]
pub enum Body {
    None,
    /// What the attribute map writes.
    Record,
    /// What the mapping spells out.
    Tree(Tree),
}

/// A JSON document with templates as leaves.
#[derive(Debug, Clone)]
pub enum Tree {
    Literal(Value),
    Template(Template),
    List(Vec<Self>),
    /// The names may be templates too.
    Object(Vec<(Template, Self)>),
}

/// A row of the error table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The statuses it is for; all if there are none.
    pub status: Option<std::ops::RangeInclusive<u16>>,
    /// A condition on the body.
    pub when: Option<JsonPath>,
    pub meaning: Meaning,
    /// The detail for the client.
    pub detail: Option<Template>,
    /// For [`Meaning::UnknownMember`]: the keys that the backend does not know.
    pub members: Option<JsonPath>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// There is no such resource: 404.
    NotFound,
    /// A value is taken: 409 uniqueness.
    Uniqueness,
    /// The backend does not take a value: 400 invalidValue.
    InvalidValue,
    /// The backend does not let the value be changed: 400 mutability.
    Mutability,
    /// The revision is not the present one: read again, plan again; 412 if the client asked for a version.
    Stale,
    /// What was asked for is so already.
    Done,
    /// A member is not known to the backend.
    UnknownMember,
    /// The client may not do this: 403.
    Forbidden,
    /// The backend refuses the gateway's credentials.
    Unauthorized,
    /// The backend asks for patience: 503.
    Overloaded,
    /// The backend failed: 502.
    Failed,
}

/// Reading one resource.
#[derive(Debug, Clone)]
pub struct Get {
    pub call: Call,
    /// Where the record is in the payload.
    pub item: JsonPath,
}

/// Listing resources.
#[derive(Debug, Clone)]
pub struct List {
    pub call: Call,
    pub items: JsonPath,
    pub paging: Paging,
    pub filters: Vec<PushDown>,
    /// Whether several push-downs may be sent in one call; the backend then gives what satisfies all of them.
    pub together: bool,
    /// The backend's own query language, if it has one.
    pub language: Option<Language>,
    pub sorts: Vec<SortPushDown>,
    pub scan: Scan,
    /// The attributes that a row tells, if not all; the others cost a call a row, and only where they are asked for.
    pub has: Option<Vec<Target>>,
}

/// How far one request may walk through a list, and how long what was found is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    pub rows: usize,
    pub calls: usize,
    pub time: Duration,
    /// How long the later pages of a query are served from the walk of its first page; zero for not at all.
    pub keep: Duration,
}

/// How a list comes in pages.
#[derive(Debug, Clone)]
pub struct Paging {
    pub by: PageBy,
    /// The query parameter of the page size, if the size can be chosen.
    pub size: Option<String>,
    /// The largest page that the backend gives.
    pub max: u64,
    pub total: Total,
}

/// How one page is asked for.
#[derive(Debug, Clone)]
pub enum PageBy {
    /// All rows in one answer.
    Nothing,
    /// By page number.
    Number { page: String, first: u64 },
    /// By the number of rows to skip.
    Offset { offset: String, first: u64 },
    /// By a cursor that the page before it tells.
    Cursor { cursor: String, next: JsonPath },
    /// By a URL that the page before it tells: in its body, or in its header Link (RFC 8288).
    Link { next: Option<JsonPath> },
    /// By the header Range in units of rows; the answer is 206 with Content-Range (RFC 9110 section 14).
    Range { unit: String },
}

/// Where the number of all rows is told.
#[derive(Debug, Clone)]
pub enum Total {
    /// Nowhere: it is counted by a walk.
    Counted,
    Body(JsonPath),
    Header(HeaderName),
    /// Behind the slash of Content-Range.
    ContentRange,
    /// By a call of its own, with the same filter parameters as the list.
    Call {
        call: Box<Call>,
        at: JsonPath,
    },
}

/// A comparison that the backend performs.
#[derive(Debug, Clone)]
pub struct PushDown {
    pub target: Target,
    pub op: Op,
    pub how: How,
    /// Whether the backend compares as SCIM does. If not, it may give more, never less, and the gateway looks again.
    pub exact: bool,
    /// How many rows it is likely to give.
    pub rows: Option<u64>,
    pub accepts: Accepts,
}

/// How a comparison is asked for.
#[derive(Debug, Clone)]
pub enum How {
    /// By parameters of the list call.
    Query(Vec<(String, Template)>),
    /// By a call of its own.
    Call(Box<Lookup>),
}

/// A look-up that is not the list call.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub call: Call,
    pub answer: LookupAnswer,
}

/// What a look-up gives.
#[derive(Debug, Clone)]
pub enum LookupAnswer {
    /// One record here, or 404.
    One(JsonPath),
    /// All rows that match.
    Rows(JsonPath),
}

/// Which values a push-down can carry; others are left to the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepts {
    /// Characters at the most.
    pub max: Option<usize>,
    /// Characters that the value must not hold.
    pub without: String,
}

/// A query language, as templates.
#[derive(Debug, Clone)]
pub struct Language {
    /// Where the expression goes.
    pub query: Vec<(String, Template)>,
    /// The names of attributes in the language.
    pub fields: Vec<(Target, String)>,
    pub quote: Quote,
    pub forms: Vec<(Form, Tree)>,
    /// Whether expressions are texts; else they are JSON.
    pub text: bool,
    pub exact: bool,
}

/// A construct of a query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Test(Op),
    And,
    Or,
    Not,
}

/// How a text is written in a query language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    pub open: String,
    pub close: String,
    pub escape: Vec<(char, String)>,
    /// Characters for which the language has no way at all.
    pub without: String,
}

/// An order that the backend gives.
#[derive(Debug, Clone)]
pub struct SortPushDown {
    pub target: Target,
    pub ascending: Vec<(String, Template)>,
    pub descending: Vec<(String, Template)>,
}

/// Creating a resource.
#[derive(Debug, Clone)]
pub struct Create {
    pub call: Call,
    pub item: JsonPath,
    /// Whether to read the resource back instead of taking the call's answer.
    pub read_back: bool,
    /// Whether a resource whose later calls fail is deleted again.
    pub undo: bool,
}

/// A call that changes a resource.
#[derive(Debug, Clone)]
pub struct Update {
    pub call: Call,
    pub item: JsonPath,
    pub carries: Carries,
    pub send: Send,
    pub read_back: bool,
}

/// What an update call is for.
#[derive(Debug, Clone)]
pub enum Carries {
    /// Every writable attribute that no other update call carries.
    Rest,
    /// These attributes.
    Attributes(Vec<Target>),
    /// The change of an attribute to a value.
    Transition(Target, Value),
}

/// Which attributes a body that the attribute map writes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Send {
    /// Those that change.
    #[default]
    Changed,
    /// All of them.
    Full,
}

/// Deleting a resource.
#[derive(Debug, Clone)]
pub enum Delete {
    Call(Box<Call>),
    /// Never: the text tells why.
    Refuse(String),
}

/// The members of a group as a relation.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The resource type of the members.
    pub of: usize,
    pub list: MemberList,
    pub add: Option<MemberCall>,
    pub remove: Option<MemberCall>,
    /// The groups of a member.
    pub groups: Option<MemberList>,
    pub unknown: UnknownMember,
}

/// A list of members, or of a member's groups.
#[derive(Debug, Clone)]
pub struct MemberList {
    pub call: Call,
    pub items: JsonPath,
    pub paging: Paging,
    /// Where the key is in a row.
    pub key: JsonPath,
    pub display: Option<JsonPath>,
}

/// Adding or removing members.
#[derive(Debug, Clone)]
pub struct MemberCall {
    pub call: Call,
    /// Members in one call.
    pub batch: usize,
}

/// What happens to a member that the backend does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownMember {
    /// The known ones are taken, the others reported in the log; a request in which none is known is refused.
    #[default]
    Skip,
    /// The request is refused.
    Refuse,
}

// === impl Target ===

impl Target {
    /// The attribute that a reference names.
    pub fn of(reference: &AttrRef<'_>) -> Self {
        Self {
            extension: reference.extension.map(|schema| schema.id.clone()),
            attribute: reference.attribute.name.clone(),
            sub: reference.sub.map(|sub| sub.name.clone()),
        }
    }

    /// Whether a reference names the same top-level attribute.
    pub fn same_attribute(&self, reference: &AttrRef<'_>) -> bool {
        self.attribute == reference.attribute.name && self.extension.as_ref() == reference.extension.map(|schema| &schema.id)
    }

    /// Whether a reference names exactly this.
    pub fn names(&self, reference: &AttrRef<'_>) -> bool {
        self.same_attribute(reference) && self.sub.as_deref() == reference.sub.map(|sub| sub.name.as_str())
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

    /// The names that lead to the place that is written.
    pub fn written(&self) -> Option<&[String]> {
        let place = match self {
            Self::Field(field) => field.write.as_ref(),
            Self::Values(values) => values.write.as_ref(),
            Self::Each(each) => each.write.as_ref(),
        };
        place.map(WritePath::names)
    }

    /// Whether the backend gives the attribute.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::Field(field) => field.read.is_some(),
            Self::Values(_) | Self::Each(_) => true,
        }
    }
}

// === impl Paging ===

impl Paging {
    /// All rows in one answer.
    pub const fn unpaged() -> Self {
        Self { by: PageBy::Nothing, size: None, max: u64::MAX, total: Total::Counted }
    }

    /// Whether any page can be asked for without the one before it.
    pub const fn is_random_access(&self) -> bool {
        !matches!(self.by, PageBy::Cursor { .. } | PageBy::Link { .. })
    }
}

// === impl Accepts ===

impl Accepts {
    /// Whether the value can be carried.
    pub fn takes(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                self.max.is_none_or(|max| text.chars().count() <= max) && !text.contains(|c| self.without.contains(c))
            }
            _ => true,
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

// === impl Call ===

impl Call {
    /// Whether the call changes nothing (RFC 9110 section 9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// All templates of the call.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let mut in_body = Vec::new();
        if let Body::Tree(tree) = &self.body {
            tree.each(&mut |template| in_body.push(template));
        }
        self.path
            .iter()
            .chain(self.query.iter().map(|(_, value)| value))
            .chain(self.headers.iter().map(|(_, value)| value))
            .chain(in_body)
    }

    /// Whether a variable of the call begins at one of the roots.
    pub fn uses_any(&self, roots: &[Root]) -> bool {
        self.templates().flat_map(Template::variables).any(|variable| roots.contains(&variable.root))
    }

    /// Whether a template of the call holds the attribute, or the sub-attribute.
    pub fn uses(&self, target: &Target) -> bool {
        self.templates().flat_map(Template::variables).any(|variable| {
            let Root::Attribute { extension, name } = &variable.root else { return false };
            let part = match (&target.sub, variable.steps.first()) {
                (Some(sub), Some(Step::Name(step))) => sub == step,
                _ => true,
            };
            part && *name == target.attribute && *extension == target.extension
        })
    }
}

// === impl Tree ===

impl Tree {
    /// Visits every template in the document.
    pub fn each<'t>(&'t self, visit: &mut dyn FnMut(&'t Template)) {
        match self {
            Self::Literal(_) => {}
            Self::Template(template) => visit(template),
            Self::List(items) => items.iter().for_each(|item| item.each(visit)),
            Self::Object(members) => {
                for (name, member) in members {
                    visit(name);
                    member.each(visit);
                }
            }
        }
    }
}
