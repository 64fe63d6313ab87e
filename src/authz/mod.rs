//! Authorization: which role may do what. The registry, the hierarchy, custom roles, Casbin and the compiled table.
//!
//! It decides about roles and operations. Whose object it is, the guard tells it; what a rule of the domain adds
//! (nobody grants a role above their own, the last owner stays) is in [`crate::tenancy`].

mod admission;
mod custom;
mod grant;
mod hierarchy;
mod proposal;
mod registry;
mod table;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::OnceCell;

pub use admission::{Object, Party, admission};
pub use custom::Held;
pub use grant::{Grant, Link, Rule, Step};
pub use hierarchy::{Hierarchy, RoleRow};
pub use proposal::{Proposal, ProposedRule};
pub use registry::{Limit, OperationPolicy, Ownership, Reauthentication, Registry, Scope, SecondFactor, YesNo};
pub use table::{Decision, Table, enforcer};

use crate::error::Result;

/// The policy files, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFiles {
    /// `operations.csv`.
    pub operations: String,
    /// `roles.csv`.
    pub roles: String,
    /// `model.conf`.
    pub model: String,
}

impl Default for PolicyFiles {
    fn default() -> Self {
        Self {
            operations: include_str!("../../policies/operations.csv").to_owned(),
            roles: include_str!("../../policies/roles.csv").to_owned(),
            model: include_str!("../../policies/model.conf").to_owned(),
        }
    }
}

/// The policy in force.
#[derive(Clone)]
pub struct Policy {
    registry: Arc<Registry>,
    hierarchy: Arc<Hierarchy>,
    table: Arc<ArcSwap<Table>>,
}

impl Policy {
    /// Reads the files and lets Casbin decide about everything once.
    ///
    /// # Errors
    /// Every mistake in the files.
    pub async fn load(files: &PolicyFiles) -> Result<Self, Vec<String>> {
        let hierarchy = Hierarchy::parse(&files.roles)?;
        let registry = Registry::parse(&files.operations, &hierarchy)?;
        // Of this release's own files once a process, however many servers that has: it takes longest of all of a start.
        static RELEASED: OnceCell<Table> = OnceCell::const_new();
        let compile = async || compile(&files.model, &hierarchy, &registry).await;
        let table = match *files == PolicyFiles::default() {
            true => RELEASED.get_or_try_init(compile).await.cloned(),
            false => compile().await,
        };
        let table = table.map_err(|error| vec![format!("model.conf: {error}")])?;
        Ok(Self {
            registry: Arc::new(registry),
            hierarchy: Arc::new(hierarchy),
            table: Arc::new(ArcSwap::from_pointee(table)),
        })
    }

    /// What this role may do with the operation at this position of the registry. An unknown role may nothing.
    pub fn decide(&self, role: &str, operation: usize) -> Decision {
        self.hierarchy.index(role).map_or(Decision::Deny, |role| self.table.load().decide(role, operation))
    }

    /// By which rule a role has the operation at this position on an object, if it has it.
    pub fn grant(&self, role: &str, operation: usize, object: Object) -> Option<Grant> {
        self.registry.rows().get(operation).and_then(|row| grant::grant(&self.hierarchy, row, role, object))
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The roles.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }
}

async fn compile(model: &str, hierarchy: &Hierarchy, registry: &Registry) -> Result<Table> {
    Table::compile(&enforcer(model, hierarchy, registry).await?, hierarchy, registry)
}
