//! The catalogue of event types: code, severity, class and meaning (AUD-1). A code never changes its meaning.

use serde::{Deserialize, Serialize};

/// How much an event matters by itself, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Everyday work.
    Low,
    /// Worth a look in a review.
    Medium,
    /// Worth a look today.
    High,
    /// Worth a look now.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The stored words of this one and of those above it.
    pub fn and_above(self) -> impl Iterator<Item = &'static str> {
        let all = [Self::Low, Self::Medium, Self::High, Self::Critical];
        all.into_iter().skip_while(move |other| *other != self).map(Self::as_str)
    }
}

/// How long an entry is kept: security entries longer than normal ones (AUD-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Kept a year.
    Normal,
    /// Kept two years.
    Security,
}

impl Class {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Security => "security",
        }
    }
}

/// Whose record an event belongs to unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The organisation that the transaction is in.
    Tenant,
    /// The platform's own organisation: accounts are people, not tenants' property.
    Platform,
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $severity:ident, $class:ident, $home:ident, $target:literal, $title:literal, $meaning:literal;)*) => {
        /// An event type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $meaning] $name,)* }

        impl Kind {
            /// The whole catalogue, in its order.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];
            /// The stable code.
            pub const fn code(self) -> &'static str { match self { $(Kind::$name => $code,)* } }
            /// How much it matters.
            pub const fn severity(self) -> Severity { match self { $(Kind::$name => Severity::$severity,)* } }
            /// How long it is kept.
            pub const fn class(self) -> Class { match self { $(Kind::$name => Class::$class,)* } }
            /// Whose record it belongs to.
            pub const fn home(self) -> Home { match self { $(Kind::$name => Home::$home,)* } }
            /// The type of what it happened to.
            pub const fn target(self) -> &'static str { match self { $(Kind::$name => $target,)* } }
            /// A few words for a list.
            pub const fn title(self) -> &'static str { match self { $(Kind::$name => $title,)* } }
            /// A sentence for the auditor.
            pub const fn meaning(self) -> &'static str { match self { $(Kind::$name => $meaning,)* } }
        }
    };
}

catalogue! {
    PolicyRevised = "policy.revised", High, Security, Platform, "policy_revision", "Policy changed", "Another policy than before is in force: a release or the operator's files brought it. The metadata has the number of the revision and its SHA-256.";
    PolicyExported = "policy.exported", Medium, Security, Tenant, "policy_export", "Policy exported", "Somebody was given the policy and who holds what in the organisation. The metadata has the SHA-256 of what they got, so that a document can be held against it.";
    PlatformPolicyExported = "policy.exported_by_platform", Medium, Security, Platform, "policy_export", "Policy exported by the platform", "Somebody of the platform was given the policy and who holds what, by ids. The metadata has the SHA-256 of what they got.";
    SetupTokenIssued = "setup.token_issued", Medium, Security, Platform, "setup", "Setup link issued", "A single-use setup token was made, because the platform has no administrator yet.";
    SetupCompleted = "setup.completed", High, Security, Platform, "account", "Platform set up", "The first platform administrator was created with a setup token.";
    SetupRefused = "setup.refused", High, Security, Platform, "setup", "Setup refused", "Somebody presented a setup token that is not valid, or after setup was done.";
    SigningKeyCreated = "signing_key.created", Medium, Security, Platform, "signing_key", "Signing key created", "A key that signs access tokens was made, by the server in its time or by a platform administrator before that. The details have the reason, if one was given.";
    SigningKeyActivated = "signing_key.activated", Medium, Security, Platform, "signing_key", "Signing key in use", "A key that had been published for a while signs access tokens from now on, and the one before signs no more.";
    SigningKeyDistrusted = "signing_key.distrusted", High, Security, Platform, "signing_key", "Signing key distrusted", "A platform administrator had a key distrusted that may have leaked: it is no longer published, and no token that it signed is accepted.";
    SigningKeyRetired = "signing_key.retired", Medium, Security, Platform, "signing_key", "Signing key retired", "A key is no longer published and its private half was destroyed: every token that it signed has expired.";
    AccountCreated = "account.created", Low, Security, Platform, "account", "Account created", "A person got an account.";
    AccountUpdated = "account.updated", Low, Normal, Platform, "account", "Profile changed", "A person changed their profile.";
    AccountBlocked = "account.blocked", High, Security, Platform, "account", "Account blocked", "A platform administrator, or an administrator of the organisation that manages it, blocked an account everywhere; its sessions lost access at once.";
    AccountUnblocked = "account.unblocked", Medium, Security, Platform, "account", "Account unblocked", "A platform administrator, or an administrator of the organisation that manages it, let an account sign in again.";
    AccountLocked = "account.locked", High, Security, Platform, "account", "Account locked", "Too many wrong passwords locked the sign-in of an account for a while. The metadata says how many and until when, and whether it is the sign-in from unknown devices (identifier) or on one known device.";
    AccountUnlocked = "account.unlocked", Medium, Security, Platform, "account", "Account unlocked", "A platform administrator, or an administrator of the organisation that manages it, ended the lock of an account before its time.";
    AccountLockEnded = "account.lock_ended", Low, Security, Platform, "account", "Lock ended", "The lock of an account ended: by time, or because an attempt from before it turned out to be right.";
    AccountManagerChanged = "account.manager_changed", High, Security, Platform, "account", "Managing organisation changed", "A platform administrator put an account under the management of an organisation, or took it out of one. The metadata has both.";
    AccountChangeRefused = "account.change_refused", Medium, Security, Platform, "account", "Change of an account refused", "A rule stood against what an administrator wanted to do to an account that their organisation manages.";
    AccountSessionsEnded = "account.sessions_ended", Medium, Security, Platform, "account", "Sessions ended by an administrator", "A platform administrator, or an administrator of the organisation that manages it, ended every session of an account; or an administrator of the organisation in the metadata those that were in it.";
    AccountErased = "account.erased", High, Security, Platform, "account", "Person erased", "A platform administrator erased a person: whatever said who they were was destroyed, here and, as soon as a backup is restored, there. The metadata says whether it was done again after a restore.";
    EmailVerificationSent = "account.email_verification_sent", Low, Normal, Platform, "account", "Confirmation of an address asked for", "A person was sent a link that proves that the e-mail address of their account is theirs.";
    EmailVerified = "account.email_verified", Low, Security, Platform, "account", "E-mail address confirmed", "A person proved that the e-mail address of their account is theirs.";
    EmailChangeRequested = "account.email_change_requested", Medium, Security, Platform, "account", "Change of e-mail address asked for", "A person asked to sign in with another e-mail address; a link was sent there, and word of it to the present one.";
    EmailChangeCancelled = "account.email_change_cancelled", Low, Security, Platform, "account", "Change of e-mail address cancelled", "A person took back their wish for another e-mail address; its link stopped working.";
    EmailChanged = "account.email_changed", High, Security, Platform, "account", "E-mail address changed", "A person proved that another e-mail address is theirs, and signs in with it from now on. The address before was told.";
    SignUpStarted = "sign_up.started", Low, Normal, Platform, "sign_up", "Sign-up started", "Somebody asked for an account, and a letter was sent to their address. There is no account until they have followed its link.";
    SignUpCompleted = "sign_up.completed", Low, Security, Platform, "account", "Signed up", "A person proved their e-mail address and came in without an invitation. The metadata has the organisation that they joined, if any.";
    SignUpRequested = "sign_up.requested", Low, Security, Tenant, "sign_up_request", "Waits to be let in", "A person proved their e-mail address and waits for an administrator to let them in.";
    SignUpApproved = "sign_up.approved", Medium, Security, Tenant, "sign_up_request", "Let in", "An administrator let a person in who had signed up. The metadata has the account.";
    SignUpRejected = "sign_up.rejected", Medium, Security, Tenant, "sign_up_request", "Not let in", "An administrator did not let a person in who had signed up. The metadata has the reason.";
    SignUpExpired = "sign_up.expired", Low, Normal, Tenant, "sign_up_request", "Waited too long", "Nobody decided about a person who had signed up, and their request ended by itself.";
    KnownDeviceForgotten = "known_device.forgotten", Low, Security, Platform, "known_device", "Known device forgotten", "A person had one of the devices that they have signed in on forgotten.";
    KnownDevicesForgotten = "known_device.forgotten_all", Medium, Security, Platform, "account", "All known devices forgotten", "A person had all devices that they have signed in on forgotten.";
    SecondFactorEnrolled = "second_factor.enrolled", Medium, Security, Platform, "account", "Second factor set up", "A person set up a second factor and proved that it works. The metadata says which.";
    SecondFactorRemoved = "second_factor.removed", High, Security, Platform, "account", "Second factor removed", "A person removed their second factor; its backup codes went with it, and their sessions count as without one.";
    SecondFactorsDisabled = "second_factor.disabled", High, Security, Platform, "account", "Second factors switched off", "A platform administrator, or an administrator of the organisation that manages it, took every second factor from an account, and ended its sessions.";
    PasskeyAdded = "passkey.added", Medium, Security, Platform, "passkey", "Passkey added", "A person added a passkey, which signs them in by itself.";
    PasskeyRenamed = "passkey.renamed", Low, Security, Platform, "passkey", "Passkey renamed", "A person called one of their passkeys something else.";
    PasskeyRemoved = "passkey.removed", High, Security, Platform, "passkey", "Passkey removed", "A person removed one of their passkeys. If it was their last second factor, that has an entry of its own.";
    PasskeyCloned = "passkey.cloned", High, Security, Platform, "passkey", "Passkey used from a copy", "A passkey's counter was not above the last that was seen, so that there are two of its authenticator. It was refused, and its owner was told. The metadata has the account.";
    SecondFactorCodeSent = "second_factor.code_sent", Low, Security, Platform, "account", "Code sent by e-mail", "A code was sent to the address of an account, to somebody who gave its password or has a session of it.";
    TrustedDeviceAdded = "trusted_device.added", Medium, Security, Platform, "trusted_device", "Device trusted", "A person proved a second factor on a device and trusts it from then on: for fourteen days the password is enough to sign in there.";
    TrustedDeviceRevoked = "trusted_device.revoked", Low, Security, Platform, "trusted_device", "Device trusted no more", "A person trusts one of their devices no more.";
    TrustedDevicesRevoked = "trusted_device.revoked_all", Medium, Security, Platform, "account", "No device trusted any more", "A person trusts none of their devices any more.";
    BackupCodesCreated = "second_factor.backup_codes_created", Medium, Security, Platform, "account", "Backup codes made", "A person was shown new backup codes; those before stopped working.";
    SecondFactorAsked = "second_factor.asked", Low, Security, Platform, "account", "Second factor asked for", "Somebody gave the right password of an account that has a second factor, and was asked for that.";
    SecondFactorFailed = "second_factor.failed", Medium, Security, Platform, "account", "Second factor failed", "Somebody who knows the password, or has a session, gave a wrong code. The metadata says of what.";
    SecondFactorExhausted = "second_factor.exhausted", High, Security, Platform, "account", "Too many wrong codes", "Somebody who knows the password gave so many wrong codes that the sign-in ended. The account's owner was told.";
    GraceStarted = "second_factor.grace_started", Low, Security, Platform, "account", "Second factor demanded", "A person's role demands a second factor for the first time. The metadata says until when they may do without.";
    GraceReset = "second_factor.grace_reset", Medium, Security, Platform, "account", "Time for a second factor given again", "A platform administrator, or an administrator of the organisation that manages it, gave a person time again to set up a second factor. The metadata says until when.";
    RecoveryAddressRequested = "second_factor.recovery_address_requested", Medium, Security, Platform, "account", "Recovery address asked for", "A person asked for another recovery address; a link was sent there, and word of it to the addresses before.";
    RecoveryAddressSet = "second_factor.recovery_address_set", High, Security, Platform, "account", "Recovery address set", "A person proved that a recovery address is theirs. It helps them from now on when they lose their second factor.";
    RecoveryAddressRemoved = "second_factor.recovery_address_removed", High, Security, Platform, "account", "Recovery address removed", "A person removed their recovery address, or it became the address of their account.";
    RecoveryRequested = "second_factor.recovery_requested", High, Security, Platform, "account", "Recovery asked for", "Somebody gave the right password, said that they can't use the second factor, and asked for a recovery. Every address of the person was told. The metadata says from when on it can be completed, and whether an administrator has to approve it.";
    RecoveryUnavailable = "second_factor.recovery_unavailable", Medium, Security, Platform, "account", "Recovery without a recovery address", "Somebody gave the right password and asked for a recovery, but the account has no recovery address.";
    RecoveryApproved = "second_factor.recovery_approved", High, Security, Platform, "account", "Recovery approved", "An administrator of the platform, or of one of the person's organisations, which has it in its record too, approved the recovery of a lost second factor. The metadata has the reason.";
    RecoveryRefused = "second_factor.recovery_refused", Medium, Security, Platform, "account", "Recovery refused", "An administrator of the platform, or of one of the person's organisations, which has it in its record too, refused the recovery of a lost second factor. The metadata has the reason.";
    RecoveryStopped = "second_factor.recovery_stopped", Medium, Security, Platform, "account", "Recovery stopped", "A recovery of a second factor was stopped, in a session of the person or with the link that every address was sent, or because the factor was used after all.";
    Recovered = "second_factor.recovered", High, Security, Platform, "account", "Second factor recovered", "A recovery was completed: every second factor was taken from the account, and its sessions and known devices ended.";
    SessionCreated = "session.created", Low, Security, Platform, "session", "Signed in", "A person signed in, and a session began.";
    SessionFailed = "session.failed", Medium, Security, Platform, "account", "Sign-in failed", "Somebody tried to sign in with a wrong password, an unknown address, or to a blocked account. The metadata says which; attempts with unknown addresses are counted together.";
    SessionEnded = "session.ended", Low, Security, Platform, "session", "Session ended", "A person signed out or ended one of their sessions, an administrator ended it, or a service that was presented a token of it had it ended. The metadata has the reason where it was not the person.";
    SessionsEnded = "session.ended_all", Medium, Security, Platform, "account", "All sessions ended", "A person ended all of their sessions.";
    EverybodysSessionsEnded = "session.ended_everywhere", Critical, Security, Platform, "organization", "Everybody's sessions ended", "A platform administrator ended every session of the installation. The metadata says how many there were, and whether their own went on.";
    SessionReauthenticated = "session.reauthenticated", Low, Security, Platform, "session", "Re-authenticated", "A signed-in person proved again who they are.";
    SessionReauthenticationFailed = "session.reauthentication_failed", Medium, Security, Platform, "session", "Re-authentication failed", "Somebody with a running session gave a wrong password when asked to prove who they are.";
    PasswordChanged = "password.changed", Medium, Security, Platform, "account", "Password changed", "A person chose a new password and gave the old one; their other sessions were ended.";
    PasswordResetRequested = "password.reset_requested", Medium, Security, Platform, "account", "New password asked for", "Somebody who has not signed in asked for a new password, and a link was sent to the owner of the account.";
    PasswordResetCompleted = "password.reset_completed", High, Security, Platform, "account", "Password reset", "A new password was chosen with a link that was sent to the account's owner; all of its sessions were ended.";
    PasswordResetRefused = "password.reset_refused", Medium, Security, Platform, "account", "New password refused", "Somebody asked for a new password of an account that is not there, blocked or without a password, or presented a link that is not valid any more. The metadata says which.";
    PasswordUpgraded = "password.upgraded", Low, Normal, Platform, "account", "Password hashed anew", "A password was found right at a sign-in, and hashed anew by the parameters of today.";
    RefreshTokenReused = "session.refresh_token_reused", High, Security, Platform, "session", "Refresh token reused", "A refresh token was presented a second time: somebody else may have it. The whole session was ended.";
    RefreshTokenMisplaced = "session.refresh_token_misplaced", High, Security, Platform, "session", "Refresh token misplaced", "A refresh token that was given to a browser in a cookie came in a body, or the other way round: somebody else may have it. It was refused and not used up.";
    OrganizationEntered = "organization.entered", Low, Security, Tenant, "account", "Organisation entered", "A person's session began to act in this organisation, by signing in or by switching.";
    OrganizationCreated = "organization.created", Medium, Security, Tenant, "organization", "Organisation created", "A platform administrator created this organisation and became its owner.";
    OrganizationUpdated = "organization.updated", Low, Normal, Tenant, "organization", "Organisation changed", "The organisation's name or short name was changed.";
    OrganizationSessionsEnded = "organization.sessions_ended", High, Security, Tenant, "organization", "All sessions ended", "An administrator, or a platform administrator, ended every session that was in this organisation. The metadata says how many there were, and whether their own went on.";
    OrganizationDeleted = "organization.deleted", High, Security, Tenant, "organization", "Organisation deleted", "The organisation was closed to everybody. It can be restored until its grace period ends.";
    OrganizationRestored = "organization.restored", High, Security, Tenant, "organization", "Organisation restored", "A platform administrator restored the organisation.";
    ActingStarted = "organization.acting_started", High, Security, Tenant, "platform_access", "Platform support began", "A platform administrator began to act in the organisation, for the reason in the metadata and for half an hour at most. Entries of what they do there have the access as `acting` in their metadata.";
    ActingEnded = "organization.acting_ended", Medium, Security, Tenant, "platform_access", "Platform support ended", "A platform administrator's access to the organisation ended. The metadata says why.";
    SettingsUpdated = "settings.updated", High, Security, Tenant, "settings", "Settings changed", "Settings of the organisation, or of the whole platform, were changed. The metadata has each field with what was set before and after.";
    MemberAdded = "member.added", Low, Security, Tenant, "member", "Member added", "A person became a member.";
    MemberRoleChanged = "member.role_changed", Medium, Security, Tenant, "member", "Role changed", "A member's role was changed. The metadata has both roles.";
    MemberCustomRolesChanged = "member.custom_roles_changed", High, Security, Tenant, "member", "Custom roles of a member changed", "A member got or lost custom roles of their own. The metadata has the ids of both.";
    MemberBlocked = "member.blocked", Medium, Security, Tenant, "member", "Member blocked", "A member lost access to this organisation without being removed.";
    MemberUnblocked = "member.unblocked", Medium, Security, Tenant, "member", "Member unblocked", "A blocked member got access again.";
    MemberRemoved = "member.removed", Medium, Security, Tenant, "member", "Member removed", "A person is no longer a member.";
    MemberSessionEnded = "member.session_ended", Medium, Security, Tenant, "session", "Session ended by an administrator", "An administrator ended a session of a member that was in this organisation. The metadata has the account.";
    MemberSessionsEnded = "member.sessions_ended", Medium, Security, Tenant, "member", "A member's sessions ended", "An administrator ended the sessions of a member that were in this organisation. The metadata says how many.";
    MemberAttributesUpdated = "member.attributes_updated", Low, Normal, Tenant, "member", "Profile of a member changed", "Values of profile attributes of a member were set or taken away. The metadata has the keys of the attributes, never what they say.";
    MemberChangeRefused = "member.change_refused", Medium, Security, Tenant, "member", "Change of a member refused", "A rule stood against changing or removing a member: the last owner, a role above one's own, or a profile attribute that is not the caller's to change.";
    AttributeCreated = "attribute.created", Low, Security, Tenant, "attribute", "Profile attribute declared", "A field was added to the profiles of the organisation's members. The metadata says who sees and changes its values, and what they are sealed in.";
    AttributeUpdated = "attribute.updated", Medium, Security, Tenant, "attribute", "Profile attribute changed", "A field of the members' profiles was changed, moved, archived or restored. The metadata says what, and who sees and changes its values from now on.";
    AttributeDeleted = "attribute.deleted", High, Security, Tenant, "attribute", "Profile attribute removed", "A field of the members' profiles was removed, with what it said of them. The metadata says of how many.";
    TeamCreated = "team.created", Low, Security, Tenant, "team", "Team created", "A team was made. The metadata has the role that it gives its members, if any.";
    TeamUpdated = "team.updated", Medium, Security, Tenant, "team", "Team changed", "A team's name, description or role was changed. The metadata says what, and has both roles when the role was.";
    TeamDeleted = "team.deleted", Medium, Security, Tenant, "team", "Team deleted", "A team was removed, and its members lost what it gave them. The metadata says how many they were.";
    TeamMemberAdded = "team.member_added", Low, Security, Tenant, "team", "Added to a team", "A member was put into a team and got the role that it gives.";
    TeamMemberRemoved = "team.member_removed", Low, Security, Tenant, "team", "Removed from a team", "A member was taken out of a team and lost the role that it gave.";
    TeamChangeRefused = "team.change_refused", Medium, Security, Tenant, "team", "Change of a team refused", "A rule stood against changing a team or who is in it: a role above one's own.";
    CustomRoleCreated = "custom_role.created", High, Security, Tenant, "custom_role", "Custom role created", "A role of the organisation's own was composed. The metadata has the operations that it permits.";
    CustomRoleUpdated = "custom_role.updated", High, Security, Tenant, "custom_role", "Custom role changed", "The name, description or permissions of a role of the organisation's own were changed. The metadata says what, and has the operations that were added and removed; whoever holds the role may do so, or may not any more, from then on.";
    CustomRoleDeleted = "custom_role.deleted", High, Security, Tenant, "custom_role", "Custom role deleted", "A role of the organisation's own was removed. The metadata has the operations that it permitted, and says how many members, teams and service accounts lost it.";
    CustomRoleChangeRefused = "custom_role.change_refused", Medium, Security, Tenant, "custom_role", "Change of a custom role refused", "A rule stood against composing, changing or removing a role of the organisation's own: a permission that one does not hold oneself.";
    ServiceAccountCreated = "service_account.created", Medium, Security, Tenant, "service_account", "Service account created", "A service account was made, for a program of the organisation's own. The metadata has its role.";
    ServiceAccountUpdated = "service_account.updated", Medium, Security, Tenant, "service_account", "Service account changed", "A service account's name, description or role was changed. The metadata says what, and has both roles when the role was.";
    ServiceAccountDisabled = "service_account.disabled", Medium, Security, Tenant, "service_account", "Service account disabled", "The keys of a service account stopped working until it is enabled again.";
    ServiceAccountEnabled = "service_account.enabled", Medium, Security, Tenant, "service_account", "Service account enabled", "The keys of a disabled service account work again.";
    ServiceAccountDeleted = "service_account.deleted", High, Security, Tenant, "service_account", "Service account deleted", "A service account was removed with its keys. The metadata has its role.";
    ServiceAccountChangeRefused = "service_account.change_refused", Medium, Security, Tenant, "service_account", "Change of a service account refused", "A rule stood against changing a service account or its keys: a role above one's own.";
    ApiKeyCreated = "api_key.created", High, Security, Tenant, "api_key", "API key created", "A service account got a key. The metadata has the account, until when the key works, and whether only from some networks.";
    ApiKeyRevoked = "api_key.revoked", Medium, Security, Tenant, "api_key", "API key revoked", "A key of a service account stopped working for good. The metadata has the account.";
    ApiKeyRefused = "api_key.refused", Medium, Security, Tenant, "api_key", "API key refused", "Somebody called with a key that does not work, or not from there. The metadata has the reason and how many times in a few seconds; keys that nobody has are in the platform's record.";
    TokenRevoked = "token.revoked", Medium, Security, Tenant, "session", "Token revoked", "A service account presented a token of a session and had the session ended (RFC 7009).";
    InvitationCreated = "invitation.created", Low, Security, Tenant, "invitation", "Invitation sent", "A person was invited by e-mail.";
    InvitationRefused = "invitation.refused", Medium, Security, Tenant, "invitation", "Invitation refused", "Somebody tried to invite with a role above their own.";
    InvitationTokenRefused = "invitation.token_refused", Medium, Security, Tenant, "invitation", "Invitation link refused", "Somebody presented the link of an invitation that is not open any more. The metadata has the reason and how many times in a few seconds.";
    InvitationResent = "invitation.resent", Low, Security, Tenant, "invitation", "Invitation sent again", "An invitation got a new link, and the old link stopped working.";
    InvitationRevoked = "invitation.revoked", Low, Security, Tenant, "invitation", "Invitation revoked", "An invitation was withdrawn.";
    InvitationAccepted = "invitation.accepted", Low, Security, Tenant, "invitation", "Invitation accepted", "The invited person accepted.";
    InvitationExpired = "invitation.expired", Low, Normal, Tenant, "invitation", "Invitation expired", "Nobody accepted the invitation in its time, and its link stopped working.";
    InvitationErased = "invitation.erased", Low, Security, Tenant, "invitation", "Invitation erased", "The person whom the invitation was for was erased, and it went with them.";
    ImportReceived = "import.received", Low, Normal, Tenant, "import", "File for an import received", "A file of people, or a part of one, was uploaded. Nobody was made.";
    ImportStarted = "import.started", High, Security, Tenant, "import", "Import started", "A file of people began to be worked off. The metadata says what its lines make, and whether it only is checked.";
    ImportPaused = "import.paused", Low, Normal, Tenant, "import", "Import paused", "A person held an import; it goes on when somebody lets it.";
    ImportResumed = "import.resumed", Low, Normal, Tenant, "import", "Import resumed", "A person let an import go on that had been held.";
    ImportChecked = "import.checked", Low, Normal, Tenant, "import", "Import checked", "It was found out what would become of each line of a file. Nobody was made.";
    ImportFinished = "import.finished", High, Security, Tenant, "import", "Import finished", "Every line of a file was worked off, and the file destroyed. The metadata says how many lines made somebody, were there before, and were refused.";
    ImportCancelled = "import.cancelled", Medium, Security, Tenant, "import", "Import cancelled", "An import was ended, by a person or because nobody went on with it for a day, and its file destroyed. Who was made before stays.";
    ImportFailed = "import.failed", High, Security, Tenant, "import", "Import failed", "An import could not go on, for the reason in the metadata, and its file was destroyed. Who was made before stays.";
    MembersExported = "member.exported", High, Security, Tenant, "organization", "Members exported", "Somebody got a file of the organisation's members. The metadata says how many are in it.";
    AccountsExported = "account.exported", High, Security, Platform, "organization", "Accounts exported", "Somebody got a file of everybody with an account. The metadata says how many are in it, and whether the hashes of passwords are.";
    OrganizationPurged = "organization.purged", High, Security, Platform, "organization", "Organisation removed", "The grace period of a deleted organisation ended: its memberships, teams and invitations were removed for good.";
    SessionsCleanedUp = "session.cleaned_up", Low, Normal, Platform, "session", "Old sessions removed", "Sessions that ended long ago were removed, with their tokens. The metadata says how many.";
    LeaderElected = "leader.elected", Low, Normal, Platform, "instance", "Leader elected", "An instance took over the jobs that run by themselves. The metadata has the number of the leadership.";
    KeyRotationStarted = "key_rotation.started", High, Security, Platform, "key_rotation", "Key rotation started", "A platform administrator started the change to a new data key of a scope.";
    KeyRotationPaused = "key_rotation.paused", Medium, Security, Platform, "key_rotation", "Key rotation paused", "A platform administrator paused the change to a new data key.";
    KeyRotationResumed = "key_rotation.resumed", Medium, Security, Platform, "key_rotation", "Key rotation resumed", "A platform administrator let the change to a new data key go on.";
    DataKeyActivated = "data_key.activated", Medium, Security, Platform, "data_key", "Data key activated", "Values of a scope are sealed under a new data key from now on.";
    DataKeyRetired = "data_key.retired", Medium, Security, Platform, "data_key", "Data key retired", "Nothing is sealed under this data key any more.";
    DataKeyDestroyed = "data_key.destroyed", High, Security, Platform, "data_key", "Data key destroyed", "A platform administrator destroyed a retired data key; what was sealed under it can't be opened any more.";
    AlertRaised = "alert.raised", Low, Security, Tenant, "alert", "Alert raised", "A rule found as much as it waits for. The metadata has the rule, the severity, and what it counts by. What comes after it adds to the alert as long as that is open.";
    AlertAcknowledged = "alert.acknowledged", Medium, Security, Tenant, "alert", "Alert acknowledged", "Somebody took note of an alert; what they wrote is in the details. The same again is a new alert.";
    AlertReopened = "alert.reopened", Medium, Security, Tenant, "alert", "Alert reopened", "Somebody opened an alert again that had been acknowledged.";
    AlertMuted = "alert.muted", High, Security, Tenant, "alert", "Alert muted", "Nobody is told of an alert by mail until the time in the metadata.";
    AlertUnmuted = "alert.unmuted", Low, Security, Tenant, "alert", "Alert no longer muted", "An alert that was muted tells people again.";
    AlertMuteRefused = "alert.mute_refused", High, Security, Tenant, "alert", "Muting refused", "Somebody tried to mute what can't be muted: a critical alert of the installation's own rules, or one about alerts.";
    AlertRuleCreated = "alert_rule.created", Medium, Security, Tenant, "alert_rule", "Alert rule made", "The organisation got a rule of its own that raises alerts. The metadata says what it waits for.";
    AlertRuleUpdated = "alert_rule.updated", High, Security, Tenant, "alert_rule", "Alert rule changed", "A rule of the organisation's own was changed, switched on or off. The metadata says what it waits for now.";
    AlertRuleDeleted = "alert_rule.deleted", High, Security, Tenant, "alert_rule", "Alert rule deleted", "A rule of the organisation's own raises no more alerts. The metadata says what it waited for.";
    AlertRuleMuted = "alert_rule.muted", High, Security, Tenant, "alert_rule", "Alert rule muted", "Nobody is told of a rule's alerts by mail until the time in the metadata; they are raised all the same.";
    AlertRuleUnmuted = "alert_rule.unmuted", Low, Security, Tenant, "alert_rule", "Alert rule no longer muted", "A rule that was muted tells people of its alerts again.";
    AlertPreferencesUpdated = "alert_preferences.updated", Low, Security, Tenant, "account", "Mail about alerts changed", "A person chose how they are told of the organisation's alerts by mail. The metadata says what holds now.";
    JobRequested = "job.requested", Medium, Security, Platform, "job_run", "Job started by hand", "A platform administrator asked for a run of a job.";
    JobPaused = "job.paused", High, Security, Platform, "job", "Job paused", "A platform administrator took a job off its schedule.";
    JobResumed = "job.resumed", Medium, Security, Platform, "job", "Job resumed", "A platform administrator put a job on its schedule again.";
    JobFailed = "job.failed", High, Security, Platform, "job_run", "Job failed", "A run of a job failed for good and waits for a person.";
    AuditExported = "audit.exported", High, Security, Tenant, "audit_export", "Record exported", "Somebody began to take a file of the record, with the filters in the metadata. The entry was written before the first byte left.";
    AuditExportEnded = "audit.export_ended", Low, Security, Tenant, "audit_export", "Export of the record ended", "A file of the record is whole, or broke off. The metadata says why, how many entries were in it, and the SHA-256 of all that left before this entry, which is the last line of a whole file.";
    AccessRefused = "access.refused", Medium, Security, Tenant, "operation", "Access refused", "Calls to an operation were refused, by the guard or by a limit. The metadata has the operation, the reason and how many calls in a few seconds.";
    EvidenceExported = "audit.evidence_exported", Medium, Security, Tenant, "organization", "Evidence of the record exported", "Somebody got a file of sealed entries that can be verified without this installation. The metadata says which.";
    CheckpointsPublished = "audit.checkpoints_published", Low, Security, Platform, "organization", "Checkpoints sent out", "The latest checkpoints of the record were written into a directory or sent by mail, where nobody who has only this installation can change them. The metadata says how many there are, and has the SHA-256 of the file.";
    AuditRetentionApplied = "audit.retention_applied", Medium, Security, Tenant, "organization", "Old entries dropped", "Entries of the organisation whose time was over were dropped with their part of the record; their seals stay. The metadata says how many, of which class, and from when. This entry itself is never dropped.";
    AuditUnparted = "audit.unparted", High, Security, Platform, "organization", "Record without a part", "Entries were written for which no part of the record had been made: the job that makes them ahead has not run for months, or a clock is wrong. The metadata says how many.";
    AuditSealingDelayed = "audit.sealing_delayed", High, Security, Platform, "organization", "Sealing is delayed", "A transaction of the database has run for so long that nothing that was written since could be sealed. Alerts and the live view wait for it too.";
    EventTypeDeclared = "event_type.declared", Medium, Security, Tenant, "event_type", "Event type declared", "The organisation's product got a type of event of its own, or another severity, title or meaning of one. The metadata has the code and how much it matters.";
    EventTypeRetired = "event_type.retired", Medium, Security, Tenant, "event_type", "Event type retired", "Nothing is recorded any more under a type of event of the organisation's product.";
    LegalHoldPlaced = "legal_hold.placed", High, Security, Platform, "legal_hold", "Legal hold placed", "A platform administrator had everything in the record of an organisation kept until the hold is released.";
    LegalHoldReleased = "legal_hold.released", High, Security, Platform, "legal_hold", "Legal hold released", "A platform administrator released a hold: the record of the organisation is kept as long as others again.";
    AuditChainBroken = "audit.chain_broken", Critical, Security, Platform, "organization", "Seals of the record are broken", "The last checkpoint of an organisation's record is not one that this installation signed: somebody has changed the database around the server. Nothing is sealed there until it is mended.";
}

impl Kind {
    /// The type with this code.
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUD-1.
    #[test]
    fn codes_are_unique_and_every_type_is_explained() {
        let codes: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.meaning().ends_with('.') && kind.meaning().len() > 20, "{} has no meaning", kind.code());
            assert_eq!(Kind::find(kind.code()), Some(*kind));
        }
    }
}
