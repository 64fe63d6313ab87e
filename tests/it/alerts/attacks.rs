//! Those who would rather not be alerted of: by burying, by muting, by looking at somebody else's.

use chrono::TimeDelta;
use entity::Pii;
use freehold::{
    runtime::{Ids, Timestamp},
    vault::Field,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{alerts_of, entries, happen, inside, rule};
use crate::{
    harness::{Login, Psql},
    privacy::erase,
    world::World,
};

/// Writes failed sign-ins into an organisation's record, from an address.
async fn failed_from(world: &World, psql: &mut Psql, organization: Uuid, (address, account): (&str, Option<Uuid>)) {
    let vault = &world.server.app().vault;
    let id: Uuid = Ids.next();
    let field: Field<Pii> = Field::new("audit_personal.address");
    let sealed = vault.seal(field, id, address.as_bytes()).unwrap();
    let hex: String = sealed.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let account = account.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    for sql in [
        format!(
            "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
             VALUES ('{id}', '{organization}', now(), 'session.failed', 'medium', 'security', 'failed', 'anonymous', 'account', '{{\"count\": 60}}')"
        ),
        format!(
            "INSERT INTO audit_personal (id, organization_id, about_id, address)
             VALUES ('{id}', '{organization}', {account}, '\\x{hex}')"
        ),
    ] {
        psql.run(&sql).await.unwrap();
    }
}

/// Proves AUD-5, DAT-1.
#[tokio::test]
async fn an_address_is_sealed_is_one_for_all_its_attempts_and_goes_with_its_person() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    for address in ["203.0.113.9", "203.0.113.9", "2001:db8:7::1", "2001:db8:7::2"] {
        failed_from(&world, &mut psql, a.id, (address, Some(a.subject.account))).await;
    }
    assert_eq!(world.server.look_at_the_record().await, 2);
    let alerts = alerts_of(&a.admin, &a, "sign_in_storm").await;
    let mut shown: Vec<_> = alerts.iter().map(|alert| (alert["address"].as_str().unwrap(), &alert["count"])).collect();
    shown.sort_unstable_by_key(|(address, _)| *address);
    assert_eq!(shown, [("2001:db8:7::", &json!(120)), ("203.0.113.9", &json!(120))]);
    for table in ["alerts", "audit_entries"] {
        let rows = json!(psql.rows(&format!("SELECT * FROM {table}")).await).to_string();
        assert!(!rows.contains("203.0.113"), "an address lies in clear in {table}");
    }
    // The same address in another organisation has another name.
    failed_from(&world, &mut psql, world.b.id, ("203.0.113.9", None)).await;
    world.server.look_at_the_record().await;
    assert_eq!(psql.number("SELECT count(DISTINCT subject) FROM alerts WHERE rule = 'sign_in_storm'").await, 3);
    erase(&world, a.subject.account).await;
    let alerts = alerts_of(&a.admin, &a, "sign_in_storm").await;
    assert!(alerts.iter().all(|alert| alert.get("address").is_none()) && alerts.len() == 2, "{alerts:?}");
    assert_eq!(alerts_of(&world.b.admin, &world.b, "sign_in_storm").await[0]["address"], "203.0.113.9");
    world.close().await;
}

/// Proves AUD-5: somebody who floods the record does not bury an alert.
#[tokio::test]
async fn a_flood_from_everywhere_is_a_hundred_alerts_and_the_rest_is_one() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    for number in 0..130 {
        failed_from(&world, &mut psql, a.id, (&format!("198.51.100.{number}"), None)).await;
    }
    assert_eq!(world.server.look_at_the_record().await, 101);
    for number in 130..140 {
        failed_from(&world, &mut psql, a.id, (&format!("198.51.100.{number}"), None)).await;
    }
    assert_eq!(world.server.look_at_the_record().await, 0);
    let open = a.admin.get(&inside(&a, "alerts?rule=sign_in_storm&limit=200")).await.expect(200);
    let rest: Vec<&Value> = open.items().iter().filter(|alert| alert["by"] == "rest").collect();
    assert_eq!((open.items().len(), rest.len(), &rest[0]["count"]), (101, 1, &json!(40 * 60)));
    // What else happens is seen all the same.
    assert_eq!(happen(&world, &mut psql, &entries(a.id, "import.failed", None, 1)).await, 1);
    world.close().await;
}

/// Proves AUD-5: whoever takes an administrator's account over does not mute what would tell of it.
#[tokio::test]
async fn what_is_critical_or_about_alerts_nobody_mutes_and_whoever_tries_is_an_alert() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let mutes = inside(&a, "alert-mutes");
    let mute = |rule: &str, until: Timestamp| json!({"rule": rule, "until": until.to_rfc3339()});
    let now = world.server.app().clock.now();
    let (soon, late) = (now + TimeDelta::days(7), now + TimeDelta::days(31));
    for rule in ["everybodys_sessions_ended", "alert_mutes_refused", "alert_rules_muted", "alert_rules_deleted"] {
        a.owner.post(&mutes, mute(rule, soon)).await.expect(403).problem("critical_alert_stays");
    }
    for (body, pointer) in [
        (mute("lockouts", late), "/until"),
        (mute("lockouts", now - TimeDelta::minutes(1)), "/until"),
        (mute("nothing", soon), "/rule"),
        (mute(&world.b.alert_rule.to_string(), soon), "/rule"),
    ] {
        let answer = a.owner.post(&mutes, body.clone()).await.expect(422);
        assert_eq!(answer.json["errors"][0]["pointer"], pointer, "{body}");
    }
    world.server.look_at_the_record().await;
    let tried = alerts_of(&a.admin, &a, "alert_mutes_refused").await;
    assert_eq!((&tried[0]["severity"], &tried[0]["actor"]["id"]), (&json!("critical"), &json!(a.owner.account)));
    let one = inside(&a, &format!("alerts/{}/mute", tried[0]["id"].as_str().unwrap()));
    a.owner.post(&one, json!({"until": soon.to_rfc3339()})).await.expect(403).problem("critical_alert_stays");

    // What may be muted is raised all the same, told of to nobody, and its muting is itself an alert.
    a.admin.post(&mutes, mute("import_failures", soon)).await.expect(200);
    assert_eq!(happen(&world, &mut psql, &entries(a.id, "import.failed", None, 1)).await, 2);
    assert_eq!(alerts_of(&a.admin, &a, "alert_rules_muted").await.len(), 1);
    let muted = alerts_of(&a.admin, &a, "import_failures").await;
    assert!(muted[0]["muted_until"].is_string(), "{muted:?}");
    let counts = a.admin.get(&inside(&a, "alert-counts")).await.expect(200);
    assert_eq!(counts.json["muted"], 1);
    a.auditor.delete(&format!("{mutes}/import_failures")).await.expect(403);
    a.admin.delete(&format!("{mutes}/import_failures")).await.expect(204);
    for rule in ["import_failures", "%00", "a%0Ab", "%27%20OR%201=1"] {
        a.admin.delete(&format!("{mutes}/{rule}")).await.expect(404);
    }
    a.admin.get(&inside(&a, "alerts?rule=%00")).await.expect(422);
    assert!(alerts_of(&a.admin, &a, "import_failures").await[0].get("muted_until").is_none());
    world.close().await;
}

/// Proves AUD-5, AZ-9.
#[tokio::test]
async fn nobody_sees_or_touches_the_alerts_of_another_organisation() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let of_b = rule(&b.admin, b, "team.deleted", 1).await;
    for path in [inside(b, "alerts"), inside(b, "alert-counts"), inside(b, "alert-rules")] {
        a.owner.get(&path).await.expect(404);
    }
    // Under one's own organisation, somebody else's is not there.
    for path in [inside(a, &format!("alerts/{}", b.alert)), inside(a, &format!("alert-rules/{of_b}"))] {
        a.owner.get(&path).await.expect(404);
    }
    let note = json!({"note": "x"});
    a.owner.post(&inside(a, &format!("alerts/{}/acknowledge", b.alert)), note).await.expect(404);
    a.owner.delete(&inside(a, &format!("alert-rules/{of_b}"))).await.expect(404);
    let filtered = a.owner.get(&inside(a, &format!("alerts?rule={of_b}"))).await.expect(200);
    assert_eq!(filtered.items().len(), 0);
    // Members have none of it, and choose for themselves alone.
    a.member.get(&inside(a, "alerts")).await.expect(403);
    let wanted = json!({"digest": "hourly", "minimum_severity": "low", "critical_at_once": true});
    a.member.request(Method::PUT, "/v1/me/alert-preferences").json(&wanted).send().await.expect(200);
    assert_eq!(a.admin.get("/v1/me/alert-preferences").await.expect(200).json["digest"], "daily");
    world.close().await;
}
