//! Nobody grants a role above their own, to themselves or anybody else (AZ-8).

use crate::{
    authz::{Held, Policy},
    error::{Code, Error, Result},
    types::{Caller, Permissions, Role},
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
    may_grant_all(policy, caller, &Held { roles: vec![Role::named(role)], ..Held::default() })
}

/// Whether the caller holds everything that custom roles with these permissions give.
///
/// # Errors
/// `Forbidden` with `role_above_own`.
pub fn may_give(policy: &Policy, caller: &Caller, permissions: &Permissions) -> Result<()> {
    may_grant_all(policy, caller, &Held { permissions: permissions.clone(), ..Held::default() })
}

/// Whether the caller holds everything that somebody or something else has or gives.
///
/// # Errors
/// `Forbidden` with `role_above_own`.
pub fn may_grant_all(policy: &Policy, caller: &Caller, given: &Held) -> Result<()> {
    let own: Vec<&Role> = caller.roles().collect();
    let held = policy.has_all(own.iter().copied(), &caller.permissions, given);
    if held { Ok(()) } else { Err(Error::Forbidden(Code::RoleAboveOwn)) }
}

/// Whether somebody with this direct role may give themselves another. What a team gives is the team's to take away,
/// so nobody turns it into something of their own.
///
/// # Errors
/// `Forbidden` with `own_role`.
pub fn may_take(policy: &Policy, direct: &str, role: &str) -> Result<()> {
    if policy.hierarchy().covers(direct, role) { Ok(()) } else { Err(Error::Forbidden(Code::OwnRole)) }
}

/// Whether somebody with this direct role may give themselves permissions: only what that role gives already, whatever
/// they hold by teams and custom roles, which are others' to take away.
///
/// # Errors
/// `Forbidden` with `own_role`.
pub fn may_take_permissions(policy: &Policy, direct: &str, permissions: &Permissions) -> Result<()> {
    let given = Held { permissions: permissions.clone(), ..Held::default() };
    let held = policy.has_all([&Role::named(direct)], &Permissions::NONE, &given);
    if held { Ok(()) } else { Err(Error::Forbidden(Code::OwnRole)) }
}
