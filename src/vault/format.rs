//! How a sealed value is laid out: `version (1) ‖ key id (16) ‖ IV (12) ‖ ciphertext ‖ tag (16)`. It is taken apart
//! here and nowhere else; what it says is not believed before it is opened.

use uuid::Uuid;

use super::Field;

/// The key that seals: the scope's own.
pub(super) const BY_SCOPE: u8 = 1;
/// The key that seals: derived from the scope's for one person.
pub(super) const BY_PERSON: u8 = 2;

pub(super) const IV: usize = 12;
pub(super) const TAG: usize = 16;
const KEY_ID: usize = 16;

/// A sealed value in its parts.
pub(super) struct Parts<'a> {
    /// [`BY_SCOPE`] or [`BY_PERSON`].
    pub version: u8,
    /// Which data key sealed it.
    pub key: Uuid,
    /// The initialisation vector.
    pub iv: [u8; IV],
    /// Ciphertext and tag.
    pub sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes a value apart.
    pub fn of(value: &'a [u8]) -> Result<Self, &'static str> {
        let (&version, rest) = value.split_first().ok_or("too short")?;
        let (key, rest) = rest.split_first_chunk::<KEY_ID>().ok_or("too short")?;
        let (iv, sealed) = rest.split_first_chunk::<IV>().ok_or("too short")?;
        if sealed.len() < TAG {
            return Err("too short");
        }
        if ![BY_SCOPE, BY_PERSON].contains(&version) {
            return Err("an unknown format");
        }
        Ok(Self { version, key: Uuid::from_bytes(*key), iv: *iv, sealed })
    }

    /// Puts a value together.
    pub fn join(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(1 + KEY_ID + IV + self.sealed.len());
        value.push(self.version);
        value.extend_from_slice(self.key.as_bytes());
        value.extend_from_slice(&self.iv);
        value.extend_from_slice(self.sealed);
        value
    }
}

/// What a value is bound to: format, scope, field and, but for match values, row; each with its length, so that no two
/// places read the same.
pub(super) fn associated_data<S>(version: u8, scope: &str, field: Field<S>, row: Option<Uuid>) -> Vec<u8> {
    associated(version, scope, field.name(), row)
}

/// The same for a field that is known by its name.
pub(super) fn associated(version: u8, scope: &str, field: &str, row: Option<Uuid>) -> Vec<u8> {
    let mut data = vec![version];
    let row = row.map(Uuid::into_bytes);
    let parts = [Some(scope.as_bytes()), Some(field.as_bytes()), row.as_ref().map(<[u8; 16]>::as_slice)];
    for part in parts.into_iter().flatten() {
        data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Proves DAT-1: whatever bytes there are, they are taken apart and put together to the same, or refused.
        #[test]
        fn any_bytes_are_refused_or_the_same_again(value: Vec<u8>) {
            if let Ok(parts) = Parts::of(&value) {
                prop_assert_eq!(parts.join(), value);
            }
        }

        #[test]
        fn what_is_put_together_comes_apart(version in 1u8..=2, key: [u8; 16], iv: [u8; 12], sealed in prop::collection::vec(any::<u8>(), 16..200)) {
            let value = Parts { version, key: Uuid::from_bytes(key), iv, sealed: &sealed }.join();
            let parts = Parts::of(&value).unwrap();
            prop_assert_eq!((parts.version, parts.key.into_bytes(), parts.iv, parts.sealed), (version, key, iv, &sealed[..]));
            for cut in 0..value.len() - sealed.len() + TAG {
                prop_assert!(Parts::of(&value[..cut]).is_err());
            }
        }
    }

    #[test]
    fn places_that_could_be_read_as_one_another_are_not() {
        let field = |name| Field::<entity::Pii>::new(name);
        let row = Some(Uuid::nil());
        assert_ne!(associated_data(1, "ab", field("c"), row), associated_data(1, "a", field("bc"), row));
        assert_ne!(associated_data(1, "a", field("b"), row), associated_data(1, "a", field("b"), None));
        assert_ne!(associated_data(1, "a", field("b"), row), associated_data(2, "a", field("b"), row));
    }
}
