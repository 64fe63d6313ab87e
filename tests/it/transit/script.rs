//! A service that answers calls with what a test wrote down, one after the other, whatever they ask.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Listens until it is dropped.
pub struct Script {
    address: String,
    calls: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Script {
    /// Answers with these, byte by byte, each on a connection of its own; an empty one hangs up.
    pub async fn of(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let call = counted.fetch_add(1, Ordering::SeqCst);
                let answer = answers.get(call).unwrap_or_else(|| panic!("nobody expected call {call}"));
                play(stream, answer).await;
            }
        });
        Self { address, calls, accepting }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An answer with this status and body.
pub fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

async fn play(mut stream: TcpStream, answer: &str) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..read]);
        if is_whole(&String::from_utf8_lossy(&seen)) {
            // It may have heard enough before the end.
            let _ = stream.write_all(answer.as_bytes()).await;
            return;
        }
    }
}

/// Whether the request's body has arrived.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|text| text.parse().unwrap());
    body.len() >= length.unwrap_or(0)
}
