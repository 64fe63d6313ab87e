//! The roles and how they rank: `policies/roles.csv`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::types::Role;

/// One line of `policies/roles.csv`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRow {
    /// The name that memberships carry.
    pub name: String,
    /// The role whose grants it has as well.
    pub inherits: Option<String>,
    /// The role whose reading operations it has, and nothing else of it.
    pub reads_as: Option<String>,
    /// Where it can be held: `platform` or `organization`.
    pub scope: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: String,
}

/// The roles, and which of them include which.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    rows: Vec<RoleRow>,
    /// The position of each role, by name.
    positions: HashMap<String, usize>,
    /// For each role, the roles whose grants it has, itself included.
    includes: HashMap<String, HashSet<String>>,
}

impl Hierarchy {
    /// Reads the file.
    ///
    /// # Errors
    /// Every mistake in it: a doubled name, a circle, an unknown role, a missing `platform_admin` or `owner`.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let rows = csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>();
        Self::of(rows.map_err(|error| vec![format!("roles.csv: {error}")])?)
    }

    /// The hierarchy of these roles.
    ///
    /// # Errors
    /// Every mistake in them, as in [`Self::parse`].
    pub fn of(rows: Vec<RoleRow>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut includes = HashMap::new();
        for row in &rows {
            if includes.insert(row.name.clone(), chain(&rows, row, &mut faults)).is_some() {
                faults.push(format!("roles.csv: {} is there twice", row.name));
            }
            if let Some(other) = row.reads_as.as_ref().filter(|name| !rows.iter().any(|row| row.name == **name)) {
                faults.push(format!("roles.csv: {} reads as {other}, which is not there", row.name));
            }
            if !["platform", "organization"].contains(&row.scope.as_str()) {
                faults.push(format!(
                    "roles.csv: {} has the scope {:?}; it must be platform or organization",
                    row.name, row.scope
                ));
            }
        }
        for name in [Role::PLATFORM_ADMIN, Role::OWNER] {
            if !includes.contains_key(name) {
                faults.push(format!("roles.csv: {name} is missing"));
            }
        }
        let positions = rows.iter().enumerate().map(|(at, row)| (row.name.clone(), at)).collect();
        if faults.is_empty() { Ok(Self { rows, positions, includes }) } else { Err(faults) }
    }

    /// The roles, in the file's order.
    pub fn rows(&self) -> &[RoleRow] {
        &self.rows
    }

    /// The role of this name that can be held in an organisation.
    pub fn assignable(&self, name: &str) -> Option<Role> {
        self.rows.iter().find(|row| row.name == name && row.scope == "organization").map(|row| Role::named(&row.name))
    }

    /// Whether `holder` is `role` or inherits it.
    pub fn includes(&self, holder: &str, role: &str) -> bool {
        self.includes.get(holder).is_some_and(|includes| includes.contains(role))
    }

    /// Whether whoever has `holder` has everything that `role` gives: itself, a role it inherits, or a role that only
    /// reads what such a role reads.
    pub fn covers(&self, holder: &str, role: &str) -> bool {
        let Some(row) = self.rows.iter().find(|row| row.name == role) else { return false };
        let has = |other: &Option<String>| other.as_deref().is_none_or(|other| self.covers(holder, other));
        self.includes(holder, role)
            || row.reads_as.as_deref().is_some_and(|other| self.includes(holder, other)) && has(&row.inherits)
    }

    /// The roles that count of those that a person has directly and by teams: the highest first, and none that another
    /// covers. Together they give what all of them give (AZ-3).
    pub fn effective<'a>(&self, direct: &'a str, by_teams: impl IntoIterator<Item = &'a str>) -> Vec<Role> {
        let mut names = vec![direct];
        for name in by_teams {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // Stable: of two on one level the direct role is first.
        names.sort_by_key(|name| std::cmp::Reverse(self.level(name)));
        let covered = |at: usize, name: &str| {
            names.iter().enumerate().any(|(other_at, other)| {
                other_at != at && self.covers(other, name) && (other_at < at || !self.covers(name, other))
            })
        };
        let counting = names.iter().enumerate().filter(|(at, name)| !covered(*at, name));
        counting.map(|(_, name)| Role::named(name)).collect()
    }

    /// How many roles a role includes: the greater, the more it may.
    pub fn level(&self, name: &str) -> usize {
        self.includes.get(name).map_or(0, HashSet::len)
    }

    /// The position of a role in the compiled table.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }
}

fn chain(rows: &[RoleRow], row: &RoleRow, faults: &mut Vec<String>) -> HashSet<String> {
    let mut seen = HashSet::from([row.name.clone()]);
    let mut next = row.inherits.clone();
    while let Some(name) = next.take() {
        let Some(parent) = rows.iter().find(|row| row.name == name) else {
            faults.push(format!("roles.csv: {} inherits {name}, which is not there", row.name));
            break;
        };
        if !seen.insert(name.clone()) {
            faults.push(format!("roles.csv: {} inherits itself in a circle", row.name));
            break;
        }
        next.clone_from(&parent.inherits);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AZ-2.
    #[test]
    fn the_default_hierarchy_has_five_levels_and_an_auditor_beside_them() {
        let roles = Hierarchy::parse(include_str!("../../policies/roles.csv")).unwrap();
        let order = ["platform_admin", "owner", "admin", "manager", "member"];
        for (at, higher) in order.iter().enumerate() {
            for (below, lower) in order.iter().enumerate() {
                assert_eq!(roles.covers(higher, lower), at <= below, "{higher} over {lower}");
            }
        }
        assert!(roles.covers("admin", "auditor") && !roles.covers("manager", "auditor"));
        assert!(!roles.covers("auditor", "member"));
        assert!(roles.assignable("platform_admin").is_none());
    }

    /// Proves AZ-3.
    #[test]
    fn of_several_roles_the_highest_comes_first_and_what_is_covered_goes() {
        let roles = Hierarchy::parse(include_str!("../../policies/roles.csv")).unwrap();
        let effective = |direct: &'static str, teams: &[&'static str]| -> Vec<String> {
            roles.effective(direct, teams.iter().copied()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(effective("member", &[]), ["member"]);
        assert_eq!(effective("member", &["manager", "admin", "manager"]), ["admin"]);
        assert_eq!(effective("owner", &["admin", "auditor"]), ["owner"]);
        assert_eq!(effective("admin", &["auditor"]), ["admin"]);
        // Who only reads more stands beside.
        assert_eq!(effective("auditor", &["manager"]), ["manager", "auditor"]);
        assert_eq!(effective("manager", &["auditor", "member"]), ["manager", "auditor"]);
        assert_eq!(effective("member", &["auditor"]), ["member", "auditor"]);
        assert_eq!(effective("auditor", &["member"]), ["auditor", "member"]);
    }

    /// Proves AZ-2.
    #[test]
    fn another_hierarchy_can_be_configured_and_its_mistakes_are_named() {
        let head = "name,inherits,reads_as,scope,title,description\n";
        let text = format!(
            "{head}platform_admin,owner,,platform,P,p\nowner,clerk,,organization,O,o\nclerk,,,organization,C,c\n"
        );
        assert!(Hierarchy::parse(&text).unwrap().covers("owner", "clerk"));
        let text = format!("{head}owner,clerk,,organization,O,o\nclerk,owner,,elsewhere,C,c\n");
        let faults = Hierarchy::parse(&text).unwrap_err().join("\n");
        for part in ["circle", "platform_admin is missing", "elsewhere"] {
            assert!(faults.contains(part), "{part} not in {faults}");
        }
    }
}
