//! Files and searches of a long record: bounded work, and what becomes of a file whose reader goes or loses access.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Login, Psql},
    world::World,
};

/// Adds entries of two days ago to an organisation's record, a millisecond apart; the oldest is a critical one that failed.
async fn lengthen(psql: &mut Psql, organization: Uuid, count: u32) {
    let filler = "x".repeat(400);
    psql.run(&format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
         SELECT (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid, '{organization}', to_timestamp(ms / 1000.0),
                'organization.entered', CASE i WHEN 1 THEN 'critical' ELSE 'low' END, 'security',
                CASE i WHEN 1 THEN 'failed' ELSE 'success' END, 'anonymous', 'account',
                jsonb_build_object('acting', '{filler}')
         FROM (SELECT i, ((extract(epoch FROM now()) - 172800) * 1000)::bigint + i AS ms FROM generate_series(1, {count}) i) made"
    ))
    .await
    .unwrap();
}

/// Proves AUD-3.
#[tokio::test]
async fn what_is_rare_is_found_at_once_and_what_no_index_serves_in_bounded_stretches() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    lengthen(&mut psql, a.id, 25_000).await;
    let record = format!("/v1/organizations/{}/audit", a.id);
    for (query, expected) in [
        ("severity=critical", 1..=1),
        ("min_severity=critical", 1..=1),
        ("outcome=failed&class=security", 1..=1),
        ("severity=critical&event=organization.entered", 3..=4),
    ] {
        let (mut pages, mut found, mut cursor) = (0, Vec::new(), String::new());
        loop {
            let page = a.auditor.get(&format!("{record}?{query}{cursor}")).await.expect(200);
            pages += 1;
            found.extend(page.items().to_vec());
            let Some(next) = page.json["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found.len(), 1, "{query}");
        assert!(expected.contains(&pages), "{query} took {pages} pages");
        let file = a.auditor.get(&format!("{record}/export?{query}")).await.expect(200);
        assert_eq!(file.text.lines().count(), 2, "{query}");
    }
    // A time leads straight to its place.
    let oldest = a.auditor.get(&format!("{record}?severity=critical&to=2000-01-01T00:00:00Z")).await.expect(200);
    assert!(oldest.items().is_empty() && oldest.json["next_cursor"].is_null(), "{oldest}");
    // Nothing else is asked for: full pages, and no more.
    let page = a.auditor.get(&format!("{record}?event=organization.entered&limit=200")).await.expect(200);
    assert_eq!(page.items().len(), 200);
    world.close().await;
}

/// How the last export of an organisation ended, as soon as it has.
async fn ending(psql: &mut Psql, organization: Uuid) -> Value {
    for _ in 0..200 {
        let rows = psql
            .rows(&format!(
                "SELECT outcome, metadata FROM audit_entries
                 WHERE organization_id = '{organization}' AND event = 'audit.export_ended' ORDER BY id DESC LIMIT 1"
            ))
            .await;
        if let Some(row) = rows.into_iter().next() {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the export has not ended");
}

/// Begins to take a file, and reads no more than its first piece.
async fn begin(actor: &Actor, organization: Uuid) -> reqwest::Response {
    let path = format!("/v1/organizations/{organization}/audit/export");
    let mut answer = actor.request(Method::GET, &path).begin().await;
    assert_eq!(answer.status(), 200);
    answer.chunk().await.unwrap().unwrap();
    answer
}

/// Proves AUD-3, AUD-2.
#[tokio::test]
async fn a_file_that_nobody_takes_any_more_is_recorded_as_cut_and_stops() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    lengthen(&mut psql, a.id, 40_000).await;
    drop(begin(&a.auditor, a.id).await);
    let end = ending(&mut psql, a.id).await;
    assert_eq!((&end["outcome"], &end["metadata"]["reason"]), (&json!("failed"), &json!("client_left")));
    assert!(end["metadata"]["entries"].as_u64().unwrap() < 40_000, "it read to the end for nobody: {end}");
    world.close().await;
}

/// Proves AUD-3, SES-4.
#[tokio::test]
async fn who_loses_access_loses_the_rest_of_the_file_and_sees_that_it_broke_off() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    lengthen(&mut psql, a.id, 40_000).await;
    let mut answer = begin(&a.auditor, a.id).await;
    // Two at a time, and no third.
    let second = begin(&a.auditor, a.id).await;
    let path = format!("/v1/organizations/{}/audit/export", a.id);
    a.auditor.get(&path).await.expect(429).problem("too_many_requests");
    let member = format!("/v1/organizations/{}/members/{}", a.id, a.auditor.membership);
    a.owner.patch(&member, json!({"role": "member"})).await.expect(200);
    let mut text = Vec::new();
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken, "the answer ended as if it were whole");
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.contains("audit.export_ended"), "it says that it is whole");
    let end = ending(&mut psql, a.id).await;
    assert_eq!((&end["outcome"], &end["metadata"]["reason"]), (&json!("failed"), &json!("not_allowed")));
    drop(second);
    world.close().await;
}
