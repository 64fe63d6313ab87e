//! The letters that Freehold writes: a closed set, one folder of templates each. HTML is escaped by the template
//! engine, and every value is stripped of what could break a line or turn the reading direction (NET-14).

use askama::Template;

use super::{
    alerts::{AlertLine, Alerts, AlertsHtml, AlertsSubject, AlertsText, Occasion},
    internal,
    notice::Notice,
    recovery::RecoveryLetter,
};
use crate::{config::SecretString, error::Result, runtime::Timestamp};

/// A letter with everything it says.
#[derive(Clone)]
pub enum Letter {
    /// Asks a person to join an organisation.
    Invitation {
        /// The organisation's name.
        organization: String,
        /// The name of the person who invites, if there still is one.
        inviter: Option<String>,
        /// What the role is called for people.
        role_title: String,
        /// A personal word of the inviter.
        message: Option<String>,
        /// Where to accept. Whoever has it can.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Tells a person that their sign-in is locked.
    AccountLocked {
        /// How the person is called.
        name: String,
        /// What is locked.
        scope: LockScope,
        /// After how many wrong passwords.
        failures: i32,
        /// Until when.
        until: Timestamp,
        /// Where the last of them came from.
        address: Option<String>,
        /// Where the person signs in.
        link: String,
    },
    /// Lets a person choose a new password.
    PasswordReset {
        /// The person's name.
        name: String,
        /// Where to choose it. Whoever has it can.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Asks whoever wants an account to show that the address is theirs.
    SignUp {
        /// The name of the organisation to join, if one was named.
        organization: Option<String>,
        /// Where to go on.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// The same, to somebody who has an account and can join with it.
    JoinWithAccount {
        /// The name of the organisation to join.
        organization: String,
        /// Where to go on.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Tells the owner of an account that somebody wanted to sign up with its address.
    AccountExists {
        /// Where to sign in.
        sign_in: String,
    },
    /// Tells administrators that people wait to be let in.
    SignUpsWaiting {
        /// The organisation's name.
        organization: String,
        /// Where they wait.
        queue: String,
    },
    /// Tells somebody that they were let in.
    SignUpApproved {
        /// The organisation's name, if it was one.
        organization: Option<String>,
        /// Where to sign in.
        sign_in: String,
    },
    /// Tells somebody that they were not.
    SignUpRejected {
        /// The organisation's name, if it was one.
        organization: Option<String>,
        /// An administrator's reason.
        reason: String,
    },
    /// Asks a person to show that the address of their account is theirs.
    VerifyEmail {
        /// Where to.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// The same of an address that is to take the place of the present one.
    ConfirmEmail {
        /// Where to.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Tells the owner of an address that somebody else wanted it for their account.
    EmailInUse {
        /// Where to sign in.
        sign_in: String,
    },
    /// Tells the present address that another is to take its place.
    EmailChangeRequested {
        /// The other.
        email: String,
        /// Where that can be cancelled.
        account: String,
    },
    /// Tells an address that another has taken its place.
    EmailChanged {
        /// The other.
        email: String,
    },
    /// Takes checkpoints of the record out of the installation.
    CheckpointsPublished {
        /// How many there are.
        count: usize,
        /// SHA-256 of the file of them, in hexadecimal.
        digest: String,
        /// The name of the file, if one was written.
        file: Option<String>,
        /// The checkpoints themselves; of very many, the platform's only.
        checkpoints: Vec<String>,
    },
    /// Tells a person that their password is another now.
    PasswordChanged {
        /// The person's name.
        name: String,
        /// When it was changed.
        changed_at: Timestamp,
        /// Where to ask for a new one.
        reset_page: String,
    },
    /// Tells a person that something about their second factor is another now.
    SecondFactorChanged {
        /// What.
        change: FactorChange,
        /// Where to look at it.
        account: String,
    },
    /// Gives a person the code that they asked for.
    SecondFactorCode {
        /// The code.
        code: SecretString,
        /// For how many minutes it can be used.
        minutes: i64,
    },
    /// Tells a person that somebody knows their password and guesses their second factor.
    SecondFactorGuessed {
        /// Where to ask for a new password.
        reset_page: String,
    },
    /// Says something about the recovery of a lost second factor.
    Recovery(RecoveryLetter),
    /// Tells a person of alerts.
    Alerts {
        /// The organisation's name.
        organization: String,
        /// Why now.
        occasion: Occasion,
        /// The gravest of them.
        lines: Vec<AlertLine>,
        /// How many there are besides.
        more: usize,
        /// Where they all are.
        link: String,
    },
}

/// What is another now about a person's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorChange {
    /// There is one.
    Enrolled,
    /// There is none any more, by the person.
    Removed,
    /// The same by an administrator.
    Disabled,
    /// There is a passkey more.
    PasskeyAdded,
    /// There is a passkey less.
    PasskeyRemoved,
    /// A passkey was used whose authenticator there are two of.
    PasskeyCloned,
    /// Codes are mailed from now on.
    EmailCodesOn,
    /// They are no more.
    EmailCodesOff,
    /// There are new backup codes.
    NewBackupCodes,
    /// An administrator gave time again to set one up, until then.
    GraceReset(Timestamp),
    /// There is none any more, by a recovery.
    Recovered,
    /// A recovery was stopped.
    RecoveryStopped,
}

/// What a lock locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// Signing in on unknown devices.
    UnknownDevices,
    /// Signing in on one device that the person has used before.
    KnownDevice,
}

#[derive(Template)]
#[template(path = "notice/subject.txt")]
struct NoticeSubject<'a> {
    notice: &'a Notice<'a>,
}

#[derive(Template)]
#[template(path = "notice/body.txt")]
struct NoticeText<'a> {
    notice: &'a Notice<'a>,
}

#[derive(Template)]
#[template(path = "notice/body.html")]
struct NoticeHtml<'a> {
    notice: &'a Notice<'a>,
}

/// A letter as it leaves.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// What the invitation's templates see.
struct Invitation<'a> {
    organization: String,
    inviter: Option<String>,
    role: String,
    message: Option<String>,
    link: &'a str,
    expires: String,
}

#[derive(Template)]
#[template(path = "invitation/subject.txt")]
struct InvitationSubject<'a> {
    letter: &'a Invitation<'a>,
}

#[derive(Template)]
#[template(path = "invitation/body.txt")]
struct InvitationText<'a> {
    letter: &'a Invitation<'a>,
}

#[derive(Template)]
#[template(path = "invitation/body.html")]
struct InvitationHtml<'a> {
    letter: &'a Invitation<'a>,
}

/// What the templates of a lock see.
struct AccountLocked<'a> {
    name: String,
    known_device: bool,
    failures: i32,
    until: String,
    address: Option<String>,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "account-locked/subject.txt")]
struct AccountLockedSubject;

#[derive(Template)]
#[template(path = "account-locked/body.txt")]
struct AccountLockedText<'a> {
    letter: &'a AccountLocked<'a>,
}

#[derive(Template)]
#[template(path = "account-locked/body.html")]
struct AccountLockedHtml<'a> {
    letter: &'a AccountLocked<'a>,
}

/// What the templates of a link to a new password see.
struct PasswordReset<'a> {
    name: String,
    link: &'a str,
    expires: String,
}

#[derive(Template)]
#[template(path = "password_reset/subject.txt")]
struct PasswordResetSubject;

#[derive(Template)]
#[template(path = "password_reset/body.txt")]
struct PasswordResetText<'a> {
    letter: &'a PasswordReset<'a>,
}

#[derive(Template)]
#[template(path = "password_reset/body.html")]
struct PasswordResetHtml<'a> {
    letter: &'a PasswordReset<'a>,
}

/// What the templates of the news about a changed password see.
struct PasswordChanged<'a> {
    name: String,
    changed: String,
    reset_page: &'a str,
}

#[derive(Template)]
#[template(path = "password_changed/subject.txt")]
struct PasswordChangedSubject;

#[derive(Template)]
#[template(path = "password_changed/body.txt")]
struct PasswordChangedText<'a> {
    letter: &'a PasswordChanged<'a>,
}

#[derive(Template)]
#[template(path = "password_changed/body.html")]
struct PasswordChangedHtml<'a> {
    letter: &'a PasswordChanged<'a>,
}

impl Letter {
    /// Writes the letter.
    pub(super) fn write(&self) -> Result<Written> {
        if let Some(notice) = &Notice::of(self) {
            return finish(&NoticeSubject { notice }, &NoticeText { notice }, &NoticeHtml { notice });
        }
        match self {
            Self::Invitation { organization, inviter, role_title, message, link, expires_at } => {
                let letter = &Invitation {
                    organization: plain(organization),
                    inviter: inviter.as_deref().map(plain),
                    role: plain(role_title),
                    message: message.as_deref().map(plain),
                    link: link.expose(),
                    expires: moment(*expires_at),
                };
                finish(&InvitationSubject { letter }, &InvitationText { letter }, &InvitationHtml { letter })
            }
            Self::AccountLocked { name, scope, failures, until, address, link } => {
                let letter = &AccountLocked {
                    name: plain(name),
                    known_device: *scope == LockScope::KnownDevice,
                    failures: *failures,
                    until: moment(*until),
                    address: address.as_deref().map(plain),
                    link,
                };
                finish(&AccountLockedSubject, &AccountLockedText { letter }, &AccountLockedHtml { letter })
            }
            Self::PasswordReset { name, link, expires_at } => {
                let letter = &PasswordReset { name: plain(name), link: link.expose(), expires: moment(*expires_at) };
                finish(&PasswordResetSubject, &PasswordResetText { letter }, &PasswordResetHtml { letter })
            }
            Self::PasswordChanged { name, changed_at, reset_page } => {
                let letter = &PasswordChanged { name: plain(name), changed: moment(*changed_at), reset_page };
                finish(&PasswordChangedSubject, &PasswordChangedText { letter }, &PasswordChangedHtml { letter })
            }
            Self::Alerts { organization, occasion, lines, more, link } => {
                let letter = &Alerts::new((organization, *occasion), lines, *more, link);
                finish(&AlertsSubject { letter }, &AlertsText { letter }, &AlertsHtml { letter })
            }
            _ => Err(internal("a letter can't be written", "it has no templates")),
        }
    }
}

fn finish(subject: &impl Template, text: &impl Template, html: &impl Template) -> Result<Written> {
    let failed = |error| internal("a letter can't be written", error);
    Ok(Written {
        // Once more as a whole: whatever a template does, a subject is one line (header injection).
        subject: plain(&subject.render().map_err(failed)?),
        text: text.render().map_err(failed)?,
        html: html.render().map_err(failed)?,
    })
}

/// One line without control characters and without characters that reorder what follows (Unicode TR 36, 3.2).
pub(super) fn plain(text: &str) -> String {
    let reorders = |c| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let line: String = text.chars().filter(|c| !reorders(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect();
    line.trim().to_owned()
}

/// A time as people read it; mail can't know the reader's zone.
pub(super) fn moment(at: Timestamp) -> String {
    at.format("%A, %-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn invitation(organization: &str, inviter: Option<&str>, message: Option<&str>) -> Written {
        let letter = Letter::Invitation {
            organization: organization.to_owned(),
            inviter: inviter.map(str::to_owned),
            role_title: "Manager".to_owned(),
            message: message.map(str::to_owned),
            link: SecretString::new("https://id.example.com/invitation#token=abc"),
            expires_at: chrono::Utc.with_ymd_and_hms(2026, 11, 28, 4, 6, 0).unwrap(),
        };
        letter.write().unwrap()
    }

    #[test]
    fn both_bodies_say_everything() {
        let written = invitation("Acme", Some("Ada Lovelace"), Some("See you on Monday"));
        assert_eq!(written.subject, "Ada Lovelace invites you to Acme");
        for body in [&written.text, &written.html] {
            for part in [
                "Ada Lovelace",
                "Acme",
                "Manager",
                "See you on Monday",
                "https://id.example.com/invitation#token=abc",
                "Saturday, 28 November 2026, 04:06 UTC",
                "Did you not expect this?",
            ] {
                assert!(body.contains(part), "{part:?} is missing in {body}");
            }
        }
        let anonymous = invitation("Acme", None, None);
        assert_eq!(anonymous.subject, "You are invited to Acme");
        assert!(!anonymous.text.contains("personal message") && !anonymous.html.contains("personal message"));
        assert!(!anonymous.text.contains("\n\n\n"), "{}", anonymous.text);
    }

    #[test]
    fn letters_about_passwords_say_what_to_do_in_both_bodies() {
        let at = chrono::Utc.with_ymd_and_hms(2026, 11, 28, 4, 6, 0).unwrap();
        let link = "https://id.example.com/reset-password#token=fhp_abc";
        let name = "<b>Ada</b>".to_owned();
        let reset = Letter::PasswordReset { name: name.clone(), link: SecretString::new(link), expires_at: at };
        let reset_page = "https://id.example.com/forgot-password".to_owned();
        let changed = Letter::PasswordChanged { name, changed_at: at, reset_page: reset_page.clone() };
        for (letter, address) in [(reset, link), (changed, reset_page.as_str())] {
            let written = letter.write().unwrap();
            for body in [&written.text, &written.html] {
                for part in [address, "Saturday, 28 November 2026, 04:06 UTC", "Ada"] {
                    assert!(body.contains(part), "{part:?} is missing in {body}");
                }
            }
            assert!(!written.html.contains("<b>"), "{}", written.html);
            assert!(!written.text.contains("\n\n\n"), "{}", written.text);
        }
    }

    /// Proves AUT-6.
    #[test]
    fn a_lock_is_explained_in_both_bodies() {
        let letter = Letter::AccountLocked {
            name: "Ada <b>Lovelace</b>".to_owned(),
            scope: LockScope::UnknownDevices,
            failures: 5,
            until: chrono::Utc.with_ymd_and_hms(2026, 11, 28, 4, 6, 0).unwrap(),
            address: Some("192.0.2.7".to_owned()),
            link: "https://id.example.com".to_owned(),
        };
        let written = letter.write().unwrap();
        assert_eq!(written.subject, "Your sign-in is locked for a while");
        for body in [&written.text, &written.html] {
            for part in ["5 times", "Saturday, 28 November 2026, 04:06 UTC", "192.0.2.7", "https://id.example.com"] {
                assert!(body.contains(part), "{part:?} is missing in {body}");
            }
        }
        assert!(!written.html.contains("<b>") && !written.text.contains("\n\n\n"), "{}", written.text);
    }

    /// Proves NET-14 (HTML in mails is escaped).
    #[test]
    fn markup_in_values_stays_text() {
        let evil = "<script>alert(1)</script> & \"Co\"";
        let written = invitation(evil, Some(evil), Some("</td><a href='http://evil.example'>x</a>"));
        assert!(!written.html.contains("<script") && !written.html.contains("<a href='"), "{}", written.html);
        assert!(written.html.contains("&#60;script&#62;"), "{}", written.html);
        assert!(written.text.contains(evil), "the text version is not HTML");
    }

    proptest! {
        /// Proves NET-14: no value makes a second header line or a second line of the text.
        #[test]
        fn values_never_break_a_line(name: String, message: String) {
            let written = invitation(&name, Some(&format!("x\r\nBcc: all@example.com{name}")), Some(&message));
            prop_assert!(!written.subject.chars().any(char::is_control), "{:?}", written.subject);
            let lines = invitation("a", Some("b"), Some("c")).text.lines().count();
            prop_assert_eq!(written.text.lines().count(), lines);
        }
    }
}
