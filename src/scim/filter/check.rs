//! A filter held against a resource type: which attributes it names, and whether the operands fit.

use serde_json::Number;

use super::advice::{listed, unknown_attribute, unknown_sub_attribute};
use super::ast::{CompareOp, Expr, Filter, Literal, Span};
use super::lexer::{Shown, error_at};
use super::predicate::{Op, Operand, Predicate, Test};
use crate::scim::compare::instant;
use crate::scim::error::{ScimError, ScimType};
use crate::scim::path::{AttrPath, AttrRef, Target};
use crate::scim::profile::Profile;
use crate::scim::schema::{Attribute, ResourceType, Returned, Type};

/// Holds expressions of one text against one resource type.
pub(super) struct Checker<'a, 's> {
    pub(super) text: &'a str,
    /// What the text is, for messages.
    pub(super) label: &'a str,
    pub(super) profile: &'a Profile,
    pub(super) resource_type: &'s ResourceType,
    /// An attribute that the type does not have simply has no value.
    pub(super) absent_allowed: bool,
}

// === impl Filter ===

impl Filter {
    /// Holds the filter against a resource type. Everything that does not fit is a 400 `invalidFilter`: an empty answer
    /// to a question that nobody could ask makes clients create duplicates.
    pub fn check<'s>(&self, resource_type: &'s ResourceType, profile: &Profile) -> Result<Predicate<'s>, ScimError> {
        let checker = Checker { text: &self.text, label: "Filter", profile, resource_type, absent_allowed: false };
        checker.expr(&self.expr, None)
    }

    /// For a query over several resource types (section 3.4.2.1): one predicate for each, in their order. On a type
    /// without the attribute the attribute has no value; one that no type has is an error.
    pub fn check_any<'s>(&self, resource_types: &[&'s ResourceType], profile: &Profile) -> Result<Vec<Predicate<'s>>, ScimError> {
        self.expr.top_level_paths(&mut |path, at| {
            let known = resource_types.iter().any(|t| t.resolve(path, profile.bare_extension_names).is_some());
            if known {
                return Ok(());
            }
            let message = unknown_attribute(path, resource_types);
            Err(error_at(ScimType::InvalidFilter, "Filter", &self.text, at.start, &message))
        })?;
        resource_types
            .iter()
            .map(|resource_type| {
                let checker = Checker { text: &self.text, label: "Filter", profile, resource_type, absent_allowed: true };
                checker.expr(&self.expr, None)
            })
            .collect()
    }
}

impl Expr {
    fn top_level_paths<E>(&self, visit: &mut dyn FnMut(&AttrPath, Span) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::And(operands) | Self::Or(operands) => operands.iter().try_for_each(|operand| operand.top_level_paths(visit)),
            Self::Not(inner) => inner.top_level_paths(visit),
            Self::Compare { path, at, .. } | Self::Present { path, at } | Self::ValuePath { path, at, .. } => visit(path, *at),
        }
    }
}

// === impl Checker ===

impl<'s> Checker<'_, 's> {
    /// Checks an expression; within brackets, `parent` is the attribute that they belong to.
    pub(super) fn expr(&self, expr: &Expr, parent: Option<AttrRef<'s>>) -> Result<Predicate<'s>, ScimError> {
        match expr {
            Expr::And(operands) => Ok(Predicate::and(self.all(operands, parent)?)),
            Expr::Or(operands) => Ok(Predicate::or(self.all(operands, parent)?)),
            Expr::Not(inner) => Ok(self.expr(inner, parent)?.negate()),
            Expr::Compare { path, op, value, at, value_at } => match self.attribute(path, *at, parent)? {
                Some(target) => self.compare(target, *op, value, *at, *value_at),
                None => Ok(compare_absent(*op, value)),
            },
            Expr::Present { path, at } => match self.attribute(path, *at, parent)? {
                Some(target) => {
                    self.refuse_hidden(target, *at)?;
                    Ok(present(target))
                }
                None => Ok(Predicate::False),
            },
            Expr::ValuePath { path, filter, at } => match self.attribute(path, *at, parent)? {
                Some(target) => {
                    self.check_brackets(path, target, *at)?;
                    if !target.attribute.is_complex() {
                        let name = &target.attribute.name;
                        return Err(
                            self.error(at.start, &format!("`{name}` has no sub-attributes for `[…]`; write `{name} eq \"…\"`"))
                        );
                    }
                    Ok(Predicate::ValuePath { target, filter: Box::new(self.expr(filter, Some(target))?) })
                }
                None => Ok(Predicate::False),
            },
        }
    }

    fn all(&self, operands: &[Expr], parent: Option<AttrRef<'s>>) -> Result<Vec<Predicate<'s>>, ScimError> {
        operands.iter().map(|operand| self.expr(operand, parent)).collect()
    }

    /// Brackets choose among the values of one multi-valued attribute.
    pub(super) fn check_brackets(&self, path: &AttrPath, target: AttrRef<'s>, at: Span) -> Result<(), ScimError> {
        let name = &target.attribute.name;
        if target.sub.is_some() {
            let message =
                format!("`[…]` chooses among whole values; write `{name}[…]` instead of {}", Shown(&format!("{path}[…]")));
            return Err(self.error(at.start, &message));
        }
        // Entra ID and others write `manager[value eq "…"]`.
        let single = self.profile.coerce_values && target.attribute.is_complex();
        if !target.attribute.multi_valued && !single {
            let message = match target.attribute.sub_attributes.first() {
                Some(sub) => format!(
                    "`{name}` has one value, nothing for `[…]` to choose from; write `{name}.{}` with an operator",
                    sub.name
                ),
                None => format!("`{name}` has no sub-attributes for `[…]`; write `{name} eq \"…\"`"),
            };
            return Err(self.error(at.start, &message));
        }
        Ok(())
    }

    /// What a path names; `None` if the type does not have it and need not.
    fn attribute(&self, path: &AttrPath, at: Span, parent: Option<AttrRef<'s>>) -> Result<Option<AttrRef<'s>>, ScimError> {
        if let Some(parent) = parent {
            return self.sub_attribute(path, at, parent).map(Some);
        }
        match self.resource_type.resolve(path, self.profile.bare_extension_names) {
            Some(Target::Attribute(target)) => Ok(Some(target)),
            Some(Target::Resource | Target::Extension(_)) => {
                let message =
                    format!("`{path}` names a schema, not an attribute; write `schemas eq \"{path}\"` or `{path}:attribute`");
                Err(self.error(at.start, &message))
            }
            None if self.absent_allowed => Ok(None),
            None => Err(self.error(at.start, &unknown_attribute(path, &[self.resource_type]))),
        }
    }

    /// Within brackets names are sub-attributes, without their parent (RFC 7644 Figure 1).
    fn sub_attribute(&self, path: &AttrPath, at: Span, parent: AttrRef<'s>) -> Result<AttrRef<'s>, ScimError> {
        let attribute = parent.attribute;
        if let (None, Some(name)) = (path.uri(), path.sub()) {
            let message =
                format!("within `{}[…]` stand its sub-attributes alone; write `{name}` instead of `{path}`", attribute.name);
            return Err(self.error(at.start, &message));
        }
        if path.uri().is_some() {
            let message = format!(
                "within `{}[…]` stand its sub-attributes alone; write {} without the URN",
                attribute.name,
                Shown(path.name())
            );
            return Err(self.error(at.start, &message));
        }
        if !attribute.is_complex() {
            // A simple value goes by the name that RFC 7643 section 2.4 has for it.
            if path.name().eq_ignore_ascii_case("value") {
                return Ok(AttrRef { sub: None, ..parent });
            }
            let message =
                format!("the values of `{}` are simple; within `[…]` write `value` instead of `{path}`", attribute.name);
            return Err(self.error(at.start, &message));
        }
        match attribute.sub_attribute(path.name()) {
            Some(sub) => Ok(AttrRef { sub: Some(sub), ..parent }),
            None => Err(self.error(at.start, &unknown_sub_attribute(path.name(), attribute))),
        }
    }

    /// What is never returned cannot be read by asking for it bit by bit either (RFC 7643 section 7).
    fn refuse_hidden(&self, target: AttrRef<'s>, at: Span) -> Result<(), ScimError> {
        if target.attribute.returned == Returned::Never || target.leaf().returned == Returned::Never {
            let message = format!("`{target}` is never returned and cannot be asked for in a filter; leave this condition out");
            return Err(self.error(at.start, &message));
        }
        Ok(())
    }

    fn compare(
        &self,
        target: AttrRef<'s>,
        op: CompareOp,
        value: &Literal,
        at: Span,
        value_at: Span,
    ) -> Result<Predicate<'s>, ScimError> {
        self.refuse_hidden(target, at)?;
        match (value, op) {
            (Literal::Null, CompareOp::Eq) => return Ok(present(target).negate()),
            (Literal::Null, CompareOp::Ne) => return Ok(present(target)),
            (Literal::Null, _) => {
                let message = format!("`{op}` has no meaning with null; write `{target} pr` or `not ({target} pr)`");
                return Err(self.error(value_at.start, &message));
            }
            _ => {}
        }
        let target = self.with_value(target, at)?;
        let op = Op::from(op);
        let value = self.operand(target, op, value, at, value_at)?;
        Ok(Predicate::Test(Test { target, op, value }))
    }

    /// A complex attribute alone means its `value`: RFC 7644 Figure 2 has `emails co "example.com"`, and Entra ID sends
    /// `manager eq "…"`.
    fn with_value(&self, target: AttrRef<'s>, at: Span) -> Result<AttrRef<'s>, ScimError> {
        let attribute = target.attribute;
        if target.sub.is_some() || !attribute.is_complex() {
            return Ok(target);
        }
        if let Some(sub) = attribute.sub_attribute("value") {
            return Ok(AttrRef { sub: Some(sub), ..target });
        }
        let subs = listed(attribute.sub_attributes.iter().map(|sub| sub.name.as_str()));
        let example = attribute.sub_attributes.first().map_or("value", |sub| sub.name.as_str());
        let message = format!("`{target}` is complex and wants a sub-attribute, as in `{target}.{example}`; it has {subs}");
        Err(self.error(at.start, &message))
    }

    fn operand(&self, target: AttrRef<'s>, op: Op, value: &Literal, at: Span, value_at: Span) -> Result<Operand, ScimError> {
        let leaf = target.leaf();
        let coerce = self.profile.coerce_values;
        let refuse_op = |instead: &str| {
            Err(self.error(at.start, &format!("`{op}` has no meaning for `{target}`, which is {}; write {instead}", kind(leaf))))
        };
        match leaf.kind {
            // RFC 7644 Table 3: "Boolean and Binary attributes SHALL cause a failed response".
            Type::Boolean if op.is_ordering() || op.is_substring() => refuse_op(&format!("`{target} eq true`")),
            Type::Binary if op.is_ordering() => refuse_op("`eq`"),
            Type::Integer | Type::Decimal if op.is_substring() => refuse_op("`eq`, `gt`, `ge`, `lt` or `le`"),
            Type::Complex => refuse_op("one of its sub-attributes"),
            Type::Boolean => match value {
                Literal::Boolean(boolean) => Ok(Operand::Boolean(*boolean)),
                Literal::String(text) if coerce && text.eq_ignore_ascii_case("true") => Ok(Operand::Boolean(true)),
                Literal::String(text) if coerce && text.eq_ignore_ascii_case("false") => Ok(Operand::Boolean(false)),
                _ => Err(self.mismatch(target, value, value_at, "`true` or `false` without quotes")),
            },
            Type::Integer | Type::Decimal => match value {
                Literal::Number(number) => Ok(Operand::Number(number.clone())),
                Literal::String(text) => match serde_json::from_str::<Number>(text) {
                    Ok(number) if coerce => Ok(Operand::Number(number)),
                    _ => Err(self.mismatch(target, value, value_at, "a number without quotes")),
                },
                _ => Err(self.mismatch(target, value, value_at, "a number")),
            },
            Type::DateTime => match value {
                Literal::String(text) if op.is_substring() => Ok(Operand::String(text.clone())),
                Literal::String(text) => match instant(text, coerce) {
                    Some(at) => Ok(Operand::Instant { at, text: text.clone() }),
                    None => Err(self.mismatch(
                        target,
                        value,
                        value_at,
                        "a date with time and offset, as in `\"2011-05-13T04:42:34Z\"`",
                    )),
                },
                _ => Err(self.mismatch(target, value, value_at, "a date with time and offset, as in `\"2011-05-13T04:42:34Z\"`")),
            },
            Type::String | Type::Reference | Type::Binary => match value {
                Literal::String(text) => Ok(Operand::String(text.clone())),
                // An identifier made of digits whose quotes were forgotten. Decimals have more than one spelling.
                Literal::Number(number) if coerce && !number.is_f64() => Ok(Operand::String(number.to_string())),
                _ => Err(self.mismatch(target, value, value_at, &format!("`\"{value}\"`"))),
            },
        }
    }

    fn mismatch(&self, target: AttrRef<'s>, value: &Literal, at: Span, instead: &str) -> ScimError {
        let found = Shown(&value.to_string()).to_string();
        self.error(at.start, &format!("`{target}` is {}, so {found} does not fit; write {instead}", kind(target.leaf())))
    }

    pub(super) fn error(&self, at: usize, message: &str) -> ScimError {
        error_at(ScimType::InvalidFilter, self.label, self.text, at, message)
    }
}

fn present(target: AttrRef<'_>) -> Predicate<'_> {
    Predicate::Test(Test { target, op: Op::Pr, value: Operand::None })
}

/// No value is identical to null and to nothing else.
fn compare_absent<'s>(op: CompareOp, value: &Literal) -> Predicate<'s> {
    let null = *value == Literal::Null;
    if (op == CompareOp::Eq && null) || (op == CompareOp::Ne && !null) { Predicate::True } else { Predicate::False }
}

fn kind(attribute: &Attribute) -> &'static str {
    match attribute.kind {
        Type::String => "a string",
        Type::Boolean => "a boolean",
        Type::Decimal => "a decimal number",
        Type::Integer => "an integer",
        Type::DateTime => "a dateTime",
        Type::Binary => "binary",
        Type::Reference => "a reference",
        Type::Complex => "complex",
    }
}
