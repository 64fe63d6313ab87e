//! What an administrator does about somebody who waits.

use entity::{
    OrganizationId, SignUpRequestId, memberships,
    sign_up_requests::{self as rows, Status},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{
    confirm::ROLE,
    requests::{self, EMAIL, NAME, Request},
};
use crate::{
    accounts::{self, Account, NewAccount},
    app::App,
    audit::{Event, Kind},
    db::WriteTx,
    error::{Code, Error, Result},
    mail::Letter,
    tenancy::{members, organizations, roles},
    types::{Caller, Email, Role, has_link, single_line},
};

/// The longest reason in characters.
pub const LONGEST_REASON: usize = 500;

/// Lets somebody in: the account is made, if there is none, and in a tenant's organisation the person becomes a member.
///
/// # Errors
/// `NotFound`; `Conflict` with `sign_up_decided`, or with `domain_not_allowed` when the settings have changed since.
pub async fn approve(app: &App, caller: &Caller, id: SignUpRequestId) -> Result<Request> {
    let tx = app.db.write(caller).await?;
    members::still(app, &tx).await?;
    roles::may_grant(&app.policy, caller, ROLE)?;
    let row = waiting(&tx, id).await?;
    let email: Email = app.vault.open_text(EMAIL, id, &row.email)?.parse().map_err(Error::internal)?;
    app.settings.effective_in(&tx).await?.sign_up.admit_domain(&email)?;
    let account = account_of(app, &tx, &row, &email).await?;
    let organization = row.organization_id;
    if organization != OrganizationId::PLATFORM && !is_member(&tx, &account).await? {
        members::add(&tx, app, organization, account.id, &Role::named(ROLE)).await?;
    }
    let row = decide(&tx, row, Status::Approved).await?;
    let letter =
        Letter::SignUpApproved { organization: name(&tx).await?, sign_in: format!("{}/sign-in", app.public_url) };
    app.mail.queue(&tx, &email, &letter).await?;
    let request = requests::one(app, &tx, row).await?;
    tx.commit(Event::new(Kind::SignUpApproved, id).with("account", account.id.to_string())).await?;
    app.sessions.forget(account.id);
    Ok(request)
}

/// Does not let somebody in, and tells them why.
///
/// # Errors
/// `NotFound`; `Conflict` with `sign_up_decided`; `Invalid` for a reason that is none.
pub async fn reject(app: &App, caller: &Caller, id: SignUpRequestId, reason: &str) -> Result<Request> {
    let reason = checked_reason(reason)?;
    let tx = app.db.write(caller).await?;
    members::still(app, &tx).await?;
    let row = decide(&tx, waiting(&tx, id).await?, Status::Rejected).await?;
    let email = app.vault.open_text(EMAIL, id, &row.email)?.parse().map_err(Error::internal)?;
    let letter = Letter::SignUpRejected { organization: name(&tx).await?, reason: reason.clone() };
    app.mail.queue(&tx, &email, &letter).await?;
    let request = requests::one(app, &tx, row).await?;
    tx.commit(Event::new(Kind::SignUpRejected, id).with_personal("reason", reason)).await?;
    Ok(request)
}

/// A reason as it is sent. Our letters carry no links but ours: what somebody is sent in our name must not lead them
/// anywhere else.
fn checked_reason(reason: &str) -> Result<String> {
    let wrong = |code, detail: String| Error::field("/reason", code, detail);
    let line = single_line(reason, LONGEST_REASON)
        .ok_or_else(|| wrong("format", format!("must be 1 to {LONGEST_REASON} characters on one line")))?;
    if has_link(&line) {
        return Err(wrong("link", "must not contain a web address".to_owned()));
    }
    Ok(line)
}

/// A request that waits, as it stays until the transaction ends.
async fn waiting(tx: &WriteTx, id: SignUpRequestId) -> Result<rows::Model> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    let row = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    let waits = row.status == Status::Pending && row.expires_at > tx.caller().now();
    if waits { Ok(row) } else { Err(Error::Conflict(Code::SignUpDecided)) }
}

/// The account of who waits: the one they had, the one that the address has got meanwhile, or a new one.
async fn account_of(app: &App, tx: &WriteTx, row: &rows::Model, email: &Email) -> Result<Account> {
    if let Some(id) = row.account_id {
        return accounts::get(&app.vault, tx, id).await;
    }
    if let Some(account) = accounts::find_by_email(&app.vault, tx, email).await? {
        return Ok(account);
    }
    let password_hash = row.password_hash.clone().ok_or_else(|| Error::internal("a request without a password"))?;
    let name = app.vault.open_text(NAME, row.id, &row.name)?;
    let new = NewAccount { email: email.clone(), name, password_hash, email_verified_at: Some(row.created_at) };
    accounts::create(tx, app, new).await
}

async fn is_member(tx: &WriteTx, account: &Account) -> Result<bool> {
    let seat = tx.find::<memberships::Entity>().filter(memberships::Column::AccountId.eq(account.id));
    Ok(tx.count(seat).await? > 0)
}

async fn decide(tx: &WriteTx, row: rows::Model, status: Status) -> Result<rows::Model> {
    let mut row = row.into_active_model();
    row.status = Set(status);
    row.password_hash = Set(None);
    row.decided_at = Set(Some(tx.caller().now()));
    row.decided_by = Set(tx.caller().account());
    tx.update(row).await
}

/// The organisation's name for the letter; none where it is an account alone.
async fn name(tx: &WriteTx) -> Result<Option<String>> {
    let organization = organizations::get(tx).await?;
    Ok((organization.id != OrganizationId::PLATFORM).then_some(organization.name))
}
