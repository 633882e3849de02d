//! A filter that fits a resource type: names are attributes, operands have the attribute's type.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::ast::{CompareOp, write_string};
use crate::scim::path::AttrRef;

/// A checked filter, borrowed from the resource type; see [`super::Filter::check`].
///
/// `And` and `Or` have at least two operands, none of their own kind and no constants.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate<'s> {
    /// Matches everything. Only constants come out of attributes that a resource type does not have
    /// ([`super::Filter::check_any`]); a filter on one type has none.
    True,
    /// Matches nothing.
    False,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test(Test<'s>),
    /// `target[filter]`: one value of the attribute satisfies the whole filter. The tests within name
    /// the attribute and its sub-attribute.
    ValuePath {
        target: AttrRef<'s>,
        filter: Box<Self>,
    },
}

/// One comparison. A multi-valued attribute satisfies it if any value does; `ne` is the negation of `eq`.
#[derive(Debug, Clone, PartialEq)]
pub struct Test<'s> {
    /// Never a complex attribute without sub-attribute, except with [`Op::Pr`].
    pub target: AttrRef<'s>,
    pub op: Op,
    pub value: Operand,
}

/// The operators of RFC 7644 Table 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
    Pr,
}

/// What is compared with; its kind follows the type of the attribute. `null` does not occur: `eq null` becomes
/// `not (… pr)` and `ne null` becomes `pr`.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// For string, reference and binary attributes, and for `co`, `sw` and `ew` on a dateTime.
    String(String),
    Number(Number),
    Boolean(bool),
    /// For dateTime attributes: the instant and the text as the client wrote it.
    Instant {
        at: Timestamp,
        text: String,
    },
    /// With [`Op::Pr`] only.
    None,
}

// === impl Predicate ===

impl<'s> Predicate<'s> {
    /// The conjunction; flat and without constants.
    pub fn and(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand {
                Self::True => {}
                Self::False => return Self::False,
                Self::And(more) => flat.extend(more),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::True,
            1 => flat.pop().unwrap_or(Self::True),
            _ => Self::And(flat),
        }
    }

    /// The disjunction; flat and without constants.
    pub fn or(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand {
                Self::False => {}
                Self::True => return Self::True,
                Self::Or(more) => flat.extend(more),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::False,
            1 => flat.pop().unwrap_or(Self::False),
            _ => Self::Or(flat),
        }
    }

    /// The negation.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Visits every attribute that the predicate depends on; one that is named twice is visited twice.
    pub fn attributes(&self, visit: &mut dyn FnMut(AttrRef<'s>)) {
        match self {
            Self::True | Self::False => {}
            Self::And(operands) | Self::Or(operands) => operands.iter().for_each(|operand| operand.attributes(visit)),
            Self::Not(inner) => inner.attributes(visit),
            Self::Test(test) => visit(test.target),
            Self::ValuePath { target, filter } => {
                visit(*target);
                filter.attributes(visit);
            }
        }
    }

    /// What a value must hold to satisfy the predicate, if that is a conjunction of `eq` tests only; a PATCH creates a
    /// value from it. `None` also if two tests want different values of one attribute: nothing could satisfy both.
    pub fn equalities(&self) -> Option<Vec<(AttrRef<'s>, Value)>> {
        let tests = match self {
            Self::Test(_) => std::slice::from_ref(self),
            Self::And(operands) => operands.as_slice(),
            _ => return None,
        };
        let mut found: Vec<(AttrRef<'s>, Value)> = Vec::with_capacity(tests.len());
        for test in tests {
            let Self::Test(Test { target, op: Op::Eq, value }) = test else { return None };
            let value = value.to_value()?;
            let same = |(other, _): &&(AttrRef<'s>, Value)| {
                other.same_attribute(target) && other.sub.map(|s| &s.name) == target.sub.map(|s| &s.name)
            };
            match found.iter().find(same) {
                Some((_, present)) if *present != value => return None,
                Some(_) => {}
                None => found.push((*target, value)),
            }
        }
        Some(found)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, inside: bool) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, operands: &[Self], word: &str, within_and: bool| {
            for (i, operand) in operands.iter().enumerate() {
                if i > 0 {
                    f.write_str(word)?;
                }
                if within_and && matches!(operand, Self::Or(_)) {
                    f.write_str("(")?;
                    operand.write(f, inside)?;
                    f.write_str(")")?;
                } else {
                    operand.write(f, inside)?;
                }
            }
            Ok(())
        };
        match self {
            Self::True => f.write_str("true"),
            Self::False => f.write_str("false"),
            Self::And(operands) => join(f, operands, " and ", true),
            Self::Or(operands) => join(f, operands, " or ", false),
            Self::Not(inner) => {
                f.write_str("not (")?;
                inner.write(f, inside)?;
                f.write_str(")")
            }
            Self::Test(test) => {
                match (inside, test.target.sub) {
                    (true, Some(sub)) => f.write_str(&sub.name)?,
                    (true, None) => f.write_str("value")?,
                    (false, _) => write!(f, "{}", test.target)?,
                }
                match &test.value {
                    Operand::None => write!(f, " {}", test.op),
                    value => write!(f, " {} {value}", test.op),
                }
            }
            Self::ValuePath { target, filter } => {
                write!(f, "{target}[")?;
                filter.write(f, true)?;
                f.write_str("]")
            }
        }
    }
}

/// As a filter with canonical names. The constants have no spelling in the RFC; they are written `true` and `false`.
impl fmt::Display for Predicate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

// === impl Op ===

impl Op {
    /// All operators, in the order of Table 3, then `pr`.
    pub const ALL: [Self; 10] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le, Self::Pr];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Pr => "pr",
        }
    }

    /// The operator of that name, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether it compares by order: `gt`, `ge`, `lt`, `le`.
    pub const fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// Whether it looks at a part of a text: `co`, `sw`, `ew`.
    pub const fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }
}

impl From<CompareOp> for Op {
    fn from(op: CompareOp) -> Self {
        match op {
            CompareOp::Eq => Self::Eq,
            CompareOp::Ne => Self::Ne,
            CompareOp::Co => Self::Co,
            CompareOp::Sw => Self::Sw,
            CompareOp::Ew => Self::Ew,
            CompareOp::Gt => Self::Gt,
            CompareOp::Ge => Self::Ge,
            CompareOp::Lt => Self::Lt,
            CompareOp::Le => Self::Le,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Operand ===

impl Operand {
    /// As JSON; `None` for [`Operand::None`].
    pub fn to_value(&self) -> Option<Value> {
        match self {
            Self::String(text) | Self::Instant { text, .. } => Some(Value::String(text.clone())),
            Self::Number(number) => Some(Value::Number(number.clone())),
            Self::Boolean(boolean) => Some(Value::Bool(*boolean)),
            Self::None => None,
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) | Self::Instant { text, .. } => write_string(f, text),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::None => Ok(()),
        }
    }
}
