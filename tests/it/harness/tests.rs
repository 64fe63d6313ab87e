//! The harness is held to what the stories rely on.

use std::time::Duration;

use serde_json::json;
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};

use super::{Database, Login, PASSWORD, Process, Proxy, Server};

fn first_admin(token: &str) -> serde_json::Value {
    json!({"token": token, "email": "ada@example.com", "name": "Ada", "password": PASSWORD, "token_delivery": "body"})
}

#[tokio::test]
async fn a_token_of_one_server_is_good_on_another_and_in_a_copy_of_the_database() {
    let database = Database::new().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let setup = one.setup_token().await;
    let answer = one.nobody().post("/v1/setup", first_admin(&setup)).await.expect(201);
    let ada = one.bearer(answer.text_at("/access_token"));
    ada.get("/v1/me").await.expect(200);
    ada.at_server_of(two.nobody()).get("/v1/me").await.expect(200);
    two.nobody().get("/v1/me").await.expect(401).problem("unauthenticated");
    one.stop().await;
    two.stop().await;
    let copy = Database::copy_of(&database).await;
    let three = Server::start(&copy).await;
    ada.at_server_of(three.nobody()).get("/v1/me").await.expect(200);
    three.stop().await;
    for (login, role) in [
        (Login::Application, "freehold_application"),
        (Login::Platform, "freehold_platform"),
        (Login::Owner, "freehold_owner"),
    ] {
        let mut psql = copy.psql(login).await;
        assert_eq!(psql.text("SELECT current_user").await, role);
        assert_eq!(psql.rows("SELECT 1 AS one").await, [json!({"one": 1})]);
    }
}

#[tokio::test]
async fn a_wire_freezes_comes_back_and_is_cut() {
    let database = Database::new().await;
    let proxy = Proxy::to(database.port()).await;
    let options: PgConnectOptions = database.url_through(proxy.port()).expose().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    proxy.freeze();
    {
        let mut ping = std::pin::pin!(connection.ping());
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut ping).await.is_err());
        proxy.restore();
        ping.await.unwrap();
    }
    proxy.cut();
    connection.ping().await.unwrap_err();
    proxy.restore();
    options.connect().await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn the_binary_is_started_killed_started_again_and_stopped() {
    let database = Database::new().await;
    let mut process = Process::on(&database, &[]);
    let nobody = process.ready().await;
    let setup = process.setup_token().await;
    nobody.post("/v1/setup", first_admin(&setup)).await.expect(201);
    process.kill_9();
    assert!(nobody.request(reqwest::Method::GET, "/health").try_send().await.is_err());
    let mut process = Process::on(&database, &[]);
    let answer = process.ready().await.get("/v1/setup").await.expect(200);
    assert_eq!(answer.json["required"], false);
    assert!(process.terminate().await.success(), "{}", process.output());
}

#[tokio::test]
async fn the_world_is_built_once_and_copied() {
    for _ in 0..2 {
        let world = crate::world::World::open().await;
        let profile = world.a.member.get("/v1/me").await.expect(200);
        assert_eq!(profile.id_at("/member_id"), world.a.member.membership);
        world.close().await;
    }
}
