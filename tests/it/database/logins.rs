//! The logins that the server works under: what they must be before it starts, and what they may do when it has.

use std::{
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use freehold::db::embedded::Search;
use url::Url;

use crate::{
    harness::{Database, Login, Psql, ROOT_KEY, Server, config, folder, token_of},
    world::World,
};

const PASSWORD: &str = "a-password-of-a-database-login";

/// A role of this test's own, as a clause of CREATE ROLE makes it. Roles belong to the whole cluster: drop it at the end.
async fn make_login(owner: &mut Psql, clause: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("it_login_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    owner.run(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {clause}")).await.unwrap();
    name
}

/// The database's URL with another login.
fn url_of(database: &Database, user: &str, password: &str) -> String {
    let mut url = Url::parse(database.url().expose()).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(password)).unwrap();
    url.into()
}

/// The URL of a role that the server made.
fn url_of_made(database: &Database, role: &str) -> String {
    let (_, password) = database.login(Some(role));
    url_of(database, role, &password)
}

/// What a server with these settings says against starting.
async fn refusal(database: &Database, settings: &[(&str, &str)]) -> String {
    match Server::run(config(database, settings)).await {
        Ok(server) => {
            server.stop().await;
            panic!("it started with {settings:?}");
        }
        Err(error) => error.to_string(),
    }
}

/// Settings, and what has to be said against them.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Proves AZ-9.
#[tokio::test]
async fn a_server_refuses_logins_that_row_level_security_would_not_bind() {
    let database = Database::new().await;
    let mut owner = database.psql(Login::Owner).await;
    let stranger = make_login(&mut owner, "").await;
    let mixed = make_login(&mut owner, "IN ROLE freehold_application, freehold_platform").await;
    let good = make_login(&mut owner, "IN ROLE freehold_application").await;
    let owning = database.url().expose().to_owned();
    let of = |name: &str| url_of(&database, name, PASSWORD);
    let (application, platform) =
        (url_of_made(&database, "freehold_application"), url_of_made(&database, "freehold_platform"));
    let (application_url, platform_url) = ("DATABASE_APPLICATION_URL", "DATABASE_PLATFORM_URL");
    let cases: [Case<'_>; 6] = [
        (&[(application_url, &owning)], &[application_url, "owns the tables"]),
        (&[(platform_url, &owning)], &[platform_url, "owns the tables"]),
        (
            &[(application_url, &of(&stranger))],
            &[application_url, "does not have the role", "GRANT freehold_application TO"],
        ),
        (&[(application_url, &of(&mixed))], &[application_url, "sees every organisation"]),
        (
            &[(application_url, &platform), (platform_url, &application)],
            &["DATABASE_APPLICATION_URL", "DATABASE_PLATFORM_URL", "swapped"],
        ),
        (&[(application_url, &url_of(&database, &good, "wrong"))], &[application_url, "can't be asked"]),
    ];
    for (settings, expected) in cases {
        let text = refusal(&database, settings).await;
        for word in expected {
            assert!(text.contains(word), "missing: {word}\nin: {text}");
        }
        assert!(!text.contains(PASSWORD) && !text.contains("postgres://"), "{text}");
    }
    // The control: logins that are what they should be.
    let settings = [(application_url, of(&good)), (platform_url, platform)];
    let server = Server::configured(&database, &settings.each_ref().map(|(name, url)| (*name, url.as_str()))).await;
    server.nobody().get("/health/ready").await.expect(200);
    server.stop().await;
    for name in [stranger, mixed, good] {
        owner.run(&format!("DROP ROLE {name}")).await.unwrap();
    }
}

/// Proves AZ-9.
#[tokio::test]
async fn the_servers_roles_change_no_more_than_the_server_does() {
    let world = World::open().await;
    let a = &world.a;
    for (login, forbidden) in [
        (
            Login::Application,
            &[
                "UPDATE accounts SET state = 'active'",
                "UPDATE accounts SET id = id",
                "UPDATE accounts SET salt = NULL",
                "SELECT wrapped FROM data_keys",
                "UPDATE account_matches SET account_id = account_id",
                "UPDATE setup_tokens SET token_hash = token_hash",
                "UPDATE sessions SET account_id = account_id",
                "UPDATE sessions SET expires_at = now()",
                "UPDATE refresh_tokens SET session_id = session_id",
                "UPDATE refresh_tokens SET expires_at = now()",
                "UPDATE organizations SET kind = 'platform'",
                "UPDATE memberships SET account_id = account_id",
                "UPDATE invitations SET role = 'owner'",
                "UPDATE invitations SET email = 'x@example.com'",
                "UPDATE idempotency_keys SET key = key",
                "DELETE FROM accounts",
                "DELETE FROM sessions",
                "CREATE TEMPORARY TABLE mine (id int)",
            ][..],
        ),
        (
            Login::Platform,
            &[
                "SELECT token_hash FROM setup_tokens",
                "UPDATE accounts SET salt = sha256('another')",
                "UPDATE account_matches SET value = value",
                "UPDATE data_keys SET id = id",
                "UPDATE sessions SET account_id = account_id",
                "UPDATE refresh_tokens SET used_at = NULL",
                "UPDATE memberships SET role = 'platform_admin'",
                "UPDATE invitations SET role = 'owner'",
                "UPDATE signing_keys SET public_jwk = public_jwk",
                "UPDATE outbox SET created_at = created_at",
                "CREATE TEMPORARY TABLE mine (id int)",
            ][..],
        ),
    ] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        for sql in forbidden {
            let error = psql.run(sql).await.err().unwrap_or_else(|| panic!("{login:?} may: {sql}"));
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{sql}: {error}");
        }
    }
    world.close().await;
}

/// The command, with what it printed on both outputs and whether it succeeded.
async fn setup_token(settings: &[(&str, &str)]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.env_clear().env("PATH", Search::of_this_machine().path).current_dir(folder("setup-token"));
    command.env("FREEHOLD_PROFILE", "development").env("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY);
    command.envs(settings.iter().copied()).arg("setup-token");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.success())
}

/// Proves AUT-8.
#[tokio::test]
async fn the_setup_link_is_printed_beside_a_running_server_and_nothing_else_is_started() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let expected = server.setup_token().await;
    server.stop().await;
    // A letter that any mail worker would take at once.
    let mut owner = database.psql(Login::Owner).await;
    let letter = "INSERT INTO outbox (id, kind, payload, created_at, available_at)
                  VALUES (gen_random_uuid(), 'mail', 'x', now(), now() - interval '1 hour')";
    owner.run(letter).await.unwrap();
    let (data, url) = (folder("setup-token-data"), database.url().expose().to_owned());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("FREEHOLD_DATA_DIR", data.to_str().unwrap()),
        ("FREEHOLD_HTTP_PUBLIC_URL", "http://localhost:4711"),
    ];
    let (text, success) = setup_token(&settings).await;
    assert!(success && text.contains("http://localhost:4711/setup#token="), "{text}");
    assert_eq!(token_of(&text), expected);
    let untouched = "SELECT count(*) FROM outbox WHERE attempts = 0 AND leased_by IS NULL AND last_error IS NULL";
    assert_eq!(owner.number(untouched).await, 1);
    assert_eq!(owner.number("SELECT count(*) FROM signing_keys").await, 1);
}

#[tokio::test]
async fn the_setup_link_of_an_embedded_database_in_use_is_where_its_server_printed_it() {
    use freehold::db::embedded::{Embedded, EmbeddedSettings};
    let data = folder("in-use");
    let settings = EmbeddedSettings { durable: false, ..EmbeddedSettings::new(&data) };
    let running = Embedded::start(settings).await.unwrap_or_else(|error| panic!("{error}"));
    let (text, success) = setup_token(&[("FREEHOLD_DATA_DIR", data.to_str().unwrap())]).await;
    assert!(!success, "{text}");
    for word in ["is running on the embedded PostgreSQL", "when it became ready", "stop it", "DATABASE_URL"] {
        assert!(text.contains(word), "missing: {word}\nin: {text}");
    }
    running.stop().await.unwrap();
}
