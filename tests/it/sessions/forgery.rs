//! Tokens that nobody should believe.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{Sealed, Secrets};
use freehold::vault::Field;
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::Method;
use serde_json::{Value, json};

use super::{claims, part, sign_in};
use crate::{
    harness::Login,
    world::{Person, World},
};

const PRIVATE_KEY: Field<Secrets> = Field::new("signing_keys.private_key");

/// What a forger has to work with, and the one thing they shouldn't have: the server's own key.
struct Workshop {
    /// A token that is good, in its parts.
    header: Value,
    claims: Value,
    signature: String,
    /// The JWK that everybody can read.
    published: Value,
    /// The private key, for tokens that only the server could sign.
    stolen: EncodingKey,
}

impl Workshop {
    async fn open(world: &World, person: &Person) -> Self {
        let token = person.token();
        let header = part(token, 0);
        let set = world.server.nobody().get("/.well-known/jwks.json").await.expect(200).json;
        let published = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap().clone();
        let stolen = EncodingKey::from_ec_der(&private_key(world, header["kid"].as_str().unwrap()).await.1);
        let signature = token.rsplit('.').next().unwrap().to_owned();
        Self { claims: claims(token), signature, header, published, stolen }
    }

    /// A token signed with any key.
    fn signed(&self, header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// A token that the server's own key signed, as if the server had.
    fn stolen(&self, header: &Value, claims: &Value) -> String {
        self.signed(header, claims, Algorithm::ES256, &self.stolen)
    }

    /// The good header or the good claims, with one thing changed; `null` takes it away.
    fn with(good: &Value, name: &str, value: Value) -> Value {
        let mut changed = good.clone();
        match value {
            Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
            value => changed[name] = value,
        }
        changed
    }

    fn forgeries(&self, somebody: &Person) -> Vec<(&'static str, String)> {
        let Self { header, claims, signature, published, stolen } = self;
        let unsigned = |alg: &str, signature: &str| {
            format!("{}.{}.{signature}", encode(&Self::with(header, "alg", json!(alg))), encode(claims))
        };
        let point = |name: &str| URL_SAFE_NO_PAD.decode(published[name].as_str().unwrap()).unwrap();
        let public = [vec![4], point("x"), point("y")].concat();
        let hs256 = Self::with(header, "alg", json!("HS256"));
        let with_secret =
            |secret: &[u8]| self.signed(&hs256, claims, Algorithm::HS256, &EncodingKey::from_secret(secret));
        let stranger = EncodingKey::from_ec_der(&strangers_key());
        let somebody_else = Self::with(claims, "sub", json!(somebody.account));
        let theirs = Self::with(&somebody_else, "sid", json!(somebody.session));
        let headed = |name: &str, value: Value| self.stolen(&Self::with(header, name, value), claims);
        let saying = |name: &str, value: Value| self.stolen(header, &Self::with(claims, name, value));
        vec![
            ("no algorithm", unsigned("none", "")),
            ("no algorithm, in capitals", unsigned("None", "")),
            ("no algorithm, the old signature", unsigned("none", signature)),
            ("no signature", unsigned("ES256", "")),
            ("the public key as a secret", with_secret(&public)),
            ("the published key's text as a secret", with_secret(published.to_string().as_bytes())),
            ("a stranger's key under our name", self.signed(header, claims, Algorithm::ES256, &stranger)),
            (
                "a stranger's key that the token brings along",
                self.signed(&Self::with(header, "jwk", published.clone()), claims, Algorithm::ES256, &stranger),
            ),
            ("another person's session, the old signature", {
                format!("{}.{}.{signature}", encode(header), encode(&theirs))
            }),
            ("a key that nobody has", headed("kid", json!("01990000-0000-7000-8000-000000000000"))),
            ("a key that is a path", headed("kid", json!("../../dev/null"))),
            ("no key", headed("kid", Value::Null)),
            ("another type of token", headed("typ", json!("JWT"))),
            ("no type", headed("typ", Value::Null)),
            ("another audience", saying("aud", json!("somebody-else"))),
            ("no audience", saying("aud", Value::Null)),
            ("another issuer", saying("iss", json!("https://evil.example"))),
            ("no issuer", saying("iss", Value::Null)),
            ("no end", saying("exp", Value::Null)),
            ("it ended a second ago", saying("exp", json!(claims["iat"].as_i64().unwrap() - 1))),
            ("another person, in a session that is not theirs", self.stolen(header, &somebody_else)),
            ("a session that nobody has", saying("sid", json!("01990000-0000-7000-8000-000000000000"))),
            ("not a token", "not.a.token".to_owned()),
            ("too much of one", format!("{}.x", self.stolen(header, claims))),
            ("half of one", self.stolen(header, claims)[..40].to_owned()),
            ("a very long one", "a".repeat(20_000)),
            ("the same key's, without its end", {
                let mut token = self.signed(header, claims, Algorithm::ES256, stolen);
                token.truncate(token.len() - 2);
                token
            }),
        ]
    }
}

/// Proves SES-3.
#[tokio::test]
async fn nothing_but_the_servers_own_tokens_is_believed() {
    let world = World::open().await;
    let member = &world.a.member;
    let workshop = Workshop::open(&world, member).await;
    // The workshop is good: what it signs as the server would is believed.
    let twin = workshop.stolen(&workshop.header, &workshop.claims);
    world.server.bearer(&twin).get("/v1/me").await.expect(200);

    let before = member.get("/v1/me").await.expect(200).json["account"].clone();
    for (what, token) in workshop.forgeries(&world.b.owner) {
        println!("{what}");
        let forger = world.server.bearer(&token);
        let answer = forger.get("/v1/me").await.expect(401);
        let code = answer.problem_code().unwrap_or_else(|fault| panic!("{what}: {fault}"));
        assert!(["unauthenticated", "session_ended"].contains(&code), "{what}: {answer}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
        assert!(answer.json.get("detail").is_none() && answer.json.get("errors").is_none(), "{what}: {answer}");
        forger.patch("/v1/me", json!({"name": "Forged"})).await.expect(401);
        // The same in a cookie.
        let cookie = format!("freehold_access={token}");
        let planted = world.server.nobody().request(Method::GET, "/v1/me").header("cookie", &cookie);
        planted.send().await.expect(401);
    }
    let token = member.token();
    for header in ["", "Bearer", "Bearer ", token, &format!("Basic {token}"), &format!("Bearer {token} {token}")] {
        let odd = world.server.nobody().request(Method::GET, "/v1/me").header("authorization", header);
        odd.send().await.expect(401).problem("unauthenticated");
    }
    assert_eq!(member.get("/v1/me").await.expect(200).json["account"], before);
    world.close().await;
}

/// Proves SES-3.
#[tokio::test]
async fn a_token_ends_on_time_by_the_servers_clock() {
    let world = World::open().await;
    let answer = sign_in(world.server.nobody(), &world.a.member.email).await;
    let bearer = world.server.bearer(answer.text_at("/access_token"));
    world.server.advance(chrono::TimeDelta::minutes(59));
    bearer.get("/v1/me").await.expect(200);
    world.server.advance(chrono::TimeDelta::minutes(1));
    bearer.get("/v1/me").await.expect(401).problem("unauthenticated");
    world.close().await;
}

/// Proves SES-3.
#[tokio::test]
async fn the_private_key_is_stored_sealed_and_published_nowhere() {
    let world = World::open().await;
    let kid = part(world.platform.token(), 0)["kid"].as_str().unwrap().to_owned();
    let (sealed, clear) = private_key(&world, &kid).await;
    assert!(clear.len() > 64 && sealed.len() > clear.len());
    for window in clear.windows(8) {
        assert!(!sealed.windows(8).any(|found| found == window), "a part of the key is in clear");
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let public = psql.text(&format!("SELECT public_jwk::text FROM signing_keys WHERE id = '{kid}'")).await;
    let published = world.server.nobody().get("/.well-known/jwks.json").await.expect(200);
    let public: Value = serde_json::from_str(&public).unwrap();
    assert_eq!(published.json["keys"], json!([public]));
    let mut fields: Vec<_> = public.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    // It opens under this root key and in this row only.
    let stored = Sealed::from_vault(sealed);
    assert!(world.server.app().vault.open(PRIVATE_KEY, uuid::Uuid::nil(), &stored).is_err());
    world.close().await;
}

/// A private key as it is stored, and as it is.
async fn private_key(world: &World, kid: &str) -> (Vec<u8>, Vec<u8>) {
    let mut psql = world.database.psql(Login::Owner).await;
    let stored = format!("SELECT encode(private_key, 'base64') FROM signing_keys WHERE id = '{kid}'");
    let text: String = psql.text(&stored).await.split_whitespace().collect();
    let sealed = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let row: uuid::Uuid = kid.parse().unwrap();
    let clear = world.server.app().vault.open(PRIVATE_KEY, row, &Sealed::from_vault(sealed.clone())).unwrap().to_vec();
    (sealed, clear)
}

fn strangers_key() -> Vec<u8> {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
    };
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    key.as_ref().to_vec()
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}
