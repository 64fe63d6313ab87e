//! The root key: how it is read, what makes one too weak, and how development gets one of its
//! own. Never uses the key.

use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::mistakes::Origin;
use super::reader::{MASK, Reader};
use super::secret::SecretBytes;
use super::{Config, Profile};

/// Length in bytes: a key for AES-256.
const LENGTH: usize = 32;
/// The name of the file in the data directory that holds development's key.
const FILE: &str = "root.key";
pub(super) const KEY: &str = "secrets.root_key";
pub(super) const PREVIOUS: &str = "secrets.previous_root_key";
const RIGHT: &str = "write 32 random bytes in base64; `freehold secrets generate` prints one";

/// Standard base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn take(reader: &mut Reader, name: &'static str) -> Option<SecretBytes> {
    let secret = reader.take_secret(name)?;
    match decode(secret.expose()) {
        Ok(key) => Some(key),
        Err(problem) => {
            reader.refuse(name, format!("{problem}; {RIGHT}"));
            None
        }
    }
}

fn decode(text: &str) -> Result<SecretBytes, String> {
    let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| "is not base64".to_owned())?);
    match bytes.len() {
        LENGTH => Ok(SecretBytes::new(bytes.as_slice())),
        length => Err(format!("is {length} bytes long")),
    }
}

/// What production needs of the key.
pub(super) fn check(key: Option<&SecretBytes>, reader: &mut Reader) {
    match key {
        None => reader.refuse(KEY, format!("is missing; {RIGHT}. Or set up Vault Transit under secrets.transit")),
        Some(key) if is_guessable(key.expose()) => {
            reader.refuse(KEY, format!("is an example or a pattern, not random; {RIGHT}"))
        }
        Some(_) => {}
    }
}

/// Whether the bytes are a pattern: readable text, evenly spaced, or with few different values.
/// Random bytes are none of these: 32 of them have fewer than 16 values once in about 10^14 keys.
fn is_guessable(bytes: &[u8]) -> bool {
    let mut values = bytes.to_vec();
    values.sort_unstable();
    values.dedup();
    let readable = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let steps = bytes.windows(2).map(|pair| pair.iter().rev().fold(0_u8, |sum, byte| byte.wrapping_sub(sum)));
    let first = steps.clone().next();
    readable || values.len() < 16 || steps.map(Some).all(|step| step == first)
}

/// Gives development a root key: the one in `<data_dir>/root.key`, made on the first start with
/// access for its owner only. Does nothing in production or when a key or Vault Transit is configured.
///
/// # Errors
/// The data directory or the file can't be written or read, or holds something else than a key.
pub fn ensure_development_secrets(config: &mut Config) -> io::Result<()> {
    let has_root = config.secrets.root_key.is_some() || config.secrets.transit.is_some();
    if config.profile != Profile::Development || has_root {
        return Ok(());
    }
    let path = config.data_dir.join(FILE);
    let describe = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    std::fs::create_dir_all(&config.data_dir).map_err(describe)?;
    if !path.try_exists().map_err(describe)? {
        // Written beside and renamed: a start that is killed half way leaves no half key.
        let fresh = path.with_extension(format!("key.{}", std::process::id()));
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(describe)?;
        file.write_all(generate()?.as_bytes()).and_then(|()| file.sync_all()).map_err(describe)?;
        // A link fails where a rename would replace the key of a server that started meanwhile.
        let linked = std::fs::hard_link(&fresh, &path);
        std::fs::remove_file(&fresh).map_err(describe)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(describe(error)),
            _ => {}
        }
    }
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text)).map_err(describe)?;
    let key = decode(&text).map_err(|problem| describe(io::Error::new(io::ErrorKind::InvalidData, problem)))?;
    config.secrets.root_key = Some(key);
    if let Some(entry) = config.effective.iter_mut().find(|entry| entry.key == KEY) {
        entry.value = Some(MASK.to_owned());
        entry.origin = Origin::Generated(path);
    }
    Ok(())
}

/// A new key in base64, on a line of its own.
pub(super) fn generate() -> io::Result<Zeroizing<String>> {
    let key = SecretBytes::random()?;
    Ok(Zeroizing::new(format!("{}\n", BASE64.encode(key.expose()))))
}
