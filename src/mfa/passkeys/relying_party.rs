//! What browsers and authenticators are told, and what their answers are held against (WebAuthn Level 3, 7.1 and 7.2).
//! `webauthn-rs` checks challenge, origin, flags, signature and counter; this adds which kinds of passkeys we ask for.

use std::sync::Arc;

use entity::AccountId;
use serde::Serialize;
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::LASTS;
use crate::error::{Code, Error, Result};

/// A passkey of nobody's: what comes from one that is not known is held against it, so that it takes as long.
const NOBODYS: &str = r#"{"cred":{"cred_id":"bm9ib2R5LXMtcGFzc2tleQ","cred":{"type_":"ES256","key":{"EC_EC2":{
    "curve":"SECP256R1","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}}},
    "counter":0,"transports":null,"user_verified":true,"backup_eligible":true,"backup_state":true,
    "registration_policy":"required","extensions":{},"attestation":{"data":"None","metadata":"None"},
    "attestation_format":"none"}}"#;

/// What an authenticator made: the answer to a registration.
pub struct Made(RegisterPublicKeyCredential);

/// What an authenticator signed: the answer to a question who somebody is.
pub struct Assertion(PublicKeyCredential);

/// What is sent to a browser, and what of it is kept for the answer.
pub struct Asked {
    /// The options, as browsers take them (WebAuthn, 5.1.8 and 5.1.9).
    pub options: Value,
    /// What the answer is held against. It never leaves the server.
    pub(super) state: String,
}

/// What came of holding an assertion against a credential.
pub(super) enum Verdict {
    /// It is the credential's own: what is kept of it from now on.
    Right(String),
    /// It is not.
    Wrong,
    /// It is, and its counter is not above the last: there are two of the authenticator.
    Cloned,
}

/// Ourselves, as passkeys know us: by the host and the origin that people reach us at.
#[derive(Clone)]
pub struct RelyingParty(Option<Arc<Party>>);

struct Party {
    webauthn: Webauthn,
    nobodys: Passkey,
}

impl RelyingParty {
    /// The party at this URL. There is none where browsers have no passkeys: by an address in the place of a name, and
    /// without https, but for a machine's own (WebAuthn, 5.1.3; Secure Contexts, 3.1).
    ///
    /// # Errors
    /// Never in practice: the parts that it is made of are ours.
    pub fn at(public_url: &str) -> Result<Self> {
        let url = Url::parse(public_url).map_err(Error::internal)?;
        let Some(Host::Domain(host)) = url.host() else { return Ok(Self(None)) };
        if url.scheme() != "https" && host != "localhost" && !host.ends_with(".localhost") {
            return Ok(Self(None));
        }
        let lasts = LASTS.to_std().unwrap_or_default();
        let builder = WebauthnBuilder::new(host, &url).map_err(Error::internal)?;
        let webauthn = builder.rp_name(host).timeout(lasts).build().map_err(Error::internal)?;
        let nobodys = serde_json::from_str(NOBODYS).map_err(Error::internal)?;
        Ok(Self(Some(Arc::new(Party { webauthn, nobodys }))))
    }

    fn party(&self) -> Result<&Party> {
        self.0.as_deref().ok_or(Error::Conflict(Code::PasskeysUnavailable))
    }

    /// Asks for a new passkey of this person, beside those that they have. It is to be one that signs in by itself, if
    /// the authenticator has room for it.
    ///
    /// # Errors
    /// `Conflict` with `passkeys_unavailable`.
    pub(super) fn register(&self, person: AccountId, email: &str, name: &str, known: Vec<Vec<u8>>) -> Result<Asked> {
        let begun = self.party()?.webauthn.start_passkey_registration(person.into(), email, name, Some(known));
        let (asked, state) = begun.map_err(Error::internal)?;
        let mut options = serde_json::to_value(asked.public_key).map_err(Error::internal)?;
        if let Some(selection) = options.get_mut("authenticatorSelection") {
            selection["residentKey"] = json!("preferred");
        }
        Ok(Asked { options, state: kept(&state)? })
    }

    /// The credential that an authenticator made, if it was made for what was asked.
    pub(super) fn registered(&self, made: &Made, state: &str) -> Result<Option<(Vec<u8>, String)>> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(Error::internal)?;
        match self.party()?.webauthn.finish_passkey_registration(&made.0, &state) {
            // By an empty id nothing is found.
            Ok(passkey) if passkey.cred_id().is_empty() => Ok(None),
            Ok(passkey) => Ok(Some((passkey.cred_id().to_vec(), kept(&passkey)?))),
            Err(error) => {
                tracing::info!(%error, "a new passkey was not accepted");
                Ok(None)
            }
        }
    }

    /// Asks for a signature of one of these passkeys; of any that the authenticator has of us, if there are none. Either
    /// way the authenticator verifies its person, by a finger or a PIN.
    ///
    /// # Errors
    /// `Conflict` with `passkeys_unavailable`.
    pub(super) fn ask(&self, known: &[Vec<u8>]) -> Result<Asked> {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let (asked, state) = self.party()?.webauthn.start_discoverable_authentication().map_err(Error::internal)?;
        let mut options = serde_json::to_value(asked.public_key).map_err(Error::internal)?;
        let known = known.iter().map(|id| json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(id)}));
        if let Some(options) = options.as_object_mut() {
            options.insert("allowCredentials".to_owned(), known.collect());
        }
        Ok(Asked { options, state: kept(&state)? })
    }

    /// Holds an assertion against a credential; against nobody's if there is none.
    pub(super) fn verify(&self, assertion: &Assertion, state: &str, credential: Option<&str>) -> Result<Verdict> {
        let party = self.party()?;
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(Error::internal)?;
        let Some(credential) = credential else {
            let nobodys = Credential { cred_id: assertion.0.raw_id.clone(), ..party.nobodys.clone().into() };
            let _ = party.webauthn.finish_discoverable_authentication_v2(&assertion.0, state, nobodys);
            return Ok(Verdict::Wrong);
        };
        let mut passkey: Passkey = serde_json::from_str(credential).map_err(Error::internal)?;
        match party.webauthn.finish_discoverable_authentication_v2(&assertion.0, state, &passkey) {
            Ok(result) => {
                passkey.update_credential(&result);
                kept(&passkey).map(Verdict::Right)
            }
            Err(WebauthnError::CredentialPossibleCompromise) => Ok(Verdict::Cloned),
            Err(error) => {
                tracing::info!(%error, "a passkey was not accepted");
                Ok(Verdict::Wrong)
            }
        }
    }
}

impl Made {
    /// What a browser gives, as `toJSON()` writes it (WebAuthn, 5.1.6).
    ///
    /// # Errors
    /// `Invalid` when it is none.
    pub fn parse(credential: Value) -> Result<Self> {
        serde_json::from_value(credential).map(Self).map_err(|_| not_a("new credential"))
    }
}

impl Assertion {
    /// The same of what an authenticator signed.
    ///
    /// # Errors
    /// `Invalid` when it is none.
    pub fn parse(credential: Value) -> Result<Self> {
        serde_json::from_value(credential).map(Self).map_err(|_| not_a("signed credential"))
    }

    /// The id of the credential that it says it is of.
    pub(super) fn credential_id(&self) -> &[u8] {
        self.0.get_credential_id()
    }

    /// Whose the authenticator says that it is, if it says so.
    pub(super) fn person(&self) -> Option<Option<AccountId>> {
        self.0.get_user_unique_id().map(|id| Uuid::from_slice(id).ok().map(AccountId))
    }
}

fn not_a(what: &str) -> Error {
    Error::field("/credential", "format", format!("is no {what} as browsers write it (WebAuthn Level 3, 5.1)"))
}

fn kept(state: &impl Serialize) -> Result<String> {
    serde_json::to_string(state).map_err(Error::internal)
}

/// Whether a credential is kept in more places than one, as a password manager does.
pub(super) fn is_synced(credential: &str) -> Result<bool> {
    let passkey: Passkey = serde_json::from_str(credential).map_err(Error::internal)?;
    Ok(Credential::from(passkey).backup_state)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves MFA-9.
    #[test]
    fn there_are_passkeys_where_browsers_have_them() {
        for url in
            ["https://id.example.com", "https://id.example.com:8443", "http://localhost:8080", "http://a.localhost"]
        {
            assert!(RelyingParty::at(url).unwrap().ask(&[]).is_ok(), "{url}");
        }
        for url in ["http://127.0.0.1:8080", "https://[::1]", "https://192.0.2.1", "http://id.example.com"] {
            let refused = RelyingParty::at(url).unwrap().ask(&[]).err().unwrap();
            assert_eq!(refused.code(), Code::PasskeysUnavailable, "{url}");
        }
    }
}
