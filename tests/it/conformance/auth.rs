//! Authentication and authorisation (RFC 7644 section 2).

use scimitar::engine::Offer;
use serde_json::json;

use crate::demo::{Demo, LENIENT, MAPPING, STRICT, mapping_with};
use crate::scim::user;
use crate::stub::Stub;

#[tokio::test]
async fn auth_01_a_challenge() {
    let demo = Demo::start(1, 0).await;
    for (headers, error) in [
        (&[][..], None),
        (&[("Authorization", "Bearer wrong")], Some("invalid_token")),
        (&[("Authorization", "Basic dXNlcjpwYXNz")], Some("invalid_request")),
    ] {
        for path in ["/Users", "/Users/1001", "/Nope"] {
            let answer = demo.raw("GET", path, headers, Vec::new()).await;
            answer.refused(401, None);
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert_eq!(challenge.contains("error="), error.is_some(), "{challenge}");
            assert!(error.is_none_or(|error| challenge.contains(error)), "{challenge}");
        }
    }
    assert!(demo.calls().is_empty());
}

#[tokio::test]
async fn auth_07_no_anonymous_requests() {
    let demo = Demo::start(1, 0).await;
    let body = || user("a", json!({})).to_string().into_bytes();
    for (method, path) in [("POST", "/Users"), ("PUT", "/Users/1001"), ("DELETE", "/Users/1001"), ("GET", "/Users")] {
        demo.raw(method, path, &[("Content-Type", "application/scim+json")], body()).await.refused(401, None);
    }
    assert!(demo.calls().is_empty());
}

/// What the mapping forbids, it forbids to everybody.
#[tokio::test]
async fn auth_08_what_is_not_allowed_is_403() {
    let refuse = ("    delete: DELETE /users/{{key}}\n", "    delete: { refuse: People leave by way of the HR system. }\n");
    let create = ("    create: { call: POST /users, undo: delete }\n", "    create: POST /users\n");
    let demo = Demo::with(&mapping_with(&[refuse, create]), 1, 0, Offer::default()).await;
    for token in [LENIENT, STRICT] {
        let answer = demo.send_as(token, "DELETE", "/Users/1001", &[], None).await;
        assert_eq!(answer.refused(403, None), "People leave by way of the HR system.");
    }
    assert!(demo.calls().is_empty());
    demo.get("/Users/1001").await.ok(200);
}

#[tokio::test]
async fn auth_09_tokens_stay_where_they_belong() {
    let stub = Stub::start("500 Internal Server Error", "application/json", "{\"error\":\"people\"}").await;
    let demo = Demo::before(&stub.url, MAPPING);
    let answer = demo.send("POST", "/Users", Some(user("a", json!({})))).await;
    assert!(!answer.refused(502, None).contains("people"));
    demo.get("/Users/1001").await.refused(502, None);
    let heads = stub.heads();
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert!(head.to_lowercase().contains("authorization: bearer people\r\n"), "{head}");
        assert!(!head.contains(LENIENT), "{head}");
    }
}
