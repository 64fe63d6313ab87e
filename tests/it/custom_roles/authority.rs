//! What one gives on is a subset of what one holds, by whatever way; and nobody raises themselves by a custom role.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{compose, give, member, newest_entry, path};
use crate::{
    harness::{Answer, Login, PASSWORD, eventually},
    world::{Person, World},
};

/// Whoever runs the people of an organisation, without being its administrator.
pub const STEWARD: &[&str] = &[
    "members_list",
    "members_get",
    "members_update",
    "members_remove",
    "member_sessions_end_all",
    "teams_list",
    "teams_create",
    "teams_update",
    "teams_delete",
    "team_members_add",
    "team_members_remove",
    "service_accounts_create",
    "service_accounts_update",
    "service_accounts_disable",
    "service_accounts_delete",
    "api_keys_create",
    "invitations_create",
    "invitations_create_bulk",
    "invitations_resend",
    "invitations_revoke",
    "custom_roles_list",
    "custom_roles_create",
    "custom_roles_update",
    "custom_roles_delete",
];

/// A world in which a plain member is a steward; with the role.
async fn stewarded() -> (World, Uuid) {
    let world = World::open().await;
    let role = compose(&world.a.owner, &world.a, "Steward", STEWARD).await;
    give(&world.a.owner, &world.a, &world.a.member, &[role]).await.expect(200);
    (world, role)
}

fn above(answer: &Answer) {
    assert_eq!((answer.status, answer.problem_code()), (403, Ok("role_above_own")), "{answer}");
}

fn own(answer: &Answer) {
    assert_eq!((answer.status, answer.problem_code()), (403, Ok("own_role")), "{answer}");
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_composes_changes_or_deletes_a_role_with_a_permission_that_they_do_not_hold() {
    let (world, _) = stewarded().await;
    let (a, steward) = (&world.a, &world.a.member);
    let roles = path(a, "roles");
    above(&steward.post(&roles, json!({"name": "Spy", "permissions": ["members_list", "audit_list"]})).await);
    let entry = newest_entry(a, "custom_role.change_refused").await;
    assert_eq!((&entry["outcome"], &entry["metadata"]["code"]), (&json!("refused"), &json!("role_above_own")));
    let below = compose(steward, a, "Below", &["members_list"]).await;
    let one = format!("{roles}/{below}");
    above(&steward.patch(&one, json!({"permissions": ["members_list", "audit_list"]})).await);
    let beyond = compose(&a.owner, a, "Beyond", &["audit_list"]).await;
    let other = format!("{roles}/{beyond}");
    above(&steward.patch(&other, json!({"permissions": ["members_list"]})).await);
    above(&steward.patch(&other, json!({"name": "Mine"})).await);
    above(&steward.delete(&other).await);
    steward.patch(&one, json!({"permissions": ["members_list", "teams_list"]})).await.expect(200);
    steward.delete(&one).await.expect(204);
    // An administrator holds all of it.
    a.admin.patch(&other, json!({"permissions": ["members_list"]})).await.expect(200);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_gives_a_role_with_a_permission_that_they_do_not_hold_by_any_way() {
    let (world, stewardship) = stewarded().await;
    let (a, steward) = (&world.a, &world.a.member);
    let spy = compose(&a.owner, a, "Spy", &["audit_list"]).await;
    let spies = json!({"custom_role_ids": [spy]});
    let with = |mut body: Value| {
        body["custom_role_ids"] = json!([spy]);
        body
    };
    // Members, teams, programs, invitations, one by one and many together.
    above(&steward.patch(&member(a, &a.subject), spies.clone()).await);
    above(&steward.post(&path(a, "teams"), with(json!({"name": "Spies"}))).await);
    above(&steward.patch(&path(a, &format!("teams/{}", a.team)), spies.clone()).await);
    above(&steward.post(&path(a, "service-accounts"), with(json!({"name": "Eye", "role": "member"}))).await);
    above(&steward.patch(&path(a, &format!("service-accounts/{}", a.service)), spies.clone()).await);
    above(&steward.post(&path(a, "invitations"), with(json!({"email": "x@example.com", "role": "member"}))).await);
    let bulk = json!({"invitations": [with(json!({"email": "x@example.com", "role": "member"}))]});
    let bulk = steward.post(&path(a, "invitations/bulk"), bulk).await.expect(200);
    assert_eq!(bulk.json["results"][0]["error"]["code"], "role_above_own");
    // Nor the roles of the installation, which they hold as little.
    above(&steward.patch(&member(a, &a.subject), json!({"role": "manager"})).await);
    above(&steward.post(&path(a, "service-accounts"), json!({"name": "Eye", "role": "auditor"})).await);

    // Nor is what has it within their reach: no team into which they could let somebody, no program to give a key to.
    let team = a.owner.post(&path(a, "teams"), with(json!({"name": "Spies"}))).await.expect(201).id_at("/id");
    let team = path(a, &format!("teams/{team}"));
    let place = |who: &Person| format!("{team}/members/{}", who.membership);
    above(&steward.request(Method::PUT, &place(&a.subject)).send().await);
    above(&steward.request(Method::PUT, &place(steward)).send().await);
    above(&steward.patch(&team, json!({"name": "Friends"})).await);
    above(&steward.delete(&team).await);
    let invite = json!({"email": "y@example.com", "role": "member", "team_ids": [team.rsplit('/').next()]});
    above(&steward.post(&path(a, "invitations"), invite).await);
    let robot = with(json!({"name": "Robot", "role": "member"}));
    let robot = a.owner.post(&path(a, "service-accounts"), robot).await.expect(201).id_at("/id");
    let robot = path(a, &format!("service-accounts/{robot}"));
    above(&steward.post(&format!("{robot}/keys"), json!({"name": "Mine"})).await);
    above(&steward.patch(&robot, json!({"custom_role_ids": []})).await);
    above(&steward.post_nothing(&format!("{robot}/disable")).await);
    let pending = with(json!({"email": "z@example.com", "role": "member"}));
    let pending = a.owner.post(&path(a, "invitations"), pending).await.expect(201).id_at("/id");
    above(&steward.post_nothing(&path(a, &format!("invitations/{pending}/resend"))).await);
    above(&steward.delete(&path(a, &format!("invitations/{pending}"))).await);

    // Nor a person who has it, whatever their role.
    give(&a.owner, a, &a.subject, &[spy]).await.expect(200);
    above(&steward.patch(&member(a, &a.subject), json!({"status": "blocked"})).await);
    above(&give(steward, a, &a.subject, &[]).await);
    above(&steward.delete(&path(a, &format!("members/{}/sessions", a.subject.membership))).await);
    above(&steward.delete(&member(a, &a.subject)).await);
    above(&give(steward, a, &a.owner, &[stewardship]).await);

    // What they hold they give on, by all of these ways.
    let helper = compose(steward, a, "Helper", &["members_list"]).await;
    give(&a.owner, a, &a.subject, &[]).await.expect(200);
    give(steward, a, &a.subject, &[helper]).await.expect(200);
    let body = json!({"name": "Helpers", "custom_role_ids": [helper]});
    steward.post(&path(a, "teams"), body).await.expect(201);
    let body = json!({"name": "Helper", "role": "member", "custom_role_ids": [helper]});
    steward.post(&path(a, "service-accounts"), body).await.expect(201);
    let body = json!({"email": "x@example.com", "role": "member", "custom_role_ids": [helper]});
    steward.post(&path(a, "invitations"), body).await.expect(201);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_raises_themselves_by_a_custom_role_or_keeps_what_is_others_to_take_away() {
    let (world, stewardship) = stewarded().await;
    let (a, steward) = (&world.a, &world.a.member);
    // Not by a role beside the one that they hold, not by changing that one, not by a team.
    let copy = compose(steward, a, "Copy", &["members_list", "members_update"]).await;
    own(&give(steward, a, steward, &[stewardship, copy]).await);
    own(&steward.patch(&member(a, steward), json!({"role": "manager"})).await);
    let more: Vec<_> = STEWARD.iter().copied().chain(["audit_list"]).collect();
    above(&steward.patch(&path(a, &format!("roles/{stewardship}")), json!({"permissions": more})).await);
    let team = steward.post(&path(a, "teams"), json!({"name": "Us", "custom_role_ids": [copy]})).await.expect(201);
    let team = path(a, &format!("teams/{}", team.id_at("/id")));
    let place = format!("{team}/members/{}", steward.membership);
    own(&steward.request(Method::PUT, &place).send().await);
    let empty = steward.post(&path(a, "teams"), json!({"name": "Them"})).await.expect(201).id_at("/id");
    let empty = path(a, &format!("teams/{empty}"));
    steward.request(Method::PUT, &format!("{empty}/members/{}", steward.membership)).send().await.expect(204);
    own(&steward.patch(&empty, json!({"custom_role_ids": [copy]})).await);

    // A role that they hold by a team gets nothing that they only hold by others.
    let small = compose(&a.owner, a, "Small", &["members_list"]).await;
    a.owner.patch(&empty, json!({"custom_role_ids": [small]})).await.expect(200);
    let small = path(a, &format!("roles/{small}"));
    own(&steward.patch(&small, json!({"permissions": ["members_list", "members_update"]})).await);
    let entry = newest_entry(a, "custom_role.change_refused").await;
    assert_eq!(entry["metadata"]["code"], "own_role");

    // What is given up is gone.
    steward
        .patch(&path(a, &format!("roles/{stewardship}")), json!({"permissions": ["members_update"]}))
        .await
        .expect(200);
    own(&give(steward, a, steward, &[stewardship, copy]).await);
    give(steward, a, steward, &[]).await.expect(200);
    steward.patch(&member(a, &a.subject), json!({"status": "blocked"})).await.expect(403).problem("forbidden");
    // An administrator gets nothing by it, and so may.
    give(&a.admin, a, &a.admin, &[copy]).await.expect(200);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn an_invitation_is_worth_what_its_inviter_could_give_when_it_is_accepted() {
    let (world, stewardship) = stewarded().await;
    let (a, steward) = (&world.a, &world.a.member);
    let helper = compose(steward, a, "Helper", &["members_list"]).await;
    let invite = |email: &str| json!({"email": email, "role": "member", "custom_role_ids": [helper]});
    let accept = async |email: &str| {
        let token = world.database.mail().take_token(email).await;
        let body = json!({"token": token, "name": "New", "password": PASSWORD, "token_delivery": "body"});
        world.server.nobody().post("/v1/invitations/accept", body).await
    };
    // The role has grown meanwhile beyond what the inviter has.
    steward.post(&path(a, "invitations"), invite("one@example.com")).await.expect(201);
    let role = path(a, &format!("roles/{helper}"));
    a.owner.patch(&role, json!({"permissions": ["members_list", "audit_list"]})).await.expect(200);
    accept("one@example.com").await.expect(404).problem("invitation_not_valid");
    a.owner.patch(&role, json!({"permissions": ["members_list"]})).await.expect(200);
    steward.post(&path(a, "invitations"), invite("two@example.com")).await.expect(201);
    accept("two@example.com").await.expect(201);
    // The inviter has lost what they gave.
    steward.post(&path(a, "invitations"), invite("three@example.com")).await.expect(201);
    let less: Vec<_> = STEWARD.iter().copied().filter(|name| *name != "members_list").collect();
    a.owner.patch(&path(a, &format!("roles/{stewardship}")), json!({"permissions": less})).await.expect(200);
    accept("three@example.com").await.expect(404).problem("invitation_not_valid");
    world.close().await;
}

/// Proves AZ-8: however many are at it at once.
#[tokio::test]
async fn of_the_last_owners_one_stays_whatever_they_do_to_each_other_at_the_same_moment() {
    let world = World::open().await;
    let (a, first) = (&world.a, &world.a.owner);
    for round in 0..6 {
        let second = &a.admin;
        first.patch(&member(a, second), json!({"role": "owner"})).await.expect(200);
        let (demote, block) = (json!({"role": "member"}), json!({"status": "blocked"}));
        let (of_first, of_second) = (member(a, first), member(a, second));
        let (one, other) = match round % 3 {
            0 => tokio::join!(first.patch(&of_second, demote.clone()), second.patch(&of_first, demote)),
            1 => tokio::join!(first.patch(&of_first, demote.clone()), second.patch(&of_second, demote)),
            _ => tokio::join!(first.patch(&of_second, block.clone()), second.patch(&of_first, block)),
        };
        let done = [&one, &other].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "round {round}: {one} and {other}");
        let mut database = world.database.psql(Login::Owner).await;
        let owners = format!(
            "SELECT count(*) FROM memberships WHERE organization_id = '{}' AND role = 'owner' AND status = 'active'",
            a.id
        );
        assert_eq!(database.number(&owners).await, 1, "round {round}");
        // Put back by hand, so that the next round begins alike.
        let back = format!(
            "UPDATE memberships SET status = 'active', role = CASE id WHEN '{}' THEN 'owner' ELSE 'admin' END
             WHERE id IN ('{}', '{}')",
            first.membership, first.membership, second.membership
        );
        database.run(&back).await.unwrap();
        eventually("the server knows", Duration::from_secs(3), async || {
            let role = async |who: &Person| who.get("/v1/me").await.json["effective_roles"].clone();
            (role(first).await == json!(["owner"]) && role(second).await == json!(["admin"])).then_some(())
        })
        .await;
    }
    world.close().await;
}
