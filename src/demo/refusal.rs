//! What the directory says no with: `{"error": {"code", "message", "field"?}}`.

use bytes::Bytes;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::routes::json;
use crate::limits;

/// A request that is not done.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The path of the field to blame.
    pub(super) field: Option<String>,
    /// The ids that nobody has, where several were sent.
    pub(super) user_ids: Vec<u64>,
    /// The methods that would have been right.
    pub(super) allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "<[u64]>::is_empty")]
    user_ids: &'a [u64],
}

// === impl Refusal ===

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, user_ids: Vec::new(), allow: None }
    }

    /// 422 with a code of its own.
    pub(super) fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 422 for a value that does not fit its field.
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::unprocessable("INVALID", message).at(field)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "send the header Authorization: Bearer <token> with a valid token")
    }

    pub(super) fn no_user(id: u64) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is no user {id}"))
    }

    pub(super) fn no_team(id: u64) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is no team {id}"))
    }

    pub(super) fn not_a_member(team: u64, user: u64) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_A_MEMBER", format!("user {user} is not a member of team {team}"))
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "there is nothing at this path; the collections are /users and /teams, ids are integers",
        )
    }

    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("this path does not take that method; use {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message) }
    }

    pub(super) fn stale(current: u64) -> Self {
        let message =
            format!("the record changed in the meantime: its rev is {current}; read it again and send that in If-Match");
        Self::new(StatusCode::CONFLICT, "STALE", message)
    }

    pub(super) fn login_taken(login: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "LOGIN_TAKEN", format!("another user has the login {login:?}; choose a different one"))
            .at("login")
    }

    pub(super) fn unknown_users(ids: Vec<u64>) -> Self {
        Self { user_ids: ids, ..Self::unprocessable("UNKNOWN_USER", "nobody has these ids; nothing was added") }
    }

    pub(super) fn bad_json(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_JSON", format!("the body is not JSON: {error}"))
    }

    pub(super) fn too_large() -> Self {
        let message = format!("the body is larger than {} bytes; send less at once", limits::REQUEST_BYTES);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", message)
    }

    pub(super) fn slow_down() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "SLOW_DOWN", "too many requests; wait a second and try again")
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
    }

    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let error = Error { code: self.code, message: &self.message, field: self.field.as_deref(), user_ids: &self.user_ids };
        let mut response = json(self.status, &Body { error });
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
