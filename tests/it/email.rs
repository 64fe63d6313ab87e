//! Stories of a person's address: proven, changed, and never somebody else's.

use chrono::TimeDelta;
use freehold::operations;
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, Server, eventually},
    world::World,
};

const EMAIL: &str = "/v1/me/email";
const VERIFICATION: &str = "/v1/me/email/verification";
const VERIFY: &str = "/v1/me/email/verification/complete";
const CHANGE: &str = "/v1/me/email/change";
const COMPLETE: &str = "/v1/me/email/change/complete";

async fn sign_in(nobody: &Actor, email: &str) -> Answer {
    nobody.post("/v1/sessions", json!({"email": email, "password": PASSWORD, "token_delivery": "body"})).await
}

async fn change(actor: &Actor, email: &str) -> Answer {
    actor.post(CHANGE, json!({"email": email})).await
}

async fn state(actor: &Actor) -> Value {
    actor.get(EMAIL).await.expect(200).json
}

/// Proves AUT-5.
#[tokio::test]
async fn an_address_is_proven_by_a_link_in_ones_own_session() {
    let world = World::open().await;
    let (mail, ada) = (world.database.mail(), world.platform_session().await);
    // Whoever was invited has proven it; the first administrator has not.
    assert!(state(&world.a.member).await["verified_at"].is_string());
    world.a.member.post_nothing(VERIFICATION).await.expect(409).problem("email_verified");
    assert_eq!(state(&ada).await, json!({"email": world.platform.email}));
    ada.post_nothing(VERIFICATION).await.expect(202);
    let first = mail.take_token(&world.platform.email).await;
    ada.post_nothing(VERIFICATION).await.expect(202);
    let token = mail.take_token(&world.platform.email).await;
    ada.post(VERIFY, json!({"token": first})).await.expect(404).problem("email_link_not_valid");
    world.a.member.post(VERIFY, json!({"token": token})).await.expect(404).problem("email_link_not_valid");
    world.server.nobody().post(VERIFY, json!({"token": token})).await.expect(401);
    // A link of one purpose is none of another.
    ada.post(COMPLETE, json!({"token": token})).await.expect(404);
    let done = ada.post(VERIFY, json!({"token": token})).await.expect(200);
    assert!(done.json["verified_at"].is_string());
    assert_eq!(ada.get("/v1/me").await.expect(200).json["account"]["email_verified_at"], done.json["verified_at"]);
    ada.post(VERIFY, json!({"token": token})).await.expect(404);
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn letters_to_one_address_are_limited_and_links_end() {
    let world = World::open().await;
    let (mail, ada) = (world.database.mail(), world.platform_session().await);
    for _ in 0..5 {
        ada.post_nothing(VERIFICATION).await.expect(202);
    }
    assert!(!ada.post_nothing(VERIFICATION).await.expect(429).header("retry-after").is_empty());
    for _ in 0..4 {
        mail.take(&world.platform.email).await;
    }
    let token = mail.take_token(&world.platform.email).await;
    for number in 0..5 {
        change(&world.a.member, &format!("n{number}@example.com")).await.expect(200);
    }
    change(&world.a.member, "n5@example.com").await.expect(429);
    world.server.advance(TimeDelta::hours(24));
    let ada = world.platform_session().await;
    ada.post(VERIFY, json!({"token": token})).await.expect(404).problem("email_link_not_valid");
    ada.post_nothing(VERIFICATION).await.expect(202);
    world.close().await;
}

/// Proves AUT-5, DAT-3.
#[tokio::test]
async fn an_address_is_changed_and_both_are_told() {
    let world = World::open().await;
    let (nobody, mail, member) = (world.server.nobody(), world.database.mail(), &world.a.member);
    let (old, new) = (member.email.as_str(), "somebody.new@example.net");
    let same = change(member, &old.to_uppercase()).await.expect(422);
    assert_eq!(same.faults(), ["/email"]);
    // It takes a fresh proof of who one is.
    let stale = World::configured(&[("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "10s")]).await;
    stale.server.advance(TimeDelta::minutes(5));
    change(&stale.a.member, new).await.expect(403).problem("reauthentication_required");
    stale.close().await;

    change(member, "typo@example.net").await.expect(200);
    let typo = mail.take_token("typo@example.net").await;
    let asked = change(member, "Somebody.New@EXAMPLE.net").await.expect(200);
    assert_eq!((&asked.json["email"], &asked.json["pending"]["email"]), (&json!(old), &json!(new)));
    let token = mail.take_token(new).await;
    let told = eventually("word to the address in use", PATIENCE, async || {
        let letter = mail.take(old).await;
        (letter.subject == "Your e-mail address is about to change").then_some(letter)
    })
    .await;
    assert!(told.text.contains("Was it not you?") && !told.text.contains("#token="), "{}", told.text);
    member.post(COMPLETE, json!({"token": typo})).await.expect(404).problem("email_link_not_valid");
    let version = member.get("/v1/me").await.expect(200).json["account"]["version"].as_i64().unwrap();
    let done = member.post(COMPLETE, json!({"token": token})).await.expect(200);
    assert_eq!((&done.json["email"], &done.json["pending"]), (&json!(new), &Value::Null));
    member.post(COMPLETE, json!({"token": token})).await.expect(404);
    let told = eventually("word to the address before", PATIENCE, async || {
        let letter = mail.take(old).await;
        (letter.subject == "Your e-mail address was changed").then_some(letter)
    })
    .await;
    assert!(told.text.contains("Was it not you?"));

    // The person is found by it, and by nothing of the one before.
    let me = member.get("/v1/me").await.expect(200);
    assert_eq!((me.text_at("/account/email"), me.json["account"]["version"].as_i64()), (new, Some(version + 1)));
    sign_in(nobody, new).await.expect(201);
    sign_in(nobody, old).await.expect(401);
    let list = async |word: &str| {
        let path = format!("/v1/organizations/{}/members?search={word}", world.a.id);
        world.a.admin.get(&path).await.expect(200).items().len()
    };
    assert_eq!((list("somebody").await, list("net").await), (1, 1));
    let found = world.platform.get(&format!("/v1/accounts?email={new}")).await.expect(200);
    assert_eq!(found.items().len(), 1);
    assert_eq!(world.platform.get(&format!("/v1/accounts?email={old}")).await.expect(200).items().len(), 0);
    // The record says what happened and no address.
    let mut psql = world.database.psql(Login::Owner).await;
    let events = "SELECT string_agg(event, ' ' ORDER BY id) FROM audit_entries WHERE event LIKE 'account.email%'";
    let events = psql.text(events).await;
    assert!(events.ends_with("email_change_requested account.email_changed"), "{events}");
    let leaks = "SELECT count(*) FROM audit_entries WHERE metadata::text LIKE '%@%'";
    assert_eq!(psql.number(leaks).await, 0);
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn an_address_of_somebody_else_is_theirs_and_only_they_are_told() {
    let world = World::open().await;
    let (mail, member, other) = (world.database.mail(), &world.a.member, &world.b.member);
    let asked = change(member, &other.email).await.expect(200);
    assert_eq!(asked.json["pending"]["email"], other.email);
    let told = eventually("word to the owner", PATIENCE, async || {
        let letter = mail.take(&other.email).await;
        (letter.subject == "This address has an account already").then_some(letter)
    })
    .await;
    assert!(!told.text.contains("#token=") && !told.text.contains(&member.email), "{}", told.text);
    let cancelled = member.delete(CHANGE).await;
    cancelled.expect(204);
    member.delete(CHANGE).await.expect(404);
    assert_eq!(state(member).await["pending"], Value::Null);

    // An address that becomes somebody else's before its link is followed.
    change(member, "wanted@example.com").await.expect(200);
    let token = mail.take_token("wanted@example.com").await;
    change(other, "wanted@example.com").await.expect(200);
    let others = mail.take_token("wanted@example.com").await;
    // Nobody follows a stranger's link for them: their account would get the address.
    other.post(COMPLETE, json!({"token": token})).await.expect(404).problem("email_link_not_valid");
    let both = futures_util::future::join_all((0..4).map(|_| other.post(COMPLETE, json!({"token": others})))).await;
    assert_eq!(both.iter().filter(|answer| answer.status == 200).count(), 1);
    member.post(COMPLETE, json!({"token": token})).await.expect(409).problem("email_taken");
    world.close().await;
}

/// Proves AUT-5, DAT-3, DAT-6.
#[tokio::test]
async fn an_address_changes_while_keys_do() {
    let world = World::open().await;
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    let (nobody, mail) = (world.server.nobody(), world.database.mail());
    let administrator = world.platform_session().await;
    let rotation = administrator.post("/v1/key-rotations", json!({"scope": "pii"})).await.expect(201).id_at("/id");
    let (mut round, mut email) = (0, world.a.member.email.clone());
    let mut psql = world.database.psql(Login::Owner).await;
    loop {
        let before = email;
        email = format!("round{round}@example.com");
        change(&world.a.member, &email).await.expect(200);
        let token = mail.take_token(&email).await;
        world.a.member.post(COMPLETE, json!({"token": token})).await.expect(200);
        sign_in(nobody, &email).await.expect(201);
        sign_in(nobody, &before).await.expect(401);
        psql.run("DELETE FROM email_links WHERE closed_at IS NOT NULL").await.unwrap();
        // A network address is closed after some failures, however many rounds the rotation lasts.
        psql.run("DELETE FROM guesses").await.unwrap();
        let state = administrator.get(&format!("/v1/key-rotations/{rotation}")).await.expect(200);
        round += 1;
        if state.json["step"] == "finished" {
            break;
        }
        assert!(round < 400, "{state}");
    }
    println!("{round} changes of an address during a rotation");
    let values =
        "SELECT count(*) FROM account_matches WHERE field = 'email' GROUP BY account_id ORDER BY 1 DESC LIMIT 1";
    assert_eq!(psql.number(values).await, 1, "one key is live, and each person has one address");
    leader.stop().await;
    world.close().await;
}
