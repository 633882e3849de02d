//! A mapping that is served, and that another one can take the place of while requests run.
//!
//! The new one is read and checked whole before anything changes. Requests that run end on the one that they began with,
//! which goes when the last of them has ended. One that has mistakes changes nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::watch::Watch;
use super::{App, Environment, LoadError, warn_of};
use crate::config::secrets;
use crate::engine::Offer;
use crate::limits;
use crate::mapping::model::Digest;
use crate::mapping::{self, Mapping, Report, Secrets, Severity};
use crate::server::Services;
use crate::telemetry;

/// The app of the moment. Clones share it.
#[derive(Clone)]
pub struct Served(Arc<ArcSwap<App>>);

/// Reads a mapping file again and again.
pub struct Reloader {
    path: PathBuf,
    served: Served,
    seen: Seen,
    /// The secrets of what is served.
    secrets: Vec<Resolved>,
    /// Whether what was seen last was refused.
    refused: bool,
}

/// What became of a look at the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What stands there is what stood there when it was last seen, or says what is served.
    Unchanged,
    /// Another mapping is served from now on.
    Swapped,
    /// What stands there cannot be served.
    Refused,
}

/// What a look saw, as digests: it is kept, and secrets are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// The text, or why it cannot be read.
    text: Result<Digest, io::ErrorKind>,
    secrets: Vec<Resolved>,
}

/// A text with references, and a digest of what it stands for; `None` where that cannot be found.
type Resolved = (String, Option<Digest>);

/// Secrets, and a note of everything that is asked for.
struct Noted<'s> {
    secrets: &'s dyn Secrets,
    asked: RefCell<Vec<Resolved>>,
}

/// Why a mapping is refused, a line a mistake.
type Mistakes = Vec<String>;

/// Reads and compiles the file, and begins to serve it.
pub fn open(path: &Path, offer: Offer) -> Result<(Served, Reloader), LoadError> {
    let noted = Noted::new(&Environment);
    let file = path.display().to_string();
    let text = super::read(path).map_err(|error| LoadError::Read { file: file.clone(), error })?;
    let app = App::new(super::load_mapping(&file, &text, &noted)?, offer)?;
    let served = Served(Arc::new(ArcSwap::from_pointee(app)));
    let secrets = noted.asked.into_inner();
    let seen = Seen { text: Ok(digest(&text)), secrets: secrets.clone() };
    Ok((served.clone(), Reloader { path: path.to_owned(), served, seen, secrets, refused: false }))
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

// === impl Served ===

impl Services for Served {
    type One = App;

    fn current(&self) -> Arc<App> {
        self.0.load_full()
    }
}

// === impl Reloader ===

impl Reloader {
    /// Looks whenever it is asked to; if `watch`, also when something happens to the files, and from time to time, as not
    /// every file system tells what happens. It ends with the runtime.
    pub async fn run(mut self, asked: Arc<Notify>, watch: bool) {
        let mut watching = watch.then(|| Watch::new(self.folders()));
        loop {
            let (mut was_asked, mut was_found) = (false, false);
            tokio::select! {
                () = asked.notified() => was_asked = true,
                () = Watch::quiet_after_change(watching.as_ref()) => {}
                () = tokio::time::sleep(Duration::from_secs(limits::RELOAD_SECONDS)), if watch => was_found = true,
            }
            // Reading and compiling take their time, which requests must not wait for.
            let look = tokio::task::spawn_blocking(move || {
                let outcome = self.look(was_asked);
                (self, outcome)
            });
            let outcome;
            (self, outcome) = match look.await {
                Ok(done) => done,
                Err(error) => {
                    tracing::error!(%error, "the mapping is not read again any more; restart the gateway");
                    return;
                }
            };
            if let Some(watching) = &mut watching {
                // What it did not tell, it may be deaf to: a folder that was replaced.
                let is_deaf = outcome != Outcome::Unchanged && was_found;
                watching.follow(self.folders(), is_deaf);
            }
        }
    }

    /// Looks at the file, and serves what stands there if it is another mapping and a good one. What becomes of it is
    /// logged. `asked` by a person, it also tells that nothing has changed.
    pub fn look(&mut self, asked: bool) -> Outcome {
        let file = self.path.display().to_string();
        let text = super::read(&self.path);
        let now = Seen {
            text: text.as_ref().map(|text| digest(text)).map_err(io::Error::kind),
            secrets: self.seen.secrets.iter().map(|(text, _)| resolved(&Environment, text).1).collect(),
        };
        if now == self.seen && !(asked && self.refused) {
            if asked {
                tracing::info!(target: telemetry::START, mapping = %file, "the mapping is what it was; it is served on");
            }
            return Outcome::Unchanged;
        }
        self.seen.text = now.text;
        let noted = Noted::new(&Environment);
        let taken = text
            .map_err(|error| vec![format!("{file} cannot be read: {error}")])
            .and_then(|text| compile(&file, &text, &noted).and_then(|mapping| self.take(mapping, &noted)));
        self.refused = taken.is_err();
        let asked_for = noted.asked.into_inner();
        // Where a text could not be read as far as its secrets, those of the one before are looked at.
        let is_known = taken.is_ok() || !asked_for.is_empty();
        self.seen.secrets = if is_known { asked_for.clone() } else { now.secrets };
        match taken {
            Ok(true) => {
                self.secrets = asked_for;
                tracing::info!(target: telemetry::START, mapping = %file, "the mapping has changed; the new one is served");
                Outcome::Swapped
            }
            Ok(false) => {
                tracing::info!(target: telemetry::START, mapping = %file, "the mapping says what it said; it is served on");
                Outcome::Unchanged
            }
            Err(mistakes) => {
                refuse(&file, &mistakes);
                Outcome::Refused
            }
        }
    }

    /// Serves a mapping; `false` if it says what the one says that is served.
    fn take(&self, mapping: Mapping, noted: &Noted<'_>) -> Result<bool, Mistakes> {
        let same_secrets = *noted.asked.borrow() == self.secrets;
        let current = self.served.current();
        if same_secrets && mapping.digests == current.mapping().digests {
            return Ok(false);
        }
        let app = current.after(mapping, same_secrets).map_err(|error| vec![error.to_string()])?;
        self.served.0.store(Arc::new(app));
        Ok(true)
    }

    /// The folders in which something happens when the mapping or a secret changes: those that the names lead to, and
    /// those in which the files really are.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let secrets = self.seen.secrets.iter().flat_map(|(text, _)| secrets::files(text)).map(Path::new);
        let files = std::iter::once(self.path.as_path()).chain(secrets);
        let folder = |path: &Path| match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Some(PathBuf::from(".")),
            folder => folder.map(Path::to_owned),
        };
        files
            .flat_map(|file| [folder(file), file.canonicalize().ok().and_then(|file| folder(&file))])
            .flatten()
            .take(limits::RELOAD_FOLDERS)
            .collect()
    }
}

/// The mapping of a text, or what is wrong with it. Log lines show no excerpt: a broken text may hold a secret anywhere.
fn compile(file: &str, text: &str, secrets: &dyn Secrets) -> Result<Mapping, Mistakes> {
    let (mapping, diagnostics) = mapping::load(text, secrets);
    let report = Report { file, text, diagnostics: &diagnostics };
    if let Some(mapping) = mapping {
        warn_of(&report);
        return Ok(mapping);
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let line = errors.map(|diagnostic| {
        let (line, column) = report.position(diagnostic.span.start);
        let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{file}:{line}:{column}: {}: {}{help}", diagnostic.code.as_str(), diagnostic.message)
    });
    Err(line.collect())
}

fn refuse(file: &str, mistakes: &Mistakes) {
    tracing::error!(
        mapping = %file,
        mistakes = mistakes.len(),
        "the mapping has changed and is refused; the one before is served on. `scimitar check` shows the places"
    );
    for mistake in mistakes.iter().take(limits::RELOAD_MISTAKES) {
        tracing::error!("{mistake}");
    }
}

fn resolved(secrets: &dyn Secrets, text: &str) -> (Result<SecretString, String>, Resolved) {
    let secret = secrets.resolve(text);
    let seen = secret.as_ref().ok().map(|secret| digest(secret.expose_secret()));
    (secret, (text.to_owned(), seen))
}

// === impl Noted ===

impl<'s> Noted<'s> {
    fn new(secrets: &'s dyn Secrets) -> Self {
        Self { secrets, asked: RefCell::default() }
    }
}

impl Secrets for Noted<'_> {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        let (secret, noted) = resolved(self.secrets, text);
        self.asked.borrow_mut().push(noted);
        secret
    }
}
