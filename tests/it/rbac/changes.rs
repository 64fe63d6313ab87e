//! The difference between two moments: who got or lost what, when, by whom, and where it is recorded.

use serde_json::{Value, json};

use super::{join, make_team, member, moment, path, set_role, text};
use crate::{harness::Answer, world::World};

fn items(answer: &Answer) -> Vec<Value> {
    answer.items().to_vec()
}

/// Proves AZ-5, AUD-2.
#[tokio::test]
async fn the_difference_says_who_got_or_lost_what_when_and_by_whom() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let from = moment().await;
    set_role(&a.admin, a, &a.member, "manager").await;
    let team = make_team(owner, a, "Night shift", "auditor").await;
    join(owner, a, team, &a.member).await;
    let middle = moment().await;
    let teams = format!("/v1/organizations/{}/teams/{team}", a.id);
    owner.patch(&teams, json!({"role": "admin"})).await.expect(200);
    // Another name is no other role.
    owner.patch(&teams, json!({"name": "Day shift"})).await.expect(200);
    owner.patch(&member(a, &a.member), json!({"status": "blocked"})).await.expect(200);
    owner.delete(&member(a, &a.member)).await.expect(204);
    let to = moment().await;
    set_role(owner, a, &a.subject, "manager").await;

    let query = format!("/diff?from={}&to={}", text(from), text(to));
    let answer = a.auditor.get(&path(a, &query)).await.expect(200);
    let short = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {}>{} {}>{}",
            text("change"),
            text("type"),
            text("role_before"),
            text("role"),
            text("status_before"),
            text("status")
        )
    };
    let found: Vec<_> = items(&answer).iter().map(short).collect();
    assert_eq!(
        found,
        [
            "changed membership member>manager active>active",
            "granted team ->auditor ->-",
            "granted team_member ->auditor ->-",
            "changed team auditor>admin ->-",
            "changed membership manager>manager active>blocked",
            "lost membership manager>- blocked>-",
            "lost team_member admin>- ->-",
        ],
        "{answer}"
    );
    let all = items(&answer);
    // By whom, in words and by id, and in which entry of the record.
    assert_eq!(all[0]["by"]["id"], json!(a.admin.account));
    assert!(all[0]["by"]["name"].is_string() && all[0]["name"].is_string(), "{}", all[0]);
    assert_eq!(all[0]["account_id"], json!(a.member.account));
    assert_eq!((&all[2]["account_id"], &all[2]["team"]), (&json!(a.member.account), &json!("Night shift")));
    assert_eq!(all[6]["team"], json!("Day shift"));
    assert_eq!(all[3]["members"], json!(1), "a changed team says how many it is about");
    for (at, event) in [
        (0, "member.role_changed"),
        (1, "team.created"),
        (2, "team.member_added"),
        (3, "team.updated"),
        (4, "member.blocked"),
        (5, "member.removed"),
        (6, "member.removed"),
    ] {
        let entry = all[at]["audit_entry_id"].as_str().unwrap_or_else(|| panic!("no entry: {}", all[at]));
        let entry = a.auditor.get(&format!("/v1/organizations/{}/audit/{entry}", a.id)).await.expect(200);
        assert_eq!((entry.text_at("/event"), &entry.json["request_id"]), (event, &all[at]["request_id"]), "{entry}");
    }

    // Half of the time has half of the changes, and pages are the list.
    let half = format!("/diff?from={}&to={}", text(from), text(middle));
    assert_eq!(items(&a.auditor.get(&path(a, &half)).await.expect(200)), all[..3]);
    let (mut walked, mut next) = (Vec::new(), format!("{query}&limit=2"));
    loop {
        let page = a.auditor.get(&path(a, &next)).await.expect(200);
        walked.extend(items(&page));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        next = format!("{query}&limit=2&cursor={cursor}");
    }
    assert_eq!(walked, all);
    // Nothing of it is another tenant's, and the platform sees it by ids.
    let others = items(&world.b.auditor.get(&path(&world.b, &query)).await.expect(200));
    assert!(others.iter().all(|item| item["organization_id"] == json!(world.b.id)), "{others:?}");
    let all_of_it = format!("/v1/rbac/policies{query}&organization_id={}", a.id);
    let seen = items(&world.platform.get(&all_of_it).await.expect(200));
    assert_eq!(seen.len(), all.len());
    assert!(seen.iter().filter(|item| item["type"] != "team").all(|item| item["name"].is_null()), "{seen:?}");
    world.close().await;
}

/// Proves AZ-5: without a moment to begin at, all is told from the first owner on.
#[tokio::test]
async fn the_history_is_told_from_its_first_owner_on() {
    let world = World::open().await;
    let a = &world.a;
    let all = items(&a.auditor.get(&path(a, "/diff")).await.expect(200));
    let first = &all[0];
    assert_eq!(
        (&first["change"], &first["type"], &first["role"]),
        (&json!("granted"), &json!("membership"), &json!("owner"))
    );
    // Pages of one begin with it too.
    let page = a.auditor.get(&path(a, "/diff?limit=1")).await.expect(200);
    assert_eq!(page.items(), &all[..1]);
    world.close().await;
}

/// Proves AZ-5: nothing changed is nothing different.
#[tokio::test]
async fn between_a_moment_and_itself_nothing_is_different() {
    let world = World::open().await;
    let now = text(moment().await);
    let answer = world.a.auditor.get(&path(&world.a, &format!("/diff?from={now}&to={now}"))).await.expect(200);
    assert_eq!(answer.json["from"], answer.json["to"]);
    for what in ["operations", "roles"] {
        assert_eq!(answer.json[what], json!({"added": [], "removed": [], "changed": []}));
    }
    assert!(answer.items().is_empty());
    world.close().await;
}
