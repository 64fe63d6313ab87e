//! The ledger: who has been erased, in a file outside the database and its backups. It is only ever added to, one line an
//! erasure, each with a code that only the keys of this installation can make. It holds no personal data: an account's id
//! says nothing once the person is erased.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::AccountId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    runtime::Timestamp,
    vault::Vault,
};

/// What the lines' key is derived for. The derivation outlives every rotation, and every restore of a backup.
const PURPOSE: &str = "erasure ledger";

/// That somebody was erased, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The account.
    pub account: AccountId,
    /// When, to the microsecond.
    pub erased_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: AccountId,
    erased_at: String,
    mac: String,
}

/// The ledger of this instance. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
}

impl Ledger {
    /// The ledger in this file, which need not be there yet.
    ///
    /// # Errors
    /// Never in practice; see [`Vault::derive`].
    pub fn new(path: &Path, vault: &Vault) -> Result<Self> {
        Ok(Self(Arc::new(Inner { path: path.to_owned(), key: vault.derive(PURPOSE)? })))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whoever is in it, the first erased first.
    ///
    /// # Errors
    /// `Internal` with a text for the operator, for a line that is none, or that these keys have not made.
    pub fn read(&self) -> Result<Vec<Erasure>> {
        match File::open(&self.0.path) {
            Ok(mut file) => self.erasures(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Adds those that are not in it, and returns once they are on the disk. Others may add at the same time.
    ///
    /// # Errors
    /// As [`Ledger::read`], or when the file can't be written.
    pub async fn add(&self, erasures: Vec<Erasure>) -> Result<()> {
        let ledger = self.clone();
        tokio::task::spawn_blocking(move || ledger.append(&erasures)).await.map_err(Error::internal)?
    }

    fn append(&self, erasures: &[Erasure]) -> Result<()> {
        let path = &self.0.path;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| self.fault(error))?;
        let open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let mut file = open.map_err(|error| self.fault(error))?;
        // Given back when the file is closed.
        file.lock().map_err(|error| self.fault(error))?;
        let mut known: BTreeSet<_> = self.erasures(&mut file)?.iter().map(|known| known.account).collect();
        let mut text = String::new();
        for erasure in erasures.iter().filter(|new| known.insert(new.account)) {
            text.push_str(&serde_json::to_string(&self.line(erasure)?).map_err(Error::internal)?);
            text.push('\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        // A file is only there after a power cut when its folder says so.
        let kept = written.and_then(|()| File::open(folder)?.sync_all());
        kept.map_err(|error| self.fault(error))
    }

    fn erasures(&self, file: &mut File) -> Result<Vec<Erasure>> {
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| self.fault(error))?;
        let mut erasures = Vec::new();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let erasure = self.checked(line).map_err(|why| {
                Error::internal(format!(
                    "refusing to go on: line {} of the erasure ledger {} {why}. Whoever is in the ledger has to stay \
                     erased: restore the file from its own copy. Only a last line that a crash has cut short may be \
                     removed: its erasure was not carried out",
                    number + 1,
                    self.0.path.display()
                ))
            })?;
            erasures.push(erasure);
        }
        Ok(erasures)
    }

    fn checked(&self, line: &str) -> Result<Erasure, &'static str> {
        let text = line.strip_suffix('\n').ok_or("is cut short")?;
        let line: Line = serde_json::from_str(text).map_err(|_| "can't be read")?;
        let mac = URL_SAFE_NO_PAD.decode(&line.mac).map_err(|_| "can't be read")?;
        let made = self.mac(line.account, &line.erased_at).map_err(|_| "can't be checked")?;
        // In constant time.
        made.verify_slice(&mac).map_err(|_| "was changed, or not written by this installation")?;
        let erased_at = DateTime::parse_from_rfc3339(&line.erased_at).map_err(|_| "has a time that is none")?;
        Ok(Erasure { account: line.account, erased_at: erased_at.with_timezone(&Utc) })
    }

    fn line(&self, erasure: &Erasure) -> Result<Line> {
        let erased_at = erasure.erased_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mac = self.mac(erasure.account, &erased_at)?.finalize().into_bytes();
        Ok(Line { account: erasure.account, erased_at, mac: URL_SAFE_NO_PAD.encode(mac) })
    }

    fn mac(&self, account: AccountId, erased_at: &str) -> Result<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.key.as_ref()).map_err(Error::internal)?;
        mac.update(account.0.as_bytes());
        mac.update(erased_at.as_bytes());
        Ok(mac)
    }

    fn fault(&self, error: std::io::Error) -> Error {
        Error::internal(format!("the erasure ledger {}: {error}", self.0.path.display()))
    }
}
