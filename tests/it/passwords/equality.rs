//! Whether somebody has an account shows in nothing that the answer to a forgotten password says, or how long it takes.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::Value;

use super::{PROXIED, ask_from, entries};
use crate::{harness::Answer, world::World};

/// How many of each kind are timed.
const EACH: usize = 300;
/// How many are asked before the clock moves, so that nobody runs into the limit of five an hour.
const BATCH: usize = 40;

/// All of an answer that may not differ.
fn seen(answer: &Answer) -> String {
    let changing = ["x-request-id", "traceparent", "date"];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    let mut body = answer.json.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    format!("{} {headers:?} {body}", answer.status)
}

/// How probable it is that one of the first takes longer than one of the second: half, if they are alike.
fn longer(first: &[Duration], second: &[Duration]) -> f64 {
    let points = first.iter().flat_map(|one| second.iter().map(move |two| (one, two)));
    let sum: f64 = points
        .map(|(one, two)| {
            if one > two {
                1.0
            } else if one == two {
                0.5
            } else {
                0.0
            }
        })
        .sum();
    sum / (first.len() * second.len()) as f64
}

/// Proves AUT-5.
#[tokio::test]
async fn known_unknown_and_blocked_people_are_answered_alike_in_the_same_time() {
    let world = World::configured(&PROXIED).await;
    let nobody = world.server.nobody();
    let people: Vec<&str> = [&world.a, &world.b]
        .iter()
        .flat_map(|tenant| tenant.by_role().map(|(_, person)| person.email.as_str()))
        .chain(["suspended.bravo@example.com"])
        .collect();
    // Whose turn it is depends on nothing: what is still being done for one of them weighs on all alike.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (mut known, mut unknown, mut asked) = (Vec::new(), Vec::new(), 0_usize);
    let mut answers = std::collections::BTreeSet::new();
    while known.len().min(unknown.len()) < EACH {
        if asked.is_multiple_of(BATCH) {
            world.server.advance(TimeDelta::minutes(61));
        }
        let is_known = random() % 2 == 0;
        let email = match is_known {
            true => people[asked % people.len()].to_owned(),
            false => format!("stranger{}.of-the-house@example.com", asked % people.len()),
        };
        let network = format!("10.{}.{}.1", asked / 200, asked % 200);
        let begun = Instant::now();
        let answer = ask_from(nobody, &network, &email).await;
        let took = begun.elapsed();
        asked += 1;
        answers.insert(seen(&answer.expect(202)));
        // The first ones open connections and fill caches.
        if asked > 20 {
            if is_known { known.push(took) } else { unknown.push(took) }
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    // For 300 of each, chance alone strays from a half by a standard deviation of 0.024 (Mann and Whitney); this is four.
    let probability = longer(&known, &unknown);
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    println!("known {:?}, unknown {:?}, known longer with {probability:.3}", median(&mut known), median(&mut unknown));
    assert!((0.4..=0.6).contains(&probability), "known takes longer with a probability of {probability}");

    // One too many is refused alike as well.
    world.server.advance(TimeDelta::minutes(61));
    let mut refused = std::collections::BTreeSet::new();
    for (part, email) in [(1, people[0]), (2, "stranger@example.com"), (3, "suspended.bravo@example.com")] {
        for at in 0..5 {
            ask_from(nobody, &format!("172.16.{part}.{at}"), email).await.expect(202);
        }
        let answer = ask_from(nobody, &format!("172.16.{part}.9"), email).await.expect(429);
        refused.insert(seen(&answer).replace(answer.header("retry-after"), "N"));
    }
    assert_eq!(refused.len(), 1, "{refused:#?}");
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn who_has_no_account_or_a_blocked_one_is_sent_nothing() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let mail = world.database.mail();
    let blocked = "suspended.bravo@example.com";
    let before = mail.count(blocked).await;
    for email in ["stranger@example.com", blocked, &world.a.member.email] {
        super::ask(nobody, email).await.expect(202);
    }
    // One after the other: when the last has its letter, the others have had their turn.
    mail.take(&world.a.member.email).await;
    assert_eq!((mail.count("stranger@example.com").await, mail.count(blocked).await), (0, before));
    let refused = entries(&world, "password.reset_refused", world.suspended).await;
    assert_eq!(refused.len(), 1);
    assert_eq!((&refused[0]["outcome"], &refused[0]["metadata"]["reason"]), (&"refused".into(), &"blocked".into()));
    let mut psql = world.database.psql(crate::harness::Login::Owner).await;
    let unknown = "SELECT * FROM audit_entries WHERE event = 'password.reset_refused' AND target_id IS NULL";
    let unknown: Vec<Value> = psql.rows(unknown).await;
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0]["metadata"], serde_json::json!({"reason": "unknown_account"}));
    assert!(!unknown[0].to_string().contains("stranger"), "{}", unknown[0]);
    world.close().await;
}
