//! What proposed changes would do to those who work in an organisation, and that it is what they do.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{effect, inside, names, of, operations};
use crate::{
    harness::{Actor, Answer, Login},
    world::{CANARY, Person, Tenant, World},
};

async fn simulate(by: &Actor, changes: Value) -> Answer {
    by.post("/v1/rbac/simulate", json!({"changes": changes})).await
}

fn role(of: &Person, role: &str) -> Value {
    json!({"change": "member_role", "account_id": of.account, "role": role})
}

async fn team(by: &Actor, tenant: &Tenant, role: &str, people: &[&Person]) -> Uuid {
    let body = json!({"name": format!("Team of {role}"), "role": role});
    let id = by.post(&inside(tenant, "teams"), body).await.expect(201).id_at("/id");
    for person in people {
        let place = inside(tenant, &format!("teams/{id}/members/{}", person.membership));
        by.request(Method::PUT, &place).send().await.expect(204);
    }
    id
}

/// Proves AZ-10.
#[tokio::test]
async fn a_simulation_says_who_loses_what_they_use_and_who_gains_what_they_were_refused() {
    let world = World::open().await;
    let a = &world.a;
    let members = inside(a, "members");
    for _ in 0..3 {
        a.manager.get(&members).await.expect(200);
        a.member.get(&members).await.expect(403);
    }
    a.manager.get(&format!("{members}/{}", a.member.membership)).await.expect(200);
    // One's own stays, and so does not count.
    a.manager.get(&format!("{members}/{}", a.manager.membership)).await.expect(200);
    world.server.flush_decisions().await;
    let answer =
        simulate(&a.auditor, json!([role(&a.manager, "member"), role(&a.member, "manager")])).await.expect(200);
    let loses = of(&answer, a.manager.account).unwrap();
    assert_eq!((&loses["roles_before"], &loses["roles_after"]), (&json!(["manager"]), &json!(["member"])));
    let lists = effect(&loses["loses"], "members_list").unwrap();
    assert_eq!(
        (&lists["before"], &lists["after"], &lists["uses"]),
        (&json!("any"), &json!("none"), &json!(3)),
        "{lists}"
    );
    assert!(lists["last_used_on"].is_string());
    let reads = effect(&loses["loses"], "members_get").unwrap();
    assert_eq!(
        (&reads["before"], &reads["after"], &reads["uses"]),
        (&json!("any"), &json!("own"), &json!(1)),
        "{reads}"
    );
    // What they use most comes first, and who loses it before who only gains.
    assert_eq!(loses["loses"][0]["operation"], "members_list");
    assert_eq!(answer.items()[0]["who"]["account_id"], json!(a.manager.account));
    assert_eq!(loses["uses_lost"], 4);
    let gains = of(&answer, a.member.account).unwrap();
    assert_eq!(effect(&gains["gains"], "members_list").unwrap()["refused"], 3);
    assert!(gains["loses"].as_array().unwrap().is_empty());
    let totals = &answer.json["totals"];
    assert_eq!(
        (&totals["losing"], &totals["losing_what_they_use"], &totals["gaining"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&totals["uses_lost"], &totals["refusals_lifted"]), (&json!(4), &json!(3)), "{totals}");
    // It was a look: nothing has changed.
    a.manager.get(&members).await.expect(200);
    a.member.get(&members).await.expect(403);
    world.close().await;
}

/// Proves AZ-3, AZ-10: what is foreseen is what the change does, whatever changes.
#[tokio::test]
async fn what_a_simulation_says_is_what_happens() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let night = team(owner, a, "manager", &[&a.member]).await;
    let day = team(owner, a, "admin", &[]).await;
    let of_member = inside(a, &format!("members/{}", a.member.membership));
    let place = |team: Uuid| inside(a, &format!("teams/{team}/members/{}", a.member.membership));
    let changes = [
        (
            json!({"change": "team_member_added", "team_id": day, "account_id": a.member.account}),
            Method::PUT,
            place(day),
            None,
        ),
        (
            json!({"change": "team_role", "team_id": day, "role": "auditor"}),
            Method::PATCH,
            inside(a, &format!("teams/{day}")),
            Some(json!({"role": "auditor"})),
        ),
        (role(&a.member, "auditor"), Method::PATCH, of_member.clone(), Some(json!({"role": "auditor"}))),
        (
            json!({"change": "team_role", "team_id": night}),
            Method::PATCH,
            inside(a, &format!("teams/{night}")),
            Some(json!({"role": null})),
        ),
        (
            json!({"change": "team_member_removed", "team_id": day, "account_id": a.member.account}),
            Method::DELETE,
            place(day),
            None,
        ),
        (role(&a.member, "owner"), Method::PATCH, of_member.clone(), Some(json!({"role": "owner"}))),
        (role(&a.member, "member"), Method::PATCH, of_member.clone(), Some(json!({"role": "member"}))),
        (
            json!({"change": "team_removed", "team_id": night}),
            Method::DELETE,
            inside(a, &format!("teams/{night}")),
            None,
        ),
    ];
    for (change, method, path, body) in changes {
        let before = operations(&a.member).await;
        let answer = simulate(&a.auditor, json!([change])).await.expect(200);
        let said = of(&answer, a.member.account);
        let draft = owner.request(method, &path);
        let done = match &body {
            Some(body) => draft.json(body).send().await,
            None => draft.send().await,
        };
        assert!((200..300).contains(&done.status), "{done}");
        let after = operations(&a.member).await;
        // `GET /v1/me` lists what one may with anything; what changes from any object to one's own stays listed.
        let listed = |name: &str, from: &str, to: &str| -> BTreeSet<String> {
            let effects = said.as_ref().map_or(&Value::Null, |said| &said[name]);
            let all = effects.as_array().map(Vec::as_slice).unwrap_or_default().iter();
            let crosses = all.filter(|effect| effect[from] == "none" && effect[to] != "none");
            names(&crosses.cloned().collect())
        };
        assert_eq!(listed("gains", "before", "after"), &after - &before, "{change}");
        assert_eq!(listed("loses", "after", "before"), &before - &after, "{change}");
    }
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn several_changes_are_looked_at_together_and_a_team_touches_all_of_it() {
    let world = World::open().await;
    let a = &world.a;
    let shift = team(&a.owner, a, "manager", &[&a.member, &a.subject]).await;
    let whole = simulate(&a.admin, json!([{"change": "team_removed", "team_id": shift}])).await.expect(200);
    assert_eq!(whole.json["totals"]["losing"], 2, "{whole}");
    // Who gets directly what the team gave loses nothing.
    let together = json!([role(&a.member, "manager"), {"change": "team_removed", "team_id": shift}]);
    let together = simulate(&a.admin, together).await.expect(200);
    assert!(of(&together, a.member.account).is_none() && of(&together, a.subject.account).is_some(), "{together}");
    // One who leaves loses all that a role gives, a program what its role gave it.
    let leaves = json!({"change": "member_removed", "account_id": a.manager.account});
    let program = json!({"change": "service_role", "service_account_id": a.service, "role": "manager"});
    let answer = simulate(&a.admin, json!([leaves, program])).await.expect(200);
    let gone = of(&answer, a.manager.account).unwrap();
    assert_eq!(gone["roles_after"], json!([]));
    assert!(names(&gone["loses"]).contains("organizations_get") && !names(&gone["loses"]).contains("me_get"));
    let program = of(&answer, a.service).unwrap();
    assert!(names(&program["gains"]).contains("members_list"), "{program}");
    // The blocked have nothing to lose, and what is so already is no change.
    let nothing = simulate(&a.admin, json!([role(&a.blocked, "admin"), role(&a.admin, "admin")])).await.expect(200);
    assert!(nothing.items().is_empty(), "{nothing}");
    // At most so many are told one by one; totals are of all.
    let few = json!({"changes": [{"change": "team_removed", "team_id": shift}], "limit": 1});
    let few = a.admin.post("/v1/rbac/simulate", few).await.expect(200);
    assert_eq!((few.items().len(), &few.json["left_out"], &few.json["totals"]["losing"]), (1, &json!(1), &json!(2)));
    world.close().await;
}

/// Proves AZ-10: days that are over are not counted.
#[tokio::test]
async fn a_simulation_looks_at_the_days_that_are_asked_for() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("DELETE FROM decision_counts").await.unwrap();
    for (days, count) in [(0, 1), (6, 10), (7, 100), (89, 1000), (90, 10_000)] {
        let add = format!(
            "INSERT INTO decision_counts (organization_id, operation, who, kind, outcome, own, day, count)
             VALUES ('{}', 'members_list', '{}', 'account', 'allowed', false, (now() AT TIME ZONE 'UTC')::date - {days}, {count})",
            a.id, a.manager.account
        );
        psql.run(&add).await.unwrap();
    }
    for (days, uses) in [(1, 1), (7, 11), (8, 111), (90, 1111)] {
        let question = json!({"changes": [role(&a.manager, "member")], "days": days});
        let answer = a.admin.post("/v1/rbac/simulate", question).await.expect(200);
        let loses = of(&answer, a.manager.account).unwrap()["loses"].clone();
        assert_eq!(effect(&loses, "members_list").unwrap()["uses"], json!(uses), "{days} days");
    }
    for days in [0, 91] {
        let question = json!({"changes": [role(&a.manager, "member")], "days": days});
        a.admin.post("/v1/rbac/simulate", question).await.expect(422).problem("invalid_request");
    }
    world.close().await;
}

/// Proves AZ-9, AZ-10, NET-9.
#[tokio::test]
async fn changes_that_can_not_be_looked_at_are_named() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let id = a.member.account;
    for (change, place) in [
        (json!({"change": "member_role", "account_id": id}), "/changes/0/role"),
        (json!({"change": "member_role", "role": "member"}), "/changes/0/account_id"),
        (json!({"change": "member_removed", "account_id": id, "role": "member"}), "/changes/0/role"),
        (json!({"change": "member_role", "account_id": id, "role": "janitor"}), "/changes/0/role"),
        (json!({"change": "member_role", "account_id": id, "role": "platform_admin"}), "/changes/0/role"),
        (json!({"change": "team_role", "team_id": a.team, "role": "owner"}), "/changes/0/role"),
        (
            json!({"change": "service_role", "service_account_id": a.service, "role": "platform_admin"}),
            "/changes/0/role",
        ),
        (json!({"change": "team_removed", "team_id": b.team}), "/changes/0/team_id"),
        (json!({"change": "member_role", "account_id": b.member.account, "role": "member"}), "/changes/0/account_id"),
        (json!({"change": "member_role", "account_id": a.guest.account, "role": "member"}), "/changes/0/account_id"),
        (
            json!({"change": "service_role", "service_account_id": b.service, "role": "member"}),
            "/changes/0/service_account_id",
        ),
    ] {
        let answer = simulate(&a.admin, json!([change])).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), [place], "{answer}");
    }
    simulate(&a.admin, json!([])).await.expect(422).problem("invalid_request");
    let many: Vec<Value> = (0..51).map(|_| role(&a.member, "manager")).collect();
    simulate(&a.admin, json!(many)).await.expect(422).problem("invalid_request");
    for person in [&a.member, &a.manager] {
        simulate(person, json!([role(&a.member, "manager")])).await.expect(403).problem("forbidden");
    }
    let answer = simulate(&b.owner, json!([role(&b.member, "manager")])).await.expect(200);
    assert!(!answer.text.contains(CANARY), "{answer}");
    world.close().await;
}
