//! What identity providers send, in whole: the cases of `tests/external/idp/idp-corpus.jsonl`, with the meaning that
//! `idp-runner.py` beside them gives to a case, against any gateway of the test process.

mod judge;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::demo::{Answer, BASE, Demo, LENIENT};
use judge::{check, select};

/// What Python's `quote` leaves as it is.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the runner leaves as it is in a path.
const PATH: AsciiSet = UNRESERVED
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%')
    .remove(b'[')
    .remove(b']');

/// The placeholders of a case and what they stand for.
type Names = Map<String, Value>;

/// All cases.
pub(crate) fn corpus() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/external/idp/idp-corpus.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// Plays a case and tells what is wrong with the answers, if anything. What it made is taken away in any case.
pub(crate) async fn play(gateway: &Demo, case: &Value) -> Result<(), String> {
    static PLAYED: AtomicU64 = AtomicU64::new(1);
    let number = PLAYED.fetch_add(1, Ordering::Relaxed);
    let uniq = format!("q{:09x}", number.wrapping_mul(0x9e_3779_b97f) & 0xf_ffff_ffff);
    let uuid = format!("3c1b7a90-58d2-4c4e-9f00-{number:012x}");
    let Value::Object(mut names) = json!({ "UNIQ": uniq.to_uppercase(), "uniq": uniq, "uuid": uuid, "base": BASE }) else {
        unreachable!()
    };
    let steps = case["steps"].as_array().unwrap();
    let mut result = Ok(());
    for (index, each) in steps.iter().enumerate() {
        if let Err(error) = play_step(gateway, each, &mut names).await {
            result = Err(format!("{} step {}/{}: {error}", id(case), index + 1, steps.len()));
            break;
        }
    }
    for each in case["cleanup"].as_array().into_iter().flatten() {
        drop(play_step(gateway, each, &mut names).await);
    }
    result
}

/// A step may be several at once, or a pause.
async fn play_step(gateway: &Demo, step: &Value, names: &mut Names) -> Result<(), String> {
    if let Some(seconds) = step["sleep"].as_f64() {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        return Ok(());
    }
    let Some(parallel) = step["parallel"].as_array() else { return exchange(gateway, step, names).await };
    let each = parallel.iter().map(|step| {
        let mut names = names.clone();
        async move { exchange(gateway, step, &mut names).await.map(|()| names) }
    });
    for captured in futures_util::future::join_all(each).await {
        names.extend(captured?);
    }
    Ok(())
}

/// One request and its answer.
async fn exchange(gateway: &Demo, step: &Value, names: &mut Names) -> Result<(), String> {
    let (line, answer) = send(gateway, step, names).await?;
    let doc = (!answer.body.is_null()).then_some(&answer.body);
    let shown: String = answer.body.to_string().chars().take(600).collect();
    let fail = |reason: String| {
        let notes = step["expect"]["notes"].as_str().unwrap_or_default();
        Err(format!("{line} -> {}: {reason}  [{notes}]\n      answer: {shown}", answer.status))
    };
    let mut missing = None;
    // Before the checks, so that the cleanup has what there is.
    for (name, path) in members(&step["capture"]) {
        let path = text(&substituted(path, names)?);
        match select(doc, &path) {
            Some(Value::Null) | None => missing = Some(path),
            Some(value) => drop(names.insert(name.clone(), value)),
        }
    }
    let expected = &step["expect"];
    let statuses = expected["status"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !statuses.is_empty() && !statuses.contains(&json!(answer.status)) {
        return fail(format!("the status is not one of {statuses:?}"));
    }
    if answer.status == 204 && doc.is_some() {
        return fail("204 with a body".to_owned());
    }
    let if_body = members(&expected["json_if_body"]).filter(|_| doc.is_some());
    for (path, wanted) in members(&expected["json"]).chain(if_body) {
        let path = text(&substituted(&Value::from(path.as_str()), names)?);
        if let Err(reason) = check(select(doc, &path).as_ref(), &substituted(wanted, names)?) {
            return fail(format!("{path} {reason}"));
        }
    }
    for (name, wanted) in members(&expected["headers"]) {
        let found = answer.header(&name.to_lowercase()).map(Value::from);
        if let Err(reason) = check(found.as_ref(), &substituted(wanted, names)?) {
            return fail(format!("header {name} {reason}"));
        }
    }
    missing.map_or(Ok(()), |path| fail(format!("nothing to capture at {path}")))
}

async fn send(gateway: &Demo, step: &Value, names: &Names) -> Result<(String, Answer), String> {
    let method = step["method"].as_str().unwrap();
    let path = text(&substituted(&step["path"], names)?);
    let mut target = utf8_percent_encode(&path, &PATH).to_string();
    let query = match substituted(&step["query"], names)? {
        Value::Object(query) => {
            let quoted = |text: &str| utf8_percent_encode(text, &UNRESERVED).to_string();
            let pairs: Vec<String> =
                query.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(&self::text(value)))).collect();
            pairs.join("&")
        }
        other => text(&other),
    };
    if !query.is_empty() {
        target.push_str(if target.ends_with('?') { "" } else { "?" });
        // As it is written, but for what no request line can hold.
        for char in query.chars() {
            match char {
                '!'..='~' => target.push(char),
                other => target.extend(utf8_percent_encode(other.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC)),
            }
        }
    }
    let body = match (&step["raw_body"], &step["body"]) {
        (Value::Null, Value::Null) => Vec::new(),
        (Value::Null, body) => substituted(body, names)?.to_string().into_bytes(),
        (raw, _) => text(&substituted(raw, names)?).into_bytes(),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in members(&step["headers"]).filter(|(_, value)| !value.is_null()) {
        headers.push((name.clone(), text(&substituted(value, names)?)));
    }
    if step["auth"] != "none" && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        let token = if step["auth"] == "bad" { "wrong-token" } else { LENIENT };
        headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = gateway.raw(method, &target, &headers, body).await;
    Ok((format!("{method} {target}"), answer))
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// A text as it is, anything else as JSON; nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// With what the placeholders stand for; a text that is one placeholder alone gets its value as it is.
fn substituted(value: &Value, names: &Names) -> Result<Value, String> {
    Ok(match value {
        Value::String(template) => {
            let mut parts = template.split("${");
            let mut out = parts.next().unwrap().to_owned();
            for part in parts {
                let (name, rest) = part.split_once('}').ok_or_else(|| format!("a placeholder without an end: {template}"))?;
                let found = names.get(name).ok_or_else(|| format!("${{{name}}} was never captured"))?;
                if *template == format!("${{{name}}}") {
                    return Ok(found.clone());
                }
                out.push_str(&text(found));
                out.push_str(rest);
            }
            Value::String(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| substituted(item, names)).collect::<Result<_, _>>()?),
        Value::Object(object) => {
            let member = |(name, value): (&String, &Value)| {
                Ok((text(&substituted(&Value::from(name.as_str()), names)?), substituted(value, names)?))
            };
            Value::Object(object.iter().map(member).collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

#[tokio::test]
async fn the_demo_passes_all_of_them() {
    let demo = Demo::start(250, 12).await;
    let mut failed = Vec::new();
    let cases = corpus();
    for case in &cases {
        failed.extend(play(&demo, case).await.err());
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(cases.len(), 91);
    assert_eq!(cases.iter().map(id).collect::<BTreeSet<_>>().len(), 91, "an id stands twice");
}

/// A case of one step that the demo answers otherwise than it says.
#[tokio::test]
async fn a_case_can_fail() {
    let demo = Demo::start(3, 1).await;
    let case = |expect: Value, capture: Value| {
        let step = json!({
            "method": "GET", "path": "/Users", "query": { "count": "1" }, "headers": {}, "body": null,
            "expect": expect, "capture": capture
        });
        json!({ "id": "made-up", "steps": [step], "cleanup": [] })
    };
    let none = json!({});
    for (expect, capture) in [
        (json!({ "status": [201] }), none.clone()),
        (json!({ "status": [200], "json": { "$.totalResults": "3" } }), none.clone()),
        (json!({ "status": [200], "json": { "$.Resources": { "$len": 2 } } }), none.clone()),
        (json!({ "status": [200], "json_if_body": { "$.totalResults": 4 } }), none.clone()),
        (json!({ "status": [200], "headers": { "Content-Type": { "$regex": "^text/" } } }), none.clone()),
        (json!({ "status": [200] }), json!({ "next": "$.nothing" })),
        (json!({ "status": [200], "json": { "$.id": "${never}" } }), none.clone()),
    ] {
        let played = play(&demo, &case(expect.clone(), capture)).await;
        assert!(played.is_err(), "{expect}");
    }
    let fits = json!({ "status": [200], "json": { "$.totalResults": 3, "$.Resources": { "$len": 1 } } });
    assert_eq!(play(&demo, &case(fits, json!({ "first": "$.Resources[0].id" }))).await, Ok(()));
}
