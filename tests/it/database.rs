//! What the server asks of its database, and what it does when that keeps it waiting.

use std::time::{Duration, Instant};

use freehold::{
    db::Tx,
    error::Error,
    types::{Caller, Origin},
};
use sea_orm::FromQueryResult;
use serde_json::json;

use crate::{
    harness::{Database, Login, Server},
    world::World,
};

mod logins;
mod upgrade;

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

async fn text(tx: &Tx, sql: &'static str) -> freehold::error::Result<String> {
    let rows: Vec<Text> = tx.query(sql, []).await?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

fn nobody(server: &Server) -> Caller {
    let now = server.app().clock.now();
    Caller::anonymous(Origin { request_id: "test".into(), address: None, user_agent: None, now })
}

#[tokio::test]
async fn a_row_that_somebody_holds_on_to_does_not_take_the_pool() {
    let world = World::open().await;
    let member = &world.a.member;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!("BEGIN; SELECT FROM accounts WHERE id = '{}' FOR UPDATE", member.account)).await.unwrap();
    // More of them than the pool has connections.
    let begun = Instant::now();
    let stuck = (0..12).map(|number| member.patch("/v1/me", json!({"name": format!("Name {number}")})));
    for answer in futures_util::future::join_all(stuck).await {
        let answer = answer.expect(503).problem("unavailable");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{answer}");
    }
    // Who waits behind others for a row waits for more than one lock; the statement's own bound ends that.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    // The row is still held, and everybody else is served.
    world.a.owner.patch("/v1/me", json!({"name": "Else"})).await.expect(200);
    world.b.owner.get("/v1/me").await.expect(200);
    psql.run("ROLLBACK").await.unwrap();
    member.patch("/v1/me", json!({"name": "At last"})).await.expect(200);
    world.close().await;
}

#[tokio::test]
async fn a_transaction_has_bounds_of_its_own_and_one_that_breaks_them_can_be_tried_again() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let db = &server.app().db;
    let tx = db.read(&nobody(&server)).await.unwrap();
    let bounds = "SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'),
                         current_setting('idle_in_transaction_session_timeout'), current_setting('jit')) AS text";
    // What looks at the record each second would be compiled each second, for longer than that.
    assert_eq!(text(&tx, bounds).await.unwrap(), "5s 15s 30s off");
    drop(tx);
    // What breaks them, with bounds that a test can wait for.
    let tx = db.read(&nobody(&server)).await.unwrap();
    text(&tx, "SELECT set_config('statement_timeout', '50ms', true) AS text").await.unwrap();
    let late = text(&tx, "SELECT pg_sleep(5)::text AS text").await;
    assert!(matches!(late, Err(Error::Upstream { .. })), "{late:?}");
    drop(tx);
    let tx = db.write(&nobody(&server)).await.unwrap();
    text(&tx, "SELECT set_config('idle_in_transaction_session_timeout', '50ms', true) AS text").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let late = text(&tx, "SELECT 'awake' AS text").await;
    assert!(matches!(late, Err(Error::Upstream { .. })), "{late:?}");
    drop(tx);
    server.nobody().get("/v1/setup").await.expect(200);
    server.stop().await;
}
