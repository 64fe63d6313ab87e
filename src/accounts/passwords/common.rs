//! The commonest passwords, which nobody may have (AUT-2).

use std::{collections::HashSet, sync::LazyLock};

/// A password a line, in lower case; lines that begin with `# ` say where it comes from.
const LIST: &str = include_str!("common.txt");

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| LIST.lines().filter(|line| *line != "#" && !line.starts_with("# ")).collect());

/// Whether a password is one of the commonest, whatever its case and whatever signs stand around it: rules about kinds
/// of characters make `!Password123!` of `password123`, and who guesses knows that.
pub(super) fn is_common(password: &str) -> bool {
    let folded = password.to_lowercase();
    let core = folded.trim_matches(|c: char| !c.is_alphanumeric());
    COMMON.contains(folded.as_str()) || COMMON.contains(core)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUT-2.
    #[test]
    fn the_commonest_passwords_are_known_in_any_case_and_dress() {
        assert!(COMMON.len() > 10_000, "only {}", COMMON.len());
        assert!(COMMON.iter().all(|known| crate::types::nfc(known).to_lowercase() == **known));
        for known in ["password", "PassWord", "1qaz2wsx3edc", "!Password123!", "...Charlie..."] {
            assert!(is_common(known), "{known}");
        }
        for unknown in ["", "Correct-horse-battery-7", "password and something else", "# the software"] {
            assert!(!is_common(unknown), "{unknown}");
        }
    }
}
