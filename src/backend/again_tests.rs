//! Repetitions and turns, by a clock that the tests move; what is below is a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use secrecy::SecretString;
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service as _, ServiceBuilder, ServiceExt as _, service_fn};

use super::super::rate::{NoTurn, RateLayer};
use super::super::stack::{About, Stack};
use super::AgainLayer;
use crate::limits;
use crate::mapping::model::Rate;
use crate::mapping::{Secrets, load};
use crate::translate::call::Answer;
use crate::translate::outcome::Terms;

const MAPPING: &str = "
mapping: v1
backend:
  url: https://people.test
  errors:
    - { status: 503, as: retry, after: 2s }
    - { status: 507, as: retry }
    - { status: 500, as: failed }
resources:
  User: { id: $.id, attributes: { userName: $.login }, get: \"GET /users/{{key}}\", list: GET /users }
";

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        Ok(SecretString::from(text))
    }
}

/// The stack without a network; the answers are given in turn, the last one for ever.
struct Script {
    stack: Stack,
    came: Arc<Mutex<Vec<Duration>>>,
    about: About,
}

fn answer(status: u16, retry_after: Option<&'static str>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.extend(retry_after.map(|wait| (http::header::RETRY_AFTER, HeaderValue::from_static(wait))));
    Answer { status, headers, body: "{}".into() }
}

impl Script {
    fn new(answers: Vec<Option<Answer>>, rate: Option<Rate>) -> Self {
        let (mapping, _) = load(MAPPING, &NoSecrets);
        let terms = Terms::of(&mapping.unwrap().resources[0].get.as_ref().unwrap().call);
        let came = Arc::new(Mutex::new(Vec::new()));
        let (seen, began) = (Arc::clone(&came), Instant::now());
        let left = Arc::new(Mutex::new(VecDeque::from(answers)));
        let inner = service_fn(move |_: super::Outbound| {
            seen.lock().unwrap().push(began.elapsed());
            let mut left = left.lock().unwrap();
            let next = if left.len() > 1 { left.pop_front().unwrap() } else { left.front().unwrap().clone() };
            async move { next.ok_or_else(|| BoxError::from("no answer")) }
        });
        let stack = BoxCloneSyncService::new(ServiceBuilder::new().layer(AgainLayer).layer(RateLayer::new(rate)).service(inner));
        Self { stack, came, about: About { terms, deadline: None } }
    }

    fn of(statuses: &[u16]) -> Self {
        Self::new(statuses.iter().map(|status| Some(answer(*status, None))).collect(), None)
    }

    async fn send(&self) -> Result<u16, BoxError> {
        let request = Request::builder().extension(self.about.clone()).body(Full::default()).unwrap();
        let mut stack = self.stack.clone();
        stack.ready().await?.call(request).await.map(|answer| answer.status)
    }

    /// When the calls came, in milliseconds.
    fn came(&self) -> Vec<u128> {
        self.came.lock().unwrap().iter().map(Duration::as_millis).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_well() {
    let script = Script::of(&[503, 503, 200]);
    assert_eq!(script.send().await.unwrap(), 200);
    assert_eq!(script.came(), [0, 2_000, 4_000]);
    let script = Script::of(&[507, 507, 507, 201]);
    assert_eq!(script.send().await.unwrap(), 201);
    assert_eq!(script.came(), [0, 500, 1_500, 3_500], "each pause is twice as long");
}

#[tokio::test(start_paused = true)]
async fn what_never_ends() {
    let script = Script::of(&[503]);
    assert_eq!(script.send().await.unwrap(), 503);
    assert_eq!(script.came().len(), 1 + limits::AGAIN as usize);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_once() {
    for status in [200, 204, 404, 409, 500, 501] {
        let script = Script::of(&[status]);
        assert_eq!(script.send().await.unwrap(), StatusCode::from_u16(status).unwrap());
        assert_eq!(script.came(), [0], "{status}");
    }
    // Nobody knows what was done where no answer came; also behind one that was safe to repeat.
    let script = Script::new(vec![None], None);
    script.send().await.unwrap_err();
    assert_eq!(script.came(), [0]);
    let script = Script::new(vec![Some(answer(503, None)), None], None);
    script.send().await.unwrap_err();
    assert_eq!(script.came(), [0, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn throttled() {
    let script = Script::new(vec![Some(answer(429, Some("1"))), Some(answer(429, Some("5"))), Some(answer(200, None))], None);
    assert_eq!(script.send().await.unwrap(), 200);
    assert_eq!(script.came(), [0, 1_000, 6_000]);
    for wait in [Some("6"), Some("60"), None] {
        let script = Script::new(vec![Some(answer(429, wait))], None);
        assert_eq!(script.send().await.unwrap(), 429);
        assert_eq!(script.came(), [0], "{wait:?}");
    }
    let script = Script::new(vec![Some(answer(429, Some("5")))], None);
    assert_eq!(script.send().await.unwrap(), 429);
    assert_eq!(script.came(), [0, 5_000, 10_000, 15_000]);
}

/// All pauses together are bounded: 15 seconds hold one of eight.
#[tokio::test(start_paused = true)]
async fn as_long_as_there_is_time() {
    for (wait, came) in [("8", vec![0, 8_000]), ("16", vec![0])] {
        let script = Script::new(vec![Some(answer(507, Some(wait)))], None);
        assert_eq!(script.send().await.unwrap(), 507);
        assert_eq!(script.came(), came);
    }
}

/// Nobody waits behind the end of the request.
#[tokio::test(start_paused = true)]
async fn until_the_deadline() {
    let mut script = Script::of(&[503]);
    script.about.deadline = Some(std::time::Instant::now() + Duration::from_secs(1));
    assert_eq!(script.send().await.unwrap(), 503);
    assert_eq!(script.came(), [0]);
}

#[tokio::test(start_paused = true)]
async fn each_repetition_takes_a_turn() {
    let rate = Rate { calls: 2, period: Duration::from_secs(4) };
    let script = Script::new([503, 503, 503, 200].map(|status| Some(answer(status, None))).into(), Some(rate));
    assert_eq!(script.send().await.unwrap(), 200);
    assert_eq!(script.came(), [0, 2_000, 4_050, 6_050]);
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_for_too_long() {
    let rate = Rate { calls: 1, period: Duration::from_mins(1) };
    let script = Script::new(vec![Some(answer(200, None))], Some(rate));
    assert_eq!(script.send().await.unwrap(), 200);
    let error = script.send().await.unwrap_err();
    assert!(error.is::<NoTurn>(), "{error}");
    assert_eq!(script.came(), [0], "nothing was sent");
    let fault = super::super::stack::describe("User.get", &*error);
    assert_eq!(fault.class.status(), 503);
    assert!(!fault.class.may_have_acted() && fault.retry_after.is_some_and(|wait| wait >= Duration::from_mins(1)));
}
