//! Who sees and who changes what an attribute says of a member. An attribute names its audience; who is an administrator
//! or a manager in that sense is the registry's to say: whoever may do the operations named here, so that
//! `policies/operations.csv` stays the one place that grants anything.

use entity::{
    MembershipId,
    attributes::{Audience, Model as Attribute},
};

use crate::{
    authz::{Decision, Policy},
    types::Caller,
};

/// Administrators see what those see who may read a declaration, and change what those change who may change one.
const ADMIN: Who<&str> = Who { reads: "attributes_get", edits: "attributes_update" };
/// Managers see and change what those may who have these operations for everybody, not only for themselves.
const MANAGER: Who<&str> = Who { reads: "member_attributes_get", edits: "member_attributes_update" };

struct Who<T> {
    reads: T,
    edits: T,
}

/// What a caller is to one member.
pub struct Access {
    person: bool,
    manager: Who<bool>,
    admin: Who<bool>,
}

impl Access {
    /// What the caller is to a member of their organisation; without one, to anybody but themselves.
    pub fn of(policy: &Policy, caller: &Caller, member: Option<MembershipId>) -> Self {
        let allowed = |operation| {
            let found = policy.registry().find(operation);
            let decide = |position| policy.decide_any(caller.roles(), &caller.permissions, position);
            found.is_some_and(|(position, _)| decide(position) == Decision::Allow)
        };
        let both = |who: &Who<&'static str>| Who { reads: allowed(who.reads), edits: allowed(who.edits) };
        let person = member.is_some() && caller.membership == member;
        Self { person, manager: both(&MANAGER), admin: both(&ADMIN) }
    }

    /// Whether they see the values of an attribute.
    pub fn sees(&self, attribute: &Attribute) -> bool {
        self.admin.reads || within(attribute.visible_to, self.person, self.manager.reads)
    }

    /// Whether they change the values of an attribute, which they also see.
    pub fn edits(&self, attribute: &Attribute) -> bool {
        let may = self.admin.edits || within(attribute.editable_by, self.person, self.manager.edits);
        may && self.sees(attribute)
    }

    /// Whether they see every declaration there is, as whoever makes them.
    pub fn sees_all(&self) -> bool {
        self.admin.reads
    }
}

fn within(audience: Audience, person: bool, manager: bool) -> bool {
    match audience {
        Audience::Admins => false,
        Audience::Managers => manager,
        Audience::PersonAndAdmins => person,
        Audience::PersonAndManagers => person || manager,
    }
}

/// Whether everybody in one audience is in the other.
pub fn contains(outer: Audience, inner: Audience) -> bool {
    [(true, false), (false, true)]
        .into_iter()
        .all(|(person, manager)| within(outer, person, manager) || !within(inner, person, manager))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_values_also_sees_them() {
        use Audience::{Admins, Managers, PersonAndAdmins, PersonAndManagers};
        for inner in [Admins, Managers, PersonAndAdmins, PersonAndManagers] {
            assert!(contains(inner, inner) && contains(PersonAndManagers, inner) && contains(inner, Admins));
        }
        assert!(!contains(Admins, Managers) && !contains(Managers, PersonAndAdmins));
        assert!(!contains(PersonAndAdmins, Managers) && !contains(PersonAndAdmins, PersonAndManagers));
    }
}
