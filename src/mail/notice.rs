//! Letters of a few paragraphs and at most one button, which share their templates: what each says is here.

use super::{
    letter::{FactorChange, Letter, moment, plain},
    recovery,
};
use crate::runtime::Timestamp;

/// What the templates see.
pub(super) struct Notice<'a> {
    pub(super) subject: String,
    pub(super) heading: String,
    pub(super) paragraphs: Vec<String>,
    pub(super) button: Option<Button<'a>>,
    /// Until when the button's link works.
    pub(super) until: Option<String>,
    /// For whoever did not expect the letter.
    pub(super) closing: String,
}

/// The one thing that a reader can do.
pub(super) struct Button<'a> {
    pub(super) label: &'static str,
    pub(super) link: &'a str,
}

impl<'a> Notice<'a> {
    pub(super) fn new(subject: impl Into<String>, paragraphs: &[&str], closing: &str) -> Self {
        let subject = subject.into();
        let paragraphs = paragraphs.iter().map(|text| (*text).to_owned()).collect();
        Self { heading: subject.clone(), subject, paragraphs, button: None, until: None, closing: closing.to_owned() }
    }

    pub(super) fn button(mut self, label: &'static str, link: &'a str) -> Self {
        self.button = Some(Button { label, link });
        self
    }

    pub(super) fn once_until(mut self, expires: Timestamp) -> Self {
        self.until = Some(format!("The link works once, until {}.", moment(expires)));
        self
    }

    /// What mail programs show beside the subject.
    pub(super) fn preview(&self) -> &str {
        self.paragraphs.first().map_or("", String::as_str)
    }

    /// What a letter says; `None` when it has templates of its own.
    pub(super) fn of(letter: &'a Letter) -> Option<Self> {
        Some(match letter {
            Letter::Invitation { .. }
            | Letter::PasswordReset { .. }
            | Letter::Alerts { .. }
            | Letter::PasswordChanged { .. }
            | Letter::AccountLocked { .. } => return None,
            Letter::SignUp { .. }
            | Letter::JoinWithAccount { .. }
            | Letter::AccountExists { .. }
            | Letter::SignUpsWaiting { .. }
            | Letter::SignUpApproved { .. }
            | Letter::SignUpRejected { .. } => return sign_up(letter),
            Letter::VerifyEmail { link, expires_at } => Self::new(
                "Confirm your e-mail address",
                &["Open this link in the browser in which you are signed in. It shows that this address is yours."],
                "Did you not ask for this? Then you need not do anything: the link does nothing for anybody else.",
            )
            .button("Confirm this address", link.expose())
            .once_until(*expires_at),
            Letter::ConfirmEmail { link, expires_at } => Self::new(
                "Confirm your new e-mail address",
                &["Somebody, you we hope, wants to sign in with this address from now on. Open this link in the \
                   browser in which you are signed in, and you do."],
                "Did you not ask for this? Then you need not do anything, and should not open the link: nothing \
                 changes, and the link does nothing for anybody but the account that asked for it.",
            )
            .button("Use this address", link.expose())
            .once_until(*expires_at),
            Letter::EmailInUse { sign_in } => Self::new(
                "This address has an account already",
                &["Somebody wanted to use this e-mail address for another account. It is yours already, so nothing \
                   was changed. If it was you: sign in with this address, or choose another."],
                "Was it not you? Then you need not do anything: your account is as it was.",
            )
            .button("Sign in", sign_in),
            Letter::EmailChangeRequested { email, account } => Self::new(
                "Your e-mail address is about to change",
                &[
                    &format!(
                        "Somebody who knows your password asked to sign in with {} instead of this address.",
                        plain(email)
                    ),
                    "This address stays in use until the new one is confirmed.",
                ],
                "Was it not you? Sign in, cancel the change under “Profile and sessions”, end all your sessions, and \
                 have your password changed: somebody knows it.",
            )
            .button("Look at your account", account),
            Letter::SecondFactorChanged { .. } | Letter::SecondFactorGuessed { .. } => return second_factor(letter),
            Letter::SecondFactorCode { code, minutes } => Self::new(
                "Your code to sign in",
                &[
                    &format!("Enter this code where you were asked for it: {}", code.expose()),
                    &format!(
                        "It works once, for {minutes} minutes, and only there. Nobody of us ever asks you for it."
                    ),
                ],
                "Did you not ask for it? Then somebody knows your password: choose another one now, and give nobody \
                 this code.",
            ),
            Letter::Recovery(letter) => return Some(recovery::notice(letter)),
            Letter::CheckpointsPublished { .. } => return checkpoints(letter),
            Letter::EmailChanged { email } => Self::new(
                "Your e-mail address was changed",
                &[&format!("From now on you sign in with {}. This address is not used any more.", plain(email))],
                "Was it not you? Tell an administrator of your organisation at once: somebody has your account.",
            ),
        })
    }
}

fn second_factor(letter: &Letter) -> Option<Notice<'_>> {
    const NOT_YOU: &str = "Was it not you? Have your password changed, end all your sessions, and tell an administrator of \
                           your organisation: somebody has your account.";
    let (change, account) = match letter {
        Letter::SecondFactorChanged { change, account } => (*change, account),
        Letter::SecondFactorGuessed { reset_page } => {
            let text = "Somebody signed in with your password, and then gave wrong codes in the place of your second \
                        factor until the sign-in was ended. They did not get in. If it was you, just sign in again.";
            let closing = "Was it not you? Then somebody knows your password: choose another one now.";
            let notice = Notice::new("Wrong codes for your second factor", &[text], closing);
            return Some(notice.button("Choose a new password", reset_page));
        }
        _ => return None,
    };
    let (subject, text) = match change {
        FactorChange::Enrolled => (
            "A second factor was set up",
            "From now on, signing in asks for a code of your authenticator app beside your password. Keep your backup \
             codes where you find them without your phone."
                .to_owned(),
        ),
        FactorChange::Removed => (
            "Your second factor was removed",
            "Your authenticator app is not asked for any more. If you have no other second factor, your password alone is \
             enough to sign in from now on, and the backup codes do not work any more."
                .to_owned(),
        ),
        FactorChange::Disabled => (
            "Your second factor was switched off",
            "An administrator removed your second factor and ended your sessions. Sign in with your password, and set \
             up a new one."
                .to_owned(),
        ),
        FactorChange::PasskeyAdded => (
            "A passkey was added to your account",
            "From now on, whoever has it and can unlock it signs in as you, without your password.".to_owned(),
        ),
        FactorChange::PasskeyRemoved => {
            ("A passkey was removed from your account", "It does not sign in any more.".to_owned())
        }
        FactorChange::PasskeyCloned => (
            "One of your passkeys may have been copied",
            "Somebody used one of your passkeys in a way that shows that there are two of it: yours and a copy. It was \
             refused. Sign in in another way, remove the passkey, and add a new one."
                .to_owned(),
        ),
        FactorChange::EmailCodesOn => (
            "Codes by e-mail were switched on",
            "From now on, signing in with your password also takes a code that is sent to this address. It is weaker than \
             an authenticator app or a passkey: whoever reads this mailbox has it."
                .to_owned(),
        ),
        FactorChange::EmailCodesOff => (
            "Codes by e-mail were switched off",
            "No code is sent to this address any more. If you have no other second factor, your password alone is enough \
             to sign in from now on."
                .to_owned(),
        ),
        FactorChange::NewBackupCodes => {
            ("You have new backup codes", "Those that you had before do not work any more.".to_owned())
        }
        FactorChange::GraceReset(until) => (
            "You have more time for your second factor",
            format!("An administrator gave you time until {} to set one up.", moment(until)),
        ),
        FactorChange::Recovered => (
            "Your account was recovered",
            "Your second factor was switched off with the link that your recovery address was sent, and all your sessions \
             ended. Sign in with your password, and set up a new one."
                .to_owned(),
        ),
        FactorChange::RecoveryStopped => (
            "The recovery of your account was stopped",
            "Nothing was changed: your second factor is asked for as before. Somebody who knows your password had asked \
             for the recovery; if it was not you, choose another one."
                .to_owned(),
        ),
    };
    Some(Notice::new(subject, &[&text], NOT_YOU).button("Look at your account", account))
}

fn checkpoints(letter: &Letter) -> Option<Notice<'_>> {
    let Letter::CheckpointsPublished { count, digest, file, checkpoints } = letter else { return None };
    let first = match count {
        1 => "One organisation has a new checkpoint of its audit log.".to_owned(),
        count => format!("{count} organisations have a new checkpoint of their audit log."),
    };
    let keep = "Keep this letter where nobody who administers the installation can change it. Given to “freehold audit \
                verify --anchor”, it shows whether a log was rewritten, or its end cut off, since.";
    let listed = match file {
        Some(name) => format!("The file is {}; its SHA-256 is {}.", plain(name), plain(digest)),
        None => format!("SHA-256 of the list of all of them: {}.", plain(digest)),
    };
    let closing = "You get this message because your address is in the server’s setting audit.checkpoint_recipients.";
    let mut notice = Notice::new("Checkpoints of the audit log", &[&first, keep, &listed], closing);
    notice.paragraphs.extend(checkpoints.iter().map(|jws| plain(jws)));
    Some(notice)
}

fn sign_up(letter: &Letter) -> Option<Notice<'_>> {
    const NOT_YOU: &str = "Did you not ask for this? Then you need not do anything: without the link, there will be no \
                           account. Please don’t forward this message, because whoever has the link can use it.";
    Some(match letter {
        Letter::SignUp { organization, link, expires_at } => {
            let first = match organization.as_deref().map(plain) {
                Some(name) => format!("Open this link to choose a name and a password, and to join {name}."),
                None => "Open this link to choose a name and a password for your account.".to_owned(),
            };
            Notice::new("Confirm your e-mail address", &[&first], NOT_YOU)
                .button("Go on", link.expose())
                .once_until(*expires_at)
        }
        Letter::JoinWithAccount { organization, link, expires_at } => {
            let name = plain(organization);
            let text = format!("You have an account with this address already. Open this link to join {name} with it.");
            let closing = "Did you not ask for this? Then you need not do anything: it takes your password to join.";
            Notice::new(format!("Join {name} with your account"), &[&text], closing)
                .button("Go on", link.expose())
                .once_until(*expires_at)
        }
        Letter::AccountExists { sign_in } => Notice::new(
            "You have an account already",
            &["Somebody wanted to sign up with this e-mail address. You have an account with it already, so none was \
               made. If it was you: just sign in."],
            "Was it not you? Then you need not do anything: your account is as it was.",
        )
        .button("Sign in", sign_in),
        Letter::SignUpsWaiting { organization, queue } => {
            let name = plain(organization);
            let text = format!("Somebody signed up at {name} and waits to be let in. There may be more than one.");
            let closing = "You get this message because you are an administrator there, once in a quarter of an hour \
                           at most.";
            Notice::new(format!("{name}: somebody waits for your approval"), &[&text], closing)
                .button("See who it is", queue)
        }
        Letter::SignUpApproved { organization, sign_in } => {
            let text = match organization.as_deref().map(plain) {
                Some(name) => format!("An administrator of {name} has let you in."),
                None => "An administrator has let you in. Your account is ready.".to_owned(),
            };
            let closing = "Sign in with this address and the password that you chose.";
            Notice::new("Welcome: you can sign in now", &[&text], closing).button("Sign in", sign_in)
        }
        Letter::SignUpRejected { organization, reason } => {
            let text = match organization.as_deref().map(plain) {
                Some(name) => format!("An administrator of {name} has not let you in."),
                None => "An administrator has not let you in.".to_owned(),
            };
            let reason = format!("The reason: {}", plain(reason));
            let closing = "Ask the people who sent you there if you think that this is a mistake.";
            Notice::new("Your sign-up was not accepted", &[&text, &reason], closing)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::{
        config::SecretString,
        mail::recovery::{AddressChange, RecoveryDecision, RecoveryLetter},
    };

    fn all(word: &str) -> Vec<Letter> {
        let expires_at = chrono::Utc.with_ymd_and_hms(2026, 11, 28, 4, 6, 0).unwrap();
        let link = || SecretString::new("https://id.example.com/page#token=abc");
        let (organization, page) = (word.to_owned(), "https://id.example.com/page".to_owned());
        vec![
            Letter::SignUp { organization: Some(organization.clone()), link: link(), expires_at },
            Letter::SignUp { organization: None, link: link(), expires_at },
            Letter::JoinWithAccount { organization: organization.clone(), link: link(), expires_at },
            Letter::AccountExists { sign_in: page.clone() },
            Letter::SignUpsWaiting { organization: organization.clone(), queue: page.clone() },
            Letter::SignUpApproved { organization: Some(organization.clone()), sign_in: page.clone() },
            Letter::SignUpApproved { organization: None, sign_in: page.clone() },
            Letter::SignUpRejected { organization: Some(organization), reason: word.to_owned() },
            Letter::SignUpRejected { organization: None, reason: word.to_owned() },
            Letter::VerifyEmail { link: link(), expires_at },
            Letter::ConfirmEmail { link: link(), expires_at },
            Letter::EmailInUse { sign_in: page.clone() },
            Letter::EmailChangeRequested { email: word.to_owned(), account: page },
            Letter::EmailChanged { email: word.to_owned() },
            Letter::SecondFactorChanged {
                change: FactorChange::Enrolled,
                account: "https://id.example.com/page".to_owned(),
            },
            Letter::SecondFactorChanged {
                change: FactorChange::GraceReset(expires_at),
                account: "https://id.example.com/page".to_owned(),
            },
            Letter::SecondFactorGuessed { reset_page: "https://id.example.com/page".to_owned() },
            Letter::Recovery(RecoveryLetter::VerifyAddress { link: link(), expires_at }),
            Letter::Recovery(RecoveryLetter::Address {
                change: AddressChange::Set(word.to_owned()),
                account: "https://id.example.com/page".to_owned(),
            }),
            Letter::Recovery(RecoveryLetter::Asked { waits_until: Some(expires_at), approval: false, stop: link() }),
            Letter::Recovery(RecoveryLetter::Link { link: link(), works_from: Some(expires_at), expires_at }),
            Letter::Recovery(RecoveryLetter::Decided {
                decision: RecoveryDecision::Refused,
                reason: word.to_owned(),
                account: "https://id.example.com/page".to_owned(),
            }),
            Letter::CheckpointsPublished {
                count: 2,
                digest: word.to_owned(),
                file: Some(word.to_owned()),
                checkpoints: vec![word.to_owned()],
            },
        ]
    }

    /// Proves NET-14 (HTML in mails is escaped).
    #[test]
    fn every_notice_says_the_same_in_both_bodies_and_its_values_stay_text() {
        let evil = "<b>\r\nBcc: all@example.com</b>";
        for letter in all(evil) {
            let written = letter.write().unwrap();
            let notice = Notice::of(&letter).unwrap();
            assert!(!written.subject.chars().any(char::is_control), "{:?}", written.subject);
            assert!(!written.html.contains("<b>") && !written.text.contains("\nBcc"), "{}", written.html);
            assert!(!written.text.contains("\n\n\n") && written.text.contains(&notice.closing), "{}", written.text);
            for body in [&written.text, &written.html] {
                if let Some(button) = &notice.button {
                    assert!(body.contains(button.link) && body.contains(button.label), "{body}");
                }
                assert!(notice.until.iter().all(|until| body.contains(until.as_str())), "{body}");
            }
        }
    }
}
