//! `scimitar serve`: the gateway.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;

use super::signals::{Signals, hangups};
use super::{FINDINGS, LogArgs, USAGE, answer, say};
use crate::app::reload::{self, Reloader};
use crate::config::{self, Resolved};
use crate::engine::Offer;
use crate::scim::Profile;
use crate::server::{Connections, Drained, Options, Services, Stack, serve};
use crate::telemetry;

/// What `serve` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ServeArgs {
    /// The file of settings
    #[arg(long, env = "SCIMITAR_CONFIG", value_name = "FILE")]
    pub config: PathBuf,
    /// Check the settings and the mapping, and end
    #[arg(long)]
    pub check: bool,
}

/// Serves as the settings say, or only checks them and the mapping.
pub fn run(args: &ServeArgs, log: &LogArgs) -> ExitCode {
    let settings = match settings(args, log) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let offer = Offer { max_payload: settings.limits.request_bytes, ..Offer::default() };
    let (served, reloader) = match reload::open(&settings.mapping, offer) {
        Ok(opened) => opened,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(FINDINGS);
        }
    };
    if args.check {
        answer(&format!("{}: the settings and the mapping are good", args.config.display()));
        return ExitCode::SUCCESS;
    }
    super::block_on(async {
        match follow(reloader, settings.reload) {
            Ok(()) => listen(&settings, served).await,
            Err(error) => failed(&format!("signals cannot be received: {error}")),
        }
    })
}

/// Begins to read the mapping again: on SIGHUP, and when it changes if that is wanted.
fn follow(reloader: Reloader, watch: bool) -> io::Result<()> {
    tokio::spawn(reloader.run(hangups()?, watch));
    Ok(())
}

fn failed(message: &str) -> ExitCode {
    say(message);
    ExitCode::from(FINDINGS)
}

/// The settings, with logging started as they say. What is wrong is said, and the exit code returned.
pub fn settings(args: &ServeArgs, log: &LogArgs) -> Result<Resolved, ExitCode> {
    let profiles = Profile::ALL.map(|profile| profile.name);
    let settings = config::load(&args.config, &profiles).map_err(|problems| {
        say(&problems.to_string());
        ExitCode::from(FINDINGS)
    })?;
    log.start(settings.log.as_deref()).map_err(|error| {
        say(&format!("log: {error}"));
        ExitCode::from(USAGE)
    })?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    Ok(settings)
}

/// Serves until a signal: the first drains, the second ends at once.
pub async fn listen<S: Services>(settings: &Resolved, services: S) -> ExitCode {
    let options = match Options::new(settings) {
        Ok(options) => options,
        Err(error) => return failed(&error),
    };
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals cannot be received: {error}")),
    };
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return failed(&format!(
                "cannot listen on {}: {error}. End what listens there, or set `listen` to another port",
                settings.listen
            ));
        }
    };
    let address = listener.local_addr().unwrap_or(settings.listen);
    tracing::info!(target: telemetry::START, %address, base_path = %settings.base_path, "serving SCIM");
    let bounds =
        Connections { limit: settings.limits.connections, drain: settings.limits.drain_timeout, ..Connections::default() };
    let stack = Stack::new(services, &options);
    let stop = signals.clone();
    let stopped = async move {
        stop.reached(1).await;
        tracing::info!(target: telemetry::START, "stopping: running requests are finished first; a second signal ends at once");
    };
    tokio::select! {
        drained = serve(listener, stack, bounds, stopped) => match drained {
            Drained::Clean => ExitCode::SUCCESS,
            Drained::Cut { requests } => {
                tracing::warn!(requests, "the time to drain was up; requests were cut off");
                ExitCode::from(FINDINGS)
            }
        },
        () = signals.reached(2) => ExitCode::from(FINDINGS),
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
