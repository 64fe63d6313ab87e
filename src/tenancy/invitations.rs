//! Invitations: a person is asked by e-mail to join an organisation, and accepts with a new or an existing account
//! (AUT-4). A link works once, and for as long as the organisation's settings say.

mod accept;

use entity::{InvitationId, invitations as rows, memberships};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

pub use accept::{Acceptance, Preview, accept, join, lookup};

use super::{members, organizations, roles};
use crate::{
    accounts,
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::{Delivery, Letter},
    runtime::Timestamp,
    types::{Caller, Email, Page, PageRequest, single_line},
};

/// The longest personal message in characters.
pub const LONGEST_MESSAGE: usize = 500;
/// The most invitations of one bulk call.
pub const MOST: usize = 200;

/// An invitation as lists show it.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The row.
    pub row: rows::Model,
    /// Who invited, if they still have an account.
    pub inviter: Option<accounts::Account>,
    /// What became of the mail.
    pub mail: Option<Delivery>,
}

/// A person to invite.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Whom.
    pub email: Email,
    /// As what.
    pub role: String,
    /// A personal word.
    pub message: Option<String>,
}

impl Invitation {
    /// The status as it is at this moment: an open invitation past its time is expired.
    pub fn status(&self, now: Timestamp) -> rows::Status {
        match self.row.status {
            rows::Status::Pending if self.row.expires_at <= now => rows::Status::Expired,
            status => status,
        }
    }
}

/// Invites a person.
///
/// # Errors
/// `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `already_member`, `already_invited` or
/// `domain_not_allowed`;
/// `Invalid` for a role that does not exist or a message that is none.
pub async fn create(app: &App, caller: &Caller, new: NewInvitation) -> Result<Invitation> {
    let role = roles::assignable(&app.policy, caller, &new.role)?;
    let message = new.message.as_deref().map(checked_message).transpose()?;
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.write(caller).await?;
    members::still(&tx).await?;
    if let Err(refusal) = roles::may_grant(&app.policy, caller, role.as_str()) {
        let event = Event::without_target(Kind::InvitationRefused).refused().with("role", role.as_str());
        return tx.commit_refused(event, refusal).await;
    }
    let settings = app.settings.effective_in(&tx).await?;
    settings.invitations.admit(&new.email)?;
    refuse_member(&tx, &new.email).await?;
    expire(&tx, &new.email).await?;
    let (token, token_hash) = accept::token(organization, app.entropy)?;
    let row = rows::Model {
        id: app.ids.next(),
        organization_id: organization,
        email: new.email.to_string(),
        role: role.to_string(),
        message,
        token_hash,
        status: rows::Status::Pending,
        invited_by: caller.account(),
        accepted_by: None,
        resend_count: 0,
        created_at: caller.now(),
        expires_at: caller.now() + settings.invitations.lifetime(),
        mail_id: None,
        accepted_at: None,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    let (row, inviter) = send(&tx, app, row, &token).await?;
    tx.commit(Event::new(Kind::InvitationCreated, row.id).with("role", row.role.clone())).await?;
    Ok(Invitation { row, inviter, mail: Some(Delivery::Waiting) })
}

/// The organisation's invitations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    app: &App,
    caller: &Caller,
    status: Option<rows::Status>,
    page: PageRequest,
) -> Result<Page<Invitation>> {
    let tx = app.db.read(caller).await?;
    let mut query = tx.find::<rows::Entity>().order_by_desc(rows::Column::Id).limit(page.rows());
    let (pending, now) = (rows::Column::Status.eq(rows::Status::Pending), caller.now());
    query = match status {
        None => query,
        Some(rows::Status::Pending) => query.filter(pending).filter(rows::Column::ExpiresAt.gt(now)),
        Some(rows::Status::Expired) => {
            let late = pending.and(rows::Column::ExpiresAt.lte(now));
            query.filter(rows::Column::Status.eq(rows::Status::Expired).or(late))
        }
        Some(status) => query.filter(rows::Column::Status.eq(status)),
    };
    if let Some(after) = page.after {
        query = query.filter(rows::Column::Id.lt(after.0));
    }
    let page = Page::of(page, tx.all(query).await?, |row| row.id.into());
    let people = accounts::profiles(&tx, page.items.iter().filter_map(|row| row.invited_by)).await?;
    let mails: Vec<_> = page.items.iter().filter_map(|row| row.mail_id).collect();
    let mails = crate::mail::delivery(&tx, &mails).await?;
    Ok(page.map(|row| Invitation {
        inviter: row.invited_by.and_then(|id| people.get(&id).cloned()),
        mail: row.mail_id.and_then(|id| mails.get(&id).copied()),
        row,
    }))
}

/// Sends an open or expired invitation again, with a new link and all of its time. The old link stops working.
///
/// # Errors
/// `NotFound` when there is none that is open or expired; `Forbidden` with `role_above_own`, which is recorded;
/// `Conflict` with `already_member`, or with `domain_not_allowed` when the settings have changed since.
pub async fn resend(app: &App, caller: &Caller, id: InvitationId) -> Result<Invitation> {
    let tx = app.db.write(caller).await?;
    let present = open(&tx, id).await?;
    if let Err(refusal) = roles::may_grant(&app.policy, caller, &present.role) {
        let event = Event::new(Kind::InvitationRefused, id).refused().with("role", present.role);
        return tx.commit_refused(event, refusal).await;
    }
    let (email, settings) = (accept::address(&present)?, app.settings.effective_in(&tx).await?);
    settings.invitations.admit(&email)?;
    refuse_member(&tx, &email).await?;
    let (token, token_hash) = accept::token(present.organization_id, app.entropy)?;
    let again = present.resend_count + 1;
    let mut row = present.into_active_model();
    row.token_hash = Set(token_hash);
    row.status = Set(rows::Status::Pending);
    row.expires_at = Set(caller.now() + settings.invitations.lifetime());
    row.resend_count = Set(again);
    row.invited_by = Set(caller.account());
    let row = tx.update(row).await?;
    let (row, inviter) = send(&tx, app, row, &token).await?;
    tx.commit(Event::new(Kind::InvitationResent, id)).await?;
    Ok(Invitation { row, inviter, mail: Some(Delivery::Waiting) })
}

/// Withdraws an open or expired invitation.
///
/// # Errors
/// `NotFound` when there is none that is open or expired; `Forbidden` with `role_above_own`.
pub async fn revoke(app: &App, caller: &Caller, id: InvitationId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let present = open(&tx, id).await?;
    roles::may_grant(&app.policy, caller, &present.role)?;
    let mut row = present.into_active_model();
    row.status = Set(rows::Status::Revoked);
    tx.update(row).await?;
    tx.commit(Event::new(Kind::InvitationRevoked, id)).await
}

/// Puts the mail into the outbox and remembers which it is.
async fn send(
    tx: &WriteTx,
    app: &App,
    row: rows::Model,
    token: &SecretString,
) -> Result<(rows::Model, Option<accounts::Account>)> {
    let organization = organizations::get(tx).await?;
    let inviter = match row.invited_by {
        Some(id) => accounts::profiles(tx, [id]).await?.remove(&id),
        None => None,
    };
    let role = app.policy.hierarchy().rows().iter().find(|role| role.name == row.role);
    let letter = Letter::Invitation {
        organization: organization.name,
        inviter: inviter.as_ref().map(|account| account.name.clone()),
        role_title: role.map_or_else(|| row.role.clone(), |role| role.title.clone()),
        message: row.message.clone(),
        link: SecretString::new(format!("{}/invitation#token={}", app.public_url, token.expose())),
        expires_at: row.expires_at,
    };
    let mail = app.mail.queue(tx, &row.email.parse().map_err(Error::internal)?, &letter).await?;
    let mut row = row.into_active_model();
    row.mail_id = Set(Some(mail));
    Ok((tx.update(row).await?, inviter))
}

async fn open(tx: &WriteTx, id: InvitationId) -> Result<rows::Model> {
    let query = tx
        .find::<rows::Entity>()
        .filter(rows::Column::Id.eq(id))
        .filter(rows::Column::Status.is_in([rows::Status::Pending, rows::Status::Expired]));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

async fn refuse_member(tx: &Tx, email: &Email) -> Result<()> {
    let Some(account) = accounts::find_by_email(tx, email).await? else { return Ok(()) };
    let query = tx.find::<memberships::Entity>().filter(memberships::Column::AccountId.eq(account.id));
    if tx.count(query).await? == 0 { Ok(()) } else { Err(Error::Conflict(Code::AlreadyMember)) }
}

/// Marks what is past its time, so that the person can be invited anew.
async fn expire(tx: &WriteTx, email: &Email) -> Result<()> {
    let late = tx
        .change::<rows::Entity>()
        .col_expr(rows::Column::Status, Expr::value("expired"))
        .filter(rows::Column::Email.eq(email.as_str()))
        .filter(rows::Column::Status.eq(rows::Status::Pending))
        .filter(rows::Column::ExpiresAt.lte(tx.caller().now()));
    tx.apply(late).await?;
    Ok(())
}

fn checked_message(message: &str) -> Result<String> {
    single_line(message, LONGEST_MESSAGE).ok_or_else(|| {
        Error::field("/message", "format", format!("must be 1 to {LONGEST_MESSAGE} characters on one line"))
    })
}
