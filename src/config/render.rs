//! What `freehold config check` and `freehold secrets generate` print. The first masks every
//! secret; the second is the only thing that prints any, and those are new ones.

use std::fmt::Write as _;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::secret::SecretBytes;
use super::{Config, root_key};

/// Every key with its effective value and where that came from, secrets masked.
#[must_use]
pub fn render_effective(config: &Config) -> String {
    let shown: Vec<_> = config
        .effective
        .iter()
        .map(|entry| (entry.key, entry.value.as_deref().unwrap_or("(none)"), &entry.origin))
        .collect();
    let key_width = shown.iter().map(|(key, ..)| key.len()).max().unwrap_or(0);
    let value_width = shown.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(40);
    shown.iter().fold(String::new(), |mut text, (key, value, origin)| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{key:key_width$}  {value:value_width$}  ({origin})");
        text
    })
}

/// A full set of new secrets as an environment file, with a word on what each is for.
///
/// # Errors
/// The operating system has no random bytes.
pub fn generate_secrets() -> io::Result<String> {
    let root_key = root_key::generate()?;
    let mut text = format!(
        "# Secrets for Freehold, made on this machine just now. Keep them in a secret store; whoever has
# the root key and a copy of the database can read everything. Each variable can also be given
# as a file: FREEHOLD_SECRETS_ROOT_KEY_FILE=/run/secrets/root_key.
FREEHOLD_SECRETS_ROOT_KEY={}
# Database logins. Replace localhost by your database's host and add ?sslmode=verify-full there.
# Make the roles with the passwords below; leave out the last two URLs and the server makes those
# roles itself:
#   CREATE ROLE freehold_owner LOGIN CREATEROLE PASSWORD '…';
#   CREATE ROLE freehold_application LOGIN PASSWORD '…';
#   CREATE ROLE freehold_platform LOGIN PASSWORD '…';
#   CREATE DATABASE freehold OWNER freehold_owner;
",
        root_key.trim_end(),
    );
    for (variable, role) in
        [("DATABASE_URL", "owner"), ("DATABASE_APPLICATION_URL", "application"), ("DATABASE_PLATFORM_URL", "platform")]
    {
        let password = Zeroizing::new(URL_SAFE_NO_PAD.encode(SecretBytes::random()?.expose()));
        // Writing to a String can't fail.
        let _ = writeln!(text, "{variable}=postgres://freehold_{role}:{}@localhost:5432/freehold", password.as_str());
    }
    text.push_str("# Your mail provider gives you this one.\n# FREEHOLD_MAIL_SMTP_URL=smtps://user:password@mail.example.com:465\n");
    Ok(text)
}
