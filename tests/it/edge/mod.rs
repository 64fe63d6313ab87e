//! Stories of the edge: what comes in, what is refused before anybody is asked, what every answer carries.

pub mod browser;
mod cors;
mod cross_site;
mod headers;
mod health;
mod host;
mod input;
mod limits;
mod logs;
mod origin;
mod problems;
mod rates;
mod security_txt;
mod storm;
mod tls;

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a connection may stay open after what was sent should have ended it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends bytes as they are, and reads until the server closes. The server may close before it has read everything.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let sending = async {
        let _ = write.write_all(bytes).await;
    };
    let reading = timeout(PATIENCE, read.read_to_end(&mut answer));
    let ((), read) = tokio::join!(sending, reading);
    let _ = read.expect("the connection stays open");
    String::from_utf8(answer).unwrap()
}

/// Reads what a server says by itself, until it closes.
pub async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
