//! Letters about the recovery of a lost second factor: the recovery address, and what is asked for through it.

use super::{
    letter::{moment, plain},
    notice::Notice,
};
use crate::{config::SecretString, runtime::Timestamp};

/// Such a letter.
#[derive(Clone)]
pub enum RecoveryLetter {
    /// Asks a person to show that a recovery address is theirs.
    VerifyAddress {
        /// Where to.
        link: SecretString,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Tells a person that something about their recovery address is another now.
    Address {
        /// What.
        change: AddressChange,
        /// Where to look at it.
        account: String,
    },
    /// Tells a person that a recovery was asked for.
    Asked {
        /// Until when it waits, if it does.
        waits_until: Option<Timestamp>,
        /// Whether an administrator has to approve it.
        approval: bool,
        /// Where it is stopped. Whoever has it can.
        stop: SecretString,
    },
    /// Lets a person complete a recovery.
    Link {
        /// Where to. Whoever has it can.
        link: SecretString,
        /// From when on the link works, if not at once.
        works_from: Option<Timestamp>,
        /// When it stops.
        expires_at: Timestamp,
    },
    /// Tells a person what an administrator decided about their recovery.
    Decided {
        /// What.
        decision: RecoveryDecision,
        /// Why.
        reason: String,
        /// Where to look at the account.
        account: String,
    },
}

/// What is another now about a person's recovery address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressChange {
    /// This one is to be confirmed.
    Requested(String),
    /// This one is in use.
    Set(String),
    /// There is none any more.
    Removed,
}

/// What an administrator decided about a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryDecision {
    /// It may be completed.
    Approved,
    /// It may not.
    Refused,
}

const NOT_YOU: &str = "Was it not you? Have your password changed, end all your sessions, and tell an administrator of your \
                       organisation: somebody has your account.";

/// What such a letter says.
pub(super) fn notice(letter: &RecoveryLetter) -> Notice<'_> {
    match letter {
        RecoveryLetter::VerifyAddress { link, expires_at } => Notice::new(
            "Confirm your recovery address",
            &["Somebody, you we hope, wants to get back into their account through this address if they lose their second \
               factor. Open this link in the browser in which you are signed in, and you can."],
            "Did you not ask for this? Then you need not do anything, and should not open the link: it does nothing for \
             anybody but the account that asked for it.",
        )
        .button("Confirm this address", link.expose())
        .once_until(*expires_at),
        RecoveryLetter::Address { change, account } => {
            let (subject, text) = changed(change);
            Notice::new(subject, &[&text], NOT_YOU).button("Look at your account", account)
        }
        RecoveryLetter::Asked { waits_until, approval, stop } => {
            let first = "Somebody signed in with your password, said that they can't use your second factor, and asked for \
                         a recovery. It switches your second factor off.";
            let then = match (approval, waits_until) {
                (true, _) => "An administrator has to approve it first.".to_owned(),
                (false, Some(until)) => format!("It can be completed from {} on.", moment(*until)),
                (false, None) => "It can be completed with the link that your recovery address was sent.".to_owned(),
            };
            let closing = "Was it not you? Then somebody knows your password: stop the recovery now, and choose another \
                           password.";
            Notice::new("A recovery of your account was asked for", &[first, &then], closing)
                .button("Stop the recovery", stop.expose())
        }
        RecoveryLetter::Link { link, works_from, expires_at } => {
            let first = "Open this link to switch your second factor off. All your sessions end, and then you sign in with \
                         your password alone.";
            let then = works_from.map(|from| format!("The link does not work before {}.", moment(from)));
            let paragraphs: Vec<&str> = [first].into_iter().chain(then.as_deref()).collect();
            let closing = "Did you not ask for this? Then don’t open the link. Whoever asked knows your password: stop the \
                           recovery with the other message that you got, and choose another password.";
            Notice::new("Recover your account", &paragraphs, closing)
                .button("Go on", link.expose())
                .once_until(*expires_at)
        }
        RecoveryLetter::Decided { decision, reason, account } => {
            let (subject, text) = match decision {
                RecoveryDecision::Approved => (
                    "The recovery of your account was approved",
                    "An administrator approved it. Your recovery address was sent a link to complete it.",
                ),
                RecoveryDecision::Refused => {
                    ("The recovery of your account was refused", "An administrator refused it. Nothing was changed.")
                }
            };
            let reason = format!("The reason: {}", plain(reason));
            Notice::new(subject, &[text, &reason], NOT_YOU).button("Look at your account", account)
        }
    }
}

fn changed(change: &AddressChange) -> (&'static str, String) {
    match change {
        AddressChange::Requested(email) => (
            "You are about to have another recovery address",
            format!(
                "Somebody who is signed in to your account asked to make {} its recovery address. It was sent a link that \
                 confirms it; until then nothing changes.",
                plain(email)
            ),
        ),
        AddressChange::Set(email) => (
            "Your recovery address was set",
            format!("From now on, {} helps you when you lose your second factor.", plain(email)),
        ),
        AddressChange::Removed => (
            "Your recovery address was removed",
            "From now on, only an administrator can help you when you lose your second factor.".to_owned(),
        ),
    }
}
