//! A large file through the real binary, killed with signal 9 in the middle, again and again: every good line becomes a
//! person, once, every bad one is named, and the memory stays what it was.

use std::{fmt::Write, fs, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    harness::{Actor, Database, Login, Process, eventually},
    path::{PLATFORM, first_admin},
};

/// How many people there are, unless the environment asks for more.
const PEOPLE: usize = 3000;
/// How often the server is killed.
const KILLS: usize = 3;
/// One line in so many is broken.
const BROKEN: usize = 100;
/// What memory may grow by, whatever the length of the file, in KiB: buffers of a batch, and what the allocator keeps.
const MEMORY: u64 = 48 * 1024;
/// How many bytes are uploaded at once.
const PART: usize = 1024 * 1024;
const LONG: Duration = Duration::from_secs(3600);

/// Resident memory of a process in KiB.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The file, and how many of its lines are good.
fn file(people: usize) -> (String, usize) {
    let (mut text, mut good) = ("email,name\n".to_owned(), 0);
    for number in 1..=people {
        if number % BROKEN == 0 {
            writeln!(text, "person{number}.example,\"Person {number}").unwrap();
        } else {
            writeln!(text, "person{number}@many.example,Person {number}").unwrap();
            good += 1;
        }
    }
    (text, good)
}

async fn upload(admin: &Actor, text: &str) -> uuid::Uuid {
    let path = format!("/v1/organizations/{PLATFORM}/imports");
    let mut parts = text.as_bytes().chunks(PART);
    let first = json!({"format": "csv", "content": STANDARD.encode(parts.next().unwrap())});
    let id = admin.post(&path, first).await.expect(201).id_at("/id");
    for (number, part) in parts.enumerate() {
        let body = json!({"offset": (number + 1) * PART, "content": STANDARD.encode(part)});
        admin.post(&format!("{path}/{id}/parts"), body).await.expect(200);
    }
    id
}

/// Proves AUT-9.
#[tokio::test]
async fn a_long_import_survives_kill_9_without_doubles_in_bounded_memory() {
    #[expect(clippy::disallowed_methods, reason = "the long runs of the tests are asked for by the environment")]
    let people = std::env::var("FREEHOLD_TEST_LINES").ok().and_then(|text| text.parse().ok()).unwrap_or(PEOPLE);
    let (text, good) = file(people);
    let database = Database::new().await;
    let mut psql = database.psql(Login::Owner).await;
    let mut process = Process::on(&database, &[]);
    let nobody = process.ready().await;
    let admin = nobody.post("/v1/setup", first_admin(&process.setup_token().await)).await.expect(201);
    let admin = nobody.bearing(admin.text_at("/access_token"));
    let id = upload(&admin, &text).await;
    let start = format!("/v1/organizations/{PLATFORM}/imports/{id}/start");
    admin.post(&start, json!({"dry_run": false})).await.expect(200);
    for kill in 1..=KILLS {
        // In the middle of the work.
        let until = people * kill / (KILLS + 1);
        eventually("some of it is done", LONG, async || {
            let line = psql.number(&format!("SELECT at_line FROM imports WHERE id = '{id}'")).await;
            (usize::try_from(line).unwrap() >= until).then_some(())
        })
        .await;
        process.kill_9();
        let made = psql.number("SELECT made FROM imports").await;
        assert_eq!(psql.number("SELECT count(*) - 1 FROM accounts").await, made, "made and noted are not the same");
        process = Process::on(&database, &[]);
        process.ready().await;
    }
    let (before, begun) = (resident(process.id()), std::time::Instant::now());
    let mut most = before;
    eventually("all of it is done", LONG, async || {
        most = most.max(resident(process.id()));
        let ended = format!("SELECT count(*) FROM imports WHERE id = '{id}' AND state = 'finished'");
        (psql.number(&ended).await == 1).then_some(())
    })
    .await;
    println!(
        "{people} lines; the last part took {:?}; memory {before} KiB before, at most {most} KiB",
        begun.elapsed()
    );
    assert!(most < before + MEMORY, "memory grew from {before} to {most} KiB");

    let good = i64::try_from(good).unwrap();
    assert_eq!(psql.number("SELECT count(*) - 1 FROM accounts").await, good, "somebody is missing or there twice");
    let created = "SELECT count(*) - 1 FROM audit_entries WHERE event = 'account.created'";
    assert_eq!(psql.number(created).await, good);
    let named = format!(
        "SELECT count(*) FROM import_lines WHERE outcome = 'refused' AND code = 'unbalanced_quotes'
        AND (line - 1) % {BROKEN} = 0"
    );
    let broken = i64::try_from(people / BROKEN).unwrap();
    assert_eq!(psql.number(&named).await, broken, "not every bad line is named");
    assert_eq!(psql.number("SELECT count(*) FROM import_lines WHERE outcome <> 'made'").await, broken);
    assert_eq!(psql.number("SELECT count(*) FROM import_parts").await, 0, "something of the file is left");
    let numbers = psql.rows("SELECT made, skipped, refused FROM imports").await;
    assert_eq!(numbers, [json!({"made": good, "skipped": 0, "refused": broken})]);
}
