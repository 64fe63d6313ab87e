//! Pebble, Let's Encrypt's own server for tests: a real ACME authority, which resolves every name to this machine.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rcgen::{CertificateParams, CertifiedKey, KeyPair};

use super::{PATIENCE, eventually, folder};

/// A running authority.
pub struct Pebble {
    processes: Vec<Child>,
    /// Its directory.
    pub directory: String,
    /// The certificate to trust the directory's own address by.
    pub ca_file: PathBuf,
    management: String,
}

/// A certificate and its key as files, in a folder of their own.
pub struct Pem {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// The certificate, in DER.
    pub der: Vec<u8>,
}

impl Pem {
    /// One that nobody else has signed.
    pub fn for_names(names: &[&str]) -> Self {
        let folder = folder("pem");
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let cert = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let made = CertifiedKey { cert, signing_key: key };
        let this = Self {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            der: made.cert.der().to_vec(),
        };
        fs::write(&this.certificate, made.cert.pem()).unwrap();
        fs::write(&this.key, made.signing_key.serialize_pem()).unwrap();
        this
    }
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Pebble {
    /// One that looks for whoever wants a certificate at this port.
    pub async fn start(tls_port: u16) -> Self {
        let (folder, own) = (folder("pebble"), Pem::for_names(&["localhost", "127.0.0.1"]));
        let (listen, management) = (free(), free());
        let names = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own.certificate, "privateKey": own.key,
            "httpPort": free(), "tlsPort": tls_port, "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let log = || fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let spawn = |program: &str, arguments: &[String]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_WFE_NONCEREJECT", "0")
                .current_dir(&folder);
            command.stdin(Stdio::null()).stdout(log()).stderr(log());
            command.spawn().unwrap_or_else(|_| panic!("{program} is missing: make deps installs it"))
        };
        let off = String::new;
        let resolver = spawn(
            "pebble-challtestsrv",
            &[
                "-defaultIPv4".into(),
                "127.0.0.1".into(),
                "-defaultIPv6".into(),
                off(),
                "-http01".into(),
                off(),
                "-https01".into(),
                off(),
                "-tlsalpn01".into(),
                off(),
                "-dns01".into(),
                format!("127.0.0.1:{names}"),
                "-management".into(),
                format!("127.0.0.1:{}", free()),
            ],
        );
        let authority = spawn(
            "pebble",
            &["-config".into(), "config.json".into(), "-dnsserver".into(), format!("127.0.0.1:{names}")],
        );
        let this = Self {
            processes: vec![resolver, authority],
            directory: format!("https://127.0.0.1:{listen}/dir"),
            ca_file: own.certificate,
            management: format!("https://127.0.0.1:{management}"),
        };
        eventually("Pebble listens", PATIENCE, async || {
            tokio::net::TcpStream::connect(("127.0.0.1", management)).await.ok()
        })
        .await;
        this
    }

    /// The certificate at the end of every chain that it issues.
    pub async fn root(&self) -> reqwest::Certificate {
        let own = reqwest::Certificate::from_pem(&fs::read(&self.ca_file).unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "it talks to the authority of this run")]
        let client = reqwest::Client::builder().tls_certs_only([own]).no_proxy().build().unwrap();
        let answer = client.get(format!("{}/roots/0", self.management)).send().await.unwrap();
        reqwest::Certificate::from_pem(&answer.bytes().await.unwrap()).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}
