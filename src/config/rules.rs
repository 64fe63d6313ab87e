//! What the settings must satisfy together, and what each profile refuses. Reads no source and
//! changes no value.

use std::path::Path;

use url::Url;

use super::reader::Reader;
use super::secret::SecretString;
use super::values::is_this_host;
use super::{Config, Passwords, Pooler, Profile, root_key};

/// Memory in KiB and passes that the OWASP Password Storage Cheat Sheet holds equally strong, with
/// one lane.
const OWASP_ARGON2ID: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

const DATABASE_URLS: &str = "write postgres://user:password@host:5432/database";

pub(super) fn check(config: &Config, reader: &mut Reader) {
    tokens(config, reader);
    passwords(&config.passwords, reader);
    databases(config, reader);
    mail(config, reader);
    if tracing_subscriber::EnvFilter::try_new(&config.log.level).is_err() {
        reader.refuse("log.level", "is not a log filter; write for example info or warn,freehold=debug");
    }
    if config.policies.directory.as_deref().is_some_and(|directory| !Path::is_dir(directory)) {
        reader
            .refuse("policies.directory", "is not a directory; name one that holds the policy files, or leave it out");
    }
    match config.profile {
        Profile::Development => development(config, reader),
        Profile::Production => production(config, reader),
    }
}

fn tokens(config: &Config, reader: &mut Reader) {
    let tokens = &config.tokens;
    if tokens.refresh_lifetime <= tokens.access_lifetime {
        reader.refuse("tokens.refresh_lifetime", "must be longer than tokens.access_lifetime");
    }
    if tokens.session_lifetime < tokens.refresh_lifetime {
        reader.refuse("tokens.session_lifetime", "must not be shorter than tokens.refresh_lifetime");
    }
    if tokens.audience.is_empty() || tokens.audience.len() > 255 {
        reader.refuse("tokens.audience", "must have 1 to 255 characters");
    }
}

fn passwords(passwords: &Passwords, reader: &mut Reader) {
    let enough = |(memory, passes): &(u32, u32)| passwords.memory_kib >= *memory && passwords.iterations >= *passes;
    if !OWASP_ARGON2ID.iter().any(enough) {
        let right = "is weaker than OWASP's Argon2id parameters; with this memory_kib write at least 19456 with 2 iterations, \
                     12288 with 3, 9216 with 4, 7168 with 5, or 47104 with 1";
        let key =
            if reader.was_given("passwords.memory_kib") { "passwords.memory_kib" } else { "passwords.iterations" };
        reader.refuse(key, right);
    }
}

fn databases(config: &Config, reader: &mut Reader) {
    let database = &config.database;
    for (key, url) in [
        ("database.url", &database.url),
        ("database.direct_url", &database.direct_url),
        ("database.application_url", &database.application_url),
        ("database.platform_url", &database.platform_url),
    ] {
        let Some(url) = url else { continue };
        if database.url.is_none() {
            reader.refuse(key, "needs database.url beside it");
        }
        if let Err(problem) = database_url(url, config.profile) {
            reader.refuse(key, problem);
        }
    }
    if database.pooler == Pooler::Transaction && database.direct_url.is_none() {
        reader.refuse(
            "database.direct_url",
            "is missing; with a pooler write the database's own address here, for LISTEN and leadership",
        );
    }
}

fn database_url(url: &SecretString, profile: Profile) -> Result<(), String> {
    let url = Url::parse(url.expose()).map_err(|_| format!("is not a database address; {DATABASE_URLS}"))?;
    let host = url.host().filter(|_| matches!(url.scheme(), "postgres" | "postgresql"));
    let host = host.ok_or_else(|| format!("is not a database address; {DATABASE_URLS}"))?;
    let parameter =
        |name: &str| url.query_pairs().filter(|(key, _)| key == name).last().map(|(_, value)| value.into_owned());
    // `host` and `hostaddr` parameters win over the address itself.
    let is_local = |name: &str| name.starts_with('/') || is_this_host(&url::Host::Domain(name));
    let elsewhere: Vec<_> = url.query_pairs().filter(|(key, _)| key == "host" || key == "hostaddr").collect();
    let local =
        if elsewhere.is_empty() { is_this_host(&host) } else { elsewhere.iter().all(|(_, name)| is_local(name)) };
    let mode = parameter("sslmode").or_else(|| parameter("ssl-mode"));
    if profile == Profile::Production && !local && mode.as_deref() != Some("verify-full") {
        return Err("is on another host without verified TLS; add ?sslmode=verify-full (and sslrootcert=… for a private authority)".to_owned());
    }
    Ok(())
}

fn mail(config: &Config, reader: &mut Reader) {
    if config.mail.from.parse::<lettre::message::Mailbox>().is_err() {
        reader.refuse("mail.from", "is not a sender; write for example Freehold <no-reply@example.com>");
    }
    let Some(url) = &config.mail.smtp_url else { return };
    const RIGHT: &str =
        "write smtps://user:password@host:465, or smtp://user:password@host:587?tls=required for STARTTLS";
    let Some(url) =
        Url::parse(url.expose()).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host())
    else {
        reader.refuse("mail.smtp_url", format!("is not a mail server's address; {RIGHT}"));
        return;
    };
    let protected =
        url.scheme() == "smtps" || url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
    let local = url.host().is_some_and(|host| is_this_host(&host));
    if config.profile == Profile::Production && url.password().is_some() && !protected && !local {
        reader.refuse("mail.smtp_url", format!("would send the password unencrypted; {RIGHT}"));
    }
}

fn development(config: &Config, reader: &mut Reader) {
    if !config.http.listen.ip().is_loopback() {
        reader.refuse(
            "http.listen",
            "leaves this machine, and the development profile is plain HTTP on loopback; write 127.0.0.1:8080, or profile = \"production\"",
        );
    }
}

fn production(config: &Config, reader: &mut Reader) {
    root_key::check(config.secrets.root_key.as_ref(), reader);
    if !config.http.public_url.is_https() {
        reader.refuse(
            "http.public_url",
            "must be the https address people use in production; write for example https://id.example.com",
        );
    }
    let proxies = &config.http.trusted_proxies;
    if proxies.is_empty() {
        reader.refuse("http.trusted_proxies", "is missing; name the proxy that ends TLS, for example 10.0.0.5");
    }
    if proxies.iter().any(|network| network.prefix_len() == 0) {
        reader.refuse(
            "http.trusted_proxies",
            "trusts every address, so anybody could forge theirs; name the proxy's own network",
        );
    }
    if config.database.url.is_none() {
        reader.refuse("database.url", format!("is missing; production has a PostgreSQL of its own: {DATABASE_URLS}"));
    }
    if config.mail.smtp_url.is_none() {
        reader.refuse("mail.smtp_url", "is missing; write smtps://user:password@host:465 (files are for development)");
    }
    if !reader.was_given("mail.from") {
        reader.refuse(
            "mail.from",
            "is missing; write the sender people will see, for example Freehold <no-reply@example.com>",
        );
    }
    if reader.has_mistakes() && !reader.was_given("profile") {
        reader.refuse("profile", "is production unless you say otherwise; to try Freehold on this machine write FREEHOLD_PROFILE=development");
    }
}
