//! The directory on a real socket, spoken to in bytes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::demo::{Directory, Faults, Options};
use crate::limits;

struct Running {
    directory: Directory,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

async fn start(faults: Faults) -> Running {
    let directory = Directory::new(Options { users: 5, teams: 1, faults, ..Options::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(directory.clone().serve(listener, async move { stopped.await.unwrap_or(()) }));
    Running { directory, address, stop, server }
}

fn head(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: demo\r\nauthorization: Bearer demo-token\r\n{more}\r\n")
}

/// Reads one response with a Content-Length; its head and body.
async fn response(stream: &mut TcpStream) -> (String, String) {
    let mut text = String::new();
    let mut buffer = [0; 8192];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= announced(head)
        {
            return (head.to_owned(), body.to_owned());
        }
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
}

fn announced(head: &str) -> usize {
    head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |value| value.parse().unwrap())
}

/// Everything up to the end of the connection.
async fn all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is as good an end as a clean one.
    stream.read_to_end(&mut bytes).await.unwrap_or_default();
    bytes
}

#[tokio::test]
async fn connections_are_kept_and_end_with_the_server() {
    let running = start(Faults::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    for id in [1001, 1002] {
        stream.write_all(head(&format!("GET /users/{id}"), "").as_bytes()).await.unwrap();
        let (head, body) = response(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(body.starts_with(&format!(r#"{{"data":{{"id":{id},"#)), "{body}");
    }
    assert_eq!(running.directory.calls(), ["GET /users/1001", "GET /users/1002"]);
    running.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running.server).await.expect("stops at once").unwrap().unwrap();
    assert_eq!(all(&mut stream).await, b"");
}

#[tokio::test]
async fn a_running_request_is_finished_before_the_end() {
    let running = start(Faults { latency: Duration::from_millis(300), ..Faults::default() }).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let began = Instant::now();
    stream.write_all(head("GET /users/1001", "").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.send(()).unwrap();
    assert!(response(&mut stream).await.0.starts_with("HTTP/1.1 200 "));
    assert!(began.elapsed() >= Duration::from_millis(300), "after {:?}", began.elapsed());
    running.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cut_answer_announces_all_and_sends_half() {
    let running = start(Faults { cut_rate: 1.0, ..Faults::default() }).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head("GET /users", "").as_bytes()).await.unwrap();
    let text = String::from_utf8_lossy(&all(&mut stream).await).into_owned();
    let (head_read, body) = text.split_once("\r\n\r\n").expect("the head arrives whole");
    assert!(head_read.starts_with("HTTP/1.1 200 ") && announced(head_read) > 2, "{head_read}");
    assert!(body.len().abs_diff(announced(head_read) / 2) <= 2, "{} of {}", body.len(), announced(head_read));

    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head("DELETE /users/1005", "").as_bytes()).await.unwrap();
    assert_eq!(all(&mut stream).await, b"", "no half of an empty answer");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head("GET /_faults", "").as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.1.contains(r#""cut_rate":1.0"#), "the way to set faults is never cut");
    running.directory.set_faults(Faults::default());
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head("GET /users/1005", "").as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.0.starts_with("HTTP/1.1 404 "), "what was asked for was done");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let running = start(Faults::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let length = limits::REQUEST_BYTES + 1;
    stream.write_all(head("POST /users", &format!("content-length: {length}\r\n")).as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; length]).await.unwrap();
    let (head, body) = response(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert!(body.contains("TOO_LARGE"), "{body}");
}

#[tokio::test]
async fn without_the_token_the_body_is_not_read() {
    let running = start(Faults::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"POST /users HTTP/1.1\r\nhost: demo\r\ncontent-length: 1000000\r\n\r\n").await.unwrap();
    let (head, body) = response(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(body.contains("UNAUTHENTICATED"), "{body}");
}
