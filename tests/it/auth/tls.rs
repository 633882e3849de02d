//! TLS with an authority of one's own, and a certificate of the gateway.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::{Fake, person, reply};
use crate::scim::user;

const AUTHORITY: &str = "tls: { authority: \"${file:tests/fixtures/tls/ca.pem}\" }";
const BOTH: &str = "tls: { authority: \"${file:tests/fixtures/tls/ca.pem}\", certificate: \"${file:tests/fixtures/tls/client.pem}\", key: \"${file:tests/fixtures/tls/client.key}\" }";

fn pem(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)).unwrap()
}

/// A server with the certificate of the fixture; `asks` for a certificate of whoever connects.
fn acceptor(asks: bool) -> TlsAcceptor {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let server = ServerConfig::builder();
    let server = if asks {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem("ca.pem")).unwrap()).unwrap();
        server.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
    } else {
        server.with_no_client_auth()
    };
    let certificate = CertificateDer::from_pem_slice(&pem("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&pem("server.key")).unwrap();
    TlsAcceptor::from(Arc::new(server.with_single_cert(vec![certificate], key).unwrap()))
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let fake = Fake::start_with(Some(acceptor(false)), person).await;
    fake.gateway(AUTHORITY).get("/Users/7").await.ok(200);
    fake.came();
    // 503: no connection was made, and nothing sent.
    fake.gateway("").get("/Users/7").await.refused(503, None);
    assert!(fake.came().is_empty());
}

#[tokio::test]
async fn a_backend_asks_for_a_certificate() {
    let fake = Fake::start_with(Some(acceptor(true)), person).await;
    let gateway = fake.gateway(BOTH);
    gateway.get("/Users/7").await.ok(200);
    gateway.send("POST", "/Users", Some(user("ann", json!({})))).await.ok(201);
    assert_eq!(fake.came().len(), 2);
    let status = fake.gateway(AUTHORITY).get("/Users/7").await.status;
    assert!(status == 502 || status == 503, "{status}");
    assert!(fake.came().is_empty());
}

/// The call for a token goes the same way.
#[tokio::test]
async fn a_login_over_tls() {
    let fake = Fake::start_with(Some(acceptor(true)), |came| match came.target.as_str() {
        "/token" => reply(200, json!({ "access_token": "t", "token_type": "bearer" })),
        _ if came.header("authorization") == Some("Bearer t") => person(came),
        _ => reply(401, json!({})),
    })
    .await;
    let auth = format!("{BOTH}\nauth: {{ oauth2: {{ token: /token, client: gateway, secret: \"${{PEOPLE_TOKEN}}\" }} }}");
    fake.gateway(&auth).get("/Users/7").await.ok(200);
}
