//! The record: what every step leaves in it, and that nothing is done without.

mod catalog;
mod cef;
mod export;
mod personal;
mod product;
mod search;
mod streams;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Database, ENTRIES, Login, PASSWORD, Psql, Server},
    path::{PLATFORM, first_admin, sign_in, switch},
    world::World,
};

const AGENT: &str = "freehold-story/1";

/// The entries of one request, oldest first.
async fn entries_of(psql: &mut Psql, answer: &Answer) -> Vec<Value> {
    let request = answer.header("x-request-id");
    assert!(!request.is_empty(), "{answer}");
    psql.rows(&format!("SELECT * FROM {ENTRIES} WHERE request_id = '{request}' ORDER BY id")).await
}

/// What an entry has to say.
struct Expected<'a> {
    event: &'a str,
    organization: Uuid,
    actor: Option<Uuid>,
    target: Option<Uuid>,
}

/// Insists that a request left exactly these entries, each with where it came from.
async fn left(psql: &mut Psql, answer: &Answer, outcome: &str, expected: &[Expected<'_>]) {
    let entries = entries_of(psql, answer).await;
    let events: Vec<_> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, expected.iter().map(|one| one.event).collect::<Vec<_>>(), "{answer}");
    let text = |id: Option<Uuid>| id.map_or(Value::Null, |id| json!(id));
    for (entry, expected) in entries.iter().zip(expected) {
        assert_eq!(entry["organization_id"], json!(expected.organization), "{entry}");
        let kind = if expected.actor.is_some() { "account" } else { "anonymous" };
        assert_eq!((&entry["actor_type"], &entry["actor_id"]), (&json!(kind), &text(expected.actor)), "{entry}");
        assert_eq!(entry["target_id"], text(expected.target), "{entry}");
        assert_eq!((&entry["from_somewhere"], &entry["with_something"]), (&json!(true), &json!(true)), "{entry}");
        assert_eq!(entry["outcome"], outcome, "{entry}");
        assert!(entry["metadata"].is_object() && entry["occurred_at"].is_string(), "{entry}");
        assert!(!entry.to_string().contains(PASSWORD), "the password is in {entry}");
    }
}

fn entry(event: &str, organization: Uuid, actor: Option<Uuid>, target: Option<Uuid>) -> Expected<'_> {
    Expected { event, organization, actor, target }
}

/// Proves AUD-2.
#[tokio::test]
async fn every_step_of_the_path_has_its_entry() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let mut psql = database.psql(Login::Owner).await;
    let nobody = server.nobody().using(AGENT);
    let setup = nobody.post("/v1/setup", first_admin(&server.setup_token().await)).await.expect(201);
    let (ada, session) = (Some(setup.id_at("/account/id")), Some(setup.id_at("/session/id")));
    let member = Some(psql.text("SELECT id FROM memberships").await.parse().unwrap());
    let first = [
        // Nobody was there yet when the account was made.
        entry("account.created", PLATFORM, None, ada),
        entry("member.added", PLATFORM, ada, member),
        entry("session.created", PLATFORM, ada, session),
        entry("organization.entered", PLATFORM, ada, ada),
        entry("setup.completed", PLATFORM, ada, ada),
    ];
    left(&mut psql, &setup, "success", &first).await;

    let admin = nobody.bearing(setup.text_at("/access_token"));
    let made = admin.post("/v1/organizations", json!({"name": "Engines"})).await.expect(201);
    let org = made.id_at("/id");
    let of_org = format!("SELECT id FROM memberships WHERE organization_id = '{org}'");
    let owner = Some(psql.text(&of_org).await.parse().unwrap());
    let second = [
        // Her role demands a second factor of her, from the first thing on that she does.
        entry("second_factor.grace_started", PLATFORM, ada, ada),
        entry("member.added", org, ada, owner),
        entry("organization.created", org, ada, Some(org)),
    ];
    left(&mut psql, &made, "success", &second).await;
    let entered = admin.post("/v1/session/organization", json!({"organization_id": org})).await.expect(200);
    left(&mut psql, &entered, "success", &[entry("organization.entered", org, ada, ada)]).await;

    let path = format!("/v1/organizations/{org}");
    let invite = json!({"email": "charles@example.com", "role": "member"});
    let invited = admin.post(&format!("{path}/invitations"), invite).await.expect(201);
    let invitation = Some(invited.id_at("/id"));
    left(&mut psql, &invited, "success", &[entry("invitation.created", org, ada, invitation)]).await;
    let token = database.mail().take_token("charles@example.com").await;
    let accept = json!({"token": token, "name": "Charles", "password": PASSWORD, "token_delivery": "body"});
    let accepted = nobody.post("/v1/invitations/accept", accept).await.expect(201);
    let (charles, session) = (Some(accepted.id_at("/account/id")), Some(accepted.id_at("/session/id")));
    let member = psql.text(&format!("{of_org} AND account_id = '{}'", charles.unwrap())).await.parse().unwrap();
    let third = [
        entry("account.created", PLATFORM, None, charles),
        entry("member.added", org, charles, Some(member)),
        entry("session.created", PLATFORM, charles, session),
        entry("organization.entered", org, charles, charles),
        entry("invitation.accepted", org, charles, invitation),
    ];
    left(&mut psql, &accepted, "success", &third).await;
    later_steps(&mut psql, &admin, &path, (org, ada, member)).await;
    server.stop().await;
}

/// What happens to a member, and to invitations and the organisation, afterwards.
async fn later_steps(psql: &mut Psql, admin: &Actor, path: &str, (org, ada, member): (Uuid, Option<Uuid>, Uuid)) {
    let member_path = format!("{path}/members/{member}");
    for (change, event) in [
        (json!({"role": "manager"}), "member.role_changed"),
        (json!({"status": "blocked"}), "member.blocked"),
        (json!({"status": "active"}), "member.unblocked"),
    ] {
        let changed = admin.patch(&member_path, change.clone()).await.expect(200);
        left(psql, &changed, "success", &[entry(event, org, ada, Some(member))]).await;
        // The same again changes nothing, and says nothing.
        let again = admin.patch(&member_path, change).await.expect(200);
        left(psql, &again, "success", &[]).await;
    }
    let refused =
        admin.patch(&format!("{path}/members/{}", own_membership(admin).await), json!({"role": "member"})).await;
    let last = [entry("member.change_refused", org, ada, Some(own_membership(admin).await))];
    left(psql, &refused.expect(409), "refused", &last).await;
    let removed = admin.delete(&member_path).await.expect(204);
    left(psql, &removed, "success", &[entry("member.removed", org, ada, Some(member))]).await;

    let invite = json!({"email": "mary@example.com", "role": "member"});
    let id = admin.post(&format!("{path}/invitations"), invite).await.expect(201).id_at("/id");
    let resent = admin.post_nothing(&format!("{path}/invitations/{id}/resend")).await.expect(200);
    left(psql, &resent, "success", &[entry("invitation.resent", org, ada, Some(id))]).await;
    let revoked = admin.delete(&format!("{path}/invitations/{id}")).await.expect(204);
    left(psql, &revoked, "success", &[entry("invitation.revoked", org, ada, Some(id))]).await;

    let renamed = admin.patch(path, json!({"name": "Difference Engines"})).await.expect(200);
    left(psql, &renamed, "success", &[entry("organization.updated", org, ada, Some(org))]).await;
    let deleted = admin.delete(path).await.expect(204);
    left(psql, &deleted, "success", &[entry("organization.deleted", org, ada, Some(org))]).await;
    switch(admin, PLATFORM).await;
    let restored = admin.post_nothing(&format!("{path}/restore")).await.expect(200);
    left(psql, &restored, "success", &[entry("organization.restored", org, ada, Some(org))]).await;
    let out = admin.delete("/v1/session").await.expect(204);
    let session = entries_of(psql, &out).await;
    assert_eq!((session.len(), &session.first().unwrap()["event"]), (1, &json!("session.ended")));
}

async fn own_membership(actor: &Actor) -> Uuid {
    actor.get("/v1/me").await.expect(200).id_at("/member_id")
}

/// Proves AUD-2.
#[tokio::test]
async fn failed_sign_ins_are_in_the_platforms_record_with_the_reason() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let nobody = world.server.nobody().using(AGENT);
    let known = &world.a.member;
    let suspended =
        world.platform.get("/v1/accounts?state=blocked").await.expect(200).text_at("/items/0/email").to_owned();
    let wrong = "Wrong-horse-battery-7";
    for (email, password, reason, target) in [
        (known.email.as_str(), wrong, "wrong_password", known.account),
        (&suspended, PASSWORD, "blocked", world.suspended),
    ] {
        let body = json!({"email": email, "password": password, "token_delivery": "body"});
        let answer = nobody.post("/v1/sessions", body).await.expect(401).problem("invalid_credentials");
        left(&mut psql, &answer, "failed", &[entry("session.failed", PLATFORM, None, Some(target))]).await;
        let entries = entries_of(&mut psql, &answer).await;
        assert_eq!(entries.first().unwrap()["metadata"], json!({"reason": reason}));
        assert!(!entries.first().unwrap().to_string().contains(email), "the address is in the record");
    }
    world.close().await;
}

/// Proves AUD-2.
#[tokio::test]
async fn what_the_guard_refuses_is_in_the_record_once_with_a_number() {
    let world = World::open().await;
    let (a, stranger) = (&world.a, &world.b.owner);
    let audit = format!("/v1/organizations/{}/audit", a.id);
    for _ in 0..7 {
        a.member.get(&audit).await.expect(403);
        stranger.get(&audit).await.expect(404);
    }
    world.server.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    // The stranger's own organisation learns of it: the other one does not exist for them.
    for (organization, person, code) in [(a.id, &a.member, "forbidden"), (world.b.id, stranger, "not_found")] {
        let entries = psql
            .rows(&format!(
                "SELECT * FROM {ENTRIES} WHERE event = 'access.refused' AND organization_id = '{organization}'"
            ))
            .await;
        // The server's own clock may have written some of them down in between.
        assert!((1..=2).contains(&entries.len()), "{entries:?}");
        let counted: i64 = entries.iter().map(|entry| entry["metadata"]["count"].as_i64().unwrap()).sum();
        assert_eq!(counted, 7);
        for entry in entries {
            assert_eq!((&entry["outcome"], &entry["actor_id"]), (&json!("refused"), &json!(person.account)));
            assert_eq!(entry["metadata"]["operation"], "audit_list");
            assert_eq!(entry["metadata"]["code"], code);
            assert_eq!(entry["from_somewhere"], true);
        }
    }
    world.close().await;
}

/// Everything in the record and in what it is about.
async fn counts(psql: &mut Psql) -> Vec<Value> {
    psql.rows(
        "SELECT (SELECT count(*) FROM audit_entries) AS entries, (SELECT count(*) FROM audit_words) AS words,
                (SELECT count(*) FROM organizations) AS organizations, (SELECT count(*) FROM memberships) AS members,
                (SELECT md5(string_agg(m::text, '|' ORDER BY id)) FROM memberships m) AS seats,
                (SELECT count(*) FROM invitations) AS invitations, (SELECT count(*) FROM outbox) AS letters",
    )
    .await
}

/// Proves AUD-2.
#[tokio::test]
async fn what_fails_leaves_neither_the_action_nor_its_entry() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    let before = counts(&mut psql).await;
    let slug = json!({"name": "Copy", "slug": "bravo-works"});
    world.platform.post("/v1/organizations", slug.clone()).await.expect(409).problem("slug_taken");
    a.owner.patch(&format!("/v1/organizations/{}", a.id), slug).await.expect(409).problem("slug_taken");
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    let twice = json!({"email": a.pending.email, "role": "member"});
    a.owner.post(&invitations, twice).await.expect(409).problem("already_invited");
    assert_eq!(counts(&mut psql).await, before);

    let member = format!("/v1/organizations/{}/members/{}", a.id, a.member.membership);
    let actions = async || {
        let invite = json!({"email": "new@example.com", "role": "member"});
        [
            a.owner.patch(&member, json!({"role": "manager"})).await,
            a.owner.delete(&member).await,
            a.owner.post(&invitations, invite).await,
            world.platform.post("/v1/organizations", json!({"name": "New"})).await,
        ]
    };
    // An entry that can't be written, then a commit that fails at the very end.
    for fault in [
        "CREATE TRIGGER fault BEFORE INSERT ON audit_words FOR EACH ROW EXECUTE FUNCTION fail()",
        "CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON audit_words DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION fail()",
    ] {
        psql.run(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$",
        )
        .await
        .unwrap();
        psql.run(fault).await.unwrap();
        for answer in actions().await {
            answer.expect(503).problem("unavailable");
        }
        psql.run("DROP TRIGGER fault ON audit_words").await.unwrap();
        assert_eq!(counts(&mut psql).await, before, "{fault}");
    }
    sign_in(world.server.nobody(), &a.owner.email).await;
    assert_ne!(counts(&mut psql).await, before, "the faults are still there");
    world.close().await;
}
