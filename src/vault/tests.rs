//! Sealing and opening, for any text, place and person.

use entity::{Pii, Salt, Secrets};
use futures_util::FutureExt;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Beginning, Field, Local, Root, Vault, Wrapper};
use crate::{config::SecretBytes, runtime::Clock};

const ONE: Field<Pii> = Field::new("tests.one");
const OTHER: Field<Pii> = Field::new("tests.other");
const SECRET: Field<Secrets> = Field::new("tests.one");

/// A vault with new keys.
fn vault() -> Vault {
    let root = Root::new(Wrapper::Local(Local::new(SecretBytes::random().unwrap())), None);
    let made = async {
        let vault = Vault::unlock(root, &[], &[]).await?;
        vault.complete(Beginning { now: Clock::default().now(), legacy: false }).await.map(|_| vault)
    };
    made.now_or_never().unwrap().unwrap()
}

fn salt(bytes: [u8; 32]) -> Salt {
    Salt::from_vault(bytes.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Proves DAT-1: what is sealed is opened in its place, and in no other.
    #[test]
    fn a_value_opens_in_its_own_place_only(clear: Vec<u8>, row: u128, other: u128) {
        prop_assume!(row != other);
        let (vault, row, other) = (vault(), Uuid::from_u128(row), Uuid::from_u128(other));
        let sealed = vault.seal(ONE, row, &clear).unwrap();
        prop_assert_eq!(&**vault.open(ONE, row, &sealed).unwrap(), &clear[..]);
        prop_assert!(vault.open(ONE, other, &sealed).is_err());
        prop_assert!(vault.open(OTHER, row, &sealed).is_err());
        let moved = entity::Sealed::from_vault(sealed.as_bytes().to_vec());
        prop_assert!(vault.open(SECRET, row, &moved).is_err());
        // Twice the same is not the same twice.
        prop_assert!(vault.seal(ONE, row, &clear).unwrap() != sealed);
        if clear.len() > 3 {
            prop_assert!(!sealed.as_bytes().windows(clear.len()).any(|window| window == clear));
        }
    }

    /// Proves DAT-1: a value that was cut, or in which any bit was changed, is refused.
    #[test]
    fn a_changed_value_is_refused(clear: Vec<u8>, row: u128, at: prop::sample::Index, bit in 0u8..8, cut: prop::sample::Index) {
        let (vault, row) = (vault(), Uuid::from_u128(row));
        let sealed = vault.seal(ONE, row, &clear).unwrap();
        let mut changed = sealed.as_bytes().to_vec();
        let place = at.index(changed.len());
        changed[place] ^= 1 << bit;
        prop_assert!(vault.open(ONE, row, &entity::Sealed::from_vault(changed)).is_err());
        let cut = sealed.as_bytes()[..cut.index(sealed.as_bytes().len())].to_vec();
        prop_assert!(vault.open(ONE, row, &entity::Sealed::from_vault(cut)).is_err());
    }

    /// Proves DAT-10: what is sealed for a person opens with their salt only.
    #[test]
    fn a_persons_value_opens_with_their_salt_only(clear: String, row: u128, own: [u8; 32], others: [u8; 32]) {
        prop_assume!(own != others);
        let (vault, row) = (vault(), Uuid::from_u128(row));
        let sealed = vault.seal_for(&salt(own), ONE, row, clear.as_bytes()).unwrap();
        prop_assert_eq!(vault.open_for(&salt(own), ONE, row, &sealed).unwrap(), clear);
        prop_assert!(vault.open_for(&salt(others), ONE, row, &sealed).is_err());
        prop_assert!(vault.open(ONE, row, &sealed).is_err());
    }

    /// Proves DAT-3: equal texts of a field have equal match values, others have not, whatever the field.
    #[test]
    fn match_values_are_equal_for_equal_texts_of_a_field_only(one: String, other: String) {
        let vault = vault();
        let value = |field, text: &str| vault.matches(field, text).unwrap()[0].1.as_bytes().to_vec();
        prop_assert_eq!(value(ONE, &one), value(ONE, &one));
        prop_assert_eq!(value(ONE, &one) == value(ONE, &other), one == other);
        prop_assert!(value(ONE, &one) != value(OTHER, &one));
    }

    /// Proves DAT-1: no bytes that somebody puts into a column make the opening fail otherwise than by refusing.
    #[test]
    fn any_bytes_are_refused(value: Vec<u8>, row: u128) {
        let vault = vault();
        prop_assert!(vault.open(ONE, Uuid::from_u128(row), &entity::Sealed::from_vault(value.clone())).is_err());
        prop_assert!(vault.open_for(&salt([7; 32]), ONE, Uuid::from_u128(row), &entity::Sealed::from_vault(value)).is_err());
    }
}
