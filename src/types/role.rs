//! The name of a role. Which names exist and how they rank is the policy's business (`authz::Hierarchy`).

use std::{fmt, sync::Arc};

/// A role's name, as `policies/roles.csv` spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Role(Arc<str>);

impl Role {
    /// The role that administers the platform.
    pub const PLATFORM_ADMIN: &'static str = "platform_admin";
    /// The role that an organisation can't be without.
    pub const OWNER: &'static str = "owner";

    /// The role that runs an organisation from day to day.
    pub const ADMIN: &'static str = "admin";

    /// A role by name, unchecked: the policy checks it.
    pub fn named(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
