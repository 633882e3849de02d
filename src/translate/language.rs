//! Filters in the backend's own query language.
//!
//! An expression is built from the forms of the mapping, never by pasting: what a client sends is quoted and escaped as
//! the mapping says, and what cannot be written is not pushed down.

use std::borrow::Cow;

use serde_json::Value;

use super::call::render;
use super::operand::comparable;
use crate::mapping::Mapping;
use crate::mapping::convert::tables::Tables;
use crate::mapping::model::{Form, Language, Quote, Resource};
use crate::mapping::template::Scope;
use crate::scim::filter::{Op, Predicate, Test};

/// An expression of a query language.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    pub value: Value,
    /// Whether it says just what the filter says; if not, it may match more.
    pub exact: bool,
}

/// A mapping with the language that is spoken.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'m> {
    pub mapping: &'m Mapping,
    pub tables: &'m Tables,
    pub resource: &'m Resource,
    pub language: &'m Language,
}

impl Speaker<'_> {
    /// The filter as an expression; `None` if the language has no form, field or way to write a value for some part.
    pub fn express(&self, predicate: &Predicate<'_>) -> Option<Expression> {
        match predicate {
            Predicate::Test(test) => self.test(test),
            Predicate::And(operands) => self.joined(Form::And, operands),
            Predicate::Or(operands) => self.joined(Form::Or, operands),
            Predicate::Not(operand) => {
                // What matches more, negated, matches less: rows would be lost.
                let operand = self.express(operand).filter(|operand| operand.exact)?;
                let scope = Scope { operand: Some(&operand.value), ..Scope::default() };
                Some(Expression { value: self.form(Form::Not, &scope)?, exact: true })
            }
            // The language may find the parts in different values of the attribute: more, never less.
            Predicate::ValuePath { filter, .. } => {
                let parts = match filter.as_ref() {
                    Predicate::And(parts) => parts.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let positive = |part: &&Predicate<'_>| matches!(part, Predicate::Test(Test { op, .. }) if *op != Op::Ne);
                let said: Vec<Expression> = parts.iter().filter(positive).filter_map(|part| self.express(part)).collect();
                let mut said = said.into_iter();
                let first = said.next()?;
                let whole = said.try_fold(first, |left, right| self.pair(Form::And, &left, &right))?;
                Some(Expression { exact: false, ..whole })
            }
            Predicate::True | Predicate::False => None,
        }
    }

    /// The conjunction of several expressions.
    pub fn all(&self, expressions: Vec<Expression>) -> Option<Expression> {
        let mut expressions = expressions.into_iter();
        let first = expressions.next()?;
        expressions.try_fold(first, |left, right| self.pair(Form::And, &left, &right))
    }

    fn test(&self, test: &Test<'_>) -> Option<Expression> {
        // SCIM: no value is that one. Query languages: some value is another one, which loses those without a value.
        if test.op == Op::Ne && (test.target.attribute.multi_valued || test.target.leaf().multi_valued) {
            return None;
        }
        let (target, name) = self.language.fields.iter().find(|(target, _)| target.names(&test.target))?;
        let field = Value::from(name.as_str());
        let operand = comparable(self.mapping, self.tables, self.resource, target, test)?;
        let value = match operand.value {
            Some(value) => Some(self.written(value)?),
            None => None,
        };
        let scope = Scope { field: Some(&field), value: value.as_ref(), ..Scope::default() };
        Some(Expression { value: self.form(Form::Test(test.op), &scope)?, exact: self.language.exact && operand.exact })
    }

    fn joined(&self, form: Form, operands: &[Predicate<'_>]) -> Option<Expression> {
        let mut operands = operands.iter();
        let first = self.express(operands.next()?)?;
        operands.try_fold(first, |left, operand| self.pair(form, &left, &self.express(operand)?))
    }

    fn pair(&self, form: Form, left: &Expression, right: &Expression) -> Option<Expression> {
        let scope = Scope { left: Some(&left.value), right: Some(&right.value), ..Scope::default() };
        Some(Expression { value: self.form(form, &scope)?, exact: left.exact && right.exact })
    }

    fn form(&self, form: Form, scope: &Scope<'_>) -> Option<Value> {
        let (_, tree) = self.language.forms.iter().find(|(known, _)| *known == form)?;
        render(tree, scope).ok()
    }

    /// A value as the language writes it. In a text language strings are quoted, in a JSON one they stay strings.
    fn written(&self, value: Value) -> Option<Value> {
        let Value::String(text) = &value else {
            return match value {
                Value::Number(_) | Value::Bool(_) => Some(value),
                _ => None,
            };
        };
        let quote = &self.language.quote;
        let escaped = quote.escaped(text)?;
        Some(Value::from(if self.language.text {
            format!("{}{escaped}{}", quote.open, quote.close)
        } else {
            escaped.into_owned()
        }))
    }
}

// === impl Quote ===

impl Quote {
    /// A text with its special characters escaped; `None` if it holds one that cannot be written.
    pub fn escaped<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        if text.contains(|c| self.without.contains(c)) {
            return None;
        }
        if !text.contains(|c| self.escape.iter().any(|(special, _)| *special == c)) {
            return Some(Cow::Borrowed(text));
        }
        let mut escaped = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match self.escape.iter().find(|(special, _)| *special == c) {
                Some((_, replacement)) => escaped.push_str(replacement),
                None => escaped.push(c),
            }
        }
        Some(Cow::Owned(escaped))
    }
}
