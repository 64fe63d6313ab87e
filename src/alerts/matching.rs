//! Which rules an entry is for, and what of it is counted together. Nothing here asks the database.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta};
use entity::{AuditEntryId, OrganizationId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::{AlertPolicy, BuiltIn, Grouping, is_about_alerts, news::Entry};
use crate::{
    audit::{Kind, Severity},
    error::{Error, Result},
    runtime::Timestamp,
    types::network,
    vault::Vault,
};

/// Into how many parts a window is divided: it is at most one of them, or a minute, longer than it says.
const PARTS: i64 = 12;
/// How many entries an alert names.
pub(super) const ENTRIES: usize = 10;

/// A rule as entries are held against it.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The name of one of the installation's, the id of one of the organisation's own.
    pub key: String,
    pub title: String,
    pub count: i64,
    pub minutes: i64,
    pub by: Grouping,
    pub severity: Severity,
}

/// A rule of an organisation's own.
pub(super) struct Own {
    pub organization: OrganizationId,
    pub waits: Wait,
    pub rule: Rule,
}

/// What a rule of an organisation's own waits for.
#[derive(Clone)]
pub(super) enum Wait {
    /// By its code, which may be a product's own.
    Event(String),
    AtLeast(Severity),
}

impl From<&BuiltIn> for Rule {
    fn from(rule: &BuiltIn) -> Self {
        let BuiltIn { name, title, count, minutes, by, severity, .. } = rule;
        let (key, title) = (name.clone(), title.clone());
        Self { key, title, count: *count, minutes: *minutes, by: *by, severity: *severity }
    }
}

impl Rule {
    /// How many minutes a part of the window has.
    fn part_minutes(&self) -> i64 {
        ((self.minutes + PARTS - 1) / PARTS).max(1)
    }

    /// The part of the window that a moment is in, counted since 1970.
    pub fn part(&self, at: Timestamp) -> i64 {
        at.timestamp().div_euclid(60 * self.part_minutes())
    }

    /// When a part begins.
    pub fn begin(&self, part: i64) -> Timestamp {
        DateTime::from_timestamp(part.saturating_mul(60 * self.part_minutes()), 0).unwrap_or_default()
    }

    /// How many parts before one belong to the same window.
    pub fn back(&self) -> i64 {
        (self.minutes + self.part_minutes() - 1) / self.part_minutes()
    }

    /// When a part counts no more.
    pub fn until(&self, part: i64) -> Timestamp {
        self.begin(part + 1) + TimeDelta::minutes(self.minutes + self.part_minutes())
    }
}

/// What is counted together: of an organisation, by a rule, of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub organization: OrganizationId,
    pub rule: String,
    pub subject: Vec<u8>,
}

/// The subject of what goes beyond the most open alerts of a rule.
pub(super) const REST: &[u8] = &[1];
/// The subject of all of an organisation.
pub(super) const WHOLE: &[u8] = &[0];

/// What came for one key.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub rule: Rule,
    pub actor: Option<(String, Option<Uuid>)>,
    pub address: Option<String>,
    /// How many in which part of the window.
    pub parts: BTreeMap<i64, i64>,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The latest entries, the oldest first.
    pub entries: Vec<AuditEntryId>,
}

impl Touch {
    /// How many in all.
    pub fn number(&self) -> i64 {
        self.parts.values().sum()
    }

    fn add(&mut self, entry: &Entry) {
        *self.parts.entry(self.rule.part(entry.at)).or_default() += entry.number;
        self.first = self.first.min(entry.at);
        self.last = self.last.max(entry.at);
        if self.entries.len() == ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(entry.id);
    }

    /// The same and what came for another key.
    pub fn and(mut self, other: &Self) -> Self {
        for (part, number) in &other.parts {
            *self.parts.entry(*part).or_default() += number;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.entries.extend(&other.entries);
        self.entries.sort_unstable();
        let surplus = self.entries.len().saturating_sub(ENTRIES);
        self.entries.drain(..surplus);
        self
    }
}

/// The rules for each of these entries.
pub(super) fn matched<'a>(policy: &AlertPolicy, own: &'a [Own], entries: &'a [Entry]) -> Vec<(&'a Entry, Rule)> {
    let mut by_organization: HashMap<OrganizationId, Vec<&Own>> = HashMap::new();
    for rule in own {
        by_organization.entry(rule.organization).or_default().push(rule);
    }
    let mut matched = Vec::new();
    for entry in entries {
        // What is none of the catalogue's is a product's own, or of an older or newer release: it matters as it says.
        let severity = match Kind::find(&entry.event) {
            Some(kind) => {
                matched.extend(policy.waiting_for(kind).map(|rule| (entry, Rule::from(rule))));
                if is_about_alerts(kind) {
                    continue;
                }
                Some(policy.severity(kind))
            }
            None => Severity::find(&entry.severity),
        };
        let own = by_organization.get(&entry.organization).into_iter().flatten();
        let own = own.filter(|own| match &own.waits {
            Wait::Event(wanted) => *wanted == entry.event,
            Wait::AtLeast(least) => severity >= Some(*least),
        });
        matched.extend(own.map(|own| (entry, own.rule.clone())));
    }
    matched
}

/// Names what is counted together. An address is known by a keyed hash alone, another in each organisation.
pub(super) struct Subjects {
    key: zeroize::Zeroizing<[u8; 32]>,
}

impl Subjects {
    /// With the installation's key.
    ///
    /// # Errors
    /// Never in practice; see [`Vault::derive`].
    pub fn new(vault: &Vault) -> Result<Self> {
        Ok(Self { key: vault.derive::<32>("alert subjects")? })
    }

    /// What came, by what is counted together. `addresses` has those of the entries that rules by address are for.
    ///
    /// # Errors
    /// Never in practice.
    pub fn touched(
        &self,
        matched: Vec<(&Entry, Rule)>,
        addresses: &HashMap<AuditEntryId, String>,
    ) -> Result<BTreeMap<Key, Touch>> {
        let mut touched: BTreeMap<Key, Touch> = BTreeMap::new();
        for (entry, rule) in matched {
            let address = addresses.get(&entry.id).filter(|_| rule.by == Grouping::Address);
            // A /64 of IPv6 is one client.
            let address = address.map(|text| text.parse().map_or_else(|_| text.clone(), |ip| network(ip).to_string()));
            let subject = self.subject(entry, rule.by, address.as_deref())?;
            let key = Key { organization: entry.organization, rule: rule.key.clone(), subject };
            let actor = (rule.by == Grouping::Actor).then(|| (entry.actor_type.clone(), entry.actor_id));
            let (parts, entries) = (BTreeMap::new(), Vec::new());
            let new = || Touch { rule, actor, address, parts, first: entry.at, last: entry.at, entries };
            touched.entry(key).or_insert_with(new).add(entry);
        }
        Ok(touched)
    }

    fn subject(&self, entry: &Entry, by: Grouping, address: Option<&str>) -> Result<Vec<u8>> {
        Ok(match (by, address) {
            (Grouping::Organization, _) => WHOLE.to_vec(),
            (Grouping::Actor, _) => {
                let id = entry.actor_id.unwrap_or_default();
                [&[2], entry.actor_type.as_bytes(), id.as_bytes()].concat()
            }
            (Grouping::Address, Some(address)) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()).map_err(Error::internal)?;
                mac.update(Uuid::from(entry.organization).as_bytes());
                mac.update(address.as_bytes());
                [&[3], mac.finalize().into_bytes().as_slice()].concat()
            }
            (Grouping::Address, None) => vec![4],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(minutes: i64) -> Rule {
        let (key, title) = ("x".to_owned(), "X".to_owned());
        Rule { key, title, count: 1, minutes, by: Grouping::Organization, severity: Severity::Low }
    }

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    proptest! {
        /// Proves AUD-5: what happens within a window is counted together, and what is a part or a minute further apart is not.
        #[test]
        fn a_window_is_as_long_as_it_says(minutes in 1_i64..=super::super::LONGEST_WINDOW, begin in 0_i64..1_000_000, apart in 0_i64..200_000) {
            let rule = rule(minutes);
            let (first, last) = (rule.part(at(begin)), rule.part(at(begin + apart)));
            let together = first >= last - rule.back();
            if apart <= minutes * 60 {
                prop_assert!(together);
                prop_assert!(rule.until(first) >= at(begin + apart));
            }
            if apart > (minutes + 2 * rule.part_minutes()) * 60 {
                prop_assert!(!together);
            }
            prop_assert!(rule.begin(first) <= at(begin) && at(begin) < rule.begin(first + 1));
        }
    }

    #[test]
    fn an_address_is_another_in_each_organisation_and_a_network_of_ipv6_is_one() {
        let subjects = Subjects { key: zeroize::Zeroizing::new([7; 32]) };
        let entry = |organization: u128, id: u128| Entry {
            id: AuditEntryId(Uuid::from_u128(id)),
            organization: OrganizationId(Uuid::from_u128(organization)),
            severity: "low".to_owned(),
            event: "session.failed".to_owned(),
            actor_type: "anonymous".to_owned(),
            actor_id: None,
            at: at(0),
            number: 2,
        };
        let by_address = Rule { by: Grouping::Address, ..rule(15) };
        let entries = [entry(1, 1), entry(1, 2), entry(2, 3), entry(1, 4)];
        let addresses = [(1, "2001:db8::1"), (2, "2001:db8::2"), (3, "2001:db8::1")];
        let addresses = addresses.into_iter().map(|(id, text)| (AuditEntryId(Uuid::from_u128(id)), text.to_owned()));
        let matched = entries.iter().map(|entry| (entry, by_address.clone())).collect();
        let touched = subjects.touched(matched, &addresses.collect()).unwrap();
        let numbers: Vec<_> = touched.values().map(Touch::number).collect();
        assert_eq!((touched.len(), numbers.iter().sum::<i64>()), (3, 8));
        let subjects: std::collections::BTreeSet<_> = touched.keys().map(|key| &key.subject).collect();
        assert_eq!(subjects.len(), 3);
        assert!(subjects.iter().all(|subject| !subject.windows(4).any(|bytes| bytes == b"2001")));
    }
}
