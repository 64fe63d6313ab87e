//! Roles of an organisation's own count in what is explained, simulated and foreseen as they do for the guard.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{effect, inside, of};
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
