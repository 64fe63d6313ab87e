//! The accept loop: connections in, requests to the endpoint, answers out (NET-6).
//!
//! poem's own server has no header timeout and no limits, so this is hyper directly. It bounds how many connections
//! there are, in all and from one address, how long a client may take for a request's head and for taking an answer,
//! and how large a head may be. Refusals at this level have no problem document. It speaks HTTP/1.1, as proxies do to
//! their upstreams.
//!
//! Where the server ends TLS itself, a client that begins without it is served as over plain HTTP: it is told where
//! https is.

mod connection;
mod slots;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use poem::{
    Endpoint, Request, Response,
    http::{header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use self::{
    connection::{Turn, Turns, Watched},
    slots::{Slot, Slots},
};
use super::tls::{Acceptor, HANDSHAKE};

/// What is said to a connection too many, before it is closed.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// How long to wait after the machine had no file descriptor left for another connection.
const BREATH: Duration = Duration::from_millis(100);

/// The bounds of the accept loop.
#[derive(Clone)]
pub struct ListenerSettings {
    /// The most connections at a time.
    pub max_connections: usize,
    /// The most connections at a time from one client: an IPv4 address, an IPv6 /64.
    pub max_connections_per_client: usize,
    /// Proxies carry many clients: their connections are counted in all only. So is loopback.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a request's head may take from its first byte, and the first byte from the connection's start.
    pub header_timeout: Duration,
    /// How long a connection may be silent between requests. Longer than a load balancer's own (60 s), so that it is
    /// the balancer who closes first.
    pub idle_timeout: Duration,
    /// How long a client may take none of an answer's bytes.
    pub write_timeout: Duration,
    /// The most header lines of a request.
    pub max_headers: usize,
    /// The most bytes of a request's head.
    pub max_header_bytes: usize,
    /// How long requests under way may go on after shutdown began.
    pub drain_timeout: Duration,
    /// What ends TLS; nothing where a proxy does.
    pub tls: Option<Acceptor>,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_connections_per_client: 256,
            trusted_proxies: Vec::new(),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_headers: 100,
            max_header_bytes: 32 * 1024,
            drain_timeout: Duration::from_secs(20),
            tls: None,
        }
    }
}

/// Serves until `shutdown` is cancelled, then lets requests under way finish.
///
/// # Errors
/// None so far: what goes wrong with one connection, or with accepting one, does not end the loop.
pub async fn serve<E>(
    listener: TcpListener,
    endpoint: Arc<E>,
    settings: ListenerSettings,
    shutdown: CancellationToken,
) -> io::Result<()>
where
    E: Endpoint<Output = Response> + 'static,
{
    let slots = Arc::new(Slots::new(&settings));
    let settings = Arc::new(settings);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match slots.take(peer.ip()) {
                Some(slot) => {
                    let arrived = (stream, peer, Arc::new(slot));
                    connections.spawn(connection(
                        arrived,
                        Arc::clone(&endpoint),
                        Arc::clone(&settings),
                        shutdown.clone(),
                    ));
                }
                // What fits into the socket's empty buffer needs no waiting; a client that misses it is closed anyway.
                None => drop(stream.try_write(FULL)),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections can't be accepted for the moment");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(settings.drain_timeout, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not finish in time and are cut off");
        connections.shutdown().await;
    }
    Ok(())
}

/// Whether accepting failed because of the connection itself, which is gone now.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves one connection to its end.
async fn connection<E>(
    (stream, peer, slot): (TcpStream, SocketAddr, Arc<Slot>),
    endpoint: Arc<E>,
    settings: Arc<ListenerSettings>,
    shutdown: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    // Answers are small: waiting to fill a packet only delays them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let local = stream.local_addr().map(|address| LocalAddr(address.into())).unwrap_or_default();
    let line = |scheme| Line { local, remote: RemoteAddr(peer.into()), scheme, slot };
    let Some(tls) = &settings.tls else {
        return converse(stream, line(Scheme::HTTP), endpoint, &settings, shutdown).await;
    };
    // Greeting takes no longer than a request's head may.
    let greeted = async {
        let mut first = [0];
        match stream.peek(&mut first).await? {
            0 => Ok(None),
            _ if first == [HANDSHAKE] => Ok(tls.accept(stream).await?.map(|stream| Begun::Tls(Box::new(stream)))),
            _ => Ok::<_, io::Error>(Some(Begun::Plain(stream))),
        }
    };
    match tokio::time::timeout(settings.header_timeout, greeted).await {
        Ok(Ok(Some(Begun::Tls(stream)))) => {
            converse(*stream, line(Scheme::HTTPS), endpoint, &settings, shutdown).await;
        }
        Ok(Ok(Some(Begun::Plain(stream)))) => {
            converse(stream, line(Scheme::HTTP), endpoint, &settings, shutdown).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "TLS was not agreed on"),
        Err(_) => tracing::debug!("a client dawdled over TLS"),
    }
}

/// How a connection has begun.
enum Begun {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// A connection: its ends, how it is spoken over, and its place among all.
struct Line {
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
    slot: Arc<Slot>,
}

/// What a request that may outlast HTTP occupies: its connection's place among all, and the watch over requests that dawdle.
/// It is in the request's data; who goes on using the connection keeps it until then.
#[derive(Clone, Debug)]
pub struct Occupied {
    _slot: Arc<Slot>,
    _turn: Arc<Turn>,
}

/// Takes requests and gives answers until the connection ends.
async fn converse<S, E>(
    stream: S,
    line: Line,
    endpoint: Arc<E>,
    settings: &ListenerSettings,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let turns = Turns::default();
    let watched = Watched::new(stream, turns.clone(), settings.header_timeout, settings.write_timeout);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (endpoint, turn) = (Arc::clone(&endpoint), Arc::new(turns.begin()));
        let (local, remote, scheme) = (line.local.clone(), line.remote.clone(), line.scheme.clone());
        let slot = request.headers().contains_key(header::UPGRADE).then(|| Arc::clone(&line.slot));
        async move {
            let mut request = Request::from((request, local, remote, scheme));
            if let Some(slot) = slot {
                request.set_data(Occupied { _slot: slot, _turn: Arc::clone(&turn) });
            }
            let response = endpoint.get_response(request).await;
            drop(turn);
            Ok::<_, Infallible>(hyper::Response::from(response))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.idle_timeout)
        .max_headers(settings.max_headers)
        .max_header_size(settings.max_header_bytes)
        .serve_connection(TokioIo::new(watched), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests;
