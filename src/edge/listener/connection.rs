//! A connection under watch: a client that dawdles over a request's head, or over taking an answer, is cut off.
//!
//! hyper's own head timeout also runs while a connection is idle, and it has none for writing.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a closed connection is still read from. Without it, unread bytes would make the kernel reset the
/// connection, and the client would lose the answer that says why (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// The most bytes read in that time.
const MOST_LINGERING: usize = 4 * 1024 * 1024;

/// Counts the beginnings and ends of requests: odd while one is served.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<AtomicU64>);

/// One request being served.
#[derive(Debug)]
pub(super) struct Turn(Turns);

impl Turns {
    /// A request's head has arrived.
    pub(super) fn begin(&self) -> Turn {
        self.0.fetch_add(1, Ordering::Relaxed);
        Turn(self.clone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The stream of a connection, with its timers.
pub(super) struct Watched<S> {
    stream: S,
    turns: Turns,
    seen: u64,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Runs while a request's head is arriving.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while the client does not take what is written.
    write: Option<Pin<Box<Sleep>>>,
    /// Runs after our side was closed; with the bytes that may still be read.
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Watched<S> {
    /// Watches a new connection, whose first request is due.
    pub(super) fn new(stream: S, turns: Turns, header_timeout: Duration, write_timeout: Duration) -> Self {
        let head = Some(Box::pin(sleep(header_timeout)));
        Self { stream, turns, seen: 0, header_timeout, write_timeout, head, write: None, linger: None }
    }

    /// Whether a request is served now; forgets the timer of a head that has arrived.
    fn is_serving(&mut self) -> bool {
        let turns = self.turns.0.load(Ordering::Relaxed);
        if turns != self.seen {
            self.seen = turns;
            self.head = None;
        }
        !turns.is_multiple_of(2)
    }

    /// Holds the outcome of a write against the timer.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write = None;
            return outcome;
        }
        let timeout = self.write_timeout;
        let timer = self.write.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if timer.as_mut().poll(cx).is_ready() { Poll::Ready(Err(timed_out())) } else { Poll::Pending }
    }
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let serving = this.is_serving();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        if serving {
            return outcome;
        }
        let arrived = buf.filled().len() > before;
        if arrived && this.head.is_none() {
            this.head = Some(Box::pin(sleep(this.header_timeout)));
        }
        let is_late =
            outcome.is_pending() && this.head.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if is_late { Poll::Ready(Err(timed_out())) } else { outcome }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.watch_write(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.watch_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.watch_write(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
            match this.watch_write(cx, outcome) {
                Poll::Ready(Ok(())) => this.linger = Some((Box::pin(sleep(LINGER)), MOST_LINGERING)),
                other => return other,
            }
        }
        let Some((timer, left)) = &mut this.linger else { return Poll::Ready(Ok(())) };
        loop {
            let mut space = [0; 8192];
            let mut buf = ReadBuf::new(&mut space);
            let read = Pin::new(&mut this.stream).poll_read(cx, &mut buf);
            let length = buf.filled().len();
            match read {
                Poll::Ready(Ok(())) if length > 0 && *left > length => *left -= length,
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return timer.as_mut().poll(cx).map(Ok),
            }
        }
    }
}
