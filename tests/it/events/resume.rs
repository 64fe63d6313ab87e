//! A stream that breaks off and goes on somewhere else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    ids, path,
    stream::{Said, Stream},
    told::{insert, line},
};
use crate::{
    harness::{Login, Process, Server},
    world::World,
};

/// Proves NET-12.
#[tokio::test]
async fn whoever_comes_back_after_an_instance_died_misses_nothing() {
    let world = World::open().await;
    let own = Process::variables(&world.database);
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut instance = Process::among_others(&own);
    let there = instance.ready().await;
    let mut stream = Stream::open(&world.a.owner.at_server_of(&there)).await;
    let team = async |number: usize| {
        let name = json!({"name": format!("Team {number}")});
        world.a.owner.post(&path(&world.a, "teams"), name).await.expect(201).id_at("/id").to_string()
    };
    let first = team(0).await;
    assert_eq!(stream.entries().await[0]["target"]["id"], json!(first));
    // One transaction is open meanwhile, with an entry that is older than what was told.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("BEGIN").await.unwrap();
    psql.run(&insert(&[line(world.a.id, r#"{"late": true}"#)])).await.unwrap();
    let second = team(1).await;
    assert_eq!(stream.entries().await[0]["target"]["id"], json!(second));
    instance.kill_9();
    assert!(matches!(stream.next().await, Said::Closed(1006)));
    let mut expected = BTreeSet::new();
    for number in 2..8 {
        expected.insert(team(number).await);
    }
    psql.run("COMMIT").await.unwrap();
    let (mut resumed, missed) = Stream::open_after(&world.a.owner, Some(&stream.cursor)).await;
    assert_eq!(missed.iter().filter(|entry| entry["metadata"]["late"] == json!(true)).count(), 1);
    let told: BTreeSet<_> =
        missed.iter().filter_map(|entry| entry["target"]["id"].as_str().map(str::to_owned)).collect();
    assert_eq!((missed.len(), told), (7, expected));
    // And from there on it is told as ever; whoever comes back at once is told nothing again.
    let last = team(8).await;
    assert_eq!(resumed.entries().await[0]["target"]["id"], json!(last));
    let (_, nothing) = Stream::open_after(&world.a.owner, Some(&resumed.cursor)).await;
    assert_eq!(nothing, [] as [Value; 0]);
    world.close().await;
}

/// Proves NET-12.
#[tokio::test]
async fn a_cursor_opens_ones_own_record_only_and_more_than_is_sent_is_a_gap() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let stream = Stream::open(&world.a.owner).await;
    let cursor = stream.cursor.clone();
    stream.leave().await;
    world.a.owner.post(&path(&world.a, "teams"), json!({"name": "Here"})).await.expect(201);
    world.b.owner.post(&path(&world.b, "teams"), json!({"name": "There"})).await.expect(201);
    for (tenant, other) in [(&world.a, &world.b), (&world.b, &world.a)] {
        let (_, missed) = Stream::open_after(&tenant.owner.at_server_of(second.nobody()), Some(&cursor)).await;
        assert_eq!(missed.len(), 1, "{missed:?}");
        assert_eq!(missed[0]["actor"]["id"], json!(tenant.owner.account));
        assert_ne!(missed[0]["actor"]["id"], json!(other.owner.account));
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let many: Vec<_> = (0..1000).map(|_| line(world.a.id, "{}")).collect();
    let (mut live, _) = Stream::open_after(&world.a.owner, None).await;
    psql.run(&insert(&many[..999])).await.unwrap();
    // A hundred to a message, and all of them at once.
    assert_eq!(ids(&live.collect(999).await).into_iter().collect::<BTreeSet<_>>().len(), 999);
    let (_, missed) = Stream::open_after(&world.a.owner, Some(&cursor)).await;
    assert_eq!(missed.len(), 1000);
    psql.run(&insert(&many[999..])).await.unwrap();
    live.entries().await;
    let (mut resumed, missed) = Stream::open_after(&world.a.owner, Some(&cursor)).await;
    assert_eq!(missed, [Value::Null], "a gap, and nothing else");
    let many: Vec<_> = (0..1001).map(|_| line(world.a.id, "{}")).collect();
    psql.run(&insert(&many)).await.unwrap();
    assert_eq!(resumed.message().await["type"], "gap");
    // It goes on behind it.
    psql.run(&insert(&[line(world.a.id, "{}")])).await.unwrap();
    assert_eq!(resumed.entries().await.len(), 1);
    second.stop().await;
    world.close().await;
}
