//! The settings of Vault Transit, which stands in for the root key.

use freehold::config::{Config, Mistakes, Token, ensure_development_secrets, render_effective};

use super::{GOOD_KEY, bad, development, good, production, tempfile};

/// The good production set with Vault Transit in place of the root key, and some variables changed.
fn with_transit(changes: &[(&str, &str)]) -> Result<Config, Mistakes> {
    const TRANSIT: [(&str, &str); 4] = [
        ("FREEHOLD_SECRETS_ROOT_KEY", ""),
        ("FREEHOLD_SECRETS_TRANSIT_ADDRESS", "https://vault.example.com:8200"),
        ("FREEHOLD_SECRETS_TRANSIT_KEY", "freehold"),
        ("FREEHOLD_SECRETS_TRANSIT_TOKEN", "hvs.hunter4-and-then-some"),
    ];
    production(&[&TRANSIT, changes].concat())
}

/// Proves DAT-5.
#[test]
fn vault_transit_stands_in_for_the_root_key() {
    let mut config = good(with_transit(&[]));
    assert!(config.secrets.root_key.is_none());
    let shown = render_effective(&config);
    assert!(shown.contains("https://vault.example.com:8200") && !shown.contains("hunter4"), "{shown}");
    let transit = config.secrets.transit.take().unwrap();
    assert_eq!((transit.mount.as_str(), transit.key.as_str(), transit.namespace), ("transit", "freehold", None));
    assert!(matches!(transit.token, Token::Fixed(token) if token.expose() == "hvs.hunter4-and-then-some"));
    let folder = tempfile("transit");
    let (token, ca) = (folder.join("token"), folder.join("ca.pem"));
    std::fs::write(&token, "hvs.hunter5-and-then-some\n").unwrap();
    std::fs::write(&ca, "").unwrap();
    let transit = good(with_transit(&[
        ("FREEHOLD_SECRETS_TRANSIT_TOKEN", ""),
        ("FREEHOLD_SECRETS_TRANSIT_TOKEN_FILE", token.to_str().unwrap()),
        ("FREEHOLD_SECRETS_TRANSIT_MOUNT", "team/transit/"),
        ("FREEHOLD_SECRETS_TRANSIT_NAMESPACE", "/admin/team-1/"),
        ("FREEHOLD_SECRETS_TRANSIT_CA_FILE", ca.to_str().unwrap()),
        // An agent on this machine, which speaks TLS to the real one.
        ("FREEHOLD_SECRETS_TRANSIT_ADDRESS", "http://127.0.0.1:8100"),
    ]))
    .secrets
    .transit
    .unwrap();
    assert_eq!((transit.mount.as_str(), transit.namespace.as_deref()), ("team/transit", Some("admin/team-1")));
    assert_eq!(transit.ca_file, Some(ca));
    assert!(matches!(transit.token, Token::File(path) if path == token));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Proves DAT-5, DAT-9.
#[test]
fn vault_transit_is_refused_half_configured_or_in_clear() {
    for (changes, key, expected) in [
        (("SECRETS_TRANSIT_ADDRESS", ""), "secrets.root_key", "is missing"),
        (("SECRETS_TRANSIT_ADDRESS", "http://vault.example.com:8200"), "secrets.transit.address", "unencrypted"),
        (
            ("SECRETS_TRANSIT_ADDRESS", "vault.example.com"),
            "secrets.transit.address",
            "write for example https://vault.",
        ),
        (("SECRETS_TRANSIT_ADDRESS", "https://vault.example.com/v1"), "secrets.transit.address", "without path"),
        (("SECRETS_TRANSIT_KEY", ""), "secrets.transit.key", "is missing"),
        (("SECRETS_TRANSIT_KEY", "../sys"), "secrets.transit.key", "is not a name"),
        (("SECRETS_TRANSIT_KEY", "free/hold"), "secrets.transit.key", "is not a name"),
        (("SECRETS_TRANSIT_KEY", "free hold"), "secrets.transit.key", "is not a name"),
        (("SECRETS_TRANSIT_MOUNT", "transit/../sys"), "secrets.transit.mount", "is not a name"),
        (("SECRETS_TRANSIT_MOUNT", "/"), "secrets.transit.mount", "is not a name"),
        (("SECRETS_TRANSIT_NAMESPACE", "a//b"), "secrets.transit.namespace", "is not a name"),
        (("SECRETS_TRANSIT_TOKEN", ""), "secrets.transit.token", "is missing"),
        (("SECRETS_TRANSIT_TOKEN", "root"), "secrets.transit.token", "fewer than 16 characters"),
        (("SECRETS_TRANSIT_TOKEN", "hvs.hunter4 and then some"), "secrets.transit.token", "no token has"),
        (("SECRETS_TRANSIT_CA_FILE", "/nowhere/at/all"), "secrets.transit.ca_file", "is not a file"),
        (("SECRETS_ROOT_KEY", GOOD_KEY), "secrets.transit.address", "is given beside secrets.root_key"),
    ] {
        let text = bad(with_transit(&[(&format!("FREEHOLD_{}", changes.0), changes.1)]));
        assert!(text.contains(key) && text.contains(expected), "{changes:?}: {text}");
        assert!(!text.contains("hunter4") && !text.contains(GOOD_KEY), "the mistake shows the secret: {text}");
    }
    // What belongs to it and is left over; and two roots, in development too.
    let text =
        bad(development(&[("FREEHOLD_SECRETS_TRANSIT_KEY", "freehold"), ("FREEHOLD_SECRETS_TRANSIT_MOUNT", "a")]));
    assert!(text.contains("has 2 mistakes") && text.contains("needs secrets.transit.address beside it"), "{text}");
    let transit = [("FREEHOLD_SECRETS_TRANSIT_ADDRESS", "http://vault:8200"), ("FREEHOLD_SECRETS_TRANSIT_KEY", "k")];
    let both = [("FREEHOLD_SECRETS_TRANSIT_TOKEN", "root"), ("FREEHOLD_SECRETS_ROOT_KEY", GOOD_KEY)];
    let text = bad(development(&[transit, both].concat()));
    assert!(text.contains("has 1 mistake:") && text.contains("is given beside secrets.root_key"), "{text}");
    // With Transit, development makes no key of its own.
    let mut config = good(development(&[transit.as_slice(), &both[..1]].concat()));
    ensure_development_secrets(&mut config).unwrap();
    assert!(config.secrets.root_key.is_none() && config.secrets.transit.is_some());
}
