//! Other rules than those in force, for a look at what they would do. Casbin decides about them as about the others;
//! nothing of it ever reaches the guard.

use super::{Decision, Hierarchy, OperationPolicy, Policy, Registry, Table, table::enforcer};
use crate::{
    error::{Error, Fault, Result},
    types::Role,
};

/// What somebody proposes for an operation. What is `None` stays.
#[derive(Clone, Debug)]
pub struct ProposedRule {
    /// The operation.
    pub operation: String,
    /// Another least role for any object.
    pub minimum_role: Option<String>,
    /// Another least role for what is the caller's own.
    pub own_role: Option<String>,
}

/// Rules for some operations, compiled.
#[derive(Debug)]
pub struct Proposal {
    registry: Registry,
    table: Table,
}

impl Proposal {
    /// The rules for these operations.
    ///
    /// # Errors
    /// `Invalid` at `/changes` for an operation that there is none of, is there twice or asks for no role; for a role
    /// that can't be named; and for what is so already.
    pub async fn of(policy: &Policy, model: &str, rules: &[ProposedRule]) -> Result<Self> {
        let (mut rows, mut faults): (Vec<OperationPolicy>, _) = (Vec::new(), Vec::new());
        for (at, rule) in rules.iter().enumerate() {
            match proposed(policy, rule) {
                Ok(row) if rows.iter().any(|other| other.operation == row.operation) => {
                    faults.push(Fault::body(format!("/changes/{at}/operation"), "twice", "is there twice"));
                }
                Ok(row) => rows.push(row),
                Err((field, code, detail)) => {
                    let place = if field.is_empty() { String::new() } else { format!("/{field}") };
                    faults.push(Fault::body(format!("/changes/{at}{place}"), code, detail));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let hierarchy = policy.hierarchy();
        let registry = Registry::of(rows, hierarchy).map_err(|faults| Error::internal(faults.join("; ")))?;
        let table = Table::compile(&enforcer(model, hierarchy, &registry).await?, hierarchy, &registry)?;
        Ok(Self { registry, table })
    }

    /// The lines as they would be.
    pub fn rows(&self) -> &[OperationPolicy] {
        self.registry.rows()
    }

    /// What somebody with these roles could do with the operation at this position of [`Self::rows`].
    pub fn decide_any<'a>(
        &self,
        hierarchy: &Hierarchy,
        roles: impl IntoIterator<Item = &'a Role>,
        at: usize,
    ) -> Decision {
        let known = roles.into_iter().filter_map(|role| hierarchy.index(role.as_str()));
        known.map(|role| self.table.decide(role, at)).max().unwrap_or(Decision::Deny)
    }
}

/// The line of the registry as somebody proposes it, or the field that is at fault, with why.
fn proposed(
    policy: &Policy,
    rule: &ProposedRule,
) -> Result<OperationPolicy, (&'static str, &'static str, &'static str)> {
    let (_, row) =
        policy.registry().find(&rule.operation).ok_or(("operation", "unknown_operation", "is no operation"))?;
    if row.minimum_role.is_none() {
        return Err(("operation", "no_role", "is for everybody, whatever their role"));
    }
    if rule.own_role.is_some() && row.own_role.is_none() {
        return Err(("own_role", "no_own_rule", "has no rule for what is one's own"));
    }
    for (field, role) in [("minimum_role", &rule.minimum_role), ("own_role", &rule.own_role)] {
        let Some(role) = role else { continue };
        let row = policy.hierarchy().rows().iter().find(|row| row.name == *role);
        let row = row.ok_or((field, "unknown_role", "is not a role"))?;
        if row.reads_as.is_some() {
            return Err((field, "reads_as_another", "is a role that reads as another; name the other"));
        }
    }
    let mut proposed = row.clone();
    proposed.minimum_role = rule.minimum_role.clone().or(proposed.minimum_role);
    proposed.own_role = rule.own_role.clone().or(proposed.own_role);
    if (&proposed.minimum_role, &proposed.own_role) == (&row.minimum_role, &row.own_role) {
        return Err(("", "changes_nothing", "is so already"));
    }
    Ok(proposed)
}
