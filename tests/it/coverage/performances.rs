//! Every case played once, as it should go: the request, its answer, and what it left in the database.

use freehold::{
    audit::{Home, Kind},
    authz::Scope,
};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::{runtime::Runtime, sync::OnceCell, task::spawn_blocking};
use uuid::Uuid;

use super::{
    cases::{Call, case},
    contract::{self, Operation},
    stage::Stage,
};
use crate::harness::{Answer, ENTRIES};

/// A case that was played.
pub struct Performance {
    /// The operation.
    pub operation: &'static Operation,
    /// The request.
    pub call: Call,
    /// The account that made it, of those who had a token.
    pub account: Option<Uuid>,
    /// The answer.
    pub answer: Answer,
    /// The audit entries with the request's id.
    pub entries: Vec<Value>,
    /// Whether anything in the database has changed.
    pub changed: bool,
}

/// How many worlds are open at once.
const AT_ONCE: usize = 4;

/// All of them. They are played once a run, each write in a world of its own, and on threads of their own: whoever needs
/// them waits, and the worlds' servers have all processors meanwhile.
pub async fn performances() -> &'static [Performance] {
    static PLAYED: OnceCell<Vec<Performance>> = OnceCell::const_new();
    PLAYED.get_or_init(async || spawn_blocking(play_all).await.unwrap()).await
}

fn play_all() -> Vec<Performance> {
    let plays = contract::operations().iter().map(async |operation| {
        let stage = Stage::for_case(case(&operation.id)).await;
        let performance = play(&stage, operation).await;
        stage.close().await;
        performance
    });
    Runtime::new().unwrap().block_on(stream::iter(plays).buffered(AT_ONCE).collect())
}

async fn play(stage: &Stage, operation: &'static Operation) -> Performance {
    let actor = stage.rightful(operation, &stage.a);
    let call = stage.call(operation, &stage.a);
    let account = match actor.is_nobody() {
        true => None,
        false => Some(actor.get("/v1/me").await.expect(200).id_at("/account/id")),
    };
    if matches!(operation.policy.scope, Scope::Own | Scope::Public) {
        // Whoever looks after themselves may be managed by an organisation that they do not work in meanwhile, and that has
        // a copy of what is recorded of it.
        let managed =
            format!("UPDATE accounts SET managed_by = '{}' WHERE id = '{}'", stage.b.id, stage.a.member.account);
        stage.psql.lock().await.run(&managed).await.unwrap();
    }
    let before = stage.everything().await;
    let answer = stage.send(operation, &actor, &call).await;
    let id = answer.header("x-request-id");
    let entries = format!("SELECT * FROM {ENTRIES} WHERE request_id = '{id}' ORDER BY id");
    let entries = stage.psql.lock().await.rows(&entries).await;
    let changed = stage.everything().await != before;
    Performance { operation, call, account, answer, entries, changed }
}

impl Performance {
    /// The account that the record should name: who called, or who a public call made somebody of.
    pub fn actor(&self) -> Option<Uuid> {
        let signed_in = || self.answer.json["account"]["id"].as_str()?.parse().ok();
        self.account.or_else(signed_in)
    }

    /// The organisation whose record the declared event belongs to.
    pub fn home(&self, kind: Kind) -> Option<Uuid> {
        if kind.home() == Home::Platform {
            return Some(entity::OrganizationId::PLATFORM.into());
        }
        let in_path = self.call.ids.iter().find(|(name, _)| *name == "organization_id").map(|(_, id)| *id);
        let answered = ["organization_id", "id"].iter().find_map(|name| self.answer.json[name].as_str());
        in_path.or_else(|| answered?.parse().ok())
    }
}
