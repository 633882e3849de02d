//! Requests and their parts.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub(crate) const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A user with a name and the members of `more`, which go before.
pub(crate) fn user(user_name: &str, more: Value) -> Value {
    with(json!({ "schemas": [USER], "userName": user_name }), more)
}

/// A group with a name and the members of `more`, which go before.
pub(crate) fn group(display_name: &str, more: Value) -> Value {
    with(json!({ "schemas": [GROUP], "displayName": display_name }), more)
}

/// An object with more members.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

/// A PATCH with these operations.
pub(crate) fn patch(operations: Value) -> Value {
    let operations = if operations.is_array() { operations } else { json!([operations]) };
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

/// The path of a query with a filter.
pub(crate) fn filtered(endpoint: &str, filter: &str) -> String {
    format!("{endpoint}?filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC))
}
