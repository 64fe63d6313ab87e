//! Freehold's rows: one module a table, id newtypes, column types. No logic.
//!
//! [`Tenant`] marks the entities that belong to an organisation; `freehold::db` scopes every query of them.
//! [`Identity`] marks those that belong to none; each is used by one module of the server only.

// A derived entity brings public items whose meaning is the column's name.
#![expect(missing_docs, reason = "columns and derived items are named by the table; the migration documents them")]

use sea_orm::EntityTrait;

mod ids;
mod sealed;

pub mod account_matches;
pub mod accounts;
pub mod alert_mutes;
pub mod alert_preferences;
pub mod alert_rules;
pub mod alerts;
pub mod api_keys;
pub mod attribute_matches;
pub mod attribute_values;
pub mod attributes;
pub mod audit_checkpoints;
pub mod audit_entries;
pub mod audit_personal;
pub mod audit_seals;
pub mod audit_words;
pub mod certificates;
pub mod custom_role_grants;
pub mod custom_roles;
pub mod data_keys;
pub mod email_links;
pub mod erasures;
pub mod idempotency_keys;
pub mod import_lines;
pub mod import_parts;
pub mod imports;
pub mod instances;
pub mod invitation_matches;
pub mod invitation_teams;
pub mod invitations;
pub mod job_pauses;
pub mod job_runs;
pub mod key_rotations;
pub mod known_devices;
pub mod legal_holds;
pub mod memberships;
pub mod organizations;
pub mod outbox;
pub mod passkeys;
pub mod password_credentials;
pub mod platform_access;
pub mod product_event_types;
pub mod reauthentication_attempts;
pub mod recovery_addresses;
pub mod recovery_requests;
pub mod refresh_tokens;
pub mod service_accounts;
pub mod sessions;
pub mod settings;
pub mod settings_history;
pub mod setup_tokens;
pub mod sign_up_requests;
pub mod sign_ups;
pub mod signing_keys;
pub mod team_members;
pub mod teams;
pub mod totp_factors;
pub mod trusted_devices;

pub use ids::*;
pub use sealed::*;

/// An entity whose rows belong to an organisation.
pub trait Tenant: EntityTrait {
    /// The column that names the organisation.
    fn organization() -> Self::Column;
}

/// A tenant entity whose rows are also a person's own, wherever they are.
pub trait Owned: Tenant {
    /// The column that names the account.
    fn owner() -> Self::Column;
}

/// An entity whose rows belong to no organisation.
pub trait Identity: EntityTrait {}
