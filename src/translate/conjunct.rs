//! The conditions of a filter: how many rows they are likely to find, what they imply, whether they contradict each other.

use crate::scim::Uniqueness;
use crate::scim::compare::{is_case_exact, text_eq};
use crate::scim::filter::{Op, Operand, Predicate, Test};

/// Rows that an equality is likely to find where the mapping does not say.
pub(super) const EQUAL_ROWS: u64 = 20;
/// Rows that any other comparison is likely to find.
const OTHER_ROWS: u64 = 1_000;

pub(super) fn estimate(predicate: &Predicate<'_>) -> u64 {
    match predicate {
        Predicate::Test(test) => estimate_test(test),
        Predicate::ValuePath { filter, .. } => estimate(filter),
        Predicate::And(operands) => operands.iter().map(estimate).min().unwrap_or(OTHER_ROWS),
        Predicate::Or(operands) => operands.iter().map(estimate).fold(0, u64::saturating_add),
        _ => OTHER_ROWS,
    }
}

pub(super) fn estimate_test(test: &Test<'_>) -> u64 {
    let unique = test.target.sub.is_none() && test.target.attribute.uniqueness != Uniqueness::None;
    match test.op {
        Op::Eq if unique || test.target.attribute.name == "externalId" => 1,
        Op::Eq if !matches!(test.value, Operand::Boolean(_)) => EQUAL_ROWS,
        _ => OTHER_ROWS,
    }
}

/// The one comparison that finds all rows that the condition could match, and whether it says all of it:
/// `emails[value eq "x"]` is `emails.value eq "x"`, and `emails[type eq "work" and value eq "x"]` implies it.
pub(super) fn simple<'p, 's>(conjunct: &'p Predicate<'s>) -> Option<(&'p Test<'s>, bool)> {
    let usable = |test: &Test<'_>| test.op != Op::Ne;
    match conjunct {
        Predicate::Test(test) => Some((test, true)),
        Predicate::ValuePath { filter, .. } => match filter.as_ref() {
            Predicate::Test(test) if usable(test) => Some((test, true)),
            Predicate::And(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Predicate::Test(test) if usable(test) => Some(test),
                    _ => None,
                })
                // The value itself selects better than its type.
                .min_by_key(|test| test.target.sub.is_none_or(|sub| sub.name != "value"))
                .map(|test| (test, false)),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn equals<'p>(conjunct: &'p Predicate<'_>, attribute: &str, sub: Option<&str>) -> Option<&'p str> {
    let (Test { target, op: Op::Eq, value: Operand::String(text) }, true) = simple(conjunct)? else { return None };
    let same = target.extension.is_none() && target.attribute.name == attribute && target.sub.map(|sub| sub.name.as_str()) == sub;
    same.then_some(text)
}

/// Whether two conditions want different values of a singular attribute, or one says what the other denies.
pub(super) fn contradict(conjuncts: &[Predicate<'_>]) -> bool {
    conjuncts.iter().enumerate().any(|(index, one)| {
        conjuncts.iter().skip(index + 1).any(|other| match (one, other) {
            (Predicate::Not(denied), said) | (said, Predicate::Not(denied)) if **denied == *said => true,
            (Predicate::Test(one), Predicate::Test(other)) => are_different_values(one, other),
            _ => false,
        })
    })
}

fn are_different_values(one: &Test<'_>, other: &Test<'_>) -> bool {
    let same_place =
        one.target.same_attribute(&other.target) && one.target.sub.map(|sub| &sub.name) == other.target.sub.map(|sub| &sub.name);
    if !same_place
        || one.target.attribute.multi_valued
        || one.target.leaf().multi_valued
        || one.op != Op::Eq
        || other.op != Op::Eq
    {
        return false;
    }
    match (&one.value, &other.value) {
        (Operand::String(a), Operand::String(b)) => !text_eq(a, b, is_case_exact(one.target.leaf())),
        (Operand::Boolean(a), Operand::Boolean(b)) => a != b,
        (Operand::Instant { at: a, .. }, Operand::Instant { at: b, .. }) => a != b,
        _ => false,
    }
}
