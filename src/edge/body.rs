//! Request bodies: read once, whole, bounded in size and in time (NET-6).
//!
//! The guard calls this after it has recognised the caller, so that strangers can't make the server hold bodies.

use std::time::Duration;

use bytes::Bytes;
use poem::{Request, error::ReadBodyError, http::header};

use crate::error::{Code, Error, Result};

/// The operations that take files, and the most bytes of their bodies: 10 MiB (NET-6).
const OF_FILES: [&str; 2] = ["imports_create", "imports_parts_add"];
const FILE: usize = 10 * 1024 * 1024;

/// The most bytes of an operation's body, of which others have at most so many.
pub fn limit(operation: &str, others: usize) -> usize {
    if OF_FILES.contains(&operation) { others.max(FILE) } else { others }
}

/// Takes the body out of a request: at most `limit` bytes, arrived within `timeout`.
///
/// A body whose `Content-Length` is above the limit is refused before a byte of it is read; one without a length is
/// cut off at the limit. Put the bytes back with [`Request::set_body`].
///
/// # Errors
/// `Transport` with 413 or 408, `Malformed` when the body breaks off or its length is no number.
pub async fn read(request: &mut Request, limit: usize, timeout: Duration) -> Result<Bytes> {
    if let Some(length) = request.headers().get(header::CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|length| length.trim().parse::<u64>().ok());
        let length = length.ok_or_else(|| Error::Malformed("Content-Length must be a number".to_owned()))?;
        if usize::try_from(length).is_ok_and(|length| length > limit) {
            return Err(Error::Transport(Code::PayloadTooLarge));
        }
    }
    let body = request.take_body();
    if body.is_empty() {
        return Ok(Bytes::new());
    }
    // The reading has four KiB of its own, which a request without a body need not carry.
    match tokio::time::timeout(timeout, Box::pin(body.into_bytes_limit(limit))).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Error::Transport(Code::PayloadTooLarge)),
        Ok(Err(_)) => Err(Error::Malformed("the body broke off".to_owned())),
        Err(_) => Err(Error::Transport(Code::RequestTimeout)),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use poem::Body;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    fn chunked(chunks: usize) -> Body {
        Body::from_bytes_stream(stream::iter(
            (0..chunks).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345"))),
        ))
    }

    async fn read_body(body: impl Into<Body>, length: Option<&str>) -> Result<Bytes> {
        let builder = Request::builder();
        let builder = length.into_iter().fold(builder, |builder, length| builder.header("content-length", length));
        read(&mut builder.body(body), 10, SOON).await
    }

    /// Proves NET-6.
    #[tokio::test]
    async fn bodies_are_bounded_in_size_and_time() {
        assert_eq!(read_body("", None).await.unwrap(), Bytes::new());
        assert_eq!(read_body(chunked(2), None).await.unwrap().len(), 10);
        assert!(matches!(read_body(chunked(3), None).await, Err(Error::Transport(Code::PayloadTooLarge))));
        let never = || Body::from_bytes_stream(stream::pending::<std::io::Result<Bytes>>());
        assert!(matches!(read_body(never(), Some("11")).await, Err(Error::Transport(Code::PayloadTooLarge))));
        assert!(matches!(read_body(never(), Some("5")).await, Err(Error::Transport(Code::RequestTimeout))));
        assert!(matches!(read_body("12345", Some("five")).await, Err(Error::Malformed(_))));
        let broken = Body::from_bytes_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]));
        assert!(matches!(read_body(broken, None).await, Err(Error::Malformed(_))));
    }
}
