//! What answers mean, with rows as a mapping has them.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::json;

use super::{FaultClass, Outcome, Repetition, Terms, classify, repetition};
use crate::mapping::model::Call;
use crate::mapping::{Mapping, Report, Secrets, load};
use crate::translate::call::Answer;

type Headers<'t> = &'t [(&'static str, &'t str)];

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        Ok(SecretString::from(text))
    }
}

fn mapping(backend: &str, get: &str) -> Mapping {
    let text = format!(
        "mapping: v1\nbackend:\n  url: https://people.test\n{backend}\nresources:\n  User:\n    id: $.id\n    \
         attributes: {{ userName: $.login }}\n    get: {{ call: \"GET /users/{{{{key}}}}\"{get} }}\n    list: {{ call: GET /users, items: \"$.users.user[*]\" }}\n"
    );
    let (mapping, diagnostics) = load(&text, &NoSecrets);
    mapping.unwrap_or_else(|| panic!("{}", Report { file: "mapping", text: &text, diagnostics: &diagnostics }.human()))
}

fn get(mapping: &Mapping) -> &Call {
    &mapping.resources[0].get.as_ref().unwrap().call
}

fn answer(status: u16, headers: Headers<'_>, body: &str) -> Answer {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect();
    Answer { status, headers, body: body.to_owned().into() }
}

/// The outcome in a word.
fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Good(body) => format!("good {body}"),
        Outcome::Fault(fault) => fault.class.to_string(),
        Outcome::Refused(error) => format!("{} {}", error.status, error.detail),
        other => format!("{other:?}"),
    }
}

#[test]
fn success_by_condition() {
    let mapping = mapping(
        "  success: \"$.err[?@ == 0]\"\n  errors: [{ when: \"$.err[?@ == 12]\", as: notFound }, { status: 200, when: $.note, as: done }]",
        "",
    );
    let cases = [
        (200, r#"{"err":{"no":0}}"#, r#"good {"err":{"no":0}}"#),
        (201, r#"{"err":{"no":0}}"#, r#"good {"err":{"no":0}}"#),
        (200, r#"{"err":{"no":12}}"#, "NotFound"),
        (200, r#"{"err":{"no":99}}"#, "failed"),
        (200, r#"{"id":7}"#, "failed"),
        // A row stands before `success`, also one that says that all is well.
        (200, r#"{"err":{"no":5},"note":"x"}"#, "Done"),
        // A page of PHP that died: nothing at all.
        (200, "", "failed"),
        (200, "null", "failed"),
        (204, "", "good null"),
        (205, "", "good null"),
        (204, r#"{"err":{"no":1}}"#, "failed"),
        (200, "<br />Fatal error", "unintelligible"),
        // What is no success is not held against it.
        (302, r#"{"err":{"no":0}}"#, "unexpected"),
        (404, r#"{"err":{"no":0}}"#, "NotFound"),
        (500, r#"{"err":{"no":0}}"#, "failed"),
    ];
    for (status, body, expected) in cases {
        assert_eq!(word(&classify(get(&mapping), &answer(status, &[], body))), expected, "{status} {body}");
    }
    let Outcome::Fault(fault) = classify(get(&mapping), &answer(200, &[], r#"{"err":{"no":99}}"#)) else { panic!() };
    assert!(fault.class == FaultClass::Failed && fault.class.may_have_acted());
    assert!(fault.detail.contains("`success`") && fault.detail.contains("`errors`"), "{}", fault.detail);
}

#[test]
fn a_call_has_its_own_success() {
    let other = mapping("  success: $.ok", ", success: $.person");
    assert_eq!(word(&classify(get(&other), &answer(200, &[], r#"{"person":1}"#))), r#"good {"person":1}"#);
    assert_eq!(word(&classify(get(&other), &answer(200, &[], r#"{"ok":1}"#))), "failed");
    let any = mapping("  success: $.ok", ", success: $");
    assert_eq!(word(&classify(get(&any), &answer(200, &[], r#"{"person":1}"#))), r#"good {"person":1}"#);
}

#[test]
fn rows_for_headers() {
    let mapping = mapping(
        "  errors: [{ header: { Content-Type: text/html }, as: overloaded }, { status: 200, header: { X-Error: \"\", X-Kind: name }, as: uniqueness }]",
        "",
    );
    let cases: [(Headers<'_>, &str); 8] = [
        (&[("content-type", "text/html; charset=utf-8")], "overloaded"),
        (&[("content-type", "TEXT/HTML")], "overloaded"),
        (&[("content-type", "application/json")], "good {}"),
        (&[("content-type", "x-text/html")], "good {}"),
        (&[], "good {}"),
        (&[("x-error", "7"), ("x-kind", "Name taken")], "409 Another resource has this value already."),
        (&[("x-error", "7")], "good {}"),
        (&[("x-error", "7"), ("x-kind", "surname")], "good {}"),
    ];
    for (headers, expected) in cases {
        assert_eq!(word(&classify(get(&mapping), &answer(200, headers, "{}"))), expected, "{headers:?}");
    }
}

#[test]
fn waits() {
    let text = "  errors:\n    - { status: 500, as: retry, after: 3s }\n    - { status: 501, as: retry, after: $.wait }\n    - { status: 502, as: \
                overloaded, after: { header: X-Wait } }\n    - { status: 503, as: retry }";
    let mapping = mapping(text, "");
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let cases: [(u16, Headers<'_>, &str, Option<f64>); 20] = [
        (500, &[("retry-after", "9")], "", Some(3.0)),
        (501, &[], r#"{"wait":2}"#, Some(2.0)),
        (501, &[], r#"{"wait":0.5}"#, Some(0.5)),
        (501, &[], r#"{"wait":"please wait 30 seconds, or 40"}"#, Some(30.0)),
        (501, &[], r#"{"wait":"30"}"#, Some(30.0)),
        (501, &[], r#"{"wait":-1}"#, None),
        (501, &[], r#"{"wait":"soon"}"#, None),
        (501, &[], r#"{"wait":{"s":3}}"#, None),
        (501, &[("retry-after", "9")], r#"{"wait":"soon"}"#, Some(9.0)),
        // A time of day, in seconds since 1970, is no time to wait.
        (501, &[], r#"{"wait":1754000000}"#, None),
        (501, &[], r#"{"wait":99999999999999999999999}"#, None),
        (502, &[("x-wait", "17")], "", Some(17.0)),
        (502, &[("x-wait", "17s")], "", Some(17.0)),
        (502, &[("x-wait", "about 17")], "", None),
        (502, &[("retry-after", "4")], "", Some(4.0)),
        (503, &[("retry-after", "120")], "", Some(120.0)),
        (503, &[], "", None),
        // RFC 9110 section 10.2.3: a date; by the clock that wrote it.
        (503, &[("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT"), date], "", Some(20.0)),
        (503, &[("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT")], "", None),
        (503, &[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date], "", Some(0.0)),
    ];
    for (status, headers, body, expected) in cases {
        let answer = answer(status, headers, body);
        let expected = expected.map(Duration::from_secs_f64);
        let Outcome::Fault(fault) = classify(get(&mapping), &answer) else { panic!("{status} {body}") };
        assert_eq!((fault.class, fault.retry_after), (FaultClass::Overloaded, expected), "{status} {headers:?} {body}");
        let repeated = repetition(&Terms::of(get(&mapping)), &answer);
        let asked = Repetition { wait: expected };
        assert_eq!(repeated, (status != 502).then_some(asked), "{status} {headers:?} {body}");
    }
    assert!(!FaultClass::Overloaded.may_have_acted());
}

/// What may have been done is never repeated.
#[test]
fn what_is_not_repeated() {
    let text = "  errors: [{ status: 200, when: $.busy, as: retry }, { status: 409, as: uniqueness }, { status: 429, when: $.quota, as: forbidden }]";
    let mapping = mapping(text, "");
    let long = format!(r#"{{"busy":"{}"}}"#, "x".repeat(crate::limits::AGAIN_BYTES));
    let asked = |seconds: Option<u64>| Some(Repetition { wait: seconds.map(Duration::from_secs) });
    let cases: [(u16, Headers<'_>, &str, Option<Repetition>); 11] = [
        (200, &[], r#"{"busy":1}"#, asked(None)),
        (200, &[], r#"{"id":1}"#, None),
        (200, &[], "<html>", None),
        (200, &[], &long, None),
        (409, &[("retry-after", "1")], "", None),
        (500, &[("retry-after", "1")], "", None),
        (503, &[("retry-after", "1")], "", None),
        (429, &[("retry-after", "1")], "", asked(Some(1))),
        (429, &[("retry-after", "6")], "", None),
        (429, &[], "", None),
        (429, &[("retry-after", "1")], r#"{"quota":0}"#, None),
    ];
    for (status, headers, body, expected) in cases {
        assert_eq!(repetition(&Terms::of(get(&mapping)), &answer(status, headers, body)), expected, "{status} {headers:?}");
    }
}

#[test]
fn prefixes() {
    let mapping = mapping("  prefix: \")]}'\"", "");
    let good = ")]}'\n{\"id\":7}";
    for (body, expected) in [
        (good, "good {\"id\":7}"),
        ("{\"id\":7}", "good {\"id\":7}"),
        ("\u{FEFF}{\"id\":7}", "good {\"id\":7}"),
        (&format!("\u{FEFF}{good}"), "good {\"id\":7}"),
        (")]}'", "unintelligible"),
        (")]}'\n)]}'\n{}", "unintelligible"),
        ("while(1);{}", "unintelligible"),
    ] {
        assert_eq!(word(&classify(get(&mapping), &answer(200, &[], body))), expected, "{body:?}");
    }
    // Errors have it, too.
    let body = format!("{good}x");
    assert_eq!(word(&classify(get(&mapping), &answer(404, &[], &body))), "NotFound");
}

#[test]
fn xml_answers() {
    let mapping = mapping(
        "  answers: xml\n  xml: { lists: [user] }\n  errors: [{ status: 409, as: uniqueness, detail: \"{{body.error.message}}\" }]",
        "",
    );
    let body = "<user><id>7</id></user>";
    assert_eq!(word(&classify(get(&mapping), &answer(200, &[], body))), format!("good {}", json!({ "user": { "id": "7" } })));
    assert_eq!(word(&classify(get(&mapping), &answer(409, &[], "<error><message>taken</message></error>"))), "409 taken");
    assert_eq!(word(&classify(get(&mapping), &answer(200, &[], "{\"id\":7}"))), "unintelligible");
    assert_eq!(word(&classify(get(&mapping), &answer(200, &[], ""))), "good null");
    let latin = [("content-type", "text/xml; charset=\"iso-8859-2\"")];
    assert_eq!(word(&classify(get(&mapping), &answer(200, &latin, "<user>é</user>"))), "unintelligible");
    assert_eq!(word(&classify(get(&mapping), &answer(200, &latin, body))), format!("good {}", json!({ "user": { "id": "7" } })));
}
