//! Writing a record: the body is merged deeply into what is there (objects merge, `null` clears, arrays replace), then
//! read back as the typed record, which refuses unknown keys and wrong types.
//!
//! Recursion here is as deep as the body, and serde_json reads no body nested deeper than 128. In a list the item to
//! blame is looked for up to a bound; behind it the list as a whole is blamed.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::limits;

/// A step into a document, from the top.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// The record after the body is merged into it.
pub(super) fn merged<T: Serialize + DeserializeOwned + Default>(current: &T, body: &Value) -> Result<T, Refusal> {
    let mut document = document_of(current)?;
    merge(&mut document, body);
    read(&document).map_err(|error| blame::<T>(body, error))
}

/// Refuses the first of the named keys that the body holds; a dot leads into an object.
pub(super) fn refuse_read_only(body: &Value, names: &[&str]) -> Result<(), Refusal> {
    let held = |name: &&&str| name.split('.').try_fold(body, |value, key| value.get(key)).is_some();
    match names.iter().find(held) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name} is set by the directory; leave it out");
            Err(Refusal::unprocessable("READ_ONLY", message).at(*name))
        }
    }
}

fn document_of<T: Serialize>(record: &T) -> Result<Value, Refusal> {
    serde_json::to_value(record).map_err(|error| Refusal::internal(error.to_string()))
}

fn read<T: Serialize + DeserializeOwned>(document: &Value) -> Result<T, String> {
    let record = T::deserialize(document).map_err(|error| error.to_string())?;
    let again = serde_json::to_value(&record).map_err(|error| error.to_string())?;
    if positional(document, &again) { Err("invalid type: array, expected an object".to_owned()) } else { Ok(record) }
}

/// serde also takes an array for a struct, its fields in order; the directory does not.
fn positional(document: &Value, record: &Value) -> bool {
    match (document, record) {
        (Value::Array(_), Value::Object(_)) => true,
        (Value::Array(left), Value::Array(right)) => left.iter().zip(right).any(|(left, right)| positional(left, right)),
        (Value::Object(left), Value::Object(right)) => {
            left.iter().any(|(key, left)| right.get(key).is_some_and(|right| positional(left, right)))
        }
        _ => false,
    }
}

fn merge(target: &mut Value, body: &Value) {
    let Value::Object(entries) = body else {
        target.clone_from(body);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else { return };
    for (key, value) in entries {
        merge(object.entry(key.as_str()).or_insert(Value::Null), value);
    }
}

/// Finds the field that the typed record does not take. serde tells what is wrong but not where, so the parts of the
/// body are tried one by one on an empty record; this costs something only when the body is wrong.
fn blame<T: Serialize + DeserializeOwned + Default>(body: &Value, error: String) -> Refusal {
    let (path, error) = guilty::<T>(&mut Vec::new(), body).unwrap_or((String::new(), error));
    let error = error.replace("u64", "a positive integer").replace("f64", "a number");
    // The text of serde's `de::Error::unknown_field`; it goes on with the names that are known.
    let code = if error.starts_with("unknown field") { "UNKNOWN_FIELD" } else { "INVALID" };
    if path.is_empty() {
        return Refusal::unprocessable(code, format!("the body: {error}"));
    }
    Refusal::unprocessable(code, format!("{path}: {error}")).at(path)
}

fn guilty<'a, T: Serialize + DeserializeOwned + Default>(path: &mut Vec<Step<'a>>, value: &'a Value) -> Option<(String, String)> {
    let error = misfit::<T>(path, value)?;
    // Where not even an empty object or list fits, there is no blame to pass on to what is in it.
    let (empty, children): (Value, Vec<(Step<'a>, &'a Value)>) = match value {
        Value::Object(entries) => {
            (Value::Object(Map::new()), entries.iter().map(|(key, value)| (Step::Key(key), value)).collect())
        }
        Value::Array(items) => (
            Value::Array(Vec::new()),
            items.iter().enumerate().take(limits::ATTRIBUTE_VALUES).map(|(index, value)| (Step::Item(index), value)).collect(),
        ),
        _ => return Some((written(path), error)),
    };
    if misfit::<T>(path, &empty).is_none() {
        for (step, child) in children {
            path.push(step);
            let found = guilty::<T>(path, child);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
    }
    Some((written(path), error))
}

/// Why the value does not fit at this path of a record that is empty otherwise.
fn misfit<T: Serialize + DeserializeOwned + Default>(path: &[Step<'_>], value: &Value) -> Option<String> {
    let mut document = document_of(&T::default()).ok()?;
    merge(&mut document, &nested(path, value));
    read::<T>(&document).err()
}

/// A document with nothing but the value, at that path.
fn nested(path: &[Step<'_>], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |inner, step| match step {
        Step::Key(key) => Value::Object(Map::from_iter([((*key).to_owned(), inner)])),
        Step::Item(_) => Value::Array(vec![inner]),
    })
}

/// `contact.mail[1].address`
fn written(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Item(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
    text
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
