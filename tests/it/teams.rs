//! Teams: what a team gives counts at once and everywhere, beside what a person has directly, and ends with it.

mod authority;
mod invitations;
mod lists;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, PASSWORD, Server, eventually},
    world::{Person, Tenant, World},
};

/// How soon another person's session learns of a change (SES-4).
const SECOND: Duration = Duration::from_secs(1);

fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/teams{rest}", tenant.id)
}

fn place(tenant: &Tenant, team: Uuid, who: &Person) -> String {
    path(tenant, &format!("/{team}/members/{}", who.membership))
}

fn member(tenant: &Tenant, who: &Person) -> String {
    format!("/v1/organizations/{}/members/{}", tenant.id, who.membership)
}

/// Makes a team that gives a role, or none.
async fn make(by: &Actor, tenant: &Tenant, name: &str, role: Option<&str>) -> Uuid {
    let mut body = json!({"name": name});
    if let Some(role) = role {
        body["role"] = json!(role);
    }
    by.post(&path(tenant, ""), body).await.expect(201).id_at("/id")
}

async fn add(by: &Actor, tenant: &Tenant, team: Uuid, who: &Person) -> Answer {
    by.request(Method::PUT, &place(tenant, team, who)).send().await
}

async fn set_role(by: &Actor, tenant: &Tenant, team: Uuid, role: Option<&str>) -> Answer {
    by.patch(&path(tenant, &format!("/{team}")), json!({"role": role})).await
}

/// The newest entry of a kind in a tenant's record.
async fn newest_entry(tenant: &Tenant, event: &str) -> Value {
    let path = format!("/v1/organizations/{}/audit?limit=1&event={event}", tenant.id);
    tenant.owner.get(&path).await.expect(200).items().first().unwrap_or_else(|| panic!("no {event}")).clone()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Waits until somebody is answered so, everywhere.
async fn becomes(people: &[&Actor], path: &str, status: u16) {
    for actor in people {
        eventually("the instance knows", SECOND, async || (actor.get(path).await.status == status).then_some(())).await;
    }
}

/// Proves AZ-3, SES-4.
#[tokio::test]
async fn what_a_team_gives_counts_at_once_on_every_instance_and_ends_with_it() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let a = &world.a;
    let (here, there) = (&a.member, a.member.at_server_of(second.nobody()));
    let both: [&Actor; 2] = [here, &there];
    let (people, record) = (format!("/v1/organizations/{}/members", a.id), format!("/v1/organizations/{}/audit", a.id));
    becomes(&both, &people, 403).await;

    // In by a team, up and down with its role.
    let team = make(&a.owner, a, "Shift leads", Some("manager")).await;
    add(&a.owner, a, team, &a.member).await.expect(204);
    becomes(&both, &people, 200).await;
    here.get(&record).await.expect(403).problem("forbidden");
    set_role(&a.owner, a, team, Some("admin")).await.expect(200);
    becomes(&both, &record, 200).await;
    set_role(&a.owner, a, team, Some("manager")).await.expect(200);
    becomes(&both, &record, 403).await;
    here.get(&people).await.expect(200);
    set_role(&a.owner, a, team, None).await.expect(200);
    becomes(&both, &people, 403).await;
    set_role(&a.owner, a, team, Some("manager")).await.expect(200);
    becomes(&both, &people, 200).await;

    // Out of the team, and the team itself gone.
    a.owner.delete(&place(a, team, &a.member)).await.expect(204);
    becomes(&both, &people, 403).await;
    add(&a.owner, a, team, &a.member).await.expect(204);
    becomes(&both, &people, 200).await;
    a.owner.delete(&path(a, &format!("/{team}"))).await.expect(204);
    becomes(&both, &people, 403).await;
    assert_eq!(a.owner.get(&member(a, &a.member)).await.expect(200).json["effective_roles"], json!(["member"]));
    second.stop().await;
    world.close().await;
}

/// Proves AZ-3.
#[tokio::test]
async fn the_highest_role_counts_and_everybody_is_told_where_it_comes_from() {
    let world = World::open().await;
    let a = &world.a;
    let low = make(&a.owner, a, "Newcomers", Some("member")).await;
    let high = make(&a.owner, a, "Back office", Some("admin")).await;
    let none = make(&a.owner, a, "Choir", None).await;
    for team in [low, high, none] {
        add(&a.owner, a, team, &a.manager).await.expect(204);
    }
    eventually("an administrator", SECOND, async || {
        let me = a.manager.get("/v1/me").await.expect(200);
        (me.json["effective_roles"] == json!(["admin"])).then_some(())
    })
    .await;
    let teams = json!([
        {"id": high, "name": "Back office", "role": "admin"},
        {"id": none, "name": "Choir"},
        {"id": low, "name": "Newcomers", "role": "member"},
    ]);
    let me = a.manager.get("/v1/me").await.expect(200);
    assert_eq!((me.text_at("/role"), &me.json["teams"]), ("manager", &teams));
    assert!(me.json["operations"].as_array().unwrap().contains(&json!("teams_create")), "{me}");
    let own = &me.json["organizations"][0];
    assert_eq!((&own["role"], &own["effective_roles"]), (&json!("manager"), &json!(["admin"])));
    let seen = a.owner.get(&member(a, &a.manager)).await.expect(200);
    assert_eq!((seen.text_at("/role"), &seen.json["teams"]), ("manager", &teams));
    assert_eq!(seen.json["effective_roles"], json!(["admin"]));

    // The next access token says so to the product's own services.
    let carry_on = json!({"refresh_token": a.manager.refresh_token});
    let renewed = world.server.nobody().post("/v1/sessions/refresh", carry_on).await.expect(200);
    assert_eq!(claims(renewed.text_at("/access_token"))["role"], "admin");
    world.close().await;
}

/// Proves AZ-3.
#[tokio::test]
async fn roles_beside_each_other_give_what_both_give() {
    let world = World::open().await;
    let a = &world.a;
    let record = format!("/v1/organizations/{}/audit", a.id);
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    let team = make(&a.owner, a, "Examiners", Some("auditor")).await;
    add(&a.owner, a, team, &a.manager).await.expect(204);
    becomes(&[&a.manager], &record, 200).await;
    let me = a.manager.get("/v1/me").await.expect(200);
    assert_eq!(me.json["effective_roles"], json!(["manager", "auditor"]));
    for operation in ["audit_list", "members_list", "members_remove"] {
        assert!(me.json["operations"].as_array().unwrap().contains(&json!(operation)), "no {operation}");
    }
    // Reading like an administrator is not acting like one.
    let invite = json!({"email": "new@example.com", "role": "member"});
    a.manager.post(&invitations, invite).await.expect(403).problem("forbidden");
    a.owner.delete(&place(a, team, &a.manager)).await.expect(204);
    becomes(&[&a.manager], &record, 403).await;
    world.close().await;
}

/// Proves AZ-3.
#[tokio::test]
async fn who_leaves_the_organisation_leaves_its_teams() {
    let world = World::open().await;
    let a = &world.a;
    let team = path(a, &format!("/{}", a.team));
    assert_eq!(a.owner.get(&team).await.expect(200).json["member_count"], 1);
    a.owner.delete(&member(a, &a.subject)).await.expect(204);
    assert_eq!(a.owner.get(&team).await.expect(200).json["member_count"], 0);
    assert_eq!(newest_entry(a, "member.removed").await["metadata"]["teams"], a.team.to_string());
    // Invited again, they are in no team.
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    a.owner.post(&invitations, json!({"email": a.subject.email, "role": "member"})).await.expect(201);
    let token = world.database.mail().take_token(&a.subject.email).await;
    let accept = json!({"token": token, "password": PASSWORD, "token_delivery": "body"});
    let answer = world.server.nobody().post("/v1/invitations/accept", accept).await.expect(201);
    let me = world.server.bearer(answer.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!(me.json["teams"], json!([]));
    world.close().await;
}

/// Proves AZ-3.
#[tokio::test]
async fn a_blocked_member_gets_nothing_by_a_team() {
    let world = World::open().await;
    let a = &world.a;
    let team = make(&a.owner, a, "Back office", Some("admin")).await;
    add(&a.owner, a, team, &a.blocked).await.expect(204);
    a.blocked.get(&format!("/v1/organizations/{}", a.id)).await.expect(404).problem("not_found");
    let me = a.blocked.get("/v1/me").await.expect(200);
    assert_eq!((&me.json["teams"], &me.json["effective_roles"]), (&json!([]), &json!([])));
    world.close().await;
}
