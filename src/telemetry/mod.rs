//! Logging. Quiet enough for production: warnings, errors, and a line when the service starts.

pub mod audit;

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the few lines about starting and stopping that are seen by default.
pub const START: &str = "scimitar::start";

/// What is logged when nobody says otherwise.
pub const DEFAULT_FILTER: &str = "warn,scimitar::start=info";

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("`{filter}` is no log filter ({error}): write a level such as `info`, or `warn,scimitar=debug`")]
    Filter { filter: String, error: ParseError },
    #[error("logging is set up already: {0}")]
    Twice(String),
}

/// Starts logging to stderr: stdout is for what a command answers. `filter` is in the syntax of [`EnvFilter`].
pub fn init(filter: Option<&str>, format: Format) -> Result<(), LogError> {
    let filter = self::filter(filter)?;
    let ansi = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let set = match format {
        Format::Text => builder.with_ansi(ansi).finish().try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish().try_init(),
    };
    set.map_err(|error| LogError::Twice(error.to_string()))
}

/// Reads a filter. A bad one is an error, not a line that gets lost.
pub fn filter(text: Option<&str>) -> Result<EnvFilter, LogError> {
    let text = text.filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT_FILTER);
    EnvFilter::builder().parse(text).map_err(|error| LogError::Filter { filter: text.to_owned(), error })
}
