//! A database of an older release, brought to the present one.

use freehold::{
    audit,
    runtime::Clock,
    server,
    types::{Caller, Email, Origin},
};
use migration::{Migrator, MigratorTrait};
use serde_json::json;

use crate::harness::{Database, Login, Server, config};

/// Runs the first steps of the schema only, as a release that had no others.
#[expect(clippy::disallowed_methods, reason = "the server would run all the steps")]
async fn migrate(database: &Database, last: &str) {
    let steps = Migrator::migrations();
    let number = steps.iter().position(|step| step.name() == last).unwrap() + 1;
    let connection = sea_orm::Database::connect(database.url().expose()).await.unwrap();
    Migrator::up(&connection, Some(u32::try_from(number).unwrap())).await.unwrap();
    connection.close().await.unwrap();
}

/// Proves DAT-1, DAT-4: what an older release kept in clear in the record, and of why people acted, is sealed beside it,
/// is shown as before, and is found by search no more.
#[tokio::test]
async fn what_the_record_kept_in_clear_is_sealed() {
    let database = Database::empty().await;
    migrate(&database, "m20261121_000009_words").await;
    let mut owner = database.psql(Login::Owner).await;
    owner
        .run(
            "INSERT INTO accounts (id, email, name, state, created_at, updated_at)
             VALUES ('00000000-0000-7000-8000-0000000000aa', 'ada@example.com', 'Ada', 'active', now(), now());
             INSERT INTO organizations (id, name, slug, kind, status, created_at, updated_at)
             VALUES ('00000000-0000-7000-8000-0000000000bb', 'Engines', 'engines', 'tenant', 'active', now(), now());
             INSERT INTO platform_access (id, organization_id, account_id, reason, started_at, expires_at)
             VALUES (gen_random_uuid(), '00000000-0000-7000-8000-0000000000bb', '00000000-0000-7000-8000-0000000000aa',
                     'Zanzibar called', now(), now() + interval '1 second')",
        )
        .await
        .unwrap();
    // An entry that says all of it, one with a reason of a closed list, and one that says nothing personal.
    let entry = |id: &str, event: &str, address: &str, metadata: &str| {
        format!(
            "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type,
                 actor_id, target_type, target_id, address, user_agent, request_id, metadata)
             VALUES ('00000000-0000-7000-8000-0000000000{id}', platform_organization(), now(), '{event}', 'low', 'security',
                 'success', 'account', '00000000-0000-7000-8000-0000000000aa', 'account', NULL, {address}, NULL, 'r-{id}',
                 '{metadata}');
             INSERT INTO audit_words SELECT platform_organization(), word, '00000000-0000-7000-8000-0000000000{id}'
             FROM unnest(ARRAY['zanzibar', 'called', 'account', 'blocked', 'account.blocked']) AS w (word)"
        )
    };
    for entry in [
        entry("01", "account.blocked", "'192.0.2.78'", r#"{"reason": "Zanzibar called", "sessions": 2}"#),
        entry("02", "session.failed", "'192.0.2.79'", r#"{"reason": "wrong_password"}"#),
        entry("03", "leader.elected", "NULL", r#"{"term": 7}"#),
    ] {
        owner.run(&entry).await.unwrap();
    }
    let server = Server::start(&database).await;
    let (app, now) = (server.app(), Clock::default().now());
    let origin = Origin { request_id: "upgrade".into(), address: None, user_agent: None, now };
    let tx = app.db.read(&Caller::system("test", origin)).await.unwrap();
    let mut shown = Vec::new();
    for number in 1..=3 {
        let id = format!("00000000-0000-7000-8000-0000000000{number:02}").parse::<uuid::Uuid>().unwrap();
        let entry = audit::get(&app.vault, &tx, id.into()).await.unwrap();
        let personal = entry.personal;
        shown.push(json!([entry.row.metadata, personal.address, personal.user_agent, personal.details]));
    }
    let expected = [
        json!([{"sessions": 2}, "192.0.2.78", null, {"reason": "Zanzibar called"}]),
        json!([{"reason": "wrong_password"}, "192.0.2.79", null, {}]),
        json!([{"term": 7}, null, null, {}]),
    ];
    assert_eq!(shown, expected);
    let access = tx.all(tx.find::<entity::platform_access::Entity>()).await.unwrap().remove(0);
    let reason = freehold::sessions::reason(&app.vault, &access).unwrap();
    assert_eq!(reason.as_deref(), Some("Zanzibar called"));
    drop(tx);
    // The other entries keep their words, made up as they are here.
    assert_eq!(owner.number("SELECT count(*) FROM audit_words WHERE word = 'zanzibar'").await, 2);
    let blocked = "SELECT string_agg(word, ' ' ORDER BY word) FROM audit_words
                   WHERE entry_id = '00000000-0000-7000-8000-000000000001'";
    let words = owner.text(blocked).await;
    assert_eq!(words, "00000000-0000-7000-8000-0000000000aa account blocked r-01 success");
    for table in ["audit_entries", "audit_personal", "platform_access"] {
        let text = json!(owner.rows(&format!("SELECT * FROM {table}")).await).to_string();
        assert!(!text.contains("Zanzibar") && !text.contains("192.0.2."), "{table} has something in clear");
    }
    server.stop().await;
}

/// Proves DAT-1, DAT-4: what an older release kept in clear is sealed before the server answers, and nothing of it is
/// left. Domains that were kept in Unicode are found in either spelling.
#[tokio::test]
async fn what_was_kept_in_clear_is_sealed() {
    let database = Database::empty().await;
    migrate(&database, "m20261121_000002_polish").await;
    let mut owner = database.psql(Login::Owner).await;
    let addresses = [
        "zo\u{eb}@b\u{fc}cher.example",
        "ada@ma\u{f1}ana.com",
        "ada@\u{65e5}\u{672c}\u{8a9e}.jp",
        "ada@fu\u{df}ball.xn--p1ai",
        "ada@\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}",
        "ada@a\u{fc}\u{1f600}b-c.m\u{fc}nchen.example",
        "plain@example.com",
        // The other spelling is somebody's already: it stays as it is, and stops nothing.
        "twice@b\u{fc}cher.example",
        "twice@xn--bcher-kva.example",
    ];
    let session = "INSERT INTO sessions (id, account_id, delivery, factors, address, user_agent, authenticated_at, created_at,
                       last_seen_at, expires_at)
                   SELECT gen_random_uuid(), id, 'body', 'pwd', '192.0.2.77', NULL, now(), now(), now(), now() FROM accounts";
    for address in addresses {
        let insert = format!(
            "INSERT INTO accounts (id, email, name, state, created_at, updated_at)
             VALUES (gen_random_uuid(), '{address}', 'Known Canary', 'active', now(), now());
             INSERT INTO invitations (id, organization_id, email, role, message, token_hash, status, created_at, expires_at)
             VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'invited.{address}', 'member', 'Canary word',
                     sha256('{address}'), 'pending', now(), now())"
        );
        owner.run(&insert).await.unwrap();
    }
    owner.run(session).await.unwrap();
    let settings = config(&database, &[]);
    server::open_database(&settings, &Clock::default()).await.unwrap().close().await;
    let server = Server::run(settings).await.unwrap();
    let app = server.app();
    let now = Clock::default().now();
    let origin = Origin { request_id: "upgrade".into(), address: None, user_agent: None, now };
    let caller = Caller::system("test", origin);
    let tx = app.db.read(&caller).await.unwrap();
    for address in &addresses[..7] {
        let email: Email = address.parse().unwrap();
        assert!(email.as_str().is_ascii() || address.starts_with("zo\u{eb}"), "{email}");
        let found = freehold::accounts::find_by_email(&app.vault, &tx, &email).await.unwrap();
        let found = found.unwrap_or_else(|| panic!("{address} is not found"));
        assert_eq!((found.email.as_str(), found.name.as_str()), (email.as_str(), "Known Canary"));
    }
    let row: entity::sessions::Model =
        tx.all(tx.find_identity::<entity::sessions::Entity>()).await.unwrap().into_iter().next().unwrap();
    let seen = freehold::sessions::Seen::of(&app.vault, &row).unwrap();
    assert_eq!((seen.address.as_deref(), seen.user_agent), (Some("192.0.2.77"), None));
    drop(tx);
    for table in ["accounts", "invitations", "sessions"] {
        let rows = owner.rows(&format!("SELECT * FROM {table}")).await;
        assert_eq!(rows.len(), addresses.len());
        let text = json!(rows).to_string().to_lowercase();
        assert!(!text.contains("canary") && !text.contains("192.0.2.77"), "{table} has something in clear");
    }
    server.stop().await;
}
