//! Recoveries of a lost second factor, as far as organisations have a say (MFA-7): what the strictest of the platform and
//! all of a person's organisations demands, and who approves.
//!
//! Where an organisation demands an administrator's approval, its administrators decide about its own members, unless the
//! person is above them; a platform administrator decides about anybody. Nobody decides about themselves. One approval is
//! enough: the person is one, whatever organisations they are in.

use std::collections::HashMap;

use entity::{AccountId, OrganizationId, RecoveryRequestId, memberships, sessions::Delivery};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement};
use uuid::Uuid;

use super::{managed::is_within, members};
use crate::{
    accounts::{
        self, Account,
        recovery::{self as work, Asked},
    },
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::RecoveryDecision,
    mfa::recovery::{self, Request},
    types::{Caller, Page, PageRequest},
};

/// Every organisation that somebody is an active member of.
const BELONGS: &str = "
    SELECT m.organization_id AS id FROM memberships m JOIN organizations o ON o.id = m.organization_id
    WHERE m.account_id = $1 AND m.status = 'active' AND o.status = 'active' LIMIT 1000";

#[derive(FromQueryResult)]
struct Belongs {
    id: OrganizationId,
}

/// A recovery that waits for an administrator, and whose it is.
pub struct Waiting {
    /// The request.
    pub request: Request,
    /// Whose.
    pub account: Account,
}

/// Asks for a recovery, on the strictest terms of the platform and all of the person's organisations.
///
/// # Errors
/// As [`work::ask`].
pub async fn ask(app: &App, caller: &Caller, token: &SecretString, vessel: Delivery) -> Result<Asked> {
    let id = work::challenged(app, caller, token, vessel).await?;
    // In their own name: nobody else may see where they belong.
    let own = caller.acting_as(id, app.ids.next());
    let places: Vec<Belongs> = app.db.read(&own).await?.query(BELONGS, [Uuid::from(id).into()]).await?;
    let places: Vec<_> = places.into_iter().map(|place| place.id).collect();
    let rules = app.settings.strictest(&places, &caller.origin).await?.mfa;
    work::ask(app, caller, (token, vessel), work::terms(&rules)).await
}

/// The recoveries of the organisation's members that wait for one of its administrators, newest first.
///
/// # Errors
/// `NotFound` for a caller in no organisation.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<Waiting>> {
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    if !demands(app, caller, organization).await? {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let tx = app.db.read(caller).await?;
    let members = active_members(&tx);
    with_people(app, &tx, recovery::waiting(&tx, Some(members), page).await?).await
}

/// All recoveries that wait for an administrator, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_all(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<Waiting>> {
    let tx = app.db.read(caller).await?;
    with_people(app, &tx, recovery::waiting(&tx, None, page).await?).await
}

/// Decides about the recovery of a member of the caller's organisation.
///
/// # Errors
/// `NotFound`; `Forbidden` with `own_recovery` or `role_above_own`, which are recorded; as [`work::decide_in`].
pub async fn decide(
    app: &App,
    caller: &Caller,
    id: RecoveryRequestId,
    decision: (RecoveryDecision, &str),
) -> Result<()> {
    let (organization, manager) = caller.organization().zip(caller.as_manager()).ok_or_else(Error::not_found)?;
    if !demands(app, caller, organization).await? {
        return Err(Error::not_found());
    }
    let tx = app.db.write(&manager).await?;
    // Of two who change each other's roles, the second finds its own changed.
    tx.lock(&format!("managed accounts {organization}")).await?;
    members::still(app, &tx).await?;
    let request = recovery::waiting_one(&tx, id).await?;
    // The transaction sees every organisation's rows: what is looked at is named.
    let seat = tx
        .find::<memberships::Entity>()
        .filter(memberships::Column::AccountId.eq(request.account_id))
        .filter(memberships::Column::OrganizationId.eq(organization))
        .filter(memberships::Column::Status.eq(memberships::Status::Active));
    tx.one(seat).await?.ok_or_else(Error::not_found)?;
    let within = match not_own(&tx, request.account_id) {
        Ok(()) => is_within(app, &tx, organization, request.account_id).await,
        own => own,
    };
    finish(app, (tx, request), within, decision).await
}

/// Decides about anybody's recovery but the caller's own.
///
/// # Errors
/// `NotFound`; `Forbidden` with `own_recovery`, which is recorded; as [`work::decide_in`].
pub async fn decide_any(
    app: &App,
    caller: &Caller,
    id: RecoveryRequestId,
    decision: (RecoveryDecision, &str),
) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let request = recovery::waiting_one(&tx, id).await?;
    let own = not_own(&tx, request.account_id);
    finish(app, (tx, request), own, decision).await
}

async fn finish(
    app: &App,
    (tx, request): (WriteTx, Request),
    allowed: Result<()>,
    decision: (RecoveryDecision, &str),
) -> Result<()> {
    match allowed {
        Ok(()) => work::decide_in(app, tx, &request, decision).await,
        Err(refusal @ Error::Forbidden(code)) => {
            let event = Event::new(Kind::AccountChangeRefused, request.account_id).with("code", code.as_str());
            tx.commit_refused(event.refused(), refusal).await
        }
        Err(fault) => Err(fault),
    }
}

fn not_own(tx: &Tx, account: AccountId) -> Result<()> {
    if tx.caller().account() == Some(account) { Err(Error::Forbidden(Code::OwnRecovery)) } else { Ok(()) }
}

/// Whether the organisation, or the platform for it, demands an administrator's approval.
async fn demands(app: &App, caller: &Caller, organization: OrganizationId) -> Result<bool> {
    Ok(app.settings.effective(organization, &caller.origin).await?.mfa.recovery_needs_approval())
}

fn active_members(tx: &Tx) -> SelectStatement {
    tx.find::<memberships::Entity>()
        .select_only()
        .column(memberships::Column::AccountId)
        .filter(memberships::Column::Status.eq(memberships::Status::Active))
        .into_query()
}

async fn with_people(app: &App, tx: &Tx, page: Page<Request>) -> Result<Page<Waiting>> {
    let ids = page.items.iter().map(|request| request.account_id);
    let mut people: HashMap<_, _> = accounts::profiles(&app.vault, tx, ids).await?;
    let Page { items, next } = page;
    let waiting = |request: Request| Some(Waiting { account: people.remove(&request.account_id)?, request });
    Ok(Page { items: items.into_iter().filter_map(waiting).collect(), next })
}
