//! How long the record is kept: parts are made ahead and dropped when their time is over, and what is held or wanted longer
//! stays where it was.

use std::time::Duration;

use freehold::operations;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Login, Process, Psql, Server, eventually},
    path::PLATFORM,
    seals::{all_sealed, evidence, keys, verified},
    world::World,
};

/// How long a run of a job may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Makes the part of November 2023, as if the installation were that old, with 300 entries of each of these
/// organisations, every second of the class normal.
async fn old_part(psql: &mut Psql, organizations: &[Uuid]) {
    psql.run("DROP TABLE audit_entries_before, audit_words_before, audit_personal_before").await.unwrap();
    psql.run("DELETE FROM audit_parts WHERE part = 'before'").await.unwrap();
    psql.run("SET timezone = 'UTC'").await.unwrap();
    psql.run("SELECT audit_make_part('2023_11', '2023-11-01', '2023-12-01', false)").await.unwrap();
    for (number, organization) in organizations.iter().enumerate() {
        let entries = format!(
            "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type,
                 target_type, metadata)
             SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex({number}), 4, '0')
                     || lpad(to_hex(n), 8, '0'))::uuid, '{organization}', to_timestamp(1700000000 + n / 1000.0),
                    'member.added', 'low', CASE n % 2 WHEN 0 THEN 'normal' ELSE 'security' END, 'success', 'system',
                    'member', '{{}}' FROM generate_series(1, 300) n"
        );
        assert_eq!(psql.run(&entries).await.unwrap(), 300);
    }
    let old = "FROM audit_entries WHERE occurred_at < '2023-12-01'";
    psql.run(&format!("INSERT INTO audit_words SELECT organization_id, 'antique', id, class {old}")).await.unwrap();
    psql.run(&format!(
        "INSERT INTO audit_personal (id, organization_id, class) SELECT id, organization_id, class {old}"
    ))
    .await
    .unwrap();
}

/// How many entries, words and personal fields of then an organisation has.
async fn left(psql: &mut Psql, organization: Uuid) -> [i64; 3] {
    let mut left = [0; 3];
    for (at, (table, id)) in
        [("audit_entries", "id"), ("audit_words", "entry_id"), ("audit_personal", "id")].iter().enumerate()
    {
        let count = format!(
            "SELECT count(*) FROM {table} WHERE organization_id = '{organization}' AND {id} < audit_first_id('2023-12-01Z')"
        );
        left[at] = psql.number(&count).await;
    }
    left
}

/// Everything up to now is sealed, and the leader knows.
async fn settled(psql: &mut Psql) {
    all_sealed(psql).await;
    let known = "SELECT count(*) FROM audit_sealing WHERE settled > '2023-12-01Z'";
    eventually("it is known to be sealed", SOON, async || (psql.number(known).await == 1).then_some(())).await;
}

/// Runs a job to its end, and gives what it counted.
async fn run(admin: &Actor, job: &str) -> Value {
    let asked = admin.post_nothing(&format!("/v1/jobs/{job}/runs")).await.expect(201).text_at("/id").to_owned();
    let path = format!("/v1/job-runs/{asked}");
    let over = async || {
        let run = admin.get(&path).await.expect(200).json;
        assert_ne!(run["state"], "dead", "{run}");
        (run["state"] == "succeeded").then(|| run["result"].clone())
    };
    eventually(&format!("{job} is done"), SOON, over).await
}

/// Proves AUD-7, AUD-4, AUD-3: what is over goes and the chain stays whole; who keeps longer, or is held, has everything.
#[tokio::test]
async fn what_is_over_is_dropped_and_what_is_held_or_kept_longer_is_found_as_before() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Owner).await;
    old_part(&mut psql, &[a.id, b.id]).await;
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    settled(&mut psql).await;
    let admin = world.platform_session().await;
    let longer = json!({"retention": {"normal_days": 3650, "security_days": 3650}});
    let settings = format!("/v1/organizations/{}/settings", b.id);
    b.owner.patch(&settings, longer).await.expect(200);
    b.owner.patch(&settings, json!({"retention": {"normal_days": 300}})).await.expect(422);

    let done = run(&admin, "audit_retention").await;
    assert_eq!(done, json!({"parts": 2, "dropped": 300, "kept": 300}));
    assert_eq!((left(&mut psql, a.id).await, left(&mut psql, b.id).await), ([0; 3], [300; 3]));
    // Nothing is copied again while nothing more is over.
    assert_eq!(run(&admin, "audit_retention").await, json!({"parts": 0, "dropped": 0, "kept": 0}));
    // What was kept is searched, exported and proven.
    let record = format!("/v1/organizations/{}/audit", b.id);
    let found = b.admin.get(&format!("{record}?to=2024-01-01T00:00:00Z&limit=200&text=antique")).await.expect(200);
    assert_eq!(found.items().len(), 200);
    let file = b.admin.get(&format!("{record}/export?to=2024-01-01T00:00:00Z")).await.expect(200).text;
    assert_eq!(file.lines().count(), 301);
    all_sealed(&mut psql).await;
    let keys = keys(&a.admin).await;
    let of_b = verified(&evidence(&b.admin, b.id).await, &keys, None);
    assert!(!of_b.contains("dropped"), "{of_b}");
    let of_a = verified(&evidence(&a.admin, a.id).await, &keys, None);
    assert!(of_a.contains("300 entries were dropped by retention; their seals are whole"), "{of_a}");
    let told =
        a.admin.get(&format!("/v1/organizations/{}/audit?event=audit.retention_applied", a.id)).await.expect(200);
    assert_eq!(told.items().len(), 2, "{told}");
    assert!(told.items().iter().all(|entry| entry["metadata"]["dropped"] == 150), "{told}");

    // A hold keeps it when nobody wants it any longer; who may not place it does not.
    let hold = json!({"organization_id": b.id, "reason": "Case Xanthippe"});
    a.owner.post("/v1/legal-holds", hold.clone()).await.expect(403);
    let placed = admin.post("/v1/legal-holds", hold.clone()).await.expect(201);
    admin.post("/v1/legal-holds", hold).await.expect(409).problem("already_held");
    admin.post("/v1/legal-holds", json!({"organization_id": Uuid::nil(), "reason": "x"})).await.expect(404);
    b.owner.patch(&settings, json!({"retention": {"normal_days": null, "security_days": null}})).await.expect(200);
    assert_eq!(run(&admin, "audit_retention").await["dropped"], 0);
    assert_eq!(left(&mut psql, b.id).await, [300; 3]);
    let release = format!("/v1/legal-holds/{}/release", placed.text_at("/id"));
    admin.post(&release, json!({"reason": "Closed"})).await.expect(200);
    admin.post(&release, json!({"reason": "Closed"})).await.expect(409);
    let listed = admin.get("/v1/legal-holds").await.expect(200);
    assert_eq!(
        (&listed.items()[0]["reason"], &listed.items()[0]["release_reason"]),
        (&json!("Case Xanthippe"), &json!("Closed"))
    );
    let clear = "SELECT count(*) FROM audit_entries WHERE metadata::text LIKE '%Xanthippe%'";
    assert_eq!(psql.number(clear).await, 0);
    let of_platform =
        admin.get(&format!("/v1/organizations/{PLATFORM}/audit?event=legal_hold.placed")).await.expect(200);
    assert_eq!(of_platform.items()[0]["metadata"]["reason"], "Case Xanthippe");
    // Nothing else is left of the month, so nothing of its parts is.
    assert_eq!(run(&admin, "audit_retention").await, json!({"parts": 2, "dropped": 300, "kept": 0}));
    assert_eq!(psql.number("SELECT count(*) FROM audit_parts WHERE part = '2023_11'").await, 0);
    assert_eq!(psql.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'audit_%_2023_11%'").await, 0);
    all_sealed(&mut psql).await;
    leader.stop().await;
    verified(&evidence(&b.admin, b.id).await, &keys, None);
    world.close().await;
}

/// Proves AUD-7, OPS-1: killed in the middle of a drop, a part is as it was, and the next leader drops it whole.
#[tokio::test]
async fn a_leader_that_is_killed_while_it_drops_a_part_leaves_it_as_it_was() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    old_part(&mut psql, &[a.id, world.b.id]).await;
    let hold = format!(
        "INSERT INTO legal_holds (id, organization_id, placed_at) VALUES (gen_random_uuid(), '{}', now())",
        world.b.id
    );
    psql.run(&hold).await.unwrap();
    let own = Process::variables(&world.database);
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::among_others(&[own.as_slice(), &[("FREEHOLD_JOBS_LEAD", "true")]].concat());
    process.ready().await;
    settled(&mut psql).await;
    // Somebody reads the last of its tables, so the entries are gone and the rest waits.
    let mut reader = world.database.psql(Login::Owner).await;
    reader.run("BEGIN").await.unwrap();
    reader.run("LOCK TABLE audit_personal_2023_11_normal IN ACCESS SHARE MODE").await.unwrap();
    let admin = world.platform_session().await;
    admin.post_nothing("/v1/jobs/audit_retention/runs").await.expect(201);
    let waits =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_personal_2023_11_normal'::regclass";
    eventually("it is in the middle", SOON, async || (psql.number(waits).await > 0).then_some(())).await;
    process.kill_9();
    reader.run("COMMIT").await.unwrap();
    let over = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%audit_drop(%' AND pid <> pg_backend_pid() AND state = 'active'";
    eventually("its transaction is over", SOON, async || (psql.number(over).await == 0).then_some(())).await;
    let dropped = psql.number("SELECT count(*) FROM audit_entries WHERE event = 'audit.retention_applied'").await;
    let then = left(&mut psql, a.id).await;
    assert!((dropped, then) == (0, [300; 3]), "{dropped} {then:?}");

    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    eventually("the next leader drops it", SOON * 2, async || (left(&mut psql, a.id).await == [0; 3]).then_some(()))
        .await;
    assert_eq!(left(&mut psql, world.b.id).await, [300; 3]);
    all_sealed(&mut psql).await;
    leader.stop().await;
    let said = verified(&evidence(&a.admin, a.id).await, &keys(&a.admin).await, None);
    assert!(said.contains("300 entries were dropped by retention"), "{said}");
    world.close().await;
}

/// Proves AUD-7: parts are made ahead, each entry lies in that of its month and class, and none fails for want of one.
#[tokio::test]
async fn every_entry_has_the_part_of_its_month_and_class_and_never_fails_for_want_of_one() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    // All that the world has done so far.
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries_default").await, 0);
    assert_eq!(psql.number("SELECT count(*) FROM audit_words_default").await, 0);
    let wrong = "SELECT count(*) FROM audit_entries e WHERE e.tableoid::regclass::text
         <> 'audit_entries_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM') || '_' || e.class";
    assert_eq!(psql.number(wrong).await, 0);
    old_part(&mut psql, &[a.id]).await;
    let entry = |id: &str, organization: Uuid| {
        format!(
            "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
             VALUES ({id}, '{organization}', now(), 'member.added', 'low', 'normal', 'success', 'system', 'member', '{{}}')
             RETURNING tableoid::regclass::text"
        )
    };
    // The last millisecond of a month, and the first of the next, for which there is no part.
    let of = |moment: &str| format!("(left(audit_first_id('{moment}')::text, 14) || '7fff-8fff-ffffffffffff')::uuid");
    let last = psql.lines(&entry(&of("2023-11-30T23:59:59.999Z"), a.id)).await;
    let first = psql.lines(&entry(&of("2023-12-01T00:00:00Z"), a.id)).await;
    assert_eq!((last.as_str(), first.as_str()), ("audit_entries_2023_11_normal", "audit_entries_default"));
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    let admin = world.platform_session().await;
    let made = run(&admin, "audit_parts_make").await;
    assert_eq!(made, json!({"parts": 1, "strays": 0}), "what lay in no part got one");
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries_2023_12_normal").await, 1);
    // One of a far future stays where it is, and somebody is told.
    let stray = psql.lines(&entry("'fe000000-0000-7000-8000-000000000000'", a.id)).await;
    assert_eq!(stray, "audit_entries_default");
    assert_eq!(run(&admin, "audit_parts_make").await["strays"], 1);
    let told = format!("/v1/organizations/{PLATFORM}/audit?event=audit.unparted");
    assert_eq!(admin.get(&told).await.expect(200).items()[0]["metadata"]["strays"], 1);
    // The months to come are there, and a search of the last weeks opens no other.
    let ahead = "SELECT count(*) FROM audit_parts WHERE class = 'normal' AND since > now()";
    assert_eq!(psql.number(ahead).await, 3);
    psql.run(&format!("SET freehold.organization = '{}'", a.id)).await.unwrap();
    let plan = format!(
        "EXPLAIN (COSTS OFF) SELECT * FROM audit_entries WHERE organization_id = '{}' AND id >= audit_first_id(now() - interval '20 days')
         ORDER BY id DESC LIMIT 51",
        a.id
    );
    let plan = psql.lines(&plan).await;
    assert!(!plan.contains("2023_11") && plan.contains("_security"), "{plan}");
    leader.stop().await;
    world.close().await;
}
