//! Media types.
//!
//! The header Accept is not looked at: there is one representation, and `application/scim+json` is the default of
//! RFC 7644 section 3.8. A client that asks for `text/xml` alone gets JSON, which RFC 9110 section 12.4.1 allows; a 406
//! would stop clients that list formats they do not need.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::scim::ScimError;

/// The media type of every answer, without parameters (RFC 7644 section 8.1 defines none that are needed).
pub const SCIM_JSON: &str = "application/scim+json";

/// Refuses a body that is not JSON by its own account. No Content-Type at all is taken for JSON (OneLogin).
pub fn check(headers: &HeaderMap) -> Result<(), ScimError> {
    for encoding in headers.get_all(CONTENT_ENCODING) {
        if !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") {
            return Err(ScimError::status(
                415,
                "Compressed bodies are not taken here: send the request again without Content-Encoding.",
            ));
        }
    }
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.is_empty()
        || essence.eq_ignore_ascii_case(SCIM_JSON.as_bytes())
        || essence.eq_ignore_ascii_case(b"application/json")
    {
        return Ok(());
    }
    Err(ScimError::status(
        415,
        format!(
            "The Content-Type {} is not taken here: send JSON as application/scim+json (or application/json).",
            String::from_utf8_lossy(essence).escape_debug()
        ),
    ))
}
