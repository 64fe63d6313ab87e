//! Errors: counted over all instances, and raised in the platform's own organisation.

use std::time::Duration;

use freehold::alerts;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Login, PATIENCE, Server, eventually},
    path::PLATFORM,
    world::World,
};

async fn counted(by: &Actor, code: &str) -> Value {
    let stats = by.get("/v1/errors/stats").await.expect(200);
    stats.items().iter().find(|item| item["code"] == code).cloned().unwrap_or(json!({"hour": 0}))
}

async fn platform_alerts(world: &World) -> Vec<Value> {
    world.platform.get(&format!("/v1/organizations/{PLATFORM}/alerts")).await.expect(200).items().to_vec()
}

/// Proves NET-10, AUD-5.
#[tokio::test]
async fn errors_are_counted_on_all_instances_and_internal_ones_raise_an_alert_of_the_platform() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a fault of ours'; END $$;",
    )
    .await
    .unwrap();
    psql.run("CREATE TRIGGER fault BEFORE INSERT ON teams FOR EACH ROW EXECUTE FUNCTION fail()").await.unwrap();
    let before = psql.number("SELECT count(*) FROM audit_entries").await;
    let owner = &world.a.owner;
    let there = second.bearer(owner.token());
    let teams = format!("/v1/organizations/{}/teams", world.a.id);
    for number in 0..15 {
        let here = if number % 3 == 0 { &there } else { &**owner };
        let team = here.request(Method::POST, &teams).json(&json!({"name": format!("Team {number}")}));
        let answer = team.send_to_the_broken().await;
        assert!(!answer.expect(500).text.contains("fault of ours"));
    }
    // What the instance that is asked has not written down yet is in the answer; of the other within seconds.
    let platform = second.bearer(world.platform.token());
    for asked in [&*world.platform, &platform] {
        eventually("all are counted", Duration::from_secs(20), async || {
            (counted(asked, "internal").await["hour"] == 15).then_some(())
        })
        .await;
    }
    let internal = counted(&platform, "internal").await;
    assert_eq!(
        (&internal["status"], &internal["five_minutes"], &internal["week"]),
        (&json!(500), &json!(15), &json!(15))
    );
    owner.get("/v1/errors/stats").await.expect(403);
    // A storm of errors is no storm of writes.
    eventually("it is written down", PATIENCE, async || {
        (psql.number("SELECT coalesce(sum(count), 0)::bigint FROM error_counts WHERE code = 'internal'").await == 15)
            .then_some(())
    })
    .await;
    assert!(psql.number("SELECT count(*) FROM error_counts WHERE code = 'internal'").await <= 2);
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries").await, before);

    let app = world.server.app();
    let look = async || alerts::look_at_errors(&app.db, &app.alerts, &world.server.system()).await.unwrap();
    assert_eq!(look().await, 1);
    assert_eq!(look().await, 0);
    let alert = platform_alerts(&world).await.remove(0);
    assert_eq!(
        (&alert["rule"], &alert["count"], &alert["severity"]),
        (&json!("internal_errors"), &json!(15), &json!("high"))
    );
    // More of the same is more of the alert, and beyond the threshold a critical one.
    psql.run("UPDATE error_counts SET count = count + 30 WHERE code = 'internal'").await.unwrap();
    assert_eq!(look().await, 1);
    let all = platform_alerts(&world).await;
    let burst = all.iter().find(|alert| alert["rule"] == "internal_error_burst").unwrap();
    assert_eq!(burst["severity"], "critical");
    let internal = all.iter().find(|alert| alert["rule"] == "internal_errors").unwrap();
    assert!(internal["count"].as_u64().unwrap() >= 45, "{internal}");
    // Nobody else's.
    assert_eq!(
        owner
            .get(&format!("/v1/organizations/{}/alerts?rule=internal_errors", world.a.id))
            .await
            .expect(200)
            .items()
            .len(),
        0
    );
    second.stop().await;
    world.close().await;
}

/// Proves AUD-5: bursts of 401 and 429 alert out of the box, and what was acknowledged does not alert again.
#[tokio::test]
async fn bursts_of_refusals_raise_an_alert_once() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let app = world.server.app();
    let look = async || alerts::look_at_errors(&app.db, &app.alerts, &world.server.system()).await.unwrap();
    let add = |code: &str, status: u16, count: u32, minutes: u32| {
        format!(
            "INSERT INTO error_counts VALUES (date_trunc('minute', now()) - {minutes} * interval '1 minute', '{code}', {status}, {count})
             ON CONFLICT (minute, code) DO UPDATE SET count = error_counts.count + excluded.count"
        )
    };
    // Many, but long ago; and few.
    for sql in [
        add("session_ended", 401, 5_000, 30),
        add("unauthenticated", 401, 300, 1),
        add("too_many_requests", 429, 299, 2),
    ] {
        psql.run(&sql).await.unwrap();
    }
    assert_eq!(look().await, 0);
    // Codes of one status count together.
    psql.run(&add("invalid_credentials", 401, 300, 2)).await.unwrap();
    psql.run(&add("too_many_requests", 429, 1, 1)).await.unwrap();
    assert_eq!(look().await, 2);
    for alert in platform_alerts(&world).await {
        let path = format!("/v1/organizations/{PLATFORM}/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
        world.platform.post(&path, json!({"note": "A scanner"})).await.expect(200);
    }
    assert_eq!(look().await, 0);
    world.close().await;
}
