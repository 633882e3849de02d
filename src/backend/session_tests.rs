use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use http::HeaderMap;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::json;
use tower::service_fn;

use super::*;
use crate::mapping::model::Auth;
use crate::mapping::{Mapping, Secrets, load};
use crate::translate::call::HttpCall;

const LOGIN: &str =
    "{ login: { call: POST /login, keep: { token: $.token }, send: { headers: { Authorization: \"T {{token}}\" } }, EXPIRES } }";
const OAUTH2: &str = "{ oauth2: { token: /login, client: \"${C}\", secret: \"${S}\" } }";

struct Given;

impl Secrets for Given {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        Ok(if text.contains("${") { "http://people.test".into() } else { text.into() })
    }
}

/// A login, and a backend that takes the tokens of its last logins.
struct World {
    sessions: Sessions,
    writer: Writer,
    mapping: Mapping,
    backend: Arc<Backend>,
}

#[derive(Default)]
struct Backend {
    /// What came, in order: `login`, or the header Authorization of a call.
    log: Mutex<Vec<String>>,
    logins: AtomicUsize,
    /// The status of logins; 200 for 0.
    refuses: AtomicU16,
    /// Tokens up to this one are not taken.
    ended: AtomicUsize,
    /// What `expires_in` says.
    lifetime: AtomicUsize,
    /// Seconds that a login takes.
    slow: AtomicUsize,
}

impl Backend {
    async fn answer(self: Arc<Self>, request: Outbound) -> Result<Answer, BoxError> {
        let mut headers = HeaderMap::new();
        let (status, body) = if request.uri().path() == "/login" {
            self.log.lock().unwrap().push("login".to_owned());
            tokio::time::sleep(Duration::from_secs(self.slow.load(Ordering::SeqCst) as u64)).await;
            let number = self.logins.fetch_add(1, Ordering::SeqCst) + 1;
            let token = number.to_string();
            let body = json!({ "token": token, "access_token": token, "expires_in": self.lifetime.load(Ordering::SeqCst) });
            match self.refuses.load(Ordering::SeqCst) {
                0 => (200, body),
                429 => {
                    headers.insert(RETRY_AFTER, "20".parse().unwrap());
                    (429, json!(null))
                }
                status => (status, json!({ "no": "no" })),
            }
        } else {
            let sent = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
            assert!(request.headers()[AUTHORIZATION].is_sensitive());
            let number: usize = sent.split(' ').nth(1).unwrap().parse().unwrap();
            self.log.lock().unwrap().push(sent);
            if number <= self.ended.load(Ordering::SeqCst) { (401, json!(null)) } else { (200, json!({ "id": "7" })) }
        };
        Ok(Answer { status, headers, body: body.to_string().into() })
    }
}

impl World {
    fn new(auth: &str) -> Self {
        let text = format!(
            "mapping: v1\nbackend:\n  url: ${{URL}}\n  auth: {auth}\nresources:\n  User: {{ id: $.id, attributes: {{ userName: $.id }}, get: \"GET /people/{{{{key}}}}\" }}\n"
        );
        let (mapping, diagnostics) = load(&text, &Given);
        let mapping = mapping.unwrap_or_else(|| panic!("{text}{diagnostics:?}"));
        let Auth::Session(session) = mapping.backend.auth.clone() else { panic!("{auth}") };
        let writer = Writer::new(&mapping.backend.url, &[]).unwrap();
        Self { sessions: Sessions::new(*session, writer.clone()), writer, mapping, backend: Arc::default() }
    }

    /// Makes a call, and gives its status.
    async fn call(&self) -> Result<u16, Fault> {
        let call = &self.mapping.resources[0].get.as_ref().unwrap().call;
        let call = HttpCall {
            target: "/people/7".to_owned(),
            ..build(call, &Scope { key: Some(&json!("7")), ..Scope::default() }, None).unwrap()
        };
        let backend = Arc::clone(&self.backend);
        let inner = service_fn(move |request| Arc::clone(&backend).answer(request));
        match self.sessions.send(inner, self.writer.write(&call).unwrap()).await {
            Ok(answer) => Ok(answer.status),
            Err(error) => Err(*error.downcast::<Fault>().unwrap()),
        }
    }

    /// What came since the last time.
    fn came(&self) -> Vec<String> {
        std::mem::take(&mut self.backend.log.lock().unwrap())
    }
}

fn login(expires: &str) -> World {
    World::new(&LOGIN.replace("EXPIRES", expires))
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn one_login_for_all_calls() {
    let world = login("");
    for _ in 0..3 {
        assert_eq!(world.call().await, Ok(200));
        pass(100_000).await;
    }
    assert_eq!(world.came(), ["login", "T 1", "T 1", "T 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_login_ends_after_its_time_however_often_it_is_used() {
    let world = login("expires: 60s");
    for _ in 0..4 {
        assert_eq!(world.call().await, Ok(200));
        pass(25).await;
    }
    assert_eq!(world.came(), ["login", "T 1", "T 1", "T 1", "login", "T 2"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_login_ends_and_a_used_one_does_not() {
    let world = login("expires: { idle: 60s }");
    for _ in 0..4 {
        assert_eq!(world.call().await, Ok(200));
        pass(50).await;
    }
    pass(20).await;
    assert_eq!(world.call().await, Ok(200));
    assert_eq!(world.came(), ["login", "T 1", "T 1", "T 1", "T 1", "login", "T 2"]);
}

/// An hour, less what a token may need to travel (30 s).
#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_shortly_before_its_end() {
    let world = World::new(OAUTH2);
    world.backend.lifetime.store(3600, Ordering::SeqCst);
    world.call().await.unwrap();
    pass(3569).await;
    world.call().await.unwrap();
    assert_eq!(world.came(), ["login", "Bearer 1", "Bearer 1"]);
    pass(2).await;
    world.call().await.unwrap();
    assert_eq!(world.came(), ["login", "Bearer 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_tells_no_end_is_used_until_it_is_refused() {
    let world = World::new(OAUTH2);
    world.call().await.unwrap();
    pass(1_000_000).await;
    world.call().await.unwrap();
    world.backend.ended.store(1, Ordering::SeqCst);
    assert_eq!(world.call().await, Ok(200));
    assert_eq!(world.came(), ["login", "Bearer 1", "Bearer 1", "Bearer 1", "login", "Bearer 2"]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_login_makes_none() {
    let world = login("");
    world.backend.slow.store(3, Ordering::SeqCst);
    let all = futures_util::future::join_all((0..20).map(|_| world.call())).await;
    assert!(all.iter().all(|status| *status == Ok(200)));
    assert_eq!(world.backend.logins.load(Ordering::SeqCst), 1);
    // All of them find it ended, too.
    world.backend.ended.store(1, Ordering::SeqCst);
    let all = futures_util::future::join_all((0..20).map(|_| world.call())).await;
    assert!(all.iter().all(|status| *status == Ok(200)));
    assert_eq!(world.backend.logins.load(Ordering::SeqCst), 2);
}

/// Whoever logs in may go away; the next one takes over.
#[tokio::test(start_paused = true)]
async fn a_login_that_is_given_up_holds_nobody_up() {
    let world = login("");
    world.backend.slow.store(5, Ordering::SeqCst);
    let first = tokio::time::timeout(Duration::from_secs(1), world.call());
    let (first, second) = futures_util::future::join(first, world.call()).await;
    assert!(first.is_err());
    assert_eq!(second, Ok(200));
    assert_eq!(world.came(), ["login", "login", "T 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_tried_again_at_once() {
    let world = login("");
    for status in [400, 401, 403, 404, 409, 302] {
        world.backend.refuses.store(status, Ordering::SeqCst);
        for _ in 0..10 {
            let fault = world.call().await.unwrap_err();
            assert_eq!((fault.class, fault.call.as_str()), (FaultClass::Unauthorized, "backend.auth.login"), "{status}");
            assert!(!fault.class.may_have_acted());
        }
        assert_eq!(world.came(), ["login"], "{status}");
        pass(limits::LOGIN_PAUSE_SECONDS).await;
    }
    world.backend.refuses.store(0, Ordering::SeqCst);
    assert_eq!(world.call().await, Ok(200));
}

/// Nothing was done, and a retry may help: 503.
#[tokio::test(start_paused = true)]
async fn a_login_that_the_backend_cannot_do_is_a_backend_that_is_away() {
    let world = login("");
    world.backend.refuses.store(500, Ordering::SeqCst);
    assert_eq!(world.call().await.unwrap_err().class, FaultClass::Unreachable);
    pass(limits::LOGIN_PAUSE_SECONDS).await;
    // It asks for 20 s.
    world.backend.refuses.store(429, Ordering::SeqCst);
    let fault = world.call().await.unwrap_err();
    assert_eq!((fault.class, fault.retry_after), (FaultClass::Overloaded, Some(Duration::from_secs(20))));
    world.came();
    pass(19).await;
    world.call().await.unwrap_err();
    assert!(world.came().is_empty());
    pass(1).await;
    world.call().await.unwrap_err();
    assert_eq!(world.came(), ["login"]);
}

#[tokio::test(start_paused = true)]
async fn new_logins_that_do_not_help_are_not_made_all_the_time() {
    let world = login("");
    world.backend.ended.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(world.call().await, Ok(401));
    assert_eq!(world.came(), ["login", "T 1", "login", "T 2"]);
    for _ in 0..5 {
        assert_eq!(world.call().await, Ok(401));
    }
    assert_eq!(world.came(), ["T 2"; 5]);
    pass(limits::LOGIN_PAUSE_SECONDS).await;
    assert_eq!(world.call().await, Ok(401));
    assert_eq!(world.came(), ["T 2", "login", "T 3"]);
}
