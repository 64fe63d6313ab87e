//! The cases of second factors.

use serde_json::json;
use uuid::Uuid;

use super::{Before, Call, Case, plain};
use crate::harness::totp;

/// The trusted device of tenant A's member, where a case needs one.
pub const TRUSTED: Uuid = Uuid::from_u128(0x7a);

pub const CASES: &[Case] = &[
    Case::new("sessions_second_factor", |stage, _| {
        let proof = json!({"method": "backup_code", "code": stage.backup_code()});
        Call::default().body(json!({"challenge": stage.challenge, "second_factor": proof}))
    })
    .after(Before::Challenged),
    Case::new("sessions_second_factor_passkey_begin", |stage, _| {
        Call::default().body(json!({"challenge": stage.challenge}))
    })
    .after(Before::Passkey),
    Case::new("sessions_second_factor_passkey", |stage, _| {
        Call::default().body(json!({"challenge": stage.challenge, "credential": stage.passkey.answers()}))
    })
    .after(Before::Passkey),
    Case::new("sessions_passkey_begin", |_, _| Call::default().body(json!({"token_delivery": "body"}))),
    Case::new("sessions_passkey", |stage, _| {
        Call::default().body(json!({"ceremony": stage.passkey.ceremony, "credential": stage.passkey.signs_in()}))
    })
    .after(Before::Passkey),
    Case::new("session_reauthenticate_passkey_begin", plain).after(Before::Passkey),
    Case::new("session_reauthenticate_passkey", |stage, _| {
        Call::default().body(json!({"credential": stage.passkey.proves()}))
    })
    .after(Before::Passkey),
    Case::new("second_factors_get", plain),
    Case::new("totp_begin", plain),
    Case::new("totp_confirm", |stage, _| {
        let now = stage.server.app().clock.now().timestamp();
        Call::default()
            .body(json!({"code": stage.enrolling.as_deref().map_or_else(String::new, |key| totp(key, now / 30))}))
    })
    .after(Before::Enrolling),
    Case::new("totp_remove", plain).after(Before::SecondFactor),
    Case::new("passkeys_list", plain),
    Case::new("passkeys_begin", plain),
    Case::new("passkeys_register", |stage, _| {
        Call::default().body(json!({"name": "Key ring", "credential": stage.passkey.another()}))
    })
    .after(Before::Passkey),
    Case::new("passkeys_get", |stage, _| Call::default().id("passkey_id", stage.passkey.id)).after(Before::Passkey),
    Case::new("passkeys_rename", |stage, _| {
        Call::default().id("passkey_id", stage.passkey.id).body(json!({"name": "Key ring"}))
    })
    .after(Before::Passkey),
    Case::new("passkeys_remove", |stage, _| Call::default().id("passkey_id", stage.passkey.id)).after(Before::Passkey),
    Case::new("backup_codes_renew", plain).after(Before::SecondFactor),
    Case::new("sessions_second_factor_email_code", |stage, _| {
        Call::default().body(json!({"challenge": stage.challenge}))
    })
    .after(Before::EmailCodes),
    Case::new("session_email_code", plain).after(Before::EmailCodes),
    Case::new("email_codes_begin", plain),
    Case::new("email_codes_confirm", |stage, _| Call::default().body(json!({"code": stage.mailed_code})))
        .after(Before::EmailCodeSent),
    Case::new("email_codes_remove", plain).after(Before::EmailCodesBesideAnApp),
    Case::new("trusted_devices_list", plain),
    Case::new("trusted_devices_revoke", |_, _| Call::default().id("device_id", TRUSTED)).after(Before::TrustedDevice),
    Case::new("trusted_devices_revoke_all", plain).after(Before::TrustedDevice),
];
