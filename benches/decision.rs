//! The guard's authorization decision, beside Casbin's own (PERF-3).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark ends when something is wrong")]

use std::hint::black_box;

use casbin::CoreApi;
use criterion::{Criterion, criterion_group, criterion_main};
use entity::{AccountId, OrganizationId, SessionId};
use freehold::{
    authz::{Hierarchy, Object, Policy, PolicyFiles, Registry, enforcer},
    decisions::{Decisions, Outcome},
    runtime::{Clock, Ids},
    types::{Caller, Origin, Role},
};

/// The policy files with so many more roles, each of which inherits `member`.
fn files(more: usize) -> PolicyFiles {
    let mut files = PolicyFiles::default();
    for number in 0..more {
        files
            .roles
            .push_str(&format!("custom_{number},member,,organization,Custom {number},A role of an organisation.\n"));
    }
    files
}

/// Somebody signed in, in an organisation.
fn caller() -> Caller {
    let now = Clock::default().now();
    let origin = Origin { request_id: "bench".into(), address: None, user_agent: None, now };
    let somebody = Caller::anonymous(origin).acting_as(AccountId(Ids.next()), SessionId(Ids.next()));
    somebody.within(OrganizationId(Ids.next()))
}

fn decisions(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (name, more, role) in [("decision/default", 0, "manager"), ("decision/1000 roles", 1000, "custom_999")] {
        let policy = runtime.block_on(Policy::load(&files(more))).unwrap();
        let (position, _) = policy.registry().find("members_list").unwrap();
        criterion.bench_function(name, |bench| bench.iter(|| policy.decide(black_box(role), black_box(position))));
    }
    for (name, operation) in [("allowed by one of them", "members_list"), ("denied", "organizations_delete")] {
        let policy = runtime.block_on(Policy::load(&files(0))).unwrap();
        let names: Vec<_> = policy.composable().map(|(_, row)| row.operation.clone()).collect();
        // Each permits three operations; together they permit every one that a custom role can.
        let custom = (0..1000).flat_map(|role| (0..3).map(move |more| role * 7 + more));
        let permissions = policy.compile(custom.map(|at: usize| names[at % names.len()].as_str()));
        let (position, _) = policy.registry().find(operation).unwrap();
        let roles = [Role::named("member"), Role::named("auditor")];
        criterion.bench_function(&format!("decision/1000 custom roles, {name}"), |bench| {
            bench.iter(|| policy.decide_any(black_box(&roles), black_box(&permissions), black_box(position)));
        });
    }
    // What the guard counts of each decision beside it (AZ-10).
    let (decisions, caller) = (Decisions::default(), caller());
    criterion.bench_function("decision/count", |bench| {
        bench.iter(|| decisions.count(black_box(&caller), "me_get", Outcome::Allowed, Object::Any));
    });
    let files = files(0);
    let hierarchy = Hierarchy::parse(&files.roles).unwrap();
    let registry = Registry::parse(&files.operations, &hierarchy).unwrap();
    let casbin = runtime.block_on(enforcer(&files.model, &hierarchy, &registry)).unwrap();
    criterion.bench_function("casbin/enforce", |bench| {
        bench.iter(|| casbin.enforce((black_box("manager"), "members", "list", "any")).unwrap());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = decisions
}
criterion_main!(benches);
