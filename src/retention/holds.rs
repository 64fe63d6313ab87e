//! Legal holds: while one stands on an organisation, nothing of its record is dropped. The platform's administrators place
//! and release them; who and why is in the platform's record, and the organisation is not told.

use entity::{LegalHoldId, OrganizationId, Pii, legal_holds as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};

use crate::{
    app::App,
    audit::{Event, Kind},
    db::Tx,
    error::{Code, Error, Result},
    runtime::Ids,
    types::{Caller, Page, PageRequest, single_line},
    vault::{Field, Table, Vault, sealed_table},
};

/// A hold as it is kept.
pub type Hold = rows::Model;

const REASON: Field<Pii> = Field::new("legal_holds.reason");
const RELEASE_REASON: Field<Pii> = Field::new("legal_holds.release_reason");

/// The columns of this module that are sealed.
pub const SEALED: &[Table] = &[sealed_table!("legal_holds", Pii, ["reason", "release_reason"])];

/// The longest reason in characters.
const LONGEST_REASON: usize = 500;

#[derive(FromQueryResult)]
struct There {
    there: bool,
}

/// Places a hold on the record of an organisation, which may have been deleted since.
///
/// # Errors
/// `Invalid` for a reason that is none; `NotFound` when there never was such an organisation; `Conflict` with
/// `already_held` while one stands.
pub async fn place(app: &App, caller: &Caller, organization: OrganizationId, why: &str) -> Result<Hold> {
    let why = written(why)?;
    let tx = app.db.write(caller).await?;
    let known = "SELECT EXISTS (SELECT FROM organizations WHERE id = $1)
         OR EXISTS (SELECT FROM audit_checkpoints WHERE organization_id = $1) AS there";
    let known: Vec<There> = tx.query(known, [organization.into()]).await?;
    if !known.iter().any(|row| row.there) {
        return Err(Error::not_found());
    }
    let id: LegalHoldId = Ids.next();
    let hold = rows::Model {
        id,
        organization_id: organization,
        reason: Some(tx.seal(REASON.name(), id, &why)?),
        placed_by: caller.account(),
        placed_at: caller.now(),
        released_by: None,
        released_at: None,
        release_reason: None,
    };
    let hold = tx.insert(rows::ActiveModel::from(hold)).await?;
    tx.commit(event(Kind::LegalHoldPlaced, &hold, &why)).await?;
    Ok(hold)
}

/// Releases a hold. What it kept is dropped with the next run of the job, if its time is over.
///
/// # Errors
/// `Invalid` for a reason that is none; `NotFound` when there is no such hold; `Conflict` when it was released before.
pub async fn release(app: &App, caller: &Caller, id: LegalHoldId, why: &str) -> Result<Hold> {
    let why = written(why)?;
    let tx = app.db.write(caller).await?;
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id)).lock_exclusive();
    let hold = tx.one(query).await?.ok_or_else(Error::not_found)?;
    if hold.released_at.is_some() {
        return Err(Error::Conflict(Code::Conflict));
    }
    let mut row = hold.into_active_model();
    row.released_by = Set(caller.account());
    row.released_at = Set(Some(caller.now()));
    row.release_reason = Set(Some(tx.seal(RELEASE_REASON.name(), id, &why)?));
    let hold = tx.update(row).await?;
    tx.commit(event(Kind::LegalHoldReleased, &hold, &why)).await?;
    Ok(hold)
}

/// One of them.
///
/// # Errors
/// `NotFound` when there is no such hold; when the database fails.
pub async fn get(tx: &Tx, id: LegalHoldId) -> Result<Hold> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query).await?.ok_or_else(Error::not_found)
}

/// The holds that stand and stood, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tx, page: PageRequest) -> Result<Page<Hold>> {
    tx.page(tx.find_identity::<rows::Entity>(), rows::Column::Id, |hold| hold.id.into(), page).await
}

/// Why a hold was placed, and why it was released.
///
/// # Errors
/// When something can't be opened.
pub fn reason(vault: &Vault, hold: &Hold) -> Result<(Option<String>, Option<String>)> {
    let placed = hold.reason.as_ref().map(|reason| vault.open_text(REASON, hold.id, reason)).transpose()?;
    let released =
        hold.release_reason.as_ref().map(|reason| vault.open_text(RELEASE_REASON, hold.id, reason)).transpose()?;
    Ok((placed, released))
}

fn written(why: &str) -> Result<String> {
    single_line(why, LONGEST_REASON).ok_or_else(|| {
        Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"))
    })
}

fn event(kind: Kind, hold: &Hold, why: &str) -> Event {
    Event::new(kind, hold.id).with("organization", hold.organization_id.to_string()).with_personal("reason", why)
}
