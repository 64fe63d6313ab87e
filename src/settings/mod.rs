//! Settings: what the platform, and each organisation for itself, has decided; the stricter of the two holds.
//!
//! This module owns the tables `settings` and `settings_history`: what is there to be set ([`sections`]), how levels
//! combine, versions and their history. Values in force are kept in memory while the notification channel proves that
//! nothing has changed, and read from the database without that proof, so that a change holds on every instance
//! within a second. What a setting means is enforced where it matters, not here.

mod document;
mod field;
mod retention;
pub mod sections;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use entity::{OrganizationId, settings as rows, settings_history as history};
use moka::sync::Cache;
use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::document::{Document, Level, Levels};
pub use self::{
    document::{Changed, Source, Standing},
    field::{Field, Kind, MOST_DOMAINS, Number, Stricter, Unit, Unset},
    retention::{Wishes, retention},
    sections::{Configured, Effective, Outline, Reach, SECTIONS},
};
use crate::{
    audit::{Event, Kind as EventKind},
    db::{Change, Changes, Db, Tx, WriteTx},
    error::{Code, Error, Result},
    runtime::Ids,
    types::{Caller, Origin, Page, PageRequest, Tenancy},
};

/// How many organisations' values are kept at most: a few hundred bytes each.
const ORGANIZATIONS: u64 = 50_000;

/// The rows of an organisation and of the platform, in one statement: the values in force need both.
const LOAD: &str = "
    SELECT organization_id, document, version, updated_by, updated_at FROM settings
    WHERE organization_id = $1 OR organization_id = platform_organization()";

/// The settings of the installation.
#[derive(Clone)]
pub struct Settings {
    db: Db,
    changes: Changes,
    defaults: Arc<Document>,
    cache: Cache<OrganizationId, Arc<Effective>>,
    /// Grows with every change, so that values that were read before one are not kept after it.
    generation: Arc<AtomicU64>,
}

/// How the settings of an organisation stand, field by field.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Whose they are.
    pub organization: OrganizationId,
    /// The present version: 1 while nothing has ever been set.
    pub version: i32,
    /// The row, once something has been set.
    pub row: Option<rows::Model>,
    /// Each section with its fields.
    pub sections: Vec<(&'static Outline, Vec<Standing>)>,
}

/// What is stored for a look at one organisation.
struct Stored {
    platform: Option<rows::Model>,
    organization: Option<rows::Model>,
}

impl Settings {
    /// Settings over these defaults, that listen to `changes`.
    ///
    /// # Errors
    /// When the defaults can't be written down, which is a fault of ours.
    pub fn new(db: Db, changes: Changes, configured: &Configured) -> Result<Self> {
        let defaults = serde_json::to_value(Effective::defaults(configured)).map_err(Error::internal)?;
        let defaults = Arc::new(Document(defaults.as_object().cloned().unwrap_or_default()));
        let cache: Cache<OrganizationId, Arc<Effective>> = Cache::new(ORGANIZATIONS);
        let settings = Self { db, changes: changes.clone(), defaults, cache, generation: Arc::default() };
        let dropped = settings.clone();
        changes.on_change(move |change| match change {
            Change::Settings(organization) => dropped.forget(OrganizationId(organization)),
            Change::Everything => dropped.forget(OrganizationId::PLATFORM),
            Change::Account(_)
            | Change::Profile(_)
            | Change::Organization(_)
            | Change::Service(_)
            | Change::Keys
            | Change::DataKeys
            | Change::Outbox
            | Change::Imports
            | Change::Jobs => {}
        });
        Ok(settings)
    }

    /// The values in force in an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn effective(&self, organization: OrganizationId, origin: &Origin) -> Result<Arc<Effective>> {
        if let Some(kept) = self.kept(organization) {
            return Ok(kept);
        }
        Box::pin(self.load(organization, origin)).await
    }

    /// The values in force platform-wide.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform(&self, origin: &Origin) -> Result<Arc<Effective>> {
        self.effective(OrganizationId::PLATFORM, origin).await
    }

    /// The values in force in the organisation that a transaction is in, through this transaction: nobody waits for a
    /// second connection while holding one.
    ///
    /// # Errors
    /// When the transaction is in none; when the database fails.
    pub async fn effective_in(&self, tx: &Tx) -> Result<Arc<Effective>> {
        let organization = tx.caller().organization().ok_or_else(|| Error::internal("settings of no organisation"))?;
        match self.kept(organization) {
            Some(kept) => Ok(kept),
            None => self.read(tx, organization).await,
        }
    }

    /// The values in force platform-wide, through this transaction, whichever organisation it is in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform_in(&self, tx: &Tx) -> Result<Arc<Effective>> {
        match self.kept(OrganizationId::PLATFORM) {
            Some(kept) => Ok(kept),
            None => self.read(tx, OrganizationId::PLATFORM).await,
        }
    }

    /// The strictest values of the platform and all of these organisations: what holds for a person who is in them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn strictest(&self, organizations: &[OrganizationId], origin: &Origin) -> Result<Effective> {
        let mut strictest = written(&*self.platform(origin).await?)?;
        for organization in organizations {
            let own = written(&*self.effective(*organization, origin).await?)?;
            strictest = document::stricter(&strictest, &own);
        }
        read_back(strictest)
    }

    /// How the settings of the caller's organisation stand, or for a platform operation the platform's.
    ///
    /// # Errors
    /// `NotFound` for a caller in no organisation.
    pub async fn get(&self, caller: &Caller) -> Result<Overview> {
        let (caller, organization, level) = place(caller)?;
        let tx = self.db.read(&caller).await?;
        let stored = stored(&tx, organization).await?;
        Ok(self.overview(organization, level, stored))
    }

    /// Changes the settings of the caller's organisation, or for a platform operation the platform's: by section and
    /// field, where `null` takes away what is set. What is not named stays.
    ///
    /// # Errors
    /// `Invalid` with every value that is none, or laxer than it may be; `Conflict` with `precondition_failed`, and
    /// for the platform's own organisation, whose settings are changed as the platform's.
    pub async fn update(&self, caller: &Caller, wanted: &Map<String, Value>, read: Option<i32>) -> Result<Overview> {
        if caller.tenancy == Tenancy::Organization(OrganizationId::PLATFORM) {
            return Err(Error::Conflict(Code::Conflict));
        }
        let (caller, organization, level) = place(caller)?;
        keeps_a_way_in(level, wanted)?;
        let tx = self.db.write(&caller).await?;
        tx.lock(&format!("settings {organization}")).await?;
        let present = stored(&tx, organization).await?;
        let version = present.own(level).map_or(1, |row| row.version);
        if read.is_some_and(|read| read != version) {
            return Err(Error::Conflict(Code::PreconditionFailed));
        }
        let (platform, own) = present.documents(level);
        let levels = Levels { defaults: &self.defaults, platform: &platform, organization: own.as_ref() };
        let (document, changes) = levels.changed(wanted)?;
        if changes.is_empty() {
            return Ok(self.overview(organization, level, present));
        }
        let row = write(&tx, organization, version, document, &changes).await?;
        tx.commit(recorded(organization, &changes)).await?;
        self.forget(organization);
        let stored = match level {
            Level::Platform => Stored { platform: Some(row), organization: None },
            Level::Organization => Stored { organization: Some(row), ..present },
        };
        Ok(self.overview(organization, level, stored))
    }

    /// Every version of these settings, newest first.
    ///
    /// # Errors
    /// `NotFound` for a caller in no organisation.
    pub async fn history(&self, caller: &Caller, page: PageRequest) -> Result<Page<history::Model>> {
        let (caller, ..) = place(caller)?;
        let tx = self.db.read(&caller).await?;
        let mut query = tx.find::<history::Entity>().order_by_desc(history::Column::Id).limit(page.rows());
        if let Some(after) = page.after {
            query = query.filter(history::Column::Id.lt(after.0));
        }
        Ok(Page::of(page, tx.all(query).await?, |row| row.id.into()))
    }

    fn kept(&self, organization: OrganizationId) -> Option<Arc<Effective>> {
        if self.changes.trusted() { self.cache.get(&organization) } else { None }
    }

    async fn load(&self, organization: OrganizationId, origin: &Origin) -> Result<Arc<Effective>> {
        let reader = Caller::system("settings", origin.clone()).within(organization);
        let tx = self.db.read(&reader).await?;
        self.read(&tx, organization).await
    }

    async fn read(&self, tx: &Tx, organization: OrganizationId) -> Result<Arc<Effective>> {
        let before = self.generation.load(Ordering::SeqCst);
        let stored = stored(tx, organization).await?;
        let level = if organization == OrganizationId::PLATFORM { Level::Platform } else { Level::Organization };
        let (platform, own) = stored.documents(level);
        let levels = Levels { defaults: &self.defaults, platform: &platform, organization: own.as_ref() };
        let effective = Arc::new(read_back(levels.effective())?);
        self.cache.insert(organization, effective.clone());
        // A change that came in meanwhile may have been too early to find this entry.
        if self.generation.load(Ordering::SeqCst) != before {
            self.cache.invalidate(&organization);
        }
        Ok(effective)
    }

    /// Drops what is kept of an organisation. What the platform decides holds everywhere: then all is dropped.
    fn forget(&self, organization: OrganizationId) {
        // Counted first: who keeps an older answer after this sees the count, or is dropped below.
        self.generation.fetch_add(1, Ordering::SeqCst);
        if organization == OrganizationId::PLATFORM {
            self.cache.invalidate_all();
        } else {
            self.cache.invalidate(&organization);
        }
    }

    fn overview(&self, organization: OrganizationId, level: Level, stored: Stored) -> Overview {
        let (platform, own) = stored.documents(level);
        let levels = Levels { defaults: &self.defaults, platform: &platform, organization: own.as_ref() };
        let standings = |section: &'static Outline| section.fields.iter().map(|field| levels.standing(section, field));
        let sections = SECTIONS.iter().map(|section| (section, standings(section).collect())).collect();
        let row = stored.own(level).cloned();
        Overview { organization, version: row.as_ref().map_or(1, |row| row.version), row, sections }
    }
}

impl Stored {
    fn own(&self, level: Level) -> Option<&rows::Model> {
        match level {
            Level::Platform => self.platform.as_ref(),
            Level::Organization => self.organization.as_ref(),
        }
    }

    fn documents(&self, level: Level) -> (Document, Option<Document>) {
        let document = |row: Option<&rows::Model>| {
            Document(row.and_then(|row| row.document.as_object()).cloned().unwrap_or_default())
        };
        let organization = (level == Level::Organization).then(|| document(self.organization.as_ref()));
        (document(self.platform.as_ref()), organization)
    }
}

/// Everybody has a password, and not everybody has a passkey: the platform keeps the password, by which whoever is
/// shut out of an organisation comes in to add one (AUT-10).
fn keeps_a_way_in(level: Level, wanted: &Map<String, Value>) -> Result<()> {
    let ways = wanted.get("sign_in").and_then(|section| section.get("ways")).and_then(Value::as_array);
    match ways {
        Some(ways) if level == Level::Platform && !ways.is_empty() && !ways.contains(&Value::from("password")) => {
            Err(Error::field("/sign_in/ways", "none_left", "must keep password"))
        }
        _ => Ok(()),
    }
}

/// Whose settings a call is about: a platform operation's are those of the platform's own organisation.
fn place(caller: &Caller) -> Result<(Caller, OrganizationId, Level)> {
    match caller.tenancy {
        Tenancy::Platform | Tenancy::Organization(OrganizationId::PLATFORM) => {
            Ok((caller.within(OrganizationId::PLATFORM), OrganizationId::PLATFORM, Level::Platform))
        }
        Tenancy::Organization(id) => Ok((caller.clone(), id, Level::Organization)),
        Tenancy::None => Err(Error::not_found()),
    }
}

async fn stored(tx: &Tx, organization: OrganizationId) -> Result<Stored> {
    let rows: Vec<rows::Model> = tx.query(LOAD, [Uuid::from(organization).into()]).await?;
    let (platform, own) =
        rows.into_iter().partition::<Vec<_>, _>(|row| row.organization_id == OrganizationId::PLATFORM);
    Ok(Stored { platform: platform.into_iter().next(), organization: own.into_iter().next() })
}

/// Writes the next version of a document, and its history.
async fn write(
    tx: &WriteTx,
    organization: OrganizationId,
    version: i32,
    document: Document,
    changes: &[Changed],
) -> Result<rows::Model> {
    let (now, by) = (tx.caller().now(), tx.caller().account());
    let row = rows::Model {
        organization_id: organization,
        document: Value::Object(document.0),
        version: version + 1,
        updated_by: by,
        updated_at: now,
    };
    let past = history::Model {
        id: Ids.next(),
        organization_id: organization,
        version: row.version,
        changes: json!(changes),
        document: row.document.clone(),
        changed_by: by,
        changed_at: now,
    };
    let active = rows::ActiveModel::from(row);
    let row = if version == 1 { tx.insert(active).await? } else { tx.update(active.reset_all()).await? };
    tx.insert(history::ActiveModel::from(past)).await?;
    Ok(row)
}

fn recorded(organization: OrganizationId, changes: &[Changed]) -> Event {
    let name = |change: &Changed| format!("{}.{}", change.section, change.field);
    let values = |change: &Changed| json!({"before": change.before, "after": change.after});
    let fields: Vec<_> = changes.iter().map(name).collect();
    let changes: Map<_, _> = changes.iter().map(|change| (name(change), values(change))).collect();
    Event::new(EventKind::SettingsUpdated, organization).with("fields", fields.join(" ")).with("changes", changes)
}

fn written(effective: &Effective) -> Result<Document> {
    let value = serde_json::to_value(effective).map_err(Error::internal)?;
    Ok(Document(value.as_object().cloned().unwrap_or_default()))
}

fn read_back(document: Document) -> Result<Effective> {
    serde_json::from_value(Value::Object(document.0)).map_err(Error::internal)
}
