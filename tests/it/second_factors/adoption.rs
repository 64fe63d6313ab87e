//! How many people have a second factor: what is counted, who sees it, and how long it is kept.

use chrono::TimeDelta;
use freehold::operations;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Login, PATIENCE, Server, enrol, eventually},
    world::{Tenant, World},
};

fn path(tenant: &Tenant) -> String {
    format!("/v1/organizations/{}/second-factors", tenant.id)
}

/// What is said of a role.
fn of<'a>(adoption: &'a Value, role: &str) -> &'a Value {
    let roles = adoption["roles"].as_array().unwrap().iter();
    roles.into_iter().find(|of| of["role"] == role).unwrap_or_else(|| panic!("no {role}: {adoption}"))
}

async fn adoption(by: &Actor, tenant: &Tenant) -> Value {
    by.get(&path(tenant)).await.expect(200).json
}

/// Proves MFA-6, CON-2.
#[tokio::test]
async fn people_are_counted_by_the_highest_role_that_they_have_and_by_method() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let before = adoption(&a.admin, a).await;
    let others = adoption(&b.admin, b).await;
    let all: i64 = before["roles"].as_array().unwrap().iter().map(|of| of["people"].as_i64().unwrap()).sum();
    let mut psql = world.database.psql(Login::Owner).await;
    let active = format!("SELECT count(*) FROM memberships WHERE organization_id = '{}' AND status = 'active'", a.id);
    assert_eq!(all, psql.number(&active).await, "{before}");
    assert_eq!(of(&before, "owner")["enrolled"], 0);
    assert_eq!(before["days"].as_array().unwrap().last().unwrap()["people"], json!(all));

    enrol(&world.server, a.member.account).await;
    enrol(&world.server, a.owner.account).await;
    let now = adoption(&a.auditor, a).await;
    assert_eq!(of(&now, "owner")["enrolled"], 1);
    assert_eq!(of(&now, "owner")["methods"], json!([{"method": "totp", "people": 1}]));
    assert_eq!(of(&now, "member")["enrolled"], 1);
    assert_eq!(now["days"].as_array().unwrap().last().unwrap()["enrolled"], 2);
    // What the world's settings demand of nobody, an organisation can demand of administrators.
    assert_eq!(of(&now, "admin")["required"], false);
    let demand = json!({"mfa": {"required_from": "admin"}});
    a.owner.patch(&format!("/v1/organizations/{}/settings", a.id), demand).await.expect(200);
    let demanded = adoption(&a.auditor, a).await;
    assert_eq!(
        (&of(&demanded, "owner")["required"], &of(&demanded, "member")["required"]),
        (&json!(true), &json!(false))
    );

    // A role by a team counts, and a blocked member does not.
    let team = json!({"name": "Deputies", "role": "manager"});
    let team = a.admin.post(&format!("/v1/organizations/{}/teams", a.id), team).await.expect(201);
    let place = format!("/v1/organizations/{}/teams/{}/members", a.id, team.text_at("/id"));
    let place = format!("{place}/{}", a.member.membership);
    a.admin.request(Method::PUT, &place).send().await.expect(204);
    let (risen, managers) = (adoption(&a.admin, a).await, of(&now, "manager")["people"].as_i64().unwrap());
    assert_eq!(of(&risen, "manager")["people"], json!(managers + 1));
    assert_eq!(of(&risen, "manager")["enrolled"], 1);
    psql.run(&format!("UPDATE memberships SET status = 'blocked' WHERE id = '{}'", a.member.membership)).await.unwrap();
    assert_eq!(of(&adoption(&a.admin, a).await, "manager")["people"], json!(managers));

    // It is nothing of the other organisation's, and for no manager.
    assert_eq!(adoption(&b.admin, b).await["roles"], others["roles"]);
    a.admin.get(&path(b)).await.expect(404);
    a.manager.get(&path(a)).await.expect(403);
    a.admin.get(&format!("{}?span=week", path(a))).await.expect(422);
    world.close().await;
}

/// Proves MFA-6: each day's last count stays, for two years.
#[tokio::test]
async fn each_days_last_count_is_kept() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    for days in [729, 731, 100, 3] {
        let add = format!(
            "INSERT INTO second_factor_counts VALUES
             ('{}', (now() AT TIME ZONE 'UTC')::date - {days}, 'admin member', 7, 3, '{{\"totp\": 3}}', now())",
            a.id
        );
        psql.run(&add).await.unwrap();
    }
    let jobs = operations::jobs().into_iter().filter(|job| job.name == "second_factor_counts").collect();
    let leader = Server::leading(&world.database, &[], jobs).await;
    let admin = world.platform.at_server_of(leader.nobody());
    let run = async |times: i64| {
        admin.post_nothing("/v1/jobs/second_factor_counts/runs").await.expect(201);
        eventually("it is counted", PATIENCE, async || {
            let done = "SELECT count(*) FROM job_runs WHERE job = 'second_factor_counts' AND state = 'succeeded'";
            (world.database.psql(Login::Owner).await.number(done).await == times).then_some(())
        })
        .await;
    };
    run(1).await;
    let today = format!(
        "SELECT coalesce(sum(enrolled), -1)::bigint FROM second_factor_counts
         WHERE organization_id = '{}' AND day = (now() AT TIME ZONE 'UTC')::date",
        a.id
    );
    assert_eq!(psql.number(&today).await, 0);
    enrol(&world.server, a.member.account).await;
    run(2).await;
    assert_eq!(psql.number(&today).await, 1);
    let organizations = "SELECT count(*) FROM (SELECT id FROM organizations WHERE status <> 'deleted' EXCEPT
                         SELECT organization_id FROM second_factor_counts WHERE people > 0) missed
                         WHERE id IN (SELECT organization_id FROM memberships WHERE status = 'active')";
    assert_eq!(psql.number(organizations).await, 0);
    let kept = format!(
        "SELECT count(*) FROM second_factor_counts WHERE organization_id = '{}' AND roles = 'admin member'",
        a.id
    );
    assert_eq!(psql.number(&kept).await, 3);

    // The days of a span, each once, the oldest first.
    let month = a.admin.get(&format!("{}?span=month", path(a))).await.expect(200).json;
    let days = month["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[0]["people"], &days[0]["enrolled"]), (2, &json!(7), &json!(3)));
    assert_eq!(days[1]["enrolled"], 1);
    let year = a.admin.get(&format!("{}?span=year", path(a))).await.expect(200).json;
    assert_eq!(year["days"].as_array().unwrap().len(), 3);
    leader.stop().await;
    world.close().await;
}

/// Proves MFA-6: of an organisation with more members than are counted while somebody waits, the last count is told.
#[tokio::test]
async fn a_large_organization_is_told_its_last_count() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let many = format!(
        "WITH people AS (INSERT INTO accounts (id, state, version, created_at, updated_at, salt, email, name)
             SELECT gen_random_uuid(), 'active', 1, now(), now(), sha256(n::text::bytea), 'x', 'x'
             FROM generate_series(1, 10001) n RETURNING id)
         INSERT INTO memberships (id, organization_id, account_id, role, status, version, joined_at, updated_at)
         SELECT gen_random_uuid(), '{}', id, 'member', 'active', 1, now(), now() FROM people",
        a.id
    );
    psql.run(&many).await.unwrap();
    let untold = adoption(&a.admin, a).await;
    assert_eq!((untold.get("counted_at"), &untold["roles"]), (None, &json!([])), "{untold}");
    let counted = format!(
        "INSERT INTO second_factor_counts VALUES
         ('{}', (now() - interval '1 day')::date, 'member', 10001, 44, '{{\"totp\": 44}}', now() - interval '1 day')",
        a.id
    );
    psql.run(&counted).await.unwrap();
    let told = adoption(&a.admin, a).await;
    assert_eq!(of(&told, "member")["enrolled"], 44, "{told}");
    assert_eq!(told["days"].as_array().unwrap().len(), 1);
    world.server.advance(TimeDelta::seconds(1));
    world.close().await;
}

/// Proves AZ-6, MFA-6: the access list says what everybody can prove, today.
#[tokio::test]
async fn the_access_list_says_who_has_a_second_factor() {
    let world = World::open().await;
    let a = &world.a;
    enrol(&world.server, a.member.account).await;
    let list = format!("/v1/organizations/{}/rbac/policies", a.id);
    let export = a.auditor.get(&list).await.expect(200);
    let factors = |id| {
        let holders = export.json["holders"].as_array().unwrap().iter();
        holders.into_iter().find(|holder| holder["id"] == json!(id)).unwrap()["second_factors"].clone()
    };
    assert_eq!(factors(a.member.membership), json!(["totp"]));
    assert_eq!(factors(a.admin.membership), json!([]));
    let sheet = a.auditor.get(&format!("{list}?format=csv&table=holders")).await.expect(200);
    assert!(sheet.text.contains(",totp\r\n") && sheet.text.contains(",none\r\n"), "{sheet}");
    world.close().await;
}
