//! Organisations: made by a platform administrator, changed by their own, closed softly.

use entity::{AccountId, OrganizationId, organizations as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::members;
use crate::{
    accounts::expect_version,
    app::App,
    audit::{Event, Kind},
    authz::Policy,
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    jobs::{Report, Run},
    types::{Caller, Page, PageRequest, Role, single_line},
};

/// An organisation.
pub type Organization = rows::Model;

/// The longest name in characters.
pub const LONGEST_NAME: usize = 200;
/// The longest short name: a DNS label, so that it can become a host name (RFC 1035, 2.3.4).
pub const LONGEST_SLUG: usize = 63;

/// What to change of an organisation.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new short name.
    pub slug: Option<String>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// One of the caller's own organisations.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Own {
    /// The organisation.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// `platform` or `tenant`.
    pub kind: String,
    /// The caller's direct role there.
    pub role: String,
    /// The caller's roles by teams there, with spaces between.
    pub team_roles: Option<String>,
    /// The caller's membership there.
    pub member_id: Uuid,
}

impl Own {
    /// The caller's roles there that count, the highest first (AZ-3).
    pub fn roles(&self, policy: &Policy) -> Vec<Role> {
        let by_teams = self.team_roles.as_deref().unwrap_or_default().split_whitespace();
        policy.hierarchy().effective(&self.role, by_teams)
    }
}

/// Makes an organisation and the caller its owner.
///
/// # Errors
/// `Invalid` for names that are none; `Conflict` with `slug_taken`.
pub async fn create(app: &App, caller: &Caller, name: &str, slug: Option<&str>) -> Result<Organization> {
    let (name, chosen) = checked(Some(name), slug)?;
    let name = name.unwrap_or_default();
    let creator = caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let id: OrganizationId = app.ids.next();
    let slug = chosen.unwrap_or_else(|| derived_slug(&name, id));
    let tx = app.db.write(caller).await?;
    let now = caller.now();
    let row = rows::Model {
        id,
        name,
        slug,
        kind: rows::Kind::Tenant,
        status: rows::Status::Active,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        purge_after: None,
    };
    let organization = tx.insert(rows::ActiveModel::from(row)).await?;
    members::add(&tx, app, id, creator, &Role::named(Role::OWNER)).await?;
    tx.commit(Event::new(Kind::OrganizationCreated, id).in_organization(id)).await?;
    app.sessions.forget(creator);
    Ok(organization)
}

/// All organisations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    app: &App,
    caller: &Caller,
    status: Option<rows::Status>,
    page: PageRequest,
) -> Result<Page<Organization>> {
    let tx = app.db.read(caller).await?;
    let mut query = tx.find::<rows::Entity>();
    if let Some(status) = status {
        query = query.filter(rows::Column::Status.eq(status));
    }
    tx.page(query, rows::Column::Id, |row| row.id.into(), page).await
}

/// The caller's active organisations, by name.
///
/// # Errors
/// When the database fails.
pub async fn own(tx: &Tx, account: AccountId) -> Result<Vec<Own>> {
    tx.query(
        "SELECT o.id, o.name, o.slug, o.kind, m.role, m.id AS member_id,
                (SELECT string_agg(DISTINCT t.role, ' ') FROM team_members x
                 JOIN teams t ON t.organization_id = x.organization_id AND t.id = x.team_id
                 WHERE x.organization_id = m.organization_id AND x.membership_id = m.id) AS team_roles
         FROM memberships m JOIN organizations o ON o.id = m.organization_id
         WHERE m.account_id = $1 AND m.status = 'active' AND o.status = 'active'
         ORDER BY o.name, o.id LIMIT 500",
        [Uuid::from(account).into()],
    )
    .await
}

/// The caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(tx: &Tx) -> Result<Organization> {
    let id = tx.caller().organization().ok_or_else(Error::not_found)?;
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

/// Changes the caller's organisation.
///
/// # Errors
/// `Invalid`; `NotFound` when it has been deleted; `Conflict` with `slug_taken` or `precondition_failed`.
pub async fn update(app: &App, caller: &Caller, changes: Changes) -> Result<Organization> {
    let (name, slug) = checked(changes.name.as_deref(), changes.slug.as_deref())?;
    let tx = app.db.write(caller).await?;
    let present = open(&tx).await?;
    expect_version(changes.version, present.version)?;
    let mut fields = Vec::new();
    let (id, next) = (present.id, present.version + 1);
    let mut row = present.into_active_model();
    if let Some(name) = name {
        row.name = Set(name);
        fields.push("name");
    }
    if let Some(slug) = slug {
        row.slug = Set(slug);
        fields.push("slug");
    }
    row.version = Set(next);
    row.updated_at = Set(caller.now());
    let organization = tx.update(row).await?;
    tx.commit(Event::new(Kind::OrganizationUpdated, id).with("fields", fields.join(" "))).await?;
    app.sessions.forget_all();
    Ok(organization)
}

/// Closes the caller's organisation to everybody. It can be restored for as long as the platform's settings say.
///
/// # Errors
/// `NotFound` when somebody else was quicker; `Conflict` for the platform's own organisation, or `precondition_failed`.
pub async fn delete(app: &App, caller: &Caller, version: Option<i32>) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let present = open(&tx).await?;
    expect_version(version, present.version)?;
    if present.kind == rows::Kind::Platform {
        return Err(Error::Conflict(Code::Conflict));
    }
    let (id, next) = (present.id, present.version + 1);
    let grace = app.settings.platform_in(&tx).await?.organizations.grace();
    let mut row = present.into_active_model();
    row.status = Set(rows::Status::Deleted);
    row.deleted_at = Set(Some(caller.now()));
    row.purge_after = Set(Some(caller.now() + grace));
    row.version = Set(next);
    row.updated_at = Set(caller.now());
    tx.update(row).await?;
    tx.commit(Event::new(Kind::OrganizationDeleted, id)).await?;
    app.sessions.forget_all();
    Ok(())
}

/// Opens a deleted organisation again, with everybody who was in it.
///
/// # Errors
/// `NotFound` when there is no deleted organisation of this id whose grace period has not ended.
pub async fn restore(app: &App, caller: &Caller, id: OrganizationId) -> Result<Organization> {
    let tx = app.db.write(caller).await?;
    let present = lock(&tx, id).await?;
    if present.status != rows::Status::Deleted || present.purge_after.is_none_or(|end| end <= caller.now()) {
        return Err(Error::not_found());
    }
    let next = present.version + 1;
    let mut row = present.into_active_model();
    row.status = Set(rows::Status::Active);
    row.deleted_at = Set(None);
    row.purge_after = Set(None);
    row.version = Set(next);
    row.updated_at = Set(caller.now());
    let organization = tx.update(row).await?;
    tx.commit(Event::new(Kind::OrganizationRestored, id).in_organization(id)).await?;
    app.sessions.forget_all();
    Ok(organization)
}

/// Removes the organisations whose grace period has ended, with everything that belonged to them. What happened in
/// them stays in the record.
///
/// # Errors
/// When the database fails.
pub async fn purge(run: Run) -> Result<Report> {
    let mut purged = 0;
    while !run.is_stopping() {
        let tx = run.write().await?;
        let due = tx
            .find::<rows::Entity>()
            .filter(rows::Column::PurgeAfter.lte(run.caller().now()))
            .order_by_asc(rows::Column::PurgeAfter)
            .limit(1);
        // Locked, so that a restoration either comes before and is seen, or finds nothing.
        let Some(organization) = tx.one(due.lock_exclusive()).await? else { break };
        let id = organization.id;
        tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
        tx.commit(Event::new(Kind::OrganizationPurged, id)).await?;
        purged += 1;
    }
    Ok(Report::from([("organizations", purged)]))
}

/// Takes the row of the caller's organisation, so that what depends on all of its members happens one after the other.
///
/// # Errors
/// `NotFound`, also when it was deleted since the guard let the caller pass.
pub(super) async fn open(tx: &WriteTx) -> Result<Organization> {
    let present = lock(tx, tx.caller().organization().ok_or_else(Error::not_found)?).await?;
    if present.status == rows::Status::Active { Ok(present) } else { Err(Error::not_found()) }
}

async fn lock(tx: &WriteTx, id: OrganizationId) -> Result<Organization> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

fn checked(name: Option<&str>, slug: Option<&str>) -> Result<(Option<String>, Option<String>)> {
    let mut faults = Vec::new();
    let clean = name.and_then(|name| single_line(name, LONGEST_NAME));
    if name.is_some() && clean.is_none() {
        faults.push(Fault::body("/name", "format", format!("must be 1 to {LONGEST_NAME} characters on one line")));
    }
    if slug.is_some_and(|slug| !is_slug(slug)) {
        faults.push(Fault::body(
            "/slug",
            "format",
            "must be 1 to 63 of a-z, 0-9 and hyphens, with no hyphen at either end",
        ));
    }
    if faults.is_empty() { Ok((clean, slug.map(str::to_owned))) } else { Err(Error::Invalid(faults)) }
}

fn is_slug(text: &str) -> bool {
    let fits = (1..=LONGEST_SLUG).contains(&text.len());
    let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    fits && letters && !text.starts_with('-') && !text.ends_with('-')
}

/// A short name made of the name, with the end of the id so that it is nobody else's.
fn derived_slug(name: &str, id: OrganizationId) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(48) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let id = id.to_string();
    let end = id.get(id.len().saturating_sub(6)..).unwrap_or_default();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { format!("org-{end}") } else { format!("{slug}-{end}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_dns_labels() {
        for right in ["a", "acme", "acme-2", "0a"] {
            assert!(is_slug(right), "{right}");
        }
        for wrong in ["", "-a", "a-", "Acme", "a_b", "ü", &"a".repeat(64)] {
            assert!(!is_slug(wrong), "{wrong}");
        }
        let id = OrganizationId(Uuid::from_u128(0xabcdef));
        assert_eq!(derived_slug("Acme & Söhne GmbH", id), "acme-s-hne-gmbh-abcdef");
        assert_eq!(derived_slug("日本", id), "org-abcdef");
        assert!(is_slug(&derived_slug(&"x".repeat(200), id)));
    }
}
