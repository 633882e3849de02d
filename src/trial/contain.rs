//! Whether a document holds at least what another one says.

use serde_json::{Map, Value};

/// Whether everything that is expected is there: members of an object, elements of a list in whatever order, each another one. `null`
/// is what has no value (RFC 7643 section 2.5), and an empty list is empty.
pub(super) fn holds(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected.iter().all(|(name, value)| match got.get(name) {
            Some(got) => holds(value, got),
            None => value.is_null(),
        }),
        (Value::Array(expected), Value::Array(got)) if expected.is_empty() => got.is_empty(),
        (Value::Array(expected), Value::Array(got)) => pairs(expected, got).iter().all(Option::is_some),
        (Value::Number(expected), Value::Number(got)) => expected == got || expected.as_f64() == got.as_f64(),
        (expected, got) => expected == got,
    }
}

/// Of what came the part that something is expected of, to be shown beside it.
pub(super) fn part(expected: &Value, got: &Value) -> Value {
    if holds(expected, got) {
        return expected.clone();
    }
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let mut shown = Map::new();
            for (name, value) in expected {
                match got.get(name) {
                    Some(got) => drop(shown.insert(name.clone(), part(value, got))),
                    None if value.is_null() => drop(shown.insert(name.clone(), Value::Null)),
                    None => {}
                }
            }
            Value::Object(shown)
        }
        (Value::Array(expected), Value::Array(got)) if !expected.is_empty() => {
            let found = pairs(expected, got);
            let mut left = got.iter().enumerate().filter(|(index, _)| !found.contains(&Some(*index))).map(|(_, value)| value);
            let shown = expected.iter().zip(&found).filter_map(|(value, found)| match found {
                Some(_) => Some(value.clone()),
                None => left.next().map(|got| part(value, got)),
            });
            Value::Array(shown.collect())
        }
        (_, got) => got.clone(),
    }
}

/// For each expected element one that holds it, as far as there are enough (a matching in a bipartite graph).
fn pairs(expected: &[Value], got: &[Value]) -> Vec<Option<usize>> {
    let fits: Vec<Vec<bool>> = expected.iter().map(|value| got.iter().map(|got| holds(value, got)).collect()).collect();
    let mut owner = vec![None; got.len()];
    for index in 0..expected.len() {
        let mut seen = vec![false; got.len()];
        find(index, &fits, &mut owner, &mut seen);
    }
    (0..expected.len()).map(|index| owner.iter().position(|owner| *owner == Some(index))).collect()
}

/// Finds an element for an expected one; others may have to take another one instead.
fn find(index: usize, fits: &[Vec<bool>], owner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    let Some(row) = fits.get(index) else { return false };
    for place in 0..row.len() {
        if row.get(place) != Some(&true) || seen.get(place) != Some(&false) {
            continue;
        }
        if let Some(seen) = seen.get_mut(place) {
            *seen = true;
        }
        let free = match owner.get(place) {
            Some(Some(other)) => find(*other, fits, owner, seen),
            _ => true,
        };
        if free {
            if let Some(owner) = owner.get_mut(place) {
                *owner = Some(index);
            }
            return true;
        }
    }
    false
}
