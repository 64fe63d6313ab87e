//! The inviting side: one person, or many in one call and one transaction, each with an answer of their own.
//!
//! A refusal is found before anything is written for its person, so that it stops none of the others.

use chrono::TimeDelta;
use entity::{InvitationId, invitations as rows, organizations as orgs};
use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};

use super::{Invitation, NewInvitation, accept, address, gives, refuse_member, teams, with_gifts};
use crate::{
    accounts,
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::{Delivery, Letter},
    tenancy::{
        custom_roles::{self, Holder},
        members, organizations, roles,
    },
    types::{Caller, Email, has_link, single_line},
};

/// The longest personal message in characters.
pub const LONGEST_MESSAGE: usize = 500;
/// The most invitations of one bulk call.
pub const MOST: usize = 200;
/// The most invitations to one address in a day: who revokes and invites again has mistyped a role, not a person, and
/// must not fill somebody's mailbox past the limit of [`super::resend`].
const MOST_TO_ONE: usize = 5;
const DAY: TimeDelta = TimeDelta::days(1);

/// What is the same in every letter of a call: who invites where.
pub(super) struct Host {
    organization: String,
    pub(super) inviter: Option<accounts::Account>,
}

impl Host {
    /// The caller, in their organisation.
    ///
    /// # Errors
    /// `NotFound` when the organisation was deleted meanwhile.
    pub(super) async fn of(app: &App, tx: &Tx) -> Result<Self> {
        let organization = organizations::get(tx).await?;
        if organization.status != orgs::Status::Active {
            return Err(Error::not_found());
        }
        let inviter = match tx.caller().account() {
            Some(id) => accounts::profiles(&app.vault, tx, [id]).await?.remove(&id),
            None => None,
        };
        Ok(Self { organization: organization.name, inviter })
    }

    /// Puts the letter of an invitation into the outbox, and says so in its row, which is not written yet.
    pub(super) async fn write_to(
        &self,
        app: &App,
        tx: &WriteTx,
        row: &mut rows::Model,
        token: &SecretString,
    ) -> Result<()> {
        let role = app.policy.hierarchy().rows().iter().find(|role| role.name == row.role);
        let letter = Letter::Invitation {
            organization: self.organization.clone(),
            inviter: self.inviter.as_ref().map(|account| account.name.clone()),
            role_title: role.map_or_else(|| row.role.clone(), |role| role.title.clone()),
            message: address::message(&app.vault, row)?,
            link: SecretString::new(format!("{}/invitation#token={}", app.public_url, token.expose())),
            expires_at: row.expires_at,
        };
        row.mail_id = Some(app.mail.queue(tx, &address::of(&app.vault, row)?, &letter).await?);
        Ok(())
    }
}

/// Invites a person.
///
/// # Errors
/// `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `already_member`, `already_invited` or
/// `domain_not_allowed`;
/// `Throttled` when the address was invited too often today; `Invalid` for a role or team that does not exist or a message
/// that is none.
pub async fn create(app: &App, caller: &Caller, new: NewInvitation) -> Result<Invitation> {
    let (tx, host) = begin(app, caller).await?;
    let mut events = Vec::new();
    match invite(app, &tx, &host, new, &mut events).await {
        Ok(invitation) => {
            tx.commit(events).await?;
            Ok(invitation)
        }
        Err(refusal) if events.is_empty() => Err(refusal),
        Err(refusal) => tx.commit_refused(events, refusal).await,
    }
}

/// Invites several people in one transaction. The answers are in the order of the wanted ones; who could not even be
/// read keeps their place.
///
/// # Errors
/// When the database fails; nobody was invited then. What stands against one person is that person's answer.
pub async fn create_all(
    app: &App,
    caller: &Caller,
    wanted: Vec<Result<NewInvitation>>,
) -> Result<Vec<Result<Invitation>>> {
    let (tx, host) = begin(app, caller).await?;
    let (mut events, mut answers) = (Vec::new(), Vec::new());
    for new in wanted {
        let made = match new {
            Ok(new) => invite(app, &tx, &host, new, &mut events).await,
            Err(fault) => Err(fault),
        };
        match made {
            Err(failure @ (Error::Internal(_) | Error::Upstream { .. })) => return Err(failure),
            made => answers.push(made),
        }
    }
    tx.commit(events).await?;
    Ok(answers)
}

/// Invitations one after the other in a transaction of somebody else's, as an import needs it.
pub struct Bulk {
    host: Host,
    events: Vec<Event>,
}

impl Bulk {
    /// Begins. Nobody else invites to this organisation until the transaction ends.
    ///
    /// # Errors
    /// `NotFound` when the organisation was deleted meanwhile.
    pub async fn begin(app: &App, tx: &WriteTx) -> Result<Self> {
        one_at_a_time(tx).await?;
        Ok(Self { host: Host::of(app, tx).await?, events: Vec::new() })
    }

    /// Invites a person by the roles of the transaction's caller.
    ///
    /// # Errors
    /// As [`create`]; what stands against one person stops none of the others.
    pub async fn invite(&mut self, app: &App, tx: &WriteTx, new: NewInvitation) -> Result<()> {
        invite(app, tx, &self.host, new, &mut self.events).await.map(|_| ())
    }

    /// What belongs into the record.
    pub fn events(self) -> Vec<Event> {
        self.events
    }
}

/// A transaction in which nobody else invites to this organisation, and who invites.
async fn begin(app: &App, caller: &Caller) -> Result<(WriteTx, Host)> {
    let tx = app.db.write(caller).await?;
    one_at_a_time(&tx).await?;
    members::still(app, &tx).await?;
    let host = Host::of(app, &tx).await?;
    Ok((tx, host))
}

/// Lets what opens invitations of an organisation happen one after the other: a person has one open invitation, and a
/// transaction for many must not end because somebody else invited one of them at the same moment.
pub(super) async fn one_at_a_time(tx: &WriteTx) -> Result<()> {
    let organization = tx.caller().organization().ok_or_else(Error::not_found)?;
    tx.lock(&format!("invitations {organization}")).await
}

async fn invite(
    app: &App,
    tx: &WriteTx,
    host: &Host,
    new: NewInvitation,
    events: &mut Vec<Event>,
) -> Result<Invitation> {
    let caller = tx.caller();
    let role = roles::assignable(&app.policy, caller, &new.role)?;
    let message = new.message.as_deref().map(checked_message).transpose()?;
    let teams = teams::wanted(tx, &new.teams).await?;
    let custom = custom_roles::wanted(tx, &new.custom_roles).await?;
    let gives = gives(app, tx, role.as_str(), (&teams, &custom)).await?;
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &gives) {
        let event = Event::without_target(Kind::InvitationRefused).refused().with("role", role.as_str());
        events.push(with_gifts(event, &teams, &custom));
        return Err(refusal);
    }
    let settings = app.settings.effective_in(tx).await?;
    settings.invitations.admit(&new.email)?;
    refuse_member(app, tx, &new.email).await?;
    expire(app, tx, &new.email).await?;
    refuse_invited(app, tx, &new.email).await?;
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let (token, token_hash) = accept::token(organization, app.entropy)?;
    let id: InvitationId = app.ids.next();
    let sealed = |message: &String| app.vault.seal(address::MESSAGE, id, message.as_bytes());
    let mut row = rows::Model {
        id,
        organization_id: organization,
        email: app.vault.seal(address::EMAIL, id, new.email.as_str().as_bytes())?,
        role: role.to_string(),
        message: message.as_ref().map(sealed).transpose()?,
        token_hash,
        status: rows::Status::Pending,
        invited_by: caller.account(),
        invited_by_service: caller.service(),
        accepted_by: None,
        resend_count: 0,
        created_at: caller.now(),
        expires_at: caller.now() + settings.invitations.lifetime(),
        mail_id: None,
        accepted_at: None,
    };
    host.write_to(app, tx, &mut row, &token).await?;
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    address::keep(tx, &app.vault, &row, &new.email).await?;
    teams::keep(tx, organization, row.id, &teams).await?;
    custom_roles::give(tx, app, Holder::Invitation(row.id), &[], &custom).await?;
    let event = Event::new(Kind::InvitationCreated, row.id).with("role", row.role.clone());
    events.push(with_gifts(event, &teams, &custom));
    let (email, inviter) = (new.email.to_string(), host.inviter.clone());
    Ok(Invitation { row, email, inviter, teams, custom_roles: custom, mail: Some(Delivery::Waiting) })
}

/// Marks what is past its time, so that the person can be invited anew.
async fn expire(app: &App, tx: &WriteTx, email: &Email) -> Result<()> {
    let late = tx
        .change::<rows::Entity>()
        .col_expr(rows::Column::Status, Expr::value("expired"))
        .filter(rows::Column::Id.in_subquery(address::invited(&app.vault, tx, email)?))
        .filter(rows::Column::Status.eq(rows::Status::Pending))
        .filter(rows::Column::ExpiresAt.lte(tx.caller().now()));
    tx.apply(late).await?;
    Ok(())
}

/// Refuses an address that has an open invitation, or had too many in a day.
async fn refuse_invited(app: &App, tx: &Tx, email: &Email) -> Result<()> {
    let now = tx.caller().now();
    let lately = rows::Column::CreatedAt.gt(now - DAY);
    let query = tx
        .find::<rows::Entity>()
        .filter(rows::Column::Id.in_subquery(address::invited(&app.vault, tx, email)?))
        .filter(rows::Column::Status.eq(rows::Status::Pending).or(lately))
        .order_by_desc(rows::Column::CreatedAt);
    let present = tx.all(query).await?;
    if present.iter().any(|row| row.status == rows::Status::Pending) {
        return Err(Error::Conflict(Code::AlreadyInvited));
    }
    match present.get(MOST_TO_ONE - 1) {
        Some(oldest) => Err(Error::Throttled((oldest.created_at + DAY - now).to_std().unwrap_or_default())),
        None => Ok(()),
    }
}

/// A message as it is kept. Our letters carry one link, ours: what a stranger is sent in our name must not lead them
/// anywhere else.
fn checked_message(message: &str) -> Result<String> {
    let wrong = |code, detail: String| Error::field("/message", code, detail);
    let line = single_line(message, LONGEST_MESSAGE)
        .ok_or_else(|| wrong("format", format!("must be 1 to {LONGEST_MESSAGE} characters on one line")))?;
    if has_link(&line) {
        return Err(wrong("link", "must not contain a web address".to_owned()));
    }
    Ok(line)
}
