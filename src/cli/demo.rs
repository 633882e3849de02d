//! `scimitar demo`: a backend in memory with a gateway in front, to try things out.

use std::net::SocketAddr;

use clap::Args;

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
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub users: u32,
    /// How many groups the backend begins with
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub groups: u32,
    /// Which faults the backend has
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
}
