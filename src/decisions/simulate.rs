//! What a proposed change would do to those who work in an organisation: who gains which operations and who loses which,
//! with how often they used or were refused them lately. Nothing is changed.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    changes::{Change, Touched, touched},
    holdings::Holding,
    uses::{Use, Uses, Window},
};
use crate::{
    app::App,
    authz::{Decision, Held, Object, OperationPolicy, Party, Policy, Scope, admission},
    error::Result,
    types::{Caller, Role},
};

/// How far somebody reaches with an operation, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Not at all.
    None,
    /// To what is their own.
    Own,
    /// To any object.
    Any,
}

/// What becomes of an operation for somebody.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The operation.
    pub operation: String,
    /// How far they reach.
    pub before: Reach,
    /// How far they would reach.
    pub after: Reach,
    /// How often they did in the window what they could do no more.
    pub uses: i64,
    /// The last day on which they did.
    pub last_used: Option<NaiveDate>,
    /// How often they were refused in the window what they could do then.
    pub refused: i64,
}

/// Somebody for whom something would be different.
pub struct Affected {
    /// As they are.
    pub holding: Holding,
    /// The roles that count, the highest first.
    pub roles_before: Vec<Role>,
    /// Those that would count.
    pub roles_after: Vec<Role>,
    /// What they would gain, that which they were refused most often first.
    pub gains: Vec<Effect>,
    /// What they would lose, that which they use most first.
    pub loses: Vec<Effect>,
}

/// Everybody together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many would lose something.
    pub losing: u64,
    /// How many of them used it in the window.
    pub losing_what_they_use: u64,
    /// How many would gain something.
    pub gaining: u64,
    /// How often they did in the window what they could do no more.
    pub uses_lost: i64,
    /// How often they were refused in the window what they could do then.
    pub refusals_lifted: i64,
}

/// What a proposal would do.
pub struct Simulated {
    /// The days that were looked at.
    pub window: Window,
    /// Everybody together.
    pub totals: Totals,
    /// Who is affected, those who would lose what they use most first.
    pub affected: Vec<Affected>,
    /// How many more there are.
    pub left_out: usize,
}

/// Says what a proposal would do in the caller's organisation, of at most so many people one by one.
///
/// # Errors
/// `Invalid` for days that are none, and for changes that can't be looked at.
pub async fn simulate(app: &App, caller: &Caller, changes: &[Change], days: u32, most: usize) -> Result<Simulated> {
    let window = Window::of(days, caller.now())?;
    let tx = app.db.read(caller).await?;
    let mut comparison = Comparison { policy: &app.policy, known: HashMap::new() };
    let mut different = Vec::new();
    for Touched { before, after } in touched(app, &tx, changes).await?.into_values() {
        let party = before.party(&tx);
        let roles = (before.roles(app.policy.hierarchy()), after.roles(app.policy.hierarchy()));
        let held =
            |roles: &[Role], holding: &Holding| Held { roles: roles.to_vec(), permissions: holding.permissions() };
        let effects = comparison.of(party, held(&roles.0, &before), held(&roles.1, &after));
        if !effects.is_empty() {
            different.push((before, roles, effects));
        }
    }
    let who: Vec<Uuid> = different.iter().map(|(holding, ..)| holding.who.id()).collect();
    let operations: BTreeSet<String> =
        different.iter().flat_map(|(.., effects)| effects).map(|effect| effect.operation.clone()).collect();
    let uses = Uses::of(&tx, who, operations.into_iter().collect(), window).await?;
    let mut affected: Vec<Affected> = different
        .into_iter()
        .map(|(holding, (roles_before, roles_after), effects)| {
            let id = holding.who.id();
            let (loses, gains) =
                counted(&uses, id, effects).into_iter().partition(|effect| effect.after < effect.before);
            Affected { holding, roles_before, roles_after, gains, loses }
        })
        .collect();
    let totals = Totals::of(&affected);
    affected.sort_by_cached_key(|one| {
        let lifted: i64 = one.gains.iter().map(|effect| effect.refused).sum();
        (
            Reverse(one.uses_lost()),
            Reverse(one.loses.len()),
            Reverse(lifted),
            Reverse(one.gains.len()),
            one.holding.who.id(),
        )
    });
    let left_out = affected.len().saturating_sub(most);
    affected.truncate(most);
    Ok(Simulated { window, totals, affected, left_out })
}

/// Effects with what was done and refused lately, the busiest first.
fn counted(uses: &Uses, who: Uuid, effects: Vec<Effect>) -> Vec<Effect> {
    let counted = effects.into_iter().map(|mut effect| {
        // What lies between the two reaches: others' objects alone when one's own stay.
        let (least, most) = (effect.before.min(effect.after), effect.before.max(effect.after));
        let objects = [(Reach::Own, Object::Own), (Reach::Any, Object::Any)].into_iter();
        let between = objects.filter(|(reach, _)| least < *reach && *reach <= most);
        let all: Vec<Use> = between.map(|(_, object)| uses.get(who, &effect.operation, object)).collect();
        if effect.after < effect.before {
            effect.uses = all.iter().map(|one| one.allowed).sum();
            effect.last_used = all.iter().filter_map(|one| one.last).max();
        } else {
            effect.refused = all.iter().map(|one| one.refused).sum();
        }
        effect
    });
    let mut counted: Vec<Effect> = counted.collect();
    counted.sort_by_cached_key(|effect| (Reverse(effect.uses + effect.refused), effect.operation.clone()));
    counted
}

/// Compares what two holdings give; each pair once.
struct Comparison<'a> {
    policy: &'a Policy,
    known: HashMap<(bool, Held, Held), Vec<Effect>>,
}

impl Comparison<'_> {
    fn of(&mut self, party: Party, before: Held, after: Held) -> Vec<Effect> {
        let policy = self.policy;
        let entry = self.known.entry((party == Party::Service, before, after));
        let made = |(_, before, after): &(bool, Held, Held)| effects(policy, party, before, after);
        entry.or_insert_with_key(made).clone()
    }
}

fn effects(policy: &Policy, party: Party, before: &Held, after: &Held) -> Vec<Effect> {
    let rows = policy.registry().rows().iter().enumerate();
    let ruled = rows.filter(|(_, row)| !matches!(row.scope, Scope::Public | Scope::Own));
    let effects = ruled.map(|(at, row)| Effect {
        operation: row.operation.clone(),
        before: reach(row, party, policy.decide_any(&before.roles, &before.permissions, at)),
        after: reach(row, party, policy.decide_any(&after.roles, &after.permissions, at)),
        uses: 0,
        last_used: None,
        refused: 0,
    });
    effects.filter(|effect| effect.before != effect.after).collect()
}

/// How far somebody reaches for whom the table has this answer: as far as the guard lets them.
pub(super) fn reach(row: &OperationPolicy, party: Party, decision: Decision) -> Reach {
    let admits = |object| admission(row, party, decision, object).is_ok();
    if admits(Object::Any) {
        Reach::Any
    } else if admits(Object::Own) {
        Reach::Own
    } else {
        Reach::None
    }
}

impl Affected {
    /// How often they did in the window what they could do no more.
    pub fn uses_lost(&self) -> i64 {
        self.loses.iter().map(|effect| effect.uses).sum()
    }
}

impl Totals {
    fn of(affected: &[Affected]) -> Self {
        let count =
            |which: &dyn Fn(&&Affected) -> bool| u64::try_from(affected.iter().filter(which).count()).unwrap_or(0);
        Self {
            losing: count(&|one| !one.loses.is_empty()),
            losing_what_they_use: count(&|one| one.uses_lost() > 0),
            gaining: count(&|one| !one.gains.is_empty()),
            uses_lost: affected.iter().map(Affected::uses_lost).sum(),
            refusals_lifted: affected.iter().flat_map(|one| &one.gains).map(|effect| effect.refused).sum(),
        }
    }
}
