//! A backup from before an erasure, restored: the ledger erases again before anything is served.

use std::{path::PathBuf, process::Command};

use entity::AccountId;
use freehold::{
    config::Config,
    privacy::{Erasure, Ledger},
    runtime::{Clock, Ids},
};
use serde_json::json;
use uuid::Uuid;

use super::{erase, left};
use crate::{
    harness::{Database, Login, PASSWORD, ROOT_KEY, Server, config, folder},
    path::sign_in,
    world::World,
};

const SETTING: &str = "FREEHOLD_PRIVACY_ERASURE_LEDGER";

/// A ledger that is not there yet.
fn ledger_file() -> PathBuf {
    folder("ledger").join("kept/elsewhere/erasures.jsonl")
}

fn with_ledger(database: &Database, file: &std::path::Path) -> Config {
    config(database, &[(SETTING, file.to_str().unwrap())])
}

/// Proves DAT-10.
#[tokio::test]
async fn a_backup_from_before_does_not_bring_anybody_back() {
    let file = ledger_file();
    let world = World::configured(&[(SETTING, file.to_str().unwrap())]).await;
    let one = &world.a.member;
    let invite = json!({"email": one.email, "role": "member", "message": "While you were there"});
    world.b.admin.post(&format!("/v1/organizations/{}/invitations", world.b.id), invite).await.expect(201);
    let backup = world.database.dump().await;
    assert!(!file.exists(), "there is a ledger with nobody in it");
    erase(&world, one.account).await.expect(200);
    let line = std::fs::read_to_string(&file).unwrap();
    assert!(line.contains(&one.account.to_string()) && !line.contains(&one.email) && line.ends_with("}\n"), "{line}");

    // The control: without the line, the backup brings them back.
    let back = Database::restored(&backup).await;
    let without = Server::run(with_ledger(&back, &ledger_file())).await.unwrap();
    assert_eq!(
        sign_in(without.nobody(), &one.email).await.get("/v1/me").await.expect(200).id_at("/account/id"),
        one.account
    );
    without.stop().await;

    let restored = Database::restored(&backup).await;
    let mut psql = restored.psql(Login::Owner).await;
    assert!(left(&mut psql, one.account).await > 5, "the backup has nothing of them");
    assert_eq!(psql.number("SELECT count(*) FROM erasures").await, 0);
    let server = Server::run(with_ledger(&restored, &file)).await.unwrap();
    // Before anybody asked anything.
    assert_eq!(left(&mut psql, one.account).await, 0);
    let sign_in = json!({"email": one.email, "password": PASSWORD, "token_delivery": "body"});
    server.nobody().post("/v1/sessions", sign_in).await.expect(401).problem("invalid_credentials");
    server.bearer(one.token()).get("/v1/me").await.expect(401);
    let again = "SELECT metadata->>'replayed' FROM audit_entries WHERE event = 'account.erased'";
    assert_eq!(psql.text(again).await, "true");
    assert_eq!(psql.number("SELECT count(*) FROM erasures").await, 1);
    // Their address is somebody else's to take.
    let admin = server.bearer(world.a.admin.token());
    let invite = json!({"email": one.email, "role": "member"});
    admin.post(&format!("/v1/organizations/{}/invitations", world.a.id), invite).await.expect(201);
    // A second start has nothing to do.
    server.stop().await;
    Server::run(with_ledger(&restored, &file)).await.unwrap().stop().await;
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries WHERE event = 'account.erased'").await, 1);
    world.close().await;
}

/// Proves DAT-10: an erasure that is in the ledger is carried out, whatever stopped the server before its commit; and an
/// instance with a ledger of its own learns from the database.
#[tokio::test]
async fn ledger_and_database_know_the_same_after_a_start() {
    let world = World::open().await;
    let (one, other, nobody) = (world.a.member.account, world.b.member.account, Ids.next());
    erase(&world, other).await.expect(200);
    let file = ledger_file();
    let ledger = Ledger::new(&file, &world.server.app().vault).unwrap();
    let erasure = |account| Erasure { account: AccountId(account), erased_at: Clock::default().now() };
    ledger.add(vec![erasure(one), erasure(nobody)]).await.unwrap();
    ledger.add(vec![erasure(one)]).await.unwrap();
    assert_eq!(ledger.read().unwrap().len(), 2);
    Server::run(with_ledger(&world.database, &file)).await.unwrap().stop().await;
    let mut known: Vec<Uuid> = ledger.read().unwrap().iter().map(|erasure| erasure.account.into()).collect();
    known.sort_unstable();
    let mut expected = vec![one, other, nobody];
    expected.sort_unstable();
    assert_eq!(known, expected);
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM erasures").await, 3);
    assert_eq!(left(&mut psql, one).await, 0);
    world.close().await;
}

/// Proves DAT-10: whoever can write the file can neither erase anybody nor hide a line that they have spoilt.
#[tokio::test]
async fn a_line_that_is_forged_or_broken_stops_the_start() {
    let file = ledger_file();
    let world = World::configured(&[(SETTING, file.to_str().unwrap())]).await;
    let one = world.a.member.account;
    erase(&world, world.b.member.account).await.expect(200);
    let good = std::fs::read_to_string(&file).unwrap();
    let erased = world.b.member.account.to_string();
    for (what, text, words) in [
        ("another's", good.replace(&erased, &one.to_string()), "was changed, or not written by this installation"),
        ("another time", good.replace("\"20", "\"21"), "was changed, or not written by this installation"),
        (
            "no code",
            format!("{good}{{\"account\":\"{one}\",\"erased_at\":\"2026-01-01T00:00:00Z\",\"mac\":\"\"}}\n"),
            "line 2",
        ),
        ("cut short", good[..good.len() - 9].to_owned(), "is cut short"),
        ("no JSON", format!("{good}erase everybody\n"), "line 2"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let said = match Server::run(with_ledger(&world.database, &file)).await {
            Ok(server) => {
                server.stop().await;
                panic!("it started with a line that is {what}");
            }
            Err(error) => error.to_string(),
        };
        assert!(said.contains(words) && said.contains("erasures.jsonl"), "{what}: {said}");
        // Nor is anybody erased by a server that runs.
        world.platform.get("/v1/accounts").await.expect(200);
    }
    let mut psql = world.database.psql(Login::Owner).await;
    assert!(left(&mut psql, one).await > 0);
    // Without a ledger that can be written nobody is erased.
    let draft = || world.platform.request(reqwest::Method::POST, &format!("/v1/accounts/{one}/erase"));
    assert_eq!(draft().send_to_the_broken().await.problem_code(), Ok("internal"));
    assert!(left(&mut psql, one).await > 0);
    std::fs::write(&file, &good).unwrap();
    draft().send().await.expect(200);
    assert_eq!(left(&mut psql, one).await, 0);
    world.close().await;
}

/// Proves DAT-10: by hand, beside a server or before one.
#[tokio::test]
async fn erasures_are_listed_and_replayed_by_hand() {
    let world = World::open().await;
    let (one, other) = (world.a.member.account, world.b.member.account);
    erase(&world, other).await.expect(200);
    let file = ledger_file();
    let ledger = Ledger::new(&file, &world.server.app().vault).unwrap();
    ledger.add(vec![Erasure { account: AccountId(one), erased_at: Clock::default().now() }]).await.unwrap();
    let run = async |what: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["erasures", what]).current_dir(folder("erasures")).env_clear();
        command.envs([
            ("FREEHOLD_PROFILE", "development"),
            ("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY),
            ("FREEHOLD_LOG_LEVEL", "error"),
            ("DATABASE_URL", world.database.url().expose()),
            (SETTING, file.to_str().unwrap()),
        ]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run("list").await;
    let line = |id: Uuid| listed.lines().find(|line| line.contains(&id.to_string())).unwrap_or_default();
    assert!(line(one).ends_with("in the ledger only") && line(other).ends_with("in the database only"), "{listed}");
    assert!(run("replay").await.contains("2 people have been erased; 1 of them were here again."));
    let listed = run("list").await;
    assert_eq!(listed.matches("in ledger and database").count(), 2, "{listed}");
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(left(&mut psql, one).await, 0);
    world.close().await;
}
