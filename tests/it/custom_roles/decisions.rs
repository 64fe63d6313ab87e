//! Casbin, asked with the same policies, and the compiled decision agree: for random hierarchies, teams and custom roles.

use std::fmt::Write;

use casbin::{CoreApi, MgmtApi};
use freehold::{
    authz::{Decision, Hierarchy, Policy, PolicyFiles, Registry, enforcer},
    types::{Permissions, Role},
};
use proptest::prelude::*;

/// The roles of the installation; those after the third are others, some of which read as one of the first.
const NAMES: [&str; 6] = ["platform_admin", "owner", "admin", "role3", "role4", "role5"];

/// What an organisation might be, and what one person in it holds.
#[derive(Clone, Debug)]
struct Case {
    /// For each role the one that it inherits, and the one that it reads as.
    roles: Vec<(Option<usize>, Option<usize>)>,
    /// For each operation its scope, its least role, the least role for one's own, and whether it reads.
    operations: Vec<(bool, usize, Option<usize>, bool)>,
    /// What each custom role permits; also operations that none can, and that there are not.
    custom: Vec<Vec<usize>>,
    /// The role and the custom roles of each team.
    teams: Vec<(Option<usize>, Vec<usize>)>,
    /// The person's role, custom roles and teams.
    direct: (usize, Vec<usize>, Vec<usize>),
}

impl Case {
    fn files(&self) -> PolicyFiles {
        let mut roles = "name,inherits,reads_as,scope,title,description\n".to_owned();
        for (at, (inherits, reads_as)) in self.roles.iter().enumerate() {
            let name = |role: &Option<usize>| role.map_or("", |role| NAMES[role]);
            writeln!(roles, "{},{},{},organization,T,D", NAMES[at], name(inherits), name(reads_as)).unwrap();
        }
        let shipped = PolicyFiles::default();
        let mut operations = format!("{}\n", shipped.operations.lines().next().unwrap());
        for (at, (inside, least, own, reads)) in self.operations.iter().enumerate() {
            let scope = if *inside { "organization" } else { "platform" };
            let action = if *reads { "read" } else { "update" };
            let own = own.map_or(",".to_owned(), |own| format!("membership,{}", NAMES[own]));
            let least = NAMES[*least];
            writeln!(operations, "op{at},{scope},thing{at},{action},{least},{own},by_role,none,account,,no,").unwrap();
        }
        PolicyFiles { operations, roles, model: shipped.model }
    }

    /// Whether a custom role can permit an operation, as a person reads the files: one of the organisation, whose least
    /// role an administrator has.
    fn can_be_composed(&self, operation: usize) -> bool {
        let Some((inside, least, ..)) = self.operations.get(operation) else { return false };
        let mut chain = std::iter::successors(Some(2), |role: &usize| self.roles[*role].0);
        *inside && chain.any(|role| role == *least)
    }

    /// The custom roles of the person, by whatever way.
    fn held(&self) -> Vec<usize> {
        let by_teams = self.direct.2.iter().flat_map(|team| &self.teams[*team].1);
        self.direct.1.iter().chain(by_teams).copied().collect()
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let roles = (0..NAMES.len()).map(|at| {
        let parent =
            if at + 1 < NAMES.len() { prop::option::of(at + 1..NAMES.len()).boxed() } else { Just(None).boxed() };
        let reads = if at > 2 { prop::option::weighted(0.4, 0..3_usize).boxed() } else { Just(None).boxed() };
        (parent, reads)
    });
    roles.collect::<Vec<_>>().prop_flat_map(|roles| {
        let plain: Vec<_> = (0..roles.len()).filter(|role| roles[*role].1.is_none()).collect();
        let role = prop::sample::select(plain);
        let operation = (prop::bool::weighted(0.8), role.clone(), prop::option::of(role), any::<bool>());
        let custom = prop::collection::vec(prop::collection::vec(0..12_usize, 1..6), 1..5);
        let some = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
        let teams = prop::collection::vec((prop::option::of(0..NAMES.len()), some()), 1..4);
        let direct = (0..NAMES.len(), some(), some());
        (Just(roles), prop::collection::vec(operation, 1..10), custom, teams, direct).prop_map(
            |(roles, operations, custom, teams, (role, held, joined))| {
                let picked = |some: &[prop::sample::Index], of: usize| -> Vec<usize> {
                    some.iter().map(|index| index.index(of)).collect()
                };
                let teams: Vec<_> =
                    teams.into_iter().map(|(role, gives)| (role, picked(&gives, custom.len()))).collect();
                let direct = (role, picked(&held, custom.len()), picked(&joined, teams.len()));
                Case { roles, operations, custom, teams, direct }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Proves AZ-3, AZ-6, AZ-10.
    #[test]
    fn casbin_and_the_compiled_decision_agree_about_teams_and_custom_roles(case in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let files = case.files();
        let policy = runtime.block_on(Policy::load(&files)).unwrap();
        let hierarchy = Hierarchy::parse(&files.roles).unwrap();
        let registry = Registry::parse(&files.operations, &hierarchy).unwrap();
        let mut casbin = runtime.block_on(enforcer(&files.model, &hierarchy, &registry)).unwrap();
        // The same as Casbin's policies: a grant for each permission, and who is in which role.
        let custom = |role: usize| format!("custom{role}");
        let mut grants = Vec::new();
        for (role, operations) in case.custom.iter().enumerate() {
            for operation in operations.iter().filter(|operation| case.can_be_composed(**operation)) {
                let row = &registry.rows()[*operation];
                grants.push(vec![custom(role), row.resource.clone(), row.action.clone(), "any".to_owned()]);
            }
        }
        grants.sort();
        grants.dedup();
        let person = "the person".to_owned();
        let by_teams = case.direct.2.iter().filter_map(|team| case.teams[*team].0);
        let roles: Vec<_> = std::iter::once(case.direct.0).chain(by_teams).map(|role| NAMES[role].to_owned()).collect();
        let held = case.held();
        let mut groups: Vec<_> = roles.iter().cloned().chain(held.iter().map(|role| custom(*role)))
            .map(|role| vec![person.clone(), role]).collect();
        groups.sort();
        groups.dedup();
        runtime.block_on(async {
            casbin.add_policies(grants).await.unwrap();
            casbin.add_named_grouping_policies("g", groups).await.unwrap();
        });
        let effective = policy.hierarchy().effective(&roles[0], roles[1..].iter().map(String::as_str));
        let names: Vec<_> = (0..12).map(|operation| format!("op{operation}")).collect();
        let operations = held.iter().flat_map(|role| &case.custom[*role]).map(|operation| names[*operation].as_str());
        let permissions = policy.compile(operations);
        for (operation, row) in registry.rows().iter().enumerate() {
            let ask = |own: &str| casbin.enforce((&person, &row.resource, &row.action, own)).unwrap();
            let expected = match (ask("any"), ask("own")) {
                (true, _) => Decision::Allow,
                (false, true) => Decision::IfOwner,
                (false, false) => Decision::Deny,
            };
            prop_assert_eq!(policy.decide_any(&effective, &permissions, operation), expected, "{}", row.operation);
        }
        prop_assert_eq!(policy.decide_any(&effective, &permissions, registry.rows().len()), Decision::Deny);
    }

    /// Proves AZ-8.
    #[test]
    fn who_has_all_that_something_gives_may_all_that_it_gives(
        case in cases(),
        own in (0..NAMES.len(), prop::collection::vec(0..12_usize, 0..6)),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let policy = runtime.block_on(Policy::load(&case.files())).unwrap();
        let names: Vec<_> = (0..12).map(|operation| format!("op{operation}")).collect();
        let compile = |operations: &[usize]| policy.compile(operations.iter().map(|at| names[*at].as_str()));
        let (own_role, own) = (Role::named(NAMES[own.0]), compile(&own.1));
        let given = freehold::authz::Held {
            roles: vec![Role::named(NAMES[case.direct.0])],
            permissions: compile(&case.held().iter().flat_map(|role| case.custom[*role].clone()).collect::<Vec<_>>()),
        };
        if policy.has_all([&own_role], &own, &given) {
            for operation in 0..case.operations.len() {
                let (held, granted) = (
                    policy.decide_any([&own_role], &own, operation),
                    policy.decide_any(&given.roles, &given.permissions, operation),
                );
                prop_assert!(granted <= held, "{:?} gives more than {} has: {}", given, own_role, operation);
            }
        }
        // A single permission is had by exactly those who may do it to any object.
        for (position, _) in policy.composable() {
            let one = freehold::authz::Held { permissions: [position].into_iter().collect(), ..Default::default() };
            let may = policy.decide_any([&own_role], &own, position) == Decision::Allow;
            prop_assert_eq!(policy.has_all([&own_role], &own, &one), may);
        }
        prop_assert!(policy.has_all([&own_role], &Permissions::NONE, &freehold::authz::Held::default()));
    }
}
