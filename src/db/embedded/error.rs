//! What can go wrong with the embedded PostgreSQL. Each text is what the person at the terminal
//! reads: what happened, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the embedded PostgreSQL can't run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No usable programs.
    #[error(
        "Freehold needs the PostgreSQL programs, version {oldest} or newer, to run a database of its own, and found none \
         (looked at `pg_config --bindir`, in PATH and in {looked_in}){rejected}.\nInstall them:\n  \
         Debian, Ubuntu:  apt-get install postgresql\n  \
         Fedora:          dnf install postgresql-server\n  \
         macOS:           brew install postgresql@17\n\
         Or use a PostgreSQL that runs already: set DATABASE_URL=postgres://user:password@host:5432/database"
    )]
    ProgramsMissing {
        /// The oldest major version that will do.
        oldest: u32,
        /// The versioned folders that were searched.
        looked_in: String,
        /// What was found but won't do, as a clause; may be empty.
        rejected: String,
    },
    /// The cluster was made by another major version.
    #[error(
        "the database in {} was made by PostgreSQL {made_by}, whose programs are not installed{found}.\n\
         Install them (Debian, Ubuntu: apt-get install postgresql-{made_by}), or upgrade the files with pg_upgrade",
        home.display()
    )]
    OtherVersion {
        /// The folder of the cluster.
        home: PathBuf,
        /// The major version it needs.
        made_by: u32,
        /// What there is instead, as a clause; may be empty.
        found: String,
    },
    /// Another server has the data directory.
    #[error("another Freehold server{holder} uses {}; stop it, or give this one a data_dir of its own", data_dir.display())]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// Its process, as a clause; may be empty.
        holder: String,
    },
    /// Root, and nobody to become.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it as; \
         make one (useradd --system postgres) or start Freehold as a plain user"
    )]
    NobodyToBecome,
    /// The cluster belongs to somebody else.
    #[error("the database in {} belongs to another user (uid {owner}); start Freehold as that user or as root", home.display())]
    BelongsToAnother {
        /// The folder of the cluster.
        home: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The link in the data directory leads nowhere.
    #[error(
        "{} leads to {}, which is gone; put the database files back, or remove the link to start with an empty database",
        link.display(), target.display()
    )]
    FilesGone {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed ({status}):\n{output}")]
    Program {
        /// Which one.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// PostgreSQL did not come up, or did not go down.
    #[error("PostgreSQL {problem}; its log, {}, ends:\n{tail}", log.display())]
    Server {
        /// What it did not do.
        problem: String,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A file or process could not be handled.
    #[error("can't {doing} {}: {source}", path.display())]
    Io {
        /// The deed.
        doing: &'static str,
        /// Its object.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Result with an [`EmbeddedError`].
pub(super) type Result<T> = std::result::Result<T, EmbeddedError>;

/// Names what was being done when a system call failed.
pub(super) trait Doing<T> {
    /// `doing` completes "can't … <path>".
    fn doing(self, doing: &'static str, path: &Path) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| EmbeddedError::Io { doing, path: path.to_path_buf(), source })
    }
}
