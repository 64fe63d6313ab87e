//! A setting that is changed on one instance holds on all.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{PLATFORM, of};
use crate::{
    harness::{Actor, Answer, PATIENCE, Proxy, Server, eventually},
    world::World,
};

/// No request that begins later than this after the change was answered meets the old value.
const BOUND: Duration = Duration::from_secs(1);
/// How often is asked, so that what the instance remembers is always fresh.
const PACE: Duration = Duration::from_millis(20);
/// How long is asked once the channel is back: the old value must not come back with it.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// What happens to the second instance's notification channel just before the changes.
#[derive(Clone, Copy, Debug)]
enum Channel {
    Healthy,
    Cut,
    Frozen,
}

/// The same question asked of the second instance again and again.
struct Watch {
    what: &'static str,
    /// When each question was asked, and whether its answer was that of the old value.
    seen: Arc<Mutex<Vec<(Instant, bool)>>>,
    stop: CancellationToken,
    asking: tokio::task::JoinHandle<()>,
}

impl Watch {
    fn begin(what: &'static str, actor: Actor, path: String, old: fn(&Answer) -> bool) -> Self {
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let (into, stopped) = (seen.clone(), stop.clone());
        let asking = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                let begun = Instant::now();
                let old = old(&actor.get(&path).await);
                into.lock().unwrap().push((begun, old));
                tokio::time::sleep(PACE).await;
            }
        });
        Self { what, seen, stop, asking }
    }

    async fn until(&self, times: usize, old: bool) {
        let count = || self.seen.lock().unwrap().iter().filter(|(_, seen)| *seen == old).count();
        eventually(self.what, PATIENCE, async || (count() >= times).then_some(())).await;
    }

    /// Ends it, and says how long after `changed` the last question was asked that met the old value.
    async fn end(self, changed: Instant) -> Duration {
        self.stop.cancel();
        self.asking.await.unwrap();
        let seen = self.seen.lock().unwrap();
        let last = seen.iter().rfind(|(_, old)| *old).unwrap().0.saturating_duration_since(changed);
        println!("{}: the old value was met for {last:?}", self.what);
        last
    }
}

async fn holds_on_the_other_instance(channel: Channel) {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    // The members' sign-ins are older than the shortest life that can be set.
    let (a, older) = (&world.a, TimeDelta::minutes(20));
    world.server.advance(older);
    second.advance(older);
    let there = |actor: &Actor| actor.at_server_of(second.nobody());
    let set: [(&Actor, String, Value); 2] = [
        (&world.platform, PLATFORM.to_owned(), json!({"passwords": {"minimum_length": 30}})),
        (&a.owner, of(a), json!({"sessions": {"lifetime_minutes": 15}})),
    ];
    let watched = [
        Watch::begin("the platform's", second.nobody().clone(), "/v1/setup".to_owned(), |answer| {
            answer.json["password_rules"]["minimum_length"] == 12
        }),
        Watch::begin("an organisation's", there(&a.member), format!("/v1/organizations/{}", a.id), |answer| {
            assert!([200, 403].contains(&answer.status), "{answer}");
            answer.status == 200
        }),
    ];
    for watch in &watched {
        // Longer than a heartbeat, so that the channel is proven and answers come from memory.
        watch.until(20, true).await;
    }
    match channel {
        Channel::Healthy => {}
        Channel::Cut => proxy.cut(),
        Channel::Frozen => proxy.freeze(),
    }
    let mut changed = Vec::new();
    for (actor, path, body) in set {
        actor.patch(&path, body).await.expect(200);
        changed.push(Instant::now());
    }
    for watch in &watched {
        watch.until(1, false).await;
    }
    proxy.restore();
    tokio::time::sleep(AFTERWARDS).await;
    for (watch, at) in watched.into_iter().zip(changed) {
        let what = watch.what;
        let last = watch.end(at).await;
        assert!(last <= BOUND, "{what}, channel {channel:?}: the old value was met for {last:?}");
    }
    second.stop().await;
    world.close().await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_holds_on_every_instance_at_once() {
    holds_on_the_other_instance(Channel::Healthy).await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_holds_within_a_second_on_an_instance_whose_channel_is_cut() {
    holds_on_the_other_instance(Channel::Cut).await;
}

/// Proves SES-4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_holds_within_a_second_on_an_instance_whose_channel_hangs() {
    holds_on_the_other_instance(Channel::Frozen).await;
}
