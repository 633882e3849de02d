//! Whether the client sees what the test says.

use serde_json::Value;

use super::Failure;
use super::contain::{holds, part};
use super::diff;
use super::seen::Answer;
use crate::mapping::model::{Expectation, Wanted};
use crate::scim::AttrPath;

/// What is not as expected; `reason` is why the gateway or the backend failed.
pub(super) fn judge(expect: &Expectation, answer: &Answer, reason: Option<String>) -> Vec<Failure> {
    let status = answer.status;
    let good = expect.status.map_or((200..400).contains(&status), |expected| expected == status);
    if !good {
        let expected = expect.status.map_or("a success".to_owned(), |status| status.to_string());
        let failure = Failure::new(format!("the status is {status}, expected was {expected}"));
        // Of an error the reason is enough; what else there is, is shown as a whole.
        let detail = || answer.body.as_ref()?.get("detail")?.as_str().map(str::to_owned);
        let reason = reason.or_else(detail);
        let shown = answer.body.as_ref().filter(|_| reason.is_none()).map(diff::pretty).unwrap_or_default();
        return vec![Failure { reason, ..failure.with_diff(diff::lines("", &shown)) }];
    }
    let mut failures = Vec::new();
    let body = answer.body.as_ref().unwrap_or(&Value::Null);
    if let Some(expected) = expect.scim_type {
        let got = body.get("scimType").and_then(Value::as_str);
        if got != Some(expected) {
            failures.push(Failure::new(format!("the scimType is {}, expected was {expected}", got.unwrap_or("not there"))));
        }
    }
    let differs = match &expect.body {
        Wanted::Anything => None,
        Wanted::Nothing => answer.body.as_ref().map(|body| diff::lines("no body\n", &diff::pretty(body))),
        Wanted::Exactly(expected) => (expected != body).then(|| diff::json(expected, body)),
        Wanted::Holding(expected) => (!holds(expected, body)).then(|| diff::json(expected, &part(expected, body))),
    };
    if let Some(lines) = differs {
        let what = if answer.body.is_none() { "the answer has no body" } else { "the answer has another body" };
        failures.push(Failure::new(what).with_diff(lines));
    }
    for path in &expect.absent {
        if Answer::resources(body).into_iter().any(|resource| has(resource, path)) {
            failures.push(Failure::new(format!("`{path}` is in the answer, but should not be")));
        }
    }
    for (name, expected) in &expect.headers {
        let got = answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if got != *expected {
            let text = |value: &Option<String>| value.clone().map_or("(not there)\n".to_owned(), |value| format!("{value}\n"));
            failures.push(
                Failure::new(format!("the answer has another header {name}"))
                    .with_diff(diff::lines(&text(expected), &text(&got))),
            );
        }
    }
    failures
}

/// Whether a resource has an attribute.
fn has(resource: &Value, path: &AttrPath) -> bool {
    let container = match path.uri() {
        Some(uri) => match resource.get(uri) {
            Some(extension) => extension,
            None if uri.starts_with("urn:ietf:params:scim:schemas:core:") => resource,
            None => return false,
        },
        None => resource,
    };
    let Some(value) = container.get(path.name()) else { return false };
    match (path.sub(), value) {
        (None, _) => true,
        (Some(sub), Value::Array(values)) => values.iter().any(|value| value.get(sub).is_some()),
        (Some(sub), value) => value.get(sub).is_some(),
    }
}
