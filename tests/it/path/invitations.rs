//! Invitations: a link works once, for seven days, for the person it was sent to.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{recorded, sign_in, switch};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD},
    world::{Tenant, World},
};

const LOOKUP: &str = "/v1/invitations/lookup";
const ACCEPT: &str = "/v1/invitations/accept";
const JOIN: &str = "/v1/me/invitations";

fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/invitations{rest}", tenant.id)
}

fn new_account(token: &str) -> Value {
    json!({"token": token, "name": "New", "password": PASSWORD, "token_delivery": "body"})
}

async fn invite(world: &World, email: &str) -> (String, String) {
    let body = json!({"email": email, "role": "member"});
    let made = world.a.owner.post(&path(&world.a, ""), body).await.expect(201);
    (made.text_at("/id").to_owned(), world.database.mail().take_token(email).await)
}

async fn is_not_valid(nobody: &Actor, token: &str) {
    nobody.post(LOOKUP, json!({"token": token})).await.expect(404).problem("invitation_not_valid");
    nobody.post(ACCEPT, new_account(token)).await.expect(404).problem("invitation_not_valid");
}

/// The statuses of the invitations to an address, newest first, as the API lists them.
async fn statuses(owner: &Actor, tenant: &Tenant, email: &str) -> Vec<String> {
    let list = owner.get(&path(tenant, "?limit=200")).await.expect(200);
    let theirs = list.items().iter().filter(|item| item["email"] == email);
    theirs.map(|item| item["status"].as_str().unwrap().to_owned()).collect()
}

/// Proves AUT-4.
#[tokio::test]
async fn an_existing_account_accepts_with_its_password() {
    let world = World::open().await;
    let (nobody, guest) = (world.server.nobody(), &world.a.guest);
    let preview = nobody.post(LOOKUP, json!({"token": world.a.guest_token})).await.expect(200);
    assert_eq!(preview.json["account_exists"], true);

    let failed = recorded(&world.database, "session.failed", "failed").await;
    let mut accept =
        json!({"token": world.a.guest_token, "password": "Wrong-horse-7-battery", "token_delivery": "body"});
    nobody.post(ACCEPT, accept.clone()).await.expect(401).problem("invalid_credentials");
    assert_eq!(recorded(&world.database, "session.failed", "failed").await, failed + 1);

    accept["password"] = json!(PASSWORD);
    let answer = nobody.post(ACCEPT, accept).await.expect(201);
    assert_eq!((answer.id_at("/account/id"), answer.id_at("/organization_id")), (guest.account, world.a.id));
    let me = nobody.bearing(answer.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!(me.text_at("/role"), "member");
    is_not_valid(nobody, &world.a.guest_token).await;
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn whoever_is_signed_in_joins_with_one_click_if_it_is_their_invitation() {
    let world = World::open().await;
    let (guest, stranger) = (&world.a.guest, &world.b.member);
    let body = json!({"token": world.a.guest_token});
    world.server.nobody().post(JOIN, body.clone()).await.expect(401);
    stranger.post(JOIN, body.clone()).await.expect(409).problem("invitation_account_mismatch");
    guest.get(&format!("/v1/organizations/{}", world.a.id)).await.expect(404);

    let joined = guest.post(JOIN, body.clone()).await.expect(200);
    assert_eq!((joined.id_at("/account_id"), joined.text_at("/role")), (guest.account, "member"));
    guest.post(JOIN, body).await.expect(404).problem("invitation_not_valid");
    switch(guest, world.a.id).await;
    guest.get(&format!("/v1/organizations/{}", world.a.id)).await.expect(200);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn a_link_works_once_also_for_many_at_the_same_moment() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (_, token) = invite(&world, "once@example.com").await;
    for (token, email) in [(token, "once@example.com"), (world.a.guest_token.clone(), world.a.guest.email.as_str())] {
        let tries = (0..6).map(|_| nobody.post(ACCEPT, new_account(&token)));
        let answers: Vec<Answer> = futures_util::future::join_all(tries).await;
        let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(accepted.len(), 1, "{email}: {accepted:?}");
        for answer in refused {
            // An account's password is tried a few times at once at most, right or wrong.
            match answer.status {
                429 if email == world.a.guest.email => answer.problem("too_many_requests"),
                _ => answer.expect(404).problem("invitation_not_valid"),
            };
        }
        let account = world.platform.get(&format!("/v1/accounts?email={email}")).await.expect(200).id_at("/items/0/id");
        let mut psql = world.database.psql(Login::Owner).await;
        let count = format!("SELECT count(*) FROM memberships WHERE account_id = '{account}'");
        assert_eq!(psql.number(&count).await, 1);
        is_not_valid(nobody, &token).await;
    }
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn sending_again_or_revoking_ends_the_old_link() {
    let world = World::open().await;
    let (nobody, owner) = (world.server.nobody(), &world.a.owner);
    let (id, first) = invite(&world, "again@example.com").await;
    let sent = owner.post_nothing(&path(&world.a, &format!("/{id}/resend"))).await.expect(200);
    assert_eq!((sent.text_at("/status"), &sent.json["resend_count"]), ("pending", &json!(1)));
    let second = world.database.mail().take_token("again@example.com").await;
    is_not_valid(nobody, &first).await;
    nobody.post(LOOKUP, json!({"token": second})).await.expect(200);

    owner.delete(&path(&world.a, &format!("/{id}"))).await.expect(204);
    is_not_valid(nobody, &second).await;
    owner.delete(&path(&world.a, &format!("/{id}"))).await.expect(404);
    owner.post_nothing(&path(&world.a, &format!("/{id}/resend"))).await.expect(404);

    let (_, third) = invite(&world, "again@example.com").await;
    nobody.post(ACCEPT, new_account(&third)).await.expect(201);
    assert_eq!(statuses(owner, &world.a, "again@example.com").await, ["accepted", "revoked"]);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn a_link_works_for_seven_days_and_the_person_can_be_invited_anew() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (id, token) = invite(&world, "late@example.com").await;
    world.server.advance(TimeDelta::days(7) - TimeDelta::minutes(2));
    nobody.post(LOOKUP, json!({"token": token})).await.expect(200);
    world.server.advance(TimeDelta::minutes(2));
    is_not_valid(nobody, &token).await;

    // Their access tokens have expired too.
    let owner = sign_in(nobody, &world.a.owner.email).await;
    let expired = owner.get(&path(&world.a, "?status=expired")).await.expect(200);
    assert!(expired.items().iter().any(|item| item["id"] == id.as_str()), "{expired}");
    let invite = json!({"email": "late@example.com", "role": "manager"});
    let anew = owner.post(&path(&world.a, ""), invite.clone()).await.expect(201);
    assert_eq!(statuses(&owner, &world.a, "late@example.com").await, ["pending", "expired"]);
    owner.post(&path(&world.a, ""), invite).await.expect(409).problem("already_invited");
    is_not_valid(nobody, &token).await;
    let token = world.database.mail().take_token("late@example.com").await;

    // Or sent again, once it has expired.
    world.server.advance(TimeDelta::days(8));
    is_not_valid(nobody, &token).await;
    let owner = sign_in(nobody, &world.a.owner.email).await;
    owner.post_nothing(&path(&world.a, &format!("/{}/resend", anew.text_at("/id")))).await.expect(200);
    let token = world.database.mail().take_token("late@example.com").await;
    let accepted = nobody.post(ACCEPT, new_account(&token)).await.expect(201);
    let me = nobody.bearing(accepted.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!(me.text_at("/role"), "manager");
    world.close().await;
}

/// An expired invitation of the same person must not come back beside the new one.
#[tokio::test]
async fn a_person_has_one_open_invitation() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (first, _) = invite(&world, "one@example.com").await;
    world.server.advance(TimeDelta::days(8));
    let owner = sign_in(nobody, &world.a.owner.email).await;
    owner.post(&path(&world.a, ""), json!({"email": "one@example.com", "role": "member"})).await.expect(201);
    let answer = owner.post_nothing(&path(&world.a, &format!("/{first}/resend"))).await;
    answer.expect(409).problem("already_invited");
    assert_eq!(statuses(&owner, &world.a, "one@example.com").await, ["pending", "expired"]);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn many_are_invited_at_once_each_with_an_answer_of_their_own() {
    let world = World::open().await;
    let a = &world.a;
    let people = [
        ("new1@example.com", "member"),
        (&a.member.email, "member"),
        (&a.pending.email, "member"),
        ("boss@example.com", "owner"),
        ("odd@example.com", "wizard"),
        ("new2@example.com", "manager"),
        ("NEW1@example.com", "member"),
    ];
    let wanted: Vec<_> = people.iter().map(|(email, role)| json!({"email": email, "role": role})).collect();
    // What is no address at all breaks the contract, and nobody is invited.
    let broken = [wanted.as_slice(), &[json!({"email": "nobody", "role": "member"})]].concat();
    let answer = a.admin.post(&path(a, "/bulk"), json!({"invitations": broken})).await.expect(422);
    assert_eq!(answer.problem("invalid_request").faults(), ["/invitations/7/email"]);
    let answer = a.admin.post(&path(a, "/bulk"), json!({"invitations": wanted})).await.expect(200);
    let results = answer.json["results"].as_array().unwrap();
    let found: Vec<_> = results
        .iter()
        .map(|result| result["error"]["code"].as_str().or(result["invitation"]["status"].as_str()).unwrap())
        .collect();
    let expected = [
        "pending",
        "already_member",
        "already_invited",
        "role_above_own",
        "invalid_request",
        "pending",
        "already_invited",
    ];
    assert_eq!(found, expected, "{answer}");
    assert!(results.iter().zip(people).all(|(result, (email, _))| result["email"] == email), "{answer}");
    for (email, letters) in [("new1@example.com", 1), ("new2@example.com", 1)] {
        world.database.mail().take(email).await;
        assert_eq!(world.database.mail().count(email).await, letters);
    }
    assert_eq!(world.database.mail().count("boss@example.com").await, 0);
    world.close().await;
}

/// One mailbox in two spellings, and one password from two keyboards.
#[tokio::test]
async fn a_person_is_one_person_in_every_spelling() {
    let world = World::open().await;
    let owner = &world.a.owner;
    let (unicode, ascii) = ("Zoe@b\u{fc}cher.example", "zoe@xn--bcher-kva.example");
    let (composed, decomposed) = ("Caf\u{e9}-au-lait-7", "Cafe\u{301}-au-lait-7");
    let body = |email: &str| json!({"email": email, "role": "member"});
    let made = owner.post(&path(&world.a, ""), body(unicode)).await.expect(201);
    assert_eq!(made.text_at("/email"), ascii);
    owner.post(&path(&world.a, ""), body(ascii)).await.expect(409).problem("already_invited");
    let mut accept = new_account(&world.database.mail().take_token(ascii).await);
    accept["password"] = json!(decomposed);
    let joined = world.server.nobody().post(ACCEPT, accept).await.expect(201);
    for email in [unicode, ascii, "zoe@bu\u{308}cher.example", "ZOE@B\u{dc}CHER.EXAMPLE"] {
        for password in [composed, decomposed] {
            let credentials = json!({"email": email, "password": password, "token_delivery": "body"});
            let opened = world.server.nobody().post("/v1/sessions", credentials).await.expect(201);
            assert_eq!(opened.id_at("/account/id"), joined.id_at("/account/id"), "{email}");
        }
        owner.post(&path(&world.a, ""), body(email)).await.expect(409).problem("already_member");
        let found = reqwest::Url::parse_with_params("http://x/v1/accounts", [("email", email)]).unwrap();
        let found = world.platform.get(&format!("/v1/accounts?{}", found.query().unwrap())).await.expect(200);
        assert_eq!(found.items().len(), 1, "{email}");
    }
    world.close().await;
}
