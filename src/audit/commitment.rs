//! Commitments: an entry says of what is personal of it only a hash, salted with 128 random bits that are kept beside
//! it. While the salt is there, it proves that nothing personal was changed; when it is destroyed with a person, nobody
//! can find out any more what it stood for, and the entry is the same as before (AUD-4).
//!
//! A commitment is SHA-256 of the salt and the canonical JSON (RFC 8785) of what was said. From where and with what
//! something was done has one, and what somebody wrote another, because they are erased apart.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The form of entries that have commitments.
pub(super) const WITH_COMMITMENTS: i16 = 2;

/// A salt: 128 bits, as many as a key has that nobody guesses.
pub type Salt = [u8; 16];

/// The salts of what is personal of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salts {
    /// Of from where and with what it was done.
    pub origin: Option<Salt>,
    /// Of what somebody wrote.
    pub details: Option<Salt>,
}

/// What is committed to of where something came from; `None` when nothing is said of it.
pub fn origin(address: Option<&str>, user_agent: Option<&str>) -> Option<Value> {
    let said = [("address", address), ("user_agent", user_agent)];
    let said: Map<_, _> = said.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect();
    (!said.is_empty()).then_some(Value::Object(said))
}

/// What is committed to of what somebody wrote; `None` when nobody wrote anything.
pub fn details(details: &Map<String, Value>) -> Option<Value> {
    (!details.is_empty()).then(|| json!({"details": details}))
}

/// The commitment to what was said.
///
/// # Errors
/// When it is nothing that canonical JSON can write.
pub fn commit(salt: &Salt, said: &Value) -> Result<Vec<u8>> {
    let canonical = canonical(said)?;
    Ok(Sha256::new().chain_update(salt).chain_update(canonical).finalize().to_vec())
}

/// Canonical JSON (RFC 8785): what is the same has the same bytes.
///
/// # Errors
/// For numbers that JSON has no words for, of which there are none in what was JSON before.
pub fn canonical(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(Error::internal)
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that a text has in lower-case hexadecimal; `None` for any other text.
pub fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// A salt as it is kept.
pub fn salt_of(text: &str) -> Option<Salt> {
    of_hex(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUD-4.
    #[test]
    fn a_commitment_is_to_what_was_said_and_to_the_salt() {
        let said = origin(Some("192.0.2.7"), Some("Browser/1")).unwrap();
        let commitment = commit(&[7; 16], &said).unwrap();
        // Computed with sha256sum from the bytes that the documentation names.
        let expected = Sha256::digest([&[7; 16][..], br#"{"address":"192.0.2.7","user_agent":"Browser/1"}"#].concat());
        assert_eq!(commitment, expected.to_vec());
        assert_ne!(commitment, commit(&[8; 16], &said).unwrap());
        assert_ne!(commitment, commit(&[7; 16], &origin(Some("192.0.2.8"), Some("Browser/1")).unwrap()).unwrap());
        assert_eq!((origin(None, None), details(&Map::new())), (None, None));
    }

    #[test]
    fn hexadecimal_is_read_as_it_is_written_and_nothing_else() {
        let salt: Salt = std::array::from_fn(|at| u8::try_from(at * 17).unwrap_or_default());
        assert_eq!(salt_of(&hex(&salt)), Some(salt));
        for text in ["", "0", "0g", "AB", "00112233445566778899aabbccddee", "+1+1"] {
            assert_eq!(salt_of(text), None, "{text}");
        }
    }
}
