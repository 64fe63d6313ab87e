//! Every way to hold a custom role: by a team, by an invitation, as a program, by an import.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;

use super::{compose, give, path};
use crate::{
    harness::{PASSWORD, PATIENCE, eventually},
    world::World,
};

/// Proves AZ-3, AZ-10.
#[tokio::test]
async fn a_team_gives_its_roles_as_long_as_one_is_in_it() {
    let world = World::open().await;
    let (a, owner, clerk) = (&world.a, &world.a.owner, &world.a.member);
    let role = compose(owner, a, "Clerk", &["members_list"]).await;
    let team = json!({"name": "Front desk", "custom_role_ids": [role]});
    let team = owner.post(&path(a, "teams"), team).await.expect(201);
    assert_eq!(team.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    let team = team.id_at("/id");
    let one = path(a, &format!("teams/{team}"));
    let place = format!("{one}/members/{}", clerk.membership);
    owner.request(Method::PUT, &place).send().await.expect(204);
    clerk.get(&path(a, "members")).await.expect(200);
    let me = clerk.get("/v1/me").await.expect(200);
    assert_eq!(me.json["custom_roles"], json!([{"id": role, "name": "Clerk", "team_id": team}]));
    owner.patch(&one, json!({"custom_role_ids": []})).await.expect(200);
    clerk.get(&path(a, "members")).await.expect(403).problem("forbidden");
    owner.patch(&one, json!({"custom_role_ids": [role]})).await.expect(200);
    clerk.get(&path(a, "members")).await.expect(200);
    owner.delete(&place).await.expect(204);
    clerk.get(&path(a, "members")).await.expect(403).problem("forbidden");
    owner.request(Method::PUT, &place).send().await.expect(204);
    owner.delete(&one).await.expect(204);
    clerk.get(&path(a, "members")).await.expect(403).problem("forbidden");
    world.close().await;
}

/// Proves AZ-10, AUT-4.
#[tokio::test]
async fn whoever_accepts_an_invitation_holds_the_roles_that_it_names() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let role = compose(owner, a, "Clerk", &["members_list"]).await;
    let invite = json!({"email": "new@example.com", "role": "member", "custom_role_ids": [role]});
    let made = owner.post(&path(a, "invitations"), invite).await.expect(201);
    assert_eq!(made.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    let token = world.database.mail().take_token("new@example.com").await;
    let seen = world.server.nobody().post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    assert_eq!(seen.json["custom_roles"], json!(["Clerk"]));
    let accept = json!({"token": token, "name": "New", "password": PASSWORD, "token_delivery": "body"});
    let new = world.server.nobody().post("/v1/invitations/accept", accept).await.expect(201);
    let new = world.server.bearer(new.text_at("/access_token"));
    new.get(&path(a, "members")).await.expect(200);
    assert_eq!(new.get("/v1/me").await.expect(200).json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));

    // Whoever has an account already joins with it, and gets the same.
    let guest = json!({"email": world.b.member.email, "role": "member", "custom_role_ids": [role]});
    owner.post(&path(a, "invitations"), guest).await.expect(201);
    let token = world.database.mail().take_token(&world.b.member.email).await;
    let joined = world.b.member.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
    assert_eq!(joined.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    world.close().await;
}

/// Proves AZ-10, SES-6.
#[tokio::test]
async fn a_program_may_what_its_roles_permit() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let role = compose(owner, a, "Clerk", &["members_list", "members_export"]).await;
    let robots = path(a, "service-accounts");
    let body = json!({"name": "Robot", "role": "member", "custom_role_ids": [role]});
    let robot = owner.post(&robots, body).await.expect(201);
    assert_eq!(robot.json["custom_roles"], json!([{"id": role, "name": "Clerk"}]));
    let one = format!("{robots}/{}", robot.id_at("/id"));
    let key = owner.post(&format!("{one}/keys"), json!({"name": "Key"})).await.expect(201);
    let program = world.server.bearer(key.text_at("/key"));
    program.get(&path(a, "members")).await.expect(200);
    program.get(&path(a, "teams")).await.expect(403).problem("forbidden");
    // What asks for a proof of who somebody is, no role lets a program do.
    program.post(&path(a, "members/export"), json!({"format": "csv"})).await.expect(403).problem("people_only");
    owner.patch(&one, json!({"custom_role_ids": []})).await.expect(200);
    program.get(&path(a, "members")).await.expect(403).problem("forbidden");
    owner.patch(&one, json!({"custom_role_ids": [role]})).await.expect(200);
    program.get(&path(a, "members")).await.expect(200);
    owner.patch(&path(a, &format!("roles/{role}")), json!({"permissions": ["teams_list"]})).await.expect(200);
    program.get(&path(a, "members")).await.expect(403).problem("forbidden");
    program.get(&path(a, "teams")).await.expect(200);
    world.close().await;
}

/// Proves AZ-8, AZ-10, AUT-9.
#[tokio::test]
async fn an_import_gives_the_roles_that_its_lines_name_by_the_rules_of_whoever_started_it() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let clerk = compose(owner, a, "Clerk", &["members_list"]).await;
    compose(owner, a, "Auditing clerk", &["audit_list"]).await;
    // A member who may import and see members, and nothing of the record.
    let importer = ["imports_create", "imports_start", "imports_get", "import_lines_list", "members_list"];
    let importer = compose(owner, a, "Importer", &importer).await;
    give(owner, a, &a.member, &[importer]).await.expect(200);
    let file =
        "email,custom_roles\none@example.com,Clerk\ntwo@example.com,Clerk|auditing CLERK\nthree@example.com,Nobody\n";
    let body = json!({"format": "csv", "content": STANDARD.encode(file)});
    let import = a.member.post(&path(a, "imports"), body).await.expect(201).id_at("/id");
    let one = path(a, &format!("imports/{import}"));
    a.member.post(&format!("{one}/start"), json!({"dry_run": false})).await.expect(200);
    eventually("the file is worked off", PATIENCE, async || {
        (a.member.get(&one).await.expect(200).json["state"] == "finished").then_some(())
    })
    .await;
    let lines = a.member.get(&format!("{one}/lines")).await.expect(200);
    let said = |line: i64| {
        let found = lines.items().iter().find(|item| item["line"] == line).unwrap_or_else(|| panic!("{lines}"));
        (found["outcome"].clone(), found["code"].clone(), found["field"].clone())
    };
    assert_eq!(said(3), (json!("refused"), json!("role_above_own"), json!("role")));
    assert_eq!(said(4), (json!("refused"), json!("unknown_custom_role"), json!("custom_roles")));
    let invited = owner.get(&path(a, "invitations?status=pending")).await.expect(200);
    let invited = invited.items().iter().find(|item| item["email"] == "one@example.com").unwrap().clone();
    assert_eq!(invited["custom_roles"], json!([{"id": clerk, "name": "Clerk"}]));
    world.close().await;
}
