//! A backend that is a script: the calls that must come, in order, and what they are answered with.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};
use scimitar::app::Host;
use scimitar::engine::{Context, Engine, Names, Offer, Reply, ScimRequest, ports};
use scimitar::mapping::{Mapping, Report, load};
use scimitar::scim::bulk::BulkRequest;
use scimitar::scim::messages::SearchRequest;
use scimitar::scim::{Profile, ScimType};
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::Fault;
use serde_json::{Value, json};

use crate::mapping_diagnostics::Dummy;

/// The base URL of the gateway.
pub(crate) const BASE: &str = "http://scim.test/scim/v2";

/// A call that must come, and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Method and target: `GET /users?page=1`.
    line: String,
    /// `None`: the call must have no body.
    body: Option<Value>,
    form: Option<&'static str>,
    headers: Vec<(&'static str, &'static str)>,
    status: u16,
    answer: Value,
    answers_with: Option<(&'static str, &'static str)>,
}

/// The script that is left.
#[derive(Debug, Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    done: Arc<Mutex<Vec<String>>>,
}

/// An engine with a mapping, in front of a script.
pub(crate) struct Scripted {
    engine: Engine<Script>,
    script: Script,
    context: Context,
}

/// What a SCIM client sees.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) location: Option<String>,
    pub(crate) version: Option<String>,
}

/// The mapping of a text that has no mistakes.
pub(crate) fn mapping(text: &str) -> Mapping {
    let (mapping, diagnostics) = load(text, &Dummy);
    let report = Report { file: "mapping.yaml", text, diagnostics: &diagnostics };
    mapping.unwrap_or_else(|| panic!("{}", report.human()))
}

/// A call that must come: `call("GET /users/7")`. It is answered with 200 and `null` unless said.
pub(crate) fn call(line: &str) -> Step {
    Step {
        line: line.to_owned(),
        body: None,
        form: None,
        headers: Vec::new(),
        status: 200,
        answer: Value::Null,
        answers_with: None,
    }
}

// === impl Step ===

impl Step {
    /// The body that it must have.
    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The form that it must have as its body.
    pub(crate) fn form(self, form: &'static str) -> Self {
        Self { form: Some(form), ..self }
    }

    /// A header that it must have.
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn answer(self, answer: Value) -> Self {
        Self { answer, ..self }
    }

    /// A header that the answer has.
    pub(crate) fn answer_header(self, name: &'static str, value: &'static str) -> Self {
        Self { answers_with: Some((name, value)), ..self }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// What is wrong with a call, if anything.
    fn differs(&self, sent: &HttpCall<'_>) -> Option<String> {
        let line = format!("{} {}", sent.method, sent.target);
        if line != self.line {
            return Some(format!("came {line}\n  instead of {}", self.line));
        }
        if let Some(form) = self.form {
            let sent = sent.body.as_ref().map(|body| std::str::from_utf8(body).unwrap());
            return (sent != Some(form)).then(|| format!("{line} came with the form {sent:?}\n  instead of {form}"));
        }
        let body = sent.body.as_ref().map(|body| serde_json::from_slice::<Value>(body).unwrap());
        if body != self.body {
            let show = |body: &Option<Value>| body.as_ref().map_or("none".to_owned(), Value::to_string);
            return Some(format!("{line} came with the body {}\n  instead of {}", show(&body), show(&self.body)));
        }
        self.headers.iter().find_map(|(name, value)| {
            let found: Vec<_> =
                sent.headers.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.to_str().unwrap()).collect();
            (found != [*value]).then(|| format!("{line} came with {name}: {found:?}\n  instead of {value}"))
        })
    }
}

// === impl Script ===

impl ports::Backend for Script {
    async fn send(&self, sent: &HttpCall<'_>) -> Result<Answer, Fault> {
        let step = self.steps.lock().unwrap().pop_front();
        let done = self.done.lock().unwrap().join("\n  ");
        let problem = match &step {
            None => Some(format!("came {} {} after the end of the script", sent.method, sent.target)),
            Some(step) => step.differs(sent),
        };
        if let Some(problem) = problem {
            panic!("the backend did not expect this:\n  {problem}\nbefore it came\n  {done}");
        }
        let step = step.unwrap();
        self.done.lock().unwrap().push(step.line.clone());
        let body = if step.answer.is_null() { String::new() } else { step.answer.to_string() };
        let mut headers = HeaderMap::new();
        headers.extend(step.answers_with.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))));
        Ok(Answer { status: step.status, headers, body: body.into() })
    }
}

// === impl Scripted ===

impl Scripted {
    pub(crate) fn new(text: &str) -> Self {
        let script = Script::default();
        let engine = Engine::new(mapping(text), script.clone(), Host, Offer::default());
        let context =
            Context { base_url: BASE.to_owned(), profile: &Profile::STRICT, if_match: None, if_none_match: None, deadline: None };
        Self { engine, script, context }
    }

    /// The same for a client that is understood kindly.
    pub(crate) fn lenient(mut self) -> Self {
        self.context.profile = &Profile::LENIENT;
        self
    }

    /// Sends a SCIM request while the backend expects just these calls.
    pub(crate) async fn ask(&self, request: ScimRequest, steps: impl IntoIterator<Item = Step>) -> Seen {
        self.script.steps.lock().unwrap().extend(steps);
        self.script.done.lock().unwrap().clear();
        let reply = match self.engine.call(&self.context, request).await {
            Ok(reply) => reply,
            Err(error) => {
                let error = error.to_scim();
                Reply {
                    status: error.status,
                    body: Some(json!({ "scimType": error.scim_type.map(ScimType::as_str), "detail": error.detail })),
                    ..Reply::default()
                }
            }
        };
        let left: Vec<String> = self.script.steps.lock().unwrap().drain(..).map(|step| step.line).collect();
        let body = reply.body.unwrap_or_default();
        assert!(left.is_empty(), "these calls did not come: {left:#?}\nthe client saw {} {body}", reply.status);
        Seen { status: reply.status, body, location: reply.location, version: reply.version }
    }

    pub(crate) async fn read(&self, path: &str, attributes: &[&str], steps: impl IntoIterator<Item = Step>) -> Seen {
        let (endpoint, id) = split(path);
        let names = Names { attributes: attributes.iter().map(ToString::to_string).collect(), ..Names::default() };
        self.ask(ScimRequest::Read { endpoint, id, names }, steps).await
    }

    pub(crate) async fn list(&self, endpoint: &str, filter: &str, steps: impl IntoIterator<Item = Step>) -> Seen {
        let filter = (!filter.is_empty()).then(|| filter.to_owned());
        self.search(endpoint, SearchRequest { filter, ..SearchRequest::default() }, steps).await
    }

    pub(crate) async fn search(&self, endpoint: &str, search: SearchRequest, steps: impl IntoIterator<Item = Step>) -> Seen {
        self.ask(ScimRequest::List { endpoint: Some(endpoint.to_owned()), search }, steps).await
    }

    pub(crate) async fn create(&self, endpoint: &str, body: Value, steps: impl IntoIterator<Item = Step>) -> Seen {
        let endpoint = endpoint.to_owned();
        self.ask(ScimRequest::Create { endpoint, body, names: Names::default() }, steps).await
    }

    pub(crate) async fn replace(&self, path: &str, body: Value, steps: impl IntoIterator<Item = Step>) -> Seen {
        let (endpoint, id) = split(path);
        self.ask(ScimRequest::Replace { endpoint, id, body, names: Names::default() }, steps).await
    }

    /// A PATCH with these operations.
    pub(crate) async fn patch(&self, path: &str, operations: Value, steps: impl IntoIterator<Item = Step>) -> Seen {
        let (endpoint, id) = split(path);
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
        self.ask(ScimRequest::Patch { endpoint, id, body, names: Names::default() }, steps).await
    }

    /// A job with these operations.
    pub(crate) async fn bulk(&self, operations: Value, steps: impl IntoIterator<Item = Step>) -> Seen {
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
        let job = BulkRequest::parse(body.to_string().as_bytes(), self.context.profile).unwrap();
        self.ask(ScimRequest::Bulk { job }, steps).await
    }

    pub(crate) async fn delete(&self, path: &str, steps: impl IntoIterator<Item = Step>) -> Seen {
        let (endpoint, id) = split(path);
        self.ask(ScimRequest::Delete { endpoint, id }, steps).await
    }
}

/// `/Users/7` is the endpoint `/Users` and the id `7`.
fn split(path: &str) -> (String, String) {
    let (endpoint, id) = path.rsplit_once('/').unwrap();
    (endpoint.to_owned(), id.to_owned())
}
