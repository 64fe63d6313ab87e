//! Backup codes: ten that are shown once, each good for one proof.
//!
//! A code has 60 random bits. Nothing of it is stored but an HMAC under a key that is derived from outside the database,
//! so that nobody who has a copy can try codes against it.

use entity::AccountId;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::FromQueryResult;
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    config::SecretString,
    db::WriteTx,
    error::{Error, Result},
    runtime::{Entropy, Timestamp},
    vault::Vault,
};

/// How many there are.
const COUNT: usize = 10;
/// The characters of a code, without its hyphens, and of one of its groups.
const LENGTH: usize = 12;
const GROUP: usize = 4;
/// Crockford's base 32: without I, L, O and U, which look like others or make words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const FORGET: &str = "DELETE FROM backup_codes WHERE account_id = $1";
const KEEP: &str = "
    INSERT INTO backup_codes (account_id, code_hash, created_at) SELECT $1, hash, $3 FROM unnest($2::bytea[]) AS hash";

pub(super) async fn renew(tx: &WriteTx, vault: &Vault, account: AccountId) -> Result<Vec<SecretString>> {
    let codes = (0..COUNT).map(|_| code()).collect::<Result<Vec<_>>>()?;
    let hashes = codes.iter().map(|code| hash(vault, account, code.expose())).collect::<Result<Vec<_>>>()?;
    tx.execute(FORGET, [Uuid::from(account).into()]).await?;
    tx.execute(KEEP, [Uuid::from(account).into(), hashes.into(), tx.caller().now().into()]).await?;
    Ok(codes)
}

#[derive(FromQueryResult)]
struct Used {
    #[expect(dead_code, reason = "that there is one is the answer")]
    created_at: Timestamp,
}

const USE: &str = "DELETE FROM backup_codes WHERE account_id = $1 AND code_hash = $2 RETURNING created_at";

pub(super) async fn prove(tx: &WriteTx, vault: &Vault, account: AccountId, code: &SecretString) -> Result<bool> {
    let hash = hash(vault, account, code.expose())?;
    // Of two who use one at the same moment, the second finds it gone.
    let used: Vec<Used> = tx.query(USE, [Uuid::from(account).into(), hash.into()]).await?;
    Ok(!used.is_empty())
}

/// A new code, `XXXX-XXXX-XXXX`.
fn code() -> Result<SecretString> {
    let random = zeroize::Zeroizing::new(Entropy.bytes::<LENGTH>()?);
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32: no character is likelier than another.
        text.push(char::from(*ALPHABET.get(usize::from(byte % 32)).unwrap_or(&b'0')));
    }
    Ok(SecretString::new(text))
}

/// What is stored of a code, however it is typed: what looks like another character is taken for it.
fn hash(vault: &Vault, account: AccountId, code: &str) -> Result<Vec<u8>> {
    let key = vault.derive::<32>("backup codes")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).map_err(Error::internal)?;
    mac.update(Uuid::from(account).as_bytes());
    for c in code.chars().filter(|c| c.is_ascii_alphanumeric()) {
        let read = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        mac.update(&[u8::try_from(read).unwrap_or_default()]);
    }
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves MFA-3.
    #[test]
    fn a_code_has_three_groups_of_characters_that_look_like_no_others() {
        for _ in 0..200 {
            let code = code().unwrap();
            let groups: Vec<_> = code.expose().split('-').collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4, 4, 4], "{}", code.expose());
            assert!(groups.concat().bytes().all(|byte| ALPHABET.contains(&byte)), "{}", code.expose());
        }
    }
}
