//! `scimitar demo`: a backend in memory with a gateway in front, to try things out.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::signals::Signals;
use super::{FINDINGS, LogArgs, USAGE, answer, say};
use crate::app::{App, Given, load_mapping};
use crate::demo::{Directory, Faults, Options};
use crate::engine::Offer;
use crate::limits;
use crate::scim::Profile;
use crate::server::auth::{Client, Clients, TokenHash};
use crate::server::base::BaseUrl;
use crate::server::{self, Connections, Stack};

/// The mapping of the demo backend, so that the demo runs from any folder.
pub const MAPPING: &str = include_str!("../../mappings/demo/mapping.yaml");
/// What the mapping calls itself in messages.
const MAPPING_FILE: &str = "mappings/demo/mapping.yaml";
/// The token between gateway and backend. Both are in this process.
const BACKEND_TOKEN: &str = "people-directory-token";

/// What `demo` understands.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DemoArgs {
    /// The address of the gateway
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The address of the backend
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    pub backend_listen: SocketAddr,
    /// The bearer token of the one client
    #[arg(long, default_value = "demo")]
    pub token: String,
    /// How many users the backend begins with
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub users: usize,
    /// How many groups the backend begins with
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub groups: usize,
    /// Which faults the backend has: `latency=200ms,errors=0.05,cut=0.01,throttle=0.1`
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
}

/// Starts backend and gateway, says where they are, and serves until a signal.
pub fn run(args: &DemoArgs, log: &LogArgs) -> ExitCode {
    if let Err(error) = log.start(None) {
        say(&format!("log: {error}"));
        return ExitCode::from(USAGE);
    }
    let faults = match args.faults.as_deref().map(str::parse::<Faults>).transpose() {
        Ok(faults) => faults.unwrap_or_default(),
        Err(error) => {
            say(&format!("--faults: {error}"));
            return ExitCode::from(USAGE);
        }
    };
    super::block_on(async {
        match serve(args, faults).await {
            Ok(code) => code,
            Err(error) => {
                say(&error);
                ExitCode::from(FINDINGS)
            }
        }
    })
}

async fn serve(args: &DemoArgs, faults: Faults) -> Result<ExitCode, String> {
    let signals = Signals::install().map_err(|error| format!("signals cannot be received: {error}"))?;
    let (backend, backend_address) = bind(args.backend_listen, "--backend-listen").await?;
    let (gateway, gateway_address) = bind(args.listen, "--listen").await?;
    let directory = Directory::new(Options {
        users: args.users,
        teams: args.groups,
        token: BACKEND_TOKEN.to_owned(),
        faults,
        ..Options::default()
    });
    let backend_url = format!("http://{backend_address}");
    let given = [("PEOPLE_URL", backend_url.as_str()), ("PEOPLE_TOKEN", BACKEND_TOKEN)];
    let mapping = load_mapping(MAPPING_FILE, MAPPING, &Given(&given)).map_err(|error| error.to_string())?;
    let app = App::new(mapping, Offer::default()).map_err(|error| error.to_string())?;

    let base = format!("http://{gateway_address}/scim/v2");
    let stack = Stack::new(Arc::new(app), &options(args, &gateway_address));
    let stopped = {
        let signals = signals.clone();
        async move { signals.reached(1).await }
    };
    let ended = {
        let signals = signals.clone();
        async move { signals.reached(1).await }
    };
    // The backend outlives the gateway's drain: requests that run still need it.
    let backend_task = tokio::spawn(directory.serve(backend, std::future::pending()));
    answer(&greeting(&base, &backend_url, args));
    tokio::select! {
        _ = server::serve(gateway, stack, Connections::default(), stopped) => {}
        () = async { ended.await; signals.reached(2).await } => {}
    }
    backend_task.abort();
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: SocketAddr, flag: &str) -> Result<(TcpListener, SocketAddr), String> {
    let failed =
        |error| format!("cannot listen on {address}: {error}. End what listens there, or choose another port with {flag}");
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn options(args: &DemoArgs, address: &SocketAddr) -> server::Options {
    server::Options {
        base: BaseUrl::new(None, "/scim/v2", &address.to_string()),
        clients: Clients(vec![Client {
            name: Arc::from("demo"),
            tokens: vec![TokenHash::of(&args.token.as_str().into())],
            profile: &Profile::LENIENT,
        }]),
        profile: &Profile::LENIENT,
        discovery_without_token: true,
        request_bytes: limits::REQUEST_BYTES,
        request_timeout: Duration::from_secs(limits::REQUEST_SECONDS),
        concurrent_requests: limits::REQUESTS,
    }
}

fn greeting(base: &str, backend: &str, args: &DemoArgs) -> String {
    let DemoArgs { token, users, groups, .. } = args;
    format!(
        "SCIM 2.0   {base}   (bearer token: {token})\n\
         backend    {backend}   (people directory: {users} users, {groups} teams; bearer token: {BACKEND_TOKEN})\n\
         \n\
         Try:\n\
         \n  curl -s -H 'Authorization: Bearer {token}' '{base}/Users?count=1'\n\
         \n\
         Ctrl-C ends both."
    )
}
