//! Whom an invitation is for: the address and the personal word are sealed, and the address is found by its match
//! values, in the organisation that invites.

use entity::{DataKeyId, InvitationId, OrganizationId, Pii, invitation_matches as matches, invitations as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement};
use uuid::Uuid;

use crate::{
    db::{Owner, Tx, WriteTx},
    error::{Error, Result},
    types::Email,
    vault::{Batch, Field, Table, Vault},
};

pub(super) const EMAIL: Field<Pii> = Field::new("invitations.email");
pub(super) const MESSAGE: Field<Pii> = Field::new("invitations.message");

/// The address of an invitation.
pub(super) fn of(vault: &Vault, row: &rows::Model) -> Result<Email> {
    vault.open_text(EMAIL, row.id, &row.email)?.parse().map_err(Error::internal)
}

/// The personal word of an invitation.
pub(super) fn message(vault: &Vault, row: &rows::Model) -> Result<Option<String>> {
    row.message.as_ref().map(|message| vault.open_text(MESSAGE, row.id, message)).transpose()
}

/// A subquery of the ids of the organisation's invitations to an address.
pub(super) fn invited(vault: &Vault, tx: &Tx, email: &Email) -> Result<SelectStatement> {
    let values = vault.matches(EMAIL, email.as_str())?.into_iter().map(|(_, value)| value);
    let found = tx.find::<matches::Entity>().select_only().column(matches::Column::InvitationId);
    Ok(found.filter(matches::Column::Value.is_in(values)).into_query())
}

/// What the invitations to an address are found by, in whichever organisation.
///
/// # Errors
/// Never in practice.
pub fn addresses(vault: &Vault, email: &Email) -> Result<Vec<Vec<u8>>> {
    Ok(vault.matches(EMAIL, email.as_str())?.iter().map(|(_, value)| value.as_bytes().to_vec()).collect())
}

/// Removes invitations of people who are erased, with what they are found by.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, ids: Vec<InvitationId>) -> Result<()> {
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.is_in(ids))).await?;
    Ok(())
}

/// Keeps what a new invitation is found by.
///
/// # Errors
/// `Conflict` with `already_invited` when the address has an open invitation.
pub(super) async fn keep(tx: &WriteTx, vault: &Vault, row: &rows::Model, email: &Email) -> Result<()> {
    let made = vault.matches(EMAIL, email.as_str())?.into_iter().map(|(key_id, value)| matches::Model {
        organization_id: row.organization_id,
        invitation_id: row.id,
        value,
        open: row.status == rows::Status::Pending,
        key_id,
    });
    tx.append(made.map(matches::ActiveModel::from).collect()).await
}

#[derive(FromQueryResult)]
struct Clear {
    id: InvitationId,
    organization_id: OrganizationId,
    email: String,
    message: Option<String>,
    open: bool,
}

const CLEAR: &str = "
    SELECT id, organization_id, email, message, status = 'pending' AS open FROM invitations
    WHERE email_sealed IS NULL ORDER BY id LIMIT 500";
const MATCH: &str = "
    INSERT INTO invitation_matches (organization_id, invitation_id, value, open, key_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING";
const SEAL: &str = "UPDATE invitations SET email_sealed = $2, message_sealed = $3 WHERE id = $1";

/// Seals what an older release kept in clear.
///
/// # Errors
/// When the database fails; what is sealed stays so, and the next start goes on.
pub async fn seal_clear(owner: &Owner, vault: &Vault) -> Result<()> {
    loop {
        let rows: Vec<Clear> = owner.query(CLEAR, []).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            for (key, value) in vault.matches(EMAIL, &row.email)? {
                let place = [Uuid::from(row.organization_id).into(), Uuid::from(row.id).into()];
                let what = [value.into(), row.open.into(), key.into()];
                owner.execute(MATCH, place.into_iter().chain(what)).await?;
            }
            let email = vault.seal(EMAIL, row.id, row.email.as_bytes())?;
            let message = row.message.map(|message| vault.seal(MESSAGE, row.id, message.as_bytes())).transpose()?;
            owner.execute(SEAL, [row.id.into(), email.into(), message.into()]).await?;
        }
    }
}

#[derive(FromQueryResult)]
struct Unmatched {
    #[sea_orm(nested)]
    row: rows::Model,
}

/// The key is compared as in `accounts`.
const UNMATCHED: &str = "
    SELECT i.* FROM invitations i WHERE i.id > $1 AND (
        SELECT count(*) FROM invitation_matches m WHERE m.invitation_id = i.id AND (m.key_id = $2) IS TRUE) = 0
    ORDER BY i.id LIMIT $3 FOR UPDATE OF i";

/// Gives some invitations that have none the match value under a key, beginning after one.
///
/// # Errors
/// When the database fails, or an address can't be opened.
pub async fn match_anew(tx: &WriteTx, vault: &Vault, key: DataKeyId, after: Uuid, most: i64) -> Result<Batch> {
    let found: Vec<Unmatched> = tx.query(UNMATCHED, [after.into(), key.into(), most.into()]).await?;
    let (last, mut written) = (found.last().map(|found| found.row.id.into()), 0);
    for Unmatched { row } in found {
        let email = vault.open_text(EMAIL, row.id, &row.email)?;
        let place = [Uuid::from(row.organization_id).into(), Uuid::from(row.id).into()];
        let open = row.status == rows::Status::Pending;
        let what = [vault.match_under(key, EMAIL, &email)?.into(), open.into(), key.into()];
        written += tx.execute(MATCH, place.into_iter().chain(what)).await?;
    }
    Ok(Batch { last, written })
}

/// What of invitations is sealed.
pub const SEALED: &[Table] = &[crate::vault::sealed_table!("invitations", Pii, ["email", "message"])];
