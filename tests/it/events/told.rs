//! What is told: everything of one's own organisation, once, and nothing of another's.

use std::{collections::BTreeSet, time::Instant};

use freehold::runtime::Ids;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};
use uuid::Uuid;

use super::{SOON, ids, path, stream::Stream};
use crate::{
    harness::{Actor, Database, Login, Psql, Server},
    world::{CANARY, Tenant, World},
};

/// Proves NET-12.
#[tokio::test]
async fn what_happens_on_another_instance_is_told_at_once_as_a_search_shows_it() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let mut streams = Vec::new();
    for person in [&world.a.owner, &world.a.admin, &world.a.auditor] {
        streams.push(Stream::open(&person.at_server_of(second.nobody())).await);
    }
    let begun = Instant::now();
    let team = world.a.owner.post(&path(&world.a, "teams"), json!({"name": "Night"})).await.expect(201).id_at("/id");
    for stream in &mut streams {
        let entries = stream.entries().await;
        assert!(begun.elapsed() < SOON, "told after {:?}", begun.elapsed());
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((&entry["event"], &entry["target"]["id"]), (&json!("team.created"), &json!(team)));
        let entry_path = path(&world.a, &format!("audit/{}", entry["id"].as_str().unwrap()));
        assert_eq!(*entry, world.a.owner.get(&entry_path).await.expect(200).json, "the same as a search shows");
        assert!(entry["actor"]["name"].as_str().unwrap().contains(CANARY) && entry["ip"] == "127.0.0.1");
    }
    // What was refused is told as well, and a service account may watch like a person.
    let account =
        world.a.owner.post(&path(&world.a, "service-accounts"), json!({"name": "SIEM", "role": "auditor"})).await;
    let keys = path(&world.a, &format!("service-accounts/{}/keys", account.expect(201).id_at("/id")));
    let key = world.a.owner.post(&keys, json!({"name": "First"})).await.expect(201);
    let mut siem = Stream::open(&second.bearer(key.text_at("/key"))).await;
    world.a.member.get(&path(&world.a, "audit")).await.expect(403);
    world.server.flush_refusals().await;
    let entries = siem.entries().await;
    assert_eq!((&entries[0]["event"], &entries[0]["outcome"]), (&json!("access.refused"), &json!("refused")));
    second.stop().await;
    world.close().await;
}

/// Adds entries to a tenant's record in one transaction, around the server: the database can't tell the difference.
async fn add(psql: &mut Psql, organization: Uuid, count: usize) {
    let rows: Vec<_> = (0..count).map(|_| line(organization, "{}")).collect();
    psql.run(&insert(&rows)).await.unwrap();
}

pub(super) fn line(organization: Uuid, metadata: &str) -> String {
    let id: Uuid = Ids.next();
    format!(
        "('{id}', '{organization}', now(), 'team.updated', 'low', 'normal', 'success', 'system', 'team', '{metadata}')"
    )
}

pub(super) fn insert(rows: &[String]) -> String {
    format!(
        "INSERT INTO audit_entries
             (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
         VALUES {}",
        rows.join(", ")
    )
}

/// Transactions that stay open while others come and go, one after the other, some of which never happen.
async fn dawdle(database: &Database, organization: Uuid, number: u64) {
    let mut psql = database.psql(Login::Owner).await;
    for round in 0..6 {
        psql.run("BEGIN").await.unwrap();
        add(&mut psql, organization, 3).await;
        sleep(Duration::from_millis(137 * (number + 1) + 211 * round)).await;
        add(&mut psql, organization, 2).await;
        psql.run(if (round + number) % 3 == 2 { "ROLLBACK" } else { "COMMIT" }).await.unwrap();
    }
}

/// A tenant's owner, who changes a team again and again.
async fn work(tenant: &Tenant, there: &Actor) {
    let team = path(tenant, &format!("teams/{}", tenant.team));
    for number in 0..120 {
        let by = if number % 2 == 0 { (*tenant.owner).clone() } else { tenant.owner.at_server_of(there) };
        by.patch(&team, json!({"description": format!("Shift {number}")})).await.expect(200);
    }
}

/// Proves NET-12, AZ-9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stream_tells_its_own_record_whole_and_once() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let (a, b, there) = (&world.a, &world.b, second.nobody());
    let mut psql = world.database.psql(Login::Owner).await;
    // One began before anybody watched.
    let mut early = world.database.psql(Login::Owner).await;
    early.run("BEGIN").await.unwrap();
    add(&mut early, a.id, 2).await;
    let all = "SELECT id, organization_id FROM audit_entries";
    let before = ids(&psql.rows(all).await);
    let mut streams = Vec::new();
    for (tenant, watcher) in
        [(a, &a.owner), (a, &a.auditor), (b, &b.owner), (b, &b.admin)].map(|(tenant, person)| (tenant, person))
    {
        streams.push((tenant.id, Stream::open(watcher).await));
        streams.push((tenant.id, Stream::open(&watcher.at_server_of(there)).await));
    }
    let dawdling = (0..6).map(|number| dawdle(&world.database, if number % 2 == 0 { a.id } else { b.id }, number));
    let late = async {
        sleep(Duration::from_secs(4)).await;
        add(&mut early, a.id, 1).await;
        early.run("COMMIT").await.unwrap();
    };
    tokio::join!(work(a, there), work(b, there), futures_util::future::join_all(dawdling), late);
    let now = psql.rows(all).await;
    for (organization, stream) in &mut streams {
        let expected: BTreeSet<_> =
            now.iter().filter(|entry| entry["organization_id"] == json!(organization)).collect_ids();
        let expected: BTreeSet<_> = expected.into_iter().filter(|id| !before.contains(id)).collect();
        assert!(expected.len() > 150, "{}", expected.len());
        let told = ids(&stream.collect(expected.len()).await);
        assert_eq!(told.len(), expected.len(), "some were told twice");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    second.stop().await;
    world.close().await;
}

trait CollectIds {
    fn collect_ids(self) -> BTreeSet<String>;
}

impl<'a, I: Iterator<Item = &'a Value>> CollectIds for I {
    fn collect_ids(self) -> BTreeSet<String> {
        self.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Proves NET-12.
#[tokio::test]
async fn no_entry_is_written_below_a_savepoint_where_snapshots_do_not_see_it_begin() {
    let world = World::open().await;
    let mut stream = Stream::open(&world.platform_session().await).await;
    // Nobody manages the account: what would be told to a manager is written and taken back before the lock is recorded.
    let wrong = json!({"email": world.b.owner.email, "password": "Not-the-password-1", "token_delivery": "body"});
    let mut locked = None;
    for _ in 0..10 {
        world.server.nobody().post("/v1/sessions", wrong.clone()).await;
    }
    while locked.is_none() {
        locked = stream.entries().await.into_iter().find(|entry| entry["event"] == "account.locked");
    }
    let request = locked.unwrap()["request_id"].as_str().unwrap().to_owned();
    let written = format!(
        "SELECT count(*) AS entries, count(DISTINCT xmin::text) AS numbers FROM audit_entries WHERE request_id = '{request}'"
    );
    let written = world.database.psql(Login::Owner).await.rows(&written).await;
    assert!(written[0]["entries"].as_i64().unwrap() >= 2, "the failure and the lock: {written:?}");
    assert_eq!(written[0]["numbers"], 1, "all are the transaction's own");
    world.close().await;
}

/// Proves NET-12, AZ-9.
#[tokio::test]
async fn a_stream_follows_nobody_into_another_organisation() {
    let world = World::open().await;
    // The platform's administrator watches the platform's record and, while acting there, a tenant's.
    let mut platform = Stream::open(&world.platform_session().await).await;
    let acting = world.acting_in(world.a.id).await;
    let mut inside = Stream::open(&acting).await;
    world.b.owner.post(&path(&world.b, "teams"), json!({"name": "Elsewhere"})).await.expect(201);
    world.a.owner.post(&path(&world.a, "teams"), json!({"name": "Here"})).await.expect(201);
    let told = inside.collect(1).await;
    assert!(
        told.iter()
            .all(|entry| entry["event"] == "team.created" && entry["actor"]["id"] == json!(world.a.owner.account))
    );
    assert_eq!(told.len(), 1, "{told:?}");
    world.platform.post_nothing(&format!("/v1/accounts/{}/unblock", world.suspended)).await.expect(200);
    let events: Vec<_> = platform.collect(1).await.iter().map(|entry| entry["event"].clone()).collect();
    assert!(events.contains(&json!("account.unblocked")) && !events.contains(&json!("team.created")), "{events:?}");
    world.close().await;
}
