//! References to secrets: `${NAME}` is the environment variable, `${file:/path}` the content of the file, and both may
//! stand within other text. `$${` is `${` itself. Messages hold names and paths, never values.

use std::io;
use std::path::Path;

use secrecy::SecretString;

use crate::limits;

/// Why a reference cannot be followed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error(
        "`${{` has no `}}`: write ${{NAME}} for an environment variable, ${{file:/path}} for a file, $${{ for the text itself"
    )]
    Unclosed,
    #[error(
        "`{0}` is no name of an environment variable: use letters, digits and _, as in ${{SCIM_TOKEN}}; a file is written ${{file:/path}}"
    )]
    Name(String),
    #[error(
        "the environment variable {0} is not set: set it where the gateway is started, or refer to a file with ${{file:/path}}"
    )]
    Unset(String),
    #[error("the environment variable {0} is empty: give it a value")]
    Empty(String),
    #[error("the environment variable {0} is not UTF-8: encode the secret, for example in Base64, where it is made")]
    NotUnicode(String),
    #[error("the file {path} cannot be read ({reason}): check the path, and that the gateway's user may read it")]
    File { path: String, reason: String },
    #[error("the file {0} is empty: write the secret into it")]
    EmptyFile(String),
    #[error("the file {path} is larger than {limit} bytes, so it is hardly a secret: check the path")]
    LargeFile { path: String, limit: u64 },
}

/// Where secrets are.
pub trait Secrets {
    /// The environment variable; `None` if it is not set, an error if it is not UTF-8.
    fn variable(&self, name: &str) -> Result<Option<String>, SecretError>;
    /// The file's content.
    fn file(&self, path: &str) -> Result<String, SecretError>;
}

/// The environment and the files of this process.
#[derive(Debug, Clone, Copy)]
pub struct Process;

/// Follows all references in a text.
pub fn resolve(text: &str) -> Result<SecretString, SecretError> {
    resolve_with(text, &Process)
}

/// Follows all references in a text, in the given places.
pub fn resolve_with(text: &str, secrets: &impl Secrets) -> Result<SecretString, SecretError> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            whole.push_str(before);
            whole.push_str("${");
            rest = behind;
            continue;
        }
        let (reference, behind) = behind.split_once('}').ok_or(SecretError::Unclosed)?;
        whole.push_str(before);
        whole.push_str(&follow(reference, secrets)?);
        rest = behind;
    }
    whole.push_str(rest);
    Ok(SecretString::from(whole))
}

/// Whether a text refers to a secret, rather than being one.
pub fn is_reference(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

/// The paths of the files that a text refers to.
pub fn files(text: &str) -> impl Iterator<Item = &str> {
    text.split("${file:").skip(1).filter_map(|rest| rest.split_once('}').map(|(path, _)| path))
}

fn follow(reference: &str, secrets: &impl Secrets) -> Result<String, SecretError> {
    if let Some(path) = reference.strip_prefix("file:") {
        let content = secrets.file(path)?;
        // Editors and `echo` end a file with a line break, which no secret means to have.
        let content = content.strip_suffix('\n').map_or(content.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        return if content.is_empty() { Err(SecretError::EmptyFile(path.to_owned())) } else { Ok(content.to_owned()) };
    }
    let name = reference;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.bytes().all(word) {
        return Err(SecretError::Name(name.to_owned()));
    }
    match secrets.variable(name)? {
        None => Err(SecretError::Unset(name.to_owned())),
        Some(value) if value.is_empty() => Err(SecretError::Empty(name.to_owned())),
        Some(value) => Ok(value),
    }
}

// === impl Process ===

impl Secrets for Process {
    fn variable(&self, name: &str) -> Result<Option<String>, SecretError> {
        let Some(value) = std::env::var_os(name) else { return Ok(None) };
        value.into_string().map(Some).map_err(|_| SecretError::NotUnicode(name.to_owned()))
    }

    fn file(&self, path: &str) -> Result<String, SecretError> {
        read_bounded(Path::new(path), limits::SECRET_BYTES)
            .map_err(|error| SecretError::File { path: path.to_owned(), reason: error.to_string() })?
            .ok_or_else(|| SecretError::LargeFile { path: path.to_owned(), limit: limits::SECRET_BYTES })
    }
}

/// A file's content; `None` if it is larger than the bound.
pub(super) fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<String>> {
    use std::io::Read;

    let mut content = String::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_string(&mut content)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
