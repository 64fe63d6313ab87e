//! What happens to a record in the course of time: people are erased, keys change, leaders are killed, transactions take
//! long, and old entries are there before the first seal.

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use freehold::{operations, runtime::Ids};
use serde_json::json;
use uuid::Uuid;

use super::{SOON, all_sealed, evidence, faulty, keys, leader, lines, verified};
use crate::{
    harness::{Login, Process, Psql, Server, eventually},
    path::PLATFORM,
    privacy::erase,
    world::World,
};

/// Proves AUD-4: personal fields are under salted commitments, so that erasure and the rotation of keys leave the chain
/// whole.
#[tokio::test]
async fn an_erasure_and_a_change_of_keys_leave_the_chain_whole() {
    let world = World::open().await;
    let a = &world.a;
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let agent = "freehold-story/erased";
    let subject = a.member.using(agent);
    subject.patch("/v1/me", json!({"name": "Renamed"})).await.expect(200);
    let block = format!("/v1/accounts/{}/block", a.member.account);
    world.platform.post(&block, json!({"reason": "Ask Xanthippe first"})).await.expect(200);
    all_sealed(&mut psql).await;
    let before = evidence(&world.platform, PLATFORM).await;
    let keys_before = keys(&a.admin).await;
    verified(&before, &keys_before, None);
    assert!(before.contains("Xanthippe") && before.contains(agent), "{before}");
    // The salts lie sealed: in clear they would let anybody with a copy try out all addresses.
    let salt = lines(&before).iter().find_map(|line| line["personal"]["origin"]["salt"].as_str().map(str::to_owned));
    let salt = salt.unwrap();
    let there = format!(
        "SELECT count(*) FROM audit_personal p WHERE p::text LIKE '%{salt}%' OR position('{salt}' in encode(origin_salt, 'escape')) > 0"
    );
    assert_eq!((salt.len(), psql.number(&there).await), (32, 0));

    erase(&world, a.member.account).await.expect(200);
    let rotate = world.platform_session().await;
    let started = rotate.post("/v1/key-rotations", json!({"scope": "pii"})).await.expect(201).id_at("/id");
    let over = async || {
        let rotation = rotate.get(&format!("/v1/key-rotations/{started}")).await.expect(200);
        (rotation.json["step"] == "finished").then_some(())
    };
    eventually("the data key is changed", SOON * 2, over).await;
    all_sealed(&mut psql).await;
    let after = evidence(&world.platform, PLATFORM).await;
    let said = verified(&after, &keys(&a.admin).await, Some(&before));
    assert!(said.contains("whose personal fields were erased since"), "{said}");
    assert!(!after.contains("Xanthippe") && !after.contains(agent), "{after}");
    // The entries themselves are the same as before, byte for byte.
    let entries = |text: &str| -> Vec<_> {
        let all = lines(text).into_iter().filter(|line| line["type"] == "entry");
        all.map(|line| (line["sequence"].clone(), line["entry"].clone())).collect()
    };
    let (old, new) = (entries(&before), entries(&after));
    assert_eq!(old, new[..old.len()]);

    // The key that signed so far may have leaked: what it signed is proven by what the next one signs.
    let distrust = json!({"previous": "distrust", "reason": "It may have leaked"});
    rotate.post("/v1/signing-keys/rotate", distrust).await.expect(200);
    let platform = world.platform_session().await;
    all_sealed(&mut psql).await;
    let last = evidence(&platform, PLATFORM).await;
    let said = verified(&last, &keys(&platform).await, None);
    assert!(said.contains("by a key that is not given, proven by a later one"), "{said}");
    leader.stop().await;
    world.close().await;
}

/// Many entries of an older release, in clear order of time, without commitments.
pub(super) async fn old_entries(psql: &mut Psql, organization: Uuid, many: i64) {
    let sql = format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type,
             metadata)
         SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
                '{organization}', to_timestamp(1700000000 + n / 1000.0), 'member.added', 'low', 'security', 'success',
                'system', 'member', jsonb_build_object('n', n)
         FROM generate_series(1, {many}) n"
    );
    assert_eq!(i64::try_from(psql.run(&sql).await.unwrap()).unwrap(), many);
}

/// Proves AUD-4, OPS-1: a killed leader leaves no gap and no double, and a backlog is worked off in batches.
#[tokio::test]
async fn a_leader_that_is_killed_while_it_seals_leaves_no_gap_and_no_double() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Owner).await;
    old_entries(&mut psql, a.id, 30_000).await;
    let own = Process::variables(&world.database);
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let leads = [own.as_slice(), &[("FREEHOLD_JOBS_LEAD", "true")]].concat();
    let sealed = "SELECT count(*) FROM audit_seals";
    let mut seen = 0;
    for _ in 0..3 {
        let mut process = Process::among_others(&leads);
        process.ready().await;
        let more = async || {
            let now = psql.number(sealed).await;
            (now > seen).then_some(now)
        };
        seen = eventually("something is sealed", SOON, more).await;
        process.kill_9();
        b.admin.patch(&format!("/v1/organizations/{}", b.id), json!({"name": format!("At {seen}")})).await.expect(200);
    }
    let last = leader(&world.database).await;
    all_sealed(&mut psql).await;
    last.stop().await;
    let gaps = "SELECT count(*) FROM (SELECT organization_id FROM audit_seals GROUP BY 1
         HAVING count(*) <> max(sequence) OR count(DISTINCT entry_id) <> count(*)) wrong";
    assert_eq!(psql.number(gaps).await, 0);
    let keys = keys(&a.admin).await;
    let said = verified(&evidence(&a.admin, a.id).await, &keys, None);
    assert!(said.contains("entries, proven to the 300"), "{said}");
    verified(&evidence(&b.admin, b.id).await, &keys, None);
    // While there was a backlog no checkpoint claimed to be complete; the next one after it does.
    b.admin.patch(&format!("/v1/organizations/{}", b.id), json!({"name": "After"})).await.expect(200);
    let again = leader(&world.database).await;
    all_sealed(&mut psql).await;
    again.stop().await;
    let state = b.admin.get(&format!("/v1/organizations/{}/audit-seals", b.id)).await.expect(200);
    assert!(state.json["checkpoint"]["complete_before"].is_string(), "{state}");
    world.close().await;
}

/// Proves AUD-4: only entries below the oldest running transaction are sealed, and those of a long one after its end.
#[tokio::test]
async fn what_a_long_transaction_writes_is_sealed_after_it_and_not_skipped() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let mut slow = world.database.psql(Login::Owner).await;
    let leader = leader(&world.database).await;
    all_sealed(&mut psql).await;
    let id: Uuid = Ids.next();
    slow.run("BEGIN").await.unwrap();
    let insert = format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type,
             target_type, metadata, form)
         VALUES ('{id}', '{}', now(), 'member.added', 'low', 'security', 'success', 'system', 'member', '{{}}', 2)",
        a.id
    );
    slow.run(&insert).await.unwrap();
    let sealed = psql.number("SELECT count(*) FROM audit_seals").await;
    a.admin.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Meanwhile"})).await.expect(200);
    // Two rounds of the sealer: it has looked, and left alone what began after the slow one.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(psql.number("SELECT count(*) FROM audit_seals").await, sealed);
    let state = a.admin.get(&format!("/v1/organizations/{}/audit-seals", a.id)).await.expect(200);
    assert!(state.json["waiting"].as_i64().unwrap() >= 1, "{state}");
    slow.run("COMMIT").await.unwrap();
    all_sealed(&mut psql).await;
    let late = format!("SELECT sequence FROM audit_seals WHERE entry_id = '{id}'");
    assert!(psql.number(&late).await > 0);
    leader.stop().await;
    verified(&evidence(&a.admin, a.id).await, &keys(&a.admin).await, None);
    world.close().await;
}

/// The first key of a set, an elliptic one, in PEM: its point behind what says that it is one on P-256 (RFC 5480).
fn pem(keys: &str) -> String {
    let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().unwrap()).unwrap();
    let head = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
    let info = [STANDARD.decode(head).unwrap(), coordinate("x"), coordinate("y")].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(info))
}

/// Proves AUD-4: one public key in PEM is enough, and another's is not.
#[tokio::test]
async fn evidence_is_verified_with_a_key_in_pem() {
    let world = World::open().await;
    let a = &world.a;
    let leader = leader(&world.database).await;
    all_sealed(&mut world.database.psql(Login::Owner).await).await;
    leader.stop().await;
    let (file, keys) = (evidence(&a.admin, a.id).await, keys(&a.admin).await);
    verified(&file, &pem(&keys), None);
    // A point of the same curve that signed nothing: the base point itself.
    let base = serde_json::json!({"keys": [{
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    }]});
    faulty(&file, &pem(&base.to_string()), None, "are under no checkpoint that these keys prove");
    world.close().await;
}
