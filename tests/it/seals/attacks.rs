//! Somebody with full rights over the database changes the record around the server, and each time it shows.

use freehold::runtime::Ids;
use serde_json::json;
use uuid::Uuid;

use super::{all_sealed, evidence, faulty, keys, last_checkpoint, leader, lines, verified};
use crate::{
    harness::{Login, Psql, eventually},
    world::World,
};

const TABLES: [&str; 3] = ["audit_entries", "audit_seals", "audit_checkpoints"];

/// Nothing stops an owner who means it.
async fn unlock(psql: &mut Psql) {
    for table in TABLES {
        psql.run(&format!("ALTER TABLE {table} DISABLE TRIGGER immutable")).await.unwrap();
        psql.run(&format!("CREATE TABLE kept_{table} AS TABLE {table}")).await.unwrap();
    }
    psql.run("CREATE TABLE kept_audit_personal AS TABLE audit_personal").await.unwrap();
}

async fn put_back(psql: &mut Psql) {
    for table in TABLES.into_iter().chain(["audit_personal"]) {
        psql.run(&format!("DELETE FROM {table}")).await.unwrap();
        psql.run(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await.unwrap();
    }
}

/// An entry of somebody's invention, with this id.
fn invented(organization: Uuid, id: &str) -> String {
    format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type,
             target_type, metadata, form)
         VALUES ('{id}', '{organization}', now() - interval '1 day', 'member.added', 'low', 'security', 'success', 'system',
             'member', '{{}}', 2)"
    )
}

/// Proves AUD-4: altering, deleting, inserting, reordering and cutting the tail of entries by someone with full database
/// rights is found by `audit verify`.
#[tokio::test]
async fn whoever_changes_the_database_is_found_by_what_they_changed() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let leader = leader(&world.database).await;
    all_sealed(&mut psql).await;
    a.admin.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    all_sealed(&mut psql).await;
    leader.stop().await;
    let keys = keys(&a.admin).await;
    let honest = evidence(&a.admin, a.id).await;
    verified(&honest, &keys, Some(&honest));
    unlock(&mut psql).await;

    let of_a = format!("organization_id = '{}'", a.id);
    let number = |sequence: i64| format!("(SELECT entry_id FROM audit_seals WHERE {of_a} AND sequence = {sequence})");
    let last = psql.number(&format!("SELECT max(sequence) FROM audit_seals WHERE {of_a}")).await;
    let earlier = format!("SELECT max(sequence) FROM audit_checkpoints WHERE {of_a} AND sequence < {last}");
    let before_last = psql.number(&earlier).await;
    let seal =
        |set: &str, sequence: i64| format!("UPDATE audit_seals SET {set} WHERE {of_a} AND sequence = {sequence}");
    let yesterday = "0195aaaa-0000-7000-8000-000000000001";
    let altered = format!("UPDATE audit_entries SET outcome = 'failed' WHERE id = {}", number(2));
    let deleted = format!("DELETE FROM audit_entries WHERE id = {}", number(2));
    let of_seal = |sequence: i64| format!("DELETE FROM audit_seals WHERE {of_a} AND sequence = {sequence}");
    let swap = [seal("sequence = -1 * 0 + 900001", 2), seal("sequence = 2", 3), seal("sequence = 3", 900_001)];
    let shift = format!("UPDATE audit_seals SET sequence = sequence + 100000 WHERE {of_a} AND sequence > 2");
    let back = format!("UPDATE audit_seals SET sequence = sequence - 99999 WHERE {of_a} AND sequence > 100000");
    let put = format!("INSERT INTO audit_seals VALUES ('{}', 3, '{yesterday}', sha256('x'))", a.id);
    let tail = |table: &str| format!("DELETE FROM {table} WHERE {of_a} AND sequence > {before_last}");
    let tail_entries = format!(
        "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_seals WHERE {of_a} AND sequence > {before_last})"
    );
    let personal = format!("UPDATE audit_personal SET user_agent = NULL WHERE id = {}", number(2));
    let moved =
        format!("UPDATE audit_entries SET occurred_at = occurred_at - interval '1 day' WHERE id = {}", number(2));
    let attacks: Vec<(&str, Vec<String>, &str)> = vec![
        ("altering", vec![altered.clone()], "entry 2 ("),
        (
            "altering a commitment",
            vec![format!("UPDATE audit_entries SET origin_commitment = sha256('x') WHERE id = {}", number(2))],
            "was altered",
        ),
        ("moving in time", vec![moved], "was altered"),
        (
            "altering, with a seal that fits less",
            vec![altered, seal("hash = sha256('x')", 2)],
            "are not those that checkpoint",
        ),
        ("deleting", vec![deleted.clone()], "was deleted"),
        ("deleting with the seal", vec![deleted, of_seal(2)], "entry 2 is missing"),
        ("inserting", vec![invented(a.id, yesterday)], "was inserted"),
        ("inserting with a seal", vec![invented(a.id, yesterday), shift, put, back], "are not those that checkpoint"),
        ("reordering", swap.to_vec(), "are not those that checkpoint"),
        ("what is personal", vec![personal], "what is personal of it was altered (origin)"),
        ("a checkpoint", vec![format!("DELETE FROM audit_checkpoints WHERE {of_a} AND number = 1")], "does not follow"),
    ];
    for (what, statements, found) in attacks {
        for sql in &statements {
            assert!(psql.run(sql).await.unwrap() > 0, "{what}: {sql}");
        }
        faulty(&evidence(&a.admin, a.id).await, &keys, None, found);
        put_back(&mut psql).await;
    }
    verified(&evidence(&a.admin, a.id).await, &keys, Some(&honest));
    // A tail that is gone with all that spoke of it is only known to whoever kept something.
    for sql in [tail_entries, tail("audit_seals"), tail("audit_checkpoints")] {
        assert!(psql.run(&sql).await.unwrap() > 0, "{sql}");
    }
    let cut = evidence(&a.admin, a.id).await;
    verified(&cut, &keys, None);
    faulty(&cut, &keys, Some(&honest), "the end was cut off");
    faulty(&cut, &keys, Some(&format!("From: freehold\n\n{}\n", last_checkpoint(&honest))), "the end was cut off");
    // And when the server went on from there, it is another record than the one that was kept.
    go_on_and_be_found(&world, &honest, &keys).await;
    world.close().await;
}

/// After a cut the server seals on: the kept checkpoint belongs to another chain.
async fn go_on_and_be_found(world: &World, honest: &str, keys: &str) {
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let leader = leader(&world.database).await;
    for round in 0..40 {
        let name = json!({"name": format!("Renamed {round}")});
        a.admin.patch(&format!("/v1/organizations/{}", a.id), name).await.expect(200);
    }
    all_sealed(&mut psql).await;
    leader.stop().await;
    let after = evidence(&a.admin, a.id).await;
    verified(&after, keys, None);
    faulty(&after, keys, Some(honest), "the record was rewritten");
}

/// Proves AUD-4: who rewrites entries and seals but lacks the key does not get the server to sign them.
#[tokio::test]
async fn a_chain_that_is_not_ours_is_not_carried_on() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Owner).await;
    let first = leader(&world.database).await;
    all_sealed(&mut psql).await;
    first.stop().await;
    unlock(&mut psql).await;
    // The last checkpoint says another head, signed by nobody; its header and payload are well-formed.
    let of_a = format!("organization_id = '{}'", a.id);
    let forge = format!(
        "UPDATE audit_checkpoints SET jws = left(jws, -20) || 'AAAAAAAAAAAAAAAAAAAA'
         WHERE {of_a} AND number = (SELECT max(number) FROM audit_checkpoints WHERE {of_a})"
    );
    assert_eq!(psql.run(&forge).await.unwrap(), 1);
    for tenant in [a, b] {
        tenant.admin.patch(&format!("/v1/organizations/{}", tenant.id), json!({"name": "Renamed"})).await.expect(200);
    }
    let second = leader(&world.database).await;
    let said = "SELECT count(*) FROM audit_entries WHERE event = 'audit.chain_broken'";
    eventually("the broken chain is recorded", super::SOON, async || (psql.number(said).await == 1).then_some(()))
        .await;
    let unsealed = |organization: Uuid| {
        format!(
            "SELECT count(*) FROM audit_entries e WHERE organization_id = '{organization}'
             AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)"
        )
    };
    let of_b = unsealed(b.id);
    eventually("the others are sealed", super::SOON, async || (psql.number(&of_b).await == 0).then_some(())).await;
    assert!(psql.number(&unsealed(a.id)).await > 0, "a forged chain was carried on");
    second.stop().await;
    faulty(&evidence(&a.admin, a.id).await, &keys(&a.admin).await, None, "is forged");
    // Once it is mended, sealing goes on.
    put_back_checkpoints(&mut psql).await;
    let third = leader(&world.database).await;
    let of_a = unsealed(a.id);
    eventually("sealing goes on", super::SOON, async || (psql.number(&of_a).await == 0).then_some(())).await;
    third.stop().await;
    verified(&evidence(&a.admin, a.id).await, &keys(&a.admin).await, None);
    world.close().await;
}

async fn put_back_checkpoints(psql: &mut Psql) {
    let back = "UPDATE audit_checkpoints c SET jws = k.jws FROM kept_audit_checkpoints k
         WHERE k.organization_id = c.organization_id AND k.number = c.number AND k.jws <> c.jws";
    assert_eq!(psql.run(back).await.unwrap(), 1);
}

/// Proves AUD-4: whoever changes the file instead of the database is found as well.
#[tokio::test]
async fn whoever_changes_the_file_is_found() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let leader = leader(&world.database).await;
    all_sealed(&mut psql).await;
    leader.stop().await;
    let keys = keys(&a.admin).await;
    let honest = evidence(&a.admin, a.id).await;
    verified(&honest, &keys, None);
    let all: Vec<&str> = honest.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let place = lines(&honest).iter().position(|line| line["type"] == "entry").unwrap();
    let mut swapped = all.clone();
    swapped.swap(place, place + 1);
    let without: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != place + 1).map(|(_, line)| *line).collect();
    let mut doubled = all.clone();
    doubled.insert(place, all[place]);
    let ids: Ids = Ids;
    let other: Uuid = ids.next();
    for (text, found) in [
        (joined(&swapped), "is not in its place"),
        (joined(&without), "is missing"),
        (joined(&doubled), "is not in its place"),
        (joined(&all[..all.len() - 1]), "breaks off"),
        (joined(&all[..place + 2]), "under no checkpoint that these keys prove"),
        (joined(&all[1..]), "not a file of evidence"),
        (String::new(), "not a file of evidence"),
        (
            honest.replace("\"said\":{\"address\":\"127", "\"said\":{\"address\":\"128"),
            "what is personal of it was altered",
        ),
        (honest.replace(&a.id.to_string(), &other.to_string()), "is of another organisation"),
        (format!("{honest}{{\"type\":\"entry\"}}\n"), "can't be read"),
        (honest.replace("\"type\":\"checkpoint\"", "\"type\":\"comment\""), "can't be read"),
    ] {
        assert_ne!(text, honest, "{found}");
        faulty(&text, &keys, None, found);
    }
    // Keys of somebody else prove nothing.
    let stranger = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"kid\":\"x\",\
         \"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    faulty(&honest, stranger, None, "under no checkpoint that these keys prove");
    world.close().await;
}
