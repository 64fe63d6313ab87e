//! A new password for somebody who has forgotten theirs.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;

use super::{OTHER, PROXIED, ask, ask_from, change, codes, complete, entries, look_up, session, sign_in};
use crate::{
    harness::{Login, PASSWORD, PUBLIC_URL, Server, token_of},
    world::World,
};

/// Proves AUT-5, SES-4.
#[tokio::test]
async fn a_link_gives_one_new_password_and_ends_every_session() {
    let world = World::open().await;
    let (nobody, member, mail) = (world.server.nobody(), &world.a.member, world.database.mail());
    // Whoever asks says which host they ask; the link doesn't follow.
    let draft = nobody.request(Method::POST, "/v1/password-resets").header("host", "evil.example");
    let draft = draft.header("x-forwarded-host", "evil.example").header("origin", "https://evil.example");
    draft.json(&json!({"email": member.email})).send().await.expect(403).problem("cross_site_request");
    let draft = nobody.request(Method::POST, "/v1/password-resets").header("host", "evil.example");
    let capitals = json!({"email": member.email.to_uppercase()});
    let asked = draft.header("x-forwarded-host", "evil.example").json(&capitals).send().await.expect(202);
    assert_eq!((asked.text.as_str(), asked.header("cache-control")), ("", "no-store"));

    let letter = mail.take(&member.email).await;
    assert_eq!(letter.subject, "Choose a new password");
    assert!(letter.text.contains(&format!("{PUBLIC_URL}/reset-password#token=fhp_")), "{}", letter.text);
    assert!(!letter.text.contains("evil"), "{}", letter.text);
    let token = letter.token();
    let preview = look_up(nobody, &token).await.expect(200);
    assert_eq!(
        (preview.text_at("/email"), &preview.json["password_rules"]["minimum_length"]),
        (member.email.as_str(), &json!(12))
    );

    // What is not good enough leaves the link as it is.
    assert!(codes(&complete(nobody, &token, "lovelace").await.expect(422)).contains(&"too_short"));
    assert_eq!(codes(&complete(nobody, &token, PASSWORD).await.expect(422)), ["reused"]);
    member.get("/v1/me").await.expect(200);
    let done = complete(nobody, &token, OTHER).await.expect(204);
    assert!(done.headers.get("set-cookie").is_none() && done.text.is_empty(), "it signs nobody in: {done}");

    member.get("/v1/me").await.expect(401).problem("session_ended");
    nobody.post("/v1/sessions/refresh", json!({"refresh_token": member.refresh_token})).await.expect(401);
    sign_in(nobody, &member.email, PASSWORD).await.expect(401);
    sign_in(nobody, &member.email, OTHER).await.expect(201);
    for used in [complete(nobody, &token, "Another-try-with-it-9").await, look_up(nobody, &token).await] {
        used.expect(404).problem("password_reset_not_valid");
    }
    let news = mail.take(&member.email).await;
    assert_eq!(news.subject, "Your password was changed");

    let requested = entries(&world, "password.reset_requested", member.account).await;
    assert_eq!(requested.last().unwrap()["request_id"], asked.header("x-request-id"));
    let completed = entries(&world, "password.reset_completed", member.account).await;
    assert_eq!((completed.len(), &completed[0]["actor_type"]), (1, &json!("anonymous")));
    world.server.flush_refusals().await;
    let refused = entries(&world, "password.reset_refused", member.account).await;
    let counts: i64 = refused.iter().map(|entry| entry["metadata"]["count"].as_i64().unwrap()).sum();
    assert_eq!((counts, &refused[0]["metadata"]["reason"]), (2, &json!("used")));
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn only_the_newest_link_works_once_for_half_an_hour() {
    let world = World::open().await;
    let (nobody, member, mail) = (world.server.nobody(), &world.a.member, world.database.mail());
    let link = async || {
        ask(nobody, &member.email).await.expect(202);
        mail.take_token(&member.email).await
    };
    let (first, second) = (link().await, link().await);
    complete(nobody, &first, OTHER).await.expect(404).problem("password_reset_not_valid");
    world.server.advance(TimeDelta::minutes(31));
    complete(nobody, &second, OTHER).await.expect(404).problem("password_reset_not_valid");
    look_up(nobody, &second).await.expect(404);

    // Used twice at the same moment, on two instances, with two passwords: one of them is it.
    let other = Server::start(&world.database).await;
    other.advance(TimeDelta::minutes(31));
    let third = link().await;
    let (one, two) = (format!("{OTHER}-1"), format!("{OTHER}-2"));
    let answers = join(complete(nobody, &third, &one), complete(other.nobody(), &third, &two)).await;
    let done = [answers.0.status, answers.1.status].iter().filter(|status| **status == 204).count();
    let mut right = 0;
    for password in [&one, &two] {
        right += usize::from(sign_in(nobody, &member.email, password).await.status == 201);
    }
    assert_eq!((done, right), (1, 1), "{} {}", answers.0, answers.1);
    other.stop().await;
    world.close().await;
}

/// Whoever has got at a mailbox must not find out by guessing which passwords there were.
///
/// Proves AUT-5.
#[tokio::test]
async fn a_link_answers_ten_questions_about_passwords_of_before() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    ask(nobody, &member.email).await.expect(202);
    let token = world.database.mail().take_token(&member.email).await;
    // What is not good enough anyway asks nothing.
    complete(nobody, &token, "lovelace").await.expect(422);
    let answers = join_all((0..15).map(|_| complete(nobody, &token, PASSWORD))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(422), count(404)), (10, 5), "{answers:?}");
    complete(nobody, &token, OTHER).await.expect(404).problem("password_reset_not_valid");
    sign_in(nobody, &member.email, PASSWORD).await.expect(201);
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn a_link_is_worth_what_its_owner_may_do() {
    let world = World::open().await;
    let (nobody, member, mail) = (world.server.nobody(), &world.a.member, world.database.mail());
    ask(nobody, &member.email).await.expect(202);
    let token = mail.take_token(&member.email).await;
    let path = format!("/v1/accounts/{}", member.account);
    world.platform.post(&format!("{path}/block"), json!({"reason": "Reported"})).await.expect(200);
    complete(nobody, &token, OTHER).await.expect(404).problem("password_reset_not_valid");
    world.platform.post_nothing(&format!("{path}/unblock")).await.expect(200);

    // It is one person's: it says whose, and nothing in the request can say otherwise.
    let body = json!({"token": token, "password": OTHER, "email": world.a.owner.email});
    nobody.post("/v1/password-resets/complete", body).await.expect(422);
    // A password that was changed meanwhile was chosen by somebody who knew the old one: the link is void.
    let own = session(nobody, &member.email, PASSWORD).await;
    change(&own, PASSWORD, OTHER).await.expect(204);
    complete(nobody, &token, &format!("{OTHER}-2")).await.expect(404);
    sign_in(nobody, &member.email, OTHER).await.expect(201);
    sign_in(nobody, &world.a.owner.email, PASSWORD).await.expect(201);
    world.close().await;
}

/// Proves AUT-5, AUT-7.
#[tokio::test]
async fn a_new_password_opens_nothing_that_wrong_ones_have_closed() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    for _ in 0..3 {
        member.post("/v1/session/reauthenticate", json!({"password": "wrong"})).await.expect(403);
    }
    ask(nobody, &member.email).await.expect(202);
    let token = world.database.mail().take_token(&member.email).await;
    complete(nobody, &token, OTHER).await.expect(204);
    let own = session(nobody, &member.email, OTHER).await;
    own.post("/v1/session/reauthenticate", json!({"password": OTHER})).await.expect(429);
    change(&own, OTHER, PASSWORD).await.expect(429).problem("too_many_requests");
    world.close().await;
}

/// Proves AUT-5, NET-4.
#[tokio::test]
async fn five_links_an_hour_by_address_and_by_network_on_all_instances_together() {
    let world = World::configured(&PROXIED).await;
    let other = Server::configured(&world.database, &PROXIED).await;
    let (here, there) = (world.server.nobody(), other.nobody());
    // Twelve at the same moment, on two instances, from as many networks: five are answered, known or not.
    for (part, email) in [(1, world.a.member.email.as_str()), (2, "unknown@example.com")] {
        let asked = (0..12).map(async |at: usize| {
            let nobody = if at.is_multiple_of(2) { here } else { there };
            ask_from(nobody, &format!("198.51.{part}.{at}"), email).await
        });
        let answers = join_all(asked).await;
        let accepted = answers.iter().filter(|answer| answer.status == 202).count();
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
        assert_eq!((accepted, refused.len()), (5, 7), "{answers:?}");
        for answer in refused {
            let seconds: i64 = answer.header("retry-after").parse().unwrap();
            assert!((3500..=3610).contains(&seconds), "{seconds} s: {answer}");
        }
    }
    // From one network, about different people; a neighbour in the same /64 is the same client.
    for at in 0..5 {
        ask_from(here, &format!("2001:db8:0:7::{at}"), &format!("nobody.{at}@example.com")).await.expect(202);
    }
    ask_from(there, "2001:db8:0:7:ffff::9", "somebody@example.com").await.expect(429).problem("too_many_requests");
    ask_from(there, "2001:db8:0:8::1", "somebody@example.com").await.expect(202);

    world.server.advance(TimeDelta::minutes(61));
    ask_from(here, "198.51.1.1", &world.a.member.email).await.expect(202);
    // Each instance sums up what it has refused: seven about either address, and the one from the /64.
    world.server.flush_refusals().await;
    other.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let refused = "SELECT sum((metadata->>'count')::int) FROM audit_entries
                   WHERE event = 'access.refused' AND metadata->>'operation' = 'password_resets_create'";
    assert_eq!(psql.number(refused).await, 15);
    // What is counted is found by an HMAC, and goes when it is over.
    let old = "SELECT count(*) FROM password_reset_limits WHERE expires_at < now()";
    for at in 0..10 {
        ask_from(here, &format!("203.0.113.{at}"), &format!("late.{at}@example.com")).await.expect(202);
    }
    let rows = psql.number("SELECT count(*) FROM password_reset_limits").await;
    assert!(rows <= 24, "{rows} rows; {} are over", psql.number(old).await);
    other.stop().await;
    world.close().await;
}

/// Nobody waits behind a request that can't be answered.
///
/// Proves AUT-5.
#[tokio::test]
async fn a_request_that_can_not_be_answered_holds_up_nobody_and_is_given_up() {
    let world = World::open().await;
    let app = world.server.app();
    let caller = freehold::types::Caller::system(
        "test",
        freehold::types::Origin { request_id: "test".into(), address: None, user_agent: None, now: app.clock.now() },
    );
    let tx = app.db.write(&caller).await.unwrap();
    app.mail.put_errand(&tx, "password_reset", b"this is no request").await.unwrap();
    tx.commit(freehold::db::Unrecorded("a test")).await.unwrap();
    let member = &world.a.member;
    ask(world.server.nobody(), &member.email).await.expect(202);
    assert!(token_of(&world.database.mail().take(&member.email).await.text).starts_with("fhp_"));
    let mut psql = world.database.psql(Login::Owner).await;
    let what = "it is tried five times and its text is destroyed";
    crate::harness::eventually(what, std::time::Duration::from_secs(40), async || {
        world.server.advance(TimeDelta::seconds(11));
        let failed = "SELECT count(*) FROM outbox WHERE kind = 'password_reset' AND failed_at IS NOT NULL
                      AND attempts = 5 AND payload IS NULL";
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        (psql.number(failed).await == 1).then_some(())
    })
    .await;
    world.close().await;
}
