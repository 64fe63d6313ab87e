//! The root key: without the right one nothing starts and nothing is written, and it can be changed.

use serde_json::json;

use crate::{
    harness::{Database, Login, OpenBao, ROOT_KEY, Server, TRANSIT_KEY, config},
    world::World,
};

const OTHER: &str = "rT5w0Qy8uJ1kLm3nVb7cXz9aSd2fGh4jPo6iUy5tReE=";

/// Everything that a start could have changed.
async fn state(database: &Database) -> Vec<serde_json::Value> {
    let mut psql = database.psql(Login::Owner).await;
    let mut state = psql.rows("SELECT * FROM data_keys ORDER BY id").await;
    state.extend(psql.rows("SELECT * FROM seaql_migrations ORDER BY version").await);
    state.extend(psql.rows("SELECT id, xmin::text FROM signing_keys ORDER BY id").await);
    state
}

async fn refusal(database: &Database, settings: &[(&str, &str)]) -> String {
    match Server::run(config(database, settings)).await {
        Ok(server) => {
            server.stop().await;
            panic!("it started with {settings:?}");
        }
        Err(error) => error.to_string(),
    }
}

/// Proves DAT-5.
#[tokio::test]
async fn a_wrong_root_key_stops_the_start_before_anything_is_written() {
    let world = World::open().await;
    let before = state(&world.database).await;
    let said = refusal(&world.database, &[("FREEHOLD_SECRETS_ROOT_KEY", OTHER)]).await;
    for word in ["refusing to start", "nothing was changed", "secrets.root_key", "secrets.previous_root_key"] {
        assert!(said.contains(word), "missing {word}: {said}");
    }
    assert!(!said.contains(OTHER) && !said.contains(ROOT_KEY), "{said}");
    assert_eq!(state(&world.database).await, before);
    // A key that was exchanged for another in the database is one that was not wrapped as what it says.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE scope = 'mfa') WHERE scope = 'pii'")
        .await
        .unwrap();
    let said = refusal(&world.database, &[]).await;
    assert!(said.contains("(pii, version 1)") && said.contains("changed"), "{said}");
    world.close().await;
}

/// Proves DAT-5.
#[tokio::test]
async fn the_root_key_is_changed_by_wrapping_the_data_keys_anew() {
    let world = World::open().await;
    let changed = [("FREEHOLD_SECRETS_ROOT_KEY", OTHER), ("FREEHOLD_SECRETS_PREVIOUS_ROOT_KEY", ROOT_KEY)];
    let second = Server::configured(&world.database, &changed).await;
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(DISTINCT root_key) FROM data_keys").await, 1);
    // The instance that has not been restarted goes on, and so do sessions and database logins.
    world.a.member.get("/v1/me").await.expect(200);
    second.bearer(world.a.member.token()).get("/v1/me").await.expect(200);
    second.stop().await;
    let third = Server::configured(&world.database, &[("FREEHOLD_SECRETS_ROOT_KEY", OTHER)]).await;
    third.bearer(world.a.admin.token()).get(&format!("/v1/organizations/{}/members", world.a.id)).await.expect(200);
    third.stop().await;
    let said = refusal(&world.database, &[]).await;
    assert!(said.contains("refusing to start"), "{said}");
    world.close().await;
}

/// Proves DAT-5: an installation moves to a Transit engine, and does not start while that is sealed.
#[tokio::test]
async fn the_root_key_moves_into_a_transit_engine() {
    let world = World::open().await;
    let bao = OpenBao::start().await;
    let token = bao.mighty_token().await;
    let transit = [
        ("FREEHOLD_SECRETS_ROOT_KEY", ""),
        ("FREEHOLD_SECRETS_TRANSIT_ADDRESS", bao.address()),
        ("FREEHOLD_SECRETS_TRANSIT_KEY", TRANSIT_KEY),
        ("FREEHOLD_SECRETS_TRANSIT_TOKEN", token.as_str()),
    ];
    let moving = [&transit[..], &[("FREEHOLD_SECRETS_PREVIOUS_ROOT_KEY", ROOT_KEY)]].concat();
    Server::configured(&world.database, &moving).await.stop().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let wrapped = "SELECT count(*) FROM data_keys WHERE convert_from(wrapped, 'UTF8') LIKE 'vault:v1:%'";
    assert_eq!(psql.number(wrapped).await, psql.number("SELECT count(*) FROM data_keys").await);
    let there = Server::configured(&world.database, &transit).await;
    there.bearer(world.a.member.token()).get("/v1/me").await.expect(200);
    // A new key is wrapped there too.
    let administrator = there.bearer(world.platform_session().await.token());
    administrator.post("/v1/key-rotations", json!({"scope": "mfa"})).await.expect(201);
    assert_eq!(administrator.get("/v1/data-keys").await.expect(200).json["root_key_custodian"], "transit");
    assert_eq!(psql.number(wrapped).await, psql.number("SELECT count(*) FROM data_keys").await);
    there.stop().await;
    bao.seal().await;
    let said = refusal(&world.database, &transit).await;
    assert!(said.to_lowercase().contains("sealed") && !said.contains(&token), "{said}");
    world.close().await;
}
