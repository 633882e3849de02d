//! Calls: one HTTP request to the backend each, and what its answers mean.

use std::sync::Arc;

use http::{HeaderName, Method};
use serde_json::Value;

use super::{After, Answers, Line, Target};
use crate::mapping::path::{JsonPath, Step};
use crate::mapping::source::Span;
use crate::mapping::template::{Part, Root, Template, Variable};
use crate::scim::filter::Filter;

/// One HTTP request to the backend, ready but for its values.
#[derive(Debug, Clone)]
pub struct Call {
    /// What logs and messages call it: `User.get`.
    pub name: String,
    /// Where it stands in the document.
    pub place: Span,
    pub method: Method,
    pub path: Vec<Template>,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(HeaderName, Template)>,
    pub body: Body,
    pub format: Format,
    /// Where in a good answer the payload is.
    pub envelope: JsonPath,
    /// How answers are written.
    pub answers: Arc<Answers>,
    /// What the body of a good answer must hold.
    pub success: Option<JsonPath>,
    /// What answers mean, the first match wins; the built-in rules stand at the end.
    pub rules: Arc<[Rule]>,
}

/// How bodies are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`; what is nested is written with brackets, as PHP and Rails read it.
    Form,
    Xml {
        /// The element around what the attribute map writes.
        root: Option<String>,
    },
}

/// What a call carries.
#[derive(Debug, Clone)]
pub enum Body {
    None,
    /// What the attribute map writes, and what is added to it.
    Record {
        with: Option<Tree>,
    },
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
    /// Where it stands in the document; nowhere if it is what HTTP says.
    pub place: Option<Span>,
    /// The statuses it is for; all if there are none.
    pub status: Option<std::ops::RangeInclusive<u16>>,
    /// A condition on the body.
    pub when: Option<JsonPath>,
    /// Headers, and what the value of each begins with, in lower case.
    pub headers: Vec<(HeaderName, String)>,
    pub meaning: Meaning,
    /// The detail for the client.
    pub detail: Option<Template>,
    /// For [`Meaning::UnknownMember`]: the keys that the backend does not know.
    pub members: Option<JsonPath>,
    /// For [`Meaning::Retry`] and [`Meaning::Overloaded`]: how long to wait.
    pub after: Option<After>,
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
    /// The login has ended: a new one may help, and nothing was done.
    Relogin,
    /// The backend asks for patience: 503.
    Overloaded,
    /// The backend did nothing and asks to be called again: the gateway does, a few times.
    Retry,
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

/// Creating a resource.
#[derive(Debug, Clone)]
pub struct Create {
    pub call: Call,
    pub item: JsonPath,
    /// Where the answer has the key, if it is not in a record there; the record is then read.
    pub key: Option<JsonPath>,
    /// Whether to read the resource back instead of taking the call's answer.
    pub read_back: bool,
    /// Whether a resource whose later calls fail is deleted again.
    pub undo: bool,
    pub conflict: Option<Conflict>,
    pub around: Around,
    /// The call that creates several at once.
    pub batch: Option<Box<Batch>>,
}

/// Creating several resources in one call, with a result for each.
#[derive(Debug, Clone)]
pub struct Batch {
    pub call: Call,
    /// Resources in one call.
    pub size: usize,
    /// The results, one a resource.
    pub items: JsonPath,
    /// Where a result tells its status; that of the answer if it does not.
    pub status: Option<JsonPath>,
    /// Where the record is in a result.
    pub item: JsonPath,
    /// The attribute that tells which result is whose; without it they come in the order of the resources.
    pub by: Option<Target>,
}

/// What happens if a resource of that name is there already.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The attribute that it is found by.
    pub by: Target,
    /// The resource is taken over if this matches it; nothing is taken over without.
    pub adopt: Option<Filter>,
    /// Whether to look before the call is made: the backend does not refuse.
    pub look_first: bool,
}

/// What is called before and after the call that a block describes.
#[derive(Debug, Clone, Default)]
pub struct Around {
    pub before: Vec<SideCall>,
    pub after: Vec<SideCall>,
}

/// A further call of an operation.
#[derive(Debug, Clone)]
pub struct SideCall {
    pub call: Call,
    /// It is made only if this matches the desired resource.
    pub condition: Option<Filter>,
    /// What of its answer is kept for later calls: a name, and where it is in the payload.
    pub keep: Vec<(String, JsonPath)>,
    /// The call that takes it back if a later part of the request fails.
    pub undo: Option<Call>,
}

/// A call that changes a resource.
#[derive(Debug, Clone)]
pub struct Update {
    pub call: Call,
    pub item: JsonPath,
    pub carries: Carries,
    pub send: Send,
    pub read_back: bool,
    /// Whether the resource may not exist any more afterwards.
    pub destroys: bool,
    pub around: Around,
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
    /// One, in a call of its own.
    Each,
}

/// Deleting a resource.
#[derive(Debug, Clone)]
pub enum Delete {
    Calls(Box<Deletion>),
    /// The change of an attribute to a value instead.
    Change(Target, Value),
    /// Never: the text tells why.
    Refuse(String),
}

/// The calls that delete a resource.
#[derive(Debug, Clone)]
pub struct Deletion {
    pub call: Call,
    pub around: Around,
}

// === impl Rule ===

impl Rule {
    /// A rule for statuses alone.
    pub const fn of(status: std::ops::RangeInclusive<u16>, meaning: Meaning) -> Self {
        Self {
            place: None,
            status: Some(status),
            when: None,
            headers: Vec::new(),
            meaning,
            detail: None,
            members: None,
            after: None,
        }
    }
}

// === impl Around ===

impl Around {
    pub const fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.before.iter().chain(&self.after).flat_map(|side| std::iter::once(&side.call).chain(&side.undo))
    }
}

// === impl Update ===

impl Update {
    /// Whether the call, or one around it, needs the record as it is.
    pub fn needs_record(&self) -> bool {
        let needs = |call: &Call| call.uses_any(&[Root::Record, Root::Version]);
        self.send == Send::Full || needs(&self.call) || self.around.calls().any(needs)
    }
}

// === impl Deletion ===

impl Deletion {
    /// Whether a call of the deletion holds more of the resource than its key.
    pub fn needs_record(&self) -> bool {
        let roots = [Root::Record, Root::Version];
        let conditional = self.around.before.iter().chain(&self.around.after).any(|side| side.condition.is_some());
        conditional
            || std::iter::once(&self.call).chain(self.around.calls()).any(|call| call.uses_any(&roots) || call.holds_attributes())
    }
}

// === impl Call ===

impl Call {
    /// Whether what the attribute map writes is in the body, be it a part.
    pub fn holds_fields(&self) -> bool {
        matches!(self.body, Body::Record { .. }) || self.uses_any(&[Root::Fields])
    }

    /// Whether what the attribute map writes to a place is in the body: `{{fields}}` is for all of them, `{{fields.mail}}` for
    /// one.
    pub fn holds_field(&self, place: &[String]) -> bool {
        let leads = |variable: &Variable| {
            let mut names = variable.steps.iter().zip(place);
            variable.root == Root::Fields && names.all(|(step, name)| matches!(step, Step::Name(step) if step == name))
        };
        matches!(self.body, Body::Record { .. }) || self.templates().flat_map(Template::variables).any(leads)
    }

    /// Whether the call carries the value of a line.
    pub fn carries(&self, line: &Line) -> bool {
        self.uses(&line.target) || line.shape.written().is_some_and(|place| self.holds_field(place))
    }

    /// The call with some of its variables as they are written, for people.
    #[must_use]
    pub fn standing(&self, stands: &dyn Fn(&Variable) -> bool) -> Self {
        let template = |template: &Template| template.standing(stands);
        Self {
            path: self.path.iter().map(template).collect(),
            query: self.query.iter().map(|(name, value)| (name.clone(), template(value))).collect(),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), template(value))).collect(),
            body: match &self.body {
                Body::None => Body::None,
                Body::Record { with } => Body::Record { with: with.as_ref().map(|tree| tree.standing(stands)) },
                Body::Tree(tree) => Body::Tree(tree.standing(stands)),
            },
            ..self.clone()
        }
    }

    /// All templates of the call.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let mut in_body = Vec::new();
        if let Body::Tree(tree) | Body::Record { with: Some(tree) } = &self.body {
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

    /// Whether an attribute of the resource is in the call.
    pub fn holds_attributes(&self) -> bool {
        self.templates().flat_map(Template::variables).any(|variable| matches!(variable.root, Root::Attribute { .. }))
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
    /// Whether it is an object with whatever values there are.
    pub fn is_object(&self) -> bool {
        match self {
            Self::Object(_) => true,
            Self::Template(template) => {
                matches!(template.parts(), [Part::Variable(variable)] if variable.root == Root::Fields && variable.steps.is_empty())
            }
            Self::Literal(_) | Self::List(_) => false,
        }
    }

    fn standing(&self, stands: &dyn Fn(&Variable) -> bool) -> Self {
        match self {
            Self::Literal(value) => Self::Literal(value.clone()),
            Self::Template(template) => Self::Template(template.standing(stands)),
            Self::List(items) => Self::List(items.iter().map(|item| item.standing(stands)).collect()),
            Self::Object(members) => {
                Self::Object(members.iter().map(|(name, member)| (name.standing(stands), member.standing(stands))).collect())
            }
        }
    }

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
