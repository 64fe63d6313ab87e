//! How often one may call: what is counted, by what, and what an answer says of it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::Browser;
use crate::{
    harness::{Actor, Answer, Database, Login, PASSWORD, PUBLIC_URL, Server},
    world::World,
};

const BEHIND_A_PROXY: (&str, &str) = ("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1/32");
const READS: &str = "FREEHOLD_LIMITS_ANONYMOUS_READ_QUOTA";
const WRITES: &str = "FREEHOLD_LIMITS_ANONYMOUS_WRITE_QUOTA";
const ACCOUNT: &str = "FREEHOLD_LIMITS_ACCOUNT_QUOTA";

async fn from(actor: &Actor, address: &str, path: &str) -> Answer {
    actor.request(Method::GET, path).header("x-forwarded-for", address).send().await
}

/// What `RateLimit` says: the limit's name, how many are left, in how many seconds there are more.
#[track_caller]
fn standing(answer: &Answer) -> (String, u64, u64) {
    let said = answer.header("ratelimit");
    let parts: Vec<_> = said.split(';').collect();
    let [name, left, wait] = parts[..] else { panic!("not one limit: {said:?} in {answer}") };
    let number = |text: &str, key: &str| text.strip_prefix(key).and_then(|number| number.parse().ok());
    let numbers = number(left, "r=").zip(number(wait, "t="));
    let (left, wait) = numbers.unwrap_or_else(|| panic!("no numbers: {said:?}"));
    (name.trim_matches('"').to_owned(), left, wait)
}

#[track_caller]
fn stands(answer: &Answer, policy: &str, left: u64) {
    assert_eq!(answer.header("ratelimit-policy"), policy, "{answer}");
    let (name, said, wait) = standing(answer);
    assert!(policy.starts_with(&format!("\"{name}\";q=")), "{name} and {policy}");
    assert_eq!(said, left, "{answer}");
    let window: u64 = policy.rsplit_once("w=").unwrap().1.parse().unwrap();
    assert!((1..=window).contains(&wait), "{wait} s of {window}: {answer}");
}

/// A refusal: 429, with nothing left, and the same wait in both headers.
#[track_caller]
fn refused(answer: Answer, policy: &str) {
    let answer = answer.expect(429).problem("too_many_requests");
    stands(&answer, policy, 0);
    assert_eq!(answer.header("retry-after"), standing(&answer).2.to_string(), "{answer}");
}

/// Proves NET-4, NET-1.
#[tokio::test]
async fn strangers_are_counted_by_the_network_that_a_trusted_proxy_names() {
    let database = Database::new().await;
    let server = Server::configured(&database, &[BEHIND_A_PROXY, (READS, "3"), (WRITES, "2")]).await;
    let nobody = server.nobody();
    let reads = r#""anonymous-read";q=3;w=600"#;
    for left in [2, 1, 0] {
        stands(&from(nobody, "203.0.113.1", "/v1/setup").await.expect(200), reads, left);
    }
    refused(from(nobody, "203.0.113.1", "/v1/setup").await, reads);
    // What is left of the nearest untrusted address was written by whoever is limited.
    refused(from(nobody, "198.51.100.77, 203.0.113.1", "/v1/setup").await, reads);
    // Every other operation that counts towards the same, and none that does not.
    refused(from(nobody, "203.0.113.1", "/.well-known/jwks.json").await, reads);
    let write = async |address: &str| {
        let body = json!({"token": "fhi_none"});
        let draft = nobody.request(Method::POST, "/v1/invitations/lookup").header("x-forwarded-for", address);
        draft.json(&body).send().await
    };
    let writes = r#""anonymous-write";q=2;w=600"#;
    stands(&write("203.0.113.1").await.expect(404), writes, 1);
    // What is found wrong only later counts as well.
    stands(&from(nobody, "203.0.113.9", "/v1/setup?unknown=1").await.expect(422), reads, 2);
    // Others have their own; a /64 of IPv6 is one client.
    stands(&from(nobody, "203.0.113.2", "/v1/setup").await.expect(200), reads, 2);
    stands(&from(nobody, "2001:db8:0:7::1", "/v1/setup").await.expect(200), reads, 2);
    stands(&from(nobody, "[2001:db8:0:7:ffff::2]:4711", "/v1/setup").await.expect(200), reads, 1);
    stands(&from(nobody, "2001:db8:0:8::1", "/v1/setup").await.expect(200), reads, 2);
    server.advance(TimeDelta::seconds(601));
    stands(&from(nobody, "203.0.113.1", "/v1/setup").await.expect(200), reads, 2);
    server.stop().await;
}

/// Proves NET-4.
#[tokio::test]
async fn nobody_gets_a_new_share_by_inventing_where_they_come_from() {
    let world = World::configured(&[(READS, "3")]).await;
    let nobody = world.server.nobody();
    let list = world.platform.get("/v1/limits").await.expect(200).json;
    assert_eq!(list["proxy_trusted"], false);
    assert!(list.get("unknown_proxy").is_none(), "{list}");
    for number in 0..3 {
        let headers = [("x-forwarded-for", "203.0.113"), ("x-real-ip", "203.0.113"), ("x-client-ip", "203.0.113")];
        let draft = nobody.request(Method::GET, "/v1/setup");
        let draft = headers.iter().fold(draft, |draft, (name, net)| draft.header(name, &format!("{net}.{number}")));
        let draft = draft.header("forwarded", &format!("for=203.0.113.{number}"));
        stands(&draft.send().await.expect(200), r#""anonymous-read";q=3;w=600"#, 2 - number);
    }
    refused(from(nobody, "203.0.113.99", "/v1/setup").await, r#""anonymous-read";q=3;w=600"#);
    // It is told to whoever can do something about it.
    let list = world.platform.get("/v1/limits").await.expect(200).json;
    assert_eq!(list["unknown_proxy"]["requests"], 4, "{list}");
    assert!(list["unknown_proxy"]["last_at"].is_string());
    world.close().await;
}

/// Proves NET-4.
#[tokio::test]
async fn whoever_is_signed_in_is_counted_by_account_wherever_they_are() {
    let world = World::configured(&[BEHIND_A_PROXY, (ACCOUNT, "4"), (READS, "2")]).await;
    let policy = r#""account";q=4;w=60"#;
    let member = &world.a.member;
    let me = async |actor: &Actor, address: &str| from(actor, address, "/v1/me").await;
    stands(&me(member, "203.0.113.1").await.expect(200), policy, 3);
    stands(&me(member, "203.0.113.2").await.expect(200), policy, 2);
    // Another session of the same person, in a browser.
    let nobody = world.server.nobody();
    let browser = Browser::sign_in(nobody, PUBLIC_URL, &member.email).await;
    stands(&browser.request(Method::GET, "/v1/me").send().await.expect(200), policy, 1);
    // What is refused for another reason counts, and says so; reads and writes are one.
    let forged = browser.request(Method::PATCH, "/v1/me").json(&json!({"name": "Forged"}));
    stands(&forged.send().await.expect(403).problem("cross_site_request"), policy, 0);
    refused(me(member, "203.0.113.3").await, policy);
    let members = format!("/v1/organizations/{}/members", world.a.id);
    refused(member.get(&members).await, policy);
    refused(member.patch("/v1/me", json!({"name": "Too often"})).await, policy);
    // Others are not in the way of each other: from the same address, and in the same organisation.
    stands(&me(&world.a.subject, "203.0.113.1").await.expect(200), policy, 3);
    stands(&me(&world.b.member, "203.0.113.1").await.expect(200), policy, 3);
    // What is open to anybody is the address's, whoever calls.
    stands(&from(member, "203.0.113.1", "/v1/setup").await.expect(200), r#""anonymous-read";q=2;w=600"#, 1);
    world.server.advance(TimeDelta::seconds(61));
    stands(&me(member, "203.0.113.1").await.expect(200), policy, 3);

    // The record has the refusals, with their number, and who it was.
    world.server.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let of_member = format!(
        "SELECT sum((metadata->>'count')::int) FROM audit_entries WHERE event = 'access.refused' AND outcome = 'refused' \
         AND metadata->>'code' = 'too_many_requests' AND actor_id = '{}'",
        member.account
    );
    assert_eq!(psql.number(&of_member).await, 3);
    world.close().await;
}

/// Proves NET-4.
#[tokio::test]
async fn whoever_shows_no_good_token_is_a_stranger_and_nobody_else_suffers() {
    let world = World::configured(&[(READS, "3"), (WRITES, "1")]).await;
    let (reads, writes) = (r#""anonymous-read";q=3;w=600"#, r#""anonymous-write";q=1;w=600"#);
    let nobody = world.server.nobody();
    stands(&nobody.get("/v1/me").await.expect(401), reads, 2);
    stands(&nobody.bearing("nonsense").get("/v1/me").await.expect(401), reads, 1);
    let forged = format!("{}x", world.a.member.token());
    stands(&nobody.bearing(&forged).get("/v1/accounts").await.expect(401), reads, 0);
    refused(nobody.bearing(&forged).get("/v1/me").await, reads);
    stands(&nobody.post_nothing("/v1/jobs/clean_up/pause").await.expect(401), writes, 0);
    refused(nobody.post_nothing("/v1/jobs/clean_up/pause").await, writes);
    // From the same address, with a good one.
    world.a.member.get("/v1/me").await.expect(200);
    world.server.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let refused = "SELECT sum((metadata->>'count')::int) FROM audit_entries WHERE event = 'access.refused' \
                   AND metadata->>'code' = 'too_many_requests' AND actor_type = 'anonymous'";
    assert_eq!(psql.number(refused).await, 2);
    world.close().await;
}

/// A foreign page can make browsers call, and does not spend what their people sign in with.
///
/// Proves NET-4, NET-11.
#[tokio::test]
async fn a_foreign_page_spends_nobodys_writes() {
    let world = World::configured(&[(WRITES, "1")]).await;
    let body = json!({"email": world.a.member.email, "password": PASSWORD, "token_delivery": "cookie"});
    let sign_in = |origin: &'static str| {
        let draft = world.server.nobody().request(Method::POST, "/v1/sessions").json(&body);
        draft.header("origin", origin).send()
    };
    for _ in 0..3 {
        sign_in("https://evil.example").await.expect(403).problem("cross_site_request");
    }
    stands(&sign_in(PUBLIC_URL).await.expect(201), r#""anonymous-write";q=1;w=600"#, 0);
    refused(sign_in(PUBLIC_URL).await, r#""anonymous-write";q=1;w=600"#);
    world.close().await;
}

/// Proves NET-4.
#[tokio::test]
async fn a_session_is_carried_on_so_often_and_strangers_tokens_cost_its_owner_nothing() {
    let settings = [BEHIND_A_PROXY, ("FREEHOLD_LIMITS_TOKEN_REFRESH_QUOTA", "2"), (WRITES, "3")];
    let world = World::configured(&settings).await;
    let nobody = world.server.nobody();
    let refresh = async |address: &str, token: &str| {
        let draft = nobody.request(Method::POST, "/v1/sessions/refresh").header("x-forwarded-for", address);
        draft.json(&json!({"refresh_token": token})).send().await
    };
    let policy = r#""token-refresh";q=2;w=60"#;
    let mut token = world.a.member.refresh_token.clone();
    for (address, left) in [("203.0.113.1", 1), ("203.0.113.2", 0)] {
        let answer = refresh(address, &token).await.expect(200);
        stands(&answer, policy, left);
        token = answer.text_at("/refresh_token").to_owned();
    }
    refused(refresh("203.0.113.3", &token).await, policy);
    // Another session has its own.
    stands(&refresh("203.0.113.3", &world.a.owner.refresh_token).await.expect(200), policy, 1);
    // Made-up tokens are a stranger's writes, and stop at the door when there were too many.
    let writes = r#""anonymous-write";q=3;w=600"#;
    stands(&refresh("203.0.113.4", "fhr_made-up").await.expect(401), writes, 2);
    stands(&refresh("203.0.113.4", &"x".repeat(300)).await.expect(422), writes, 1);
    stands(&refresh("203.0.113.4", "fhr_made-up").await.expect(401), writes, 0);
    refused(refresh("203.0.113.4", "fhr_made-up").await, writes);
    // The token that was refused is not used up: that would end the session when it is presented again.
    world.server.advance(TimeDelta::seconds(61));
    stands(&refresh("203.0.113.5", &token).await.expect(200), policy, 1);
    world.close().await;
}

/// Proves NET-4, OPS-8.
#[tokio::test]
async fn probes_are_never_too_many() {
    let database = Database::new().await;
    let server = Server::configured(&database, &[(READS, "1")]).await;
    let nobody = server.nobody();
    nobody.get("/v1/setup").await.expect(200);
    nobody.get("/v1/setup").await.expect(429);
    for path in ["/health/live", "/health/ready", "/health"] {
        for _ in 0..3 {
            assert_eq!(nobody.get(path).await.expect(200).header("ratelimit"), "");
        }
    }
    server.stop().await;
}

/// Proves NET-4, AUT-5.
#[tokio::test]
async fn what_the_database_counts_is_told_too_and_follows_its_settings() {
    let settings = [
        BEHIND_A_PROXY,
        ("FREEHOLD_LIMITS_PASSWORD_RESET_QUOTA", "2"),
        ("FREEHOLD_LIMITS_PASSWORD_RESET_WINDOW", "30m"),
        ("FREEHOLD_LIMITS_SIGN_UP_QUOTA", "2"),
    ];
    let world = World::configured(&settings).await;
    let post = async |address: &str, path: &str, body: Value| {
        let draft = world.server.nobody().request(Method::POST, path).header("x-forwarded-for", address);
        draft.json(&body).send().await
    };
    let reset = async |address: &str, email: &str| post(address, "/v1/password-resets", json!({"email": email})).await;
    let policy = r#""password-reset";q=2;w=1800"#;
    let known = world.a.member.email.as_str();
    stands(&reset("203.0.113.1", known).await.expect(202), policy, 1);
    // How often others have asked about somebody is not told: it would say that there is somebody.
    stands(&reset("203.0.113.2", known).await.expect(202), policy, 1);
    stands(&reset("203.0.113.2", "unknown@example.com").await.expect(202), policy, 0);
    refused(reset("203.0.113.3", known).await, policy);
    refused(reset("203.0.113.2", "another@example.com").await, policy);
    stands(&reset("203.0.113.1", "nonsense").await.expect(422), r#""anonymous-write";q=1000000;w=600"#, 999_998);
    world.server.advance(TimeDelta::minutes(31));
    stands(&reset("203.0.113.2", known).await.expect(202), policy, 1);

    let open = json!({"sign_up": {"mode": "open"}});
    world.platform.patch("/v1/settings", open).await.expect(200);
    let sign_up = async |address: &str, email: &str| post(address, "/v1/sign-ups", json!({"email": email})).await;
    let policy = r#""sign-up";q=2;w=3600"#;
    stands(&sign_up("203.0.113.1", "one@example.com").await.expect(202), policy, 1);
    stands(&sign_up("203.0.113.1", "two@example.com").await.expect(202), policy, 0);
    refused(sign_up("203.0.113.1", "three@example.com").await, policy);
    stands(&sign_up("203.0.113.2", "three@example.com").await.expect(202), policy, 1);
    world.close().await;
}

/// Proves NET-4.
#[tokio::test]
async fn administrators_of_the_platform_see_each_limit_and_how_it_is_doing() {
    let world = World::configured(&[(READS, "2"), ("FREEHOLD_LIMITS_ANONYMOUS_READ_WINDOW", "90s")]).await;
    let nobody = world.server.nobody();
    let metrics = async || {
        let list = world.platform.get("/v1/limits").await.expect(200);
        let of = |item: &Value| (item["name"].as_str().unwrap().to_owned(), item.clone());
        list.items().iter().map(of).collect::<BTreeMap<_, _>>()
    };
    let before = metrics().await;
    let names: Vec<_> = before.keys().map(String::as_str).collect();
    let all =
        ["account", "anonymous-read", "anonymous-write", "password-reset", "service-key", "sign-up", "token-refresh"];
    assert_eq!(names, all);
    for _ in 0..5 {
        nobody.get("/v1/setup").await;
    }
    let after = metrics().await;
    let expected = json!({
        "name": "anonymous-read", "quota": 2, "window_seconds": 90, "key": "network", "shared": false,
        "admitted": 2, "refused": 3,
    });
    assert_eq!(after["anonymous-read"], expected);
    assert!(after["account"]["admitted"].as_u64() > before["account"]["admitted"].as_u64());
    let reset = &after["password-reset"];
    let said = [&reset["quota"], &reset["window_seconds"], &reset["key"], &reset["shared"]];
    assert_eq!(said, [&json!(5), &json!(3600), &json!("network_and_email"), &json!(true)]);
    assert_eq!(after["sign-up"]["quota"], 10);
    assert_eq!(after["service-key"]["quota"], 6000);
    world.close().await;
}

/// A burst of calls at the same moment is counted one by one.
///
/// Proves NET-4.
#[tokio::test]
async fn calls_at_the_same_moment_do_not_slip_past_each_other() {
    let world = World::configured(&[(ACCOUNT, "10")]).await;
    let member = &world.a.member;
    let answers = futures_util::future::join_all((0..40).map(|_| member.get("/v1/me"))).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((passed, refused), (10, 30));
    let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
    let again = world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    let renewed = world.server.bearer(again.text_at("/access_token"));
    renewed.get("/v1/me").await.expect(429);
    world.close().await;
}
