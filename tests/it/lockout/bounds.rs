//! Counters of network addresses, and how many counters there are at all.

use chrono::TimeDelta;
use freehold::{
    guessing,
    jobs::{Job, Run, Schedule},
};
use serde_json::json;

use super::{Duration, PASSWORD, PATIENCE, WRONG, eventually, locked, throttled, wrong};
use crate::{
    harness::{Actor, Answer, Login, Server},
    world::World,
};

const NEVER: Schedule = Schedule("0 0 0 1 1 *");

async fn from(server: &Server, address: &str, email: &str) -> Answer {
    let body = json!({"email": email, "password": WRONG, "token_delivery": "body"});
    let draft = server.nobody().request(reqwest::Method::POST, "/v1/sessions").json(&body);
    draft.header("x-forwarded-for", address).send().await
}

/// Proves NET-5.
#[tokio::test]
async fn an_address_is_closed_after_twenty_failures_in_a_quarter_of_an_hour() {
    let world = World::open().await;
    let server = Server::configured(&world.database, &[("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    // Every address of a /64 is one customer's.
    for at in 0..20 {
        let address = format!("2001:db8:1:2::{at:x}");
        from(&server, &address, &format!("made.up{at}@example.com")).await.expect(401);
    }
    let wait = async |address: &str| {
        let answer = from(&server, address, "one.more@example.com").await;
        (answer.status == 429).then(|| answer.header("retry-after").parse::<i64>().unwrap())
    };
    let left = wait("2001:db8:1:2:ffff::1").await.expect("the network is closed");
    assert!((50..=60).contains(&left), "{left}");
    assert_eq!(wait("2001:db8:1:3::1").await, None, "another network is open");
    assert_eq!(wait("192.0.2.1").await, None);
    // Each further failure doubles the time.
    server.advance(TimeDelta::seconds(61));
    assert_eq!(wait("2001:db8:1:2::1").await, None);
    let left = wait("2001:db8:1:2::1").await.expect("it is closed again");
    assert!((110..=120).contains(&left), "{left}");
    server.stop().await;
    world.close().await;
}

/// Proves NET-5.
#[tokio::test]
async fn who_signs_in_often_is_not_taken_for_who_guesses() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    for at in 0..19 {
        wrong(nobody, &format!("made.up{at}@example.com")).await;
    }
    // What is right is counted against nobody, however much of it there is, and takes nothing back of what was wrong.
    for person in [&world.a.owner, &world.a.admin, &world.a.manager, &world.b.owner] {
        for _ in 0..6 {
            super::sign_in(nobody, &person.email, PASSWORD).await.expect(201);
        }
    }
    wrong(nobody, "last@example.com").await;
    throttled(nobody, &world.a.owner.email, PASSWORD).await;
    // The window is one: a failure now and then never closes anything.
    world.server.advance(TimeDelta::hours(2));
    for at in 0..6 {
        world.server.advance(TimeDelta::minutes(4));
        for number in 0..4 {
            wrong(nobody, &format!("typo{at}.{number}@example.com")).await;
        }
    }
    world.close().await;
}

async fn counters(world: &World, condition: &str) -> i64 {
    let count = format!("SELECT count(*) FROM guesses WHERE {condition}");
    world.database.psql(Login::Owner).await.number(&count).await
}

async fn run(admin: &Actor, job: &str) {
    let run = admin.post_nothing(&format!("/v1/jobs/{job}/runs")).await.expect(201);
    eventually(job, PATIENCE, async || {
        let run = admin.get(&format!("/v1/job-runs/{}", run.text_at("/id"))).await.expect(200);
        (run.text_at("/state") == "succeeded").then_some(())
    })
    .await;
}

/// Proves NET-5, OPS-4.
#[tokio::test]
async fn made_up_addresses_are_bounded_and_those_of_accounts_stay() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    locked(&world, &world.a.member.email).await;
    for at in 0..8 {
        wrong(nobody, &format!("made.up{at}@example.com")).await;
    }
    let nobodys = "kind = 'identifier' AND account_id IS NULL";
    assert_eq!(counters(&world, nobodys).await, 8);
    let bounded = Job::new("bounded", NEVER, |run: Run| guessing::clean_up_to(run, 3));
    let forgetting = Job::new("forgetting", NEVER, guessing::clean_up);
    let leader = Server::leading(&world.database, &[], vec![bounded, forgetting]).await;
    let admin = world.platform.at_server_of(leader.nobody());
    run(&admin, "bounded").await;
    assert_eq!(counters(&world, nobodys).await, 3);
    throttled(nobody, &world.a.member.email, PASSWORD).await;
    // What is over is forgotten, and its lock has its end in the record first.
    for server in [&world.server, &leader] {
        server.advance(TimeDelta::days(3));
    }
    eventually("the lock is closed", PATIENCE, async || (counters(&world, "announced").await == 0).then_some(())).await;
    let admin = leader.bearer(&signed_in(&leader, &world.platform.email).await);
    run(&admin, "forgetting").await;
    // That of the administrator who has just signed in is younger than the run.
    assert!(counters(&world, "true").await <= 1);
    leader.stop().await;
    world.close().await;
}

async fn signed_in(server: &Server, email: &str) -> String {
    super::sign_in(server.nobody(), email, PASSWORD).await.expect(201).text_at("/access_token").to_owned()
}

/// Proves AUT-6: who hangs up while their password waits to be looked at has not guessed.
#[tokio::test]
async fn who_hangs_up_while_others_are_hashed_is_not_locked_out() {
    let world = World::open().await;
    let slow = Server::with(&world.database, |config| {
        (config.passwords.memory_kib, config.passwords.iterations) = (65_536, 10);
    })
    .await;
    let email = &world.a.member.email;
    // What nobody's password takes keeps the one thread busy for seconds.
    let ahead = (0..8).map(|at| {
        let (nobody, email) = (slow.nobody().clone(), format!("made.up{at}@example.com"));
        tokio::spawn(async move { super::sign_in(&nobody, &email, WRONG).await.status })
    });
    let ahead: Vec<_> = ahead.collect();
    eventually("they wait", PATIENCE, async || (counters(&world, "account_id IS NULL").await >= 8).then_some(())).await;
    for _ in 0..6 {
        let given_up = super::sign_in(slow.nobody(), email, PASSWORD);
        assert!(tokio::time::timeout(Duration::from_millis(200), given_up).await.is_err(), "it was not busy");
    }
    let counted = format!("account_id = '{}' AND failures > 0", world.a.member.account);
    eventually("nothing is counted", PATIENCE, async || (counters(&world, &counted).await == 0).then_some(())).await;
    super::sign_in(slow.nobody(), email, PASSWORD).await.expect(201);
    for answer in ahead {
        assert_eq!(answer.await.unwrap(), 401);
    }
    slow.stop().await;
    world.close().await;
}
