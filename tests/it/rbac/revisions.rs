//! The revisions of the policy: what was in force since when, through upgrades and back.

use std::path::PathBuf;

use freehold::authz::PolicyFiles;
use serde_json::{Value, json};

use super::{as_of, export, moment, path, text};
use crate::{
    harness::{Login, PATIENCE, Server, eventually, folder},
    world::World,
};

/// A policy by which every member lists the members.
fn open_policy() -> PathBuf {
    let directory = folder("policies");
    let files = PolicyFiles::default();
    let (from, to) =
        ("members_list,organization,members,list,manager", "members_list,organization,members,list,member");
    assert!(files.operations.contains(from));
    std::fs::write(directory.join("operations.csv"), files.operations.replace(from, to)).unwrap();
    std::fs::write(directory.join("roles.csv"), files.roles).unwrap();
    std::fs::write(directory.join("model.conf"), files.model).unwrap();
    directory
}

async fn revisions(world: &World) -> Vec<i64> {
    let mut owner = world.database.psql(Login::Owner).await;
    let rows = owner.rows("SELECT number FROM policy_revisions ORDER BY number").await;
    rows.iter().map(|row| row["number"].as_i64().unwrap()).collect()
}

fn lists_members(map: &Value) -> &Value {
    let all = map["operations"].as_array().unwrap();
    &all.iter().find(|row| row["operation"] == "members_list").unwrap()["decisions"]["member"]
}

/// Proves AZ-5, OPS-9.
#[tokio::test]
async fn another_policy_is_a_revision_and_an_upgrade_is_one_however_often_instances_start() {
    let world = World::open().await;
    let (a, auditor) = (&world.a, &world.a.auditor);
    assert_eq!(revisions(&world).await, [1]);
    let before = moment().await;
    let directory = open_policy();
    let settings = [("FREEHOLD_POLICIES_DIRECTORY", directory.to_str().unwrap())];

    // The new one comes in, and instances of both start again and again.
    let new = Server::configured(&world.database, &settings).await;
    let after = moment().await;
    assert_eq!(revisions(&world).await, [1, 2]);
    let mut psql = world.database.psql(Login::Owner).await;
    let there =
        "SELECT count(*) FROM instances i JOIN policy_revisions r ON r.digest = i.policy_digest WHERE r.number = 2";
    eventually("the new one has said that it is there", PATIENCE, async || {
        (psql.number(there).await == 1).then_some(())
    })
    .await;
    for _ in 0..2 {
        Server::start(&world.database).await.stop().await;
        Server::configured(&world.database, &settings).await.stop().await;
    }
    assert_eq!(revisions(&world).await, [1, 2]);
    let event = "SELECT count(*) FROM audit_entries WHERE event = 'policy.revised' AND severity = 'high'
        AND organization_id = platform_organization() AND metadata->>'revision' = '2'";
    assert_eq!(psql.number(event).await, 1);

    // Each instance exports what it enforces, and both the same past.
    let there = auditor.at_server_of(new.nobody());
    let (old_now, new_now) = (export(auditor, a, "").await, export(&there, a, "").await);
    assert_eq!((lists_members(&old_now.json), lists_members(&new_now.json)), (&json!("deny"), &json!("allow")));
    assert_eq!((&old_now.json["revision"]["number"], &new_now.json["revision"]["number"]), (&json!(1), &json!(2)));
    a.member.at_server_of(new.nobody()).get(&format!("/v1/organizations/{}/members", a.id)).await.expect(200);
    for at in [before, after] {
        let (one, other) = (as_of(auditor, a, at).await, as_of(&there, a, at).await);
        assert_eq!(one.text, other.text);
        assert_eq!(*lists_members(&one.json), if at == before { json!("deny") } else { json!("allow") });
    }
    let query = path(a, &format!("/diff?from={}&to={}", text(before), text(after)));
    let difference = auditor.get(&query).await.expect(200);
    assert_eq!(
        difference.json["operations"],
        json!({"added": [], "removed": [], "changed": [
            {"name": "members_list", "field": "decisions.member", "from": "deny", "to": "allow"},
            {"name": "members_list", "field": "minimum_role", "from": "manager", "to": "member"},
        ]})
    );

    // Back again: when the last instance with the new one has gone, a start says so.
    new.stop().await;
    Server::start(&world.database).await.stop().await;
    assert_eq!(revisions(&world).await, [1, 2, 3]);
    let back = moment().await;
    assert_eq!(*lists_members(&as_of(auditor, a, back).await.json), json!("deny"));
    world.close().await;
}
