//! A client of the Transit secrets engine of HashiCorp Vault and OpenBao, which wraps a key under one that never leaves
//! there. Owns the calls, what is tried again, and what an operator is told; never keeps what it wrapped or unwrapped.
//!
//! A context goes along as associated data, so that what was wrapped for one place is not unwrapped for another. Texts
//! of Vault's are looked at for what they mean and never repeated, so no error can carry a token or a key.

use std::{path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    config::{self, SecretString, Token},
    error::{Error, Result},
    outbound::{self, Service, Unread},
};

/// Three tries of at most 3 s with these pauses between them: 9.5 s in all.
const TRY: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// When whoever waits for a key may ask again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Bytes of an answer. One with a wrapped key has some 300.
const LIMIT: usize = 64 << 10;

/// What [`Transit::check`] wraps.
const PROBE: &[u8] = b"freehold probe";
const PROBE_CONTEXT: &[u8] = b"freehold check";
/// A wrapped value that no key has made: 12 bytes of IV and 16 of tag, all zero.
const FORGED: &[u8] = b"vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

/// A key of the Transit engine. Cheap to clone.
#[derive(Clone)]
pub struct Transit {
    client: Client,
    encrypt: Endpoint,
    decrypt: Endpoint,
    settings: config::Transit,
    namespace: Option<HeaderValue>,
    id: [u8; 16],
}

#[derive(Clone)]
struct Endpoint {
    url: Url,
    /// `transit/encrypt/freehold`, as policies name it.
    path: String,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
    associated_data: &'a str,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
    associated_data: &'a str,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

#[derive(Deserialize)]
struct Refused {
    errors: Vec<String>,
}

/// Why a call came to nothing.
enum Failure {
    /// It may work in a moment, and was tried as often as it may be.
    Passing(String),
    /// A redirect: it is not ours to follow, and not ours to mend.
    Elsewhere(StatusCode),
    /// Vault said no.
    Refused(StatusCode, Option<Why>),
    /// Whatever answered is no Transit engine, or the call can't be made.
    Wrong(String),
}

/// What a refusal is about, as far as Vault's text tells: OpenBao 2.7 has these texts, from the time when it was Vault.
/// A text that we don't know makes the operator's message less exact, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    NoSuchKey,
    NotAuthentic,
    TooOld,
    WrongKeyType,
    NoSuchNamespace,
}

const TEXTS: [(&str, Why); 7] = [
    ("encryption key not found", Why::NoSuchKey),
    ("message authentication failed", Why::NotAuthentic),
    ("unable to decrypt", Why::NotAuthentic),
    ("version is disallowed by policy", Why::TooOld),
    ("non-AEAD cipher suite", Why::WrongKeyType),
    ("for key derivation", Why::WrongKeyType),
    ("namespace not found", Why::NoSuchNamespace),
];

impl Transit {
    /// A client for the configured key. Calls nobody yet.
    ///
    /// # Errors
    /// When the file of certificates holds none.
    pub fn new(settings: &config::Transit) -> Result<Self> {
        let ca_file = settings.ca_file.as_deref();
        let client = outbound::client(&Service { connect_timeout: CONNECT, timeout: TRY, ca_file })?;
        let endpoint = |operation: &str| {
            let names = std::iter::once("v1").chain(settings.mount.split('/')).chain([operation, &settings.key]);
            let path = format!("{}/{operation}/{}", settings.mount, settings.key);
            Endpoint { url: settings.address.join(names), path }
        };
        Ok(Self {
            client,
            encrypt: endpoint("encrypt"),
            decrypt: endpoint("decrypt"),
            namespace: settings.namespace.as_deref().map(HeaderValue::from_str).transpose().map_err(Error::internal)?,
            id: id(settings),
            settings: settings.clone(),
        })
    }

    /// Says which key wrapped something, and nothing secret. Another address, mount, namespace or name is another.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Wraps a key for a context. What it answers is text (`vault:v1:…`) and names the version of Vault's key.
    ///
    /// # Errors
    /// `Upstream` when Vault can't be reached, is sealed or overloaded; `Internal` when it refuses.
    pub async fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>> {
        self.encrypt(clear, context).await.map_err(|failure| self.error(&self.encrypt, failure))
    }

    /// Unwraps what was wrapped for this context, by whichever version of the key.
    ///
    /// # Errors
    /// As [`Transit::wrap`]; `Internal` also when it was changed, or wrapped for another context or by another key.
    pub async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.decrypt(wrapped, context).await.map_err(|failure| self.error(&self.decrypt, failure))
    }

    /// Whether everything is set up: wraps and unwraps a probe. For the start of a server.
    ///
    /// # Errors
    /// With a text for the operator: what is wrong with the address, TLS, token, policy, mount or key.
    pub async fn check(&self) -> Result<()> {
        // First what can't be unwrapped: wrapping makes a key that isn't there, when the token may create.
        match self.unwrap_as(FORGED, PROBE_CONTEXT).await? {
            Unwrapped::Not => {}
            Unwrapped::Clear(_) => return Err(self.internal("unwrapped what nobody had wrapped")),
        }
        let wrapped = self.wrap(PROBE, PROBE_CONTEXT).await?;
        match self.unwrap_as(&wrapped, PROBE_CONTEXT).await? {
            Unwrapped::Clear(clear) if clear.as_slice() == PROBE => {}
            _ => return Err(self.internal("did not unwrap what it had wrapped")),
        }
        match self.unwrap_as(&wrapped, b"freehold check elsewhere").await? {
            Unwrapped::Not => Ok(()),
            Unwrapped::Clear(_) => {
                Err(self.internal("ignores associated data; it has to be Vault 1.13 or newer, or OpenBao"))
            }
        }
    }

    async fn unwrap_as(&self, wrapped: &[u8], context: &[u8]) -> Result<Unwrapped> {
        match self.decrypt(wrapped, context).await {
            Ok(clear) => Ok(Unwrapped::Clear(clear)),
            // Whatever its words: what it answers to a good call is looked at too.
            Err(Failure::Refused(StatusCode::BAD_REQUEST, None | Some(Why::NotAuthentic | Why::TooOld))) => {
                Ok(Unwrapped::Not)
            }
            Err(failure) => Err(self.error(&self.decrypt, failure)),
        }
    }

    async fn encrypt(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, Failure> {
        let plaintext = Zeroizing::new(STANDARD.encode(clear));
        let body = Encrypt { plaintext: &plaintext, associated_data: &STANDARD.encode(context) };
        let answer = self.call(&self.encrypt, &body, plaintext.len() + context.len() * 2).await?;
        let answer: Answer<Encrypted> = parsed(&answer)?;
        match is_wrapped(&answer.data.ciphertext) {
            true => Ok(answer.data.ciphertext.into_bytes()),
            false => Err(Failure::Wrong("answered something else than a wrapped key".to_owned())),
        }
    }

    async fn decrypt(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let ciphertext = std::str::from_utf8(wrapped).ok().filter(|text| is_wrapped(text));
        let ciphertext = ciphertext.ok_or_else(|| {
            Failure::Wrong("can't have wrapped this: it has not the form of a wrapped key".to_owned())
        })?;
        let body = Decrypt { ciphertext, associated_data: &STANDARD.encode(context) };
        let answer = self.call(&self.decrypt, &body, wrapped.len() + context.len() * 2).await?;
        let mut answer: Answer<Decrypted> = parsed(&answer)?;
        let clear = STANDARD.decode(&answer.data.plaintext).map(Zeroizing::new);
        answer.data.plaintext.zeroize();
        clear.map_err(|_| Failure::Wrong("answered something else than a key".to_owned()))
    }

    /// Calls until there is an answer or a refusal, three times at most.
    async fn call(
        &self,
        endpoint: &Endpoint,
        body: &impl Serialize,
        size: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        // As large as it gets, so that it does not grow: what it grew out of would not be wiped.
        let mut bytes = Zeroizing::new(Vec::with_capacity(size + 128));
        serde_json::to_writer(&mut *bytes, body).map_err(|error| Failure::Wrong(error.to_string()))?;
        let body = Bytes::from_owner(bytes);
        let mut pauses = PAUSES.iter();
        loop {
            let failure = match self.attempt(endpoint, body.clone()).await {
                Err(Failure::Passing(why)) => why,
                settled => return settled,
            };
            let Some(pause) = pauses.next() else { return Err(Failure::Passing(failure)) };
            tracing::warn!(path = endpoint.path, why = failure, "Vault did not answer; trying again");
            tokio::time::sleep(*pause).await;
        }
    }

    async fn attempt(&self, endpoint: &Endpoint, body: Bytes) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut request = self
            .client
            .post(endpoint.url.clone())
            .header("x-vault-token", self.token().await?)
            // Agents can be told to want it, so that nobody is tricked into sending a call.
            .header("x-vault-request", "true")
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let response = request.send().await.map_err(|error| Failure::Passing(outbound::reason(&error)))?;
        let status = response.status();
        let body = match outbound::read(response, LIMIT).await {
            Ok(body) => body,
            Err(Unread::Broken(error)) => return Err(Failure::Passing(outbound::reason(&error))),
            Err(Unread::TooLarge) => return Err(Failure::Wrong(format!("answered with more than {LIMIT} bytes"))),
        };
        match status.as_u16() {
            200..=299 => Ok(body),
            300..=399 => Err(Failure::Elsewhere(status)),
            503 => Err(Failure::Passing("it is sealed, starting or standing by (503)".to_owned())),
            429 => Err(Failure::Passing("it has too much to do, or is standing by (429)".to_owned())),
            412 | 500.. => Err(Failure::Passing(format!("it answered {}", status.as_u16()))),
            _ => Err(Failure::Refused(status, why(&body))),
        }
    }

    /// The token as a header, which is marked so that nothing prints it.
    async fn token(&self) -> Result<HeaderValue, Failure> {
        let token = match &self.settings.token {
            Token::Fixed(token) => token.clone(),
            Token::File(path) => read_token(path).await?,
        };
        let mut header = HeaderValue::from_str(token.expose())
            .map_err(|_| Failure::Wrong("was not asked: the token has a character that no token has".to_owned()))?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn error(&self, endpoint: &Endpoint, failure: Failure) -> Error {
        let path = &endpoint.path;
        let (status, why) = match failure {
            Failure::Passing(why) => return self.upstream(&format!("is not available: {why}")),
            Failure::Elsewhere(status) => {
                let code = status.as_u16();
                return self
                    .upstream(&format!("sends us elsewhere ({code}); secrets.transit.address has to be its own"));
            }
            Failure::Wrong(what) => return self.internal(&what),
            Failure::Refused(status, why) => (status, why),
        };
        let config::Transit { mount, key, .. } = &self.settings;
        let what = match (status.as_u16(), why) {
            (_, Some(Why::NoSuchKey)) => {
                format!("has no key {key} in {mount}: secrets.transit.key is wrong, or the key has not been made there")
            }
            (_, Some(Why::NotAuthentic)) => {
                "can't unwrap this: it was changed, or wrapped for something else or by another key".to_owned()
            }
            (_, Some(Why::TooOld)) => format!(
                "may not unwrap this any more: it was wrapped by a version of {key} below its min_decryption_version"
            ),
            (_, Some(Why::WrongKeyType)) => format!(
                "can't use {key} of {mount}, which is derived or takes no associated data; it has to be of type aes256-gcm96 and not derived"
            ),
            (_, Some(Why::NoSuchNamespace)) => "has no such namespace: secrets.transit.namespace is wrong".to_owned(),
            (403, None) => format!(
                "refused our token: secrets.transit.token is wrong or has ended, or no policy allows it \"update\" on {path}"
            ),
            (404, None) => format!(
                "has nothing at {path}: secrets.transit.mount or secrets.transit.namespace is wrong, or no Transit engine is mounted there"
            ),
            (405, None) => {
                format!("has something else than a Transit engine at {mount}: secrets.transit.mount is wrong")
            }
            (_, None) => format!("refused a call of {path}; its own log says why"),
        };
        self.internal(&format!("{what} ({})", status.as_u16()))
    }

    fn upstream(&self, what: &str) -> Error {
        let reason = format!("Vault at {} {what}", self.settings.address.origin());
        Error::Upstream { reason, retry_after: RETRY_AFTER }
    }

    fn internal(&self, what: &str) -> Error {
        Error::internal(format!("Vault at {} {what}", self.settings.address.origin()))
    }
}

/// What came of unwrapping a probe.
enum Unwrapped {
    Clear(Zeroizing<Vec<u8>>),
    Not,
}

/// The present token of an agent's file.
async fn read_token(path: &Path) -> Result<SecretString, Failure> {
    let wrong = |why: &str| Failure::Wrong(format!("was not asked: the token's file {} {why}", path.display()));
    let text = tokio::fs::read_to_string(path).await.map(Zeroizing::new);
    let text = text.map_err(|error| wrong(&format!("can't be read ({error})")))?;
    match config::is_token(text.trim()) {
        true => Ok(SecretString::new(text.trim())),
        false => Err(wrong("holds no token")),
    }
}

fn id(settings: &config::Transit) -> [u8; 16] {
    let namespace = settings.namespace.as_deref().unwrap_or_default();
    let origin = settings.address.origin();
    let mut digest = Sha256::new();
    for part in ["freehold transit", &origin, &settings.mount, namespace, &settings.key] {
        digest.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(part);
    }
    let mut id = [0; 16];
    id.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
    id
}

/// Whether a text is what Transit makes of a key: `vault:v3:…`.
fn is_wrapped(text: &str) -> bool {
    let (version, sealed) = text.strip_prefix("vault:v").and_then(|rest| rest.split_once(':')).unwrap_or_default();
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) && !sealed.is_empty()
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    // Not serde's own words, which quote what they don't like.
    serde_json::from_slice(body).map_err(|_| {
        Failure::Wrong("answered something else than a Transit engine; is secrets.transit.mount right?".to_owned())
    })
}

fn why(body: &[u8]) -> Option<Why> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let says = |text: &str| refused.errors.iter().any(|error| error.contains(text));
    TEXTS.iter().find(|(text, _)| says(text)).map(|(_, why)| *why)
}
