//! How often one may call, and how that has been going.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object, OpenApi, payload::Json};

use super::{
    Face, Tag,
    events::{Hub, Open},
};
use crate::{authz, edge::ApiResult, edge::limits::Metrics, types::Caller};

/// The operations.
pub struct Limits(pub Face);

/// What a limit counts by: each client in this sense has a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum LimitKey {
    /// The network address that a call comes from; a /64 of IPv6 is one.
    Network,
    /// That, and the e-mail address that the call is about.
    NetworkAndEmail,
    /// The account that is signed in, from wherever and in however many sessions.
    Account,
    /// The session.
    Session,
    /// The service's key.
    ServiceKey,
}

/// How often one may call, and how that has been going.
#[derive(Debug, Object)]
struct RateLimit {
    /// Its name, as in the `RateLimit` headers.
    name: String,
    /// How many calls there can be in a window.
    quota: u32,
    /// How long a window is, in seconds. It begins with a client's first call.
    window_seconds: u64,
    /// What it counts by.
    key: LimitKey,
    /// Whether all instances count together; otherwise each instance counts for itself.
    shared: bool,
    /// How many calls this instance has let pass.
    admitted: u64,
    /// How many it has refused.
    refused: u64,
}

/// Requests that came through a proxy which nobody has told the server of.
#[derive(Debug, Object)]
struct UnknownProxy {
    /// How many since this instance started.
    requests: u64,
    /// When the last one came.
    last_at: DateTime<Utc>,
}

/// Live streams that have ended for one reason.
#[derive(Debug, Object)]
struct ClosedStreams {
    /// The reason, as in the last frame: `left`, `stopped`, `spoke`, `broken`, `failed`, `signed_out`, `not_allowed`,
    /// `unanswered` or `slow`.
    reason: String,
    /// How many since this instance started.
    count: u64,
}

/// The live streams of this instance (`events_open`).
#[derive(Debug, Object)]
struct EventStreams {
    /// How many are open.
    open: u64,
    /// The most there may be.
    most: u64,
    /// The most of one account.
    most_per_account: u64,
    /// How many have ended, by reason.
    closed: Vec<ClosedStreams>,
}

/// The limits, as this instance has counted.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct RateLimitList {
    /// Since when.
    since: DateTime<Utc>,
    /// Whether a proxy is trusted, so that its clients are told apart.
    proxy_trusted: bool,
    /// Requests with forwarded headers from a peer that is no trusted proxy. If it is a proxy, all its clients count as
    /// one.
    unknown_proxy: Option<UnknownProxy>,
    /// The live streams.
    event_streams: EventStreams,
    /// The limits.
    items: Vec<RateLimit>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Operations")]
impl Limits {
    /// How often one may call, and how often this instance has let pass and refused since it started.
    ///
    /// Quotas and windows are settings of the server (`limits.…`). Limits of guessing are not among them.
    #[oai(path = "/limits", method = "get", operation_id = "limits_list")]
    async fn list(&self, caller: Caller) -> ApiResult<Json<RateLimitList>> {
        let _ = caller;
        let Face { gate, proxies, events, .. } = &self.0;
        Ok(Json(RateLimitList {
            since: gate.limits.since(),
            proxy_trusted: proxies.is_any_trusted(),
            unknown_proxy: proxies.seen().map(|seen| UnknownProxy { requests: seen.requests, last_at: seen.last_at }),
            event_streams: EventStreams::of(events),
            items: gate.limits.metrics().map(RateLimit::from).collect(),
        }))
    }
}

impl EventStreams {
    fn of(events: &Hub) -> Self {
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let Open { now, most, most_per_account } = events.open();
        let closed = events.closed().map(|(reason, count)| ClosedStreams { reason: reason.name().to_owned(), count });
        Self {
            open: number(now),
            most: number(most),
            most_per_account: number(most_per_account),
            closed: closed.collect(),
        }
    }
}

impl From<Metrics> for RateLimit {
    fn from(metrics: Metrics) -> Self {
        let Metrics { limit, quota, admitted, refused } = metrics;
        let (key, shared) = match limit {
            authz::Limit::AnonymousRead | authz::Limit::AnonymousWrite => (LimitKey::Network, false),
            authz::Limit::SignUp => (LimitKey::Network, true),
            authz::Limit::PasswordReset => (LimitKey::NetworkAndEmail, true),
            authz::Limit::TokenRefresh => (LimitKey::Session, false),
            authz::Limit::Account => (LimitKey::Account, false),
            authz::Limit::ServiceKey => (LimitKey::ServiceKey, false),
        };
        Self {
            name: limit.name().to_owned(),
            quota: quota.most,
            window_seconds: quota.window.as_secs(),
            key,
            shared,
            admitted,
            refused,
        }
    }
}
