//! Text in a cell of a spreadsheet. A program that opens a CSV file takes what begins like a formula for one, and runs it
//! (OWASP, CSV injection); an apostrophe before it says that it is text (NET-14).

use std::borrow::Cow;

/// Whether a text begins like a formula, whatever apostrophes are before it.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
}

/// The text as no spreadsheet takes it for a formula.
pub fn cell(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`cell`] was given.
pub fn of_cell(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves NET-14.
    #[test]
    fn formulas_become_text_and_text_comes_back() {
        for formula in ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1", "\u{FF1D}1", "'=1", "''=1"] {
            let cell = cell(formula);
            assert_eq!(cell, format!("'{formula}"));
            assert_eq!(of_cell(&cell), formula);
        }
        for text in ["Ada", "", "'", "O'Hara", "'Ada'", "a=1"] {
            assert_eq!(cell(text), text);
            assert_eq!(of_cell(text), text);
        }
    }
}
