//! What the servers of the whole run write at the most talkative level, and every secret that the run used, in two
//! files for `.ci/logs-are-clean` to hold against each other (NET-7).
//!
//! Only when `FREEHOLD_TEST_LOGS` names a folder, as `make test` does: writing all of it takes time.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    sync::{LazyLock, Mutex, Once},
};

use freehold::{config::LogFormat, telemetry};
use serde_json::Value;

use super::{PASSWORD, ROOT_KEY};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 8;
/// A secret that is logged on purpose: who searches and does not find it has searched in vain.
const CANARY: &str = "canary-that-sings-in-every-log";
/// The parts of the names of members that hold secrets, or say who somebody is.
const TELLING: [&str; 4] = ["password", "token", "secret", "email"];

struct Files {
    log: Mutex<File>,
    used: Mutex<(File, HashSet<String>)>,
}

static FILES: LazyLock<Option<Files>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "whoever starts the tests says where to")]
    let folder = PathBuf::from(std::env::var_os("FREEHOLD_TEST_LOGS")?);
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| File::create(folder.join(name)).unwrap();
    Some(Files { log: Mutex::new(file("log")), used: Mutex::new((file("used"), HashSet::new())) })
});

/// Begins to write what the servers of this process log.
pub(super) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        if wanted() {
            telemetry::init_to("trace", LogFormat::Json, || Log).unwrap();
            [CANARY, ROOT_KEY, PASSWORD].into_iter().for_each(note);
            tracing::info!(CANARY, "a secret that is logged on purpose");
        }
    });
}

/// Whether somebody wants to read it.
pub(super) fn wanted() -> bool {
    FILES.is_some()
}

/// Writes a line of a server in another process.
pub(super) fn line(line: &str) {
    // The setup link is for the operator in front of it.
    if let Some(files) = &*FILES
        && !line.contains("/setup#token=")
    {
        writeln!(files.log.lock().unwrap(), "{line}").unwrap();
    }
}

/// Notes a secret of the run.
pub(super) fn note(secret: &str) {
    if let Some(files) = &*FILES
        && secret.len() >= SHORTEST
        && !secret.contains('\n')
    {
        let mut used = files.used.lock().unwrap();
        if used.1.insert(secret.to_owned()) {
            writeln!(used.0, "{secret}").unwrap();
        }
    }
}

/// Notes the secrets in what is sent or answered, at any depth.
pub(super) fn note_in(value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if TELLING.iter().any(|part| name.ends_with(part)) => note(text),
                    other => note_in(other),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(note_in),
        _ => {}
    }
}

/// Notes the secrets of a request.
pub(super) fn note_request(request: &reqwest::Request) {
    for (_, value) in request.url().query_pairs().filter(|(name, _)| TELLING.iter().any(|part| name.ends_with(part))) {
        note(&value);
    }
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    bearer.and_then(|value| value.strip_prefix("Bearer ")).into_iter().for_each(note);
    let body = request.body().and_then(|body| body.as_bytes());
    body.and_then(|body| serde_json::from_slice(body).ok()).iter().for_each(note_in);
}

/// The log as something to write to.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(files) = &*FILES {
            files.log.lock().unwrap().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
