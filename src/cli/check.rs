//! `scimitar check`: what is wrong with mappings, without serving them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{FINDINGS, Output, answer, say};
use crate::app::Environment;
use crate::mapping::{self, Report};

/// What `check` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CheckArgs {
    /// The mappings
    #[arg(required = true, value_name = "MAPPING")]
    pub mappings: Vec<PathBuf>,
    /// The form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Output,
}

/// Checks mappings; good if none has a diagnostic.
pub fn run(args: &CheckArgs) -> ExitCode {
    let (mut found, mut good) = (Vec::new(), true);
    for path in &args.mappings {
        let file = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                say(&format!("{file}: {error}. Name a file that exists"));
                good = false;
                continue;
            }
        };
        let (_, diagnostics) = mapping::load(&text, &Environment);
        let report = Report { file: &file, text: &text, diagnostics: &diagnostics };
        good &= diagnostics.is_empty();
        match args.format {
            Output::Human if diagnostics.is_empty() => answer(&format!("{file}: good")),
            Output::Human => answer(report.human().trim_end()),
            Output::Json => found.extend(report.json().as_array().cloned().unwrap_or_default()),
        }
    }
    if args.format == Output::Json {
        answer(&serde_json::to_string_pretty(&Value::Array(found)).unwrap_or_default());
    }
    if good { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
}
