//! Several instances of the real binary on one PostgreSQL: behind a pooler, and while PostgreSQL comes and goes.

mod restart;

use std::time::Duration;

use serde_json::json;

use crate::{
    events::stream::Stream,
    harness::{Database, PASSWORD, PATIENCE, PgBouncer, Process, eventually},
    path::{first_admin, switch},
};

/// How soon a change on one instance is in force on another (SES-4).
const BOUND: Duration = Duration::from_secs(1);

/// Proves OPS-11, NET-12.
#[tokio::test]
async fn everything_works_through_pgbouncer_in_transaction_mode() {
    let database = Database::new().await;
    let pooler = PgBouncer::before(&database).await;
    let (pooled, direct) = (pooler.url(&database), database.url());
    let own = Process::variables(&database);
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    let pooled = [
        ("DATABASE_URL", pooled.expose()),
        ("DATABASE_DIRECT_URL", direct.expose()),
        ("DATABASE_POOLER", "transaction"),
        ("FREEHOLD_JOBS_LEAD", "true"),
        ("FREEHOLD_TOKENS_ACCESS_LIFETIME", "60m"),
    ];
    let settings: Vec<(&str, &str)> = own.chain(pooled).collect();
    let mut first = Process::among_others(&settings);
    let here = first.ready().await;
    let token = first.setup_token().await;
    let mut second = Process::among_others(&settings);
    let there = second.ready().await;

    let ada = here.post("/v1/setup", first_admin(&token)).await.expect(201);
    let ada = here.bearing(ada.text_at("/access_token"));
    let made = ada.post("/v1/organizations", json!({"name": "Engines"})).await.expect(201);
    switch(&ada, made.id_at("/id")).await;
    let path = format!("/v1/organizations/{}", made.id_at("/id"));
    let addresses: Vec<_> = (0..12).map(|number| format!("member{number}@example.com")).collect();
    // More at once than PgBouncer has connections to PostgreSQL.
    let invited = addresses.iter().map(|address| {
        let (ada, path) = (ada.clone(), format!("{path}/invitations"));
        let invite = json!({"email": address, "role": "member"});
        async move { ada.post(&path, invite).await.expect(201) }
    });
    futures_util::future::join_all(invited).await;
    let mut members = Vec::new();
    for address in &addresses {
        let token = database.mail().take_token(address).await;
        let accept = json!({"token": token, "name": "Grace", "password": PASSWORD, "token_delivery": "body"});
        let accepted = there.post("/v1/invitations/accept", accept).await.expect(201);
        members.push((accepted.json["account"]["id"].clone(), there.bearing(accepted.text_at("/access_token"))));
    }
    let asked = members.iter().map(|(_, member)| async move { member.get("/v1/me").await.expect(200) });
    futures_util::future::join_all(asked).await;
    // Each sees themselves: what a transaction says of its caller does not stay on the shared connection.
    for (account, member) in &members {
        assert_eq!(member.get("/v1/me").await.expect(200).json["account"]["id"], *account);
    }
    // What happens on one instance is told on the other, live, and a stream ends with what opened it.
    let mut stream = Stream::open(&ada.at_server_of(&there)).await;
    let renamed = json!({"name": "Engines and boilers"});
    ada.patch(&path, renamed).await.expect(200);
    assert_eq!(stream.entries().await[0]["event"], "organization.updated");
    // A change on one instance is in force on the other, through the connection that goes past the pooler.
    switch(&ada, entity::OrganizationId::PLATFORM.into()).await;
    assert_eq!(stream.closed().await, 4403);
    let (blocked, member) = &members[0];
    let block = format!("/v1/accounts/{}/block", blocked.as_str().unwrap());
    ada.post(&block, json!({"reason": "a test"})).await.expect(200);
    eventually("the other instance knows", BOUND, async || (member.get("/v1/me").await.status == 401).then_some(()))
        .await;
    // The leader leads, and its jobs run.
    let run = ada.post_nothing("/v1/jobs/outbox_clean_up/runs").await.expect(201);
    eventually("the job is done", PATIENCE, async || {
        let run = ada.get(&format!("/v1/job-runs/{}", run.text_at("/id"))).await.expect(200);
        (run.text_at("/state") == "succeeded").then_some(())
    })
    .await;
    assert!(first.terminate().await.success() && second.terminate().await.success());
    for process in [&first, &second] {
        let log = process.output();
        assert!(!log.contains("prepared statement"), "{log}");
    }
}
