//! What is wrong with settings.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key (`limits.request_timeout`) or the variable (`SCIMITAR_LISTEN`); empty if it is the file as a whole.
    pub key: String,
    /// What is wrong and what to type instead.
    pub message: String,
}

/// Everything that is wrong, with the file that it is in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    pub file: String,
    pub list: Vec<Problem>,
}

// === impl Problem ===

impl Problem {
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

// === impl Problems ===

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { key, message }) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match key.as_str() {
                "" => write!(f, "{}: {message}", self.file)?,
                key => write!(f, "{}: {key}: {message}", self.file)?,
            }
        }
        Ok(())
    }
}
