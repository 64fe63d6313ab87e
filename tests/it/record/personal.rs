//! What is personal of an entry: shown beside it, sealed apart from it, and found by nobody who searches.

use serde_json::json;

use crate::{
    harness::{Login, Psql},
    path::PLATFORM,
    world::World,
};

const AGENT: &str = "freehold-story/personal";

/// Proves AUD-2, DAT-1.
#[tokio::test]
async fn where_it_was_done_from_and_what_somebody_wrote_are_shown_and_lie_beside_the_entry() {
    let world = World::open().await;
    let admin = world.platform_session().await.using(AGENT);
    let block = format!("/v1/accounts/{}/block", world.a.subject.account);
    let blocked = admin.post(&block, json!({"reason": "Ask Xanthippe first"})).await.expect(200);
    let record = format!("/v1/organizations/{PLATFORM}/audit");
    let shown = admin.get(&format!("{record}?event=account.blocked&limit=1")).await.expect(200);
    let entry = &shown.items()[0];
    assert_eq!((&entry["ip"], &entry["user_agent"]), (&json!("127.0.0.1"), &json!(AGENT)));
    assert_eq!(entry["metadata"]["reason"], "Ask Xanthippe first");
    assert!(entry["metadata"]["sessions"].is_number(), "{entry}");
    let one = admin.get(&format!("{record}/{}", entry["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(one.json, *entry);
    // By no word of it is it found; by one of the rest it is.
    for (text, found) in [("xanthippe", 0), ("personal", 0), ("127.0.0.1", 0), ("account.blocked", 1)] {
        let of_request = blocked.header("x-request-id");
        let answer = admin.get(&format!("{record}?text={text}%20{of_request}")).await.expect(200);
        assert_eq!(answer.items().len(), found, "{text}");
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let rows = json!(psql.rows("SELECT * FROM audit_entries").await).to_string();
    assert!(!rows.contains("Xanthippe") && !rows.contains("127.0.0.1") && !rows.contains(AGENT));
    world.close().await;
}

/// Proves AUD-2: one statement writes entry, words and what is personal, or none of them.
#[tokio::test]
async fn an_entry_without_what_is_personal_of_it_is_not_written() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$",
    )
    .await
    .unwrap();
    psql.run("CREATE TRIGGER fault BEFORE INSERT ON audit_personal FOR EACH ROW EXECUTE FUNCTION fail()")
        .await
        .unwrap();
    let before = psql.number("SELECT count(*) FROM audit_entries").await;
    world.a.member.patch("/v1/me", json!({"name": "Renamed"})).await.expect(503).problem("unavailable");
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries").await, before);
    psql.run("DROP TRIGGER fault ON audit_personal").await.unwrap();
    world.a.member.patch("/v1/me", json!({"name": "Renamed"})).await.expect(200);
    world.close().await;
}

/// Proves AZ-9, DAT-10: tenants read their own; only the platform's role seals anew and erases.
#[tokio::test]
async fn the_servers_roles_do_no_more_with_it_than_they_have_to() {
    let world = World::open().await;
    let refused = async |psql: &mut Psql, sql: &str| {
        let error = psql.run(sql).await.expect_err(sql);
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{sql}: {error}");
    };
    let mut application = world.database.psql(Login::Application).await;
    application.act(Some(world.a.id), Some(world.a.owner.account)).await;
    for sql in [
        "UPDATE audit_personal SET address = NULL",
        "DELETE FROM audit_personal",
        "TRUNCATE audit_personal",
        "SELECT * FROM erasures",
        "INSERT INTO erasures VALUES (gen_random_uuid(), now())",
        "UPDATE accounts SET salt = NULL",
    ] {
        refused(&mut application, sql).await;
    }
    let mut platform = world.database.psql(Login::Platform).await;
    for sql in [
        "UPDATE audit_personal SET account_id = NULL",
        "TRUNCATE audit_personal",
        "DELETE FROM erasures",
        "UPDATE erasures SET erased_at = now()",
    ] {
        refused(&mut platform, sql).await;
    }
    assert!(platform.run("UPDATE audit_personal SET address = NULL").await.unwrap() > 0);
    world.close().await;
}
