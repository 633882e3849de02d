//! What a filter says (RFC 7644 section 3.4.2.2), before any schema is looked at.

use std::fmt;

use serde_json::Number;

use crate::scim::path::AttrPath;

/// Where something stands in the text, in bytes.
///
/// All spans are equal: where an expression stands is no part of what it says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A filter as it was written; see [`super::parse`].
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub(super) text: String,
    pub(super) expr: Expr,
}

/// An expression. `And` and `Or` have at least two operands and none of their own kind: `a and (b and c)` is one `And`.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// `path op value`; `at` is the span of the path, `value_at` that of the value.
    Compare {
        path: AttrPath,
        op: CompareOp,
        value: Literal,
        at: Span,
        value_at: Span,
    },
    /// `path pr`.
    Present {
        path: AttrPath,
        at: Span,
    },
    /// `path[filter]`; the names within are sub-attributes of the path. `at` is the span of the path.
    ValuePath {
        path: AttrPath,
        filter: Box<Self>,
        at: Span,
    },
}

/// The comparison operators of RFC 7644 Table 3, without `pr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A comparison value: JSON without arrays and objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    String(String),
    Number(Number),
    Boolean(bool),
    Null,
}

// === impl Span ===

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

// === impl Filter ===

impl Filter {
    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}

/// The canonical spelling, not the text that was parsed.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

// === impl Expr ===

impl Expr {
    /// The conjunction of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut operands = match self {
            Self::And(operands) => operands,
            single => vec![single],
        };
        match other {
            Self::And(more) => operands.extend(more),
            single => operands.push(single),
        }
        Self::And(operands)
    }

    /// The disjunction of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut operands = match self {
            Self::Or(operands) => operands,
            single => vec![single],
        };
        match other {
            Self::Or(more) => operands.extend(more),
            single => operands.push(single),
        }
        Self::Or(operands)
    }
}

/// Parses back to the same expression.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => {
                for (i, operand) in operands.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" and ")?;
                    }
                    // Only `or` binds weaker.
                    if matches!(operand, Self::Or(_)) { write!(f, "({operand})")? } else { write!(f, "{operand}")? }
                }
                Ok(())
            }
            Self::Or(operands) => {
                for (i, operand) in operands.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" or ")?;
                    }
                    write!(f, "{operand}")?;
                }
                Ok(())
            }
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare { path, op, value, .. } => write!(f, "{path} {op} {value}"),
            Self::Present { path, .. } => write!(f, "{path} pr"),
            Self::ValuePath { path, filter, .. } => write!(f, "{path}[{filter}]"),
        }
    }
}

// === impl CompareOp ===

impl CompareOp {
    /// All operators, in the order of Table 3.
    pub const ALL: [Self; 9] = [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

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
        }
    }

    /// The operator of that name, in any case (section 3.4.2.2).
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for CompareOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Literal ===

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write_string(f, text),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Writes a JSON string.
pub(super) fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
