//! `scimitar test`: the tests of mappings, without a backend.
//!
//! The tests of `people.yaml` stand in it, under `tests`, and in `people.tests.yaml` beside it; those of `mapping.yaml` also in all
//! files `tests/*.yaml` of its folder. A mapping without any test is a finding: who runs none wants to know.

mod human;
mod json;
mod junit;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{FINDINGS, LogArgs, USAGE, answer, say};
use crate::limits;
use crate::mapping::model::Trial;
use crate::mapping::{self, Diagnostic, Report, Severity};
use crate::trial::{Coverage, Runner, Unset, Verdict};

/// What `test` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct TestArgs {
    /// The mappings; their tests stand in them or beside them
    #[arg(required = true, value_name = "MAPPING")]
    pub mappings: Vec<PathBuf>,
    /// Tell of each attribute, call, row of errors and filter whether a test uses it
    #[arg(long)]
    pub coverage: bool,
    /// The form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: TestOutput,
}

/// The form of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestOutput {
    Human,
    Json,
    Junit,
}

/// A mapping and what became of its tests.
struct Tested {
    file: String,
    /// The mapping first, then what stands beside it.
    documents: Vec<Document>,
    /// Nothing if the mapping cannot be used.
    coverage: Option<Coverage>,
}

/// A file with tests.
struct Document {
    file: String,
    text: String,
    /// Why it cannot be read.
    problem: Option<String>,
    /// Errors only: warnings are for `check`.
    diagnostics: Vec<Diagnostic>,
    results: Vec<TestResult>,
}

struct TestResult {
    name: String,
    line: usize,
    verdict: Verdict,
}

/// Runs the tests of mappings; good if there are any, and all are.
pub fn run(args: &TestArgs, log: &LogArgs) -> ExitCode {
    // Every refused request is a line of the log: only for who asks for it.
    if log.log.is_some()
        && let Err(error) = log.start(None)
    {
        say(&format!("log: {error}"));
        return ExitCode::from(USAGE);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("the runtime cannot be started: {error}"));
            return ExitCode::from(FINDINGS);
        }
    };
    let tested: Vec<Tested> = args.mappings.iter().map(|path| test(path, &runtime)).collect();
    answer(&match args.format {
        TestOutput::Human => human::report(&tested, args.coverage),
        TestOutput::Json => json::report(&tested),
        TestOutput::Junit => junit::report(&tested),
    });
    if tested.iter().all(Tested::is_good) { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
}

fn test(path: &Path, runtime: &tokio::runtime::Runtime) -> Tested {
    let mut own = Document::read(path);
    let (mapping, diagnostics) = match own.problem {
        None => mapping::load(&own.text, &Unset),
        Some(_) => (None, Vec::new()),
    };
    own.diagnose(diagnostics);
    let mut runner = mapping.as_ref().map(|mapping| Runner::new(mapping, &own.text));
    let mut perform = |document: &mut Document, tests: &[Trial]| {
        let Some(runner) = &mut runner else { return };
        for test in tests {
            let line = document.report().position(test.place.start).0;
            let verdict = runtime.block_on(runner.run(test));
            document.results.push(TestResult { name: test.name.clone(), line, verdict });
        }
    };
    if let Some(mapping) = &mapping {
        perform(&mut own, &mapping.tests);
    }
    let mut documents = vec![own];
    match beside(path) {
        Ok(paths) => {
            for path in paths {
                let mut document = Document::read(&path);
                if document.problem.is_none() {
                    let (tests, diagnostics) = mapping::load_tests(&document.text);
                    document.diagnose(diagnostics);
                    perform(&mut document, &tests.unwrap_or_default());
                }
                documents.push(document);
            }
        }
        Err(problem) => documents.push(problem),
    }
    let coverage = runner.map(|runner| runner.coverage);
    Tested { file: path.display().to_string(), documents, coverage }
}

/// The files beside a mapping that hold its tests, in order.
fn beside(path: &Path) -> Result<Vec<PathBuf>, Document> {
    let mut found: Vec<PathBuf> = Some(path.with_extension("tests.yaml")).into_iter().filter(|path| path.is_file()).collect();
    let folder = path.with_file_name("tests");
    if path.file_name().is_none_or(|name| name != "mapping.yaml") || !folder.is_dir() {
        return Ok(found);
    }
    let problem = |text: String| Document { problem: Some(text), ..Document::of(&folder) };
    let entries = std::fs::read_dir(&folder).map_err(|error| problem(format!("the folder cannot be read: {error}")))?;
    let mut inside: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    inside.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    inside.sort();
    if inside.len() > limits::TEST_FILES {
        return Err(problem(format!("there are more than {} files of tests: put several into one", limits::TEST_FILES)));
    }
    found.extend(inside);
    Ok(found)
}

// === impl Tested ===

impl Tested {
    fn is_good(&self) -> bool {
        self.count() > 0 && self.documents.iter().all(Document::is_good)
    }

    fn results(&self) -> impl Iterator<Item = &TestResult> {
        self.documents.iter().flat_map(|document| &document.results)
    }

    fn count(&self) -> usize {
        self.results().count()
    }

    /// What is wrong with a mapping that could be used.
    fn has_no_tests(&self) -> bool {
        self.count() == 0 && self.documents.iter().all(Document::is_good)
    }

    /// What to do about it.
    fn no_tests(&self) -> String {
        let path = Path::new(&self.file).with_extension("tests.yaml");
        format!("there are no tests: write them under `tests`, or into {}", path.display())
    }
}

// === impl Document ===

impl Document {
    fn of(path: &Path) -> Self {
        let file = path.display().to_string();
        Self { file, text: String::new(), problem: None, diagnostics: Vec::new(), results: Vec::new() }
    }

    fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) => Self { text, ..Self::of(path) },
            Err(error) => Self { problem: Some(format!("{error}. Name a file that exists")), ..Self::of(path) },
        }
    }

    fn diagnose(&mut self, diagnostics: Vec<Diagnostic>) {
        self.diagnostics = diagnostics.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    }

    fn report(&self) -> Report<'_> {
        Report { file: &self.file, text: &self.text, diagnostics: &self.diagnostics }
    }

    fn is_good(&self) -> bool {
        self.problem.is_none() && self.diagnostics.is_empty() && self.results.iter().all(TestResult::is_good)
    }
}

// === impl TestResult ===

impl TestResult {
    fn is_good(&self) -> bool {
        self.verdict.failures.is_empty()
    }
}
