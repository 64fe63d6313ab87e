//! A software authenticator of the tests: makes passkeys and signs with them as a browser on a person's machine would
//! (WebAuthn Level 3, 6.1 and 6.5), and as one that lies.

use aws_lc_rs::{
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Actor, PUBLIC_URL, logs};

/// Its person is there, and has been verified (WebAuthn, 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
/// The key may be kept in more places than one, and is.
const SYNCED: u8 = 0x18;
/// A new credential follows.
const ATTESTED: u8 = 0x40;

/// A passkey with what holds it.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Vec<u8>,
    rp_id: String,
    flags: u8,
    /// How often it says that it was used; nought if it does not count.
    pub counter: u32,
    /// The page that it thinks it is asked by.
    pub origin: String,
}

/// The head of a CBOR item (RFC 8949, 3).
fn head(major: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(length @ 0..=23) => vec![major << 5 | length],
        Ok(length) => vec![major << 5 | 24, length],
        Err(_) => [&[major << 5 | 25][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    }
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

fn encoded(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

impl Authenticator {
    /// Makes a passkey for what a server asks. Returns it, and what the browser sends.
    pub fn make(options: &Value) -> (Self, Value) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let mut id = vec![0; 32];
        SystemRandom::new().fill(&mut id).unwrap();
        let user = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap_or("")).unwrap();
        let rp_id = options["rp"]["id"].as_str().unwrap_or("freehold.localhost").to_owned();
        let made = Self { key, id, user, rp_id, flags: PRESENT | VERIFIED, counter: 1, origin: PUBLIC_URL.to_owned() };
        let sent = made.answer(options);
        (made, sent)
    }

    /// The same key in an authenticator that verifies nobody.
    pub fn unverified(mut self) -> Self {
        self.flags = PRESENT;
        self
    }

    /// The same key under an id of no length, which no browser gives.
    pub fn nameless(mut self) -> Self {
        self.id = Vec::new();
        self
    }

    /// The same key kept in more places than one, where nothing is counted.
    pub fn synced(mut self) -> Self {
        self.flags |= SYNCED;
        self.counter = 0;
        self
    }

    fn data(&self, flags: u8, counter: u32) -> Vec<u8> {
        [&Sha256::digest(&self.rp_id)[..], &[flags], &counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["challenge"].as_str().unwrap_or("");
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false}).to_string()
    }

    /// What the browser sends of a new passkey.
    pub fn answer(&self, options: &Value) -> Value {
        let point = self.key.public_key().as_ref();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}: ECDSA with SHA-256 on P-256 (RFC 9053, 2.1 and 7.1.1).
        let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..], &bytes(&point[1..33]), &[0x22], &bytes(&point[33..])];
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = self.data(self.flags | ATTESTED, 0);
        let data = [&data[..], &[0; 16], &length, &self.id, &key.concat()].concat();
        let object =
            [head(5, 3), text("fmt"), text("none"), text("attStmt"), head(5, 0), text("authData"), bytes(&data)];
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "attestationObject": encoded(object.concat()),
                "clientDataJSON": encoded(self.client_data("webauthn.create", options)),
                "transports": ["internal"],
            },
        })
    }

    /// Signs what a server asks.
    pub fn sign(&mut self, options: &Value) -> Value {
        let data = self.data(self.flags, self.counter);
        self.counter += u32::from(self.counter > 0);
        let client = self.client_data("webauthn.get", options);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "authenticatorData": encoded(data), "clientDataJSON": encoded(client),
                "signature": encoded(signature), "userHandle": encoded(&self.user),
            },
        })
    }
}

/// Adds a passkey as a person does. Returns what holds it, its id, and the backup codes that came with it.
pub async fn add_passkey(person: &Actor, name: &str) -> (Authenticator, uuid::Uuid, Vec<String>) {
    let begun = person.post_nothing("/v1/me/passkeys/options").await.expect(200);
    let (authenticator, credential) = Authenticator::make(&begun.json["options"]);
    let new = json!({"name": name, "credential": credential});
    let added = person.post("/v1/me/passkeys", new).await.expect(201);
    let codes = added.json["backup_codes"].as_array().unwrap().iter();
    let codes: Vec<_> = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
    codes.iter().for_each(|code| logs::note(code));
    (authenticator, added.id_at("/passkey/id"), codes)
}
