//! The configuration: one struct per section, read once at start-up. Sources, the later ones
//! winning: defaults, the TOML file, the environment (`FREEHOLD_<SECTION>_<KEY>`, and plain
//! `DATABASE_URL` and its kin), files named by `…_FILE` for secrets. All mistakes are reported
//! together. Owns syntax, defaults and what each profile refuses; never opens a connection and is
//! never read outside the composition root.

mod audit;
mod events;
mod limits;
mod machine;
mod mistakes;
mod origins;
mod reader;
mod render;
mod root_key;
mod rules;
mod secret;
mod security;
mod sources;
mod tls;
mod transit;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use audit::Audit;
pub use events::Events;
pub use limits::{Limits, Quota};
pub use mistakes::{Mistake, Mistakes, Origin};
pub use origins::Origins;
pub use render::{generate_secrets, render_effective};
pub use root_key::ensure_development_secrets;
pub use secret::{SecretBytes, SecretString};
pub use security::Security;
pub use sources::{ConfigFile, Sources};
pub use tls::{Acme, AcmeDirectory, Tls};
pub use transit::{Token, Transit, is_token};
pub use values::{
    Algorithm, ForwardedHeader, LogBodies, LogFormat, Pooler, Profile, PublicUrl, ServiceUrl, UnknownWord,
};

use reader::{Effective, Reader};
use values::{Scopes, Size};

/// Everything the server is told from outside.
#[derive(Clone)]
pub struct Config {
    /// `profile`: which rules hold. Default `production`, so that a forgotten setting fails safe.
    pub profile: Profile,
    /// `data_dir`: where the server keeps files (embedded database, mail, development secrets).
    /// Default `./data`.
    pub data_dir: PathBuf,
    /// `[http]`
    pub http: Http,
    /// `[limits]`
    pub limits: Limits,
    /// `[events]`
    pub events: Events,
    /// `[database]`
    pub database: Database,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[tokens]`
    pub tokens: Tokens,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[jobs]`
    pub jobs: Jobs,
    /// `[audit]`
    pub audit: Audit,
    /// `[mail]`
    pub mail: Mail,
    /// `[privacy]`
    pub privacy: Privacy,
    /// `[security]`
    pub security: Security,
    /// `[log]`
    pub log: Log,
    /// `[policies]`
    pub policies: Policies,
    effective: Vec<Effective>,
}

/// `[http]`: the listener and its bounds.
#[derive(Clone)]
pub struct Http {
    /// Address and port to listen on. Default `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people reach this server. In development it follows from `listen`; production needs
    /// it, with https.
    pub public_url: PublicUrl,
    /// The server ends TLS itself. Default not: a trusted proxy does.
    pub tls: Option<Tls>,
    /// A second address to listen on, without TLS, where people who type the name without https are sent on to
    /// `public_url`; with `tls` only. Default none.
    pub redirect_listen: Option<SocketAddr>,
    /// Peers whose forwarded headers count. Default `none`; production wants to be told.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of others whose pages may call the API from a browser, with bearer tokens (NET-3). Default none.
    pub cors_origins: Origins,
    /// Which kind of forwarded header they write; the other is not read. Default `x-forwarded`, as nginx, HAProxy and
    /// the clouds' load balancers write it.
    pub forwarded_header: ForwardedHeader,
    /// How long a client may take to send a request's head. Default 10 s, as in nginx's hardening
    /// guides: slow enough for phones, too quick for Slowloris.
    pub header_timeout: Duration,
    /// How long a client may take to send a body. Default 30 s: 1 MiB at 35 kB/s.
    pub body_timeout: Duration,
    /// Open connections at once. Default 4096, within the usual limit of open files with room.
    pub max_connections: usize,
    /// Header fields in a request. Default 100, hyper's own limit.
    pub max_headers: usize,
    /// Bytes of a request's head. Default 64 KiB.
    pub max_header_bytes: usize,
    /// Bytes of a request's body. Default 1 MiB (NET-6).
    pub max_body_bytes: usize,
    /// How long requests under way may take to finish once the server is told to stop. Default
    /// 20 s, within Kubernetes' 30 s of grace.
    pub drain: Duration,
}

/// `[database]`: which PostgreSQL. The URLs are secrets and also go by their plain names
/// (`DATABASE_URL`, `DATABASE_URL_FILE`, …).
#[derive(Clone)]
pub struct Database {
    /// Login of the role that owns the tables and migrates. None starts the embedded PostgreSQL
    /// (development only).
    pub url: Option<SecretString>,
    /// Like `url` but past the pooler, for LISTEN and leadership. Needed with a pooler.
    pub direct_url: Option<SecretString>,
    /// Login of the application role. None: the server makes the role with the owner's login.
    pub application_url: Option<SecretString>,
    /// Login of the platform role. None: the server makes the role with the owner's login.
    pub platform_url: Option<SecretString>,
    /// What stands in between. Default `none`.
    pub pooler: Pooler,
    /// Connections of the application pool. Default 16: PostgreSQL serves few at a time best, and
    /// six instances fit into its default of 100.
    pub max_connections: u32,
}

/// `[secrets]`
#[derive(Clone)]
pub struct Secrets {
    /// The key that wraps all others: 32 bytes, base64 (AES-256). `None` only with `transit`, and in
    /// development before [`ensure_development_secrets`].
    pub root_key: Option<SecretBytes>,
    /// The root key before this one, while keys are left that it wrapped: at the next start they are wrapped anew.
    pub previous_root_key: Option<SecretBytes>,
    /// Scopes of protected values beside `pii`, `mfa`, `hipaa` and `secrets` (DAT-2), each with keys of its own.
    pub scopes: Vec<String>,
    /// `[secrets.transit]`: what wraps them instead, never given together.
    pub transit: Option<Transit>,
}

/// `[tokens]`: access tokens and sessions.
#[derive(Clone)]
pub struct Tokens {
    /// The algorithm of new signing keys. Default `ES256` (SES-3).
    pub algorithm: Algorithm,
    /// Lifetime of an access token. Default 15 min (SES-1), at most 1 h: a verifier outside this
    /// server learns of a revocation no earlier.
    pub access_lifetime: Duration,
    /// Lifetime of a refresh token, renewed at each use. Default 7 days (SES-1).
    pub refresh_lifetime: Duration,
    /// The longest a session lasts however often it is refreshed. Default 30 days (NIST SP
    /// 800-63B-4, AAL1).
    pub session_lifetime: Duration,
    /// How long after an authentication operations that demand a recent one are open. Default 5 min
    /// (AUT-7).
    pub reauthentication_window: Duration,
    /// The `aud` of access tokens. Default `freehold`.
    pub audience: String,
}

/// What Argon2id costs unless the configuration says otherwise: memory in KiB, passes and lanes. The second choice of RFC
/// 9106, section 4, for where memory is dear, with one lane: each hash has one thread, and more lanes would help only
/// whoever guesses.
pub const ARGON2ID: (u32, u32, u32) = (64 * 1024, 3, 1);

/// `[passwords]`: Argon2id and its pool. Weaker parameters than the OWASP Password Storage Cheat
/// Sheet's are refused.
#[derive(Clone)]
pub struct Passwords {
    /// Memory of one hash in KiB. Default 65536.
    pub memory_kib: u32,
    /// Passes. Default 3.
    pub iterations: u32,
    /// Lanes. Default 1.
    pub parallelism: u32,
    /// Threads that hash, each in `memory_kib` of its own while it does. Default: the machine's cores, or as many as have
    /// a quarter of the memory that this process may have, if those are fewer.
    pub workers: usize,
    /// Hashes that may wait for a thread; more are turned away. Default: 64 for each thread, of which the last waits some
    /// 6 s at 100 ms each.
    pub queue: usize,
    /// Shortest password in characters. Default 12 (AUT-2).
    pub minimum_length: usize,
}

/// `[jobs]`: what runs by itself.
#[derive(Clone)]
pub struct Jobs {
    /// Whether this instance may become the one that runs the jobs. Default `true`; at least one instance must.
    pub lead: bool,
}

/// `[mail]`: how mail leaves.
#[derive(Clone)]
pub struct Mail {
    /// The sender. Default `Freehold <freehold@localhost>`; production needs one of its own.
    pub from: String,
    /// `smtp(s)://user:password@host:port`, secret. None writes files (development only). Port:
    /// 465 for smtps, 587 for smtp.
    pub smtp_url: Option<SecretString>,
    /// Where mail is written as `.eml` files when there is no `smtp_url`. Default
    /// `<data_dir>/mail`.
    pub directory: PathBuf,
}

/// `[privacy]`
#[derive(Clone)]
pub struct Privacy {
    /// The file that remembers who has been erased, to be kept outside the database's backups. Default
    /// `<data_dir>/erasures.jsonl`.
    pub erasure_ledger: PathBuf,
}

/// `[log]`
#[derive(Clone)]
pub struct Log {
    /// Filter directives as `tracing` reads them: `info`, `warn,freehold=debug`. Default `info`.
    pub level: String,
    /// Default `text` in development, `json` in production.
    pub format: LogFormat,
    /// Which bodies are logged to find a fault: `off`, `request` or `both`. Of each only its shape and what says nothing of
    /// anybody, and nothing of operations that `policies/operations.csv` marks as sensitive. Default `off`; production
    /// takes nothing else.
    pub bodies: LogBodies,
}

/// `[policies]`
#[derive(Clone)]
pub struct Policies {
    /// A directory to read policies from in place of those in the binary. Default none.
    pub directory: Option<PathBuf>,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// Every mistake there is, not just the first.
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(sources);
        let profile = reader.take("profile", Profile::Production);
        let data_dir = reader.take("data_dir", PathBuf::from("data"));
        let mail = Mail::read(&mut reader, &data_dir);
        let mut config = Self {
            profile,
            http: Http::read(&mut reader),
            limits: Limits::read(&mut reader),
            events: Events::read(&mut reader),
            database: Database::read(&mut reader),
            secrets: Secrets::read(&mut reader, profile),
            tokens: Tokens::read(&mut reader),
            passwords: Passwords::read(&mut reader),
            jobs: Jobs { lead: reader.take("jobs.lead", true) },
            audit: Audit::read(&mut reader),
            privacy: Privacy::read(&mut reader, &data_dir),
            security: Security::read(&mut reader, &mail.from),
            mail,
            log: Log::read(&mut reader, profile),
            policies: Policies { directory: reader.take_optional("policies.directory") },
            data_dir,
            effective: Vec::new(),
        };
        rules::check(&config, &mut reader);
        config.effective = reader.finish()?;
        Ok(config)
    }

    /// Tells the configuration where the server really listens, after port 0: a public URL that
    /// follows from `http.listen` follows here too.
    pub fn listening_on(&mut self, address: SocketAddr) {
        self.http.listen = address;
        let entry = self.effective.iter_mut().find(|entry| entry.key == "http.public_url");
        let derived = entry.filter(|entry| matches!(entry.origin, Origin::Derived(_)));
        if let Some(entry) = derived {
            self.http.public_url = PublicUrl::of_listener(address, tls::scheme(self.http.tls.as_ref()));
            entry.value = Some(self.http.public_url.to_string());
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Http {
    fn read(reader: &mut Reader) -> Self {
        let listen = reader.take("http.listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let tls = tls::take(reader);
        let own_url = PublicUrl::of_listener(listen, tls::scheme(tls.as_ref()));
        Self {
            listen,
            public_url: reader.take_derived("http.public_url", own_url, "http.listen"),
            tls,
            redirect_listen: reader.take_optional(tls::REDIRECT),
            trusted_proxies: reader.take("http.trusted_proxies", Vec::new()),
            cors_origins: reader.take("http.cors_origins", Origins::default()),
            forwarded_header: reader.take("http.forwarded_header", ForwardedHeader::XForwarded),
            header_timeout: reader.take_within("http.header_timeout", 10 * SECOND, SECOND..=5 * MINUTE),
            body_timeout: reader.take_within("http.body_timeout", 30 * SECOND, SECOND..=60 * MINUTE),
            max_connections: reader.take_within("http.max_connections", 4096, 1..=1_000_000),
            max_headers: reader.take_within("http.max_headers", 100, 16..=10_000),
            max_header_bytes: reader
                .take_within("http.max_header_bytes", Size(64 << 10), Size(8 << 10)..=Size(1 << 20))
                .0,
            max_body_bytes: reader.take_within("http.max_body_bytes", Size(1 << 20), Size(1 << 10)..=Size(64 << 20)).0,
            drain: reader.take_within("http.drain", 20 * SECOND, Duration::ZERO..=10 * MINUTE),
        }
    }
}

impl Database {
    fn read(reader: &mut Reader) -> Self {
        Self {
            url: reader.take_secret("database.url"),
            direct_url: reader.take_secret("database.direct_url"),
            application_url: reader.take_secret("database.application_url"),
            platform_url: reader.take_secret("database.platform_url"),
            pooler: reader.take("database.pooler", Pooler::None),
            max_connections: reader.take_within("database.max_connections", 16, 2..=1000),
        }
    }
}

impl Secrets {
    fn read(reader: &mut Reader, profile: Profile) -> Self {
        Self {
            root_key: root_key::take(reader, root_key::KEY),
            previous_root_key: root_key::take(reader, root_key::PREVIOUS),
            scopes: reader.take("secrets.scopes", Scopes::default()).0,
            transit: transit::take(reader, profile),
        }
    }
}

impl Tokens {
    fn read(reader: &mut Reader) -> Self {
        Self {
            algorithm: reader.take("tokens.algorithm", Algorithm::Es256),
            access_lifetime: reader.take_within("tokens.access_lifetime", 15 * MINUTE, MINUTE..=60 * MINUTE),
            refresh_lifetime: reader.take_within("tokens.refresh_lifetime", 7 * DAY, 5 * MINUTE..=90 * DAY),
            session_lifetime: reader.take_within("tokens.session_lifetime", 30 * DAY, 5 * MINUTE..=365 * DAY),
            reauthentication_window: reader.take_within(
                "tokens.reauthentication_window",
                5 * MINUTE,
                10 * SECOND..=60 * MINUTE,
            ),
            audience: reader.take("tokens.audience", "freehold".to_owned()),
        }
    }
}

impl Passwords {
    fn read(reader: &mut Reader) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (memory, passes, lanes) = ARGON2ID;
        let memory_kib = reader.take_within("passwords.memory_kib", memory, 7_168..=4 << 20);
        let iterations = reader.take_within("passwords.iterations", passes, 1..=100);
        let parallelism = reader.take_within("passwords.parallelism", lanes, 1..=64);
        let fit = hashing_threads(cores, machine::memory_kib(), memory_kib);
        let workers = reader.take_within("passwords.workers", fit, 1..=1024);
        Self {
            memory_kib,
            iterations,
            parallelism,
            workers,
            queue: reader.take_within("passwords.queue", 64 * workers, 1..=100_000),
            minimum_length: reader.take_within("passwords.minimum_length", 12, 8..=128),
        }
    }
}

/// As many threads as cores, as long as all their memory is no more than a quarter of what there is: the rest is for
/// connections, caches, and maybe the database.
fn hashing_threads(cores: usize, there_is: Option<u64>, each: u32) -> usize {
    let fit = there_is.map(|there_is| there_is / 4 / u64::from(each.max(1)));
    fit.and_then(|fit| usize::try_from(fit).ok()).map_or(cores, |fit| cores.min(fit)).max(1)
}

impl Mail {
    fn read(reader: &mut Reader, data_dir: &std::path::Path) -> Self {
        Self {
            from: reader.take("mail.from", "Freehold <freehold@localhost>".to_owned()),
            smtp_url: reader.take_secret("mail.smtp_url"),
            directory: reader.take_derived("mail.directory", data_dir.join("mail"), "data_dir"),
        }
    }
}

impl Privacy {
    fn read(reader: &mut Reader, data_dir: &std::path::Path) -> Self {
        let file = data_dir.join("erasures.jsonl");
        Self { erasure_ledger: reader.take_derived("privacy.erasure_ledger", file, "data_dir") }
    }
}

impl Log {
    fn read(reader: &mut Reader, profile: Profile) -> Self {
        let format = match profile {
            Profile::Development => LogFormat::Text,
            Profile::Production => LogFormat::Json,
        };
        Self {
            level: reader.take("log.level", "info".to_owned()),
            format: reader.take_derived("log.format", format, "profile"),
            bodies: reader.take("log.bodies", LogBodies::Off),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUT-1.
    #[test]
    fn no_more_threads_hash_than_a_quarter_of_the_memory_holds() {
        let (each, gib) = (64 * 1024, 1 << 20);
        assert_eq!(hashing_threads(2, Some(24 * gib), each), 2);
        assert_eq!(hashing_threads(64, Some(gib / 2), each), 2);
        assert_eq!(hashing_threads(8, Some(gib / 16), each), 1);
        assert_eq!(hashing_threads(8, None, each), 8);
    }
}
