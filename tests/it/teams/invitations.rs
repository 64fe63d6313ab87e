//! Invitations into teams: the invited person is in them from the first moment, if the inviter could still put them
//! there.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{add, becomes, claims, make, member, newest_entry, path, place, set_role};
use crate::{
    harness::{Login, PASSWORD},
    world::{Tenant, World},
};

const LOOKUP: &str = "/v1/invitations/lookup";
const ACCEPT: &str = "/v1/invitations/accept";

fn invitations(tenant: &Tenant) -> String {
    format!("/v1/organizations/{}/invitations", tenant.id)
}

fn into(email: &str, teams: &[Uuid]) -> Value {
    json!({"email": email, "role": "member", "team_ids": teams})
}

fn new_account(token: &str) -> Value {
    json!({"token": token, "name": "New", "password": PASSWORD, "token_delivery": "body"})
}

/// Proves AUT-4, AZ-3.
#[tokio::test]
async fn a_new_account_is_in_its_teams_from_the_first_moment() {
    let world = World::open().await;
    let a = &world.a;
    let leads = make(&a.owner, a, "Shift leads", Some("manager")).await;
    let choir = make(&a.owner, a, "Choir", None).await;
    // Twice the same team is the team once.
    let made = a.admin.post(&invitations(a), into("new@example.com", &[leads, choir, leads])).await.expect(201);
    let teams = json!([
        {"id": choir, "name": "Choir"}, {"id": leads, "name": "Shift leads", "role": "manager"},
    ]);
    assert_eq!(made.json["teams"], teams);
    let listed = a.manager.get(&invitations(a)).await.expect(200);
    assert_eq!(listed.json["items"][0]["teams"], teams);
    // The first letter has left: sending again would withdraw it.
    world.database.mail().take("new@example.com").await;
    let resent = a.admin.post_nothing(&format!("{}/{}/resend", invitations(a), made.text_at("/id"))).await.expect(200);
    assert_eq!(resent.json["teams"], teams);
    let token = world.database.mail().take_token("new@example.com").await;
    let preview = world.server.nobody().post(LOOKUP, json!({"token": token})).await.expect(200);
    assert_eq!(preview.json["teams"], json!(["Choir", "Shift leads"]));

    let accepted = world.server.nobody().post(ACCEPT, new_account(&token)).await.expect(201);
    assert_eq!(claims(accepted.text_at("/access_token"))["role"], "manager");
    let me = world.server.bearer(accepted.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!((me.text_at("/role"), &me.json["teams"]), ("member", &teams));
    assert_eq!(me.json["effective_roles"], json!(["manager"]));
    let entry = newest_entry(a, "team.member_added").await;
    assert_eq!(entry["metadata"]["member"], me.json["member_id"]);
    assert_eq!(entry["actor"]["id"], me.json["account"]["id"]);
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn who_has_an_account_joins_the_teams_too() {
    let world = World::open().await;
    let a = &world.a;
    let made = a.owner.post(&invitations(a), into(&world.b.member.email, &[a.team])).await.expect(201);
    assert_eq!(made.json["teams"][0]["id"], a.team.to_string());
    let token = world.database.mail().take_token(&world.b.member.email).await;
    let joined = world.b.member.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
    assert_eq!(joined.json["teams"][0]["id"], a.team.to_string());
    let inside = a.owner.get(&path(a, &format!("/{}/members", a.team))).await.expect(200);
    assert!(inside.items().iter().any(|item| item["id"] == joined.json["id"]), "{inside}");
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn teams_that_are_none_of_this_organisations_are_named() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let wanted = into("new@example.com", &[b.team, a.team, Uuid::from_u128(7)]);
    let refused = a.owner.post(&invitations(a), wanted.clone()).await.expect(422);
    assert_eq!(refused.problem("invalid_request").faults(), ["/team_ids/0", "/team_ids/2"]);
    let lines = [into("one@example.com", &[a.team]), wanted];
    let bulk = format!("{}/bulk", invitations(a));
    let answer = a.owner.post(&bulk, json!({"invitations": lines})).await.expect(200);
    assert_eq!(answer.json["results"][0]["invitation"]["teams"][0]["id"], a.team.to_string());
    let error = &answer.json["results"][1]["error"];
    let detail = "team_ids/0 is not a team of this organisation; team_ids/2 is not a team of this organisation";
    assert_eq!((&error["code"], &error["detail"]), (&json!("invalid_request"), &json!(detail)));
    assert_eq!(world.database.mail().count("new@example.com").await, 0);
    world.close().await;
}

/// Proves AUT-4, AZ-8.
#[tokio::test]
async fn an_invitation_into_a_team_does_not_outlive_its_inviters_authority() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let deputies = make(&a.owner, a, "Deputies", Some("admin")).await;
    let choir = make(&a.owner, a, "Choir", None).await;
    add(&a.owner, a, deputies, &a.manager).await.expect(204);
    becomes(&[&a.manager], &format!("/v1/organizations/{}/audit", a.id), 200).await;
    a.manager.post(&invitations(a), into("late@example.com", &[choir])).await.expect(201);
    let token = world.database.mail().take_token("late@example.com").await;
    let is_valid = async |valid: bool| {
        let answer = nobody.post(LOOKUP, json!({"token": token})).await;
        if valid {
            answer.expect(200)
        } else {
            answer.expect(404).problem("invitation_not_valid")
        };
    };
    is_valid(true).await;
    // The team gets a role that the inviter holds by their team only, and then they leave it.
    set_role(&a.owner, a, choir, Some("admin")).await.expect(200);
    is_valid(true).await;
    a.owner.delete(&place(a, deputies, &a.manager)).await.expect(204);
    is_valid(false).await;
    nobody.post(ACCEPT, new_account(&token)).await.expect(404).problem("invitation_not_valid");
    set_role(&a.owner, a, choir, Some("manager")).await.expect(200);
    is_valid(true).await;
    // A team that has gone meanwhile is left out.
    a.owner.delete(&path(a, &format!("/{choir}"))).await.expect(204);
    let accepted = nobody.post(ACCEPT, new_account(&token)).await.expect(201);
    let me = world.server.bearer(accepted.text_at("/access_token")).get("/v1/me").await.expect(200);
    assert_eq!((&me.json["teams"], &me.json["effective_roles"]), (&json!([]), &json!(["member"])));
    let mut psql = world.database.psql(Login::Owner).await;
    let left = format!("SELECT count(*) FROM invitation_teams WHERE team_id = '{choir}'");
    assert_eq!(psql.number(&left).await, 0);
    a.owner.get(&member(a, &a.manager)).await.expect(200);
    world.close().await;
}
