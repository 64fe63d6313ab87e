//! Members are found by whole values of searchable attributes, sealed or not, by those who see them.

use serde_json::json;

use super::{declare, fill};
use crate::{
    harness::{Actor, Answer},
    world::{Tenant, World},
};

async fn search(by: &Actor, tenant: &Tenant, wanted: &str) -> Answer {
    let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    by.get(&format!("/v1/organizations/{}/members?attribute={wanted}", tenant.id)).await
}

/// Proves DAT-7, DAT-3.
#[tokio::test]
async fn members_are_found_by_a_whole_value_however_it_is_kept() {
    let world = World::open().await;
    let a = &world.a;
    let see = "person_and_managers";
    for (key, more) in [
        ("plain", json!({"searchable": true})),
        ("hidden", json!({"searchable": true, "sealed_in": "hipaa"})),
        ("number", json!({"searchable": true, "type": "number", "sealed_in": "pii"})),
        ("page", json!({"searchable": true, "type": "url"})),
        ("remote", json!({"searchable": true, "type": "boolean"})),
    ] {
        declare(a, key, see, see, more).await;
    }
    let values = json!({"attributes": {
        "plain": "Cost Centre: 4711", "hidden": "Stra\u{df}e 7", "number": 7.50, "page": "https://Example.com",
        "remote": true,
    }});
    a.member.patch("/v1/me/attributes", values).await.expect(200);
    fill(&a.admin, a, &a.subject, "plain", json!("Cost Centre: 4712")).await.expect(200);
    for wanted in [
        "plain:cost centre: 4711",
        "hidden:STRA\u{df}E 7",
        "number:7.5",
        "number:7.50",
        "page:https://example.com/",
        "remote:true",
    ] {
        let found = search(&a.manager, a, wanted).await.expect(200);
        let ids: Vec<_> = found.items().iter().map(|item| item["id"].clone()).collect();
        assert_eq!(ids, [json!(a.member.membership)], "{wanted}");
    }
    // Only by the whole, and together with the other filters.
    for nobody in ["plain:cost centre", "hidden:7", "number:7", "remote:false"] {
        assert_eq!(search(&a.manager, a, nobody).await.expect(200).items().len(), 0, "{nobody}");
    }
    let both = format!("/v1/organizations/{}/members?role=manager&attribute=remote:true", a.id);
    assert_eq!(a.manager.get(&both).await.expect(200).items().len(), 0);
    // A value that is changed or taken away finds nobody.
    fill(&a.admin, a, &a.member, "hidden", json!("Elsewhere")).await.expect(200);
    assert_eq!(search(&a.manager, a, "hidden:stra\u{df}e 7").await.expect(200).items().len(), 0);
    assert_eq!(search(&a.manager, a, "hidden:elsewhere").await.expect(200).items().len(), 1);
    fill(&a.admin, a, &a.member, "hidden", json!(null)).await.expect(200);
    assert_eq!(search(&a.manager, a, "hidden:elsewhere").await.expect(200).items().len(), 0);
    world.close().await;
}

/// Proves DAT-7: nobody guesses by searching what they may not see.
#[tokio::test]
async fn what_is_unknown_invisible_or_not_searchable_is_named_and_finds_nobody() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    declare(a, "grade", "admins", "admins", json!({"searchable": true})).await;
    declare(a, "own", "person_and_admins", "person_and_admins", json!({"searchable": true})).await;
    declare(a, "note", "managers", "managers", json!({})).await;
    for key in ["grade", "own", "note"] {
        fill(&a.admin, a, &a.member, key, json!("x")).await.expect(200);
    }
    let code = |answer: &Answer| answer.json["errors"][0]["code"].as_str().unwrap().to_owned();
    for (wanted, expected) in [
        ("nonsense", "format"),
        ("nothing:x", "unknown_attribute"),
        ("grade:x", "unknown_attribute"),
        ("own:x", "unknown_attribute"),
        ("note:x", "not_searchable"),
        ("desk:", "format"),
    ] {
        let answer = search(&a.manager, a, wanted).await.expect(422);
        assert_eq!((answer.faults(), code(&answer).as_str()), (vec!["attribute"], expected), "{wanted}");
    }
    for wanted in ["grade:x", "own:x"] {
        assert_eq!(search(&a.admin, a, wanted).await.expect(200).items().len(), 1, "{wanted}");
        assert_eq!(search(&a.auditor, a, wanted).await.expect(200).items().len(), 1, "{wanted}");
    }
    // The same value of the same key in another organisation is another value.
    for (tenant, who) in [(a, &a.member), (b, &b.member)] {
        fill(&tenant.admin, tenant, who, "desk", json!("Shared words")).await.expect(200);
        let found = search(&tenant.admin, tenant, "desk:shared words").await.expect(200);
        assert_eq!((found.items().len(), found.id_at("/items/0/id")), (1, who.membership));
    }
    let mut psql = world.database.psql(crate::harness::Login::Owner).await;
    let same = "SELECT count(*) FROM attribute_matches GROUP BY value HAVING count(*) > 1";
    assert!(psql.rows(same).await.is_empty(), "two attributes share a match value");
    world.close().await;
}
