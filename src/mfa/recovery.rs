//! Recoveries of a lost second factor: asked for by somebody who gave the right password, and completed with a token that
//! went to the recovery address (MFA-7). Only hashes of tokens are stored; one request of an account is open.

use chrono::TimeDelta;
use entity::{AccountId, RecoveryRequestId, recovery_requests as rows};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::SelectStatement};
use uuid::Uuid;

pub use entity::recovery_requests::{Approval, Model as Request};

use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::{Entropy, Ids, Timestamp},
    sessions::{hash, opaque},
    types::{Page, PageRequest},
};

/// The prefixes of the tokens that complete one and stop one, for people and secret scanners.
const PREFIX: &str = "fhl_";
const STOP_PREFIX: &str = "fhx_";
/// How long the token works, from the moment from which it does.
pub const LASTS: TimeDelta = TimeDelta::hours(24);
/// How long one waits for an administrator.
pub const WAITS: TimeDelta = TimeDelta::days(7);
/// How many an account may ask for in a [`DAY`].
const MOST: usize = 3;
const DAY: TimeDelta = TimeDelta::days(1);

pub(super) const FORGET: &str = "DELETE FROM recovery_requests WHERE account_id = $1";
pub(super) const CLEAN_UP: &str = "
    DELETE FROM recovery_requests WHERE id IN (
        SELECT id FROM recovery_requests
        WHERE created_at <= $2 AND (ended_at IS NOT NULL OR expires_at <= $1)
          -- What stops one stops those that followed it.
          AND NOT EXISTS (SELECT FROM recovery_requests later WHERE later.account_id = recovery_requests.account_id
                          AND later.begun_at = recovery_requests.begun_at AND later.ended_at IS NULL AND later.expires_at > $1)
        ORDER BY created_at LIMIT 1000)";
/// How long those that are over count.
pub(super) const COUNTS: TimeDelta = DAY;

/// What has to happen before a recovery can be completed.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long it waits.
    pub wait: TimeDelta,
    /// Whether an administrator has to approve it.
    pub approval: Approval,
}

/// A recovery that was asked for just now.
pub struct Begun {
    /// What completes it; none while it waits for an administrator.
    pub token: Option<SecretString>,
    /// What stops it.
    pub stop: SecretString,
    /// From when on it can be completed, once it is approved.
    pub not_before: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The open request of an account.
///
/// # Errors
/// When the database fails.
pub async fn open(tx: &Tx, account: AccountId) -> Result<Option<Request>> {
    tx.one(alive(tx).filter(rows::Column::AccountId.eq(account))).await
}

/// Asks for a recovery, in the place of one that is open: what that has waited already counts. Whoever asks holds the
/// account's row.
///
/// # Errors
/// `Throttled` after too many.
pub async fn begin(tx: &WriteTx, account: AccountId, terms: Terms) -> Result<Begun> {
    let now = tx.caller().now();
    let recent = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::CreatedAt.gt(now - DAY))
        .order_by_desc(rows::Column::CreatedAt)
        .limit(u64::try_from(MOST).unwrap_or(u64::MAX));
    if let Some(blocking) = tx.all(recent).await?.get(MOST - 1) {
        return Err(Error::Throttled((blocking.created_at + DAY - now).to_std().unwrap_or_default()));
    }
    let begun_at = open(tx, account).await?.map_or(now, |before| before.begun_at);
    end_all_of(tx, account).await?;
    let stop = opaque(STOP_PREFIX, Entropy)?;
    let token = (terms.approval != Approval::Wanted).then(|| opaque(PREFIX, Entropy)).transpose()?;
    let not_before = (begun_at + terms.wait).max(now);
    let expires_at = if token.is_some() { not_before + LASTS } else { now + WAITS };
    let row = rows::Model {
        id: Ids.next(),
        account_id: account,
        token_hash: token.as_ref().map(|token| hash(token.expose())),
        stop_hash: hash(stop.expose()),
        approval: terms.approval,
        begun_at,
        created_at: now,
        not_before,
        expires_at,
        decided_by: None,
        decided_at: None,
        ended_at: None,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(Begun { token, stop, not_before, expires_at })
}

/// Whose recovery a token completes or stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// It completes one.
    Completes,
    /// It stops one.
    Stops,
}

/// The open request that a token is of. What stops one stops the one as well that was asked for in its place and waits no
/// longer for that.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tx, kind: Token, token: &SecretString) -> Result<Option<Request>> {
    let hash = hash(token.expose());
    let of_token = match kind {
        Token::Completes => return tx.one(alive(tx).filter(rows::Column::TokenHash.eq(hash))).await,
        Token::Stops => tx.find_identity::<rows::Entity>().filter(rows::Column::StopHash.eq(hash)),
    };
    let Some(first) = tx.one(of_token).await? else { return Ok(None) };
    Ok(open(tx, first.account_id).await?.filter(|open| open.begun_at == first.begun_at))
}

/// The requests that wait for an administrator, newest first; of these accounts, if some are named.
///
/// # Errors
/// When the database fails.
pub async fn waiting(tx: &Tx, accounts: Option<SelectStatement>, page: PageRequest) -> Result<Page<Request>> {
    let mut query = alive(tx).filter(rows::Column::Approval.eq(Approval::Wanted));
    if let Some(accounts) = accounts {
        query = query.filter(rows::Column::AccountId.in_subquery(accounts));
    }
    tx.page(query, rows::Column::Id, |row| row.id.into(), page).await
}

/// One that waits for an administrator.
///
/// # Errors
/// `NotFound`.
pub async fn waiting_one(tx: &Tx, id: RecoveryRequestId) -> Result<Request> {
    let query = alive(tx).filter(rows::Column::Approval.eq(Approval::Wanted)).filter(rows::Column::Id.eq(id));
    tx.one(query).await?.ok_or_else(Error::not_found)
}

const APPROVE: &str = "
    UPDATE recovery_requests
    SET approval = 'given', token_hash = $2, not_before = $3, expires_at = $4, decided_by = $5, decided_at = $6
    WHERE id = $1 AND approval = 'wanted' AND ended_at IS NULL";

/// Approves one that waits. Of two who do at the same moment the second finds that it does not wait any more.
///
/// # Errors
/// `NotFound`.
pub async fn approve(tx: &WriteTx, request: &Request) -> Result<(SecretString, Timestamp, Timestamp)> {
    let (token, now) = (opaque(PREFIX, Entropy)?, tx.caller().now());
    let not_before = request.not_before.max(now);
    let values: [sea_orm::Value; 6] = [
        Uuid::from(request.id).into(),
        hash(token.expose()).into(),
        not_before.into(),
        (not_before + LASTS).into(),
        tx.caller().account().map(Uuid::from).into(),
        now.into(),
    ];
    if tx.execute(APPROVE, values).await? == 0 {
        return Err(Error::not_found());
    }
    Ok((token, not_before, not_before + LASTS))
}

const END: &str = "UPDATE recovery_requests SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
const END_ALL: &str = "UPDATE recovery_requests SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL";

/// Ends a request. Returns whether it was open: of two who use one at the same moment the second finds it over.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &WriteTx, id: RecoveryRequestId) -> Result<bool> {
    Ok(tx.execute(END, [Uuid::from(id).into(), tx.caller().now().into()]).await? > 0)
}

/// Ends what an account has open: the password is another, the factor is there after all, or there is none any more.
///
/// # Errors
/// When the database fails.
pub async fn end_all_of(tx: &WriteTx, account: AccountId) -> Result<bool> {
    Ok(tx.execute(END_ALL, [Uuid::from(account).into(), tx.caller().now().into()]).await? > 0)
}

fn alive(tx: &Tx) -> sea_orm::Select<rows::Entity> {
    tx.find_identity::<rows::Entity>()
        .filter(rows::Column::EndedAt.is_null())
        .filter(rows::Column::ExpiresAt.gt(tx.caller().now()))
}
