use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::load::layer;
use crate::config::secrets::Process;
use crate::server::fake::Fake;

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn settings(address: SocketAddr) -> Resolved {
    let text = format!("listen: {address}\nmapping: m\nclients: [{{name: a, token: test}}]\n");
    layer("s.yaml", &text, []).unwrap().check("s.yaml", Path::new(""), &["lenient"], &Process).unwrap()
}

fn terminate() {
    assert!(Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().unwrap().success());
}

async fn get(address: SocketAddr, id: &str) -> TcpStream {
    let mut stream = loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            break stream;
        }
        tokio::task::yield_now().await;
    };
    let request = format!("GET /scim/v2/Users/{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// One test for both, as a signal goes to the whole process.
#[tokio::test]
async fn the_first_signal_drains_and_the_second_ends() {
    for signals in [1, 2] {
        let address = free_port();
        let fake = Arc::new(Fake::new());
        let serving = tokio::spawn({
            let fake = Arc::clone(&fake);
            async move { listen(&settings(address), fake).await }
        });
        let mut stream = get(address, "slow").await;
        fake.begun.acquire().await.unwrap().forget();
        terminate();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!serving.is_finished());
        let expected = if signals == 1 {
            fake.gate.add_permits(1);
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            ExitCode::SUCCESS
        } else {
            terminate();
            ExitCode::from(FINDINGS)
        };
        assert_eq!(format!("{:?}", serving.await.unwrap()), format!("{expected:?}"), "{signals}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_a_finding() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let code = listen(&settings(taken.local_addr().unwrap()), Arc::new(Fake::new())).await;
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(FINDINGS)));
}
