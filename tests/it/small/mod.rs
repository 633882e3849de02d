//! Small backends, one a behaviour.

mod member_records;
mod named;
mod parts;
mod results;

use serde_json::{Value, json};

fn members(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn add(ids: &[&str]) -> Value {
    json!([{ "op": "add", "path": "members", "value": members(ids) }])
}

fn remove(id: &str) -> Value {
    json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }])
}
