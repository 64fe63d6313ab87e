//! Where a call comes from: what the edge knows of a request before anybody is recognised.

use std::{net::IpAddr, sync::Arc};

use crate::runtime::Timestamp;

/// The origin of one request, or of one run of a background worker.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request's id: in the answer, the log line, the problem document and the audit entry (NET-8).
    pub request_id: Arc<str>,
    /// The client's address, as the trusted proxies tell it. `None` for work without a request.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`, cut to 256 characters.
    pub user_agent: Option<Arc<str>>,
    /// The request's one moment: asked from the clock once, passed down as a value.
    pub now: Timestamp,
}
