//! The map: every operation with every role's decision, and the roles, as they are enforced.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::canonical::canonical;
use crate::{
    authz::{Decision, Hierarchy, OperationPolicy, Policy, PolicyFiles, RoleRow, Scope},
    error::{Error, Result},
};

/// The scope of roles that are held in the platform's organisation only, and the decision that holds there only.
const PLATFORM: &str = "platform";

/// What one instance enforces, from its start to its end.
#[derive(Clone, Debug)]
pub struct Map {
    /// SHA-256 of `text`.
    pub digest: [u8; 32],
    /// The map as canonical JSON.
    pub text: String,
    /// The files that it was made of.
    pub files: PolicyFiles,
}

/// The map as it is read again: also one that an older release has written.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Read {
    /// SHA-256 of operations.csv, roles.csv and model.conf, one after the other, in hexadecimal.
    pub files_sha256: String,
    /// The operations, in the registry's order. What an older release did not know is missing.
    pub operations: Vec<Value>,
    /// The roles, in the file's order.
    pub roles: Vec<Value>,
}

impl Map {
    /// The map of this policy: every decision is the answer of the table that the guard asks.
    ///
    /// # Errors
    /// When the contract lacks an operation of the registry.
    pub fn of(policy: &Policy, files: PolicyFiles, contract: &Value) -> Result<Self> {
        let places = places(contract);
        let mut operations = Vec::new();
        for (at, row) in policy.registry().rows().iter().enumerate() {
            let place = places.get(&row.operation);
            let (method, path) = place.ok_or_else(|| Error::internal(format!("{} is nowhere", row.operation)))?;
            let roles = policy.hierarchy().rows().iter();
            let decisions =
                roles.map(|role| (role.name.clone(), word(row, role, decision(policy, row, &role.name, at))));
            let decisions: BTreeMap<String, &str> = decisions.collect();
            let mut operation = serde_json::to_value(row).map_err(Error::internal)?;
            if let Some(fields) = operation.as_object_mut() {
                fields.insert("method".to_owned(), json!(method));
                fields.insert("path".to_owned(), json!(path));
                fields.insert("decisions".to_owned(), json!(decisions));
            }
            operations.push(operation);
        }
        let hierarchy = policy.hierarchy();
        let included = |role: &RoleRow| -> Vec<&str> {
            let others = hierarchy.rows().iter().map(|other| other.name.as_str());
            others.filter(|other| hierarchy.includes(&role.name, other)).collect()
        };
        let roles = hierarchy.rows().iter().map(|role| {
            json!({
                "name": role.name, "inherits": role.inherits, "reads_as": role.reads_as, "scope": role.scope,
                "title": role.title, "description": role.description, "includes": included(role),
            })
        });
        let map = json!({
            "files_sha256": hex(&Sha256::digest(format!("{}{}{}", files.operations, files.roles, files.model))),
            "operations": operations,
            "roles": roles.collect::<Vec<_>>(),
        });
        let text = canonical(&map);
        Ok(Self { digest: Sha256::digest(&text).into(), text, files })
    }
}

impl Read {
    /// Reads a map.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    /// How the roles ranked.
    ///
    /// # Errors
    /// When they contradict each other.
    pub(super) fn hierarchy(&self) -> Result<Hierarchy> {
        let rows = self.roles.iter().map(|role| {
            let text = |name: &str| role.get(name).and_then(Value::as_str).map(str::to_owned);
            RoleRow {
                name: text("name").unwrap_or_default(),
                inherits: text("inherits"),
                reads_as: text("reads_as"),
                scope: text("scope").unwrap_or_default(),
                title: text("title").unwrap_or_default(),
                description: text("description").unwrap_or_default(),
            }
        });
        Hierarchy::of(rows.collect()).map_err(|faults| Error::internal(faults.join("; ")))
    }
}

/// What the guard says to somebody with this role. The scopes that ask for no role have no cells in the table: the guard
/// lets everybody pass to what is public, and everybody who is signed in to what is about themselves.
fn decision(policy: &Policy, row: &OperationPolicy, role: &str, at: usize) -> Decision {
    match row.scope {
        Scope::Public => Decision::Allow,
        Scope::Own => Decision::IfOwner,
        Scope::Organization | Scope::Current | Scope::Platform | Scope::Service => policy.decide(role, at),
    }
}

/// How the map says it. A tenant's people are refused what is of the platform's scope, whatever role they hold there.
fn word(row: &OperationPolicy, role: &RoleRow, decision: Decision) -> &'static str {
    match decision {
        Decision::Allow if row.scope == Scope::Platform && role.scope != PLATFORM => PLATFORM,
        Decision::Allow => "allow",
        Decision::IfOwner => "own",
        Decision::Deny => "deny",
    }
}

/// The method and path of each operation of the contract.
fn places(contract: &Value) -> HashMap<String, (String, String)> {
    let mut places = HashMap::new();
    for (path, methods) in contract.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                places.insert(id.to_owned(), (method.to_uppercase(), path.clone()));
            }
        }
    }
    places
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
