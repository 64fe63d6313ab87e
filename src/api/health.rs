//! Health: alive, ready, and a little more (OPS-8); and the public signing keys.

use std::time::Duration;

use poem_openapi::{ApiResponse, Enum, Object, OpenApi, payload::Json, types::Any};
use serde_json::Value;

use super::{Face, Tag};
use crate::{
    db::Condition,
    edge::{ApiProblem, ApiResult, Visitor},
    error::Error,
    sessions::CACHE_SECONDS,
};

/// When to ask again while this instance is not ready.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The operations.
pub struct Health(pub Face);

/// Whether it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Status {
    /// It works.
    Ok,
    /// It does not.
    Unavailable,
}

/// Alive, and nothing else.
#[derive(Debug, Object)]
struct Alive {
    /// Always `ok`: a dead process does not answer.
    status: Status,
}

/// The instance's health.
#[derive(Debug, Object)]
struct Report {
    /// Whether this instance can serve.
    status: Status,
    /// The release.
    version: String,
    /// For how many seconds this instance has been running.
    uptime_seconds: u64,
    /// Whether the database answers.
    database: Status,
    /// Whether the database's clock and this instance's are less than a second apart.
    database_clock: Status,
}

/// The public keys.
#[derive(ApiResponse)]
enum KeySet {
    /// A JWK set (RFC 7517).
    #[oai(status = 200)]
    Keys(Json<Any<Value>>, #[oai(header = "Cache-Control")] String),
}

#[OpenApi(tag = "Tag::Health")]
impl Health {
    /// Whether the process is alive.
    #[oai(path = "/health/live", method = "get", operation_id = "health_live")]
    async fn live(&self, _visitor: Visitor) -> ApiResult<Json<Alive>> {
        Ok(Json(Alive { status: Status::Ok }))
    }

    /// Whether this instance can serve requests; 503 while it can't, and `detail` says why.
    ///
    /// It can when the database answers and the two clocks are less than a second apart. An answer stands for a second.
    #[oai(path = "/health/ready", method = "get", operation_id = "health_ready")]
    async fn ready(&self, visitor: Visitor) -> ApiResult<Json<Alive>> {
        let why = match self.0.gate.app.probe.condition(&visitor.0).await {
            Condition::Good => return Ok(Json(Alive { status: Status::Ok })),
            Condition::Away => "the database does not answer",
            Condition::ClockOff => "the database's clock and this server's are more than a second apart",
        };
        Err(ApiProblem::with_detail(Error::Upstream { reason: why.to_owned(), retry_after: RETRY_AFTER }, why))
    }

    /// Status, version and uptime of this instance.
    #[oai(path = "/health", method = "get", operation_id = "health_get")]
    async fn get(&self, visitor: Visitor) -> ApiResult<Json<Report>> {
        let condition = self.0.gate.app.probe.condition(&visitor.0).await;
        let unless = |bad: bool| if bad { Status::Unavailable } else { Status::Ok };
        let up = visitor.0.now() - self.0.stats.since();
        Ok(Json(Report {
            status: unless(condition != Condition::Good),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: u64::try_from(up.num_seconds()).unwrap_or(0),
            database: unless(condition == Condition::Away),
            database_clock: unless(condition != Condition::Good),
        }))
    }

    /// The public keys that verify access tokens (RFC 7517).
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "jwks_get", tag = "Tag::Policy")]
    async fn jwks(&self, visitor: Visitor) -> ApiResult<KeySet> {
        let keys = self.0.gate.app.sessions.keys().published(&visitor.0.origin).await;
        let keys = serde_json::to_value(keys).map_err(Error::internal)?;
        Ok(KeySet::Keys(Json(Any(keys)), format!("public, max-age={CACHE_SECONDS}")))
    }

    /// The public keys that verify signatures of documents, those included that sign no more (RFC 7517). A token is
    /// verified by `/.well-known/jwks.json` alone.
    #[oai(
        path = "/.well-known/signature-keys.json",
        method = "get",
        operation_id = "signature_keys_get",
        tag = "Tag::Policy"
    )]
    async fn signature_keys(&self, visitor: Visitor) -> ApiResult<KeySet> {
        let keys = self.0.gate.app.sessions.keys().kept(&visitor.0.origin).await;
        let keys = serde_json::to_value(keys).map_err(Error::internal)?;
        Ok(KeySet::Keys(Json(Any(keys)), format!("public, max-age={CACHE_SECONDS}")))
    }
}
