//! Authenticator apps of the tests: codes computed by themselves, and people who have one already.

use entity::AccountId;
use freehold::{config::SecretString, db::Unrecorded, mfa, types::Caller};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use uuid::Uuid;

use super::{Server, logs};

/// The code of a step by RFC 6238 and RFC 4226, 5.3, from the key as a person types it.
pub fn totp(key: &str, step: i64) -> String {
    let bits = key.chars().flat_map(|c| {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap_or_else(|| panic!("{c} is not base32"));
        (0..5).rev().map(move |bit| u8::from(value >> bit & 1 == 1))
    });
    let bits: Vec<u8> = bits.collect();
    let bytes: Vec<u8> = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes([digest[at] & 127, digest[at + 1], digest[at + 2], digest[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// Gives somebody backup codes alone, behind the server's back.
pub async fn backup_codes(server: &Server, account: Uuid) -> Vec<String> {
    let app = server.app();
    let tx = app.db.write(&Caller::anonymous(server.system().origin)).await.unwrap();
    let codes = mfa::renew_backup_codes(&tx, &app.vault, AccountId(account)).await.unwrap();
    tx.commit(Unrecorded("a test sets its stage")).await.unwrap();
    let codes: Vec<String> = codes.iter().map(|code| code.expose().to_owned()).collect();
    codes.iter().for_each(|secret| logs::note(secret));
    codes
}

/// Gives somebody an authenticator app and backup codes, behind the server's back. Returns the key and the codes.
pub async fn enrol(server: &Server, account: Uuid) -> (String, Vec<String>) {
    let (app, account) = (server.app(), AccountId(account));
    let nobody = Caller::anonymous(server.system().origin);
    let tx = app.db.write(&nobody).await.unwrap();
    let enrolment = mfa::begin_totp(&tx, &app.vault, account, ("test", "somebody")).await.unwrap();
    let key = enrolment.secret.expose().to_owned();
    // By the step before: the story's codes are newer.
    let code = SecretString::new(totp(&key, app.clock.now().timestamp() / 30 - 1));
    assert!(mfa::confirm_totp(&tx, &app.vault, account, &code).await.unwrap());
    let codes = mfa::renew_backup_codes(&tx, &app.vault, account).await.unwrap();
    tx.commit(Unrecorded("a test sets its stage")).await.unwrap();
    let codes: Vec<String> = codes.iter().map(|code| code.expose().to_owned()).collect();
    codes.iter().chain([&key]).for_each(|secret| logs::note(secret));
    (key, codes)
}
