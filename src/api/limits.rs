//! How often one may call, and how that has been going.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object, OpenApi, payload::Json};

use super::{Face, Tag};
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
        let Face { gate, proxies, .. } = &self.0;
        Ok(Json(RateLimitList {
            since: gate.limits.since(),
            proxy_trusted: proxies.is_any_trusted(),
            unknown_proxy: proxies.seen().map(|seen| UnknownProxy { requests: seen.requests, last_at: seen.last_at }),
            items: gate.limits.metrics().map(RateLimit::from).collect(),
        }))
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
