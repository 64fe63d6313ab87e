//! Everybody signs in at the same moment, as after a restart or an outage.

use std::{
    fs,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use base64::{Engine, engine::general_purpose::STANDARD};
use freehold::config::ARGON2ID;
use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{Actor, Database, Login, PASSWORD, PATIENCE, Process, eventually},
    path::{PLATFORM, first_admin},
};

const CLIENTS: usize = 200;
/// Threads that hash, each with the memory of one hash.
const WORKERS: u64 = 2;
/// What a connection and a request under way may take in KiB: twice the buffers that hyper and the guard may fill with a
/// head and a small body.
const REQUEST: u64 = 256;
/// What an allocator keeps, and what else comes to life meanwhile, in KiB.
const SLACK: u64 = 32 * 1024;

/// A line of `/proc/<pid>/status` in KiB.
fn memory(process: &Process, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    found.trim_matches([':', '\t', ' ']).split(' ').next().unwrap().parse().unwrap()
}

/// As many people as clients, with passwords hashed as the server hashes; every fourth as it may have hashed before.
async fn people(nobody: &Actor, admin: &Actor, database: &Database) {
    let mut psql = database.psql(Login::Owner).await;
    let hash = psql.text("SELECT hash FROM password_credentials").await;
    let (memory, passes, lanes) = ARGON2ID;
    assert!(hash.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$")), "{hash}");
    let before = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap());
    let before = before.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let line = |number| {
        let hash = if number % 4 == 0 { &before } else { &hash };
        json!({"email": format!("p{number}@storm.example"), "name": "P", "password_hash": hash})
    };
    let file = (0..CLIENTS).map(|number| line(number).to_string()).collect::<Vec<_>>().join("\n");
    let imports = format!("/v1/organizations/{PLATFORM}/imports");
    let body = json!({"format": "json_lines", "content": STANDARD.encode(file)});
    let id = admin.post(&imports, body).await.expect(201).id_at("/id");
    admin.post(&format!("{imports}/{id}/start"), json!({"dry_run": false})).await.expect(200);
    eventually("they are there", Duration::from_secs(120), async || {
        let import = admin.get(&format!("{imports}/{id}")).await.expect(200);
        (import.json["made"] == CLIENTS).then_some(())
    })
    .await;
    sign_in(nobody, 0).await.expect(201);
}

/// Each from an address of its own, as behind a load balancer.
async fn sign_in(nobody: &Actor, number: usize) -> crate::harness::Answer {
    let body = json!({"email": format!("p{number}@storm.example"), "password": PASSWORD, "token_delivery": "body"});
    let draft = nobody.request(reqwest::Method::POST, "/v1/sessions").json(&body);
    draft.header("x-forwarded-for", &format!("198.51.100.{number}")).send().await
}

/// Proves AUT-1, NET-4, NET-5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_sign_ins_is_answered_within_bounds_and_nobody_else_waits() {
    let database = Database::new().await;
    let workers = WORKERS.to_string();
    let settings = [("FREEHOLD_PASSWORDS_WORKERS", workers.as_str()), ("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1")];
    let mut process = Process::on(&database, &settings);
    let nobody = process.ready().await;
    let first = first_admin(&process.setup_token().await);
    let admin = nobody.post("/v1/setup", first).await.expect(201);
    let admin = nobody.bearing(admin.text_at("/access_token"));
    // What a thread holds after its last hash, it gives back within two seconds.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (before, stop) = (memory(&process, "VmRSS"), CancellationToken::new());
    people(&nobody, &admin, &database).await;

    let (asking, stopped) = (admin.clone(), stop.clone());
    let others = tokio::spawn(async move {
        let mut took = Vec::new();
        while !stopped.is_cancelled() {
            let begun = Instant::now();
            asking.get("/v1/me").await.expect(200);
            took.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        took
    });
    let begun = Instant::now();
    let answers = join_all((0..CLIENTS).map(|number| sign_in(&nobody, number))).await;
    let lasted = begun.elapsed();
    stop.cancel();
    let mut took = others.await.unwrap();
    took.sort_unstable();

    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    println!("{CLIENTS} sign-ins in {lasted:?}: {} in, {} throttled, {} refused", count(201), count(429), count(503));
    for answer in &answers {
        let told = || answer.header("retry-after").parse::<u64>().is_ok();
        assert!(answer.status == 201 || (matches!(answer.status, 429 | 503) && told()), "{answer}");
    }
    assert!(count(201) > 0, "nobody got in");
    let (peak, bound) =
        (memory(&process, "VmHWM"), before + WORKERS * u64::from(ARGON2ID.0) + CLIENTS as u64 * REQUEST + SLACK);
    println!("{before} KiB before, {peak} KiB at most; {bound} KiB would be right");
    assert!(peak <= bound, "{peak} KiB, of which {before} KiB were there before");
    let p99 = took[took.len() * 99 / 100];
    println!("GET /v1/me meanwhile, {} times: p99 {p99:?}", took.len());
    assert!(p99 < Duration::from_secs(5), "others waited for {p99:?}");
    // And then it is over.
    eventually("signing in works", PATIENCE, async || (sign_in(&nobody, 1).await.status == 201).then_some(())).await;
    assert!(process.terminate().await.success(), "{}", process.output());
}
