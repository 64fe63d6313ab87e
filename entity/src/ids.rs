//! Identifiers: a UUIDv7 each, in a type of its own, so that no id can stand in for another kind's.

use sea_orm::{DeriveValueType, entity::prelude::Uuid};
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

ids! {
    /// An account: one person's identity, whatever organisations they belong to.
    AccountId;
    /// An organisation: one tenant, or the platform itself.
    OrganizationId;
    /// An alert of an organisation.
    AlertId;
    /// A hold on an organisation's record.
    LegalHoldId;
    /// An event type of a product's own.
    ProductEventTypeId;
    /// A rule of an organisation's own that raises alerts.
    AlertRuleId;
    /// An import of people.
    ImportId;
    /// A piece of what was uploaded for an import.
    ImportPartId;
    /// A membership of an account in an organisation.
    MembershipId;
    /// A team of an organisation.
    TeamId;
    /// A custom role of an organisation.
    CustomRoleId;
    /// That somebody holds a custom role.
    CustomRoleGrantId;
    /// A revision of the policy.
    PolicyRevisionId;
    /// A service account of an organisation.
    ServiceAccountId;
    /// A key of a service account.
    ApiKeyId;
    /// A profile attribute that an organisation has declared.
    AttributeId;
    /// What a profile attribute says of a member.
    AttributeValueId;
    /// An invitation into an organisation.
    InvitationId;
    /// An access of a platform administrator to a tenant's organisation.
    PlatformAccessId;
    /// A sign-up whose address is not proven yet.
    SignUpId;
    /// A sign-up that waits for somebody to let the person in.
    SignUpRequestId;
    /// A link that proves an address of a person.
    EmailLinkId;
    /// A session: one sign-in on one device.
    SessionId;
    /// A refresh token: one link of a session's chain.
    RefreshTokenId;
    /// An attempt to re-authenticate.
    ReauthenticationAttemptId;
    /// A device that a person has signed in on.
    KnownDeviceId;
    /// A person's authenticator app.
    TotpFactorId;
    /// A passkey of a person.
    PasskeyId;
    /// A browser in which a right password is enough for a while.
    TrustedDeviceId;
    /// A right password that waits for a second factor.
    ChallengeId;
    /// A mailbox that helps a person who has lost their second factor.
    RecoveryAddressId;
    /// What somebody asked for who has lost their second factor.
    RecoveryRequestId;
    /// What an ACME authority has issued, or the account that ordered it.
    CertificateId;
    /// A data key; also what a sealed value says of the key that sealed it.
    DataKeyId;
    /// A rotation of a scope's data key.
    KeyRotationId;
    /// A signing key; also the `kid` of its tokens.
    SigningKeyId;
    /// An audit entry.
    AuditEntryId;
    /// A version of an organisation's settings.
    SettingsChangeId;
    /// A message in the outbox.
    OutboxId;
    /// A run of a job.
    JobRunId;
    /// A running server.
    InstanceId;
    /// A kept answer to an `Idempotency-Key`.
    IdempotencyId;
    /// A setup token.
    SetupTokenId;
}

impl OrganizationId {
    /// The platform's own organisation: the fixed id that the first migration inserts, so that row-level
    /// security can name it. Platform admins are its members.
    pub const PLATFORM: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));
}
