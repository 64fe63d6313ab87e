//! Passkeys: what one opens by itself and beside a password, and what does not open anything: another's, one that was
//! asked for elsewhere, twice, too long ago, or that there are two of.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{answer, challenge, claims, entries, password, told};
use crate::{
    harness::{Actor, Answer, Authenticator, Login, PASSWORD, PUBLIC_URL, add_passkey, enrol},
    world::{Person, World},
};

const PASSKEYS: &str = "/v1/me/passkeys";
const ADD: &str = "/v1/me/passkeys/options";
const SIGN_IN: &str = "/v1/sessions/passkey";
const FACTOR: &str = "/v1/sessions/second-factor/passkey";
const AGAIN: &str = "/v1/session/reauthenticate/passkey";

/// A question to whoever comes: what the answer is brought with, and the options.
async fn asked(at: &Actor) -> (String, Value) {
    let asked = at.post("/v1/sessions/passkey/options", json!({"token_delivery": "body"})).await.expect(200);
    (asked.text_at("/ceremony").to_owned(), asked.json["options"].clone())
}

async fn bring(at: &Actor, ceremony: &str, credential: &Value) -> Answer {
    at.post(SIGN_IN, json!({"ceremony": ceremony, "credential": credential})).await
}

/// A sign-in by a passkey alone.
pub(super) async fn sign_in(at: &Actor, held: &mut Authenticator) -> Answer {
    let (ceremony, options) = asked(at).await;
    bring(at, &ceremony, &held.sign(&options)).await
}

/// What a challenge asks a passkey.
async fn questioned(at: &Actor, challenge: &str) -> Value {
    let begun = at.post(&format!("{FACTOR}/options"), json!({"challenge": challenge})).await.expect(200);
    begun.json["options"].clone()
}

/// The answer to a challenge by a passkey.
async fn prove(at: &Actor, challenge: &str, held: &mut Authenticator) -> Answer {
    let credential = held.sign(&questioned(at, challenge).await);
    at.post(FACTOR, json!({"challenge": challenge, "credential": credential})).await
}

/// The proof of who is signed in.
async fn again(person: &Actor, held: &mut Authenticator) -> Answer {
    let begun = person.post_nothing(&format!("{AGAIN}/options")).await.expect(200);
    person.post(AGAIN, json!({"credential": held.sign(&begun.json["options"])})).await
}

/// Whoever has just come in.
fn entered(world: &World, answer: &Answer) -> Actor {
    world.server.bearer(answer.text_at("/access_token"))
}

/// Proves MFA-9, MFA-3.
#[tokio::test]
async fn a_passkey_is_added_named_used_and_removed() {
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    assert_eq!(member.get(PASSKEYS).await.expect(200).items().len(), 0);
    let (mut held, id, codes) = add_passkey(member, "  Notebook ").await;
    assert_eq!(codes.len(), 10);
    told(&world, &member.email, "A passkey was added to your account").await;
    let own = member.get(PASSKEYS).await.expect(200).items().to_vec();
    assert_eq!((own.len(), &own[0]["name"], &own[0]["synced"]), (1, &json!("Notebook"), &json!(false)));
    assert!(own[0].get("last_used_at").is_none(), "{own:?}");
    let factors = member.get("/v1/me/second-factors").await.expect(200);
    assert_eq!((factors.json["passkeys"].as_i64(), factors.json["backup_codes_left"].as_i64()), (Some(1), Some(10)));

    // Beside the password it is a second factor.
    let asked = password(nobody, &member.email).await.expect(200);
    assert_eq!(asked.json["methods"], json!(["passkey", "backup_code"]));
    let proven = prove(nobody, asked.text_at("/challenge"), &mut held).await.expect(201);
    assert_eq!(claims(proven.text_at("/access_token"))["amr"], json!(["pwd", "pop", "mfa"]));
    // Alone it is two.
    let alone = sign_in(nobody, &mut held).await.expect(201);
    assert_eq!(claims(alone.text_at("/access_token"))["amr"], json!(["pop", "user", "mfa"]));
    let me = entered(&world, &alone).get("/v1/me").await.expect(200);
    assert_eq!(me.json["reauthentication"]["methods"], json!(["password", "passkey", "backup_code"]));
    assert_eq!(me.json["second_factor"]["proven"], json!(true));
    assert!(member.get(PASSKEYS).await.expect(200).items()[0]["last_used_at"].is_string());

    // What somebody calls it is sealed, and theirs alone.
    let path = format!("{PASSKEYS}/{id}");
    let renamed = member.patch(&path, json!({"name": "Key ring"})).await.expect(200);
    assert_eq!(renamed.text_at("/name"), "Key ring");
    member.patch(&path, json!({"name": "Two\nlines"})).await.expect(422);
    world.a.manager.patch(&path, json!({"name": "Mine"})).await.expect(404);
    world.a.manager.delete(&path).await.expect(404);
    let clear = "SELECT count(*) FROM passkeys WHERE position('Key ring'::bytea in name) > 0";
    assert_eq!(world.database.psql(Login::Owner).await.number(clear).await, 0);

    member.delete(&path).await.expect(204);
    told(&world, &member.email, "A passkey was removed from your account").await;
    sign_in(nobody, &mut held).await.expect(401).problem("passkey_not_accepted");
    password(nobody, &member.email).await.expect(201);
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM sessions WHERE factors LIKE '%mfa%'").await, 0);
    assert_eq!(psql.number("SELECT count(*) FROM sessions WHERE factors = 'pop user'").await, 1);
    assert_eq!(psql.number("SELECT count(*) FROM backup_codes").await, 0);
    for event in ["passkey.added", "passkey.renamed", "passkey.removed"] {
        assert_eq!(entries(&world, event, id).await.len(), 1, "{event}");
    }
    for event in ["second_factor.enrolled", "second_factor.removed"] {
        assert_eq!(entries(&world, event, member.account).await[0]["metadata"]["method"], json!("passkey"), "{event}");
    }
    world.close().await;
}

/// Proves MFA-9.
#[tokio::test]
async fn of_an_app_and_a_passkey_each_goes_alone() {
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    let (_, codes) = enrol(&world.server, member.account).await;
    // Whoever has one proves it before they add another.
    let add = member.post_nothing(&format!("{PASSKEYS}/options")).await;
    add.expect(403).problem("reauthentication_required");
    let proof = json!({"method": "backup_code", "code": codes[1]});
    member.post("/v1/session/reauthenticate", json!({"password": PASSWORD, "second_factor": proof})).await.expect(200);
    // Whoever has backup codes keeps them.
    let (mut held, id, none) = add_passkey(member, "Notebook").await;
    assert_eq!(none.len(), 0);
    let asked = password(nobody, &member.email).await.expect(200);
    assert_eq!(asked.json["methods"], json!(["passkey", "totp", "backup_code"]));
    // A passkey is no code.
    answer(nobody, asked.text_at("/challenge"), ("passkey", &codes[0])).await.expect(403).problem("wrong_code");
    member.delete("/v1/me/second-factors/totp").await.expect(204);
    answer(nobody, asked.text_at("/challenge"), ("backup_code", &codes[0])).await.expect(201);
    prove(nobody, &challenge(nobody, &member.email).await, &mut held).await.expect(201);
    member.delete(&format!("{PASSKEYS}/{id}")).await.expect(204);
    password(nobody, &member.email).await.expect(201);
    world.close().await;
}

/// Proves MFA-9, AUT-7.
#[tokio::test]
async fn a_passkey_proves_again_who_one_is_without_the_password() {
    let world = World::configured(&[("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")]).await;
    let nobody = world.server.nobody();
    let (mut held, _, _) = add_passkey(&signed_in(&world, &world.a.member).await, "Notebook").await;
    let person = entered(&world, &sign_in(nobody, &mut held).await.expect(201));
    world.server.advance(TimeDelta::minutes(6));
    person.post_nothing(ADD).await.expect(403).problem("reauthentication_required");
    let carried = again(&person, &mut held).await.expect(200);
    let person = entered(&world, &carried);
    person.post_nothing(ADD).await.expect(200);
    assert_eq!(claims(carried.text_at("/access_token"))["amr"], json!(["pop", "user", "mfa"]));
    let session = carried.id_at("/session/id");
    let proofs = entries(&world, "session.reauthenticated", session).await;
    assert_eq!(proofs[0]["metadata"]["method"], json!("passkey"));
    // Whoever has none is asked for none.
    world.a.manager.post_nothing(&format!("{AGAIN}/options")).await.expect(404);
    world.close().await;
}

async fn signed_in(world: &World, person: &Person) -> Actor {
    entered(world, &password(world.server.nobody(), &person.email).await.expect(201))
}

/// Proves MFA-9.
#[tokio::test]
async fn what_was_not_asked_here_and_now_opens_nothing() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (mut held, _, _) = add_passkey(&world.a.member, "Notebook").await;
    let (mut others, _, _) = add_passkey(&world.a.manager, "Notebook").await;
    let refused = async |ceremony: &str, credential: Value| {
        bring(nobody, ceremony, &credential).await.expect(401).problem("passkey_not_accepted")
    };

    // Twice; the second time there is nothing to answer any more.
    let (ceremony, options) = asked(nobody).await;
    let signed = held.sign(&options);
    bring(nobody, &ceremony, &signed).await.expect(201);
    bring(nobody, &ceremony, &signed).await.expect(409).problem("passkey_ceremony_not_valid");
    // To another question.
    let (ceremony, _) = asked(nobody).await;
    refused(&ceremony, signed).await;
    bring(nobody, &ceremony, &held.sign(&options)).await.expect(409).problem("passkey_ceremony_not_valid");
    // On another page, without its person, by nobody's passkey: the same answer to all.
    let (ceremony, options) = asked(nobody).await;
    held.origin = "https://freehold.localhost.example.com".to_owned();
    let elsewhere = refused(&ceremony, held.sign(&options)).await;
    held.origin = PUBLIC_URL.to_owned();
    let (ceremony, options) = asked(nobody).await;
    let strangers = refused(&ceremony, Authenticator::make(&options).0.sign(&options)).await;
    assert_eq!(elsewhere.json["title"], strangers.json["title"]);
    let mut absent = held.unverified();
    let (ceremony, options) = asked(nobody).await;
    refused(&ceremony, absent.sign(&options)).await;
    let (mut held, _, _) = add_passkey(&world.a.member, "Another").await;
    // Of one person, named as another.
    let (ceremony, options) = asked(nobody).await;
    let mut mixed = held.sign(&options);
    mixed["response"]["userHandle"] = others.sign(&options)["response"]["userHandle"].clone();
    refused(&ceremony, mixed).await;
    let (ceremony, options) = asked(nobody).await;
    let mut unnamed = held.sign(&options);
    unnamed["response"]["userHandle"] = Value::Null;
    refused(&ceremony, unnamed).await;
    // Too late.
    let (ceremony, options) = asked(nobody).await;
    world.server.advance(TimeDelta::minutes(5));
    bring(nobody, &ceremony, &held.sign(&options)).await.expect(409).problem("passkey_ceremony_not_valid");
    // What is no credential at all uses nothing up.
    let (ceremony, options) = asked(nobody).await;
    let fault = bring(nobody, &ceremony, &json!({"id": "none"})).await.expect(422);
    assert_eq!(fault.faults(), ["/credential"]);
    // A ceremony is of one purpose, and stays in the vessel that it was given in.
    let in_cookie = json!({"credential": held.sign(&options)});
    let cookie = format!("freehold_passkey={ceremony}");
    let moved =
        nobody.request(poem::http::Method::POST, SIGN_IN).header("cookie", &cookie).json(&in_cookie).send().await;
    moved.expect(409).problem("passkey_ceremony_not_valid");
    bring(nobody, &ceremony, &held.sign(&options)).await.expect(201);
    let failed = entries(&world, "session.failed", world.a.member.account).await;
    assert!(failed.iter().any(|entry| entry["metadata"]["reason"] == json!("wrong_passkey")), "{failed:?}");
    world.close().await;
}

/// Proves MFA-9.
#[tokio::test]
async fn a_challenge_and_a_session_take_their_own_persons_passkey_only() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let (mut held, _, _) = add_passkey(member, "Notebook").await;
    let (mut others, _, _) = add_passkey(&world.a.manager, "Notebook").await;
    let waiting = challenge(nobody, &member.email).await;
    prove(nobody, &waiting, &mut others).await.expect(403).problem("wrong_passkey");
    again(member, &mut others).await.expect(403).problem("wrong_passkey");
    // What one challenge asks answers no other, and no session.
    let options = questioned(nobody, &waiting).await;
    let other = challenge(nobody, &member.email).await;
    questioned(nobody, &other).await;
    let credential = held.sign(&options);
    let moved = json!({"challenge": other, "credential": credential});
    nobody.post(FACTOR, moved).await.expect(403).problem("wrong_passkey");
    member.post_nothing(&format!("{AGAIN}/options")).await.expect(200);
    member.post(AGAIN, json!({"credential": credential})).await.expect(403).problem("wrong_passkey");
    nobody.post(FACTOR, json!({"challenge": waiting, "credential": credential})).await.expect(201);
    // Of two who answer at once, one is in.
    let waiting = challenge(nobody, &member.email).await;
    let credential = held.sign(&questioned(nobody, &waiting).await);
    let body = json!({"challenge": waiting, "credential": credential});
    let answers = join_all((0..4).map(|_| nobody.post(FACTOR, body.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    world.close().await;
}

/// Proves MFA-9: what a browser would not send is refused as what was made for something else.
#[tokio::test]
async fn a_passkey_without_an_id_is_none() {
    let world = World::open().await;
    let member = &world.a.member;
    let begun = member.post_nothing(ADD).await.expect(200);
    let made = Authenticator::make(&begun.json["options"]).0.nameless();
    let new = json!({"name": "Nothing", "credential": made.answer(&begun.json["options"])});
    let refused = member.post(PASSKEYS, new).await;
    assert!((400..500).contains(&refused.status), "{refused}");
    assert_eq!(member.get(PASSKEYS).await.expect(200).items().len(), 0);
    world.close().await;
}

/// Proves MFA-5: of two factors that are taken at once, one is the last, and what stood in for it goes with it.
#[tokio::test]
async fn factors_that_are_removed_at_once_leave_nothing() {
    let world = World::open().await;
    let member = &world.a.member;
    for _ in 0..5 {
        let (_, id, _) = add_passkey(member, "Notebook").await;
        let (key, _) = enrol(&world.server, member.account).await;
        assert!(!key.is_empty());
        let (passkey, app) = (format!("{PASSKEYS}/{id}"), "/v1/me/second-factors/totp".to_owned());
        let gone = join_all([&passkey, &app].map(|path| member.delete(path))).await;
        // Whoever comes second has used no factor any more that is there, or has removed the last one.
        assert!(gone.iter().all(|answer| answer.status == 204), "{gone:?}");
        let mut psql = world.database.psql(Login::Owner).await;
        assert_eq!(psql.number("SELECT count(*) FROM backup_codes").await, 0);
        let sessions =
            format!("SELECT count(*) FROM sessions WHERE account_id = '{}' AND factors LIKE '%mfa%'", member.account);
        assert_eq!(psql.number(&sessions).await, 0);
    }
    world.close().await;
}

/// Proves MFA-9, MFA-1.
#[tokio::test]
async fn wrong_passkeys_count_as_wrong_codes_do() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let (mut held, _, codes) = add_passkey(member, "Notebook").await;
    held.origin = "https://elsewhere.example.com".to_owned();
    for _ in 0..2 {
        let waiting = challenge(nobody, &member.email).await;
        for _ in 0..4 {
            prove(nobody, &waiting, &mut held).await.expect(403).problem("wrong_passkey");
        }
        prove(nobody, &waiting, &mut held).await.expect(401).problem("challenge_not_valid");
    }
    told(&world, &member.email, "Wrong codes for your second factor").await;
    // Ten are enough for an hour, whatever comes then; whoever has the passkey alone is not shut out by that.
    held.origin = PUBLIC_URL.to_owned();
    let waiting = challenge(nobody, &member.email).await;
    prove(nobody, &waiting, &mut held).await.expect(429);
    answer(nobody, &waiting, ("backup_code", &codes[0])).await.expect(429);
    again(member, &mut held).await.expect(429);
    sign_in(nobody, &mut held).await.expect(201);
    world.server.advance(TimeDelta::minutes(61));
    let waiting = challenge(nobody, &member.email).await;
    prove(nobody, &waiting, &mut held).await.expect(201);
    world.close().await;
}

/// Proves MFA-9.
#[tokio::test]
async fn a_passkey_that_there_are_two_of_is_refused_and_its_owner_told() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let (mut held, id, _) = add_passkey(member, "Notebook").await;
    held.counter = 7;
    sign_in(nobody, &mut held).await.expect(201);
    held.counter = 7;
    sign_in(nobody, &mut held).await.expect(401).problem("passkey_not_accepted");
    told(&world, &member.email, "One of your passkeys may have been copied").await;
    held.counter = 3;
    prove(nobody, &challenge(nobody, &member.email).await, &mut held).await.expect(403).problem("wrong_passkey");
    held.counter = 7;
    again(member, &mut held).await.expect(403).problem("wrong_passkey");
    let cloned = entries(&world, "passkey.cloned", id).await;
    assert_eq!(cloned.len(), 3);
    assert_eq!((&cloned[0]["severity"], &cloned[0]["metadata"]["account"]), (&json!("high"), &json!(member.account)));
    // The one that goes on counting is still good.
    held.counter = 8;
    sign_in(nobody, &mut held).await.expect(201);
    // What does not count has no copies to tell apart.
    let begun = member.post_nothing(ADD).await.expect(200);
    let made = Authenticator::make(&begun.json["options"]).0.synced();
    let new = json!({"name": "Everywhere", "credential": made.answer(&begun.json["options"])});
    let added = member.post(PASSKEYS, new).await.expect(201);
    assert_eq!(added.json["passkey"]["synced"], json!(true));
    let mut made = made;
    for _ in 0..2 {
        sign_in(nobody, &mut made).await.expect(201);
    }
    world.close().await;
}

/// Proves MFA-9.
#[tokio::test]
async fn only_what_was_made_for_this_session_and_page_is_added_and_twenty_at_most() {
    let world = World::open().await;
    let (member, manager) = (&world.a.member, &world.a.manager);
    let new = |credential: Value| json!({"name": "Notebook", "credential": credential});
    let add = async |person: &Actor, credential: Value| person.post(PASSKEYS, new(credential)).await;
    let options = async |person: &Actor| person.post_nothing(ADD).await.expect(200).json["options"].clone();
    let asked = options(member).await;
    assert_eq!(asked["user"]["id"].as_str().unwrap().len(), 22, "an id says nothing of anybody: {asked}");
    assert_eq!(asked["authenticatorSelection"]["userVerification"], json!("required"));
    // Not begun, begun by another, on another page, without its person.
    add(manager, Authenticator::make(&asked).1).await.expect(409).problem("passkey_ceremony_not_valid");
    options(manager).await;
    add(manager, Authenticator::make(&asked).1).await.expect(403).problem("wrong_passkey");
    let (mut made, _) = Authenticator::make(&asked);
    made.origin = "https://elsewhere.example.com".to_owned();
    add(member, made.answer(&asked)).await.expect(403).problem("wrong_passkey");
    add(member, made.answer(&asked)).await.expect(409).problem("passkey_ceremony_not_valid");
    let asked = options(member).await;
    add(member, Authenticator::make(&asked).0.unverified().answer(&asked)).await.expect(403).problem("wrong_passkey");
    let asked = options(member).await;
    world.server.advance(TimeDelta::minutes(5));
    add(member, Authenticator::make(&asked).1).await.expect(409).problem("passkey_ceremony_not_valid");
    // One passkey is one person's, once.
    let asked = options(member).await;
    let (made, credential) = Authenticator::make(&asked);
    add(member, credential).await.expect(201);
    let asked = options(member).await;
    assert_eq!(asked["excludeCredentials"].as_array().unwrap().len(), 1);
    add(member, made.answer(&asked)).await.expect(403).problem("wrong_passkey");
    let asked = options(manager).await;
    add(manager, made.answer(&asked)).await.expect(409).problem("passkey_known");
    let asked = options(member).await;
    let fill = format!(
        "INSERT INTO passkeys (id, account_id, name, credential_id, credential, created_at)
         SELECT gen_random_uuid(), account_id, name, sha256(n::text::bytea), credential, created_at
         FROM passkeys, generate_series(1, 19) n WHERE account_id = '{}'",
        member.account
    );
    world.database.psql(Login::Owner).await.run(&fill).await.unwrap();
    add(member, Authenticator::make(&asked).1).await.expect(409).problem("too_many_passkeys");
    member.post_nothing(ADD).await.expect(409).problem("too_many_passkeys");
    world.close().await;
}

/// Proves MFA-5, MFA-6, MFA-9.
#[tokio::test]
async fn who_must_have_a_second_factor_may_have_a_passkey_and_an_administrator_takes_it() {
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    world
        .platform
        .patch("/v1/settings", json!({"mfa": {"required_from": "member", "grace_days": 0}}))
        .await
        .expect(200);
    let inside = format!("/v1/organizations/{}", world.a.id);
    member.get(&inside).await.expect(403).problem("mfa_enrolment_required");
    let (mut held, _, _) = add_passkey(member, "Notebook").await;
    member.get(&inside).await.expect(200);
    let alone = entered(&world, &sign_in(nobody, &mut held).await.expect(201));
    alone.get(&inside).await.expect(200);
    // The administrator has one too, or could do nothing here.
    add_passkey(&world.platform, "Key ring").await;
    let factors = format!("/v1/accounts/{}/second-factors", member.account);
    world.platform.delete(&factors).await.expect(204);
    alone.get(&inside).await.expect(401);
    sign_in(nobody, &mut held).await.expect(401).problem("passkey_not_accepted");
    password(nobody, &member.email).await.expect(201);
    let left = "SELECT count(*) FROM passkeys p JOIN accounts a ON a.id = p.account_id WHERE a.id";
    let left = format!("{left} = '{}'", member.account);
    assert_eq!(world.database.psql(Login::Owner).await.number(&left).await, 0);
    world.close().await;
}

/// Proves AUT-10, MFA-9.
#[tokio::test]
async fn a_way_that_is_switched_off_is_closed_and_a_blocked_person_gets_the_strangers_answer() {
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    let (mut held, _, _) = add_passkey(member, "Notebook").await;
    let alone = entered(&world, &sign_in(nobody, &mut held).await.expect(201));
    let (ceremony, options) = asked(nobody).await;
    let ways = async |ways: Value| {
        world.platform.patch("/v1/settings", json!({"sign_in": {"ways": ways}})).await.expect(200);
    };
    ways(json!(["password"])).await;
    let begin = json!({"token_delivery": "body"});
    nobody.post("/v1/sessions/passkey/options", begin).await.expect(403).problem("way_not_allowed");
    bring(nobody, &ceremony, &held.sign(&options)).await.expect(403).problem("way_not_allowed");
    // As a second factor it goes on; the session that it began alone does not.
    prove(nobody, &challenge(nobody, &member.email).await, &mut held).await.expect(201);
    let organization = format!("/v1/organizations/{}", world.a.id);
    assert!([401, 403].contains(&alone.get(&organization).await.status));
    // Not everybody has one: the password stays a way in.
    let alone = json!({"sign_in": {"ways": ["passkey"]}});
    let kept = world.platform.patch("/v1/settings", alone.clone()).await.expect(422);
    assert_eq!((kept.faults(), &kept.json["errors"][0]["code"]), (vec!["/sign_in/ways"], &json!("none_left")));
    ways(json!(["password", "passkey"])).await;
    world.platform.post(&format!("/v1/accounts/{}/block", member.account), json!({"reason": "Lost"})).await.expect(200);
    sign_in(nobody, &mut held).await.expect(401).problem("passkey_not_accepted");
    world.close().await;
}

/// Proves MFA-9.
#[tokio::test]
async fn there_are_none_where_the_server_is_reached_by_an_address() {
    let world = World::configured(&[("FREEHOLD_HTTP_PUBLIC_URL", "http://127.0.0.1:8080")]).await;
    let begin = json!({"token_delivery": "body"});
    let refused = world.server.nobody().post("/v1/sessions/passkey/options", begin).await;
    refused.expect(409).problem("passkeys_unavailable");
    let member = signed_in(&world, &world.a.member).await;
    member.post_nothing(ADD).await.expect(409).problem("passkeys_unavailable");
    assert_eq!(member.get(PASSKEYS).await.expect(200).items().len(), 0);
    world.close().await;
}

/// Proves MFA-8, MFA-9.
#[tokio::test]
async fn a_browser_has_the_ceremony_in_a_cookie_and_what_nobody_ends_is_removed() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (mut held, _, _) = add_passkey(&world.a.member, "Notebook").await;
    let asked = nobody.post("/v1/sessions/passkey/options", json!({"token_delivery": "cookie"})).await.expect(200);
    assert!(asked.json.get("ceremony").is_none(), "{asked}");
    let cookie = asked.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let body = json!({"credential": held.sign(&asked.json["options"])});
    let signed_in = nobody.request(poem::http::Method::POST, SIGN_IN).header("cookie", cookie).json(&body).send().await;
    assert!(signed_in.expect(201).json.get("access_token").is_none());
    let count = "SELECT count(*) FROM passkey_ceremonies";
    assert_eq!(world.database.psql(Login::Owner).await.number(count).await, 0);
    world.close().await;
}
