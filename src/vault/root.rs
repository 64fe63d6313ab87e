//! The root key, which wraps the data keys and does nothing else. It comes from outside and is never in the database.

use std::sync::Arc;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Transit,
    format::{IV, TAG},
};
use crate::{
    config::SecretBytes,
    error::{Error, Result},
    runtime::Entropy,
};

/// What a data key is wrapped as: it can't be taken for another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrapping<'a> {
    pub id: Uuid,
    pub scope: &'a str,
    pub version: i32,
}

impl Wrapping<'_> {
    fn fault(&self, why: &str) -> Error {
        let Self { id, scope, version } = self;
        Error::internal(format!("the data key {id} ({scope}, version {version}) can't be unwrapped: {why}"))
    }

    fn context(&self) -> Vec<u8> {
        let mut context = b"freehold data key".to_vec();
        context.extend_from_slice(self.id.as_bytes());
        context.extend_from_slice(&self.version.to_be_bytes());
        context.extend_from_slice(self.scope.as_bytes());
        context
    }
}

/// The root keys at hand: the one in use, and while it is being changed the one before.
#[derive(Clone)]
pub struct Root {
    present: Wrapper,
    previous: Option<Local>,
    entropy: Entropy,
}

/// What keeps a root key.
#[derive(Clone)]
pub enum Wrapper {
    /// This process.
    Local(Local),
    /// A Transit engine, which never gives it out.
    Transit(Box<Transit>),
}

/// Who keeps the root key in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custodian {
    /// The servers, each of which was given it.
    Server,
    /// A Transit engine.
    Transit,
}

/// A root key that this process holds.
#[derive(Clone)]
pub struct Local {
    id: [u8; 16],
    key: Arc<SecretBytes>,
}

impl Root {
    /// The root key in use, and the one before it if there still are keys that it wrapped.
    pub fn new(present: Wrapper, previous: Option<SecretBytes>) -> Self {
        Self { present, previous: previous.map(Local::new), entropy: Entropy }
    }

    /// Says which root key it is and nothing about the key itself.
    pub fn id(&self) -> [u8; 16] {
        match &self.present {
            Wrapper::Local(local) => local.id,
            Wrapper::Transit(transit) => transit.id(),
        }
    }

    /// The same as text, for people.
    pub fn name(&self) -> String {
        name(&self.id())
    }

    /// Who keeps it.
    pub const fn custodian(&self) -> Custodian {
        match &self.present {
            Wrapper::Local(_) => Custodian::Server,
            Wrapper::Transit(_) => Custodian::Transit,
        }
    }

    /// Whether whoever keeps the root key does what it should.
    ///
    /// # Errors
    /// With a text for the operator when it does not.
    pub async fn check(&self) -> Result<()> {
        match &self.present {
            Wrapper::Local(_) => Ok(()),
            Wrapper::Transit(transit) => transit.check().await,
        }
    }

    /// The key in use if this process holds it, for what is made of it once: the key that others are derived from.
    pub(super) fn key(&self) -> Option<&[u8]> {
        match &self.present {
            Wrapper::Local(local) => Some(local.key.expose()),
            Wrapper::Transit(_) => None,
        }
    }

    /// The key that an installation worked with before it had data keys, and its id.
    pub(super) fn legacy(&self) -> Option<(&[u8], [u8; 16])> {
        let present = match &self.present {
            Wrapper::Local(local) => Some(local),
            Wrapper::Transit(_) => None,
        };
        self.previous.as_ref().or(present).map(|local| (local.key.expose(), local.id))
    }

    pub(super) async fn wrap(&self, what: Wrapping<'_>, key: &[u8]) -> Result<Vec<u8>> {
        match &self.present {
            Wrapper::Local(local) => local.wrap(what, key, self.entropy),
            Wrapper::Transit(transit) => transit.wrap(key, &what.context()).await,
        }
    }

    pub(super) async fn unwrap(&self, what: Wrapping<'_>, root: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let previous = self.previous.as_ref().filter(|local| local.id == root);
        match (&self.present, previous) {
            (Wrapper::Local(local), _) if local.id == root => local.unwrap(what, wrapped),
            (Wrapper::Transit(transit), _) if transit.id() == root => transit.unwrap(wrapped, &what.context()).await,
            (_, Some(local)) => local.unwrap(what, wrapped),
            _ => Err(what.fault(&format!(
                "it was wrapped by the root key {}, and the one configured is {}",
                name(root),
                self.name()
            ))),
        }
    }
}

impl Local {
    /// This key.
    pub fn new(key: SecretBytes) -> Self {
        let digest = Sha256::new().chain_update(b"freehold key id").chain_update(key.expose()).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        Self { id, key: Arc::new(key) }
    }

    fn wrap(&self, what: Wrapping<'_>, key: &[u8], entropy: Entropy) -> Result<Vec<u8>> {
        let iv = entropy.bytes::<IV>()?;
        let wrapped = self.cipher()?.encrypt((&iv).into(), Payload { msg: key, aad: &what.context() });
        let wrapped = wrapped.map_err(|_| Error::internal("wrapping a data key failed"))?;
        Ok([iv.as_slice(), &wrapped].concat())
    }

    fn unwrap(&self, what: Wrapping<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (iv, sealed) = wrapped.split_first_chunk::<IV>().ok_or_else(|| what.fault("it is cut short"))?;
        if sealed.len() < TAG {
            return Err(what.fault("it is cut short"));
        }
        let key = self.cipher()?.decrypt(iv.into(), Payload { msg: sealed, aad: &what.context() });
        key.map(Zeroizing::new).map_err(|_| what.fault("it was changed since it was wrapped"))
    }

    fn cipher(&self) -> Result<Aes256Gcm> {
        let mut key = Zeroizing::new([0; 32]);
        derive(self.key.expose(), "wrap data keys", key.as_mut())?;
        Aes256Gcm::new_from_slice(key.as_ref()).map_err(Error::internal)
    }
}

/// A key for one purpose, by HKDF-SHA256 (RFC 5869).
pub(super) fn derive(from: &[u8], purpose: &str, key: &mut [u8]) -> Result<()> {
    Hkdf::<Sha256>::new(Some(b"freehold"), from).expand(purpose.as_bytes(), key).map_err(Error::internal)
}

fn name(id: &[u8]) -> String {
    id.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8, previous: Option<u8>) -> Root {
        let key = |byte| SecretBytes::new(vec![byte; 32]);
        Root::new(Wrapper::Local(Local::new(key(byte))), previous.map(key))
    }

    /// Proves DAT-5.
    #[tokio::test]
    async fn a_data_key_is_unwrapped_by_its_root_key_as_what_it_is() {
        let what = Wrapping { id: Uuid::from_u128(1), scope: "pii", version: 1 };
        let wrapped = root(1, None).wrap(what, &[7; 32]).await.unwrap();
        let id = root(1, None).id();
        assert_eq!(*root(1, None).unwrap(what, &id, &wrapped).await.unwrap(), [7; 32]);
        assert_eq!(*root(2, Some(1)).unwrap(what, &id, &wrapped).await.unwrap(), [7; 32]);
        for other in [
            Wrapping { id: Uuid::from_u128(2), ..what },
            Wrapping { scope: "mfa", ..what },
            Wrapping { version: 2, ..what },
        ] {
            assert!(root(1, None).unwrap(other, &id, &wrapped).await.is_err());
        }
        let refused = root(2, None).unwrap(what, &id, &wrapped).await.err().unwrap().to_string();
        assert!(refused.contains(&name(&id)) && refused.contains(&root(2, None).name()), "{refused}");
        assert!(root(1, None).unwrap(what, &id, &wrapped[..20]).await.is_err());
        let mut changed = wrapped;
        changed[20] ^= 1;
        assert!(root(1, None).unwrap(what, &id, &changed).await.is_err());
    }
}
