//! A checked filter on a resource. Nothing here fails: a value of an unexpected shape matches nothing.

use serde_json::Value;

use super::predicate::{Op, Operand, Predicate, Test};
use crate::scim::Object;
use crate::scim::compare::{
    instant, is_case_exact, number_cmp, text_cmp, text_contains, text_ends_with, text_eq, text_starts_with,
};
use crate::scim::schema::{Attribute, Type};

/// `primary` where it is absent (RFC 7643 section 2.4).
static FALSE: Value = Value::Bool(false);

// === impl Predicate ===

impl Predicate<'_> {
    /// Whether a resource in canonical form satisfies the predicate.
    pub fn matches(&self, resource: &Object) -> bool {
        match self {
            Self::True => true,
            Self::False => false,
            Self::And(operands) => operands.iter().all(|operand| operand.matches(resource)),
            Self::Or(operands) => operands.iter().any(|operand| operand.matches(resource)),
            Self::Not(inner) => !inner.matches(resource),
            Self::Test(test) => test.holds(test.target.get(resource)),
            // All conditions on the same value (RFC 7644 Table 5).
            Self::ValuePath { target, filter } => match target.get(resource) {
                None | Some(Value::Null) => false,
                Some(Value::Array(values)) => values.iter().any(|value| !value.is_null() && filter.matches_value(value)),
                Some(value) => filter.matches_value(value),
            },
        }
    }

    /// Whether one value of the attribute satisfies the predicate: for what stands within brackets.
    pub fn matches_value(&self, value: &Value) -> bool {
        match self {
            Self::True => true,
            Self::False => false,
            Self::And(operands) => operands.iter().all(|operand| operand.matches_value(value)),
            Self::Or(operands) => operands.iter().any(|operand| operand.matches_value(value)),
            Self::Not(inner) => !inner.matches_value(value),
            Self::Test(test) => test.holds(Some(value)),
            Self::ValuePath { filter, .. } => filter.matches_value(value),
        }
    }
}

// === impl Test ===

impl Test<'_> {
    /// Whether the value of the attribute, single or multiple, passes.
    fn holds(&self, value: Option<&Value>) -> bool {
        // Without values nothing is equal, so `ne` matches what is unassigned (section 3.4.2.2).
        let any = |test: &dyn Fn(&Value) -> bool| value.is_some_and(|value| self.any_value(value, test));
        match self.op {
            Op::Pr => any(&is_present),
            Op::Ne => !any(&|value| self.compare(Op::Eq, value)),
            op => any(&|value| self.compare(op, value)),
        }
    }

    /// Whether any value that the target names passes: of each value of the attribute, the sub-attribute.
    fn any_value(&self, value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
        match value {
            Value::Array(values) => values.iter().any(|value| self.one_value(value, test)),
            value => self.one_value(value, test),
        }
    }

    fn one_value(&self, value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
        let Some(sub) = self.target.sub else { return !value.is_null() && test(value) };
        match value {
            Value::Object(object) => match object.get(&sub.name) {
                Some(Value::Array(values)) => values.iter().any(test),
                Some(Value::Null) | None if self.op != Op::Pr && is_primary(sub) => test(&FALSE),
                Some(Value::Null) | None => false,
                Some(value) => test(value),
            },
            Value::Null | Value::Array(_) => false,
            // A backend that lists plain values where the schema has objects.
            value => sub.name == "value" && test(value),
        }
    }

    fn compare(&self, op: Op, value: &Value) -> bool {
        let ordering = match (&self.value, value) {
            (Operand::String(operand), Value::String(text)) => return self.compare_text(op, text, operand),
            // The schema says string, the backend says 7: the text counts.
            (Operand::String(operand), Value::Number(number)) => return self.compare_text(op, &number.to_string(), operand),
            (Operand::String(operand), Value::Bool(boolean)) => {
                return self.compare_text(op, if *boolean { "true" } else { "false" }, operand);
            }
            (Operand::Number(operand), Value::Number(number)) => number_cmp(number, operand),
            (Operand::Number(operand), Value::String(text)) => match serde_json::from_str(text) {
                Ok(number) => number_cmp(&number, operand),
                Err(_) => return false,
            },
            (Operand::Boolean(operand), Value::Bool(boolean)) => boolean.cmp(operand),
            (Operand::Boolean(operand), Value::String(text)) => {
                return op == Op::Eq && text.eq_ignore_ascii_case(if *operand { "true" } else { "false" });
            }
            (Operand::Instant { at, .. }, Value::String(text)) => match instant(text, true) {
                Some(instant) => instant.cmp(at),
                None => return false,
            },
            _ => return false,
        };
        match op {
            Op::Eq => ordering.is_eq(),
            Op::Gt => ordering.is_gt(),
            Op::Ge => ordering.is_ge(),
            Op::Lt => ordering.is_lt(),
            Op::Le => ordering.is_le(),
            Op::Ne | Op::Co | Op::Sw | Op::Ew | Op::Pr => false,
        }
    }

    fn compare_text(&self, op: Op, text: &str, operand: &str) -> bool {
        let exact = is_case_exact(self.target.leaf());
        match op {
            Op::Eq => text_eq(text, operand, exact),
            Op::Co => text_contains(text, operand, exact),
            Op::Sw => text_starts_with(text, operand, exact),
            Op::Ew => text_ends_with(text, operand, exact),
            Op::Gt => text_cmp(text, operand, exact).is_gt(),
            Op::Ge => text_cmp(text, operand, exact).is_ge(),
            Op::Lt => text_cmp(text, operand, exact).is_lt(),
            Op::Le => text_cmp(text, operand, exact).is_le(),
            Op::Ne | Op::Pr => false,
        }
    }
}

fn is_primary(attribute: &Attribute) -> bool {
    attribute.kind == Type::Boolean && attribute.name == "primary"
}

/// "A non-empty or non-null value", or for complex attributes "a non-empty node" (RFC 7644 Table 3).
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(|value| !matches!(value, Value::Array(_)) && is_present(value)),
        // One level: SCIM has no deeper one, and outside input must not drive a recursion.
        Value::Object(object) => object.values().any(|node| match node {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(values) => !values.is_empty(),
            Value::Object(object) => !object.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        }),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
