//! What the work floor's functions are handed: the parts that live as long as the server. Wiring makes it; it decides
//! nothing.

use std::sync::Arc;

use entity::InstanceId;

use crate::{
    accounts::Passwords,
    alerts::AlertPolicy,
    audit::Refusals,
    authz::Policy,
    config::Limits,
    db::{Db, Probe},
    decisions::Decisions,
    jobs::Jobs,
    mail::Mail,
    mfa::passkeys::RelyingParty,
    policies::Map,
    privacy::Ledger,
    runtime::{Clock, Entropy, Ids},
    sessions::Sessions,
    settings::Settings,
    tenancy::service_accounts::ApiKeys,
    vault::Vault,
};

/// The parts of a running server.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// How the database is.
    pub probe: Probe,
    /// The policy in force.
    pub policy: Policy,
    /// The same as evidence: what this instance enforces, and from which files.
    pub map: Arc<Map>,
    /// Sessions and their tokens.
    pub sessions: Sessions,
    /// The keys of service accounts, as they are now.
    pub services: ApiKeys,
    /// What the platform and the organisations have decided.
    pub settings: Settings,
    /// The password hashing pool.
    pub passwords: Passwords,
    /// Ourselves, as passkeys know us.
    pub passkeys: RelyingParty,
    /// The vault.
    pub vault: Vault,
    /// The outbox.
    pub mail: Mail,
    /// This instance, new at each start.
    pub instance: InstanceId,
    /// Who has been erased, outside the database.
    pub ledger: Ledger,
    /// What runs by itself.
    pub jobs: Jobs,
    /// What alerts are raised of.
    pub alerts: AlertPolicy,
    /// The guard's refusals on their way into the record.
    pub refusals: Refusals,
    /// What the guard decides, on its way into the daily counts.
    pub decisions: Decisions,
    /// How often one may call: for what is counted in the database.
    pub limits: Limits,
    /// The clock.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Ids.
    pub ids: Ids,
    /// Where people reach the server, without a slash at the end.
    pub public_url: Arc<str>,
}
