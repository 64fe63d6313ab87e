//! The approval queue: who has proven an address and waits for an administrator of the organisation, or of the platform.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::{
    AccountId, OrganizationId, Pii, SignUpRequestId, memberships,
    sign_up_requests::{self as rows, Status},
};
use sea_orm::{
    ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{confirm::Person, limits};
use crate::{
    accounts::{self, Account},
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Error, Result},
    jobs::{Report, Run},
    mail::Letter,
    runtime::Timestamp,
    tenancy::organizations,
    types::{Caller, Email, Page, PageRequest, Role},
    vault::Field,
};

pub(super) const EMAIL: Field<Pii> = Field::new("sign_up_requests.email");
pub(super) const NAME: Field<Pii> = Field::new("sign_up_requests.name");

/// How long somebody waits at most.
const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long it can be seen what became of a request.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How often the administrators of one organisation are told at most.
const PAUSE: TimeDelta = TimeDelta::minutes(15);
/// How many of them are.
const MOST_TOLD: u64 = 20;

/// Somebody who waits, or has waited.
#[derive(Clone, Debug)]
pub struct Request {
    /// The row.
    pub row: rows::Model,
    /// The address that the person has proven.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Who decided, if they still have an account.
    pub decider: Option<Account>,
}

impl Request {
    /// The status as it is at this moment: one that waits past its time has expired.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.row.status {
            Status::Pending if self.row.expires_at <= now => Status::Expired,
            status => status,
        }
    }
}

/// Puts somebody into the queue and commits. Who waits there already goes on waiting.
pub(super) async fn wait(app: &App, tx: WriteTx, email: &Email, person: Person) -> Result<()> {
    let (caller, now) = (tx.caller().clone(), tx.caller().now());
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    tx.lock(&format!("sign-up requests {organization}")).await?;
    let address_tag = limits::address(&app.vault, email)?;
    withdraw(&tx, &address_tag).await?;
    let id: SignUpRequestId = app.ids.next();
    let (name, account_id, password_hash) = match person {
        Person::Known(account, _) => (account.name, Some(account.id), None),
        Person::New(new) => (new.name, None, Some(new.password_hash)),
    };
    let row = rows::Model {
        id,
        organization_id: organization,
        email: app.vault.seal(EMAIL, id, email.as_str().as_bytes())?,
        name: app.vault.seal(NAME, id, name.as_bytes())?,
        address_tag,
        account_id,
        password_hash,
        status: Status::Pending,
        created_at: now,
        expires_at: now + LIFETIME,
        announced_at: announce(app, &tx).await?,
        decided_at: None,
        decided_by: None,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    tx.commit(Event::new(Kind::SignUpRequested, id)).await
}

/// Ends an older request of the same person: they chose another password meanwhile, and it is the one that they know.
async fn withdraw(tx: &WriteTx, address_tag: &[u8]) -> Result<()> {
    let older = tx
        .change::<rows::Entity>()
        .col_expr(rows::Column::Status, Expr::value("expired"))
        .col_expr(rows::Column::PasswordHash, Expr::value(Option::<String>::None))
        .col_expr(rows::Column::DecidedAt, Expr::value(tx.caller().now()))
        .filter(rows::Column::AddressTag.eq(address_tag))
        .filter(rows::Column::Status.eq(Status::Pending));
    tx.apply(older).await?;
    Ok(())
}

/// Tells the administrators, now or when the pause since the last letter is over, unless a letter that waits to leave
/// will do. Returns when the letter leaves that this request has caused.
async fn announce(app: &App, tx: &WriteTx) -> Result<Option<Timestamp>> {
    let now = tx.caller().now();
    let last = tx.find::<rows::Entity>().filter(rows::Column::AnnouncedAt.is_not_null());
    let last = tx.one(last.order_by_desc(rows::Column::AnnouncedAt).limit(1)).await?.and_then(|row| row.announced_at);
    if last.is_some_and(|last| last > now) {
        return Ok(None);
    }
    let at = last.map_or(now, |last| Ord::max(now, last + PAUSE));
    let organization = organizations::get(tx).await?;
    let queue = format!("{}/o/{}/sign-ups", app.public_url, organization.slug);
    let letter = Letter::SignUpsWaiting { organization: organization.name, queue };
    for email in administrators(app, tx).await? {
        app.mail.queue_for(tx, &email, &letter, at).await?;
    }
    Ok(Some(at))
}

/// The addresses of the administrators of the transaction's organisation, those that have been there longest first.
async fn administrators(app: &App, tx: &Tx) -> Result<Vec<Email>> {
    let hierarchy = app.policy.hierarchy();
    let roles = hierarchy.rows().iter().map(|role| role.name.as_str());
    let roles: Vec<_> = roles.filter(|role| hierarchy.covers(role, Role::ADMIN)).collect();
    let seats = tx
        .find::<memberships::Entity>()
        .filter(memberships::Column::Role.is_in(roles))
        .filter(memberships::Column::Status.eq(memberships::Status::Active))
        .filter(memberships::Column::AccountId.in_subquery(accounts::active(tx)))
        .order_by_asc(memberships::Column::Id)
        .limit(MOST_TOLD);
    let ids: Vec<AccountId> = tx.all(seats).await?.into_iter().map(|seat| seat.account_id).collect();
    let people = accounts::profiles(&app.vault, tx, ids).await?;
    people.into_values().map(|account| account.email.parse().map_err(Error::internal)).collect()
}

/// The organisation's requests, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, status: Option<Status>, page: PageRequest) -> Result<Page<Request>> {
    let tx = app.db.read(caller).await?;
    let (pending, now) = (rows::Column::Status.eq(Status::Pending), caller.now());
    let query = tx.find::<rows::Entity>();
    let query = match status {
        None => query,
        Some(Status::Pending) => query.filter(pending).filter(rows::Column::ExpiresAt.gt(now)),
        Some(Status::Expired) => {
            let late = pending.and(rows::Column::ExpiresAt.lte(now));
            query.filter(rows::Column::Status.eq(Status::Expired).or(late))
        }
        Some(status) => query.filter(rows::Column::Status.eq(status)),
    };
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    Ok(Page { items: detailed(app, &tx, page.items).await?, next: page.next })
}

/// One request of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: SignUpRequestId) -> Result<Request> {
    let tx = app.db.read(caller).await?;
    let row = tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)?;
    one(app, &tx, row).await
}

/// A request with what people see of it.
pub(super) async fn one(app: &App, tx: &Tx, row: rows::Model) -> Result<Request> {
    detailed(app, tx, vec![row]).await?.into_iter().next().ok_or_else(Error::not_found)
}

async fn detailed(app: &App, tx: &Tx, rows: Vec<rows::Model>) -> Result<Vec<Request>> {
    let deciders: HashMap<_, _> =
        accounts::profiles(&app.vault, tx, rows.iter().filter_map(|row| row.decided_by)).await?;
    let request = |row: rows::Model| {
        Ok(Request {
            email: app.vault.open_text(EMAIL, row.id, &row.email)?,
            name: app.vault.open_text(NAME, row.id, &row.name)?,
            decider: row.decided_by.and_then(|id| deciders.get(&id).cloned()),
            row,
        })
    };
    rows.into_iter().map(request).collect()
}

#[derive(FromQueryResult)]
struct Expired {
    id: SignUpRequestId,
    organization_id: OrganizationId,
}

/// Ends the requests that nobody has decided in their time, each in its organisation's record.
///
/// # Errors
/// When the database fails.
pub async fn expire_all(run: Run) -> Result<Report> {
    let mut expired = 0;
    while !run.is_stopping() {
        let tx = run.write().await?;
        let some = "UPDATE sign_up_requests SET status = 'expired', password_hash = NULL, decided_at = $1 WHERE id IN (
                 SELECT id FROM sign_up_requests WHERE status = 'pending' AND expires_at <= $1
                 ORDER BY expires_at LIMIT 200 FOR UPDATE SKIP LOCKED)
             RETURNING id, organization_id";
        let over: Vec<Expired> = tx.query(some, [run.caller().now().into()]).await?;
        if over.is_empty() {
            break;
        }
        expired += u64::try_from(over.len()).unwrap_or(0);
        let event = |row: Expired| Event::new(Kind::SignUpExpired, row.id).in_organization(row.organization_id);
        tx.commit(over.into_iter().map(event).collect::<Vec<_>>()).await?;
    }
    Ok(Report::from([("sign_up_requests", expired)]))
}

/// Removes sign-ups whose link has stopped working, links to addresses of accounts that have, and requests that were
/// decided long ago.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let unproven = "DELETE FROM sign_ups WHERE id IN (
             SELECT id FROM sign_ups WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)";
    let unproven = run.repeat(unproven, &[now.into()]).await?;
    let decided = "DELETE FROM sign_up_requests WHERE id IN (
             SELECT id FROM sign_up_requests WHERE decided_at < $1 ORDER BY decided_at LIMIT 1000)";
    let decided = run.repeat(decided, &[(now - KEPT).into()]).await?;
    let links = accounts::email::clean_up(&run).await?;
    Ok(Report::from([("sign_ups", unproven), ("sign_up_requests", decided), ("email_links", links)]))
}
