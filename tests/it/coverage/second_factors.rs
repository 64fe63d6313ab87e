//! Whoever has no second factor after the time that they were given can set one up, and leave: nothing else (MFA-5).

use std::ops::Deref;

use freehold::authz::{Scope, SecondFactor};
use serde_json::json;

use super::{Failures, contract, stage::Stage};

/// The closed list of what stays open to people: what a second factor is set up and proven with, and leaving.
const OPEN: [&str; 15] = [
    "email_codes_begin",
    "email_codes_confirm",
    "me_get",
    "passkeys_begin",
    "passkeys_get",
    "passkeys_list",
    "passkeys_register",
    "second_factors_get",
    "session_email_code",
    "session_end",
    "session_reauthenticate",
    "session_reauthenticate_passkey",
    "session_reauthenticate_passkey_begin",
    "totp_begin",
    "totp_confirm",
];

/// A stage on which everybody's role demands a second factor, which nobody has.
async fn overdue() -> Stage {
    let stage = Stage::open().await;
    stage.platform.patch("/v1/settings", json!({"mfa": {"required_from": "member"}})).await.expect(200);
    let over = "INSERT INTO second_factor_deadlines (account_id, due_at, created_at)
                SELECT id, now() - interval '1 minute', now() FROM accounts
                ON CONFLICT (account_id) DO UPDATE SET due_at = excluded.due_at";
    stage.psql.lock().await.run(over).await.unwrap();
    // What the server has kept of people is true again.
    stage.server.app().sessions.forget_all();
    stage
}

/// Proves MFA-5.
#[tokio::test]
async fn after_the_deadline_everything_but_setting_one_up_is_closed() {
    let mut failures = Failures::default();
    let stage = overdue().await;
    let mut closed = 0;
    for operation in contract::operations() {
        let policy = &operation.policy;
        let people = !matches!(policy.scope, Scope::Public | Scope::Service);
        let open = !people || OPEN.contains(&operation.id.as_str());
        if open != (policy.mfa == SecondFactor::None) {
            failures.note(&operation.id, "is open without a second factor in the registry or in the test, not in both");
        }
        if !people {
            continue;
        }
        let call = stage.call(operation, &stage.a);
        // Whoever is in no organisation has no role that could demand anything: a guest stays out of this.
        let actor = match policy.scope {
            Scope::Own => stage.a.member.deref().clone(),
            _ => stage.rightful(operation, &stage.a),
        };
        let answer = stage.admits(operation, &actor, &call).await;
        let refused = (answer.status, answer.problem_code()) == (403, Ok("mfa_enrolment_required"));
        if refused == open {
            failures.note(&operation.id, format!("is open without a second factor: {open}, but {answer}"));
        }
        closed += usize::from(refused);
    }
    assert!(closed > 100, "only {closed} operations are closed");
    // Programs have no second factor, and nobody asks them for one.
    let path = format!("/v1/organizations/{}", stage.a.id);
    stage.a.program.get(&path).await.expect(200);
    stage.close().await;
    failures.report();
}
