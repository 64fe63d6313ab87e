//! What other rules of the policy would do everywhere, in numbers and without names.

use serde_json::{Value, json};
use uuid::Uuid;

use super::inside;
use crate::{
    harness::{Actor, Answer},
    world::World,
};

async fn foresee(by: &Actor, changes: Value) -> Answer {
    by.post("/v1/rbac/policies/simulate", json!({"changes": changes})).await
}

fn of(answer: &Answer, organization: Uuid, operation: &str) -> Option<Value> {
    let tenant = answer.items().iter().find(|item| item["organization_id"] == json!(organization))?;
    tenant["operations"].as_array().unwrap().iter().find(|one| one["operation"] == operation).cloned()
}

/// Proves AZ-2, AZ-10.
#[tokio::test]
async fn the_platform_foresees_what_other_rules_would_do_and_to_nobody_by_name() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let teams = inside(a, "teams");
    for _ in 0..2 {
        a.manager.get(&teams).await.expect(200);
        a.member.get(&teams).await.expect(403);
    }
    world.server.flush_decisions().await;
    // Managers lose it, auditors read what administrators read.
    let higher =
        foresee(&world.platform, json!([{"operation": "teams_list", "minimum_role": "admin"}])).await.expect(200);
    let shift = of(&higher, a.id, "teams_list").unwrap();
    assert_eq!(
        (&shift["losing"], &shift["gaining"], &shift["services_losing"]),
        (&json!(1), &json!(0), &json!(0)),
        "{shift}"
    );
    assert_eq!((&shift["losing_what_they_use"], &shift["uses_lost"]), (&json!(1), &json!(2)), "{shift}");
    assert_eq!(of(&higher, b.id, "teams_list").unwrap()["uses_lost"], 0);
    for secret in [&a.manager.email, &a.manager.account.to_string(), &a.manager.membership.to_string()] {
        assert!(!higher.text.contains(secret.as_str()), "{secret} is in {higher}");
    }
    // Lower lets in members and the program; the platform's own organisation has nobody below.
    let lower =
        foresee(&world.platform, json!([{"operation": "teams_list", "minimum_role": "member"}])).await.expect(200);
    let shift = of(&lower, a.id, "teams_list").unwrap();
    assert_eq!((&shift["gaining"], &shift["services_gaining"]), (&json!(3), &json!(1)), "{shift}");
    assert_eq!(shift["refusals_lifted"], 2);
    // Whose account is blocked gains nothing.
    assert_eq!(of(&lower, b.id, "teams_list").unwrap()["gaining"], 2);
    // What is one's own has a rule of its own.
    let own = json!([{"operation": "members_remove", "own_role": "manager"}]);
    let own = foresee(&world.platform, own).await.expect(200);
    assert_eq!(
        of(&own, a.id, "members_remove").unwrap()["losing"],
        3,
        "two members and the auditor, who leaves as one"
    );
    // Nothing was changed.
    a.manager.get(&teams).await.expect(200);
    a.member.get(&teams).await.expect(403);
    world.close().await;
}

/// Proves AZ-10: page by page it is the same.
#[tokio::test]
async fn pages_of_organisations_are_all_of_them() {
    let world = World::open().await;
    let body = json!({"changes": [{"operation": "teams_list", "minimum_role": "admin"}], "days": 1});
    let all = world.platform.post("/v1/rbac/policies/simulate", body.clone()).await.expect(200);
    let (mut walked, mut pages, mut body) = (Vec::new(), 0, body);
    body["limit"] = json!(1);
    loop {
        let page = world.platform.post("/v1/rbac/policies/simulate", body.clone()).await.expect(200);
        walked.extend(page.items().to_vec());
        pages += 1;
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        body["cursor"] = json!(cursor);
    }
    assert_eq!(walked, all.items());
    assert!(pages >= 3 && walked.len() == 2, "{pages} pages, {walked:?}");
    world.close().await;
}

/// Proves AZ-10, NET-9.
#[tokio::test]
async fn rules_that_can_not_be_looked_at_are_named() {
    let world = World::open().await;
    for (change, place) in [
        (json!({"operation": "ships_list", "minimum_role": "admin"}), "/changes/0/operation"),
        (json!({"operation": "me_get", "minimum_role": "admin"}), "/changes/0/operation"),
        (json!({"operation": "teams_list"}), "/changes/0"),
        (json!({"operation": "teams_list", "minimum_role": "manager"}), "/changes/0"),
        (json!({"operation": "teams_list", "minimum_role": "janitor"}), "/changes/0/minimum_role"),
        (json!({"operation": "teams_list", "minimum_role": "auditor"}), "/changes/0/minimum_role"),
        (json!({"operation": "teams_list", "own_role": "member"}), "/changes/0/own_role"),
    ] {
        let answer = foresee(&world.platform, json!([change])).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), [place], "{answer}");
    }
    let rule = json!({"operation": "teams_list", "minimum_role": "admin"});
    let twice = foresee(&world.platform, json!([rule, rule])).await.expect(422);
    assert_eq!(twice.faults(), ["/changes/1/operation"]);
    let body = json!({"changes": [rule], "cursor": "nonsense"});
    let cursor = world.platform.post("/v1/rbac/policies/simulate", body).await.expect(422);
    assert_eq!(cursor.faults(), ["/cursor"]);
    foresee(&world.platform, json!([])).await.expect(422).problem("invalid_request");
    foresee(&world.a.owner, json!([rule])).await.expect(403).problem("forbidden");
    world.close().await;
}
