//! Alive, ready, and honest about it when PostgreSQL is away.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    harness::{Actor, Answer, Database, Login, PASSWORD, Proxy, Server, eventually},
    world::{Cast, World},
};

/// How long a server may take to be itself again.
const RECOVERY: Duration = Duration::from_secs(10);

/// A server whose only way to PostgreSQL is a wire that can be cut.
struct Wired {
    world: World,
    proxy: Proxy,
    server: Server,
    cast: Cast,
}

impl Wired {
    async fn open() -> Self {
        let world = World::open().await;
        let proxy = Proxy::to(world.database.port()).await;
        let url = world.database.url_through(proxy.port());
        let server = Server::configured(&world.database, &[("DATABASE_URL", url.expose())]).await;
        let cast = world.cast.at(&server);
        server.nobody().get("/health/ready").await.expect(200);
        cast.a.member.get("/v1/me").await.expect(200);
        Self { world, proxy, server, cast }
    }

    async fn sign_in(&self) -> Answer {
        let body = json!({"email": self.cast.a.member.email, "password": PASSWORD, "token_delivery": "body"});
        self.server.nobody().post("/v1/sessions", body).await
    }

    async fn is_itself_again(&self) {
        let ready = async || (self.server.nobody().get("/health/ready").await.status == 200).then_some(());
        eventually("ready again", RECOVERY, ready).await;
        self.cast.a.member.get("/v1/me").await.expect(200);
        self.sign_in().await.expect(201);
    }

    async fn close(self) {
        self.server.stop().await;
        self.world.close().await;
    }
}

/// Waits until a probe hears that the instance is not ready, and why. What it heard before stands for a second.
async fn not_ready(nobody: &Actor, why: &str) {
    let answer = eventually("not ready", Duration::from_secs(4), async || {
        let answer = nobody.get("/health/ready").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(answer.problem("unavailable").json["detail"], why);
}

fn unavailable(answer: Answer) {
    let answer = answer.expect(503).problem("unavailable");
    let seconds: u64 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("when? {answer}"));
    assert!((1..=60).contains(&seconds));
    assert!(answer.json.get("detail").is_none(), "{answer}");
}

/// Proves OPS-8.
#[tokio::test]
async fn without_its_database_a_server_lives_is_not_ready_and_comes_back() {
    let wired = Wired::open().await;
    let nobody = wired.server.nobody();
    wired.proxy.cut();
    not_ready(nobody, "the database does not answer").await;
    assert_eq!(nobody.get("/health/live").await.expect(200).json, json!({"status": "ok"}));
    let health = nobody.get("/health").await.expect(200).json;
    assert_eq!((&health["status"], &health["database"]), (&json!("unavailable"), &json!("unavailable")));
    // Whoever asks for something is told to come back, and no more.
    unavailable(wired.cast.a.member.get("/v1/me").await);
    unavailable(wired.cast.a.owner.patch("/v1/me", json!({"name": "Lost"})).await);
    unavailable(wired.cast.platform.get("/v1/accounts").await);
    unavailable(nobody.get("/v1/setup").await);
    unavailable(wired.sign_in().await);
    let token = json!({"refresh_token": wired.cast.a.member.refresh_token});
    unavailable(nobody.post("/v1/sessions/refresh", token.clone()).await);
    // What needs no database goes on.
    nobody.get("/.well-known/jwks.json").await.expect(200);
    nobody.get("/openapi.json").await.expect(200);

    wired.proxy.restore();
    wired.is_itself_again().await;
    nobody.post("/v1/sessions/refresh", token).await.expect(200);
    let health = nobody.get("/health").await.expect(200).json;
    assert_eq!((&health["status"], &health["version"]), (&json!("ok"), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(health["uptime_seconds"].is_u64());
    wired.close().await;
}

/// Proves OPS-11.
#[tokio::test]
async fn a_server_whose_clock_is_not_the_databases_is_not_ready() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let nobody = server.nobody();
    nobody.get("/health/ready").await.expect(200);
    server.advance(TimeDelta::milliseconds(700));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    nobody.get("/health/ready").await.expect(200);
    let begun = Instant::now();
    server.advance(TimeDelta::milliseconds(1300));
    not_ready(nobody, "the database's clock and this server's are more than a second apart").await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    let health = nobody.get("/health").await.expect(200).json;
    let seen = [&health["status"], &health["database"], &health["database_clock"]];
    assert_eq!(seen, [&json!("unavailable"), &json!("ok"), &json!("unavailable")]);
    // Behind as well as ahead; and good again.
    server.advance(TimeDelta::milliseconds(-4000));
    not_ready(nobody, "the database's clock and this server's are more than a second apart").await;
    server.advance(TimeDelta::milliseconds(2000));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    nobody.get("/health/ready").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn many_probes_ask_the_database_once_a_second() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let mut psql = database.psql(Login::Owner).await;
    // Transactions of the whole server, other work included.
    let done = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let before = psql.number(done).await;
    let begun = Instant::now();
    let mut asked = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        let probes = (0..20).map(|_| server.nobody().get("/health/ready"));
        for answer in futures_util::future::join_all(probes).await {
            answer.expect(200);
            asked += 1;
        }
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    server.nobody().get("/health/ready").await.expect(200);
    let transactions = psql.number(done).await - before;
    println!("{asked} probes, {transactions} transactions");
    assert!(asked > 200 && transactions < asked / 2, "{transactions} transactions for {asked} probes");
    server.stop().await;
}

/// Proves OPS-8.
#[tokio::test]
async fn a_database_that_hangs_is_given_up_on() {
    let wired = Wired::open().await;
    wired.proxy.freeze();
    let begun = Instant::now();
    not_ready(wired.server.nobody(), "the database does not answer").await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a probe waited for {:?}", begun.elapsed());
    wired.server.nobody().get("/health/live").await.expect(200);
    let begun = Instant::now();
    unavailable(wired.cast.a.member.get("/v1/me").await);
    assert!(begun.elapsed() < Duration::from_secs(15), "a request waited for {:?}", begun.elapsed());
    wired.proxy.restore();
    wired.is_itself_again().await;
    wired.close().await;
}
