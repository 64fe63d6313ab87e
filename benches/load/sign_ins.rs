//! Signing in with a password, beside Argon2id alone on all cores, and what that does to everybody else (PERF-2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::{
    Effort,
    installation::{Installation, PASSWORD, People},
    table::{Row, Table, median, percentile},
    tools,
};

/// Connections that sign in at once: enough that the hashing threads never wait, few enough for the queue.
const CONNECTIONS: usize = 16;
/// How often somebody asks for `/v1/me` meanwhile: often enough for a percentile, and no load of its own.
const PACE: Duration = Duration::from_millis(40);

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring sign-ins");
    let base = installation.instances[0].url.clone();
    let emails: Vec<String> = people.members.iter().map(|member| format!("'{}'", member.email)).collect();
    let script = format!(
        "wrk.method = 'POST'; wrk.headers['Content-Type'] = 'application/json'
         local emails = {{{}}}; local at = 0
         request = function()
             at = at % #emails + 1
             return wrk.format(nil, nil, nil, '{{\"email\":\"' .. emails[at] .. '\",\"password\":\"{PASSWORD}\",\"token_delivery\":\"body\"}}')
         end",
        emails.join(",")
    );
    let url = format!("{base}/v1/sessions");
    let (mut ours, mut ratios, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    tools::wrk(&url, CONNECTIONS, effort.span / 3, &script).await;
    let mut alone = vec![hashes_per_second(effort.span).await];
    // A machine that others share is faster now than in a minute. Each round is held against what was before and after.
    for round in 0..2 * effort.rounds {
        let others = Others::begin(format!("{base}/v1/me"), people.members[1].token.clone());
        let seen = tools::wrk(&url, CONNECTIONS, effort.span, &script).await;
        assert_eq!(seen.failures, 0, "sign-ins failed");
        ours.push(seen.per_second);
        waits.extend(others.end().await);
        alone.push(hashes_per_second(effort.span).await);
        ratios.push(2.0 * seen.per_second / (alone[round] + alone[round + 1]));
    }
    println!("rounds: {ratios:.2?}");
    let (ours, alone, ratio, p99) = (median(ours), median(alone), median(ratios), percentile(waits, 0.99));
    table.add(Row {
        id: "PERF-2",
        what: "sign-ins with a password".to_owned(),
        measured: format!("{ours:.1}/s"),
        limit: format!("Argon2id alone on all cores {alone:.1}/s"),
        target: "≥ 85 %",
        result: format!("{:.0} %", 100.0 * ratio),
        reached: ratio >= 0.85,
    });
    table.add(Row {
        id: "PERF-2",
        what: "GET /v1/me meanwhile, p99".to_owned(),
        measured: format!("{p99:.1} ms"),
        limit: "25 ms".to_owned(),
        target: "< 25 ms",
        result: format!("{p99:.1} ms"),
        reached: p99 < 25.0,
    });
}

/// Somebody who goes on working while others sign in.
struct Others {
    stop: Arc<AtomicBool>,
    asking: tokio::task::JoinHandle<Vec<f64>>,
}

impl Others {
    fn begin(url: String, token: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let asking = tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut waits = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let answer = client.get(&url).bearer_auth(&token).send().await.unwrap();
                assert!(answer.status().is_success());
                answer.bytes().await.unwrap();
                waits.push(begun.elapsed().as_secs_f64() * 1000.0);
                tokio::time::sleep(PACE).await;
            }
            waits
        });
        Self { stop, asking }
    }

    async fn end(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.await.unwrap()
    }
}

/// The product's Argon2id with nothing around it, one thread a core, in memory that is used again: what new memory costs
/// is the allocator's matter, and between 1 and 70 % of a hash.
async fn hashes_per_second(span: Duration) -> f64 {
    tokio::task::spawn_blocking(move || {
        let (memory, passes, lanes) = freehold::config::ARGON2ID;
        let params = Params::new(memory, passes, lanes, None).unwrap();
        let (count, begun) = (AtomicU64::new(0), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().unwrap().get() {
                scope.spawn(|| {
                    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                    let mut memory = vec![Block::new(); params.block_count()];
                    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
                    while begun.elapsed() < span {
                        let memory = &mut memory;
                        argon2
                            .hash_password_into_with_memory(
                                PASSWORD.as_bytes(),
                                b"salt of the bench",
                                &mut output,
                                memory,
                            )
                            .unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
    })
    .await
    .unwrap()
}
