//! Second factors: what a code opens, once; what guessing gets; and what is closed to whoever has none.

mod adoption;
mod demand;
mod email_codes;
mod passkeys;
mod recovery;
mod trusted_devices;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, Server, enrol, eventually, totp},
    world::{Person, World},
};

const FACTOR: &str = "/v1/sessions/second-factor";

/// The step of a server's clock.
fn step(server: &Server) -> i64 {
    server.app().clock.now().timestamp() / 30
}

/// The right password.
async fn password(at: &Actor, email: &str) -> Answer {
    at.post("/v1/sessions", json!({"email": email, "password": PASSWORD, "token_delivery": "body"})).await
}

/// The challenge that a right password brings.
async fn challenge(at: &Actor, email: &str) -> String {
    let asked = password(at, email).await.expect(200);
    assert!(asked.json.get("access_token").is_none() && asked.headers.get("set-cookie").is_none(), "{asked}");
    asked.text_at("/challenge").to_owned()
}

async fn answer(at: &Actor, challenge: &str, (method, code): (&str, &str)) -> Answer {
    at.post(FACTOR, json!({"challenge": challenge, "second_factor": {"method": method, "code": code}})).await
}

async fn entries(world: &World, event: &str, account: Uuid) -> Vec<Value> {
    let query = format!("SELECT * FROM audit_entries WHERE event = '{event}' AND target_id = '{account}' ORDER BY id");
    world.database.psql(Login::Owner).await.rows(&query).await
}

/// Waits for a letter with this subject.
async fn told(world: &World, email: &str, subject: &str) {
    eventually(subject, PATIENCE, async || (world.database.mail().count_with(email, subject).await > 0).then_some(()))
        .await;
}

/// The claims of an access token.
fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Sets an app up as a person does. Returns its key and the backup codes.
async fn set_up(world: &World, person: &Person) -> (String, Vec<String>) {
    let begun = person.post_nothing("/v1/me/second-factors/totp").await.expect(200);
    let key = begun.text_at("/secret").to_owned();
    assert!(begun.text_at("/uri").starts_with("otpauth://totp/") && begun.text_at("/uri").contains(&key), "{begun}");
    let code = totp(&key, step(&world.server) - 1);
    let confirmed = person.post("/v1/me/second-factors/totp/confirm", json!({"code": code})).await.expect(200);
    let codes = confirmed.json["codes"].as_array().unwrap();
    (key, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

/// Proves MFA-1, MFA-3.
#[tokio::test]
async fn an_app_is_set_up_and_asked_for_from_then_on() {
    let world = World::open().await;
    let member = &world.a.member;
    let begun = member.post_nothing("/v1/me/second-factors/totp").await.expect(200);
    // Nothing is asked for before a code has shown that the app works, and a wrong one shows nothing.
    password(world.server.nobody(), &member.email).await.expect(201);
    let wrong = json!({"code": totp(begun.text_at("/secret"), step(&world.server) + 5)});
    member.post("/v1/me/second-factors/totp/confirm", wrong).await.expect(403).problem("wrong_code");
    let (key, codes) = set_up(&world, member).await;
    assert_eq!(codes.len(), 10);
    told(&world, &member.email, "A second factor was set up").await;
    let own = member.get("/v1/me/second-factors").await.expect(200);
    assert_eq!((own.json["backup_codes_left"].as_i64(), own.json["totp_since"].is_string()), (Some(10), true));
    member.post_nothing("/v1/me/second-factors/totp").await.expect(409).problem("second_factor_enrolled");

    // A password alone opens nothing; with the code there is a session that says what it began with.
    let asked = password(world.server.nobody(), &member.email).await.expect(200);
    assert_eq!(asked.json["methods"], json!(["totp", "backup_code"]));
    let code = totp(&key, step(&world.server));
    let entered = answer(world.server.nobody(), asked.text_at("/challenge"), ("totp", &code)).await.expect(201);
    assert_eq!(claims(entered.text_at("/access_token"))["amr"], json!(["pwd", "otp", "mfa"]));
    // The challenge is used up, and a refresh and another organisation bring no other factors.
    answer(world.server.nobody(), asked.text_at("/challenge"), ("backup_code", &codes[0])).await.expect(401);
    let refresh = json!({"refresh_token": entered.text_at("/refresh_token")});
    let carried = world.server.nobody().post("/v1/sessions/refresh", refresh).await.expect(200);
    assert_eq!(claims(carried.text_at("/access_token"))["amr"], json!(["pwd", "otp", "mfa"]));

    // Removing it takes the backup codes, and what sessions have of it.
    let proof = json!({"method": "backup_code", "code": codes[1].to_lowercase().replace('-', " ")});
    let again = json!({"password": PASSWORD, "second_factor": proof});
    member.post("/v1/session/reauthenticate", again).await.expect(200);
    member.delete("/v1/me/second-factors/totp").await.expect(204);
    password(world.server.nobody(), &member.email).await.expect(201);
    let left = "SELECT count(*) FROM sessions WHERE factors LIKE '%mfa%'";
    assert_eq!(world.database.psql(Login::Owner).await.number(left).await, 0);
    assert_eq!(world.database.psql(Login::Owner).await.number("SELECT count(*) FROM backup_codes").await, 0);
    for event in ["second_factor.enrolled", "second_factor.removed", "second_factor.asked", "second_factor.failed"] {
        assert!(!entries(&world, event, member.account).await.is_empty(), "{event}");
    }
    world.close().await;
}

/// Proves MFA-1.
#[tokio::test]
async fn codes_of_the_steps_before_and_after_are_right_once_and_no_others() {
    let world = World::open().await;
    let (nobody, email) = (world.server.nobody(), &world.a.member.email);
    let (key, _) = enrol(&world.server, world.a.member.account).await;
    // Away from what was used to set it up, and from the end of a step.
    let seconds = world.server.app().clock.now().timestamp() % 30;
    world.server.advance(TimeDelta::seconds(90 - seconds + 2));
    let now = step(&world.server);
    for off in [-2, 2] {
        let challenge = challenge(nobody, email).await;
        answer(nobody, &challenge, ("totp", &totp(&key, now + off))).await.expect(403).problem("wrong_code");
    }
    for off in [-1, 0, 1] {
        let code = totp(&key, now + off);
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        answer(nobody, &challenge(nobody, email).await, ("totp", &spaced)).await.expect(201);
        let challenge = challenge(nobody, email).await;
        answer(nobody, &challenge, ("totp", &code)).await.expect(403).problem("wrong_code");
    }
    world.close().await;
}

/// Proves MFA-1, MFA-3.
#[tokio::test]
async fn of_two_instances_with_the_same_code_at_once_one_wins() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let email = &world.a.member.email;
    let (key, codes) = enrol(&world.server, world.a.member.account).await;
    let both = [world.server.nobody(), other.nobody()];
    let code = totp(&key, step(&world.server) + 1);
    for (method, code) in [("totp", &code), ("backup_code", &codes[0]), ("backup_code", &codes[1])] {
        let mut waiting = Vec::new();
        for at in both {
            waiting.push((at, challenge(at, email).await));
        }
        let answers = join_all(waiting.iter().map(|(at, challenge)| answer(at, challenge, (method, code)))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403], "{method}");
    }
    assert_eq!(world.database.psql(Login::Owner).await.number("SELECT count(*) FROM backup_codes").await, 8);
    other.stop().await;
    world.close().await;
}

/// Proves MFA-1.
#[tokio::test]
async fn five_wrong_codes_end_a_challenge_over_instances_and_methods() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let member = &world.a.member;
    let (key, codes) = enrol(&world.server, member.account).await;
    let (here, there) = (world.server.nobody(), other.nobody());
    let open = challenge(here, &member.email).await;
    for (at, method) in [(here, "totp"), (there, "backup_code"), (here, "backup_code"), (there, "totp")] {
        answer(at, &open, (method, "000000")).await.expect(403).problem("wrong_code");
    }
    answer(here, &open, ("totp", "999999x")).await.expect(401).problem("challenge_not_valid");
    answer(there, &open, ("backup_code", &codes[0])).await.expect(401).problem("challenge_not_valid");
    assert_eq!(entries(&world, "second_factor.exhausted", member.account).await.len(), 1);
    told(&world, &member.email, "Wrong codes for your second factor").await;

    // A fresh challenge, and a right password, bring no fresh guesses: ten wrong codes in an hour are all.
    for _ in 0..5 {
        let open = challenge(there, &member.email).await;
        answer(there, &open, ("totp", "000000")).await.expect(403);
    }
    let open = challenge(here, &member.email).await;
    for at in [here, there] {
        let code = totp(&key, step(&world.server));
        let refused = answer(at, &open, ("totp", &code)).await.expect(429).problem("too_many_requests");
        assert!(refused.header("retry-after").parse::<i64>().unwrap() > 3000, "{refused}");
        answer(at, &open, ("backup_code", &codes[0])).await.expect(429);
    }
    world.server.advance(TimeDelta::minutes(61));
    let open = challenge(here, &member.email).await;
    answer(here, &open, ("totp", &totp(&key, step(&world.server)))).await.expect(201);
    other.stop().await;
    world.close().await;
}

/// Proves MFA-1: what waits is bound to its browser, its vessel and its time.
#[tokio::test]
async fn a_challenge_of_another_browser_is_worth_nothing() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let (_, codes) = enrol(&world.server, member.account).await;
    let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "cookie"});
    let asked = nobody.post("/v1/sessions", sign_in.clone()).await.expect(200);
    assert!(asked.json.get("challenge").is_none(), "{asked}");
    let cookie = asked.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Max-Age=300"));
    let (pair, token) = (cookie.split(';').next().unwrap(), cookie.split(['=', ';']).nth(1).unwrap());
    let proof = json!({"second_factor": {"method": "backup_code", "code": codes[0]}});
    // Another browser has no cookie; a program that got hold of the token gets nothing for it.
    nobody.post(FACTOR, proof.clone()).await.expect(401).problem("challenge_not_valid");
    answer(nobody, token, ("backup_code", &codes[0])).await.expect(401).problem("challenge_not_valid");
    let draft = |pair: &str| nobody.request(reqwest::Method::POST, FACTOR).header("cookie", pair).json(&proof);
    let draft = |pair: &str| draft(pair).header("origin", crate::harness::PUBLIC_URL);
    let entered = draft(pair).send().await.expect(201);
    let set: Vec<_> = entered.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(set.iter().any(|cookie| cookie.starts_with("freehold_access=")), "{set:?}");
    assert!(set.iter().any(|cookie| cookie.starts_with("freehold_challenge=;")), "{set:?}");

    // One that is too old, and one from before another password, is nothing any more.
    let old = challenge(nobody, &member.email).await;
    world.server.advance(TimeDelta::minutes(5));
    answer(nobody, &old, ("backup_code", &codes[1])).await.expect(401).problem("challenge_not_valid");
    let old = challenge(nobody, &member.email).await;
    let other = challenge(nobody, &member.email).await;
    let entered = answer(nobody, &other, ("backup_code", &codes[2])).await.expect(201);
    let inside = world.server.bearer(entered.text_at("/access_token"));
    let change = json!({"current_password": PASSWORD, "password": "Granite-orchard-47-lamps"});
    inside.request(reqwest::Method::PUT, "/v1/me/password").json(&change).send().await.expect(204);
    answer(nobody, &old, ("backup_code", &codes[3])).await.expect(401).problem("challenge_not_valid");
    world.close().await;
}

/// Proves AUT-7, MFA-1.
#[tokio::test]
async fn who_has_a_factor_proves_it_again_and_a_password_alone_renews_nothing() {
    let world = World::configured(&[("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")]).await;
    let member = &world.a.member;
    let (key, codes) = enrol(&world.server, member.account).await;
    let me = member.get("/v1/me").await.expect(200);
    assert_eq!(me.json["reauthentication"]["methods"], json!(["password", "totp", "backup_code"]));
    let again = |proof: Value| member.post("/v1/session/reauthenticate", proof);
    again(json!({"password": PASSWORD})).await.expect(403).problem("second_factor_required");
    let with =
        |password: &str, code: &str| json!({"password": password, "second_factor": {"method": "totp", "code": code}});
    let right = totp(&key, step(&world.server));
    again(with("not-the-password", &right)).await.expect(403).problem("wrong_password");
    again(with(PASSWORD, "000000")).await.expect(403).problem("wrong_code");
    let proven = again(with(PASSWORD, &right)).await.expect(200);
    assert_eq!(claims(proven.text_at("/access_token"))["amr"], json!(["pwd", "otp", "mfa"]));

    // A new password may be chosen with that proof; it is no proof itself.
    world.server.advance(TimeDelta::minutes(4));
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "password": new});
        member.request(reqwest::Method::PUT, "/v1/me/password").json(&body).send()
    };
    change(PASSWORD, "Granite-orchard-47-lamps").await.expect(204);
    world.server.advance(TimeDelta::minutes(2));
    change("Granite-orchard-47-lamps", PASSWORD).await.expect(403).problem("reauthentication_required");
    member.delete("/v1/me/second-factors/totp").await.expect(403).problem("reauthentication_required");
    let proof = json!({"method": "backup_code", "code": codes[0]});
    let proof = json!({"password": "Granite-orchard-47-lamps", "second_factor": proof});
    again(proof).await.expect(200);
    change("Granite-orchard-47-lamps", "Copper-lantern-58-reeds").await.expect(204);
    world.close().await;
}

/// Proves MFA-1, MFA-3: nothing in the database passes a second factor.
#[tokio::test]
async fn a_dump_of_the_database_holds_nothing_that_passes_a_factor() {
    let world = World::open().await;
    let member = &world.a.member;
    let (key, codes) = set_up(&world, member).await;
    let open = challenge(world.server.nobody(), &member.email).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let tables = psql
        .rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
        .await;
    let mut dump = String::new();
    for table in tables {
        let name = table["relname"].as_str().unwrap().to_owned();
        let rows = psql.rows(&format!("SELECT to_jsonb(t) AS row FROM {name} t")).await;
        dump.push_str(&Value::from(rows).to_string());
    }
    assert!(dump.contains("totp_factors") || dump.contains("last_step"), "the dump is not one");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bits: Vec<u8> = key
        .chars()
        .flat_map(|c| {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
            (0..5).rev().map(move |bit| u8::from(value >> bit & 1 == 1))
        })
        .collect();
    let secret: Vec<u8> = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect();
    let plain = |code: &String| code.replace('-', "");
    let hashed = |text: &str| hex(&freehold::sessions::hash(text));
    let mut forbidden = vec![key.clone(), hex(&secret), open.clone()];
    forbidden.extend(codes.iter().flat_map(|code| [code.clone(), plain(code), hashed(code), hashed(&plain(code))]));
    for secret in forbidden {
        assert!(!dump.contains(&secret), "the dump has {secret}");
    }
    world.close().await;
}

/// Proves MFA-1: what comes in another way than by the sign-in page is asked as well.
#[tokio::test]
async fn an_invitation_makes_a_member_and_no_session_without_the_factor() {
    let world = World::open().await;
    let guest = &world.a.guest;
    let (key, _) = enrol(&world.server, guest.account).await;
    let accept = json!({"token": world.a.guest_token, "password": PASSWORD, "token_delivery": "body"});
    let asked = world.server.nobody().post("/v1/invitations/accept", accept).await.expect(200);
    let code = totp(&key, step(&world.server));
    let entered = answer(world.server.nobody(), asked.text_at("/challenge"), ("totp", &code)).await.expect(201);
    assert_eq!(entered.id_at("/organization_id"), world.a.id);
    world.close().await;
}
