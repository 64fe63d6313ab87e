//! Every decision is counted once, under the day and the person, and none for longer than it should be.

use chrono::TimeDelta;
use freehold::operations;
use serde_json::json;
use uuid::Uuid;

use super::{counted, inside};
use crate::{
    harness::{Login, PATIENCE, Server, eventually},
    privacy::erase,
    world::World,
};

/// Proves AZ-10.
#[tokio::test]
async fn what_the_guard_decides_is_counted_once_with_how_it_came_out() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let members = inside(a, "members");
    let before = counted(&world, a.manager.account, "members_list", "allowed").await;
    for _ in 0..3 {
        a.member.get(&members).await.expect(403);
        a.manager.get(&members).await.expect(200);
    }
    assert_eq!(counted(&world, a.manager.account, "members_list", "allowed").await, before + 3);
    assert_eq!(counted(&world, a.member.account, "members_list", "forbidden").await, 3);
    // A second flush adds to the row of the day.
    a.member.get(&members).await.expect(403);
    assert_eq!(counted(&world, a.member.account, "members_list", "forbidden").await, 4);
    // A body is looked at after the decision, and the decision made again: it counts once all the same, good or not.
    let team = |name: &str| json!({"name": name});
    a.admin.post(&inside(a, "teams"), team("Counted")).await.expect(201);
    a.admin.post(&inside(a, "teams"), team("")).await.expect(422);
    assert_eq!(counted(&world, a.admin.account, "teams_create", "allowed").await, 2);
    // What is one's own is counted apart.
    let mine = format!("{members}/{}", a.member.membership);
    let others = format!("{members}/{}", a.manager.membership);
    a.member.get(&mine).await.expect(200);
    a.member.get(&others).await.expect(403);
    let mut psql = world.database.psql(Login::Owner).await;
    world.server.flush_decisions().await;
    let own = format!(
        "SELECT count FROM decision_counts WHERE who = '{}' AND operation = 'members_get' AND own AND outcome = 'allowed'",
        a.member.account
    );
    assert_eq!(psql.number(&own).await, 1);
    let any = own.replace("AND own AND outcome = 'allowed'", "AND NOT own AND outcome = 'forbidden'");
    assert_eq!(psql.number(&any).await, 1);
    // A program is counted by its account, and another tenant's door where one comes from.
    a.program.get(&members).await.expect(403);
    assert_eq!(counted(&world, a.service, "members_list", "forbidden").await, 1);
    a.member.get(&inside(b, "members")).await.expect(404);
    let home = format!(
        "SELECT count(*) FROM decision_counts WHERE who = '{}' AND organization_id <> '{}'",
        a.member.account, a.id
    );
    assert_eq!(psql.number(&home).await, 0);
    assert_eq!(counted(&world, a.member.account, "members_list", "not_found").await, 1);
    // Nobody is nobody's count.
    world.server.nobody().get(&members).await.expect(401);
    let nobodys = "SELECT count(*) FROM decision_counts WHERE outcome IN ('unauthenticated', 'session_ended')";
    assert_eq!(psql.number(nobodys).await, 0);
    // The platform's work is counted in its own organisation.
    world.platform.get("/v1/organizations").await.expect(200);
    world.server.flush_decisions().await;
    let platforms = format!(
        "SELECT count(*) FROM decision_counts WHERE who = '{}' AND operation = 'organizations_list'
         AND organization_id = platform_organization()",
        world.platform.account
    );
    assert_eq!(psql.number(&platforms).await, 1);
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn a_new_day_has_a_row_of_its_own_and_the_last_counts_are_written_at_the_end() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let teams = inside(&a, "teams");
    a.member.get(&teams).await.expect(403);
    world.server.advance(TimeDelta::hours(24));
    // The access token is older than a day now.
    let sign_in = json!({"email": a.member.email, "password": crate::harness::PASSWORD, "token_delivery": "body"});
    let answer = world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    world.server.bearer(answer.text_at("/access_token")).get(&teams).await.expect(403);
    world.close().await;
    let days = format!(
        "SELECT count(DISTINCT day) FROM decision_counts WHERE who = '{}' AND operation = 'teams_list'",
        a.member.account
    );
    assert_eq!(psql.number(&days).await, 2, "nothing was flushed by hand");
}

/// Proves AZ-10: what can't be written is kept.
#[tokio::test]
async fn counts_outlast_a_database_that_does_not_take_them() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("REVOKE INSERT ON decision_counts FROM freehold_platform").await.unwrap();
    a.member.get(&inside(a, "teams")).await.expect(403);
    let app = world.server.app();
    assert!(app.decisions.flush(&app.db, app.clock.now()).await.is_err());
    a.member.get(&inside(a, "teams")).await.expect(403);
    psql.run("GRANT INSERT ON decision_counts TO freehold_platform").await.unwrap();
    assert_eq!(counted(&world, a.member.account, "teams_list", "forbidden").await, 2);
    world.close().await;
}

/// Proves AZ-10, DAT-10.
#[tokio::test]
async fn of_whoever_is_erased_nothing_is_counted_any_more() {
    let world = World::open().await;
    let (a, mut psql) = (&world.a, world.database.psql(Login::Owner).await);
    let left = format!("SELECT count(*) FROM decision_counts WHERE who = '{}'", a.member.account);
    assert!(psql.number(&left).await > 0);
    // What is still in memory when they are erased does not come back either.
    a.member.get(&inside(a, "teams")).await.expect(403);
    erase(&world, a.member.account).await.expect(200);
    assert_eq!(psql.number(&left).await, 0);
    world.server.flush_decisions().await;
    assert_eq!(psql.number(&left).await, 0);
    world.close().await;
}

/// Proves AZ-10, OPS-4.
#[tokio::test]
async fn counts_are_kept_for_ninety_days() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let (old, kept) = (Uuid::from_u128(0xa), Uuid::from_u128(0xb));
    for (who, days) in [(old, 91), (kept, 90)] {
        let add = format!(
            "INSERT INTO decision_counts (organization_id, operation, who, kind, outcome, own, day, count)
             VALUES ('{}', 'teams_list', '{who}', 'account', 'allowed', false, (now() AT TIME ZONE 'UTC')::date - {days}, 7)",
            world.a.id
        );
        psql.run(&add).await.unwrap();
    }
    let jobs = operations::jobs().into_iter().filter(|job| job.name == "decision_counts_clean_up").collect();
    let leader = Server::leading(&world.database, &[], jobs).await;
    let admin = world.platform.at_server_of(leader.nobody());
    admin.post_nothing("/v1/jobs/decision_counts_clean_up/runs").await.expect(201);
    let left = |who: Uuid| format!("SELECT count(*) FROM decision_counts WHERE who = '{who}'");
    eventually("the old are gone", PATIENCE, async || (psql.number(&left(old)).await == 0).then_some(())).await;
    assert_eq!(psql.number(&left(kept)).await, 1);
    leader.stop().await;
    world.close().await;
}

/// Proves AZ-9, AZ-10: a tenant reads its own counts and writes none.
#[tokio::test]
async fn the_application_counts_nothing_by_itself() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Application).await;
    psql.act(Some(world.a.id), Some(world.a.owner.account)).await;
    for sql in [
        "UPDATE decision_counts SET count = 1".to_owned(),
        "DELETE FROM decision_counts".to_owned(),
        format!(
            "INSERT INTO decision_counts VALUES ('{}', 'teams_list', gen_random_uuid(), 'account', 'allowed', false, now(), 1)",
            world.a.id
        ),
    ] {
        let error = psql.run(&sql).await.expect_err("it was allowed");
        assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{sql}");
    }
    world.close().await;
}
