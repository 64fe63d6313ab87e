//! The policy registry: `policies/operations.csv`, one line an operation. It is the law: the guard, the limits, the
//! exported policy, the console's disabled buttons and the generated tests read this one file.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::audit::Kind;

/// Who an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Anybody. The closed list of what needs no sign-in.
    Public,
    /// Every signed-in person, about themselves.
    #[serde(rename = "self")]
    Own,
    /// Members of the organisation in the path, by role.
    Organization,
    /// Members of the organisation that their session is in, whichever that is, by role; so are service accounts of
    /// theirs. The path names none.
    Current,
    /// Platform administrators whose session is in the platform's organisation.
    Platform,
    /// Service accounts, by role, about what is their organisation's. People have no use for it.
    Service,
}

/// What makes an object the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// `member_id` in the path is the caller's membership.
    Membership,
}

/// Whether a recent proof of who calls is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reauthentication {
    /// The session is enough.
    None,
    /// The last authentication must be younger than the window.
    Required,
}

/// Whether a second factor is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// It is open without one: nobody is signed in, a service calls, or it is the way to one.
    None,
    /// Of those whose role demands one by the settings, once their time to set it up is over.
    ByRole,
}

impl SecondFactor {
    /// Its word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ByRole => "by_role",
        }
    }
}

/// What a rate limit counts (NET-4). Its quota is a setting (`config::Limits`), the counting is the edge's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Reads of people who are not signed in, by network address.
    AnonymousRead,
    /// Their writes, by network address.
    AnonymousWrite,
    /// Sign-ups, by network address.
    SignUp,
    /// Links to new passwords, by network address and by e-mail address, on all instances together.
    PasswordReset,
    /// Refreshes, by session.
    TokenRefresh,
    /// Calls of whoever is signed in: a person by their account, a service by its key.
    Account,
    /// Calls of services, by key. No line of the registry names it: what `account` says of people, it says of services.
    ServiceKey,
}

impl Limit {
    /// Every limit, in the order in which people read them.
    pub const ALL: [Self; 7] = [
        Self::AnonymousRead,
        Self::AnonymousWrite,
        Self::SignUp,
        Self::PasswordReset,
        Self::TokenRefresh,
        Self::Account,
        Self::ServiceKey,
    ];

    /// Its name in the `RateLimit` headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnonymousRead => "anonymous-read",
            Self::AnonymousWrite => "anonymous-write",
            Self::SignUp => "sign-up",
            Self::PasswordReset => "password-reset",
            Self::TokenRefresh => "token-refresh",
            Self::Account => "account",
            Self::ServiceKey => "service-key",
        }
    }
}

/// A yes or no that reads well in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// One line of `policies/operations.csv`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperationPolicy {
    /// The operation's id in the contract.
    pub operation: String,
    /// Who it is for.
    pub scope: Scope,
    /// Casbin's object.
    pub resource: String,
    /// Casbin's action.
    pub action: String,
    /// The least role that may do it to any object.
    pub minimum_role: Option<String>,
    /// What makes an object the caller's own.
    pub ownership: Option<Ownership>,
    /// The least role that may do it to an object of its own.
    pub own_role: Option<String>,
    /// Whether a second factor is demanded of whoever does it (MFA-5).
    pub mfa: SecondFactor,
    /// Whether it demands a recent authentication (AUT-7).
    pub reauthentication: Reauthentication,
    /// The rate limit that it counts towards; `None` for what a load balancer probes.
    pub limit: Option<Limit>,
    /// The code of the event that records it.
    pub audit_event: Option<String>,
    /// Whether its body must stay out of every log.
    pub sensitive: YesNo,
    /// The standard whose own rules it follows.
    pub protocol: Option<String>,
}

impl OperationPolicy {
    /// Whether it only reads: what `reads_as` gives to a role that changes nothing.
    pub fn reads(&self) -> bool {
        matches!(self.action.as_str(), "read" | "list")
    }

    /// Whether it makes something for somebody known, and so takes an `Idempotency-Key` (API-2).
    pub fn creates(&self) -> bool {
        matches!(self.action.as_str(), "create" | "create_bulk") && self.scope != Scope::Public
    }
}

/// The registry, by operation.
#[derive(Clone, Debug)]
pub struct Registry {
    rows: Vec<OperationPolicy>,
    index: HashMap<String, usize>,
}

impl Registry {
    /// Reads the file.
    ///
    /// # Errors
    /// Every mistake in it: doubled operations, doubled resource and action, roles that are missing or unknown.
    pub fn parse(text: &str, hierarchy: &super::Hierarchy) -> Result<Self, Vec<String>> {
        let rows: Vec<OperationPolicy> = csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .collect::<Result<_, _>>()
            .map_err(|error| vec![format!("operations.csv: {error}")])?;
        Self::of(rows, hierarchy)
    }

    /// The registry of these lines.
    ///
    /// # Errors
    /// Every mistake in them, as in [`Self::parse`].
    pub fn of(rows: Vec<OperationPolicy>, hierarchy: &super::Hierarchy) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut index = HashMap::new();
        let mut grants = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            let name = &row.operation;
            if index.insert(name.clone(), at).is_some() {
                faults.push(format!("operations.csv: {name} is there twice"));
            }
            if let Some(other) = grants.insert((row.resource.clone(), row.action.clone()), name.clone()) {
                faults.push(format!("operations.csv: {name} and {other} are both {} {}", row.resource, row.action));
            }
            faults
                .extend(row_faults(row, hierarchy).into_iter().map(|fault| format!("operations.csv: {name} {fault}")));
        }
        if faults.is_empty() { Ok(Self { rows, index }) } else { Err(faults) }
    }

    /// The lines, in the file's order.
    pub fn rows(&self) -> &[OperationPolicy] {
        &self.rows
    }

    /// The line of an operation and its position.
    pub fn find(&self, operation: &str) -> Option<(usize, &OperationPolicy)> {
        let at = *self.index.get(operation)?;
        self.rows.get(at).map(|row| (at, row))
    }
}

fn row_faults(row: &OperationPolicy, hierarchy: &super::Hierarchy) -> Vec<String> {
    let mut faults = Vec::new();
    let ruled = matches!(row.scope, Scope::Organization | Scope::Current | Scope::Platform | Scope::Service);
    if ruled != row.minimum_role.is_some() {
        faults.push(
            "needs a minimum role exactly when its scope is organization, current, platform or service".to_owned(),
        );
    }
    if row.ownership.is_some() != row.own_role.is_some() {
        faults.push("needs an own role exactly when it has an ownership rule".to_owned());
    }
    let nobody = matches!(row.scope, Scope::Public | Scope::Service);
    if row.mfa == SecondFactor::None && !nobody && row.scope != Scope::Own {
        faults.push("must demand a second factor by_role: only people's own affairs can be open without".to_owned());
    }
    if row.mfa == SecondFactor::ByRole && nobody {
        faults.push("demands a second factor of those who are not signed in".to_owned());
    }
    if matches!(row.scope, Scope::Public | Scope::Service) && row.reauthentication == Reauthentication::Required {
        faults.push("demands re-authentication of those who are not signed in".to_owned());
    }
    match row.limit {
        Some(Limit::ServiceKey) => faults.push("counts towards service_key, which follows from account".to_owned()),
        limit if (row.scope == Scope::Public) == (limit == Some(Limit::Account)) => {
            faults.push("needs the limit account exactly when people are signed in".to_owned());
        }
        _ => {}
    }
    if let Some(code) = row.audit_event.as_ref().filter(|code| Kind::find(code).is_none()) {
        faults.push(format!("is recorded as {code}, which is not in the catalogue of events"));
    }
    for role in [&row.minimum_role, &row.own_role].into_iter().flatten() {
        if hierarchy.index(role).is_none() {
            faults.push(format!("names the role {role}, which is not in roles.csv"));
        }
        // Whoever it reads as would not have what it has, and could still grant it (AZ-8).
        if hierarchy.rows().iter().any(|row| row.name == *role && row.reads_as.is_some()) {
            faults.push(format!("names the role {role}, which reads as another; name the other"));
        }
    }
    faults
}
