//! Input that is wrong in every way: each gets its error, and nothing is changed.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body_util::StreamBody;
use hyper::body::Frame;
use scimitar::server::step::Body;
use serde_json::{Value, json};

use crate::demo::{Demo, LENIENT, STRICT};
use crate::scim::{ENTERPRISE, GROUP, PATCH_OP, SEARCH_REQUEST, USER, filtered, group, patch, user, with};

const BOTH: [&str; 2] = [LENIENT, STRICT];
/// Where a body is read, and how.
const BODIES: [(&str, &str); 6] = [
    ("POST", "/Users"),
    ("PUT", "/Users/1001"),
    ("PATCH", "/Users/1001"),
    ("POST", "/Users/.search"),
    ("POST", "/.search"),
    ("POST", "/Bulk"),
];

async fn demo() -> Demo {
    let demo = Demo::start(3, 1).await;
    demo.calls();
    demo
}

#[track_caller]
fn nothing_was_written(demo: &Demo, case: &str) {
    let calls = demo.calls();
    assert!(calls.iter().all(|call| call.starts_with("GET ")), "{case}: {calls:?}");
}

/// Sends bytes, and gives the detail of the error.
async fn send_bytes(
    demo: &Demo,
    token: &str,
    (method, path): (&str, &str),
    bytes: &[u8],
    expected: (u16, Option<&str>),
) -> String {
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/scim+json")];
    let answer = demo.raw(method, path, &headers, bytes.to_vec()).await;
    let detail = answer.refused(expected.0, expected.1).to_owned();
    nothing_was_written(demo, &format!("{method} {path}"));
    detail
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let demo = demo().await;
    let cut = user("bjensen", json!({ "emails": [{ "value": "a\\\"b", "primary": true }], "x": -1.5e3 })).to_string();
    let deep = |open: &str| open.repeat(100_000).into_bytes();
    let cases: [(Vec<u8>, &str); 15] = [
        (Vec::new(), "empty"),
        (b" \r\n".to_vec(), "empty"),
        (b"{".to_vec(), "cut off"),
        (b"userName=bjensen".to_vec(), "line 1, column 1"),
        (b"<User/>".to_vec(), "line 1, column 1"),
        (b"{} {}".to_vec(), "line 1, column 4"),
        (b"{'userName': 'a'}".to_vec(), "line 1, column 2"),
        (b"{\"userName\": \"a\",}".to_vec(), "line 1, column 18"),
        (b"{\"userName\": \"a\nb\"}".to_vec(), "line 2"),
        (b"{\"userName\": \"a\0b\"}".to_vec(), "line 1"),
        (b"{\"userName\": \"\xff\xfe\"}".to_vec(), "UTF-8"),
        (b"\xff\xfe{\0}\0".to_vec(), "UTF-8"),
        (b"{\"userName\": \"\\ud800\"}".to_vec(), "line 1"),
        (deep("["), "64 levels"),
        (deep("{\"a\":"), "64 levels"),
    ];
    for (bytes, tells) in &cases {
        for target in BODIES {
            let detail = send_bytes(&demo, LENIENT, target, bytes, (400, Some("invalidSyntax"))).await;
            assert!(detail.contains(tells), "{target:?}: {detail}");
        }
    }
    for length in 0..cut.len() {
        send_bytes(&demo, STRICT, BODIES[0], &cut.as_bytes()[..length], (400, Some("invalidSyntax"))).await;
    }
}

#[tokio::test]
async fn bodies_of_another_kind() {
    let demo = demo().await;
    for body in [json!([]), json!("x"), json!(1), json!(true), json!(null), json!([{}])] {
        for target in BODIES {
            for token in BOTH {
                send_bytes(&demo, token, target, body.to_string().as_bytes(), (400, Some("invalidSyntax"))).await;
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let demo = demo().await;
    let bytes = user(&"x".repeat(10 << 20), json!({})).to_string().into_bytes();
    for (method, path) in BODIES {
        let announced = [("Authorization", &*format!("Bearer {LENIENT}")), ("Content-Length", &*bytes.len().to_string())];
        let answer = demo.raw(method, path, &announced, bytes.clone()).await;
        assert!(answer.refused(413, None).contains("1048576"), "{method} {path}");

        let frames: Vec<_> =
            bytes.chunks(64 << 10).map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(chunk)))).collect();
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}")).header("Host", "scim.test");
        let request = request.header("Authorization", format!("Bearer {LENIENT}"));
        let chunked = demo.request(request.body(Body::new(StreamBody::new(stream::iter(frames)))).unwrap()).await;
        assert!(chunked.refused(413, None).contains("1048576"), "{method} {path}");
    }
    nothing_was_written(&demo, "too large");
}

/// The type of each kind of attribute, under the strict profile; `*` where no reading exists under the lenient one either.
#[tokio::test]
async fn values_of_another_type() {
    let demo = demo().await;
    for (name, value, always) in [
        ("userName", json!(5), false),
        ("userName", json!(true), true),
        ("userName", json!({ "value": "a" }), true),
        ("userName", json!(["a", "b"]), true),
        ("title", json!([["a"]]), true),
        ("active", json!("yes"), true),
        ("active", json!(1), true),
        ("active", json!("true"), false),
        ("active", json!({}), true),
        ("name", json!("Barbara"), true),
        ("name", json!([{}, {}]), true),
        ("name", json!({ "givenName": { "a": 1 } }), true),
        ("emails", json!({ "value": "a" }), false),
        ("emails", json!("a"), false),
        ("emails", json!([["a"]]), true),
        ("emails", json!([{ "value": {} }]), true),
        ("emails", json!([{ "value": "a", "primary": "maybe" }]), true),
        ("emails", json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]), true),
        ("profileUrl", json!("no url at all"), true),
        ("profileUrl", json!(7), true),
        ("photos", json!([{ "value": "<img>" }]), true),
        ("x509Certificates", json!([{ "value": "***" }]), true),
        ("password", json!({ "clear": "secret" }), true),
        ("externalId", json!(["a", "b"]), true),
        (ENTERPRISE, json!("x"), true),
        (ENTERPRISE, json!({ "manager": { "value": { "a": 1 } } }), true),
        (ENTERPRISE, json!({ "department": ["a", "b"] }), true),
    ] {
        for token in if always { &BOTH[..] } else { &BOTH[1..] } {
            let body = user("bjensen", json!({ name: value }));
            for target in [("POST", "/Users"), ("PUT", "/Users/1001")] {
                let bytes = body.to_string();
                let detail = send_bytes(&demo, token, target, bytes.as_bytes(), (400, Some("invalidValue"))).await;
                let names = [name, "manager.value", "department"];
                assert!(names.iter().any(|name| detail.contains(name)), "{name} {value}: {detail}");
                assert!(!detail.contains("secret"), "{detail}");
            }
            // A PATCH takes one value for a list of one (RFC 7644 section 3.5.2.1).
            if !always {
                continue;
            }
            let change = patch(json!({ "op": "replace", "path": name, "value": value }));
            let answer = demo.send_as(token, "PATCH", "/Users/1001", &[], Some(change)).await;
            answer.refused(400, Some("invalidValue"));
            nothing_was_written(&demo, name);
        }
    }
}

#[tokio::test]
async fn messages_of_another_form() {
    let demo = demo().await;
    let operations = |operations: Value| json!({ "schemas": [PATCH_OP], "Operations": operations });
    let members = |value: Value| group("g", json!({ "members": value }));
    for (method, path, body, scim_type) in [
        ("PATCH", "/Users/1001", json!({ "schemas": [PATCH_OP] }), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!([])), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!("x")), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!([1])), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!([{ "op": "move", "path": "title" }])), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!([{ "path": "title", "value": "x" }])), "invalidSyntax"),
        ("PATCH", "/Users/1001", operations(json!([{ "op": "replace", "path": "title[", "value": "x" }])), "invalidPath"),
        ("PATCH", "/Users/1001", operations(json!([{ "op": "replace", "path": 7, "value": "x" }])), "invalidPath"),
        ("PATCH", "/Users/1001", operations(json!([{ "op": "remove" }])), "noTarget"),
        ("PATCH", "/Users/1001", operations(json!([{ "op": "remove", "path": "userName" }])), "mutability"),
        ("POST", "/Users/.search", json!({ "schemas": [SEARCH_REQUEST], "startIndex": "a" }), "invalidValue"),
        ("POST", "/Users/.search", json!({ "schemas": [SEARCH_REQUEST], "filter": 5 }), "invalidFilter"),
        ("POST", "/Users/.search", json!({ "schemas": [SEARCH_REQUEST], "attributes": 5 }), "invalidValue"),
        ("POST", "/Users/.search", json!({ "schemas": [USER] }), "invalidSyntax"),
        ("POST", "/Bulk", json!({ "schemas": [PATCH_OP], "Operations": [] }), "invalidSyntax"),
        ("POST", "/Groups", members(json!([{}])), "invalidValue"),
        ("POST", "/Groups", members(json!([{ "display": "nobody" }])), "invalidValue"),
        ("POST", "/Groups", members(json!([7, {}])), "invalidValue"),
        ("POST", "/Groups", json!({ "schemas": [GROUP], "members": [] }), "invalidValue"),
    ] {
        for token in BOTH {
            let answer = demo.send_as(token, method, path, &[], Some(body.clone())).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.body);
            answer.refused(400, Some(scim_type));
            nothing_was_written(&demo, &body.to_string());
        }
    }
}

#[tokio::test]
async fn unknown_attributes_by_profile() {
    let demo = demo().await;
    let unknown = [
        (json!({ "nicName": "x" }), "nickName"),
        (json!({ "name": { "famlyName": "x" } }), "familyName"),
        (json!({ ENTERPRISE: { "departmnt": "x" } }), "department"),
        (json!({ "urn:example:2.0:Nothing": { "a": 1 } }), "urn:example:2.0:Nothing"),
        (json!({ "emails": [{ "value": "a@example.com", "vlaue": "x" }] }), "value"),
    ];
    for (index, (more, tells)) in unknown.into_iter().enumerate() {
        let name = format!("user{index}");
        let bytes = user(&name, more.clone()).to_string();
        for target in [("POST", "/Users"), ("PUT", "/Users/1001")] {
            let detail = send_bytes(&demo, STRICT, target, bytes.as_bytes(), (400, Some("invalidSyntax"))).await;
            assert!(detail.contains(tells), "{more}: {detail}");
        }
        // Ignored, and neither stored nor echoed.
        let answer = demo.send("POST", "/Users", Some(user(&name, more))).await;
        let text = answer.ok(201).to_string();
        assert!(!text.contains("\"x\"") && !text.contains("Nothing"), "{text}");
        demo.calls();
    }
    let change = |path: &str| patch(json!({ "op": "replace", "path": path, "value": "x" }));
    demo.strictly("PATCH", "/Users/1001", Some(change("nicName"))).await.refused(400, Some("invalidPath"));
    nothing_was_written(&demo, "nicName");
}

/// The column counts characters from 1, in the filter as it was before it was encoded.
#[tokio::test]
async fn filters_with_the_column_of_the_error() {
    let demo = demo().await;
    for (filter, column) in [
        ("userName", 9),
        ("userName regex \"x\"", 10),
        ("userName eq", 12),
        ("userName eq \"x", 13),
        ("userName eq \"ä🦊\" und title pr", 18),
        ("(userName pr", 13),
        ("userName pr)", 12),
        ("emails[type eq \"work\"", 22),
        ("userName eq \"a\" and", 20),
        ("noSuch eq \"x\"", 1),
        ("title pr and noSuch.sub eq \"x\"", 14),
        ("active gt true", 1),
    ] {
        for token in BOTH {
            for path in [filtered("/Users", filter), filtered("/", filter)] {
                // Over all types, whether an attribute exists is another question.
                if path.starts_with("/?") && filter.contains("noSuch") {
                    continue;
                }
                let answer = demo.send_as(token, "GET", &path, &[], None).await;
                let detail = answer.refused(400, Some("invalidFilter"));
                assert!(detail.contains(&format!("column {column}:")), "{filter}: {detail}");
            }
        }
    }
    for filter in
        [String::new(), " ".to_owned(), "(".repeat(10_000), "a".repeat(60_000), format!("title eq {}", "1 or ".repeat(5_000))]
    {
        let answer = demo.get(&filtered("/Users", &filter)).await;
        answer.refused(400, Some("invalidFilter"));
    }
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn queries_that_are_wrong() {
    let demo = demo().await;
    for (query, scim_type) in [
        ("filter=%FF", "invalidValue"),
        ("attributes=%C3%28", "invalidValue"),
        ("filter=userName%20eq%20%22%ED%A0%80%22", "invalidValue"),
        ("startIndex=a", "invalidValue"),
        ("startIndex=1.5", "invalidValue"),
        ("count=", "invalidValue"),
        ("count=1&count=2", "invalidValue"),
        ("sortOrder=up", "invalidValue"),
        ("filter=", "invalidFilter"),
        ("filter=id%20pr&FILTER=id%20pr", "invalidValue"),
        ("filter=userName%20eq%20%22a%0Ab%22", "invalidFilter"),
        ("filter=userName%00pr", "invalidFilter"),
    ] {
        for token in BOTH {
            let answer = demo.send_as(token, "GET", &format!("/Users?{query}"), &[], None).await;
            answer.refused(400, Some(scim_type));
        }
    }
    let names: Vec<String> = (0..1_000).map(|n| format!("a{n}")).collect();
    demo.get(&format!("/Users?attributes={}", names.join(","))).await.refused(400, Some("invalidValue"));
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn ids_that_nobody_has() {
    let demo = demo().await;
    let long = "9".repeat(30_000);
    let change = || Some(patch(json!({ "op": "replace", "path": "externalId", "value": "x" })));
    for (id, status) in [
        (".", 404),
        ("..", 404),
        ("%2e%2e", 404),
        ("..%2F..%2Fteams%2F1004", 404),
        ("1001%2F", 404),
        ("1001%2Fsuspend", 404),
        ("1001/suspend", 404),
        ("1001%3Fx=1", 404),
        ("1001%23", 404),
        ("%201001", 404),
        ("-1", 404),
        ("99999999999999999999", 404),
        ("%F0%9F%A6%8A", 404),
        ("%00", 400),
        ("1001%00", 400),
        ("1001%0D%0AX-Evil:%201", 400),
        ("%0A", 400),
        ("%7F", 400),
        ("%FF", 400),
        ("%C0%AF", 400),
        ("/1001", 400),
        (&*long, 404),
    ] {
        for endpoint in ["/Users", "/Groups"] {
            let path = format!("{endpoint}/{id}");
            let whole = if endpoint == "/Users" { user("a", json!({})) } else { group("g", json!({})) };
            for (method, body) in [("GET", None), ("PUT", Some(whole)), ("PATCH", change()), ("DELETE", None)] {
                let answer = demo.send(method, &path, body).await;
                answer.refused(status, None);
            }
        }
    }
    // Not one of them is the name of something else in the backend.
    let calls = demo.calls();
    assert!(
        calls.iter().all(|call| call == "GET /users/-1" || call == "GET /teams/-1" || call.starts_with("DELETE ")),
        "{calls:?}"
    );
    assert_eq!(demo.get("/Users").await.ok(200)["totalResults"], 3);
    assert_eq!(demo.get("/Groups").await.ok(200)["totalResults"], 1);
}

/// What an id, a reference or a value in a body says never becomes part of a path or a header as it is.
#[tokio::test]
async fn values_that_would_break_out() {
    let demo = demo().await;
    let hostile = ["../users/1001", "1001/suspend", "a\r\nX-Evil: 1", "a\0b", "\"}]}", "{{record.rev}}", "?x=1&y#"];
    for text in hostile {
        let remove = patch(json!({ "op": "remove", "path": "members", "value": [{ "value": text }] }));
        let add = patch(json!({ "op": "add", "path": "members", "value": [{ "value": text }] }));
        let team = demo.get("/Groups?attributes=id").await.body["Resources"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/Groups/{team}");
        demo.calls();
        demo.send("PATCH", &path, Some(add)).await.refused(400, Some("invalidValue"));
        demo.send("PATCH", &path, Some(remove)).await.ok(204);
        nothing_was_written(&demo, text);
        let boss = user("a", json!({ ENTERPRISE: { "manager": { "value": text } } }));
        demo.send("POST", "/Users", Some(boss)).await.refused(400, Some("invalidValue"));
        nothing_was_written(&demo, text);
        // A text is a text: stored as it came, found as it came.
        let id = demo.create("/Users", user(text, json!({ "title": text }))).await;
        assert_eq!(demo.record(&format!("/users/{id}"))["login"], text);
        let filter = format!("userName eq {}", json!(text));
        assert_eq!(demo.get(&filtered("/Users", &filter)).await.ok(200)["Resources"][0]["title"], text);
        demo.calls();
    }
}

#[tokio::test]
async fn headers_that_are_wrong() {
    let demo = demo().await;
    let delete = async |headers: &[(&str, &str)]| demo.send_as(LENIENT, "DELETE", "/Users/1001", headers, None).await;
    let flood = "\"x\",".repeat(20_000);
    for tags in ["", "x", "W/\"none\"", "\"", "W/", ",,,", &flood] {
        delete(&[("If-Match", tags)]).await.refused(412, None);
    }
    delete(&[("If-None-Match", "*")]).await.refused(412, None);
    delete(&[("If-Match", "\u{e9}")]).await.refused(400, None);
    let many = vec![("X-Flood", "y"); 20_000];
    delete(&[&many[..], &[("If-Match", "W/\"none\"")]].concat()).await.refused(412, None);
    for content_type in ["text/plain", "application/scim", "application/json-patch+json", ",", "\u{e9}"] {
        let authorization = format!("Bearer {LENIENT}");
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", content_type)];
        let body = user("a", json!({})).to_string().into_bytes();
        demo.raw("POST", "/Users", &headers, body).await.refused(415, None);
    }
    let encoded = [("Content-Encoding", "gzip")];
    demo.send_as(LENIENT, "POST", "/Users", &encoded, Some(user("a", json!({})))).await.refused(415, None);
    nothing_was_written(&demo, "headers");
    demo.get("/Users/1001").await.ok(200);
}

/// What is too much for one request.
#[tokio::test]
async fn numbers_that_are_too_large() {
    let demo = demo().await;
    let many = |count: usize| (0..count).map(|n| json!({ "value": n.to_string() })).collect::<Value>();
    let operations: Value = (0..5_001).map(|_| json!({ "op": "remove", "path": "title" })).collect();
    demo.send("PATCH", "/Users/1001", Some(patch(operations))).await.refused(413, None);
    let bulk = |count: usize| {
        let operations: Value = (0..count).map(|_| json!({ "method": "DELETE", "path": "/Users/1001" })).collect();
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations })
    };
    assert!(demo.send("POST", "/Bulk", Some(bulk(5_001))).await.refused(413, None).contains("5000"));
    let body = with(user("a", json!({})), json!({ "emails": many(10_001) }));
    demo.send("POST", "/Users", Some(body)).await.refused(400, Some("invalidValue"));
    nothing_was_written(&demo, "too many");
}
