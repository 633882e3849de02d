//! Runs the tests of a mapping: the real way of a request, from HTTP through the server's stack and the engine to the calls, with
//! a script where the backend would be.
//!
//! Nothing is sent, no time passes and nothing is left to chance: waiting moves a clock of the test's own, what is random is
//! always the same, and secrets are placeholders. So a test takes milliseconds and comes out the same everywhere. Each begins with a
//! gateway that knows nothing of the one before; the steps of one test share theirs.
//!
//! What is not part of a test: connections, TLS, who the client is, the credentials of the backend, and what lies behind the
//! engine's port, such as repeating a call that may be repeated. A test says what the gateway makes of one answer to each call.

mod clock;
mod contain;
pub mod coverage;
mod diff;
mod gateway;
mod judge;
mod paste;
mod request;
mod script;
mod seen;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use coverage::Coverage;

use crate::config::SecretError;
use crate::config::secrets::{self, resolve_with};
use crate::engine::{Engine, Offer};
use crate::mapping::model::Trial;
use crate::mapping::{Mapping, Secrets};
use crate::server::Stack;
use clock::Clock;
use gateway::Gateway;
use script::Script;
use secrecy::SecretString;

/// What became of a test.
#[derive(Debug)]
pub struct Verdict {
    /// None if it is good.
    pub failures: Vec<Failure>,
    pub time: Duration,
}

/// What is not as the test says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Which step of the test it is in, from 1; nothing if there is one only.
    pub step: Option<usize>,
    /// In one sentence.
    pub message: String,
    /// Why the client got an error; where the backend or the gateway failed, what an operator would be told.
    pub reason: Option<String>,
    /// Line by line: `-` what was expected, `+` what came, a blank what is the same.
    pub diff: Vec<String>,
    /// What can be put into `backend` if the calls are right.
    pub paste: Vec<String>,
}

/// Runs tests of one mapping.
#[derive(Debug)]
pub struct Runner {
    mapping: Mapping,
    pub coverage: Coverage,
}

/// What stands for secrets in a test: the environment has no say in how it comes out.
#[derive(Debug, Clone, Copy)]
pub struct Unset;

/// What a variable is worth where a whole URL is wanted of it.
const BACKEND: &str = "https://backend.example.com";

// === impl Failure ===

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    fn with_diff(self, diff: Vec<String>) -> Self {
        Self { diff, ..self }
    }
}

// === impl Runner ===

impl Runner {
    /// `text` is that of the mapping.
    pub fn new(mapping: &Mapping, text: &str) -> Self {
        let coverage = Coverage::new(mapping, text);
        // Each test has a copy of the mapping.
        Self { mapping: Mapping { tests: Vec::new(), ..mapping.clone() }, coverage }
    }

    /// Runs one test. Needs a runtime of tokio, as the server does.
    pub async fn run(&mut self, test: &Trial) -> Verdict {
        let began = Instant::now();
        let script = Script::new(&self.mapping.backend.headers);
        let engine = Engine::new(self.mapping.clone(), script.clone(), Clock::default(), Offer::default());
        let gateway = Arc::new(Gateway::new(engine));
        let stack = Stack::new(Arc::clone(&gateway), &request::options(test.profile));
        let mut failures = Vec::new();
        for (index, exchange) in test.exchanges.iter().enumerate() {
            script.begin(&exchange.backend);
            let asked = match request::of(&self.mapping, &exchange.send) {
                Ok(asked) => asked,
                Err(error) => {
                    failures.push(Failure::new(format!("the request cannot be sent: {error}")));
                    continue;
                }
            };
            let answer = seen::Answer::of(stack.call(asked).await).await;
            let (calls, mut found) = script.end();
            // What the client sees where an answer was missing is of no interest.
            if found.iter().all(|failure| failure.paste.is_empty()) {
                found.extend(judge::judge(&exchange.expect, &answer, gateway.reason()));
            }
            let several = test.exchanges.len() > 1;
            failures.extend(found.into_iter().map(|failure| Failure { step: several.then_some(index + 1), ..failure }));
            self.coverage.observe(&self.mapping, &calls, &gateway.searches(), answer.body.as_ref());
        }
        Verdict { failures, time: began.elapsed() }
    }
}

// === impl Unset ===

impl Secrets for Unset {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        // `${URL}` and `${URL}/api` want a URL, `${SCHEME}://host` a scheme, all others any text.
        let behind = text.strip_prefix("${").and_then(|rest| rest.split_once('}')).map(|(_, behind)| behind);
        let first = match behind {
            Some(behind) if behind.starts_with("://") => "https",
            Some(behind) if behind.is_empty() || behind.starts_with('/') => BACKEND,
            _ => "secret",
        };
        match behind {
            Some(behind) => resolve_with(behind, self).map(|rest| {
                use secrecy::ExposeSecret as _;
                SecretString::from(format!("{first}{}", rest.expose_secret()))
            }),
            None => resolve_with(text, self),
        }
        .map_err(|error| error.to_string())
    }

    fn is_stand_in(&self, text: &str) -> bool {
        text.replace("$${", "").contains("${")
    }
}

impl secrets::Secrets for Unset {
    fn variable(&self, _: &str) -> Result<Option<String>, SecretError> {
        Ok(Some("secret".to_owned()))
    }

    fn file(&self, _: &str) -> Result<String, SecretError> {
        Ok("secret".to_owned())
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
