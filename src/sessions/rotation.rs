//! The life of a signing key (SES-3): pending, active, retiring, retired.
//!
//! A key is published before it signs, long enough for every verifier that keeps the published keys to have fetched
//! them again; it stays published after it has stopped to sign, until the last token that it signed has expired. Each
//! step is taken once, by whichever instance gets there first, and the others are notified. Instances that are
//! configured differently do not take turns: a key of another algorithm is made when a server starts, and not while the
//! newest key is itself still being handed round. A key that may have leaked skips what is left of its life.

use aws_lc_rs::{encoding::AsDer, rand::SystemRandom, rsa, signature};
use chrono::TimeDelta;
use entity::{SigningKeyId, signing_keys as rows};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use zeroize::Zeroizing;

use super::keys::{PRIVATE_KEY, encoding_key, jws};
use crate::{
    audit::{Event, Kind},
    config,
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    runtime::{Ids, Timestamp},
    types::{Caller, Page, PageRequest, single_line},
    vault::Vault,
};

/// How long verifiers may keep the published keys, in seconds: the `max-age` of the key set.
pub const CACHE_SECONDS: u32 = 300;
/// How long a key is published before it signs: twice as long as verifiers may keep what they have.
const STAGE: TimeDelta = TimeDelta::minutes(10);
/// How long a key verifies after it has stopped to sign: the longest that `tokens.access_lifetime` can be, and some
/// minutes for clocks.
const RETENTION: TimeDelta = TimeDelta::minutes(65);
/// The age at which a key is followed by the next (SES-3).
const ROTATION: TimeDelta = TimeDelta::days(90);

/// The longest reason in characters.
const LONGEST_REASON: usize = 500;

/// The lock under which keys change.
const LOCK: &str = "signing_keys";

/// What becomes of the keys before, when the next one is made on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previous {
    /// They stay good: the next key signs once verifiers have had the time to fetch it, and what the one before it signed
    /// counts until it expires. Nobody notices.
    Good,
    /// None of them counts any more, from the commit on and on every instance: one may have leaked. The next key signs at
    /// once. Every access token is void; sessions go on by their refresh tokens.
    Distrusted,
}

/// A key, and when it does what.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// Its id: the `kid` of what it signs.
    pub id: SigningKeyId,
    /// What it signs by.
    pub algorithm: String,
    /// Where it is in its life.
    pub state: rows::State,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// When it will begin to sign, if it has not.
    pub signs_from: Option<Timestamp>,
    /// When it ceased to sign, or will.
    pub signs_until: Option<Timestamp>,
    /// When it ceased to be published, or will, if that is known.
    pub published_until: Option<Timestamp>,
    /// When it was distrusted, if it was.
    pub distrusted_at: Option<Timestamp>,
}

impl SigningKey {
    /// `live` are those that are published, the newest first.
    fn of(row: rows::Model, live: &[rows::Model]) -> Self {
        let waiting = live.iter().find(|row| row.state == rows::State::Pending).and_then(step);
        let by_age = row.created_at + ROTATION + STAGE;
        let signs_until = match row.state {
            rows::State::Pending => None,
            rows::State::Active => Some(waiting.unwrap_or(by_age)),
            rows::State::Retiring | rows::State::Retired => row.retired_at,
        };
        let retires = match row.state {
            rows::State::Retiring | rows::State::Retired => row.retired_at.map(|at| at + RETENTION),
            rows::State::Pending | rows::State::Active => None,
        };
        Self {
            id: row.id,
            signs_from: if row.state == rows::State::Pending { step(&row) } else { None },
            signs_until,
            published_until: row.distrusted_at.or(retires),
            algorithm: row.algorithm,
            state: row.state,
            created_at: row.created_at,
            distrusted_at: row.distrusted_at,
        }
    }
}

/// Those that are published, the newest first.
pub(super) async fn live(tx: &Tx) -> Result<Vec<rows::Model>> {
    let live = tx.find_identity::<rows::Entity>().filter(rows::Column::State.ne(rows::State::Retired));
    tx.all(live.order_by_desc(rows::Column::Id)).await
}

/// All keys, those that have retired too, the newest first: four a year, and one for each rotation on demand.
pub(super) async fn every(tx: &Tx) -> Result<Vec<rows::Model>> {
    tx.all(tx.find_identity::<rows::Entity>().order_by_desc(rows::Column::Id)).await
}

/// When the next step of one of these is due.
pub(super) fn due(live: &[rows::Model]) -> Option<Timestamp> {
    let next = live.first().map(|newest| newest.created_at + ROTATION);
    live.iter().filter_map(step).chain(next).min()
}

/// When a key is to become what comes after.
fn step(row: &rows::Model) -> Option<Timestamp> {
    match row.state {
        rows::State::Pending => Some(row.created_at + STAGE),
        rows::State::Retiring => row.retired_at.map(|at| at + RETENTION),
        rows::State::Active | rows::State::Retired => None,
    }
}

/// Makes sure that there is a key, and that the next one is of the configured algorithm. Instances that start together
/// wait for each other.
pub(super) async fn ensure(db: &Db, vault: &Vault, algorithm: config::Algorithm, caller: &Caller) -> Result<()> {
    let (tx, mut events) = begin(db, caller).await?;
    match live(&tx).await?.first() {
        // Nobody has kept any keys yet that it could be missing from.
        None => events.push(create(&tx, vault, algorithm, rows::State::Active).await?),
        Some(newest) if newest.algorithm == algorithm.as_str() => {}
        Some(newest) if caller.now() - newest.created_at < STAGE => tracing::warn!(
            configured = algorithm.as_str(), newest = newest.algorithm, made_at = %newest.created_at,
            "the newest signing key has another algorithm than tokens.algorithm and was made a few minutes ago; it stays. \
             Configure all instances alike, and start one again in ten minutes for a key of the other algorithm",
        ),
        Some(_) => events.push(create(&tx, vault, algorithm, rows::State::Pending).await?),
    }
    finish(tx, events).await
}

/// Takes the steps that are due.
pub(super) async fn tend(db: &Db, vault: &Vault, algorithm: config::Algorithm, caller: &Caller) -> Result<()> {
    let (tx, mut events) = begin(db, caller).await?;
    if live(&tx).await?.first().is_none_or(|newest| newest.created_at + ROTATION <= caller.now()) {
        events.push(create(&tx, vault, algorithm, rows::State::Pending).await?);
    }
    finish(tx, events).await
}

/// What makes keys.
pub(super) struct Maker<'a> {
    pub(super) vault: &'a Vault,
    pub(super) algorithm: config::Algorithm,
}

/// Makes the next key on demand, and says what becomes of those before.
pub(super) async fn rotate(
    db: &Db,
    maker: Maker<'_>,
    caller: &Caller,
    previous: Previous,
    reason: Option<&str>,
) -> Result<SigningKey> {
    let wrong = || Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"));
    let reason = reason.map(|reason| single_line(reason, LONGEST_REASON).ok_or_else(wrong)).transpose()?;
    let (tx, mut events) = begin(db, caller).await?;
    let before = live(&tx).await?;
    let state = match previous {
        Previous::Good if before.iter().any(|row| row.state == rows::State::Pending) => {
            return Err(Error::Conflict(Code::OperationInProgress));
        }
        Previous::Good => rows::State::Pending,
        Previous::Distrusted => {
            for row in &before {
                events.push(distrust(&tx, row).await?);
            }
            rows::State::Active
        }
    };
    let created = create(&tx, maker.vault, maker.algorithm, state).await?;
    events.push(match reason {
        Some(reason) => created.with_personal("reason", reason),
        None => created,
    });
    let now = live(&tx).await?;
    let made = now.first().ok_or_else(|| Error::internal("the key that was made is not there"))?;
    if state == rows::State::Active {
        events.push(Event::new(Kind::SigningKeyActivated, made.id).with("algorithm", made.algorithm.as_str()));
    }
    let made = SigningKey::of(made.clone(), &now);
    tx.commit(events).await?;
    Ok(made)
}

/// Ends a key before its time: it signs nothing more, and nobody believes what it signed.
async fn distrust(tx: &WriteTx, row: &rows::Model) -> Result<Event> {
    let now = tx.caller().now();
    let mut gone = row.clone().into_active_model();
    gone.state = Set(rows::State::Retired);
    gone.retired_at = Set(Some(row.retired_at.unwrap_or(now)));
    gone.distrusted_at = Set(Some(now));
    gone.private_key = Set(None);
    tx.update(gone).await?;
    Ok(Event::new(Kind::SigningKeyDistrusted, row.id).with("algorithm", row.algorithm.as_str()))
}

/// The keys that there are and were, newest first.
pub(super) async fn list(tx: &Tx, page: PageRequest) -> Result<Page<SigningKey>> {
    let live = live(tx).await?;
    let page = tx.page(tx.find_identity::<rows::Entity>(), rows::Column::Id, |row| row.id.into(), page).await?;
    Ok(page.map(|row| SigningKey::of(row, &live)))
}

/// A transaction that nobody else changes keys beside, and in which every key has come as far as its time has.
async fn begin(db: &Db, caller: &Caller) -> Result<(WriteTx, Vec<Event>)> {
    let tx = db.write(caller).await?;
    tx.lock(LOCK).await?;
    let mut events = Vec::new();
    let now = caller.now();
    let live = live(&tx).await?;
    for row in live.iter().filter(|row| step(row).is_some_and(|at| at <= now)) {
        match row.state {
            rows::State::Pending => {
                for active in live.iter().filter(|row| row.state == rows::State::Active) {
                    let mut active = active.clone().into_active_model();
                    active.state = Set(rows::State::Retiring);
                    active.retired_at = Set(Some(now));
                    tx.update(active).await?;
                }
                move_on(&tx, row, rows::State::Active).await?;
                events.push(Event::new(Kind::SigningKeyActivated, row.id).with("algorithm", row.algorithm.as_str()));
            }
            _ => {
                move_on(&tx, row, rows::State::Retired).await?;
                events.push(Event::new(Kind::SigningKeyRetired, row.id).with("algorithm", row.algorithm.as_str()));
            }
        }
    }
    Ok((tx, events))
}

async fn move_on(tx: &WriteTx, row: &rows::Model, state: rows::State) -> Result<()> {
    let mut row = row.clone().into_active_model();
    row.state = Set(state);
    if state == rows::State::Retired {
        // It signs nothing any more, and nothing sealed needs it.
        row.private_key = Set(None);
    }
    tx.update(row).await?;
    Ok(())
}

async fn finish(tx: WriteTx, events: Vec<Event>) -> Result<()> {
    match events.is_empty() {
        true => tx.commit(Unrecorded("nothing was changed")).await,
        false => tx.commit(events).await,
    }
}

async fn create(tx: &WriteTx, vault: &Vault, algorithm: config::Algorithm, state: rows::State) -> Result<Event> {
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
        private_key: Some(vault.seal(PRIVATE_KEY, id, &private)?),
        state,
        created_at: tx.caller().now(),
        retired_at: None,
        distrusted_at: None,
    };
    tx.insert(rows::ActiveModel::from(row)).await?;
    Ok(Event::new(Kind::SigningKeyCreated, id).with("algorithm", algorithm.as_str()))
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
