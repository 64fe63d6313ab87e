//! Nobody grants a role above their own, to themselves or anybody else (AZ-8).

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

/// The role of this name that a team of the caller's organisation can give. An owner is one directly: nobody becomes
/// one by the way, and the last one can be counted.
///
/// # Errors
/// `Invalid` at `/role` when there is none.
pub fn of_team(policy: &Policy, caller: &Caller, name: &str) -> Result<Role> {
    let role = assignable(policy, caller, name)?;
    if policy.hierarchy().includes(role.as_str(), Role::OWNER) {
        return Err(Error::field("/role", "not_by_team", "is not a role that a team can give"));
    }
    Ok(role)
}

/// Whether the caller holds everything that this role gives.
///
/// # Errors
/// `Forbidden` with `role_above_own`.
pub fn may_grant(policy: &Policy, caller: &Caller, role: &str) -> Result<()> {
    let covered = caller.roles().any(|own| policy.hierarchy().covers(own.as_str(), role));
    if covered { Ok(()) } else { Err(Error::Forbidden(Code::RoleAboveOwn)) }
}

/// Whether the caller holds everything that each of these roles gives.
///
/// # Errors
/// `Forbidden` with `role_above_own`.
pub fn may_grant_all<'a>(policy: &Policy, caller: &Caller, roles: impl IntoIterator<Item = &'a str>) -> Result<()> {
    roles.into_iter().try_for_each(|role| may_grant(policy, caller, role))
}

/// Whether somebody with this direct role may give themselves another. What a team gives is the team's to take away,
/// so nobody turns it into something of their own.
///
/// # Errors
/// `Forbidden` with `own_role`.
pub fn may_take(policy: &Policy, direct: &str, role: &str) -> Result<()> {
    if policy.hierarchy().covers(direct, role) { Ok(()) } else { Err(Error::Forbidden(Code::OwnRole)) }
}
