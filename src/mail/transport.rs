//! How mail leaves: by SMTP, or as files for development. A closed set, because tests talk to a real server.

use std::path::PathBuf;

use entity::OutboxId;
use lettre::message::Mailbox;

use super::{files, internal, post::Post, smtp::Smtp};
use crate::{config::SecretString, error::Result, runtime::Timestamp};

/// The sender and the way that mail takes.
pub struct Transport {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(Smtp),
    Files(PathBuf),
}

/// Why a message did not leave. The text is for the log and the outbox: it names neither people nor content.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may leave later.
    Transient(String),
    /// It never will.
    Permanent(String),
}

impl Failure {
    pub(super) fn transient(reason: impl Into<String>) -> Self {
        Self::Transient(reason.into())
    }

    pub(super) fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(reason.into())
    }

    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Transient(reason) | Self::Permanent(reason) => reason,
        }
    }
}

impl Transport {
    /// By SMTP. `from` is the sender (`Freehold <no-reply@example.com>`). `url` is
    /// `smtps://user:password@host:465`, or `smtp://user:password@host:587`, which must offer STARTTLS unless it is
    /// this machine.
    ///
    /// # Errors
    /// `Internal` when one of them can't be read; the text never repeats the URL.
    pub fn smtp(from: &str, url: &SecretString) -> Result<Self> {
        let from = sender(from)?;
        Ok(Self { way: Way::Smtp(Smtp::new(url, &super::post::domain(&from))?), from })
    }

    /// As one `.eml` file a message in this directory, which is made when it is missing.
    ///
    /// # Errors
    /// `Internal` when `from` is not a sender.
    pub fn files(from: &str, directory: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self { from: sender(from)?, way: Way::Files(directory.into()) })
    }

    /// Hands a letter over. When it returns `Ok`, the letter is the mail server's responsibility.
    pub(super) async fn send(&self, id: OutboxId, written_at: Timestamp, post: &Post) -> Result<(), Failure> {
        let message = post.message(&self.from, id, written_at)?;
        match &self.way {
            Way::Smtp(smtp) => smtp.send(&message).await,
            Way::Files(directory) => files::write(directory, id, message.formatted()).await,
        }
    }

    /// Closes what was kept open for the next message.
    pub(super) async fn rest(&self) {
        match &self.way {
            Way::Smtp(smtp) => smtp.hang_up().await,
            Way::Files(_) => {}
        }
    }
}

fn sender(from: &str) -> Result<Mailbox> {
    from.parse().map_err(|error| internal("mail.from is not a sender", error))
}
