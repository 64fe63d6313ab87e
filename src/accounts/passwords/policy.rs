//! What a password must be, for one person under the strictest settings that they meet (AUT-2).

use super::{Passwords, common::is_common, normalised, strength::strength};
use crate::{
    config::SecretString,
    error::{Error, Fault, Result},
    settings,
    types::Email,
};

/// The longest password in characters (AUT-2).
pub const LONGEST: usize = 256;
/// The strongest that an estimate says: then nothing more is said about it.
pub const STRONGEST: u8 = 4;

/// The rules in force for somebody.
pub type Rules = settings::sections::Passwords;

/// A class of characters: whether it is asked for, the code and the name of its absence, and what belongs to it.
type Class = (bool, &'static str, &'static str, fn(char) -> bool);

/// What is to be said of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How hard it is to guess, from 0 to [`STRONGEST`].
    pub strength: u8,
    /// The rules that it does not meet: a stable code and a sentence.
    pub unmet: Vec<(&'static str, String)>,
}

impl Passwords {
    /// What is to be said of a password for this person, but for whether they had it before.
    ///
    /// # Errors
    /// `Upstream` when the hashing pool is busy: it also does this, because an estimate can take its time.
    pub async fn judge(&self, password: &str, email: &Email, name: &str, rules: &Rules) -> Result<Verdict> {
        let password = normalised(&SecretString::new(password));
        let (email, name, rules) = (email.clone(), name.to_owned(), *rules);
        self.run(move |_| judged(password.expose(), &email, &name, &rules)).await
    }

    /// Whether a password is good enough for this person, under the strictest settings that they meet.
    ///
    /// # Errors
    /// `Invalid` with every fault at `/password`; `Upstream` when the hashing pool is busy.
    pub async fn check(&self, password: &str, email: &Email, name: &str, rules: &Rules) -> Result<()> {
        let verdict = self.judge(password, email, name, rules).await?;
        let faults: Vec<_> =
            verdict.unmet.into_iter().map(|(code, detail)| Fault::body("/password", code, detail)).collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }
}

fn judged(password: &str, email: &Email, name: &str, rules: &Rules) -> Verdict {
    let length = password.chars().count();
    let least = usize::try_from(rules.minimum_length).unwrap_or(LONGEST);
    let mut unmet = Vec::new();
    if length < least {
        unmet.push(("too_short", format!("must have at least {least} characters")));
    }
    if length > LONGEST {
        unmet.push(("too_long", format!("must have at most {LONGEST} characters")));
    }
    let classes: [Class; 4] = [
        (rules.require_upper_case, "no_upper_case", "an upper-case letter", char::is_uppercase),
        (rules.require_lower_case, "no_lower_case", "a lower-case letter", char::is_lowercase),
        (rules.require_digit, "no_digit", "a digit", |c| c.is_ascii_digit()),
        (rules.require_special, "no_special", "a character that is neither letter nor digit", |c| !c.is_alphanumeric()),
    ];
    for (_, code, what, _) in classes.iter().filter(|(asked, _, _, has)| *asked && !password.chars().any(has)) {
        unmet.push((code, format!("must have {what}")));
    }
    if contains_person(password, email, name) {
        unmet.push(("personal", "must not contain your name or e-mail address".to_owned()));
    }
    if is_common(password) {
        unmet.push(("common", "must not be one of the commonest passwords".to_owned()));
    }
    let known: Vec<_> = name.split_whitespace().chain(email.as_str().split(['@', '.'])).collect();
    let strength = strength(password, &known);
    if u32::from(strength) < rules.minimum_strength {
        unmet.push(("too_weak", "must be harder to guess".to_owned()));
    }
    Verdict { strength, unmet }
}

/// Whether the password has the e-mail address, its local part, or a word of the name, of four letters or more.
fn contains_person(password: &str, email: &Email, name: &str) -> bool {
    let password = password.to_lowercase();
    let local = email.as_str().split('@').next().unwrap_or_default();
    let name = name.to_lowercase();
    let words = name.split_whitespace().chain([local, email.as_str()]);
    words.filter(|word| word.chars().count() >= 4).any(|word| password.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::sections::PROFILES;

    fn codes(password: &str, rules: &Rules) -> Vec<&'static str> {
        let email = "ada.byron@example.com".parse().unwrap();
        judged(password, &email, "Ada Lovelace", rules).unmet.into_iter().map(|(code, _)| code).collect()
    }

    /// Proves AUT-2.
    #[test]
    fn every_weakness_is_named_at_once() {
        let classic = &PROFILES[0].values;
        let all = ["too_short", "no_upper_case", "no_digit", "no_special", "personal", "common", "too_weak"];
        assert_eq!(codes("lovelace", classic), all);
        assert_eq!(codes("Correct-horse-7", classic), [""; 0]);
        assert_eq!(codes("Cafe\u{301}-au-lait-7", classic), [""; 0]);
        assert!(codes(&"aA1-Zq9_".repeat(33), classic).contains(&"too_long"));
        assert_eq!(codes("Aaaaaaaaaaa1!", classic), ["too_weak"]);
        assert_eq!(codes("!Password123!", classic), ["common", "too_weak"]);
        assert!(codes("Ada.Byron@example.com 7", classic).contains(&"personal"));
        assert_eq!(codes("Correct-horse-7", &Rules { minimum_length: 16, ..*classic }), ["too_short"]);
    }

    /// Proves AUT-2.
    #[test]
    fn by_nist_length_counts_and_not_the_kinds_of_characters() {
        let (classic, nist) = (&PROFILES[0].values, &PROFILES[1].values);
        assert_eq!(codes("orchard granite lamps", nist), [""; 0]);
        assert_eq!(codes("orchard granite lamps", classic), ["no_upper_case", "no_digit"]);
        assert_eq!(codes("Correct-horse-7", nist), [""; 0]);
        assert_eq!(codes("Corect-horse-7", nist), ["too_short"]);
        assert_eq!(codes("PasswordPassword", nist), ["common"]);
    }
}
