//! What is wrong with a configuration, all of it at once: each mistake names the key, where the
//! value came from and what would be right. Never contains the value of a secret.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written in the program.
    Default,
    /// Follows from another key.
    Derived(&'static str),
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A file that a `…_FILE` variable or a `…_file` key names.
    SecretFile {
        /// The variable or key.
        named_by: String,
        /// The file.
        path: PathBuf,
    },
    /// Made on first start and kept in this file.
    Generated(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(key) => write!(f, "from {key}"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Environment(name) => write!(f, "from env {name}"),
            Self::SecretFile { named_by, path } => write!(f, "from {}, named by {named_by}", path.display()),
            Self::Generated(path) => write!(f, "generated, kept in {}", path.display()),
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key (`http.listen`), or the name as given when it is unknown.
    pub key: String,
    /// Where the value came from.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.origin, self.problem)
    }
}

/// Everything that is wrong; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} mistake{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}

impl std::error::Error for Mistakes {}
