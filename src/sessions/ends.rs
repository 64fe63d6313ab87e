//! The end of sessions by somebody else than their person (SES-5): one, an account's, an organisation's, everybody's.
//!
//! A session is in one organisation at a time. Whoever ends it there ends it wholly; one that is somewhere else is none of
//! that organisation's. All of them at once is one row, a floor: what began before it is over from its commit on, on every
//! instance, however many there are. Who was elsewhere meanwhile has to sign in again to come in. API keys are no sessions.

use entity::{AccountId, OrganizationId, SessionId, sessions as rows};
use sea_orm::{
    ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{Session, Sessions, end_row, live};
use crate::{
    audit::{Event, Kind},
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    types::{Caller, Page, PageRequest},
};

/// The id of the floor that holds for everybody.
const EVERYBODY: Uuid = Uuid::nil();

/// Whose sessions are ended at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those that are in this organisation, by itself.
    OwnOrganizations(OrganizationId),
    /// The same, by the platform.
    Organizations(OrganizationId),
    /// All that there are.
    Everybodys,
}

/// What becomes of the session of whoever ends them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// It goes on.
    Kept,
    /// It ends like the others.
    Ended,
}

/// That no floor is above a session.
const STANDING: &str = "NOT EXISTS (SELECT FROM session_floors f
    WHERE f.id IN (sessions.active_organization, '00000000-0000-0000-0000-000000000000')
      AND sessions.began < f.number AND f.kept IS DISTINCT FROM sessions.id)";

/// That a session has not been ended together with others.
pub(super) fn standing() -> SimpleExpr {
    Expr::cust(STANDING)
}

#[derive(FromQueryResult)]
struct Began {
    before: bool,
}

/// Whether a session that is somewhere else began before an organisation ended its own.
pub(super) async fn began_before_floor(tx: &Tx, session: SessionId, organization: OrganizationId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM session_floors f JOIN sessions s ON s.id = $1
               WHERE f.id = $2 AND s.began < f.number AND f.kept IS DISTINCT FROM s.id) AS before";
    let found: Vec<Began> = tx.query(sql, [session.into(), organization.into()]).await?;
    Ok(found.iter().any(|began| began.before))
}

/// The live sessions of an account, newest first: all, or those that are in an organisation.
///
/// # Errors
/// When the database fails.
pub async fn of_account(
    tx: &Tx,
    account: AccountId,
    within: Option<OrganizationId>,
    page: PageRequest,
) -> Result<Page<Session>> {
    let query = inside(live(tx, account, tx.caller().now()), within);
    tx.page(query, rows::Column::Id, |row| row.id.into(), page).await
}

/// Ends a live session of an account: any, or one that is in an organisation.
///
/// # Errors
/// `NotFound` when there is none of this id.
pub async fn end_one_of(
    tx: &WriteTx,
    account: AccountId,
    session: SessionId,
    within: Option<OrganizationId>,
) -> Result<()> {
    let query = inside(live(tx, account, tx.caller().now()), within).filter(rows::Column::Id.eq(session));
    let row = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    end_row(tx, row, "ended_by_administrator").await
}

fn inside(sessions: Select<rows::Entity>, organization: Option<OrganizationId>) -> Select<rows::Entity> {
    match organization {
        Some(organization) => sessions.filter(rows::Column::ActiveOrganization.eq(organization)),
        None => sessions,
    }
}

/// Ends every session of an account, in a transaction that has another reason to. Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn end_all_of(tx: &WriteTx, account: AccountId, reason: &'static str) -> Result<u64> {
    let update = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::EndedAt, Expr::value(tx.caller().now()))
        .col_expr(rows::Column::EndReason, Expr::value(reason))
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::EndedAt.is_null());
    tx.apply(update).await
}

/// Ends every session of an account but one, in a transaction that has another reason to. Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn end_others_of(tx: &WriteTx, account: AccountId, kept: SessionId, reason: &'static str) -> Result<u64> {
    let update = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::EndedAt, Expr::value(tx.caller().now()))
        .col_expr(rows::Column::EndReason, Expr::value(reason))
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::Id.ne(kept))
        .filter(rows::Column::EndedAt.is_null());
    tx.apply(update).await
}

/// Ends every session of an account that is in an organisation. Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn end_all_within(tx: &WriteTx, account: AccountId, organization: OrganizationId) -> Result<u64> {
    let update = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::EndedAt, Expr::value(tx.caller().now()))
        .col_expr(rows::Column::EndReason, Expr::value("ended_by_administrator"))
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::ActiveOrganization.eq(organization))
        .filter(rows::Column::EndedAt.is_null())
        .filter(standing());
    tx.apply(update).await
}

const RAISE: &str = "
    INSERT INTO session_floors (id, number, kept, reason, ended_at) VALUES ($1, nextval('session_order'), $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, kept = excluded.kept, reason = excluded.reason,
        ended_at = excluded.ended_at, written = false";

/// Ends all sessions that have begun, whoever they belong to: from the commit on they are over, however many they are.
/// Returns how many there were. Once it is committed, [`Sessions::forget_all`] has to be called.
///
/// # Errors
/// When the database fails.
pub async fn end_begun(tx: &WriteTx, whose: Whose, own: Own) -> Result<u64> {
    let (id, reason) = match whose {
        Whose::OwnOrganizations(organization) => (Uuid::from(organization), "ended_by_organization"),
        Whose::Organizations(organization) => (Uuid::from(organization), "ended_by_platform"),
        Whose::Everybodys => (EVERYBODY, "ended_by_platform"),
    };
    // Two at the same moment: the later one's number is the greater.
    tx.lock(&format!("session floor {id}")).await?;
    let kept = tx.caller().session().filter(|_| own == Own::Kept);
    let now = tx.caller().now();
    let over = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::EndedAt.is_null())
        .filter(rows::Column::ExpiresAt.gt(now))
        .filter(standing());
    let over = if whose == Whose::Everybodys { over } else { inside(over, Some(OrganizationId(id))) };
    let over = match kept {
        Some(kept) => over.filter(rows::Column::Id.ne(kept)),
        None => over,
    };
    let ended = tx.count(over).await?;
    tx.execute(RAISE, [id.into(), kept.map(Uuid::from).into(), reason.into(), now.into()]).await?;
    Ok(ended)
}

impl Sessions {
    /// Ends everybody's sessions, of all organisations. Returns how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_everybodys(&self, caller: &Caller, own: Own) -> Result<u64> {
        let tx = self.db.write(caller).await?;
        let ended = end_begun(&tx, Whose::Everybodys, own).await?;
        let event = Event::new(Kind::EverybodysSessionsEnded, OrganizationId::PLATFORM);
        tx.commit(event.with("sessions", ended).with("own_kept", own == Own::Kept)).await?;
        self.forget_all();
        Ok(ended)
    }
}

#[derive(FromQueryResult)]
struct Floor {
    id: Uuid,
    number: i64,
}

#[derive(FromQueryResult)]
struct Last {
    id: Uuid,
}

/// A thousand sessions below an organisation's floor, after one of them.
const WRITE_ORGANIZATIONS: &str = "
    WITH batch AS (
        SELECT s.id FROM sessions s JOIN session_floors f ON f.id = $1
        WHERE s.active_organization = $1 AND s.ended_at IS NULL AND s.began < f.number
          AND s.id IS DISTINCT FROM f.kept AND s.id > $2
        ORDER BY s.id LIMIT 1000 FOR UPDATE OF s SKIP LOCKED
    ), ended AS (
        UPDATE sessions s SET ended_at = f.ended_at, end_reason = f.reason FROM batch, session_floors f
        WHERE s.id = batch.id AND f.id = $1)
    SELECT id FROM batch ORDER BY id DESC LIMIT 1";
/// The same below everybody's.
const WRITE_EVERYBODYS: &str = "
    WITH batch AS (
        SELECT s.id FROM sessions s JOIN session_floors f ON f.id = $1
        WHERE s.ended_at IS NULL AND s.began < f.number AND s.id IS DISTINCT FROM f.kept AND s.id > $2
        ORDER BY s.id LIMIT 1000 FOR UPDATE OF s SKIP LOCKED
    ), ended AS (
        UPDATE sessions s SET ended_at = f.ended_at, end_reason = f.reason FROM batch, session_floors f
        WHERE s.id = batch.id AND f.id = $1)
    SELECT id FROM batch ORDER BY id DESC LIMIT 1";
/// That the rows of all say so; another floor, raised meanwhile, begins anew.
const WRITTEN: &str = "
    UPDATE session_floors f SET written = true WHERE f.id = $1 AND f.number = $2 AND NOT EXISTS (
        SELECT FROM sessions s WHERE s.ended_at IS NULL AND s.began < f.number AND s.id IS DISTINCT FROM f.kept
          AND (s.active_organization = f.id OR f.id = '00000000-0000-0000-0000-000000000000'))";

/// Writes the end of sessions that are over because of a floor into their rows, in batches. They give nothing since;
/// this is for lists and clean-ups. Whoever finds another instance at it leaves it to that one.
///
/// # Errors
/// When the database fails; what was written stays.
pub async fn write_ends(db: &Db, caller: &Caller) -> Result<()> {
    let sql = "SELECT id, number FROM session_floors WHERE NOT written";
    let floors: Vec<Floor> = db.read(caller).await?.query(sql, []).await?;
    for Floor { id, number } in floors {
        let batch = if id == EVERYBODY { WRITE_EVERYBODYS } else { WRITE_ORGANIZATIONS };
        let mut after = Some(Uuid::nil());
        while let Some(last) = after {
            let tx = db.write(caller).await?;
            match tx.try_lock("session ends").await {
                Err(Error::Conflict(_)) => return Ok(()),
                taken => taken?,
            }
            let written: Vec<Last> = tx.query(batch, [id.into(), last.into()]).await?;
            tx.commit(Unrecorded("that these sessions ended was recorded when it was decided")).await?;
            after = written.first().map(|last| last.id);
        }
        let tx = db.write(caller).await?;
        tx.execute(WRITTEN, [id.into(), number.into()]).await?;
        tx.commit(Unrecorded("that these sessions ended was recorded when it was decided")).await?;
    }
    Ok(())
}
