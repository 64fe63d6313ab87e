//! The real binary with a PostgreSQL of its own, killed with signal 9 at every step of the path and in the middle of
//! many, started again on the same folder: what was acknowledged is there, and nothing is half-done.

mod burst;
mod house;
mod writes;

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{Actor, PASSWORD, eventually},
    path::{first_admin, sign_in, switch},
};
use house::House;

/// How long a server may need to be itself again after its database was killed.
const RECOVERS: Duration = Duration::from_secs(30);

/// Proves AUT-8, DEP-1.
#[tokio::test]
async fn killed_after_each_step_of_the_path_nothing_acknowledged_is_lost() {
    let mut house = House::new().await;
    // The link that was printed before is still good.
    let token = house.process.setup_token().await;
    house.kill_and_start().await;
    assert_eq!(house.process.setup_token().await, token);
    let ada = house.nobody.post("/v1/setup", first_admin(&token)).await.expect(201);
    let ada = house.nobody.bearing(ada.text_at("/access_token"));
    house.kill_and_start().await;
    assert_eq!(house.nobody.get("/v1/setup").await.expect(200).json["required"], false);
    assert_eq!(ada.get("/v1/me").await.expect(200).text_at("/role"), "platform_admin");
    house.is_whole().await;

    let create = async || {
        let draft = ada.request(Method::POST, "/v1/organizations").header("idempotency-key", "engines");
        draft.json(&json!({"name": "Engines"})).send().await.expect(201)
    };
    let made = create().await;
    let path = format!("/v1/organizations/{}", made.id_at("/id"));
    house.kill_and_start().await;
    assert_eq!(create().await.json, made.json, "the repeated call got another answer");
    switch(&ada, made.id_at("/id")).await;
    house.kill_and_start().await;
    assert_eq!(ada.get(&path).await.expect(200).json["name"], "Engines");
    house.is_whole().await;

    let charles = invited_and_accepted(&mut house, &ada, &path).await;
    changed_and_signed_out(&mut house, &ada, &charles, &path).await;
    house.letters_left_once().await;
    house.stop().await;
}

async fn invited_and_accepted(house: &mut House, ada: &Actor, path: &str) -> Actor {
    let invite = json!({"email": "charles@example.com", "role": "member"});
    let invited = ada.post(&format!("{path}/invitations"), invite).await.expect(201);
    house.kill_and_start().await;
    let list = ada.get(&format!("{path}/invitations")).await.expect(200);
    assert_eq!(list.json["items"][0]["id"], invited.json["id"]);
    house.is_whole().await;
    house.let_leases_run_out().await;
    let token = house.sink.letter("charles@example.com").await.token();

    let accept = json!({"token": token, "name": "Charles", "password": PASSWORD, "token_delivery": "body"});
    let accepted = house.nobody.post("/v1/invitations/accept", accept.clone()).await.expect(201);
    house.kill_and_start().await;
    house.nobody.post("/v1/invitations/accept", accept).await.expect(404).problem("invitation_not_valid");
    let charles = house.nobody.bearing(accepted.text_at("/access_token"));
    assert_eq!(charles.get("/v1/me").await.expect(200).text_at("/role"), "member");
    house.is_whole().await;
    charles
}

async fn changed_and_signed_out(house: &mut House, ada: &Actor, charles: &Actor, path: &str) {
    let membership = charles.get("/v1/me").await.expect(200).text_at("/member_id").to_owned();
    ada.patch(&format!("{path}/members/{membership}"), json!({"role": "manager"})).await.expect(200);
    house.kill_and_start().await;
    assert_eq!(charles.get("/v1/me").await.expect(200).text_at("/role"), "manager");

    let second = sign_in(&house.nobody, "charles@example.com").await;
    house.kill_and_start().await;
    second.get(path).await.expect(200);
    second.delete("/v1/session").await.expect(204);
    house.kill_and_start().await;
    second.get("/v1/me").await.expect(401).problem("session_ended");
    charles.get("/v1/me").await.expect(200);
    house.is_whole().await;
}

/// Proves AUD-2, DEP-1.
#[tokio::test]
async fn killed_in_the_middle_of_many_requests_nothing_is_half_done() {
    let mut house = House::new().await;
    let (ada, path) = house.with_an_organization().await;
    for round in 0..5 {
        let acknowledged = burst::run(&mut house, &ada, &path, round).await;
        house.start().await;
        acknowledged.is_there(&house).await;
        house.is_whole().await;
    }
    house.letters_left_once().await;
    house.stop().await;
}

/// Proves DEP-1.
#[tokio::test]
async fn a_server_whose_database_is_killed_recovers_by_itself() {
    let mut house = House::new().await;
    let (ada, path) = house.with_an_organization().await;
    let killed = house.postgres();
    house::kill_9(killed);
    // Meanwhile it is alive, not ready, and says so; the harness panics at a 500.
    let ready =
        async || (house.nobody.get("/health/ready").await.status == 200 && house.postgres() != killed).then_some(());
    eventually("it is ready again", RECOVERS, ready).await;
    house.nobody.get("/health/live").await.expect(200);
    let renamed = async || {
        let answer = ada.patch(&path, json!({"name": "Recovered"})).await;
        assert!([200, 503].contains(&answer.status), "{answer}");
        (answer.status == 200).then_some(())
    };
    eventually("it writes again", RECOVERS, renamed).await;
    house.is_whole().await;
    house.stop().await;
}

/// Proves DEP-1.
#[tokio::test]
async fn told_to_stop_it_finishes_what_is_under_way_and_leaves_nothing_running() {
    let mut house = House::new().await;
    let (ada, path) = house.with_an_organization().await;
    let postgres = house.postgres();
    // A request that takes as long as we like: it waits for a row that we hold.
    let mut psql = house.psql().await;
    psql.run("BEGIN").await.unwrap();
    psql.run("SELECT 1 FROM organizations FOR UPDATE").await.unwrap();
    let under_way = tokio::spawn(async move { ada.patch(&path, json!({"name": "Finished"})).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    eventually("it waits", RECOVERS, async || (psql.number(waiting).await > 0).then_some(())).await;

    let nobody = house.nobody.clone();
    let release = async {
        let refused = async || nobody.request(Method::GET, "/health/live").try_send().await.is_err().then_some(());
        eventually("nobody is let in any more", RECOVERS, refused).await;
        assert!(!under_way.is_finished());
        psql.run("COMMIT").await.unwrap();
        drop(psql);
        under_way.await.unwrap().expect(200)
    };
    let (status, answer) = tokio::join!(house.process.terminate(), release);
    assert_eq!(answer.json["name"], "Finished");
    assert_eq!(status.code(), Some(0), "{}", house.process.output());
    assert!(!house::runs(postgres), "PostgreSQL still runs");
}
