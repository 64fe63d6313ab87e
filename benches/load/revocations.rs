//! How long a revocation on one instance takes to be in force on another (PERF-8).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Effort,
    installation::{Installation, PASSWORD, People, post},
    table::{Row, Table, percentile},
};

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring revocations");
    table.add(row("a block", blocks(installation, people, effort.revocations).await));
    table.add(row("an API key's revocation", keys(installation, people, effort.revocations).await));
}

fn row(what: &str, waits: Vec<f64>) -> Row {
    let p99 = percentile(waits, 0.99);
    Row {
        id: "PERF-8",
        what: format!("{what} is in force on another instance, p99"),
        measured: format!("{p99:.1} ms"),
        limit: "50 ms".to_owned(),
        target: "≤ 50 ms",
        result: format!("{p99:.1} ms"),
        reached: p99 <= 50.0,
    }
}

/// A member is blocked.
async fn blocks(installation: &Installation, people: &People, number: usize) -> Vec<f64> {
    let (here, there) = (&installation.instances[0].url, &installation.instances[1].url);
    let member = &people.members[2];
    let mut waits = Vec::new();
    for _ in 0..number {
        let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
        let signed_in = post(&format!("{here}/v1/sessions"), None, &sign_in).await;
        let asking = Asking::begin(format!("{there}/v1/me"), signed_in["access_token"].as_str().unwrap());
        tokio::time::sleep(BEFORE).await;
        let place = format!("{here}/v1/accounts/{}", member.account);
        post(&format!("{place}/block"), Some(&people.admin), &json!({"reason": "bench"})).await;
        waits.push(asking.end(Instant::now()).await);
        post(&format!("{place}/unblock"), Some(&people.admin), &Value::Null).await;
    }
    waits
}

/// A service account's key is revoked.
async fn keys(installation: &Installation, people: &People, number: usize) -> Vec<f64> {
    let (here, there) = (&installation.instances[0].url, &installation.instances[1].url);
    let place = format!("/v1/organizations/{}/service-accounts", people.organization);
    let robot = json!({"name": "Robot", "role": "manager"});
    let robot = post(&format!("{here}{place}"), Some(&people.owner), &robot).await;
    let keys = format!("{place}/{}/keys", robot["id"].as_str().unwrap());
    let client = reqwest::Client::new();
    let mut waits = Vec::new();
    for _ in 0..number {
        post(&format!("{here}/v1/session/reauthenticate"), Some(&people.owner), &json!({"password": PASSWORD})).await;
        let made = post(&format!("{here}{keys}"), Some(&people.owner), &json!({"name": "Bench"})).await;
        let teams = format!("{there}/v1/organizations/{}/teams", people.organization);
        let asking = Asking::begin(teams, made["key"].as_str().unwrap());
        tokio::time::sleep(BEFORE).await;
        let key = format!("{here}{keys}/{}", made["api_key"]["id"].as_str().unwrap());
        let revoked = client.delete(&key).bearer_auth(&people.owner).send().await.unwrap();
        assert!(revoked.status().is_success(), "{}", revoked.status());
        waits.push(asking.end(Instant::now()).await);
    }
    waits
}

/// How long somebody asks before what is measured, and after it.
const BEFORE: Duration = Duration::from_millis(30);
const AFTER: Duration = Duration::from_millis(200);

/// Somebody who asks again and again until they are refused.
struct Asking {
    stop: Arc<AtomicBool>,
    last: tokio::task::JoinHandle<Option<Instant>>,
}

impl Asking {
    fn begin(url: String, token: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, token) = (stop.clone(), token.to_owned());
        let last = tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut last = None;
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let answer = client.get(&url).bearer_auth(&token).send().await.unwrap();
                if answer.status().is_success() {
                    last = Some(begun);
                } else if last.is_some() {
                    break;
                }
            }
            last
        });
        Self { stop, last }
    }

    /// How many milliseconds after this moment they were last let in.
    async fn end(self, answered: Instant) -> f64 {
        tokio::time::sleep(AFTER).await;
        self.stop.store(true, Ordering::Relaxed);
        let last = self.last.await.unwrap().expect("who asked was never let in");
        last.saturating_duration_since(answered).as_secs_f64() * 1000.0
    }
}
