//! A foreign system: the door of a nasty HR application. It knows nothing of SCIM and of the gateway.
//!
//! HTTP/1.1 on loopback. Every answer has status 200: `{"err": {"no": 0, "msg": "OK"}, "data": {...}}`, an error a number
//! that is not 0 and no data. What is written comes as a form by POST, what is read by GET; a parameter that an action does
//! not know, or that comes twice, is refused.
//!
//! `POST /login` with `user` and `pass` sets the cookie `ORSESS` and tells a token, `data.csrf`, which every other call
//! must show in the header `X-Orion-Csrf`. A session that has ended is `err.no` 7.
//!
//! | no | means |
//! |---|---|
//! | 1 | wrong user or password |
//! | 2 | wrong method, or there is no such action |
//! | 3 | the body is no form |
//! | 4 | an unknown parameter, or one that comes twice |
//! | 5 | a parameter is missing |
//! | 7 | no session, or one that has ended |
//! | 8 | the token is missing or wrong |
//! | 10 | a value is bad |
//! | 12, 13 | no such person, no such team |
//! | 23 | the login, or the name of a team, is taken |
//! | 41, 42 | in the team already, not in the team |
//! | 44 | who is active cannot be retired |
//! | 60 | the revision is not the present one |
//! | 99 | too many calls; nothing was done |
//!
//! Now and then, if so configured, the answer is a page of HTML, and nothing was done. The actions are in [`super::hr`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::hr::{ACTIONS, Action, Hr};

pub(crate) const USER: &str = "scim";
pub(crate) const PASSWORD: &str = "s3cret & more";

const MAINTENANCE: &str = "<!DOCTYPE html><html><body><h1>Orion HR</h1><p>We will be back in a minute.</p></body></html>";

/// How bad its day is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moods {
    /// Calls in a second, at the most.
    pub(crate) rate: Option<usize>,
    /// Calls that a session lasts.
    pub(crate) session: Option<usize>,
    /// Every so many calls one is refused as too many.
    pub(crate) busy: Option<usize>,
    /// Every so many calls there is maintenance.
    pub(crate) maintenance: Option<usize>,
}

/// A call that came, and the number that it was answered with; maintenance has none.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) no: Option<u64>,
}

/// The application; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Orion {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    hr: Hr,
    moods: Moods,
    /// By cookie.
    sessions: HashMap<String, Session>,
    logins: usize,
    calls: Vec<Came>,
    /// All calls since the start.
    count: usize,
    recent: VecDeque<Instant>,
}

#[derive(Debug)]
struct Session {
    csrf: String,
    calls: usize,
}

/// The parameters of a call.
pub(crate) type Params = BTreeMap<String, String>;

/// A number and a text.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) no: u64,
    pub(crate) msg: String,
}

pub(crate) fn refusal(no: u64, msg: impl Into<String>) -> Refusal {
    Refusal { no, msg: msg.into() }
}

/// A call as it is on the wire.
struct Raw<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

/// An answer that is no error: its data, and perhaps a cookie.
struct Good {
    data: Value,
    cookie: Option<String>,
}

// === impl Orion ===

impl Orion {
    pub(crate) fn new(hr: Hr, moods: Moods) -> Self {
        let shared =
            Shared { hr, moods, sessions: HashMap::new(), logins: 0, calls: Vec::new(), count: 0, recent: VecDeque::new() };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Listens until the test ends, and gives the URL.
    pub(crate) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/orion", listener.local_addr().unwrap());
        let orion = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let orion = orion.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| orion.exchange(request));
                    // A client that goes away ends its connection, and nothing else.
                    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        url
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Came> {
        std::mem::take(&mut self.shared.lock().unwrap().calls)
    }

    /// How often somebody has logged in.
    pub(crate) fn logins(&self) -> usize {
        self.shared.lock().unwrap().logins
    }

    /// Looks at what it holds, or changes it behind everybody's back.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Hr) -> T) -> T {
        look(&mut self.shared.lock().unwrap().hr)
    }

    /// Ends all sessions.
    pub(crate) fn end_sessions(&self) {
        self.shared.lock().unwrap().sessions.clear();
    }

    async fn exchange(&self, request: http::Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Ok(Response::default()) };
        let body = body.to_bytes();
        let path = head.uri.path().strip_prefix("/orion").unwrap_or_default();
        let raw =
            Raw { method: &head.method, path, query: head.uri.query().unwrap_or_default(), headers: &head.headers, body: &body };
        Ok(self.answer(&raw))
    }

    /// Answers a call that did not come over a network.
    pub(crate) fn direct(&self, method: &Method, target: &str, headers: &HeaderMap, body: &str) -> Response<Full<Bytes>> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.answer(&Raw { method, path, query, headers, body: body.as_bytes() })
    }

    fn answer(&self, raw: &Raw<'_>) -> Response<Full<Bytes>> {
        let mut shared = self.shared.lock().unwrap();
        shared.count += 1;
        let is_nth = |every: Option<usize>| every.is_some_and(|every| shared.count.is_multiple_of(every));
        let (maintenance, busy) = (is_nth(shared.moods.maintenance), is_nth(shared.moods.busy));
        let params = raw.params();
        let result = match (maintenance, busy) {
            (true, _) => None,
            (false, true) => Some(Err(refusal(99, "too many calls, wait 1 s"))),
            (false, false) => Some(shared.respond(raw, &params)),
        };
        let no = result.as_ref().map(|result| result.as_ref().map_or_else(|refused| refused.no, |_| 0));
        shared.calls.push(Came { method: raw.method.clone(), path: raw.path.to_owned(), params, no });
        drop(shared);
        let answer = Response::builder().status(200);
        let Some(result) = result else {
            return answer.header("Content-Type", "text/html; charset=utf-8").body(Full::from(MAINTENANCE)).unwrap();
        };
        let answer = answer.header("Content-Type", "application/json");
        let (answer, body) = match result {
            Ok(Good { data, cookie }) => {
                let answer = match cookie {
                    Some(cookie) => answer.header("Set-Cookie", format!("ORSESS={cookie}; Path=/; HttpOnly")),
                    None => answer,
                };
                (answer, json!({ "err": { "no": 0, "msg": "OK" }, "data": data }))
            }
            Err(Refusal { no, msg }) => (answer, json!({ "err": { "no": no, "msg": msg } })),
        };
        answer.body(Full::from(body.to_string())).unwrap()
    }
}

// === impl Raw ===

impl Raw<'_> {
    /// Of the query and of the form, in their order.
    fn params(&self) -> Vec<(String, String)> {
        let query = form_urlencoded::parse(self.query.as_bytes());
        let form = form_urlencoded::parse(if self.is_form() { self.body } else { b"" });
        query.chain(form).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn cookie(&self) -> Option<&str> {
        self.header("cookie")?.split(';').find_map(|cookie| cookie.trim().strip_prefix("ORSESS="))
    }
}

// === impl Shared ===

impl Shared {
    fn respond(&mut self, raw: &Raw<'_>, params: &[(String, String)]) -> Result<Good, Refusal> {
        self.throttle()?;
        let login = Action { name: "/login", writes: true, needs: &["user", "pass"], may: &[], act: |_, _| Ok(Value::Null) };
        let action = ACTIONS.iter().chain([&login]).find(|action| action.name == raw.path);
        let action = action.ok_or_else(|| refusal(2, "no such action"))?;
        if *raw.method != if action.writes { Method::POST } else { Method::GET } {
            return Err(refusal(2, "wrong method"));
        }
        let is_right = if action.writes { raw.is_form() && raw.query.is_empty() } else { raw.body.is_empty() };
        if !is_right {
            return Err(refusal(3, "a form by POST, a query by GET"));
        }
        if action.name != "/login" {
            self.admit(raw)?;
        }
        let mut given = Params::new();
        for (name, value) in params {
            let is_known = action.needs.iter().chain(action.may).any(|known| known == name);
            if !is_known || given.insert(name.clone(), value.clone()).is_some() {
                return Err(refusal(4, format!("unknown parameter {name}")));
            }
        }
        if let Some(missing) = action.needs.iter().find(|name| given.get(**name).is_none_or(String::is_empty)) {
            return Err(refusal(5, format!("missing parameter {missing}")));
        }
        if action.name == "/login" {
            self.login(&given)
        } else {
            Ok(Good { data: (action.act)(&mut self.hr, &given)?, cookie: None })
        }
    }

    /// Calls that are refused do not count.
    fn throttle(&mut self) -> Result<(), Refusal> {
        let Some(rate) = self.moods.rate else { return Ok(()) };
        let now = Instant::now();
        while self.recent.front().is_some_and(|then| now.duration_since(*then) >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        if self.recent.len() >= rate {
            return Err(refusal(99, "too many calls, wait 1 s"));
        }
        self.recent.push_back(now);
        Ok(())
    }

    fn admit(&mut self, raw: &Raw<'_>) -> Result<(), Refusal> {
        let lasts = self.moods.session.unwrap_or(usize::MAX);
        let ended = || refusal(7, "session expired");
        let cookie = raw.cookie().ok_or_else(ended)?;
        let session = self.sessions.get_mut(cookie).filter(|session| session.calls < lasts).ok_or_else(ended)?;
        session.calls += 1;
        if raw.header("x-orion-csrf") != Some(&session.csrf) {
            return Err(refusal(8, "bad token"));
        }
        Ok(())
    }

    fn login(&mut self, given: &Params) -> Result<Good, Refusal> {
        if (given["user"].as_str(), given["pass"].as_str()) != (USER, PASSWORD) {
            return Err(refusal(1, "wrong user or password"));
        }
        self.logins += 1;
        let (cookie, csrf) = (format!("{:08x}", self.logins * 0x9e37), format!("t{}+/=", self.logins));
        self.sessions.insert(cookie.clone(), Session { csrf: csrf.clone(), calls: 0 });
        Ok(Good { data: json!({ "csrf": csrf }), cookie: Some(cookie) })
    }
}

// === impl Came ===

impl Came {
    /// Whether whoever called did not keep to the rules of the application.
    pub(crate) fn is_clumsy(&self) -> bool {
        matches!(self.no, Some(1..=5 | 8))
    }
}
