//! Organisations: a person in several of them, and one that is closed and opened again.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{sign_in, switch};
use crate::{
    harness::{Actor, Answer, Login, eventually},
    world::World,
};

async fn get(actor: &Actor, organization: Uuid) -> Answer {
    actor.get(&format!("/v1/organizations/{organization}")).await
}

/// Waits until a person finds the organisation there, or gone: other people's sessions learn of it within a second
/// (SES-4).
async fn finds(actor: &Actor, organization: Uuid, status: u16) {
    eventually(&format!("{status}"), Duration::from_secs(1), async || {
        (get(actor, organization).await.status == status).then_some(())
    })
    .await;
}

/// Who is a member, as what, and with access or without.
fn seats(members: &Answer) -> Vec<Value> {
    members.items().iter().map(|item| json!([item["id"], item["role"], item["status"]])).collect()
}

async fn delete(owner: &Actor, organization: Uuid) {
    owner.delete(&format!("/v1/organizations/{organization}")).await.expect(204);
}

/// Proves AZ-1.
#[tokio::test]
async fn a_person_in_two_organisations_is_in_one_at_a_time() {
    let world = World::open().await;
    let (a, b, person) = (&world.a, &world.b, &world.b.manager);
    let invite = json!({"email": person.email, "role": "member"});
    a.owner.post(&format!("/v1/organizations/{}/invitations", a.id), invite).await.expect(201);
    let token = world.database.mail().take_token(&person.email).await;
    // The first letter to them was the one of the other organisation.
    let joined = person.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
    assert_eq!(joined.id_at("/organization_id"), a.id);

    let me = person.get("/v1/me").await.expect(200);
    assert_eq!((me.id_at("/organization/id"), me.text_at("/role")), (b.id, "manager"), "joining moved the session");
    let own: Vec<_> = me.json["organizations"].as_array().unwrap().iter().map(|own| own["role"].clone()).collect();
    assert_eq!(own.len(), 2, "{me}");
    get(person, a.id).await.expect(403).problem("organization_not_active");
    person.get(&format!("/v1/organizations/{}/members", b.id)).await.expect(200);

    switch(person, a.id).await;
    let me = person.get("/v1/me").await.expect(200);
    assert_eq!((me.id_at("/organization/id"), me.text_at("/role")), (a.id, "member"));
    get(person, a.id).await.expect(200);
    get(person, b.id).await.expect(403).problem("organization_not_active");
    // What they are there does not follow them here.
    person.get(&format!("/v1/organizations/{}/members", a.id)).await.expect(403).problem("forbidden");

    let other = json!({"organization_id": world.closed});
    person.post("/v1/session/organization", other).await.expect(404);
    world.close().await;
}

/// Proves AZ-1.
#[tokio::test]
async fn a_deleted_organisation_is_closed_to_everybody_and_comes_back_whole() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let members = format!("/v1/organizations/{}/members?limit=200", a.id);
    let before = seats(&a.owner.get(&members).await.expect(200));
    delete(&a.owner, a.id).await;
    for (_, person) in a.by_role() {
        finds(person, a.id, 404).await;
        let me = person.get("/v1/me").await.expect(200);
        assert_eq!((&me.json["organization"], &me.json["role"]), (&Value::Null, &Value::Null), "{me}");
        assert_eq!(me.json["organizations"], json!([]));
        person.post("/v1/session/organization", json!({"organization_id": a.id})).await.expect(404);
    }
    let fresh = sign_in(nobody, &a.owner.email).await;
    assert_eq!(fresh.get("/v1/me").await.expect(200).json["organization"], Value::Null);
    for token in [&a.pending.token, &a.guest_token] {
        let answer = nobody.post("/v1/invitations/lookup", json!({"token": token})).await;
        answer.expect(404).problem("invitation_not_valid");
    }
    let join = a.guest.post("/v1/me/invitations", json!({"token": a.guest_token})).await;
    join.expect(404).problem("invitation_not_valid");
    get(&world.b.owner, world.b.id).await.expect(200);

    let restore = format!("/v1/organizations/{}/restore", a.id);
    a.owner.post_nothing(&restore).await.expect(403).problem("forbidden");
    let deleted = world.platform.get("/v1/organizations?status=deleted").await.expect(200);
    assert!(deleted.items().iter().any(|item| item["id"] == a.id.to_string()), "{deleted}");
    world.platform.post_nothing(&restore).await.expect(200);
    for (_, person) in a.by_role() {
        finds(person, a.id, 200).await;
    }
    assert_eq!(seats(&a.owner.get(&members).await.expect(200)), before);
    a.guest.post("/v1/me/invitations", json!({"token": a.guest_token})).await.expect(200);
    world.platform.post_nothing(&restore).await.expect(404);
    world.close().await;
}

/// Proves AZ-1.
#[tokio::test]
async fn a_deleted_organisation_can_be_restored_for_thirty_days() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let restore = format!("/v1/organizations/{}/restore", a.id);
    delete(&a.owner, a.id).await;
    world.server.advance(TimeDelta::days(30) - TimeDelta::minutes(2));
    let platform = sign_in(nobody, &world.platform.email).await;
    platform.post_nothing(&restore).await.expect(200);

    delete(&sign_in(nobody, &a.owner.email).await, a.id).await;
    world.server.advance(TimeDelta::days(30));
    let platform = sign_in(nobody, &world.platform.email).await;
    platform.post_nothing(&restore).await.expect(404);
    world.close().await;
}

/// Proves AUD-2.
#[tokio::test]
async fn of_several_who_delete_an_organisation_one_does() {
    let world = World::open().await;
    let (a, path) = (&world.a, format!("/v1/organizations/{}", world.a.id));
    let mut psql = world.database.psql(Login::Owner).await;
    // Held up by somebody who changes it, they all have passed the guard when the first goes on.
    psql.run("BEGIN").await.unwrap();
    psql.rows(&format!("SELECT id FROM organizations WHERE id = '{}' FOR UPDATE", a.id)).await;
    let renames = a.owner.patch(&path, json!({"name": "Too late"}));
    let deletions = futures_util::future::join_all((0..4).map(|_| a.owner.delete(&path)));
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        psql.run("COMMIT").await.unwrap();
    };
    let (answers, renamed, ()) = tokio::join!(deletions, renames, release);
    let (deleted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 204);
    assert_eq!(deleted.len(), 1, "{refused:?}");
    refused.into_iter().for_each(|answer| drop(answer.expect(404)));
    assert!(matches!(renamed.status, 200 | 404), "{renamed}");
    let entries = format!(
        "SELECT count(*) FROM audit_entries WHERE event = 'organization.deleted' AND organization_id = '{}'",
        a.id
    );
    assert_eq!(psql.number(&entries).await, 1);
    world.close().await;
}

#[tokio::test]
async fn the_platforms_own_organisation_can_not_be_deleted() {
    let world = World::open().await;
    let own = world.platform.get("/v1/me").await.expect(200).id_at("/organization/id");
    let answer = world.platform.delete(&format!("/v1/organizations/{own}")).await;
    answer.expect(409).problem("conflict");
    get(&world.platform, own).await.expect(200);
    world.close().await;
}
