//! Mail to a real mail server: what arrives there, how often, and what becomes of what does not.

pub mod sink;

use chrono::TimeDelta;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Login, PASSWORD, PATIENCE, Process, Server, eventually, folder},
    path::sign_in,
    world::World,
};
use sink::{Delivered, Sink};

/// Invites a person into tenant A.
async fn invite(world: &World, by: &Actor, email: &str) -> Value {
    let path = format!("/v1/organizations/{}/invitations", world.a.id);
    by.post(&path, json!({"email": email, "role": "member"})).await.expect(201).json
}

/// Waits until the API shows this of an invitation's mail, and returns the invitation.
async fn mail_status(world: &World, id: &Value, wanted: &str) -> Value {
    let path = format!("/v1/organizations/{}/invitations?limit=200", world.a.id);
    eventually(&format!("mail_status is {wanted}"), PATIENCE, async || {
        let list = world.a.owner.get(&path).await.expect(200);
        list.items().iter().find(|item| item["id"] == *id && item["mail_status"] == wanted).cloned()
    })
    .await
}

async fn world_with(sink: &Sink) -> World {
    World::configured(&[("FREEHOLD_MAIL_SMTP_URL", &sink.url()), ("FREEHOLD_MAIL_FROM", "Acme <id@example.com>")]).await
}

/// Proves AUT-4.
#[tokio::test]
async fn an_invitation_arrives_by_smtp_and_its_link_works() {
    let sink = Sink::start().await;
    let world = world_with(&sink).await;
    let invitation = invite(&world, &world.a.owner, "smtp@example.com").await;
    let letter = sink.letter("smtp@example.com").await;
    assert_eq!((letter.secure, letter.user.as_deref()), (false, None));
    assert_eq!(letter.header("From"), "Acme <id@example.com>");
    assert_eq!(letter.header("To"), "smtp@example.com");
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    assert!(letter.header("Message-ID").ends_with("@example.com>"), "{}", letter.raw);
    let sent = mail_status(&world, &invitation["id"], "sent").await;
    assert!(sent["sent_at"].is_string());
    let accept = json!({"token": letter.token(), "name": "Smith", "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/invitations/accept", accept).await.expect(201);
    world.close().await;
}

/// A key and a certificate for this machine, as PEM, and the certificate in a file for the client to trust.
fn certificate() -> (String, String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = folder("certificate").join("cert.pem");
    std::fs::write(&file, cert.pem()).unwrap();
    (signing_key.serialize_pem(), cert.pem(), file.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_mail_server_that_wants_tls_and_a_password_gets_both() {
    let (key, cert, trusted) = certificate();
    let sink =
        Sink::configured(&json!({"key": key, "cert": cert, "user": "freehold", "password": "pass/word+1"})).await;
    let world = World::open().await;
    let url = format!("smtp://freehold:pass%2Fword+1@127.0.0.1:{}?tls=required", sink.port());
    // The server of the world must not write it into a file first.
    let World { cast, server, database } = world;
    server.stop().await;
    let settings = [("FREEHOLD_MAIL_SMTP_URL", url.as_str()), ("SSL_CERT_FILE", &trusted)];
    let mut process = Process::on(&database, &settings);
    let owner = sign_in(&process.ready().await, &cast.a.owner.email).await;
    let path = format!("/v1/organizations/{}/invitations", cast.a.id);
    owner.post(&path, json!({"email": "tls@example.com", "role": "member"})).await.expect(201);
    let letter = sink.letter("tls@example.com").await;
    assert_eq!((letter.secure, letter.user.as_deref()), (true, Some("freehold")));
    assert!(process.terminate().await.success());

    // The same server with a certificate that nobody vouches for gets nothing, neither mail nor password.
    let (untrusting, _) = settings.split_at(1);
    let mut process = Process::on(&database, untrusting);
    let owner = sign_in(&process.ready().await, &cast.a.owner.email).await;
    owner.post(&path, json!({"email": "distrust@example.com", "role": "member"})).await.expect(201);
    let mut psql = database.psql(Login::Owner).await;
    let failed = async || psql.rows("SELECT last_error FROM outbox WHERE last_error IS NOT NULL").await.pop();
    let failed = eventually("the attempt has failed", PATIENCE, failed).await;
    assert!(failed["last_error"].as_str().unwrap().contains("connecting"), "{failed}");
    assert!(!process.output().contains("word+1"), "the password is in the log");
    assert_eq!(sink.taken().len(), 1);
}

#[tokio::test]
async fn mail_that_is_refused_for_good_is_given_up_and_shown_as_failed() {
    let sink = Sink::start().await;
    let world = world_with(&sink).await;
    let invitation = invite(&world, &world.a.owner, "gone@example.com").await;
    let failed = mail_status(&world, &invitation["id"], "failed").await;
    assert_eq!((&failed["status"], &failed["sent_at"]), (&json!("pending"), &Value::Null));
    let mut psql = world.database.psql(Login::Owner).await;
    let row = psql.rows("SELECT attempts, length(payload), last_error FROM outbox WHERE failed_at IS NOT NULL").await;
    // The text is destroyed, and the mail server's words, which repeat the address, are not kept.
    assert_eq!(row, [json!({"attempts": 1, "length": null, "last_error": "SMTP 550 5.1.1"})]);
    // It can be sent again, as a letter of its own.
    let path = format!("/v1/organizations/{}/invitations/{}", world.a.id, failed["id"].as_str().unwrap());
    let again = world.a.owner.post_nothing(&format!("{path}/resend")).await.expect(200);
    assert_eq!(again.json["mail_status"], "waiting");
    world.close().await;
}

#[tokio::test]
async fn mail_that_is_refused_for_the_moment_is_sent_later() {
    let sink = Sink::start().await;
    let world = world_with(&sink).await;
    let invitation = invite(&world, &world.a.owner, "busy@example.com").await;
    sink.refusal("busy@example.com").await;
    let mut psql = world.database.psql(Login::Owner).await;
    let due = "SELECT count(*) FROM outbox WHERE attempts = 1 AND sent_at IS NULL AND failed_at IS NULL
               AND last_error = 'SMTP 451 4.2.0' AND available_at > now() + interval '5 s'";
    eventually("the next attempt is due later", PATIENCE, async || (psql.number(due).await == 1).then_some(())).await;
    assert_eq!(mail_status(&world, &invitation["id"], "waiting").await["status"], "pending");
    world.server.advance(TimeDelta::seconds(15));
    mail_status(&world, &invitation["id"], "sent").await;
    assert_eq!(sink.taken().len(), 1);
    world.close().await;
}

#[tokio::test]
async fn two_servers_send_each_letter_once() {
    const LETTERS: usize = 60;
    let sink = Sink::configured(&json!({"pause": 20})).await;
    let world = world_with(&sink).await;
    let second = Server::configured(&world.database, &[("FREEHOLD_MAIL_SMTP_URL", &sink.url())]).await;
    let path = format!("/v1/organizations/{}/invitations/bulk", world.a.id);
    let people: Vec<_> =
        (0..LETTERS).map(|number| json!({"email": format!("p{number}@example.com"), "role": "member"})).collect();
    world.a.owner.post(&path, json!({"invitations": people})).await.expect(200);
    let mut psql = world.database.psql(Login::Owner).await;
    let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL";
    eventually("all are sent", PATIENCE, async || (psql.number(waiting).await == 0).then_some(())).await;
    let mut ids: Vec<_> = sink.taken().iter().map(|letter| letter.header("Message-ID").to_owned()).collect();
    assert_eq!(ids.len(), LETTERS);
    // Both took part, as the sender's domain in the number shows.
    assert!(ids.iter().any(|id| id.contains("@example.com")) && ids.iter().any(|id| id.contains("@localhost")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), LETTERS);
    second.stop().await;
    world.close().await;
}

/// Proves NET-14 (HTML in mails is escaped).
#[tokio::test]
async fn what_people_write_is_text_in_a_letter() {
    let sink = Sink::start().await;
    let world = world_with(&sink).await;
    let path = format!("/v1/organizations/{}", world.a.id);
    world.a.owner.patch(&path, json!({"name": "<script>alert(1)</script>"})).await.expect(200);
    let body = json!({"email": "text@example.com", "role": "member", "message": "<img src=x> Tom & \"Co\""});
    world.a.owner.post(&format!("{path}/invitations"), body).await.expect(201);
    let letter: Delivered = sink.letter("text@example.com").await;
    let plain = letter.plain();
    let (text, html) = plain.split_once("Content-Type: text/html").unwrap();
    assert!(text.contains("<script>alert(1)</script>") && text.contains("> <img src=x> Tom & \"Co\""), "{text}");
    assert!(html.contains("&#60;script&#62;") && html.contains("&#60;img src=x&#62; Tom &#38;"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    world.close().await;
}
