//! A change of what a custom role permits, and of who holds one, is in force on every instance: at once where it was made,
//! and within a second elsewhere, whatever becomes of notifications there.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{compose, give, path};
use crate::{
    harness::{Actor, Login, Proxy, Server, eventually},
    world::World,
};

/// How soon a change is in force elsewhere (AZ-6, SES-4).
const BOUND: Duration = Duration::from_secs(1);
/// What a busy machine may add.
const BUSY: Duration = Duration::from_millis(500);

/// What happens to the second instance's notification channel just before the change.
#[derive(Clone, Copy, Debug)]
enum Channel {
    Healthy,
    Cut,
    Frozen,
}

/// Who may list members by a custom role, by three ways, and how each loses that.
struct Holders {
    role: Uuid,
    team: Uuid,
    directly: Actor,
    by_team: Actor,
    program: Actor,
}

async fn holders(world: &World) -> Holders {
    let (a, owner) = (&world.a, &world.a.owner);
    let role = compose(owner, a, "Clerk", &["members_list"]).await;
    give(owner, a, &a.member, &[role]).await.expect(200);
    let team = json!({"name": "Front desk", "custom_role_ids": [role]});
    let team = owner.post(&path(a, "teams"), team).await.expect(201).id_at("/id");
    let place = path(a, &format!("teams/{team}/members/{}", a.subject.membership));
    owner.request(Method::PUT, &place).send().await.expect(204);
    let robots = path(a, "service-accounts");
    let robot = json!({"name": "Robot", "role": "member", "custom_role_ids": [role]});
    let robot = owner.post(&robots, robot).await.expect(201).id_at("/id");
    let key = owner.post(&format!("{robots}/{robot}/keys"), json!({"name": "Key"})).await.expect(201);
    let program = world.server.bearer(key.text_at("/key"));
    Holders { role, team, directly: (*a.member).clone(), by_team: (*a.subject).clone(), program }
}

async fn a_change_is_in_force_everywhere(channel: Channel) {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let Holders { role, team, directly, by_team, program } = holders(&world).await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let members = path(a, "members");
    let there = |actor: &Actor| actor.at_server_of(second.nobody());
    let everybody = [("directly", &directly), ("by a team", &by_team), ("a program", &program)];
    for (who, actor) in everybody {
        assert_eq!(there(actor).get(&members).await.status, 200, "{who}");
    }
    // Longer than a heartbeat, so that the channel is proven and answers come from memory.
    tokio::time::sleep(Duration::from_millis(600)).await;
    match channel {
        Channel::Healthy => {}
        Channel::Cut => proxy.cut(),
        Channel::Frozen => proxy.freeze(),
    }
    owner.patch(&path(a, &format!("roles/{role}")), json!({"permissions": ["teams_list"]})).await.expect(200);
    let changed = Instant::now();
    for (who, actor) in everybody {
        // Where it was made, at once.
        actor.get(&members).await.expect(403).problem("forbidden");
        eventually(who, BOUND + BUSY, async || (there(actor).get(&members).await.status == 403).then_some(())).await;
        println!("{who}, channel {channel:?}: in force after {:?}", changed.elapsed());
        assert!(changed.elapsed() <= BOUND + BUSY, "{who}, channel {channel:?}: after {:?}", changed.elapsed());
    }
    // Who holds it, as well.
    let teams = path(a, "teams");
    assert_eq!(there(&directly).get(&teams).await.status, 200);
    give(owner, a, &a.member, &[]).await.expect(200);
    owner.patch(&path(a, &format!("teams/{team}")), json!({"custom_role_ids": []})).await.expect(200);
    for (who, actor) in [("directly", &directly), ("by a team", &by_team)] {
        actor.get(&teams).await.expect(403).problem("forbidden");
        eventually(who, BOUND + BUSY, async || (there(actor).get(&teams).await.status == 403).then_some(())).await;
    }
    assert_eq!(there(&program).get(&teams).await.status, 200);
    owner.delete(&path(a, &format!("roles/{role}?holders=release"))).await.expect(204);
    program.get(&teams).await.expect(403).problem("forbidden");
    let gone = async || (there(&program).get(&teams).await.status == 403).then_some(());
    eventually("the program", BOUND + BUSY, gone).await;
    proxy.restore();
    second.stop().await;
    world.close().await;
}

/// Proves AZ-6, AZ-10, SES-4.
#[tokio::test]
async fn a_change_of_a_role_is_in_force_on_a_second_instance_within_a_second() {
    a_change_is_in_force_everywhere(Channel::Healthy).await;
}

/// Proves AZ-6, AZ-10, SES-4.
#[tokio::test]
async fn and_while_the_channel_of_the_second_instance_is_cut() {
    a_change_is_in_force_everywhere(Channel::Cut).await;
}

/// Proves AZ-6, AZ-10, SES-4.
#[tokio::test]
async fn and_while_the_channel_of_the_second_instance_hangs() {
    a_change_is_in_force_everywhere(Channel::Frozen).await;
}

/// Proves AZ-6: even if telling of a change fails altogether.
#[tokio::test]
async fn what_roles_permit_is_read_again_every_minute_although_nobody_was_told() {
    let world = World::open().await;
    let a = &world.a;
    let Holders { directly, by_team, program, .. } = holders(&world).await;
    let everybody = [("directly", &directly), ("by a team", &by_team), ("a program", &program)];
    let members = path(a, "members");
    for (_, actor) in everybody {
        actor.get(&members).await.expect(200);
    }
    let mut database = world.database.psql(Login::Owner).await;
    let silently = format!(
        "ALTER TABLE custom_roles DISABLE TRIGGER notify_change;
         UPDATE custom_roles SET permissions = '{{teams_list}}' WHERE organization_id = '{}' AND name = 'Clerk';",
        a.id
    );
    for statement in silently.split_inclusive(';') {
        database.run(statement).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (who, actor) in everybody {
        assert_eq!(actor.get(&members).await.status, 200, "{who}: what is kept is asked, not the database");
    }
    world.server.advance(TimeDelta::seconds(59));
    for (who, actor) in everybody {
        assert_eq!(actor.get(&members).await.status, 200, "{who}");
    }
    world.server.advance(TimeDelta::seconds(2));
    for (who, actor) in everybody {
        assert_eq!(actor.get(&members).await.status, 403, "{who}");
    }
    world.close().await;
}
