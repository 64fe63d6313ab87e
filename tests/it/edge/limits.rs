//! Too much, and too slow.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{PATIENCE, exchange};
use crate::{
    harness::{Database, Server},
    world::World,
};

const MIB: usize = 1024 * 1024;
/// In place of ten and thirty seconds.
const SHORT: Duration = Duration::from_millis(500);

/// What a raw answer says: its status and its problem's code.
fn status_and_code(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nx-request-id: "), "{head}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no problem: {answer}"));
    (status, problem["code"].as_str().unwrap().to_owned())
}

/// A sign-in whose head ends with these lines.
fn head(lines: &str) -> String {
    format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}\r\n"
    )
}

/// Sends a head, then body bytes as long as the server takes them; returns the answer and how many it took.
async fn pour(address: SocketAddr, head: &str, piece: &[u8], pieces: usize) -> (String, usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let mut poured = 0;
    let pouring = async {
        while poured < pieces && write.write_all(piece).await.is_ok() {
            poured += 1;
        }
    };
    let reading = timeout(PATIENCE, read.read_to_end(&mut answer));
    let (read, ()) = tokio::join!(reading, pouring);
    let _ = read.expect("the connection stays open");
    (String::from_utf8(answer).unwrap(), poured)
}

/// Proves NET-6.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    // Not a byte of the body was sent, and the answer is there.
    let announced = head(&format!("content-length: {}\r\n", 2 * MIB));
    let answer = exchange(server.address(), announced.as_bytes()).await;
    assert_eq!(status_and_code(&answer), (413, "payload_too_large".to_owned()));
    let (answer, _) = pour(server.address(), &announced, &vec![b' '; MIB], 2).await;
    assert_eq!(status_and_code(&answer), (413, "payload_too_large".to_owned()));
    // Without a length it is cut off soon after the limit, however much is to come.
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let chunked = head("transfer-encoding: chunked\r\n");
    let (answer, poured) = pour(server.address(), &chunked, chunk.as_bytes(), 4096).await;
    assert_eq!(status_and_code(&answer), (413, "payload_too_large".to_owned()));
    assert!(poured < 2048, "{poured} chunks of 64 KiB were taken");
    // The largest that is allowed is read, and found wrong for what it says.
    let (answer, _) = pour(server.address(), &head(&format!("content-length: {MIB}\r\n")), &vec![b' '; MIB], 1).await;
    assert_eq!(status_and_code(&answer), (400, "malformed_request".to_owned()));
    server.stop().await;
}

/// Proves NET-6.
#[tokio::test]
async fn strangers_cant_make_the_server_read_bodies() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    // Somebody without a token is told so, without waiting for the body that they promise.
    let promise = "PATCH /v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                   content-length: 1000\r\n\r\n";
    let answer = exchange(server.address(), promise.as_bytes()).await;
    assert_eq!(status_and_code(&answer), (401, "unauthenticated".to_owned()));
    server.stop().await;
}

/// Proves NET-6.
#[tokio::test]
async fn heads_are_bounded_in_size_and_lines() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let get = |lines: &str| format!("GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n");
    let status = async |request: String| {
        let answer = exchange(server.address(), request.as_bytes()).await;
        answer.split(' ').nth(1).map(str::to_owned).unwrap_or_else(|| panic!("no answer: {answer:?}"))
    };
    assert_eq!(status(get(&"x: 1\r\n".repeat(90))).await, "200");
    assert_eq!(status(get(&"x: 1\r\n".repeat(200))).await, "431");
    assert_eq!(status(get(&format!("x: {}\r\n", "a".repeat(32 * 1024)))).await, "200");
    assert_eq!(status(get(&format!("x: {}\r\n", "a".repeat(MIB)))).await, "431");
    assert_eq!(status(get(&format!("x: {}\r\n", "a".repeat(100)).repeat(10_000))).await, "431");
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(MIB));
    assert!(["414", "431"].contains(&status(path).await.as_str()));
    for nonsense in ["GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/1.1\r\nx y: 1\r\n\r\n"] {
        assert_eq!(status(nonsense.to_owned()).await, "400", "{nonsense:?}");
    }
    server.nobody().get("/health/live").await.expect(200);
    server.stop().await;
}

/// Proves NET-6.
#[tokio::test]
async fn two_lengths_or_a_length_and_chunks_are_not_guessed_at() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    // What follows the shorter reading would be another request: one that no proxy has seen.
    let smuggled = "0\r\n\r\nGET /v1/setup HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for lines in ["content-length: 3\r\ncontent-length: 70\r\n", "content-length: 70\r\ntransfer-encoding: gzip\r\n"] {
        let request =
            format!("POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}\r\n{smuggled}");
        let answer = exchange(server.address(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lines:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines:?}: {answer}");
    }
    server.stop().await;
}

/// Proves NET-6.
#[tokio::test]
async fn who_dawdles_is_cut_off_and_nobody_else_waits() {
    let world = World::open().await;
    let server = Server::with(&world.database, |config| {
        config.http.header_timeout = SHORT;
        config.http.body_timeout = SHORT;
    })
    .await;
    let member = world.a.member.at_server_of(server.nobody());
    // A head that drips in, byte by byte, and never ends.
    let mut dripping = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        dripping.push(tokio::spawn(async move {
            let begun = Instant::now();
            stream.write_all(b"GET /health/live HTTP/1.1\r\nx: ").await.unwrap();
            while stream.write_all(b"a").await.is_ok() {
                assert!(begun.elapsed() < PATIENCE, "a dripping head is not cut off");
                sleep(SHORT / 10).await;
            }
            begun.elapsed()
        }));
    }
    // Meanwhile others are served.
    for _ in 0..5 {
        member.get("/v1/me").await.expect(200);
    }
    for drip in dripping {
        let took = drip.await.unwrap();
        assert!(took >= SHORT, "cut off after {took:?} already");
    }
    // A body that is promised and doesn't come, or comes in drips.
    let request = head("content-length: 100\r\n");
    let answer = exchange(server.address(), format!("{request}{{").as_bytes()).await;
    assert_eq!(status_and_code(&answer), (408, "request_timeout".to_owned()));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(head("content-length: 100000\r\n").as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = String::new();
    let dripping = async {
        while write.write_all(b" ").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    tokio::select! {
        () = dripping => panic!("cut off without an answer"),
        read = timeout(PATIENCE, read.read_to_string(&mut answer)) => drop(read.expect("still open").unwrap()),
    }
    assert_eq!(status_and_code(&answer), (408, "request_timeout".to_owned()));
    server.stop().await;
    world.close().await;
}
