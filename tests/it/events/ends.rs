//! A stream ends with whatever opened it: on another instance, and whatever becomes of notifications there.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::json;

use super::{path, stream::Stream};
use crate::{
    harness::{Actor, Answer, PASSWORD, Proxy, Server},
    world::{Person, World},
};

/// How soon it is closed after the change was answered (NET-12).
const BOUND: Duration = Duration::from_secs(1);

/// What a busy machine may add until the frame is read here.
const BUSY: Duration = Duration::from_millis(500);

/// What happens to the second instance's notification channel just before the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Healthy,
    Cut,
    Frozen,
}

type Act<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// A change on the first instance, whose stream it ends on the second, and the code.
struct Change<'a> {
    what: &'static str,
    watcher: Actor,
    code: u16,
    act: Act<'a>,
}

async fn sign_in(world: &World, person: &Person) -> Actor {
    let body = json!({"email": person.email, "password": PASSWORD, "token_delivery": "body"});
    let answer = world.server.nobody().post("/v1/sessions", body).await.expect(201);
    world.server.bearer(answer.text_at("/access_token"))
}

/// A member who has become an administrator: somebody who may watch, and can lose it.
async fn promoted(world: &World, person: &Person) -> Actor {
    let member = path(&world.a, &format!("members/{}", person.membership));
    world.a.owner.patch(&member, json!({"role": "admin"})).await.expect(200);
    (**person).clone()
}

/// Every way to lose a stream, each happening to somebody else's.
async fn changes(world: &World) -> Vec<Change<'_>> {
    let (a, b) = (&world.a, &world.b);
    let member = |person: &Person| path(a, &format!("members/{}", person.membership));
    let signed_out = sign_in(world, &a.owner).await;
    let (ended, ending) = (sign_in(world, &a.admin).await, sign_in(world, &a.admin).await);
    let session = ended.get("/v1/me").await.expect(200).text_at("/session/id").to_owned();
    let (changed, changing) = (sign_in(world, &b.admin).await, sign_in(world, &b.admin).await);
    let acting = world.acting_in(b.id).await;
    let robots = path(a, "service-accounts");
    let robot = a.owner.post(&robots, json!({"name": "SIEM", "role": "admin"})).await.expect(201).id_at("/id");
    let keys = format!("{robots}/{robot}/keys");
    let key = a.owner.post(&keys, json!({"name": "First"})).await.expect(201);
    let revoke = format!("{keys}/{}", key.id_at("/api_key/id"));
    let block = format!("/v1/accounts/{}/block", a.member.account);
    let new = |what, watcher: &Actor, code, act| Change { what, watcher: watcher.clone(), code, act };
    let blocked = promoted(world, &a.member).await;
    let demoted = promoted(world, &a.manager).await;
    let suspended = promoted(world, &a.subject).await;
    let (out, off) = (signed_out.clone(), acting.clone());
    vec![
        new("signed out", &signed_out, 4401, Box::pin(async move { out.delete("/v1/session").await })),
        new("session ended", &ended, 4401, {
            Box::pin(async move { ending.delete(&format!("/v1/me/sessions/{session}")).await })
        }),
        new("password changed", &changed, 4401, {
            let body = json!({"current_password": PASSWORD, "password": "Granite-orchard-47"});
            Box::pin(async move { changing.request(reqwest::Method::PUT, "/v1/me/password").json(&body).send().await })
        }),
        new("account blocked", &blocked, 4401, {
            Box::pin(async move { world.platform.post(&block, json!({"reason": "Left"})).await })
        }),
        new("key revoked", &world.server.bearer(key.text_at("/key")), 4401, {
            Box::pin(async move { a.owner.delete(&revoke).await })
        }),
        new("acting ended", &acting, 4403, Box::pin(async move { off.delete("/v1/session/acting").await })),
        new("member demoted", &demoted, 4403, {
            let path = member(&a.manager);
            Box::pin(async move { a.owner.patch(&path, json!({"role": "manager"})).await })
        }),
        new("member blocked", &suspended, 4403, {
            let path = member(&a.subject);
            Box::pin(async move { a.owner.patch(&path, json!({"status": "blocked"})).await })
        }),
        new("member removed", &a.auditor, 4403, {
            let path = member(&a.auditor);
            Box::pin(async move { a.owner.delete(&path).await })
        }),
        new("organisation deleted", &b.auditor, 4403, {
            Box::pin(async move { b.owner.delete(&format!("/v1/organizations/{}", b.id)).await })
        }),
    ]
}

async fn every_stream_ends(channel: Channel) {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let mut watched = Vec::new();
    for Change { what, watcher, code, act } in changes(&world).await {
        let stream = Stream::open(&watcher.at_server_of(second.nobody())).await;
        watched.push((what, code, stream, act));
    }
    let mut untouched = Stream::open(&world.a.owner.at_server_of(second.nobody())).await;
    // Longer than a heartbeat, so that the channel is proven and answers come from memory.
    tokio::time::sleep(Duration::from_millis(600)).await;
    match channel {
        Channel::Healthy => {}
        Channel::Cut => proxy.cut(),
        Channel::Frozen => proxy.freeze(),
    }
    let mut closing = Vec::new();
    for (what, code, mut stream, act) in watched {
        let reading = tokio::spawn(async move { (stream.closed().await, Instant::now()) });
        let answer = act.await;
        assert!((200..300).contains(&answer.status), "{what}: {answer}");
        closing.push((what, code, Instant::now(), reading));
    }
    for (what, code, changed, reading) in closing {
        let (closed, at) = reading.await.unwrap();
        let after = at.saturating_duration_since(changed);
        println!("{what}, channel {channel:?}: closed with {closed} after {after:?}");
        assert_eq!(closed, code, "{what}");
        assert!(after <= BOUND + BUSY, "{what}, channel {channel:?}: closed after {after:?}");
    }
    proxy.restore();
    // Nobody else's has ended, and it has missed nothing.
    let told = untouched.collect(1).await;
    assert!(told.iter().any(|entry| entry["event"] == "member.removed"), "{told:?}");
    second.stop().await;
    world.close().await;
}

/// Proves NET-12, SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_access_is_disconnected_from_another_instance() {
    every_stream_ends(Channel::Healthy).await;
}

/// Proves NET-12, SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_access_is_disconnected_where_the_channel_is_cut() {
    every_stream_ends(Channel::Cut).await;
}

/// Proves NET-12, SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_access_is_disconnected_where_the_channel_hangs() {
    every_stream_ends(Channel::Frozen).await;
}

/// Proves NET-12.
#[tokio::test]
async fn a_stream_outlives_its_token_and_not_its_session_or_organisation() {
    let world = World::open().await;
    let (owner, other) = (sign_in(&world, &world.a.owner).await, sign_in(&world, &world.a.owner).await);
    let mut stream = Stream::open(&owner).await;
    // The access tokens of tests live for an hour.
    world.server.advance(TimeDelta::minutes(61));
    owner.get("/v1/me").await.expect(401);
    let team = path(&world.a, "teams");
    let fresh = sign_in(&world, &world.a.owner).await;
    fresh.post(&team, json!({"name": "Later"})).await.expect(201);
    while !stream.entries().await.iter().any(|entry| entry["event"] == "team.created") {}
    world.server.advance(TimeDelta::days(31));
    assert_eq!(stream.closed().await, 4401, "the session has ended by time");
    drop(other);

    // A session that goes to another organisation takes its streams from the first.
    let administrator = world.platform_session().await;
    let own = administrator.post("/v1/organizations", json!({"name": "Own"})).await.expect(201).id_at("/id");
    let mut stream = Stream::open(&administrator).await;
    administrator.post("/v1/session/organization", json!({"organization_id": own})).await.expect(200);
    assert_eq!(stream.closed().await, 4403);
    Stream::open(&administrator).await.leave().await;
    world.close().await;
}
