//! What PostgreSQL itself allows the server's roles, whatever the server's code asks for: one organisation at a time,
//! and a record that nobody changes.

mod rows;

use serde_json::{Value, json};
use uuid::Uuid;

use self::rows::{alerting, checkpoint, event_type, factor_count, grant, seal, sign_up_request};
use crate::{
    harness::{Database, Login, Psql},
    world::World,
};

/// Tables without an organisation, with the reason.
const IDENTITY: [(&str, &str); 44] = [
    ("account_matches", "what accounts are found by; says nothing by itself"),
    ("accounts", "a person may be in many organisations"),
    ("password_credentials", "belongs to an account"),
    ("password_history", "belongs to an account"),
    ("password_reset_limits", "counts by HMAC; says nothing by itself"),
    ("password_resets", "belongs to an account"),
    ("sessions", "belongs to an account; the organisation is where it is at the moment"),
    ("session_floors", "what everybody's session is held against; says nothing of anybody"),
    ("refresh_tokens", "belongs to a session"),
    ("setup_tokens", "makes the first administrator, before there is anything else"),
    ("signing_keys", "signs for the whole installation"),
    ("email_links", "belong to an account"),
    ("sign_ups", "of people who are nobody yet; the organisation is where they want to go"),
    ("idempotency_keys", "the organisation is part of the hashed key"),
    ("audit_parts", "which parts of the record there are; out of reach for the application"),
    ("audit_sealing", "how far the sealing of the record is; says nothing of anybody"),
    ("certificates", "the installation's certificate and its account there; out of reach for the application"),
    ("data_keys", "the installation's keys; out of reach for the application"),
    ("erasures", "people who have been erased, whatever they were in; out of reach for the application"),
    ("alert_progress", "how far the leader has looked at the record; out of reach for the application"),
    ("error_counts", "counts by the kind of error, of nobody; out of reach for the application"),
    ("guesses", "of whatever people sign in with, by an HMAC that says nothing"),
    ("known_devices", "belongs to an account"),
    ("instances", "the servers; out of reach for the application"),
    ("job_pauses", "the installation's jobs; out of reach for the application"),
    ("job_runs", "the installation's jobs; out of reach for the application"),
    ("key_rotations", "of the installation's keys; out of reach for the application"),
    ("leadership", "which server leads; out of reach for the application"),
    ("legal_holds", "the platform's, of which organisations are not told; out of reach for the application"),
    ("policy_revisions", "the installation's policy, which every member may know"),
    ("outbox", "what lies in it is sealed, and the application can't read it"),
    ("reauthentication_attempts", "of a person, wherever they are"),
    ("totp_factors", "belongs to an account"),
    ("email_codes", "belong to an account"),
    ("trusted_devices", "belong to an account"),
    ("passkeys", "belong to an account"),
    ("passkey_ceremonies", "of a person or of nobody yet; bound by a hash that says nothing"),
    ("backup_codes", "belong to an account"),
    ("second_factor_challenges", "belong to an account; the organisation is where they want to go"),
    ("second_factor_failures", "of a person, wherever they are"),
    ("second_factor_deadlines", "of a person, wherever they are"),
    ("recovery_addresses", "belong to an account"),
    ("recovery_requests", "belong to an account"),
    ("seaql_migrations", "which steps of the schema were made; out of reach for the server's roles"),
];

/// Each tenant table with its column of the organisation.
const TENANT: [(&str, &str); 36] = [
    ("organizations", "id"),
    ("memberships", "organization_id"),
    ("attributes", "organization_id"),
    ("attribute_values", "organization_id"),
    ("attribute_matches", "organization_id"),
    ("teams", "organization_id"),
    ("team_members", "organization_id"),
    ("custom_roles", "organization_id"),
    ("custom_role_grants", "organization_id"),
    ("access_history", "organization_id"),
    ("service_accounts", "organization_id"),
    ("api_keys", "organization_id"),
    ("invitations", "organization_id"),
    ("invitation_teams", "organization_id"),
    ("invitation_matches", "organization_id"),
    ("sign_up_requests", "organization_id"),
    ("decision_counts", "organization_id"),
    ("second_factor_counts", "organization_id"),
    ("imports", "organization_id"),
    ("import_parts", "organization_id"),
    ("import_lines", "organization_id"),
    ("platform_access", "organization_id"),
    ("alerts", "organization_id"),
    ("alert_rules", "organization_id"),
    ("alert_counts", "organization_id"),
    ("alert_mutes", "organization_id"),
    ("alert_preferences", "organization_id"),
    ("alert_digests", "organization_id"),
    ("product_event_types", "organization_id"),
    ("audit_checkpoints", "organization_id"),
    ("audit_entries", "organization_id"),
    ("audit_personal", "organization_id"),
    ("audit_seals", "organization_id"),
    ("audit_words", "organization_id"),
    ("settings", "organization_id"),
    ("settings_history", "organization_id"),
];

/// Tables whose rows of the platform's own organisation every transaction may read, with the reason.
const SHARED: [(&str, &str); 1] = [("settings", "what the platform decides holds everywhere")];

/// PostgreSQL's "insufficient privilege", which row-level security also says.
const FORBIDDEN: &str = "42501";

/// Insists that PostgreSQL does not permit a statement.
async fn refused(psql: &mut Psql, sql: &str) {
    match psql.run(sql).await {
        Ok(rows) => panic!("{rows} rows were touched by {sql}"),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, FORBIDDEN, "{sql}: {error}");
        }
    }
}

async fn count(psql: &mut Psql, table: &str, condition: &str) -> i64 {
    psql.number(&format!("SELECT count(*) FROM {table} WHERE {condition}")).await
}

/// How many rows of a table everybody may read.
async fn shared(owner: &mut Psql, table: &str) -> i64 {
    match SHARED.iter().any(|(name, _)| *name == table) {
        true => count(owner, table, "organization_id = platform_organization()").await,
        false => 0,
    }
}

/// Everything that an organisation has, as one number that changes when anything of it does.
async fn fingerprint(owner: &mut Psql, organization: Uuid) -> Vec<String> {
    let mut all = Vec::new();
    for (table, column) in TENANT {
        let rows = format!("SELECT t::text AS row FROM {table} t WHERE {column} = '{organization}'");
        all.push(owner.text(&format!("SELECT md5(string_agg(row, '|' ORDER BY row)) FROM ({rows}) rows")).await);
    }
    assert!(all.iter().all(|hash| !hash.is_empty()), "a table has nothing of {organization}: {all:?}");
    all
}

/// A platform administrator has acted in both tenants, and in each somebody waits to be let in, somebody holds a role
/// of its own, and there is all that alerts need.
async fn visited(world: &World) {
    let mut owner = world.database.psql(Login::Owner).await;
    for tenant in [&world.a, &world.b] {
        world.acting_in(tenant.id).await;
        assert_eq!(owner.run(&grant(tenant.id, tenant.member.membership)).await.unwrap(), 1);
        for alerting in alerting(tenant.id, tenant.admin.account) {
            assert_eq!(owner.run(&alerting).await.unwrap(), 1);
        }
        for sql in [sign_up_request, event_type, seal, checkpoint, factor_count].map(|sql| sql(tenant.id)) {
            owner.run(&sql).await.unwrap();
        }
    }
}

/// Proves AZ-9.
#[tokio::test]
async fn the_application_sees_one_organisation_at_a_time() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    visited(&world).await;
    let mut owner = world.database.psql(Login::Owner).await;
    let mut psql = world.database.psql(Login::Application).await;
    for (table, _) in TENANT {
        assert!(count(&mut owner, table, "true").await > 0, "the owner sees nothing in {table}");
        let nobodys = count(&mut psql, table, "true").await;
        assert_eq!(nobodys, shared(&mut owner, table).await, "{table} shows something without an organisation");
    }
    for (own, other) in [(a.id, b.id), (b.id, a.id)] {
        psql.act(Some(own), None).await;
        for (table, column) in TENANT {
            let of_own = format!("{column} = '{own}'");
            let seen = count(&mut psql, table, "true").await - shared(&mut owner, table).await;
            assert_eq!(seen, count(&mut owner, table, &of_own).await, "{table}");
            assert!(seen > 0, "{table} has nothing to see");
            assert_eq!(count(&mut psql, table, &format!("{column} = '{other}'")).await, 0, "{table}");
        }
    }
    // An organisation that is none, and text that is no id.
    psql.act(Some(Uuid::nil()), None).await;
    assert_eq!(count(&mut psql, "memberships", "true").await, 0);
    psql.run("SET freehold.organization = ''; SET freehold.account = ''").await.unwrap();
    assert_eq!(count(&mut psql, "memberships", "true").await, 0);
    world.close().await;
}

/// Proves AZ-9.
#[tokio::test]
async fn the_application_changes_nothing_of_another_organisation() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    visited(&world).await;
    let mut owner = world.database.psql(Login::Owner).await;
    let before = fingerprint(&mut owner, b.id).await;
    let mut psql = world.database.psql(Login::Application).await;
    psql.act(Some(a.id), Some(a.owner.account)).await;

    // Changed and removed by its id, nothing of the other's is found.
    for sql in [
        format!("UPDATE memberships SET role = 'owner' WHERE id = '{}'", b.member.membership),
        format!("UPDATE organizations SET name = 'Ours' WHERE id = '{}'", b.id),
        format!("UPDATE invitations SET status = 'revoked' WHERE id = '{}'", b.pending.id),
        format!("DELETE FROM memberships WHERE id = '{}'", b.member.membership),
        format!("UPDATE attributes SET scope = NULL WHERE id = '{}'", b.desk),
        format!("DELETE FROM attributes WHERE id = '{}'", b.desk),
        format!("UPDATE attribute_values SET version = 9 WHERE attribute_id = '{}'", b.desk),
        format!("DELETE FROM attribute_values WHERE attribute_id = '{}'", b.desk),
        format!("DELETE FROM attribute_matches WHERE organization_id = '{}'", b.id),
        format!("UPDATE teams SET role = 'admin' WHERE id = '{}'", b.team),
        format!("DELETE FROM teams WHERE id = '{}'", b.team),
        format!("DELETE FROM team_members WHERE team_id = '{}'", b.team),
        format!("DELETE FROM invitation_teams WHERE team_id = '{}'", b.team),
        format!("UPDATE settings SET document = '{{}}' WHERE organization_id = '{}'", b.id),
        "UPDATE settings SET document = '{}' WHERE organization_id = platform_organization()".to_owned(),
        format!("UPDATE sign_up_requests SET status = 'pending' WHERE organization_id = '{}'", b.id),
        format!("UPDATE alerts SET state = 'acknowledged' WHERE id = '{}'", b.alert),
        format!("UPDATE alert_rules SET enabled = false WHERE id = '{}'", b.alert_rule),
        format!("DELETE FROM alert_rules WHERE id = '{}'", b.alert_rule),
        format!("DELETE FROM alert_counts WHERE organization_id = '{}'", b.id),
        format!("DELETE FROM alert_mutes WHERE organization_id = '{}'", b.id),
        format!("UPDATE product_event_types SET title = 'Y' WHERE organization_id = '{}'", b.id),
    ] {
        assert_eq!(psql.run(&sql).await.unwrap(), 0, "{sql}");
    }
    let (account, b_id) = (a.owner.account, b.id);
    for sql in [
        // Put into the other's.
        format!(
            "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
             VALUES (gen_random_uuid(), '{b_id}', '{account}', 'owner', 'active', now(), now())"
        ),
        format!(
            "INSERT INTO invitations (id, organization_id, email, role, token_hash, status, created_at, expires_at)
             VALUES (gen_random_uuid(), '{b_id}', 'x@example.com', 'owner', sha256('x'), 'pending', now(), now())"
        ),
        format!(
            "INSERT INTO teams (id, organization_id, name, name_key, role, created_at, updated_at)
             VALUES (gen_random_uuid(), '{b_id}', 'X', 'x', 'admin', now(), now())"
        ),
        format!(
            "INSERT INTO attribute_values (id, organization_id, attribute_id, membership_id, clear, updated_at)
             VALUES (gen_random_uuid(), '{b_id}', '{}', '{}', 'x', now())",
            b.site, b.member.membership
        ),
        format!("INSERT INTO team_members VALUES ('{b_id}', '{}', '{}')", b.team, b.member.membership),
        format!("INSERT INTO invitation_teams VALUES ('{b_id}', '{}', '{}')", b.pending.id, b.team),
        audit_entry(b.id),
        format!("INSERT INTO audit_words (organization_id, word, entry_id) VALUES ('{b_id}', 'x', '{}')", b.entry),
        format!("INSERT INTO audit_personal (id, organization_id) VALUES (gen_random_uuid(), '{b_id}')"),
        settings_version(b.id),
        sign_up_request(b.id),
        format!("INSERT INTO alert_mutes VALUES ('{b_id}', 'x', now() + interval '1 day', NULL, now())"),
        // Raised, changed or removed, which is the leader's to do.
        format!("UPDATE alerts SET count = 1 WHERE id = '{}'", a.alert),
        format!("UPDATE alerts SET severity = 'low' WHERE id = '{}'", a.alert),
        format!("DELETE FROM alerts WHERE id = '{}'", a.alert),
        "UPDATE alert_progress SET below = 1".to_owned(),
        "SELECT count(*) FROM error_counts".to_owned(),
        // Seals are the platform's to add, and nobody's to change: not even one's own.
        seal(b.id),
        seal(a.id),
        checkpoint(a.id),
        "UPDATE audit_seals SET hash = sha256('y')".to_owned(),
        "DELETE FROM audit_checkpoints".to_owned(),
        "UPDATE audit_sealing SET settled = now()".to_owned(),
        // Moved over.
        format!("UPDATE sign_up_requests SET organization_id = '{b_id}'"),
        format!("UPDATE teams SET organization_id = '{b_id}' WHERE id = '{}'", a.team),
        format!("UPDATE attributes SET organization_id = '{b_id}' WHERE id = '{}'", a.desk),
        // What never changes.
        format!("UPDATE attributes SET key = 'x' WHERE id = '{}'", a.desk),
        format!("UPDATE attributes SET kind = 'url' WHERE id = '{}'", a.desk),
        "DELETE FROM product_event_types".to_owned(),
        format!("UPDATE attribute_values SET membership_id = '{}'", a.member.membership),
        format!("UPDATE settings SET organization_id = '{b_id}'"),
        format!("UPDATE memberships SET organization_id = '{b_id}' WHERE id = '{}'", a.member.membership),
        format!("UPDATE invitations SET organization_id = '{b_id}' WHERE id = '{}'", a.pending.id),
        format!("UPDATE organizations SET id = '{b_id}' WHERE id = '{}'", a.id),
        // Made or removed, which is the platform's to do.
        "INSERT INTO organizations (id, name, slug, kind, status, created_at, updated_at)
         VALUES (gen_random_uuid(), 'X', 'x', 'tenant', 'active', now(), now())"
            .to_owned(),
        format!("DELETE FROM organizations WHERE id = '{}'", a.id),
        "TRUNCATE memberships".to_owned(),
        format!("UPDATE audit_personal SET address = NULL WHERE organization_id = '{}'", a.id),
        format!("DELETE FROM audit_personal WHERE organization_id = '{}'", a.id),
    ] {
        refused(&mut psql, &sql).await;
    }
    assert_eq!(fingerprint(&mut owner, b.id).await, before);
    // The control: the same statements on one's own.
    let own = format!("UPDATE memberships SET role = 'manager' WHERE id = '{}'", a.member.membership);
    assert_eq!(psql.run(&own).await.unwrap(), 1);
    psql.run(&audit_entry(a.id)).await.unwrap();
    psql.run(&settings_version(a.id)).await.unwrap();
    world.close().await;
}

fn settings_version(organization: Uuid) -> String {
    format!(
        "INSERT INTO settings_history (id, organization_id, version, changes, document, changed_at)
         VALUES (gen_random_uuid(), '{organization}', 99, '[]', '{{}}', now())"
    )
}

fn audit_entry(organization: Uuid) -> String {
    format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, metadata)
         VALUES (gen_random_uuid(), '{organization}', now(), 'x', 'low', 'normal', 'success', 'system', 'x', '{{}}')"
    )
}

/// Proves AZ-9.
#[tokio::test]
async fn a_team_holds_nobody_of_another_organisation_whoever_asks() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let foreign_key =
        |error: sqlx::Error| error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    for login in [Login::Application, Login::Platform, Login::Owner] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        for sql in [
            format!("INSERT INTO team_members VALUES ('{}', '{}', '{}')", a.id, a.team, b.member.membership),
            format!("INSERT INTO team_members VALUES ('{}', '{}', '{}')", a.id, b.team, a.member.membership),
            format!("INSERT INTO invitation_teams VALUES ('{}', '{}', '{}')", a.id, a.revoked.id, b.team),
            format!("INSERT INTO invitation_teams VALUES ('{}', '{}', '{}')", a.id, b.pending.id, a.team),
        ] {
            let error = psql.run(&sql).await.expect_err(&sql);
            assert_eq!(foreign_key(error), "23503", "{login:?}: {sql}");
        }
        // A team makes no owner either.
        let owners = format!("UPDATE teams SET role = 'owner' WHERE id = '{}'", a.team);
        // The platform's role changes no team at all.
        let refusal = if login == Login::Platform { FORBIDDEN } else { "23514" };
        assert_eq!(foreign_key(psql.run(&owners).await.expect_err(&owners)), refusal, "{login:?}");
        let own = format!("INSERT INTO team_members VALUES ('{}', '{}', '{}')", a.id, a.team, a.member.membership);
        psql.run(&own).await.unwrap();
        let out = format!("DELETE FROM team_members WHERE membership_id = '{}'", a.member.membership);
        assert_eq!(psql.run(&out).await.unwrap(), 1);
    }
    world.close().await;
}

/// Proves AZ-9.
#[tokio::test]
async fn a_person_sees_their_own_memberships_elsewhere_and_changes_none_of_them() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Application).await;
    // Their own places in teams as well, and nobody else's.
    psql.act(Some(b.id), Some(a.subject.account)).await;
    let foreign = format!("organization_id = '{}'", a.id);
    assert_eq!(count(&mut psql, "team_members", &foreign).await, 1);
    assert_eq!(count(&mut psql, "teams", &foreign).await, 1);
    assert_eq!(psql.run(&format!("UPDATE teams SET role = 'admin' WHERE {foreign}")).await.unwrap(), 0);
    assert_eq!(psql.run(&format!("DELETE FROM team_members WHERE {foreign}")).await.unwrap(), 0);
    psql.act(Some(b.id), Some(a.member.account)).await;
    let foreign = format!("organization_id = '{}'", a.id);
    assert_eq!(count(&mut psql, "memberships", &foreign).await, 1);
    assert_eq!(count(&mut psql, "organizations", &format!("id = '{}'", a.id)).await, 1);
    for table in ["teams", "team_members", "invitations", "invitation_teams", "audit_entries", "audit_words"] {
        assert_eq!(count(&mut psql, table, &foreign).await, 0, "{table}");
    }
    let climb = format!("UPDATE memberships SET role = 'owner' WHERE {foreign}");
    assert_eq!(psql.run(&climb).await.unwrap(), 0);
    assert_eq!(psql.run(&format!("DELETE FROM memberships WHERE {foreign}")).await.unwrap(), 0);
    let rename = format!("UPDATE organizations SET name = 'Mine' WHERE id = '{}'", a.id);
    assert_eq!(psql.run(&rename).await.unwrap(), 0);
    world.close().await;
}

#[tokio::test]
async fn nobody_changes_the_record() {
    let world = World::open().await;
    let a = &world.a;
    let mut owner = world.database.psql(Login::Owner).await;
    let before = owner.text("SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM audit_entries e").await;
    let statements = [
        format!("UPDATE audit_entries SET outcome = 'failed' WHERE id = '{}'", a.entry),
        format!("DELETE FROM audit_entries WHERE id = '{}'", a.entry),
        "TRUNCATE audit_entries CASCADE".to_owned(),
        "UPDATE audit_entries SET organization_id = organization_id".to_owned(),
        "DELETE FROM audit_entries_default".to_owned(),
        "DELETE FROM audit_entries_before".to_owned(),
    ];
    for login in [Login::Application, Login::Platform] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        assert_eq!(count(&mut psql, "audit_entries", &format!("id = '{}'", a.entry)).await, 1, "{login:?}");
        for sql in statements.iter().map(String::as_str).chain([
            "UPDATE audit_words SET word = 'x'",
            "DELETE FROM audit_words",
            "TRUNCATE audit_words",
            "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
            "DROP TABLE audit_entries CASCADE",
            "SELECT * FROM audit_entries_before_mixed",
            "DELETE FROM audit_personal_default",
            "SELECT audit_make_part('2020_01', now(), now(), false)",
        ]) {
            refused(&mut psql, sql).await;
        }
    }
    // No part of it can be reached but through the whole, with its policies.
    let around =
        "SELECT count(*) FROM pg_class c CROSS JOIN unnest(ARRAY['freehold_application', 'freehold_platform']) r
         WHERE c.relispartition AND has_any_column_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
            OR c.relispartition AND has_table_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')";
    assert_eq!(owner.number(around).await, 0);
    // The application drops nothing, and the platform's role nothing that is young.
    let drop = "SELECT * FROM audit_drop((SELECT max(part) FROM audit_parts WHERE part <> 'before'), 'normal', '{}')";
    refused(&mut world.database.psql(Login::Application).await, drop).await;
    let young = world.database.psql(Login::Platform).await.run(drop).await.expect_err(drop).to_string();
    assert!(young.contains("kept longer"), "{young}");
    // Whoever migrates has to take the trigger away first, on purpose.
    for sql in &statements {
        let error = owner.run(sql).await.expect_err(sql).to_string();
        assert!(error.contains("audit entries are immutable"), "{sql}: {error}");
    }
    let after = owner.text("SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM audit_entries e").await;
    assert_eq!(after, before);
    world.close().await;
}

#[tokio::test]
async fn nobody_changes_the_history_of_settings() {
    let world = World::open().await;
    let a = &world.a;
    for login in [Login::Application, Login::Platform] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        let own = format!("organization_id = '{}'", a.id);
        assert!(count(&mut psql, "settings_history", &own).await > 0, "{login:?}");
        for sql in [
            "UPDATE settings_history SET changed_by = NULL",
            "DELETE FROM settings_history",
            "TRUNCATE settings_history",
            "DELETE FROM settings",
            "DROP TABLE settings_history",
        ] {
            refused(&mut psql, sql).await;
        }
    }
    // The platform's role reads and leaves the writing to whoever is in an organisation.
    let mut platform = world.database.psql(Login::Platform).await;
    refused(&mut platform, "UPDATE settings SET document = '{}'").await;
    refused(&mut platform, &settings_version(a.id)).await;
    world.close().await;
}

#[tokio::test]
async fn the_application_puts_letters_into_the_outbox_and_reads_none() {
    let database = Database::new().await;
    let mut psql = database.psql(Login::Application).await;
    let insert = "INSERT INTO outbox (id, kind, payload, created_at, available_at)
                  VALUES (gen_random_uuid(), 'mail', 'x', now(), now())";
    psql.run(insert).await.unwrap();
    assert_eq!(psql.number("SELECT count(id) FROM outbox WHERE sent_at IS NULL").await, 1);
    for sql in [
        "SELECT payload FROM outbox",
        "SELECT * FROM outbox",
        "SELECT id FROM outbox WHERE payload = 'x'",
        &format!("{insert} RETURNING payload"),
        "UPDATE outbox SET available_at = now()",
        "DELETE FROM outbox",
    ] {
        refused(&mut psql, sql).await;
    }
}

/// Proves AZ-9.
#[tokio::test]
async fn the_servers_roles_own_nothing_and_stand_above_nothing() {
    let database = Database::new().await;
    let mut owner = database.psql(Login::Owner).await;
    let roles = owner
        .rows(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
                    (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS member_of,
                    (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid) AS tables,
                    (SELECT count(*) FROM pg_proc p WHERE p.proowner = r.oid) AS functions
             FROM pg_roles r WHERE rolname IN ('freehold_application', 'freehold_platform')",
        )
        .await;
    let powerless = json!({
        "rolsuper": false, "rolbypassrls": false, "rolcreaterole": false, "rolcreatedb": false,
        "rolreplication": false, "member_of": 0, "tables": 0, "functions": 0,
    });
    assert_eq!(roles, [powerless.clone(), powerless]);
    for login in [Login::Application, Login::Platform] {
        let mut psql = database.psql(login).await;
        for sql in [
            "CREATE TABLE public.mine (id int)",
            "ALTER TABLE memberships DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY",
            "CREATE POLICY mine ON memberships USING (true)",
            "ALTER ROLE freehold_application BYPASSRLS",
            "SET ROLE freehold_owner",
            "GRANT freehold_owner TO CURRENT_USER",
            "CREATE OR REPLACE FUNCTION public.current_organization() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
            "COPY memberships TO '/tmp/memberships'",
            "SELECT * FROM seaql_migrations",
        ] {
            refused(&mut psql, sql).await;
        }
        // With row_security off PostgreSQL refuses rather than shows; whoever could bypass it would see.
        psql.run("SET row_security = off").await.unwrap();
        if login == Login::Application {
            refused(&mut psql, "SELECT count(*) FROM memberships").await;
        }
    }
}

/// Proves AZ-9.
#[tokio::test]
async fn every_table_is_a_tenants_or_has_a_reason_not_to_be() {
    let database = Database::new().await;
    let mut owner = database.psql(Login::Owner).await;
    let tables = owner
        .rows(
            "SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                    EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'organization_id'
                            AND attnotnull AND NOT attisdropped) AS owned,
                    NOT EXISTS (SELECT FROM (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf UNION ALL
                                             SELECT c.oid WHERE c.relkind <> 'p') leaf
                        WHERE NOT EXISTS (SELECT FROM pg_index i
                            JOIN pg_attribute a ON a.attrelid = leaf.relid AND a.attnum = i.indkey[0]
                            WHERE i.indrelid = leaf.relid AND i.indisvalid AND i.indpred IS NULL
                              AND a.attname = 'organization_id')) AS indexed
             FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
               AND NOT c.relispartition
             ORDER BY 1",
        )
        .await;
    let mut faults = Vec::new();
    for table in &tables {
        let name = table["name"].as_str().unwrap();
        let is = |what: &str| table[what] == Value::Bool(true);
        let tenants = match name {
            // Its id is the organisation's.
            "organizations" => is("forced"),
            _ => is("forced") && is("owned") && is("indexed"),
        };
        let identity = IDENTITY.iter().any(|(known, _)| *known == name);
        if tenants == identity {
            faults.push(format!(
                "{table}: give it organization_id, an index that begins with it and forced row-level security, or a \
                 reason in IDENTITY, but not both"
            ));
        }
        if tenants != TENANT.iter().any(|(known, _)| *known == name) {
            faults.push(format!("{name}: add it to TENANT, so that the stories above hold it to its organisation"));
        }
    }
    let gone = |name: &str| !tables.iter().any(|table| table["name"] == name);
    faults.extend(IDENTITY.iter().filter(|(name, _)| gone(name)).map(|(name, _)| format!("{name} is no table")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
