//! An organisation's own roles: composed of permissions, held beside a role of the installation, by whom and how.

mod authority;
mod collusion;
mod decisions;
mod export;
mod live;
mod ways;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer},
    world::{Person, Tenant, World},
};

/// Something of a tenant's.
fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/{rest}", tenant.id)
}

fn member(tenant: &Tenant, who: &Person) -> String {
    path(tenant, &format!("members/{}", who.membership))
}

/// Composes a role.
async fn compose(by: &Actor, tenant: &Tenant, name: &str, permissions: &[&str]) -> Uuid {
    let body = json!({"name": name, "permissions": permissions});
    by.post(&path(tenant, "roles"), body).await.expect(201).id_at("/id")
}

/// Lets a member hold these roles and no others.
async fn give(by: &Actor, tenant: &Tenant, to: &Person, roles: &[Uuid]) -> Answer {
    by.patch(&member(tenant, to), json!({"custom_role_ids": roles})).await
}

async fn newest_entry(tenant: &Tenant, event: &str) -> Value {
    let found = tenant.owner.get(&path(tenant, &format!("audit?event={event}&limit=1"))).await.expect(200);
    found.items().first().cloned().unwrap_or_else(|| panic!("no {event}: {found}"))
}

/// Proves AZ-10, AZ-3.
#[tokio::test]
async fn a_role_of_permissions_gives_its_holders_these_and_no_more() {
    let world = World::open().await;
    let (a, owner, clerk) = (&world.a, &world.a.owner, &world.a.member);
    clerk.get(&path(a, "members")).await.expect(403).problem("forbidden");
    let role = compose(owner, a, "Clerk", &["members_list", "invitations_create", "members_list"]).await;
    let made = owner.get(&path(a, &format!("roles/{role}"))).await.expect(200);
    assert_eq!(made.json["permissions"], json!(["invitations_create", "members_list"]));
    let created = newest_entry(a, "custom_role.created").await;
    assert_eq!(
        (&created["severity"], &created["metadata"]["permissions"]),
        (&json!("high"), &json!("invitations_create members_list"))
    );

    let given = give(owner, a, clerk, &[role]).await.expect(200);
    assert_eq!(given.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    assert_eq!((given.text_at("/role"), given.json["version"].as_i64()), ("member", Some(2)));
    let entry = newest_entry(a, "member.custom_roles_changed").await;
    assert_eq!(entry["metadata"], json!({"custom_roles_added": role}));
    clerk.get(&path(a, "members")).await.expect(200);
    clerk.post(&path(a, "invitations"), json!({"email": "new@example.com", "role": "member"})).await.expect(201);
    for forbidden in ["teams", "audit", "settings", "invitations", "roles"] {
        clerk.get(&path(a, forbidden)).await.expect(403).problem("forbidden");
    }
    let me = clerk.get("/v1/me").await.expect(200);
    let listed = me.json["operations"].as_array().unwrap();
    assert!(listed.contains(&json!("invitations_create")) && !listed.contains(&json!("invitations_list")), "{me}");
    assert_eq!(me.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    // In another organisation, nothing.
    clerk.get(&path(&world.b, "members")).await.expect(404).problem("not_found");

    // Two roles give what both give; what a change takes away is gone at once.
    let second = compose(owner, a, "Reader", &["audit_list"]).await;
    give(owner, a, clerk, &[second, role]).await.expect(200);
    clerk.get(&path(a, "audit")).await.expect(200);
    let changed = json!({"permissions": ["teams_list"], "description": "Less"});
    owner.patch(&path(a, &format!("roles/{role}")), changed).await.expect(200);
    clerk.get(&path(a, "members")).await.expect(403).problem("forbidden");
    clerk.get(&path(a, "teams")).await.expect(200);
    let entry = newest_entry(a, "custom_role.updated").await;
    let metadata = json!({
        "fields": "description permissions", "added": "teams_list", "removed": "invitations_create members_list",
    });
    assert_eq!(entry["metadata"], metadata);
    give(owner, a, clerk, &[]).await.expect(200);
    clerk.get(&path(a, "teams")).await.expect(403).problem("forbidden");
    clerk.get(&path(a, "audit")).await.expect(403).problem("forbidden");
    world.close().await;
}

/// Proves AZ-10, NET-9.
#[tokio::test]
async fn what_no_role_can_be_is_refused_with_the_reason() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let roles = path(a, "roles");
    let compose = async |body: Value| owner.post(&roles, body).await;
    // Owners', the platform's, services', one's own, and what does not exist.
    for none in ["organizations_delete", "accounts_list", "oauth_introspect", "me_update", "health_get", "nonsense", ""]
    {
        let answer = compose(json!({"name": "X", "permissions": ["members_list", none]})).await.expect(422);
        assert_eq!(answer.faults(), ["/permissions/1"], "{none}: {answer}");
    }
    for (body, at) in [
        (json!({"name": "X", "permissions": []}), "/permissions"),
        (json!({"name": "", "permissions": ["members_list"]}), "/name"),
        (json!({"name": " ", "permissions": ["members_list"]}), "/name"),
        (json!({"name": "X", "permissions": ["members_list"], "level": 9}), "/level"),
        (json!({"name": "X"}), "/permissions"),
    ] {
        assert_eq!(compose(body).await.expect(422).faults(), [at]);
    }
    // Nobody takes it for another: not for one of theirs, nor for one of the installation.
    let taken = format!("RECEPTION of {}", crate::world::CANARY);
    for name in [taken.as_str(), "Owner", "platform_admin", "administrator"] {
        let answer = compose(json!({"name": name, "permissions": ["members_list"]})).await;
        answer.expect(409).problem("custom_role_name_taken");
    }
    compose(json!({"name": format!("Reception of {}", "bravo"), "permissions": ["members_list"]})).await.expect(201);
    let stale = owner.request(reqwest::Method::PATCH, &format!("{roles}/{}", a.custom_role));
    let stale = stale.header("if-match", "\"7\"").json(&json!({"name": "Y"})).send().await;
    stale.expect(412).problem("precondition_failed");
    for to in [json!({"custom_role_ids": [Uuid::nil()]}), json!({"custom_role_ids": [world.b.custom_role]})] {
        assert_eq!(owner.patch(&member(a, &a.member), to.clone()).await.expect(422).faults(), ["/custom_role_ids/0"]);
        let team = path(a, &format!("teams/{}", a.team));
        assert_eq!(owner.patch(&team, to).await.expect(422).faults(), ["/custom_role_ids/0"]);
    }
    // At most a hundred.
    for number in 2..100 {
        compose(json!({"name": format!("Role {number}"), "permissions": ["members_list"]})).await.expect(201);
    }
    compose(json!({"name": "One more", "permissions": ["members_list"]}))
        .await
        .expect(409)
        .problem("too_many_custom_roles");
    assert_eq!(owner.get(&roles).await.expect(200).items().len(), 100);
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn a_role_that_somebody_holds_is_deleted_only_when_they_are_to_lose_it() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let role = compose(owner, a, "Clerk", &["members_list"]).await;
    let one = path(a, &format!("roles/{role}"));
    give(owner, a, &a.member, &[role]).await.expect(200);
    let robot = json!({"name": "Robot", "role": "member", "custom_role_ids": [role]});
    owner.post(&path(a, "service-accounts"), robot).await.expect(201);
    let invite = json!({"email": "new@example.com", "role": "member", "custom_role_ids": [role]});
    owner.post(&path(a, "invitations"), invite).await.expect(201);
    let holders = json!({"members": 1, "teams": 0, "service_accounts": 1, "invitations": 1});
    assert_eq!(owner.get(&one).await.expect(200).json["holders"], holders);
    owner.delete(&one).await.expect(409).problem("custom_role_held");
    owner.delete(&format!("{one}?holders=keep")).await.expect(409).problem("custom_role_held");
    a.member.get(&path(a, "members")).await.expect(200);
    owner.delete(&format!("{one}?holders=release")).await.expect(204);
    a.member.get(&path(a, "members")).await.expect(403).problem("forbidden");
    owner.get(&one).await.expect(404).problem("not_found");
    let entry = newest_entry(a, "custom_role.deleted").await;
    let metadata = json!({"permissions": "members_list", "members": 1, "teams": 0, "service_accounts": 1});
    assert_eq!(entry["metadata"], metadata);
    assert_eq!(owner.get(&member(a, &a.member)).await.expect(200).json["custom_roles"], json!([]));
    world.close().await;
}

/// Proves AZ-10, CON-1.
#[tokio::test]
async fn the_catalogue_says_what_can_be_permitted_and_what_one_can_give_on() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let whole = owner.get(&path(a, "permissions")).await.expect(200);
    let find =
        |answer: &Answer, operation: &str| answer.items().iter().find(|item| item["operation"] == operation).cloned();
    let invite = find(&whole, "invitations_create").unwrap();
    assert_eq!(invite["title"], "Invite a person to this organisation by e-mail");
    assert_eq!(
        (&invite["held_by"], &invite["grantable"]),
        (&json!(["platform_admin", "owner", "admin"]), &json!(true))
    );
    assert_eq!((&invite["reads"], &invite["group"]), (&json!(false), &json!("Invitations")));
    let seen = find(&whole, "members_list").unwrap();
    assert_eq!(seen["held_by"], json!(["platform_admin", "owner", "admin", "manager", "auditor"]));
    assert!(find(&whole, "organizations_delete").is_none() && find(&whole, "me_get").is_none(), "{whole}");
    assert_eq!(find(&whole, "organization_settings_update").unwrap()["reauthentication"], true);
    let role = compose(owner, a, "Clerk", &["invitations_create"]).await;
    give(owner, a, &a.manager, &[role]).await.expect(200);
    let own = a.manager.get(&path(a, "permissions")).await.expect(200);
    for (operation, grantable) in [("members_list", true), ("invitations_create", true), ("audit_list", false)] {
        assert_eq!(find(&own, operation).unwrap()["grantable"], json!(grantable), "{operation}");
    }
    world.close().await;
}
