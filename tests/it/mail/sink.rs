//! A real mail server as a peer: `tests/peers/smtp.mjs`, which keeps what it is handed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::harness::{PATIENCE, eventually, token_of};

/// A mail server. It ends with this value.
pub struct Sink {
    child: Child,
    events: Arc<Mutex<Vec<Value>>>,
    port: u16,
}

/// A letter that the mail server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its recipients.
    pub to: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// The message as it came.
    pub raw: String,
}

impl Sink {
    /// A mail server that takes mail from anybody in clear.
    pub async fn start() -> Self {
        Self::configured(&json!({})).await
    }

    /// The same with the settings that `tests/peers/smtp.mjs` describes.
    pub async fn configured(settings: &Value) -> Self {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        assert!(peers.join("node_modules/smtp-server").exists(), "the tests' mail server is missing: run make deps");
        let mut command = Command::new("node");
        command.arg(peers.join("smtp.mjs")).arg(settings.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node.js: run make deps");
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (output, heard) = (child.stdout.take().unwrap(), events.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let mut sink = Self { child, events, port: 0 };
        let listening = eventually("the mail server listens", PATIENCE, async || sink.of("listening").pop()).await;
        sink.port = listening["port"].as_u64().unwrap().try_into().unwrap();
        sink
    }

    /// Its address for `FREEHOLD_MAIL_SMTP_URL`.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it took so far, in order.
    pub fn taken(&self) -> Vec<Delivered> {
        self.of("message").iter().map(Delivered::of).collect()
    }

    /// Waits for the first letter to this address.
    pub async fn letter(&self, to: &str) -> Delivered {
        let find = async || self.taken().into_iter().find(|letter| letter.to == to);
        eventually(&format!("a letter to {to}"), PATIENCE, find).await
    }

    /// Waits until it has refused mail to this address.
    pub async fn refusal(&self, to: &str) {
        let refused = async || self.of("refused").iter().any(|event| event["to"] == to).then_some(());
        eventually(&format!("mail to {to} is refused"), PATIENCE, refused).await;
    }

    fn of(&self, kind: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| event["event"] == kind).cloned().collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Delivered {
    fn of(event: &Value) -> Self {
        let text = |field: &str| event[field].as_str().map(str::to_owned);
        Self {
            to: text("to").unwrap(),
            secure: event["secure"].as_bool().unwrap(),
            user: text("user"),
            raw: text("text").unwrap(),
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        let wanted = format!("{name}: ");
        let (head, _) = self.raw.split_once("\r\n\r\n").unwrap();
        head.lines().find_map(|line| line.strip_prefix(&wanted)).unwrap_or_else(|| panic!("no {name} in {head}"))
    }

    /// Its bodies as they were written: quoted-printable undone (RFC 2045, 6.7), as far as these letters need it.
    pub fn plain(&self) -> String {
        self.raw.replace("=\r\n", "").replace("=3D", "=")
    }

    /// The token of the link.
    pub fn token(&self) -> String {
        token_of(&self.plain())
    }
}
