//! The record that nobody can quietly change: sealed within seconds, and proven without the server.

mod attacks;
mod authority;
mod life;
mod publish;

use std::{fs, path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Database, Login, Psql, Server, eventually, folder},
    path::PLATFORM,
    world::World,
};

/// How long sealing may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A server that leads, and has no jobs.
async fn leader(database: &Database) -> Server {
    Server::leading(database, &[], Vec::new()).await
}

/// Waits until every entry is sealed.
pub async fn all_sealed(psql: &mut Psql) {
    let unsealed =
        "SELECT count(*) FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)";
    eventually("every entry is sealed", SOON, async || (psql.number(unsealed).await == 0).then_some(())).await;
}

/// The evidence of an organisation.
pub async fn evidence(by: &Actor, organization: Uuid) -> String {
    by.get(&format!("/v1/organizations/{organization}/audit-evidence")).await.expect(200).text
}

/// The public keys, as an auditor keeps them.
pub async fn keys(by: &Actor) -> String {
    by.get("/.well-known/signature-keys.json").await.expect(200).text
}

/// What the command says of a file of evidence, on a machine that knows nothing else, and whether it is content.
fn verify(evidence: &str, keys: &str, kept: Option<&str>) -> (bool, String) {
    let folder = folder("verify");
    let write = |name: &str, text: &str| -> PathBuf {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.env_clear().current_dir(&folder).args(["audit", "verify"]);
    command.arg(write("evidence.jsonl", evidence)).arg("--key").arg(write("keys", keys));
    if let Some(kept) = kept {
        command.arg("--anchor").arg(write("kept", kept));
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[track_caller]
pub fn verified(evidence: &str, keys: &str, kept: Option<&str>) -> String {
    let (good, text) = verify(evidence, keys, kept);
    assert!(good && text.contains("Verified: nothing was altered"), "{text}");
    text
}

#[track_caller]
fn faulty(evidence: &str, keys: &str, kept: Option<&str>, what: &str) {
    let (good, text) = verify(evidence, keys, kept);
    assert!(!good && text.contains(what), "{what} was not found:\n{text}");
}

fn lines(evidence: &str) -> Vec<Value> {
    evidence.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The last checkpoint of a file of evidence.
fn last_checkpoint(evidence: &str) -> String {
    let mut checkpoints = lines(evidence).into_iter().filter(|line| line["type"] == "checkpoint");
    checkpoints.next_back().unwrap()["jws"].as_str().unwrap().to_owned()
}

/// Proves AUD-4: entries are hash-chained and sealed by signed checkpoints that name their predecessor and count, and a
/// file of them is verified with nothing but the public key.
#[tokio::test]
async fn the_record_is_sealed_within_seconds_and_verified_without_the_server() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let leader = leader(&world.database).await;
    let mut psql = world.database.psql(Login::Owner).await;
    all_sealed(&mut psql).await;
    a.admin.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    all_sealed(&mut psql).await;
    leader.stop().await;

    let keys = keys(&a.admin).await;
    for (who, organization) in [(&a.admin, a.id), (&a.auditor, a.id), (&b.admin, b.id), (&world.platform, PLATFORM)] {
        let file = evidence(who, organization).await;
        let said = verified(&file, &keys, None);
        let lines = lines(&file);
        let entries: Vec<_> = lines.iter().filter(|line| line["type"] == "entry").collect();
        let sealed = format!("SELECT count(*) FROM audit_seals WHERE organization_id = '{organization}'");
        assert_eq!(i64::try_from(entries.len()).unwrap(), psql.number(&sealed).await, "{said}");
        assert!(entries.iter().any(|line| line["personal"]["origin"]["salt"].is_string()), "{file}");
        // It says who got it, and what.
        let exported = format!(
            "SELECT count(*) FROM audit_entries WHERE event = 'audit.evidence_exported' AND organization_id = '{organization}'
             AND (metadata->>'last')::int = {}",
            entries.len()
        );
        assert!(psql.number(&exported).await > 0);
    }
    // One organisation's checkpoint says nothing of another's record.
    let (of_a, of_b) = (evidence(&a.admin, a.id).await, evidence(&b.admin, b.id).await);
    faulty(&of_a, &keys, Some(&of_b), "none of the kept checkpoints");
    let mixed = of_a.replace(&last_checkpoint(&of_a), &last_checkpoint(&of_b));
    faulty(&mixed, &keys, None, "is of another organisation");
    verified(&of_a, &keys, Some(&of_a));

    state_and_checkpoints(&world, &of_a).await;
    world.close().await;
}

/// How far it is and which checkpoints there are can be asked for; each names the one before.
async fn state_and_checkpoints(world: &World, evidence: &str) {
    let a = &world.a;
    let path = format!("/v1/organizations/{}", a.id);
    let state = a.auditor.get(&format!("{path}/audit-seals")).await.expect(200);
    assert_eq!(state.text_at("/checkpoint/jws"), last_checkpoint(evidence));
    // The exports since wait for the next leader.
    assert!(state.json["waiting"].as_i64().unwrap() > 0 && state.json["waiting_since"].is_string(), "{state}");
    let mut all = Vec::new();
    let mut next = format!("{path}/audit-checkpoints?limit=1");
    loop {
        let page = a.auditor.get(&next).await.expect(200);
        all.extend(page.items().to_vec());
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        next = format!("{path}/audit-checkpoints?limit=1&cursor={cursor}");
    }
    assert!(all.len() >= 2, "{all:?}");
    for pair in all.windows(2) {
        assert_eq!(pair[0]["number"].as_i64().unwrap(), pair[1]["number"].as_i64().unwrap() + 1);
        assert!(pair[0]["count"].as_i64() > pair[1]["count"].as_i64() && pair[0]["previous"].is_string());
    }
    // It is no token, for anybody.
    let jws = state.text_at("/checkpoint/jws");
    world.server.bearer(jws).get("/v1/me").await.expect(401);
    // A part of the record is widened to whole checkpoints, and as good.
    let keys = keys(&a.admin).await;
    let first = all.last().unwrap()["count"].as_i64().unwrap() + 1;
    let part = a.admin.get(&format!("{path}/audit-evidence?first={first}")).await.expect(200).text;
    let from = lines(&part).iter().find(|line| line["type"] == "entry").unwrap()["sequence"].clone();
    assert_eq!(from, json!(first));
    verified(&part, &keys, Some(evidence));
    let part = a.admin.get(&format!("{path}/audit-evidence?last=1")).await.expect(200).text;
    verified(&part, &keys, None);
    faulty(&part, &keys, Some(evidence), "the end was cut off");
    let nothing = a.admin.get(&format!("{path}/audit-evidence?from=2100-01-01T00:00:00Z")).await.expect(200).text;
    assert!(!nothing.contains("\"entry\""), "{nothing}");
    a.admin.get(&format!("{path}/audit-evidence?first=0")).await.expect(422);
    a.admin.get(&format!("{path}/audit-evidence?from=yesterday")).await.expect(422);
}
