//! Letters and their links: how many leave, what they may say, which are withdrawn, and what is remembered of links
//! that are not good any more.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::sign_in;
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, Psql},
    world::{Tenant, World},
};

fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/invitations{rest}", tenant.id)
}

async fn invite(by: &Actor, tenant: &Tenant, email: &str) -> Answer {
    by.post(&path(tenant, ""), json!({"email": email, "role": "member"})).await
}

/// Insists on a 429 that says to wait about this long.
#[track_caller]
fn throttled(answer: &Answer, wait: TimeDelta) {
    let answer = answer.clone().expect(429).problem("too_many_requests");
    let seconds: i64 = answer.header("retry-after").parse().unwrap();
    assert!((wait.num_seconds() - 30..=wait.num_seconds()).contains(&seconds), "{seconds} s, not {wait}: {answer}");
}

/// Proves AUT-4.
#[tokio::test]
async fn an_invitation_is_sent_again_once_a_minute_and_five_times_a_day() {
    let world = World::open().await;
    let a = &world.a;
    let resend = path(a, &format!("/{}/resend", a.pending.id));
    let owner = &a.owner;
    for again in 1..=5 {
        assert_eq!(owner.post_nothing(&resend).await.expect(200).json["resend_count"], again);
        if again < 5 {
            throttled(&owner.post_nothing(&resend).await, TimeDelta::minutes(1));
        }
        world.server.advance(TimeDelta::minutes(1));
    }
    throttled(&owner.post_nothing(&resend).await, TimeDelta::days(1) - TimeDelta::minutes(5));
    assert_eq!(owner.get(&path(a, &format!("/{}", a.pending.id))).await.expect(200).json["resend_count"], 5);
    // Another invitation has a count of its own, and so does tomorrow.
    let other = invite(owner, a, "other@example.com").await.expect(201).id_at("/id");
    owner.post_nothing(&path(a, &format!("/{other}/resend"))).await.expect(200);
    world.server.flush_refusals().await;
    let refused = owner.get(&format!("/v1/organizations/{}/audit?event=access.refused", a.id)).await.expect(200);
    let mine = refused.items().iter().filter(|entry| entry["metadata"]["operation"] == "invitations_resend");
    assert_eq!(mine.map(|entry| entry["metadata"]["count"].as_i64().unwrap()).sum::<i64>(), 5, "{refused}");
    world.server.advance(TimeDelta::days(1));
    let owner = sign_in(world.server.nobody(), &owner.email).await;
    owner.post_nothing(&resend).await.expect(200);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn inviting_anew_is_no_way_around_the_limit() {
    let world = World::open().await;
    let (a, email) = (&world.a, "again@example.com");
    for _ in 0..5 {
        let id = invite(&a.owner, a, email).await.expect(201).id_at("/id");
        a.owner.delete(&path(a, &format!("/{id}"))).await.expect(204);
    }
    throttled(&invite(&a.admin, a, email).await, TimeDelta::days(1));
    let several =
        json!({"invitations": [{"email": email, "role": "member"}, {"email": "new@example.com", "role": "member"}]});
    let answer = a.admin.post(&path(a, "/bulk"), several).await.expect(200);
    assert_eq!(answer.text_at("/results/0/error/code"), "too_many_requests");
    assert_eq!(answer.text_at("/results/1/invitation/status"), "pending");
    // Another organisation's letters are its own.
    invite(&world.b.owner, &world.b, email).await.expect(201);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn a_message_leads_nowhere_else() {
    let world = World::open().await;
    let a = &world.a;
    let with = |message: &str| json!({"email": "lured@example.com", "role": "member", "message": message});
    for lure in ["Sign in at https://evil.example/login", "see www.evil", "Go to evil.com!", "evil\u{3002}com"] {
        let answer = a.admin.post(&path(a, ""), with(lure)).await.expect(422).problem("invalid_request");
        assert_eq!((answer.faults(), answer.text_at("/errors/0/code")), (vec!["/message"], "link"), "{answer}");
        assert!(answer.text_at("/errors/0/detail").contains("web address"), "{answer}");
        let answer = a.admin.post(&path(a, "/bulk"), json!({"invitations": [with(lure)]})).await.expect(200);
        assert_eq!(answer.text_at("/results/0/error/detail"), "message must not contain a web address");
    }
    let message = "Welcome, e.g. at 9.30 in room 2.1. Questions? Write to ada@example.com";
    a.admin.post(&path(a, ""), with(message)).await.expect(201);
    assert!(world.database.mail().take("lured@example.com").await.text.contains(message));
    world.close().await;
}

async fn letter_of(psql: &mut Psql, invitation: Uuid) -> Value {
    let sql = format!(
        "SELECT i.mail_id, o.id IS NOT NULL AS there FROM invitations i LEFT JOIN outbox o ON o.id = i.mail_id
         WHERE i.id = '{invitation}'"
    );
    psql.rows(&sql).await.remove(0)
}

/// Proves AUT-4.
#[tokio::test]
async fn a_letter_whose_link_is_dead_does_not_leave() {
    // Nobody listens there: letters wait for the mail server.
    let world = World::configured(&[("FREEHOLD_MAIL_SMTP_URL", "smtp://127.0.0.1:9")]).await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let mut psql = world.database.psql(Login::Owner).await;
    let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL";
    let mut made = Vec::new();
    for name in ["revoked", "resent", "joined"] {
        let answer = invite(&a.owner, a, &format!("{name}@example.com")).await.expect(201);
        assert_eq!(answer.text_at("/mail_status"), "waiting");
        made.push(answer.id_at("/id"));
    }
    assert_eq!(psql.number(waiting).await, 3);

    a.owner.delete(&path(a, &format!("/{}", made[0]))).await.expect(204);
    assert_eq!(letter_of(&mut psql, made[0]).await, json!({"mail_id": null, "there": false}));
    let shown = a.owner.get(&path(a, &format!("/{}", made[0]))).await.expect(200);
    assert_eq!((shown.text_at("/status"), shown.json.get("mail_status")), ("revoked", None));

    let first = letter_of(&mut psql, made[1]).await;
    a.owner.post_nothing(&path(a, &format!("/{}/resend", made[1]))).await.expect(200);
    let second = letter_of(&mut psql, made[1]).await;
    assert!(second["there"] == true && second["mail_id"] != first["mail_id"], "{second}");

    // Whoever got the link some other way needs no letter any more.
    let token = format!("fhi_{}", URL_SAFE_NO_PAD.encode([a.id.as_bytes().as_slice(), &[7; 32]].concat()));
    psql.run(&format!("UPDATE invitations SET token_hash = sha256('{token}') WHERE id = '{}'", made[2])).await.unwrap();
    let accept = json!({"token": token, "name": "New", "password": PASSWORD, "token_delivery": "body"});
    nobody.post("/v1/invitations/accept", accept).await.expect(201);
    assert_eq!(letter_of(&mut psql, made[2]).await, json!({"mail_id": null, "there": false}));
    assert_eq!(psql.number(waiting).await, 1);
    world.close().await;
}

/// Proves AUD-2.
#[tokio::test]
async fn a_link_that_is_not_good_any_more_is_remembered_with_a_number() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let made_up = format!("fhi_{}", URL_SAFE_NO_PAD.encode([a.id.as_bytes().as_slice(), &[7; 32]].concat()));
    let of_nowhere = format!("fhi_{}", URL_SAFE_NO_PAD.encode([9; 48]));
    for token in [&a.revoked.token, &made_up, &of_nowhere] {
        for _ in 0..4 {
            nobody.post("/v1/invitations/lookup", json!({"token": token})).await.expect(404);
            let accept = json!({"token": token, "name": "N", "password": PASSWORD, "token_delivery": "body"});
            nobody.post("/v1/invitations/accept", accept).await.expect(404).problem("invitation_not_valid");
        }
    }
    a.guest.post("/v1/me/invitations", json!({"token": a.revoked.token})).await.expect(404);
    world.server.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let sql = "SELECT * FROM audit_entries WHERE event = 'invitation.token_refused' ORDER BY id";
    let entries = psql.rows(sql).await;
    // The server's own clock may have written some of them down in between.
    assert!((2..=4).contains(&entries.len()), "{entries:?}");
    let count = |actor: Value| {
        let theirs = entries.iter().filter(move |entry| entry["actor_id"] == actor);
        theirs.map(|entry| entry["metadata"]["count"].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((count(Value::Null), count(json!(a.guest.account))), (8, 1));
    for entry in &entries {
        assert_eq!((&entry["organization_id"], &entry["target_id"]), (&json!(a.id), &json!(a.revoked.id)));
        assert_eq!((&entry["outcome"], &entry["metadata"]["reason"]), (&json!("refused"), &json!("revoked")));
        let id: Uuid = entry["id"].as_str().unwrap().parse().unwrap();
        let shown = a.owner.get(&format!("/v1/organizations/{}/audit/{id}", a.id)).await.expect(200);
        assert_eq!(shown.json["ip"], "127.0.0.1");
    }
    world.close().await;
}

/// Proves AUD-2.
#[tokio::test]
async fn of_many_all_are_invited_or_none() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let counts = "SELECT (SELECT count(*) FROM invitations) + (SELECT count(*) FROM outbox)
                  + (SELECT count(*) FROM audit_entries WHERE event LIKE 'invitation.%')";
    let before = psql.number(counts).await;
    psql.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$",
    )
    .await
    .unwrap();
    psql.run(
        "CREATE TRIGGER fault BEFORE INSERT ON invitations FOR EACH ROW WHEN (NEW.role = 'manager')
         EXECUTE FUNCTION fail()",
    )
    .await
    .unwrap();
    let wanted = [("first", "member"), ("second", "member"), ("third", "manager")]
        .map(|(name, role)| json!({"email": format!("{name}@example.com"), "role": role}));
    let several = json!({"invitations": wanted});
    a.admin.post(&path(a, "/bulk"), several.clone()).await.expect(503).problem("unavailable");
    assert_eq!(psql.number(counts).await, before);
    psql.run("DROP TRIGGER fault ON invitations").await.unwrap();
    let answer = a.admin.post(&path(a, "/bulk"), several).await.expect(200);
    assert!((0..3).all(|number| answer.json["results"][number]["invitation"].is_object()), "{answer}");
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn many_who_invite_the_same_people_at_once_invite_each_once() {
    let world = World::open().await;
    let a = &world.a;
    let people = |order: [&str; 3]| json!({"invitations": order.map(|name| json!({"email": format!("{name}@example.com"), "role": "member"}))});
    let bulk = path(a, "/bulk");
    let answers = tokio::join!(
        a.owner.post(&bulk, people(["x", "y", "z"])),
        a.admin.post(&bulk, people(["z", "y", "x"])),
        invite(&a.owner, a, "y@example.com"),
    );
    let made = |answer: &Answer| {
        let results = answer.clone().expect(200).json["results"].as_array().unwrap().clone();
        results.iter().filter(|result| result["invitation"].is_object()).count()
    };
    let alone = usize::from(answers.2.status == 201);
    assert_eq!(made(&answers.0) + made(&answers.1) + alone, 3, "{answers:?}");
    world.close().await;
}
