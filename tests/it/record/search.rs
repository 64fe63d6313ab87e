//! Searching the record: by each of its fields, by exact words, page by page.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Answer},
    world::World,
};

struct Record<'a> {
    reader: &'a Actor,
    path: String,
}

impl Record<'_> {
    async fn page(&self, query: &[(&str, &str)]) -> Answer {
        let address = reqwest::Url::parse_with_params("http://x", query).unwrap();
        self.reader.get(&format!("{}?{}", self.path, address.query().unwrap_or_default())).await
    }

    /// Up to 200 entries that the filter finds.
    async fn find(&self, query: &[(&str, &str)]) -> Vec<Value> {
        let all = [query, &[("limit", "200")]].concat();
        self.page(&all).await.expect(200).items().to_vec()
    }
}

/// The entries of a list for which this holds, which a filter must find without the others.
fn those(all: &[Value], holds: impl Fn(&Value) -> bool) -> Vec<Value> {
    let some: Vec<_> = all.iter().filter(|entry| holds(entry)).cloned().collect();
    assert!(!some.is_empty() && some.len() < all.len(), "the story shows nothing: {} of {}", some.len(), all.len());
    some
}

/// The record of tenant A after a few things of every sort have happened.
async fn eventful(world: &World) {
    let a = &world.a;
    let member = format!("/v1/organizations/{}/members/{}", a.id, a.member.membership);
    a.admin.patch(&member, json!({"role": "auditor"})).await.expect(200);
    a.admin.patch(&member, json!({"role": "owner"})).await.expect(403);
    a.owner.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    a.subject.delete(&format!("/v1/organizations/{}/members/{}", a.id, a.subject.membership)).await.expect(204);
}

/// Proves AUD-3.
#[tokio::test]
async fn each_filter_finds_its_entries_and_no_others() {
    let world = World::open().await;
    eventful(&world).await;
    let a = &world.a;
    let record = Record { reader: &a.auditor, path: format!("/v1/organizations/{}/audit", a.id) };
    let all = record.find(&[]).await;
    assert!(all.is_sorted_by(|one, next| one["id"].as_str() > next["id"].as_str()), "not newest first");

    let (actor, target) = (a.admin.account.to_string(), a.member.membership.to_string());
    for (name, value, pointer) in [
        ("event", "member.added", "/event"),
        ("severity", "medium", "/severity"),
        ("class", "normal", "/class"),
        ("outcome", "refused", "/outcome"),
        ("target_type", "member", "/target/type"),
        ("target_id", &target, "/target/id"),
        ("actor_id", &actor, "/actor/id"),
    ] {
        let expected = those(&all, |entry| entry.pointer(pointer).is_some_and(|found| found == value));
        assert_eq!(record.find(&[(name, value)]).await, expected, "{name}={value}");
    }
    // Every filter that is given must hold.
    let both = [("actor_id", actor.as_str()), ("target_id", &target), ("outcome", "success")];
    let expected = those(&all, |entry| {
        entry["actor"]["id"] == *actor && entry["target"]["id"] == *target && entry["outcome"] == "success"
    });
    assert_eq!(record.find(&both).await, expected);
    assert!(record.find(&[("event", "no.such_event")]).await.is_empty());
    for (name, value) in [("severity", "urgent"), ("actor_id", "x"), ("from", "yesterday"), ("text", "")] {
        let answer = record.page(&[(name, value)]).await.expect(422);
        assert_eq!(answer.faults(), [name], "{answer}");
    }
    let one = all.first().unwrap();
    let got = a.auditor.get(&format!("{}/{}", record.path, one["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(got.json, *one);
    world.close().await;
}

/// Proves AUD-3.
#[tokio::test]
async fn a_time_finds_what_happened_from_then_and_before_then() {
    let world = World::open().await;
    eventful(&world).await;
    let record = Record { reader: &world.a.admin, path: format!("/v1/organizations/{}/audit", world.a.id) };
    let all = record.find(&[]).await;
    let at = |entry: &Value| entry["occurred_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let middle = at(all.get(all.len() / 2).unwrap());
    let (text, end) = (middle.to_rfc3339(), (middle + TimeDelta::microseconds(1)).to_rfc3339());
    assert_eq!(record.find(&[("from", &text)]).await, those(&all, |entry| at(entry) >= middle));
    assert_eq!(record.find(&[("to", &text)]).await, those(&all, |entry| at(entry) < middle));
    assert_eq!(record.find(&[("from", &text), ("to", &end)]).await, those(&all, |entry| at(entry) == middle));
    assert!(record.find(&[("from", &text), ("to", &text)]).await.is_empty());
    world.close().await;
}

/// Proves AUD-3.
#[tokio::test]
async fn text_means_exact_words() {
    let world = World::open().await;
    eventful(&world).await;
    let a = &world.a;
    let record = Record { reader: &a.admin, path: format!("/v1/organizations/{}/audit", a.id) };
    let all = record.find(&[]).await;
    let changed = those(&all, |entry| entry["event"] == "member.role_changed");
    for text in ["role_changed", "role changed", "AUDITOR Changed", "auditor member.role_changed", "changed, auditor!"]
    {
        assert_eq!(record.find(&[("text", text)]).await, changed, "{text}");
    }
    let of_member = those(&all, |entry| {
        let id = a.member.membership.to_string();
        entry["target"]["id"] == *id
    });
    assert_eq!(record.find(&[("text", &a.member.membership.to_string())]).await, of_member);
    // Half a word is none, and neither are words that only another tenant's record has.
    for nothing in ["audito", "chang", "auditor removed", &world.b.member.membership.to_string()] {
        assert!(record.find(&[("text", nothing)]).await.is_empty(), "{nothing}");
    }
    for wrong in ["%", "one two three four five six seven eight nine"] {
        assert_eq!(record.page(&[("text", wrong)]).await.expect(422).faults(), ["text"], "{wrong}");
    }
    world.close().await;
}

/// Proves AUD-3.
#[tokio::test]
async fn pages_show_every_entry_once_while_more_are_written() {
    let world = World::open().await;
    let a = &world.a;
    let record = Record { reader: &a.auditor, path: format!("/v1/organizations/{}/audit", a.id) };
    let all: BTreeSet<_> = record.find(&[]).await.iter().map(|entry| entry["id"].to_string()).collect();
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = match &cursor {
            Some(cursor) => record.page(&[("limit", "7"), ("cursor", cursor)]).await,
            None => record.page(&[("limit", "7")]).await,
        };
        seen.extend(page.clone().expect(200).items().iter().map(|entry| entry["id"].to_string()));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
        a.owner.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Again"})).await.expect(200);
    }
    assert!(seen.len() > 14, "too few to make pages");
    assert_eq!(seen.len(), all.len());
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
    world.close().await;
}
