//! A backend in process: users and groups with the API that its kind has, a log of its calls, and faults on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Method};
use scimitar::engine::ports::Backend;
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::{Fault, FaultClass};
use serde_json::{Map, Value, json};

use super::api::{rest, rpc};

/// How a backend wants to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Members in endpoints of their own, added a hundred at once; users in parts, with their revision in a header.
    Separate,
    /// One member a call; users as wholes, with their revision in the body; creating answers the id alone.
    Single,
    /// Members in the record of the group, changed by what comes and goes.
    Inline,
    /// Records that are only ever replaced as wholes, members included, with their revision in a header.
    Document,
    /// Calls that change one field, memberships by the name of the group, errors in answers with status 200.
    Rpc,
    /// Memberships that are records with ids of their own.
    Records,
    /// A call that sets all members, without any revision.
    Set,
}

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    Unreachable,
    CutBefore,
    CutAfter,
    LateBefore,
    LateAfter,
    FailedBefore,
    FailedAfter,
    Busy,
    /// The revision is not the present one, says the backend; on calls with a revision only.
    Stale,
}

/// A call that came.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Method and target.
    pub(crate) line: String,
    pub(crate) body: Value,
    /// The header If-Match.
    pub(crate) rev: Option<String>,
    pub(crate) writes: bool,
    pub(crate) mishap: Option<Mishap>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) users: BTreeMap<u64, Value>,
    pub(crate) groups: BTreeMap<u64, Value>,
    /// Group and user, and the id of the membership.
    pub(crate) memberships: BTreeMap<(u64, u64), u64>,
    last: u64,
    last_membership: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Fake {
    pub(crate) kind: Kind,
    state: Arc<Mutex<State>>,
    log: Arc<Mutex<Vec<Entry>>>,
    /// What befalls the calls to come.
    mishaps: Arc<Mutex<std::vec::IntoIter<Option<Mishap>>>>,
    busy: Arc<AtomicUsize>,
    /// The most calls that were there at once.
    crowd: Arc<AtomicUsize>,
    /// How many calls must have been there at once before any is answered.
    awaited: Arc<AtomicUsize>,
}

/// A request as the backend sees it.
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) path: Vec<&'a str>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) rev: Option<u64>,
}

/// The fields of a user that can be written.
const USER: [&str; 12] = ["login", "ext", "display", "first", "last", "job", "nick", "number", "dept", "boss", "mails", "status"];
const GROUP: [&str; 2] = ["name", "ext"];

/// Members that one call may add.
pub(crate) const BATCH: usize = 100;
/// Members that one call may add or remove with `Kind::Inline`.
pub(crate) const DELTA: usize = 200;

/// An answer that says no; nothing was changed.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) type Outcome = Result<Answer, Refused>;

impl Kind {
    /// Whether a status has calls of its own.
    pub(crate) fn switches(self) -> bool {
        matches!(self, Self::Separate | Self::Single | Self::Rpc)
    }
}

impl Mishap {
    pub(crate) const ALL: [Self; 9] = [
        Self::Unreachable,
        Self::CutBefore,
        Self::CutAfter,
        Self::LateBefore,
        Self::LateAfter,
        Self::FailedBefore,
        Self::FailedAfter,
        Self::Busy,
        Self::Stale,
    ];

    /// Whether the backend did what it was asked.
    fn acts(self) -> bool {
        matches!(self, Self::CutAfter | Self::LateAfter | Self::FailedAfter)
    }

    /// Whether nobody but the backend knows if it did.
    pub(crate) fn is_unknown(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Busy | Self::Stale)
    }
}

// === impl State ===

impl State {
    /// Users 1 to `users`, and groups with these members behind them.
    pub(crate) fn new(users: u64, groups: &[&[u64]]) -> Self {
        let mut state = Self::default();
        for id in 1..=users {
            let user = json!({
                "id": id, "rev": 1, "login": format!("user{id}"), "ext": format!("x{id}"), "display": format!("User {id}"),
                "first": "Ann", "last": "Lee", "job": "Guide", "nick": null, "number": null, "dept": "Sales", "boss": null,
                "mails": [{ "address": format!("user{id}@x.test"), "kind": "work", "main": true }], "status": "A"
            });
            state.users.insert(id, user);
        }
        state.last = users;
        for members in groups {
            let id = state.next();
            state.groups.insert(id, json!({ "id": id, "rev": 1, "name": format!("group{id}"), "ext": null }));
            for user in *members {
                let membership = state.next_membership();
                state.memberships.insert((id, *user), membership);
            }
        }
        state
    }

    /// Gives a group many more members, of whom nothing else is known.
    pub(crate) fn fill(&mut self, group: u64, count: u64) {
        for user in 1_000_000..1_000_000 + count {
            self.join(group, user);
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A space of their own: an id of a user is never one of a membership.
    pub(crate) fn next_membership(&mut self) -> u64 {
        self.last_membership += 1;
        90_000 + self.last_membership
    }

    pub(crate) fn members(&self, group: u64) -> impl Iterator<Item = u64> + '_ {
        self.memberships.range((group, 0)..=(group, u64::MAX)).map(|((_, user), _)| *user)
    }

    pub(crate) fn groups_of(&self, user: u64) -> Vec<u64> {
        self.memberships.keys().filter(|(_, member)| *member == user).map(|(group, _)| *group).collect()
    }

    pub(crate) fn shown_user(&self, kind: Kind, id: u64) -> Value {
        let mut user = self.users[&id].clone();
        if kind == Kind::Inline {
            user["team_ids"] = json!(self.groups_of(id));
        }
        user
    }

    pub(crate) fn shown_group(&self, kind: Kind, id: u64) -> Value {
        let mut group = self.groups[&id].clone();
        if matches!(kind, Kind::Inline | Kind::Document) {
            group["member_ids"] = json!(self.members(id).collect::<Vec<_>>());
        }
        group
    }

    pub(crate) fn bump(record: &mut Value) {
        record["rev"] = json!(record["rev"].as_u64().unwrap() + 1);
    }

    /// Makes or changes a user. A whole one loses what it does not name.
    pub(crate) fn write_user(
        &mut self,
        kind: Kind,
        id: Option<u64>,
        fields: &Map<String, Value>,
        whole: bool,
    ) -> Result<u64, Refused> {
        let fresh = || json!({ "id": self.last + 1, "rev": 0, "mails": [], "status": "A" });
        let mut user = id.map_or_else(fresh, |id| self.users[&id].clone());
        for field in USER.iter().filter(|field| whole && !(**field == "status" && kind.switches())) {
            user[*field] = match *field {
                "mails" => json!([]),
                "status" => json!("A"),
                _ => Value::Null,
            };
        }
        for (name, value) in fields.iter().filter(|(name, _)| !(whole && *name == "rev")) {
            assert!(USER.contains(&name.as_str()), "no field of a user is called {name}");
            assert!(!(name == "status" && kind.switches()), "a status has calls of its own");
            user[name] = if name == "mails" && value.is_null() { json!([]) } else { value.clone() };
        }
        let Some(login) = user["login"].as_str().filter(|login| !login.is_empty()) else {
            return Err(refusal(422, "BAD"));
        };
        let taken = |(known, other): (&u64, &Value)| {
            Some(*known) != id && other["login"].as_str().unwrap().to_lowercase() == login.to_lowercase()
        };
        if self.users.iter().any(taken) {
            return Err(refusal(409, "TAKEN"));
        }
        if !user["boss"].is_null() && !user["boss"].as_u64().is_some_and(|boss| self.users.contains_key(&boss)) {
            return Err(refusal(422, "BAD"));
        }
        assert!(user["mails"].as_array().unwrap().iter().all(|mail| mail["address"].is_string()), "{user}");
        assert!(matches!(user["status"].as_str(), Some("A" | "D")), "{user}");
        Self::bump(&mut user);
        let id = id.unwrap_or_else(|| self.next());
        self.users.insert(id, user);
        Ok(id)
    }

    /// Makes or changes a group, its members excepted.
    pub(crate) fn write_group(&mut self, id: Option<u64>, fields: &Map<String, Value>, whole: bool) -> Result<u64, Refused> {
        let fresh = || json!({ "id": self.last + 1, "rev": 0 });
        let mut group = id.map_or_else(fresh, |id| self.groups[&id].clone());
        for field in GROUP.iter().filter(|_| whole) {
            group[*field] = Value::Null;
        }
        for (name, value) in fields {
            assert!(GROUP.contains(&name.as_str()), "no field of a group is called {name}");
            group[name] = value.clone();
        }
        let Some(called) = group["name"].as_str().filter(|name| !name.is_empty()) else { return Err(refusal(422, "BAD")) };
        if self.groups.iter().any(|(known, other)| Some(*known) != id && other["name"] == called) {
            return Err(refusal(409, "TAKEN"));
        }
        Self::bump(&mut group);
        let id = id.unwrap_or_else(|| self.next());
        self.groups.insert(id, group);
        Ok(id)
    }

    pub(crate) fn switch(&mut self, id: u64, on: bool) {
        let user = self.users.get_mut(&id).unwrap();
        user["status"] = json!(if on { "A" } else { "D" });
        Self::bump(user);
    }

    /// The ids of a list; those of nobody are an error.
    pub(crate) fn known(&self, ids: &Value, batch: usize) -> Result<Vec<u64>, Refused> {
        let ids: Vec<u64> = ids.as_array().into_iter().flatten().map(|id| id.as_u64().unwrap()).collect();
        assert!(ids.len() <= batch, "{} members in one call", ids.len());
        let unknown: Vec<u64> = ids.iter().copied().filter(|id| !self.users.contains_key(id)).collect();
        match unknown.as_slice() {
            [] => Ok(ids),
            unknown => Err(Refused { status: 422, body: json!({ "ok": false, "error": "UNKNOWN", "ids": unknown }) }),
        }
    }

    /// The id of the new membership, if it is one.
    pub(crate) fn join(&mut self, group: u64, user: u64) -> Option<u64> {
        if self.memberships.contains_key(&(group, user)) {
            return None;
        }
        let membership = self.next_membership();
        self.memberships.insert((group, user), membership);
        Some(membership)
    }

    /// Gives a group exactly these members.
    pub(crate) fn set_members(&mut self, group: u64, users: &[u64]) {
        let gone: Vec<u64> = self.members(group).filter(|user| !users.contains(user)).collect();
        for user in gone {
            self.memberships.remove(&(group, user));
        }
        for user in users {
            self.join(group, *user);
        }
    }

    pub(crate) fn delete_user(&mut self, id: u64) {
        self.users.remove(&id);
        self.memberships.retain(|(_, user), _| *user != id);
        for user in self.users.values_mut().filter(|user| user["boss"] == id) {
            user["boss"] = Value::Null;
            Self::bump(user);
        }
    }

    pub(crate) fn delete_group(&mut self, id: u64) {
        self.groups.remove(&id);
        self.memberships.retain(|(group, _), _| *group != id);
    }

    pub(crate) fn user(&self, id: &str) -> Result<u64, Refused> {
        id.parse().ok().filter(|id| self.users.contains_key(id)).ok_or_else(|| refusal(404, "NO_SUCH"))
    }

    pub(crate) fn group(&self, id: &str) -> Result<u64, Refused> {
        id.parse().ok().filter(|id| self.groups.contains_key(id)).ok_or_else(|| refusal(404, "NO_SUCH"))
    }
}

// === impl Fake ===

impl Fake {
    pub(crate) fn new(kind: Kind, state: State) -> Self {
        Self {
            kind,
            state: Arc::new(Mutex::new(state)),
            log: Arc::default(),
            mishaps: Arc::new(Mutex::new(Vec::new().into_iter())),
            busy: Arc::default(),
            crowd: Arc::default(),
            awaited: Arc::default(),
        }
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Lets these befall the calls to come, one each.
    pub(crate) fn befall(&self, mishaps: Vec<Option<Mishap>>) {
        *self.mishaps.lock().unwrap() = mishaps.into_iter();
    }

    /// A copy of what the backend holds.
    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap().clone()
    }

    /// What the backend says instead of an answer.
    fn refusal(&self, status: u16, error: &str) -> Answer {
        plain(if self.kind == Kind::Rpc { 200 } else { status }, &refusal(status, error).body)
    }

    /// Answers nobody before so many calls are there at once.
    pub(crate) fn wait_for(&self, calls: usize) {
        self.awaited.store(calls, Ordering::SeqCst);
    }

    fn act(&self, asked: &Asked<'_>) -> Answer {
        let mut state = self.state.lock().unwrap();
        let answer = match self.kind {
            Kind::Rpc => rpc(&mut state, asked),
            kind => rest(kind, &mut state, asked),
        };
        answer.unwrap_or_else(|refused| plain(refused.status, &refused.body))
    }
}

/// Half of a call: others may come in between.
async fn pause() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

impl Backend for Fake {
    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let if_match = call.headers.iter().find(|(name, _)| name == "if-match").map(|(_, value)| value.to_str().unwrap());
        let body: Value = call.body.as_ref().map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
        let asked = Asked {
            method: call.method.clone(),
            path: path.split('/').skip(1).collect(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            rev: if_match.map_or_else(|| body["rev"].as_u64(), |rev| rev.parse().ok()),
            body,
        };
        let writes = call.method != Method::GET;
        let stale = writes && asked.rev.is_some();
        let mishap = self.mishaps.lock().unwrap().next().flatten().filter(|mishap| *mishap != Mishap::Stale || stale);
        self.log.lock().unwrap().push(Entry {
            line: format!("{} {}", call.method, call.target),
            body: asked.body.clone(),
            rev: if_match.map(str::to_owned),
            writes,
            mishap,
        });
        let here = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.crowd.fetch_max(here, Ordering::SeqCst);
        while self.crowd.load(Ordering::SeqCst) < self.awaited.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        pause().await;
        let answer = match mishap {
            Some(mishap) if !mishap.acts() => None,
            _ => Some(self.act(&asked)),
        };
        pause().await;
        self.busy.fetch_sub(1, Ordering::SeqCst);
        let fault = |class| {
            let detail = "a mishap".to_owned();
            Err(Fault { class, call: call.call.name.clone(), detail, retry_after: None })
        };
        match mishap {
            None => Ok(answer.unwrap()),
            Some(Mishap::Unreachable) => fault(FaultClass::Unreachable),
            Some(Mishap::CutBefore | Mishap::CutAfter) => fault(FaultClass::Broken),
            Some(Mishap::LateBefore | Mishap::LateAfter) => fault(FaultClass::TimedOut),
            Some(Mishap::FailedBefore | Mishap::FailedAfter) => Ok(self.refusal(500, "OOPS")),
            Some(Mishap::Busy) => {
                let mut answer = self.refusal(429, "BUSY");
                answer.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
                Ok(answer)
            }
            Some(Mishap::Stale) => Ok(self.refusal(409, "STALE")),
        }
    }
}

pub(crate) fn plain(status: u16, body: &Value) -> Answer {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    Answer { status, headers: HeaderMap::new(), body }
}

pub(crate) fn refusal(status: u16, error: &str) -> Refused {
    Refused { status, body: json!({ "ok": false, "error": error }) }
}
