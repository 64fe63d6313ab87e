//! The keys that sign access tokens: made by the server, sealed in the database, published as a JWKS, each pinned to
//! one algorithm (SES-3).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use aws_lc_rs::{encoding::AsDer, rand::SystemRandom, rsa, signature};
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::{SigningKeyId, signing_keys as rows};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    audit::{Event, Kind},
    config,
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    runtime::{Ids, Timestamp},
    types::{Caller, Origin},
    vault::{Place, Scope, Vault},
};

/// How often at most an unknown key id makes the keys be read again, in seconds.
const RELOAD: i64 = 1;

/// The keys in force.
#[derive(Clone)]
pub struct Keys {
    db: Db,
    vault: Vault,
    set: Arc<ArcSwap<KeySet>>,
    loaded: Arc<AtomicI64>,
}

struct KeySet {
    signing: Option<(SigningKeyId, Algorithm, EncodingKey)>,
    verifying: HashMap<String, (Algorithm, DecodingKey)>,
    published: JwkSet,
}

impl Keys {
    /// Reads the keys, and makes the first one, or one of the newly configured algorithm.
    ///
    /// # Errors
    /// When the database is away, or a key was sealed under another root key.
    pub async fn open(db: Db, vault: Vault, algorithm: config::Algorithm, origin: Origin) -> Result<Self> {
        let caller = Caller::system("keys", origin);
        ensure(&db, &vault, algorithm, &caller).await?;
        let set = load(&db, &vault, &caller).await?;
        let loaded = Arc::new(AtomicI64::new(caller.now().timestamp()));
        Ok(Self { db, vault, set: Arc::new(ArcSwap::from_pointee(set)), loaded })
    }

    /// Reads the keys again: another instance changed them.
    ///
    /// # Errors
    /// When the database is away; the keys stay as they were.
    pub async fn reload(&self, origin: Origin) -> Result<()> {
        self.loaded.store(origin.now.timestamp(), Ordering::Relaxed);
        let set = load(&self.db, &self.vault, &Caller::system("keys", origin)).await?;
        self.set.store(Arc::new(set));
        Ok(())
    }

    /// The public keys, for `/.well-known/jwks.json` (RFC 7517).
    pub fn published(&self) -> JwkSet {
        self.set.load().published.clone()
    }

    /// Signs claims with the active key.
    ///
    /// # Errors
    /// `Internal` when there is no active key.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let set = self.set.load();
        let (id, algorithm, key) = set.signing.as_ref().ok_or_else(|| Error::internal("no active signing key"))?;
        let header = Header { kid: Some(id.to_string()), typ: Some("at+jwt".to_owned()), ..Header::new(*algorithm) };
        jsonwebtoken::encode(&header, claims, key).map_err(Error::internal)
    }

    /// The claims of a token that one of the keys signed for this issuer and audience. Time is the caller's to check:
    /// it has the request's clock.
    ///
    /// # Errors
    /// `Unauthenticated` for anything else, without saying why.
    pub async fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        issuer: &str,
        audience: &str,
        origin: &Origin,
    ) -> Result<T> {
        let refused = || Error::Unauthenticated(Code::Unauthenticated);
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
        let kid = header.kid.ok_or_else(refused)?;
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(refused());
        }
        if !self.set.load().verifying.contains_key(&kid)
            && origin.now.timestamp() - self.loaded.load(Ordering::Relaxed) >= RELOAD
        {
            self.reload(origin.clone()).await?;
        }
        let set = self.set.load();
        let (algorithm, key) = set.verifying.get(&kid).ok_or_else(refused)?;
        let mut validation = Validation::new(*algorithm);
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        jsonwebtoken::decode(token, key, &validation).map(|data| data.claims).map_err(|_| refused())
    }
}

/// Makes sure that there is an active key of the configured algorithm. Instances that start together wait for each
/// other.
async fn ensure(db: &Db, vault: &Vault, algorithm: config::Algorithm, caller: &Caller) -> Result<()> {
    let tx = db.write(caller).await?;
    tx.lock("signing_keys").await?;
    let active = tx.find_identity::<rows::Entity>().filter(rows::Column::State.eq(rows::State::Active));
    if let Some(active) = tx.one(active).await? {
        if active.algorithm == algorithm.as_str() {
            return tx.commit(Unrecorded("nothing was changed")).await;
        }
        let mut active = active.into_active_model();
        active.state = Set(rows::State::Retiring);
        active.retired_at = Set(Some(caller.now()));
        tx.update(active).await?;
    }
    let id = create(&tx, vault, algorithm, caller.now()).await?;
    tx.commit(Event::new(Kind::SigningKeyCreated, id).with("algorithm", algorithm.as_str())).await
}

async fn create(tx: &WriteTx, vault: &Vault, algorithm: config::Algorithm, now: Timestamp) -> Result<SigningKeyId> {
    let id: SigningKeyId = Ids.next();
    let private = generate(algorithm)?;
    let key = encoding_key(algorithm, &private)?;
    let mut jwk = Jwk::from_encoding_key(&key, jws(algorithm)).map_err(Error::internal)?;
    jwk.common.key_id = Some(id.to_string());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let row = rows::Model {
        id,
        algorithm: algorithm.as_str().to_owned(),
        public_jwk: serde_json::to_value(&jwk).map_err(Error::internal)?,
        private_key: vault.seal(place(id), &private)?,
        state: rows::State::Active,
        created_at: now,
        retired_at: None,
    };
    tx.insert(rows::ActiveModel::from(row)).await?;
    Ok(id)
}

async fn load(db: &Db, vault: &Vault, caller: &Caller) -> Result<KeySet> {
    let tx: Tx = db.read(caller).await?;
    let live = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::State.ne(rows::State::Retired))
        .order_by_desc(rows::Column::Id);
    let mut set = KeySet { signing: None, verifying: HashMap::new(), published: JwkSet { keys: Vec::new() } };
    for row in tx.all(live).await? {
        let algorithm: config::Algorithm = row.algorithm.parse().map_err(Error::internal)?;
        let jwk: Jwk = serde_json::from_value(row.public_jwk).map_err(Error::internal)?;
        let public = DecodingKey::from_jwk(&jwk).map_err(Error::internal)?;
        set.verifying.insert(row.id.to_string(), (jws(algorithm), public));
        set.published.keys.push(jwk);
        if row.state == rows::State::Active {
            let private = vault.open(place(row.id), &row.private_key)?;
            set.signing = Some((row.id, jws(algorithm), encoding_key(algorithm, &private)?));
        }
    }
    Ok(set)
}

fn place(id: SigningKeyId) -> Place {
    Place { scope: Scope::Secrets, field: "signing_keys.private_key", row: id.into() }
}

const fn jws(algorithm: config::Algorithm) -> Algorithm {
    match algorithm {
        config::Algorithm::Es256 => Algorithm::ES256,
        config::Algorithm::Rs256 => Algorithm::RS256,
        config::Algorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// A new private key in PKCS#8. RSA has 3072 bits: 128 bits of strength (NIST SP 800-57 part 1, table 2).
fn generate(algorithm: config::Algorithm) -> Result<Zeroizing<Vec<u8>>> {
    let random = SystemRandom::new();
    let key = match algorithm {
        config::Algorithm::Es256 => {
            let key = signature::EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random);
            key.map_err(Error::internal)?.as_ref().to_vec()
        }
        config::Algorithm::EdDsa => {
            signature::Ed25519KeyPair::generate_pkcs8v1(&random).map_err(Error::internal)?.as_ref().to_vec()
        }
        config::Algorithm::Rs256 => {
            let key = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map_err(Error::internal)?;
            key.as_der().map_err(Error::internal)?.as_ref().to_vec()
        }
    };
    Ok(Zeroizing::new(key))
}

fn encoding_key(algorithm: config::Algorithm, private: &[u8]) -> Result<EncodingKey> {
    match algorithm {
        config::Algorithm::Es256 => Ok(EncodingKey::from_ec_der(private)),
        config::Algorithm::EdDsa => Ok(EncodingKey::from_ed_der(private)),
        // The library takes RSA in PKCS#1 when it is DER, but PKCS#8 when it is PEM.
        config::Algorithm::Rs256 => {
            let pem = Zeroizing::new(format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                STANDARD.encode(private)
            ));
            EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)
        }
    }
}
