//! People in and out at the command line: from one installation to another, with their passwords.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output, Stdio},
};

use freehold::db::embedded::Search;
use serde_json::{Value, json};

use crate::{
    harness::{Database, Login, Server, folder},
    path::{first_admin, sign_in, switch},
    world::{CANARY, World},
};

/// Runs `freehold` beside whatever runs on a database.
async fn freehold(database: &Database, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.env_clear().env("PATH", Search::of_this_machine().path).envs(database.variables());
    command.args(arguments).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[track_caller]
fn good(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The people of a file, without when they came and were last there.
fn people(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let person = |line: &str| {
        let mut person: Value = serde_json::from_str(line).unwrap();
        let fields = person.as_object_mut().unwrap();
        fields.remove("joined_at");
        fields.remove("last_sign_in_at");
        person.to_string()
    };
    text.lines().map(person).collect()
}

/// Proves AUT-1, AUT-9.
#[tokio::test]
async fn people_move_to_another_installation_with_their_roles_teams_and_passwords() {
    let world = World::open().await;
    let folder = folder("moving");
    let (file, back) = (folder.join("people.jsonl"), folder.join("back.jsonl"));
    let (file_name, back_name) = (file.to_str().unwrap(), back.to_str().unwrap());
    let slug = format!("{CANARY}-works");
    let export = ["export", "people", "--organization", &slug, "--with-hashes", "--output", file_name];
    good(freehold(&world.database, &export).await);
    let moving = people(&file);
    assert_eq!(moving.len(), 8);
    assert!(moving.iter().all(|person| person.contains("$argon2id$")), "{moving:?}");
    let entry = "SELECT metadata FROM audit_entries WHERE event = 'member.exported'";
    let metadata = world.database.psql(Login::Owner).await.text(entry).await;
    assert_eq!(serde_json::from_str::<Value>(&metadata).unwrap(), json!({"rows": 8, "password_hashes": true}));

    let database = Database::new().await;
    let server = Server::start(&database).await;
    let ada = server.nobody().post("/v1/setup", first_admin(&server.setup_token().await)).await.expect(201);
    let ada = server.bearer(ada.text_at("/access_token"));
    let id =
        ada.post("/v1/organizations", json!({"name": "Elsewhere", "slug": "elsewhere"})).await.expect(201).id_at("/id");
    switch(&ada, id).await;
    let team = json!({"name": format!("Team of {CANARY}"), "role": "member"});
    ada.post(&format!("/v1/organizations/{id}/teams"), team).await.expect(201);
    // A founder would be one more.
    let import = |dry: &'static [&'static str]| {
        let arguments = [&["import", "people", file_name, "--organization", "elsewhere"], dry].concat();
        let database = &database;
        async move { freehold(database, &arguments).await }
    };
    let checked = good(import(&["--dry-run"]).await);
    assert!(String::from_utf8_lossy(&checked.stderr).contains("8 would be made"), "{checked:?}");
    good(import(&[]).await);
    let again = good(import(&[]).await);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("0 were made, 8 were there before, 0 lines were refused."), "{said}");

    // They sign in with what they have always had, and are what they were.
    let person = sign_in(server.nobody(), &world.a.manager.email).await;
    assert_eq!(person.get("/v1/me").await.expect(200).text_at("/role"), "manager");
    let back_again = ["export", "people", "--organization", "elsewhere", "--with-hashes", "--output", back_name];
    good(freehold(&database, &back_again).await);
    let founder = "ada@example.com";
    let arrived: BTreeSet<_> = people(&back).into_iter().filter(|person| !person.contains(founder)).collect();
    assert_eq!(arrived, moving);
    let nowhere = freehold(&database, &["export", "people", "--organization", "nowhere"]).await;
    assert!(!nowhere.status.success() && String::from_utf8_lossy(&nowhere.stderr).contains("no organisation"));
    server.stop().await;
    world.close().await;
}
