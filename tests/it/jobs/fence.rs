//! A leader that does not know that it was replaced: it can write nothing.

use std::{sync::Arc, time::Duration};

use freehold::{
    db::Unrecorded,
    jobs::{Job, Report, Run},
};
use tokio::sync::{Notify, mpsc};

use super::{NEVER, PATIENCE, admin};
use crate::{
    harness::{Login, Proxy, Server, eventually},
    world::World,
};

/// A new leader must be there within this (OPS-1).
const REPLACED: Duration = Duration::from_secs(5);

/// A job that hands its run out and waits: for what a test does with a leader's own means.
fn lending(runs: mpsc::UnboundedSender<Run>) -> Job {
    Job::new("lending", NEVER, move |run: Run| {
        runs.send(run).unwrap();
        std::future::pending()
    })
}

/// How the leader's connection is lost.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Cut,
    Frozen,
}

/// Proves OPS-1.
#[tokio::test]
async fn a_leader_whose_connection_was_cut_is_replaced_and_writes_nothing() {
    replaced(Loss::Cut).await;
}

/// Proves OPS-1.
#[tokio::test]
async fn a_leader_whose_connection_is_frozen_is_replaced_and_writes_nothing() {
    replaced(Loss::Frozen).await;
}

async fn replaced(loss: Loss) {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let (runs, mut lent) = mpsc::unbounded_channel();
    let through = world.database.url_through(proxy.port());
    // Only the two connections of its own go through the proxy; its pools reach PostgreSQL all the time.
    let old =
        Server::leading(&world.database, &[("DATABASE_DIRECT_URL", through.expose())], vec![lending(runs.clone())])
            .await;
    let admin = admin(&world, &old);
    let asked = admin.post_nothing("/v1/jobs/lending/runs").await.expect(201);
    let run = tokio::time::timeout(PATIENCE, lent.recv()).await.unwrap().unwrap();
    // While it leads, it writes.
    write(&run).await.unwrap();
    let new = Server::leading(&world.database, &[], vec![lending(runs)]).await;
    let first = term(&world).await;

    let begun = std::time::Instant::now();
    match loss {
        Loss::Cut => proxy.cut(),
        Loss::Frozen => proxy.freeze(),
    }
    eventually("there is a new leader", REPLACED, async || (term(&world).await > first).then_some(())).await;
    println!("{loss:?}: a new leader after {:?}", begun.elapsed());
    // The old one's pools work, it has all it needs but the term.
    let refused = write(&run).await.unwrap_err();
    assert!(refused.to_string().contains("another instance leads"), "{refused}");
    let refused = run.commit(run.write().await.unwrap(), Report::new(), Unrecorded("a test")).await.unwrap_err();
    assert!(refused.to_string().contains("not this leader's"), "{refused}");
    // The new one takes over what the old one was at, and its writes work.
    let again = tokio::time::timeout(PATIENCE, lent.recv()).await.unwrap().unwrap();
    assert_eq!(again.id, run.id);
    assert_eq!(again.id.to_string(), asked.text_at("/id"));
    write(&again).await.unwrap();
    again.commit(again.write().await.unwrap(), Report::new(), Unrecorded("a test")).await.unwrap();

    proxy.restore();
    drop(old);
    drop(new);
    world.close().await;
}

/// Proves OPS-1.
#[tokio::test]
async fn a_commit_that_began_under_the_old_term_is_over_before_the_new_one_begins() {
    let world = World::open().await;
    let (runs, mut lent) = mpsc::unbounded_channel();
    let server = Server::leading(&world.database, &[], vec![lending(runs)]).await;
    admin(&world, &server).post_nothing("/v1/jobs/lending/runs").await.expect(201);
    let run = tokio::time::timeout(PATIENCE, lent.recv()).await.unwrap().unwrap();
    let first = term(&world).await;
    // Somebody takes the next term while a transaction of this one is open, before and after its fence.
    let tx = run.write().await.unwrap();
    tx.execute("UPDATE job_runs SET error = 'half-done' WHERE id = $1", [run.id.into()]).await.unwrap();
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("UPDATE leadership SET term = term + 1").await.unwrap();
    assert_eq!(term(&world).await, first + 1);
    tx.commit(Unrecorded("a test")).await.unwrap_err();
    assert_eq!(psql.number("SELECT count(*) FROM job_runs WHERE error = 'half-done'").await, 0);
    drop(server);
    world.close().await;
}

/// A write with a leader's own means.
async fn write(run: &Run) -> freehold::error::Result<()> {
    let tx = run.write().await?;
    tx.execute("UPDATE job_runs SET error = 'written' WHERE id = $1", [run.id.into()]).await?;
    tx.commit(Unrecorded("a test")).await
}

async fn term(world: &World) -> i64 {
    let mut psql = world.database.psql(Login::Owner).await;
    psql.number("SELECT term FROM leadership").await
}

/// Proves OPS-1.
#[tokio::test]
async fn a_stopped_leader_finishes_its_batch_and_leaves_the_rest() {
    let world = World::open().await;
    let (begun, let_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, going) = (begun.clone(), let_go.clone());
    let job = Job::new("batches", NEVER, move |run: Run| {
        let (told, going) = (told.clone(), going.clone());
        async move {
            let mut batches = 0;
            while !run.is_stopping() {
                batches += 1;
                told.notify_one();
                going.notified().await;
            }
            Ok(Report::from([("batches", batches)]))
        }
    });
    let server = Server::leading(&world.database, &[], vec![job]).await;
    let asked = admin(&world, &server).post_nothing("/v1/jobs/batches/runs").await.expect(201);
    begun.notified().await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let_go.notify_one();
    stopping.await.unwrap();
    let mut psql = world.database.psql(Login::Owner).await;
    let run =
        format!("SELECT state || ' ' || (result->>'batches') FROM job_runs WHERE id = '{}'", asked.text_at("/id"));
    assert_eq!(psql.text(&run).await, "succeeded 1");
    world.close().await;
}
