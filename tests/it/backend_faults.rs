//! A backend that fails: whatever is asked for, the client learns that it was not the client's doing, and that nothing
//! is known. Never 404, never an empty list, never 401 (RFC 7644 section 3.12, RFC 9110 section 15.6).

use std::time::Duration;

use http::Method;
use scimitar::demo::Faults;
use scimitar::engine::Offer;
use serde_json::{Value, json};

use crate::demo::{Answer, Demo, LENIENT, MAPPING, STRICT, mapping_with};
use crate::scim::{BULK_REQUEST, SEARCH_REQUEST, filtered, group, patch, user};
use crate::stub::Stub;

struct Operation {
    method: Method,
    path: String,
    body: Option<Value>,
}

/// One of each kind, on resources that a healthy backend would have.
fn operations() -> Vec<Operation> {
    let filter = |text: &str| filtered("/Users", text);
    let members = |op: &str| patch(json!({ "op": op, "path": "members", "value": [{ "value": "1001" }] }));
    let title = patch(json!({ "op": "replace", "path": "title", "value": "x" }));
    let search = json!({ "schemas": [SEARCH_REQUEST], "filter": "userName eq \"a\"" });
    [
        ("GET", "/Users/1001".to_owned(), None),
        ("GET", "/Groups/1003".to_owned(), None),
        ("GET", "/Groups/1003?excludedAttributes=members".to_owned(), None),
        ("GET", "/Users".to_owned(), None),
        ("GET", "/Users?count=0".to_owned(), None),
        ("GET", "/Groups".to_owned(), None),
        ("GET", "/".to_owned(), None),
        ("GET", filter("userName eq \"a\""), None),
        ("GET", filter("title co \"a\""), None),
        ("GET", filter("id eq \"1001\""), None),
        ("GET", filtered("/Groups", "members.value eq \"1001\""), None),
        ("GET", "/Users?sortBy=userName".to_owned(), None),
        ("POST", "/Users/.search".to_owned(), Some(search.clone())),
        ("POST", "/.search".to_owned(), Some(search)),
        ("POST", "/Users".to_owned(), Some(user("a", json!({})))),
        ("POST", "/Groups".to_owned(), Some(group("g", json!({ "members": [{ "value": "1001" }] })))),
        ("PUT", "/Users/1001".to_owned(), Some(user("a", json!({})))),
        ("PUT", "/Groups/1003".to_owned(), Some(group("g", json!({ "members": [{ "value": "1001" }] })))),
        ("PATCH", "/Users/1001".to_owned(), Some(title)),
        ("PATCH", "/Groups/1003".to_owned(), Some(members("add"))),
        ("PATCH", "/Groups/1003".to_owned(), Some(members("replace"))),
        ("PATCH", "/Groups/1003".to_owned(), Some(patch(json!({ "op": "remove", "path": "members[value eq \"1001\"]" })))),
        ("DELETE", "/Users/1001".to_owned(), None),
        ("DELETE", "/Groups/1003".to_owned(), None),
    ]
    .map(|(method, path, body)| Operation { method: method.parse().unwrap(), path, body })
    .into()
}

fn bulk() -> Value {
    let title = patch(json!({ "op": "replace", "path": "title", "value": "x" }));
    json!({ "schemas": [BULK_REQUEST], "Operations": [
        { "method": "POST", "path": "/Users", "bulkId": "1", "data": user("a", json!({})) },
        { "method": "PUT", "path": "/Users/1001", "data": user("a", json!({})) },
        { "method": "PATCH", "path": "/Users/1001", "data": title },
        { "method": "DELETE", "path": "/Users/1001" },
        { "method": "DELETE", "path": "/Groups/1003" },
    ] })
}

fn check(answer: &Answer, case: &str, statuses: &[u16], retry_after: Option<&str>) {
    assert!(statuses.contains(&answer.status), "{case}: {} {}", answer.status, answer.body);
    let detail = answer.refused(answer.status, None);
    for internal in ["127.0.0.1", "people", "/users", "/teams", "<html", "INTERNAL"] {
        assert!(!detail.contains(internal), "{case}: {detail}");
    }
    assert_eq!(answer.header("www-authenticate"), None, "{case}");
    if answer.status == 503 {
        let wait = answer.header("retry-after").unwrap_or_else(|| panic!("{case}: no Retry-After"));
        assert!(wait.parse::<u64>().is_ok_and(|seconds| seconds > 0), "{case}: {wait}");
        assert!(retry_after.is_none_or(|expected| expected == wait), "{case}: {wait}");
    }
}

/// Every operation gives one of the statuses; `503` has a Retry-After, which is the given one.
async fn all(demo: &Demo, fault: &str, statuses: &[u16], retry_after: Option<&str>) {
    for token in [LENIENT, STRICT] {
        for Operation { method, path, body } in operations() {
            let answer = demo.send_as(token, method.as_str(), &path, &[], body).await;
            check(&answer, &format!("{fault}: {method} {path}"), statuses, retry_after);
        }
        let answer = demo.send_as(token, "POST", "/Bulk", &[], Some(bulk())).await;
        // The job itself was processed (RFC 7644 section 3.7); each operation has the status that it would have alone.
        let operations = answer.ok(200)["Operations"].as_array().unwrap();
        assert_eq!(operations.len(), 5, "{fault}");
        for operation in operations {
            let status = operation["status"].as_str().unwrap();
            assert!(statuses.contains(&status.parse().unwrap()), "{fault}: {operation}");
            assert_eq!(operation["response"]["status"], status, "{fault}");
            assert!(operation["response"]["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{fault}");
        }
    }
    // What does not need the backend goes on.
    demo.get("/Schemas").await.ok(200);
    demo.get("/ServiceProviderConfig").await.ok(200);
}

#[tokio::test]
async fn a_healthy_backend_does_all_of_it() {
    for Operation { method, path, body } in operations() {
        let demo = Demo::start(2, 1).await;
        let answer = demo.send(method.as_str(), &path, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn nothing_listens() {
    let demo = Demo::without_backend().await;
    all(&demo, "nothing listens", &[503], None).await;
}

#[tokio::test]
async fn internal_errors() {
    let demo = Demo::start(2, 1).await;
    demo.directory.set_faults(Faults { error_rate: 1.0, ..Faults::default() });
    all(&demo, "500", &[502], None).await;
    demo.directory.set_faults(Faults::default());
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 2, "nothing was changed");
}

/// ERR-16.
#[tokio::test]
async fn too_many_requests() {
    let stub = Stub::start("429 Too Many Requests", "text/plain\r\nRetry-After: 77", "slow down").await;
    all(&Demo::before(&stub.url, MAPPING), "429 in plain text", &[503], Some("77")).await;
}

/// A short wait is the gateway's, a few times.
#[tokio::test]
async fn too_many_requests_for_a_moment() {
    let demo = Demo::start(2, 1).await;
    demo.directory.set_faults(Faults { throttle_rate: 1.0, ..Faults::default() });
    let answer = demo.get("/Users/1001?attributes=userName").await;
    check(&answer, "429", &[503], Some("1"));
    assert_eq!(demo.calls().len(), 4, "the call and three repetitions");
}

/// Nothing at all where a delete has no body to be cut, so that it counts as unreachable.
#[tokio::test]
async fn answers_that_break_off() {
    let demo = Demo::start(2, 1).await;
    demo.directory.set_faults(Faults { cut_rate: 1.0, ..Faults::default() });
    for Operation { method, path, body } in operations().into_iter().filter(|operation| operation.method != Method::DELETE) {
        // Also where the connection ends without an answer: nobody knows then whether the backend has acted.
        let answer = demo.send(method.as_str(), &path, body).await;
        check(&answer, &format!("cut: {method} {path}"), &[502], None);
    }
    for path in ["/Users/1001", "/Groups/1003"] {
        let answer = demo.send("DELETE", path, None).await;
        check(&answer, path, &[502], None);
    }
    let answer = demo.send("POST", "/Bulk", Some(bulk())).await;
    for operation in answer.ok(200)["Operations"].as_array().unwrap() {
        assert_ne!(operation["status"], "201", "{operation}");
    }
}

/// What a proxy, a login page or a half-written answer looks like.
#[tokio::test]
async fn answers_that_are_not_the_backends() {
    let html = "<html><body><h1>Please sign in</h1></body></html>";
    for (fault, status, content_type, body) in [
        ("a page", "200 OK", "text/html", html),
        ("an error page", "500 Internal Server Error", "text/html", html),
        ("a gateway's page", "503 Service Unavailable", "text/html", html),
        ("half a document", "200 OK", "application/json", "{\"data\": {\"id\": 1001, \"login\":"),
        ("a redirect", "302 Found", "text/html\r\nLocation: https://login.example.com/", html),
        ("a teapot", "418 I'm a teapot", "text/plain", "no"),
    ] {
        let stub = Stub::start(status, content_type, body).await;
        all(&Demo::before(&stub.url, MAPPING), fault, &[502], None).await;
    }
    let stub = Stub::raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()).await;
    all(&Demo::before(&stub.url, MAPPING), "no HTTP", &[502, 503], None).await;
}

/// Well-formed, but not what the mapping promises: no record, no rows, no total, a row without an id.
#[tokio::test]
async fn answers_without_what_was_asked_for() {
    let reads = || operations().into_iter().filter(|operation| operation.method == Method::GET);
    for body in [
        "{}",
        "[]",
        "null",
        "\"ok\"",
        "{\"data\": null}",
        "{\"meta\": {\"total\": 0}}",
        "{\"data\": null, \"meta\": {\"total\": 1}}",
        "{\"data\": [], \"meta\": {\"total\": 1}}",
        "{\"data\": [{}], \"meta\": {\"total\": 1}}",
    ] {
        let stub = Stub::start("200 OK", "application/json", body).await;
        let demo = Demo::before(&stub.url, MAPPING);
        for Operation { method, path, .. } in reads() {
            // One row is the total that is asked for, whatever is in it.
            if path.ends_with("count=0") && body.contains("[{}]") {
                continue;
            }
            let answer = demo.send(method.as_str(), &path, None).await;
            check(&answer, &format!("{body}: {path}"), &[502], None);
        }
        demo.send("POST", "/Users", Some(user("a", json!({})))).await.refused(502, None);
    }
}

/// Fewer rows than were asked for, although there are more: who is on no page must not be taken for absent.
#[tokio::test]
async fn a_short_page_is_not_the_last_one() {
    let row = |id: u64| json!({ "id": id, "login": format!("user{id}"), "status": "ACTIVE" });
    let page = json!({ "data": [row(1), row(2)], "meta": { "total": 4 } });
    let stub = Stub::start("200 OK", "application/json", &page.to_string()).await;
    let demo = Demo::before(&stub.url, MAPPING);
    demo.get(&filtered("/Users", "title co \"x\"")).await.refused(502, None);
}

/// ERR-17.
#[tokio::test]
async fn answers_that_come_too_late() {
    let mapping = mapping_with(&[("  timeout: 10s\n", "  timeout: 40ms\n")]);
    let demo = Demo::with(&mapping, 2, 1, Offer::default()).await;
    demo.directory.set_faults(Faults { latency: Duration::from_secs(5), ..Faults::default() });
    all(&demo, "latency", &[504], None).await;
}

#[tokio::test]
async fn wrong_credentials_are_not_the_clients() {
    let mapping = mapping_with(&[("bearer: \"${PEOPLE_TOKEN}\"", "bearer: \"${PEOPLE_URL}\"")]);
    let demo = Demo::with(&mapping, 2, 1, Offer::default()).await;
    all(&demo, "wrong token", &[502], None).await;
    for status in ["401 Unauthorized", "403 Forbidden", "407 Proxy Authentication Required"] {
        let stub = Stub::start(status, "text/plain", "who are you?").await;
        all(&Demo::before(&stub.url, MAPPING), status, &[502], None).await;
    }
}
