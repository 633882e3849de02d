//! A backend that gives everybody the same answer.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// It runs until the test ends.
pub(crate) struct Stub {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Answers with a status line, a media type (perhaps with more headers behind it) and a body.
    pub(crate) async fn start(status: &str, content_type: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        Self::raw(answer.into_bytes()).await
    }

    /// Sends bytes and closes the connection.
    pub(crate) async fn raw(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), answer.clone());
                tokio::spawn(async move {
                    let head = request(&mut stream).await;
                    seen.lock().unwrap().push(head);
                    stream.write_all(&answer).await.unwrap();
                    stream.shutdown().await.unwrap();
                });
            }
        });
        Self { url, heads }
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads a request to its end, and gives its head.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return format!("{head}\r\n");
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}
