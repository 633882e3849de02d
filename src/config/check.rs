//! One look at the whole of the settings, which finds all mistakes and leaves types in which they cannot be made.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::problem::{Problem, Problems};
use super::secrets::{self, Secrets};
use super::settings::{Client, Limits, Settings};
use crate::limits;

/// The longest time that a setting may have.
const LONGEST: Duration = Duration::from_hours(1);
/// The largest number of connections or requests: what one process can have files for, and more.
const MANY: u64 = 1_000_000;

/// Settings without mistakes.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub listen: SocketAddr,
    /// Empty, or with a slash at its beginning and none at its end.
    pub base_path: String,
    pub public_url: Option<String>,
    pub mapping: PathBuf,
    pub reload: bool,
    pub profile: String,
    pub clients: Vec<ClientSettings>,
    pub discovery_without_token: bool,
    pub limits: ResolvedLimits,
    pub log: Option<String>,
    /// What works but should not stay so.
    pub warnings: Vec<String>,
}

/// A client with its token.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    pub name: String,
    pub token: SecretString,
    pub profile: String,
}

/// Bounds in their types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedLimits {
    pub request_bytes: usize,
    pub request_timeout: Duration,
    pub concurrent_requests: usize,
    pub connections: usize,
    pub drain_timeout: Duration,
}

/// Collects problems.
struct Checker<'a, S> {
    problems: Vec<Problem>,
    warnings: Vec<String>,
    profiles: &'a [&'a str],
    secrets: &'a S,
}

// === impl Settings ===

impl Settings {
    /// Checks everything. `name` is the file for messages, `folder` the one that relative paths begin at, `profiles`
    /// the names that a profile may have.
    pub fn check(self, name: &str, folder: &Path, profiles: &[&str], secrets: &impl Secrets) -> Result<Resolved, Problems> {
        let mut checker = Checker { problems: Vec::new(), warnings: Vec::new(), profiles, secrets };
        let listen = checker.listen(&self.listen);
        let base_path = checker.base_path(&self.base_path);
        let public_url = checker.public_url(&self.public_url);
        if self.mapping.is_empty() {
            checker.wrong("mapping", "is missing: write `mapping: mapping.yaml`, the file that describes the backend");
        }
        checker.profile("profile", &self.profile);
        let clients = checker.clients(&self.clients, &self.profile, listen);
        let limits = checker.limits(&self.limits);
        let Checker { problems, warnings, .. } = checker;
        if !problems.is_empty() {
            return Err(Problems { file: name.to_owned(), list: problems });
        }
        Ok(Resolved {
            listen,
            base_path,
            public_url,
            mapping: folder.join(self.mapping),
            reload: self.reload,
            profile: self.profile,
            clients,
            discovery_without_token: self.discovery_without_token,
            limits,
            log: Some(self.log).filter(|log| !log.is_empty()),
            warnings,
        })
    }
}

// === impl Checker ===

impl<S: Secrets> Checker<'_, S> {
    fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(key, message));
    }

    fn listen(&mut self, text: &str) -> SocketAddr {
        text.parse().unwrap_or_else(|_| {
            let advice = match text.strip_prefix(':').filter(|port| port.parse::<u16>().is_ok()) {
                Some(port) => format!("write `0.0.0.0:{port}` for all addresses, `127.0.0.1:{port}` for this machine alone"),
                None => "write an IP address and a port, such as `127.0.0.1:8080`, `0.0.0.0:8080` or `[::]:8080`".to_owned(),
            };
            self.wrong("listen", format!("`{text}` is no address to listen on: {advice}"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn base_path(&mut self, text: &str) -> String {
        let path = text.trim_end_matches('/');
        let good = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if !path.is_empty() && !path.strip_prefix('/').is_some_and(|path| path.split('/').all(good)) {
            self.wrong(
                "base_path",
                format!("`{text}` is no path to be mounted at: write it as `/scim/v2`, of letters, digits and -._~, or `/`"),
            );
        }
        path.to_owned()
    }

    fn public_url(&mut self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let example = "such as `https://scim.example.com/scim/v2`";
        let message = match text.parse::<Uri>() {
            // RFC 7644 section 1.3: the base URI must not have a query.
            _ if text.contains(['?', '#']) => Some("must not hold a query (?) or fragment (#): write the part before it"),
            Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => match uri.authority() {
                Some(authority) if authority.as_str().contains('@') => {
                    Some("must not hold a user name: leave out what is before @")
                }
                Some(_) => None,
                None => Some("has no host"),
            },
            _ => Some("is no URL: begin it with https://"),
        };
        if let Some(message) = message {
            self.wrong("public_url", format!("`{text}` {message}, {example}"));
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn profile(&mut self, key: &str, name: &str) {
        if !self.profiles.contains(&name) {
            self.wrong(key, format!("there is no profile `{name}`: write one of {}", self.profiles.join(", ")));
        }
    }

    fn clients(&mut self, clients: &[Client], profile: &str, listen: SocketAddr) -> Vec<ClientSettings> {
        if clients.is_empty() {
            self.wrong("clients", "is missing: nobody could connect; write `clients: [{name: entra, token: \"${SCIM_TOKEN}\"}]`");
        }
        if clients.len() > limits::CLIENTS {
            self.wrong("clients", format!("has more than {} clients", limits::CLIENTS));
            return Vec::new();
        }
        let mut names = BTreeMap::new();
        let mut tokens = BTreeMap::new();
        let mut resolved = Vec::new();
        for (index, client) in clients.iter().enumerate() {
            let key = |field: &str| format!("clients[{index}].{field}");
            if client.name.trim().is_empty() || client.name.chars().any(char::is_control) {
                self.wrong(&key("name"), "is missing: give each client a name for the log, such as `name: entra`");
            } else if let Some(first) = names.insert(client.name.clone(), index) {
                self.wrong(&key("name"), format!("`{}` is the name of clients[{first}] already: give each its own", client.name));
            }
            if !client.profile.is_empty() {
                self.profile(&key("profile"), &client.profile);
            }
            let Some(token) = self.token(&key("token"), &client.token.0, listen) else { continue };
            if let Some(first) = tokens.insert(token.expose_secret().to_owned(), index) {
                self.wrong(&key("token"), format!("is the token of clients[{first}] already: give each client its own"));
            }
            let profile = if client.profile.is_empty() { profile } else { &client.profile };
            resolved.push(ClientSettings { name: client.name.clone(), token, profile: profile.to_owned() });
        }
        resolved
    }

    fn token(&mut self, key: &str, text: &str, listen: SocketAddr) -> Option<SecretString> {
        if text.is_empty() {
            self.wrong(key, "is missing: write `token: ${SCIM_TOKEN}` and set that variable, or `token: ${file:/path}`");
            return None;
        }
        let token = match secrets::resolve_with(text, self.secrets) {
            Ok(token) => token,
            Err(error) => {
                self.wrong(key, error.to_string());
                return None;
            }
        };
        if !secrets::is_reference(text) {
            self.warnings.push(format!(
                "{key}: the token is written into the settings: put it into an environment variable and write `${{SCIM_TOKEN}}`"
            ));
        }
        let value = token.expose_secret();
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.wrong(
                key,
                "holds a blank, a line break or a character outside ASCII, which no header can carry: make a new one",
            );
            return None;
        }
        if value.len() < limits::TOKEN_CHARS && !listen.ip().is_loopback() {
            self.wrong(
                key,
                format!(
                    "has {} characters; at least {} are needed where other machines can connect: make one with `openssl rand -hex 32`",
                    value.len(),
                    limits::TOKEN_CHARS
                ),
            );
            return None;
        }
        Some(token)
    }

    fn limits(&mut self, limits: &Limits) -> ResolvedLimits {
        ResolvedLimits {
            request_bytes: self.number("limits.request_bytes", limits.request_bytes, 1 << 30),
            request_timeout: self.duration("limits.request_timeout", &limits.request_timeout),
            concurrent_requests: self.number("limits.concurrent_requests", limits.concurrent_requests, MANY),
            connections: self.number("limits.connections", limits.connections, MANY),
            drain_timeout: self.duration("limits.drain_timeout", &limits.drain_timeout),
        }
    }

    fn number(&mut self, key: &str, value: u64, most: u64) -> usize {
        if value == 0 || value > most {
            self.wrong(key, format!("{value} is out of range: write a number from 1 to {most}"));
        }
        usize::try_from(value).unwrap_or(usize::MAX)
    }

    fn duration(&mut self, key: &str, text: &str) -> Duration {
        let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        match parsed {
            Some(duration) if !duration.is_zero() && duration <= LONGEST => return duration,
            Some(_) => self.wrong(key, format!("`{text}` is out of range: write a time above 0 and up to 1h")),
            None if text.parse::<f64>().is_ok() => {
                self.wrong(key, format!("`{text}` has no unit: write `{text}s` for seconds"));
            }
            None => self.wrong(key, format!("`{text}` is no time: write it as `60s`, `500ms` or `1m 30s`")),
        }
        LONGEST
    }
}
