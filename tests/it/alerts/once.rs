//! Every entry is counted once, whatever is written in whichever order and whoever looks.

use serde_json::json;

use super::{alerts_of, entries, happen, rule};
use crate::{
    harness::{Login, PATIENCE, eventually},
    world::World,
};

/// Proves AUD-5.
#[tokio::test]
async fn what_commits_late_is_counted_late_and_nothing_twice() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let id = rule(&a.admin, &a, "team.deleted", 1).await;
    let deleted = |number| entries(a.id, "team.deleted", None, number);
    let mut slow = world.database.psql(Login::Owner).await;
    slow.run("BEGIN").await.unwrap();
    slow.run(&deleted(2)).await.unwrap();
    // Written after, and committed before.
    psql.run(&deleted(3)).await.unwrap();
    let app = world.server.app();
    let look = async || {
        let system = world.server.system();
        freehold::alerts::look(&app.db, &app.vault, &app.alerts, &system).await.unwrap()
    };
    // Nobody knows yet what becomes of the first: nothing is counted that would have to be counted again.
    for _ in 0..3 {
        look().await;
    }
    assert!(alerts_of(&a.admin, &a, id).await.is_empty());
    slow.run("COMMIT").await.unwrap();
    world.server.look_at_the_record().await;
    assert_eq!(alerts_of(&a.admin, &a, id).await[0]["count"], 5);
    // One that takes its entries back holds nothing up for long.
    slow.run("BEGIN").await.unwrap();
    slow.run(&deleted(50)).await.unwrap();
    slow.run("ROLLBACK").await.unwrap();
    happen(&world, &mut psql, &deleted(1)).await;
    // Several look at once, as two leaders would of whom one does not know that it was replaced.
    psql.run(&deleted(10)).await.unwrap();
    futures_util::future::join_all((0..4).map(|_| look())).await;
    world.server.look_at_the_record().await;
    let alerts = alerts_of(&a.admin, &a, id).await;
    assert_eq!((alerts.len(), &alerts[0]["count"]), (1, &json!(16)));
    world.close().await;
}

/// Proves AUD-5: what is taken at once is bounded, and a part leaves nothing out.
#[tokio::test]
async fn more_than_is_taken_at_once_is_counted_whole() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let id = rule(&a.admin, &a, "team.deleted", 1).await;
    world.server.look_at_the_record().await;
    for number in [7_000, 12_000, 1, 6_000] {
        psql.run(&entries(a.id, "team.deleted", None, number)).await.unwrap();
    }
    let app = world.server.app();
    let first = freehold::alerts::look(&app.db, &app.vault, &app.alerts, &world.server.system()).await.unwrap();
    assert!(first.entries == 0 || (first.entries <= 19_001 && first.more), "{first:?}");
    world.server.look_at_the_record().await;
    assert_eq!(alerts_of(&a.admin, &a, id).await[0]["count"], 25_001);
    world.close().await;
}

/// Proves AUD-5: a long record costs nothing while nothing is new in it.
#[tokio::test]
async fn a_look_does_not_read_what_was_there_before() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    world.server.look_at_the_record().await;
    let long_ago = entries(a.id, "team.updated", None, 60_000)
        .replace("clock_timestamp()", "clock_timestamp() - interval '9 days'");
    psql.run(&long_ago).await.unwrap();
    psql.run("ANALYZE audit_entries").await.unwrap();
    // What was looked at before the entries were there may be told late, so it counts how much was read, not how often.
    let mut told = async |what: &str| {
        psql.number(&format!(
            "SELECT coalesce(sum({what}), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'audit_entries%'"
        ))
        .await
    };
    let (read, by_index) = (told("seq_tup_read + coalesce(idx_tup_fetch, 0)").await, told("idx_scan").await);
    let app = world.server.app();
    let began = std::time::Instant::now();
    for _ in 0..20 {
        freehold::alerts::look(&app.db, &app.vault, &app.alerts, &world.server.system()).await.unwrap();
    }
    println!("a look with nothing new beside 60,000 entries takes {:?}", began.elapsed() / 20);
    // A connection tells how it read when it has been idle for a moment.
    eventually("it is known how it was read", PATIENCE, async || (told("idx_scan").await > by_index).then_some(()))
        .await;
    let read = told("seq_tup_read + coalesce(idx_tup_fetch, 0)").await - read;
    assert!(read < 60_000, "{read} entries were read again");
    world.close().await;
}
