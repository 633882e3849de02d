//! What TLS to the backend trusts, and what the gateway shows of itself.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::SetupError;
use crate::mapping::model::Tls;

/// `is_secure` tells whether TLS is spoken: only then must there be certificates of authorities.
pub(super) fn config(settings: &Tls, is_secure: bool) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::empty();
    if is_secure {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        // An image without certificates is no mistake where the mapping brings its own.
        if roots.is_empty() && settings.authorities.is_empty() {
            let reasons: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
            return Err(SetupError::Roots(if reasons.is_empty() { "there are none".to_owned() } else { reasons.join("; ") }));
        }
    }
    for authority in &settings.authorities {
        roots.add(authority.clone())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(match &settings.identity {
        Some(identity) => config.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?,
        None => config.with_no_client_auth(),
    })
}
