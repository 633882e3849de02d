//! Who asks: bearer tokens (RFC 6750), kept and compared as SHA-256 digests.
//!
//! A slow hash would buy nothing: these are long random tokens, not passwords, and each costs one digest a request.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tower::ServiceExt;

use super::Error;
use super::error::Refusal;
use super::routes::{self, Route};
use super::step::{Next, Request, Response, Step};
use crate::scim::Profile;

/// One client of the settings.
#[derive(Debug, Clone)]
pub struct Client {
    pub name: Arc<str>,
    /// Any of these is the client: an old and a new one while a token is being replaced.
    pub tokens: Vec<TokenHash>,
    pub profile: &'static Profile,
}

/// The SHA-256 digest of a token.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

/// All clients.
#[derive(Debug, Clone, Default)]
pub struct Clients(pub Vec<Client>);

/// Who sent a request; in its extensions below this layer.
#[derive(Debug, Clone)]
pub struct Principal {
    /// `None` where no token is needed.
    pub client: Option<Arc<str>>,
    pub profile: &'static Profile,
}

/// Refuses requests without a known token.
#[derive(Debug, Clone)]
pub struct Authenticate {
    pub clients: Arc<Clients>,
    /// Where /ServiceProviderConfig is readable without a token (DISC-08): the path that the service is mounted at.
    pub open_base: Option<Arc<str>>,
    /// The profile of a request without a token.
    pub profile: &'static Profile,
}

// === impl TokenHash ===

impl TokenHash {
    pub fn of(token: &SecretString) -> Self {
        Self(digest(token.expose_secret().as_bytes()))
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

// === impl Clients ===

impl Clients {
    /// The client with this token. Compares with every token, so that the time says nothing about which one it was.
    pub fn find(&self, token: &[u8]) -> Option<&Client> {
        let given = digest(token);
        // 0 is nobody.
        let mut found = 0_u64;
        for (place, client) in (1_u64..).zip(&self.0) {
            for TokenHash(known) in &client.tokens {
                found.conditional_assign(&place, known.ct_eq(&given));
            }
        }
        self.0.get(usize::try_from(found.checked_sub(1)?).ok()?)
    }
}

// === impl Authenticate ===

impl Authenticate {
    fn principal(&self, request: &Request) -> Result<Principal, Refusal> {
        match token(request.headers()) {
            Ok(token) => {
                let client = self.clients.find(token).ok_or(Refusal::Unknown)?;
                Ok(Principal { client: Some(Arc::clone(&client.name)), profile: client.profile })
            }
            // Only where no token was sent: whoever sends a wrong one wants to know that it is wrong.
            Err(Refusal::Missing) if self.is_open(request) => Ok(Principal { client: None, profile: self.profile }),
            Err(refusal) => Err(refusal),
        }
    }

    fn is_open(&self, request: &Request) -> bool {
        let Some(base) = &self.open_base else { return false };
        matches!(*request.method(), Method::GET | Method::HEAD)
            && matches!(routes::resolve(base, &[], request.uri().path()), Ok(Route::ServiceProviderConfig))
    }
}

impl Step for Authenticate {
    async fn run<N: Next>(self, mut request: Request, next: N) -> Result<Response, Error> {
        let principal = self.principal(&request).map_err(Error::Unauthorized)?;
        if let Some(client) = &principal.client {
            tracing::Span::current().record("client", &**client);
        }
        // Out of reach of everything below, so that no token can get to the backend by accident (AUTH-09).
        request.headers_mut().remove(AUTHORIZATION);
        request.extensions_mut().insert(principal);
        next.oneshot(request).await
    }
}

/// The token of a request. The name of the scheme is case-insensitive (RFC 9110 section 11.1).
fn token(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let value = value.as_bytes().trim_ascii();
    let (scheme, token) = value.split_at_checked(b"Bearer".len()).ok_or(Refusal::Malformed)?;
    let token_trimmed = token.trim_ascii_start();
    if !scheme.eq_ignore_ascii_case(b"Bearer") || token_trimmed.is_empty() || token_trimmed.len() == token.len() {
        return Err(Refusal::Malformed);
    }
    Ok(token_trimmed)
}
