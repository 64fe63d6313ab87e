//! Whatever bytes lie in a protected column: they are taken apart and put together to the same, or refused; nothing
//! panics. It is the server's own parser, taken in by its path, so that the target builds in seconds.
#![no_main]

use std::marker::PhantomData;

use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

#[path = "../../../src/vault/format.rs"]
#[expect(dead_code, reason = "the target uses what the server's vault does not, and the other way round")]
mod format;

/// What the parser knows of a field.
pub struct Field<S>(&'static str, PhantomData<S>);

impl<S> Field<S> {
    const fn name(&self) -> &'static str {
        self.0
    }
}

fuzz_target!(|value: &[u8]| {
    let Ok(parts) = format::Parts::of(value) else { return };
    assert_eq!(parts.join(), value);
    assert!(parts.sealed.len() >= format::TAG);
    // Cut anywhere before its ciphertext ends with a whole tag, it is refused.
    let least = value.len() - parts.sealed.len() + format::TAG;
    assert!(format::Parts::of(&value[..least - 1]).is_err());
    assert!(format::Parts::of(&value[..least]).is_ok());
    // Two places are never bound to the same data.
    let at = value.len() / 2;
    let (scope, field) = (String::from_utf8_lossy(&value[..at]), String::from_utf8_lossy(&value[at..]));
    let row = Some(Uuid::from_bytes(*value.first_chunk().unwrap()));
    let bound = format::associated(parts.version, &scope, &field, row);
    assert_ne!(bound, format::associated(parts.version, &scope, &field, None));
    if !field.is_empty() {
        assert_ne!(bound, format::associated(parts.version, &format!("{scope}{field}"), "", row));
    }
});
