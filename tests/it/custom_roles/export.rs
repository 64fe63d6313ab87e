//! Custom roles in the exported policy: what it says of them is what the guard answers, as of any moment.

use std::{collections::BTreeSet, ops::Deref};

use freehold::authz::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{compose, give, path};
use crate::{
    coverage::{Stage, operations},
    harness::{Answer, Login},
    rbac::{as_of, export, find, moment},
    world::World,
};

/// The custom roles of a holder, and where each comes from: `direct`, or the team's name.
fn held(answer: &Answer, id: Uuid) -> Vec<(String, String)> {
    let Some(holder) = find(answer, id) else { return Vec::new() };
    let grants = holder["custom_grants"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut held: Vec<_> = grants
        .map(|grant| (text(&grant["custom_role"]), grant["team"].as_str().map_or(text(&grant["via"]), str::to_owned)))
        .collect();
    held.sort();
    held
}

fn role(answer: &Answer, id: Uuid) -> Option<Value> {
    answer.json["custom_roles"].as_array().unwrap().iter().find(|role| role["id"] == json!(id)).cloned()
}

/// What a holder may do with any object, as an auditor works it out from the document alone.
fn permitted(answer: &Answer, id: Uuid) -> BTreeSet<String> {
    let holder = find(answer, id).unwrap();
    let roles: Vec<_> =
        holder["effective_roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
    let rows = answer.json["operations"].as_array().unwrap().iter();
    let by_roles = rows.filter(|row| roles.iter().any(|role| row["decisions"][*role] == "allow"));
    let mut permitted: BTreeSet<_> = by_roles.map(|row| row["operation"].as_str().unwrap().to_owned()).collect();
    for grant in holder["custom_grants"].as_array().unwrap() {
        let id = grant["custom_role_id"].as_str().unwrap().parse().unwrap();
        let role = role(answer, id).unwrap_or_else(|| panic!("{id} is missing"));
        let permissions = role["permissions"].as_array().unwrap().iter();
        permitted.extend(permissions.map(|name| name.as_str().unwrap().to_owned()));
    }
    permitted
}

/// Proves AZ-4, AZ-5, AZ-10: for every operation, of holders of custom roles directly, by a team and as a program.
#[tokio::test]
async fn what_the_export_says_of_custom_roles_is_what_the_guard_answers() {
    let stage = Stage::open().await;
    let (a, owner) = (&stage.a, &stage.a.owner);
    let clerk = ["members_list", "member_attributes_update", "invitations_create", "organization_settings_update"];
    let clerk = compose(owner, a, "Clerk", &clerk).await;
    let reader = compose(owner, a, "Reader", &["audit_list", "events_open", "teams_get"]).await;
    give(owner, a, &a.member, &[clerk]).await.expect(200);
    let team = json!({"name": "Readers", "custom_role_ids": [reader]});
    let team = owner.post(&path(a, "teams"), team).await.expect(201).id_at("/id");
    for person in [&a.member, &a.subject] {
        let place = path(a, &format!("teams/{team}/members/{}", person.membership));
        owner.request(reqwest::Method::PUT, &place).send().await.expect(204);
    }
    let robots = path(a, "service-accounts");
    let body = json!({"name": "Robot", "role": "member", "custom_role_ids": [clerk, reader]});
    let robot = owner.post(&robots, body).await.expect(201).id_at("/id");
    let key = owner.post(&format!("{robots}/{robot}/keys"), json!({"name": "Key"})).await.expect(201);
    let program = stage.server.bearer(key.text_at("/key"));
    let document = export(&a.auditor, a, "").await;
    let people = [
        ("a clerk who reads", a.member.membership, a.member.deref()),
        ("a reader by the team", a.subject.membership, a.subject.deref()),
        ("a program", robot, &program),
    ];
    let mut asked = 0;
    for (who, id, actor) in people {
        let permitted = permitted(&document, id);
        for operation in operations() {
            if !matches!(operation.policy.scope, Scope::Organization | Scope::Current) {
                continue;
            }
            // Somebody else's: what is one's own needs no permission.
            let call = stage.call(operation, &stage.a).id("member_id", a.manager.membership);
            let answer = stage.admits(operation, actor, &call).await;
            let expected = match permitted.contains(&operation.id) {
                true if who == "a program" && answer.problem_code() == Ok("people_only") => (403, "people_only"),
                true => (422, "invalid_request"),
                false => (403, "forbidden"),
            };
            assert_eq!((answer.status, answer.problem_code()), (expected.0, Ok(expected.1)), "{who}: {}", operation.id);
            asked += 1;
        }
    }
    assert!(asked > 200, "only {asked} questions were asked");
    // Of another tenant's nothing.
    let other = export(&stage.b.auditor, &stage.b, "").await;
    assert!(!other.text.contains("Clerk") && !other.text.contains(&clerk.to_string()), "{other}");
    stage.close().await;
}

/// Proves AZ-5, AZ-10.
#[tokio::test]
async fn what_a_role_permitted_and_who_held_it_is_known_as_of_any_moment() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let at_first = moment().await;
    let clerk = compose(owner, a, "Clerk", &["members_list"]).await;
    give(owner, a, &a.member, &[clerk]).await.expect(200);
    let given = moment().await;
    let team = json!({"name": "Front desk", "custom_role_ids": [clerk]});
    let team = owner.post(&path(a, "teams"), team).await.expect(201).id_at("/id");
    let place = path(a, &format!("teams/{team}/members/{}", a.member.membership));
    owner.request(reqwest::Method::PUT, &place).send().await.expect(204);
    let joined = moment().await;
    let one = path(a, &format!("roles/{clerk}"));
    owner.patch(&one, json!({"name": "Porter", "permissions": ["teams_list"]})).await.expect(200);
    let changed = moment().await;
    give(owner, a, &a.member, &[]).await.expect(200);
    let by_team = moment().await;
    owner.delete(&format!("{one}?holders=release")).await.expect(204);
    let gone = moment().await;
    let both = |name: &str| vec![(name.to_owned(), "Front desk".to_owned()), (name.to_owned(), "direct".to_owned())];
    for (at, expected, permissions) in [
        (at_first, vec![], None),
        (given, vec![("Clerk".to_owned(), "direct".to_owned())], Some("members_list")),
        (joined, both("Clerk"), Some("members_list")),
        (changed, both("Porter"), Some("teams_list")),
        (by_team, vec![("Porter".to_owned(), "Front desk".to_owned())], Some("teams_list")),
        (gone, vec![], None),
    ] {
        let then = as_of(&a.auditor, a, at).await;
        assert_eq!(held(&then, a.member.membership), expected, "{at}");
        let role = role(&then, clerk);
        assert_eq!(
            role.as_ref().map(|role| &role["permissions"]),
            permissions.map(|name| json!([name])).as_ref(),
            "{at}"
        );
        if let Some(role) = role {
            assert_eq!((&role["by"]["type"], &role["by"]["id"]), (&json!("account"), &json!(owner.account)));
        }
    }
    let first = as_of(&a.auditor, a, joined).await;
    let grant = &find(&first, a.member.membership).unwrap()["custom_grants"][0];
    assert_eq!((&grant["by"]["type"], &grant["by"]["id"]), (&json!("account"), &json!(owner.account)));
    let sheet = format!("rbac/policies?format=csv&table=holders&as_of={}", crate::rbac::text(joined));
    let sheet = a.auditor.get(&path(a, &sheet)).await.expect(200);
    let lines = sheet.text.lines().filter(|line| line.contains(&format!("{clerk},Clerk,"))).count();
    assert_eq!(lines, 2, "{sheet}");

    let between = format!("rbac/policies/diff?from={}&to={}", crate::rbac::text(at_first), crate::rbac::text(gone));
    let diff = a.auditor.get(&path(a, &between)).await.expect(200);
    let said: Vec<_> = diff
        .items()
        .iter()
        .map(|item| {
            (
                item["type"].as_str().unwrap(),
                item["change"].as_str().unwrap(),
                item["custom_role"].clone(),
                item["permissions"].clone(),
            )
        })
        .collect();
    for expected in [
        ("custom_role", "granted", Value::Null, json!(["members_list"])),
        ("membership_custom_role", "granted", json!("Clerk"), Value::Null),
        ("team_custom_role", "granted", json!("Clerk"), Value::Null),
        ("custom_role", "changed", Value::Null, json!(["teams_list"])),
        ("membership_custom_role", "lost", json!("Porter"), Value::Null),
        ("custom_role", "lost", Value::Null, Value::Null),
    ] {
        assert!(said.contains(&expected), "{expected:?} is not in {said:?}");
    }
    let change = diff.items().iter().find(|item| item["type"] == "custom_role" && item["change"] == "changed").unwrap();
    assert_eq!(change["permissions_before"], json!(["members_list"]));
    assert!(change["audit_entry_id"].is_string(), "{change}");
    world.close().await;
}

/// Proves AZ-5: what triggers keep is what there is.
#[tokio::test]
async fn the_history_of_custom_roles_ends_in_what_is_there() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let clerk = compose(owner, a, "Clerk", &["members_list"]).await;
    let other = compose(owner, a, "Other", &["teams_list"]).await;
    give(owner, a, &a.member, &[clerk, other]).await.expect(200);
    give(owner, a, &a.member, &[other]).await.expect(200);
    give(owner, a, &a.subject, &[clerk]).await.expect(200);
    owner.patch(&path(a, &format!("teams/{}", a.team)), json!({"custom_role_ids": [clerk]})).await.expect(200);
    owner.patch(&path(a, &format!("roles/{other}")), json!({"permissions": ["teams_get"]})).await.expect(200);
    owner.delete(&super::member(a, &a.subject)).await.expect(204);
    let different = "
        WITH latest AS (
            SELECT * FROM (SELECT DISTINCT ON (kind, object_id, custom_role_id) * FROM access_history
                WHERE kind LIKE '%custom_role' ORDER BY kind, object_id, custom_role_id, at DESC, id DESC) h
            WHERE change <> 'ended'
        ), there AS (
            SELECT 'custom_role' AS kind, id, NULL::uuid AS role, permissions, name FROM custom_roles
            UNION ALL SELECT 'membership_custom_role', membership_id, custom_role_id, NULL, NULL FROM custom_role_grants
                WHERE membership_id IS NOT NULL
            UNION ALL SELECT 'team_custom_role', team_id, custom_role_id, NULL, NULL FROM custom_role_grants
                WHERE team_id IS NOT NULL
        )
        SELECT count(*) FROM latest l FULL JOIN there t ON t.kind = l.kind AND t.id = l.object_id
            AND t.role IS NOT DISTINCT FROM l.custom_role_id
        WHERE (l.permissions, l.name) IS DISTINCT FROM (t.permissions, t.name) OR l.id IS NULL OR t.id IS NULL";
    let mut database = world.database.psql(Login::Owner).await;
    assert_eq!(database.number(different).await, 0);
    assert!(database.number("SELECT count(*) FROM access_history WHERE kind LIKE '%custom_role'").await > 8);
    world.close().await;
}
