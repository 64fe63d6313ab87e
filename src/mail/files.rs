//! Mail as files: one `.eml` a message, for a server without SMTP. The development profile shows them.
//!
//! A file is named by its outbox row, so that writing it twice changes nothing, and appears whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use entity::OutboxId;
use uuid::Uuid;

use super::{eml::Eml, internal, transport::Failure};
use crate::error::{Error, Result};

const EXTENSION: &str = "eml";

/// A message on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// Its row in the outbox, which names the file.
    pub id: OutboxId,
    /// The subject.
    pub subject: String,
    /// The recipient.
    pub to: String,
    /// When it was written, as the message says (RFC 5322, 3.3).
    pub date: String,
}

/// The newest messages of a directory, newest first. A directory that is not there has none.
///
/// # Errors
/// When the directory can't be read.
pub async fn list(directory: PathBuf, most: usize) -> Result<Vec<Filed>> {
    blocking(move || {
        let mut ids = match fs::read_dir(&directory) {
            Ok(entries) => entries.filter_map(|entry| id_of(&entry.ok()?.path())).collect::<Vec<_>>(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        // UUIDv7 sorts by time.
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.truncate(most);
        // A file that was removed meanwhile is left out.
        Ok(ids.into_iter().filter_map(|id| Some(filed(id, &Eml::parse(&load(&directory, id).ok()?)))).collect())
    })
    .await
}

/// One message and its text version.
///
/// # Errors
/// `NotFound` when there is none; when it can't be read.
pub async fn read(directory: PathBuf, id: OutboxId) -> Result<(Filed, String)> {
    let text = blocking(move || match load(&directory, id) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    });
    let text = text.await?.ok_or_else(Error::not_found)?;
    let eml = Eml::parse(&text);
    Ok((filed(id, &eml), eml.text()))
}

/// Writes a message, durably.
pub(super) async fn write(directory: &Path, id: OutboxId, message: Vec<u8>) -> Result<(), Failure> {
    let directory = directory.to_owned();
    blocking(move || store(&directory, id, &message)).await.map_err(|error| Failure::Transient(error.to_string()))
}

fn store(directory: &Path, id: OutboxId, message: &[u8]) -> io::Result<()> {
    // Mail holds links that let people in: for the server's own user only.
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let unfinished = directory.join(format!(".{id}.part"));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(&unfinished, path(directory, id))?;
    File::open(directory)?.sync_all()
}

fn load(directory: &Path, id: OutboxId) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path(directory, id))?).into_owned())
}

fn path(directory: &Path, id: OutboxId) -> PathBuf {
    directory.join(format!("{id}.{EXTENSION}"))
}

fn id_of(path: &Path) -> Option<OutboxId> {
    let named = path.extension().is_some_and(|extension| extension == EXTENSION);
    named.then(|| Uuid::try_parse(path.file_stem()?.to_str()?).ok().map(OutboxId)).flatten()
}

fn filed(id: OutboxId, eml: &Eml) -> Filed {
    Filed { id, subject: eml.header("subject"), to: eml.header("to"), date: eml.header("date") }
}

/// Files block; this waits on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| internal("mail directory", error))?
        .map_err(|error| internal("mail directory", error.kind()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{
        config::SecretString,
        mail::{Letter, Transport, post::Post},
        runtime::{Clock, Ids},
    };

    fn letter(organization: &str) -> Post {
        let letter = Letter::Invitation {
            organization: organization.to_owned(),
            inviter: Some("Zoë".to_owned()),
            role_title: "Member".to_owned(),
            message: Some("Grüße, and a long line: ".repeat(12)),
            link: SecretString::new("https://id.example.com/invitation#token=abc_-123"),
            expires_at: Clock::default().now(),
        };
        Post::new(&"ada@example.com".parse().unwrap(), &letter).unwrap()
    }

    fn directory() -> PathBuf {
        std::env::temp_dir().join(format!("freehold-mail-{}", Ids.next::<Uuid>()))
    }

    #[tokio::test]
    async fn what_is_written_can_be_read() {
        let directory = directory();
        assert_eq!(list(directory.clone(), 10).await.unwrap(), Vec::new());
        let transport = Transport::files("Freehold <no-reply@example.com>", &directory).unwrap();
        let at = Clock::default().now();
        let ids: [OutboxId; 2] = [Ids.next(), Ids.next()];
        for (id, organization) in ids.into_iter().zip(["Acme", "Bäckerei Müller & Söhne, Käse und Brot aus Österreich"])
        {
            // Twice, as after a crash between sending and marking.
            transport.send(id, at, &letter(organization)).await.unwrap();
            let once = fs::read(path(&directory, id)).unwrap();
            transport.send(id, at, &letter(organization)).await.unwrap();
            assert_eq!(fs::read(path(&directory, id)).unwrap().len(), once.len());
        }
        let listed = list(directory.clone(), 10).await.unwrap();
        assert_eq!(listed.iter().map(|mail| mail.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert_eq!(listed[0].subject, "Zoë invites you to Bäckerei Müller & Söhne, Käse und Brot aus Österreich");
        assert_eq!(listed[0].to, "ada@example.com");
        assert_eq!(list(directory.clone(), 1).await.unwrap().len(), 1);

        let (filed, text) = read(directory.clone(), ids[1]).await.unwrap();
        assert_eq!(filed, listed[0]);
        assert!(text.contains("\nhttps://id.example.com/invitation#token=abc_-123\n"), "{text}");
        assert!(text.contains("Grüße, and a long line: Grüße"), "{text}");
        assert!(matches!(read(directory.clone(), Ids.next()).await, Err(Error::NotFound(_))));

        let raw = fs::read_to_string(path(&directory, ids[0])).unwrap();
        assert!(raw.contains(&format!("Message-ID: <{}@example.com>\r\n", ids[0])), "{raw}");
        assert!(raw.contains("Auto-Submitted: auto-generated\r\n"), "{raw}");
        assert!(raw.contains("From: Freehold <no-reply@example.com>\r\n"), "{raw}");
        assert_eq!(fs::metadata(path(&directory, ids[0])).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn a_subject_can_not_add_a_header() {
        let directory = directory();
        let transport = Transport::files("Freehold <no-reply@example.com>", &directory).unwrap();
        let id = Ids.next();
        transport.send(id, Clock::default().now(), &letter("Acme\r\nBcc: all@example.com\r\n\r\nHello")).await.unwrap();
        let raw = fs::read_to_string(path(&directory, id)).unwrap();
        assert!(!raw.contains("\nBcc:") && !raw.contains("\nHello\r\n\r\n--"), "{raw}");
        assert_eq!(Eml::parse(&raw).header("bcc"), "");
        fs::remove_dir_all(directory).unwrap();
    }
}
