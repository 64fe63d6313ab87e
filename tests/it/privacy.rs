//! Erasing a person: what goes, what stays, and that no backup brings them back.

mod restore;

use freehold::runtime::Ids;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Answer, Login, PASSWORD, Psql},
    path::{PLATFORM, sign_in},
    world::{Person, World},
};

/// Where people are referred to, and what becomes of it when one is erased. A new place is decided on here.
const REFERENCES: &[(&str, &str)] = &[
    ("access_history.account_id", "an id that says nothing"),
    ("account_matches.account_id", "destroyed"),
    ("accounts.blocked_by", "an organisation and no person"),
    ("accounts.managed_by", "an organisation and no person"),
    ("alert_digests.account_id", "destroyed"),
    ("alert_mutes.muted_by", "an id that says nothing"),
    ("alert_preferences.account_id", "destroyed"),
    ("alerts.decided_by", "an id that says nothing"),
    ("api_keys.created_by", "an id that says nothing"),
    ("audit_personal.about_id", "what others wrote about the person is destroyed"),
    ("audit_personal.account_id", "destroyed"),
    ("backup_codes.account_id", "destroyed"),
    ("email_codes.account_id", "destroyed"),
    ("email_links.account_id", "destroyed"),
    ("erasures.account_id", "says that the person was erased"),
    ("guesses.account_id", "destroyed"),
    ("idempotency_keys.account_id", "destroyed"),
    ("imports.created_by", "an id that says nothing"),
    ("invitations.accepted_by", "the invitation is destroyed"),
    ("invitations.invited_by", "an id that says nothing"),
    ("job_pauses.paused_by", "an id that says nothing"),
    ("job_runs.requested_by", "an id that says nothing"),
    ("key_rotations.started_by", "an id that says nothing"),
    ("known_devices.account_id", "destroyed"),
    ("legal_holds.placed_by", "an id that says nothing"),
    ("legal_holds.released_by", "an id that says nothing"),
    ("memberships.account_id", "destroyed, with the places in teams"),
    ("outbox.leased_by", "a worker and no person"),
    ("passkey_ceremonies.account_id", "destroyed"),
    ("passkeys.account_id", "destroyed"),
    ("password_credentials.account_id", "destroyed"),
    ("password_history.account_id", "destroyed"),
    ("password_resets.account_id", "destroyed"),
    ("platform_access.account_id", "an id that says nothing; the reason is destroyed"),
    ("reauthentication_attempts.account_id", "destroyed"),
    ("recovery_addresses.account_id", "destroyed"),
    ("recovery_requests.account_id", "destroyed"),
    ("recovery_requests.decided_by", "an id that says nothing"),
    ("second_factor_challenges.account_id", "destroyed"),
    ("second_factor_deadlines.account_id", "destroyed"),
    ("second_factor_failures.account_id", "destroyed"),
    ("service_accounts.created_by", "an id that says nothing"),
    ("sessions.account_id", "destroyed, with the tokens"),
    ("settings.updated_by", "an id that says nothing"),
    ("settings_history.changed_by", "an id that says nothing"),
    ("sign_up_requests.account_id", "destroyed"),
    ("sign_up_requests.decided_by", "an id that says nothing"),
    ("totp_factors.account_id", "destroyed"),
    ("trusted_devices.account_id", "destroyed"),
];

/// Erases a person as the platform's administrator.
pub async fn erase(world: &World, account: Uuid) -> Answer {
    world.platform.post_nothing(&format!("/v1/accounts/{account}/erase")).await
}

/// How many rows say something of a person, wherever they may.
async fn left(psql: &mut Psql, account: Uuid) -> i64 {
    let mut left = psql
        .number(&format!(
            "SELECT count(*) FROM accounts WHERE id = '{account}' AND num_nonnulls(salt, email, name) > 0"
        ))
        .await;
    let destroyed = REFERENCES.iter().filter(|(_, what)| what.starts_with("destroyed"));
    for (place, _) in destroyed.chain([&("invitations.accepted_by", "")]) {
        let (table, column) = place.split_once('.').unwrap();
        left += psql.number(&format!("SELECT count(*) FROM {table} WHERE {column} = '{account}'")).await;
    }
    left
}

async fn entries_by(psql: &mut Psql, account: Uuid) -> Vec<Value> {
    psql.rows(&format!("SELECT * FROM audit_entries WHERE actor_id = '{account}' ORDER BY id")).await
}

/// A person who has done something of every kind, beside what the world has made them do.
async fn busy(world: &World, person: &Person) {
    let a = &world.a;
    let create = format!("/v1/organizations/{}/teams", a.id);
    let team = json!({"name": "Kept", "role": "member"});
    let draft = person.request(reqwest::Method::POST, &create).header("idempotency-key", "of-the-erased");
    draft.json(&team).send().await.expect(201);
    person.post("/v1/session/reauthenticate", json!({"password": "Not-the-password-9"})).await.expect(403);
    let again = json!({"email": person.email, "role": "member"});
    world.b.admin.post(&format!("/v1/organizations/{}/invitations", world.b.id), again).await.expect(201);
    let block = format!("/v1/accounts/{}", person.account);
    world.platform.post(&format!("{block}/block"), json!({"reason": "Looks like Rumpelstiltskin"})).await.expect(200);
    world.platform.post_nothing(&format!("{block}/unblock")).await.expect(200);
    let back = sign_in(world.server.nobody(), &person.email).await;
    let change = json!({"current_password": PASSWORD, "password": "Granite-orchard-47-lamps"});
    back.request(reqwest::Method::PUT, "/v1/me/password").json(&change).send().await.expect(204);
    let link = format!(
        "INSERT INTO password_resets (account_id, token_hash, created_at, expires_at)
         VALUES ('{}', sha256('a link'), now(), now() + interval '30 minutes')",
        person.account
    );
    world.database.psql(Login::Owner).await.run(&link).await.unwrap();
}

/// Proves DAT-10.
#[tokio::test]
async fn an_erased_person_can_not_be_read_found_or_signed_in_and_the_record_stays() {
    let world = World::open().await;
    let (a, one) = (&world.a, &world.a.admin);
    let mut psql = world.database.psql(Login::Owner).await;
    busy(&world, one).await;
    let entries = entries_by(&mut psql, one.account).await;
    assert!(entries.len() > 3 && left(&mut psql, one.account).await > 8);
    let letters = psql.number("SELECT count(*) FROM invitations").await;

    let erased = erase(&world, one.account).await.expect(200);
    assert_eq!((erased.text_at("/state"), erased.id_at("/id")), ("erased", one.account));
    assert!(erased.json.get("email").is_none() && erased.json.get("name").is_none(), "{erased}");
    // Nothing says who it was, and nobody gets in.
    assert_eq!(left(&mut psql, one.account).await, 0);
    assert!(psql.number("SELECT count(*) FROM invitations").await < letters);
    one.get("/v1/me").await.expect(401);
    let password = json!({"email": one.email, "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", password).await.expect(401).problem("invalid_credentials");
    let found = world.platform.get(&format!("/v1/accounts?email={}", one.email)).await.expect(200);
    assert!(found.items().is_empty());
    let listed = world.platform.get("/v1/accounts?state=erased").await.expect(200);
    assert_eq!(listed.items(), std::slice::from_ref(&erased.json));
    world.platform.get("/v1/accounts").await.expect(200);
    let members = a.owner.get(&format!("/v1/organizations/{}/members", a.id)).await.expect(200);
    assert!(!members.json.to_string().contains(&one.account.to_string()));
    a.owner.get(&format!("/v1/organizations/{}/invitations", a.id)).await.expect(200);

    // The record has all that they did, without who they were.
    assert_eq!(entries_by(&mut psql, one.account).await, entries);
    let path = format!("/v1/organizations/{}/audit?actor_id={}", a.id, one.account);
    let shown = a.owner.get(&path).await.expect(200);
    assert!(!shown.items().is_empty());
    for entry in shown.items() {
        assert_eq!(entry["actor"], json!({"type": "account", "id": one.account, "erased": true}));
        assert!(entry.get("ip").is_none() && entry.get("user_agent").is_none(), "{entry}");
    }
    let blocked = world.platform.get(&format!("/v1/organizations/{PLATFORM}/audit?event=account.blocked")).await;
    let blocked = blocked.expect(200).items()[0].clone();
    assert!(blocked["metadata"].get("reason").is_none() && blocked["ip"] == "127.0.0.1", "{blocked}");
    let removed = a.owner.get(&format!("/v1/organizations/{}/audit?event=member.removed", a.id)).await.expect(200);
    assert_eq!(removed.items()[0]["metadata"]["account"], one.account.to_string());
    let own = world.platform.get(&format!("/v1/organizations/{PLATFORM}/audit?event=account.erased")).await.expect(200);
    assert_eq!((&own.items()[0]["severity"], &own.items()[0]["target"]["id"]), (&json!("high"), &json!(one.account)));
    world.close().await;
}

/// Proves DAT-10: the address is somebody else's to take, and the account nobody's to revive.
#[tokio::test]
async fn an_address_is_free_afterwards_and_the_account_is_not() {
    let world = World::open().await;
    let (a, one) = (&world.a, &world.a.member);
    let erased = erase(&world, one.account).await.expect(200);
    // Again is no other time.
    assert_eq!(erase(&world, one.account).await.expect(200).json, erased.json);
    let account = format!("/v1/accounts/{}", one.account);
    let block = world.platform.post(&format!("{account}/block"), json!({"reason": "x"})).await;
    block.expect(409).problem("account_erased");
    world.platform.post_nothing(&format!("{account}/unblock")).await.expect(409).problem("account_erased");
    world.platform.delete(&format!("{account}/sessions")).await.expect(409).problem("account_erased");
    // Whoever was joining something at that moment does not.
    let mut psql = world.database.psql(Login::Owner).await;
    let join = format!(
        "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
         VALUES (gen_random_uuid(), '{}', '{}', 'owner', 'active', now(), now())",
        a.id, one.account
    );
    assert!(psql.run(&join).await.unwrap_err().to_string().contains("has been erased"));
    let invite = json!({"email": one.email, "role": "member"});
    a.admin.post(&format!("/v1/organizations/{}/invitations", a.id), invite).await.expect(201);
    let token = world.database.mail().take_token(&one.email).await;
    let accept = json!({"token": token, "name": "Another Person", "password": PASSWORD, "token_delivery": "body"});
    let accepted = world.server.nobody().post("/v1/invitations/accept", accept).await.expect(201);
    assert_ne!(accepted.id_at("/account/id"), one.account);
    world.close().await;
}

/// Proves DAT-10.
#[tokio::test]
async fn nobody_erases_themselves_or_leaves_an_organisation_without_an_owner() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    erase(&world, world.platform.account).await.expect(409).problem("conflict");
    erase(&world, Ids.next()).await.expect(404).problem("not_found");
    let refused = erase(&world, a.owner.account).await.expect(409).problem("only_owner");
    assert_eq!(refused.json["organization_ids"], json!([a.id]));
    a.owner.get("/v1/me").await.expect(200);
    assert_eq!(psql.number("SELECT count(*) FROM erasures").await, 0);
    // An owner who is blocked is none.
    let member = format!("/v1/organizations/{}/members/{}", a.id, a.manager.membership);
    a.owner.patch(&member, json!({"role": "owner"})).await.expect(200);
    let block = format!("/v1/accounts/{}/block", a.manager.account);
    world.platform.post(&block, json!({"reason": "Lost"})).await.expect(200);
    erase(&world, a.owner.account).await.expect(409).problem("only_owner");
    world.platform.post_nothing(&format!("/v1/accounts/{}/unblock", a.manager.account)).await.expect(200);
    erase(&world, a.owner.account).await.expect(200);
    // The other owner is the only one now.
    erase(&world, a.manager.account).await.expect(409).problem("only_owner");
    world.close().await;
}

/// Proves DAT-10: two administrators who erase each other leave one.
#[tokio::test]
async fn two_administrators_who_erase_each_other_leave_one() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let second = &world.a.guest;
    let join = format!(
        "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
         VALUES (gen_random_uuid(), '{PLATFORM}', '{}', 'platform_admin', 'active', now(), now())",
        second.account
    );
    psql.run(&join).await.unwrap();
    let second_session = sign_in(world.server.nobody(), &second.email).await;
    second_session.post("/v1/session/organization", json!({"organization_id": PLATFORM})).await.expect(200);
    let (one, other) =
        (format!("/v1/accounts/{}/erase", second.account), format!("/v1/accounts/{}/erase", world.platform.account));
    let answers = tokio::join!(world.platform.post_nothing(&one), second_session.post_nothing(&other));
    let won = [&answers.0, &answers.1].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{} {}", answers.0, answers.1);
    let administrators = format!("SELECT count(*) FROM memberships WHERE organization_id = '{PLATFORM}'");
    assert_eq!(psql.number(&administrators).await, 1);
    world.close().await;
}

/// Proves DAT-10: no place where people are referred to has been forgotten.
#[tokio::test]
async fn every_place_that_refers_to_people_is_decided_on() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let found = psql
        .rows(
            "SELECT c.conrelid::regclass || '.' || a.attname AS place FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
             WHERE c.contype = 'f' AND c.confrelid = 'accounts'::regclass
             UNION
             SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND NOT (SELECT relispartition FROM pg_class WHERE oid = table_name::regclass)
               AND data_type = 'uuid'
               AND (column_name IN ('account_id', 'about_id', 'person_id') OR column_name LIKE '%\\_by')",
        )
        .await;
    let mut found: Vec<_> = found.iter().map(|row| row["place"].as_str().unwrap().to_owned()).collect();
    found.sort_unstable();
    let decided: Vec<_> = REFERENCES.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(found, decided, "say in REFERENCES what becomes of it, and do it in src/privacy");
    world.close().await;
}
