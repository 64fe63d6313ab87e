//! Which details an event of each type can have, what they mean, and which of them are personal (AUD-1). A detail that code
//! writes and that is not declared here fails a test.

use super::catalog::Kind;

/// A detail that an event can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Its name in the metadata.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Where it is kept.
    pub kept: Kept,
}

/// Where a detail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the entry: it stays as it was written, and its words find it.
    Entry,
    /// Beside the entry, sealed: no search finds it, and it goes when its person is erased.
    Beside,
}

/// What each name means, whichever event it is of.
const MEANINGS: &[(&str, &str)] = &[
    ("account", "The account of the person whom it happened to."),
    ("acting", "The platform administrator's access to the organisation, if it was done by means of one."),
    ("added", "What was added."),
    ("alert_rule", "The name of a rule of the installation, or the id of one of the organisation's own."),
    ("algorithm", "The algorithm of the key."),
    ("approval", "Whether an administrator has to approve it."),
    ("as_of", "The moment that was asked for, if it was not now."),
    ("bound_to_networks", "Whether it only works from some networks."),
    ("by", "What the rule counts by: the actor, the network address or the organisation."),
    ("bytes", "The size of the file in bytes."),
    ("class", "The class of the entries."),
    ("code", "The stable code of the refusal."),
    ("count", "How many times, within a few seconds."),
    ("critical_at_once", "Whether critical alerts are told at once."),
    ("custom_roles", "The ids of the custom roles that it gives."),
    ("custom_roles_added", "The ids of the custom roles that were given."),
    ("custom_roles_removed", "The ids of the custom roles that were taken away."),
    ("changes", "Each changed field with what it was before and is after."),
    ("checkpoint", "The number of the last checkpoint in the file, if there is one."),
    ("checkpoints", "How many checkpoints."),
    ("devices", "How many devices."),
    ("digest", "How often other alerts are told together."),
    ("dropped", "How many entries were dropped."),
    ("dry_run", "Whether it only is checked."),
    ("editable_by", "Who may change its values."),
    ("enabled", "Whether the rule raises alerts."),
    ("entries", "How many entries are in the file."),
    ("erased", "That it happened because the person was erased."),
    ("event_type", "The code of the type of event."),
    ("expires_at", "Until when it works."),
    ("factors", "With which factors the person signed in."),
    ("failures", "How many wrong passwords."),
    ("fields", "The names of the fields that were changed, never what they say."),
    ("file", "Whether a file was written."),
    ("filters", "What was searched for, by the names of the parameters."),
    ("first", "The number of the first entry in the file."),
    ("format", "How the file is written."),
    ("from", "What it was before."),
    ("holders", "How many holders of roles are in the document."),
    ("job", "The name of the job."),
    ("key", "The name of the attribute in the interface."),
    ("last", "The number of the last entry in the file."),
    ("letters", "How many letters were sent."),
    ("made", "How many were made."),
    ("makes", "What the lines of the file make."),
    ("member", "The membership of the person whom it happened to."),
    ("members", "How many members."),
    ("method", "How the person proved who they are."),
    ("minimum_severity", "The least severity that is told."),
    ("minutes", "Within how many minutes the rule counts."),
    ("name", "What it was called."),
    ("not_before", "From when on it can be completed."),
    ("note", "What somebody wrote about it."),
    ("number", "How many events the rule waits for."),
    ("operation", "The operation that was called."),
    ("organization", "The organisation that it is about."),
    ("own_kept", "Whether the session of who did it went on."),
    ("password_hashes", "Whether the file has the hashes of passwords."),
    ("permissions", "The operations that it permits."),
    ("policy_export", "The SHA-256 of the document."),
    ("reason", "Why, in a word of Freehold's."),
    ("refused", "How many were refused."),
    ("release", "The release of Freehold that brought it."),
    ("removed", "What was taken away."),
    ("replayed", "That it was done again, after a restore."),
    ("revision", "The number of the policy's revision."),
    ("role", "The role."),
    ("rows", "How many people are in the file."),
    ("rule", "The name of a rule of the installation, or the id of one of the organisation's own."),
    ("scope", "The scope of the key, or whose sign-in was locked."),
    ("sealed_in", "The scope in which its values are sealed, if they are."),
    ("service_account", "The service account that it belongs to."),
    ("service_accounts", "How many service accounts."),
    ("sessions", "How many sessions were ended or removed."),
    ("severity", "How severe the alert is."),
    ("sha256", "The SHA-256 of the map of the policy, of the file, or of what is in it before this entry."),
    ("since", "From when on the entries were written; absent for the oldest."),
    ("skipped", "How many were there before."),
    ("teams", "The teams, by their ids; or how many."),
    ("strays", "How many entries, up to a thousand."),
    ("term", "The number of the leadership."),
    ("text", "The words that were searched for."),
    ("to", "What it is after."),
    ("until", "Until when."),
    ("values", "How many members had a value."),
    ("version", "The version of the key."),
    ("visible_to", "Who sees its values."),
    ("waits_for", "The event, or the least severity of events, that the rule counts."),
];

/// What somebody wrote, where `reason` is that.
const WRITTEN: &str = "Why, in the words of whoever did it.";

impl Kind {
    /// The details that an event of this type can have; whether it has one depends on what happened.
    pub fn details(self) -> Vec<Detail> {
        let (entry, beside) = self.names();
        let detail = |name: &'static str, kept| {
            let meaning = MEANINGS.iter().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning);
            Detail { name, kept, meaning: if (name, kept) == ("reason", Kept::Beside) { WRITTEN } else { meaning } }
        };
        let words = |names: &'static str| names.split(' ').filter(|name| !name.is_empty());
        let kept =
            words(entry).chain(["acting"].into_iter().filter(|acting| !words(entry).any(|name| name == *acting)));
        kept.map(|name| detail(name, Kept::Entry)).chain(words(beside).map(|name| detail(name, Kept::Beside))).collect()
    }

    /// The names of the details in the entry, and of those beside it.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::PolicyRevised => ("revision sha256 release", ""),
            Self::PolicyExported | Self::PlatformPolicyExported => ("policy_export revision holders as_of", ""),
            Self::SetupRefused
            | Self::ApiKeyRefused
            | Self::InvitationTokenRefused
            | Self::PasswordResetRefused
            | Self::SessionFailed => ("reason count", ""),
            Self::SigningKeyCreated => ("algorithm", "reason"),
            Self::SigningKeyActivated | Self::SigningKeyDistrusted | Self::SigningKeyRetired => ("algorithm", ""),
            Self::AccountUpdated | Self::OrganizationUpdated => ("fields", ""),
            Self::AccountBlocked => ("sessions", "reason"),
            Self::AccountLocked => ("scope failures until", ""),
            Self::AccountLockEnded => ("scope reason", ""),
            Self::AccountManagerChanged => ("from to", ""),
            Self::AccountChangeRefused
            | Self::MemberChangeRefused
            | Self::TeamChangeRefused
            | Self::CustomRoleChangeRefused
            | Self::ServiceAccountChangeRefused => ("code account", ""),
            Self::AccountSessionsEnded => ("sessions organization", ""),
            Self::AccountErased => ("sessions replayed", ""),
            Self::SignUpStarted | Self::SignUpCompleted => ("organization", ""),
            Self::SignUpApproved | Self::PasskeyCloned => ("account", ""),
            Self::SignUpRejected | Self::RecoveryApproved | Self::RecoveryRefused => ("", "reason"),
            Self::KnownDevicesForgotten | Self::TrustedDevicesRevoked => ("devices", ""),
            Self::SessionCreated => ("factors", ""),
            Self::SecondFactorEnrolled | Self::SecondFactorRemoved | Self::SecondFactorFailed => ("method", ""),
            Self::SecondFactorExhausted => ("failures", ""),
            Self::SecondFactorsDisabled | Self::Recovered => ("sessions", ""),
            Self::RecoveryRequested => ("not_before approval", ""),
            Self::GraceStarted | Self::GraceReset => ("until", ""),
            Self::SessionEnded | Self::SessionReauthenticationFailed | Self::RecoveryStopped => ("reason", ""),
            Self::SessionsEnded | Self::SessionsCleanedUp | Self::PasswordChanged | Self::PasswordResetCompleted => {
                ("sessions", "")
            }
            Self::EverybodysSessionsEnded | Self::OrganizationSessionsEnded => ("sessions own_kept", ""),
            Self::SessionReauthenticated => ("method", ""),
            Self::ActingStarted => ("organization acting expires_at", "reason"),
            Self::ActingEnded => ("organization acting reason", ""),
            Self::SettingsUpdated => ("fields changes", ""),
            Self::MemberAdded => ("role account teams custom_roles", ""),
            Self::MemberRoleChanged => ("from to", ""),
            Self::MemberCustomRolesChanged => ("custom_roles_added custom_roles_removed", ""),
            Self::MemberRemoved => ("account role teams erased", ""),
            Self::MemberSessionEnded => ("account", ""),
            Self::MemberSessionsEnded => ("account sessions", ""),
            Self::MemberAttributesUpdated => ("fields account", ""),
            Self::AttributeCreated => ("key sealed_in visible_to editable_by", ""),
            Self::AttributeUpdated => ("fields key sealed_in visible_to editable_by", ""),
            Self::AttributeDeleted => ("values key sealed_in visible_to editable_by", ""),
            Self::TeamCreated => ("role custom_roles_added custom_roles_removed", ""),
            Self::TeamUpdated => ("fields from to custom_roles_added custom_roles_removed", ""),
            Self::TeamDeleted => ("role members custom_roles_added custom_roles_removed", ""),
            Self::TeamMemberAdded | Self::TeamMemberRemoved => ("member account role", ""),
            Self::CustomRoleCreated => ("permissions", ""),
            Self::CustomRoleUpdated => ("fields added removed", ""),
            Self::CustomRoleDeleted => ("permissions members teams service_accounts", ""),
            Self::ServiceAccountCreated => ("role custom_roles_added custom_roles_removed", ""),
            Self::ServiceAccountUpdated => ("fields from to custom_roles_added custom_roles_removed", ""),
            Self::ServiceAccountDeleted => ("role custom_roles_added custom_roles_removed", "name"),
            Self::ApiKeyCreated => ("service_account expires_at bound_to_networks", ""),
            Self::ApiKeyRevoked => ("service_account", ""),
            Self::InvitationCreated | Self::InvitationRefused => ("role teams custom_roles", ""),
            Self::InvitationAccepted => ("account", ""),
            Self::ImportReceived => ("bytes", ""),
            Self::ImportStarted => ("dry_run makes bytes", ""),
            Self::ImportChecked | Self::ImportFinished | Self::ImportCancelled | Self::ImportFailed => {
                ("made skipped refused makes reason", "")
            }
            Self::MembersExported | Self::AccountsExported => ("rows password_hashes", ""),
            Self::LeaderElected => ("term", ""),
            Self::KeyRotationStarted | Self::DataKeyDestroyed => ("scope version", ""),
            Self::KeyRotationPaused | Self::KeyRotationResumed | Self::DataKeyActivated | Self::DataKeyRetired => {
                ("scope", "")
            }
            Self::JobRequested | Self::JobPaused | Self::JobResumed | Self::JobFailed => ("job", ""),
            Self::AlertRaised => ("rule severity by", ""),
            Self::AlertAcknowledged | Self::AlertReopened => ("rule severity", "note"),
            Self::AlertMuted => ("rule until", ""),
            Self::AlertUnmuted => ("rule", ""),
            Self::AlertMuteRefused => ("rule alert_rule", ""),
            Self::AlertRuleCreated | Self::AlertRuleUpdated | Self::AlertRuleDeleted => {
                ("waits_for number minutes by severity enabled", "")
            }
            Self::AlertRuleMuted => ("alert_rule until", ""),
            Self::AlertRuleUnmuted => ("alert_rule", ""),
            Self::AlertPreferencesUpdated => ("digest minimum_severity critical_at_once", ""),
            Self::AuditExported => ("format filters", "text"),
            Self::AuditExportEnded => ("format reason entries sha256", ""),
            Self::AccessRefused => ("operation code count", ""),
            Self::AuditRetentionApplied => ("class since until dropped", ""),
            Self::AuditUnparted => ("strays", ""),
            Self::EventTypeDeclared => ("event_type severity", ""),
            Self::EventTypeRetired => ("event_type", ""),
            Self::LegalHoldPlaced | Self::LegalHoldReleased => ("organization", "reason"),
            Self::EvidenceExported => ("first last checkpoint", ""),
            Self::CheckpointsPublished => ("checkpoints sha256 letters file", ""),
            _ => ("", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// Proves AUD-1.
    #[test]
    fn every_detail_that_code_can_write_is_declared_and_explained() {
        let all: Vec<Detail> = Kind::ALL.iter().flat_map(|kind| kind.details()).collect();
        for Detail { name, meaning, .. } in &all {
            assert!(meaning.ends_with('.'), "{name} has no meaning in src/audit/details.rs");
        }
        let declared = |kept| all.iter().filter(|detail| detail.kept == kept).map(|detail| detail.name).collect();
        let (entry, beside): (BTreeSet<&str>, BTreeSet<&str>) = (declared(Kept::Entry), declared(Kept::Beside));
        for (name, _) in MEANINGS {
            assert!(entry.contains(name) || beside.contains(name), "no event has a detail {name} any more");
        }
        let mut written = 0;
        for source in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
            for (call, declared) in [(".with(\"", &entry), (".with_personal(\"", &beside)] {
                for name in source.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert!(declared.contains(name), "declare the detail {name} of an event in src/audit/details.rs");
                    written += 1;
                }
            }
        }
        assert!(written > 100, "the events are not where they were looked for");
    }

    /// The texts of all files below, without their tests.
    fn sources(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let texts = entries.flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![std::fs::read_to_string(&path).unwrap_or_default()],
        });
        texts.map(|text| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()).collect()
    }
}
