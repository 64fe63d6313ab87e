//! What is left of passwords and links when their time is over: hashes of another time, links, counters.

use std::time::Duration;

use chrono::TimeDelta;
use freehold::operations;
use serde_json::json;

use super::{ask, entries, session, sign_in};
use crate::{
    harness::{Login, PASSWORD, PATIENCE, Server, eventually},
    world::World,
};

/// Proves AUT-1.
#[tokio::test]
async fn a_hash_of_other_parameters_is_made_anew_at_the_next_sign_in() {
    let world = World::open().await;
    let stronger = Server::with(&world.database, |config| config.passwords.iterations = 3).await;
    let member = &world.a.member;
    let mut psql = world.database.psql(Login::Owner).await;
    let query = format!("SELECT hash FROM password_credentials WHERE account_id = '{}'", member.account);
    let old = psql.text(&query).await;
    assert!(old.contains("$m=64,t=1,p=1$"), "{old}");
    sign_in(stronger.nobody(), &member.email, "not-the-password").await.expect(401);
    sign_in(stronger.nobody(), &member.email, PASSWORD).await.expect(201);
    let new = eventually("it is hashed anew", PATIENCE, async || {
        let hash = psql.text(&query).await;
        (hash != old).then_some(hash)
    })
    .await;
    assert!(new.contains("$m=64,t=3,p=1$"), "{new}");
    // It is the same password, and good as it is: once is enough.
    sign_in(stronger.nobody(), &member.email, PASSWORD).await.expect(201);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(psql.text(&query).await, new);
    assert_eq!(entries(&world, "password.upgraded", member.account).await.len(), 1);
    assert_eq!(psql.number("SELECT count(*) FROM password_history").await, 0);
    stronger.stop().await;
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn the_clean_up_removes_links_and_counters_whose_time_is_over() {
    let world = World::open().await;
    let server = Server::leading(&world.database, &[], operations::jobs()).await;
    let mail = world.database.mail();
    let mut psql = world.database.psql(Login::Owner).await;
    ask(world.server.nobody(), &world.a.member.email).await.expect(202);
    mail.take(&world.a.member.email).await;
    server.advance(TimeDelta::minutes(62));
    world.server.advance(TimeDelta::minutes(62));
    let admin = session(server.nobody(), &world.platform.email, PASSWORD).await;
    let clean = async || {
        let asked = admin.post_nothing("/v1/jobs/password_resets_clean_up/runs").await.expect(201);
        let path = format!("/v1/job-runs/{}", asked.text_at("/id"));
        eventually("the clean-up", PATIENCE, async || {
            let run = admin.get(&path).await.expect(200).json;
            (run["state"] == "succeeded").then(|| run["result"].clone())
        })
        .await
    };
    assert_eq!(clean().await, json!({"links": 1, "counters": 2}));
    // What is open stays.
    ask(world.server.nobody(), &world.a.member.email).await.expect(202);
    mail.take(&world.a.member.email).await;
    assert_eq!(clean().await, json!({"links": 0, "counters": 0}));
    assert_eq!(psql.number("SELECT count(*) FROM password_resets").await, 1);
    server.stop().await;
    world.close().await;
}

/// Proves AUT-4, MFA-1: who began to sign in with the password before is not in after it is another, and whoever has a
/// second factor meanwhile is asked for it.
#[tokio::test]
async fn a_sign_in_that_began_before_a_change_does_not_end_after_it() {
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    let account = member.account;
    // Inside a transaction what others do is what it was at first.
    let (mut psql, mut watching) = (world.database.psql(Login::Owner).await, world.database.psql(Login::Owner).await);
    let enabled = "email_codes SET enabled_at = now()";
    psql.run(&format!("INSERT INTO email_codes (account_id, sent, changed_at) VALUES ('{account}', '{{}}', now())"))
        .await
        .unwrap();
    for change in ["password_credentials SET updated_at = now()", enabled] {
        psql.run("BEGIN").await.unwrap();
        psql.run(&format!("UPDATE {change} WHERE account_id = '{account}'")).await.unwrap();
        let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
        let changed = async {
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually("the sign-in waits", PATIENCE, async || (watching.number(waiting).await > 0).then_some(()))
                .await;
            psql.run("COMMIT").await.unwrap();
        };
        let (refused, ()) = tokio::join!(nobody.post("/v1/sessions", sign_in.clone()), changed);
        refused.expect(401).problem("invalid_credentials");
        let expected = if change == enabled { 200 } else { 201 };
        nobody.post("/v1/sessions", sign_in).await.expect(expected);
    }
    world.close().await;
}
