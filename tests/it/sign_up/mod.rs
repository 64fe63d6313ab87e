//! Stories of people who come by themselves: who may, what a letter leads to, and what it does not.

mod attacks;
mod queue;
mod same;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD},
    world::{Tenant, World},
};

const SIGN_UPS: &str = "/v1/sign-ups";
const LOOKUP: &str = "/v1/sign-ups/lookup";
const VERIFY: &str = "/v1/sign-ups/verify";

/// A world behind a proxy that the tests are, so that a call comes from where they say.
async fn world() -> World {
    World::configured(&[("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1/32")]).await
}

async fn platform(world: &World, rules: Value) {
    world.platform.patch("/v1/settings", json!({"sign_up": rules})).await.expect(200);
}

async fn tenant(tenant: &Tenant, rules: Value) {
    let path = format!("/v1/organizations/{}/settings", tenant.id);
    tenant.owner.patch(&path, json!({"sign_up": rules})).await.expect(200);
}

async fn slug(tenant: &Tenant) -> String {
    tenant.owner.get(&format!("/v1/organizations/{}", tenant.id)).await.expect(200).text_at("/slug").to_owned()
}

fn body(email: &str, slug: Option<&str>) -> Value {
    let mut body = json!({"email": email});
    slug.into_iter().for_each(|slug| body["organization"] = json!(slug));
    body
}

/// Signs up from an address of the caller's own.
async fn sign_up(world: &World, email: &str, slug: Option<&str>) -> Answer {
    let client = format!("198.51.100.{}", email.bytes().fold(1_u8, u8::wrapping_add));
    from(world, &client, email, slug).await
}

async fn from(world: &World, client: &str, email: &str, slug: Option<&str>) -> Answer {
    let draft = world.server.nobody().request(Method::POST, SIGN_UPS).header("x-forwarded-for", client);
    draft.json(&body(email, slug)).send().await
}

fn person(token: &str) -> Value {
    json!({"token": token, "name": "Grace Hopper", "password": PASSWORD, "token_delivery": "body"})
}

async fn sign_in(nobody: &Actor, email: &str) -> Answer {
    nobody.post("/v1/sessions", json!({"email": email, "password": PASSWORD, "token_delivery": "body"})).await
}

/// What somebody is in the organisation that their session is in.
async fn role(nobody: &Actor, signed_in: &Answer) -> (Value, Value) {
    let me = nobody.bearing(signed_in.text_at("/access_token")).get("/v1/me").await.expect(200);
    (me.json["organization"]["id"].clone(), me.json["role"].clone())
}

async fn accounts(world: &World) -> i64 {
    world.database.psql(Login::Owner).await.number("SELECT count(*) FROM accounts").await
}

/// Proves AUT-3.
#[tokio::test]
async fn where_the_platform_is_open_a_letter_leads_to_an_account() {
    let world = world().await;
    let (nobody, mail) = (world.server.nobody(), world.database.mail());
    let (email, before) = ("grace@example.com", accounts(&world).await);
    // As it comes out of the box, people are invited.
    sign_up(&world, email, None).await.expect(403).problem("sign_up_by_invitation");
    assert_eq!(nobody.get("/v1/sign-ups/options").await.expect(200).json, json!({"mode": "invitation_only"}));
    platform(&world, json!({"mode": "open"})).await;
    assert_eq!(nobody.get("/v1/sign-ups/options").await.expect(200).json, json!({"mode": "open"}));

    assert_eq!(sign_up(&world, "Grace@EXAMPLE.com", None).await.expect(202).text, "");
    let letter = mail.take(email).await;
    assert_eq!(letter.subject, "Confirm your e-mail address");
    let token = letter.token();
    assert_eq!(accounts(&world).await, before, "an address is nobody's until somebody proves it");
    let preview = nobody.post(LOOKUP, json!({"token": token})).await.expect(200);
    assert_eq!(
        (&preview.json["email"], &preview.json["account_exists"], &preview.json["approval_required"]),
        (&json!(email), &json!(false), &json!(false))
    );
    // A password that is not good enough costs nothing.
    let mut weak = person(&token);
    weak["password"] = json!("grace");
    assert!(nobody.post(VERIFY, weak).await.expect(422).faults().contains(&"/password"));
    nobody.post(VERIFY, json!({"token": token, "password": PASSWORD, "token_delivery": "body"})).await.expect(422);
    let entered = nobody.post(VERIFY, person(&token)).await.expect(201);
    assert_eq!(entered.text_at("/account/email"), email);
    assert!(entered.json["account"]["email_verified_at"].is_string(), "{entered}");
    assert_eq!(role(nobody, &entered).await, (Value::Null, Value::Null));
    nobody.post(VERIFY, person(&token)).await.expect(404).problem("sign_up_not_valid");
    nobody.post(LOOKUP, json!({"token": token})).await.expect(404).problem("sign_up_not_valid");
    sign_in(nobody, email).await.expect(201);

    // Whoever has an account is told so, in a letter that makes none.
    sign_up(&world, email, None).await.expect(202);
    let letter = mail.take(email).await;
    assert_eq!(letter.subject, "You have an account already");
    assert!(!letter.text.contains("#token="), "{}", letter.text);
    assert_eq!(accounts(&world).await, before + 1);

    // A letter waits a day.
    sign_up(&world, "late@example.com", None).await.expect(202);
    let token = mail.take_token("late@example.com").await;
    world.server.advance(TimeDelta::hours(25));
    nobody.post(VERIFY, person(&token)).await.expect(404).problem("sign_up_not_valid");
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn people_join_an_organisation_that_says_so_as_plain_members() {
    let world = world().await;
    let (nobody, mail) = (world.server.nobody(), world.database.mail());
    let slug = slug(&world.a).await;
    platform(&world, json!({"mode": "open"})).await;
    // What the platform opens, each organisation opens for itself; one that has not is like one that is not there.
    let options = async |slug: &str| nobody.get(&format!("/v1/sign-ups/options?organization={slug}")).await.expect(200);
    assert_eq!(options(&slug).await.json, options("no-such-place").await.json);
    for closed in [slug.as_str(), "no-such-place", "platform"] {
        sign_up(&world, "x@example.com", Some(closed)).await.expect(403).problem("sign_up_by_invitation");
    }
    tenant(&world.a, json!({"mode": "open"})).await;
    let open = options(&slug).await;
    assert_eq!(open.json["mode"], "open");
    sign_up(&world, "grace@example.com", Some(&slug)).await.expect(202);
    let token = mail.take_token("grace@example.com").await;
    let preview = nobody.post(LOOKUP, json!({"token": token})).await.expect(200);
    assert_eq!(preview.json["organization_name"], open.json["organization_name"]);
    let entered = nobody.post(VERIFY, person(&token)).await.expect(201);
    assert_eq!(role(nobody, &entered).await, (json!(world.a.id), json!("member")));

    // Somebody with an account joins with its password, and with nothing else.
    sign_up(&world, &world.b.member.email, Some(&slug)).await.expect(202);
    let token = mail.take_token(&world.b.member.email).await;
    let preview = nobody.post(LOOKUP, json!({"token": token})).await.expect(200);
    assert_eq!(preview.json["account_exists"], true);
    let join = |password: &str| json!({"token": token, "password": password, "token_delivery": "body"});
    nobody.post(VERIFY, join("Wrong-horse-7-battery")).await.expect(401).problem("invalid_credentials");
    let entered = nobody.post(VERIFY, join(PASSWORD)).await.expect(201);
    assert_eq!(entered.id_at("/account/id"), world.b.member.account);
    assert_eq!(role(nobody, &entered).await, (json!(world.a.id), json!("member")));

    // Closed again by the platform, the organisation is closed, and the letters on their way lead nowhere.
    sign_up(&world, "late@example.com", Some(&slug)).await.expect(202);
    let token = mail.take_token("late@example.com").await;
    platform(&world, json!({"mode": "invitation_only"})).await;
    sign_up(&world, "later@example.com", Some(&slug)).await.expect(403).problem("sign_up_by_invitation");
    nobody.post(LOOKUP, json!({"token": token})).await.expect(404).problem("sign_up_not_valid");
    nobody.post(VERIFY, person(&token)).await.expect(404).problem("sign_up_not_valid");
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn only_addresses_of_the_domains_may_where_there_are_some() {
    let world = world().await;
    let (mail, slug) = (world.database.mail(), slug(&world.a).await);
    platform(&world, json!({"mode": "domain_restricted", "domains": ["example.com", "b\u{fc}cher.example"]})).await;
    for (at, status) in [
        ("ada@example.com", 202),
        ("ada+list@example.com", 202),
        ("eva@xn--bcher-kva.example", 202),
        ("ada@evil.example.com", 409),
        ("ada@example.com.evil.com", 409),
        ("ada@notexample.com", 409),
        ("ada@example.com.", 422),
        ("ada@ex\u{430}mple.com", 409),
    ] {
        let answer = sign_up(&world, at, None).await.expect(status);
        if status == 409 {
            answer.problem("domain_not_allowed");
        }
    }
    // Plus addressing is a mailbox, and an account, of its own.
    let token = mail.take_token("ada+list@example.com").await;
    let entered = world.server.nobody().post(VERIFY, person(&token)).await.expect(201);
    assert_eq!(entered.text_at("/account/email"), "ada+list@example.com");
    // An organisation narrows what the platform allows, and can't widen it.
    let path = format!("/v1/organizations/{}/settings", world.a.id);
    let lax = world.a.owner.patch(&path, json!({"sign_up": {"mode": "open"}})).await.expect(422);
    assert_eq!(lax.faults(), ["/sign_up/mode"]);
    tenant(&world.a, json!({"mode": "domain_restricted", "domains": ["example.com"]})).await;
    sign_up(&world, "b@xn--bcher-kva.example", Some(&slug)).await.expect(409).problem("domain_not_allowed");
    sign_up(&world, "b@example.com", Some(&slug)).await.expect(202);
    world.close().await;
}

/// Proves AUT-3, NET-4.
#[tokio::test]
async fn ten_an_hour_from_one_client_and_three_to_one_address() {
    let world = world().await;
    platform(&world, json!({"mode": "open"})).await;
    let known = world.a.member.email.as_str();
    // Over the limit there is no difference either between addresses with and without an account.
    for (network, email) in [("203.0.113", known), ("203.0.114", "new@example.com")] {
        for number in 0..3 {
            from(&world, &format!("{network}.{number}"), email, None).await.expect(202);
        }
        let fourth = from(&world, &format!("{network}.9"), email, None).await.expect(429).problem("too_many_requests");
        assert!((3500..=3600).contains(&fourth.header("retry-after").parse::<u32>().unwrap()), "{fourth}");
    }
    for number in 0..10 {
        from(&world, "2001:db8:0:7::1", &format!("n{number}@example.com"), None).await.expect(202);
    }
    // Another address of the same network is the same client.
    from(&world, "2001:db8:0:7:aaaa::2", "n10@example.com", None).await.expect(429);
    from(&world, "2001:db8:0:8::1", "n10@example.com", None).await.expect(202);
    // The count is the database's: another instance has it too.
    let other =
        crate::harness::Server::configured(&world.database, &[("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let again = other.nobody().request(Method::POST, SIGN_UPS).header("x-forwarded-for", "2001:db8:0:7::3");
    again.json(&body("n11@example.com", None)).send().await.expect(429);
    other.stop().await;
    world.server.advance(TimeDelta::minutes(61));
    from(&world, "2001:db8:0:7::1", "n12@example.com", None).await.expect(202);
    world.close().await;
}

/// Proves AUT-10.
#[tokio::test]
async fn nobody_switches_off_the_last_way_in_and_a_way_that_is_off_leads_nowhere() {
    let world = World::open().await;
    let (a, none) = (&world.a, json!({"sign_in": {"ways": []}}));
    let path = format!("/v1/organizations/{}/settings", a.id);
    for (by, path) in [(&world.platform, "/v1/settings"), (&a.owner, path.as_str())] {
        let last = by.patch(path, none.clone()).await.expect(422);
        assert_eq!((last.faults(), &last.json["errors"][0]["code"]), (vec!["/sign_in/ways"], &json!("none_left")));
        by.patch(path, json!({"sign_in": {"ways": ["magic"]}})).await.expect(422);
        by.patch(path, json!({"sign_in": {"ways": ["password"]}})).await.expect(200);
    }
    let stands = a.owner.get(&path).await.expect(200).json["sections"]["sign_in"]["ways"].clone();
    assert_eq!(
        (&stands["value"], &stands["effective"], &stands["options"], &stands["source"]),
        (&json!(["password"]), &json!(["password"]), &json!(["password"]), &json!("organization"))
    );
    // A session of another way than those that are on: it has no place in the organisation, and gets none.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!("UPDATE sessions SET factors = 'hwk' WHERE id = '{}'", a.member.session)).await.unwrap();
    psql.run(&format!("UPDATE accounts SET version = version + 1 WHERE id = '{}'", a.member.account)).await.unwrap();
    let fresh = crate::harness::Server::start(&world.database).await;
    let member = a.member.at_server_of(fresh.nobody());
    member.get(&format!("/v1/organizations/{}", a.id)).await.expect(403).problem("sign_in_again");
    assert_eq!(member.get("/v1/me").await.expect(200).json["organization"], Value::Null);
    let into = json!({"organization_id": a.id});
    member.post("/v1/session/organization", into.clone()).await.expect(403).problem("way_not_allowed");
    psql.run(&format!("UPDATE sessions SET factors = 'pwd' WHERE id = '{}'", a.member.session)).await.unwrap();
    member.post("/v1/session/organization", into).await.expect(200);
    fresh.stop().await;
    world.close().await;
}

/// Who waits in a tenant's queue, as its administrator sees it.
async fn waiting(tenant: &Tenant) -> Vec<Value> {
    let path = format!("/v1/organizations/{}/sign-up-requests?status=pending", tenant.id);
    tenant.admin.get(&path).await.expect(200).items().to_vec()
}

fn request(organization: Uuid, id: &Value, act: &str) -> String {
    format!("/v1/organizations/{organization}/sign-up-requests/{}{act}", id.as_str().unwrap())
}
