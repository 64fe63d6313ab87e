//! What values of each type are: how they come in, the one text they are kept as, and what they are compared by. It knows
//! nothing of who may write them or where they lie.

use std::fmt;

use entity::attributes::Kind;
use serde_json::Number;
use url::Url;

use crate::types::{Email, nfc, single_line};

/// The longest text in characters: what an index on it can hold, at four bytes each.
pub const LONGEST_TEXT: usize = 500;
/// The longest address of a page in characters, which browsers and mail programs still take.
pub const LONGEST_URL: usize = 2000;
/// The largest number: below 2⁵³, up to where every client counts exactly (RFC 8259, section 6).
pub const LARGEST: f64 = 1e15;
/// The most digits behind the point.
pub const MOST_DECIMALS: usize = 9;

/// A value as clients write and read it.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Of a text, date, choice, e-mail address, phone number or URL.
    Text(String),
    /// Of a number.
    Number(Number),
    /// Of a boolean.
    Boolean(bool),
}

/// What is wrong with a value: a stable word, and a sentence that never repeats it.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// As in a problem document's fault.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

impl Wrong {
    fn of(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    fn format(detail: impl Into<String>) -> Self {
        Self::of("format", detail)
    }
}

/// It says nothing of the value: that is somebody's.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

/// A value as it is kept: one text, the same for all spellings of the same value.
///
/// # Errors
/// What is wrong with it.
pub fn kept(kind: Kind, options: &[String], value: &Value) -> Result<String, Wrong> {
    match (kind, value) {
        (Kind::Boolean, Value::Boolean(value)) => Ok(value.to_string()),
        (Kind::Boolean, _) => Err(Wrong::of("type", "must be true or false")),
        (Kind::Number, Value::Number(value)) => value.as_f64().ok_or_else(out_of_range).and_then(number),
        (Kind::Number, _) => Err(Wrong::of("type", "must be a number")),
        (_, Value::Text(text)) => kept_text(kind, options, text),
        _ => Err(Wrong::of("type", "must be a text")),
    }
}

/// A value that was written as text, in a query.
///
/// # Errors
/// What is wrong with it.
pub fn parsed(kind: Kind, options: &[String], text: &str) -> Result<String, Wrong> {
    match kind {
        Kind::Boolean => match text {
            "true" | "false" => Ok(text.to_owned()),
            _ => Err(Wrong::of("type", "must be true or false")),
        },
        Kind::Number => text.parse().map_err(|_| Wrong::of("type", "must be a number")).and_then(number),
        _ => kept_text(kind, options, text),
    }
}

/// What was kept, as clients read it.
pub fn shown(kind: Kind, kept: &str) -> Value {
    match kind {
        Kind::Boolean => Value::Boolean(kept == "true"),
        Kind::Number => {
            let whole = kept.parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| kept.parse().ok().and_then(Number::from_f64));
            number.map_or_else(|| Value::Text(kept.to_owned()), Value::Number)
        }
        _ => Value::Text(kept.to_owned()),
    }
}

/// What two values have in common that people take for one.
pub fn comparable(kind: Kind, kept: &str) -> String {
    match kind {
        Kind::Text => nfc(&kept.to_lowercase()),
        _ => kept.to_owned(),
    }
}

fn kept_text(kind: Kind, options: &[String], text: &str) -> Result<String, Wrong> {
    let line = |longest| {
        single_line(text, longest)
            .ok_or_else(|| Wrong::format(format!("must be 1 to {longest} characters on one line")))
    };
    match kind {
        Kind::Choice => {
            let chosen = line(LONGEST_TEXT)?;
            let known = options.contains(&chosen);
            known.then_some(chosen).ok_or_else(|| Wrong::of("choice", "must be one of the options"))
        }
        Kind::Email => text.parse::<Email>().map(|email| email.as_str().to_owned()).map_err(Wrong::format),
        Kind::Phone => phone(text),
        Kind::Date => date(text),
        Kind::Url => page(text),
        Kind::Text | Kind::Number | Kind::Boolean => line(LONGEST_TEXT),
    }
}

fn out_of_range() -> Wrong {
    Wrong::of("range", format!("must be between -{LARGEST} and {LARGEST}"))
}

/// A number in decimal digits without an exponent: the shortest that reads as the same number.
fn number(value: f64) -> Result<String, Wrong> {
    // NaN is in no range.
    if !(-LARGEST..=LARGEST).contains(&value) {
        return Err(out_of_range());
    }
    // Minus zero is zero.
    let text = (value + 0.0).to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals > MOST_DECIMALS {
        return Err(Wrong::of("range", format!("must have at most {MOST_DECIMALS} digits behind the point")));
    }
    Ok(text)
}

/// E.164: a plus, the country code, and at most 15 digits in all.
fn phone(text: &str) -> Result<String, Wrong> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits && !digits.starts_with('0') {
        return Ok(text.to_owned());
    }
    Err(Wrong::format("must be a phone number with its country code, such as +4930123456"))
}

/// A day of the calendar (RFC 3339, full-date), from the year 1 on.
fn date(text: &str) -> Result<String, Wrong> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let same = day.is_some_and(|day| day.format("%Y-%m-%d").to_string() == text && !text.starts_with("0000"));
    if same && text.len() == 10 { Ok(text.to_owned()) } else { Err(Wrong::format("must be a date such as 2026-01-31")) }
}

/// The address of a page: https or http, so that nothing runs when somebody follows it, and without a password in it.
fn page(text: &str) -> Result<String, Wrong> {
    let wrong = || Wrong::format("must be an address such as https://example.com/page");
    // The parser would drop line breaks and spaces silently.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(wrong());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.has_host();
    if !["https", "http"].contains(&url.scheme()) || !plain {
        return Err(wrong());
    }
    let address = String::from(url);
    let fits = address.chars().count() <= LONGEST_URL;
    fits.then_some(address).ok_or_else(|| Wrong::of("length", format!("must have at most {LONGEST_URL} characters")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sea_orm::Iterable;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<String>().prop_map(Value::Text),
            // What looks like what is meant, so that more than refusals is tried.
            "[+]?[0-9]{1,16}|[0-9]{4}-[01][0-9]-[0-3][0-9]|[a-zA-Z.]{1,9}@[a-zA-Z]{1,9}\\.(com|example)"
                .prop_map(Value::Text),
            "(https?|javascript|ftp)://[a-zA-Z0-9.@:]{1,20}/[ -~]{0,10}".prop_map(Value::Text),
            any::<i64>().prop_map(|number| Value::Number(number.into())),
            any::<f64>().prop_filter_map("finite", |number| Number::from_f64(number).map(Value::Number)),
            (-1_000_000i32..1_000_000, 0u32..9).prop_filter_map("finite", |(number, scale)| {
                Number::from_f64(f64::from(number) / 10f64.powi(i32::try_from(scale).ok()?)).map(Value::Number)
            }),
            any::<bool>().prop_map(Value::Boolean),
        ]
    }

    proptest! {
        /// Proves DAT-7: whatever comes in is refused, or kept as a text that is shown as the same value again, fits its
        /// column and its index, and has no control characters.
        #[test]
        fn any_value_is_refused_or_the_same_again(value in any_value(), options: Vec<String>) {
            for kind in Kind::iter() {
                let Ok(text) = kept(kind, &options, &value) else { continue };
                let again = kept(kind, &options, &shown(kind, &text));
                prop_assert_eq!(again.as_ref(), Ok(&text), "{:?}", kind);
                let read = parsed(kind, &options, &text);
                prop_assert_eq!(read.as_ref(), Ok(&text), "{:?}", kind);
                prop_assert!((1..=2000).contains(&text.chars().count()));
                prop_assert!(!text.chars().any(char::is_control));
                let compared = comparable(kind, &text);
                // A B-tree of PostgreSQL holds 2704 bytes, the two ids among them.
                prop_assert!(compared.len() <= 2600, "{:?} has {} bytes", kind, compared.len());
                prop_assert_eq!(comparable(kind, &compared), compared);
            }
        }

        /// The comparison of a long text of any characters fits its index as well.
        #[test]
        fn the_longest_texts_fit_their_index(c: char) {
            let text = Value::Text(c.to_string().repeat(LONGEST_TEXT));
            if let Ok(text) = kept(Kind::Text, &[], &text) {
                prop_assert!(comparable(Kind::Text, &text).len() <= 2600, "{:?}", c);
            }
        }
    }

    fn text(kind: Kind, value: &str) -> Option<String> {
        kept(kind, &["Berlin".to_owned()], &Value::Text(value.to_owned())).ok()
    }

    #[test]
    fn each_type_takes_its_own_values_in_one_spelling() {
        assert_eq!(text(Kind::Text, "  Zoe\u{308} ").as_deref(), Some("Zo\u{eb}"));
        assert_eq!(text(Kind::Email, "Ada@Example.COM").as_deref(), Some("ada@example.com"));
        assert_eq!(text(Kind::Url, "HTTPS://Example.com").as_deref(), Some("https://example.com/"));
        assert_eq!(text(Kind::Phone, "+4930123456").as_deref(), Some("+4930123456"));
        assert_eq!(text(Kind::Date, "2024-02-29").as_deref(), Some("2024-02-29"));
        assert_eq!(text(Kind::Choice, "Berlin").as_deref(), Some("Berlin"));
        assert_eq!(comparable(Kind::Text, "Stra\u{df}e 7B"), "stra\u{df}e 7b");
        let number = |value: f64| kept(Kind::Number, &[], &Value::Number(Number::from_f64(value).unwrap())).ok();
        for (value, text) in [(1.0, "1"), (-0.0, "0"), (1.50, "1.5"), (-2e3, "-2000"), (1e15, "1000000000000000")] {
            assert_eq!(number(value).as_deref(), Some(text));
        }
        assert_eq!((number(1e15 + 1.0), number(1e-10)), (None, None));
    }

    #[test]
    fn what_is_no_value_of_its_type_is_refused() {
        for (kind, wrong) in [
            (Kind::Text, ""),
            (Kind::Text, "two\nlines"),
            (Kind::Text, "a\0b"),
            (Kind::Text, "\u{202E}evil"),
            (Kind::Email, "nobody"),
            (Kind::Phone, "030 123456"),
            (Kind::Phone, "+0301234567"),
            (Kind::Phone, "+49 30 123456"),
            (Kind::Phone, "+1234567890123456"),
            (Kind::Date, "2025-02-29"),
            (Kind::Date, "2025-2-9"),
            (Kind::Date, "+2025-02-09"),
            (Kind::Date, "0000-01-01"),
            (Kind::Choice, "berlin"),
            (Kind::Url, "javascript:alert(1)"),
            (Kind::Url, "https://ada:secret@example.com/"),
            (Kind::Url, "https://exa\nmple.com/"),
            (Kind::Url, "example.com"),
            (Kind::Number, "1"),
            (Kind::Boolean, "true"),
        ] {
            assert_eq!(text(kind, wrong), None, "{kind:?} took {wrong:?}");
        }
        assert!(text(Kind::Text, &"x".repeat(LONGEST_TEXT + 1)).is_none());
        assert!(text(Kind::Url, &format!("https://example.com/{}", "x".repeat(LONGEST_URL))).is_none());
        for wrong in ["NaN", "inf", "1e16", "", "0x1"] {
            assert!(parsed(Kind::Number, &[], wrong).is_err(), "{wrong}");
        }
    }
}
