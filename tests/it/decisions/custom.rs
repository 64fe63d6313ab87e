//! Roles of an organisation's own count in what is explained, simulated and foreseen as they do for the guard.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{effect, inside, names, of, operations};
use crate::{
    harness::{Actor, Answer},
    world::{Person, Tenant, World},
};

async fn compose(tenant: &Tenant, permissions: &[&str]) -> Uuid {
    let role = json!({"name": "Front desk", "permissions": permissions});
    tenant.owner.post(&inside(tenant, "roles"), role).await.expect(201).id_at("/id")
}

async fn give(tenant: &Tenant, place: &str, role: Uuid) {
    tenant.owner.patch(&inside(tenant, place), json!({"custom_role_ids": [role]})).await.expect(200);
}

async fn explained(by: &Actor, who: (&str, Uuid), operation: &str) -> Answer {
    by.post("/v1/rbac/explain", json!({who.0: who.1, "operation": operation})).await.expect(200)
}

/// A team with the role, and this person in it.
async fn team(tenant: &Tenant, person: &Person, role: Uuid) -> Uuid {
    let team = tenant.owner.post(&inside(tenant, "teams"), json!({"name": "Reception"})).await.expect(201).id_at("/id");
    give(tenant, &format!("teams/{team}"), role).await;
    let place = inside(tenant, &format!("teams/{team}/members/{}", person.membership));
    tenant.owner.request(Method::PUT, &place).send().await.expect(204);
    team
}

/// Proves AZ-10, AZ-3.
#[tokio::test]
async fn an_explanation_names_the_role_of_the_organisations_own() {
    let world = World::open().await;
    let a = &world.a;
    let role = compose(a, &["members_list"]).await;
    let member = ("account_id", a.member.account);
    assert_eq!(explained(&a.auditor, member, "members_list").await.text_at("/decision"), "refused");
    give(a, &format!("members/{}", a.member.membership), role).await;
    let directly = explained(&a.auditor, member, "members_list").await;
    assert_eq!(directly.text_at("/decision"), "allowed");
    assert_eq!(directly.json["granted_by"], json!({"rule": "custom_role", "path": [{"role": "Front desk"}]}));
    let held = json!({"custom_role_id": role, "custom_role": "Front desk", "via": "direct"});
    assert!(directly.json["holds"].as_array().unwrap().contains(&held), "{directly}");
    a.member.get(&inside(a, "members")).await.expect(200);
    // It gives what it is composed of, and no more.
    assert_eq!(explained(&a.auditor, member, "audit_list").await.text_at("/code"), "forbidden");

    let subject = ("account_id", a.subject.account);
    let team = team(a, &a.subject, role).await;
    let by_team = explained(&a.auditor, subject, "members_list").await;
    assert_eq!(by_team.text_at("/granted_by/rule"), "custom_role");
    let through = by_team.json["holds"].as_array().unwrap().iter().find(|held| held["custom_role"] == "Front desk");
    assert_eq!(through.unwrap()["team_id"], json!(team));

    let service = ("service_account_id", a.service);
    assert_eq!(explained(&a.auditor, service, "members_list").await.text_at("/decision"), "refused");
    give(a, &format!("service-accounts/{}", a.service), role).await;
    assert_eq!(explained(&a.auditor, service, "members_list").await.text_at("/granted_by/rule"), "custom_role");
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn a_simulation_knows_what_a_role_of_the_organisations_own_gives() {
    let world = World::open().await;
    let a = &world.a;
    let role = compose(a, &["members_list"]).await;
    let team = team(a, &a.member, role).await;
    for _ in 0..2 {
        a.member.get(&inside(a, "members")).await.expect(200);
    }
    world.server.flush_decisions().await;
    let simulate = async |change| {
        let change = json!({"changes": [change]});
        a.auditor.post("/v1/rbac/simulate", change).await.expect(200)
    };
    let left = json!({"change": "team_member_removed", "team_id": team, "account_id": a.member.account});
    let loses = of(&simulate(left).await, a.member.account).unwrap();
    assert_eq!(effect(&loses["loses"], "members_list").unwrap()["uses"], 2);
    // Who has it anyway loses nothing, and whoever comes in gains it.
    let raised = json!({"change": "member_role", "account_id": a.member.account, "role": "manager"});
    let gains = of(&simulate(raised).await, a.member.account).unwrap();
    assert!(effect(&gains["gains"], "members_list").is_none(), "{gains}");
    let joined = json!({"change": "team_member_added", "team_id": team, "account_id": a.subject.account});
    let gains = of(&simulate(joined).await, a.subject.account).unwrap();
    assert!(effect(&gains["gains"], "members_list").is_some(), "{gains}");
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn other_rules_leave_a_role_of_ones_own_what_it_can_be_composed_of() {
    let world = World::open().await;
    let a = &world.a;
    let losing = async |least: &str| {
        let changes = json!({"changes": [{"operation": "members_list", "minimum_role": least}]});
        let answer = world.platform.post("/v1/rbac/policies/simulate", changes).await.expect(200);
        let tenant = answer.items().iter().find(|item| item["organization_id"] == json!(a.id)).cloned();
        let shift = tenant.unwrap()["operations"].as_array().unwrap().first().cloned().unwrap();
        shift["losing"].as_i64().unwrap()
    };
    let (admin, owner) = (losing("admin").await, losing("owner").await);
    let role = compose(a, &["members_list"]).await;
    give(a, &format!("members/{}", a.member.membership), role).await;
    // A custom role is composed of what an administrator may do, and of nothing above.
    assert_eq!(losing("admin").await, admin);
    assert_eq!(losing("owner").await, owner + 1);
    world.close().await;
}

/// Proves AZ-10: what a change of custom roles would do is what it does, whoever holds them and by which way.
#[tokio::test]
async fn a_change_of_custom_roles_does_what_was_foreseen() {
    let world = World::open().await;
    let a = &world.a;
    let role = compose(a, &["members_list"]).await;
    let team = team(a, &a.subject, role).await;
    let changes = [
        (
            json!({"change": "member_custom_roles", "account_id": a.member.account, "custom_role_ids": [role]}),
            (Method::PATCH, format!("members/{}", a.member.membership), json!({"custom_role_ids": [role]})),
        ),
        (
            json!({"change": "custom_role_permissions", "custom_role_id": role, "permissions": ["invitations_list", "teams_create"]}),
            (Method::PATCH, format!("roles/{role}"), json!({"permissions": ["invitations_list", "teams_create"]})),
        ),
        (
            json!({"change": "team_custom_roles", "team_id": team, "custom_role_ids": []}),
            (Method::PATCH, format!("teams/{team}"), json!({"custom_role_ids": []})),
        ),
        (
            json!({"change": "custom_role_removed", "custom_role_id": role}),
            (Method::DELETE, format!("roles/{role}?holders=release"), Value::Null),
        ),
    ];
    for (change, (method, place, body)) in changes {
        let answer = a.auditor.post("/v1/rbac/simulate", json!({"changes": [change]})).await.expect(200);
        let mut expected = Vec::new();
        for person in [&a.member, &a.subject] {
            let effects = of(&answer, person.account);
            let [loses, gains] =
                ["loses", "gains"].map(|way| effects.as_ref().map(|one| names(&one[way])).unwrap_or_default());
            let mut after = operations(person).await;
            assert!(loses.is_subset(&after) && gains.is_disjoint(&after), "{change}: {answer}");
            after.retain(|operation| !loses.contains(operation));
            after.extend(gains);
            expected.push(after);
        }
        let request = a.owner.request(method, &inside(a, &place));
        let done = if body.is_null() { request.send().await } else { request.json(&body).send().await };
        assert!(done.status < 300, "{done}");
        for (person, expected) in [&a.member, &a.subject].into_iter().zip(expected) {
            assert_eq!(operations(person).await, expected, "{change}");
        }
    }
    world.close().await;
}

/// Proves AZ-10: changes count in their order, and a program's roles as a person's.
#[tokio::test]
async fn changes_of_custom_roles_count_one_after_the_other() {
    let world = World::open().await;
    let a = &world.a;
    let role = compose(a, &["members_list"]).await;
    let simulate = async |changes| a.auditor.post("/v1/rbac/simulate", json!({"changes": changes})).await.expect(200);
    let given = json!({"change": "service_custom_roles", "service_account_id": a.service, "custom_role_ids": [role]});
    let revised =
        json!({"change": "custom_role_permissions", "custom_role_id": role, "permissions": ["invitations_list"]});
    let removed = json!({"change": "custom_role_removed", "custom_role_id": role});
    for order in [[&given, &revised], [&revised, &given]] {
        let gains = of(&simulate(json!(order)).await, a.service).unwrap();
        assert!(names(&gains["gains"]).contains("invitations_list"), "{gains}");
        assert!(!names(&gains["gains"]).contains("members_list"), "{gains}");
    }
    for order in [[&given, &removed], [&removed, &given]] {
        assert!(of(&simulate(json!(order)).await, a.service).is_none());
    }
    // Somebody in a team that gets a role on the way.
    let team = a.owner.post(&inside(a, "teams"), json!({"name": "Night"})).await.expect(201).id_at("/id");
    let joins = json!({"change": "team_member_added", "team_id": team, "account_id": a.member.account});
    let gives = json!({"change": "team_custom_roles", "team_id": team, "custom_role_ids": [role]});
    for order in [[&joins, &gives], [&gives, &joins]] {
        let gains = of(&simulate(json!(order)).await, a.member.account).unwrap();
        assert!(names(&gains["gains"]).contains("members_list"), "{gains}");
    }
    world.close().await;
}

/// Proves AZ-10, AZ-9: what is not there is named, and another organisation's role is not there.
#[tokio::test]
async fn a_custom_role_that_is_not_there_is_named() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let (ours, theirs) = (compose(a, &["members_list"]).await, compose(b, &["members_list"]).await);
    let held = |ids| json!({"change": "member_custom_roles", "account_id": a.member.account, "custom_role_ids": ids});
    let permits = |id, names| json!({"change": "custom_role_permissions", "custom_role_id": id, "permissions": names});
    let cases = [
        (held(json!([ours, theirs])), "custom_role_ids/1", "unknown_custom_role"),
        (permits(theirs, json!(["members_list"])), "custom_role_id", "unknown_custom_role"),
        (permits(ours, json!(["members_list", "fly"])), "permissions/1", "unknown_permission"),
        (permits(ours, json!(["organizations_delete"])), "permissions/0", "unknown_permission"),
        (json!({"change": "custom_role_removed", "custom_role_id": theirs}), "custom_role_id", "unknown_custom_role"),
        (json!({"change": "custom_role_removed"}), "custom_role_id", "required"),
        (json!({"change": "custom_role_permissions", "custom_role_id": ours}), "permissions", "required"),
        (
            json!({"change": "member_role", "account_id": a.member.account, "role": "admin", "permissions": []}),
            "permissions",
            "unexpected",
        ),
    ];
    for (change, field, code) in cases {
        let answer = a.auditor.post("/v1/rbac/simulate", json!({"changes": [change]})).await.expect(422);
        assert_eq!(answer.text_at("/errors/0/pointer"), format!("/changes/0/{field}"), "{change}");
        assert_eq!(answer.text_at("/errors/0/code"), code, "{change}");
    }
    world.close().await;
}
