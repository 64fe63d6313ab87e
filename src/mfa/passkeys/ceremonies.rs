//! Ceremonies: what an authenticator is asked to sign waits here for the answer, which ends it, right or wrong. Each is
//! bound to where it was begun; of what it is bound to only a hash is stored.

use entity::{AccountId, ChallengeId, SessionId, sessions::Delivery};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Asked, LASTS};
use crate::{
    config::SecretString,
    db::WriteTx,
    error::{Code, Error, Result},
    runtime::Timestamp,
    sessions::hash,
};

/// What it is for, and what it is bound to.
#[derive(Clone, Copy)]
pub enum Purpose<'a> {
    /// A new passkey, in this session.
    Register(SessionId),
    /// A sign-in by a passkey alone, by whoever has this token and brings it in the vessel that it was given in.
    SignIn(&'a SecretString, Delivery),
    /// The answer to a challenge.
    SecondFactor(ChallengeId),
    /// The proof of who is signed in, in this session.
    Reauthenticate(SessionId),
}

impl Purpose<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::SignIn(..) => "sign_in",
            Self::SecondFactor(_) => "second_factor",
            Self::Reauthenticate(_) => "reauthenticate",
        }
    }

    fn bound_to(self) -> Vec<u8> {
        match self {
            Self::Register(session) | Self::Reauthenticate(session) => hash(&session.to_string()),
            Self::SignIn(token, Delivery::Cookie) => hash(&format!("cookie {}", token.expose())),
            Self::SignIn(token, Delivery::Body) => hash(&format!("body {}", token.expose())),
            Self::SecondFactor(challenge) => hash(&challenge.to_string()),
        }
    }
}

const BEGIN: &str = "
    INSERT INTO passkey_ceremonies (purpose, bound_to, account_id, state, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (purpose, bound_to) DO UPDATE
    SET state = excluded.state, created_at = excluded.created_at, expires_at = excluded.expires_at";

/// Keeps what the answer is held against, in the place of what was begun there before. Returns until when.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &WriteTx, purpose: Purpose<'_>, account: Option<AccountId>, asked: &Asked) -> Result<Timestamp> {
    let now = tx.caller().now();
    let values: [sea_orm::Value; 6] = [
        purpose.as_str().into(),
        purpose.bound_to().into(),
        account.map(Uuid::from).into(),
        asked.state.as_str().into(),
        now.into(),
        (now + LASTS).into(),
    ];
    tx.execute(BEGIN, values).await?;
    Ok(now + LASTS)
}

#[derive(FromQueryResult)]
struct Taken {
    state: String,
    expires_at: Timestamp,
}

const TAKE: &str = "DELETE FROM passkey_ceremonies WHERE purpose = $1 AND bound_to = $2 RETURNING state, expires_at";

/// Ends a ceremony, and gives what its answer is held against. Of two who answer at the same moment, the second finds it
/// gone.
///
/// # Errors
/// `Conflict` with `passkey_ceremony_not_valid` when there is none, or it was begun too long ago.
pub async fn take(tx: &WriteTx, purpose: Purpose<'_>) -> Result<String> {
    let taken: Vec<Taken> = tx.query(TAKE, [purpose.as_str().into(), purpose.bound_to().into()]).await?;
    let valid = taken.into_iter().find(|taken| taken.expires_at > tx.caller().now());
    valid.map(|taken| taken.state).ok_or(Error::Conflict(Code::PasskeyCeremonyNotValid))
}

pub(in crate::mfa) const FORGET: &str = "DELETE FROM passkey_ceremonies WHERE account_id = $1";
/// Removes those that nobody has ended in time.
pub(in crate::mfa) const CLEAN_UP: &str = "
    DELETE FROM passkey_ceremonies WHERE (purpose, bound_to) IN (
        SELECT purpose, bound_to FROM passkey_ceremonies WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";
