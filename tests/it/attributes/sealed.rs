//! What is sealed stays sealed, wherever somebody with the database moves it.

use entity::{MembershipId, OrganizationId};
use freehold::{
    tenancy::attributes,
    types::{Caller, Role},
};
use serde_json::json;

use super::{declare, fill};
use crate::{
    harness::Login,
    vault::caller,
    world::{Person, Tenant, World},
};

/// An owner of a tenant, to the functions below the API: what can't be opened is a fault of ours there, and the tests'
/// client takes none.
fn owner(tenant: &Tenant) -> Caller {
    let organization = OrganizationId(tenant.id);
    Caller { role: Some(Role::named(Role::OWNER)), ..caller().within(organization) }
}

async fn opened(world: &World, of: &Person) -> Result<attributes::Profile, String> {
    let member = MembershipId(of.membership);
    attributes::get_profile(world.server.app(), &owner(&world.a), member).await.map_err(|error| error.to_string())
}

/// Proves DAT-1, DAT-7: the ciphertext of one attribute, person or row in the place of another's does not open, nor one
/// whose attribute says another scope.
#[tokio::test]
async fn a_sealed_value_that_was_moved_is_refused() {
    let world = World::open().await;
    let a = &world.a;
    let see = "person_and_managers";
    let chart = declare(a, "chart", see, see, json!({"sealed_in": "pii"})).await;
    for (who, key) in [(&a.member, "desk"), (&a.member, "chart"), (&a.subject, "desk")] {
        fill(&a.admin, a, who, key, json!("Toledo")).await.expect(200);
    }
    opened(&world, &a.member).await.unwrap();
    let mut psql = world.database.psql(Login::Owner).await;
    let (one, other, desk) = (a.member.membership, a.subject.membership, a.desk);
    let moved = |from: String| {
        format!(
            "UPDATE attribute_values v SET sealed = o.sealed FROM attribute_values o
             WHERE v.membership_id = '{one}' AND v.attribute_id = '{desk}' AND {from}"
        )
    };
    for (what, change) in [
        ("another attribute's", moved(format!("o.membership_id = '{one}' AND o.attribute_id = '{chart}'"))),
        ("another person's", moved(format!("o.membership_id = '{other}' AND o.attribute_id = '{desk}'"))),
        (
            "another column's",
            format!(
                "UPDATE attribute_values v SET sealed = c.name FROM accounts c WHERE c.id = '{}'",
                a.member.account
            ),
        ),
        ("of another scope", format!("UPDATE attributes SET scope = 'hipaa' WHERE id = '{desk}'")),
        ("another person's salt", format!("UPDATE accounts SET salt = sha256('x') WHERE id = '{}'", a.member.account)),
        ("cut", "UPDATE attribute_values SET sealed = substr(sealed, 1, length(sealed) - 1)".to_owned()),
        (
            "given another row",
            format!("UPDATE attribute_values SET id = gen_random_uuid() WHERE attribute_id = '{chart}'"),
        ),
    ] {
        psql.run(&format!("BEGIN; {change}; COMMIT")).await.unwrap();
        let refused = opened(&world, &a.member).await.expect_err(what);
        assert!(refused.starts_with("internal: attributes."), "{what}: {refused}");
        let back = format!(
            "UPDATE attributes SET scope = 'pii' WHERE id = '{desk}'; DELETE FROM attribute_values WHERE organization_id = '{}'",
            a.id
        );
        psql.run(&back).await.unwrap();
        for (who, key) in [(&a.member, "desk"), (&a.member, "chart"), (&a.subject, "desk")] {
            fill(&a.admin, a, who, key, json!("Toledo")).await.expect(200);
        }
    }
    world.close().await;
}

/// Proves DAT-4, DAT-7: the database itself takes no clear text of a sealed attribute, and nothing beside what is sealed.
#[tokio::test]
async fn clear_text_of_a_sealed_attribute_is_refused_by_the_database() {
    let world = World::open().await;
    let a = &world.a;
    let see = "person_and_managers";
    declare(a, "plain", see, see, json!({"searchable": true})).await;
    fill(&a.admin, a, &a.subject, "plain", json!("Clear")).await.expect(200);
    for login in [Login::Application, Login::Owner] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        for (sql, code) in [
            (
                format!("UPDATE attribute_values SET sealed = NULL, clear = 'x' WHERE attribute_id = '{}'", a.desk),
                "23503",
            ),
            (format!("UPDATE attribute_values SET clear = 'x' WHERE attribute_id = '{}'", a.desk), "23514"),
            (format!("UPDATE attribute_values SET comparable = 'x' WHERE attribute_id = '{}'", a.desk), "23514"),
            ("UPDATE attributes SET scope = 'pii' WHERE key = 'plain'".to_owned(), "23503"),
            ("UPDATE attributes SET scope = NULL WHERE key = 'desk'".to_owned(), "23503"),
            (
                format!(
                    "INSERT INTO attribute_values (id, organization_id, attribute_id, membership_id, clear, updated_at)
                     VALUES (gen_random_uuid(), '{}', '{}', '{}', 'x', now())",
                    a.id, a.desk, a.member.membership
                ),
                "23503",
            ),
        ] {
            let error = psql.run(&sql).await.expect_err(&sql);
            assert_eq!(error.as_database_error().and_then(|error| error.code()).unwrap(), code, "{login:?}: {sql}");
        }
    }
    world.close().await;
}

/// Proves DAT-1, DAT-7, DAT-10: a dump has nothing of a sealed value, and without the person's salt nobody reads it.
#[tokio::test]
async fn a_sealed_value_is_not_in_a_dump_and_goes_with_the_salt() {
    let world = World::open().await;
    let a = &world.a;
    let see = "person_and_managers";
    for (key, more) in [
        ("chart", json!({"sealed_in": "hipaa", "searchable": true})),
        ("born", json!({"type": "date", "sealed_in": "pii"})),
        ("plain", json!({})),
    ] {
        declare(a, key, see, see, more).await;
    }
    let values = json!({"attributes": {"chart": "Xochimilco 4711", "born": "1815-12-10", "plain": "Chapultepec"}});
    a.member.patch("/v1/me/attributes", values).await.expect(200);
    let dump = world.database.dump().await.to_lowercase();
    assert!(dump.contains("chapultepec"), "what is not sealed is there to be found");
    for text in ["xochimilco", "1815-12-10", "by the window"] {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(text) && !dump.contains(&hex), "{text} is in clear");
    }
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!("UPDATE accounts SET salt = NULL WHERE id = '{}'", a.member.account)).await.unwrap();
    assert_eq!(opened(&world, &a.member).await.expect_err("it was read"), "not found");
    world.close().await;
}
