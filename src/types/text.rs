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

/// Whether a mail program would make a link of any part of this text: an address with a scheme, or a bare host name.
/// An e-mail address is none.
pub fn has_link(text: &str) -> bool {
    // IDEOGRAPHIC FULL STOP and its kin are dots in host names (RFC 3490, 3.1).
    let text = text.to_lowercase().replace(['\u{3002}', '\u{FF0E}', '\u{FF61}'], ".");
    text.contains("://") || text.contains("www.") || text.split(ends_address).any(is_host_name)
}

/// Whether a character can't be part of a host name.
fn ends_address(c: char) -> bool {
    !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@'))
}

/// Whether a word is a host name that looks like one on the internet: labels, and a last one of letters.
fn is_host_name(word: &str) -> bool {
    let labels: Vec<_> = word.trim_matches('.').split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    let is_top = top.starts_with("xn--") || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    labels.len() >= 2 && is_top && !word.contains('@') && labels.iter().all(|label| !label.is_empty())
}

/// Characters that reorder what follows: they make one name look like another (Unicode TR 36, 3.2).
fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_however_they_are_written() {
        for link in [
            "https://evil.example/x",
            "HTTP://EVIL",
            "see www.evil",
            "go to evil.com.",
            "(evil.co.uk/login)",
            "b\u{fc}cher.example",
            "evil\u{3002}com",
            "xn--e1awd7f.xn--p1ai",
            "ada@evil.com/login then evil.com",
            "javascript://alert",
        ] {
            assert!(has_link(link), "{link}");
        }
        for text in
            ["Welcome to the team.", "See you at 9.30, room 1.2", "e.g. tomorrow...", "Write to ada@example.com", "a.b"]
        {
            assert!(!has_link(text), "{text}");
        }
    }

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
