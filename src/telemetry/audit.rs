//! What an operator has to know afterwards: changes that nobody asked for in so many words, and changes that remain although
//! their request failed. They name resource type, id and attributes, never a value.

/// The target of these lines; they are seen by default.
pub const TARGET: &str = "scimitar::audit";

/// A create took over a resource that was there.
pub fn adopted(resource_type: &str, id: &str) {
    tracing::warn!(target: TARGET, event = "adopted", resource_type, id, "a create took over a resource that was there");
}

/// A request failed, and part of what it did remains.
pub fn left_behind(resource_type: &str, id: Option<&str>, what: &[String]) {
    tracing::warn!(target: TARGET, event = "left-behind", resource_type, id, ?what, "a request failed, and a part of it remains");
}
