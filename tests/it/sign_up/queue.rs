//! The approval queue: who waits, who is told, and what comes of it.

use chrono::TimeDelta;
use freehold::operations;
use serde_json::{Value, json};

use super::{VERIFY, accounts, person, platform, request, role, sign_in, sign_up, slug, tenant, waiting, world};
use crate::{
    harness::{Actor, Login, PASSWORD, PATIENCE, Server, eventually},
    world::World,
};

/// Proves an address and waits in A's queue.
async fn wait(world: &World, email: &str, slug: Option<&str>) {
    sign_up(world, email, slug).await.expect(202);
    let token = world.database.mail().take_token(email).await;
    assert_eq!(world.server.nobody().post(VERIFY, person(&token)).await.expect(202).text, "");
}

async fn queue(world: &World) -> String {
    platform(world, json!({"mode": "open"})).await;
    tenant(&world.a, json!({"mode": "approval_required"})).await;
    slug(&world.a).await
}

/// Proves AUT-3.
#[tokio::test]
async fn somebody_waits_until_an_administrator_lets_them_in() {
    let world = world().await;
    let (nobody, mail, a) = (world.server.nobody(), world.database.mail(), &world.a);
    let slug = queue(&world).await;
    let before = accounts(&world).await;
    wait(&world, "grace@example.com", Some(&slug)).await;
    assert_eq!(accounts(&world).await, before, "there is no account before somebody has decided");
    sign_in(nobody, "grace@example.com").await.expect(401);
    let told = mail.take(&a.admin.email).await;
    assert!(told.subject.ends_with("somebody waits for your approval"), "{}", told.subject);
    assert!(!told.text.contains("grace"), "{}", told.text);
    mail.take(&a.owner.email).await;
    assert_eq!(mail.count(&a.manager.email).await, 0, "who decides nothing is told nothing");

    let waits = waiting(a).await;
    assert_eq!(waits.len(), 1);
    assert_eq!(
        (&waits[0]["email"], &waits[0]["name"], &waits[0]["status"]),
        (&json!("grace@example.com"), &json!("Grace Hopper"), &json!("pending"))
    );
    let approve = request(a.id, &waits[0]["id"], "/approve");
    a.manager.post_nothing(&approve).await.expect(403);
    let decided = a.admin.post_nothing(&approve).await.expect(200);
    assert_eq!(
        (&decided.json["status"], &decided.json["decided_by"]["id"]),
        (&json!("approved"), &json!(a.admin.account))
    );
    a.admin.post_nothing(&approve).await.expect(409).problem("sign_up_decided");
    let reject = request(a.id, &waits[0]["id"], "/reject");
    a.admin.post(&reject, json!({"reason": "Too late"})).await.expect(409).problem("sign_up_decided");
    assert!(waiting(a).await.is_empty());
    assert_eq!(mail.take("grace@example.com").await.subject, "Welcome: you can sign in now");
    let signed_in = sign_in(nobody, "grace@example.com").await.expect(201);
    assert_eq!(role(nobody, &signed_in).await, (json!(a.id), json!("member")));
    assert!(signed_in.json["account"]["email_verified_at"].is_string());
    // Nothing of the password is left in the queue.
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM sign_up_requests WHERE password_hash IS NOT NULL").await, 0);
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn somebody_who_is_turned_away_is_told_why_and_may_ask_again() {
    let world = world().await;
    let (nobody, mail, a) = (world.server.nobody(), world.database.mail(), &world.a);
    let slug = queue(&world).await;
    wait(&world, "grace@example.com", Some(&slug)).await;
    let id = waiting(a).await[0]["id"].clone();
    let reject = request(a.id, &id, "/reject");
    let bad = a.admin.post(&reject, json!({"reason": "Go to evil.example.com"})).await.expect(422);
    assert_eq!((bad.faults(), &bad.json["errors"][0]["code"]), (vec!["/reason"], &json!("link")));
    a.admin.post(&reject, json!({"reason": "We do not know you"})).await.expect(200);
    let letter = mail.take("grace@example.com").await;
    assert!(letter.text.contains("The reason: We do not know you"), "{}", letter.text);
    // The reason is personal, in the record too: no copy of the database has it in clear.
    let record = format!("/v1/organizations/{}/audit?event=sign_up.rejected", a.id);
    assert_eq!(a.owner.get(&record).await.expect(200).items()[0]["metadata"]["reason"], "We do not know you");
    let dump = world.database.dump().await;
    for text in ["We do not know you", "grace@example.com", "Grace Hopper"] {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(text) && !dump.contains(&hex), "{text} is in clear");
    }
    sign_in(nobody, "grace@example.com").await.expect(401);

    // Asking twice is waiting once, with the password that was chosen last.
    wait(&world, "grace@example.com", Some(&slug)).await;
    sign_up(&world, "grace@example.com", Some(&slug)).await.expect(202);
    let token = mail.take_token("grace@example.com").await;
    let mut again = person(&token);
    again["password"] = json!("Another-battery-8");
    nobody.post(VERIFY, again).await.expect(202);
    let waits = waiting(a).await;
    assert_eq!(waits.len(), 1, "{waits:?}");
    a.admin.post_nothing(&request(a.id, &waits[0]["id"], "/approve")).await.expect(200);
    sign_in(nobody, "grace@example.com").await.expect(401);
    let with = json!({"email": "grace@example.com", "password": "Another-battery-8", "token_delivery": "body"});
    nobody.post("/v1/sessions", with).await.expect(201);
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn an_account_alone_waits_for_the_platform() {
    let world = world().await;
    let nobody = world.server.nobody();
    platform(&world, json!({"mode": "approval_required"})).await;
    wait(&world, "grace@example.com", None).await;
    let id = entity::OrganizationId::PLATFORM.0;
    let waits = world.platform.get(&format!("/v1/organizations/{id}/sign-up-requests")).await.expect(200);
    assert_eq!(waits.items().len(), 1);
    assert!(waiting(&world.a).await.is_empty(), "a tenant has nothing to do with it");
    world.platform.post_nothing(&request(id, &waits.items()[0]["id"], "/approve")).await.expect(200);
    let signed_in = sign_in(nobody, "grace@example.com").await.expect(201);
    assert_eq!(role(nobody, &signed_in).await, (Value::Null, Value::Null), "nobody gets into the platform this way");
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn administrators_get_one_letter_however_many_wait() {
    let world = world().await;
    let (mail, a) = (world.database.mail(), &world.a);
    let slug = queue(&world).await;
    let before = mail.count(&a.admin.email).await;
    for name in ["one", "two", "three", "four"] {
        wait(&world, &format!("{name}@example.com"), Some(&slug)).await;
    }
    let mut psql = world.database.psql(Login::Owner).await;
    // One at once, and one for the rest, which leaves a quarter of an hour later.
    let announced = "SELECT count(*) FROM sign_up_requests WHERE announced_at IS NOT NULL";
    assert_eq!(psql.number(announced).await, 2);
    let later =
        "SELECT count(*) FROM outbox WHERE available_at > created_at + interval '10 minutes' AND sent_at IS NULL";
    assert!(psql.number(later).await >= 2, "one each for the owner and the administrator");
    eventually("the first letter", PATIENCE, async || (mail.count(&a.admin.email).await == before + 1).then_some(()))
        .await;
    world.close().await;
}

/// Runs a job to its end.
async fn run(admin: &Actor, job: &str) {
    let id = admin.post_nothing(&format!("/v1/jobs/{job}/runs")).await.expect(201).id_at("/id");
    eventually("the run is over", PATIENCE, async || {
        let run = admin.get(&format!("/v1/job-runs/{id}")).await.expect(200);
        (run.json["state"] == "succeeded").then_some(())
    })
    .await;
}

/// Proves AUT-3.
#[tokio::test]
async fn nobody_waits_for_ever_and_nothing_of_them_is_kept() {
    let world = world().await;
    let slug = queue(&world).await;
    wait(&world, "grace@example.com", Some(&slug)).await;
    sign_up(&world, "unproven@example.com", None).await.expect(202);
    let server = Server::leading(&world.database, &[], operations::jobs()).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let administrator = async || {
        let body = json!({"email": world.platform.email, "password": PASSWORD, "token_delivery": "body"});
        server.bearer(server.nobody().post("/v1/sessions", body).await.expect(201).text_at("/access_token"))
    };
    let admin = administrator().await;
    run(&admin, "sign_up_requests_expire").await;
    run(&admin, "sign_ups_clean_up").await;
    assert_eq!(psql.text("SELECT status FROM sign_up_requests").await, "pending");
    assert_eq!(psql.number("SELECT count(*) FROM sign_ups").await, 1);

    server.advance(TimeDelta::days(30) + TimeDelta::minutes(1));
    let admin = administrator().await;
    run(&admin, "sign_up_requests_expire").await;
    run(&admin, "sign_ups_clean_up").await;
    let ended = "SELECT status || ' ' || (password_hash IS NULL)::text FROM sign_up_requests";
    assert_eq!(psql.text(ended).await, "expired true");
    assert_eq!(psql.number("SELECT count(*) FROM sign_ups").await, 0);
    let recorded = format!(
        "SELECT count(*) FROM audit_entries WHERE event = 'sign_up.expired' AND organization_id = '{}'",
        world.a.id
    );
    assert_eq!(psql.number(&recorded).await, 1);
    server.advance(TimeDelta::days(31));
    let admin = administrator().await;
    run(&admin, "sign_ups_clean_up").await;
    assert_eq!(psql.number("SELECT count(*) FROM sign_up_requests").await, 0);
    server.stop().await;
    world.close().await;
}
