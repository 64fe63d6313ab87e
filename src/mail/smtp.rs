//! The dialogue with the mail server (RFC 5321), on lettre's connection.
//!
//! Connections are kept open while there is mail and closed afterwards. lettre's own pool is not used: it has no
//! bound on the time a dialogue takes, and would hand on a connection whose dialogue was given up half-way.

use std::{error::Error as _, io, net::IpAddr, sync::Mutex, time::Duration};

use lettre::{
    Message,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use tokio::time::timeout;
use url::Url;

use super::{internal, transport::Failure};
use crate::{
    config::SecretString,
    error::{Error, Result},
};

/// How long it may take to connect, agree on TLS and sign in.
pub(super) const OPENING: Duration = Duration::from_secs(20);
/// How long one message may take. RFC 5321, 4.5.3.2 would wait for minutes; a lease does not last that long.
pub(super) const SENDING: Duration = Duration::from_secs(30);
/// How long a kept connection may take to show that it is alive, and a goodbye to be said.
const COURTESY: Duration = Duration::from_secs(3);

/// Answers that mean that the server does not know *us*: a wrong password must not give up people's mail.
/// 530 authentication required, 534 mechanism too weak, 535 credentials invalid, 538 encryption required (RFC 4954, 6).
const OUR_FAULT: [u16; 4] = [530, 534, 535, 538];

/// A mail server.
pub(super) struct Smtp {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    hello: ClientId,
    open: Mutex<Vec<AsyncSmtpConnection>>,
}

enum Protection {
    /// Only for a server on this machine.
    None,
    /// Begins in clear, and must be upgraded before anything is said.
    StartTls(TlsParameters),
    /// TLS from the first byte (RFC 8314).
    Implicit(TlsParameters),
}

impl Smtp {
    /// Reads the server's URL; `domain` is what this client calls itself.
    pub(super) fn new(url: &SecretString, domain: &str) -> Result<Self> {
        let wrong = |why: &str| Error::internal(format!("mail.smtp_url {why}"));
        let url = Url::parse(url.expose()).map_err(|_| wrong("is not a URL"))?;
        let host = url.host_str().ok_or_else(|| wrong("names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(|error| internal("mail.smtp_url", error));
        let starttls = match url.query_pairs().find(|(key, _)| key == "tls") {
            Some((_, value)) if value == "required" => true,
            Some(_) => return Err(wrong("has a tls other than required")),
            None => !is_this_machine(&host),
        };
        let (protection, usual) = match url.scheme() {
            "smtps" => (Protection::Implicit(tls()?), 465),
            "smtp" if starttls => (Protection::StartTls(tls()?), 587),
            "smtp" => (Protection::None, 587),
            _ => return Err(wrong("begins with neither smtp:// nor smtps://")),
        };
        let credentials = credentials(&url).ok_or_else(|| wrong("has a user or password that is not UTF-8"))?;
        let hello = if domain.contains('.') { ClientId::Domain(domain.to_owned()) } else { ClientId::default() };
        let port = url.port().unwrap_or(usual);
        Ok(Self { host, port, protection, credentials, hello, open: Mutex::default() })
    }

    /// Hands a message over.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        match timeout(SENDING, connection.send(message.envelope(), &message.formatted())).await {
            Ok(Ok(_)) => {
                if let Ok(mut open) = self.open.lock() {
                    open.push(connection);
                }
                Ok(())
            }
            // The connection is dropped: nobody knows where its dialogue stands.
            Ok(Err(error)) => Err(judge(&error)),
            Err(_) => Err(Failure::transient("the mail server took too long to take the message")),
        }
    }

    /// Says goodbye on every kept connection.
    pub(super) async fn hang_up(&self) {
        let open = self.open.lock().map(|mut open| std::mem::take(&mut *open)).unwrap_or_default();
        for mut connection in open {
            // A server that does not answer a goodbye is left without.
            let _ = timeout(COURTESY, connection.quit()).await;
        }
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Failure> {
        while let Some(mut kept) = self.open.lock().ok().and_then(|mut open| open.pop()) {
            if matches!(timeout(COURTESY, kept.test_connected()).await, Ok(true)) {
                return Ok(kept);
            }
        }
        match timeout(OPENING, self.connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            // Whatever the answer: it is about the server and us, not about the message.
            Ok(Err(error)) => Err(Failure::Transient(format!("connecting: {}", describe(&error)))),
            Err(_) => Err(Failure::transient("connecting: the mail server took too long")),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let tls = match &self.protection {
            Protection::Implicit(tls) => Some(tls.clone()),
            Protection::None | Protection::StartTls(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(OPENING), &self.hello, tls, None).await?;
        if let Protection::StartTls(tls) = &self.protection {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// User and password of the URL, if it has them. `None` when they are not text.
fn credentials(url: &Url) -> Option<Option<Credentials>> {
    let Some(password) = url.password() else { return Some(None) };
    let decode = |text: &str| {
        // A query's decoder, with the two characters escaped that mean something else in a query.
        let query = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
        let decoded = url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned());
        decoded.filter(|value| !value.contains(char::REPLACEMENT_CHARACTER))
    };
    Some(Some(Credentials::new(decode(url.username())?, decode(password)?)))
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether it makes sense to try again what failed while the message was handed over.
fn judge(error: &SmtpError) -> Failure {
    // lettre's own refusal at this stage: the address needs an extension that the server lacks.
    if error.is_client() {
        return Failure::permanent("the mail server can't take this address: it lacks SMTPUTF8 (RFC 6531)");
    }
    let ours = error.status().is_some_and(|code| OUR_FAULT.contains(&code.into()));
    let reason = describe(error);
    if error.is_permanent() && !ours { Failure::Permanent(reason) } else { Failure::Transient(reason) }
}

/// What happened, without the server's own words: they repeat addresses.
fn describe(error: &SmtpError) -> String {
    if let Some(code) = error.status() {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        let detail = words.split_whitespace().next().filter(|word| is_enhanced_status(word));
        return detail.map_or_else(|| format!("SMTP {code}"), |detail| format!("SMTP {code} {detail}"));
    }
    if error.is_response() {
        return "the mail server's answer is not SMTP".to_owned();
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.get_ref().is_none()
        {
            return io.kind().to_string();
        }
        cause = inner.source();
    }
    // TLS, name resolution, missing extensions: said by libraries on this side.
    error.to_string().chars().take(200).collect()
}

/// Whether the word is a status of RFC 3463: `5.1.1`.
fn is_enhanced_status(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(url: &str) -> Result<Smtp> {
        Smtp::new(&SecretString::new(url), "example.com")
    }

    #[test]
    fn only_a_server_on_this_machine_is_spoken_to_in_clear() {
        for (url, protection, port) in [
            ("smtp://localhost", "none", 587),
            ("smtp://127.0.0.1:2525", "none", 2525),
            ("smtp://[::1]:2525", "none", 2525),
            ("smtp://localhost?tls=required", "starttls", 587),
            ("smtp://mail.example.com", "starttls", 587),
            ("smtps://mail.example.com", "implicit", 465),
        ] {
            let server = smtp(url).unwrap();
            let found = match server.protection {
                Protection::None => "none",
                Protection::StartTls(_) => "starttls",
                Protection::Implicit(_) => "implicit",
            };
            assert_eq!((found, server.port), (protection, port), "{url}");
        }
        for wrong in ["", "mail.example.com", "http://mail.example.com", "smtp://mail.example.com?tls=none"] {
            assert!(smtp(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_url_that_can_not_be_read_is_not_repeated() {
        for wrong in ["smtp://user:hunter2@", "ftp://user:hunter2@host", "smtp://user:hunter2@host?tls=hunter2"] {
            let message = smtp(wrong).err().unwrap().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn user_and_password_are_unescaped() {
        let url = Url::parse("smtp://ada%40example.com:a+b%2F&c=d@localhost").unwrap();
        let expected = Credentials::new("ada@example.com".to_owned(), "a+b/&c=d".to_owned());
        assert!(credentials(&url).unwrap().unwrap() == expected);
    }

    #[test]
    fn only_a_status_is_kept_of_a_servers_words() {
        assert!(is_enhanced_status("5.1.1") && is_enhanced_status("4.7.650"));
        for other in ["", "<ada@example.com>", "5.1", "5.1.a", "127.0.0.1", "5.1.1:"] {
            assert!(!is_enhanced_status(other), "{other:?} was taken");
        }
    }
}
