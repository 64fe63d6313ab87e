//! Who is not signed in: no token, one that is none, one that was tampered with, one whose session has ended.

use freehold::authz::Scope;
use serde_json::json;

use super::{Failures, contract, stage::Stage};
use crate::harness::{Actor, PASSWORD};

/// Proves AZ-4, SES-4.
#[tokio::test]
async fn nobody_gets_past_the_guard_without_a_token_that_is_good_now() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let nobody = stage.server.nobody();
    let strangers = [
        ("nobody", nobody.clone(), "unauthenticated"),
        ("a token that is none", nobody.bearing("not-a-token"), "unauthenticated"),
        ("an empty token", nobody.bearing(""), "unauthenticated"),
        ("a tampered token", nobody.bearing(&tampered(stage.a.owner.token())), "unauthenticated"),
        ("a refresh token", nobody.bearing(&stage.a.owner.refresh_token), "unauthenticated"),
        ("an ended session", ended(&stage).await, "session_ended"),
    ];
    let before = stage.everything().await;
    for operation in contract::operations().iter().filter(|operation| operation.policy.scope != Scope::Public) {
        let call = stage.call(operation, &stage.a);
        for (who, actor, code) in &strangers {
            let answer = stage.send(operation, actor, &call).await;
            if answer.status != 401 || answer.problem_code() != Ok(code) {
                failures.note(&operation.id, format!("with {who} expected 401 {code}, but {answer}"));
            }
        }
    }
    assert_eq!(stage.everything().await, before, "somebody unknown changed something");
    stage.close().await;
    failures.report();
}

/// The same token with another bit of its signature.
fn tampered(token: &str) -> String {
    let (content, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{content}.{first}{}", &signature[1..])
}

async fn ended(stage: &Stage) -> Actor {
    let sign_in = json!({"email": stage.a.owner.email, "password": PASSWORD, "token_delivery": "body"});
    let answer = stage.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    let actor = stage.server.bearer(answer.text_at("/access_token"));
    actor.get("/v1/me").await.expect(200);
    actor.delete("/v1/session").await.expect(204);
    actor
}

/// Proves AZ-4.
#[test]
fn what_is_public_is_a_closed_list() {
    let public = contract::operations().iter().filter(|operation| operation.policy.scope == Scope::Public);
    let mut public: Vec<_> = public.map(|operation| operation.id.as_str()).collect();
    public.sort_unstable();
    let expected = [
        "health_get",
        "health_live",
        "health_ready",
        "invitations_accept",
        "invitations_lookup",
        "jwks_get",
        "password_resets_complete",
        "password_resets_create",
        "password_resets_lookup",
        "passwords_check",
        "recoveries_complete",
        "recoveries_stop",
        "sessions_create",
        "sessions_passkey",
        "sessions_passkey_begin",
        "sessions_recovery",
        "sessions_refresh",
        "sessions_second_factor",
        "sessions_second_factor_email_code",
        "sessions_second_factor_passkey",
        "sessions_second_factor_passkey_begin",
        "setup_create",
        "setup_get",
        "sign_up_options",
        "sign_ups_create",
        "sign_ups_lookup",
        "sign_ups_verify",
        "signature_keys_get",
    ];
    assert_eq!(public, expected, "who may call without a token is decided here, not by the way");
}

/// Proves AUT-4.
#[tokio::test]
async fn the_link_of_a_withdrawn_invitation_opens_nothing() {
    let stage = Stage::open().await;
    let (nobody, revoked) = (stage.server.nobody(), &stage.a.revoked);
    let lookup = json!({"token": revoked.token});
    nobody.post("/v1/invitations/lookup", lookup).await.expect(404).problem("invitation_not_valid");
    let accept = json!({"token": revoked.token, "name": "Grace", "password": PASSWORD, "token_delivery": "body"});
    nobody.post("/v1/invitations/accept", accept).await.expect(404).problem("invitation_not_valid");
    let again = format!("/v1/organizations/{}/invitations/{}/resend", stage.a.id, revoked.id);
    stage.a.admin.post_nothing(&again).await.expect(404).problem("not_found");
    let good = json!({"token": stage.a.pending.token});
    let preview = nobody.post("/v1/invitations/lookup", good).await.expect(200);
    assert_eq!(preview.text_at("/email"), stage.a.pending.email);
    stage.close().await;
}
