//! `[events]`: the live stream, `/v1/events` (NET-12).

use std::time::Duration;

use super::{MINUTE, SECOND, reader::Reader};

/// The bounds of the live stream.
#[derive(Clone, Copy, Debug)]
pub struct Events {
    /// Open streams at once, on this instance. Default 1,000: each is one of `http.max_connections`.
    pub max_streams: usize,
    /// Of these, a person's or a service account's. Default 5: a few windows.
    pub max_streams_per_account: usize,
    /// How often a client is asked whether it is still there. Default 30 s, below the minute after which proxies close
    /// what is silent.
    pub ping_interval: Duration,
}

impl Events {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_streams: reader.take_within("events.max_streams", 1000, 1..=1_000_000),
            max_streams_per_account: reader.take_within("events.max_streams_per_account", 5, 1..=10_000),
            ping_interval: reader.take_within("events.ping_interval", 30 * SECOND, SECOND..=10 * MINUTE),
        }
    }
}
