//! Letters about alerts: the critical ones at once, the others in digests, each once.

use std::time::Duration;

use freehold::digests;
use reqwest::Method;
use serde_json::{Value, json};

use super::{entries, happen, inside, kill::leading};
use crate::{
    harness::{Actor, Login, Process, Psql, eventually},
    world::{Tenant, World},
};

async fn prefer(who: &Actor, wanted: Value) {
    who.request(Method::PUT, "/v1/me/alert-preferences").json(&wanted).send().await.expect(200);
}

/// Proves AUD-6.
#[tokio::test]
async fn critical_alerts_are_told_at_once_to_those_who_may_read_them_and_not_one_by_one() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    let defaults = a.auditor.get("/v1/me/alert-preferences").await.expect(200);
    assert_eq!(
        defaults.json,
        json!({"organization_id": a.id, "digest": "daily", "minimum_severity": "high", "critical_at_once": true})
    );
    prefer(&a.auditor, json!({"digest": "off", "minimum_severity": "low", "critical_at_once": false})).await;
    let rule = json!({
        "name": "<img src=x> burns", "event": "team.deleted", "count": 1, "window_minutes": 5, "by": "actor",
        "severity": "critical",
    });
    a.admin.post(&inside(&a, "alert-rules"), rule).await.expect(201);
    let deleted = |who| entries(a.id, "team.deleted", Some(who), 1);
    assert_eq!(happen(&world, &mut psql, &deleted(a.admin.account)).await, 1);
    let send = async || digests::send_urgent(world.server.app(), &world.server.system()).await.unwrap();
    // The owner and the administrator: the auditor does not want to be, and others may not read alerts.
    assert_eq!(send().await, 2);
    assert_eq!(send().await, 0);
    let mail = world.database.mail();
    for person in [&a.owner, &a.admin] {
        let letter = mail.take(&person.email).await;
        assert!(letter.subject.starts_with("Critical alert at Works of "), "{}", letter.subject);
        assert!(letter.text.contains("<img src=x> burns") && letter.text.contains("/alerts"), "{}", letter.text);
    }
    // A flood is one letter a minute.
    for person in [&a.owner, &a.manager, &a.member, &a.subject] {
        assert_eq!(happen(&world, &mut psql, &deleted(person.account)).await, 1);
    }
    assert_eq!(send().await, 0);
    psql.run("UPDATE alerts SET told_at = told_at - interval '61 seconds'").await.unwrap();
    assert_eq!(send().await, 2);
    assert_eq!(mail.take(&a.owner.email).await.subject, "4 critical alerts at Works of canary7f3a");
    world.database.letters_are_sent().await;
    for person in [&a.auditor, &a.manager, &a.member, &world.b.owner, &world.platform] {
        assert_eq!(mail.count_with(&person.email, "alert").await, 0, "{}", person.email);
    }
    world.close().await;
}

async fn raised(psql: &mut Psql, tenant: &Tenant, title: &str, severity: &str, hours: u32) {
    let sql = format!(
        "INSERT INTO alerts (id, organization_id, rule, title, severity, by, subject, count, first_at, last_at, raised_at,
             entries, state)
         SELECT gen_random_uuid(), '{}', 'lockouts', '{title}', '{severity}', 'organization', sha256('{title}'), 3, t, t, t,
             '{{}}', 'open' FROM (SELECT now() - {hours} * interval '1 hour' AS t) moment",
        tenant.id
    );
    assert_eq!(psql.run(&sql).await.unwrap(), 1);
}

/// Proves AUD-6.
#[tokio::test]
async fn of_three_instances_and_changing_leaders_everybody_gets_one_digest_a_period() {
    let world = World::open().await;
    let (a, mut psql) = (world.a.clone(), world.database.psql(Login::Owner).await);
    prefer(&a.admin, json!({"digest": "hourly", "minimum_severity": "low", "critical_at_once": true})).await;
    prefer(&a.auditor, json!({"digest": "off", "minimum_severity": "low", "critical_at_once": true})).await;
    // The world's own were raised just now.
    psql.run("DELETE FROM alerts").await.unwrap();
    // Who gets one a day gets what matters.
    raised(&mut psql, &a, "Old and high", "high", 30).await;
    raised(&mut psql, &a, "Old and low", "low", 29).await;
    raised(&mut psql, &a, "Acknowledged", "high", 29).await;
    raised(&mut psql, &a, "Muted", "high", 29).await;
    psql.run("UPDATE alerts SET state = 'acknowledged', decided_at = now() WHERE title = 'Acknowledged'")
        .await
        .unwrap();
    psql.run("UPDATE alerts SET muted_until = now() + interval '1 day' WHERE title = 'Muted'").await.unwrap();
    let mut processes: Vec<_> =
        (0..3).map(|_| Process::on(&world.database, &[("FREEHOLD_JOBS_LEAD", "true")])).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let mail = world.database.mail();
    let count = async |tenant: &Tenant| {
        [
            mail.count_with(&tenant.owner.email, "alert").await,
            mail.count_with(&tenant.admin.email, "alert").await,
            mail.count_with(&tenant.auditor.email, "alert").await,
            mail.count_with(&tenant.member.email, "alert").await,
        ]
    };
    eventually("the digests are there", Duration::from_secs(30), async || {
        (count(&a).await == [1, 1, 0, 0]).then_some(())
    })
    .await;
    // The next leader looks again, and nobody is told again; what came since is told alone. Who is killed between a
    // letter's delivery and its being written down delivers it twice, which is the mail's matter.
    world.database.letters_are_sent().await;
    let at = leading(&mut processes, 0).await;
    processes.remove(at).kill_9();
    raised(&mut psql, &a, "New and low", "low", 2).await;
    eventually("the new one is told", Duration::from_secs(60), async || {
        (count(&a).await == [1, 2, 0, 0]).then_some(())
    })
    .await;
    world.database.letters_are_sent().await;
    let at = leading(&mut processes, 0).await;
    processes.remove(at).kill_9();
    leading(&mut processes, 0).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    world.database.letters_are_sent().await;
    assert_eq!(count(&a).await, [1, 2, 0, 0]);
    assert_eq!(count(&world.b).await, [0, 0, 0, 0]);
    let letters = mail.texts(&a.admin.email, "alert").await;
    assert!(letters[0].contains("Old and high") && letters[0].contains("Old and low"), "{}", letters[0]);
    assert!(letters[1].contains("New and low") && !letters[1].contains("Old"), "{}", letters[1]);
    let owners = mail.texts(&a.owner.email, "alert").await;
    assert!(owners[0].contains("Old and high") && !owners[0].contains("low"), "{}", owners[0]);
    assert!(letters.iter().all(|text| !text.contains("Muted") && !text.contains("Acknowledged")));
    assert!(processes[0].terminate().await.success());
    world.close().await;
}
