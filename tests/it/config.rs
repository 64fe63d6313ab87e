//! Settings: where they come from, what is refused, and that secrets stay hidden.

mod transit;

use std::path::PathBuf;
use std::time::Duration;

use freehold::config::{
    Config, ConfigFile, ForwardedHeader, LogFormat, Mistakes, Pooler, Profile, Sources, ensure_development_secrets,
    generate_secrets, render_effective,
};

/// 32 bytes without a pattern.
const ROOT_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const GOOD_KEY: &str = "9fKxR0cW3p7mJq5ZtV8yB2nD6hL1sG4uE0aXoTiCzkM=";

const PRODUCTION: [(&str, &str); 7] = [
    ("FREEHOLD_PROFILE", "production"),
    ("FREEHOLD_HTTP_PUBLIC_URL", "https://id.example.com"),
    ("FREEHOLD_HTTP_TRUSTED_PROXIES", "10.0.0.5"),
    ("FREEHOLD_SECRETS_ROOT_KEY", GOOD_KEY),
    ("DATABASE_URL", "postgres://owner:hunter2-and-then-some@db.example.com/freehold?sslmode=verify-full"),
    ("FREEHOLD_MAIL_SMTP_URL", "smtps://mailer:hunter3@mail.example.com"),
    ("FREEHOLD_MAIL_FROM", "Example <no-reply@example.com>"),
];

/// The good production set with some variables changed; an empty value takes one away.
fn production(changes: &[(&str, &str)]) -> Result<Config, Mistakes> {
    load(&[&PRODUCTION, changes].concat(), "")
}

fn development(changes: &[(&str, &str)]) -> Result<Config, Mistakes> {
    load(&[&[("FREEHOLD_PROFILE", "development")], changes].concat(), "")
}

fn load(variables: &[(&str, &str)], file: &str) -> Result<Config, Mistakes> {
    let mut sources = Sources::of(variables);
    sources.file = Some(ConfigFile { path: PathBuf::from("freehold.toml"), text: file.to_owned() });
    Config::load(&sources)
}

fn good(result: Result<Config, Mistakes>) -> Config {
    result.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn bad(result: Result<Config, Mistakes>) -> String {
    result.map(|config| render_effective(&config)).expect_err("the mistake was not noticed").to_string()
}

#[test]
fn defaults_make_a_development_server_on_loopback() {
    let config = good(development(&[]));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.public_url.as_str(), "http://localhost:8080");
    assert_eq!(config.http.max_body_bytes, 1024 * 1024);
    assert_eq!(config.tokens.access_lifetime, Duration::from_mins(15));
    assert_eq!(config.mail.directory, PathBuf::from("data/mail"));
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.database.url.is_none());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let file =
        "profile = \"development\"\n[http]\nlisten = \"127.0.0.1:9000\"\ndrain = \"1m30s\"\n[passwords]\nworkers = 3\n";
    let config = good(load(&[("FREEHOLD_HTTP_LISTEN", "127.0.0.1:9001")], file));
    assert_eq!(config.profile, Profile::Development);
    assert_eq!(config.http.listen.port(), 9001);
    assert_eq!(config.http.public_url.as_str(), "http://localhost:9001");
    assert_eq!(config.http.drain, Duration::from_secs(90));
    assert_eq!(config.passwords.workers, 3);
    let shown = render_effective(&config);
    assert!(shown.contains("(from env FREEHOLD_HTTP_LISTEN)") && shown.contains("(from freehold.toml)"), "{shown}");
}

#[test]
fn database_settings_also_go_by_their_plain_names() {
    let config = good(development(&[
        ("DATABASE_URL", "postgres://a:b@localhost:6432/f"),
        ("DATABASE_POOLER", "transaction"),
        ("DATABASE_DIRECT_URL", "postgres://a:b@localhost:5432/f"),
    ]));
    assert_eq!(config.database.pooler, Pooler::Transaction);
    assert_eq!(config.database.url.unwrap().expose(), "postgres://a:b@localhost:6432/f");
    let text = bad(development(&[("DATABASE_URL", "postgres://a@b/c"), ("FREEHOLD_DATABASE_URL", "postgres://a@b/c")]));
    assert!(text.contains("database.url (from env DATABASE_URL): is given twice"), "{text}");
    let text = bad(development(&[("DATABASE_URL", "postgres://a@b/c"), ("DATABASE_POOLER", "transaction")]));
    assert!(text.contains("database.direct_url"), "{text}");
}

/// Proves DAT-9.
#[test]
fn secrets_come_from_files_too_but_not_twice() {
    let folder = tempfile("secret-file");
    let path = folder.join("root_key");
    std::fs::write(&path, format!("{GOOD_KEY}\n")).unwrap();
    let path = path.to_str().unwrap();
    let from_file = [("FREEHOLD_SECRETS_ROOT_KEY", ""), ("FREEHOLD_SECRETS_ROOT_KEY_FILE", path)];
    let config = good(production(&from_file));
    assert_eq!(config.secrets.root_key.as_ref().unwrap().expose().len(), 32);
    assert!(!render_effective(&config).contains(GOOD_KEY));
    let text = bad(production(&[("FREEHOLD_SECRETS_ROOT_KEY_FILE", path)]));
    assert!(text.contains("given both as a value and as a file"), "{text}");
    let text = bad(production(&[("DATABASE_URL", ""), ("DATABASE_URL_FILE", "/nowhere/at/all")]));
    assert!(
        text.contains("database.url (from /nowhere/at/all, named by DATABASE_URL_FILE): the file can't be read"),
        "{text}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_mistake_is_reported_at_once_with_key_source_and_remedy() {
    let file = "[http]\nlisten = \"somewhere\"\nlistn = \"x\"\nmax_headers = 1.5\n[tokens]\nalgorithm = \"HS256\"\n";
    let text = bad(load(
        &[
            ("FREEHOLD_PROFILE", "development"),
            ("FREEHOLD_HTTP_DRAIN", "soon"),
            ("FREEHOLD_HTTP_MAX_BODY_BYTES", "1048576"),
            ("FREEHOLD_TOKENS_AUDIENSE", "x"),
            ("FREEHOLD_PASSWORDS_ITERATIONS", "0"),
        ],
        file,
    ));
    for expected in [
        "http.listen (from freehold.toml): \"somewhere\" is not an address with a port; write",
        "http.listn (from freehold.toml): is not a setting; did you mean http.listen?",
        "http.max_headers (from freehold.toml): is a fraction; write",
        "tokens.algorithm (from freehold.toml): \"HS256\" is not known; write one of: ES256, RS256, EdDSA",
        "http.drain (from env FREEHOLD_HTTP_DRAIN): \"soon\" is not a duration; write",
        "http.max_body_bytes (from env FREEHOLD_HTTP_MAX_BODY_BYTES): \"1048576\" is not a size; write",
        "did you mean FREEHOLD_TOKENS_AUDIENCE?",
        "passwords.iterations (from env FREEHOLD_PASSWORDS_ITERATIONS): 0 is out of bounds; write a value from 1 to 100",
    ] {
        assert!(text.contains(expected), "missing: {expected}\nin: {text}");
    }
    assert!(text.starts_with("the configuration has 8 mistakes:"), "{text}");
}

#[test]
fn a_file_that_is_not_toml_is_refused_without_quoting_it() {
    let text = bad(load(&[], "profile = \"development\"\n[secrets]\nroot_key = \"hunter2\nx = 1"));
    assert!(text.contains("line 3 is not valid TOML") && !text.contains("hunter2"), "{text}");
}

/// Proves DAT-9.
#[test]
fn production_refuses_default_short_and_missing_secrets() {
    good(production(&[]));
    for (key, expected) in [
        ("", "is missing"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not random"),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "not random"),
        ("Y2hhbmdlLW1lLWNoYW5nZS1tZS1jaGFuZ2UtbWUtISE=", "not random"),
        (ROOT_KEY, "not random"),
        ("c2hvcnQ=", "is 5 bytes long"),
        ("no base64!", "is not base64"),
    ] {
        let text = bad(production(&[("FREEHOLD_SECRETS_ROOT_KEY", key)]));
        assert!(text.contains("secrets.root_key") && text.contains(expected), "{key}: {text}");
        assert!(key.is_empty() || !text.contains(key), "the mistake shows the secret: {text}");
    }
}

/// Proves NET-1.
#[test]
fn production_refuses_what_would_travel_in_clear() {
    for (changes, expected) in [
        (("FREEHOLD_HTTP_PUBLIC_URL", "http://id.example.com"), "http.public_url"),
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", ""), "http.trusted_proxies"),
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", "0.0.0.0/0"), "http.trusted_proxies"),
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", "192.0.2.1, 10.0.0.0/7"), "whole regions of the Internet (10.0.0.0/7)"),
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", "::/0, 2001::/15"), "no broader than /8 (IPv4) or /16 (IPv6)"),
        // All of IPv4 in disguise.
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", "::ffff:0:0/96"), "http.trusted_proxies"),
        (("FREEHOLD_HTTP_TRUSTED_PROXIES", "::/64"), "http.trusted_proxies"),
        (("DATABASE_URL", ""), "database.url"),
        (("DATABASE_URL", "postgres://o:p-long-enough-to-be-good@db.example.com/f"), "verify-full"),
        (("DATABASE_URL", "postgres://o:p-long-enough-to-be-good@db.example.com/f?sslmode=require"), "verify-full"),
        (("DATABASE_URL", "postgres://o:p-long-enough-to-be-good@localhost/f?host=db.example.com"), "verify-full"),
        (("FREEHOLD_MAIL_SMTP_URL", ""), "mail.smtp_url"),
        (("FREEHOLD_MAIL_SMTP_URL", "smtp://u:p@mail.example.com"), "unencrypted"),
        (("FREEHOLD_MAIL_SMTP_URL", "smtp://mail.example.com"), "unencrypted"),
        (("FREEHOLD_MAIL_SMTP_URL", "smtp://mail.example.com?tls=none"), "tls=required"),
    ] {
        let text = bad(production(&[changes]));
        assert!(text.contains(expected) && text.contains("has 1 mistake:"), "{changes:?}: {text}");
        assert!(!text.contains("p-long-enough") && !text.contains("u:p@"), "the mistake shows the secret: {text}");
    }
    for local in [
        "postgres://o:p-long-enough-to-be-good@localhost/f",
        "postgres://o:p-long-enough-to-be-good@[::1]/f",
        "postgres://o:p-long-enough-to-be-good@%2Frun%2Fpg/f",
        "postgres://o:p-long-enough-to-be-good@x/f?host=/run",
    ] {
        good(production(&[("DATABASE_URL", local)]));
    }
}

/// Proves NET-7.
#[test]
fn production_refuses_what_it_could_not_rely_on() {
    const VERIFIED: &str = "postgres://owner:hunter2-and-then-some@db.example.com/freehold?sslmode=verify-full";
    for (changes, expected) in [
        (("FREEHOLD_HTTP_PUBLIC_URL", "https://*.example.com"), "has a wildcard"),
        (("FREEHOLD_LOG_BODIES", "request"), "production logs no bodies"),
        (("FREEHOLD_LOG_BODIES", "both"), "production logs no bodies"),
        (("FREEHOLD_HTTP_PUBLIC_URL", "https://127.0.0.1:8443"), "this machine only"),
        (("FREEHOLD_HTTP_PUBLIC_URL", "https://[::1]"), "this machine only"),
        (("FREEHOLD_HTTP_PUBLIC_URL", "https://0.0.0.0"), "this machine only"),
        (("DATABASE_URL", "postgres://o:short@localhost/f"), "fewer than 16 characters"),
        (("DATABASE_URL", "postgres://o:%41%42%43%44%45%46@localhost/f"), "fewer than 16 characters"),
        (("DATABASE_URL", "postgres://o@localhost/f?password=short"), "fewer than 16 characters"),
        (("DATABASE_PLATFORM_URL", "postgres://o:short@localhost/f"), "database.platform_url"),
        (("DATABASE_URL", &format!("{VERIFIED}&sslmode=disable")), "keep one sslmode"),
        (("DATABASE_URL", &format!("{VERIFIED}&ssl-mode=verify-full")), "keep one sslmode"),
    ] {
        let text = bad(production(&[changes]));
        assert!(text.contains(expected) && text.contains("has 1 mistake:"), "{changes:?}: {text}");
        assert!(!text.contains("short@") && !text.contains("hunter2"), "the mistake shows the secret: {text}");
    }
    for right in [
        ("FREEHOLD_LOG_BODIES", "off"),
        ("FREEHOLD_HTTP_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32, ::ffff:10.0.0.0/104"),
        ("FREEHOLD_HTTP_PUBLIC_URL", "https://192.0.2.7"),
        ("DATABASE_URL", "postgres://o@localhost/f"),
        ("FREEHOLD_MAIL_SMTP_URL", "smtp://localhost:25"),
        ("FREEHOLD_MAIL_SMTP_URL", "smtp://mail.example.com?tls=required"),
    ] {
        good(production(&[right]));
    }
    // Everything at once, also where one address has several faults.
    let text = bad(production(&[
        ("DATABASE_URL", "postgres://o:short@db.example.com/f?sslmode=require&ssl-mode=prefer"),
        ("FREEHOLD_HTTP_TRUSTED_PROXIES", "0.0.0.0/1"),
        ("FREEHOLD_MAIL_SMTP_URL", "smtp://mail.example.com"),
        ("FREEHOLD_HTTP_PUBLIC_URL", "https://[::]"),
    ]));
    for expected in ["has 4 mistakes", "keep one sslmode", "verify-full", "fewer than 16", "/8 (IPv4)", "unencrypted"] {
        assert!(text.contains(expected), "missing: {expected}\nin: {text}");
    }
}

/// Proves NET-1.
#[test]
fn development_stays_on_loopback() {
    let text = bad(development(&[("FREEHOLD_HTTP_LISTEN", "0.0.0.0:8080")]));
    assert!(text.contains("http.listen (from env FREEHOLD_HTTP_LISTEN): leaves this machine"), "{text}");
}

/// Proves NET-4.
#[test]
fn production_is_told_whether_there_is_a_proxy() {
    let text = bad(production(&[("FREEHOLD_HTTP_TRUSTED_PROXIES", "")]));
    assert!(text.contains("http.trusted_proxies (default): is missing; name the proxy"), "{text}");
    assert!(text.contains("or write none if there is none"), "{text}");
    let none = ("FREEHOLD_HTTP_TRUSTED_PROXIES", "none");
    let text = bad(production(&[none]));
    assert!(text.contains("is none, and the server ends no TLS either"), "{text}");
    let without = good(production(&[none, ("FREEHOLD_HTTP_TLS_ACME_CONTACT", "operator@example.com")]));
    assert!(without.http.trusted_proxies.is_empty());
    assert!(
        render_effective(&without)
            .lines()
            .any(|line| line.starts_with("http.trusted_proxies") && line.contains(" none "))
    );
    let text = bad(production(&[("FREEHOLD_HTTP_TRUSTED_PROXIES", "none, 10.0.0.5")]));
    assert!(text.contains("has a part that is not a network (none)"), "{text}");
    good(development(&[]));
}

/// Proves NET-4.
#[test]
fn each_limit_has_a_quota_and_a_window_of_its_own() {
    let own = good(development(&[])).limits;
    let all = [
        (own.anonymous_read, 600, 600),
        (own.anonymous_write, 300, 600),
        (own.sign_up, 10, 3600),
        (own.password_reset, 5, 3600),
        (own.token_refresh, 30, 60),
        (own.account, 100, 60),
        (own.service_key, 6000, 60),
    ];
    for (quota, most, seconds) in all {
        assert_eq!((quota.most, quota.window), (most, Duration::from_secs(seconds)));
    }
    let changed = good(load(
        &[("FREEHOLD_PROFILE", "development"), ("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "250")],
        "[limits]\naccount_window = \"30s\"\nsign_up_quota = 3\n",
    ));
    assert_eq!((changed.limits.account.most, changed.limits.account.window), (250, Duration::from_secs(30)));
    assert_eq!(changed.limits.sign_up.most, 3);
    assert_eq!(changed.limits.anonymous_read.most, 600);
    for (name, value, expected) in [
        (
            "FREEHOLD_LIMITS_ACCOUNT_QUOTA",
            "0",
            "limits.account_quota (from env FREEHOLD_LIMITS_ACCOUNT_QUOTA): 0 is out of bounds",
        ),
        ("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "-1", "is not a whole number"),
        ("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "many", "is not a whole number"),
        ("FREEHOLD_LIMITS_ACCOUNT_WINDOW", "60", "is not a duration"),
        ("FREEHOLD_LIMITS_ACCOUNT_WINDOW", "10ms", "write a value from 1s to 1d"),
        ("FREEHOLD_LIMITS_SIGN_UP_WINDOW", "2d", "write a value from 1s to 1d"),
        ("FREEHOLD_LIMITS_PASSWORD_RESET_QUOTA", "1001", "write a value from 1 to 1000"),
        ("FREEHOLD_LIMITS_ACCOUNT", "5", "is not a setting"),
    ] {
        let text = bad(development(&[(name, value)]));
        assert!(text.contains(expected) && text.contains("has 1 mistake:"), "{name}={value}: {text}");
    }
}

/// Proves NET-3.
#[test]
fn other_origins_are_named_one_by_one_and_with_https_in_production() {
    let origins = |config: Config| config.http.cors_origins.named().to_vec();
    assert!(origins(good(production(&[]))).is_empty());
    let two = [("FREEHOLD_HTTP_CORS_ORIGINS", "https://app.example.com, HTTPS://Other.example.com:443")];
    assert_eq!(origins(good(production(&two))), ["https://app.example.com", "https://other.example.com"]);
    let local = [("FREEHOLD_HTTP_CORS_ORIGINS", "http://localhost:5173")];
    assert_eq!(origins(good(development(&local))), ["http://localhost:5173"]);
    good(development(&[("FREEHOLD_HTTP_CORS_ORIGINS", "*")]));
    for (value, expected) in [
        ("*", "is open to every page there is; name each origin"),
        ("https://app.example.com, *", "has a wildcard (*)"),
        ("https://*.example.com", "has a wildcard (https://*.example.com)"),
        ("http://app.example.com", "has pages without TLS (http://app.example.com)"),
        ("https://a.example.com, http://localhost:3000", "has pages without TLS (http://localhost:3000)"),
        ("https://app.example.com/", "has a part that is no origin"),
        ("https://app.example.com/path", "has a part that is no origin"),
        ("https://me@app.example.com", "has a part that is no origin"),
        ("app.example.com", "has a part that is no origin"),
        ("null", "has a part that is no origin"),
        ("file:///tmp", "has a part that is no origin"),
    ] {
        let text = bad(production(&[("FREEHOLD_HTTP_CORS_ORIGINS", value)]));
        assert!(text.contains("http.cors_origins (from env FREEHOLD_HTTP_CORS_ORIGINS)"), "{value}: {text}");
        assert!(text.contains(expected) && text.contains("has 1 mistake:"), "{value}: {text}");
    }
}

/// Proves NET-13.
#[test]
fn the_contact_for_vulnerabilities_is_one() {
    let security = good(production(&[])).security;
    assert_eq!(security.contact, ["mailto:security@example.com"]);
    let own = [("FREEHOLD_SECURITY_CONTACT", "tel:+49-30-123456, https://example.com/report")];
    assert_eq!(good(production(&own)).security.contact, ["tel:+49-30-123456", "https://example.com/report"]);
    for (name, value, expected) in [
        ("FREEHOLD_SECURITY_CONTACT", "security@example.com", "write for example mailto:security@example.com"),
        ("FREEHOLD_SECURITY_CONTACT", "http://example.com", "has a part that is no contact"),
        ("FREEHOLD_SECURITY_CONTACT", "mailto:nobody", "has a part that is no contact"),
        ("FREEHOLD_SECURITY_CONTACT", "javascript:alert(1)", "has a part that is no contact"),
        ("FREEHOLD_SECURITY_LANGUAGES", "english please", "is no language tag"),
        ("FREEHOLD_SECURITY_POLICY", "http://example.com/policy", "is no https address"),
    ] {
        let text = bad(production(&[(name, value)]));
        assert!(text.contains(expected) && text.contains("has 1 mistake:"), "{value}: {text}");
    }
    // A line break would begin another field.
    let text = bad(production(&[("FREEHOLD_SECURITY_CONTACT", "https://example.com/\nContact: https://evil.example")]));
    assert!(text.contains("security.contact"), "{text}");
}

/// Proves NET-1.
#[test]
fn the_forwarded_header_is_one_of_two() {
    assert_eq!(good(production(&[])).http.forwarded_header, ForwardedHeader::XForwarded);
    let chosen = good(production(&[("FREEHOLD_HTTP_FORWARDED_HEADER", "forwarded")]));
    assert_eq!(chosen.http.forwarded_header, ForwardedHeader::Forwarded);
    for wrong in ["both", "x-real-ip", "X-Forwarded-For"] {
        let text = bad(production(&[("FREEHOLD_HTTP_FORWARDED_HEADER", wrong)]));
        assert!(text.contains("http.forwarded_header") && text.contains("x-forwarded, forwarded"), "{wrong}: {text}");
    }
}

/// Proves AUT-1.
#[test]
fn argon2_parameters_weaker_than_owasp_are_refused() {
    for (memory, passes) in [("19455", "2"), ("7168", "4"), ("46000", "1")] {
        let text =
            bad(development(&[("FREEHOLD_PASSWORDS_MEMORY_KIB", memory), ("FREEHOLD_PASSWORDS_ITERATIONS", passes)]));
        assert!(text.contains("OWASP"), "{memory}/{passes}: {text}");
    }
    good(development(&[("FREEHOLD_PASSWORDS_MEMORY_KIB", "47104"), ("FREEHOLD_PASSWORDS_ITERATIONS", "1")]));
}

/// Proves AUT-1.
#[test]
fn more_memory_for_hashes_than_there_is_is_refused() {
    let much = [("FREEHOLD_PASSWORDS_MEMORY_KIB", "4194304"), ("FREEHOLD_PASSWORDS_WORKERS", "1024")];
    let text = bad(development(&much));
    assert!(text.contains("passwords.memory_kib") && text.contains("KiB of memory that there are"), "{text}");
}

#[test]
fn kubernetes_service_links_are_not_settings() {
    let links = [
        ("FREEHOLD_SERVICE_HOST", "10.0.0.1"),
        ("FREEHOLD_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("FREEHOLD_PORT", "tcp://10.0.0.1:80"),
    ];
    bad(development(&links));
    good(development(&[links.as_slice(), &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]].concat()));
}

/// Proves DAT-9.
#[test]
fn effective_settings_are_shown_with_secrets_masked() {
    let shown = render_effective(&good(production(&[])));
    for secret in ["hunter2", "hunter3", GOOD_KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(shown.matches("******").count(), 3, "{shown}");
    assert!(
        shown
            .lines()
            .any(|line| line.starts_with("secrets.root_key") && line.ends_with("(from env FREEHOLD_SECRETS_ROOT_KEY)"))
    );
    assert!(shown.lines().any(|line| line.starts_with("database.direct_url") && line.contains("(none)")));
    assert!(shown.lines().any(|line| line.starts_with("tokens.access_lifetime") && line.contains(" 15m ")));
}

/// Proves DAT-9.
#[test]
fn generated_secrets_satisfy_production() {
    let text = generate_secrets().unwrap();
    let variables: Vec<_> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    assert_eq!(variables.len(), 4, "{text}");
    good(production(&variables));
    assert_ne!(text, generate_secrets().unwrap());
}

#[test]
fn development_keeps_a_root_key_of_its_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile("development-key");
    let data_dir = folder.join("data");
    let start = || {
        let mut config = good(development(&[("FREEHOLD_DATA_DIR", data_dir.to_str().unwrap())]));
        ensure_development_secrets(&mut config).unwrap();
        let shown = render_effective(&config);
        assert!(shown.contains("(generated, kept in "), "{shown}");
        config.secrets.root_key.unwrap().expose().to_vec()
    };
    let first = start();
    assert_eq!((first.len(), &first), (32, &start()));
    assert_eq!(std::fs::metadata(data_dir.join("root.key")).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(data_dir.join("root.key"), "broken").unwrap();
    let mut config = good(development(&[("FREEHOLD_DATA_DIR", data_dir.to_str().unwrap())]));
    assert!(ensure_development_secrets(&mut config).unwrap_err().to_string().contains("root.key"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_public_url_that_follows_the_listener_follows_port_zero() {
    let address = "127.0.0.1:4711".parse().unwrap();
    let mut config = good(development(&[("FREEHOLD_HTTP_LISTEN", "127.0.0.1:0")]));
    config.listening_on(address);
    assert_eq!(config.http.public_url.join("/setup"), "http://localhost:4711/setup");
    let mut config = good(development(&[("FREEHOLD_HTTP_PUBLIC_URL", "http://localhost:1")]));
    config.listening_on(address);
    assert_eq!(config.http.public_url.as_str(), "http://localhost:1");
}

/// A new folder for one test.
fn tempfile(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("freehold-config-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
