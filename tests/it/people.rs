//! Who may do what to whom: roles, the last owner, leaving; versions, pages, search, and calls that are repeated.

mod authority;
mod lists;
mod repeats;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, Psql, eventually},
    world::{Person, Tenant, World},
};

/// How soon another person's session learns of a change (SES-4).
const SECOND: Duration = Duration::from_secs(1);

fn member(tenant: &Tenant, who: &Person) -> String {
    format!("/v1/organizations/{}/members/{}", tenant.id, who.membership)
}

async fn set_role(by: &Actor, tenant: &Tenant, who: &Person, role: &str) -> Answer {
    by.patch(&member(tenant, who), json!({"role": role})).await
}

async fn set_status(by: &Actor, tenant: &Tenant, who: &Person, status: &str) -> Answer {
    by.patch(&member(tenant, who), json!({"status": status})).await
}

/// The newest entry of a kind in a tenant's record.
async fn newest_entry(tenant: &Tenant, event: &str) -> Value {
    let path = format!("/v1/organizations/{}/audit?limit=1&event={event}", tenant.id);
    tenant.owner.get(&path).await.expect(200).items().first().unwrap_or_else(|| panic!("no {event}")).clone()
}

/// How many owners with access an organisation has.
async fn owners(psql: &mut Psql, organization: Uuid) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM memberships WHERE organization_id = '{organization}' AND role = 'owner' AND status = 'active'"
    );
    psql.number(&sql).await
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_invites_above_their_own_role() {
    let world = World::open().await;
    let a = &world.a;
    let path = format!("/v1/organizations/{}/invitations", a.id);
    let invite = |role: &str| json!({"email": format!("{role}@example.com"), "role": role});
    a.admin.post(&path, invite("owner")).await.expect(403).problem("role_above_own");
    let entry = newest_entry(a, "invitation.refused").await;
    assert_eq!((&entry["outcome"], &entry["metadata"]["role"]), (&json!("refused"), &json!("owner")));
    assert_eq!(entry["actor"]["id"], a.admin.account.to_string());
    // A role of the platform is none of an organisation's, not even for its owner.
    a.owner.post(&path, invite("platform_admin")).await.expect(422).problem("invalid_request");
    for role in ["admin", "manager", "member", "auditor"] {
        a.admin.post(&path, invite(role)).await.expect(201);
    }
    let made = a.owner.post(&path, invite("owner")).await.expect(201);
    // Nor does sending it again give away what one does not have.
    let resend = format!("{path}/{}/resend", made.text_at("/id"));
    a.admin.post_nothing(&resend).await.expect(403).problem("role_above_own");
    let entry = newest_entry(a, "invitation.refused").await;
    assert_eq!(entry["target"]["id"], made.json["id"]);
    assert_eq!(a.owner.post_nothing(&resend).await.expect(200).json["resend_count"], 1);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn an_administrator_does_not_touch_an_owner_and_does_not_climb() {
    let world = World::open().await;
    let a = &world.a;
    set_role(&a.admin, a, &a.owner, "member").await.expect(403).problem("role_above_own");
    set_status(&a.admin, a, &a.owner, "blocked").await.expect(403).problem("role_above_own");
    a.admin.delete(&member(a, &a.owner)).await.expect(403).problem("role_above_own");
    let entry = newest_entry(a, "member.change_refused").await;
    assert_eq!((&entry["outcome"], &entry["metadata"]["code"]), (&json!("refused"), &json!("role_above_own")));
    assert_eq!(entry["target"]["id"], a.owner.membership.to_string());

    set_role(&a.admin, a, &a.admin, "owner").await.expect(403).problem("own_role");
    set_role(&a.admin, a, &a.member, "owner").await.expect(403).problem("role_above_own");
    set_role(&a.admin, a, &a.member, "wizard").await.expect(422).problem("invalid_request");
    set_role(&a.owner, a, &a.member, "platform_admin").await.expect(422).problem("invalid_request");
    assert_eq!(a.owner.get(&member(a, &a.admin)).await.expect(200).json["role"], "admin");

    // Up to their own level they may, and down with themselves.
    for role in ["manager", "auditor", "admin", "member"] {
        assert_eq!(set_role(&a.admin, a, &a.member, role).await.expect(200).json["role"], role);
    }
    set_role(&a.admin, a, &a.admin, "manager").await.expect(200);
    let path = format!("/v1/organizations/{}/audit", a.id);
    eventually("no record", SECOND, async || (a.admin.get(&path).await.status == 403).then_some(())).await;
    set_role(&a.admin, a, &a.admin, "admin").await.expect(403).problem("forbidden");
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn an_auditor_reads_what_an_administrator_reads_and_changes_nothing() {
    let world = World::open().await;
    let a = &world.a;
    let base = format!("/v1/organizations/{}", a.id);
    for list in ["members", "teams", "invitations", "audit"] {
        let (seen, administrators) =
            (a.auditor.get(&format!("{base}/{list}")).await, a.admin.get(&format!("{base}/{list}")).await);
        assert_eq!(seen.expect(200).json, administrators.expect(200).json, "{list}");
    }
    a.auditor.patch(&base, json!({"name": "Audited"})).await.expect(403).problem("forbidden");
    set_role(&a.auditor, a, &a.member, "auditor").await.expect(403).problem("forbidden");
    set_role(&a.auditor, a, &a.auditor, "member").await.expect(403).problem("forbidden");
    a.auditor.delete(&member(a, &a.member)).await.expect(403).problem("forbidden");
    // Their own membership is theirs to give up.
    a.auditor.delete(&member(a, &a.auditor)).await.expect(204);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    set_role(owner, a, owner, "admin").await.expect(409).problem("last_owner");
    set_status(owner, a, owner, "blocked").await.expect(409).problem("conflict");
    owner.delete(&member(a, owner)).await.expect(409).problem("last_owner");
    assert_eq!(newest_entry(a, "member.change_refused").await["metadata"]["code"], "last_owner");

    // A second owner without access is no help.
    set_role(owner, a, &a.blocked, "owner").await.expect(200);
    owner.delete(&member(a, owner)).await.expect(409).problem("last_owner");
    set_role(owner, a, &a.subject, "owner").await.expect(200);
    let block = format!("/v1/accounts/{}", a.subject.account);
    world.platform.post(&format!("{block}/block"), json!({"reason": "Lost laptop"})).await.expect(200);
    owner.delete(&member(a, owner)).await.expect(409).problem("last_owner");
    world.platform.post_nothing(&format!("{block}/unblock")).await.expect(200);

    owner.delete(&member(a, owner)).await.expect(204);
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(owners(&mut psql, a.id).await, 1);
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn two_owners_can_not_demote_or_remove_each_other_at_the_same_moment() {
    let world = World::open().await;
    let (a, one) = (&world.a, &world.a.owner);
    set_role(one, a, &a.admin, "owner").await.expect(200);
    let other = &a.admin;
    let mut psql = world.database.psql(Login::Owner).await;
    let restore =
        format!("UPDATE memberships SET role = 'owner' WHERE id IN ('{}', '{}')", one.membership, other.membership);
    for _ in 0..8 {
        let answers = tokio::join!(set_role(one, a, other, "member"), set_role(other, a, one, "member"));
        one_of_two(&answers);
        assert_eq!(owners(&mut psql, a.id).await, 1);
        psql.run(&restore).await.unwrap();
        both_are_owners(a, one, other).await;
    }
    let (path_of_one, path_of_other) = (member(a, one), member(a, other));
    let answers = tokio::join!(one.delete(&path_of_other), other.delete(&path_of_one));
    one_of_two(&answers);
    assert_eq!(owners(&mut psql, a.id).await, 1);
    world.close().await;
}

/// One was done; the other ran into the rule, or came after they had lost the right to it.
fn one_of_two((one, other): &(Answer, Answer)) {
    let (mut done, mut refused) = (0, 0);
    for answer in [one, other] {
        match answer.problem_code() {
            Err(_) if answer.status < 300 => done += 1,
            Ok("last_owner" | "forbidden" | "role_above_own" | "not_found" | "organization_not_active") => refused += 1,
            _ => panic!("{answer}"),
        }
    }
    assert_eq!((done, refused), (1, 1), "{one} {other}");
}

/// Waits until the server knows what was changed behind its back.
async fn both_are_owners(tenant: &Tenant, one: &Actor, other: &Actor) {
    for actor in [one, other] {
        let role = async || (actor.get("/v1/me").await.expect(200).json["role"] == "owner").then_some(());
        let what = format!("an owner of {}", tenant.id);
        eventually(&what, SECOND, role).await;
    }
}

/// Within a second (SES-4).
async fn loses_access(actor: &Actor, organization: &str) {
    eventually("no access", SECOND, async || (actor.get(organization).await.status == 404).then_some(())).await;
}

/// Proves AZ-1.
#[tokio::test]
async fn whoever_leaves_or_is_removed_has_no_access_any_more() {
    let world = World::open().await;
    let a = &world.a;
    let base = format!("/v1/organizations/{}", a.id);
    a.member.delete(&member(a, &a.subject)).await.expect(403).problem("forbidden");
    a.member.delete(&member(a, &a.member)).await.expect(204);
    loses_access(&a.member, &base).await;
    let me = a.member.get("/v1/me").await.expect(200);
    assert_eq!((&me.json["role"], &me.json["organizations"]), (&Value::Null, &json!([])));
    let entry = newest_entry(a, "member.removed").await;
    assert_eq!(entry["actor"]["id"], a.member.account.to_string());
    assert_eq!(entry["metadata"]["account"], a.member.account.to_string());

    a.admin.delete(&member(a, &a.subject)).await.expect(204);
    loses_access(&a.subject, &base).await;
    a.admin.delete(&member(a, &a.subject)).await.expect(404);
    a.admin.get(&member(a, &a.subject)).await.expect(404);
    world.close().await;
}
