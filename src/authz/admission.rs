//! What is made of the table's answer: whether a call is let through, by what the operation is for, who calls, and whose
//! object it is. The guard asks it on every call; whoever explains or foresees a decision asks the same.

use super::{Decision, OperationPolicy, Reauthentication, Scope};
use crate::error::Code;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Somebody whose session is in a tenant's organisation.
    Person,
    /// Somebody whose session is in the platform's organisation.
    PlatformPerson,
    /// A service account, in its organisation.
    Service,
}

/// Whose object the call is about, where the operation has a rule for what is the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// Anybody's.
    Any,
    /// The caller's own.
    Own,
}

/// Whether the operation is for whoever calls, given what the table says of their roles. What else can stand against a
/// call (another organisation, a blocked account, an old proof of who calls) was asked before or is asked after.
///
/// # Errors
/// The code of the refusal.
pub fn admission(row: &OperationPolicy, party: Party, decision: Decision, object: Object) -> Result<(), Code> {
    let ruled = match (decision, object) {
        (Decision::Allow, _) | (Decision::IfOwner, Object::Own) => Ok(()),
        (Decision::IfOwner, Object::Any) | (Decision::Deny, _) => Err(Code::Forbidden),
    };
    match (row.scope, party) {
        (Scope::Public, _) | (Scope::Own, Party::Person | Party::PlatformPerson) => Ok(()),
        (Scope::Organization | Scope::Current, Party::Person | Party::PlatformPerson)
        | (Scope::Platform, Party::PlatformPerson) => ruled,
        (Scope::Platform, Party::Person) => Err(Code::Forbidden),
        (Scope::Service, Party::Person | Party::PlatformPerson) => Err(Code::ApiKeyRequired),
        (Scope::Own | Scope::Platform, Party::Service) => Err(Code::PeopleOnly),
        (Scope::Organization | Scope::Current | Scope::Service, Party::Service) => {
            if decision != Decision::Allow {
                Err(Code::Forbidden)
            } else if row.reauthentication == Reauthentication::None {
                Ok(())
            } else {
                Err(Code::PeopleOnly)
            }
        }
    }
}
