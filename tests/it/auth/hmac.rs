//! Calls that are signed. The fake computes the signature by the book.

use std::collections::HashSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Came, Fake, person, reply};
use crate::scim::{patch, user};

/// RFC 2104 section 2, with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with).to_vec();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

/// RFC 4231 sections 4.2 and 4.3.
#[test]
fn the_book_is_right() {
    let first = hmac(&[0x0b; 20], b"Hi There");
    assert_eq!(hex(&first), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    let second = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex(&second), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[tokio::test]
async fn method_target_date_and_body_are_signed() {
    let fake = Fake::start(|came| {
        let body = hex(&Sha256::digest(came.body.as_bytes()));
        let date = came.header("date").unwrap();
        // RFC 9110 section 5.6.7.
        assert!(date.ends_with(" GMT") && date.len() == "Sun, 06 Nov 1994 08:49:37 GMT".len(), "{date}");
        let message = format!("{}\n{}\n{}\n{}\n{body}", came.method, came.header("host").unwrap(), came.target, date);
        let expected = format!("HMAC gateway:{}", hex(&hmac(b"people", message.as_bytes())));
        if came.header("authorization") == Some(&expected) { person(came) } else { reply(401, json!({})) }
    })
    .await;
    let gateway = fake.gateway(
        "
auth:
  hmac:
    key: ${PEOPLE_TOKEN}
    sign: \"{{method}}\\n{{host}}\\n{{target}}\\n{{date}}\\n{{bodyHash}}\"
    headers: { Authorization: \"HMAC gateway:{{signature}}\", Date: \"{{date}}\" }
",
    );
    gateway.get("/Users/7").await.ok(200);
    gateway.send("POST", "/Users", Some(user("zoë", json!({})))).await.ok(201);
    let change = patch(json!({ "op": "replace", "path": "userName", "value": "bob" }));
    assert!(gateway.send("PATCH", "/Users/7", Some(change)).await.status < 300);
}

/// As Azure App Configuration wants it: the key is Base64, the signature too, and it covers a list of headers.
#[tokio::test]
async fn a_key_and_a_signature_in_base64() {
    // "key of the gateway"
    const KEY: &str = "a2V5IG9mIHRoZSBnYXRld2F5";
    let fake = Fake::start(|came| {
        let hash = BASE64_STANDARD.encode(Sha256::digest(came.body.as_bytes()));
        assert_eq!(came.header("x-ms-content-sha256"), Some(hash.as_str()));
        let (date, host) = (came.header("x-ms-date").unwrap(), came.header("host").unwrap());
        let message = format!("{}\n{}\n{date};{host};{hash}", came.method, came.target);
        let signature = BASE64_STANDARD.encode(hmac(b"key of the gateway", message.as_bytes()));
        let expected = format!(
            "HMAC-SHA256 Credential=of the fixture&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        );
        assert_eq!(came.header("authorization"), Some(expected.as_str()));
        person(came)
    })
    .await;
    let gateway = fake.gateway(&format!(
        "
auth:
  hmac:
    key: {KEY}
    decode: base64
    encode: base64
    sign: \"{{{{method}}}}\\n{{{{target}}}}\\n{{{{date}}}};{{{{host}}}};{{{{bodyHash}}}}\"
    headers:
      x-ms-date: \"{{{{date}}}}\"
      x-ms-content-sha256: \"{{{{bodyHash}}}}\"
      Authorization: HMAC-SHA256 Credential=${{file:tests/fixtures/secret.txt}}&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={{{{signature}}}}
"
    ));
    gateway.get("/Users").await.ok(200);
    gateway.send("POST", "/Users", Some(user("ann", json!({})))).await.ok(201);
}

/// A nonce is another one each time; what is sent in the query is not signed.
#[tokio::test]
async fn a_signature_in_the_query() {
    let nonces = Mutex::new(HashSet::new());
    let fake = Fake::start(move |came| {
        let (path, query) = came.target.split_once('?').unwrap();
        let find = |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).unwrap().1.into_owned();
        assert!(nonces.lock().unwrap().insert(find("nonce")));
        let message = format!("{path}||{}|{}|{}", find("nonce"), find("at"), came.body);
        assert_eq!(find("sig"), hex(&hmac(b"people", message.as_bytes())));
        person(&Came { target: path.to_owned(), ..came.clone() })
    })
    .await;
    let gateway = fake.gateway(
        "
auth:
  hmac:
    key: ${PEOPLE_TOKEN}
    sign: \"{{path}}|{{query}}|{{nonce}}|{{seconds}}|{{body}}\"
    query: { nonce: \"{{nonce}}\", at: \"{{seconds}}\", sig: \"{{signature}}\" }
",
    );
    for _ in 0..3 {
        gateway.get("/Users/7").await.ok(200);
    }
    gateway.send("POST", "/Users", Some(user("ann", json!({})))).await.ok(201);
}
