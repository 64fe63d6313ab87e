//! Casbin decides, a table answers.
//!
//! Registry and hierarchy become Casbin policies; one load asks Casbin's enforcer about every role and operation
//! and keeps the answers in a dense table, which the guard reads in nanoseconds.

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};

use super::{Hierarchy, Registry, Scope};
use crate::error::{Error, Result};

/// What a role may do with an operation, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Nothing.
    Deny,
    /// Only with what is the caller's own.
    IfOwner,
    /// With any object that the caller can reach.
    Allow,
}

/// The compiled decisions: role × operation.
#[derive(Clone, Debug)]
pub struct Table {
    operations: usize,
    cells: Vec<Decision>,
}

impl Table {
    /// The decision for a role and an operation by position. What is not in the table is denied.
    pub fn decide(&self, role: usize, operation: usize) -> Decision {
        if operation >= self.operations {
            return Decision::Deny;
        }
        self.cells.get(role * self.operations + operation).copied().unwrap_or(Decision::Deny)
    }

    /// Asks the enforcer about everything.
    ///
    /// # Errors
    /// When the enforcer can't decide.
    pub fn compile(enforcer: &Enforcer, hierarchy: &Hierarchy, registry: &Registry) -> Result<Self> {
        let mut cells = Vec::with_capacity(hierarchy.rows().len() * registry.rows().len());
        for role in hierarchy.rows() {
            for row in registry.rows() {
                let ask = |own: &str| {
                    enforcer.enforce((&role.name, &row.resource, &row.action, own)).map_err(Error::internal)
                };
                cells.push(if ask("any")? {
                    Decision::Allow
                } else if ask("own")? {
                    Decision::IfOwner
                } else {
                    Decision::Deny
                });
            }
        }
        Ok(Self { operations: registry.rows().len(), cells })
    }
}

/// Loads model, hierarchy and registry into a Casbin enforcer.
///
/// # Errors
/// When Casbin does not take the model or a policy.
pub async fn enforcer(model: &str, hierarchy: &Hierarchy, registry: &Registry) -> Result<Enforcer> {
    let model = DefaultModel::from_str(model).await.map_err(Error::internal)?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.map_err(Error::internal)?;
    enforcer.add_policies(grants(hierarchy, registry)).await.map_err(Error::internal)?;
    let inherits: Vec<Vec<String>> = hierarchy
        .rows()
        .iter()
        .filter_map(|role| role.inherits.as_ref().map(|parent| vec![role.name.clone(), parent.clone()]))
        .collect();
    enforcer.add_named_grouping_policies("g", inherits).await.map_err(Error::internal)?;
    Ok(enforcer)
}

/// The grants as Casbin policies: `role, resource, action, any|own`.
fn grants(hierarchy: &Hierarchy, registry: &Registry) -> Vec<Vec<String>> {
    let mut grants = Vec::new();
    for row in registry.rows() {
        let mut grant = |role: &str, own: &str| {
            grants.push(vec![role.to_owned(), row.resource.clone(), row.action.clone(), own.to_owned()]);
        };
        if let Some(role) = &row.minimum_role {
            grant(role, "any");
            let read = row.reads() && matches!(row.scope, Scope::Organization | Scope::Current | Scope::Platform);
            let readers = hierarchy.rows().iter().filter(|_| read);
            for reader in readers {
                if reader.reads_as.as_ref().is_some_and(|other| hierarchy.includes(other, role)) {
                    grant(&reader.name, "any");
                }
            }
        }
        if let Some(role) = &row.own_role {
            grant(role, "own");
            // Who only reads still leaves on their own.
            for reader in hierarchy.rows().iter().filter(|reader| reader.reads_as.is_some()) {
                if reader.reads_as.as_ref().is_some_and(|other| hierarchy.includes(other, role)) {
                    grant(&reader.name, "own");
                }
            }
        }
    }
    grants.sort();
    grants.dedup();
    grants
}
