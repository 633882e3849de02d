//! Parses arguments and calls the command.

use std::process::ExitCode;

use clap::Parser;
use scimitar::cli::{Cli, run};

fn main() -> ExitCode {
    run(Cli::parse())
}
