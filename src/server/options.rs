//! What the stack needs of the settings.

use std::sync::Arc;
use std::time::Duration;

use super::auth::{Client, Clients, TokenHash};
use super::base::BaseUrl;
use crate::config::Resolved;
use crate::scim::Profile;

/// The server's part of the settings, in its own types.
#[derive(Debug, Clone)]
pub struct Options {
    pub base: BaseUrl,
    pub clients: Clients,
    /// The profile of requests without a token.
    pub profile: &'static Profile,
    pub discovery_without_token: bool,
    pub request_bytes: usize,
    pub request_timeout: Duration,
    pub concurrent_requests: usize,
}

// === impl Options ===

impl Options {
    /// Takes over settings. Fails on a profile that does not exist, which [`Resolved`] was to be checked for.
    pub fn new(settings: &Resolved) -> Result<Self, String> {
        let named = |name: &str| Profile::named(name).ok_or_else(|| format!("there is no profile {name}"));
        let clients: Result<Vec<_>, String> = settings
            .clients
            .iter()
            .map(|client| {
                Ok(Client {
                    name: Arc::from(client.name.as_str()),
                    tokens: vec![TokenHash::of(&client.token)],
                    profile: named(&client.profile)?,
                })
            })
            .collect();
        Ok(Self {
            base: BaseUrl::new(settings.public_url.as_deref(), &settings.base_path, &settings.listen.to_string()),
            clients: Clients(clients?),
            profile: named(&settings.profile)?,
            discovery_without_token: settings.discovery_without_token,
            request_bytes: settings.limits.request_bytes,
            request_timeout: settings.limits.request_timeout,
            concurrent_requests: settings.limits.concurrent_requests,
        })
    }
}
