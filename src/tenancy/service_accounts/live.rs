//! The live truth about an API key: its account, that one's role, and whether it opens anything now (SES-6).
//!
//! As with sessions, it is read from the database once and kept while the notification channel proves that nothing has
//! changed; without that proof every request reads it again. What runs out by itself is asked of the clock each time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use entity::{ApiKeyId, OrganizationId, ServiceAccountId};
use ipnet::IpNet;
use moka::sync::Cache;
use sea_orm::FromQueryResult;
use tokio_util::sync::CancellationToken;

use super::{
    token,
    uses::{Throttle, Uses},
};
use crate::{
    audit::{Kind, Refusals},
    authz::Policy,
    db::{Change, Changes, Db},
    error::{Code, Error, Result},
    runtime::{Clock, Timestamp},
    sessions,
    types::{Actor, Caller, Origin, Permissions, Role, Tenancy},
    vault::Vault,
};

/// How many keys are kept at most: a few hundred bytes each.
const MOST: u64 = 20_000;

/// What is true of a key now.
#[derive(Debug)]
pub struct Known {
    /// The key.
    pub key: ApiKeyId,
    /// Whose it is.
    pub account: ServiceAccountId,
    /// Where that one belongs.
    pub organization: OrganizationId,
    /// What it may there.
    pub role: Role,
    /// What custom roles give it beside that.
    pub permissions: Permissions,
    closed: Option<&'static str>,
    expires_at: Option<Timestamp>,
    networks: Vec<IpNet>,
    noted: Throttle,
    read_at: Timestamp,
}

/// The keys that are in use.
#[derive(Clone)]
pub struct ApiKeys {
    db: Db,
    policy: Policy,
    changes: Changes,
    refusals: Refusals,
    cache: Cache<Vec<u8>, Arc<Known>>,
    /// Grows with every change, so that an answer that was read before one is not kept after it.
    generation: Arc<AtomicU64>,
    uses: Uses,
}

#[derive(FromQueryResult)]
struct Row {
    id: ApiKeyId,
    service_account_id: ServiceAccountId,
    role: String,
    /// What custom roles give, with spaces between.
    permissions: Option<String>,
    active: bool,
    revoked: bool,
    expires_at: Option<Timestamp>,
    allowed_networks: Vec<String>,
    last_used_at: Option<Timestamp>,
}

const LOAD: &str = "
    SELECT k.id, k.service_account_id, s.role, s.state = 'active' AS active, k.revoked_at IS NOT NULL AS revoked,
           k.expires_at, k.allowed_networks, k.last_used_at,
           (SELECT string_agg(DISTINCT p.operation, ' ') FROM custom_role_grants g
            JOIN custom_roles r ON r.organization_id = g.organization_id AND r.id = g.custom_role_id
            CROSS JOIN unnest(r.permissions) AS p (operation)
            WHERE g.organization_id = s.organization_id AND g.service_account_id = s.id) AS permissions
    FROM api_keys k
    JOIN service_accounts s ON s.organization_id = k.organization_id AND s.id = k.service_account_id
    JOIN organizations o ON o.id = k.organization_id AND o.status = 'active'
    WHERE k.organization_id = $1 AND k.key_hash = $2";

impl ApiKeys {
    /// An empty cache that listens to `changes`.
    pub fn new(db: Db, policy: Policy, changes: Changes, refusals: Refusals) -> Self {
        let cache: Cache<Vec<u8>, Arc<Known>> = Cache::new(MOST);
        let generation = Arc::new(AtomicU64::new(0));
        let (dropped, counted) = (cache.clone(), generation.clone());
        changes.on_change(move |change| match change {
            Change::Service(id) => drop_those(&dropped, &counted, |known| known.account == ServiceAccountId(id)),
            Change::Organization(id) => {
                drop_those(&dropped, &counted, |known| known.organization == OrganizationId(id))
            }
            Change::Everything => drop_those(&dropped, &counted, |_| true),
            Change::Account(_)
            | Change::Profile(_)
            | Change::Settings(_)
            | Change::Keys
            | Change::DataKeys
            | Change::Outbox
            | Change::Imports
            | Change::Jobs => {}
        });
        Self { db, policy, changes, refusals, cache, generation, uses: Uses::default() }
    }

    /// Who calls with this key, from there, now.
    ///
    /// # Errors
    /// `Unauthenticated` with `api_key_mistyped` for what is no whole key, which asks no database; with
    /// `api_key_not_valid` for one that nobody has, that is revoked or past its time, whose account is disabled, or that
    /// may not be used from there. The record says which.
    pub async fn recognise(&self, key: &str, origin: &Origin) -> Result<Arc<Known>> {
        let organization = token::organization(key).ok_or(Error::Unauthenticated(Code::ApiKeyMistyped))?;
        let hash = sessions::hash(key);
        let kept = if self.changes.trusted() { self.cache.get(&hash) } else { None };
        let kept = kept.filter(|known| origin.now < known.read_at + sessions::REREAD);
        let nobody = || Caller::anonymous(origin.clone());
        let refused = Error::Unauthenticated(Code::ApiKeyNotValid);
        let Some(known) = (match kept {
            Some(known) => Some(known),
            None => self.load(&nobody().within(organization), organization, hash).await?,
        }) else {
            self.refusals.count_failed(&nobody(), Kind::ApiKeyRefused, "unknown");
            return Err(refused);
        };
        if let Some(reason) = known.refusal(origin) {
            let caller = nobody().within(known.organization);
            self.refusals.count_use(&caller, Kind::ApiKeyRefused, known.key, reason);
            return Err(refused);
        }
        self.uses.note(known.key, &known.noted, origin);
        Ok(known)
    }

    /// Whether what is kept of this key is true now, so that [`ApiKeys::recognise`] need not read it.
    pub fn trusts(&self, key: &str) -> bool {
        self.changes.trusted() && self.keeps(key)
    }

    /// Whether this key was looked up before and is kept: to recognise it costs next to nothing.
    pub fn keeps(&self, key: &str) -> bool {
        self.cache.contains_key(&sessions::hash(key))
    }

    /// Drops what is kept of a service account, after this instance itself committed a change to it.
    pub fn forget(&self, account: ServiceAccountId) {
        drop_those(&self.cache, &self.generation, |known| known.account == account);
    }

    /// Drops everything that is kept, after this instance itself committed a change of what a custom role gives.
    pub fn forget_all(&self) {
        drop_those(&self.cache, &self.generation, |_| true);
    }

    /// Writes down when keys were used, every few seconds until `stop`, and once more then.
    pub async fn run(self, vault: Vault, clock: Clock, stop: CancellationToken) {
        self.uses.run(self.db, vault, clock, stop).await;
    }

    async fn load(&self, caller: &Caller, organization: OrganizationId, hash: Vec<u8>) -> Result<Option<Arc<Known>>> {
        let before = self.generation.load(Ordering::SeqCst);
        let tx = self.db.read(caller).await?;
        let rows: Vec<Row> = tx.query(LOAD, [organization.into(), hash.clone().into()]).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let known = Arc::new(row.into_known(organization, caller.now(), &self.policy)?);
        self.cache.insert(hash.clone(), known.clone());
        // A change that came in meanwhile may have been too early to find this entry.
        if self.generation.load(Ordering::SeqCst) != before {
            self.cache.invalidate(&hash);
        }
        Ok(Some(known))
    }
}

fn drop_those(cache: &Cache<Vec<u8>, Arc<Known>>, generation: &AtomicU64, which: impl Fn(&Known) -> bool) {
    // Counted first: who keeps an older answer after this sees the count, or is dropped below.
    generation.fetch_add(1, Ordering::SeqCst);
    for (hash, known) in cache {
        if which(&known) {
            cache.invalidate(&*hash);
        }
    }
}

impl Known {
    /// The caller that it makes of a request.
    pub fn caller(&self, origin: Origin) -> Caller {
        Caller {
            actor: Actor::Service { account: self.account, key: self.key },
            tenancy: Tenancy::Organization(self.organization),
            role: Some(self.role.clone()),
            permissions: self.permissions.clone(),
            ..Caller::anonymous(origin)
        }
    }

    /// Why it opens nothing, if it does not.
    fn refusal(&self, origin: &Origin) -> Option<&'static str> {
        let outside = || {
            // An address that is not known is in no network.
            let address = origin.address.map(|address| address.to_canonical());
            !self.networks.is_empty()
                && !address.is_some_and(|address| self.networks.iter().any(|network| network.contains(&address)))
        };
        match self.closed {
            Some(reason) => Some(reason),
            None if self.expires_at.is_some_and(|end| end <= origin.now) => Some("expired"),
            None if outside() => Some("address_not_allowed"),
            None => None,
        }
    }
}

impl Row {
    fn into_known(self, organization: OrganizationId, read_at: Timestamp, policy: &Policy) -> Result<Known> {
        let networks = self.allowed_networks.iter().map(|text| text.parse().map_err(Error::internal));
        Ok(Known {
            key: self.id,
            account: self.service_account_id,
            organization,
            role: Role::named(&self.role),
            permissions: policy.compile(self.permissions.as_deref().unwrap_or_default().split_whitespace()),
            closed: match (self.revoked, self.active) {
                (true, _) => Some("revoked"),
                (false, false) => Some("disabled"),
                (false, true) => None,
            },
            expires_at: self.expires_at,
            networks: networks.collect::<Result<_>>()?,
            noted: Throttle::since(self.last_used_at),
            read_at,
        })
    }
}
