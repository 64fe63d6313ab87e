//! A wire that can be cut: TCP between a server and PostgreSQL.

use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A loopback port that passes everything on to another, as long as the test lets it.
pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Connections stay, and nothing comes through: a partition, as the two ends see it.
    Frozen,
    /// Connections end, new ones too.
    Cut,
}

impl Proxy {
    /// A proxy before this loopback port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (state, watching) = watch::channel(State::Open);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut watching = watching.clone();
                tokio::spawn(async move {
                    let cut = async |mut watching: watch::Receiver<State>| {
                        let _ = watching.wait_for(|state| *state == State::Cut).await;
                    };
                    if watching.wait_for(|state| *state != State::Frozen).await.is_ok_and(|state| *state == State::Cut)
                    {
                        return;
                    }
                    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
                    let (near_read, near_write) = near.into_split();
                    let (far_read, far_write) = far.into_split();
                    tokio::select! {
                        () = carry(near_read, far_write, watching.clone()) => {}
                        () = carry(far_read, near_write, watching.clone()) => {}
                        () = cut(watching.clone()) => {}
                    }
                });
            }
        });
        Self { port: own, state, accepting }
    }

    /// Its own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing through any more, and ends no connection.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Ends all connections, and those that come.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets everything through again, also what was held back.
    pub fn restore(&self) {
        self.state.send_replace(State::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut watching: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if watching.wait_for(|state| *state == State::Open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
