//! Authority that ends, ends: for a request that is still arriving, for an invitation that is still open, and for two
//! administrators who act against each other.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::set_role;
use crate::{
    harness::Login,
    path::switch,
    world::{Person, World},
};

/// Proves SES-4.
#[tokio::test]
async fn a_request_that_dribbles_in_is_judged_when_it_has_arrived() {
    let world = World::open().await;
    let a = &world.a;
    let body = json!({"role": "admin"}).to_string();
    let mut slow = TcpStream::connect(world.server.address()).await.unwrap();
    let head = format!(
        "PATCH /v1/organizations/{}/members/{} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        a.id,
        a.member.membership,
        a.admin.token(),
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&body.as_bytes()[..1]).await.unwrap();
    // While the rest is on its way, the administrator stops being one.
    set_role(&a.owner, a, &a.admin, "member").await.expect(200);
    a.admin.get(&format!("/v1/organizations/{}/members", a.id)).await.expect(403);
    slow.write_all(&body.as_bytes()[1..]).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let member = a.owner.get(&format!("/v1/organizations/{}/members/{}", a.id, a.member.membership)).await.expect(200);
    assert_eq!(member.text_at("/role"), "member");
    world.close().await;
}

/// Proves AUD-2, AZ-8.
#[tokio::test]
async fn of_two_administrators_who_block_each_other_one_wins() {
    let world = World::open().await;
    let platform = world.platform.get("/v1/me").await.expect(200).id_at("/organization/id");
    let invite = json!({"email": world.a.guest.email, "role": "platform_admin"});
    world.platform.post(&format!("/v1/organizations/{platform}/invitations"), invite).await.expect(201);
    // The first letter that is not taken yet is the platform's.
    let token = world.database.mail().take_token(&world.a.guest.email).await;
    world.a.guest.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
    switch(&world.a.guest, platform).await;

    let block = async |by: &Person, whom: &Person| {
        by.post(&format!("/v1/accounts/{}/block", whom.account), json!({"reason": "Not trusted"})).await
    };
    let (first, second) = (&world.platform, &world.a.guest);
    let answers = tokio::join!(block(first, second), block(second, first));
    let won = [&answers.0, &answers.1].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{} {}", answers.0, answers.1);
    let lost = if answers.0.status == 200 { answers.1 } else { answers.0 };
    assert!(matches!(lost.problem_code(), Ok("forbidden" | "session_ended")), "{lost}");
    let mut psql = world.database.psql(Login::Owner).await;
    let state = |person: &Person| format!("SELECT state FROM accounts WHERE id = '{}'", person.account);
    let mut states = [psql.text(&state(first)).await, psql.text(&state(second)).await];
    states.sort_unstable();
    assert_eq!(states, ["active", "blocked"]);
    let recorded = format!(
        "SELECT count(*) FROM audit_entries WHERE event = 'account.blocked' AND target_id IN ('{}', '{}')
             AND organization_id = platform_organization()",
        first.account, second.account
    );
    assert_eq!(psql.number(&recorded).await, 1);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn an_invitation_does_not_outlive_its_inviters_authority() {
    let world = World::open().await;
    let a = &world.a;
    let body = json!({"email": "late@example.com", "role": "manager"});
    a.admin.post(&format!("/v1/organizations/{}/invitations", a.id), body).await.expect(201);
    let token = world.database.mail().take_token("late@example.com").await;
    let nobody = world.server.nobody();
    nobody.post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    set_role(&a.owner, a, &a.admin, "member").await.expect(200);
    let refused = nobody.post("/v1/invitations/lookup", json!({"token": token})).await;
    refused.expect(404).problem("invitation_not_valid");
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn an_administrator_does_not_revoke_an_owners_invitation() {
    let world = World::open().await;
    let a = &world.a;
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    let made = a.owner.post(&invitations, json!({"email": "heir@example.com", "role": "owner"})).await.expect(201);
    let one = format!("{invitations}/{}", made.text_at("/id"));
    a.admin.delete(&one).await.expect(403).problem("role_above_own");
    a.owner.delete(&one).await.expect(204);
    world.close().await;
}
