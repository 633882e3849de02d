use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::scim::Profile;
use crate::server::Options;
use crate::server::auth::{Client, Clients, TokenHash};
use crate::server::base::BaseUrl;
use crate::server::fake::Fake;

/// Long enough that a test which needs it to pass would be seen to hang.
const LONG: Duration = Duration::from_mins(1);

struct Running {
    fake: Arc<Fake>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

async fn start(bounds: Connections) -> Running {
    let fake = Arc::new(Fake::new());
    let client = Client { name: "test".into(), tokens: vec![TokenHash::of(&"test".into())], profile: &Profile::LENIENT };
    let options = Options {
        base: BaseUrl::new(None, "", "127.0.0.1:0"),
        clients: Clients(vec![client]),
        profile: &Profile::LENIENT,
        discovery_without_token: true,
        request_bytes: 1 << 20,
        request_timeout: LONG,
        concurrent_requests: 10,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stack = Stack::new(Arc::clone(&fake), &options);
    let served = tokio::spawn(serve(listener, stack, bounds, async { stopped.await.unwrap() }));
    Running { fake, address, stop, served }
}

async fn connect(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset ends it, too.
    drop(stream.read_to_end(&mut text).await);
    String::from_utf8(text).unwrap()
}

fn bounds() -> Connections {
    Connections { limit: 10, head: LONG, idle: LONG, drain: LONG }
}

fn read(id: &str) -> String {
    format!("GET /Users/{id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test\r\n\r\n")
}

#[tokio::test]
async fn a_request_over_a_socket() {
    let running = start(bounds()).await;
    let head = "HEAD /Users/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test\r\nConnection: close\r\n\r\n";
    let answer = rest(connect(running.address, &format!("{}{head}", read("1"))).await).await;
    let answers: Vec<&str> = answer.split("HTTP/1.1 200 OK\r\n").collect();
    assert_eq!(answers.len(), 3, "{answer}");
    assert!(answers[1].contains("content-type: application/scim+json\r\n") && answers[1].ends_with("\"userName\":\"bjensen\"}"));
    assert!(answers[2].contains("content-length: ") && answers[2].ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(running.fake.take()[0].0.base_url, "http://localhost");
}

#[tokio::test]
async fn http2_by_prior_knowledge() {
    use hyper_util::client::legacy::Client;

    let running = start(bounds()).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<http_body_util::Full<bytes::Bytes>>();
    let uri = format!("http://{}/Users/1", running.address);
    for (method, length) in [("GET", Some(0)), ("HEAD", None)] {
        let request = http::Request::builder().method(method).uri(&uri).header("authorization", "Bearer test");
        let response = client.request(request.body(http_body_util::Full::default()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2), "{method}");
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(body.is_empty(), length.is_none(), "{method}");
    }
    // HTTP/2 has the authority in the URI and no Host.
    assert_eq!(running.fake.take()[0].0.base_url, format!("http://{}", running.address));
}

#[tokio::test]
async fn clients_that_send_no_request_are_cut() {
    let running = start(Connections { head: Duration::from_millis(50), ..bounds() }).await;
    // Nothing; a beginning that could be HTTP/2; a head without an end.
    for text in ["", "P", "GET /Users HTTP/1.1\r\nHost: x\r\n"] {
        let stream = connect(running.address, text).await;
        assert_eq!(timeout(LONG, rest(stream)).await.as_deref(), Ok(""), "{text}");
    }
}

#[tokio::test]
async fn idle_connections_are_cut() {
    let running = start(Connections { idle: Duration::from_millis(50), ..bounds() }).await;
    let answer = timeout(LONG, rest(connect(running.address, &read("1")).await)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let running = start(bounds()).await;
    let many = "x: y\r\n".repeat(limits::HEADERS + 1);
    let large = format!("x: {}\r\n", "y".repeat(limits::HEAD_BYTES));
    for headers in [many, large] {
        let request = format!("GET /Users/1 HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        // The server may close before it has read everything.
        drop(stream.write_all(request.as_bytes()).await);
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert!(running.fake.take().is_empty());
}

#[tokio::test]
async fn connections_are_bounded() {
    let running = start(Connections { limit: 1, ..bounds() }).await;
    let first = connect(running.address, &read("slow")).await;
    running.fake.begun.acquire().await.unwrap().forget();
    let mut second = connect(running.address, &read("2")).await;
    let mut status = [0; 15];
    timeout(Duration::from_millis(50), second.peek(&mut status)).await.expect_err("served above the bound");
    // The first is closed by its client, so that the second gets its turn.
    drop(first);
    second.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn running_requests_are_finished_before_the_end() {
    let running = start(bounds()).await;
    let stream = connect(running.address, &read("slow")).await;
    let idle = connect(running.address, "").await;
    running.fake.begun.acquire().await.unwrap().forget();
    running.stop.send(()).unwrap();
    // Nobody else gets in.
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!running.served.is_finished());
    running.fake.gate.add_permits(1);
    assert!(rest(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(rest(idle).await, "");
    assert_eq!(running.served.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn a_write_whose_client_is_gone_is_finished_before_the_end() {
    let mut running = start(bounds()).await;
    let stream = connect(running.address, &read("slow").replace("GET", "DELETE")).await;
    running.fake.begun.acquire().await.unwrap().forget();
    drop(stream);
    running.stop.send(()).unwrap();
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    timeout(Duration::from_millis(100), &mut running.served).await.expect_err("ended before the write");
    running.fake.gate.add_permits(1);
    assert_eq!(running.served.await.unwrap(), Drained::Clean);
    assert_eq!(running.fake.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_end_comes_when_the_time_is_up() {
    let running = start(Connections { drain: Duration::from_millis(50), ..bounds() }).await;
    let stream = connect(running.address, &read("slow")).await;
    running.fake.begun.acquire().await.unwrap().forget();
    running.stop.send(()).unwrap();
    assert_eq!(running.served.await.unwrap(), Drained::Cut { requests: 1 });
    assert_eq!(rest(stream).await, "");
}
