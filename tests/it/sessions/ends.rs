//! Sessions that somebody else ends: one, a member's, an organisation's, everybody's.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{refresh, sign_in};
use crate::{
    harness::{Actor, Answer, Login, Proxy, Server, eventually},
    world::{Person, Tenant, World},
};

/// How late another instance may know (SES-4).
const BOUND: Duration = Duration::from_secs(1);
/// How soon the ends are in the rows: a worker comes round every five seconds.
const WRITTEN: Duration = Duration::from_secs(20);

fn of_member(tenant: &Tenant, member: &Person) -> String {
    format!("/v1/organizations/{}/members/{}/sessions", tenant.id, member.membership)
}

fn all_of(tenant: &Tenant) -> String {
    format!("/v1/organizations/{}/sessions/end", tenant.id)
}

fn ids(list: &Answer) -> Vec<Uuid> {
    list.items().iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// Waits until somebody is let in no more; returns how long it took.
async fn out(who: &Actor) -> Duration {
    let since = Instant::now();
    eventually("out", BOUND, async || (who.get("/v1/me").await.status == 401).then_some(())).await;
    since.elapsed()
}

/// Makes a member of A one of B as well.
async fn joins_b(world: &World, person: &Person) {
    let b = &world.b;
    let body = json!({"email": person.email, "role": "member"});
    b.owner.post(&format!("/v1/organizations/{}/invitations", b.id), body).await.expect(201);
    let token = world.database.mail().take_token(&person.email).await;
    person.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
}

/// A new session of a person.
async fn again(server: &Server, person: &Person) -> (Actor, Answer) {
    let answer = sign_in(server.nobody(), &person.email).await;
    (server.bearer(answer.text_at("/access_token")), answer)
}

async fn enter(actor: &Actor, tenant: &Tenant) -> Answer {
    actor.post("/v1/session/organization", json!({"organization_id": tenant.id})).await
}

/// The metadata of the last entry of this kind in an organisation's record.
async fn entry(world: &World, organization: Uuid, event: &str) -> Value {
    let mut psql = world.database.psql(Login::Owner).await;
    let sql = format!(
        "SELECT metadata::text AS text FROM audit_entries WHERE organization_id = '{organization}' AND event = '{event}'
         ORDER BY id DESC LIMIT 1"
    );
    serde_json::from_str(&psql.text(&sql).await).unwrap()
}

/// Proves SES-5, AZ-12.
#[tokio::test]
async fn an_administrator_ends_a_members_session_here_and_nothing_elsewhere() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let second = Server::start(&world.database).await;
    joins_b(&world, &a.member).await;
    let (here, signed_in) = again(&world.server, &a.member).await;
    let (elsewhere, _) = again(&world.server, &a.member).await;
    enter(&here, a).await.expect(200);
    enter(&elsewhere, b).await.expect(200);
    let (session, abroad) = (signed_in.id_at("/session/id"), elsewhere.get("/v1/me").await.id_at("/session/id"));

    let list = a.admin.get(&of_member(a, &a.member)).await.expect(200);
    assert_eq!(ids(&list), [session, a.member.session]);
    let first = &list.items()[0];
    assert_eq!((&first["user_agent"], &first["current"]), (&json!("freehold-it/1"), &json!(false)));
    assert!(first["created_at"].is_string() && first["last_seen_at"].is_string(), "{list}");
    // Where somebody is, only the organisation that manages the account sees.
    assert!(first.get("ip").is_none(), "{list}");
    let managed = a.admin.get(&of_member(a, &a.subject)).await.expect(200);
    assert_eq!(managed.items()[0]["ip"], "127.0.0.1", "{managed}");
    a.manager.get(&of_member(a, &a.member)).await.expect(403);

    let there = here.at_server_of(second.nobody());
    there.get("/v1/me").await.expect(200);
    a.admin.delete(&format!("{}/{session}", of_member(a, &a.member))).await.expect(204);
    here.get("/v1/me").await.expect(401).problem("session_ended");
    println!("one session, another instance: {:?}", out(&there).await);
    refresh(second.nobody(), signed_in.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    assert_eq!(entry(&world, a.id, "member.session_ended").await["account"], json!(a.member.account));
    let platform = entity::OrganizationId::PLATFORM.into();
    assert_eq!(entry(&world, platform, "session.ended").await["reason"], "ended_by_administrator");

    // What is in another organisation is none of theirs, nor is it touched by ending all.
    let of_b = format!("{}/{abroad}", of_member(a, &a.member));
    a.admin.delete(&of_b).await.expect(404).problem("not_found");
    a.admin.delete(&of_member(a, &a.member)).await.expect(204);
    a.member.get("/v1/me").await.expect(401);
    elsewhere.get("/v1/me").await.expect(200);
    assert_eq!(entry(&world, a.id, "member.sessions_ended").await["sessions"], 1);
    assert_eq!(entry(&world, platform, "account.sessions_ended").await["organization"], json!(a.id));

    // Nobody reaches above themselves, and the attempt is remembered.
    for path in [of_member(a, &a.owner), format!("{}/{}", of_member(a, &a.owner), a.owner.session)] {
        a.admin.delete(&path).await.expect(403).problem("role_above_own");
    }
    assert_eq!(entry(&world, a.id, "member.change_refused").await["code"], "role_above_own");
    a.owner.get("/v1/me").await.expect(200);
    second.stop().await;
    world.close().await;
}

/// Proves SES-5, AZ-12.
#[tokio::test]
async fn an_organisation_signs_everybody_out_at_once_and_keeps_who_did_it() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let second = Server::start(&world.database).await;
    joins_b(&world, &a.member).await;
    let (elsewhere, _) = again(&world.server, &a.member).await;
    enter(&elsewhere, b).await.expect(200);
    let acting = world.acting_in(a.id).await;
    let at_second = |person: &Person| person.at_server_of(second.nobody());
    let (member, owner, stranger) = (at_second(&a.member), at_second(&a.owner), at_second(&b.member));
    for who in [&member, &owner, &stranger] {
        who.get("/v1/me").await.expect(200);
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let live = format!("SELECT count(*) FROM sessions WHERE active_organization = '{}' AND ended_at IS NULL", a.id);
    let before = psql.number(&live).await;

    let ended = a.admin.post(&all_of(a), json!({})).await.expect(200);
    assert_eq!(ended.json["sessions"], before - 1);
    println!("an organisation, another instance: {:?}", out(&member).await);
    owner.get("/v1/me").await.expect(401).problem("session_ended");
    a.member.get("/v1/me").await.expect(401).problem("session_ended");
    for token in [&a.member.refresh_token, &a.owner.refresh_token] {
        refresh(second.nobody(), token).await.expect(401).problem("session_ended");
    }
    // Whoever did it goes on, also by their refresh token; so do others, keys, and who acts here by the platform's leave.
    a.admin.get("/v1/me").await.expect(200);
    stranger.get("/v1/me").await.expect(200);
    a.program.get(&format!("/v1/organizations/{}", a.id)).await.expect(200);
    acting.get(&format!("/v1/organizations/{}", a.id)).await.expect(200);
    assert_eq!(ids(&a.admin.get(&of_member(a, &a.owner)).await.expect(200)), [] as [Uuid; 0]);
    let entry = entry(&world, a.id, "organization.sessions_ended").await;
    assert_eq!((&entry["sessions"], &entry["own_kept"]), (&json!(before - 1), &json!(true)));

    // Who was elsewhere is there still, and comes in only with a new sign-in.
    elsewhere.get("/v1/me").await.expect(200);
    enter(&elsewhere, a).await.expect(403).problem("sign_in_again");
    let (new, _) = again(&world.server, &a.member).await;
    enter(&new, a).await.expect(200);
    new.get(&format!("/v1/organizations/{}", a.id)).await.expect(200);

    // A worker writes it into the rows, and only into those.
    eventually("the ends are written", WRITTEN, async || (psql.number(&live).await == 2).then_some(())).await;
    let reasons = "SELECT count(*) FROM sessions WHERE end_reason = 'ended_by_organization'";
    assert_eq!(psql.number(reasons).await, before - 1);
    // The second time the own one goes as well.
    a.admin.post(&all_of(a), json!({"keep_current": false})).await.expect(200);
    a.admin.get("/v1/me").await.expect(401);
    new.get("/v1/me").await.expect(401);
    second.stop().await;
    world.close().await;
}

/// Proves SES-5, SES-4.
#[tokio::test]
async fn the_platform_ends_one_session_a_tenants_and_everybodys_also_where_the_channel_is_cut() {
    let world = World::open().await;
    let (a, b, platform) = (&world.a, &world.b, &world.platform);
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let of_account = format!("/v1/accounts/{}/sessions", b.member.account);
    let (more, signed_in) = again(&world.server, &b.member).await;
    let list = platform.get(&of_account).await.expect(200);
    assert_eq!(ids(&list), [signed_in.id_at("/session/id"), b.member.session]);
    assert_eq!(list.items()[0]["ip"], "127.0.0.1");
    platform.get(&format!("/v1/accounts/{}/sessions", Uuid::nil())).await.expect(404);
    let of_a = format!("{of_account}/{}", a.member.session);
    platform.delete(&of_a).await.expect(404).problem("not_found");
    platform.delete(&format!("{of_account}/{}", signed_in.id_at("/session/id"))).await.expect(204);
    more.get("/v1/me").await.expect(401);
    b.member.get("/v1/me").await.expect(200);

    // A tenant's, by the platform: both have it in their record.
    let ended = platform.post(&format!("/v1/organizations/{}/end-sessions", b.id), json!({})).await.expect(200);
    assert!(ended.json["sessions"].as_u64().unwrap() >= 5, "{ended}");
    b.owner.get("/v1/me").await.expect(401);
    a.owner.get("/v1/me").await.expect(200);
    for organization in [b.id, entity::OrganizationId::PLATFORM.into()] {
        let entry = entry(&world, organization, "organization.sessions_ended").await;
        assert_eq!(entry["sessions"], ended.json["sessions"]);
    }
    platform.post(&format!("/v1/organizations/{}/end-sessions", Uuid::nil()), json!({})).await.expect(404);

    // Everybody's, and the other instance is deaf.
    let acting = world.acting_in(a.id).await;
    let there: Vec<Actor> = [&a.member, &a.admin].map(|person| person.at_server_of(second.nobody())).into();
    for who in there.iter().chain([&acting]) {
        eventually("known", BOUND, async || (who.get("/v1/me").await.status == 200).then_some(())).await;
    }
    proxy.freeze();
    platform.post("/v1/sessions/end", json!({})).await.expect(200);
    for who in &there {
        println!("everybody, an instance whose channel hangs: {:?}", out(who).await);
    }
    proxy.restore();
    acting.get("/v1/me").await.expect(401);
    platform.get("/v1/me").await.expect(200);
    // What began meanwhile or begins now stands.
    let (new, _) = again(&second, &a.member).await;
    new.get("/v1/me").await.expect(200);
    let entry = entry(&world, entity::OrganizationId::PLATFORM.into(), "session.ended_everywhere").await;
    assert_eq!(entry["own_kept"], true);
    second.stop().await;
    world.close().await;
}

/// Whoever has a session that is about to end moves it to and fro, so as to be in between.
///
/// Proves SES-5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_does_not_slip_through_by_entering_at_that_moment() {
    let world = World::open().await;
    let a = &world.a;
    joins_b(&world, &a.member).await;
    for _ in 0..4 {
        let mut slippery = Vec::new();
        for _ in 0..4 {
            slippery.push(again(&world.server, &a.member).await.0);
        }
        let moving = slippery.iter().map(|actor| async {
            for _ in 0..6 {
                enter(actor, a).await;
            }
        });
        let end = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            a.admin.post(&all_of(a), json!({})).await.expect(200)
        };
        tokio::join!(futures_util::future::join_all(moving), end);
        for actor in &slippery {
            let inside = actor.get(&format!("/v1/organizations/{}", a.id)).await;
            assert!(matches!(inside.status, 401 | 403), "{inside}");
        }
    }
    world.close().await;
}

/// Proves SES-5.
#[tokio::test]
async fn a_hundred_thousand_sessions_end_by_one_row_and_are_written_in_batches() {
    const MANY: i64 = 100_000;
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let add = format!(
        "INSERT INTO sessions (id, account_id, active_organization, delivery, factors, authenticated_at,
             reauthenticated_at, created_at, last_seen_at, expires_at)
         SELECT gen_random_uuid(), '{}', '{}', 'body', 'pwd', now(), now(), now(), now(), now() + interval '1 day'
         FROM generate_series(1, {MANY})",
        a.subject.account, a.id
    );
    assert_eq!(psql.run(&add).await.unwrap(), u64::try_from(MANY).unwrap());
    let begun = Instant::now();
    let ended = world.platform.post("/v1/sessions/end", json!({})).await.expect(200);
    println!("{} sessions ended in {:?}", ended.json["sessions"], begun.elapsed());
    assert!(ended.json["sessions"].as_i64().unwrap() > MANY);
    a.member.request(Method::GET, "/v1/me").send().await.expect(401);
    let left = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    eventually("written", Duration::from_secs(120), async || (psql.number(left).await == 1).then_some(())).await;
    println!("written after {:?}", begun.elapsed());
    eventually("and said so", WRITTEN, async || {
        (psql.number("SELECT count(*) FROM session_floors WHERE written").await == 1).then_some(())
    })
    .await;
    world.platform.get("/v1/me").await.expect(200);
    world.close().await;
}
