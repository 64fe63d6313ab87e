//! The registry is the law: a server whose contract says something else does not start, and Casbin, the table and the
//! rules as people read them are one.

use std::{collections::HashMap, fmt::Write, sync::Arc};

use casbin::CoreApi;
use freehold::{
    api::{Everything, Face, contract},
    authz::{Decision, Hierarchy, Link, Object, Policy, PolicyFiles, Registry, Rule, Table, enforcer},
    config::{LogBodies, Profile},
    edge::{
        ErrorStats, Gate, Guarded, Visitor,
        bodies::Bodies,
        contract::Contract,
        cookies::CookieNames,
        csrf::{Csrf, CsrfKey, OwnOrigins},
        guard::differences,
        limits::Limits,
    },
    types::Permissions,
};
use poem_openapi::{OpenApi, payload::PlainText};
use proptest::prelude::*;

use crate::harness::{Database, Server, config, folder};

/// The shipped registry with its text changed.
fn registry(change: impl FnOnce(String) -> String) -> Result<Registry, Vec<String>> {
    let files = PolicyFiles::default();
    Registry::parse(&change(files.operations), &Hierarchy::parse(&files.roles).unwrap())
}

fn without(operation: &str) -> impl Fn(String) -> String {
    move |text| {
        let kept = text.lines().filter(|line| !line.starts_with(&format!("{operation},")));
        kept.collect::<Vec<_>>().join("\n")
    }
}

fn instead_of(old: &str, new: &str) -> impl Fn(String) -> String {
    move |text| {
        assert!(text.contains(old), "{old} is not in the registry");
        text.replace(old, new)
    }
}

fn faults(registry: &Registry) -> String {
    differences(&Everything::meta(), registry).join("\n")
}

/// Proves AZ-4.
#[test]
fn the_shipped_registry_and_the_contract_are_one() {
    assert_eq!(faults(&registry(|text| text).unwrap()), "");
}

/// Proves AZ-4.
#[test]
fn a_line_that_is_missing_doubled_or_superfluous_is_named() {
    let missing = faults(&registry(without("members_list")).unwrap());
    assert!(
        missing.starts_with("members_list (GET /v1/organizations/{organization_id}/members) has no line"),
        "{missing}"
    );
    let superfluous = "ships_list,organization,ships,list,member,,,by_role,none,account,,no,\n";
    let superfluous = faults(&registry(|text| text + superfluous).unwrap());
    assert!(superfluous.contains("ships_list, which is no operation; remove it"), "{superfluous}");
    let line = |text: &str| text.lines().find(|line| line.starts_with("members_list,")).unwrap().to_owned() + "\n";
    let doubled = registry(|text| format!("{text}{}", line(&text))).unwrap_err().join("\n");
    assert!(doubled.contains("members_list is there twice"), "{doubled}");
    let same = |text: String| format!("{text}{}", line(&text).replace("members_list", "other_list"));
    let same = registry(same).unwrap_err().join("\n");
    assert!(same.contains("other_list and members_list are both members list"), "{same}");
}

/// Proves AZ-4.
#[test]
fn a_line_that_does_not_fit_its_operation_is_named() {
    let public = instead_of("me_get,self,me,read,,,,none,none,account,", "me_get,public,me,read,,,,none,none,,");
    assert!(faults(&registry(public).unwrap()).contains("me_get is public in the registry or takes no Caller"));
    let closed = instead_of(
        "setup_get,public,setup,read,,,,none,none,anonymous_read,",
        "setup_get,self,setup,read,,,,none,none,account,",
    );
    assert!(faults(&registry(closed).unwrap()).contains("setup_get is public in the registry or takes no Caller"));
    let homeless = instead_of("errors_stats,platform,", "errors_stats,organization,");
    assert!(faults(&registry(homeless).unwrap()).contains("no organization_id in its path"));
    let nobody = instead_of("organization,members,list,manager,", "organization,members,list,janitor,");
    assert!(registry(nobody).unwrap_err().join("\n").contains("names the role janitor, which is not in roles.csv"));
    let reader = instead_of("organization,members,list,manager,", "organization,members,list,auditor,");
    assert!(registry(reader).unwrap_err().join("\n").contains("names the role auditor, which reads as another"));
    let free = instead_of("organization,members,list,manager,", "organization,members,list,,");
    assert!(registry(free).unwrap_err().join("\n").contains("members_list needs a minimum role"));
    let owned = instead_of("members,list,manager,,,by_role", "members,list,manager,membership,member,by_role");
    assert!(faults(&registry(owned).unwrap()).contains("members_list is owned by membership, but has no member_id"));
}

/// Proves NET-4.
#[test]
fn a_limit_that_is_none_or_not_for_such_people_is_named() {
    let refused = |old: &str, new: &str| registry(instead_of(old, new)).unwrap_err().join("\n");
    let me = "me_get,self,me,read,,,,none,none,account,";
    for (limit, fault) in [
        ("", "me_get needs the limit account exactly when people are signed in"),
        ("anonymous_read", "me_get needs the limit account exactly when people are signed in"),
        ("service_key", "me_get counts towards service_key, which follows from account"),
        ("plenty", "unknown variant `plenty`"),
    ] {
        let text = refused(me, &me.replace("account,", &format!("{limit},")));
        assert!(text.contains(fault), "{limit:?}: {text}");
    }
    let text = refused(
        "setup_get,public,setup,read,,,,none,none,anonymous_read,",
        "setup_get,public,setup,read,,,,none,none,account,",
    );
    assert!(text.contains("setup_get needs the limit account exactly when people are signed in"), "{text}");
}

/// Proves AZ-4.
#[tokio::test]
async fn a_server_whose_registry_and_contract_differ_does_not_start() {
    let database = Database::new().await;
    let directory = folder("policies");
    let files = PolicyFiles::default();
    std::fs::write(directory.join("operations.csv"), without("members_list")(files.operations)).unwrap();
    std::fs::write(directory.join("roles.csv"), files.roles).unwrap();
    std::fs::write(directory.join("model.conf"), files.model).unwrap();
    let config = config(&database, &[("FREEHOLD_POLICIES_DIRECTORY", directory.to_str().unwrap())]);
    assert_eq!(config.profile, Profile::Development);
    let refusal = Server::run(config).await.err().expect("it started").to_string();
    assert!(refusal.contains("refusing to start") && refusal.contains("members_list"), "{refusal}");
}

/// An operation that somebody forgot to name.
struct Nameless;

#[OpenApi]
impl Nameless {
    /// Nobody can write a line for it.
    #[oai(path = "/v1/nameless", method = "get")]
    async fn nameless(&self, _visitor: Visitor) -> PlainText<&'static str> {
        PlainText("reached")
    }
}

/// An operation that is not in the contract.
struct Hidden;

#[OpenApi]
impl Hidden {
    /// It would be served without anybody knowing.
    #[oai(path = "/v1/hidden", method = "get", operation_id = "hidden", hidden)]
    async fn hidden(&self, _visitor: Visitor) -> PlainText<&'static str> {
        PlainText("reached")
    }
}

/// Proves AZ-4.
#[test]
fn an_operation_without_an_id_is_named() {
    let registry = registry(|text| text).unwrap();
    let faults = differences(&<(Everything, Nameless)>::meta(), &registry);
    assert_eq!(faults, ["GET /v1/nameless has no operation_id"]);
}

/// Proves AZ-4.
#[tokio::test]
async fn a_hidden_operation_is_not_served() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let app = server.app().clone();
    let document = contract(app.policy.registry());
    let key = CsrfKey::new(*app.vault.derive::<32>("csrf tokens").unwrap());
    let gate = Arc::new(Gate {
        contract: Contract::compile(&document).unwrap(),
        bodies: Bodies::new(LogBodies::Off, &document, app.policy.registry()),
        csrf: Csrf::new(key, &app.public_url, OwnOrigins::Public).unwrap(),
        cookies: CookieNames::new(false),
        limits: Limits::new(&app.limits, &app.clock),
        body_limit: 1 << 20,
        body_timeout: std::time::Duration::from_secs(1),
        app: app.clone(),
    });
    let stats = Arc::new(ErrorStats::new(app.clock.now()));
    let bounds = freehold::config::Events {
        max_streams: 1,
        max_streams_per_account: 1,
        ping_interval: std::time::Duration::from_secs(1),
    };
    let events = freehold::api::events::Hub::new(&app, bounds, &Default::default());
    let face = Face { gate: gate.clone(), stats, proxies: Arc::default(), events };
    let mut bare = HashMap::new();
    Hidden.add_routes(&mut bare);
    assert!(bare.contains_key("/v1/hidden"), "without the guard it would be served");
    let guarded = Guarded::new((freehold::api::everything(&face), Hidden), gate).unwrap();
    let mut routes = HashMap::new();
    guarded.add_routes(&mut routes);
    let served: Vec<_> = routes.keys().collect();
    assert!(routes.contains_key("/v1/me") && !routes.contains_key("/v1/hidden"), "{served:?}");
    drop((face, routes, bare, app));
    server.stop().await;
}

/// A hierarchy and a registry: for each role what it inherits and reads as, for each operation its roles.
#[derive(Clone, Debug)]
struct Rules {
    roles: Vec<(Option<usize>, Option<usize>)>,
    operations: Vec<(usize, Option<usize>, &'static str)>,
}

impl Rules {
    fn name(&self, role: usize) -> String {
        match role {
            0 => "platform_admin".to_owned(),
            1 => "owner".to_owned(),
            _ => format!("role{role}"),
        }
    }

    fn roles_csv(&self) -> String {
        let mut text = "name,inherits,reads_as,scope,title,description\n".to_owned();
        for (at, (inherits, reads_as)) in self.roles.iter().enumerate() {
            let other = |role: &Option<usize>| role.map(|role| self.name(role)).unwrap_or_default();
            writeln!(text, "{},{},{},organization,T,D", self.name(at), other(inherits), other(reads_as)).unwrap();
        }
        text
    }

    fn operations_csv(&self) -> String {
        let shipped = PolicyFiles::default().operations;
        let mut text = format!("{}\n", shipped.lines().next().unwrap());
        for (at, (least, own, action)) in self.operations.iter().enumerate() {
            let least = self.name(*least);
            let own = own.map(|own| format!("membership,{}", self.name(own))).unwrap_or(",".to_owned());
            writeln!(text, "op{at},organization,thing{at},{action},{least},{own},by_role,none,account,,no,").unwrap();
        }
        text
    }

    /// The roles whose grants a role has, itself included, as a person reads the file.
    fn has(&self, role: usize, least: usize) -> bool {
        role == least || self.roles[role].0.is_some_and(|parent| self.has(parent, least))
    }

    fn decision(&self, role: usize, operation: usize) -> Decision {
        let (least, own, action) = self.operations[operation];
        // A role has what the roles that it inherits have, also what they read.
        let chain = (0..self.roles.len()).filter(|held| self.has(role, *held));
        let reads_as = |least: usize| {
            let mut readers = chain.clone().filter_map(|held| self.roles[held].1);
            readers.any(|other| self.has(other, least))
        };
        if self.has(role, least) || (action != "update" && reads_as(least)) {
            Decision::Allow
        } else if own.is_some_and(|own| self.has(role, own) || reads_as(own)) {
            Decision::IfOwner
        } else {
            Decision::Deny
        }
    }
}

/// Roles inherit only from those after them: no circles. Operations name only roles that read as no other.
fn rules() -> impl Strategy<Value = Rules> {
    let roles = (2..7_usize).prop_flat_map(|count| {
        let role = move |at: usize| {
            let parent = if at + 1 < count { prop::option::of(at + 1..count).boxed() } else { Just(None).boxed() };
            let reads_as = if at > 0 { prop::option::weighted(0.3, 0..count).boxed() } else { Just(None).boxed() };
            (parent, reads_as)
        };
        (0..count).map(role).collect::<Vec<_>>()
    });
    roles.prop_flat_map(|roles| {
        let plain: Vec<_> = (0..roles.len()).filter(|role| roles[*role].1.is_none()).collect();
        let role = prop::sample::select(plain);
        let action = prop::sample::select(vec!["read", "list", "update"]);
        let operations = prop::collection::vec((role.clone(), prop::option::of(role), action), 1..8);
        operations.prop_map(move |operations| Rules { roles: roles.clone(), operations })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Proves AZ-2, AZ-4.
    #[test]
    fn casbin_the_table_and_the_rules_as_written_decide_the_same(rules in rules()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let hierarchy = Hierarchy::parse(&rules.roles_csv()).unwrap();
        let registry = Registry::parse(&rules.operations_csv(), &hierarchy).unwrap();
        let casbin = runtime.block_on(enforcer(&PolicyFiles::default().model, &hierarchy, &registry)).unwrap();
        let table = Table::compile(&casbin, &hierarchy, &registry).unwrap();
        for (role, name) in hierarchy.rows().iter().map(|row| &row.name).enumerate() {
            for (operation, row) in registry.rows().iter().enumerate() {
                let ask = |own: &str| casbin.enforce((name, &row.resource, &row.action, own)).unwrap();
                let decided = match (ask("any"), ask("own")) {
                    (true, _) => Decision::Allow,
                    (false, true) => Decision::IfOwner,
                    (false, false) => Decision::Deny,
                };
                prop_assert_eq!(table.decide(role, operation), decided, "table and Casbin: {} {}", name, row.operation);
                prop_assert_eq!(decided, rules.decision(role, operation), "Casbin and the files: {} {}", name, row.operation);
            }
            prop_assert_eq!(table.decide(role, registry.rows().len()), Decision::Deny);
        }
        prop_assert_eq!(table.decide(hierarchy.rows().len(), 0), Decision::Deny);
    }

    /// Proves AZ-10.
    #[test]
    fn a_rule_and_a_way_to_it_are_named_exactly_when_the_table_grants(rules in rules()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let files = PolicyFiles {
            operations: rules.operations_csv(), roles: rules.roles_csv(), model: PolicyFiles::default().model,
        };
        let policy = runtime.block_on(Policy::load(&files)).unwrap();
        let line = |name: &str| policy.hierarchy().rows().iter().find(|row| row.name == name).unwrap();
        for name in policy.hierarchy().rows().iter().map(|row| &row.name) {
            for (at, row) in policy.registry().rows().iter().enumerate() {
                for object in [Object::Any, Object::Own] {
                    let grants = policy.decide(name, at) == Decision::Allow
                        || policy.decide(name, at) == Decision::IfOwner && object == Object::Own;
                    let grant = policy.grant(name, at, object);
                    prop_assert_eq!(grant.is_some(), grants, "{} {} {:?}", name, row.operation, object);
                    let Some(grant) = grant else { continue };
                    let end = if grant.rule == Rule::MinimumRole { &row.minimum_role } else { &row.own_role };
                    prop_assert_eq!(&grant.path[0].role, name);
                    prop_assert_eq!(Some(&grant.path.last().unwrap().role), end.as_ref());
                    for pair in grant.path.windows(2) {
                        let from = line(&pair[0].role);
                        let other = match pair[1].link {
                            Some(Link::Inherits) => from.inherits.as_ref(),
                            Some(Link::ReadsAs) => from.reads_as.as_ref(),
                            None => None,
                        };
                        prop_assert_eq!(other, Some(&pair[1].role), "{:?}", &grant);
                    }
                }
            }
        }
    }

    /// Proves AZ-3.
    #[test]
    fn several_roles_give_what_all_of_them_give(
        rules in rules(),
        held in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let files = PolicyFiles {
            operations: rules.operations_csv(), roles: rules.roles_csv(), model: PolicyFiles::default().model,
        };
        let policy = runtime.block_on(Policy::load(&files)).unwrap();
        let held: Vec<_> = held.iter().map(|index| index.index(rules.roles.len())).collect();
        let names: Vec<_> = held.iter().map(|role| rules.name(*role)).collect();
        let effective = policy.hierarchy().effective(&names[0], names[1..].iter().map(String::as_str));
        for operation in 0..rules.operations.len() {
            let most = held.iter().map(|role| rules.decision(*role, operation)).max().unwrap();
            prop_assert_eq!(policy.decide_any(&effective, &Permissions::NONE, operation), most, "{:?} of {:?}", &effective, &names);
        }
        // The first is the highest of those that count, and none of them is covered by another.
        let levels: Vec<_> = effective.iter().map(|role| policy.hierarchy().level(role.as_str())).collect();
        prop_assert!(levels.is_sorted_by(|higher, lower| higher >= lower), "{:?}", effective);
        for (at, role) in effective.iter().enumerate() {
            let others = effective.iter().enumerate().filter(|(other, _)| *other != at);
            let covered = others.into_iter().any(|(_, other)| policy.hierarchy().covers(other.as_str(), role.as_str()));
            prop_assert!(!covered, "{} is covered in {:?}", role, &effective);
        }
    }

    /// Proves AZ-8.
    #[test]
    fn who_covers_a_role_may_everything_that_it_gives(rules in rules()) {
        let hierarchy = Hierarchy::parse(&rules.roles_csv()).unwrap();
        for holder in 0..rules.roles.len() {
            for role in (0..rules.roles.len()).filter(|role| hierarchy.covers(&rules.name(holder), &rules.name(*role))) {
                for operation in 0..rules.operations.len() {
                    let (held, granted) = (rules.decision(holder, operation), rules.decision(role, operation));
                    prop_assert!(granted <= held, "{holder} grants {role} more than it has: {operation}");
                }
            }
        }
    }
}
