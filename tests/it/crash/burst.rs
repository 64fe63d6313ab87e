//! Many requests at once, and the server killed among them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::house::House;
use crate::{
    harness::{Actor, Answer, PASSWORD},
    mail::sink::Delivered,
    path,
};

/// How long a round may take: passwords are hashed at the lowest priority.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server said that it has done.
#[derive(Default)]
pub struct Acknowledged {
    organizations: Vec<String>,
    invitations: Vec<String>,
    sessions: Vec<String>,
    accounts: Vec<String>,
    tokens: Vec<String>,
}

type Shared = Arc<Mutex<Acknowledged>>;

/// Keeps a server busy, kills it in the middle, and says what it had acknowledged.
pub async fn run(house: &mut House, ada: &Actor, organization: &str, round: usize) -> Acknowledged {
    let shared = Shared::default();
    let platform = path::sign_in(&house.nobody, "ada@example.com").await;
    path::switch(&platform, path::PLATFORM).await;
    let mut clients = JoinSet::new();
    clients.spawn(found(platform, shared.clone()));
    for client in 0..2 {
        let name = format!("r{round}c{client}");
        clients.spawn(invite(ada.clone(), format!("{organization}/invitations"), name, shared.clone()));
        clients.spawn(sign_in(house.nobody.clone(), shared.clone()));
    }
    let (begun, mut accepted) = (tokio::time::Instant::now(), house.sink.taken().len());
    while !moment_has_come(&shared.lock().unwrap(), round) {
        assert!(begun.elapsed() < PATIENCE, "nothing happens");
        let letter = house.sink.taken().into_iter().nth(accepted);
        match letter {
            Some(letter) => {
                accepted += 1;
                clients.spawn(accept(house.nobody.clone(), letter, shared.clone()));
            }
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    house.process.kill_9();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    std::mem::take(&mut shared.lock().unwrap())
}

/// Another moment each time: at once, when organisations are made, when people have signed in, when the first have
/// accepted, and when everything goes on at once.
fn moment_has_come(done: &Acknowledged, round: usize) -> bool {
    match round {
        0 => !done.invitations.is_empty(),
        1 => done.organizations.len() >= 10,
        2 => !done.sessions.is_empty(),
        3 => !done.accounts.is_empty(),
        _ => done.accounts.len() >= 2 && done.sessions.len() >= 2,
    }
}

/// An answer of 201, if the server lived to give one.
async fn created(actor: &Actor, path: &str, body: Value) -> Option<Answer> {
    let answer = actor.request(Method::POST, path).json(&body).try_send().await.ok()?;
    // While it is being killed its database goes too.
    (answer.status != 503).then(|| answer.expect(201))
}

async fn found(platform: Actor, shared: Shared) {
    while let Some(answer) = created(&platform, "/v1/organizations", json!({"name": "Burst"})).await {
        shared.lock().unwrap().organizations.push(answer.text_at("/id").to_owned());
    }
}

async fn invite(ada: Actor, path: String, name: String, shared: Shared) {
    let mut number = 0;
    loop {
        number += 1;
        let body = json!({"email": format!("{name}n{number}@example.com"), "role": "member"});
        let Some(answer) = created(&ada, &path, body).await else { return };
        shared.lock().unwrap().invitations.push(answer.text_at("/id").to_owned());
    }
}

async fn sign_in(nobody: Actor, shared: Shared) {
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "token_delivery": "body"});
    while let Some(answer) = created(&nobody, "/v1/sessions", body.clone()).await {
        let mut shared = shared.lock().unwrap();
        shared.sessions.push(answer.text_at("/session/id").to_owned());
        shared.tokens.push(answer.text_at("/access_token").to_owned());
    }
}

async fn accept(nobody: Actor, letter: Delivered, shared: Shared) {
    let body = json!({"token": letter.token(), "name": "Burst", "password": PASSWORD, "token_delivery": "body"});
    let sent = nobody.request(Method::POST, "/v1/invitations/accept").json(&body).try_send().await;
    if let Some(answer) = sent.ok().filter(|answer| answer.status == 201) {
        let mut shared = shared.lock().unwrap();
        shared.accounts.push(answer.text_at("/account/id").to_owned());
        shared.tokens.push(answer.text_at("/access_token").to_owned());
    }
}

impl Acknowledged {
    /// Insists that all of it is still there.
    pub async fn is_there(&self, house: &House) {
        let mut psql = house.psql().await;
        for (table, condition, ids) in [
            ("organizations", "status = 'active'", &self.organizations),
            ("invitations", "true", &self.invitations),
            ("sessions", "ended_at IS NULL", &self.sessions),
            ("accounts", "EXISTS (SELECT 1 FROM memberships WHERE account_id = accounts.id)", &self.accounts),
        ] {
            let list = ids.join(",");
            let found = format!("SELECT count(*) FROM {table} WHERE id = ANY ('{{{list}}}') AND {condition}");
            assert_eq!(usize::try_from(psql.number(&found).await).unwrap(), ids.len(), "{table} were lost");
        }
        for token in &self.tokens {
            house.nobody.bearing(token).get("/v1/me").await.expect(200);
        }
    }
}
