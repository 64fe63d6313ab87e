//! Rules of an organisation's own, and the installation's file.

use reqwest::Method;
use serde_json::{Value, json};

use super::{alerts_of, entries, happen, inside, rule};
use crate::{
    harness::{Database, Login, Server, config, folder},
    world::World,
};

/// Proves AUD-5.
#[tokio::test]
async fn a_rule_of_ones_own_waits_for_an_event_or_a_severity_and_says_what_is_wrong_with_it() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let rules = inside(&a, "alert-rules");
    let good = json!({
        "name": "Grave things", "at_least": "critical", "count": 1, "window_minutes": 1440, "by": "actor", "severity": "critical",
    });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, pointer) in [
        // A century.
        (with("window_minutes", json!(52_560_000)), "/window_minutes"),
        (with("window_minutes", json!(0)), "/window_minutes"),
        (with("count", json!(0)), "/count"),
        (with("count", json!(100_001)), "/count"),
        (with("event", json!("team.created")), "/at_least"),
        (with("name", json!("a\u{202e}b")), "/name"),
        (with("by", json!("everybody")), "/by"),
        (json!({"name": "X", "count": 1, "window_minutes": 1, "by": "actor", "severity": "low"}), "/event"),
        (
            json!({"name": "X", "event": "team.eaten", "count": 1, "window_minutes": 1, "by": "actor", "severity": "low"}),
            "/event",
        ),
        (
            json!({"name": "X", "event": "alert.raised", "count": 1, "window_minutes": 1, "by": "actor", "severity": "low"}),
            "/event",
        ),
    ] {
        let answer = a.admin.post(&rules, body.clone()).await.expect(422).problem("invalid_request");
        assert_eq!(answer.json["errors"][0]["pointer"], pointer, "{body}: {answer}");
    }
    let made = a.admin.post(&rules, good.clone()).await.expect(201);
    let same = with("name", json!("grave THINGS"));
    a.admin.post(&rules, same).await.expect(409).problem("alert_rule_name_taken");
    let one = format!("{rules}/{}", made.id_at("/id"));
    // By the severity that the installation gives events; an alert raises no other.
    let grave = entries(a.id, "session.ended_everywhere", Some(a.owner.account), 1);
    assert_eq!(happen(&world, &mut psql, &grave).await, 2, "the installation's rule and one's own");
    assert_eq!(alerts_of(&a.admin, &a, made.id_at("/id")).await.len(), 1);
    // Switched off it counts nothing.
    let stale = a.admin.request(Method::PATCH, &one).header("if-match", "\"7\"").json(&json!({"enabled": false}));
    stale.send().await.expect(412);
    let off = a.admin.patch(&one, json!({"enabled": false, "name": "Quiet"})).await.expect(200);
    assert_eq!((&off.json["enabled"], &off.json["version"]), (&json!(false), &json!(2)));
    happen(&world, &mut psql, &entries(a.id, "session.ended_everywhere", Some(a.admin.account), 1)).await;
    assert_eq!(alerts_of(&a.admin, &a, made.id_at("/id")).await.len(), 1);
    a.auditor.delete(&one).await.expect(403);
    a.admin.delete(&one).await.expect(204);
    a.admin.get(&one).await.expect(404);
    // Its alerts stay; deleting a rule is itself an alert.
    assert_eq!(alerts_of(&a.admin, &a, made.id_at("/id")).await.len(), 1);
    world.server.look_at_the_record().await;
    assert_eq!(alerts_of(&a.admin, &a, "alert_rules_deleted").await[0]["actor"]["id"], json!(a.admin.account));
    world.close().await;
}

/// Proves AUD-5.
#[tokio::test]
async fn an_organisation_has_fifty_rules_at_most() {
    let world = World::open().await;
    let a = &world.a;
    let new = |number: u32| rule(&a.admin, a, "team.updated", number);
    futures_util::future::join_all((1..50).map(new)).await;
    let more = json!({
        "name": "One more", "event": "team.updated", "count": 1, "window_minutes": 1, "by": "actor", "severity": "low",
    });
    a.admin.post(&inside(a, "alert-rules"), more.clone()).await.expect(409).problem("too_many_alert_rules");
    world.b.admin.post(&inside(&world.b, "alert-rules"), more).await.expect(201);
    let listed = a.auditor.get(&inside(a, "alert-rules")).await.expect(200);
    assert_eq!(listed.json["own"].as_array().unwrap().len(), 50);
    assert!(listed.json["standard"].as_array().unwrap().len() > 15);
    world.close().await;
}

/// Proves AUD-5.
#[tokio::test]
async fn an_old_count_counts_no_more() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let id = rule(&a.admin, &a, "team.deleted", 3).await;
    let long_ago = entries(a.id, "team.deleted", None, 2).replace("now(), 'team", "now() - interval '2 hours', 'team");
    assert_eq!(happen(&world, &mut psql, &long_ago).await, 0);
    assert_eq!(happen(&world, &mut psql, &entries(a.id, "team.deleted", None, 2)).await, 0);
    assert_eq!(happen(&world, &mut psql, &entries(a.id, "team.deleted", None, 1)).await, 1);
    assert_eq!(alerts_of(&a.admin, &a, id).await[0]["count"], 3);
    let left = format!("SELECT count(*) FROM alert_counts WHERE rule = '{id}'");
    assert_eq!(psql.number(&left).await, 0, "an alert takes what was counted along");
    world.close().await;
}

/// Proves AUD-5.
#[tokio::test]
async fn a_server_does_not_start_on_severities_that_miss_an_event() {
    let database = Database::new().await;
    let directory = folder("severities");
    for (name, text) in [
        ("operations.csv", include_str!("../../../policies/operations.csv")),
        ("roles.csv", include_str!("../../../policies/roles.csv")),
        ("model.conf", include_str!("../../../policies/model.conf")),
    ] {
        std::fs::write(directory.join(name), text).unwrap();
    }
    let own = include_str!("../../../policies/severities.csv");
    let start = async |text: String| {
        std::fs::write(directory.join("severities.csv"), text).unwrap();
        Server::run(config(&database, &[("FREEHOLD_POLICIES_DIRECTORY", directory.to_str().unwrap())])).await
    };
    let refusal =
        start(own.replace("event,member.added,", "event,member.eaten,")).await.err().expect("it started").to_string();
    for part in ["refusing to start", "member.eaten is no event", "the event member.added has no line"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    // An operator's own numbers hold.
    let server =
        start(own.replace("rule,lockouts,high,account.locked,5,", "rule,lockouts,critical,account.locked,2,")).await;
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(server.app().alerts.rule("lockouts").unwrap().count, 2);
    server.stop().await;
}
