//! PostgreSQL is restarted while three instances work: they recover alone, and what was acknowledged is there.

use std::{
    fs,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use freehold::db::embedded::{Embedded, EmbeddedSettings};
use serde_json::json;

use crate::{
    harness::{Actor, Process, Psql, eventually, folder},
    path::first_admin,
};

/// How long the instances may need after PostgreSQL is back.
const RECOVERED: Duration = Duration::from_secs(10);
/// How many people write.
const WRITERS: usize = 6;

/// Proves OPS-11, AUD-2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_postgresql_all_recover_and_nothing_acknowledged_is_lost() {
    let home = folder("restart");
    let postgres =
        Embedded::start(EmbeddedSettings::new(home.join("db"))).await.unwrap_or_else(|error| panic!("{error}"));
    let url = postgres.owner_url().clone();
    let (data, mail) = (home.join("data"), home.join("mail"));
    let variables = [
        ("DATABASE_URL", url.expose()),
        ("FREEHOLD_DATA_DIR", data.to_str().unwrap()),
        ("FREEHOLD_MAIL_DIRECTORY", mail.to_str().unwrap()),
        ("FREEHOLD_JOBS_LEAD", "true"),
        ("FREEHOLD_TOKENS_ACCESS_LIFETIME", "60m"),
    ];
    let mut instances = vec![Process::among_others(&variables)];
    let here = instances[0].ready().await;
    let token = instances[0].setup_token().await;
    instances.extend((0..2).map(|_| Process::among_others(&variables)));
    let mut nobodies = vec![here];
    for instance in &mut instances[1..] {
        nobodies.push(instance.ready().await);
    }
    let ada = nobodies[0].post("/v1/setup", first_admin(&token)).await.expect(201);
    let token = ada.text_at("/access_token").to_owned();

    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let ada = nobodies[number % nobodies.len()].bearing(&token);
            tokio::spawn(write(ada, number, stop.clone(), acknowledged.clone()))
        })
        .collect();
    let so_far = || acknowledged.lock().unwrap().len();
    eventually("some is written", RECOVERED, async || (so_far() > 20).then_some(())).await;
    // It shuts down as an administrator would have it do, or as if the power had failed, and starts again.
    for signal in ["INT", "QUIT"] {
        let process = fs::read_to_string(home.join("db/postgres/data/postmaster.pid")).unwrap();
        let process = process.lines().next().unwrap();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
        assert!(sent.success());
        let before = so_far();
        eventually("writing goes on", RECOVERED, async || (so_far() > before + 20).then_some(())).await;
    }
    for nobody in &nobodies {
        eventually("it serves again", RECOVERED, async || {
            (nobody.bearing(&token).get("/v1/me").await.status == 200).then_some(())
        })
        .await;
        eventually("it is ready again", RECOVERED, async || {
            (nobody.get("/health/ready").await.status == 200).then_some(())
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut refused = 0;
    for writer in writers {
        refused += writer.await.unwrap();
    }
    assert!(refused > 0, "nobody noticed the restart");
    let mut psql = Psql::to(url.expose()).await;
    let written = acknowledged.lock().unwrap().clone();
    println!("{} writes acknowledged, {refused} refused with 503", written.len());
    for (id, request) in written {
        let row = format!("SELECT count(*) FROM organizations WHERE id = '{id}'");
        assert_eq!(psql.number(&row).await, 1, "organisation {id} was acknowledged and is not there");
        let entry = format!(
            "SELECT count(*) FROM audit_entries WHERE request_id = '{request}' AND event = 'organization.created'"
        );
        assert_eq!(psql.number(&entry).await, 1, "organisation {id} has no entry");
    }
    // No entry without its action.
    let orphans = "SELECT count(*) FROM audit_entries e WHERE event = 'organization.created'
         AND NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = e.target_id)";
    assert_eq!(psql.number(orphans).await, 0);
    // Somebody leads again.
    eventually("somebody leads", RECOVERED, async || {
        let seen = nobodies[0].bearing(&token).get("/v1/instances").await.expect(200).json;
        seen["items"].as_array().unwrap().iter().any(|item| item["leads"] == true).then_some(())
    })
    .await;
    for instance in &mut instances {
        assert!(instance.terminate().await.success(), "{}", instance.output());
    }
    drop(psql);
    postgres.stop().await.unwrap();
}

/// What was acknowledged: the organisation and the request.
type Written = Arc<Mutex<Vec<(String, String)>>>;

/// Makes organisations until told to stop. Whatever is not made must be a 503 that says when to come back.
async fn write(ada: Actor, writer: usize, stop: Arc<AtomicBool>, acknowledged: Written) -> u64 {
    let (mut refused, mut number) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let answer = ada.post("/v1/organizations", json!({"name": format!("Engines {writer} {number}")})).await;
        if answer.status == 201 {
            let written = (answer.text_at("/id").to_owned(), answer.header("x-request-id").to_owned());
            acknowledged.lock().unwrap().push(written);
        } else {
            let retry: u64 =
                answer.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {answer}"));
            answer.expect(503).problem("unavailable");
            assert!(retry > 0);
            refused += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    refused
}
