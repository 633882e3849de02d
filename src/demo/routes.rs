//! The HTTP of the directory: paths, methods, queries, envelopes.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use serde::Serialize;
use serde_json::Value;

use super::model::Status;
use super::refusal::Refusal;
use super::store::{Page, Paged, Store};
use super::teams::TeamFilter;
use super::users::UserFilter;
use crate::limits;

/// A request whose body has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// `None` if it is larger than the directory takes.
    pub(super) body: Option<&'a [u8]>,
}

/// The paths that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Users,
    User(u64),
    Suspend(u64),
    Reactivate(u64),
    UserTeams(u64),
    Teams,
    Team(u64),
    Members(u64),
    Member(u64, u64),
}

type Query = BTreeMap<String, String>;

/// What succeeds is in `data`; `meta` is for lists only.
#[derive(Serialize)]
struct Envelope<T> {
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Serialize)]
struct Meta {
    page: usize,
    per_page: usize,
    total: usize,
}

/// Does what the call asks for.
pub(super) fn respond(store: &mut Store, call: Call<'_>, now: i64) -> Result<Response<Bytes>, Refusal> {
    if call.body.is_none_or(|body| body.len() > limits::REQUEST_BYTES) {
        return Err(Refusal::too_large());
    }
    let route = Route::parse(call.uri.path()).ok_or_else(Refusal::no_such_path)?;
    match (route, call.method) {
        (Route::Users, &Method::GET) => {
            let query = call.query();
            let page = store.list_users(&user_filter(&query)?, page_of(&query)?);
            Ok(list(page.map(|user| store.row(user))))
        }
        (Route::Users, &Method::POST) => {
            let id = store.create_user(call.json()?, now)?;
            user(store, StatusCode::CREATED, id)
        }
        (Route::User(id), &Method::GET) => user(store, StatusCode::OK, id),
        (Route::User(id), &Method::PATCH) => {
            store.user(id)?;
            store.patch_user(id, call.if_match()?, call.json()?, now)?;
            user(store, StatusCode::OK, id)
        }
        (Route::User(id), &Method::DELETE) => {
            store.user(id)?;
            store.delete_user(id, call.if_match()?, now)?;
            Ok(no_content())
        }
        (Route::Suspend(id) | Route::Reactivate(id), &Method::POST) => {
            store.user(id)?;
            let status = if route == Route::Suspend(id) { Status::Suspended } else { Status::Active };
            store.set_status(id, call.if_match()?, status, now)?;
            user(store, StatusCode::OK, id)
        }
        (Route::Suspend(_) | Route::Reactivate(_), _) => Err(Refusal::method("POST")),
        (Route::UserTeams(id), &Method::GET) => Ok(list(store.teams_of(id, page_of(&call.query())?)?)),
        (Route::UserTeams(_), _) => Err(Refusal::method("GET")),
        (Route::Teams, &Method::GET) => {
            let query = call.query();
            let page = store.list_teams(&team_filter(&query), page_of(&query)?);
            Ok(list(page.map(|team| team.row())))
        }
        (Route::Teams, &Method::POST) => {
            let id = store.create_team(&call.json()?, now)?;
            team(store, StatusCode::CREATED, id)
        }
        (Route::Team(id), &Method::GET) => team(store, StatusCode::OK, id),
        (Route::Team(id), &Method::PATCH) => {
            store.team(id)?;
            store.patch_team(id, call.if_match()?, &call.json()?, now)?;
            team(store, StatusCode::OK, id)
        }
        (Route::Team(id), &Method::DELETE) => {
            store.team(id)?;
            store.delete_team(id, call.if_match()?)?;
            Ok(no_content())
        }
        (Route::User(_) | Route::Team(_), _) => Err(Refusal::method("GET, PATCH, DELETE")),
        (Route::Members(id), &Method::GET) => Ok(list(store.members_of(id, page_of(&call.query())?)?)),
        (Route::Members(id), &Method::POST) => {
            store.team(id)?;
            Ok(data(StatusCode::OK, store.add_members(id, &call.json()?, now)?))
        }
        (Route::Users | Route::Teams | Route::Members(_), _) => Err(Refusal::method("GET, POST")),
        (Route::Member(id, member), &Method::DELETE) => {
            store.remove_member(id, member, now)?;
            Ok(no_content())
        }
        (Route::Member(..), _) => Err(Refusal::method("DELETE")),
    }
}

fn user(store: &Store, status: StatusCode, id: u64) -> Result<Response<Bytes>, Refusal> {
    let user = store.user(id)?;
    Ok(data(status, store.row(user)))
}

fn team(store: &Store, status: StatusCode, id: u64) -> Result<Response<Bytes>, Refusal> {
    Ok(data(status, store.team(id)?.row()))
}

fn list<T: Serialize>(page: Paged<T>) -> Response<Bytes> {
    let meta = Meta { page: page.page.page, per_page: page.page.per_page, total: page.total };
    json(StatusCode::OK, &Envelope { data: page.rows, meta: Some(meta) })
}

/// One object in its envelope.
pub(super) fn data(status: StatusCode, data: impl Serialize) -> Response<Bytes> {
    json(status, &Envelope { data, meta: None })
}

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // Nothing that is sent has keys other than strings, which is the only thing that cannot be written as JSON.
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (status, Bytes::from(body)),
        Err(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(br#"{"error":{"code":"INTERNAL","message":"no JSON"}}"#))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn page_of(query: &Query) -> Result<Page, Refusal> {
    Page::parse(query.get("page").map(String::as_str), query.get("per_page").map(String::as_str))
}

fn user_filter(query: &Query) -> Result<UserFilter, Refusal> {
    let status = match query.get("status").map(String::as_str) {
        None => None,
        Some("ACTIVE") => Some(Status::Active),
        Some("SUSPENDED") => Some(Status::Suspended),
        Some(_) => return Err(Refusal::invalid("status", "status takes ACTIVE or SUSPENDED")),
    };
    let text = |name: &str| query.get(name).cloned();
    Ok(UserFilter { login: text("login"), email: text("email"), external_ref: text("external_ref"), status, q: text("q") })
}

fn team_filter(query: &Query) -> TeamFilter {
    let text = |name: &str| query.get(name).cloned();
    TeamFilter { name: text("name"), external_ref: text("external_ref"), q: text("q") }
}

// === impl Route ===

impl Route {
    fn parse(path: &str) -> Option<Self> {
        // The longest path has four segments; a fifth is kept to tell that there are more.
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').take(5).collect();
        match segments.as_slice() {
            ["users"] => Some(Self::Users),
            ["users", id] => Some(Self::User(parse_id(id)?)),
            ["users", id, "suspend"] => Some(Self::Suspend(parse_id(id)?)),
            ["users", id, "reactivate"] => Some(Self::Reactivate(parse_id(id)?)),
            ["users", id, "teams"] => Some(Self::UserTeams(parse_id(id)?)),
            ["teams"] => Some(Self::Teams),
            ["teams", id] => Some(Self::Team(parse_id(id)?)),
            ["teams", id, "members"] => Some(Self::Members(parse_id(id)?)),
            ["teams", id, "members", user] => Some(Self::Member(parse_id(id)?, parse_id(user)?)),
            _ => None,
        }
    }
}

/// Digits alone, no zero before them: `+7` and `007` are nobody's id, though `str::parse` takes them.
fn parse_id(segment: &str) -> Option<u64> {
    segment.parse().ok().filter(|id: &u64| id.to_string() == segment)
}

// === impl Call ===

impl Call<'_> {
    /// The parameters; of a repeated one the last counts.
    fn query(&self) -> Query {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body.unwrap_or_default()).map_err(|error| Refusal::bad_json(&error))
    }

    fn if_match(&self) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.headers.get(IF_MATCH) else { return Ok(None) };
        let rev = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        rev.map(Some).ok_or_else(|| Refusal::invalid("If-Match", "If-Match takes the rev of the record, a bare integer as in 7"))
    }
}
