//! How long a revocation on one instance takes to be in force on another (PERF-8).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    Effort,
    installation::{Installation, PASSWORD, People, post},
    table::{Row, Table, percentile},
};

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring revocations");
    let (here, there) = (&installation.instances[0].url, &installation.instances[1].url);
    let member = &people.members[2];
    let mut waits = Vec::new();
    for _ in 0..effort.revocations {
        let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
        let token =
            post(&format!("{here}/v1/sessions"), None, &sign_in).await["access_token"].as_str().unwrap().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, url) = (stop.clone(), format!("{there}/v1/me"));
        let asking = tokio::spawn(async move {
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
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        post(&format!("{here}/v1/accounts/{}/block", member.account), Some(&people.admin), &json!({"reason": "bench"}))
            .await;
        let answered = Instant::now();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        stop.store(true, Ordering::Relaxed);
        let last = asking.await.unwrap().expect("the member was never let in");
        waits.push(last.saturating_duration_since(answered).as_secs_f64() * 1000.0);
        post(&format!("{here}/v1/accounts/{}/unblock", member.account), Some(&people.admin), &Value::Null).await;
    }
    let p99 = percentile(waits, 0.99);
    table.add(Row {
        id: "PERF-8",
        what: "a block is in force on another instance, p99".to_owned(),
        measured: format!("{p99:.1} ms"),
        limit: "50 ms".to_owned(),
        target: "≤ 50 ms",
        result: format!("{p99:.1} ms"),
        reached: p99 <= 50.0,
    });
}
