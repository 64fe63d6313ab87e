//! The record in ArcSight's Common Event Format (Implementation Standard, revision 25): a header of seven fields between
//! pipes, then pairs. The header escapes backslash and pipe, a value backslash, equals sign and line ends.

use std::net::IpAddr;

use serde_json::Value;

use super::Line;

/// The most characters of a custom string (`cs1` to `cs6`), by the standard's dictionary.
const CUSTOM: usize = 4000;
/// The most characters of `requestClientApplication`, `suser`, `outcome` and the like.
const SHORT: usize = 63;
const MIDDLE: usize = 1023;

/// An entry, without the end of its line.
pub(super) fn line(line: &Line) -> String {
    let row = &line.entry.row;
    let head = [
        "CEF:0",
        "Freehold",
        "Freehold",
        env!("CARGO_PKG_VERSION"),
        row.event.as_str(),
        line.title(),
        severity(&row.severity),
    ];
    // The first field has nothing to escape.
    let head: Vec<String> = head.into_iter().map(in_header).collect();
    format!("{}|{}", head.join("|"), extension(line))
}

/// 0 to 10: up to 3 is low, up to 6 medium, up to 8 high, above that very high.
fn severity(word: &str) -> &'static str {
    match word {
        "low" => "3",
        "medium" => "5",
        "high" => "8",
        _ => "10",
    }
}

fn extension(line: &Line) -> String {
    let (row, personal) = (&line.entry.row, &line.entry.personal);
    let details = Value::Object(line.details()).to_string();
    let mut pairs: Vec<(&str, Option<String>)> = vec![
        ("rt", Some(row.occurred_at.timestamp_millis().to_string())),
        ("externalId", Some(row.id.to_string())),
        ("cat", Some(row.class.clone())),
        ("outcome", Some(row.outcome.clone())),
        ("suid", row.actor_id.map(|id| id.to_string())),
        ("suser", line.who.name.as_deref().map(|name| cut(name, MIDDLE))),
        ("requestClientApplication", personal.user_agent.as_deref().map(|agent| cut(agent, MIDDLE))),
        ("cs1Label", Some("actorType".to_owned())),
        ("cs1", Some(row.actor_type.clone())),
        ("cs2Label", Some("targetType".to_owned())),
        ("cs2", Some(row.target_type.clone())),
        ("cs3Label", row.target_id.map(|_| "targetId".to_owned())),
        ("cs3", row.target_id.map(|id| id.to_string())),
        ("cs4Label", Some("organizationId".to_owned())),
        ("cs4", Some(row.organization_id.to_string())),
        ("cs5Label", Some("metadata".to_owned())),
        ("cs5", Some(cut(&details, CUSTOM))),
        ("cs6Label", row.request_id.as_ref().map(|_| "requestId".to_owned())),
        ("cs6", row.request_id.as_deref().map(|id| cut(id, CUSTOM))),
    ];
    if let Some(address) = &personal.address {
        // `src` takes IPv4 alone.
        match address.parse() {
            Ok(IpAddr::V4(_)) => pairs.push(("src", Some(address.clone()))),
            _ => pairs
                .extend([("c6a2Label", Some("Source IPv6 Address".to_owned())), ("c6a2", Some(cut(address, SHORT)))]),
        }
    }
    if details.chars().count() > CUSTOM {
        // Never silently: the whole is found by the id.
        pairs.extend([
            ("cn1Label", Some("metadataLength".to_owned())),
            ("cn1", Some(details.chars().count().to_string())),
        ]);
    }
    let written = pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", in_value(&value?))));
    written.collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Line ends can't be in a header at all.
fn in_header(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn in_value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('=', "\\=").replace('\r', "\\r").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUD-3.
    #[test]
    fn header_and_values_escape_what_would_end_them() {
        assert_eq!(in_header("a|b\\c=d\ne"), "a\\|b\\\\c=d e");
        assert_eq!(in_value("a|b\\c=d\r\ne"), "a|b\\\\c\\=d\\r\\ne");
        assert_eq!(cut("äöü", 2), "äö");
    }
}
