//! Takes settings out of their sources, key by key: the environment before the file before the
//! default. Whatever nobody takes is an unknown key. Collects every mistake and remembers where
//! each value came from; knows no particular key.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::mistakes::{Mistake, Mistakes, Origin};
use super::secret::SecretString;
use super::sources::Sources;
use super::values::Setting;

/// A key, what it is now, and why.
#[derive(Clone)]
pub(super) struct Effective {
    pub(super) key: &'static str,
    /// The value as text; `None` when it is not set.
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
}

/// How a secret is shown.
pub(super) const MASK: &str = "******";
/// The database keys that also go by their plain, customary names (`DATABASE_URL`).
const PLAIN: [&str; 5] =
    ["database.url", "database.direct_url", "database.application_url", "database.platform_url", "database.pooler"];

pub(super) struct Reader {
    environment: BTreeMap<String, String>,
    /// The file's values by dotted key; the error says which kind of value was found.
    file: BTreeMap<String, Result<String, &'static str>>,
    file_path: PathBuf,
    /// Every name that has been asked for, to suggest from.
    known: Vec<String>,
    effective: Vec<Effective>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn new(sources: &Sources) -> Self {
        let (file_path, text) = match &sources.file {
            Some(file) => (file.path.clone(), file.text.as_str()),
            None => (PathBuf::new(), ""),
        };
        let ours = |name: &str| {
            name.starts_with("FREEHOLD_")
                || PLAIN.iter().any(|key| [plain_name(key), plain_name(key) + "_FILE"].contains(&name.to_owned()))
        };
        let in_kubernetes = sources.environment.contains_key("KUBERNETES_SERVICE_HOST");
        let environment = sources
            .environment
            .iter()
            .filter(|(name, value)| ours(name) && !value.is_empty() && !(in_kubernetes && is_service_link(name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut reader = Self {
            environment,
            file: BTreeMap::new(),
            file_path,
            known: Vec::new(),
            effective: Vec::new(),
            mistakes: Vec::new(),
        };
        match text.parse::<toml::Table>() {
            Ok(table) => flatten(&mut reader.file, "", table),
            // The line only: toml's own message quotes it, and it may hold a secret.
            Err(error) => {
                let line = error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.matches('\n').count() + 1);
                let origin = Origin::File(reader.file_path.clone());
                let problem =
                    format!("line {line} is not valid TOML; write keys as `name = \"value\"` under `[section]`");
                reader.mistakes.push(Mistake { key: "file".to_owned(), origin, problem });
            }
        }
        reader
    }

    /// The value of a key, or its default.
    pub(super) fn take<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.take_or(key, default, Origin::Default)
    }

    /// The value of a key, or one that follows from another key.
    pub(super) fn take_derived<T: Setting>(&mut self, key: &'static str, default: T, from: &'static str) -> T {
        self.take_or(key, default, Origin::Derived(from))
    }

    /// The value of a key, or its default, within bounds.
    pub(super) fn take_within<T>(&mut self, key: &'static str, default: T, bounds: RangeInclusive<T>) -> T
    where
        T: Setting + PartialOrd,
    {
        let value = self.take(key, default);
        if !bounds.contains(&value) {
            let (low, high) = (bounds.start().show(), bounds.end().show());
            self.refuse(key, format!("{} is out of bounds; write a value from {low} to {high}", value.show()));
        }
        value
    }

    /// The value of a key that may be absent.
    pub(super) fn take_optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let found = self.find(key);
        let value = found.as_ref().and_then(|(text, origin)| self.parse::<T>(key, text, origin));
        let origin = found.map_or(Origin::Default, |(_, origin)| origin);
        self.effective.push(Effective { key, value: value.as_ref().map(Setting::show), origin });
        value
    }

    /// A secret: from the key itself, or from the file that its `…_FILE` companion names.
    pub(super) fn take_secret(&mut self, key: &'static str) -> Option<SecretString> {
        let found = self.find_secret(key);
        let (secret, origin) = match found {
            Some((text, origin)) => (Some(SecretString::new(text)), origin),
            None => (None, Origin::Default),
        };
        self.effective.push(Effective { key, value: secret.as_ref().map(|_| MASK.to_owned()), origin });
        secret
    }

    /// The file that a secret was read from, if it was.
    pub(super) fn secret_file(&self, key: &str) -> Option<PathBuf> {
        self.effective.iter().find(|entry| entry.key == key).and_then(|entry| match &entry.origin {
            Origin::SecretFile { path, .. } => Some(path.clone()),
            _ => None,
        })
    }

    /// Records a mistake about a key that has been taken; the first one about a key stands.
    pub(super) fn refuse(&mut self, key: &'static str, problem: impl Into<String>) {
        if self.mistakes.iter().any(|mistake| mistake.key == key) {
            return;
        }
        let origin =
            self.effective.iter().find(|entry| entry.key == key).map_or(Origin::Default, |entry| entry.origin.clone());
        self.mistakes.push(Mistake { key: key.to_owned(), origin, problem: problem.into() });
    }

    /// Whether a key was given by anybody.
    pub(super) fn was_given(&self, key: &str) -> bool {
        let given = |entry: &Effective| !matches!(entry.origin, Origin::Default | Origin::Derived(_));
        self.effective.iter().any(|entry| entry.key == key && given(entry))
    }

    /// Whether anything is wrong so far.
    pub(super) fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// The settings in force, once everything has been taken.
    pub(super) fn finish(mut self) -> Result<Vec<Effective>, Mistakes> {
        let names =
            std::mem::take(&mut self.environment).into_keys().map(|name| (Origin::Environment(name.clone()), name));
        let keys = std::mem::take(&mut self.file).into_keys().map(|key| (Origin::File(self.file_path.clone()), key));
        for (origin, name) in names.chain(keys).collect::<Vec<_>>() {
            let problem = match nearest(&name, &self.known) {
                Some(near) => format!("is not a setting; did you mean {near}?"),
                None => "is not a setting; `freehold config check` without it lists them all".to_owned(),
            };
            self.mistakes.push(Mistake { key: name, origin, problem });
        }
        if self.mistakes.is_empty() { Ok(self.effective) } else { Err(Mistakes(self.mistakes)) }
    }

    fn take_or<T: Setting>(&mut self, key: &'static str, default: T, otherwise: Origin) -> T {
        let found = self.find(key);
        let parsed = found.as_ref().and_then(|(text, origin)| self.parse(key, text, origin));
        let origin = found.map_or(otherwise, |(_, origin)| origin);
        let value = parsed.unwrap_or(default);
        self.effective.push(Effective { key, value: Some(value.show()), origin });
        value
    }

    fn parse<T: Setting>(&mut self, key: &str, text: &str, origin: &Origin) -> Option<T> {
        T::parse(text).map_err(|problem| self.push(key, origin, format!("{text:?} {problem}"))).ok()
    }

    fn push(&mut self, key: impl Display, origin: &Origin, problem: impl Into<String>) {
        self.mistakes.push(Mistake { key: key.to_string(), origin: origin.clone(), problem: problem.into() });
    }

    /// The text of a key from the first source that has it.
    fn find(&mut self, key: &str) -> Option<(String, Origin)> {
        let from_file = self.take_from_file(key);
        self.take_from_environment(key, "").or(from_file)
    }

    fn find_secret(&mut self, key: &str) -> Option<(String, Origin)> {
        let companion = format!("{key}_file");
        let in_file = (self.take_from_file(key), self.take_from_file(&companion));
        let in_environment = (self.take_from_environment(key, ""), self.take_from_environment(key, "_FILE"));
        let mut found = None;
        for (value, named) in [in_environment, in_file] {
            if let (Some(_), Some((_, origin))) = (&value, &named) {
                self.push(key, origin, "is given both as a value and as a file; keep one of the two");
            }
            let read = named.and_then(|(path, origin)| self.read_secret_file(key, path, &origin));
            found = found.or(value).or(read);
        }
        found
    }

    fn read_secret_file(&mut self, key: &str, path: String, origin: &Origin) -> Option<(String, Origin)> {
        let named_by = match origin {
            Origin::Environment(name) => name.clone(),
            _ => format!("{key}_file"),
        };
        let path = PathBuf::from(path);
        let origin = Origin::SecretFile { named_by, path: path.clone() };
        match std::fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Some((text.trim().to_owned(), origin)),
            Ok(_) => {
                self.push(key, &origin, "the file is empty; write the secret into it");
                None
            }
            Err(error) => {
                self.push(key, &origin, format!("the file can't be read ({error}); name a readable text file"));
                None
            }
        }
    }

    fn take_from_file(&mut self, key: &str) -> Option<(String, Origin)> {
        self.known.push(key.to_owned());
        let origin = Origin::File(self.file_path.clone());
        match self.file.remove(key)? {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some((text, origin)),
            Err(kind) => {
                self.push(
                    key,
                    &origin,
                    format!("is a {kind}; write a text in quotes, a whole number or a list of texts"),
                );
                None
            }
        }
    }

    fn take_from_environment(&mut self, key: &str, suffix: &str) -> Option<(String, Origin)> {
        let full = format!("FREEHOLD_{}{suffix}", plain_name(key));
        let plain = PLAIN.contains(&key).then(|| plain_name(key) + suffix);
        let first = self.environment.remove(&full).map(|text| (text, Origin::Environment(full.clone())));
        let second = plain
            .as_ref()
            .and_then(|name| self.environment.remove(name).map(|text| (text, Origin::Environment(name.clone()))));
        if let (Some(_), Some((_, origin))) = (&first, &second) {
            self.push(key, origin, format!("is given twice; keep either this or {full}"));
        }
        self.known.push(full);
        self.known.extend(plain);
        first.or(second)
    }
}

/// `database.direct_url` as an environment name: `DATABASE_DIRECT_URL`.
fn plain_name(key: &str) -> String {
    key.replace('.', "_").to_ascii_uppercase()
}

/// Turns `[http] listen = "…"` into `http.listen`.
fn flatten(into: &mut BTreeMap<String, Result<String, &'static str>>, prefix: &str, table: toml::Table) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        let text = match value {
            toml::Value::Table(inner) => {
                flatten(into, &format!("{key}."), inner);
                continue;
            }
            toml::Value::Array(items) => {
                let texts: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
                texts.map(|texts| texts.join(",")).ok_or("list of something else than texts")
            }
            toml::Value::String(text) => Ok(text),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Float(_) => Err("fraction"),
            toml::Value::Boolean(either) => Ok(either.to_string()),
            toml::Value::Datetime(_) => Err("date"),
        };
        into.insert(key, text);
    }
}

/// Kubernetes puts `<SERVICE>_SERVICE_HOST`, `<SERVICE>_PORT_80_TCP` and the like into every
/// container; a service called `freehold` would otherwise stop its own server.
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_PORT")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
}

/// The known name that is fewest edits away, if it is near enough to be a slip.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let distance = |candidate: &String| edit_distance(name, candidate);
    let near = known.iter().min_by_key(|candidate| distance(candidate))?;
    (distance(near) <= 2 + name.len() / 8).then_some(near.as_str())
}

/// Levenshtein distance, row by row.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (b, pair) in right.chars().zip(row.windows(2)) {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let before = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
