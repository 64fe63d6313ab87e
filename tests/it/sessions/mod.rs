//! Stories of sessions: their two tokens, the keys that sign them, and how access ends.

mod ends;
mod forgery;
mod keys;
mod live;
mod refresh;
mod rotation;
mod tokens;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, PASSWORD};

/// Signs in with the tokens in the body.
async fn sign_in(nobody: &Actor, email: &str) -> Answer {
    let body = json!({"email": email, "password": PASSWORD, "token_delivery": "body"});
    nobody.post("/v1/sessions", body).await.expect(201)
}

/// Presents a refresh token.
async fn refresh(nobody: &Actor, token: &str) -> Answer {
    nobody.post("/v1/sessions/refresh", json!({"refresh_token": token})).await
}

/// A part of a token as JSON: 0 is the header, 1 the claims.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What a token says.
fn claims(token: &str) -> Value {
    part(token, 1)
}
