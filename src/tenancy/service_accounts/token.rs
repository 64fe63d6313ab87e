//! What an API key looks like: `fhk_`, a secret of 256 random bits, the organisation, and a checksum of all that.
//!
//! The prefix lets secret scanners find it. The checksum tells a key from one that was cut off or mistyped, to a scanner
//! and to the server, which then asks no database. The organisation lets the server look a key up where it belongs and
//! nowhere else; who names another finds nothing there, because what is looked up is the hash of the whole key.

use crc::{CRC_32_ISO_HDLC, Crc};
use entity::OrganizationId;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{config::SecretString, error::Result, runtime::Entropy};

/// What every API key begins with.
pub const PREFIX: &str = "fhk_";
/// How many characters are shown of a key afterwards: the prefix and eight more, which leave over 200 random bits.
pub(super) const SHOWN: usize = 12;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many base-62 digits 128 bits have, and 32.
const WIDE: usize = 22;
const NARROW: usize = 6;
/// The polynomial of zlib and PNG, as in GitHub's tokens.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A new key of an organisation's.
///
/// # Errors
/// When the operating system has no entropy.
pub(super) fn make(organization: OrganizationId, entropy: Entropy) -> Result<SecretString> {
    let half = || Ok::<_, crate::error::Error>(Zeroizing::new(u128::from_be_bytes(entropy.bytes::<16>()?)));
    let secret = Zeroizing::new(format!("{}{}", digits(*half()?, WIDE), digits(*half()?, WIDE)));
    let place = digits(Uuid::from(organization).as_u128(), WIDE);
    let key = Zeroizing::new(format!("{PREFIX}{}{place}", *secret));
    Ok(SecretString::new(format!("{}{}", *key, checksum(&key))))
}

/// The organisation that a key names; `None` for what is no whole key.
pub(super) fn organization(key: &str) -> Option<OrganizationId> {
    let body = key.strip_prefix(PREFIX)?;
    if body.len() != 3 * WIDE + NARROW || !body.bytes().all(|byte| DIGITS.contains(&byte)) {
        return None;
    }
    let (signed, sum) = key.split_at_checked(key.len() - NARROW)?;
    if checksum(signed) != sum {
        return None;
    }
    let number = number(body.get(2 * WIDE..3 * WIDE)?)?;
    Some(OrganizationId(Uuid::from_u128(number)))
}

fn checksum(text: &str) -> String {
    digits(CHECKSUM.checksum(text.as_bytes()).into(), NARROW)
}

fn digits(mut number: u128, width: usize) -> String {
    let mut text = vec![b'0'; width];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or_default();
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        number /= 62;
    }
    text.into_iter().map(char::from).collect()
}

fn number(text: &str) -> Option<u128> {
    text.bytes().try_fold(0_u128, |number, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        number.checked_mul(62)?.checked_add(u128::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SES-6.
    #[test]
    fn a_key_names_its_organisation_and_every_slip_of_one_character_is_noticed() {
        for id in [0, 1, u128::MAX, 0x0190_0000_0000_7000_8000_0000_0000_00dd] {
            let place = OrganizationId(Uuid::from_u128(id));
            let key = make(place, Entropy).unwrap();
            let key = key.expose();
            assert_eq!((key.len(), organization(key)), (76, Some(place)), "{key}");
            assert_ne!(key, make(place, Entropy).unwrap().expose());
            for at in PREFIX.len()..key.len() {
                let mut wrong = key.as_bytes().to_vec();
                wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
                assert_eq!(organization(std::str::from_utf8(&wrong).unwrap()), None, "{at}");
            }
            for wrong in [&key[..75], &key[1..], &key.replace("fhk_", "fhr_"), &format!("{key}0"), "fhk_", "", "fhk_é"]
            {
                assert_eq!(organization(wrong), None, "{wrong}");
            }
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_none() {
        assert_eq!(number(&"z".repeat(WIDE)), None);
        assert_eq!(number(&digits(u128::MAX, WIDE)), Some(u128::MAX));
    }
}
