//! Invitations: a person is asked by e-mail to join an organisation, and accepts with a new or an existing account
//! (AUT-4). A link works once, and for as long as the organisation's settings say.

mod accept;
mod address;
mod create;
mod expiry;
mod teams;

use chrono::TimeDelta;
use entity::{CustomRoleId, InvitationId, TeamId, invitations as rows, memberships};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::ExprTrait,
};

pub use accept::{Acceptance, PREFIX, Preview, accept, join, lookup};
pub use address::{SEALED, addresses, erase, match_anew, seal_clear};
pub use create::{Bulk, LONGEST_MESSAGE, MOST, create, create_all};
pub use expiry::expire_all;

use create::Host;

use super::{
    custom_roles::{self, Holder, Row as CustomRole},
    roles,
    teams::Row as Team,
};
use crate::{
    accounts,
    app::App,
    audit::{self, Event, Kind},
    authz::Held,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::Delivery,
    runtime::Timestamp,
    types::{Caller, Email, Page, PageRequest, Role},
};

/// How often one invitation is sent again in a day, and how long after one letter comes the next. A letter that was
/// lost, went to a stale address book or into the junk is sent again once or twice; who could send more could bury a
/// stranger's mailbox under our name, and our name at the mail providers.
const RESENDS: u64 = 5;
const DAY: TimeDelta = TimeDelta::days(1);
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// An invitation as lists show it.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The row.
    pub row: rows::Model,
    /// The address.
    pub email: String,
    /// Who invited, if they still have an account.
    pub inviter: Option<accounts::Account>,
    /// The teams that the person joins, by name.
    pub teams: Vec<Team>,
    /// The custom roles that it gives beside its role, by name.
    pub custom_roles: Vec<CustomRole>,
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
    /// With which custom roles beside that.
    pub custom_roles: Vec<CustomRoleId>,
    /// Into which teams.
    pub teams: Vec<TeamId>,
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
    let mut query = tx.find::<rows::Entity>();
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
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    Ok(Page { items: detailed(app, &tx, page.items).await?, next: page.next })
}

/// One invitation of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: InvitationId) -> Result<Invitation> {
    let tx = app.db.read(caller).await?;
    let row = tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let found = detailed(app, &tx, row.into_iter().collect()).await?;
    found.into_iter().next().ok_or_else(Error::not_found)
}

/// Invitations with who invited and what became of the mail.
async fn detailed(app: &App, tx: &Tx, rows: Vec<rows::Model>) -> Result<Vec<Invitation>> {
    let people = accounts::profiles(&app.vault, tx, rows.iter().filter_map(|row| row.invited_by)).await?;
    let mails: Vec<_> = rows.iter().filter_map(|row| row.mail_id).collect();
    let mails = crate::mail::delivery(tx, &mails).await?;
    let mut teams = teams::of(tx, rows.iter().map(|row| row.id)).await?;
    let mut custom = custom_roles::of(tx, rows.iter().map(|row| Holder::Invitation(row.id)).collect()).await?;
    let invitation = |row: rows::Model| {
        Ok(Invitation {
            email: address::of(&app.vault, &row)?.to_string(),
            teams: teams.remove(&row.id).unwrap_or_default(),
            custom_roles: custom.remove(&Holder::Invitation(row.id)).unwrap_or_default(),
            inviter: row.invited_by.and_then(|id| people.get(&id).cloned()),
            mail: row.mail_id.and_then(|id| mails.get(&id).copied()),
            row,
        })
    };
    rows.into_iter().map(invitation).collect()
}

/// Sends an open or expired invitation again, with a new link and all of its time. The old link stops working, and its
/// letter is withdrawn if it has not left.
///
/// # Errors
/// `NotFound` when there is none that is open or expired; `Forbidden` with `role_above_own`, which is recorded;
/// `Conflict` with `already_member`, or with `domain_not_allowed` when the settings have changed since; `Throttled`
/// when it was sent too often.
pub async fn resend(app: &App, caller: &Caller, id: InvitationId) -> Result<Invitation> {
    let tx = app.db.write(caller).await?;
    create::one_at_a_time(&tx).await?;
    let mut row = open(&tx, id).await?;
    let teams = teams::staying_of(&tx, id).await?;
    let custom_roles = custom_roles::direct(&tx, Holder::Invitation(id)).await?;
    let gives = gives(app, &tx, &row.role, (&teams, &custom_roles)).await?;
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &gives) {
        let event = Event::new(Kind::InvitationRefused, id).refused().with("role", row.role);
        return tx.commit_refused(event, refusal).await;
    }
    let (email, settings) = (address::of(&app.vault, &row)?, app.settings.effective_in(&tx).await?);
    settings.invitations.admit(&email)?;
    refuse_member(app, &tx, &email).await?;
    refuse_often(&tx, id).await.inspect_err(|error| app.refusals.count(caller, "invitations_resend", error.code()))?;
    let host = Host::of(app, &tx).await?;
    let (token, token_hash) = accept::token(row.organization_id, app.entropy)?;
    row.token_hash = token_hash;
    row.status = rows::Status::Pending;
    row.expires_at = caller.now() + settings.invitations.lifetime();
    row.resend_count += 1;
    row.invited_by = caller.account();
    row.invited_by_service = caller.service();
    host.write_to(app, &tx, &mut row, &token).await?;
    // These columns and no others: the role may not change more.
    let again = rows::ActiveModel {
        id: Unchanged(row.id),
        token_hash: Set(row.token_hash),
        status: Set(row.status),
        expires_at: Set(row.expires_at),
        resend_count: Set(row.resend_count),
        invited_by: Set(row.invited_by),
        invited_by_service: Set(row.invited_by_service),
        mail_id: Set(row.mail_id),
        ..rows::ActiveModel::default()
    };
    let row = tx.update(again).await?;
    tx.commit(Event::new(Kind::InvitationResent, id)).await?;
    let (email, inviter, mail) = (email.to_string(), host.inviter, Some(Delivery::Waiting));
    Ok(Invitation { row, email, inviter, teams, custom_roles, mail })
}

/// Refuses an invitation that was sent again a moment ago, or too often today; the record knows.
async fn refuse_often(tx: &Tx, id: InvitationId) -> Result<()> {
    let now = tx.caller().now();
    let sent = audit::Filter {
        event: Some(Kind::InvitationResent.code().to_owned()),
        target_id: Some(id.into()),
        from: Some(now - DAY),
        ..audit::Filter::default()
    };
    let sent = audit::rows(tx, &sent, PageRequest { limit: RESENDS, after: None }).await?.items;
    let last = sent.first().map(|entry| entry.occurred_at + PAUSE);
    let first = sent.last().filter(|_| u64::try_from(sent.len()) == Ok(RESENDS)).map(|entry| entry.occurred_at + DAY);
    match Ord::max(last, first).filter(|free| *free > now) {
        Some(free) => Err(Error::Throttled((free - now).to_std().unwrap_or_default())),
        None => Ok(()),
    }
}

/// Withdraws an open or expired invitation, and its letter if it has not left.
///
/// # Errors
/// `NotFound` when there is none that is open or expired; `Forbidden` with `role_above_own`.
pub async fn revoke(app: &App, caller: &Caller, id: InvitationId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let present = open(&tx, id).await?;
    let custom = custom_roles::direct(&tx, Holder::Invitation(id)).await?;
    let gives = gives(app, &tx, &present.role, (&teams::staying_of(&tx, id).await?, &custom)).await?;
    roles::may_grant_all(&app.policy, caller, &gives)?;
    let mut row = present.into_active_model();
    row.status = Set(rows::Status::Revoked);
    tx.update(row).await?;
    tx.commit(Event::new(Kind::InvitationRevoked, id)).await
}

/// What an invitation gives, directly and by its teams, as these are now.
async fn gives(app: &App, tx: &Tx, role: &str, (teams, custom): (&[Team], &[CustomRole])) -> Result<Held> {
    let by_teams = teams.iter().filter_map(|team| team.role.as_deref());
    let roles = std::iter::once(role).chain(by_teams).map(Role::named).collect();
    let by_teams = custom_roles::through(tx, teams).await?;
    Ok(Held { roles, permissions: custom_roles::together(&app.policy, custom.iter().chain(&by_teams)) })
}

/// The event with what an invitation gives beside its role.
fn with_gifts(event: Event, teams: &[Team], custom: &[CustomRole]) -> Event {
    let event = if teams.is_empty() { event } else { event.with("teams", super::teams::ids(teams)) };
    if custom.is_empty() { event } else { event.with("custom_roles", custom_roles::ids(custom)) }
}

async fn open(tx: &WriteTx, id: InvitationId) -> Result<rows::Model> {
    let query = tx
        .find::<rows::Entity>()
        .filter(rows::Column::Id.eq(id))
        .filter(rows::Column::Status.is_in([rows::Status::Pending, rows::Status::Expired]));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

async fn refuse_member(app: &App, tx: &Tx, email: &Email) -> Result<()> {
    let Some(account) = accounts::find_by_email(&app.vault, tx, email).await? else { return Ok(()) };
    let query = tx.find::<memberships::Entity>().filter(memberships::Column::AccountId.eq(account.id));
    if tx.count(query).await? == 0 { Ok(()) } else { Err(Error::Conflict(Code::AlreadyMember)) }
}
