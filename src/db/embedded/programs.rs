//! Finds PostgreSQL's programs on this machine. Installs nothing and starts no server.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedError, Result};

/// The oldest major version that the schema works with.
const OLDEST: u32 = 15;
/// What must be in a folder of programs.
const NEEDED: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Where to look for the programs.
#[derive(Clone, Debug)]
pub struct Search {
    /// Folders in the form of `PATH`.
    pub path: OsString,
    /// Folders of versioned folders, with the part of their names before the version:
    /// `/usr/lib/postgresql/` or `/usr/pgsql-`.
    pub versioned: Vec<String>,
}

impl Search {
    /// `PATH`, and the folders of Debian, Red Hat and Homebrew.
    #[must_use]
    pub fn of_this_machine() -> Self {
        #[expect(clippy::disallowed_methods, reason = "PATH is where programs are found, not a setting")]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let versioned =
            ["/usr/lib/postgresql/", "/usr/pgsql-", "/opt/homebrew/opt/postgresql@", "/usr/local/opt/postgresql@"];
        Self { path, versioned: versioned.map(str::to_owned).to_vec() }
    }

    /// The folders that PostgreSQL's programs may be in, the likeliest first.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let in_path: Vec<_> = std::env::split_paths(&self.path).filter(|folder| folder.is_absolute()).collect();
        let pg_config = in_path.iter().map(|folder| folder.join("pg_config")).find(|program| program.is_file());
        let told = pg_config.and_then(|program| first_line(&program, "--bindir")).map(PathBuf::from);
        let mut versioned: Vec<_> = self.versioned.iter().flat_map(|start| versioned_folders(start)).collect();
        versioned.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        told.into_iter().chain(in_path).chain(versioned.into_iter().map(|(_, folder)| folder)).collect()
    }
}

/// `/usr/lib/postgresql/` → `(17, /usr/lib/postgresql/17/bin)`, …
fn versioned_folders(start: &str) -> Vec<(u32, PathBuf)> {
    let (parent, prefix) = start.rsplit_once('/').unwrap_or(("", start));
    let version = |name: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
    let found = |entry: fs::DirEntry| Some((version(entry.file_name().to_str()?)?, entry.path().join("bin")));
    fs::read_dir(parent).map(|entries| entries.flatten().filter_map(found).collect()).unwrap_or_default()
}

/// A folder with PostgreSQL's programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    /// The programs for a new cluster, or for one that `made_by` made.
    pub(super) fn find(search: &Search, cluster: Option<(&Path, u32)>) -> Result<Self> {
        let mut found: Vec<Self> = Vec::new();
        for folder in search.folders() {
            let complete = NEEDED.iter().all(|name| folder.join(name).is_file());
            match if complete { major_version(&folder) } else { None } {
                Some(major) if !found.iter().any(|programs| programs.folder == folder) => {
                    found.push(Self { folder, major })
                }
                _ => {}
            }
        }
        let wanted = cluster.map(|(_, major)| major);
        let usable =
            |programs: &&Self| programs.major >= OLDEST && wanted.is_none_or(|wanted| wanted == programs.major);
        if let Some(programs) = found.iter().find(usable) {
            return Ok(programs.clone());
        }
        let there: Vec<_> =
            found.iter().map(|programs| format!("{} in {}", programs.major, programs.folder.display())).collect();
        let there = if there.is_empty() { String::new() } else { format!("; there is {}", there.join(", ")) };
        match cluster {
            Some((home, made_by)) if !found.is_empty() => {
                Err(EmbeddedError::OtherVersion { home: home.to_path_buf(), made_by, found: there })
            }
            _ => Err(EmbeddedError::ProgramsMissing {
                oldest: OLDEST,
                looked_in: search.versioned.iter().map(|start| format!("{start}*/bin")).collect::<Vec<_>>().join(", "),
                rejected: there,
            }),
        }
    }

    /// The path of one of the programs.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The version a folder's programs report: `postgres (PostgreSQL) 15.10 (Debian …)` is 15.
fn major_version(folder: &Path) -> Option<u32> {
    let line = first_line(&folder.join("postgres"), "--version")?;
    let version = line.split_once("(PostgreSQL) ")?.1;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version.get(..digits)?.parse().ok()
}

fn first_line(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(|line| line.trim().to_owned())
}
