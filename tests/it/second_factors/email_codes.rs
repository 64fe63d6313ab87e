//! Codes by e-mail: what one opens, where, how often, and for whom it counts.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{answer, challenge, claims, entries, password, told};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, Server, backup_codes, enrol, eventually},
    world::{Person, World},
};

const OWN: &str = "/v1/me/second-factors/email-codes";
const SEND: &str = "/v1/sessions/second-factor/email-code";
const SUBJECT: &str = "Your code to sign in";

/// The code in the `number`th letter of its kind to an address.
async fn mailed(world: &World, email: &str, number: usize) -> String {
    let text = eventually("a letter with a code", PATIENCE, async || {
        world.database.mail().texts(email, SUBJECT).await.into_iter().nth(number - 1)
    })
    .await;
    let code = text.split("asked for it: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit()), "{text}");
    code
}

/// Another code than this.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn send(at: &Actor, challenge: &str) -> Answer {
    at.post(SEND, json!({"challenge": challenge})).await
}

/// Switches codes on as a person does: one letter.
async fn switch_on(world: &World, person: &Person) {
    person.post_nothing(OWN).await.expect(200);
    let code = mailed(world, &person.email, 1).await;
    person.post(&format!("{OWN}/confirm"), json!({"code": code})).await.expect(204);
    world.server.advance(TimeDelta::seconds(61));
}

/// Proves MFA-2.
#[tokio::test]
async fn codes_are_switched_on_by_one_and_asked_for_from_then_on() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    member.post_nothing(OWN).await.expect(200);
    let code = mailed(&world, &member.email, 1).await;
    // What is being set up opens nothing and is asked for nowhere.
    password(nobody, &member.email).await.expect(201);
    let confirm = format!("{OWN}/confirm");
    member.post(&confirm, json!({"code": wrong(&code)})).await.expect(403).problem("wrong_code");
    member.post(&confirm, json!({"code": code})).await.expect(204);
    told(&world, &member.email, "Codes by e-mail were switched on").await;
    member.post_nothing(OWN).await.expect(409).problem("second_factor_enrolled");
    member.post(&confirm, json!({"code": code})).await.expect(409);
    let own = member.get("/v1/me/second-factors").await.expect(200);
    assert_eq!((own.json["email_codes_since"].is_string(), &own.json["backup_codes_left"]), (true, &json!(0)));

    world.server.advance(TimeDelta::seconds(61));
    let asked = password(nobody, &member.email).await.expect(200);
    assert_eq!(asked.json["methods"], json!(["email_code"]));
    let open = asked.text_at("/challenge");
    // Nothing is sent before it is asked for, and no code is right before one was sent.
    answer(nobody, open, ("email_code", &code)).await.expect(403).problem("wrong_code");
    send(nobody, open).await.expect(200);
    let code = mailed(&world, &member.email, 2).await;
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let entered = answer(nobody, open, ("email_code", &spaced)).await.expect(201);
    assert_eq!(claims(entered.text_at("/access_token"))["amr"], json!(["pwd", "otp", "email"]));

    member.delete(OWN).await.expect(204);
    member.delete(OWN).await.expect(404);
    password(nobody, &member.email).await.expect(201);
    let left = "SELECT count(*) FROM sessions WHERE factors LIKE '%email%'";
    assert_eq!(world.database.psql(Login::Owner).await.number(left).await, 0);
    for event in ["second_factor.enrolled", "second_factor.code_sent", "second_factor.removed"] {
        assert!(!entries(&world, event, member.account).await.is_empty(), "{event}");
    }
    world.close().await;
}

/// Proves MFA-2: ten minutes, five attempts, one at a time, and only where it was asked for.
#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_five_attempts_where_it_was_asked_for() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let (here, there, email) = (world.server.nobody(), other.nobody(), &world.a.member.email);
    switch_on(&world, &world.a.member).await;
    let (first, second) = (challenge(here, email).await, challenge(there, email).await);
    send(here, &first).await.expect(200);
    let old = mailed(&world, email, 2).await;
    // It is of no use for another sign-in of the same person.
    answer(there, &second, ("email_code", &old)).await.expect(403).problem("wrong_code");
    world.server.advance(TimeDelta::seconds(61));
    send(here, &first).await.expect(200);
    let new = mailed(&world, email, 3).await;
    if old != new {
        answer(here, &first, ("email_code", &old)).await.expect(403).problem("wrong_code");
    }
    // Of two who bring the right one at once, one gets in.
    let both = join_all([here, there].map(|at| answer(at, &first, ("email_code", &new)))).await;
    let mut statuses: Vec<_> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);

    // One that is too old.
    world.server.advance(TimeDelta::minutes(61));
    let open = challenge(here, email).await;
    send(here, &open).await.expect(200);
    let code = mailed(&world, email, 4).await;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("UPDATE second_factor_challenges SET expires_at = expires_at + interval '1 day'").await.unwrap();
    world.server.advance(TimeDelta::minutes(10));
    answer(here, &open, ("email_code", &code)).await.expect(403).problem("wrong_code");

    // Five wrong ones end it, over challenges too: the right one comes too late.
    let open = challenge(here, email).await;
    send(here, &open).await.expect(200);
    let code = mailed(&world, email, 5).await;
    for _ in 0..4 {
        answer(here, &open, ("email_code", &wrong(&code))).await.expect(403);
    }
    let elsewhere = challenge(here, email).await;
    answer(here, &elsewhere, ("email_code", &wrong(&code))).await.expect(403);
    answer(here, &open, ("email_code", &code)).await.expect(401).problem("challenge_not_valid");
    assert_eq!(psql.number("SELECT count(*) FROM email_codes WHERE code_hash IS NOT NULL").await, 0);
    other.stop().await;
    world.close().await;
}

/// Proves MFA-2: one in a minute and five in an hour, over all challenges and instances.
#[tokio::test]
async fn codes_are_sent_seldom() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let email = &world.a.member.email;
    switch_on(&world, &world.a.member).await;
    let (here, there) = (world.server.nobody(), other.nobody());
    let open = [challenge(here, email).await, challenge(there, email).await];
    let at_once = join_all([(here, &open[0]), (there, &open[1])].map(|(at, open)| send(at, open))).await;
    let mut statuses: Vec<_> = at_once.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    for _ in 0..3 {
        world.server.advance(TimeDelta::seconds(61));
        send(here, &challenge(here, email).await).await.expect(200);
    }
    world.server.advance(TimeDelta::seconds(61));
    let refused = send(here, &challenge(here, email).await).await.expect(429).problem("too_many_requests");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((3000..3600).contains(&wait), "{wait}");
    world.database.letters_are_sent().await;
    assert_eq!(world.database.mail().count_with(email, SUBJECT).await, 5);
    world.server.advance(TimeDelta::seconds(wait + 1));
    send(here, &challenge(here, email).await).await.expect(200);
    // Whoever has none mailed gets none, and a stranger nothing at all.
    enrol(&world.server, world.a.manager.account).await;
    send(here, &challenge(here, &world.a.manager.email).await).await.expect(404);
    send(here, "fhc_nobody").await.expect(401).problem("challenge_not_valid");
    other.stop().await;
    world.close().await;
}

/// A session that used a code by e-mail.
async fn by_mail(world: &World, person: &Person, letter: usize) -> Actor {
    let nobody = world.server.nobody();
    let open = challenge(nobody, &person.email).await;
    send(nobody, &open).await.expect(200);
    let code = mailed(world, &person.email, letter).await;
    let entered = answer(nobody, &open, ("email_code", &code)).await.expect(201);
    world.server.advance(TimeDelta::seconds(61));
    world.server.bearer(entered.text_at("/access_token"))
}

fn here(world: &World) -> String {
    format!("/v1/organizations/{}", world.a.id)
}

/// Proves MFA-2, MFA-5: the weak factor counts below administrators by default, and where the policy says so.
#[tokio::test]
async fn a_code_by_mail_does_not_satisfy_what_is_demanded_of_administrators() {
    let world = World::open().await;
    let demand =
        |count: Value| json!({"mfa": {"required_from": "member", "grace_days": 0, "email_codes_count_for": count}});
    let (admin, member) = (&world.a.admin, &world.a.member);
    switch_on(&world, admin).await;
    switch_on(&world, member).await;
    world.platform.patch("/v1/settings", demand(json!(null))).await.expect(200);
    let (of_admin, of_member) = (by_mail(&world, admin, 2).await, by_mail(&world, member, 2).await);
    of_member.get(&here(&world)).await.expect(200);
    of_admin.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    let standing = of_admin.get("/v1/me").await.expect(200).json["second_factor"].clone();
    assert_eq!((&standing["enrolled"], &standing["proven"]), (&json!(false), &json!(false)), "{standing}");
    let counts =
        async |who: &Actor| who.get("/v1/me").await.expect(200).json["second_factor"]["email_codes_count"].clone();
    assert_eq!((counts(&of_admin).await, counts(&of_member).await), (json!(false), json!(true)));

    // A strong one beside it lets them go on.
    let key = of_admin.post_nothing("/v1/me/second-factors/totp").await.expect(200).text_at("/secret").to_owned();
    let code = json!({"code": crate::harness::totp(&key, super::step(&world.server) - 1)});
    of_admin.post("/v1/me/second-factors/totp/confirm", code).await.expect(200);
    of_admin.get(&here(&world)).await.expect(200);
    // A session by mail of theirs is then one that has not used what they have; it neither adds another strong one nor
    // renews the proof of who they are.
    let weak = by_mail(&world, admin, 3).await;
    weak.get(&here(&world)).await.expect(403).problem("mfa_required");
    let add = weak.post_nothing("/v1/me/passkeys/options").await;
    add.expect(403).problem("reauthentication_required");
    let again = json!({"password": PASSWORD, "second_factor": {"method": "email_code", "code": "000000"}});
    weak.post("/v1/session/reauthenticate", again).await.expect(403).problem("second_factor_required");
    assert_eq!(weak.get("/v1/me").await.expect(200).json["reauthentication"]["methods"][1], "totp");

    world.platform.patch("/v1/settings", demand(json!("everybody"))).await.expect(200);
    eventually("the setting is in force", Duration::from_secs(5), async || {
        (weak.get(&here(&world)).await.status == 200).then_some(())
    })
    .await;
    world.platform.patch("/v1/settings", demand(json!("nobody"))).await.expect(200);
    eventually("the setting is in force", Duration::from_secs(5), async || {
        (of_member.get(&here(&world)).await.status == 403).then_some(())
    })
    .await;
    of_member.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    let manager = password(world.server.nobody(), &world.a.manager.email).await.expect(201);
    let manager = world.server.bearer(manager.text_at("/access_token"));
    manager.post_nothing(OWN).await.expect(403).problem("email_codes_not_allowed");
    world.close().await;
}

/// Proves MFA-2: whoever has the password and the mailbox gets no further than that, by no way.
#[tokio::test]
async fn a_code_by_mail_is_no_way_to_a_strong_factor() {
    const APP: &str = "/v1/me/second-factors/totp";
    const CODES: &str = "/v1/me/second-factors/backup-codes";
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    switch_on(&world, member).await;
    member.post_nothing(CODES).await.expect(404);
    let (key, codes) = enrol(&world.server, member.account).await;
    let weak = by_mail(&world, member, 2).await;
    let stale = |answer: Answer| answer.expect(403).problem("reauthentication_required");
    stale(weak.delete(APP).await);
    stale(weak.post_nothing(CODES).await);
    stale(weak.post_nothing("/v1/me/passkeys/options").await);
    stale(weak.put("/v1/me/recovery-address", json!({"email": "elsewhere@example.net"})).await);
    stale(weak.put("/v1/me/password", json!({"current_password": PASSWORD, "password": "Granite-orchard-47"})).await);
    // Nor does a session get there that was open before there was a strong one.
    stale(member.delete(APP).await);
    stale(member.post_nothing(CODES).await);
    stale(member.put("/v1/me/recovery-address", json!({"email": "elsewhere@example.net"})).await);
    let proof = json!({"method": "totp", "code": crate::harness::totp(&key, super::step(&world.server))});
    weak.post("/v1/session/reauthenticate", json!({"password": PASSWORD, "second_factor": proof})).await.expect(200);
    weak.delete(APP).await.expect(204);
    // What stood in for the strong one is gone with it, and nothing stands in for the weak one.
    let open = challenge(nobody, &member.email).await;
    answer(nobody, &open, ("backup_code", &codes[0])).await.expect(403).problem("wrong_code");
    let codes = backup_codes(&world.server, member.account).await;
    answer(nobody, &open, ("backup_code", &codes[0])).await.expect(403).problem("wrong_code");
    world.close().await;
}

/// Proves MFA-2: a code that lies in a mailbox that the person has left opens nothing.
#[tokio::test]
async fn a_code_ends_with_the_address_that_it_was_sent_to() {
    const CHANGE: &str = "/v1/me/email/change";
    let world = World::open().await;
    let (member, nobody) = (&world.a.member, world.server.nobody());
    switch_on(&world, member).await;
    let open = challenge(nobody, &member.email).await;
    send(nobody, &open).await.expect(200);
    let code = mailed(&world, &member.email, 2).await;
    member.post(CHANGE, json!({"email": "moved@example.net"})).await.expect(200);
    let token = world.database.mail().take_token("moved@example.net").await;
    member.post(&format!("{CHANGE}/complete"), json!({"token": token})).await.expect(200);
    answer(nobody, &open, ("email_code", &code)).await.expect(403).problem("wrong_code");
    world.close().await;
}

/// Proves AUT-7, MFA-2.
#[tokio::test]
async fn a_fresh_proof_takes_a_code_that_was_sent_to_this_session() {
    let world = World::open().await;
    let member = &world.a.member;
    switch_on(&world, member).await;
    let again = |code: &str| {
        let factor = json!({"method": "email_code", "code": code});
        member.post("/v1/session/reauthenticate", json!({"password": PASSWORD, "second_factor": factor}))
    };
    let other = by_mail(&world, member, 2).await;
    other.post_nothing("/v1/session/email-code").await.expect(200);
    let code = mailed(&world, &member.email, 3).await;
    again(&code).await.expect(403).problem("wrong_code");
    world.server.advance(TimeDelta::seconds(61));
    member.post_nothing("/v1/session/email-code").await.expect(200);
    let code = mailed(&world, &member.email, 4).await;
    again(&code).await.expect(200);
    world.a.manager.post_nothing("/v1/session/email-code").await.expect(404);
    world.close().await;
}

/// Proves MFA-2: nothing in the database tells a code, which has a million values only.
#[tokio::test]
async fn what_is_stored_of_a_code_can_not_be_tried_out() {
    let world = World::open().await;
    let member = &world.a.member;
    switch_on(&world, member).await;
    let open = challenge(world.server.nobody(), &member.email).await;
    send(world.server.nobody(), &open).await.expect(200);
    let code = mailed(&world, &member.email, 2).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let stored = psql.text("SELECT encode(code_hash, 'hex') FROM email_codes").await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for text in [code.clone(), format!("{}{code}", member.account), format!("{code}{}", member.account)] {
        assert_ne!(stored, hex(&freehold::sessions::hash(&text)));
    }
    // The letter is sealed while it waits, and gone afterwards.
    let outbox = psql.rows("SELECT to_jsonb(o) AS row FROM outbox o").await;
    assert!(!Value::from(outbox).to_string().contains(&code));
    world.close().await;
}
