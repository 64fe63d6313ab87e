//! Trusted devices: what a right password opens there, for how long, and what ends the trust.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{FACTOR, answer, challenge, claims, entries, passkeys, password, step};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, add_passkey, enrol, totp},
    world::{Person, World},
};

const OWN: &str = "/v1/me/trusted-devices";

/// Signs in with a backup code, and trusts the device. Returns the session and the token.
async fn trusted(world: &World, person: &Person, code: &str) -> (Actor, String) {
    let open = challenge(world.server.nobody(), &person.email).await;
    let proof =
        json!({"challenge": open, "second_factor": {"method": "backup_code", "code": code}, "trust_device": true});
    let entered = world.server.nobody().post(FACTOR, proof).await.expect(201);
    (world.server.bearer(entered.text_at("/access_token")), entered.text_at("/trust_token").to_owned())
}

async fn with(world: &World, email: &str, password: &str, token: &str) -> Answer {
    let body = json!({"email": email, "password": password, "token_delivery": "body", "trust_token": token});
    world.server.nobody().post("/v1/sessions", body).await
}

/// Proves MFA-4.
#[tokio::test]
async fn on_a_trusted_device_the_password_is_enough_for_fourteen_days() {
    let world = World::open().await;
    let member = &world.a.member;
    let (_, codes) = enrol(&world.server, member.account).await;
    let (inside, token) = trusted(&world, member, &codes[0]).await;
    assert!(token.starts_with("fht_"), "{token}");
    let entered = with(&world, &member.email, PASSWORD, &token).await.expect(201);
    assert_eq!(claims(entered.text_at("/access_token"))["amr"], json!(["pwd", "device", "mfa"]));
    // It is nothing without the password, on another account, or made up; and nobody learns more there than elsewhere.
    let wrong = with(&world, &member.email, "not-the-password", &token).await.expect(401);
    let without = password_of(&world, &member.email, "not-the-password").await.expect(401);
    assert_eq!(wrong.json["code"], without.json["code"]);
    let (_, others) = enrol(&world.server, world.a.manager.account).await;
    assert_eq!(others.len(), 10);
    with(&world, &world.a.manager.email, PASSWORD, &token).await.expect(200);
    with(&world, &member.email, PASSWORD, "fht_made-up").await.expect(200);

    let listed = inside.get(OWN).await.expect(200);
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1, "{listed}");
    assert!(listed.json["items"][0]["expires_at"].is_string());
    assert_eq!(entries(&world, "trusted_device.added", listed.id_at("/items/0/id")).await.len(), 1);
    // Using it makes it last no longer.
    world.server.advance(TimeDelta::days(13) + TimeDelta::hours(23));
    with(&world, &member.email, PASSWORD, &token).await.expect(201);
    world.server.advance(TimeDelta::hours(2));
    with(&world, &member.email, PASSWORD, &token).await.expect(200);
    world.close().await;
}

/// Proves AUD-2, MFA-4, MFA-9: wherever somebody works meanwhile, who manages them has it in the record.
#[tokio::test]
async fn the_manager_of_an_account_has_what_is_about_its_devices_and_passkeys() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let manager = format!("/v1/accounts/{}/manager", a.member.account);
    let body = json!({"organization_id": b.id});
    world.platform.request(Method::PUT, &manager).json(&body).send().await.expect(200);
    let (mut held, id, codes) = add_passkey(&a.member, "Notebook").await;
    let (inside, _) = trusted(&world, &a.member, &codes[0]).await;
    let device = inside.get(OWN).await.expect(200).id_at("/items/0/id");
    inside.delete(&format!("{OWN}/{device}")).await.expect(204);
    held.counter = 7;
    passkeys::sign_in(world.server.nobody(), &mut held).await.expect(201);
    held.counter = 7;
    passkeys::sign_in(world.server.nobody(), &mut held).await.expect(401);
    a.member.patch(&format!("/v1/me/passkeys/{id}"), json!({"name": "Key ring"})).await.expect(200);
    a.member.delete(&format!("/v1/me/passkeys/{id}")).await.expect(204);
    for (target, events) in [
        (id, ["passkey.added", "passkey.cloned", "passkey.renamed", "passkey.removed"].as_slice()),
        (device, &["trusted_device.added", "trusted_device.revoked"]),
    ] {
        let record = format!("/v1/organizations/{}/audit?target_id={target}", b.id);
        let found = b.admin.get(&record).await.expect(200);
        let mut found: Vec<_> = found.items().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect();
        found.reverse();
        assert_eq!(found, events);
    }
    world.close().await;
}

async fn password_of(world: &World, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", body).await
}

/// Proves MFA-4: it is revoked one by one and all at once, and ends with the password and the factor.
#[tokio::test]
async fn trust_ends_with_what_it_was_given_for() {
    let world = World::open().await;
    let member = &world.a.member;
    let (key, codes) = enrol(&world.server, member.account).await;
    let (inside, one) = trusted(&world, member, &codes[0]).await;
    let (_, two) = trusted(&world, member, &codes[1]).await;
    let (_, three) = trusted(&world, member, &codes[2]).await;
    let listed = inside.get(OWN).await.expect(200);
    let newest = listed.id_at("/items/0/id");
    let other = format!("{OWN}/{newest}");
    world.a.manager.delete(&other).await.expect(404);
    inside.delete(&other).await.expect(204);
    inside.delete(&other).await.expect(404);
    with(&world, &member.email, PASSWORD, &three).await.expect(200);
    with(&world, &member.email, PASSWORD, &one).await.expect(201);
    inside.delete(OWN).await.expect(204);
    for token in [&one, &two] {
        with(&world, &member.email, PASSWORD, token).await.expect(200);
    }

    let (inside, token) = trusted(&world, member, &codes[3]).await;
    let changed = "Granite-orchard-47-lamps";
    let change = json!({"current_password": PASSWORD, "password": changed});
    inside.request(Method::PUT, "/v1/me/password").json(&change).send().await.expect(204);
    with(&world, &member.email, changed, &token).await.expect(200);

    let open = password_of(&world, &member.email, changed).await.expect(200).text_at("/challenge").to_owned();
    let proof = json!({"method": "totp", "code": totp(&key, step(&world.server))});
    let body = json!({"challenge": open, "second_factor": proof, "trust_device": true});
    let entered = world.server.nobody().post(FACTOR, body).await.expect(201);
    let (inside, token) = (world.server.bearer(entered.text_at("/access_token")), entered.text_at("/trust_token"));
    inside.delete("/v1/me/second-factors/totp").await.expect(204);
    let (_, codes) = enrol(&world.server, member.account).await;
    with(&world, &member.email, changed, token).await.expect(200);
    assert_eq!(codes.len(), 10);
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM trusted_devices").await, 0);
    world.close().await;
}

/// Proves MFA-4, AUT-7: it is no proof of who one is.
#[tokio::test]
async fn a_trusted_device_satisfies_no_fresh_proof() {
    let world = World::open().await;
    let member = &world.a.member;
    let (_, codes) = enrol(&world.server, member.account).await;
    let (_, token) = trusted(&world, member, &codes[0]).await;
    let entered = with(&world, &member.email, PASSWORD, &token).await.expect(201);
    let inside = world.server.bearer(entered.text_at("/access_token"));
    inside
        .post("/v1/session/reauthenticate", json!({"password": PASSWORD}))
        .await
        .expect(403)
        .problem("second_factor_required");
    // What demands one goes on only until the proof is asked for.
    world.server.advance(TimeDelta::hours(1));
    let late = with(&world, &member.email, PASSWORD, &token).await.expect(201);
    let late = world.server.bearer(late.text_at("/access_token"));
    late.delete("/v1/me/second-factors/totp").await.expect(403).problem("reauthentication_required");
    world.close().await;
}

/// Proves MFA-4, MFA-5: where devices may not be trusted, one proves nothing.
#[tokio::test]
async fn an_organization_accepts_no_trusted_devices_where_it_says_so() {
    let world = World::open().await;
    let member = &world.a.member;
    let (_, codes) = enrol(&world.server, member.account).await;
    let (_, token) = trusted(&world, member, &codes[0]).await;
    let settings = |rules: Value| json!({"mfa": rules});
    let here = format!("/v1/organizations/{}", world.a.id);
    let rules = settings(json!({"required_from": "member", "grace_days": 0, "trusted_devices": "never"}));
    world.a.owner.patch(&format!("{here}/settings"), rules).await.expect(200);
    let entered = with(&world, &member.email, PASSWORD, &token).await.expect(201);
    let inside = world.server.bearer(entered.text_at("/access_token"));
    inside.get(&here).await.expect(403).problem("mfa_required");
    let factor = json!({"method": "backup_code", "code": codes[1]});
    inside.post("/v1/session/reauthenticate", json!({"password": PASSWORD, "second_factor": factor})).await.expect(200);
    inside.get(&here).await.expect(200);

    // The platform has them nowhere: nobody trusts one, and none is trusted.
    world.platform.patch("/v1/settings", settings(json!({"trusted_devices": "never"}))).await.expect(200);
    with(&world, &member.email, PASSWORD, &token).await.expect(200);
    let open = challenge(world.server.nobody(), &member.email).await;
    let proof =
        json!({"challenge": open, "second_factor": {"method": "backup_code", "code": codes[2]}, "trust_device": true});
    let entered = world.server.nobody().post(FACTOR, proof).await.expect(201);
    assert!(entered.json.get("trust_token").is_none(), "{entered}");
    let open = challenge(world.server.nobody(), &member.email).await;
    answer(world.server.nobody(), &open, ("backup_code", &codes[3])).await.expect(201);
    world.close().await;
}

/// Proves MFA-4: a browser has its token where no script reads it, and in no other vessel.
#[tokio::test]
async fn a_browser_has_the_token_in_a_cookie() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let (_, codes) = enrol(&world.server, member.account).await;
    let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "cookie"});
    let draft = |path: &str, cookie: &str, body: &Value| {
        let draft = nobody.request(Method::POST, path).header("cookie", cookie).json(body);
        draft.header("origin", crate::harness::PUBLIC_URL)
    };
    let pair = |answer: &Answer, name: &str| {
        let mut set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
        set.find(|cookie| cookie.starts_with(&format!("{name}=")))
    };
    let asked = nobody.post("/v1/sessions", sign_in.clone()).await.expect(200);
    let challenge = pair(&asked, "freehold_challenge").unwrap();
    let proof = json!({"second_factor": {"method": "backup_code", "code": codes[0]}, "trust_device": true});
    let entered = draft(FACTOR, challenge.split(';').next().unwrap(), &proof).send().await.expect(201);
    assert!(entered.json.get("trust_token").is_none(), "{entered}");
    let trust = pair(&entered, "freehold_trust").unwrap();
    assert!(
        trust.contains("HttpOnly") && trust.contains("SameSite=Strict") && trust.contains("Max-Age=1209600"),
        "{trust}"
    );
    let cookie = trust.split(';').next().unwrap();
    draft("/v1/sessions", cookie, &sign_in).send().await.expect(201);
    // A token from a cookie is nothing in a body beside it.
    let mut body = sign_in.clone();
    body["trust_token"] = json!(cookie.split('=').nth(1).unwrap());
    assert_eq!(nobody.post("/v1/sessions", body).await.expect(422).faults(), ["/trust_token"]);
    let stored = "SELECT count(*) FROM trusted_devices t WHERE to_jsonb(t)::text LIKE '%fht_%'";
    assert_eq!(world.database.psql(Login::Owner).await.number(stored).await, 0);
    password(nobody, &member.email).await.expect(200);
    world.close().await;
}
