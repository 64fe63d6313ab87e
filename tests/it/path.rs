//! The path from a fresh machine to a colleague who signs in, through the API alone; its side roads are in `path/`.

mod invitations;
mod letters;
mod organizations;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, Database, Login, PASSWORD, Server};

/// The platform's own organisation, in every installation.
pub const PLATFORM: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// Signs in with the password that everybody has.
pub async fn sign_in(nobody: &Actor, email: &str) -> Actor {
    let body = json!({"email": email, "password": PASSWORD, "token_delivery": "body"});
    let answer = nobody.post("/v1/sessions", body).await.expect(201);
    nobody.bearing(answer.text_at("/access_token"))
}

/// The first administrator, as `POST /v1/setup` wants them.
pub fn first_admin(token: &str) -> Value {
    json!({
        "token": token, "email": "ada@example.com", "name": "Ada Lovelace", "password": PASSWORD,
        "token_delivery": "body",
    })
}

/// Moves a session into an organisation.
pub async fn switch(actor: &Actor, organization: Uuid) {
    actor.post("/v1/session/organization", json!({"organization_id": organization})).await.expect(200);
}

/// How many entries of this event with this outcome there are, in every organisation's record.
async fn recorded(database: &Database, event: &str, outcome: &str) -> i64 {
    let mut psql = database.psql(Login::Owner).await;
    let sql = format!("SELECT count(*) FROM audit_entries WHERE event = '{event}' AND outcome = '{outcome}'");
    psql.number(&sql).await
}

/// Proves AUT-8.
#[tokio::test]
async fn the_setup_link_makes_one_administrator_once() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let nobody = server.nobody();
    let required = async || nobody.get("/v1/setup").await.expect(200).json["required"].clone();
    assert_eq!(required().await, true);

    let token = server.setup_token().await;
    for wrong in ["fhs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &token[..token.len() - 1], "x"] {
        nobody.post("/v1/setup", first_admin(wrong)).await.expect(409).problem("setup_not_available");
    }
    assert_eq!(recorded(&database, "setup.refused", "refused").await, 3);

    let mut weak = first_admin(&token);
    weak["password"] = json!("lovelace");
    let answer = nobody.post("/v1/setup", weak).await.expect(422).problem("invalid_request");
    assert_eq!(answer.faults(), ["/password"; 7], "{answer}");
    let codes: Vec<_> = answer.json["errors"].as_array().unwrap().iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes, ["too_short", "no_upper_case", "no_digit", "no_special", "personal", "common", "too_weak"]);
    assert!(!answer.text.contains("\"lovelace\""), "the password is in the answer: {answer}");
    assert_eq!(required().await, true);

    let ada = nobody.post("/v1/setup", first_admin(&token)).await.expect(201);
    assert_eq!(required().await, false);
    let me = nobody.bearing(ada.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!((me.text_at("/role"), me.text_at("/organization/kind")), ("platform_admin", "platform"));

    let mut second = first_admin(&token);
    second["email"] = json!("eve@example.com");
    nobody.post("/v1/setup", second).await.expect(409).problem("setup_not_available");
    assert_eq!(recorded(&database, "setup.refused", "refused").await, 4);
    assert!(freehold::server::setup_link(server.app()).await.unwrap().is_none(), "there is another setup link");
    server.stop().await;
}

/// Proves AUT-8.
#[tokio::test]
async fn of_two_who_have_the_setup_link_one_becomes_administrator() {
    let database = Database::new().await;
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let token = one.setup_token().await;
    let mut eve = first_admin(&token);
    eve["email"] = json!("eve@example.com");
    let answers =
        tokio::join!(one.nobody().post("/v1/setup", first_admin(&token)), two.nobody().post("/v1/setup", eve));
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", answers.0, answers.1);
    let mut psql = database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM accounts").await, 1);
    assert_eq!(psql.number("SELECT count(*) FROM memberships WHERE role = 'platform_admin'").await, 1);
    assert_eq!(recorded(&database, "setup.refused", "refused").await, 1);
    one.stop().await;
    two.stop().await;
}

/// Proves AUT-4, AUT-8, AZ-1, AZ-2.
#[tokio::test]
async fn from_the_setup_link_to_a_colleague_who_sees_what_a_member_may_see() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let nobody = server.nobody();
    let ada = nobody.post("/v1/setup", first_admin(&server.setup_token().await)).await.expect(201);
    let ada = nobody.bearing(ada.text_at("/access_token"));

    let made = ada.post("/v1/organizations", json!({"name": "Analytical Engines"})).await.expect(201);
    let organization = made.id_at("/id");
    let path = format!("/v1/organizations/{organization}");
    assert_eq!(made.header("location"), path);
    assert!(made.text_at("/slug").starts_with("analytical-engines-"), "{made}");
    ada.get(&path).await.expect(403).problem("organization_not_active");
    switch(&ada, organization).await;
    let me = ada.get("/v1/me").await.expect(200);
    assert_eq!((me.text_at("/role"), me.id_at("/organization/id")), ("owner", organization));

    let invite = json!({"email": "Charles@Example.com", "role": "member", "message": "We begin on Monday"});
    let invitation = ada.post(&format!("{path}/invitations"), invite).await.expect(201);
    assert_eq!((invitation.text_at("/email"), invitation.text_at("/status")), ("charles@example.com", "pending"));
    let letter = database.mail().take("charles@example.com").await;
    assert_eq!(letter.subject, "Ada Lovelace invites you to Analytical Engines");
    assert!(letter.text.contains("We begin on Monday"), "{}", letter.text);

    let token = letter.token();
    let preview = nobody.post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    let mut expected = json!({
        "organization_name": "Analytical Engines", "email": "charles@example.com", "role": "member",
        "teams": [], "invited_by_name": "Ada Lovelace", "account_exists": false, "custom_roles": [],
        "password_rules": {
            "minimum_length": 12, "maximum_length": 256, "require_upper_case": true, "require_lower_case": true,
            "require_digit": true, "require_special": true, "minimum_strength": 3, "history": 10,
        },
    });
    expected["expires_at"] = invitation.json["expires_at"].clone();
    assert_eq!(preview.json, expected);

    let accept = json!({"token": token, "name": "Charles Babbage", "password": PASSWORD, "token_delivery": "body"});
    let accepted = nobody.post("/v1/invitations/accept", accept).await.expect(201);
    assert_eq!(accepted.id_at("/organization_id"), organization);
    let charles = nobody.bearing(accepted.text_at("/access_token"));
    charles.delete("/v1/session").await.expect(204);
    charles.get("/v1/me").await.expect(401).problem("session_ended");
    let charles = sign_in(nobody, "charles@example.com").await;
    sees_what_a_member_may_see(&charles, &ada, &path).await;
    server.stop().await;
}

async fn sees_what_a_member_may_see(member: &Actor, owner: &Actor, path: &str) {
    let (me, owners) = (member.get("/v1/me").await.expect(200), owner.get("/v1/me").await.expect(200));
    assert_eq!(me.text_at("/role"), "member");
    assert_eq!(me.json["organizations"].as_array().unwrap().len(), 1);
    let operations = |answer: &crate::harness::Answer| {
        let list = answer.json["operations"].as_array().unwrap();
        list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mine = operations(&me);
    assert!(
        ["organizations_get", "members_get", "members_remove"].iter().all(|name| mine.iter().any(|own| own == name))
    );
    assert!(!mine.iter().any(|name| ["members_list", "audit_list", "accounts_list"].contains(&name.as_str())));
    assert!(operations(&owners).iter().any(|name| name == "organizations_delete"));

    member.get(path).await.expect(200);
    let (own, others) = (me.text_at("/member_id"), owners.text_at("/member_id"));
    member.get(&format!("{path}/members/{own}")).await.expect(200);
    for refused in ["members", &format!("members/{others}"), "invitations", "audit"] {
        member.get(&format!("{path}/{refused}")).await.expect(403).problem("forbidden");
    }
    member.get("/v1/accounts").await.expect(403).problem("forbidden");
    member.get("/v1/organizations").await.expect(403).problem("forbidden");
    member.patch(path, json!({"name": "Mine"})).await.expect(403).problem("forbidden");
    let invite = json!({"email": "friend@example.com", "role": "member"});
    member.post(&format!("{path}/invitations"), invite).await.expect(403).problem("forbidden");
    member.delete(&format!("{path}/members/{others}")).await.expect(403).problem("forbidden");
}
