//! Nobody learns from an answer, or from how long it took, whether an address has an account.
//!
//! The calls of the two kinds take turns, so that whatever else the machine does falls on both. Of each pair the
//! difference is taken, and of the differences the median, which single slow calls do not move. It stays below four of
//! its standard errors (so that the test fails by chance once in ten thousand times), or below a millisecond where those
//! are less. An attacker over a network would need thousands of calls to see a millisecond through the noise, and has
//! ten an hour.

use std::time::{Duration, Instant};

use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use super::{body, from, platform, world};
use crate::{
    harness::{Answer, Login, Psql},
    world::World,
};

const ROUNDS: usize = 250;

/// The middle of some times in milliseconds, and its standard error: the quartiles of a normal distribution are 0.6745
/// of its deviation away from the middle, and the median's error is 1.2533 times the mean's.
fn median(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |part: usize| times[times.len() * part / 4];
    let deviation = (at(3) - at(1)) / 2.0 / 0.6745;
    (at(2), 1.2533 * deviation / f64::sqrt(f64::from(u32::try_from(times.len()).unwrap())))
}

fn compare(what: &str, known: &[Duration], unknown: &[Duration]) {
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1000.0;
    let of = |times: &[Duration]| median(times.iter().map(milliseconds).collect()).0;
    let pairs = known.iter().zip(unknown).map(|(one, other)| milliseconds(one) - milliseconds(other));
    let (difference, error) = median(pairs.collect());
    println!(
        "{what}: {} calls each, medians {:.2} ms known and {:.2} ms unknown, differing by {difference:.3} ms, error {error:.3} ms",
        known.len(),
        of(known),
        of(unknown),
    );
    assert!(difference.abs() < f64::max(4.0 * error, 1.0), "{what}: {difference} ms, with an error of {error} ms");
}

/// The headers that do not say which request it was, and how many there can be after it.
fn headers(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    for own in ["x-request-id", "traceparent", "date", "ratelimit"] {
        headers.remove(own);
    }
    headers
}

async fn forget(psql: &mut Psql) {
    for sql in ["DELETE FROM sign_ups", "DELETE FROM email_links"] {
        psql.run(sql).await.unwrap();
    }
}

/// Proves AUT-5.
#[tokio::test]
async fn signing_up_says_nothing_of_who_has_an_account() {
    let world = world().await;
    platform(&world, json!({"mode": "open"})).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let (member, stranger) = (world.a.member.email.clone(), format!("n{}", world.a.member.email));
    for round in 0..ROUNDS {
        let client = |kind: u8| format!("10.{kind}.{}.{}", round / 250, round % 250);
        let pair = [(&member, 1, &mut known), (&stranger, 2, &mut unknown)];
        let mut answers = Vec::new();
        // Who is first is somebody else each time.
        let order: Vec<_> = if round % 2 == 0 { pair.into() } else { pair.into_iter().rev().collect() };
        for (email, kind, times) in order {
            let begun = Instant::now();
            let answer = from(&world, &client(kind), email, None).await.expect(202);
            times.push(begun.elapsed());
            answers.push(answer);
        }
        let [one, other] = answers.try_into().unwrap();
        assert_eq!((&one.text, headers(&one)), (&other.text, headers(&other)));
        forget(&mut psql).await;
    }
    compare("sign-up", &known, &unknown);
    world.close().await;
}

/// Proves AUT-5, NET-5.
#[tokio::test]
async fn signing_in_says_nothing_of_who_has_an_account() {
    let world = world().await;
    let nobody = world.server.nobody();
    let mut psql = world.database.psql(Login::Owner).await;
    for what in ["sign-in", "sign-in to a managed account"] {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        let (member, stranger) = (world.a.member.email.clone(), format!("n{}", world.a.member.email));
        for round in 0..ROUNDS {
            let pair = [(&member, &mut known), (&stranger, &mut unknown)];
            let mut answers = Vec::new();
            let order: Vec<_> = if round % 2 == 0 { pair.into() } else { pair.into_iter().rev().collect() };
            for (email, times) in order {
                let wrong = json!({"email": email, "password": "Not-the-password-9", "token_delivery": "body"});
                let begun = Instant::now();
                let answer = nobody.post("/v1/sessions", wrong).await.expect(401);
                times.push(begun.elapsed());
                answers.push(answer);
            }
            let [one, other] = answers.try_into().unwrap();
            assert_eq!((one.json["code"].as_str(), headers(&one)), (other.json["code"].as_str(), headers(&other)));
            // Neither is locked: a refusal would be timed.
            psql.run("DELETE FROM guesses").await.unwrap();
        }
        compare(what, &known, &unknown);
        let managed =
            format!("UPDATE accounts SET managed_by = '{}' WHERE id = '{}'", world.a.id, world.a.member.account);
        psql.run(&managed).await.unwrap();
    }
    world.close().await;
}

/// Proves AUT-5.
#[tokio::test]
async fn changing_the_address_says_nothing_of_who_has_an_account() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let (taken, free) = (world.b.member.email.clone(), format!("n{}", world.b.member.email));
    for round in 0..ROUNDS {
        let pair = [(&taken, &mut known), (&free, &mut unknown)];
        let mut answers = Vec::new();
        let order: Vec<_> = if round % 2 == 0 { pair.into() } else { pair.into_iter().rev().collect() };
        for (email, times) in order {
            let request = world.a.member.request(Method::POST, "/v1/me/email/change").json(&body(email, None));
            let begun = Instant::now();
            let mut answer = request.send().await.expect(200);
            times.push(begun.elapsed());
            assert_eq!(answer.json["pending"]["email"], *email);
            for own in ["email", "requested_at", "expires_at"] {
                answer.json["pending"][own] = json!(null);
            }
            answers.push(answer);
            // A link in the place of one before is more work than the first.
            forget(&mut psql).await;
        }
        let [one, other] = answers.try_into().unwrap();
        let mut lengths = [headers(&one), headers(&other)];
        lengths.iter_mut().for_each(|headers| drop(headers.remove("content-length")));
        assert_eq!((&one.json, &lengths[0]), (&other.json, &lengths[1]));
    }
    compare("change of address", &known, &unknown);
    world.close().await;
}
