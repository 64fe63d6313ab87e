//! The accept loop, held against clients that misbehave.

use poem::endpoint::make_sync;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::*;

const SHORT: Duration = Duration::from_millis(300);

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

async fn start(settings: ListenerSettings) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let endpoint = poem::endpoint::make(|request: Request| async move {
        if request.uri().path() == "/slow" {
            sleep(SHORT).await;
        }
        Ok::<_, poem::Error>(poem::IntoResponse::into_response(request.uri().path().to_owned()))
    });
    let task = tokio::spawn(serve(listener, Arc::new(endpoint), settings, shutdown.clone()));
    Served { address, shutdown, task }
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

/// Sends, and reads to the end of the connection.
async fn exchange(served: &Served, text: &[u8]) -> String {
    let mut stream = connect(served).await;
    stream.write_all(text).await.unwrap();
    to_end(&mut stream).await
}

async fn to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.expect("the connection stays open");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_is_answered() {
    let served = start(ListenerSettings::default()).await;
    let answer = exchange(&served, b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("/a"), "{answer}");
}

/// Proves NET-6.
#[tokio::test]
async fn large_heads_are_refused() {
    let served = start(ListenerSettings::default()).await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(1024 * 1024));
    assert!(exchange(&served, large.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: 1\r\n".repeat(200));
    assert!(exchange(&served, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

/// Proves NET-6.
#[tokio::test]
async fn slow_heads_are_cut_off_and_idle_connections_are_not() {
    let served = start(ListenerSettings { header_timeout: SHORT, ..Default::default() }).await;
    for beginning in ["", "GET / HTTP/1.1\r\nx: "] {
        let started = Instant::now();
        assert_eq!(exchange(&served, beginning.as_bytes()).await, "");
        assert!(started.elapsed() >= SHORT);
    }
    let mut stream = connect(&served).await;
    for _ in 0..2 {
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        sleep(SHORT * 2).await;
    }
    stream.write_all(b"GET").await.unwrap();
    let dripping = async {
        while stream.write_all(b"a").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    timeout(SHORT * 4, dripping).await.expect("a dripping head is cut off");
}

#[tokio::test]
async fn a_connection_too_many_is_refused_at_once() {
    let served = start(ListenerSettings { max_connections: 1, ..Default::default() }).await;
    let first = connect(&served).await;
    sleep(SHORT / 3).await;
    assert!(to_end(&mut connect(&served).await).await.starts_with("HTTP/1.1 503"));
    drop(first);
    sleep(SHORT / 3).await;
    let answer = exchange(&served, b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn shutdown_lets_requests_finish_and_closes_the_rest() {
    let served = start(ListenerSettings::default()).await;
    let mut idle = connect(&served).await;
    let mut busy = connect(&served).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    sleep(SHORT / 3).await;
    served.shutdown.cancel();
    assert!(to_end(&mut busy).await.ends_with("/slow"));
    assert_eq!(to_end(&mut idle).await, "");
    drop((busy, idle));
    timeout(Duration::from_secs(5), served.task).await.expect("the loop ends").unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = make_sync(|_| Response::builder().body(vec![b'x'; 64 * 1024 * 1024]));
    let settings = ListenerSettings { write_timeout: SHORT, ..Default::default() };
    tokio::spawn(serve(listener, Arc::new(endpoint), settings, CancellationToken::new()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    sleep(SHORT * 4).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.expect("still open");
    assert!(answer.len() < 64 * 1024 * 1024);
}
