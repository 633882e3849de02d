//! From the YAML tree to the compiled form. Nothing here gives up at the first mistake: each part reports what is
//! wrong with it and compiles what it can.

mod answers;
mod attribute;
mod auth;
mod backend;
mod body;
mod call;
mod calls;
mod carried;
mod column;
mod convert;
mod field;
mod lifecycle;
mod list;
mod lookups;
mod member_records;
mod paging;
mod publish;
mod pushdown;
mod relation;
mod resource;
mod schemas;
mod session;
mod signing;
mod tls;
mod trial;
mod trial_call;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use super::diagnostics::{Code, Diagnostic, Severity, did_you_mean};
use super::model::{Digests, Mapping, Trial};
use super::path::JsonPath;
use super::source::{self, Data, Entry, Node, Span};
use super::vocabulary::{self, Block};

/// Finds what `${NAME}` and `${file:/path}` stand for. The language is pure: whoever loads a mapping brings this.
pub trait Secrets {
    /// The text with every reference replaced; the error tells a person which one is missing and what to do.
    fn resolve(&self, text: &str) -> Result<SecretString, String>;

    /// Whether something else stands in the place of what the text refers to, as nothing will be sent.
    fn is_stand_in(&self, _text: &str) -> bool {
        false
    }
}

/// Compiles a mapping. It is `Some` only if no diagnostic is an error.
pub fn load(text: &str, secrets: &dyn Secrets) -> (Option<Mapping>, Vec<Diagnostic>) {
    read(text, secrets, Compiler::document)
}

/// Reads a file of tests that stands beside its mapping. They are `Some` only if no diagnostic is an error.
pub fn load_tests(text: &str) -> (Option<Vec<Trial>>, Vec<Diagnostic>) {
    read(text, &NoSecrets, Compiler::tests_file)
}

/// Reads a document, and sorts what is wrong with it.
fn read<'s, T>(
    text: &str,
    secrets: &'s dyn Secrets,
    compile: impl FnOnce(&mut Compiler<'s>, &Node) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    let (root, diagnostics) = match source::parse(text) {
        Ok(parsed) => parsed,
        Err(diagnostic) => return (None, vec![diagnostic]),
    };
    let mut compiler = Compiler {
        secrets,
        diagnostics,
        xml: answers::Xml::default(),
        renews: false,
        found: None,
        lookups: Vec::new(),
        used_lookups: Vec::new(),
    };
    let compiled = compile(&mut compiler, &root);
    let mut diagnostics = compiler.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    (compiled.filter(|_| !failed), diagnostics)
}

/// Tests refer to none: what they say is the same everywhere.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        Ok(SecretString::from(text))
    }
}

/// The state of a compilation.
pub(super) struct Compiler<'c> {
    secrets: &'c dyn Secrets,
    diagnostics: Vec<Diagnostic>,
    /// Whether there is a login that can be renewed.
    renews: bool,
    /// Where templates may refer to secrets: those that they do, by the text that refers to them.
    found: Option<Vec<(String, SecretString)>>,
    /// The names of all look-ups, in their order, and of those that lines use.
    lookups: Vec<String>,
    used_lookups: Vec<String>,
    xml: answers::Xml,
}

/// A block whose keys were checked.
#[derive(Clone, Copy)]
pub(super) struct Keys<'n> {
    entries: &'n [Entry],
    span: Span,
    name: &'static str,
}

// === impl Keys ===

impl<'n> Keys<'n> {
    /// The value of a key, if it is there and not null.
    fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

// === impl Compiler ===

/// Whether a text refers to a secret, rather than being one; `$${` is `${` itself.
fn is_reference(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

/// A part that was given must have compiled.
#[expect(clippy::option_option, reason = "given or not, and compiled or not")]
fn known<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(compiled) => Some(compiled),
        None => Some(None),
    }
}

impl Compiler<'_> {
    fn document(&mut self, root: &Node) -> Option<Mapping> {
        let keys = self.block(root, &vocabulary::DOCUMENT)?;
        match self.require(&keys, "mapping", "write `mapping: v1` as the first line") {
            Some(version) if version.text() != Some("v1") => {
                self.report(
                    Diagnostic::error(Code::Version, version.span, "this is no version of the mapping language")
                        .help("this program knows `v1`"),
                );
            }
            _ => {}
        }
        let name = keys.get("name").and_then(|node| self.text(node)).unwrap_or("mapping").to_owned();
        let schemas = keys.get("schemas").map(|node| self.schemas(node)).unwrap_or_default();
        let digest = |node: Option<&Node>| node.map(Node::digest).unwrap_or_default();
        let digests = Digests { document: root.digest(), backend: digest(keys.get("backend")) };
        let backend =
            self.require(&keys, "backend", "tell where the backend is: `backend: { url: ... }`").map(|node| self.backend(node));
        let tests = keys.get("tests").map(|node| self.tests(node)).unwrap_or_default();
        let resources = self.require(&keys, "resources", "map at least one resource type, such as `User`");
        // The resource types are looked at even if the backend's block cannot be used.
        let (backend, shared) = backend.unwrap_or_default();
        self.lookups = keys.get("lookups").map(Self::lookup_names).unwrap_or_default();
        let resources = resources.map(|node| self.resources(node, &schemas, &shared));
        let lookups = keys.get("lookups").map_or(Some(Vec::new()), |node| self.lookups(node, &shared));
        Some(Mapping { name, digests, backend: backend?, lookups: lookups?, resources: resources??, tests })
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::error(code, span, message).help(help));
    }

    /// The entries of a block in which any key may stand.
    fn entries<'n>(&mut self, node: &'n Node, name: &str) -> Option<&'n [Entry]> {
        match &node.data {
            Data::Mapping(entries) => Some(entries),
            _ => {
                self.error(
                    Code::WrongShape,
                    node.span,
                    format!("{name} is a block of keys, but {} stands here", node.kind()),
                    "write `key: value` lines below it",
                );
                None
            }
        }
    }

    /// A block with its keys checked against the vocabulary.
    fn block<'n>(&mut self, node: &'n Node, block: &Block) -> Option<Keys<'n>> {
        self.block_with(node, block, &[])
    }

    /// A block in which more words than the vocabulary's may stand.
    fn block_with<'n>(&mut self, node: &'n Node, block: &Block, more: &[&str]) -> Option<Keys<'n>> {
        let entries = self.entries(node, block.name)?;
        let known = || block.keys.iter().map(|key| key.name).chain(more.iter().copied());
        for entry in entries {
            if known().any(|name| name == entry.key) {
                continue;
            }
            let help = match did_you_mean(&entry.key, known()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("the keys here are {}", known().collect::<Vec<_>>().join(", ")),
            };
            self.error(Code::UnknownKey, entry.key_span, format!("`{}` is not a key of {}", entry.key, block.name), help);
        }
        Some(Keys { entries, span: node.span, name: block.name })
    }

    /// A key that must be there.
    fn require<'n>(&mut self, keys: &Keys<'n>, key: &str, help: &str) -> Option<&'n Node> {
        let found = keys.get(key);
        if found.is_none() {
            let span = keys.entry(key).map_or(keys.span, |entry| entry.key_span);
            self.error(Code::MissingKey, span, format!("{} needs `{key}`", keys.name), help);
        }
        found
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.error(
                Code::WrongShape,
                node.span,
                format!("a text is meant here, but {} stands here", node.kind()),
                "write one value; put quotes around a text that begins with `{`, `[` or `*`",
            );
        }
        text
    }

    /// A whole number from 1 up.
    fn count(&mut self, node: &Node) -> Option<usize> {
        let count = node.text().and_then(|text| text.parse::<u32>().ok()).filter(|count| *count > 0);
        let count = count.and_then(|count| usize::try_from(count).ok());
        if count.is_none() {
            self.error(Code::BadValue, node.span, "a whole number from 1 up is meant here", "write a number such as `100`");
        }
        count
    }

    fn flag(&mut self, node: &Node) -> Option<bool> {
        match node.scalar() {
            Some(Value::Bool(flag)) => Some(flag),
            _ => {
                self.error(
                    Code::BadValue,
                    node.span,
                    "`true` or `false` is meant here",
                    "write `true` or `false`, without quotes",
                );
                None
            }
        }
    }

    /// A time such as `500ms`, `10s` or `2m`.
    fn duration(&mut self, node: &Node) -> Option<Duration> {
        let duration = node.text().and_then(|text| {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let number = u64::from(digits.parse::<u32>().ok()?);
            match text.strip_prefix(digits)? {
                "ms" => Some(Duration::from_millis(number)),
                "s" => Some(Duration::from_secs(number)),
                "m" => Some(Duration::from_secs(number * 60)),
                _ => None,
            }
        });
        let duration = duration.filter(|duration| !duration.is_zero());
        if duration.is_none() {
            self.error(Code::BadValue, node.span, "a time is meant here", "write a number and its unit: `500ms`, `10s` or `2m`");
        }
        duration
    }

    /// One of the words that have a meaning.
    fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let help = match did_you_mean(text, names.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None if names.len() == 1 => format!("write `{}`", names.join("")),
                None => format!("write one of {}", names.join(", ")),
            };
            self.error(Code::BadValue, node.span, format!("`{text}` has no meaning here"), help);
        }
        found
    }

    fn path(&mut self, node: &Node) -> Option<JsonPath> {
        let text = self.text(node)?;
        match JsonPath::parse(text) {
            Ok(path) => {
                self.xml_arrays(&path, node.span);
                Some(path)
            }
            Err(reason) => {
                let help = if text.contains(" = ") {
                    "write `==` to compare".to_owned()
                } else if text.contains(" == ") && !text.contains("[?") {
                    let condition = text.trim_start_matches('$').trim_start_matches('.');
                    format!("a condition stands in a filter: `$[?$.{condition}]`")
                } else if text.starts_with('$') {
                    "see RFC 9535, for example `$.profile.mail[0].address`".to_owned()
                } else if text.contains("{{") {
                    "a field is read by a JSONPath such as `$.profile.surname`; templates are for what is sent".to_owned()
                } else {
                    format!("write `$.{}`", text.trim_start_matches('.'))
                };
                self.error(Code::BadPath, node.span, format!("`{text}` is not a JSONPath: {reason}"), help);
                None
            }
        }
    }

    /// A path, or the default if the key is not there.
    fn path_or(&mut self, node: Option<&Node>, default: &JsonPath) -> Option<JsonPath> {
        match node {
            Some(node) => self.path(node),
            None => Some(default.clone()),
        }
    }

    /// A text in which references to secrets are replaced.
    fn resolved(&mut self, node: &Node) -> Option<SecretString> {
        let text = self.text(node)?;
        self.resolved_text(text, node.span)
    }

    fn resolved_text(&mut self, text: &str, span: Span) -> Option<SecretString> {
        match self.secrets.resolve(text) {
            Ok(secret) => Some(secret),
            Err(reason) => {
                self.error(Code::MissingSecret, span, reason, "a secret is named by `${NAME}` or `${file:/path}`");
                None
            }
        }
    }

    /// A secret; one that stands in the mapping itself is warned about.
    fn secret(&mut self, node: &Node) -> Option<SecretString> {
        if node.text().is_some_and(|text| !is_reference(text)) {
            self.literal_secret(node);
        }
        self.resolved(node)
    }

    fn literal_secret(&mut self, node: &Node) {
        self.report(
            Diagnostic::warning(Code::LiteralSecret, node.span, "a secret stands in the mapping itself")
                .help("put it into the environment or a file: `${NAME}` or `${file:/path}`"),
        );
    }

    /// Reports known words of a block that mean nothing for what the block describes.
    fn meaningless(&mut self, keys: &Keys<'_>, words: &[&str], what: &str, help: &str) {
        for entry in keys.entries.iter().filter(|entry| words.contains(&entry.key.as_str())) {
            self.error(Code::UnknownKey, entry.key_span, format!("`{}` has no meaning for {what}", entry.key), help);
        }
    }
}
