//! Which rule gives a role an operation, and by which way: the table's answer in the words of the files that it was
//! compiled from. A property test holds the two to each other; nothing is decided by it.

use super::{Hierarchy, Object, OperationPolicy, Scope};

/// The rule by which a role has an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which column of the registry gives it.
    pub rule: Rule,
    /// From the role that is held to the one that the column names.
    pub path: Vec<Step>,
}

/// A column of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `minimum_role`.
    MinimumRole,
    /// `own_role`.
    OwnRole,
    /// None: a custom role is composed of it.
    CustomRole,
}

impl Grant {
    /// What a custom role gives.
    pub fn by_custom_role(name: &str) -> Self {
        Self { rule: Rule::CustomRole, path: vec![Step { role: name.to_owned(), link: None }] }
    }
}

/// A role on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The role.
    pub role: String,
    /// How the role before it comes to it; the first has none before it.
    pub link: Option<Link>,
}

/// How a role has what another has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It inherits it.
    Inherits,
    /// It reads what that one reads.
    ReadsAs,
}

/// By which rule a role has an operation on an object, if it has it.
pub(super) fn grant(hierarchy: &Hierarchy, row: &OperationPolicy, role: &str, object: Object) -> Option<Grant> {
    let reads = row.reads() && matches!(row.scope, Scope::Organization | Scope::Current | Scope::Platform);
    let least = row.minimum_role.as_deref();
    let whole = least.and_then(|least| way(hierarchy, role, least, reads));
    if let Some(path) = whole {
        return Some(Grant { rule: Rule::MinimumRole, path });
    }
    // Who only reads still does what is for everybody to do with their own.
    let own = row.own_role.as_deref().filter(|_| object == Object::Own);
    own.and_then(|own| way(hierarchy, role, own, true)).map(|path| Grant { rule: Rule::OwnRole, path })
}

/// The way from a role that is held to one that is wanted: down what it inherits, and, where reading is enough, once
/// over to what one of these reads as.
fn way(hierarchy: &Hierarchy, held: &str, wanted: &str, reads: bool) -> Option<Vec<Step>> {
    if hierarchy.includes(held, wanted) {
        return Some(down(hierarchy, held, wanted, None));
    }
    let chain = down(hierarchy, held, "", None);
    let readers = chain.iter().enumerate().filter(|_| reads);
    for (at, step) in readers {
        let row = hierarchy.rows().iter().find(|row| row.name == step.role)?;
        let Some(other) = row.reads_as.as_deref().filter(|other| hierarchy.includes(other, wanted)) else { continue };
        let mut path: Vec<Step> = chain.iter().take(at + 1).cloned().collect();
        path.extend(down(hierarchy, other, wanted, Some(Link::ReadsAs)));
        return Some(path);
    }
    None
}

/// The roles from one down to another, or to the last.
fn down(hierarchy: &Hierarchy, from: &str, to: &str, link: Option<Link>) -> Vec<Step> {
    let mut path = vec![Step { role: from.to_owned(), link }];
    let mut at = from;
    while at != to {
        let row = hierarchy.rows().iter().find(|row| row.name == at);
        let Some(next) = row.and_then(|row| row.inherits.as_deref()) else { break };
        path.push(Step { role: next.to_owned(), link: Some(Link::Inherits) });
        at = next;
    }
    path
}
