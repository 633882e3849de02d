//! Values that try to be more than values: what arrives at the backend is exactly what the client compares with, or it is
//! not sent at all; the answer is right in both cases.

use serde_json::{Value, json};

use super::fake::{Kind, Lookup, Pages, Push, Total};
use super::languages::{Expr, Language};
use super::{Gateway, ids, window};

const NASTY: &[&str] = &[
    "'",
    "''",
    "' or '1' eq '1",
    "') or startswith(login,'",
    "\"",
    "\\",
    "\\\"",
    "\";login==*",
    "x\",login==*",
    "*",
    "**",
    "a*b",
    "(",
    ")",
    ")(login=*",
    "*)(&",
    "\\2a",
    "\\",
    "a\\",
    "\u{0}",
    "a\u{0}b",
    "\n",
    "a\r\nX-Admin: 1",
    "&admin=1",
    "a&login=b",
    "+",
    "a b",
    " a",
    "a ",
    "\t",
    "%",
    "%27",
    "%00",
    "#",
    "?",
    "?login=b",
    "/",
    "..",
    ".",
    "../users/2",
    "..%2Fusers",
    ";",
    "=",
    "$where",
    "{\"$ne\":null}",
    "{{value}}",
    "{{expression}}",
    "null",
    "true",
    "1",
    "É",
    "日本",
    "\u{202e}abc",
    "\u{1f600}",
    "é\u{301}",
];

/// One user for each value, and one with none of them.
fn users() -> Vec<Value> {
    let user = |(index, login)| json!({ "id": index + 1, "login": login, "ext": login, "surname": login, "title": login, "status": "A", "created": 0 });
    NASTY.iter().copied().chain(["nobody special"]).enumerate().map(user).collect()
}

/// Those whose `userName` is the value; values that differ in case only are not among them.
fn of(value: &str) -> Vec<String> {
    NASTY.iter().enumerate().filter(|(_, known)| **known == value).map(|(index, _)| (index + 1).to_string()).collect()
}

async fn found(gateway: &Gateway, filter: &str) -> Vec<String> {
    let mut search = window(Some(filter), 1, 100);
    search.attributes = vec!["userName".to_owned()];
    ids(&gateway.search("/Users", search).await.unwrap_or_else(|error| panic!("{filter}: {error}")))
}

#[tokio::test]
async fn expressions_hold_the_value_and_nothing_else() {
    for language in Language::ALL {
        for push in [Push::Exact, Push::Superset] {
            let kind = Kind { push, language: Some(language), pages: Pages::Unpaged, total: Total::Counted, ..Kind::default() };
            let gateway = Gateway::new(kind, users(), Vec::new());
            for value in NASTY {
                // `title eq` has no parameter of its own.
                let text = Value::from(*value);
                for (filter, op) in [(format!("title eq {text}"), "eq"), (format!("title sw {text}"), "sw")] {
                    let ids = found(&gateway, &filter).await;
                    let calls = gateway.fake.calls();
                    assert!(of(value).iter().all(|id| ids.contains(id)), "{language:?} {filter}: {ids:?} by {calls:?}");
                    if op == "eq" {
                        assert_eq!(ids, of(value), "{language:?} {filter} by {calls:?}");
                    }
                    assert_eq!(calls.len(), 1, "{filter}");
                    let (_, sent) = calls[0].split_once('?').unwrap_or_default();
                    if sent.is_empty() {
                        // LDAP's NUL is refused by the mapping.
                        assert!(language == Language::Ldap && value.contains('\0'), "{language:?} does not carry {filter}");
                        continue;
                    }
                    let sent = sent.strip_prefix(language.parameter()).unwrap().strip_prefix('=').unwrap();
                    assert_eq!(language.parse(sent), Ok(Expr::Test("title".to_owned(), op, text.clone())), "{sent}");
                }
            }
        }
    }
}

#[tokio::test]
async fn parameters_paths_and_headers_hold_the_value_and_nothing_else() {
    for lookup in [Lookup::Parameter, Lookup::Path, Lookup::Header] {
        let kind = Kind { lookup, pages: Pages::Unpaged, total: Total::Counted, ..Kind::default() };
        let gateway = Gateway::new(kind, users(), Vec::new());
        for value in NASTY {
            let ids = found(&gateway, &format!("userName eq {}", Value::from(*value))).await;
            let calls = gateway.fake.calls();
            assert_eq!(ids.first(), of(value).first(), "{value:?} by {calls:?}");
            let sent = match lookup {
                Lookup::Parameter => format!("GET /users?login={value}"),
                Lookup::Path => format!("GET /logins/{value}"),
                Lookup::Header => format!("GET /logins x-login: {value}"),
            };
            // A dot segment names another resource; a header takes neither line breaks nor blanks around it, and is ASCII.
            let impossible = match lookup {
                Lookup::Parameter => false,
                Lookup::Path => matches!(*value, "." | ".."),
                Lookup::Header => value.trim() != *value || !value.chars().all(|c| matches!(c, ' '..='~' | '\t')),
            };
            let expected = if impossible { "GET /users".to_owned() } else { sent };
            assert_eq!(calls, [expected], "{value:?}");
        }
    }
}

#[tokio::test]
async fn ids_stay_in_their_segment() {
    let gateway = Gateway::new(Kind { pages: Pages::Unpaged, total: Total::Counted, ..Kind::default() }, users(), Vec::new());
    for value in NASTY.iter().filter(|value| **value != "1") {
        // Ids are numbers there: what is none is nobody's, without a call.
        assert_eq!(found(&gateway, &format!("id eq {}", Value::from(*value))).await, Vec::<String>::new());
        assert_eq!(gateway.fake.calls(), Vec::<String>::new(), "{value:?}");
    }
    assert_eq!(found(&gateway, "id eq \"1\"").await, ["1"]);
    assert_eq!(gateway.fake.calls(), ["GET /users/1"]);
}
