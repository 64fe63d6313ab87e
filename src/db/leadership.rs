//! Leadership: at most one instance leads, and whoever led before can't write any more (OPS-1).
//!
//! The lock is an advisory one on a connection of its own. PostgreSQL ends that connection by itself when it hears
//! nothing for [`SILENCE`], so that a leader whose network hangs loses the lock as surely as one that was killed.
//! Each leadership has a number, the term. A transaction that acts under a term finds it in the one row of
//! `leadership` before it commits and keeps the row locked until then, so a leader that does not know that it was
//! replaced commits nothing: fencing, as in Kleppmann's "Designing Data-Intensive Applications", chapter 8.

use std::time::Duration;

use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use super::tx::WriteTx;
use crate::error::{Error, Result};

/// The number of a leadership. It only grows.
pub type Term = i64;

/// After how long without a word PostgreSQL ends the connection that holds the lock, and a transaction of a leader
/// that idles. A new leader is there within 5 s of the old one's last word: this, one more try, and the new term.
const SILENCE: Duration = Duration::from_secs(3);
/// How long an answer on that connection may take. Whoever waits longer does not lead any more as far as they know.
const HANGS: Duration = Duration::from_millis(1500);
/// How long the first answer may take.
const CONNECTS: Duration = Duration::from_secs(5);

/// The lock's name: an arbitrary constant, "freelead" in ASCII.
const LOCK: i64 = 0x6672_6565_6c65_6164;

/// An instance that would lead: its connection, and with it the lock, if it has it.
pub struct Candidate {
    connection: PgConnection,
}

impl Candidate {
    /// Opens the connection, as the platform's role and past any pooler.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn connect(options: &PgConnectOptions) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECTS)
            .connect_lazy_with(super::tuned(options.clone(), false));
        let mut connection = pool.acquire().await?.detach();
        // What the system's own keep-alives find takes two hours; these settings bound it from PostgreSQL's side.
        let bounds = "SELECT set_config('idle_session_timeout', $1, false), set_config('lock_timeout', $1, false),
             set_config('statement_timeout', '4s', false), set_config('tcp_user_timeout', $1, false),
             set_config('tcp_keepalives_idle', '1', false), set_config('tcp_keepalives_interval', '1', false),
             set_config('tcp_keepalives_count', '2', false)";
        let silence = format!("{}ms", SILENCE.as_millis());
        bounded(sqlx::query(bounds).bind(silence).execute(&mut connection)).await?;
        Ok(Self { connection })
    }

    /// Tries to take the lead. `None` while somebody else has it.
    ///
    /// # Errors
    /// When the database is away; the connection is of no use then.
    pub async fn stand(&mut self, instance: Uuid) -> Result<Option<Term>> {
        let taken = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut self.connection);
        if !bounded(taken).await? {
            return Ok(None);
        }
        // It waits for the last commits of the former leader; `lock_timeout` bounds that.
        let next =
            "UPDATE leadership SET term = term + 1, instance_id = $1, taken_at = clock_timestamp() RETURNING term";
        Ok(Some(sqlx::query_scalar(next).bind(instance).fetch_one(&mut self.connection).await?))
    }

    /// Says that this instance is still there, and learns whether the connection is. To be called every second.
    ///
    /// # Errors
    /// When it is not: the lead is lost.
    pub async fn hold(&mut self) -> Result<()> {
        bounded(sqlx::query("SELECT 1").execute(&mut self.connection)).await?;
        Ok(())
    }

    /// Gives the lead up.
    pub async fn step_down(self) {
        // The connection's end gives the lock back, also when the goodbye does not arrive.
        drop(tokio::time::timeout(HANGS, self.connection.close()).await);
    }
}

async fn bounded<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    Ok(tokio::time::timeout(HANGS, answer).await.map_err(|_| lost("the leader's connection hangs"))??)
}

/// Makes sure that this transaction's term is the present one, and stays so until the transaction has ended.
pub(super) async fn fence(tx: &WriteTx, term: Term) -> Result<()> {
    let fence = "SELECT term FROM leadership WHERE term = $1 FOR SHARE";
    if tx.execute(fence, [term.into()]).await? == 1 { Ok(()) } else { Err(lost("another instance leads")) }
}

/// How long a transaction of the leader may idle: a lock that it holds must not outlive its leadership.
pub(super) fn longest_idle() -> String {
    format!("{}ms", SILENCE.as_millis())
}

fn lost(reason: &str) -> Error {
    Error::Upstream { reason: reason.to_owned(), retry_after: SILENCE }
}
