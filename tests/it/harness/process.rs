//! The real binary in a process of its own, for stories about its death.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use freehold::db::embedded::Search;

use super::{Actor, PUBLIC_URL, database::Database, eventually, folder, logs, server::VARIABLES, token_of};

/// How long the binary may take to be ready, its own PostgreSQL included.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to stop: it drains.
const STOPPED: Duration = Duration::from_secs(40);

/// A running `freehold serve`. It is killed at the end of the test, however that ends.
pub struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    /// Where it was told to listen.
    listen: Option<String>,
}

impl Process {
    /// `freehold serve` in the development profile, with these variables and none of ours. Without `DATABASE_URL` it
    /// runs a PostgreSQL of its own in `FREEHOLD_DATA_DIR`.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.env_clear().env("PATH", Search::of_this_machine().path).envs(VARIABLES).envs(settings.iter().copied());
        if logs::wanted() && !settings.iter().any(|(name, _)| *name == "FREEHOLD_LOG_LEVEL") {
            command.env("FREEHOLD_LOG_LEVEL", "trace");
        }
        command.arg("serve").current_dir(folder("process"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        let listen = settings.iter().find(|(name, _)| *name == "FREEHOLD_HTTP_LISTEN");
        Self { child, output, listen: listen.map(|(_, address)| (*address).to_owned()) }
    }

    /// The same among others, which all say that they are reached at [`PUBLIC_URL`]: on a port that is free now.
    pub fn among_others(settings: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let own = [("FREEHOLD_HTTP_LISTEN", free.as_str()), ("FREEHOLD_HTTP_PUBLIC_URL", PUBLIC_URL)];
        Self::start(&[settings, &own].concat())
    }

    /// The same on a database of this run, with more variables.
    pub fn on(database: &Database, settings: &[(&str, &str)]) -> Self {
        let own = Self::variables(database);
        let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Self::start(&[own.as_slice(), settings].concat())
    }

    /// What a server on a database of this run is told.
    pub fn variables(database: &Database) -> [(&'static str, String); 3] {
        let path = |folder: std::path::PathBuf| folder.to_str().unwrap().to_owned();
        [
            ("FREEHOLD_DATA_DIR", path(folder("process-data"))),
            ("FREEHOLD_MAIL_DIRECTORY", path(database.mail_folder())),
            ("DATABASE_URL", database.url().expose().to_owned()),
        ]
    }

    /// Waits until it is ready; returns nobody in particular, at its address.
    pub async fn ready(&mut self) -> Actor {
        let line = self.line_with("Console  http").await;
        if let Some(address) = &self.listen {
            return Actor::at(&format!("http://{address}"));
        }
        let url = line.trim().trim_start_matches("Console").trim().trim_end_matches('/');
        let (_, port) = url.rsplit_once(':').unwrap();
        Actor::at(&format!("http://127.0.0.1:{port}"))
    }

    /// Waits for the setup link that it prints while nobody administers it; returns the token.
    pub async fn setup_token(&mut self) -> String {
        token_of(&self.line_with("/setup#token=").await)
    }

    /// Everything it has written so far, to both outputs.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// kill -9, and waits for its end.
    pub fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop (SIGTERM), and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        let kill = Command::new("sh").args(["-c", "kill -TERM $0", &self.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let Self { child, .. } = self;
        eventually("the server stops", STOPPED, async || child.try_wait().unwrap()).await
    }

    async fn line_with(&mut self, text: &str) -> String {
        let Self { child, output, .. } = self;
        eventually(&format!("a line with {text}"), READY, async || {
            let written = output.lock().unwrap().clone();
            let line = written.split_inclusive('\n').find(|line| line.contains(text) && line.ends_with('\n'));
            if line.is_none()
                && let Some(status) = child.try_wait().unwrap()
            {
                // Its last words may still be on their way.
                tokio::time::sleep(Duration::from_millis(200)).await;
                panic!("the server ended ({status}):\n{}", output.lock().unwrap());
            }
            line.map(str::to_owned)
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads an output to its end on a thread of its own.
fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = into.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            logs::line(&line);
            into.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
}
