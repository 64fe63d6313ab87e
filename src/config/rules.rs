//! What the settings must satisfy together, and what each profile refuses. Reads no source and
//! changes no value.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::IpNet;
use url::{Host, Url};

use super::reader::Reader;
use super::secret::SecretString;
use super::values::is_this_host;
use super::{Config, LogBodies, Origins, Passwords, Pooler, Profile, machine, root_key, tls, transit};

/// Memory in KiB and passes that the OWASP Password Storage Cheat Sheet holds equally strong, with
/// one lane.
const OWASP_ARGON2ID: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

const DATABASE_URLS: &str = "write postgres://user:password@host:5432/database";
/// The shortest password of a database login in production, in characters: 96 bits when they are random and in base64.
const SHORTEST_PASSWORD: usize = 16;
/// The broadest network that may be trusted as proxies: the whole of 10.0.0.0/8, or what a provider gives one customer
/// (RFC 6177 has /48; a large one gets /32).
const BROADEST_V4: u8 = 8;
const BROADEST_V6: u8 = 16;

pub(super) fn check(config: &Config, reader: &mut Reader) {
    tokens(config, reader);
    passwords(&config.passwords, reader);
    databases(config, reader);
    mail(config, reader);
    tls::check(&config.http, config.profile, reader);
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
    let all = u64::from(passwords.memory_kib) * passwords.workers as u64;
    if let Some(there_is) = machine::memory_kib().filter(|there_is| all > *there_is) {
        // The server would start, and the first storm of sign-ins would end it.
        let more =
            format!("is more, in all passwords.workers together, than the {there_is} KiB of memory that there are");
        reader.refuse("passwords.memory_kib", more);
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
        let problems = database_url(url, config.profile);
        if !problems.is_empty() {
            reader.refuse(key, problems.join("; it also "));
        }
    }
    if database.pooler == Pooler::Transaction && database.direct_url.is_none() {
        reader.refuse(
            "database.direct_url",
            "is missing; with a pooler write the database's own address here, for LISTEN and leadership",
        );
    }
}

/// What is wrong with a database's address; never repeats any of it.
fn database_url(url: &SecretString, profile: Profile) -> Vec<String> {
    let wrong = || vec![format!("is not a database address; {DATABASE_URLS}")];
    let Ok(url) = Url::parse(url.expose()) else { return wrong() };
    let Some(host) = url.host().filter(|_| matches!(url.scheme(), "postgres" | "postgresql")) else { return wrong() };
    let values = |names: &[&str]| -> Vec<String> {
        let given = url.query_pairs().filter(|(key, _)| names.contains(&key.as_ref()));
        given.map(|(_, value)| value.into_owned()).collect()
    };
    let mut problems = Vec::new();
    let modes = values(&["sslmode", "ssl-mode"]);
    if modes.len() > 1 {
        problems.push("says more than once how to use TLS; keep one sslmode".to_owned());
    }
    if profile != Profile::Production {
        return problems;
    }
    // `host` and `hostaddr` parameters win over the address itself.
    let is_local = |name: &String| name.starts_with('/') || is_this_host(&Host::Domain(name));
    let elsewhere = values(&["host", "hostaddr"]);
    let local = if elsewhere.is_empty() { is_this_host(&host) } else { elsewhere.iter().all(is_local) };
    let verified = modes.last().is_some_and(|mode| mode == "verify-full");
    if !local && !verified {
        problems.push("is on another host without verified TLS; add ?sslmode=verify-full (and sslrootcert=… for a private authority)".to_owned());
    }
    // A `password` parameter wins over the address's own. A login may have none: sockets and certificates need none.
    let parameter = values(&["password"]).pop();
    let own = url.password().map(percent_decoded_length);
    if parameter.map(|text| text.chars().count()).or(own).is_some_and(|length| length < SHORTEST_PASSWORD) {
        problems.push(format!(
            "has a password of fewer than {SHORTEST_PASSWORD} characters; `freehold secrets generate` prints long ones"
        ));
    }
    problems
}

/// How many characters escaped text stands for.
fn percent_decoded_length(text: &str) -> usize {
    text.chars().count() - 2 * text.matches('%').count()
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
    if config.profile == Profile::Production && !protected && !local {
        // With or without a password: letters hold links that let people in.
        reader.refuse("mail.smtp_url", format!("would send mail unencrypted to another host; {RIGHT}"));
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
    if config.secrets.root_key.is_some() || !reader.was_given(transit::ADDRESS) {
        root_key::check(config.secrets.root_key.as_ref(), reader);
    }
    if !config.http.public_url.is_https() {
        reader.refuse(
            "http.public_url",
            "must be the https address people use in production; write for example https://id.example.com",
        );
    }
    if let Some(problem) = unreachable(config.http.public_url.as_str()) {
        reader.refuse(
            "http.public_url",
            format!("{problem}; write the one name that people use, for example https://id.example.com"),
        );
    }
    let proxies = &config.http.trusted_proxies;
    // Behind a proxy that is not known, all clients would be one, and share its limits (NET-4).
    if !reader.was_given("http.trusted_proxies") {
        reader.refuse(
            "http.trusted_proxies",
            "is missing; name the proxy that ends TLS, for example 10.0.0.5, or write none if there is none",
        );
    } else if proxies.is_empty() && config.http.tls.is_none() {
        reader.refuse(
            "http.trusted_proxies",
            "is none, and the server ends no TLS either; give it a certificate (http.tls), or name the proxy that ends TLS",
        );
    }
    cors(&config.http.cors_origins, reader);
    let broad: Vec<_> = proxies.iter().filter(|network| too_broad(network)).map(ToString::to_string).collect();
    if !broad.is_empty() {
        reader.refuse(
            "http.trusted_proxies",
            format!(
                "trusts whole regions of the Internet ({}), where anybody could forge their address; name the proxy's own \
                 network, no broader than /{BROADEST_V4} (IPv4) or /{BROADEST_V6} (IPv6)",
                broad.join(", ")
            ),
        );
    }
    if config.database.url.is_none() {
        reader.refuse("database.url", format!("is missing; production has a PostgreSQL of its own: {DATABASE_URLS}"));
    }
    if config.log.bodies != LogBodies::Off {
        reader.refuse("log.bodies", "is for finding faults in development; production logs no bodies, so leave it out");
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

/// Which pages of others may not call from a browser (NET-3).
fn cors(origins: &Origins, reader: &mut Reader) {
    const KEY: &str = "http.cors_origins";
    if *origins == Origins::Any {
        reader.refuse(KEY, "is open to every page there is; name each origin, for example https://app.example.com");
    }
    let clear: Vec<_> = origins.named().iter().filter(|origin| origin.starts_with("http:")).cloned().collect();
    if !clear.is_empty() {
        let problem =
            "that anybody on the way can change; name https origins only, for example https://app.example.com";
        reader.refuse(KEY, format!("has pages without TLS ({}), {problem}", clear.join(", ")));
    }
}

/// Why a public address is none that people elsewhere could use, if so.
fn unreachable(public_url: &str) -> Option<&'static str> {
    let url = Url::parse(public_url).ok()?;
    match url.host()? {
        Host::Domain(name) if name.contains('*') => Some("has a wildcard"),
        Host::Ipv4(ip) if ip.is_loopback() || ip.is_unspecified() => Some("is an address of this machine only"),
        Host::Ipv6(ip) if ip.is_loopback() || ip.is_unspecified() => Some("is an address of this machine only"),
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn too_broad(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < BROADEST_V4,
        IpNet::V6(network) => {
            // Of IPv4 addresses written as IPv6 (RFC 4291, 2.5.5.2), the IPv4 part counts.
            let all_of_v4: Ipv6Addr = Ipv4Addr::UNSPECIFIED.to_ipv6_mapped();
            let of_v4 = network.contains(&all_of_v4) || network.addr().to_ipv4_mapped().is_some();
            network.prefix_len() < if of_v4 { 96 + BROADEST_V4 } else { BROADEST_V6 }
        }
    }
}
