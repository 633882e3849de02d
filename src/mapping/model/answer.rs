//! How the answers of a backend are written, how long it asks to wait, and how often it may be called.

use std::time::Duration;

use http::HeaderName;

use crate::mapping::path::JsonPath;

/// How answers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    Json {
        /// What stands in front of the JSON, against scripts of other sites that include it.
        prefix: Option<String>,
    },
    Xml {
        /// The elements that are always lists, by their local names.
        lists: Vec<String>,
    },
}

/// Where an answer tells how long to wait.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    /// It does not: this long.
    Time(Duration),
    /// A number of seconds, or a text that holds one.
    Body(JsonPath),
    /// Likewise, or a time of day.
    Header(HeaderName),
}

/// How often the backend may be called: so many calls in any period of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub calls: usize,
    pub period: Duration,
}

// === impl Answers ===

impl Default for Answers {
    fn default() -> Self {
        Self::Json { prefix: None }
    }
}
