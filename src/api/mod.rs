//! The face: wire types and operations, one file a resource. An operation translates and calls one function of the
//! work floor; no rule is here and no SQL.

mod accounts;
mod acting;
mod address;
mod adoption;
mod alerts;
mod attributes;
mod audit;
mod audit_exports;
mod custom_roles;
mod decisions;
pub mod dev_mail;
mod document;
mod email;
mod email_codes;
mod errors;
pub mod events;
mod exports;
mod health;
mod imports;
mod invitations;
mod jobs;
mod keys;
mod known_devices;
mod legal_holds;
mod limits;
mod managed_accounts;
mod me;
mod members;
mod oauth;
mod organizations;
mod overview;
mod passkey_proofs;
mod passkeys;
mod passwords;
mod policies;
mod policy;
mod product_events;
mod recovery;
mod seals;
mod second_factors;
mod service_accounts;
mod session_ends;
mod sessions;
mod settings;
mod setup;
mod sign_ups;
mod signing_keys;
mod teams;
mod trusted_devices;
mod wire;

use std::sync::Arc;

use poem_openapi::{OpenApiService, Tags};
use serde_json::Value;

pub use health::Health;

use crate::{
    authz::Registry,
    edge::{ErrorStats, Gate, SpecOnly, proxies::UnknownProxies},
};

/// What the operations are handed.
#[derive(Clone)]
pub struct Face {
    /// The gate, with the server's parts behind it.
    pub gate: Arc<Gate>,
    /// The counters of problem documents.
    pub stats: Arc<ErrorStats>,
    /// Proxies that are not trusted.
    pub proxies: Arc<UnknownProxies>,
    /// The live streams.
    pub events: Arc<events::Hub>,
}

/// Every operation of the contract. A tuple of APIs has room for sixteen, so kin share a place.
pub type Everything = (
    Health,
    setup::Setup,
    // A tuple has sixteen places at most; what belongs together shares one.
    (
        (sessions::SignIn, passkey_proofs::PasskeyProofs),
        (second_factors::SecondFactors, passkeys::Passkeys, email_codes::EmailCodes, trusted_devices::TrustedDevices),
        recovery::Recovery,
        sign_ups::SignUps,
        passwords::Passwords,
    ),
    (me::Me, email::OwnEmail, known_devices::KnownDevices, alerts::mail::AlertMail),
    (organizations::Organizations, overview::Overview, adoption::Adoption),
    acting::Acting,
    settings::SettingsOf,
    (members::Members, attributes::ProfileAttributes, managed_accounts::ManagedAccounts),
    (teams::Teams, custom_roles::CustomRoles, service_accounts::ServiceAccounts, oauth::OAuth),
    invitations::Invitations,
    (imports::Imports, exports::Exports),
    (
        audit::Audit,
        audit_exports::AuditExports,
        product_events::ProductEvents,
        seals::Seals,
        legal_holds::LegalHolds,
        events::Events,
        alerts::Alerts,
        alerts::rules::AlertRules,
    ),
    (accounts::Accounts, session_ends::SessionEnds),
    (jobs::Operations, limits::Limits, errors::Errors),
    keys::Keys,
    (policy::Policies, policies::Evidence, decisions::Decisions, signing_keys::SigningKeys),
);

/// Every operation, over these parts.
pub fn everything(face: &Face) -> Everything {
    (
        Health(face.clone()),
        setup::Setup(face.clone()),
        (
            (sessions::SignIn(face.clone()), passkey_proofs::PasskeyProofs(face.clone())),
            (
                second_factors::SecondFactors(face.clone()),
                passkeys::Passkeys(face.clone()),
                email_codes::EmailCodes(face.clone()),
                trusted_devices::TrustedDevices(face.clone()),
            ),
            recovery::Recovery(face.clone()),
            sign_ups::SignUps(face.clone()),
            passwords::Passwords(face.clone()),
        ),
        (
            me::Me(face.clone()),
            email::OwnEmail(face.clone()),
            known_devices::KnownDevices(face.clone()),
            alerts::mail::AlertMail(face.clone()),
        ),
        (
            organizations::Organizations(face.clone()),
            overview::Overview(face.clone()),
            adoption::Adoption(face.clone()),
        ),
        acting::Acting(face.clone()),
        settings::SettingsOf(face.clone()),
        (
            members::Members(face.clone()),
            attributes::ProfileAttributes(face.clone()),
            managed_accounts::ManagedAccounts(face.clone()),
        ),
        (
            teams::Teams(face.clone()),
            custom_roles::CustomRoles(face.clone()),
            service_accounts::ServiceAccounts(face.clone()),
            oauth::OAuth(face.clone()),
        ),
        invitations::Invitations(face.clone()),
        (imports::Imports(face.clone()), exports::Exports(face.clone())),
        (
            audit::Audit(face.clone()),
            audit_exports::AuditExports(face.clone()),
            product_events::ProductEvents(face.clone()),
            seals::Seals(face.clone()),
            legal_holds::LegalHolds(face.clone()),
            events::Events(face.clone()),
            alerts::Alerts(face.clone()),
            alerts::rules::AlertRules(face.clone()),
        ),
        (accounts::Accounts(face.clone()), session_ends::SessionEnds(face.clone())),
        (jobs::Operations(face.clone()), limits::Limits(face.clone()), errors::Errors(face.clone())),
        keys::Keys(face.clone()),
        (
            policy::Policies(face.clone()),
            policies::Evidence(face.clone()),
            decisions::Decisions(face.clone()),
            signing_keys::SigningKeys(face.clone()),
        ),
    )
}

/// The parts of the contract, as its readers look for them.
#[derive(Tags)]
enum Tag {
    /// Is it alive, can it serve, since when.
    Health,
    /// The first run.
    Setup,
    /// Signing in, carrying on, signing out.
    Sessions,
    /// What people prove beside their password.
    SecondFactors,
    /// Coming in without an invitation.
    SignUps,
    /// What passwords must be, and choosing new ones.
    Passwords,
    /// The signed-in person's own affairs.
    Me,
    /// Tenants.
    Organizations,
    /// What the platform and the organisations have decided.
    Settings,
    /// Who belongs to an organisation.
    Members,
    /// Fields that an organisation declares for its members' profiles, and what they say.
    Attributes,
    /// People whose accounts an organisation manages.
    ManagedAccounts,
    /// Members together, and what a team gives them.
    Teams,
    /// An organisation's own roles, and what they can be composed of.
    CustomRoles,
    /// An organisation's own programs, and the keys with which they call.
    ServiceAccounts,
    /// What services ask of tokens that they are presented.
    Tokens,
    /// Who is asked to.
    Invitations,
    /// Files of people, in and out.
    Imports,
    /// What happened.
    Audit,
    /// What rules found in what happened, and who is told.
    Alerts,
    /// People, for platform administrators.
    Accounts,
    /// What runs by itself, the instances that run it, and how often one may call them.
    Operations,
    /// Roles and the signing keys.
    Policy,
}

const DESCRIPTION: &str = "A self-hosted, multi-tenant identity backend.\n\n\
    Errors are problem documents (RFC 9457) whose `code` never changes its meaning. Lists are pages: pass `next_cursor` as \
    `cursor`. Updates take `If-Match` with the `ETag` that was read; creating calls take `Idempotency-Key`. Times are RFC 3339 \
    in UTC, ids are UUIDs that sort by time. Unknown fields and parameters are refused. A field without a value is left out: \
    no answer says `null`, and no request may.\n\n\
    Every answer to a call that counts towards a limit says in `RateLimit-Policy` what holds and in `RateLimit` what is left \
    (draft-ietf-httpapi-ratelimit-headers); a call too many is answered 429, with `Retry-After`.\n\n\
    Programs call as a service account: `Authorization: Bearer` with its API key. \
    Clients that are no browsers sign in with `token_delivery: body` and send the access token as `Authorization: Bearer`. \
    Browsers sign in with `token_delivery: cookie`, and repeat the `freehold_csrf` cookie in `X-CSRF-Token` on every write.";

/// The contract, as JSON: made from the types, with each operation's line of the registry beside it.
pub fn contract(registry: &Registry) -> Value {
    let service = OpenApiService::new(SpecOnly::<Everything>::default(), "Freehold", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(poem_openapi::LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
        .server(poem_openapi::ServerObject::new("/").description("This installation"));
    let contract = serde_json::from_str(&service.spec()).unwrap_or(Value::Null);
    document::complete(contract, registry)
}
