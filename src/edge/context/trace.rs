//! W3C trace context (level 1): which trace a request belongs to.

use poem::http::HeaderName;
use uuid::Uuid;

use crate::runtime::Ids;

/// The header that carries it, in requests and answers.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The place of one request in a distributed trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace: 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// This request's own span: 16 digits.
    pub span_id: String,
    /// Two digits; the lowest bit says that the caller records the trace.
    flags: String,
}

impl TraceContext {
    /// Goes on with the caller's trace if its header is valid, otherwise begins one.
    pub fn continue_from(header: Option<&str>, ids: Ids) -> Self {
        let span_id = digits(ids).split_off(16);
        match header.and_then(parse) {
            Some((trace_id, flags)) => Self { trace_id: trace_id.to_owned(), span_id, flags: flags.to_owned() },
            None => Self { trace_id: digits(ids), span_id, flags: "00".to_owned() },
        }
    }

    /// The header's value.
    pub fn header(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// 32 digits, never all zero; the last 16 are random but for two bits.
fn digits(ids: Ids) -> String {
    ids.next::<Uuid>().simple().to_string()
}

/// Trace id and flags of a valid header. A later version may append fields; version `ff` does not exist.
fn parse(header: &str) -> Option<(&str, &str)> {
    let mut parts = header.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = [(version, 2), (trace, 32), (parent, 16), (flags, 2)];
    let well_formed = lengths.iter().all(|(part, length)| part.len() == *length && part.bytes().all(is_lower_hex));
    let nothing_more = version != "00" || parts.next().is_none();
    let real = [trace, parent].iter().all(|id| id.bytes().any(|digit| digit != b'0'));
    (well_formed && nothing_more && real && version != "ff").then_some((trace, flags))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_trace_goes_on_and_anything_else_begins_one() {
        let valid = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let context = TraceContext::continue_from(Some(&valid), Ids);
        assert_eq!(context.trace_id, TRACE);
        assert_ne!(context.span_id, "00f067aa0ba902b7");
        assert!(context.header().ends_with("-01"));
        assert_eq!(
            TraceContext::continue_from(Some(&format!("cc-{TRACE}-00f067aa0ba902b7-01-x")), Ids).trace_id,
            TRACE
        );
        let broken = [
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-x"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "é".repeat(20),
            String::new(),
        ];
        for header in &broken {
            let context = TraceContext::continue_from(Some(header), Ids);
            assert_ne!(context.trace_id, TRACE, "{header}");
            assert_eq!(context.trace_id.len(), 32);
            assert_eq!(context.span_id.len(), 16);
        }
    }
}
