//! Passwords: what they must be, changing them, and choosing a new one with a link.

mod change;
mod equality;
mod policy;
mod reset;
mod stale;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login},
    world::World,
};

/// Another password that is good enough for everybody.
const OTHER: &str = "Granite-orchard-47-lamps";

/// Behind a proxy that says where each request comes from, so that a test can be many networks.
const PROXIED: [(&str, &str); 1] = [("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1")];

/// Signs in with a password, whatever comes of it.
async fn sign_in(nobody: &Actor, email: &str, password: &str) -> Answer {
    nobody.post("/v1/sessions", json!({"email": email, "password": password, "token_delivery": "body"})).await
}

/// Somebody's own new session.
async fn session(nobody: &Actor, email: &str, password: &str) -> Actor {
    nobody.bearing(sign_in(nobody, email, password).await.expect(201).text_at("/access_token"))
}

async fn change(actor: &Actor, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "password": new});
    actor.request(Method::PUT, "/v1/me/password").json(&body).send().await
}

/// Asks for a link from a network.
async fn ask_from(nobody: &Actor, network: &str, email: &str) -> Answer {
    let draft = nobody.request(Method::POST, "/v1/password-resets").header("x-forwarded-for", network);
    draft.json(&json!({"email": email})).send().await
}

async fn ask(nobody: &Actor, email: &str) -> Answer {
    nobody.post("/v1/password-resets", json!({"email": email})).await
}

async fn complete(nobody: &Actor, token: &str, password: &str) -> Answer {
    nobody.post("/v1/password-resets/complete", json!({"token": token, "password": password})).await
}

async fn look_up(nobody: &Actor, token: &str) -> Answer {
    nobody.post("/v1/password-resets/lookup", json!({"token": token})).await
}

/// The codes of a refused password, each of which is at its field.
fn codes(answer: &Answer) -> Vec<&str> {
    assert!(answer.faults().iter().all(|place| *place == "/password"), "{answer}");
    answer.json["errors"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect()
}

/// The entries of an event about an account, oldest first.
async fn entries(world: &World, event: &str, account: Uuid) -> Vec<Value> {
    let query = format!("SELECT * FROM audit_entries WHERE event = '{event}' AND target_id = '{account}' ORDER BY id");
    world.database.psql(Login::Owner).await.rows(&query).await
}
