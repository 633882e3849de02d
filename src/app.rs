//! Wires everything together: a mapping, its backend, the engine, and the ports between them. [`reload`] puts another
//! mapping into its place.

pub mod reload;
mod watch;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::backend::{Backend, SetupError};
use crate::config::secrets;
use crate::engine::{Context, Engine, Error, Offer, Reply, ScimRequest, ports};
use crate::mapping::{self, Mapping, Report, Secrets};
use crate::server::Service;
use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::Fault;

/// The service: what the server calls.
pub struct App {
    engine: Engine<Backend>,
}

/// The clock and the chance of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Host;

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the mapping {file} cannot be read: {error}. Set `mapping` to a file that exists")]
    Read { file: String, error: std::io::Error },
    /// The diagnostics, as a person reads them.
    #[error("{0}")]
    Mapping(String),
    #[error("backend: {0}")]
    Backend(#[from] SetupError),
}

/// Secrets from the environment and from files.
pub struct Environment;

/// Values given by hand, before the environment: the demo's own addresses.
pub struct Given<'g>(pub &'g [(&'g str, &'g str)]);

/// Something in the place of every secret, for commands that send nothing.
pub struct Placeholders;

/// Reads a mapping file.
pub fn read_mapping(path: &Path) -> Result<Mapping, LoadError> {
    read_mapping_with(path, &Environment)
}

/// Reads a mapping file with secrets from elsewhere.
pub fn read_mapping_with(path: &Path, secrets: &dyn Secrets) -> Result<Mapping, LoadError> {
    let file = path.display().to_string();
    let text = read(path).map_err(|error| LoadError::Read { file: file.clone(), error })?;
    load_mapping(&file, &text, secrets)
}

fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

/// Compiles a mapping. Warnings are logged, errors returned as a person reads them.
pub fn load_mapping(file: &str, text: &str, secrets: &dyn Secrets) -> Result<Mapping, LoadError> {
    let (mapping, diagnostics) = mapping::load(text, secrets);
    let report = Report { file, text, diagnostics: &diagnostics };
    match mapping {
        Some(mapping) => {
            warn_of(&report);
            Ok(mapping)
        }
        None => Err(LoadError::Mapping(report.human())),
    }
}

/// Logs what a mapping without mistakes is warned of.
fn warn_of(report: &Report<'_>) {
    for diagnostic in report.diagnostics {
        let (line, _) = report.position(diagnostic.span.start);
        tracing::warn!(code = diagnostic.code.as_str(), "{}:{line}: {}", report.file, diagnostic.message);
    }
}

// === impl App ===

impl App {
    pub fn new(mapping: Mapping, offer: Offer) -> Result<Self, LoadError> {
        let backend = Backend::new(&mapping.backend)?;
        Ok(Self { engine: Engine::new(mapping, backend, Host, offer) })
    }

    /// One that takes the place of this one. The way to the backend, with its connections, goes on if nothing of it has
    /// changed; `same_secrets` tells whether what the mapping refers to is what it was.
    pub fn after(&self, mapping: Mapping, same_secrets: bool) -> Result<Self, LoadError> {
        let same = same_secrets && mapping.digests.backend == self.mapping().digests.backend;
        let backend = if same { self.engine.backend().clone() } else { Backend::new(&mapping.backend)? };
        Ok(Self { engine: self.engine.after(mapping, backend) })
    }

    pub fn mapping(&self) -> &Mapping {
        self.engine.mapping()
    }
}

impl Service for App {
    async fn call(&self, context: Context, request: ScimRequest) -> Result<Reply, Error> {
        self.engine.call(&context, request).await
    }

    fn endpoints(&self) -> &[String] {
        self.engine.endpoints()
    }
}

impl ports::Backend for Backend {
    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        Self::send(self, call).await
    }
}

impl ports::System for Host {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(bytes).is_ok()
    }
}

impl Secrets for Environment {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        secrets::resolve(text).map_err(|error| error.to_string())
    }
}

impl Secrets for Placeholders {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        Ok(match Environment.resolve(text) {
            Ok(secret) => secret,
            Err(_) => SecretString::from("https://backend.example.com"),
        })
    }

    fn is_stand_in(&self, text: &str) -> bool {
        Environment.resolve(text).is_err()
    }
}

impl Secrets for Given<'_> {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        match self.0.iter().find(|(name, _)| text == format!("${{{name}}}")) {
            Some((_, value)) => Ok(SecretString::from(*value)),
            None => Environment.resolve(text),
        }
    }
}
