//! What several tests need.

use std::path::Path;

use scimitar::scim::schema::{Extension, ResourceType, Schema, core};
use serde_json::{Value, json};

/// The lines of a fixture, each a JSON document.
pub(crate) fn lines(fixture: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A resource type of the core schemas: `User` with the Enterprise extension, or `Group`.
pub(crate) fn resource_type(name: &str) -> ResourceType {
    let schema = core().iter().find(|schema| schema.name == name).unwrap().clone();
    let extensions = if name == "User" { vec![Extension { schema: core()[2].clone(), required: false }] } else { Vec::new() };
    custom_type(name, schema, extensions)
}

pub(crate) fn custom_type(name: &str, schema: Schema, extensions: Vec<Extension>) -> ResourceType {
    ResourceType { name: name.to_owned(), description: String::new(), endpoint: format!("/{name}s"), schema, extensions }
}

/// The lines of a text, moved to the right.
pub(crate) fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| " ".repeat(by) + line).collect::<Vec<_>>().join("\n")
}

/// An object with further members, or other ones.
pub(crate) fn with_members(mut object: Value, members: &Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

/// The operations of a job that creates users of these names, which are their bulkIds.
pub(crate) fn posts(names: &[&str]) -> Value {
    let data = |name: &str| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name });
    let post = |name: &&str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": data(name) });
    names.iter().map(post).collect()
}

/// The statuses in the answer to a job.
pub(crate) fn statuses(body: &Value) -> Vec<&str> {
    body["Operations"].as_array().unwrap().iter().map(|operation| operation["status"].as_str().unwrap()).collect()
}
