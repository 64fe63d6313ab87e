//! What holds for every field and every value, whatever section it belongs to.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    SECTIONS, Source,
    document::{Document, Levels, Standing},
    field::{Bound, Field, Kind},
    sections::{Configured, Effective, Reach, SignUpMode},
    written,
};
use crate::error::{Error, Place};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn defaults() -> Document {
    let configured = Configured {
        minimum_length: 12,
        session_lifetime: 30 * DAY,
        refresh_lifetime: 7 * DAY,
        reauthentication_window: std::time::Duration::from_secs(300),
    };
    written(&Effective::defaults(&configured)).unwrap()
}

fn all_fields() -> Vec<(&'static str, &'static Field)> {
    SECTIONS.iter().flat_map(|section| section.fields.iter().map(|field| (section.name, field))).collect()
}

/// A value that a client may send for a field, or `null`.
fn value_of(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Number(number) => {
            prop_oneof![4 => (number.least..=number.most).prop_map(Value::from), 1 => Just(Value::Null)].boxed()
        }
        Kind::Domains => {
            let domain = prop::sample::select(vec!["a.example", "b.example", "c.example", "A.Example"]);
            let list = prop::collection::vec(domain, 1..4).prop_map(|list| json!(list));
            prop_oneof![4 => list, 1 => Just(Value::Null)].boxed()
        }
        Kind::Choice(words) => {
            prop_oneof![4 => prop::sample::select(words).prop_map(Value::from), 1 => Just(Value::Null)].boxed()
        }
        Kind::Words(words) => {
            let some = prop::sample::subsequence(words, 1..=words.len()).prop_map(|words| json!(words));
            prop_oneof![4 => some, 1 => Just(Value::Null)].boxed()
        }
        Kind::Demand => prop::option::of(any::<bool>()).prop_map(|demand| json!(demand)).boxed(),
    }
}

/// As there will be more ways to sign in.
const WAYS: Field = Field::words("ways", "Ways.", &["password", "passkey", "google"]);

/// A field with three values in the form that is kept.
fn field_and_values() -> impl Strategy<Value = (&'static Field, [Value; 3])> {
    let fields = [all_fields(), vec![("ways", &WAYS)]].concat();
    prop::sample::select(fields).prop_flat_map(|(_, field)| {
        let kept = value_of(field.kind).prop_map(move |value| match value {
            Value::Null => Value::Null,
            value => field.kind.check(&value).unwrap(),
        });
        prop::array::uniform3(kept).prop_map(move |values| (field, values))
    })
}

/// What somebody wants to set: some values of some fields.
fn wanted() -> impl Strategy<Value = Map<String, Value>> {
    let fields: Vec<_> = all_fields()
        .into_iter()
        .map(|(section, field)| {
            prop::option::of(value_of(field.kind)).prop_map(move |value| (section, field.name, value))
        })
        .collect();
    fields.prop_map(|fields| {
        let mut wanted = Map::new();
        for (section, field, value) in fields {
            let Some(value) = value else { continue };
            let section = wanted.entry(section).or_insert_with(|| json!({}));
            section.as_object_mut().unwrap().insert(field.to_owned(), value);
        }
        wanted
    })
}

fn standings(levels: &Levels<'_>) -> Vec<(bool, Standing)> {
    let of = |section: &'static super::Outline| {
        let own = section.reach == Reach::Organizations;
        section.fields.iter().map(move |field| (own, levels.standing(section, field)))
    };
    SECTIONS.iter().flat_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Proves AUT-2.
    #[test]
    fn the_stricter_of_two_does_not_depend_on_the_order((field, [a, b, c]) in field_and_values()) {
        let combine = |one: &Value, other: &Value| field.kind.combine(one, other);
        prop_assert_eq!(combine(&a, &b), combine(&b, &a));
        prop_assert_eq!(combine(&combine(&a, &b), &c), combine(&a, &combine(&b, &c)));
        prop_assert_eq!(combine(&a, &a), a.clone());
        // What comes of two is laxer than neither.
        let both = combine(&a, &b);
        prop_assert_eq!(field.kind.laxer(&both, &a), None);
        prop_assert_eq!(field.kind.laxer(&both, &b), None);
    }

    /// Proves AUT-2.
    #[test]
    fn what_holds_in_an_organisation_is_never_laxer_than_the_platforms(
        first in wanted(), own in wanted(), later in wanted(),
    ) {
        let (defaults, nothing) = (defaults(), Document::default());
        let on_platform = |present: &Document, wanted: &Map<String, Value>| {
            let levels = Levels { defaults: &defaults, platform: present, organization: None };
            levels.changed(wanted).map_or_else(|_| present.clone(), |(document, _)| document)
        };
        let platform = on_platform(&nothing, &first);
        let levels = Levels { defaults: &defaults, platform: &platform, organization: Some(&nothing) };
        let organization = levels.changed(&own).map_or_else(|_| nothing.clone(), |(document, _)| document);
        // The platform may change its mind afterwards, either way.
        for platform in [platform.clone(), on_platform(&platform, &later)] {
            let levels = Levels { defaults: &defaults, platform: &platform, organization: Some(&organization) };
            for (own, standing) in standings(&levels) {
                let kind = standing.field.kind;
                prop_assert_eq!(kind.combine(&standing.effective, &standing.platform), standing.effective.clone());
                prop_assert!(own || standing.effective == standing.platform);
                if standing.field.platform == Bound::Configured {
                    prop_assert_eq!(kind.laxer(&standing.effective, &standing.default), None);
                }
                if standing.source == Source::Default {
                    prop_assert_eq!(&standing.effective, &standing.default);
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(first in wanted()) {
        let (defaults, nothing) = (defaults(), Document::default());
        let levels = Levels { defaults: &defaults, platform: &nothing, organization: None };
        if let Ok((document, changes)) = levels.changed(&first) {
            let levels = Levels { defaults: &defaults, platform: &document, organization: None };
            super::read_back(levels.effective()).unwrap();
            // The same again changes nothing, and taking everything away leaves nothing.
            prop_assert_eq!(levels.changed(&first).unwrap().1, vec![]);
            let mut reset = first.clone();
            for fields in reset.values_mut().filter_map(Value::as_object_mut) {
                fields.values_mut().for_each(|value| *value = Value::Null);
            }
            let (document, undone) = levels.changed(&reset).unwrap();
            prop_assert_eq!((document, undone.len()), (nothing, changes.len()));
        }
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let defaults = defaults();
    let platform = Document(json!({"invitations": {"allowed_domains": ["a.example"]}}).as_object().cloned().unwrap());
    let nothing = Document::default();
    let levels = Levels { defaults: &defaults, platform: &platform, organization: Some(&nothing) };
    let wanted = json!({
        "passwords": {"minimum_length": 9, "colour": "red"},
        "sessions": {"lifetime_minutes": 1, "idle_minutes": "soon"},
        "invitations": {"lifetime_days": 8, "allowed_domains": ["a.example", "b.example"]},
        "organizations": {"grace_days": 10},
        "weather": {"rain": true},
    });
    let Err(Error::Invalid(faults)) = levels.changed(wanted.as_object().unwrap()) else { panic!("taken") };
    let mut found: Vec<_> = faults
        .into_iter()
        .map(|fault| match fault.place {
            Place::Body(pointer) => (pointer, fault.code),
            Place::Parameter(name) => panic!("a parameter: {name}"),
        })
        .collect();
    found.sort();
    let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
    assert_eq!(
        found,
        [
            ("/invitations/allowed_domains", "too_lax"),
            ("/invitations/lifetime_days", "too_lax"),
            ("/organizations/grace_days", "unknown_field"),
            ("/passwords/colour", "unknown_field"),
            ("/passwords/minimum_length", "too_lax"),
            ("/sessions/idle_minutes", "range"),
            ("/sessions/lifetime_minutes", "range"),
            ("/weather/rain", "unknown_field"),
        ]
    );
}

#[test]
fn what_another_release_or_configuration_left_is_made_to_fit() {
    let defaults = defaults();
    let stored = json!({
        "passwords": {"minimum_length": 9, "rotation": "yearly"},
        "sessions": {"idle_minutes": 1, "lifetime_minutes": "long"},
        "weather": {"rain": true},
    });
    let platform = Document(stored.as_object().cloned().unwrap());
    let levels = Levels { defaults: &defaults, platform: &platform, organization: None };
    let effective = super::read_back(levels.effective()).unwrap();
    assert_eq!(effective.passwords.minimum_length, 12, "never below the configuration");
    assert_eq!((effective.sessions.idle_minutes, effective.sessions.lifetime_minutes), (30, 30 * 24 * 60));
    // What this release does not know, it leaves alone.
    let wanted = json!({"passwords": {"minimum_length": 14}});
    let (document, _) = levels.changed(wanted.as_object().unwrap()).unwrap();
    assert_eq!(document.0["weather"], stored["weather"]);
    assert_eq!(document.0["passwords"], json!({"minimum_length": 14, "rotation": "yearly"}));
}

/// Proves AUT-10.
#[test]
fn ways_are_narrowed_and_never_all_taken_away() {
    let (all, one) = (json!(["password", "passkey", "google"]), json!(["passkey"]));
    let kind = WAYS.kind;
    assert_eq!(kind.in_force(&one, &all), one, "an organisation narrows what the platform has");
    let wider = kind.laxer(&json!(["password", "passkey"]), &one);
    assert_eq!(wider.as_deref(), Some("must be among passkey"));
    assert_eq!(kind.check(&json!(["google", "password", "google"])), Ok(json!(["password", "google"])));
    assert!(kind.check(&json!(["password", "magic"])).is_err());
    // The platform narrows later to what an organisation does not have: its people could not get in any more.
    assert_eq!(kind.in_force(&one, &json!(["password"])), json!(["password"]));
    // What an older release does not know is no way.
    assert_eq!(kind.fit(&json!(["magic"])), None);
    assert_eq!(kind.fit(&json!(["magic", "google"])), Some(json!(["google"])));

    // Nobody takes the last one away.
    assert_eq!(kind.check(&json!([])).unwrap_err().0, "none_left");
    let (defaults, nothing) = (defaults(), Document::default());
    for organization in [None, Some(&nothing)] {
        let levels = Levels { defaults: &defaults, platform: &nothing, organization };
        assert!(levels.changed(json!({"sign_in": {"ways": []}}).as_object().unwrap()).is_err());
        assert!(levels.changed(json!({"sign_in": {"ways": ["password"]}}).as_object().unwrap()).is_ok());
    }
}

/// Proves AUT-3.
#[test]
fn what_the_platform_opens_each_organisation_opens_for_itself() {
    let defaults = defaults();
    let document = |value: Value| Document(value.as_object().cloned().unwrap());
    let open = document(json!({"sign_up": {"mode": "open"}}));
    let in_force = |platform: &Document, organization: Option<&Document>| {
        super::read_back(Levels { defaults: &defaults, platform, organization }.effective()).unwrap().sign_up.mode
    };
    let nothing = Document::default();
    assert_eq!(in_force(&open, None), SignUpMode::Open);
    assert_eq!(in_force(&open, Some(&nothing)), SignUpMode::InvitationOnly);
    assert_eq!(in_force(&open, Some(&open)), SignUpMode::Open);
    assert_eq!(in_force(&nothing, Some(&open)), SignUpMode::InvitationOnly);
    let approval = document(json!({"sign_up": {"mode": "approval_required"}}));
    assert_eq!(in_force(&approval, Some(&open)), SignUpMode::ApprovalRequired);
    let levels = Levels { defaults: &defaults, platform: &approval, organization: Some(&nothing) };
    assert!(levels.changed(json!({"sign_up": {"mode": "open"}}).as_object().unwrap()).is_err());
}
