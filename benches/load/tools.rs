//! The programs from outside: wrk, which makes the load, and pgbench, which makes PostgreSQL's own.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use freehold::db::embedded::Search;

/// What wrk saw.
pub struct Seen {
    /// Answers a second.
    pub per_second: f64,
    /// Answers that were no success.
    pub failures: u64,
}

/// Ends the run when a program is missing.
pub fn required() {
    for (program, package) in [("wrk", "wrk"), ("pgbench", "postgresql-contrib")] {
        assert!(
            found(program).is_some(),
            "{program} is missing: make bench installs it, or: apt-get install {package}"
        );
    }
}

fn found(program: &str) -> Option<PathBuf> {
    let path = Search::of_this_machine().path;
    let folders = std::env::split_paths(&path).collect::<Vec<_>>();
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Loads an address for so long with so many connections. `script` is Lua for wrk that makes the requests.
pub async fn wrk(url: &str, connections: usize, span: Duration, script: &str) -> Seen {
    let file = std::env::temp_dir().join(format!("freehold-bench-{}-{}.lua", std::process::id(), connections));
    let done = "done = function(summary, latency, requests)
        io.write(string.format('answers %d\\nfailures %d\\nmicroseconds %d\\n', summary.requests,
            summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
            + summary.errors.timeout, summary.duration))
    end\n";
    fs::write(&file, format!("{script}\n{done}")).unwrap();
    let mut command = tokio::process::Command::new("wrk");
    command.args(["--threads", "1", "--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{}s", span.as_secs()), "--timeout", "10s", "--script"]).arg(&file).arg(url);
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    fs::remove_file(file).unwrap();
    let figure = |name: &str| -> f64 {
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.trim().parse().unwrap()
    };
    let seconds = figure("microseconds ") / 1e6;
    Seen { per_second: figure("answers ") / seconds, failures: figure("failures ") as u64 }
}

/// PostgreSQL's own transactions a second with these statements.
pub async fn pgbench(url: &str, connections: usize, span: Duration, statements: &str) -> f64 {
    let file = std::env::temp_dir().join(format!("freehold-bench-{}.sql", std::process::id()));
    fs::write(&file, statements).unwrap();
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1", "--client", &connections.to_string()]);
    command.args(["--time", &span.as_secs().to_string(), "--file"]).arg(&file).arg(url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    fs::remove_file(file).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let line = line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    line.split_whitespace().next().unwrap().parse().unwrap()
}
