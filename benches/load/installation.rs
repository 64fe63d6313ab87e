//! An installation to measure: a PostgreSQL of its own with fsync on, two instances of the real binary, some people.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::Engine;
use freehold::{
    config::SecretString,
    db::embedded::{Embedded, EmbeddedSettings, Search},
    mail::files,
};
use serde_json::{Value, json};

use crate::table::{Row, Table};

/// A password that is good enough for everybody.
pub const PASSWORD: &str = "Correct-horse-battery-7";
const ROOT_KEY: &str = "9fKxR0cW3p7mJq5ZtV8yB2nD6hL1sG4uE0aXoTiCzkM=";
/// How many members the organisation has.
const MEMBERS: usize = 100;

/// A running installation.
pub struct Installation {
    embedded: Embedded,
    folder: PathBuf,
    /// The instances.
    pub instances: Vec<Instance>,
}

/// One instance.
pub struct Instance {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// How long it took from its start to the first answer that it is ready.
    pub ready_after: Duration,
}

/// Who is there.
pub struct People {
    /// The platform's administrator.
    pub admin: String,
    /// The organisation of the members.
    pub organization: String,
    /// Its owner, who is there.
    pub owner: String,
    /// Members: address, account, access token.
    pub members: Vec<Member>,
}

/// A member.
pub struct Member {
    pub email: String,
    pub account: String,
    pub token: String,
}

/// How long nobody asks for anything before memory is looked at: the allocator gives what a start needed back over 10 s.
const REST: Duration = Duration::from_secs(20);

impl Installation {
    pub async fn start() -> Self {
        Self::named("one").await
    }

    /// One beside others, in a folder of its own.
    pub async fn named(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("freehold-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        println!("starting PostgreSQL in {}", folder.display());
        let embedded = Embedded::start(EmbeddedSettings::new(folder.join("db"))).await.unwrap();
        let mut this = Self { embedded, folder, instances: Vec::new() };
        // The first one migrates; what is measured starts on a migrated database.
        drop(this.instance().await);
        for _ in 0..2 {
            let instance = this.instance().await;
            this.instances.push(instance);
        }
        this
    }

    pub fn database_url(&self) -> &SecretString {
        self.embedded.nearest_url()
    }

    async fn instance(&self) -> Instance {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.env_clear().env("PATH", Search::of_this_machine().path).envs([
            ("FREEHOLD_PROFILE", "development"),
            ("FREEHOLD_HTTP_LISTEN", &format!("127.0.0.1:{port}")),
            ("FREEHOLD_HTTP_PUBLIC_URL", "http://freehold.localhost"),
            ("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY),
            ("FREEHOLD_DATA_DIR", self.folder.join("data").to_str().unwrap()),
            ("FREEHOLD_TOKENS_ACCESS_LIFETIME", "60m"),
            ("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "60m"),
            // The limits are on, and nobody comes near them.
            ("FREEHOLD_LIMITS_ANONYMOUS_READ_QUOTA", "1000000000"),
            ("FREEHOLD_LIMITS_ANONYMOUS_WRITE_QUOTA", "1000000000"),
            ("FREEHOLD_LIMITS_TOKEN_REFRESH_QUOTA", "1000000000"),
            ("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "1000000000"),
            ("DATABASE_URL", self.embedded.nearest_url().expose()),
        ]);
        // Its log goes where a service's log goes: to a file, in the format of production.
        let log = fs::File::create(self.folder.join(format!("{port}.log"))).unwrap();
        command.env("FREEHOLD_LOG_FORMAT", "json").arg("serve").current_dir(&self.folder);
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let client = reqwest::Client::new();
        loop {
            if client.get(format!("{url}/health/ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the server is not ready; see {}",
                self.folder.display()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Instance { child, url, ready_after: begun.elapsed() }
    }

    /// The administrator and the members, made as people are made: by the setup link and by invitations.
    pub async fn people(&self) -> People {
        println!("making {MEMBERS} people");
        let url = &self.instances[0].url;
        let token = self.setup_token().await;
        let setup = json!({"token": token, "email": "ada@example.com", "name": "Ada", "password": PASSWORD, "token_delivery": "body"});
        let admin = post(&format!("{url}/v1/setup"), None, &setup).await["access_token"].as_str().unwrap().to_owned();
        let organization = post(&format!("{url}/v1/organizations"), Some(&admin), &json!({"name": "Engines"})).await;
        let id = organization["id"].as_str().unwrap();
        let switched =
            post(&format!("{url}/v1/session/organization"), Some(&admin), &json!({"organization_id": id})).await;
        let owner = switched["access_token"].as_str().unwrap_or(&admin).to_owned();
        let emails: Vec<String> = (0..MEMBERS).map(|number| format!("member{number}@example.com")).collect();
        let invitations: Vec<_> = emails.iter().map(|email| json!({"email": email, "role": "member"})).collect();
        let bulk = format!("{url}/v1/organizations/{id}/invitations/bulk");
        post(&bulk, Some(&owner), &json!({"invitations": invitations})).await;
        let mut members = Vec::new();
        for email in emails {
            let token = self.invitation_token(&email).await;
            let accept =
                json!({"token": token, "name": "Grace Hopper", "password": PASSWORD, "token_delivery": "body"});
            let accepted = post(&format!("{url}/v1/invitations/accept"), None, &accept).await;
            let text = |pointer: &str| accepted.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
            members.push(Member { email, account: text("/account/id"), token: text("/access_token") });
        }
        // Back to the platform, for its operations.
        let sign_in = json!({"email": "ada@example.com", "password": PASSWORD, "token_delivery": "body"});
        let signed_in = post(&format!("{url}/v1/sessions"), None, &sign_in).await;
        let admin = signed_in["access_token"].as_str().unwrap().to_owned();
        let platform = json!({"organization_id": entity::OrganizationId::PLATFORM.to_string()});
        let switched = post(&format!("{url}/v1/session/organization"), Some(&admin), &platform).await;
        let admin = switched["access_token"].as_str().unwrap_or(&admin).to_owned();
        People { admin, organization: id.to_owned(), owner, members }
    }

    async fn setup_token(&self) -> String {
        for entry in fs::read_dir(&self.folder).unwrap().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("/setup#token=") {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
        }
        panic!("no setup link in the logs in {}", self.folder.display());
    }

    async fn invitation_token(&self, email: &str) -> String {
        let folder = self.folder.join("data/mail");
        for _ in 0..500 {
            let letters = files::list(folder.clone(), usize::MAX).await.unwrap_or_default();
            if let Some(letter) = letters.iter().find(|letter| letter.to.contains(email)) {
                let (_, text) = files::read(folder.clone(), letter.id).await.unwrap();
                let (_, rest) = text.split_once("#token=").unwrap();
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
                return rest[..end.unwrap_or(rest.len())].to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no letter to {email}");
    }

    /// What an instance costs while nobody asks for anything (PERF-7).
    pub async fn idle(&self, table: &mut Table) {
        let fresh = self.instance().await;
        tokio::time::sleep(REST).await;
        let resident = fresh.resident();
        table.add(Row {
            id: "PERF-7",
            what: "resident memory of an idle instance".to_owned(),
            measured: format!("{resident:.1} MB"),
            limit: "60 MB".to_owned(),
            target: "≤ 60 MB",
            result: format!("{resident:.1} MB"),
            reached: resident <= 60.0,
        });
        let ready = fresh.ready_after.as_secs_f64() * 1000.0;
        table.add(Row {
            id: "PERF-7",
            what: "start to ready on a migrated database".to_owned(),
            measured: format!("{ready:.0} ms"),
            limit: "1 s".to_owned(),
            target: "≤ 1000 ms",
            result: format!("{ready:.0} ms"),
            reached: ready <= 1000.0,
        });
    }

    pub async fn stop(self) {
        drop(self.instances);
        self.embedded.stop().await.unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Instance {
    /// Its resident memory, in MB.
    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The root key of the installation.
pub fn root_key() -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(ROOT_KEY).unwrap()
}

/// Posts JSON and returns the JSON of a success.
pub async fn post(url: &str, token: Option<&str>, body: &Value) -> Value {
    let mut request = reqwest::Client::new().post(url);
    if !body.is_null() {
        request = request.json(body);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
