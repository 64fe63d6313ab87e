//! Certificates that an authority issues by ACME (RFC 8555): one for the name that people use, kept sealed in the
//! database, so that a new machine does not order another. This module owns the table `certificates`.
//!
//! The authority makes sure that we are who we say by a connection to us (TLS-ALPN-01, RFC 8737), which any instance
//! may get and only the one that ordered can answer: several instances behind one name need a proxy that ends TLS.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use entity::{CertificateId, Secrets, certificates as rows};
use futures_util::StreamExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
    server::ResolvesServerCert,
};
use rustls_acme::{AccountCache, AcmeConfig, AcmeState, CertCache, EventOk};
use sea_orm::{ColumnTrait, QueryFilter};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    config::Acme,
    db::{Db, Unrecorded},
    error::{Error, Result},
    runtime::{Clock, Ids},
    types::{Caller, Origin},
    vault::{Field, Table, Vault},
};

const VALUE: Field<Secrets> = Field::new("certificates.value");

/// The column of what is kept.
pub const SEALED: &[Table] = &[crate::vault::sealed_table!("certificates", Secrets, ["value"])];

/// Orders a certificate, and another before it ends.
pub struct Renewal(AcmeState<Error>);

impl Renewal {
    /// For a host's name, by an authority. The certificates of the resolver are there once the first is issued.
    ///
    /// # Errors
    /// When the certificates to trust the authority by can't be read; the text is for the operator.
    pub async fn new(acme: &Acme, host: &str, store: Store, provider: Arc<CryptoProvider>) -> Result<Self> {
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
        let client = builder.with_root_certificates(trusted(acme.ca_file.as_deref()).await?).with_no_client_auth();
        let config = AcmeConfig::new_with_client_config([host], Arc::new(client))
            .directory(acme.directory.as_str())
            .contact_push(format!("mailto:{}", acme.contact))
            .cache(store);
        Ok(Self(config.state()))
    }

    /// The certificates, and the answers to the authority's challenges.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.0.resolver()
    }

    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = self.0.next() => event,
            };
            match event {
                Some(Ok(EventOk::DeployedCachedCert)) => tracing::info!("the certificate of before is in use"),
                Some(Ok(EventOk::DeployedNewCert)) => tracing::info!("a new certificate is in use"),
                Some(Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore)) => {}
                Some(Err(error)) => tracing::warn!(%error, "the authority has issued no certificate; trying again"),
                None => return,
            }
        }
    }
}

/// Whose certificates the authority's own address may have.
async fn trusted(ca_file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let pem = tokio::fs::read(path).await;
            let pem = pem.map_err(|error| Error::internal(format!("{} can't be read: {error}", path.display())))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(Error::internal)?;
                roots.add(certificate).map_err(Error::internal)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    match roots.is_empty() {
        true => {
            Err(Error::internal("there is no certificate to trust an ACME authority by; name http.tls.acme.ca_file"))
        }
        false => Ok(roots),
    }
}

/// Where certificates and accounts are kept.
pub struct Store {
    /// The database.
    pub db: Db,
    /// What seals them.
    pub vault: Vault,
    /// The clock.
    pub clock: Clock,
}

impl Store {
    fn caller(&self) -> Caller {
        let run: Uuid = Ids.next();
        let now = self.clock.now();
        Caller::system("acme", Origin { request_id: run.to_string().into(), address: None, user_agent: None, now })
    }

    async fn load(&self, id: CertificateId) -> Result<Option<Vec<u8>>> {
        let tx = self.db.read(&self.caller()).await?;
        let row = tx.one(tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
        row.map(|row| Ok(self.vault.open(VALUE, id, &row.value)?.to_vec())).transpose()
    }

    async fn store(&self, id: CertificateId, value: &[u8]) -> Result<()> {
        let caller = self.caller();
        let tx = self.db.write(&caller).await?;
        let keep = "INSERT INTO certificates (id, value, updated_at) VALUES ($1, $2, $3)
                    ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
        let sealed = self.vault.seal(VALUE, id, value)?;
        tx.execute(keep, [Uuid::from(id).into(), sealed.into(), caller.now().into()]).await?;
        tx.commit(Unrecorded("whoever issues certificates records them publicly")).await
    }
}

/// The row of something, by what it is for.
fn row(kind: &str, names: &[String], directory: &str) -> CertificateId {
    let mut hash = Sha256::new();
    for part in [kind, directory].into_iter().chain(names.iter().map(String::as_str)) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut id = [0; 16];
    id.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    // As RFC 9562 has it for what others have made up.
    CertificateId(uuid::Builder::from_custom_bytes(id).into_uuid())
}

#[async_trait]
impl CertCache for Store {
    type EC = Error;

    async fn load_cert(&self, domains: &[String], directory: &str) -> Result<Option<Vec<u8>>> {
        self.load(row("certificate", domains, directory)).await
    }

    async fn store_cert(&self, domains: &[String], directory: &str, certificate: &[u8]) -> Result<()> {
        self.store(row("certificate", domains, directory), certificate).await
    }
}

#[async_trait]
impl AccountCache for Store {
    type EA = Error;

    async fn load_account(&self, contact: &[String], directory: &str) -> Result<Option<Vec<u8>>> {
        self.load(row("account", contact, directory)).await
    }

    async fn store_account(&self, contact: &[String], directory: &str, account: &[u8]) -> Result<()> {
        self.store(row("account", contact, directory), account).await
    }
}
