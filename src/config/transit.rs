//! Vault Transit in the place of a root key: where it is, which key it wraps under, what lets us in. Owns syntax and
//! rules; never calls it.

use std::path::PathBuf;

use super::reader::Reader;
use super::secret::SecretString;
use super::{Profile, ServiceUrl};

const ROOT_KEY: &str = "secrets.root_key";
pub(super) const ADDRESS: &str = "secrets.transit.address";
const MOUNT: &str = "secrets.transit.mount";
const KEY: &str = "secrets.transit.key";
const NAMESPACE: &str = "secrets.transit.namespace";
const TOKEN: &str = "secrets.transit.token";
const CA_FILE: &str = "secrets.transit.ca_file";

/// The longest name of a mount, a namespace or a key, in characters.
const LONGEST_NAME: usize = 255;
/// The shortest token in production, in characters: those that Vault and OpenBao make have 26 or more, the `root` of
/// their development mode four.
const SHORTEST_TOKEN: usize = 16;

/// `[secrets.transit]`: a key of the Transit secrets engine (HashiCorp Vault, OpenBao) that wraps all others.
#[derive(Clone)]
pub struct Transit {
    /// Where the service is: scheme, host and port. In production https, but for an agent on this machine.
    pub address: ServiceUrl,
    /// Where the engine is mounted. Default `transit`, as Vault itself has it.
    pub mount: String,
    /// The name of the key.
    pub key: String,
    /// The namespace that the mount is in. Default none.
    pub namespace: Option<String>,
    /// What lets us in.
    pub token: Token,
    /// Certificates in PEM to trust besides the system's. Default none.
    pub ca_file: Option<PathBuf>,
}

/// A token of Vault's.
#[derive(Clone)]
pub enum Token {
    /// Given once.
    Fixed(SecretString),
    /// In a file that an agent renews; to be read at each use.
    File(PathBuf),
}

/// Whether a text can be a token: anything else can't travel in a header.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn take(reader: &mut Reader, profile: Profile) -> Option<Transit> {
    let address: Option<ServiceUrl> = reader.take_optional(ADDRESS);
    let mount = trimmed(reader.take(MOUNT, "transit".to_owned()));
    let key: Option<String> = reader.take_optional(KEY);
    let namespace = reader.take_optional(NAMESPACE).map(trimmed);
    let secret = reader.take_secret(TOKEN);
    let ca_file = reader.take_optional(CA_FILE);
    if !reader.was_given(ADDRESS) {
        for orphan in [MOUNT, KEY, NAMESPACE, TOKEN, CA_FILE] {
            if reader.was_given(orphan) {
                reader.refuse(orphan, format!("needs {ADDRESS} beside it"));
            }
        }
        return None;
    }
    if reader.was_given(ROOT_KEY) {
        reader.refuse(ADDRESS, format!("is given beside {ROOT_KEY}; keep the one that your data keys are wrapped by"));
    }
    for (name, text) in [(MOUNT, Some(&mount)), (KEY, key.as_ref()), (NAMESPACE, namespace.as_ref())] {
        // A key is one name, the others are paths of them.
        let good = |text: &String| is_path(text) && (name != KEY || !text.contains('/'));
        if text.is_some_and(|text| !good(text)) {
            reader.refuse(name, "is not a name of Vault's; write letters, digits, - _ and .");
        }
    }
    if key.is_none() {
        reader.refuse(KEY, "is missing; write the name of a key of the Transit engine, of type aes256-gcm96");
    }
    if ca_file.as_ref().is_some_and(|path: &PathBuf| !path.is_file()) {
        reader.refuse(CA_FILE, "is not a file; name one with certificates in PEM, or leave it out");
    }
    match &secret {
        None => reader.refuse(TOKEN, "is missing; write a token, or better the file that an agent renews (token_file)"),
        Some(secret) if !is_token(secret.expose()) => reader.refuse(TOKEN, "has a character that no token has"),
        Some(secret) if profile == Profile::Production && secret.expose().len() < SHORTEST_TOKEN => {
            reader.refuse(
                TOKEN,
                format!("has fewer than {SHORTEST_TOKEN} characters; such tokens are for trying Vault out"),
            );
        }
        Some(_) => {}
    }
    if let Some(address) = &address
        && profile == Profile::Production
        && !address.is_https()
        && !address.is_this_host()
    {
        reader.refuse(ADDRESS, "would send keys unencrypted to another host; write https://…");
    }
    let token = match reader.secret_file(TOKEN) {
        Some(path) => Token::File(path),
        None => Token::Fixed(secret?),
    };
    Some(Transit { address: address?, mount, key: key?, namespace, token, ca_file })
}

/// Without the slashes around it, with which Vault likes to show paths.
fn trimmed(path: String) -> String {
    path.trim_matches('/').to_owned()
}

/// Whether a text is names with slashes between them, and needs no escaping in an address or a header.
fn is_path(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(known);
    text.len() <= LONGEST_NAME && text.split('/').all(name)
}
