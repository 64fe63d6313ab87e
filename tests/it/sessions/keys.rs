//! The signing keys: one that signs, and all that verify.

use std::time::Duration;

use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use super::{claims, part, sign_in};
use crate::{
    harness::{Database, Login, PASSWORD, PUBLIC_URL, Server, eventually},
    world::World,
};

/// How long a key that another instance made may stay unknown.
const SOON: Duration = Duration::from_secs(2);

/// What a service beside Freehold does: it fetches the keys and asks nobody else.
async fn verified_elsewhere(server: &Server, token: &str) -> jsonwebtoken::errors::Result<Value> {
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

/// Proves SES-3.
#[tokio::test]
async fn another_algorithm_signs_from_now_on_and_old_tokens_stay_good() {
    let world = World::open().await;
    let mut tokens = vec![("ES256", world.a.member.token().to_owned())];
    let mut servers = Vec::new();
    for algorithm in ["RS256", "EdDSA"] {
        let server = Server::configured(&world.database, &[("FREEHOLD_TOKENS_ALGORITHM", algorithm)]).await;
        let answer = sign_in(server.nobody(), &world.a.member.email).await;
        assert_eq!(part(answer.text_at("/access_token"), 0)["alg"], algorithm);
        tokens.push((algorithm, answer.text_at("/access_token").to_owned()));
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
    let again = Server::configured(&world.database, &[("FREEHOLD_TOKENS_ALGORITHM", "EdDSA")]).await;
    assert_eq!(states(&world.database).await.len(), 3);
    for server in servers.into_iter().chain([again]) {
        server.stop().await;
    }
    world.close().await;
}

/// Proves SES-3.
#[tokio::test]
async fn an_algorithm_is_pinned_to_its_key() {
    let world = World::open().await;
    let server = Server::configured(&world.database, &[("FREEHOLD_TOKENS_ALGORITHM", "EdDSA")]).await;
    let answer = sign_in(server.nobody(), &world.a.member.email).await;
    let (es256, eddsa) = (world.a.member.token(), answer.text_at("/access_token"));
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
        let words = ["ES256", "RS256", "EdDSA", "active", "retiring", "retired"];
        words.into_iter().find(|known| word == known).unwrap_or_else(|| panic!("{word}"))
    };
    let mut psql = database.psql(Login::Owner).await;
    let rows = psql.rows("SELECT algorithm, state FROM signing_keys ORDER BY id").await;
    rows.iter().map(|row| (known(&row["algorithm"]), known(&row["state"]))).collect()
}
