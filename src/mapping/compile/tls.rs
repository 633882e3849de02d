//! `backend.tls`: a private authority, and the certificate of the gateway itself (mTLS).

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::ExposeSecret as _;

use super::{Compiler, Keys, is_reference};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Identity, Tls};
use crate::mapping::source::Node;
use crate::mapping::vocabulary;

impl Compiler<'_> {
    pub(super) fn tls(&mut self, node: &Node) -> Option<Tls> {
        let keys = self.block(node, &vocabulary::TLS)?;
        if ["authority", "certificate", "key"].iter().all(|key| keys.get(key).is_none()) {
            self.error(
                Code::MissingKey,
                node.span,
                "tls says nothing",
                "write `authority: ${file:/ca.pem}`, or `certificate` and `key`",
            );
            return None;
        }
        // Where nothing will be sent nobody needs them.
        if keys.entries.iter().any(|entry| entry.value.text().is_some_and(|text| self.secrets.is_stand_in(text))) {
            return Some(Tls::default());
        }
        let authorities = keys.get("authority").map_or(Some(Vec::new()), |node| {
            let chain = self.certificates(node)?;
            let mut store = RootCertStore::empty();
            if chain.iter().any(|certificate| store.add(certificate.clone()).is_err()) {
                self.bad_pem(node, "a certificate of this authority cannot be used");
                return None;
            }
            Some(chain)
        });
        let identity = match (keys.get("certificate"), keys.get("key")) {
            (None, None) => Some(None),
            (Some(certificate), Some(key)) => self.identity(certificate, key).map(Some),
            (certificate, _) => {
                let (there, missing) = if certificate.is_some() { ("certificate", "key") } else { ("key", "certificate") };
                self.lonely(&keys, there, missing);
                None
            }
        };
        Some(Tls { authorities: authorities?, identity: identity? })
    }

    fn lonely(&mut self, keys: &Keys<'_>, there: &str, missing: &str) {
        let span = keys.entry(there).map_or(keys.span, |entry| entry.key_span);
        let help = format!("write `{missing}: ${{file:/{missing}.pem}}`, too");
        self.error(Code::MissingKey, span, format!("`{there}` is of no use without `{missing}`"), help);
    }

    fn identity(&mut self, certificate: &Node, key: &Node) -> Option<Identity> {
        let chain = self.certificates(certificate);
        if key.text().is_some_and(|text| !is_reference(text)) {
            self.literal_secret(key);
        }
        let text = self.resolved(key)?;
        let private = PrivateKeyDer::from_pem_slice(text.expose_secret().as_bytes());
        let Ok(private) = private else {
            self.bad_pem(key, "there is no private key in this");
            return None;
        };
        let chain = chain?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        if CertifiedKey::from_der(chain.clone(), private.clone_key(), &provider).is_err() {
            self.bad_pem(key, "the key does not belong to the certificate, or is of a kind that cannot be used");
            return None;
        }
        Some(Identity { chain, key: Arc::new(private) })
    }

    fn certificates(&mut self, node: &Node) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.resolved(node)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.expose_secret().as_bytes()).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        if chain.is_none() {
            self.bad_pem(node, "there is no certificate in this");
        }
        chain
    }

    fn bad_pem(&mut self, node: &Node, problem: &str) {
        let help = "name a file in PEM, with `-----BEGIN ...-----` lines: `${file:/path.pem}`";
        self.error(Code::BadValue, node.span, problem, help);
    }
}
