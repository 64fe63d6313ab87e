//! Sealing and opening, beside the bare cipher (PERF-4), and what that means for a page of people.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use entity::Pii;
use freehold::{
    config::SecretBytes,
    runtime::{Clock, Entropy},
    vault::{Beginning, Field, Local, Root, Vault, Wrapper},
};
use uuid::Uuid;

use crate::{
    Effort,
    installation::{Installation, People},
    table::{Row, Table, median},
    tools,
};

const FIELD: Field<Pii> = Field::new("accounts.name");
/// How many people are on a page.
const PAGE: usize = 100;

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring sealed values");
    let vault = vault().await;
    let (mut ours, mut bare, mut opening) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds.max(3) {
        ours.push(sealed(&vault, effort.span / 6));
        bare.push(bare_cipher(effort.span / 6));
        opening.push(opened_page(&vault, effort.span / 6));
    }
    let (ours, bare, opening) = (median(ours), median(bare), median(opening));
    table.add(Row {
        id: "PERF-4",
        what: "sealing and opening 64 bytes".to_owned(),
        measured: format!("{ours:.0} ns"),
        limit: format!("the bare cipher {bare:.0} ns"),
        target: "≥ 50 %",
        result: format!("{:.0} %", 100.0 * bare / ours),
        reached: bare / ours >= 0.5,
    });
    let url =
        format!("{}/v1/organizations/{}/members?limit={PAGE}", installation.instances[0].url, people.organization);
    let script = format!("wrk.headers['Authorization'] = 'Bearer {}'", people.owner);
    let answer = reqwest::Client::new().get(&url).bearer_auth(&people.owner).send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {}", answer.text().await.unwrap());
    let seen = tools::wrk(&url, 1, effort.span, &script).await;
    assert_eq!(seen.failures, 0, "pages failed");
    let page = 1e9 / seen.per_second;
    let more = 100.0 * opening / (page - opening);
    table.add(Row {
        id: "PERF-4",
        what: format!("a page of {PAGE} members, two sealed fields each"),
        measured: format!("{:.2} ms", page / 1e6),
        limit: format!("without opening them {:.2} ms", (page - opening) / 1e6),
        target: "≤ +30 %",
        result: format!("+{more:.0} %"),
        reached: more <= 30.0,
    });
}

async fn vault() -> Vault {
    let root = Root::new(Wrapper::Local(Local::new(SecretBytes::new(vec![7; 32]))), None);
    let vault = Vault::unlock(root, &[], &[]).await.unwrap();
    vault.complete(Beginning { now: Clock::default().now(), legacy: false }).await.unwrap();
    vault
}

/// Nanoseconds of one call.
fn each(span: Duration, mut call: impl FnMut()) -> f64 {
    let (begun, mut calls) = (Instant::now(), 0_u32);
    while begun.elapsed() < span {
        for _ in 0..100 {
            call();
        }
        calls += 100;
    }
    begun.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn sealed(vault: &Vault, span: Duration) -> f64 {
    let (row, clear) = (Uuid::from_u128(7), [b'x'; 64]);
    each(span, || {
        let value = vault.seal(FIELD, row, black_box(&clear)).unwrap();
        black_box(vault.open(FIELD, row, &value).unwrap());
    })
}

/// The same algorithm with a fresh IV and as much associated data.
fn bare_cipher(span: Duration) -> f64 {
    let cipher = Aes256Gcm::new_from_slice(&[7; 32]).unwrap();
    let (aad, clear) = ([b'a'; 45], [b'x'; 64]);
    each(span, || {
        let iv = Entropy.bytes::<12>().unwrap();
        let value = cipher.encrypt((&iv).into(), Payload { msg: black_box(&clear), aad: &aad }).unwrap();
        black_box(cipher.decrypt((&iv).into(), Payload { msg: &value, aad: &aad }).unwrap());
    })
}

/// What opening the fields of a page takes, with each person's key set up.
fn opened_page(vault: &Vault, span: Duration) -> f64 {
    let people: Vec<_> = (0..PAGE)
        .map(|number| {
            let (row, salt) = (Uuid::from_u128(number as u128), vault.salt().unwrap());
            let email = vault.seal_for(&salt, FIELD, row, b"somebody.or.other@example.com").unwrap();
            let name = vault.seal_for(&salt, FIELD, row, b"Grace Brewster Hopper").unwrap();
            (row, salt, email, name)
        })
        .collect();
    each(span, || {
        for (row, salt, email, name) in &people {
            black_box(vault.open_for(salt, FIELD, *row, email).unwrap());
            black_box(vault.open_for(salt, FIELD, *row, name).unwrap());
        }
    })
}
