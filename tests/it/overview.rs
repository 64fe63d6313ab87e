//! How an organisation stands: what happened lately and what waits, in numbers that cost the same however much there is.

use serde_json::{Value, json};

use crate::{
    harness::{Login, PASSWORD},
    world::World,
};

/// A number of today.
fn today(overview: &Value, name: &str) -> i64 {
    overview["days"].as_array().unwrap().last().unwrap()[name].as_i64().unwrap()
}

/// Proves CON-2.
#[tokio::test]
async fn an_overview_counts_what_happened_and_what_waits_in_its_own_organisation() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let path = format!("/v1/organizations/{}/overview", a.id);
    let before = a.admin.get(&path).await.expect(200).json;
    let others = b.admin.get(&format!("/v1/organizations/{}/overview", b.id)).await.expect(200).json;
    let sign_in = json!({"email": a.member.email, "password": PASSWORD, "token_delivery": "body"});
    for _ in 0..3 {
        world.server.nobody().post("/v1/sessions", sign_in.clone()).await.expect(201);
    }
    let now = a.admin.get(&path).await.expect(200).json;
    assert_eq!(today(&now, "sign_ins"), today(&before, "sign_ins") + 3, "{now}");
    assert!((1..=today(&now, "sign_ins")).contains(&today(&now, "active_people")));
    assert!(today(&now, "joined") > 0 && now["pending_invitations"].as_i64().unwrap() > 0, "{now}");
    assert_eq!(now["days"].as_array().unwrap().len(), 30);
    for (span, days) in [("week", 7), ("quarter", 90)] {
        let overview = a.auditor.get(&format!("{path}?span={span}")).await.expect(200).json;
        assert_eq!(overview["days"].as_array().unwrap().len(), days);
        assert_eq!(today(&overview, "sign_ins"), today(&now, "sign_ins"));
    }
    a.admin.get(&format!("{path}?span=year")).await.expect(422);
    a.member.get(&path).await.expect(403);
    // What happened here is nothing of the other's.
    let still = b.admin.get(&format!("/v1/organizations/{}/overview", b.id)).await.expect(200).json;
    assert_eq!(today(&still, "sign_ins"), today(&others, "sign_ins"));

    // A busy day is counted up to the bound.
    let mut psql = world.database.psql(Login::Owner).await;
    let busy = format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
         SELECT (left(audit_first_id(now() - interval '3 days')::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{}',
                now() - interval '3 days', 'organization.entered', 'low', 'security', 'success', 'anonymous', 'account', '{{}}'
         FROM generate_series(1, 2500) n",
        a.id
    );
    psql.run(&busy).await.unwrap();
    let overview = a.admin.get(&format!("{path}?span=week")).await.expect(200).json;
    assert_eq!((overview["days"][3]["sign_ins"].as_i64(), overview["most"].as_i64()), (Some(1000), Some(1000)));
    world.close().await;
}
