//! Custom roles: what they can be composed of, and what they compile to.
//!
//! An organisation composes a role of operations in itself that an administrator may do: none that takes an owner or the
//! platform, none that is about the caller alone, none of services'. A compiled role is a set of positions of the table;
//! that of somebody with several is their union, made once when it is read who they are, so that a decision costs one more
//! look at a bit however many roles there are.

use super::{Decision, OperationPolicy, Policy, Scope};
use crate::types::{Permissions, Role};

/// What somebody holds in an organisation: roles of the installation, and what custom roles give beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held {
    /// The roles that count, the highest first.
    pub roles: Vec<Role>,
    /// What custom roles give, directly and by teams.
    pub permissions: Permissions,
}

impl Policy {
    /// Whether a custom role can be composed of this operation.
    pub fn is_composable(&self, row: &OperationPolicy) -> bool {
        let inside = matches!(row.scope, Scope::Organization | Scope::Current);
        inside && row.minimum_role.as_deref().is_some_and(|least| self.hierarchy.covers(Role::ADMIN, least))
    }

    /// The operations that custom roles are composed of, each with its position, in the registry's order.
    pub fn composable(&self) -> impl Iterator<Item = (usize, &OperationPolicy)> {
        self.registry.rows().iter().enumerate().filter(|(_, row)| self.is_composable(row))
    }

    /// What these operations' names compile to. What a custom role can't be composed of, now or any more, is nothing.
    pub fn compile<'a>(&self, operations: impl IntoIterator<Item = &'a str>) -> Permissions {
        let known = operations.into_iter().filter_map(|operation| self.registry.find(operation));
        known.filter(|(_, row)| self.is_composable(row)).map(|(position, _)| position).collect()
    }

    /// What somebody with these roles and permissions may do with the operation at this position: the most that one of
    /// them may (AZ-3).
    pub fn decide_any<'a>(
        &self,
        roles: impl IntoIterator<Item = &'a Role>,
        permissions: &Permissions,
        operation: usize,
    ) -> Decision {
        if permissions.contains(operation) {
            return Decision::Allow;
        }
        let decisions = roles.into_iter().map(|role| self.decide(role.as_str(), operation));
        decisions.max().unwrap_or(Decision::Deny)
    }

    /// Whether somebody with these roles and permissions has everything that something else gives.
    pub fn has_all<'a>(
        &self,
        roles: impl IntoIterator<Item = &'a Role> + Clone,
        permissions: &Permissions,
        given: &Held,
    ) -> bool {
        let covered =
            |role: &Role| roles.clone().into_iter().any(|own| self.hierarchy.covers(own.as_str(), role.as_str()));
        given.roles.iter().all(covered)
            && (given.permissions.is_empty() || self.grantable(roles.clone(), permissions).covers(&given.permissions))
    }

    /// Everything that a custom role can be composed of and that somebody with these roles and permissions may do to any
    /// object: what they may give on (AZ-8).
    pub fn grantable<'a>(
        &self,
        roles: impl IntoIterator<Item = &'a Role> + Clone,
        permissions: &Permissions,
    ) -> Permissions {
        let allowed = |position| self.decide_any(roles.clone(), permissions, position) == Decision::Allow;
        self.composable().map(|(position, _)| position).filter(|position| allowed(*position)).collect()
    }
}
