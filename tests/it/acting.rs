//! Acting in a tenant's organisation: what it takes, what it gives and to whom, who sees it, and that it ends.

use std::time::Duration;

use chrono::TimeDelta;
use freehold::{
    sessions,
    types::{Caller, Origin},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, Server, eventually},
    world::{Tenant, World},
};

const STOP: &str = "/v1/session/acting";

fn inside(organization: Uuid, rest: &str) -> String {
    format!("/v1/organizations/{organization}{rest}")
}

async fn act(actor: &Actor, organization: Uuid) -> Answer {
    actor.post(&inside(organization, "/act-in"), json!({"reason": "Ticket 4711"})).await
}

async fn accesses(tenant: &Tenant) -> Vec<Value> {
    tenant.admin.get(&inside(tenant.id, "/platform-access")).await.expect(200).items().to_vec()
}

/// The entries of an event in the record of an organisation, oldest first.
async fn entries(world: &World, event: &str, organization: Uuid) -> Vec<Value> {
    let query = format!(
        "SELECT * FROM audit_entries WHERE event = '{event}' AND organization_id = '{organization}' ORDER BY id"
    );
    world.database.psql(Login::Owner).await.rows(&query).await
}

/// Writes down now, rather than in a few seconds, what has ended by itself.
async fn close_finished(server: &Server) {
    let origin = Origin { request_id: "test".into(), address: None, user_agent: None, now: server.app().clock.now() };
    sessions::close_finished(&server.app().db, &Caller::system("acting", origin)).await.unwrap();
}

/// A request whose head the guard has let pass and whose body is still on its way.
struct Slow<'a> {
    stream: TcpStream,
    body: &'a str,
}

impl<'a> Slow<'a> {
    async fn begin(world: &World, actor: &Actor, (method, path): (&str, &str), body: &'a str) -> Self {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            actor.token(),
            body.len()
        );
        let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body when it begins to read it.
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { stream, body }
    }

    async fn finish(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

async fn soon(what: &str, found: impl AsyncFn() -> bool) {
    eventually(what, Duration::from_secs(1), async || found().await.then_some(())).await;
}

/// Proves AZ-2.
#[tokio::test]
async fn acting_gives_the_organisation_and_only_that_one_until_it_is_stopped() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let admin = world.platform_session().await;
    admin.get(&inside(a.id, "/members")).await.expect(404).problem("not_found");
    let started = act(&admin, a.id).await.expect(200);
    assert_eq!(started.id_at("/organization_id"), a.id);

    let profile = admin.get("/v1/me").await.expect(200);
    assert_eq!(profile.id_at("/organization/id"), a.id);
    assert_eq!(profile.text_at("/role"), "platform_admin");
    assert!(profile.json["member_id"].is_null(), "{profile}");
    assert_eq!(profile.id_at("/acting/organization_id"), a.id);
    assert_eq!(profile.text_at("/acting/reason"), "Ticket 4711");

    // The rights of an owner, but no platform work meanwhile.
    admin.get(&inside(a.id, "/members")).await.expect(200);
    let role = json!({"role": "owner"});
    admin.patch(&inside(a.id, &format!("/members/{}", a.subject.membership)), role).await.expect(200);
    admin.get("/v1/accounts").await.expect(403).problem("forbidden");
    act(&admin, b.id).await.expect(403).problem("forbidden");
    // A role of the platform's can't be given in a tenant.
    let role = json!({"role": "platform_admin"});
    admin.patch(&inside(a.id, &format!("/members/{}", a.subject.membership)), role).await.expect(422);

    // Nothing of B, and nothing for the administrator's other sessions.
    admin.get(&inside(b.id, "/members")).await.expect(404).problem("not_found");
    let foreign = inside(a.id, &format!("/members/{}", b.subject.membership));
    admin.get(&foreign).await.expect(404).problem("not_found");
    world.platform.get(&inside(a.id, "/members")).await.expect(404).problem("not_found");

    let stopped = admin.delete(STOP).await.expect(200);
    assert_eq!(stopped.id_at("/organization_id"), Uuid::from(entity::OrganizationId::PLATFORM));
    admin.get(&inside(a.id, "/members")).await.expect(403).problem("acting_ended");
    admin.get("/v1/accounts").await.expect(200);
    assert!(admin.get("/v1/me").await.expect(200).json["acting"].is_null());
    admin.delete(STOP).await.expect(404).problem("not_found");
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn only_an_administrator_of_the_platform_may_and_only_in_a_tenant_that_is_not_theirs() {
    let world = World::open().await;
    let a = &world.a;
    for person in [&a.owner, &a.member, &world.b.owner] {
        act(person, a.id).await.expect(403).problem("forbidden");
    }
    let admin = world.platform_session().await;
    act(&admin, world.closed).await.expect(404).problem("not_found");
    act(&admin, Uuid::from_u128(7)).await.expect(404).problem("not_found");
    act(&admin, entity::OrganizationId::PLATFORM.into()).await.expect(409).problem("already_member");
    let own = admin.post("/v1/organizations", json!({"name": "Own"})).await.expect(201).id_at("/id");
    act(&admin, own).await.expect(409).problem("already_member");
    for reason in ["", "\u{7}", &"x".repeat(501)] {
        admin.post(&inside(a.id, "/act-in"), json!({"reason": reason})).await.expect(422);
    }
    admin.post(&inside(a.id, "/act-in"), json!({"reason": "  "})).await.expect(422);
    admin.post(&inside(a.id, "/act-in"), json!({})).await.expect(422);
    assert!(accesses(a).await.is_empty());
    world.close().await;
}

/// Proves AZ-2, AUT-7.
#[tokio::test]
async fn it_takes_a_recent_authentication_even_if_the_reason_takes_its_time() {
    let world = World::configured(&[("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")]).await;
    let admin = world.platform_session().await;
    world.server.advance(TimeDelta::minutes(6));
    act(&admin, world.a.id).await.expect(403).problem("reauthentication_required");
    admin.post("/v1/session/reauthenticate", json!({"password": PASSWORD})).await.expect(200);
    // The window closes while the body is on its way: the request began in time.
    let body = json!({"reason": "Ticket 4711"}).to_string();
    let slow = Slow::begin(&world, &admin, ("POST", &inside(world.a.id, "/act-in")), &body).await;
    world.server.advance(TimeDelta::minutes(6));
    let answer = slow.finish().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    world.close().await;
}

/// Proves AZ-2, AUD-2.
#[tokio::test]
async fn both_records_have_it_and_whatever_is_done_meanwhile_names_it() {
    let world = World::open().await;
    let (a, platform) = (&world.a, entity::OrganizationId::PLATFORM.into());
    let admin = world.acting_in(a.id).await;
    let access = admin.get("/v1/me").await.expect(200).text_at("/acting/id").to_owned();
    admin.patch(&inside(a.id, ""), json!({"name": "Renamed by support"})).await.expect(200);
    admin.get("/v1/accounts").await.expect(403);
    world.server.flush_refusals().await;
    admin.delete(STOP).await.expect(200);

    for home in [a.id, platform] {
        for (event, severity) in [("organization.acting_started", "high"), ("organization.acting_ended", "medium")] {
            let found = entries(&world, event, home).await;
            assert_eq!(found.len(), 1, "{event} in {home}: {found:?}");
            let entry = &found[0];
            assert_eq!((&entry["severity"], &entry["class"]), (&json!(severity), &json!("security")));
            assert_eq!(entry["actor_id"], world.platform.account.to_string());
            assert_eq!(entry["target_id"], access);
            assert_eq!(entry["metadata"]["acting"], access);
            assert_eq!(entry["metadata"]["organization"], a.id.to_string());
        }
    }
    let started = &entries(&world, "organization.acting_started", a.id).await[0];
    // What somebody wrote is shown, and lies in the entry no more.
    assert!(started["metadata"]["reason"].is_null(), "{started}");
    let shown = a.admin.get(&inside(a.id, &format!("/audit/{}", started["id"].as_str().unwrap()))).await.expect(200);
    assert_eq!(shown.text_at("/metadata/reason"), "Ticket 4711");
    assert_eq!(entries(&world, "organization.acting_ended", a.id).await[0]["metadata"]["reason"], "stopped");
    let renamed = &entries(&world, "organization.updated", a.id).await[0];
    assert_eq!(renamed["metadata"]["acting"], access);
    let refused = entries(&world, "access.refused", a.id).await;
    assert!(refused.iter().any(|entry| entry["metadata"]["acting"] == access), "{refused:?}");

    // The tenant's administrators read it, with the person's name, by the access.
    let query = inside(a.id, &format!("/audit?text={access}"));
    let seen = a.admin.get(&query).await.expect(200);
    let events: Vec<_> = seen.items().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    for event in ["organization.acting_started", "organization.updated", "organization.acting_ended"] {
        assert!(events.contains(&event), "{event} not in {events:?}");
    }
    assert_eq!(seen.items()[0]["actor"]["name"], "Platform");
    // What others do does not.
    a.admin.patch(&inside(a.id, ""), json!({"name": "Renamed again"})).await.expect(200);
    let renamed = entries(&world, "organization.updated", a.id).await;
    assert!(renamed[1]["metadata"].get("acting").is_none(), "{renamed:?}");
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn the_tenants_administrators_see_who_is_and_was_with_them() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let first = world.acting_in(a.id).await;
    let running = accesses(a).await;
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["account"], json!({"id": world.platform.account, "name": "Platform"}));
    assert_eq!(running[0]["reason"], "Ticket 4711");
    assert!(running[0]["ended_at"].is_null(), "{running:?}");
    first.delete(STOP).await.expect(200);
    world.acting_in(a.id).await;
    let both = accesses(a).await;
    assert_eq!((both.len(), &both[1]["end_reason"]), (2, &json!("stopped")));
    a.auditor.get(&inside(a.id, "/platform-access")).await.expect(200);
    a.manager.get(&inside(a.id, "/platform-access")).await.expect(403).problem("forbidden");
    assert!(accesses(b).await.is_empty());
    world.close().await;
}

/// Proves AZ-2, SES-4.
#[tokio::test]
async fn it_ends_by_the_clock_on_every_instance() {
    let world = World::open().await;
    let a = &world.a;
    let other = Server::start(&world.database).await;
    let admin = world.acting_in(a.id).await;
    let there = admin.at_server_of(other.nobody());
    soon("the other instance knows", async || there.get(&inside(a.id, "/members")).await.status == 200).await;
    for server in [&world.server, &other] {
        server.advance(TimeDelta::minutes(29));
    }
    admin.get(&inside(a.id, "/members")).await.expect(200);
    there.get(&inside(a.id, "/members")).await.expect(200);
    for server in [&world.server, &other] {
        server.advance(TimeDelta::minutes(1));
    }
    // At once, from what both had in their caches.
    admin.get(&inside(a.id, "/members")).await.expect(403).problem("acting_ended");
    there.get(&inside(a.id, "/members")).await.expect(403).problem("acting_ended");
    admin.get("/v1/accounts").await.expect(200);
    let over = accesses(a).await;
    assert_eq!((&over[0]["end_reason"], &over[0]["ended_at"]), (&json!("expired"), &over[0]["expires_at"]));

    // The record gets its end once, whoever writes it.
    tokio::join!(close_finished(&world.server), close_finished(&other));
    for home in [a.id, entity::OrganizationId::PLATFORM.into()] {
        let ended = entries(&world, "organization.acting_ended", home).await;
        assert_eq!(ended.len(), 1, "{ended:?}");
        assert_eq!((&ended[0]["actor_type"], &ended[0]["metadata"]["reason"]), (&json!("system"), &json!("expired")));
    }
    // Another half hour is another access, with its own reason.
    act(&admin, a.id).await.expect(200);
    assert_eq!(accesses(a).await.len(), 2);
    other.stop().await;
    world.close().await;
}

/// Proves AZ-2, SES-4.
#[tokio::test]
async fn it_ends_with_the_authority_that_it_stands_on() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Owner).await;
    let (in_a, in_b) = (world.acting_in(a.id).await, world.acting_in(b.id).await);
    b.owner.delete(&inside(b.id, "")).await.expect(204);
    soon("a deleted organisation is closed", async || {
        in_b.get(&inside(b.id, "/members")).await.problem_code() == Ok("acting_ended")
    })
    .await;
    in_a.get(&inside(a.id, "/members")).await.expect(200);
    let demote = format!(
        "UPDATE memberships SET role = 'owner' WHERE organization_id = platform_organization() AND account_id = '{}'",
        world.platform.account
    );
    psql.run(&demote).await.unwrap();
    soon("a former administrator is out", async || {
        in_a.get(&inside(a.id, "/members")).await.problem_code() == Ok("acting_ended")
    })
    .await;
    in_a.delete(STOP).await.expect(404);
    close_finished(&world.server).await;
    assert_eq!(accesses(a).await[0]["end_reason"], "authority_lost");
    let reasons = format!("SELECT end_reason FROM platform_access WHERE organization_id = '{}'", b.id);
    assert_eq!(psql.text(&reasons).await, "organization_deleted");

    let promote = demote.replace("'owner'", "'platform_admin'");
    psql.run(&promote).await.unwrap();
    let third = eventually("the administrator is back", Duration::from_secs(1), async || {
        let admin = world.platform_session().await;
        (act(&admin, a.id).await.status == 200).then_some(admin)
    })
    .await;
    third.delete("/v1/session").await.expect(204);
    close_finished(&world.server).await;
    assert_eq!(accesses(a).await[0]["end_reason"], "session_ended");
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn going_to_another_organisation_ends_it() {
    let world = World::open().await;
    let a = &world.a;
    let admin = world.platform_session().await;
    let own = admin.post("/v1/organizations", json!({"name": "Own"})).await.expect(201).id_at("/id");
    act(&admin, a.id).await.expect(200);
    admin.post("/v1/session/organization", json!({"organization_id": own})).await.expect(200);
    admin.get(&inside(own, "/members")).await.expect(200);
    admin.get(&inside(a.id, "/members")).await.expect(403).problem("acting_ended");
    assert_eq!(accesses(a).await[0]["end_reason"], "switched");
    assert_eq!(entries(&world, "organization.acting_ended", a.id).await[0]["metadata"]["reason"], "switched");
    assert_eq!(entries(&world, "organization.entered", own).await.len(), 1);
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn of_two_starts_at_the_same_moment_one_wins() {
    let world = World::open().await;
    let admin = world.platform_session().await;
    let starts = (0..8).map(|at| act(&admin, if at % 2 == 0 { world.a.id } else { world.b.id }));
    let answers = join_all(starts).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{answers:?}");
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        // By the time that it was judged, the session was elsewhere already, or it lost the race for the session.
        let code = lost.problem_code();
        assert!([Ok("already_acting"), Ok("forbidden")].contains(&code), "{lost}");
    }
    assert_eq!(accesses(&world.a).await.len() + accesses(&world.b).await.len(), 1);
    world.close().await;
}

/// Proves AZ-8, AZ-2.
#[tokio::test]
async fn an_invitation_from_somebody_who_acts_is_worth_something_while_they_do() {
    let world = World::open().await;
    let a = &world.a;
    let admin = world.acting_in(a.id).await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "role": "owner"});
        admin.post(&inside(a.id, "/invitations"), body).await.expect(201);
        world.database.mail().take_token(email).await
    };
    let (in_time, late) = (invite("in-time@example.com").await, invite("late@example.com").await);
    let accept = |token: &str| json!({"token": token, "name": "Grace", "password": PASSWORD, "token_delivery": "body"});
    let nobody = world.server.nobody();
    nobody.post("/v1/invitations/accept", accept(&in_time)).await.expect(201);
    admin.delete(STOP).await.expect(200);
    nobody.post("/v1/invitations/accept", accept(&late)).await.expect(404).problem("invitation_not_valid");
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn the_access_token_says_so_and_ends_with_it() {
    let world = World::configured(&[("FREEHOLD_TOKENS_ACCESS_LIFETIME", "60m")]).await;
    let claims = |answer: &Answer| -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let content = answer.text_at("/access_token").split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(content).unwrap()).unwrap()
    };
    let admin = world.platform_session().await;
    let started = act(&admin, world.a.id).await.expect(200);
    let acting = claims(&started);
    let access = admin.get("/v1/me").await.expect(200).text_at("/acting/id").to_owned();
    assert_eq!((&acting["org"], &acting["role"]), (&json!(world.a.id), &json!("platform_admin")));
    assert_eq!(acting["acting"], access);
    let lasts = acting["exp"].as_i64().unwrap() - acting["iat"].as_i64().unwrap();
    assert!(lasts <= 1800, "{acting}");
    let stopped = claims(&admin.delete(STOP).await.expect(200));
    assert!(stopped.get("acting").is_none(), "{stopped}");
    assert_ne!(stopped["org"], json!(world.a.id));
    world.close().await;
}

/// Proves AZ-9, AZ-2.
#[tokio::test]
async fn the_database_shows_a_tenant_its_own_accesses_only_and_nobody_rewrites_them() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    world.acting_in(a.id).await;
    world.acting_in(b.id).await;
    let mut psql = world.database.psql(Login::Application).await;
    let all = "SELECT count(*) FROM platform_access";
    assert_eq!(psql.number(all).await, 0);
    psql.act(Some(a.id), Some(a.owner.account)).await;
    assert_eq!(psql.number(all).await, 1);
    assert_eq!(psql.number(&format!("{all} WHERE organization_id = '{}'", a.id)).await, 1);
    // Not even its end, by somebody else.
    let end = "UPDATE platform_access SET ended_at = now(), end_reason = 'stopped'";
    assert_eq!(psql.run(end).await.unwrap(), 0);
    psql.run("UPDATE platform_access SET reason = 'none'").await.unwrap_err();
    psql.run("DELETE FROM platform_access").await.unwrap_err();
    let forged = format!(
        "INSERT INTO platform_access (id, organization_id, account_id, session_id, reason, started_at, expires_at)
         VALUES (gen_random_uuid(), '{}', '{}', '{}', 'forged', now(), now() + interval '1 hour')",
        a.id, a.owner.account, a.owner.session
    );
    psql.run(&forged).await.unwrap_err();
    // The person sees where they are, and which organisation that is.
    psql.act(None, Some(world.platform.account)).await;
    assert_eq!(psql.number(all).await, 2);
    let visible = format!("SELECT count(*) FROM organizations WHERE id IN ('{}', '{}')", a.id, b.id);
    assert_eq!(psql.number(&visible).await, 2);
    psql.act(None, Some(a.owner.account)).await;
    assert_eq!((psql.number(all).await, psql.number(&visible).await), (0, 1));
    // The platform's own role changes nothing of what was begun either.
    let mut platform = world.database.psql(Login::Platform).await;
    platform.run("UPDATE platform_access SET expires_at = now() + interval '1 year'").await.unwrap_err();
    platform.run("DELETE FROM platform_access").await.unwrap_err();
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn an_access_that_a_request_began_with_does_not_outlive_a_slow_body() {
    let world = World::open().await;
    let a = &world.a;
    let admin = world.acting_in(a.id).await;
    let body = json!({"name": "Too late"}).to_string();
    let slow = Slow::begin(&world, &admin, ("PATCH", &inside(a.id, "")), &body).await;
    world.server.advance(TimeDelta::minutes(31));
    let answer = slow.finish().await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("acting_ended"), "{answer}");
    world.close().await;
}
