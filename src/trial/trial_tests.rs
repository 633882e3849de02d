use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::clock::Clock;
use super::contain::{holds, part};
use super::*;
use crate::engine::ports::System as _;
use crate::mapping::load;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_holds_what() {
    for (expected, got, good) in [
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, true),
        (r#"{"a": 1}"#, r#"{"a": "1"}"#, false),
        (r#"{"a": 1}"#, r#"{"a": 1.0}"#, true),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1, "c": 2}}"#, true),
        (r#"{"a": null}"#, "{}", true),
        (r#"{"a": null}"#, r#"{"a": null}"#, true),
        (r#"{"a": null}"#, r#"{"a": 0}"#, false),
        ("[]", "[]", true),
        ("[]", "[1]", false),
        ("[1]", "[2, 1]", true),
        ("[1, 1]", "[1, 2]", false),
        // The first one fits both, the second one only the first.
        (r#"[{"t": 1}, {"t": 1, "v": 1}]"#, r#"[{"t": 1, "v": 1}, {"t": 1, "v": 2}]"#, true),
        ("{}", "[]", false),
    ] {
        assert_eq!(holds(&value(expected), &value(got)), good, "{expected} in {got}");
    }
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let expected = json!({ "a": 1, "b": [{ "t": "x", "v": 1 }, { "t": "y" }], "c": null });
    let got = json!({ "a": 2, "b": [{ "t": "y", "z": 9 }, { "t": "x", "v": 3, "z": 9 }], "z": 9 });
    assert_eq!(part(&expected, &got), json!({ "a": 2, "b": [{ "t": "x", "v": 3 }, { "t": "y" }], "c": null }));
}

/// A long patience never ends before a short pause does, and no time passes.
#[test]
fn the_clock_wakes_the_next_one_first() {
    let clock = Clock::default();
    let (began, real) = (clock.now(), std::time::Instant::now());
    let (mut long, mut short) = (clock.sleep(Duration::from_hours(1)), clock.sleep(Duration::from_mins(1)));
    let mut context = Context::from_waker(Waker::noop());
    let mut rounds = 0;
    while short.as_mut().poll(&mut context).is_pending() {
        assert_eq!(long.as_mut().poll(&mut context), Poll::Pending);
        rounds += 1;
        assert!(rounds < 10_000);
    }
    assert_eq!(clock.now() - began, Duration::from_mins(1));
    drop(short);
    while long.as_mut().poll(&mut context).is_pending() {}
    assert_eq!(clock.now() - began, Duration::from_hours(1));
    assert!(real.elapsed() < Duration::from_secs(5));
}

#[test]
fn chance_is_the_same_each_time() {
    let draw = || {
        let mut bytes = [0; 64];
        Clock::default().random(&mut bytes);
        bytes
    };
    assert_eq!(draw(), draw());
    assert!(draw().iter().collect::<std::collections::HashSet<_>>().len() > 30);
}

#[test]
fn secrets_are_placeholders() {
    use secrecy::ExposeSecret as _;
    for (text, expected) in [
        ("${URL}", "https://backend.example.com"),
        ("${URL}/api/${TENANT}", "https://backend.example.com/api/secret"),
        ("${SCHEME}://host", "https://host"),
        ("https://${HOST}/api", "https://secret/api"),
        ("Token ${file:/run/token}", "Token secret"),
        ("plain", "plain"),
    ] {
        assert_eq!(Unset.resolve(text).unwrap().expose_secret(), expected, "{text}");
    }
}

/// What a failing test offers to be pasted makes it good, whatever is in the call.
#[test]
fn what_is_pasted_fits() {
    const MAPPING: &str = r#"
mapping: v1
backend: { url: "${URL}", format: FORMAT }
resources:
  User:
    id: $.id
    attributes: { userName: $.login, title: $.job.title, nickName: $.nick }
    get: GET /people/{{key}}
    list: { call: GET /people, items: "$.rows[*]", filters: { userName eq: { query: { login: "{{value}}" }, match: exact } } }
    create: POST /people
    update: PATCH /people/{{key}}
tests:
  - name: creates
    send: { POST /Users: { userName: "yes", title: "a: \"b\" & c=d #1", nickName: "7" } }
    expect: 201
    backend: [CREATE]
  - name: finds
    send: 'GET /Users?filter=userName eq "a%26b=c%25 é: +{x} \\%23y"'
    backend: [FIND]
"#;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for format in ["json", "form", "xml, xml: { root: person }"] {
        let run = |text: &str| -> Vec<Verdict> {
            let (mapping, diagnostics) = load(text, &Unset);
            let mapping = mapping.unwrap_or_else(|| panic!("{diagnostics:?}\n{text}"));
            let mut runner = Runner::new(&mapping, text);
            mapping.tests.iter().map(|test| runtime.block_on(runner.run(test))).collect()
        };
        let text = MAPPING.replace("FORMAT", format);
        let empty = text.replace("[CREATE]", "[]").replace("[FIND]", "[]");
        let found = run(&empty);
        assert_eq!(found.len(), 2);
        let pasted = |verdict: &Verdict| verdict.failures[0].paste[0].clone();
        let block = |element: &str, reply: &str| format!("\n      {}", element.replace("reply: {}", &format!("reply: {reply}")));
        let record = r#"{ id: 7, login: "yes", job: { title: "a: \"b\" & c=d #1" }, nick: "7" }"#;
        let text = text
            .replace("[CREATE]", &block(&pasted(&found[0]), record))
            .replace("[FIND]", &block(&pasted(&found[1]), "{ rows: [] }"));
        for verdict in run(&text) {
            assert_eq!(verdict.failures, [], "{text}");
        }
    }
}

/// A backend that lags behind is looked at again and again, for as long as the mapping says, and the test does not wait.
#[test]
fn waiting_takes_no_time() {
    let text = r#"
mapping: v1
backend: { url: "${URL}", lag: 1s }
resources:
  User:
    id: $.id
    attributes: { userName: $.login, title: $.title }
    get: GET /people/{{key}}
    list: GET /people
    update: PATCH /people/{{key}}
tests:
  - name: the truth in the end
    send: { PATCH /Users/7: { Operations: [{ op: replace, path: title, value: Boss }] } }
    backend: [PATCH /people/7, OLD, OLD, OLD, OLD, OLD, OLD]
    expect: { contains: { title: Clerk } }
  - name: the new one before
    send: { PATCH /Users/7: { Operations: [{ op: replace, path: title, value: Boss }] } }
    backend: [PATCH /people/7, OLD, NEW]
    expect: { contains: { title: Boss } }
"#;
    let record = |title: &str| format!("GET /people/7: {{ reply: {{ id: 7, login: ann, title: {title} }} }}");
    // After 0, 50, 150, 350, 750 and 1000 ms.
    let text = text.replace("OLD", &record("Clerk")).replace("NEW", &record("Boss"));
    let (mapping, diagnostics) = load(&text, &Unset);
    let mapping = mapping.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut runner = Runner::new(&mapping, &text);
    for test in &mapping.tests {
        let verdict = runtime.block_on(runner.run(test));
        assert_eq!(verdict.failures, [], "{}", test.name);
        assert!(verdict.time < Duration::from_millis(900), "{:?}", verdict.time);
    }
}
