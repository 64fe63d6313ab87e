//! What demands a recent authentication gets one, or changes nothing (AUT-7).

use chrono::TimeDelta;
use freehold::authz::{Reauthentication, Scope};
use serde_json::json;

use super::{Failures, cases::case, contract, stage::Stage};
use crate::harness::PASSWORD;

/// The window of these checks, and a moment after it.
const WINDOW: [(&str, &str); 1] = [("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")];
const LATER: TimeDelta = TimeDelta::minutes(6);

/// Proves AUT-7.
#[tokio::test]
async fn what_demands_a_recent_authentication_waits_for_one() {
    let mut failures = Failures::default();
    let mut demanding = 0;
    for operation in contract::operations() {
        if operation.policy.reauthentication != Reauthentication::Required {
            continue;
        }
        demanding += 1;
        let stage = Stage::configured(&WINDOW).await.prepared(case(&operation.id)).await;
        let (actor, call) = (stage.rightful(operation, &stage.a), stage.call(operation, &stage.a));
        stage.server.advance(LATER);
        let before = stage.everything().await;
        let refused = stage.send(operation, &actor, &call).await;
        let challenge = r#"Bearer error="insufficient_user_authentication", max_age=300"#;
        if (refused.status, refused.problem_code()) != (403, Ok("reauthentication_required"))
            || refused.header("www-authenticate") != challenge
        {
            failures.note(&operation.id, format!("expected 403 reauthentication_required, but {refused}"));
        }
        if stage.everything().await != before {
            failures.note(&operation.id, "changed something without a recent authentication");
        }
        // The member of A is the only one who needs a code, and only they are asked for one.
        let own = operation.policy.scope == Scope::Own;
        let proof = if own { stage.proof() } else { json!({"password": PASSWORD}) };
        actor.post("/v1/session/reauthenticate", proof).await.expect(200);
        let answer = stage.send(operation, &actor, &call).await;
        failures.check(&operation.id, operation.succeeded(&answer));
        stage.close().await;
    }
    assert!(demanding >= 2, "only {demanding} operations demand a recent authentication");
    failures.report();
}

/// Proves AUT-7.
#[tokio::test]
async fn nothing_else_asks_for_one_and_whoever_may_not_is_told_so_first() {
    let mut failures = Failures::default();
    let stage = Stage::configured(&WINDOW).await;
    stage.server.advance(LATER);
    for operation in contract::operations() {
        let call = stage.call(operation, &stage.a);
        let demands = operation.policy.reauthentication == Reauthentication::Required;
        let asked = stage.admits(operation, &stage.rightful(operation, &stage.a), &call).await;
        if demands != (asked.problem_code() == Ok("reauthentication_required")) {
            failures.note(&operation.id, format!("demands a recent authentication: {demands}, but {asked}"));
        }
        let anybody = matches!(operation.policy.scope, Scope::Public | Scope::Own);
        let below = stage.admits(operation, &stage.a.member, &call).await;
        if demands && !anybody && below.problem_code() != Ok("forbidden") {
            failures.note(&operation.id, format!("a plain member should be forbidden, but {below}"));
        }
    }
    stage.close().await;
    failures.report();
}
