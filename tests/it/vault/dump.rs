//! A dump of the whole database, searched for everything that people and secrets are known by.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    harness::{Login, PASSWORD, ROOT_KEY},
    path::PLATFORM,
    world::World,
};

/// What is done to have something of every kind in the database, and by what it would be known. Whoever adds a place for
/// something protected adds it here: a call that puts a word of its own there, and the word.
async fn known(world: &World) -> Vec<String> {
    let a = &world.a;
    let agent = "Gargantua-Browser/7.1 (Rabelais)";
    // Whoever signs in, and from where and with what.
    let sign_in = json!({"email": a.member.email, "password": PASSWORD, "token_delivery": "body"});
    let opened = world.server.nobody().using(agent).post("/v1/sessions", sign_in).await.expect(201);
    // A sign-in that fails is in the record with the same.
    let wrong = json!({"email": a.admin.email, "password": "Not-the-password-9", "token_delivery": "body"});
    world.server.nobody().using("Pantagruel-Browser/1").post("/v1/sessions", wrong).await.expect(401);
    // A renamed person.
    a.member.patch("/v1/me", json!({"name": "Quetzalcoatl Renamed"})).await.expect(200);
    // An invitation, its letter and its personal word; and an answer that is kept.
    let message = "Come in before the ninth of Thermidor";
    let invite = json!({"email": "dumped.invitee@example.com", "role": "member", "message": message});
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    a.admin.post(&invitations, invite).await.expect(201);
    let kept = json!({"email": "kept.answer@example.com", "role": "member"});
    a.admin
        .request(reqwest::Method::POST, &invitations)
        .header("idempotency-key", "dumped-idempotency-key")
        .json(&kept)
        .send()
        .await
        .expect(201);
    // What administrators write.
    let administrator = world.platform_session().await;
    let block = format!("/v1/accounts/{}/block", world.b.subject.account);
    administrator.post(&block, json!({"reason": "Seen with Mephistopheles"})).await.expect(200);
    let act = format!("/v1/organizations/{}/act-in", a.id);
    administrator.post(&act, json!({"reason": "Asked by Scheherazade"})).await.expect(200);
    let mut known: Vec<String> = [
        PASSWORD,
        ROOT_KEY,
        "Gargantua",
        "Pantagruel",
        "Quetzalcoatl",
        "dumped.invitee",
        "Thermidor",
        "kept.answer",
        "dumped-idempotency-key",
        "Mephistopheles",
        "Scheherazade",
        "127.0.0.1",
        opened.text_at("/access_token"),
        opened.text_at("/refresh_token"),
        &a.pending.email,
        &a.pending.token,
        &world.database.mail().take_token("dumped.invitee@example.com").await,
        world.platform.token(),
        &world.platform.email,
    ]
    .map(str::to_owned)
    .into();
    for tenant in [&world.a, &world.b] {
        for (_, person) in tenant.by_role() {
            known.extend([person.email.clone(), person.token().to_owned(), person.refresh_token.clone()]);
        }
    }
    known
}

/// The bytes of every `bytea` of a dump.
fn decoded(dump: &str) -> Vec<Vec<u8>> {
    let fields = dump.split(['\t', '\n', ' ', '\'']).filter_map(|field| field.strip_prefix(r"\\x"));
    let bytes = fields.map(|hex| {
        let digits: Vec<u32> = hex.chars().map_while(|c| c.to_digit(16)).collect();
        digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    });
    bytes.collect()
}

/// How a text could lie somewhere, in lower case: as it is, and as people encode it.
fn spellings(text: &str) -> Vec<String> {
    let hex = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Wherever it begins in what was encoded, its middle looks like one of three.
    let base64 = (0..3).map(|before| {
        let encoded = STANDARD.encode([&vec![b'x'; before], text.as_bytes()].concat());
        let whole = encoded.trim_end_matches('=');
        whole.get(4..whole.len().saturating_sub(4)).unwrap_or_default().to_lowercase()
    });
    let base64 = base64.filter(|middle| middle.len() >= 8);
    [text.to_lowercase(), hex].into_iter().chain(base64).collect()
}

/// Proves DAT-1, DAT-4, DAT-8, DAT-10.
#[tokio::test]
async fn nothing_that_people_or_secrets_are_known_by_is_in_a_dump() {
    let world = World::open().await;
    let known = known(&world).await;
    let dump = world.database.dump().await;
    assert!(dump.contains(&world.a.id.to_string()), "that is no dump");
    let bytes = decoded(&dump);
    assert!(bytes.len() > 100, "only {} protected values were found", bytes.len());
    let lower = dump.to_lowercase();
    let opened: Vec<String> = bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).to_lowercase()).collect();
    for text in &known {
        for spelt in spellings(text) {
            assert!(!lower.contains(&spelt), "{text} is in clear, as {spelt}");
            assert!(!opened.iter().any(|bytes| bytes.contains(&spelt)), "{text} is in clear in a bytea, as {spelt}");
        }
    }
    // The control: what is looked for would be found, in each of the ways.
    let mut psql = world.database.psql(Login::Owner).await;
    let clear = "Known by this word";
    psql.run(&format!(
        "CREATE TABLE control (a text, b bytea, c text);
         INSERT INTO control VALUES ('{clear}', convert_to('{clear}', 'UTF8'), encode(convert_to('{clear}', 'UTF8'), 'base64'))"
    ))
    .await
    .unwrap();
    let dump = world.database.dump().await;
    let lower = dump.to_lowercase();
    let found = spellings(clear);
    assert!(lower.contains(&found[0]) && lower.contains(&found[1]), "the search finds nothing");
    assert!(decoded(&dump).iter().any(|bytes| bytes == clear.as_bytes()), "the search finds no bytes");
    assert!(found[2..].iter().any(|spelt| lower.contains(spelt)), "the search finds no base64");
    // What is to be seen is: the people are there for those who may know.
    let administrator = world.platform_session().await;
    let record =
        administrator.get(&format!("/v1/organizations/{PLATFORM}/audit?event=account.blocked")).await.expect(200);
    assert_eq!(record.items()[0]["metadata"]["reason"], "Seen with Mephistopheles");
    world.close().await;
}
