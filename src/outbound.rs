//! Calls that this server makes by HTTP: the one home of the client, with its TLS (rustls with aws-lc-rs), its bounds
//! of time and size, and what may be said about a call that failed.
//!
//! The client is for services that the operator names in the configuration, which may well have private addresses. It
//! must not be given an address that a tenant names: that needs a resolver that refuses private addresses, which comes
//! with webhooks. It follows no redirect, since credentials would go along, and uses no proxy that the environment
//! names: only `config` reads the environment, and what goes out here should go where the configuration says.

use std::{error::Error as _, path::Path, time::Duration};

use reqwest::{Certificate, Client, Response, redirect::Policy};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The bounds of every call of a client, and whom it trusts.
pub struct Service<'a> {
    /// For a connection, TLS included.
    pub connect_timeout: Duration,
    /// For a call from its beginning to the last byte of the answer.
    pub timeout: Duration,
    /// Certificates in PEM to trust besides the system's.
    pub ca_file: Option<&'a Path>,
}

/// A client for one service.
///
/// # Errors
/// When the file has no certificates, or the system has none.
pub fn client(service: &Service<'_>) -> Result<Client> {
    #[expect(clippy::disallowed_methods, reason = "this is the client's one home")]
    let builder = Client::builder();
    let builder = builder
        .user_agent(concat!("freehold/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(service.connect_timeout)
        .timeout(service.timeout)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .tls_certs_merge(service.ca_file.map(certificates).transpose()?.unwrap_or_default());
    builder.build().map_err(|error| Error::internal(format!("no client for calls outside: {}", reason(&error))))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>> {
    let wrong = |why: String| Error::internal(format!("{} {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(format!("can't be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|_| wrong("is not certificates in PEM".to_owned()))?;
    if found.is_empty() { Err(wrong("has no certificate in PEM".to_owned())) } else { Ok(found) }
}

/// Why an answer's body was not read.
#[derive(Debug)]
pub enum Unread {
    /// It has more bytes than the limit.
    TooLarge,
    /// The connection ended or the time was up.
    Broken(reqwest::Error),
}

/// Reads a body of at most `limit` bytes. It is wiped after use, as it may hold a secret.
///
/// # Errors
/// When it is larger or does not arrive.
pub async fn read(mut response: Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(Unread::TooLarge);
    }
    // The whole of it at once: a buffer that grows leaves copies behind that nobody wipes.
    let mut body = Zeroizing::new(Vec::with_capacity(limit));
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a call failed, for the log: never its address, its headers or its body.
pub fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    // The innermost cause says it best: `Connection refused`, `invalid peer certificate: UnknownIssuer`.
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the call could not be made".to_owned(), ToString::to_string)
}
