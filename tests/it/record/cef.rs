//! A reader of ArcSight's Common Event Format, by the grammar of its Implementation Standard (revision 25) and by nothing of
//! the writer: seven fields ended by pipes that no backslash precedes, then pairs whose keys are letters and digits.

use std::collections::BTreeMap;

/// An event.
#[derive(Debug)]
pub struct Event {
    /// Version, vendor, product, its version, the event's class, name, severity.
    pub head: Vec<String>,
    /// The pairs.
    pub pairs: BTreeMap<String, String>,
}

/// Reads a line.
pub fn parse(line: &str) -> Result<Event, String> {
    let (head, rest) = head(line)?;
    let version = head[0].strip_prefix("CEF:").ok_or("no CEF")?;
    version.parse::<u8>().map_err(|_| "no version")?;
    let severity: u8 = head[6].parse().map_err(|_| format!("severity {}", head[6]))?;
    if severity > 10 {
        return Err(format!("severity {severity}"));
    }
    Ok(Event { head, pairs: pairs(rest)? })
}

fn head(line: &str) -> Result<(Vec<String>, &str), String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, escaped @ ('\\' | '|'))) => field.push(escaped),
                other => return Err(format!("a header escapes {other:?}")),
            },
            '|' => {
                fields.push(std::mem::take(&mut field));
                if fields.len() == 7 {
                    return Ok((fields, &line[at + 1..]));
                }
            }
            c if c.is_control() => return Err(format!("a header has {c:?}")),
            c => field.push(c),
        }
    }
    Err(format!("a header of {} fields", fields.len()))
}

/// A value goes on until a space, a key and an equals sign that no backslash precedes.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut starts = Vec::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('=') {
        let escapes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 1 {
            continue;
        }
        let key = text[..at].rfind(' ').map_or(0, |space| space + 1);
        let name = &text[key..at];
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("an equals sign after {name:?} is not escaped"));
        }
        starts.push((key, at));
    }
    let mut found = BTreeMap::new();
    for (index, (key, equals)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |(next, _)| next - 1);
        let value = unescaped(&text[equals + 1..end])?;
        if found.insert(text[*key..*equals].to_owned(), value).is_some() {
            return Err(format!("{} twice", &text[*key..*equals]));
        }
    }
    Ok(found)
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => value.push(match chars.next() {
                Some(escaped @ ('\\' | '=')) => escaped,
                Some('n') => '\n',
                Some('r') => '\r',
                other => return Err(format!("a value escapes {other:?}")),
            }),
            c if c.is_control() => return Err(format!("a value has {c:?}")),
            c => value.push(c),
        }
    }
    Ok(value)
}

#[test]
fn it_refuses_what_is_not_escaped() {
    let parsed = parse("CEF:0|a|b|1|c\\|d|e\\\\f|5|k=v\\=w with words l=x\\\\\\n").unwrap();
    assert_eq!((parsed.head[4].as_str(), parsed.head[5].as_str()), ("c|d", "e\\f"));
    assert_eq!((parsed.pairs["k"].as_str(), parsed.pairs["l"].as_str()), ("v=w with words", "x\\\n"));
    for wrong in ["CEF:0|a|b|1|c|d|e", "CEF:0|a|b|1|c|d|11|", "CEF:0|a|b|1|c\\d|e|5|", "CEF:0|a|b|1|c|d|5|k=a==b"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
