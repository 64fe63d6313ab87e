//! TLS of the server's own (NET-1): 1.2 and 1.3 with rustls' ciphers, and certificates that change while it serves.
//!
//! A certificate comes from files, which are read again when they change, or from whoever issues one: then its resolver
//! also answers the authority's challenge (RFC 8737), on the connection that the authority makes.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{Acceptor as Hello, ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};

/// How often the files are read again. Whoever renews certificates does so days before they end.
const EVERY: Duration = Duration::from_secs(5);
/// The protocol of a challenge (RFC 8737, 6.2).
const CHALLENGE: &[u8] = b"acme-tls/1";
/// The first byte of every TLS connection: a handshake record (RFC 8446, 5.1). No HTTP request begins with it.
pub(super) const HANDSHAKE: u8 = 22;

/// The ciphers and signatures that all of Freehold's TLS uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What ends TLS on new connections. Cloning shares it.
#[derive(Clone)]
pub struct Acceptor {
    http: Arc<ServerConfig>,
    challenges: Arc<ServerConfig>,
}

impl Acceptor {
    /// With the certificates of a resolver.
    ///
    /// # Errors
    /// Never in practice: when the ciphers are not those of TLS 1.2 and 1.3.
    pub fn new(certificates: Arc<dyn ResolvesServerCert>) -> Result<Self> {
        let config = |protocol: &[u8]| {
            let builder = ServerConfig::builder_with_provider(provider());
            let builder = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
            let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::clone(&certificates));
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok::<_, Error>(Arc::new(config))
        };
        Ok(Self { http: config(b"http/1.1")?, challenges: config(CHALLENGE)? })
    }

    /// Greets a client. An authority's challenge is answered by the greeting itself: there is no connection then.
    ///
    /// # Errors
    /// When the client speaks something else, an old version, or goes away.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let greeting = LazyConfigAcceptor::new(Hello::default(), stream).await?;
        let is_challenge =
            greeting.client_hello().alpn().is_some_and(|mut offered| offered.all(|protocol| protocol == CHALLENGE));
        if is_challenge {
            greeting.into_stream(Arc::clone(&self.challenges)).await?.shutdown().await?;
            return Ok(None);
        }
        greeting.into_stream(Arc::clone(&self.http)).await.map(Some)
    }
}

/// A certificate in two files.
#[derive(Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

/// What the two files held when they were last read.
type Read = (Vec<u8>, Vec<u8>);

impl Files {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// `Internal` with a text for the operator, when one can't be read or they don't belong together.
    pub async fn open(certificate: PathBuf, key: PathBuf) -> Result<(Arc<Self>, Watch)> {
        let read = read(&certificate, &key).await?;
        let current = ArcSwap::from_pointee(certified(&read)?);
        let files = Arc::new(Self { certificate, key, current });
        Ok((Arc::clone(&files), Watch { files, read }))
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// Looks for changes of the files.
pub struct Watch {
    files: Arc<Files>,
    read: Read,
}

impl Watch {
    /// Works until `stop`. What can't be used leaves everything as it was; a pair that is only half written is whole the
    /// next time.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let Files { certificate, key, current } = &*self.files;
            let read = match read(certificate, key).await {
                Ok(read) if read == self.read => continue,
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "the certificate could not be read again; the one before stays in use");
                    continue;
                }
            };
            match certified(&read) {
                Ok(new) => {
                    current.store(Arc::new(new));
                    tracing::info!("a new certificate is in use");
                }
                Err(error) => tracing::warn!(%error, "the new certificate can't be used; the one before stays in use"),
            }
            self.read = read;
        }
    }
}

async fn read(certificate: &PathBuf, key: &PathBuf) -> Result<Read> {
    let file = async |path: &PathBuf| {
        let read = tokio::fs::read(path).await;
        read.map_err(|error| Error::internal(format!("{} can't be read: {error}", path.display())))
    };
    Ok((file(certificate).await?, file(key).await?))
}

/// The certificate and its key, if they belong together.
fn certified((certificate, key): &Read) -> Result<CertifiedKey> {
    let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain =
        chain.map_err(|error| Error::internal(format!("http.tls.certificate has no certificate in PEM: {error}")))?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| Error::internal(format!("http.tls.key has no private key in PEM: {error}")))?;
    CertifiedKey::from_der(chain, key, &provider())
        .map_err(|error| Error::internal(format!("http.tls.certificate and http.tls.key are no pair: {error}")))
}
