//! Leaders that are killed under load: no run is lost, none is done twice.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use freehold::{
    config::{Config, Sources},
    db::Unrecorded,
    jobs::{Job, Report, Run},
    runtime::Clock,
    server,
};

use super::NEVER;
use crate::harness::{Database, Login, PATIENCE, Psql, eventually};

/// How often the leader is killed; the long runs say so in `FREEHOLD_TEST_KILLS`.
const KILLS: usize = 4;
/// How many runs are put into the queue between two kills.
const LOAD: usize = 60;
/// A new leader must be there within this (OPS-1).
const REPLACED: Duration = Duration::from_secs(5);

/// The instances that are killed; does nothing unless it is told which database to use.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "the instances in `no_run_is_lost_or_done_twice…`"]
async fn an_instance_to_be_killed() {
    #[expect(clippy::disallowed_methods, reason = "this is a process that another test has started")]
    let Ok(variables) = std::env::var("FREEHOLD_TEST_INSTANCE") else { return };
    let variables: Vec<(&str, &str)> = variables.lines().filter_map(|line| line.split_once('=')).collect();
    let mut config = Config::load(&Sources::of(&variables)).unwrap();
    (config.passwords.memory_kib, config.passwords.iterations, config.passwords.workers) = (64, 1, 1);
    let counting = Job::new("counting", NEVER, |run: Run| async move {
        let tx = run.write().await?;
        let term = run.caller().term.unwrap();
        tx.execute("INSERT INTO counted (run_id, term) VALUES ($1, $2)", [run.id.into(), term.into()]).await?;
        run.commit(tx, Report::new(), Unrecorded("a test")).await
    });
    let _running = server::start_with(config, Clock::default(), vec![counting]).await.unwrap();
    std::future::pending::<()>().await;
}

struct Instance(Child);

impl Instance {
    fn start(database: &Database) -> Self {
        let mut variables: Vec<String> =
            database.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
        variables.push("FREEHOLD_JOBS_LEAD=true".to_owned());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "jobs::kill::an_instance_to_be_killed"]);
        command.env("FREEHOLD_TEST_INSTANCE", variables.join("\n"));
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn kill_9(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Proves OPS-1.
#[tokio::test]
async fn no_run_is_lost_or_done_twice_however_often_the_leader_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "the long runs of the tests are asked for by the environment")]
    let kills = std::env::var("FREEHOLD_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let database = Database::new().await;
    let mut psql = database.psql(Login::Owner).await;
    psql.run("CREATE TABLE counted (run_id uuid NOT NULL, term bigint NOT NULL)").await.unwrap();
    psql.run("GRANT INSERT ON counted TO freehold_platform").await.unwrap();
    let mut instances: Vec<_> = (0..3).map(|_| Instance::start(&database)).collect();
    let mut term = led_after(&mut psql, 0, Duration::from_secs(60)).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        load(&mut psql).await;
        // In the middle of the work.
        eventually("some of it is done", REPLACED, async || {
            let done = format!("SELECT count(*) FROM counted WHERE term = {term}");
            (psql.number(&done).await > 3).then_some(())
        })
        .await;
        let leader = leader(&mut psql, database.port()).await;
        let at = instances.iter().position(|instance| instance.0.id() == leader);
        instances.remove(at.expect("the leader is one of ours")).kill_9();
        let begun = Instant::now();
        term = led_after(&mut psql, term, REPLACED).await;
        slowest = slowest.max(begun.elapsed());
        instances.push(Instance::start(&database));
    }
    println!("{kills} leaders killed; the slowest new one came after {slowest:?}");
    load(&mut psql).await;
    let all = psql.number("SELECT count(*) FROM job_runs WHERE job = 'counting'").await;
    assert_eq!(all, i64::try_from((kills + 1) * LOAD).unwrap());
    eventually("every run is done", PATIENCE, async || {
        (psql.number("SELECT count(*) FROM job_runs WHERE state = 'succeeded'").await == all).then_some(())
    })
    .await;
    assert_eq!(psql.number("SELECT count(*) FROM counted").await, all, "a run was done more or less than once");
    assert_eq!(psql.number("SELECT count(DISTINCT run_id) FROM counted").await, all);
    let other = "SELECT count(*) FROM counted c JOIN job_runs r ON r.id = c.run_id WHERE r.term <> c.term";
    assert_eq!(psql.number(other).await, 0, "a run was done under another term than the one that finished it");
}

async fn load(psql: &mut Psql) {
    let runs = format!(
        "INSERT INTO job_runs (id, job, fire_time, cause, state, created_at, available_at)
         SELECT gen_random_uuid(), 'counting', clock_timestamp() + n * interval '1 microsecond', 'schedule', 'queued', now(), now()
         FROM generate_series(1, {LOAD}) n"
    );
    psql.run(&runs).await.unwrap();
}

/// Waits for a term after this one.
async fn led_after(psql: &mut Psql, term: i64, within: Duration) -> i64 {
    eventually("there is a new leader", within, async || {
        let present = psql.number("SELECT term FROM leadership").await;
        (present > term).then_some(present)
    })
    .await
}

/// The process that leads: the one at the other end of the connection that holds the lock.
async fn leader(psql: &mut Psql, postgres: u16) -> u32 {
    let port = psql
        .number(
            "SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
             WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND ((l.classid::bigint << 32) | l.objid::bigint) = x'667265656c656164'::bigint",
        )
        .await;
    owner_of(u16::try_from(port).unwrap(), postgres)
}

/// The process that has a TCP connection from this port to that one, as `/proc` knows it.
fn owner_of(port: u16, to: u16) -> u32 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let (from, to) = (format!(":{port:04X}"), format!(":{to:04X}"));
    let ours = line.filter(|fields| fields[1].ends_with(&from) && fields[2].ends_with(&to) && fields[9] != "0");
    let inode = ours.map(|fields| fields[9].to_owned());
    let inodes: Vec<_> = inode.map(|inode| format!("socket:[{inode}]")).collect();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    for process in processes {
        let Ok(id) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        for handle in std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let target = std::fs::read_link(handle.path()).unwrap_or_default();
            if inodes.iter().any(|inode| target.to_string_lossy() == *inode) {
                return id;
            }
        }
    }
    panic!("nobody has port {port}")
}
