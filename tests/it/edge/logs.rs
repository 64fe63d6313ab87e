//! What is in the log of a whole run, and what is not.

use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, set_cookies};
use crate::harness::{Actor, Answer, Database, Process};

/// Passwords of this run that occur nowhere else.
const ADAS: &str = "Quite-secret-Ada-4711";
const BOBS: &str = "Quite-secret-Bob-0815";
const WRONG: &str = "Quite-wrong-guess-1234";

/// What must not be logged, with what it is.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 6, "{what} is too short to be looked for");
        self.0.push((what.to_owned(), secret.to_owned()));
    }

    /// The tokens in an answer, in its body and in its cookies.
    fn add_tokens(&mut self, what: &str, answer: &Answer) {
        for name in ["access_token", "refresh_token"] {
            if let Some(token) = answer.json[name].as_str() {
                self.add(&format!("{name} of {what}"), token);
                // The signature alone, and the claims alone, too.
                token.split('.').skip(1).for_each(|part| self.add(&format!("a part of {name} of {what}"), part));
            }
        }
        for line in set_cookies(answer) {
            let value = line.split(['=', ';']).nth(1).unwrap();
            if !value.is_empty() {
                self.add(&format!("a cookie of {what}"), value);
            }
        }
    }

    fn assert_absent(&self, log: &str) {
        for (what, secret) in &self.0 {
            if let Some(line) = log.lines().find(|line| line.contains(secret.as_str())) {
                panic!("{what} is in the log: {line}");
            }
        }
    }
}

/// The main path and its failures: setup, sign-in, invitation, acceptance, refreshes, reuse, refusals.
async fn live(nobody: &Actor, database: &Database, setup: &str, secrets: &mut Secrets) -> Answer {
    let (ada, bob) = ("ada.lovelace@example.com", "bob.babbage@example.com");
    for (what, secret) in [("Ada's password", ADAS), ("Bob's password", BOBS), ("a wrong password", WRONG)] {
        secrets.add(what, secret);
    }
    for (what, secret) in [("Ada's address", ada), ("Bob's address", bob), ("Ada's name", "Ada-Augusta")] {
        secrets.add(what, secret);
    }
    let first = |token: &str| json!({"token": token, "email": ada, "name": "Ada-Augusta", "password": ADAS, "token_delivery": "body"});
    nobody.post("/v1/setup", first("fhs_not-the-token-4711")).await.expect(409);
    secrets.add("a wrong setup token", "fhs_not-the-token-4711");
    let answer = nobody.post("/v1/setup", first(setup)).await.expect(201);
    secrets.add_tokens("setup", &answer);
    let admin = nobody.bearing(answer.text_at("/access_token"));

    let organization =
        admin.post("/v1/organizations", json!({"name": "Analytical-Engines"})).await.expect(201).id_at("/id");
    secrets.add("the organisation's name", "Analytical-Engines");
    admin.post("/v1/session/organization", json!({"organization_id": organization})).await.expect(200);
    let invite = json!({"email": bob, "role": "member", "message": "Come-and-see-the-engine"});
    secrets.add("the message", "Come-and-see-the-engine");
    let path = format!("/v1/organizations/{organization}/invitations");
    let draft = admin.request(Method::POST, &path).header("idempotency-key", "key-of-the-first-invitation");
    draft.json(&invite).send().await.expect(201);
    secrets.add("an idempotency key", "key-of-the-first-invitation");
    let token = database.mail().take_token(bob).await;
    secrets.add("Bob's invitation", &token);
    nobody.post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    let accept =
        |password: &str| json!({"token": token, "name": "Bob", "password": password, "token_delivery": "body"});
    nobody.post("/v1/invitations/accept", accept("tooshort")).await.expect(422);
    secrets.add("a password that is too short", "tooshort");
    let joined = nobody.post("/v1/invitations/accept", accept(BOBS)).await.expect(201);
    secrets.add_tokens("acceptance", &joined);

    let sign_in = |password: &str| json!({"email": bob, "password": password, "token_delivery": "body"});
    nobody.post("/v1/sessions", sign_in(WRONG)).await.expect(401);
    let signed_in = nobody.post("/v1/sessions", sign_in(BOBS)).await.expect(201);
    secrets.add_tokens("sign-in", &signed_in);
    let refresh = json!({"refresh_token": signed_in.text_at("/refresh_token")});
    let refreshed = nobody.post("/v1/sessions/refresh", refresh.clone()).await.expect(200);
    secrets.add_tokens("refresh", &refreshed);
    nobody.post("/v1/sessions/refresh", refresh).await.expect(401);
    nobody.bearing(refreshed.text_at("/access_token")).get("/v1/me").await.expect(401);

    let (new, newest) = ("Quite-secret-Bob-0816", "Quite-secret-Bob-0817");
    for (what, secret) in [("Bob's second password", new), ("Bob's third password", newest)] {
        secrets.add(what, secret);
    }
    let check = json!({"password": new});
    let bob_here = nobody.bearing(joined.text_at("/access_token"));
    bob_here.post("/v1/me/password/check", check).await.expect(200);
    let change = json!({"current_password": BOBS, "password": new});
    bob_here.request(Method::PUT, "/v1/me/password").json(&change).send().await.expect(204);
    database.mail().take(bob).await;
    nobody.post("/v1/password-resets", json!({"email": bob})).await.expect(202);
    let reset = database.mail().take_token(bob).await;
    secrets.add("Bob's link", &reset);
    nobody.post("/v1/password-resets/lookup", json!({"token": reset})).await.expect(200);
    nobody.post("/v1/password-checks", json!({"token": reset, "password": newest})).await.expect(200);
    let complete = |password: &str| json!({"token": reset, "password": password});
    nobody.post("/v1/password-resets/complete", complete(new)).await.expect(422);
    nobody.post("/v1/password-resets/complete", complete(newest)).await.expect(204);
    database.mail().take(bob).await;
    let back = json!({"email": bob, "password": newest, "token_delivery": "body"});
    let joined = nobody.post("/v1/sessions", back).await.expect(201);
    secrets.add_tokens("a sign-in after a reset", &joined);

    let bob_here = nobody.bearing(joined.text_at("/access_token"));
    bob_here.get(&format!("/v1/organizations/{organization}/members?search=bob.babbage")).await.expect(403);
    admin.get("/v1/accounts?email=bob.babbage%40example.com").await.expect(403);
    secrets.add("Bob's address in a query", "bob.babbage%40example.com");
    bob_here.patch("/v1/me", json!({"name": "Charles\u{0}Babbage-the-third"})).await.expect(422);
    secrets.add("a name that was refused", "Babbage-the-third");
    let broken = bob_here.request(Method::PATCH, "/v1/me").body("application/json", "{\"name\": \"broken-json-body");
    broken.send().await.expect(400);
    secrets.add("a body that was no JSON", "broken-json-body");
    nobody.bearing("header.claims-of-a-forger.signature").get("/v1/me").await.expect(401);
    secrets.add("a forged token", "claims-of-a-forger");
    signed_in
}

/// A browser's session, whose tokens are in cookies.
async fn browse(nobody: &Actor, origin: &str, secrets: &mut Secrets) {
    let body =
        json!({"email": "bob.babbage@example.com", "password": "Quite-secret-Bob-0817", "token_delivery": "cookie"});
    let draft = nobody.request(Method::POST, "/v1/sessions").json(&body).header("origin", origin);
    let mut browser = Browser::of(nobody, origin, draft.send().await.expect(201));
    secrets.add_tokens("the browser's sign-in", &browser.signed_in);
    let refreshed = browser.own(Method::POST, "/v1/sessions/refresh").json(&json!({})).send().await.expect(200);
    browser.keep(&refreshed);
    secrets.add_tokens("the browser's refresh", &refreshed);
    browser.request(Method::DELETE, "/v1/session").send().await.expect(403);
    browser.own(Method::DELETE, "/v1/session").send().await.expect(204);
}

/// Proves NET-7, OPS-8.
#[tokio::test]
async fn a_whole_run_at_the_highest_log_level_gives_nothing_away() {
    let database = Database::new().await;
    let settings = [("FREEHOLD_LOG_LEVEL", "trace"), ("FREEHOLD_LOG_FORMAT", "json")];
    let mut process = Process::on(&database, &settings);
    let nobody = process.ready().await;
    let setup = process.setup_token().await;
    let mut secrets = Secrets::default();
    let answer = live(&nobody, &database, &setup, &mut secrets).await;
    let console = process.output().lines().find_map(|line| line.trim().strip_prefix("Console  ").map(str::to_owned));
    browse(&nobody, console.unwrap().trim_end_matches('/'), &mut secrets).await;
    assert!(process.terminate().await.success(), "{}", process.output());
    let output = process.output();
    secrets.assert_absent(&output);
    assert_eq!(output.matches(&setup).count(), 1, "the setup link is shown to the operator, once");
    let password = database.url().expose().split([':', '@']).nth(2).unwrap().to_owned();
    assert!(!output.contains(&password) && !output.contains(crate::harness::ROOT_KEY));

    let (lines, other): (Vec<_>, Vec<_>) = output.lines().partition(|line| line.starts_with('{'));
    assert!(other.iter().all(|line| !line.contains("WARN") && !line.contains("ERROR")), "{other:#?}");
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect();
    for line in &lines {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
    }
    let of_request = |id: &str| lines.iter().find(|line| line["message"] == "request" && line["request_id"] == id);
    let line = of_request(answer.header("x-request-id")).expect("the sign-in is in the log");
    assert_eq!(
        (&line["route"], &line["status"], &line["method"]),
        (&json!("sessions_create"), &json!(201), &json!("POST"))
    );
    assert!(line["duration_ms"].is_u64() && answer.header("traceparent").contains(line["trace_id"].as_str().unwrap()));
    assert!(lines.iter().filter(|line| line["message"] == "request").all(|line| line["request_id"].is_string()));
}

/// Proves NET-7.
#[tokio::test]
async fn the_log_for_people_gives_nothing_away_either() {
    let database = Database::new().await;
    let mut process = Process::on(&database, &[("FREEHOLD_LOG_LEVEL", "trace")]);
    let nobody = process.ready().await;
    let setup = process.setup_token().await;
    let mut secrets = Secrets::default();
    let answer = live(&nobody, &database, &setup, &mut secrets).await;
    assert!(process.terminate().await.success(), "{}", process.output());
    let output = process.output();
    secrets.assert_absent(&output);
    assert_eq!(output.matches(&setup).count(), 1);
    assert!(output.contains(answer.header("x-request-id")));
}

/// What is put into the wrong place, by mistake or on purpose, and what stands in no field that anybody knows.
async fn misplace(admin: &Actor, secrets: &mut Secrets) {
    let misplaced = "Quite-secret-misplaced-1";
    secrets.add("what was misplaced", misplaced);
    let wrong = json!({"organization_id": misplaced});
    admin.post("/v1/session/organization", wrong).await.expect(422);
    let wrong = json!({"name": "Zuse-Works", misplaced: true, "slug": {"deep": misplaced}});
    secrets.add("a name beside it", "Zuse-Works");
    admin.post("/v1/organizations", wrong).await.expect(422);
    admin.post("/v1/session/organization", json!([misplaced])).await.expect(422);
    admin.post("/v1/session/organization", json!(misplaced)).await.expect(422);
}

/// Proves NET-7.
#[tokio::test]
async fn where_bodies_are_logged_to_find_a_fault_they_say_nothing_of_anybody() {
    let database = Database::new().await;
    let settings = [("FREEHOLD_LOG_LEVEL", "trace"), ("FREEHOLD_LOG_FORMAT", "json"), ("FREEHOLD_LOG_BODIES", "both")];
    let mut process = Process::on(&database, &settings);
    let nobody = process.ready().await;
    let setup = process.setup_token().await;
    let mut secrets = Secrets::default();
    live(&nobody, &database, &setup, &mut secrets).await;
    let console = process.output().lines().find_map(|line| line.trim().strip_prefix("Console  ").map(str::to_owned));
    browse(&nobody, console.unwrap().trim_end_matches('/'), &mut secrets).await;
    let admin = json!({"email": "ada.lovelace@example.com", "password": ADAS, "token_delivery": "body"});
    let admin = nobody.post("/v1/sessions", admin).await.expect(201);
    secrets.add_tokens("the administrator's sign-in", &admin);
    let admin = nobody.bearing(admin.text_at("/access_token"));
    // Answers with a secret, of an operation whose body has none.
    let switched = json!({"organization_id": "00000000-0000-7000-8000-000000000001"});
    let switched = admin.post("/v1/session/organization", switched).await.expect(200);
    secrets.add_tokens("a switch", &switched);
    misplace(&admin, &mut secrets).await;
    admin.patch("/v1/settings", json!({"sessions": {"lifetime_minutes": 600}})).await.expect(200);
    assert!(process.terminate().await.success(), "{}", process.output());
    let output = process.output();
    secrets.assert_absent(&output);
    assert!(output.contains("the shapes of bodies are logged"));

    let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let bodies: Vec<_> = lines.iter().filter(|line| line["message"] == "body").collect();
    let of = |operation: &str, of: &str| -> Vec<Value> {
        let lines = bodies.iter().filter(|line| line["operation"] == operation && line["of"] == of);
        lines.map(|line| serde_json::from_str(line["body"].as_str().unwrap()).unwrap()).collect()
    };
    // The plain ones are there, in the same breath as their request.
    assert_eq!(of("settings_update", "request"), [json!({"sessions": {"lifetime_minutes": 600}})]);
    assert_eq!(of("organizations_create", "request")[0], json!({"name": "<text, 18 characters>"}));
    assert_eq!(of("organizations_create", "request")[1]["<unknown>"], 1);
    assert_eq!(of("organizations_create", "answer")[0]["version"], 1);
    assert!(of("me_get", "answer").is_empty() && !of("session_switch", "answer").is_empty());
    assert!(bodies.iter().all(|line| line["request_id"].is_string() && line["length"].is_u64()));
    assert!(bodies.iter().all(|line| line["body"].as_str().unwrap().len() < 2100));
    // The sensitive ones are not, and there were some.
    for sensitive in ["setup_create", "sessions_create", "sessions_refresh", "invitations_accept", "password_update"] {
        let of_it = |line: &&&Value| line["operation"] == sensitive;
        assert_eq!(bodies.iter().filter(of_it).count(), 0, "{sensitive}");
        assert!(lines.iter().any(|line| line["message"] == "request" && line["route"] == sensitive), "{sensitive}");
    }
}
