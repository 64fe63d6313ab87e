//! A key that opens nothing any more opens nothing anywhere.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{path, service};
use crate::{
    harness::{Actor, Proxy, Server, eventually},
    world::World,
};

/// No request that begins later than this after the change was answered is let through.
const BOUND: Duration = Duration::from_secs(1);

/// Asks until the answer has another status than 200, and says how long after `changed` the last good request began.
async fn refused(actor: &Actor, path: &str, status: u16, changed: Instant) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let answer = actor.get(path).await;
        if answer.status != 200 {
            answer.expect(status);
            return last;
        }
        last = begun.saturating_duration_since(changed);
        assert!(last <= BOUND, "let through for {last:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn every_change_is_known_there(cut: bool) {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let members = path(&world.a, "members");
    let mut all = Vec::new();
    for name in ["revoked", "disabled", "demoted", "deleted"] {
        all.push((name, service(&world.a, name, "manager").await));
    }
    let closing = service(&world.b, "closed", "manager").await;
    let of_b = path(&world.b, "members");
    for (_, robot) in &all {
        robot.actor.at_server_of(second.nobody()).get(&members).await.expect(200);
    }
    closing.actor.at_server_of(second.nobody()).get(&of_b).await.expect(200);
    // Longer than a heartbeat, so that the channel is proven and answers come from memory.
    tokio::time::sleep(Duration::from_millis(600)).await;
    for (_, robot) in &all {
        robot.actor.at_server_of(second.nobody()).get(&members).await.expect(200);
    }
    if cut {
        proxy.cut();
    }
    for (what, robot) in &all {
        let owner = &world.a.owner;
        match *what {
            "revoked" => owner.delete(&format!("{}/keys/{}", robot.path, robot.key_id)).await.expect(204),
            "disabled" => owner.post_nothing(&format!("{}/disable", robot.path)).await.expect(200),
            "demoted" => owner.patch(&robot.path, json!({"role": "member"})).await.expect(200),
            _ => owner.delete(&robot.path).await.expect(204),
        };
        let changed = Instant::now();
        // Here it is known before the answer is.
        let status = if *what == "demoted" { 403 } else { 401 };
        robot.actor.get(&members).await.expect(status);
        let there = robot.actor.at_server_of(second.nobody());
        println!("{what}, cut {cut}: let through for {:?}", refused(&there, &members, status, changed).await);
    }
    world.b.owner.delete(of_b.trim_end_matches("/members")).await.expect(204);
    let changed = Instant::now();
    let there = closing.actor.at_server_of(second.nobody());
    println!("organisation closed, cut {cut}: {:?}", refused(&there, &of_b, 401, changed).await);
    proxy.restore();
    second.stop().await;
    world.close().await;
}

/// Proves SES-6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_over_is_refused_on_every_instance_at_once() {
    every_change_is_known_there(false).await;
}

/// Proves SES-6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_over_is_refused_within_a_second_where_the_channel_is_cut() {
    every_change_is_known_there(true).await;
}

/// Proves SES-6.
#[tokio::test]
async fn a_disabled_account_comes_back_with_the_keys_that_it_had() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let robot = service(&world.a, "Robot", "manager").await;
    let members = path(&world.a, "members");
    let there = robot.actor.at_server_of(second.nobody());
    for (act, status) in [("disable", 401), ("enable", 200), ("disable", 401), ("enable", 200)] {
        world.a.owner.post_nothing(&format!("{}/{act}", robot.path)).await.expect(200);
        robot.actor.get(&members).await.expect(status);
        eventually(act, BOUND, async || (there.get(&members).await.status == status).then_some(())).await;
    }
    second.stop().await;
    world.close().await;
}
