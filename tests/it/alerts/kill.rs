//! Three instances, and leaders that are killed while they count.

use std::time::Duration;

use super::{alerts_of, entries, rule};
use crate::{
    harness::{Login, PATIENCE, Process, eventually},
    world::World,
};

/// How often the leader is killed.
const KILLS: usize = 3;
/// How many entries are written around each death, five a transaction.
const LOAD: usize = 60;

/// The one of these that leads, once there is one.
pub(super) async fn leading(processes: &mut [Process], formerly: usize) -> usize {
    eventually("somebody leads", PATIENCE, async || {
        let lead = |process: &Process| process.output().matches("this instance leads").count();
        let led: Vec<usize> = processes.iter().map(lead).collect();
        (led.iter().sum::<usize>() > formerly).then(|| led.iter().position(|times| *times > 0).unwrap())
    })
    .await
}

/// Proves AUD-5: no entry is missed and none counted twice, over kill -9 and changes of the leader.
#[tokio::test]
async fn every_entry_is_counted_once_however_often_the_leader_is_killed() {
    let world = World::open().await;
    let a = world.a.clone();
    let id = rule(&a.admin, &a, "team.deleted", 1).await;
    let mut processes: Vec<_> =
        (0..KILLS + 1).map(|_| Process::on(&world.database, &[("FREEHOLD_JOBS_LEAD", "true")])).collect();
    for process in &mut processes {
        process.ready().await;
    }
    for _ in 0..KILLS {
        let at = leading(&mut processes, 0).await;
        let writers = (0..4).map(|_| async {
            let mut psql = world.database.psql(Login::Owner).await;
            for _ in 0..LOAD / 4 {
                psql.run(&entries(a.id, "team.deleted", None, 5)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        });
        let death = async {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let mut leader = processes.remove(at);
            leader.kill_9();
        };
        tokio::join!(futures_util::future::join_all(writers), death);
    }
    let all = KILLS * LOAD * 5;
    eventually("everything is counted", PATIENCE, async || {
        let alerts = alerts_of(&a.admin, &a, id).await;
        let count = alerts.first().map_or(0, |alert| alert["count"].as_u64().unwrap());
        assert!(count <= all as u64 && alerts.len() <= 1, "{alerts:?}");
        (count == all as u64).then_some(())
    })
    .await;
    assert!(processes[0].terminate().await.success());
    world.close().await;
}
