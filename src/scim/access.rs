//! What must never be ignored, whatever else is: that somebody loses access.

use serde_json::Value;

use super::schema::USER;
use super::{ResourceType, ScimError};

/// Refuses `active` false for users of a service that has no such attribute. Attributes that nobody holds are ignored, but
/// this one says that somebody is to be locked out (RFC 7643 section 4.1.1): answered as done, a leaver would keep access.
pub(super) fn refuse_unheld(name: &str, value: &Value, resource_type: &ResourceType) -> Result<(), ScimError> {
    let local = match name.split_at_checked(USER.len()) {
        Some((urn, rest)) if urn.eq_ignore_ascii_case(USER) => rest.strip_prefix(':').unwrap_or(name),
        _ => name,
    };
    let is_off = match value {
        Value::Bool(active) => !active,
        Value::String(text) => text.trim().eq_ignore_ascii_case("false"),
        _ => false,
    };
    if is_off
        && local.eq_ignore_ascii_case("active")
        && resource_type.schema.is(USER)
        && resource_type.attribute("active").is_none()
    {
        return Err(ScimError::invalid_value(
            "active: this application cannot lock a user out and keep it. Delete the user instead, or send true.",
        ));
    }
    Ok(())
}
