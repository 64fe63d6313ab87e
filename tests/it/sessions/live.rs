//! Access that ends on one instance has ended on all.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::sign_in;
use crate::{
    harness::{Actor, Answer, PATIENCE, Proxy, Server, eventually},
    world::World,
};

/// No request that begins later than this after the change was answered is let through (SES-4). There is no allowance
/// for a busy machine: it is the request's beginning that counts, not when its answer arrives.
const BOUND: Duration = Duration::from_secs(1);

/// How often each person asks, so that what the instance remembers of them is always fresh.
const PACE: Duration = Duration::from_millis(20);

/// How long we go on asking once access is lost and the channel is back: it must not come back with it.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// What happens to the second instance's notification channel just before the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Healthy,
    Cut,
    Frozen,
}

/// Somebody who asks the second instance for the same thing again and again.
struct Watch {
    what: &'static str,
    seen: Arc<Mutex<Vec<(Instant, u16)>>>,
    stop: CancellationToken,
    asking: tokio::task::JoinHandle<()>,
}

impl Watch {
    fn begin(what: &'static str, actor: Actor, path: String) -> Self {
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let (into, stopped) = (seen.clone(), stop.clone());
        let asking = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                let begun = Instant::now();
                let answer = actor.get(&path).await;
                into.lock().unwrap().push((begun, answer.status));
                tokio::time::sleep(PACE).await;
            }
        });
        Self { what, seen, stop, asking }
    }

    fn count(&self, status: impl Fn(u16) -> bool) -> usize {
        self.seen.lock().unwrap().iter().filter(|(_, seen)| status(*seen)).count()
    }

    /// Ends it, and says how long after `changed` the last request began that was let through.
    async fn end(self, changed: Instant, refusal: u16) -> Duration {
        self.stop.cancel();
        self.asking.await.unwrap();
        let seen = self.seen.lock().unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = seen.iter().partition(|(_, status)| *status == 200);
        let other = bad.iter().find(|(_, status)| *status != refusal);
        assert!(other.is_none(), "{}: refused with {other:?}", self.what);
        let last = good.last().map_or(Duration::ZERO, |(begun, _)| begun.saturating_duration_since(changed));
        println!("{}: let through for {last:?}", self.what);
        last
    }
}

type Act<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// A change on the first instance, and what is watched on the second: who, what they ask, the answer once it is over.
struct Change<'a> {
    what: &'static str,
    who: &'a Actor,
    asks: String,
    refusal: u16,
    act: Act<'a>,
}

/// Every way to lose access, each happening to somebody else.
fn changes(world: &World) -> Vec<Change<'_>> {
    let (a, b) = (&world.a, &world.b);
    let of_a = |rest: &str| format!("/v1/organizations/{}/{rest}", a.id);
    let member = |id: uuid::Uuid| format!("/v1/organizations/{}/members/{id}", a.id);
    let patch = |id: uuid::Uuid, body| -> Act<'_> {
        let path = member(id);
        Box::pin(async move { a.owner.patch(&path, body).await })
    };
    let remove = member(a.auditor.membership);
    let block = format!("/v1/accounts/{}/block", b.member.account);
    let close = format!("/v1/organizations/{}", b.id);
    // The first needs nothing of the database but to know who asks, the second a lot.
    let (roles, me) = ("/v1/roles".to_owned(), "/v1/me".to_owned());
    let new = |what, who, asks, refusal, act| Change { what, who, asks, refusal, act };
    vec![
        new("signed out", &a.member, roles, 401, Box::pin(a.member.delete("/v1/session"))),
        new("account blocked", &b.member, me, 401, {
            Box::pin(async move { world.platform.post(&block, json!({"reason": "Left"})).await })
        }),
        new("member blocked", &a.subject, member(a.subject.membership), 404, {
            patch(a.subject.membership, json!({"status": "blocked"}))
        }),
        new("member demoted", &a.manager, of_a("members"), 403, patch(a.manager.membership, json!({"role": "member"}))),
        new("member removed", &a.auditor, of_a("audit"), 404, Box::pin(async move { a.owner.delete(&remove).await })),
        new("organisation deleted", &b.manager, format!("/v1/organizations/{}/members", b.id), 404, {
            Box::pin(async move { b.owner.delete(&close).await })
        }),
    ]
}

/// Everybody works on the second instance, the channel breaks, and on the first they lose access one after the other.
async fn everybody_loses_access(channel: Channel) {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let mut watched = Vec::new();
    for change in changes(&world) {
        let watch = Watch::begin(change.what, change.who.at_server_of(second.nobody()), change.asks);
        watched.push((watch, change.refusal, change.act));
    }
    for (watch, ..) in &watched {
        // Longer than a heartbeat, so that the channel is proven and answers come from memory.
        eventually(watch.what, PATIENCE, async || (watch.count(|s| s == 200) >= 20).then_some(())).await;
    }
    match channel {
        Channel::Healthy => {}
        Channel::Cut => proxy.cut(),
        Channel::Frozen => proxy.freeze(),
    }
    let mut changed = Vec::new();
    for (watch, refusal, act) in watched {
        let answer = act.await;
        assert!((200..300).contains(&answer.status), "{answer}");
        changed.push((watch, refusal, Instant::now()));
    }
    for (watch, refusal, _) in &changed {
        eventually(watch.what, Duration::from_secs(10), async || (watch.count(|s| s == *refusal) > 0).then_some(()))
            .await;
    }
    proxy.restore();
    tokio::time::sleep(AFTERWARDS).await;
    for (watch, refusal, at) in changed {
        let what = watch.what;
        let last = watch.end(at, refusal).await;
        assert!(last <= BOUND, "{what}, channel {channel:?}: let through for {last:?}");
    }
    second.stop().await;
    world.close().await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_ends_on_every_instance_at_once() {
    everybody_loses_access(Channel::Healthy).await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_ends_within_a_second_on_an_instance_whose_channel_is_cut() {
    everybody_loses_access(Channel::Cut).await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_ends_within_a_second_on_an_instance_whose_channel_hangs() {
    everybody_loses_access(Channel::Frozen).await;
}

/// Proves SES-4.
#[tokio::test]
async fn signing_out_kills_the_access_token_everywhere_and_nothing_else() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let (here, there) = (world.server.nobody(), second.nobody());
    let email = &world.a.member.email;
    let (first, other) = (sign_in(here, email).await, sign_in(there, email).await);
    let gone = |answer: &Answer| [here, there].map(|nobody| nobody.bearing(answer.text_at("/access_token")));
    for actor in gone(&first).iter().chain(&gone(&other)) {
        actor.get("/v1/me").await.expect(200);
    }
    let signed_out = gone(&first)[0].delete("/v1/session").await.expect(204);
    assert_eq!(signed_out.text, "");
    gone(&first)[0].get("/v1/me").await.expect(401).problem("session_ended");
    let there_too = &gone(&first)[1];
    eventually("signed out there too", BOUND, async || (there_too.get("/v1/me").await.status == 401).then_some(()))
        .await;
    super::refresh(there, first.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    there_too.request(Method::DELETE, "/v1/session").send().await.expect(401);
    for actor in gone(&other) {
        actor.get("/v1/me").await.expect(200);
    }

    // And everywhere: all of them, seen from the instance where nothing was done.
    gone(&other)[0].delete("/v1/me/sessions").await.expect(204);
    for actor in [&gone(&other)[1], &world.a.member.at_server_of(there)] {
        eventually("signed out everywhere", BOUND, async || (actor.get("/v1/me").await.status == 401).then_some(()))
            .await;
    }
    second.stop().await;
    world.close().await;
}

/// Proves SES-4.
#[tokio::test]
async fn an_administrators_word_counts_on_the_next_request_and_can_be_taken_back() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let subject = world.a.subject.at_server_of(second.nobody());
    let own = format!("/v1/organizations/{}/members/{}", world.a.id, world.a.subject.membership);
    let becomes = async |status: u16| {
        eventually("the other instance knows", BOUND, async || {
            (subject.get(&own).await.status == status).then_some(())
        })
        .await;
    };
    for (status, seen) in [("blocked", 404), ("active", 200), ("blocked", 404), ("active", 200)] {
        world.a.admin.patch(&own, json!({"status": status})).await.expect(200);
        becomes(seen).await;
    }
    // A blocked member is still a person, who belongs nowhere here.
    world.a.admin.patch(&own, json!({"status": "blocked"})).await.expect(200);
    becomes(404).await;
    let me = subject.get("/v1/me").await.expect(200);
    assert_eq!((&me.json["organization"], &me.json["role"]), (&json!(null), &json!(null)));
    let into = json!({"organization_id": world.a.id});
    subject.post("/v1/session/organization", into).await.expect(404).problem("not_found");

    // Ending somebody's sessions and blocking them are the platform's.
    let account = format!("/v1/accounts/{}", world.a.subject.account);
    world.platform.delete(&format!("{account}/sessions")).await.expect(204);
    eventually("ended", BOUND, async || (subject.get("/v1/me").await.status == 401).then_some(())).await;
    world.platform.post(&format!("{account}/block"), json!({"reason": "Left"})).await.expect(200);
    let body = json!({"email": world.a.subject.email, "password": crate::harness::PASSWORD, "token_delivery": "body"});
    second.nobody().post("/v1/sessions", body.clone()).await.expect(401).problem("invalid_credentials");
    world.platform.post_nothing(&format!("{account}/unblock")).await.expect(200);
    second.nobody().post("/v1/sessions", body).await.expect(201);
    second.stop().await;
    world.close().await;
}
