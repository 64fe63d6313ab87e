//! A written letter with its address: what is sealed into the outbox, and the Internet message made of it (RFC 5322).
//!
//! The same outbox row always makes the same message, byte for byte, with the same `Message-ID`: where a sending has
//! to be repeated because nobody knows whether the first arrived, mail systems can tell.

use entity::OutboxId;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{internal, letter::Letter, transport::Failure};
use crate::{
    error::Result,
    runtime::Timestamp,
    types::{Email, ascii_domain},
};

/// A letter ready to leave.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Post {
    to: String,
    subject: String,
    text: String,
    html: String,
}

impl Post {
    pub(super) fn new(to: &Email, letter: &Letter) -> Result<Self> {
        let written = letter.write()?;
        Ok(Self { to: to.to_string(), subject: written.subject, text: written.text, html: written.html })
    }

    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).map(Zeroizing::new).map_err(|error| internal("a letter can't be packed", error))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            // Only the kind: serde_json's own text can quote what it read.
            internal("a letter can't be unpacked", format!("{:?} at column {}", error.classify(), error.column()))
        })
    }

    /// The message of this row of the outbox.
    ///
    /// # Errors
    /// [`Failure::Permanent`] for an address that no mail system can take.
    pub(super) fn message(&self, from: &Mailbox, id: OutboxId, written_at: Timestamp) -> Result<Message, Failure> {
        let to = recipient(&self.to).ok_or_else(|| Failure::permanent("the address is not one that mail can go to"))?;
        let bodies = MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            .boundary(format!("freehold-{id}"))
            // The last is the one that a reader prefers (RFC 2046, 5.1.4).
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject.clone())
            .date(written_at.into())
            .message_id(Some(format!("<{id}@{}>", domain(from))))
            // RFC 3834: no holiday notices in answer.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(bodies)
            .map_err(|_| Failure::permanent("no message can be made of the letter"))
    }
}

fn recipient(address: &str) -> Option<Address> {
    let (local, domain) = address.rsplit_once('@')?;
    let ascii = ascii_domain(domain);
    Address::new(local, ascii.as_deref().unwrap_or(domain)).ok()
}

/// The domain that the sender's messages are numbered in.
pub(super) fn domain(from: &Mailbox) -> String {
    let domain = from.email.domain();
    ascii_domain(domain).unwrap_or_else(|| domain.to_owned())
}
