//! What runs by itself: the schedule, the queue, the leader, and what a platform administrator does with them.

mod fence;
mod kill;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use freehold::{
    error::Error,
    jobs::{Job, Report, Run, Schedule},
    operations,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    harness::{Actor, Login, PASSWORD, PATIENCE, Server, eventually},
    world::World,
};

/// Once a year: a job that runs only when somebody asks for it.
const NEVER: Schedule = Schedule("0 0 0 1 1 *");
/// Every second.
const ALWAYS: Schedule = Schedule("* * * * * *");

/// A job that counts how often it has run.
fn counting(name: &'static str, schedule: Schedule) -> (Job, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let own = count.clone();
    let job = Job::new(name, schedule, move |_: Run| {
        let own = own.clone();
        async move { Ok(Report::from([("count", own.fetch_add(1, Ordering::SeqCst) + 1)])) }
    });
    (job, count)
}

/// The world's platform administrator, at another server of the same world.
fn admin(world: &World, server: &Server) -> Actor {
    world.platform.at_server_of(server.nobody())
}

/// Asks for a run and waits until it is in one of these states.
async fn run(admin: &Actor, job: &str, states: &[&str]) -> Value {
    let asked = admin.post_nothing(&format!("/v1/jobs/{job}/runs")).await.expect(201);
    state(admin, asked.text_at("/id"), states).await
}

async fn state(admin: &Actor, run: &str, states: &[&str]) -> Value {
    let path = format!("/v1/job-runs/{run}");
    eventually(&format!("{run} is {states:?}"), PATIENCE, async || {
        let run = admin.get(&path).await.expect(200).json;
        states.contains(&run["state"].as_str().unwrap()).then_some(run)
    })
    .await
}

/// Proves OPS-3.
#[tokio::test]
async fn a_job_runs_on_its_schedule_until_somebody_pauses_it() {
    let world = World::open().await;
    let (job, count) = counting("tick", ALWAYS);
    let server = Server::leading(&world.database, &[], vec![job]).await;
    let admin = admin(&world, &server);
    eventually("it has run three times", Duration::from_secs(10), async || {
        (count.load(Ordering::SeqCst) >= 3).then_some(())
    })
    .await;
    let listed = admin.get("/v1/jobs").await.expect(200).json;
    assert_eq!(listed["items"][0]["name"], "tick");
    assert!(listed["items"][0]["next_run"].is_string(), "{listed}");

    let paused = admin.post_nothing("/v1/jobs/tick/pause").await.expect(200).json;
    assert!(paused["paused_at"].is_string() && paused["next_run"].is_null(), "{paused}");
    assert_eq!(paused["paused_by"], json!(world.platform.account.to_string()));
    // What was in the queue already still runs.
    let mut psql = world.database.psql(Login::Owner).await;
    eventually("the queue is empty", PATIENCE, async || {
        (psql.number("SELECT count(*) FROM job_runs WHERE state IN ('queued', 'running')").await == 0).then_some(())
    })
    .await;
    let before = count.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(count.load(Ordering::SeqCst), before, "a paused job ran");
    // Who asks for it by hand means it.
    run(&admin, "tick", &["succeeded"]).await;

    admin.post_nothing("/v1/jobs/tick/resume").await.expect(200);
    eventually("it runs again", Duration::from_secs(10), async || {
        (count.load(Ordering::SeqCst) > before + 2).then_some(())
    })
    .await;
    // However often the schedule fired, each moment ran once.
    let doubled = "SELECT count(*) - count(DISTINCT fire_time) FROM job_runs WHERE cause = 'schedule'";
    assert_eq!(psql.number(doubled).await, 0);
    let events =
        "SELECT string_agg(event, ' ' ORDER BY id) FROM audit_entries WHERE event IN ('job.paused', 'job.resumed')";
    assert_eq!(psql.text(events).await, "job.paused job.resumed");
    server.stop().await;
    world.close().await;
}

/// Proves OPS-2, OPS-3.
#[tokio::test]
async fn a_run_on_request_has_a_history_and_does_not_overlap() {
    let world = World::open().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let slow = Job::new("slow", NEVER, move |_: Run| {
        let held = held.clone();
        async move {
            held.acquire().await.map_err(Error::internal)?.forget();
            Ok(Report::from([("rows", 7)]))
        }
    });
    let server = Server::leading(&world.database, &[], vec![slow]).await;
    let admin = admin(&world, &server);
    let first = admin.post_nothing("/v1/jobs/slow/runs").await.expect(201);
    state(&admin, first.text_at("/id"), &["running"]).await;
    admin.post_nothing("/v1/jobs/slow/runs").await.expect(409).problem("operation_in_progress");
    gate.add_permits(1);
    let done = state(&admin, first.text_at("/id"), &["succeeded"]).await;
    assert_eq!(done["result"], json!({"rows": 7}));
    assert_eq!(done["cause"], "person");
    assert_eq!(done["requested_by"], json!(world.platform.account.to_string()));
    assert!(done["duration_ms"].as_i64().unwrap() >= 0 && done["finished_at"].is_string());
    assert_eq!(done["instance_id"], json!(server.app().instance.to_string()));
    gate.add_permits(1);
    run(&admin, "slow", &["succeeded"]).await;
    let history = admin.get("/v1/jobs/slow/runs?limit=1").await.expect(200).json;
    assert!(history["next_cursor"].is_string(), "{history}");
    admin.get("/v1/jobs/no_such_job").await.expect(404);
    admin.post_nothing("/v1/jobs/no_such_job/runs").await.expect(404);
    server.stop().await;
    world.close().await;
}

/// Proves OPS-3.
#[tokio::test]
async fn passing_faults_are_tried_again_and_ours_wait_for_a_person() {
    let world = World::open().await;
    let tries = Arc::new(AtomicU64::new(0));
    let own = tries.clone();
    let shaky = Job::new("shaky", NEVER, move |_: Run| {
        let attempt = own.fetch_add(1, Ordering::SeqCst);
        async move {
            if attempt > 0 {
                return Ok(Report::new());
            }
            Err(Error::Upstream { reason: "the wire was cut".to_owned(), retry_after: Duration::from_secs(1) })
        }
    });
    let broken = Job::new("broken", NEVER, |_: Run| async { Err(Error::internal("a bug")) });
    let panicking = Job::new("panicking", NEVER, |_: Run| async { panic!("a worse bug") });
    let server = Server::leading(&world.database, &[], vec![shaky, broken, panicking]).await;
    let admin = admin(&world, &server);

    let asked = admin.post_nothing("/v1/jobs/shaky/runs").await.expect(201);
    let waiting = eventually("it waits for its second attempt", PATIENCE, async || {
        let run = admin.get(&format!("/v1/job-runs/{}", asked.text_at("/id"))).await.expect(200).json;
        (run["attempts"] == 1 && run["state"] == "queued").then_some(run)
    })
    .await;
    assert!(waiting["error"].as_str().unwrap().contains("the wire was cut"), "{waiting}");
    let done = state(&admin, asked.text_at("/id"), &["succeeded"]).await;
    assert_eq!((done["attempts"].as_i64(), done["error"].is_null()), (Some(2), true), "{done}");

    for name in ["broken", "panicking"] {
        let dead = run(&admin, name, &["dead"]).await;
        assert_eq!(dead["attempts"], 1, "{dead}");
        let job = admin.get(&format!("/v1/jobs/{name}")).await.expect(200).json;
        assert_eq!(job["dead_runs"], 1, "{job}");
        let again =
            admin.post_nothing(&format!("/v1/job-runs/{}/retry", dead["id"].as_str().unwrap())).await.expect(200);
        assert_ne!(again.json["state"], "dead");
        state(&admin, dead["id"].as_str().unwrap(), &["dead"]).await;
    }
    // A run that succeeded is not tried again.
    admin.post_nothing(&format!("/v1/job-runs/{}/retry", asked.text_at("/id"))).await.expect(404);
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries WHERE event = 'job.failed'").await, 4);
    drop(server);
    world.close().await;
}

/// Proves OPS-1.
#[tokio::test]
async fn administrators_see_the_instances_and_which_one_leads() {
    let world = World::open().await;
    let first = Server::leading(&world.database, &[], vec![]).await;
    let second = Server::leading(&world.database, &[], vec![]).await;
    let admin = admin(&world, &second);
    let seen = eventually("all are seen and one leads", PATIENCE, async || {
        let seen = admin.get("/v1/instances").await.expect(200).json;
        let items = seen["items"].as_array().unwrap();
        // The world has a server too, which does not stand for election.
        (items.len() == 3 && items.iter().filter(|item| item["leads"] == true).count() == 1).then_some(seen)
    })
    .await;
    let leader = seen["items"].as_array().unwrap().iter().find(|item| item["leads"] == true).unwrap();
    let ids = [first.app().instance.to_string(), second.app().instance.to_string()];
    assert!(ids.contains(&leader["id"].as_str().unwrap().to_owned()), "{seen}");
    let answers: Vec<_> = seen["items"].as_array().unwrap().iter().filter(|item| item["answers"] == true).collect();
    assert_eq!(answers[0]["id"], json!(ids[1]));

    // The one that leads stops, and the other takes over.
    let term = seen["term"].as_i64().unwrap();
    let (leading, other) = if leader["id"] == json!(ids[0]) { (first, second) } else { (second, first) };
    leading.stop().await;
    let admin = self::admin(&world, &other);
    eventually("the other leads", Duration::from_secs(5), async || {
        let seen = admin.get("/v1/instances").await.expect(200).json;
        let leads = |item: &Value| item["leads"] == true && item["id"] == json!(other.app().instance.to_string());
        (seen["term"].as_i64().unwrap() > term && seen["items"].as_array().unwrap().iter().any(leads)).then_some(())
    })
    .await;
    other.stop().await;
    world.close().await;
}

/// Proves OPS-3, AZ-1.
#[tokio::test]
async fn the_clean_ups_remove_what_is_over_and_nothing_else() {
    let world = World::open().await;
    let server = Server::leading(&world.database, &[], operations::jobs()).await;
    let admin = admin(&world, &server);
    let mut psql = world.database.psql(Login::Owner).await;
    let sessions = psql.number("SELECT count(*) FROM sessions").await;
    let owner = world.a.owner.at_server_of(server.nobody());
    owner.delete(&format!("/v1/organizations/{}", world.a.id)).await.expect(204);
    let jobs = [
        "invitations_expire",
        "sign_up_requests_expire",
        "sign_ups_clean_up",
        "sessions_clean_up",
        "password_resets_clean_up",
        "guesses_clean_up",
        "known_devices_clean_up",
        "second_factors_clean_up",
        "second_factor_counts",
        "idempotency_keys_clean_up",
        "decision_counts_clean_up",
        "alerts_clean_up",
        "outbox_clean_up",
        "imports_clean_up",
        "organizations_purge",
        "audit_parts_make",
        "audit_retention",
        "audit_checkpoints_publish",
        operations::keys::JOB,
        "job_history_clean_up",
    ];
    let names: Vec<_> = operations::jobs().iter().map(|job| job.name).collect();
    assert_eq!(names, jobs);
    for job in jobs {
        let done = run(&admin, job, &["succeeded", "dead"]).await;
        assert_eq!(done["state"], "succeeded", "{done}");
    }
    // Nothing was over yet.
    let here = format!("SELECT count(*) FROM organizations WHERE id IN ('{}', '{}')", world.a.id, world.b.id);
    assert_eq!(psql.number(&here).await, 2);
    assert_eq!(psql.number("SELECT count(*) FROM sessions").await, sessions);

    server.advance(TimeDelta::days(31) + TimeDelta::hours(1));
    let ada = server.nobody().post(
        "/v1/sessions",
        json!({
            "email": world.platform.email, "password": PASSWORD, "token_delivery": "body",
        }),
    );
    let admin = server.bearer(ada.await.expect(201).text_at("/access_token"));
    for job in jobs {
        let done = run(&admin, job, &["succeeded", "dead"]).await;
        assert_eq!(done["state"], "succeeded", "{done}");
    }
    assert_eq!(psql.number(&here).await, 1, "the deleted organisation is still there, or the other one is not");
    let late = "SELECT count(*) FROM invitations WHERE status = 'pending' AND expires_at < now() + interval '31 days'";
    assert_eq!(psql.number(late).await, 0);
    let events = "SELECT string_agg(DISTINCT event, ' ' ORDER BY event) FROM audit_entries
         WHERE event IN ('organization.purged', 'invitation.expired', 'session.cleaned_up')";
    assert_eq!(psql.text(events).await, "invitation.expired organization.purged session.cleaned_up");
    // The record of the removed organisation stays.
    let kept = format!("SELECT count(*) FROM audit_entries WHERE organization_id = '{}'", world.a.id);
    assert!(psql.number(&kept).await > 0);
    server.stop().await;
    world.close().await;
}
