//! The floors of the house, held by a test: who may use whom, where SQL may live, and what commits without a record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The modules of `src/` and their floors. A module uses those on its own floor and below, never above.
const FLOORS: &[(u8, &[&str])] = &[
    (5, &["main", "server"]),
    (4, &["api", "edge"]),
    (
        3,
        &[
            "accounts",
            "app",
            "authz",
            "decisions",
            "digests",
            "mfa",
            "operations",
            "people",
            "policies",
            "privacy",
            "retention",
            "seals",
            "sessions",
            "tenancy",
        ],
    ),
    (2, &["alerts", "audit", "certificates", "guessing", "jobs", "mail", "settings"]),
    (1, &["config", "db", "error", "outbound", "runtime", "telemetry", "types", "vault"]),
];

/// The bundle that the work floor's functions are handed: it names them, they take it, and that is no circle of rules.
const BUNDLE: &str = "app";

/// Tables that belong to no organisation, and the one module that uses each.
const IDENTITY_TABLES: &[(&str, &str)] = &[
    ("account_matches", "accounts"),
    ("accounts", "accounts"),
    ("certificates", "certificates"),
    ("data_keys", "vault"),
    ("erasures", "privacy"),
    ("email_links", "accounts"),
    ("idempotency_keys", "db"),
    ("instances", "jobs"),
    ("job_pauses", "jobs"),
    ("job_runs", "jobs"),
    ("key_rotations", "operations"),
    ("known_devices", "accounts"),
    ("legal_holds", "retention"),
    ("outbox", "mail"),
    ("email_codes", "mfa"),
    ("passkeys", "mfa"),
    ("password_credentials", "accounts"),
    ("reauthentication_attempts", "accounts"),
    ("recovery_addresses", "mfa"),
    ("recovery_requests", "mfa"),
    ("refresh_tokens", "sessions"),
    ("sessions", "sessions"),
    ("setup_tokens", "tenancy"),
    ("sign_ups", "tenancy"),
    ("signing_keys", "sessions"),
    ("totp_factors", "mfa"),
    ("trusted_devices", "mfa"),
];

/// What reaches the database around a transaction. Only `db` and `entity` may.
const AROUND_TX: &[&str] = &[
    "Entity::find",
    "Entity::insert",
    "Entity::update",
    "Entity::delete",
    "DatabaseConnection",
    "DatabaseTransaction",
    "ConnectionTrait",
    "sqlx::query",
    "PgPool",
];

/// Why something commits without an audit entry, and where.
const UNRECORDED: &[(&str, &str)] = &[
    ("accounts", "an app that is not confirmed is no second factor yet"),
    ("accounts", "another call has written and recorded the deadline"),
    ("accounts", "a passkey that is only asked for proves nothing"),
    ("accounts", "attempts on addresses without an account are recorded with their number"),
    ("accounts", "failures without a lock were forgotten"),
    ("accounts", "opening the session has recorded the sign-in"),
    ("accounts", "that a second factor was asked for is recorded"),
    ("accounts", "the failure is recorded already"),
    ("accounts", "the hashing pool looked at no password"),
    ("accounts", "nobody has learnt whether the password was right"),
    ("accounts", "what came of an attempt is recorded when it is known"),
    ("accounts", "the password was changed meanwhile"),
    ("accounts", "the recovery that waits for an administrator is recorded"),
    ("accounts", "whose password it is about is found and recorded after the answer"),
    ("alerts", "how often an error was answered is no act of anybody's"),
    ("alerts", "what is counted for alerts is in the record already"),
    ("audit", "it is declared like that already"),
    ("certificates", "whoever issues certificates records them publicly"),
    ("decisions", "how often something was decided is no act of anybody's"),
    ("digests", "that an alert was raised is recorded"),
    ("edge", "bookkeeping of a call that records itself"),
    ("jobs", "a run of a job is its own record"),
    ("jobs", "a sign of life says nothing about what anybody did"),
    ("jobs", "nothing was changed"),
    ("mail", "a lease of a letter says nothing about what anybody did"),
    ("mail", "the audit entry is that of the operation that queued the letter"),
    ("operations", "a run of a job is its own record"),
    ("policies", "nothing was changed"),
    ("people", "an import waits for a while"),
    ("people", "who was made by these lines has an entry of their own"),
    ("privacy", "an erasure is recorded before it is written into the ledger"),
    ("privacy", "what the ledger says was recorded when it was done"),
    ("retention", "a run of a job is its own record"),
    ("seals", "a seal proves the record and does nothing"),
    ("sessions", "a refresh only carries on what session.created recorded"),
    ("sessions", "nobody's session was removed"),
    ("sessions", "nothing was changed"),
    ("sessions", "that these sessions ended was recorded when it was decided"),
    ("tenancy", "a run of a job is its own record"),
    ("tenancy", "nothing was changed"),
    ("tenancy", "when a key was used last says nothing that the record of what it did does not"),
    ("vault", "a sign of life says nothing about what anybody did"),
];

struct Source {
    module: String,
    path: PathBuf,
    /// Without its unit tests and comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 40, "only {} sources were found", files.len());
    files
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().lines();
            let code = code.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            Source { module: first.trim_end_matches(".rs").to_owned(), path, code }
        })
        .filter(|source| source.module != "lib")
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn floor(module: &str) -> u8 {
    let found = FLOORS.iter().find(|(_, modules)| modules.contains(&module));
    found.unwrap_or_else(|| panic!("src/{module} has no floor: add it to FLOORS in tests/it/architecture.rs")).0
}

/// The modules that a source names by `crate::…`, one by one or in braces.
fn used(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => modules.extend(top_level_names(list)),
            None => modules.extend(name(rest)),
        }
    }
    modules
}

fn name(text: &str) -> Option<String> {
    let name: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty() && name.chars().all(|c| c.is_lowercase() || c.is_numeric() || c == '_')).then_some(name)
}

/// The first names of the items of a braced list, up to its end.
fn top_level_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut item) = (0, String::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(name(&std::mem::take(&mut item))),
            _ => item.push(c),
        }
    }
    names.extend(name(&item));
    names
}

#[test]
fn nothing_uses_a_floor_above() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for used in used(&source.code) {
            assert!(
                floor(&used) <= floor(&source.module),
                "{} (floor {}) uses crate::{used} (floor {})",
                source.path.display(),
                floor(&source.module),
                floor(&used)
            );
            graph.entry(source.module.clone()).or_default().insert(used);
        }
    }
    for module in graph.keys().filter(|module| *module != BUNDLE) {
        let around = reach(&graph, module);
        assert!(!around.contains(module), "src/{module} uses itself in a circle: {around:?}");
    }
}

/// What a module uses by way of others, not counting itself and not through the bundle.
fn reach(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> = graph[from].iter().filter(|name| *name != from && *name != BUNDLE).collect();
    while let Some(module) = next.pop() {
        if seen.insert(module.clone()) {
            next.extend(graph.get(module).into_iter().flatten().filter(|name| *name != module && *name != BUNDLE));
        }
    }
    seen
}

/// Proves AZ-9.
#[test]
fn nothing_reaches_the_database_around_a_transaction() {
    for source in sources().iter().filter(|source| source.module != "db") {
        for word in AROUND_TX {
            assert!(!source.code.contains(word), "{} has {word}; only src/db may", source.path.display());
        }
    }
}

#[test]
fn an_identity_table_has_one_user() {
    for source in sources() {
        for (table, owner) in IDENTITY_TABLES.iter().filter(|(_, owner)| *owner != source.module) {
            let whole = [format!(" {table} as "), format!("entity::{table}::Entity"), format!("{table}::Column")];
            let taken = whole.iter().find(|text| source.code.contains(text.as_str()));
            // The principal's one join is in `sessions`, and in SQL.
            assert!(taken.is_none(), "{} uses the table {table}, which is {owner}'s", source.path.display());
        }
    }
}

/// Proves AUD-2.
#[test]
fn what_commits_without_a_record_is_listed_with_its_reason() {
    let mut found = BTreeSet::new();
    for source in sources().iter().filter(|source| source.module != "db") {
        let constant = source.code.split("const WHY: &str = \"").nth(1).and_then(|text| text.split('"').next());
        for text in source.code.split("Unrecorded(").skip(1) {
            let reason = text.trim_start().strip_prefix('"').and_then(|text| text.split('"').next()).or(constant);
            let reason = reason.unwrap_or_else(|| panic!("{}: Unrecorded without a reason", source.path.display()));
            found.insert((source.module.clone(), reason.to_owned()));
        }
    }
    let listed: BTreeSet<_> =
        UNRECORDED.iter().map(|(module, why)| ((*module).to_owned(), (*why).to_owned())).collect();
    assert_eq!(found, listed, "keep UNRECORDED in tests/it/architecture.rs true");
}

/// Proves NET-14.
#[test]
fn sql_is_never_built_from_strings() {
    for source in sources() {
        // The one text that must not become a prepared statement, because it removes those.
        let code = source.code.replace("execute_unprepared(\"DEALLOCATE ALL\")", "");
        for word in ["AssertSqlSafe", "from_string(", "execute_unprepared", "raw_sql("] {
            assert!(!code.contains(word), "{} has {word}", source.path.display());
        }
    }
}
