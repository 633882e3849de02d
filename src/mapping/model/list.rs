//! Lists: their pages, and what of a query the backend performs.

use std::time::Duration;

use http::HeaderName;
use serde_json::Value;

use super::{Call, Target, Tree};
use crate::mapping::path::JsonPath;
use crate::mapping::template::{Root, Template};
use crate::scim::filter::Op;

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
    /// Whether it gives, and counts, records that do not exist for SCIM.
    pub counts_gone: bool,
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
    pub size: PageSize,
    /// The largest page that the backend gives.
    pub max: u64,
    pub total: Total,
}

/// How the size of a page is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageSize {
    /// Not at all: it is the backend's.
    Fixed,
    /// By a query parameter.
    Query(String),
    /// By `{{size}}` in the call.
    Variable,
}

/// How one page is asked for. Where it is named by no query parameter the call has a variable for it.
#[derive(Debug, Clone)]
pub enum PageBy {
    /// All rows in one answer.
    Nothing,
    /// By page number.
    Number { page: Option<String>, first: u64 },
    /// By the number of rows to skip.
    Offset { offset: Option<String>, first: u64 },
    /// By a cursor that the page before it tells.
    Cursor { cursor: Option<String>, next: JsonPath },
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
    /// By what is added to the list call.
    List(Addition),
    /// By a call of its own.
    Call(Box<Lookup>),
}

/// What is added to the list call.
#[derive(Debug, Clone, Default)]
pub struct Addition {
    pub query: Vec<(String, Template)>,
    /// Parameters whose text stands in a table, by the value of SCIM that is compared with; one that is not named is not
    /// pushed down.
    pub tables: Vec<(String, Vec<(Value, String)>)>,
    /// Members of the body.
    pub body: Option<Tree>,
}

/// A look-up that is not the list call.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub call: Call,
    pub answer: LookupAnswer,
}

/// What a look-up gives.
#[expect(clippy::large_enum_variant, reason = "a look-up is in a box already")]
#[derive(Debug, Clone)]
pub enum LookupAnswer {
    /// One record here, or 404.
    One(JsonPath),
    /// All rows that match. They tell as much as the rows of the list do, and come in pages as those do, unless the mapping
    /// says otherwise: a part of the truth that looks whole is how somebody is created twice.
    Rows { items: JsonPath, paging: Paging },
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
    pub place: Addition,
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
    pub ascending: Addition,
    pub descending: Addition,
}

// === impl Paging ===

impl Paging {
    /// All rows in one answer.
    pub const fn unpaged() -> Self {
        Self { by: PageBy::Nothing, size: PageSize::Fixed, max: u64::MAX, total: Total::Counted }
    }

    /// Whether any page can be asked for without the one before it.
    pub const fn is_random_access(&self) -> bool {
        !matches!(self.by, PageBy::Cursor { .. } | PageBy::Link { .. })
    }
}

// === impl Addition ===

impl Addition {
    /// Whether a variable of it begins at a root.
    pub fn uses(&self, root: &Root) -> bool {
        let mut found = self.query.iter().flat_map(|(_, value)| value.variables()).any(|variable| variable.root == *root);
        if let Some(body) = &self.body {
            body.each(&mut |template| found |= template.variables().any(|variable| variable.root == *root));
        }
        found
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
