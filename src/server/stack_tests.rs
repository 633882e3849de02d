use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::*;
use crate::engine::{Context, Names, ScimRequest};
use crate::scim::Profile;
use crate::scim::bulk::BulkRequest;
use crate::scim::messages::{SearchRequest, SortOrder};
use crate::server::auth::{Client, Clients, TokenHash};
use crate::server::base::BaseUrl;
use crate::server::fake::Fake;
use crate::server::step::Body;

const TOKEN: (&str, &str) = ("authorization", "Bearer token-of-entra-0001");
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

fn options() -> Options {
    let client = |name: &str, tokens: &[&str], profile| Client {
        name: Arc::from(name),
        tokens: tokens.iter().map(|token| TokenHash::of(&(*token).into())).collect(),
        profile,
    };
    Options {
        base: BaseUrl::new(None, "/scim/v2", "127.0.0.1:8080"),
        clients: Clients(vec![
            client("entra", &["token-of-entra-0001", "token-of-entra-0002"], &Profile::LENIENT),
            client("script", &["token-of-script-001"], &Profile::STRICT),
        ]),
        profile: &Profile::LENIENT,
        discovery_without_token: true,
        request_bytes: 100,
        request_timeout: Duration::from_secs(30),
        concurrent_requests: 2,
    }
}

fn request(line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut builder = http::Request::builder().method(method).uri(uri).header("host", "scim.example.com");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::new(Full::new(body.into()))).unwrap()
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    /// ERR-01, ERR-02.
    fn is_scim_error(&self, case: &str) -> String {
        let body = self.json();
        assert_eq!(self.header("content-type"), Some("application/scim+json"), "{case}");
        assert_eq!(body["schemas"], json!([ERROR]), "{case}");
        assert_eq!(body["status"], json!(self.status.to_string()), "{case}");
        let detail = body["detail"].as_str().unwrap_or_else(|| panic!("{case}: no detail")).to_owned();
        assert!(!detail.is_empty() && !detail.contains("SECRET-DETAIL") && !detail.contains("10.0.0.7"), "{case}: {detail}");
        detail
    }
}

async fn send(stack: &Stack, request: Request) -> Answer {
    let (parts, body) = stack.call(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn stack() -> (Arc<Fake>, Stack) {
    let fake = Arc::new(Fake::new());
    let stack = Stack::new(Arc::clone(&fake), &options());
    (fake, stack)
}

/// Sends a request with a token and returns what the service was asked.
async fn asked(line: &str, headers: &[(&str, &str)], body: &str) -> (Answer, Option<(Context, ScimRequest)>) {
    let (fake, stack) = stack();
    let headers: Vec<_> = [TOKEN].into_iter().chain(headers.iter().copied()).collect();
    let answer = send(&stack, request(line, &headers, body.to_owned())).await;
    let mut asked = fake.take();
    assert!(asked.len() < 2, "{line}");
    (answer, asked.pop())
}

#[tokio::test]
async fn requests_become_operations() {
    let users = || "/Users".to_owned();
    let id = || "1".to_owned();
    let names = Names::default;
    let list = |endpoint: Option<&str>, search| ScimRequest::List { endpoint: endpoint.map(str::to_owned), search };
    let filter = |filter: &str| SearchRequest { filter: Some(filter.to_owned()), ..SearchRequest::default() };
    let some = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let search = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":2}"#;
    let two = || SearchRequest { count: Some(2), ..SearchRequest::default() };
    let cases = [
        ("GET /scim/v2/ServiceProviderConfig", "", 200, ScimRequest::ServiceProviderConfig),
        ("GET /scim/v2/ServiceProviderConfig?count=1&sortBy=id", "", 200, ScimRequest::ServiceProviderConfig),
        ("GET /scim/v2/ResourceTypes", "", 200, ScimRequest::ResourceTypes { name: None }),
        ("GET /scim/v2/ResourceTypes/User", "", 200, ScimRequest::ResourceTypes { name: Some("User".to_owned()) }),
        // DISC-13
        ("GET /scim/v2/Schemas?startIndex=x&count=x", "", 200, ScimRequest::Schemas { id: None }),
        ("GET /scim/v2/Schemas/urn:x", "", 200, ScimRequest::Schemas { id: Some("urn:x".to_owned()) }),
        ("GET /scim/v2/Users", "", 200, list(Some("/Users"), SearchRequest::default())),
        ("GET /scim/v2/Users/?", "", 200, list(Some("/Users"), SearchRequest::default())),
        ("HEAD /scim/v2/Users", "", 200, list(Some("/Users"), SearchRequest::default())),
        // HTTP-19, Entra ID, OneLogin
        ("GET /scim/v2/Users?aadOptscim062020&", "", 200, list(Some("/Users"), SearchRequest::default())),
        ("GET /scim/v2/Users?filter=userName+eq+%22user%22&", "", 200, list(Some("/Users"), filter(r#"userName eq "user""#))),
        (
            "GET /scim/v2/Users?Filter=userName%20eq%20%22a%2Bb%26c%22",
            "",
            200,
            list(Some("/Users"), filter(r#"userName eq "a+b&c""#)),
        ),
        (
            "GET /scim/v2/Groups?attributes=id,%20displayName&excludedAttributes=members&sortBy=x&sortOrder=descending\
             &startIndex=-1&count=0",
            "",
            200,
            list(
                Some("/Groups"),
                SearchRequest {
                    attributes: some(&["id", "displayName"]),
                    excluded_attributes: some(&["members"]),
                    filter: None,
                    sort_by: Some("x".to_owned()),
                    sort_order: SortOrder::Descending,
                    start_index: Some(-1),
                    count: Some(0),
                    cursor: None,
                },
            ),
        ),
        ("GET /scim/v2/?filter=id+pr", "", 200, list(None, filter("id pr"))),
        // SEARCH-01, SEARCH-04
        ("POST /scim/v2/.search", search, 200, list(None, two())),
        ("POST /scim/v2/Users/.search", search, 200, list(Some("/Users"), two())),
        (
            "GET /scim/v2/Users/1?attributes=userName",
            "",
            200,
            ScimRequest::Read {
                endpoint: users(),
                id: id(),
                names: Names { attributes: some(&["userName"]), excluded: Vec::new() },
            },
        ),
        ("HEAD /scim/v2/Users/1", "", 200, ScimRequest::Read { endpoint: users(), id: id(), names: names() }),
        (
            "POST /scim/v2/Users?excludedAttributes=name",
            "{}",
            201,
            ScimRequest::Create {
                endpoint: users(),
                body: json!({}),
                names: Names { attributes: Vec::new(), excluded: some(&["name"]) },
            },
        ),
        (
            "PUT /scim/v2/Users/1",
            r#"{"a":1}"#,
            200,
            ScimRequest::Replace { endpoint: users(), id: id(), body: json!({"a": 1}), names: names() },
        ),
        (
            "PATCH /scim/v2/Users/1",
            "{}",
            200,
            ScimRequest::Patch { endpoint: users(), id: id(), body: json!({}), names: names() },
        ),
        ("DELETE /scim/v2/Users/1", "", 204, ScimRequest::Delete { endpoint: users(), id: id() }),
        // The body of a DELETE means nothing.
        ("DELETE /scim/v2/Users/1", "no json", 204, ScimRequest::Delete { endpoint: users(), id: id() }),
        (
            "POST /scim/v2/Bulk",
            r#"{"Operations":[]}"#,
            200,
            ScimRequest::Bulk { job: BulkRequest { fail_on_errors: None, operations: Vec::new() } },
        ),
    ];
    for (line, body, status, expected) in cases {
        let (answer, asked) = asked(line, &[], body).await;
        assert_eq!(answer.status, status, "{line}: {:?}", answer.body);
        assert_eq!(asked.map(|(_, request)| request), Some(expected), "{line}");
    }
}

#[tokio::test]
async fn requests_refused() {
    let cases = [
        ("GET /scim/v2/Nope", "", 404, None, "/Users"),
        ("GET /Users", "", 404, None, "/scim/v2"),
        ("GET /scim/v1/Users", "", 400, Some("invalidVers"), "/scim/v2"),
        ("DELETE /scim/v2/Users//", "", 400, None, "//"),
        // ME-01
        ("GET /scim/v2/Me", "", 501, None, "/Me"),
        ("POST /scim/v2/Me", "{}", 501, None, "/Me"),
        // DISC-14
        ("GET /scim/v2/Schemas?filter=id+pr", "", 403, None, "filter"),
        ("GET /scim/v2/ResourceTypes?FILTER=", "", 403, None, "filter"),
        ("GET /scim/v2/ServiceProviderConfig?filter=x", "", 403, None, "filter"),
        // HTTP-20
        ("POST /scim/v2/Users", r#"{"userName": :"#, 400, Some("invalidSyntax"), "JSON"),
        ("POST /scim/v2/Users", "", 400, Some("invalidSyntax"), "empty"),
        ("PUT /scim/v2/Users/1", " \n", 400, Some("invalidSyntax"), "empty"),
        // SEARCH-02, SEARCH-05
        ("POST /scim/v2/Users/.search", "[]", 400, Some("invalidSyntax"), "SearchRequest"),
        ("POST /scim/v2/Users/.search", r#"{"schemas":["urn:other"]}"#, 400, Some("invalidSyntax"), "SearchRequest"),
        ("POST /scim/v2/Users/.search", r#"{"startIndex":"a"}"#, 400, Some("invalidValue"), "startIndex"),
        ("POST /scim/v2/Users/.search", r#"{"filter":1}"#, 400, Some("invalidFilter"), "filter"),
        ("POST /scim/v2/Users/.search", r#"{"attributes":[1]}"#, 400, Some("invalidValue"), "attributes"),
        ("GET /scim/v2/Users?startIndex=a", "", 400, Some("invalidValue"), "startIndex"),
        ("GET /scim/v2/Users?sortOrder=up", "", 400, Some("invalidValue"), "ascending"),
        ("GET /scim/v2/Users?filter=id+pr&filter=x", "", 400, Some("invalidValue"), "twice"),
        ("GET /scim/v2/Users?filter=%FF", "", 400, Some("invalidValue"), "UTF-8"),
    ];
    for (line, body, status, scim_type, tells) in cases {
        let (answer, asked) = asked(line, &[], body).await;
        assert_eq!(answer.status, status, "{line}: {:?}", answer.body);
        let detail = answer.is_scim_error(line);
        assert!(detail.contains(tells), "{line}: {detail}");
        assert_eq!(answer.json().get("scimType").and_then(Value::as_str), scim_type, "{line}");
        assert!(asked.is_none(), "{line}");
    }
}

/// The strict profile wants `schemas` in a search.
#[tokio::test]
async fn the_profile_is_that_of_the_client() {
    for (token, status) in [("token-of-entra-0002", 200), ("token-of-script-001", 400)] {
        let (fake, stack) = stack();
        let bearer = format!("Bearer {token}");
        let answer = send(&stack, request("POST /scim/v2/.search", &[("authorization", &bearer)], "{}")).await;
        assert_eq!((answer.status, fake.take().len()), (status, usize::from(status == 200)), "{token}");
    }
}

/// HTTP-14, DISC-06, DISC-21, BULK-19.
#[tokio::test]
async fn methods() {
    let read = "GET, HEAD, OPTIONS";
    let endpoints = [
        ("/", read),
        ("/ServiceProviderConfig", read),
        ("/ResourceTypes", read),
        ("/ResourceTypes/User", read),
        ("/Schemas", read),
        ("/Schemas/urn:x", read),
        ("/.search", "POST, OPTIONS"),
        ("/Users/.search", "POST, OPTIONS"),
        ("/Bulk", "POST, OPTIONS"),
        ("/Users", "GET, HEAD, POST, OPTIONS"),
        ("/Groups/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ];
    for (path, allow) in endpoints {
        // A job is read before the service is asked.
        let body = if path == "/Bulk" { r#"{"Operations":[]}"# } else { "{}" };
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let line = format!("{method} /scim/v2{path}");
            let (answer, asked) = asked(&line, &[], body).await;
            if method == "OPTIONS" {
                assert_eq!((answer.status, answer.header("allow")), (204, Some(allow)), "{line}");
            } else if allow.split(", ").any(|allowed| allowed == method) {
                assert!(answer.status < 300 && asked.is_some(), "{line}: {}", answer.status);
            } else {
                assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{line}");
                assert!(asked.is_none(), "{line}");
                if method != "HEAD" {
                    assert!(answer.is_scim_error(&line).contains(method), "{line}");
                }
            }
        }
    }
}

/// HTTP-02 to HTTP-07.
#[tokio::test]
async fn media_types() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], u16);
    let cases: [Case; 19] = [
        ("POST", &[("content-type", "application/scim+json")], 201),
        ("POST", &[("content-type", "application/json")], 201),
        ("POST", &[("content-type", "application/scim+json; charset=utf-8")], 201),
        ("POST", &[("content-type", "Application/JSON ;charset=UTF-8;x=y")], 201),
        ("POST", &[("content-type", "")], 201),
        ("POST", &[], 201),
        ("POST", &[("content-type", "text/plain")], 415),
        ("POST", &[("content-type", "application/x-www-form-urlencoded")], 415),
        ("POST", &[("content-type", "application/jsonx")], 415),
        ("POST", &[("content-type", "application/xml; application/json")], 415),
        ("POST", &[("content-encoding", "identity")], 201),
        ("POST", &[("content-encoding", "gzip")], 415),
        ("POST", &[("content-encoding", "identity"), ("content-encoding", "br")], 415),
        ("GET", &[("content-type", "text/plain")], 200),
        ("GET", &[("accept", "application/json")], 200),
        ("GET", &[("accept", "*/*")], 200),
        ("GET", &[("accept", "text/xml")], 200),
        ("GET", &[("accept", "")], 200),
        ("DELETE", &[("content-type", "text/plain")], 405),
    ];
    for (method, headers, status) in cases {
        let (answer, asked) = asked(&format!("{method} /scim/v2/Users"), headers, "{}").await;
        assert_eq!(answer.status, status, "{method} {headers:?}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{method} {headers:?}");
        assert_eq!(asked.is_some(), status < 300, "{method} {headers:?}");
        if status >= 400 {
            answer.is_scim_error(&format!("{method} {headers:?}"));
        }
    }
}

/// HTTP-01.
#[tokio::test]
async fn utf8_passes_unchanged() {
    let (_, asked) = asked("POST /scim/v2/Users", &[], r#"{"name":"山田 🦊 ä"}"#).await;
    let Some((_, ScimRequest::Create { body, .. })) = asked else { panic!("{asked:?}") };
    assert_eq!(body["name"], json!("山田 🦊 ä"));
}

/// AUTH-01, DISC-08.
#[tokio::test]
async fn authentication() {
    let bare = r#"Bearer realm="scim""#;
    let unknown = r#"Bearer realm="scim", error="invalid_token""#;
    let malformed = r#"Bearer realm="scim", error="invalid_request""#;
    let cases: [(&str, &[&str], u16, Option<&str>); 19] = [
        ("GET /scim/v2/Users", &["Bearer token-of-entra-0001"], 200, None),
        ("GET /scim/v2/Users", &["Bearer token-of-entra-0002"], 200, None),
        ("GET /scim/v2/Users", &["bearer token-of-script-001"], 200, None),
        ("GET /scim/v2/Users", &["BEARER   token-of-script-001 "], 200, None),
        ("GET /scim/v2/Users", &[], 401, Some(bare)),
        ("GET /scim/v2/Nope", &[], 401, Some(bare)),
        ("GET /", &[], 401, Some(bare)),
        ("GET /scim/v2/Users", &["Bearer token-of-entra-0003"], 401, Some(unknown)),
        ("GET /scim/v2/Users", &["Bearer token-of-entra-000"], 401, Some(unknown)),
        ("GET /scim/v2/Users", &["Bearer TOKEN-OF-ENTRA-0001"], 401, Some(unknown)),
        // Okta's suite
        ("GET /scim/v2/Users", &["non-token"], 401, Some(malformed)),
        ("GET /scim/v2/Users", &["Bearertoken-of-entra-0001"], 401, Some(malformed)),
        ("GET /scim/v2/Users", &["Bearer "], 401, Some(malformed)),
        ("GET /scim/v2/Users", &["Basic dXNlcjpwYXNz"], 401, Some(malformed)),
        ("GET /scim/v2/Users", &["Bearer token-of-entra-0001", "Bearer x"], 401, Some(malformed)),
        ("GET /scim/v2/ServiceProviderConfig", &[], 200, None),
        ("GET /scim/v2/ServiceProviderConfig/", &["Bearer wrong"], 401, Some(unknown)),
        ("POST /scim/v2/ServiceProviderConfig", &[], 401, Some(bare)),
        ("GET /scim/v2/Schemas", &[], 401, Some(bare)),
    ];
    for (line, tokens, status, challenge) in cases {
        let (fake, stack) = stack();
        let headers: Vec<_> = tokens.iter().map(|token| ("authorization", *token)).collect();
        let answer = send(&stack, request(line, &headers, "")).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, challenge), "{line} {tokens:?}");
        assert_eq!(fake.take().len(), usize::from(status == 200), "{line} {tokens:?}");
        if status == 401 {
            answer.is_scim_error(line);
        }
    }
    let closed = Stack::new(Arc::new(Fake::new()), &Options { discovery_without_token: false, ..options() });
    assert_eq!(send(&closed, request("GET /scim/v2/ServiceProviderConfig", &[], "")).await.status, 401);
}

/// ERR-13, ERR-15, ERR-16.
#[tokio::test]
async fn errors_become_responses() {
    let cases = [
        ("missing", 404, None, "no User"),
        ("taken", 409, None, "taken"),
        ("stale", 412, None, "version"),
        ("lie", 500, None, "success"),
        ("down", 503, Some("5"), "cannot be reached"),
        ("late", 504, None, "in time"),
        ("busy", 503, Some("17"), "Retry-After"),
        ("failed", 502, None, "may have been made"),
        ("locked-out", 502, None, "not yours"),
        ("gibberish", 502, None, "mapping"),
        ("half", 502, None, "could not be taken back"),
        ("mapping", 500, None, "my-id-1"),
        ("gateway", 500, None, "my-id-1"),
        ("panic", 500, None, "my-id-1"),
        ("teapot", 500, None, "my-id-1"),
    ];
    for (id, status, retry_after, tells) in cases {
        for method in ["GET", "PUT"] {
            let line = format!("{method} /scim/v2/Users/{id}");
            let (answer, _) = asked(&line, &[("x-request-id", "my-id-1")], "{}").await;
            assert_eq!((answer.status, answer.header("retry-after")), (status, retry_after), "{line}");
            let detail = answer.is_scim_error(&line);
            assert!(detail.contains(tells), "{line}: {detail}");
        }
    }
}

#[tokio::test]
async fn answers_have_their_headers() {
    let (created, _) = asked("POST /scim/v2/Users", &[], "{}").await;
    assert_eq!(created.header("location"), Some("https://example.com/v2/Users/1"));
    assert_eq!(created.header("etag"), Some("W/\"1\""));
    assert_eq!(created.header("cache-control"), Some("no-store"));
    assert_eq!(created.json()["userName"], json!("bjensen"));
    let (read, _) = asked("GET /scim/v2/Users/1", &[], "").await;
    assert_eq!((read.header("location"), read.header("etag")), (None, Some("W/\"1\"")));
    for line in ["DELETE /scim/v2/Users/1", "GET /scim/v2/Users/unchanged"] {
        let (bare, _) = asked(line, &[], "").await;
        assert!(bare.body.is_empty() && bare.header("content-type").is_none(), "{line}");
    }
    let (unchanged, _) = asked("GET /scim/v2/Users/unchanged", &[], "").await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some("W/\"1\"")));
    let (split, _) = asked("GET /scim/v2/Users/split", &[], "").await;
    assert_eq!((split.status, split.header("etag"), split.header("x")), (200, None, None));
}

/// HTTP-15.
#[tokio::test]
async fn head_is_get_without_a_body() {
    for path in ["/scim/v2/Users/1", "/scim/v2/Users/missing", "/scim/v2/Nope", "/scim/v2/Users/unchanged"] {
        let (get, _) = asked(&format!("GET {path}"), &[], "").await;
        let (head, _) = asked(&format!("HEAD {path}"), &[], "").await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        let length = (!get.body.is_empty()).then(|| get.body.len().to_string());
        assert_eq!(head.header("content-length").map(str::to_owned), length, "{path}");
    }
}

#[tokio::test]
async fn the_context_has_conditions_and_the_base() {
    let headers = [("if-match", "W/\"1\""), ("if-match", "\"2\""), ("if-none-match", "*")];
    let (_, asked_) = asked("GET /scim/v2/Users/1", &headers, "").await;
    let context = asked_.unwrap().0;
    assert_eq!(context.if_match.as_deref(), Some("W/\"1\", \"2\""));
    assert_eq!(context.if_none_match.as_deref(), Some("*"));
    assert_eq!(context.profile.name, "lenient");
    let public = Some("https://scim.example.org/tenant/scim/v2/");
    let cases = [
        (None, "/scim/v2/Users", "scim.example.com:8443", "http://scim.example.com:8443/scim/v2"),
        (None, "http://other.example.com/scim/v2/Users", "scim.example.com", "http://other.example.com/scim/v2"),
        (None, "/scim/v2/Users", "[::1]:8080", "http://[::1]:8080/scim/v2"),
        (None, "/scim/v2/Users", "evil.example.com/x?", "http://127.0.0.1:8080/scim/v2"),
        (None, "/scim/v2/Users", "a@b", "http://127.0.0.1:8080/scim/v2"),
        (public, "/scim/v2/Users", "scim.example.com", "https://scim.example.org/tenant/scim/v2"),
    ];
    for (public, uri, host, expected) in cases {
        let fake = Arc::new(Fake::new());
        let options = Options { base: BaseUrl::new(public, "/scim/v2/", "127.0.0.1:8080"), ..options() };
        let stack = Stack::new(Arc::clone(&fake), &options);
        let mut request = request(&format!("GET {uri}"), &[TOKEN], "");
        request.headers_mut().insert("host", host.parse().unwrap());
        send(&stack, request).await;
        assert_eq!(fake.take()[0].0.base_url, expected, "{host}");
    }
}

#[tokio::test]
async fn request_ids() {
    let (kept, _) = asked("GET /scim/v2/Users", &[("x-request-id", "abc-1.2_3:4")], "").await;
    assert_eq!(kept.header("x-request-id"), Some("abc-1.2_3:4"));
    let long = "x".repeat(65);
    for bad in ["", "a b", "a\"b", "{}", &long] {
        let (made, _) = asked("GET /scim/v2/Users", &[("x-request-id", bad)], "").await;
        let id = made.header("x-request-id").unwrap();
        assert!(id.len() == 36 && id != bad, "{bad}: {id}");
    }
    // Refused requests have one, too.
    let (_, stack) = stack();
    assert!(send(&stack, request("GET /", &[], "")).await.header("x-request-id").is_some());
}

#[test]
fn every_method_of_a_route_is_listed_in_allow() {
    use crate::server::routes::Route;

    assert_eq!(Route::Me.methods(), &[] as &[Method]);
    assert_eq!(Route::Bulk.allow(), "POST, OPTIONS");
}

#[path = "stack_bounds_tests.rs"]
mod bounds;
