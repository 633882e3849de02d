//! The bundled demo backend: an in-memory people directory with a proprietary API, behind `scimitar demo` and in tests.
//!
//! It plays a foreign system and is unlike SCIM on purpose: integer ids, envelopes, page numbers, suspend and
//! reactivate as calls of their own, revisions as integers, milliseconds, one sequence of ids for users and teams. It
//! knows nothing of the gateway. Nothing in it is kept when it stops.
//!
//! # The API
//!
//! JSON; every call bears `Authorization: Bearer <token>`. A success is `{"data": ...}`, a list also has
//! `"meta": {"page", "per_page", "total"}`; a failure is `{"error": {"code", "message", "field"?}}`.
//!
//! | call | does |
//! |---|---|
//! | `GET /users?page=1&per_page=25` | lists whole users by id; narrowed by `login`, `email`, `external_ref`, `status`, `q` |
//! | `POST /users` | creates: 201 and the user; 409 `LOGIN_TAKEN` |
//! | `GET`, `PATCH`, `DELETE /users/{id}` | PATCH merges objects, `null` clears, arrays replace |
//! | `POST /users/{id}/suspend`, `/reactivate` | changes `status`, which nothing else can |
//! | `GET /users/{id}/teams` | `{"team_id", "name"}` by id |
//! | `GET /teams` | lists teams by id; narrowed by `name`, `external_ref`, `q` |
//! | `POST /teams`, `GET`, `PATCH`, `DELETE /teams/{id}` | as for users; names need not be unique |
//! | `GET /teams/{id}/members` | `{"user_id", "login", "name", "since_ms"}` by id |
//! | `POST /teams/{id}/members` | `{"user_ids": [...]}`, 1 to 100; one unknown id: 422 `UNKNOWN_USER`, nobody is added |
//! | `DELETE /teams/{id}/members/{user_id}` | 404 `NOT_A_MEMBER` if there is nothing to take away |
//! | `GET`, `PUT /_faults` | `{"latency_ms", "error_rate", "cut_rate", "throttle_rate"}` |
//! | `GET`, `DELETE /_calls` | shows or forgets the calls that came, as `METHOD /path?query`, oldest first |
//!
//! `If-Match: <rev>`, a bare integer, on PATCH, DELETE, suspend and reactivate: 409 `STALE` if the record moved on.
//! Query parameters that mean nothing are ignored; fields that mean nothing are 422 `UNKNOWN_FIELD`. A page behind the
//! last is empty. `secret` of a user can be written and is never told.

mod dice;
mod faults;
mod merge;
mod model;
mod refusal;
mod routes;
mod seed;
mod serve;
mod store;
mod teams;
mod users;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use self::dice::Dice;
use self::refusal::Refusal;
use self::routes::Call;
use self::store::Store;
use crate::limits;

pub use self::faults::{Faults, FaultsError};

/// What a directory starts with. The same options give the same data, to the millisecond.
#[derive(Clone)]
pub struct Options {
    /// People to invent.
    pub users: usize,
    /// Teams to invent; everyone is a member of the first.
    pub teams: usize,
    /// The token that every call must bear.
    pub token: String,
    pub faults: Faults,
    /// Where chance starts, for the people and for the faults.
    pub seed: u64,
}

/// A running directory; clones share it.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
}

struct Shared {
    token: String,
    /// Held for synchronous work only, never across an await.
    state: Mutex<State>,
}

struct State {
    store: Store,
    faults: Faults,
    dice: Dice,
    calls: Calls,
}

/// The calls that came.
#[derive(Default)]
struct Calls {
    newest: VecDeque<String>,
    total: u64,
}

/// A response, and whether it is to break off half way.
struct Answer {
    response: Response<Bytes>,
    cut: bool,
}

/// Where the faults are shown and set. Like [`CALLS_PATH`] it never fails itself, and its calls are not counted.
const FAULTS_PATH: &str = "/_faults";
/// Where the calls are shown and forgotten.
const CALLS_PATH: &str = "/_calls";

/// Whether a path is none of the API but of whoever runs the demo.
fn is_control(uri: &Uri) -> bool {
    matches!(uri.path(), FAULTS_PATH | CALLS_PATH)
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self { users: 250, teams: 12, token: "demo-token".to_owned(), faults: Faults::default(), seed: 1 }
    }
}

// === impl Directory ===

impl Directory {
    /// A directory full of invented people.
    pub fn new(options: Options) -> Self {
        let store = seed::fill(options.users, options.teams, options.seed);
        let dice = Dice::new(options.seed);
        let state = State { store, faults: options.faults, dice, calls: Calls::default() };
        Self { shared: Arc::new(Shared { token: options.token, state: Mutex::new(state) }) }
    }

    /// Answers connections until `stop` is done, then lets running requests finish.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        serve::serve(self, listener, stop).await
    }

    /// Answers one request without a network: errors and throttling happen here too, latency and cut answers do not.
    pub fn handle(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        self.answer(Call { method, uri, headers, body: Some(request.body()) }).response
    }

    /// The calls since the last [`Directory::clear_calls`] as `METHOD /path?query`, oldest first; only the newest are
    /// kept ([`limits::DEMO_CALLS`]). Refused calls are calls; those of `/_faults` and `/_calls` are not.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.newest.iter().cloned().collect()
    }

    /// Forgets the calls, but not their number.
    pub fn clear_calls(&self) {
        self.state().calls.newest.clear();
    }

    /// How many calls came since the start.
    pub fn call_count(&self) -> u64 {
        self.state().calls.total
    }

    pub fn faults(&self) -> Faults {
        self.state().faults
    }

    /// As PUT /_faults does.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Whether that is the user's secret, which the API never tells.
    pub fn secret_is(&self, user: u64, secret: &str) -> bool {
        self.state().store.secret_is(user, secret)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let credentials = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        credentials.and_then(|text| text.split_once(' ')).is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && token.trim().as_bytes().ct_eq(self.shared.token.as_bytes()).into()
        })
    }

    fn answer(&self, call: Call<'_>) -> Answer {
        let mut state = self.state();
        let controls = is_control(call.uri);
        if !controls {
            state.calls.record(call);
        }
        if !self.admits(call.headers) {
            return Answer { response: Refusal::unauthenticated().response(), cut: false };
        }
        if controls {
            return Answer { response: state.control(call).unwrap_or_else(|refusal| refusal.response()), cut: false };
        }
        let State { store, faults, dice, .. } = &mut *state;
        let verdict = faults.decide(dice);
        let result = if verdict.throttled {
            Err(Refusal::slow_down())
        } else if verdict.failed {
            Err(Refusal::internal("something went wrong on our side; try again later"))
        } else {
            routes::respond(store, call, now_ms())
        };
        Answer { response: result.unwrap_or_else(|refusal| refusal.response()), cut: verdict.cut }
    }
}

// === impl State ===

impl State {
    fn control(&mut self, call: Call<'_>) -> Result<Response<Bytes>, Refusal> {
        if call.body.is_none() {
            return Err(Refusal::too_large());
        }
        if call.uri.path() == CALLS_PATH {
            match *call.method {
                Method::GET => {}
                Method::DELETE => self.calls.newest.clear(),
                _ => return Err(Refusal::method("GET, DELETE")),
            }
            return Ok(routes::data(StatusCode::OK, &self.calls.newest));
        }
        match *call.method {
            Method::GET => {}
            Method::PUT => self.faults = Faults::from_body(&call.json()?)?,
            _ => return Err(Refusal::method("GET, PUT")),
        }
        Ok(routes::data(StatusCode::OK, self.faults.row()))
    }
}

// === impl Calls ===

impl Calls {
    fn record(&mut self, call: Call<'_>) {
        self.total += 1;
        if self.newest.len() >= limits::DEMO_CALLS {
            self.newest.pop_front();
        }
        let target = call.uri.path_and_query().map_or("/", |target| target.as_str());
        self.newest.push_back(format!("{} {target}", call.method));
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
