//! The keys that sign access tokens: made by the server, sealed in the database, published as a JWKS, each pinned to
//! one algorithm (SES-3). How a key comes, signs and goes is in `rotation`; here it is used.
//!
//! What an instance keeps of them is true as long as the notification channel proves that nothing has changed, like what
//! it keeps of sessions; a key that is distrusted on one instance is so on all.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, Guard};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entity::{Secrets, SigningKeyId, signing_keys as rows};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::rotation::{self, Previous, SigningKey};
use crate::{
    config,
    db::{Change, Changes, Db},
    error::{Code, Error, Result},
    runtime::{Clock, Ids, Timestamp},
    types::{Caller, Origin, Page, PageRequest},
    vault::{Field, Vault},
};

/// The private half of a signing key.
pub(super) const PRIVATE_KEY: Field<Secrets> = Field::new("signing_keys.private_key");
/// The `typ` of a signature beside a document.
pub const SIGNED_DOCUMENT: &str = "freehold-document";
/// How often a second unknown key ids make the keys be read again at most: one that another instance made a moment ago is
/// found, and a flood of invented ones is no flood for the database.
const LOOKS: u32 = 10;
/// How old what is kept may be, in milliseconds, while nothing proves that it is true. With the time for which a proof
/// counts it is less than the second of SES-4.
const UNPROVEN: u64 = 150;
/// When to come back while they can't be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long whoever asks for the published keys waits at most for the latest.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the clock is looked at for what is due, and how long to wait before the first new try.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait at most between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The keys in force.
#[derive(Clone)]
pub struct Keys {
    db: Db,
    vault: Vault,
    algorithm: config::Algorithm,
    set: Arc<ArcSwap<KeySet>>,
    changes: Changes,
    kept: Arc<Kept>,
}

/// How good what is kept is.
struct Kept {
    /// How many changes were heard of.
    heard: AtomicU64,
    /// How many of them what is kept is at least as new as.
    known: AtomicU64,
    /// How many readings failed.
    failed: AtomicU64,
    /// When the last reading began, in milliseconds since `started`.
    read_at: AtomicU64,
    started: Instant,
    /// Who reads the keys; the others wait for what it finds.
    turn: tokio::sync::Mutex<()>,
    /// The second since `started`, and how often the keys were read in it because of an unknown id.
    looks: Mutex<(u64, u32)>,
}

impl Kept {
    fn new() -> Self {
        Self {
            heard: AtomicU64::new(0),
            known: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
            started: Instant::now(),
            turn: tokio::sync::Mutex::default(),
            looks: Mutex::default(),
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether an unknown id may cost the database a look now.
    fn may_look(&self) -> bool {
        let second = self.elapsed() / 1000;
        let Ok(mut looks) = self.looks.lock() else { return false };
        if looks.0 != second {
            *looks = (second, 0);
        }
        looks.1 += 1;
        looks.1 <= LOOKS
    }
}

struct KeySet {
    signing: Option<(SigningKeyId, Algorithm, EncodingKey)>,
    verifying: HashMap<String, (Algorithm, DecodingKey)>,
    published: JwkSet,
    /// Every key that there ever was and that nobody distrusts: what was signed to be kept is verified when its key has
    /// long retired.
    kept: JwkSet,
    /// Every key that there ever was.
    ever: HashMap<String, (Algorithm, DecodingKey)>,
    /// When the next step in the life of one of them is due.
    due: Option<Timestamp>,
}

impl Keys {
    /// Reads the keys, and makes the first one, or the next one when another algorithm is configured.
    ///
    /// # Errors
    /// When the database is away, or a key was sealed under another root key.
    pub async fn open(
        db: Db,
        vault: Vault,
        algorithm: config::Algorithm,
        changes: Changes,
        origin: Origin,
    ) -> Result<Self> {
        let caller = Caller::system("keys", origin);
        rotation::ensure(&db, &vault, algorithm, &caller).await?;
        let kept = Arc::new(Kept::new());
        let heard = kept.clone();
        changes.on_change(move |change| {
            if matches!(change, Change::Keys | Change::Everything) {
                heard.heard.fetch_add(1, Ordering::SeqCst);
            }
        });
        let set = load(&db, &vault, &caller).await?;
        Ok(Self { db, vault, algorithm, set: Arc::new(ArcSwap::from_pointee(set)), changes, kept })
    }

    /// Reads the keys again: another instance changed them.
    ///
    /// # Errors
    /// When the database is away; the keys stay as they were.
    pub async fn reload(&self, origin: Origin) -> Result<()> {
        let _turn = self.kept.turn.lock().await;
        self.read(origin).await
    }

    /// The keys as they are, read again if that could be something else than what is kept.
    async fn current(&self, origin: &Origin) -> Result<Guard<Arc<KeySet>>> {
        if !self.is_current() {
            Box::pin(self.catch_up(origin)).await?;
        }
        Ok(self.set.load())
    }

    async fn catch_up(&self, origin: &Origin) -> Result<()> {
        let failed = self.kept.failed.load(Ordering::SeqCst);
        let _turn = self.kept.turn.lock().await;
        // Somebody else may have read them while this one waited for the turn, or found that it can't be done.
        if self.is_current() {
            return Ok(());
        }
        if self.kept.failed.load(Ordering::SeqCst) != failed {
            let reason = "the signing keys could not be read".to_owned();
            return Err(Error::Upstream { reason, retry_after: RETRY_AFTER });
        }
        self.read(origin.clone()).await
    }

    fn is_current(&self) -> bool {
        let kept = &self.kept;
        let proven = || self.changes.trusted();
        let young = || kept.elapsed().saturating_sub(kept.read_at.load(Ordering::Acquire)) < UNPROVEN;
        kept.heard.load(Ordering::SeqCst) == kept.known.load(Ordering::SeqCst) && (proven() || young())
    }

    /// To be called by whoever has the turn: an older reading must not come after a newer one. Who breaks off on the way
    /// leaves everything as it was.
    async fn read(&self, origin: Origin) -> Result<()> {
        let (begun, heard) = (self.kept.elapsed(), self.kept.heard.load(Ordering::SeqCst));
        let read = load(&self.db, &self.vault, &Caller::system("keys", origin)).await;
        let set = read.inspect_err(|_| {
            self.kept.failed.fetch_add(1, Ordering::SeqCst);
        })?;
        self.set.store(Arc::new(set));
        self.kept.known.store(heard, Ordering::SeqCst);
        self.kept.read_at.store(begun, Ordering::Release);
        Ok(())
    }

    /// Makes the next key now, whatever the age of the one that signs. See [`Previous`] for what becomes of that.
    ///
    /// # Errors
    /// `Conflict` with `operation_in_progress` while a next key is waiting already and those before stay good; `Invalid`
    /// at `/reason`.
    pub async fn rotate(&self, caller: &Caller, previous: Previous, reason: Option<&str>) -> Result<SigningKey> {
        let maker = rotation::Maker { vault: &self.vault, algorithm: self.algorithm };
        let made = rotation::rotate(&self.db, maker, caller, previous, reason).await?;
        self.reload(caller.origin.clone()).await?;
        Ok(made)
    }

    /// The keys that there are and were, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<SigningKey>> {
        rotation::list(&self.db.read(caller).await?, page).await
    }

    /// Takes the steps that are due: a next key signs, an old one goes, a new one is made.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tend(&self, origin: Origin) -> Result<()> {
        let caller = Caller::system("keys", origin.clone());
        rotation::tend(&self.db, &self.vault, self.algorithm, &caller).await?;
        self.reload(origin).await
    }

    /// Keeps the keys as they are in the database until `stop`: reads them again when `renewed` says so, as often as it
    /// takes, and takes the steps that are due.
    pub async fn run(self, renewed: Arc<Notify>, clock: Clock, stop: CancellationToken) {
        let (mut stale, mut pause) = (false, LOOK);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = renewed.notified() => stale = true,
                () = tokio::time::sleep(pause) => {}
            }
            match self.keep_up(stale, &clock).await {
                Ok(()) => (stale, pause) = (false, LOOK),
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    tracing::warn!(%error, ?pause, "the signing keys could not be brought up to date; trying again");
                }
            }
        }
    }

    async fn keep_up(&self, stale: bool, clock: &Clock) -> Result<()> {
        let run: uuid::Uuid = Ids.next();
        let now = clock.now();
        let origin = Origin { request_id: run.to_string().into(), address: None, user_agent: None, now };
        if stale {
            self.reload(origin.clone()).await?;
        }
        if self.set.load().due.is_some_and(|due| due <= now) { self.tend(origin).await } else { Ok(()) }
    }

    /// What seals them, and all else that sessions have to seal.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The public keys, for `/.well-known/jwks.json` (RFC 7517). Those that are kept while the database is away: whoever
    /// verifies tokens without us goes on.
    pub async fn published(&self, origin: &Origin) -> JwkSet {
        // The worker says what stands in the way.
        let _ = tokio::time::timeout(PATIENCE, self.current(origin)).await;
        self.set.load().published.clone()
    }

    /// The public halves of all keys that may have leaked from nobody, of those that have retired too. They verify what
    /// [`Self::sign_detached`] signed, and never a token.
    pub async fn kept(&self, origin: &Origin) -> JwkSet {
        let _ = tokio::time::timeout(PATIENCE, self.current(origin)).await;
        self.set.load().kept.clone()
    }

    /// Reads the keys again if something may have changed. To be asked before a transaction in which something is signed.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn caught_up(&self, origin: &Origin) -> Result<()> {
        self.current(origin).await.map(drop)
    }

    /// Whether this key verifies tokens now.
    ///
    /// # Errors
    /// When that can't be found out.
    pub async fn verifies(&self, key: &str, origin: &Origin) -> Result<bool> {
        Ok(self.current(origin).await?.verifying.contains_key(key))
    }

    /// Signs claims with the active key.
    ///
    /// # Errors
    /// `Internal` when there is no active key; when which it is can't be found out.
    pub async fn sign(&self, claims: &(impl Serialize + Sync), origin: &Origin) -> Result<String> {
        let set = self.current(origin).await?;
        let (id, algorithm, key) = set.signing.as_ref().ok_or_else(|| Error::internal("no active signing key"))?;
        let header = Header { kid: Some(id.to_string()), typ: Some("at+jwt".to_owned()), ..Header::new(*algorithm) };
        jsonwebtoken::encode(&header, claims, key).map_err(Error::internal)
    }

    /// Signs a document that leaves beside its signature: a detached JWS (RFC 7515, appendix F), whose payload is the
    /// document's bytes. The header names the type of content and when it was signed. Its `typ` keeps it from being
    /// taken for a token, and a token for a signature.
    ///
    /// # Errors
    /// `Internal` when there is no active key.
    pub fn sign_detached(&self, content: &str, bytes: &[u8], now: Timestamp) -> Result<String> {
        let set = self.set.load();
        let (id, algorithm, key) = set.signing.as_ref().ok_or_else(|| Error::internal("no active signing key"))?;
        let header = json!({
            "alg": algorithm, "cty": content, "iat": now.timestamp(), "kid": id.to_string(), "typ": SIGNED_DOCUMENT,
        });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), key, *algorithm).map_err(Error::internal)?;
        Ok(format!("{header}..{signature}"))
    }

    /// Signs what leaves together with its signature: a compact JWS (RFC 7515) of its own `typ`, for the same reason.
    ///
    /// # Errors
    /// `Internal` when there is no active key.
    pub fn sign_attached(&self, typ: &str, bytes: &[u8], now: Timestamp) -> Result<String> {
        let set = self.set.load();
        let (id, algorithm, key) = set.signing.as_ref().ok_or_else(|| Error::internal("no active signing key"))?;
        let header = json!({"alg": algorithm, "iat": now.timestamp(), "kid": id.to_string(), "typ": typ});
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(bytes));
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), key, *algorithm).map_err(Error::internal)?;
        Ok(format!("{input}.{signature}"))
    }

    /// The public half of a key, whatever has become of it since, also when it is distrusted. Never to let anybody in.
    pub fn ever(&self, key: &str) -> Option<(Algorithm, DecodingKey)> {
        self.set.load().ever.get(key).cloned()
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
        if !self.verifies(&kid, origin).await? && uuid::Uuid::parse_str(&kid).is_ok() && self.kept.may_look() {
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

async fn load(db: &Db, vault: &Vault, caller: &Caller) -> Result<KeySet> {
    let (live, kept) = {
        let tx = db.read(caller).await?;
        (rotation::live(&tx).await?, rotation::every(&tx).await?)
    };
    let due = rotation::due(&live);
    let ever = kept.iter().map(|row| Ok((row.id.to_string(), public_half(row)?))).collect::<Result<_>>()?;
    let trusted = kept.into_iter().filter(|row| row.distrusted_at.is_none());
    let kept = trusted.map(|row| serde_json::from_value(row.public_jwk).map_err(Error::internal));
    let (kept, published) = (JwkSet { keys: kept.collect::<Result<_>>()? }, JwkSet { keys: Vec::new() });
    let mut set = KeySet { signing: None, verifying: HashMap::new(), published, kept, ever, due };
    for row in live {
        let algorithm: config::Algorithm = row.algorithm.parse().map_err(Error::internal)?;
        let jwk: Jwk = serde_json::from_value(row.public_jwk).map_err(Error::internal)?;
        let public = DecodingKey::from_jwk(&jwk).map_err(Error::internal)?;
        set.verifying.insert(row.id.to_string(), (jws(algorithm), public));
        set.published.keys.push(jwk);
        if row.state == rows::State::Active {
            let sealed =
                row.private_key.ok_or_else(|| Error::internal("the active signing key has no private half"))?;
            let private = vault.open(PRIVATE_KEY, row.id, &sealed)?;
            set.signing = Some((row.id, jws(algorithm), encoding_key(algorithm, &private)?));
        }
    }
    Ok(set)
}

fn public_half(row: &rows::Model) -> Result<(Algorithm, DecodingKey)> {
    let algorithm: config::Algorithm = row.algorithm.parse().map_err(Error::internal)?;
    let jwk: Jwk = serde_json::from_value(row.public_jwk.clone()).map_err(Error::internal)?;
    Ok((jws(algorithm), DecodingKey::from_jwk(&jwk).map_err(Error::internal)?))
}

pub(super) const fn jws(algorithm: config::Algorithm) -> Algorithm {
    match algorithm {
        config::Algorithm::Es256 => Algorithm::ES256,
        config::Algorithm::Rs256 => Algorithm::RS256,
        config::Algorithm::EdDsa => Algorithm::EdDSA,
    }
}

pub(super) fn encoding_key(algorithm: config::Algorithm, private: &[u8]) -> Result<EncodingKey> {
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
