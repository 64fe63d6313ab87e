//! The signing keys: one that signs, and all that verify.

use std::time::Duration;

use freehold::{
    sessions::Previous,
    types::{Caller, Origin},
};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use super::{claims, part, sign_in};
use crate::{
    harness::{Database, Login, PASSWORD, PATIENCE, PUBLIC_URL, Proxy, Server, eventually},
    world::World,
};

/// How long a key that another instance made may stay unknown.
const SOON: Duration = Duration::from_secs(2);

/// What a service beside Freehold does: it fetches the keys and asks nobody else.
pub(super) async fn verified_elsewhere(server: &Server, token: &str) -> jsonwebtoken::errors::Result<Value> {
    let keys = server.nobody().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys.header("cache-control"), "public, max-age=300");
    let keys: JwkSet = serde_json::from_value(keys.json).unwrap();
    let header = jsonwebtoken::decode_header(token)?;
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    assert_eq!(key.common.key_algorithm.unwrap().to_string(), format!("{:?}", header.alg));
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[PUBLIC_URL]);
    validation.set_audience(&["freehold"]);
    Ok(jsonwebtoken::decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

/// Proves SES-3.
#[tokio::test]
async fn a_service_beside_us_can_verify_a_token_with_the_published_keys() {
    let world = World::open().await;
    let token = world.a.member.token();
    assert_eq!(verified_elsewhere(&world.server, token).await.unwrap(), claims(token));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{signed}.{flipped}{}", &signature[1..]);
    verified_elsewhere(&world.server, &tampered).await.unwrap_err();
    world.close().await;
}

/// Lets ten minutes pass for the keys: the newest has been handed round.
pub(super) async fn later(database: &Database) {
    let mut psql = database.psql(Login::Owner).await;
    psql.run("UPDATE signing_keys SET created_at = created_at - interval '10 minutes'").await.unwrap();
}

/// A server with another algorithm, whose key has not signed yet.
async fn with_algorithm(database: &Database, algorithm: &str) -> Server {
    Server::configured(database, &[("FREEHOLD_TOKENS_ALGORITHM", algorithm)]).await
}

/// Waits until a server signs with this algorithm; returns a token that it signed.
pub(super) async fn signs(server: &Server, email: &str, algorithm: &str) -> String {
    eventually(&format!("{algorithm} signs"), Duration::from_secs(4), async || {
        let token = sign_in(server.nobody(), email).await.text_at("/access_token").to_owned();
        (part(&token, 0)["alg"] == algorithm).then_some(token)
    })
    .await
}

async fn published(server: &Server) -> usize {
    server.nobody().get("/.well-known/jwks.json").await.expect(200).json["keys"].as_array().unwrap().len()
}

/// Proves SES-3.
#[tokio::test]
async fn another_algorithm_signs_once_it_is_known_and_old_tokens_stay_good() {
    let world = World::open().await;
    let email = world.a.member.email.as_str();
    let mut tokens = vec![("ES256", world.a.member.token().to_owned())];
    let mut servers = Vec::new();
    for (algorithm, before) in [("RS256", "ES256"), ("EdDSA", "RS256")] {
        later(&world.database).await;
        let server = with_algorithm(&world.database, algorithm).await;
        // Published everywhere, before anything is signed with it.
        eventually("the next key is published", SOON, async || {
            (published(&world.server).await == servers.len() + 2).then_some(())
        })
        .await;
        for server in [&server, &world.server] {
            let token = sign_in(server.nobody(), email).await.text_at("/access_token").to_owned();
            assert_eq!(part(&token, 0)["alg"], before);
        }
        later(&world.database).await;
        tokens.push((algorithm, signs(&server, email, algorithm).await));
        signs(&world.server, email, algorithm).await;
        servers.push(server);
    }
    let kids = |set: &Value| set["keys"].as_array().unwrap().len();
    for server in servers.iter().chain([&world.server]) {
        let published = eventually("three keys", SOON, async || {
            let set = server.nobody().get("/.well-known/jwks.json").await.expect(200).json;
            (kids(&set) == 3).then_some(set)
        })
        .await;
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
        let keys = published["keys"].as_array().unwrap();
        assert!(keys.iter().all(|key| private.iter().all(|name| key.get(name).is_none())), "{published}");
        for (algorithm, token) in &tokens {
            println!("{algorithm}");
            server.bearer(token).get("/v1/me").await.expect(200);
            verified_elsewhere(server, token).await.unwrap();
        }
    }
    assert_eq!(states(&world.database).await, [("ES256", "retiring"), ("RS256", "retiring"), ("EdDSA", "active")]);
    // Starting again with the same algorithm makes no further key.
    let again = with_algorithm(&world.database, "EdDSA").await;
    assert_eq!(states(&world.database).await.len(), 3);
    // Once every token of theirs has expired, the old keys are gone for good.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("UPDATE signing_keys SET retired_at = retired_at - interval '65 minutes'").await.unwrap();
    eventually("one key is left", Duration::from_secs(4), async || {
        (published(&world.server).await == 1 && published(&again).await == 1).then_some(())
    })
    .await;
    assert_eq!(states(&world.database).await, [("ES256", "retired"), ("RS256", "retired"), ("EdDSA", "active")]);
    let kept = "SELECT count(*) FROM signing_keys WHERE length(private_key) > 0";
    assert_eq!(psql.number(kept).await, 1);
    for (algorithm, token) in &tokens {
        let status = if *algorithm == "EdDSA" { 200 } else { 401 };
        world.server.bearer(token).get("/v1/me").await.expect(status);
    }
    let events = "SELECT string_agg(event, ' ' ORDER BY event) FROM (SELECT DISTINCT event FROM audit_entries
                  WHERE event LIKE 'signing_key.%') e";
    assert_eq!(psql.text(events).await, "signing_key.activated signing_key.created signing_key.retired");
    for server in servers.into_iter().chain([again]) {
        server.stop().await;
    }
    world.close().await;
}

/// Two servers that are told different things do not take turns.
#[tokio::test]
async fn instances_that_disagree_about_the_algorithm_do_not_flip_flop() {
    let database = Database::new().await;
    let one = Server::start(&database).await;
    let two = with_algorithm(&database, "EdDSA").await;
    assert_eq!(states(&database).await, [("ES256", "active")]);
    later(&database).await;
    let three = with_algorithm(&database, "EdDSA").await;
    let present = [("ES256", "active"), ("EdDSA", "pending")];
    assert_eq!(states(&database).await, present);
    // The others start again, one after the other, and nothing changes.
    for algorithm in ["ES256", "EdDSA", "RS256", "ES256"] {
        with_algorithm(&database, algorithm).await.stop().await;
        assert_eq!(states(&database).await, present, "{algorithm}");
    }
    for server in [one, two, three] {
        server.stop().await;
    }
}

/// Proves SES-3.
#[tokio::test]
async fn a_key_of_ninety_days_is_followed_by_the_next_and_so_is_one_on_demand() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let mut psql = database.psql(Login::Owner).await;
    psql.run("UPDATE signing_keys SET created_at = created_at - interval '90 days'").await.unwrap();
    let next = [("ES256", "active"), ("ES256", "pending")];
    let became = async |states_then: &[(&str, &str)]| {
        eventually("the next key", Duration::from_secs(4), async || {
            (states(&database).await == states_then).then_some(())
        })
        .await;
    };
    became(&next).await;
    later(&database).await;
    became(&[("ES256", "retiring"), ("ES256", "active")]).await;
    let now = server.app().clock.now();
    let origin = Origin { request_id: "test".into(), address: None, user_agent: None, now };
    let (caller, keys) = (Caller::system("test", origin), server.app().sessions.keys());
    keys.rotate(&caller, Previous::Good, None).await.unwrap();
    became(&[("ES256", "retiring"), ("ES256", "active"), ("ES256", "pending")]).await;
    // One waits already.
    keys.rotate(&caller, Previous::Good, None).await.unwrap_err();
    became(&[("ES256", "retiring"), ("ES256", "active"), ("ES256", "pending")]).await;
    assert_eq!(published(&server).await, 3);
    server.stop().await;
}

/// The notification comes by another wire than the keys do.
#[tokio::test]
async fn a_key_that_could_not_be_read_at_once_is_read_later() {
    let database = Database::new().await;
    let proxy = Proxy::to(database.port()).await;
    let (far, near) = (database.url_through(proxy.port()), database.url());
    let urls = [("DATABASE_URL", far.expose()), ("DATABASE_DIRECT_URL", near.expose())];
    let server = Server::configured(&database, &urls).await;
    later(&database).await;
    proxy.cut();
    let other = with_algorithm(&database, "EdDSA").await;
    assert_eq!(states(&database).await, [("ES256", "active"), ("EdDSA", "pending")]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(published(&server).await, 1);
    proxy.restore();
    eventually("the key was read", PATIENCE, async || (published(&server).await == 2).then_some(())).await;
    server.stop().await;
    other.stop().await;
}

/// Proves SES-3.
#[tokio::test]
async fn an_algorithm_is_pinned_to_its_key() {
    let world = World::open().await;
    later(&world.database).await;
    let server = with_algorithm(&world.database, "EdDSA").await;
    later(&world.database).await;
    let eddsa = signs(&server, &world.a.member.email, "EdDSA").await;
    let (es256, eddsa) = (world.a.member.token(), eddsa.as_str());
    // Each token as it is, but under the name of the other's key.
    for (token, other) in [(es256, eddsa), (eddsa, es256)] {
        let (_, rest) = token.split_once('.').unwrap();
        let mut header = part(token, 0);
        header["kid"] = part(other, 0)["kid"].clone();
        let header = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header.to_string());
        server.bearer(&format!("{header}.{rest}")).get("/v1/me").await.expect(401).problem("unauthenticated");
    }
    server.stop().await;
    world.close().await;
}

/// Proves SES-3.
#[tokio::test]
async fn servers_that_start_together_share_one_key() {
    let database = Database::new().await;
    let (one, two, three) = tokio::join!(Server::start(&database), Server::start(&database), Server::start(&database));
    assert_eq!(states(&database).await, [("ES256", "active")]);
    let first = json!({
        "token": one.setup_token().await, "email": "ada@example.com", "name": "Ada", "password": PASSWORD,
        "token_delivery": "body",
    });
    let answer = one.nobody().post("/v1/setup", first).await.expect(201);
    for server in [&one, &two, &three] {
        server.bearer(answer.text_at("/access_token")).get("/v1/me").await.expect(200);
    }
    let mut psql = database.psql(Login::Owner).await;
    let made = "SELECT count(*) FROM audit_entries WHERE event = 'signing_key.created'";
    assert_eq!(psql.number(made).await, 1);
    for server in [one, two, three] {
        server.stop().await;
    }
}

/// Algorithm and state of each key, oldest first.
async fn states(database: &Database) -> Vec<(&'static str, &'static str)> {
    let known = |word: &Value| {
        let words = ["ES256", "RS256", "EdDSA", "pending", "active", "retiring", "retired"];
        words.into_iter().find(|known| word == known).unwrap_or_else(|| panic!("{word}"))
    };
    let mut psql = database.psql(Login::Owner).await;
    let rows = psql.rows("SELECT algorithm, state FROM signing_keys ORDER BY id").await;
    rows.iter().map(|row| (known(&row["algorithm"]), known(&row["state"]))).collect()
}
