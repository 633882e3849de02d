//! The command line: one file a subcommand. Exit codes: 0 good, 1 findings (something is wrong with what was given),
//! 2 usage.

pub mod check;
pub mod demo;
pub mod explain;
pub mod serve;
pub mod signals;
pub mod test;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::telemetry::{self, LogError};

/// Something is wrong with what the command was given.
pub const FINDINGS: u8 = 1;
/// The command line itself is wrong. clap uses the same.
pub const USAGE: u8 = 2;

/// Puts SCIM 2.0 in front of a REST API that nobody can change.
#[derive(Debug, Clone, Parser)]
#[command(name = "scimitar", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub log: LogArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What every subcommand understands.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What is logged: a level, or filters such as `warn,scimitar=debug`
    #[arg(long, global = true, env = "SCIMITAR_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// The form of log lines
    #[arg(long, global = true, env = "SCIMITAR_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: Format,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// The form of what a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Human,
    Json,
}

/// The subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Try it out: a backend in memory with the gateway in front
    Demo(demo::DemoArgs),
    /// Serve SCIM as the settings say
    Serve(serve::ServeArgs),
    /// Tell what is wrong with mappings
    Check(check::CheckArgs),
    /// Show what a request would cost: the calls, what is pushed down, the bounds
    Explain(explain::ExplainArgs),
    /// Run the tests of mappings, without a backend
    Test(test::TestArgs),
}

/// Runs a command.
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Demo(args) => demo::run(&args, &cli.log),
        Command::Serve(args) => serve::run(&args, &cli.log),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Test(args) => test::run(&args, &cli.log),
    }
}

// === impl LogArgs ===

impl LogArgs {
    /// Starts logging. The command line and its variables go before the settings.
    pub fn start(&self, settings: Option<&str>) -> Result<(), LogError> {
        let format = match self.log_format {
            Format::Text => telemetry::Format::Text,
            Format::Json => telemetry::Format::Json,
        };
        telemetry::init(self.log.as_deref().or(settings), format)
    }
}

/// Runs a command that needs the network to its end.
pub(crate) fn block_on(command: impl Future<Output = ExitCode>) -> ExitCode {
    // Fails only if another provider was installed before, which nothing does.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => {
            say(&format!("the runtime cannot be started: {error}"));
            ExitCode::from(FINDINGS)
        }
    }
}

/// Writes a line for a person to stderr. Where nobody can read it, nobody can be told so either.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Writes what a command answers to stdout; a reader who closed it (`| head`) has read enough.
pub(crate) fn answer(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
