//! Canonical JSON (RFC 8785): one state has one sequence of bytes, so that its digest means something.

use serde_json::Value;

/// The bytes of a value: no white space, fields in the order of their names.
///
/// RFC 8785 orders names by UTF-16, which for the ASCII names of ours is the order of bytes, and has rules for fractions
/// of numbers, of which there are none here. Text is escaped as `serde_json` does, which is as the RFC wants it.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (at, (name, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Proves AZ-5.
    #[test]
    fn one_state_has_one_sequence_of_bytes() {
        let one: Value =
            serde_json::from_str("{\"b\": [1, {\"z\": null, \"y\": true}], \"a\": \"\\u00e9\\n\\u0001\\/\"}").unwrap();
        let same: Value = serde_json::from_str("{\"a\":\"é\\n\\u0001/\",\"b\":[1,{\"y\":true}]}").unwrap();
        assert_eq!(canonical(&one), canonical(&same));
        assert_eq!(canonical(&one), "{\"a\":\"é\\n\\u0001/\",\"b\":[1,{\"y\":true}]}");
        assert_eq!(canonical(&json!([])), "[]");
    }
}
