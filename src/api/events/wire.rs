//! The messages of the stream.

use poem_openapi::{Object, Union, types::ToJSON};
use uuid::Uuid;

use crate::api::audit::AuditEntry;

/// A message of the live stream.
#[derive(Debug, Union)]
#[oai(discriminator_name = "type", one_of)]
pub(super) enum EventMessage {
    /// The stream has begun.
    #[oai(mapping = "hello")]
    Hello(EventsHello),
    /// Entries have come into the record.
    #[oai(mapping = "entries")]
    Entries(EventsEntries),
    /// More has come than is sent.
    #[oai(mapping = "gap")]
    Gap(EventsGap),
    /// Nothing has come for a while.
    #[oai(mapping = "still")]
    Still(EventsStill),
}

/// The first message.
#[derive(Debug, Object)]
pub(super) struct EventsHello {
    /// The organisation whose record it is.
    pub organization_id: Uuid,
}

/// New entries.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct EventsEntries {
    /// The entries, the oldest first.
    pub items: Vec<AuditEntry>,
    /// Where to go on; absent when more of the same follows.
    pub cursor: Option<String>,
}

/// What is in between has to be read with `audit_list`.
#[derive(Debug, Object)]
pub(super) struct EventsGap {
    /// Where to go on.
    pub cursor: String,
}

/// Nothing has happened; the stream is alive.
#[derive(Debug, Object)]
pub(super) struct EventsStill {
    /// Where to go on.
    pub cursor: String,
}

impl EventMessage {
    /// The message as it is sent.
    pub fn text(&self) -> String {
        self.to_json().unwrap_or_default().to_string()
    }
}
