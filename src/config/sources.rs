//! Where settings come from: the configuration file and the environment, read once at start-up.
//! The only place in the program that looks at the environment. Interprets nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::mistakes::{Mistake, Mistakes, Origin};

/// Everything a configuration is made from; tests fill it in by hand.
#[derive(Default)]
pub struct Sources {
    /// The environment: all `FREEHOLD_*` and `DATABASE_*` variables. An empty one counts as absent.
    pub environment: HashMap<String, String>,
    /// The configuration file, when there is one.
    pub file: Option<ConfigFile>,
}

/// A configuration file.
pub struct ConfigFile {
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its text: TOML.
    pub text: String,
}

/// The variable that names the configuration file.
const CONFIG_VARIABLE: &str = "FREEHOLD_CONFIG";
/// The file that is read when neither the flag nor the variable names one.
const CONFIG_FILE: &str = "freehold.toml";

impl Sources {
    /// Environment variables and no file.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { environment: variables.iter().map(own).collect(), file: None }
    }

    /// The process's environment, and the file that `--config` names, or `FREEHOLD_CONFIG`, or
    /// `./freehold.toml` if it exists.
    ///
    /// # Errors
    /// A named file that can't be read; a variable that isn't UTF-8.
    pub fn from_process(flag: Option<&Path>) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let mut environment = HashMap::new();
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let variables = std::env::vars_os();
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            if !["FREEHOLD_", "DATABASE_", "KUBERNETES_"].iter().any(|start| name.starts_with(start)) {
                continue;
            }
            match value.into_string() {
                Ok(value) => drop(environment.insert(name, value)),
                Err(_) => mistakes.push(Mistake {
                    key: name.clone(),
                    origin: Origin::Environment(name),
                    problem: "is not UTF-8 text".to_owned(),
                }),
            }
        }
        let named = environment.remove(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let named = flag.map(Path::to_path_buf).or(named);
        let path = named.clone().unwrap_or_else(|| PathBuf::from(CONFIG_FILE));
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => Some(ConfigFile { path, text }),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                let problem = format!("can't be read ({error}); name a readable TOML file or none");
                mistakes.push(Mistake { key: "--config".to_owned(), origin: Origin::File(path), problem });
                None
            }
        };
        if mistakes.is_empty() { Ok(Self { environment, file }) } else { Err(Mistakes(mistakes)) }
    }
}
