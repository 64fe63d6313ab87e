//! Changing one's own password.

use chrono::TimeDelta;
use futures_util::future::join;
use serde_json::json;

use super::{OTHER, change, codes, entries, session, sign_in};
use crate::{
    harness::{Login, PASSWORD},
    world::World,
};

/// Proves AUT-5, SES-4.
#[tokio::test]
async fn a_change_needs_the_present_password_and_ends_every_other_session() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let other = sign_in(nobody, &member.email, PASSWORD).await.expect(201);
    let there = nobody.bearing(other.text_at("/access_token"));
    there.get("/v1/me").await.expect(200);
    let before = member.get("/v1/me/password").await.expect(200);

    change(member, OTHER, OTHER).await.expect(403).problem("wrong_password");
    assert_eq!(codes(&change(member, PASSWORD, "short").await.expect(422))[0], "too_short");
    there.get("/v1/me").await.expect(200);
    change(member, PASSWORD, OTHER).await.expect(204);

    // This session stays, the others end with their tokens, and other people's go on.
    member.get("/v1/me").await.expect(200);
    there.get("/v1/me").await.expect(401).problem("session_ended");
    let refresh = json!({"refresh_token": other.text_at("/refresh_token")});
    nobody.post("/v1/sessions/refresh", refresh).await.expect(401);
    world.a.admin.get("/v1/me").await.expect(200);
    sign_in(nobody, &member.email, PASSWORD).await.expect(401).problem("invalid_credentials");
    sign_in(nobody, &member.email, OTHER).await.expect(201);
    let after = member.get("/v1/me/password").await.expect(200);
    assert!(after.text_at("/changed_at") > before.text_at("/changed_at"), "{before} {after}");

    let letter = world.database.mail().take(&member.email).await;
    assert_eq!(letter.subject, "Your password was changed");
    assert!(letter.text.contains("http://freehold.localhost/forgot-password"), "{}", letter.text);
    let recorded = entries(&world, "password.changed", member.account).await;
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0]["actor_id"], member.account.to_string());
    assert_eq!(recorded[0]["metadata"], json!({"sessions": 1}));
    world.close().await;
}

/// Proves AUT-7.
#[tokio::test]
async fn guesses_of_the_present_password_are_three_in_five_minutes_with_those_of_a_proof() {
    let world = World::open().await;
    let member = &world.a.member;
    change(member, "wrong", OTHER).await.expect(403).problem("wrong_password");
    member.post("/v1/session/reauthenticate", json!({"password": "wrong"})).await.expect(403);
    change(member, "wrong", OTHER).await.expect(403).problem("wrong_password");
    change(member, PASSWORD, OTHER).await.expect(429).problem("too_many_requests");
    member.post("/v1/session/reauthenticate", json!({"password": PASSWORD})).await.expect(429);
    // A password that is refused anyway costs no guess.
    assert!(!codes(&change(member, "wrong", "short").await.expect(422)).is_empty());
    world.server.advance(TimeDelta::minutes(5));
    change(member, PASSWORD, OTHER).await.expect(204);
    world.close().await;
}

/// Whoever has stolen a session must not learn by what is refused which passwords its owner has, or had.
///
/// Proves AUT-7.
#[tokio::test]
async fn a_thief_of_a_session_is_not_told_which_passwords_there_were() {
    let world = World::open().await;
    let member = &world.a.member;
    change(member, PASSWORD, OTHER).await.expect(204);
    for guess in [PASSWORD, OTHER] {
        let answer = change(member, "wrong", guess).await;
        answer.expect(403).problem("wrong_password");
        let verdict = member.post("/v1/me/password/check", json!({"password": guess})).await.expect(200);
        assert_eq!(verdict.json["acceptable"], true, "{verdict}");
    }
    world.close().await;
}

/// Proves AUT-2.
#[tokio::test]
async fn none_of_the_last_ten_passwords_can_be_chosen_again() {
    let world = World::open().await;
    let member = &world.a.member;
    let numbered = |number: usize| if number == 0 { PASSWORD.to_owned() } else { format!("{OTHER}-{number}") };
    for number in 1..=9 {
        change(member, &numbered(number - 1), &numbered(number)).await.expect(204);
    }
    let reused = async |present: usize, number: usize| {
        let answer = change(member, &numbered(present), &numbered(number)).await;
        assert_eq!(codes(&answer.expect(422)), ["reused"], "{number} after {present}");
    };
    reused(9, 9).await;
    reused(9, 0).await;
    change(member, &numbered(9), &numbered(10)).await.expect(204);
    reused(10, 1).await;
    change(member, &numbered(10), &numbered(0)).await.expect(204);
    let mut psql = world.database.psql(Login::Owner).await;
    let kept = format!("SELECT count(*) FROM password_history WHERE account_id = '{}'", member.account);
    assert_eq!(psql.number(&kept).await, 9, "no more than are needed");

    // The platform may ask for less, and forgets what it needs no more.
    world.platform.patch("/v1/settings", json!({"passwords": {"history": 2}})).await.expect(200);
    reused(0, 10).await;
    change(member, &numbered(0), &numbered(9)).await.expect(204);
    assert_eq!(psql.number(&kept).await, 1);
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn of_two_changes_at_the_same_time_one_counts() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let second = session(nobody, &member.email, PASSWORD).await;
    let (one, two) = (format!("{OTHER}-1"), format!("{OTHER}-2"));
    let answers = join(change(member, PASSWORD, &one), change(&second, PASSWORD, &two)).await;
    let done = [answers.0.status, answers.1.status].iter().filter(|status| **status == 204).count();
    let mut right = 0;
    for password in [&one, &two] {
        right += usize::from(sign_in(nobody, &member.email, password).await.status == 201);
    }
    assert_eq!((done, right), (1, 1), "{} {}", answers.0, answers.1);
    world.close().await;
}
