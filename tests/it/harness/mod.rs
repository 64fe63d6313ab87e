//! What the tests talk to: a private PostgreSQL, servers in this process and in others, people with tokens, their mail.
//! It starts and stops things and asks; it expects nothing of the product but that no answer is a 500.
//!
//! One PostgreSQL runs for the whole run. A test gets a database of its own, cloned from a migrated template in some
//! 50 ms, and starts as many servers on it as its story needs.

mod client;
mod cluster;
mod database;
mod logs;
mod mail;
mod openbao;
mod passkeys;
mod pebble;
mod people;
mod pgbouncer;
mod process;
mod proxy;
mod second_factors;
mod server;
mod tests;

pub use client::{Actor, Answer, Draft};
pub use cluster::folder;
pub use database::{Database, ENTRIES, Login, Psql};
pub use openbao::{OpenBao, TRANSIT_KEY};
pub use passkeys::{Authenticator, add_passkey};
pub use pebble::{Pebble, Pem};
pub use people::insert_people;
pub use pgbouncer::PgBouncer;
pub use process::Process;
pub use proxy::Proxy;
pub use second_factors::{backup_codes, enrol, totp};
pub use server::{Server, config};

/// A password that is good enough for everybody.
pub const PASSWORD: &str = "Correct-horse-battery-7";

/// The address that every test server says it is reached at: tokens name their issuer, and a token made on one server
/// is good on another.
pub const PUBLIC_URL: &str = "http://freehold.localhost";

/// The root key of every test server: the passwords of the database roles and the sealed keys depend on it.
pub const ROOT_KEY: &str = "9fKxR0cW3p7mJq5ZtV8yB2nD6hL1sG4uE0aXoTiCzkM=";

/// The part of a link after `#token=`.
pub fn token_of(link: &str) -> String {
    let (_, token) = link.split_once("#token=").unwrap_or_else(|| panic!("no token in {link:?}"));
    let token = token.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).next().unwrap_or_default();
    logs::note(token);
    token.to_owned()
}

/// How long a story waits for what nothing promises a time of. Only a failure lasts this long; what is promised within a
/// time is waited for no longer than that.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Waits for something that happens soon, asking every 10 ms for at most `within`.
pub async fn eventually<T>(what: &str, within: std::time::Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < within, "still waiting after {within:?}: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
