//! Keys: shown once, kept as a hash, bound to time and place, and noted when they are used.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::{path, service, service_with};
use crate::{
    harness::{Login, PATIENCE, eventually},
    world::World,
};

/// Proves SES-6.
#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let world = World::open().await;
    let planner = service(&world.a, "Reporter", "manager").await;
    assert!(planner.key.starts_with("fhk_") && planner.key.len() == 76, "{}", planner.key);
    planner.actor.get(&path(&world.a, "members")).await.expect(200);
    let listed = world.a.admin.get(&format!("{}/keys", planner.path)).await.expect(200);
    assert_eq!(listed.items()[0]["prefix"], planner.key[..12]);
    assert_eq!(listed.items()[0]["name"], "First");
    let one = world.a.admin.get(&planner.path).await.expect(200);
    for answer in [&listed, &one] {
        assert!(!answer.text.contains(&planner.key[12..]), "{answer}");
    }
    world.server.flush_refusals().await;
    let dump = world.database.dump().await;
    assert!(dump.contains(&planner.key[..12]) && !dump.contains(&planner.key[12..]), "the key is in the database");
    let hash = "SELECT encode(key_hash, 'hex') FROM api_keys WHERE id = ";
    let mut psql = world.database.psql(Login::Owner).await;
    let kept = psql.text(&format!("{hash}'{}'", planner.key_id)).await;
    assert_eq!(kept, psql.text(&format!("SELECT encode(sha256('{}'), 'hex')", planner.key)).await);
    drop(psql);
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn a_mistyped_key_is_told_from_a_wrong_one_without_asking_the_database() {
    let world = World::open().await;
    let planner = service(&world.a, "Reporter", "manager").await;
    let members = path(&world.a, "members");
    let foreign = service(&world.b, "Reporter", "manager").await;
    // Of another organisation that has the same form: right, and not from here.
    foreign.actor.get(&members).await.expect(404).problem("not_found");
    // Nothing can be looked up any more.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("ALTER TABLE api_keys RENAME TO put_away").await.unwrap();
    let swapped = format!("{}{}{}", &planner.key[..20], "xyz", &planner.key[23..]);
    for wrong in [&planner.key[..60], &planner.key[..75], &swapped, "fhk_", &format!("{}0", planner.key)] {
        let actor = world.server.bearer(wrong);
        actor.get(&members).await.expect(401).problem("api_key_mistyped");
    }
    psql.run("ALTER TABLE put_away RENAME TO api_keys").await.unwrap();
    // A whole key of an organisation that is there, which nobody has.
    psql.run(&format!("DELETE FROM api_keys WHERE id = '{}'", planner.key_id)).await.unwrap();
    let gone = async || (planner.actor.get(&members).await.status == 401).then_some(());
    eventually("the key is gone", Duration::from_secs(2), gone).await;
    planner.actor.get(&members).await.expect(401).problem("api_key_not_valid");
    world.server.flush_refusals().await;
    let unknown = "SELECT count(*) FROM audit_entries WHERE event = 'api_key.refused' AND outcome = 'failed'
                   AND metadata->>'reason' = 'unknown' AND organization_id = platform_organization()";
    assert!(psql.number(unknown).await >= 1);
    drop(psql);
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn a_key_works_until_its_time_and_not_after() {
    let world = World::open().await;
    let end = (world.server.app().clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let planner = service_with(&world.a, "Reporter", "member", json!({"name": "Short", "expires_at": end})).await;
    let own = &format!("/v1/organizations/{}", world.a.id);
    let past = json!({"name": "Late", "expires_at": "2020-01-01T00:00:00Z"});
    let answer = world.a.owner.post(&format!("{}/keys", planner.path), past).await.expect(422);
    assert_eq!(answer.faults(), ["/expires_at"]);
    planner.actor.get(own).await.expect(200);
    world.server.advance(TimeDelta::minutes(59));
    planner.actor.get(own).await.expect(200);
    world.server.advance(TimeDelta::minutes(2));
    planner.actor.get(own).await.expect(401).problem("api_key_not_valid");
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn a_key_works_only_from_the_networks_that_it_is_bound_to() {
    let world = World::configured(&[("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let networks = json!(["192.0.2.0/24", "2001:DB8::/32", "::ffff:198.51.100.7"]);
    let bound = json!({"name": "Bound", "allowed_networks": networks});
    let planner = service_with(&world.a, "Reporter", "member", bound).await;
    let own = format!("/v1/organizations/{}", world.a.id);
    let keys = world.a.owner.get(&format!("{}/keys", planner.path)).await.expect(200);
    let kept = json!(["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]);
    assert_eq!(keys.items()[0]["allowed_networks"], kept);
    let from = async |address: &str| {
        let request = planner.actor.request(reqwest::Method::GET, &own).header("x-forwarded-for", address);
        request.send().await
    };
    for inside in ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.9", "2001:db8:1::7", "198.51.100.7"] {
        from(inside).await.expect(200);
    }
    for outside in ["192.0.3.1", "::ffff:192.0.3.1", "2001:db9::1", "198.51.100.8", "127.0.0.1"] {
        from(outside).await.expect(401).problem("api_key_not_valid");
    }
    planner.actor.get(&own).await.expect(401).problem("api_key_not_valid");
    world.server.flush_refusals().await;
    let record = world.a.owner.get(&path(&world.a, "audit?event=api_key.refused")).await.expect(200);
    assert_eq!(record.items()[0]["metadata"]["reason"], "address_not_allowed");
    assert_eq!(record.items()[0]["target"]["id"], planner.key_id.to_string());
    for wrong in ["192.0.2.0/33", "example.com", "1.2.3"] {
        let body = json!({"name": "Wrong", "allowed_networks": ["10.0.0.0/8", wrong]});
        let answer = world.a.owner.post(&format!("{}/keys", planner.path), body).await.expect(422);
        assert_eq!(answer.faults(), ["/allowed_networks/1"], "{wrong}");
    }
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn a_key_counts_in_the_authorization_header_and_nowhere_else() {
    let world = World::open().await;
    let planner = service(&world.a, "Reporter", "owner").await;
    let members = path(&world.a, "members");
    planner.actor.get(&members).await.expect(200);
    let nobody = world.server.nobody();
    let get = |path: &str| nobody.request(reqwest::Method::GET, path);
    for name in ["freehold_access", "__Host-freehold_access"] {
        let cookie = format!("{name}={}", planner.key);
        get(&members).header("cookie", &cookie).send().await.expect(401);
    }
    for name in ["access_token", "api_key", "key"] {
        get(&format!("{members}?{name}={}", planner.key)).send().await.expect(401);
    }
    get(&members).header("x-api-key", &planner.key).send().await.expect(401);
    let basic = super::oauth::basic("any", &planner.key);
    get(&members).header("authorization", &basic).send().await.expect(401).problem("unauthenticated");
    // What is public is open to all, whatever they bring.
    planner.actor.get("/health").await.expect(200);
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn when_and_from_where_a_key_was_used_last_is_shown_to_the_minute() {
    let world = World::open().await;
    let planner = service(&world.a, "Reporter", "member").await;
    let own = format!("/v1/organizations/{}", world.a.id);
    let keys = format!("{}/keys", planner.path);
    let before = world.a.owner.get(&keys).await.expect(200);
    assert!(before.items()[0].get("last_used_at").is_none(), "{before}");
    let used = async |than: Option<String>| {
        planner.actor.get(&own).await.expect(200);
        eventually("the use is written", PATIENCE, async || {
            let listed = world.a.owner.get(&keys).await.expect(200);
            let at = listed.items()[0]["last_used_at"].as_str().map(str::to_owned);
            at.filter(|at| Some(at) != than.as_ref()).map(|at| (at, listed))
        })
        .await
    };
    let (first, listed) = used(None).await;
    assert_eq!(listed.items()[0]["last_used_ip"], "127.0.0.1");
    let account = world.a.owner.get(&planner.path).await.expect(200);
    assert_eq!(account.text_at("/last_used_at"), first);
    // Another use a moment later is not written.
    planner.actor.get(&own).await.expect(200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let again = world.a.owner.get(&keys).await.expect(200);
    assert_eq!(again.items()[0]["last_used_at"], *first);
    world.server.advance(TimeDelta::seconds(61));
    used(Some(first)).await;
    // From where is sealed, as with sessions.
    let sealed =
        "SELECT position('127.0.0.1'::bytea IN last_used_address) FROM api_keys WHERE last_used_at IS NOT NULL";
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number(sealed).await, 0);
    drop(psql);
    world.close().await;
}
