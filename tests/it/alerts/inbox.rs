//! An alert's life: raised, grown, acknowledged, raised again, opened again.

use reqwest::Method;
use serde_json::json;

use super::{alerts_of, entries, happen, inside, rule};
use crate::{harness::Login, world::World};

/// Proves AUD-5.
#[tokio::test]
async fn as_much_as_a_rule_waits_for_is_one_alert_that_grows_until_somebody_takes_note() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let id = rule(&a.admin, &a, "team.deleted", 5).await;
    let deleted = |number| entries(a.id, "team.deleted", Some(a.manager.account), number);
    assert_eq!(happen(&world, &mut psql, &deleted(4)).await, 0);
    assert!(alerts_of(&a.admin, &a, id).await.is_empty());
    // The fifth is enough; what comes after it adds to the alert.
    assert_eq!(happen(&world, &mut psql, &deleted(1)).await, 1);
    assert_eq!(happen(&world, &mut psql, &deleted(7)).await, 0);
    let alerts = alerts_of(&a.auditor, &a, id).await;
    assert_eq!(alerts.len(), 1);
    let alert = &alerts[0];
    assert_eq!((&alert["count"], &alert["state"], &alert["severity"]), (&json!(12), &json!("open"), &json!("high")));
    assert_eq!(alert["title"], "5 of team.deleted");
    assert_eq!(alert["entry_ids"].as_array().unwrap().len(), 8, "what it counted before it knew that it would be one");
    let newest = alert["entry_ids"][7].as_str().unwrap();
    a.admin.get(&inside(&a, &format!("audit/{newest}"))).await.expect(200);
    let counts = a.auditor.get(&inside(&a, "alert-counts")).await.expect(200);
    // The world has one of its own.
    assert_eq!(
        (&counts.json["high"], &counts.json["total"], &counts.json["medium"]),
        (&json!(1), &json!(2), &json!(1))
    );

    // Somebody takes note; the auditor only reads.
    let one = inside(&a, &format!("alerts/{}", alert["id"].as_str().unwrap()));
    let note = json!({"note": "We closed the old office <b>today</b>"});
    a.auditor.post(&format!("{one}/acknowledge"), note.clone()).await.expect(403);
    let stale = a.admin.request(Method::POST, &format!("{one}/acknowledge")).header("if-match", "\"9\"");
    stale.json(&note).send().await.expect(412).problem("precondition_failed");
    let done = a.admin.post(&format!("{one}/acknowledge"), note.clone()).await.expect(200);
    assert_eq!((&done.json["state"], &done.json["note"]), (&json!("acknowledged"), &note["note"]));
    assert_eq!(done.json["decided_by"]["id"], json!(a.admin.account));
    a.admin.post(&format!("{one}/acknowledge"), json!({})).await.expect(409).problem("alert_state");
    let entry = a.admin.get(&inside(&a, "audit?event=alert.acknowledged")).await.expect(200);
    assert_eq!(entry.json["items"][0]["metadata"]["note"], note["note"]);

    // What comes now is counted anew.
    assert_eq!(happen(&world, &mut psql, &deleted(4)).await, 0);
    assert_eq!(happen(&world, &mut psql, &deleted(1)).await, 1);
    let alerts = alerts_of(&a.admin, &a, id).await;
    assert_eq!((alerts.len(), &alerts[0]["count"], &alerts[1]["count"]), (2, &json!(5), &json!(12)));
    // Not two about the same at once.
    let reopen = json!({"note": "There is more to it"});
    a.admin.post(&format!("{one}/reopen"), reopen.clone()).await.expect(409).problem("alert_open_already");
    let other = inside(&a, &format!("alerts/{}", alerts[0]["id"].as_str().unwrap()));
    a.admin.post(&format!("{other}/acknowledge"), json!({})).await.expect(200);
    let open = a.admin.post(&format!("{one}/reopen"), reopen).await.expect(200);
    assert_eq!(open.json["state"], "open");
    assert_eq!(happen(&world, &mut psql, &deleted(3)).await, 0);
    assert_eq!(a.admin.get(&one).await.expect(200).json["count"], 15);
    for event in ["alert.raised", "alert.acknowledged", "alert.reopened"] {
        let path = inside(&a, &format!("audit?event={event}&limit=1"));
        assert_eq!(a.auditor.get(&path).await.expect(200).items().len(), 1, "{event}");
    }
    // What somebody wrote is sealed.
    let rows = json!(psql.rows("SELECT * FROM alerts").await).to_string();
    assert!(!rows.contains("old office"), "{rows}");
    world.close().await;
}

/// Proves AUD-5.
#[tokio::test]
async fn alerts_are_filtered_and_counted_by_actor_where_a_rule_says_so() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    // A rule of the installation's: five refused changes of members by one person within an hour.
    let refused = |who| entries(a.id, "member.change_refused", Some(who), 4);
    assert_eq!(happen(&world, &mut psql, &refused(a.manager.account)).await, 0);
    assert_eq!(happen(&world, &mut psql, &refused(a.member.account)).await, 0);
    assert_eq!(happen(&world, &mut psql, &refused(a.member.account)).await, 1);
    let alerts = alerts_of(&a.admin, &a, "member_change_refusals").await;
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0]["actor"]["id"], &alerts[0]["count"]), (&json!(a.member.account), &json!(8)));
    assert!(alerts[0]["actor"]["name"].as_str().unwrap().starts_with("member of"));
    assert_eq!(alerts[0]["event"], "member.change_refused");
    let count =
        async |query: &str| a.admin.get(&inside(&a, &format!("alerts?{query}"))).await.expect(200).items().len();
    assert_eq!(count("severity=medium").await, 2);
    assert_eq!(count("severity=critical").await, 0);
    assert_eq!(count("state=open&muted=false").await, 2);
    assert_eq!(count("state=acknowledged").await, 0);
    assert_eq!(count("muted=true").await, 0);
    // B has nothing of it.
    assert_eq!(alerts_of(&world.b.admin, &world.b, "member_change_refusals").await.len(), 0);
    world.close().await;
}
