//! Checkpoints on their way out: a file a day and a letter, which later show that an end was cut off.

use std::fs;

use freehold::{config::Audit, operations};
use serde_json::json;

use super::{all_sealed, evidence, faulty, keys, verified};
use crate::{
    harness::{Actor, Login, Psql, Server, eventually, folder},
    world::World,
};

const RECIPIENT: &str = "archive@example.com";

/// Has the checkpoints sent out, and says how many were.
async fn send_out(admin: &Actor, psql: &mut Psql) -> i64 {
    let asked = admin.post_nothing("/v1/jobs/audit_checkpoints_publish/runs").await.expect(201);
    let path = format!("/v1/job-runs/{}", asked.text_at("/id"));
    let done = async || (admin.get(&path).await.expect(200).json["state"] == "succeeded").then_some(());
    eventually("the checkpoints are sent out", super::SOON, done).await;
    let recorded =
        "SELECT (metadata->>'checkpoints')::bigint FROM audit_entries WHERE event = 'audit.checkpoints_published'
         ORDER BY id DESC LIMIT 1";
    psql.number(recorded).await
}

/// Proves AUD-4: checkpoints go outside (mail, directory), so that a cut tail shows (`verify --anchor`).
#[tokio::test]
async fn checkpoints_leave_daily_and_show_later_what_was_cut_off() {
    let world = World::open().await;
    let a = &world.a;
    let directory = folder("checkpoints");
    let outside = Audit {
        checkpoint_directory: Some(directory.clone()),
        checkpoint_recipients: vec![RECIPIENT.parse().unwrap()],
    };
    let leader = Server::leading(&world.database, &[], operations::jobs_for(outside)).await;
    let admin = world.platform.at_server_of(leader.nobody());
    let mut psql = world.database.psql(Login::Owner).await;
    all_sealed(&mut psql).await;
    a.admin.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    all_sealed(&mut psql).await;
    let sent = send_out(&admin, &mut psql).await;
    let organizations = psql.number("SELECT count(DISTINCT organization_id) FROM audit_checkpoints").await;
    assert_eq!(sent, organizations);
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let file = fs::read_to_string(&files[0]).unwrap();
    assert_eq!(i64::try_from(file.lines().count()).unwrap(), organizations);
    let letter = world.database.mail().take(RECIPIENT).await;
    // Its digest is in the record, so that one file vouches for the one before.
    let recorded = "SELECT metadata->>'sha256' FROM audit_entries WHERE event = 'audit.checkpoints_published'";
    let digest = psql.text(recorded).await;
    assert!(letter.text.contains(&digest), "{}", letter.text);
    let computed = psql.text(&format!("SELECT encode(sha256(convert_to('{file}', 'UTF8')), 'hex')")).await;
    assert_eq!(digest, computed);
    leader.stop().await;

    let keys = keys(&a.admin).await;
    let honest = evidence(&a.admin, a.id).await;
    verified(&honest, &keys, Some(&file));
    verified(&honest, &keys, Some(&letter.text));
    let of_a = format!("organization_id = '{}'", a.id);
    for table in ["audit_entries", "audit_seals", "audit_checkpoints"] {
        psql.run(&format!("ALTER TABLE {table} DISABLE TRIGGER immutable")).await.unwrap();
    }
    let to = psql.number(&format!("SELECT sequence FROM audit_checkpoints WHERE {of_a} AND number = 1")).await;
    for table in ["audit_seals", "audit_checkpoints"] {
        assert!(psql.run(&format!("DELETE FROM {table} WHERE {of_a} AND sequence > {to}")).await.unwrap() > 0);
    }
    let gone = format!(
        "DELETE FROM audit_entries e WHERE {of_a} AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)"
    );
    assert!(psql.run(&gone).await.unwrap() > 0);
    let cut = evidence(&a.admin, a.id).await;
    verified(&cut, &keys, None);
    faulty(&cut, &keys, Some(&file), "the end was cut off");
    faulty(&cut, &keys, Some(&letter.text), "the end was cut off");
    world.close().await;
}
