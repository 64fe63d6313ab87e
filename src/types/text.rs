//! Text as Freehold keeps it: NFC-normalised, without control characters (NET-9).

use unicode_normalization::UnicodeNormalization;

/// Text in Unicode normalisation form C, so that what looks the same is the same.
pub fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// A single line for people to read (a name, a reason): trimmed, NFC, without control characters, its
/// length in characters within `1..=longest`. `None` when it is none.
pub fn single_line(text: &str, longest: usize) -> Option<String> {
    let text = nfc(text.trim());
    let length = text.chars().count();
    let clean = !text.chars().any(|c| c.is_control() || is_bidi_override(c));
    (clean && (1..=longest).contains(&length)).then_some(text)
}

/// Characters that reorder what follows: they make one name look like another (Unicode TR 36, 3.2).
fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_line_is_normalised_and_bounded() {
        assert_eq!(single_line("  Zoe\u{308} ", 10).as_deref(), Some("Zoë"));
        assert_eq!(single_line("a\nb", 10), None);
        assert_eq!(single_line("a\0b", 10), None);
        assert_eq!(single_line("\u{202E}evil", 10), None);
        assert_eq!(single_line("", 10), None);
        assert_eq!(single_line("elevenchars", 10), None);
    }
}
