//! Which system user PostgreSQL's programs run as, and how they are started: PostgreSQL refuses to
//! be root, must not get the terminal's Ctrl-C before the server has drained, and should not
//! outlive the server. Knows nothing of clusters.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{Doing, EmbeddedError, Result};

/// Unprivileged users that root can become, the better one first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];
/// A fixed `PATH` for children: nothing of the server's environment, least of all its secrets,
/// reaches them.
const CHILD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who PostgreSQL's programs run as.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The user to become; `None` when the server's own will do.
    other: Option<(u32, u32)>,
    /// Whether `setpriv` can tie a child's life to the thread that starts it.
    ties: bool,
}

impl Account {
    /// The server's own user, or, when that is root, the owner of the existing cluster, or one of
    /// the candidates.
    pub(super) fn choose(cluster: Option<&Path>) -> Result<Self> {
        let mut trial = Command::new("setpriv");
        trial.args(["--pdeathsig", "INT", "--", "true"]).env("PATH", CHILD_PATH).stderr(Stdio::null());
        let ties = trial.status().is_ok_and(|status| status.success());
        let ourselves = ask_id(&["-u"]).unwrap_or(0);
        let owner = cluster.map(|home| fs::metadata(home).doing("look at", home)).transpose()?;
        let other = match (ourselves, owner) {
            (0, Some(owner)) if owner.uid() != 0 => Some((owner.uid(), owner.gid())),
            (0, _) => {
                let ids = |name: &&str| Some((ask_id(&["-u", name])?, ask_id(&["-g", name])?));
                Some(CANDIDATES.iter().find_map(ids).ok_or(EmbeddedError::NobodyToBecome)?)
            }
            (ourselves, Some(owner)) if owner.uid() != ourselves => {
                let home = cluster.map(Path::to_path_buf).unwrap_or_default();
                return Err(EmbeddedError::BelongsToAnother { home, owner: owner.uid() });
            }
            _ => None,
        };
        Ok(Self { other, ties })
    }

    /// A program under this account: empty environment but for a fixed `PATH`, no input, a process
    /// group of its own so that Ctrl-C passes it by.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", CHILD_PATH).current_dir("/").stdin(Stdio::null()).process_group(0);
        if let Some((uid, gid)) = self.other {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// The same, and the program gets the signal when the thread that starts it ends, which is
    /// when the server is killed. Without `setpriv` (util-linux) the next start cleans up instead.
    pub(super) fn tied_command(&self, program: &Path, signal: &str) -> Command {
        if !self.ties {
            return self.command(program);
        }
        let mut command = self.command(Path::new("setpriv"));
        command.args(["--pdeathsig", signal, "--"]).arg(program);
        command
    }

    /// Whether this account can reach what is in a folder.
    pub(super) fn can_enter(&self, folder: &Path) -> bool {
        self.other.is_none()
            || self.command(Path::new("test")).arg("-x").arg(folder).status().is_ok_and(|status| status.success())
    }

    /// Makes a folder that only this account can enter.
    pub(super) fn make_private_folder(&self, folder: &Path) -> Result<()> {
        fs::DirBuilder::new().mode(0o700).create(folder).doing("make", folder)?;
        match self.other {
            Some((uid, gid)) => chown(folder, Some(uid), Some(gid)).doing("give away", folder),
            None => Ok(()),
        }
    }
}

/// Asks the system's user database, whatever it is made of.
fn ask_id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).env("PATH", CHILD_PATH).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
