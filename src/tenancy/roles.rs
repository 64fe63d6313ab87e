//! Nobody grants a role above their own (AZ-8).

use crate::{
    authz::Policy,
    error::{Code, Error, Result},
    types::{Caller, Role},
};

/// The role of this name that can be held in the caller's organisation.
///
/// # Errors
/// `Invalid` at `/role` when there is none.
pub fn assignable(policy: &Policy, caller: &Caller, name: &str) -> Result<Role> {
    let roles = policy.hierarchy();
    let role = if caller.organization() == Some(entity::OrganizationId::PLATFORM) {
        roles.rows().iter().find(|row| row.name == name).map(|row| Role::named(&row.name))
    } else {
        roles.assignable(name)
    };
    role.ok_or_else(|| Error::field("/role", "unknown_role", "is not a role of this organisation"))
}

/// Whether the caller holds everything that this role gives.
///
/// # Errors
/// `Forbidden` with `role_above_own`.
pub fn may_grant(policy: &Policy, caller: &Caller, role: &str) -> Result<()> {
    let covered = caller.role.as_ref().is_some_and(|own| policy.hierarchy().covers(own.as_str(), role));
    if covered { Ok(()) } else { Err(Error::Forbidden(Code::RoleAboveOwn)) }
}
