//! Bounds of size, number and time.

use std::sync::atomic::Ordering;

use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use super::*;

/// BULK-16, BULK-17: at the bound, one past it, announced or not.
#[tokio::test]
async fn bodies_are_bounded() {
    let body = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    for (bytes, status) in [(100, 201), (101, 413)] {
        let (whole, _) = asked("POST /scim/v2/Users", &[("content-length", &bytes.to_string())], &body(bytes)).await;
        assert_eq!(whole.status, status, "{bytes}");
        let (fake, stack) = stack();
        let frames: Vec<_> = body(bytes)
            .into_bytes()
            .chunks(7)
            .map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(chunk))))
            .collect();
        let chunked = request("POST /scim/v2/Users", &[TOKEN], "").map(|_| Body::new(StreamBody::new(stream::iter(frames))));
        let chunked = send(&stack, chunked).await;
        assert_eq!((chunked.status, fake.take().len()), (status, usize::from(status == 201)), "{bytes}");
        if status == 413 {
            assert!(whole.is_scim_error("announced").contains("100 bytes"));
            assert!(chunked.is_scim_error("chunked").contains("100 bytes"));
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let (fake, stack) = stack();
    let frames = [Ok(Frame::data(Bytes::from_static(b"{"))), Err(std::io::Error::other("SECRET-DETAIL"))];
    let broken = request("POST /scim/v2/Users", &[TOKEN], "").map(|_| Body::new(StreamBody::new(stream::iter(frames))));
    let answer = send(&stack, broken).await;
    assert_eq!((answer.status, fake.take().len()), (400, 0));
    answer.is_scim_error("broken");
}

#[tokio::test]
async fn requests_above_the_bound_are_shed() {
    let (fake, stack) = stack();
    let running: Vec<_> = (0..2)
        .map(|_| {
            let stack = stack.clone();
            tokio::spawn(async move { send(&stack, request("GET /scim/v2/Users/slow", &[TOKEN], "")).await.status })
        })
        .collect();
    fake.begun.acquire_many(2).await.unwrap().forget();
    assert_eq!(stack.running(), 2);
    let shed = send(&stack, request("GET /scim/v2/Users/1", &[TOKEN], "")).await;
    assert_eq!((shed.status, shed.header("retry-after")), (503, Some("5")));
    shed.is_scim_error("shed");
    fake.gate.add_permits(2);
    for task in running {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(send(&stack, request("GET /scim/v2/Users/1", &[TOKEN], "")).await.status, 200);
}

/// ERR-17: the write goes on after the 504.
#[tokio::test]
async fn slow_requests_get_504() {
    let fake = Arc::new(Fake::new());
    let stack = Stack::new(Arc::clone(&fake), &Options { request_timeout: Duration::from_millis(20), ..options() });
    for line in ["GET /scim/v2/Users/slow", "DELETE /scim/v2/Users/slow"] {
        let answer = send(&stack, request(line, &[TOKEN], "")).await;
        assert_eq!(answer.status, 504, "{line}");
        assert!(answer.is_scim_error(line).contains("read the resource"), "{line}");
    }
    assert_eq!(stack.running(), 1, "the write still has its place");
    fake.gate.add_permits(1);
    stack.finished().await;
    assert_eq!(fake.finished.load(Ordering::SeqCst), 1);
}

/// A client that hangs up ends a read, but not a write.
#[tokio::test]
async fn writes_outlive_their_clients() {
    for (line, finished) in [("GET /scim/v2/Users/slow", 0), ("PATCH /scim/v2/Users/slow", 1)] {
        let (fake, stack) = stack();
        let client = tokio::spawn({
            let stack = stack.clone();
            async move { send(&stack, request(line, &[TOKEN], "{}")).await.status }
        });
        fake.begun.acquire().await.unwrap().forget();
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        fake.gate.add_permits(1);
        stack.finished().await;
        assert_eq!(fake.finished.load(Ordering::SeqCst), finished, "{line}");
    }
}
