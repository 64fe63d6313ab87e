//! People in bulk: files of them in, and out.

mod attacks;
mod command;
mod export;
mod kill;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, eventually},
    path::{PLATFORM, sign_in},
    world::World,
};

/// The path of an organisation's imports, or of something below.
fn path(organization: Uuid, rest: &str) -> String {
    format!("/v1/organizations/{organization}/imports{rest}")
}

/// Uploads a file.
async fn upload(by: &Actor, organization: Uuid, format: &str, file: impl AsRef<[u8]>) -> Answer {
    by.post(&path(organization, ""), json!({"format": format, "content": STANDARD.encode(file)})).await
}

/// Begins an import and waits until it does not go on by itself.
async fn run(by: &Actor, organization: Uuid, import: Uuid, dry_run: bool) -> Value {
    by.post(&path(organization, &format!("/{import}/start")), json!({"dry_run": dry_run})).await.expect(200);
    ended(by, organization, import).await
}

async fn ended(by: &Actor, organization: Uuid, import: Uuid) -> Value {
    eventually("the import is worked off", PATIENCE, async || {
        let import = by.get(&path(organization, &format!("/{import}"))).await.expect(200).json;
        (!["checking", "importing"].contains(&import["state"].as_str().unwrap())).then_some(import)
    })
    .await
}

/// Uploads a file and imports it.
async fn import(by: &Actor, organization: Uuid, format: &str, file: impl AsRef<[u8]>) -> Value {
    let id = upload(by, organization, format, file).await.expect(201).id_at("/id");
    run(by, organization, id, false).await
}

/// What became of the lines: number, outcome, code, field.
async fn lines(by: &Actor, import: &Value) -> Vec<String> {
    let organization = import["organization_id"].as_str().unwrap();
    let path = format!("/v1/organizations/{organization}/imports/{}/lines?limit=200", import["id"].as_str().unwrap());
    let answer = by.get(&path).await.expect(200);
    let word = |line: &Value, name: &str| line[name].as_str().unwrap_or("-").to_owned();
    let line = |line: &Value| {
        format!("{} {} {} {}", line["line"], word(line, "outcome"), word(line, "code"), word(line, "field"))
    };
    answer.items().iter().map(line).collect()
}

fn numbers(import: &Value) -> [i64; 3] {
    ["made", "skipped", "refused"].map(|name| import[name].as_i64().unwrap())
}

/// Hashes of [`PASSWORD`], made by `htpasswd -nbB -C 5 u PASSWORD` (Debian's apache2-utils 2.4.71), by Python's
/// `bcrypt.hashpw(PASSWORD, bcrypt.gensalt(5))` (bcrypt 5.0.0), and by `PasswordHasher(time_cost=2, memory_cost=128,
/// parallelism=2, type=Type.I).hash(PASSWORD)` (argon2-cffi 25.1.0).
pub const HASHES: [(&str, &str); 3] = [
    ("htpasswd", "$2y$05$16FfyN7aTGMwQkRCjAmQNe6xyK7Ro5awjHvCpO956pEpkWe.e1Qxa"),
    ("python", "$2b$05$E73ts0xb2Rnh10Ph1Oqs8eqhVjla1Q05PgSNyAHaig/LXnW9cXFcy"),
    ("argon2", "$argon2i$v=19$m=128,t=2,p=2$XUJ10GkvOWwszZ/Z0t3H/A$nnzW3untufDUhNIHc1wkEI1jNxRWCHct45J8NPVWCl0"),
];

/// Proves AUT-1, AUT-9.
#[tokio::test]
async fn people_sign_in_with_the_passwords_that_they_had_elsewhere() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let line = |(name, hash): (&str, &str)| {
        json!({"email": format!("{name}@else.example"), "name": name, "password_hash": hash}).to_string()
    };
    let file = HASHES.map(line).join("\n");
    let imported = import(&world.platform, PLATFORM, "json_lines", file).await;
    assert_eq!((imported["state"].as_str(), numbers(&imported)), (Some("finished"), [3, 0, 0]), "{imported}");
    assert_eq!(imported["makes"], "accounts");
    for (name, hash) in HASHES {
        let stored = format!("SELECT count(*) FROM password_credentials WHERE hash = '{hash}'");
        assert_eq!(psql.number(&stored).await, 1, "the hash of {name} was not kept as it is");
        let email = format!("{name}@else.example");
        let wrong = json!({"email": email, "password": "Wrong-horse-battery-7", "token_delivery": "body"});
        world.server.nobody().post("/v1/sessions", wrong).await.expect(401).problem("invalid_credentials");
        let person = sign_in(world.server.nobody(), &email).await;
        let account = person.get("/v1/me").await.expect(200).id_at("/account/id");
        let hash = format!("SELECT hash FROM password_credentials WHERE account_id = '{account}'");
        // After the answer.
        let now = eventually(&format!("{name} is upgraded"), PATIENCE, async || {
            Some(psql.text(&hash).await).filter(|hash| hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"))
        })
        .await;
        sign_in(world.server.nobody(), &email).await;
        let again = psql.text(&format!("SELECT hash FROM password_credentials WHERE account_id = '{account}'")).await;
        assert_eq!(again, now, "{name} was upgraded twice");
    }
    // Nothing of the file is left.
    assert_eq!(
        psql.number(&format!("SELECT count(*) FROM import_parts WHERE organization_id = '{PLATFORM}'")).await,
        0
    );
    let salts = "SELECT count(*) FROM imports WHERE finished_at IS NOT NULL AND salt IS NOT NULL";
    assert_eq!(psql.number(salts).await, 0);
    world.close().await;
}

/// Proves AUT-9, AZ-8, AZ-12.
#[tokio::test]
async fn an_organisations_administrator_invites_a_file_and_one_bad_line_loses_nothing_else() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let team = "Team of canary7f3a";
    let file = format!(
        "email,role,teams,password_hash\n\
         one@file.example,,,\n\
         two@file.example,manager,{team},\n\
         {member},member,,\n\
         three@file.example,owner,,\n\
         four@file.example,wizard,,\n\
         five@file.example,member,Team of bravo,\n\
         six@file.example,member,,{hash}\n\
         nobody\n\
         ONE@File.Example,,,\n\
         {other},member,,\n\
         {pending},,,\n\
         \n\
         seven@file.example,auditor,,\n",
        member = a.member.email,
        other = b.member.email,
        pending = a.pending.email,
        hash = HASHES[0].1
    );
    let id = upload(&a.admin, a.id, "csv", &file).await.expect(201).id_at("/id");
    let expected = [
        "2 made - -",
        "3 made - -",
        "4 skipped already_member email",
        "5 refused role_above_own role",
        "6 refused unknown_role role",
        "7 refused unknown_team teams",
        "8 refused hash_not_allowed password_hash",
        "9 refused columns -",
        "10 skipped duplicate email",
        "11 made - -",
        "12 skipped already_invited email",
        "14 made - -",
    ];
    let mut psql = world.database.psql(Login::Owner).await;
    let invited = format!("SELECT count(*) FROM invitations WHERE organization_id = '{}'", a.id);
    let before = psql.number(&invited).await;
    let checked = run(&a.admin, a.id, id, true).await;
    assert_eq!((checked["state"].as_str(), numbers(&checked)), (Some("checked"), [4, 3, 5]), "{checked}");
    assert_eq!(lines(&a.admin, &checked).await, expected);
    assert_eq!(psql.number(&invited).await, before, "a check invited somebody");

    let done = run(&a.admin, a.id, id, false).await;
    assert_eq!((done["state"].as_str(), numbers(&done)), (Some("finished"), [4, 3, 5]), "{done}");
    assert_eq!(lines(&a.admin, &done).await, expected);
    assert_eq!(done["lines_read"], 14);
    assert_eq!(psql.number(&invited).await, before + 4);
    // Whoever has an account is asked, not changed.
    world.database.mail().take_token(&b.member.email).await;
    let token = world.database.mail().take_token("two@file.example").await;
    let looked = world.server.nobody().post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    assert_eq!((&looked.json["role"], &looked.json["teams"]), (&json!("manager"), &json!([team])));
    let record = a.owner.get(&format!("/v1/organizations/{}/audit?event=invitation.created&limit=1", a.id)).await;
    assert_eq!(record.expect(200).json["items"][0]["actor"]["id"], json!(a.admin.account));

    let report = a.admin.get(&path(a.id, &format!("/{id}/report"))).await.expect(200);
    assert!(
        report
            .text
            .starts_with("line,outcome,code,field\r\n2,made,,\r\n3,made,,\r\n4,skipped,already_member,email\r\n")
    );
    assert!(!report.text.contains('@'), "the report says who: {}", report.text);
    let refused = a.admin.get(&path(a.id, &format!("/{id}/lines?outcome=refused&limit=2"))).await.expect(200);
    assert_eq!(refused.items().len(), 2);
    let next = refused.text_at("/next_cursor");
    let rest = a.admin.get(&path(a.id, &format!("/{id}/lines?outcome=refused&limit=200&cursor={next}"))).await;
    assert_eq!(rest.expect(200).items().len(), 3);
    // It is over.
    let again = json!({"dry_run": false});
    a.admin.post(&path(a.id, &format!("/{id}/start")), again).await.expect(409).problem("import_state");
    world.close().await;
}

/// Proves AUT-9.
#[tokio::test]
async fn a_file_comes_in_parts_is_held_and_cancelled() {
    let world = World::open().await;
    let a = &world.a;
    let id = upload(&a.admin, a.id, "csv", "email\none@file.exa").await.expect(201).id_at("/id");
    let part = |offset: usize, text: &str| json!({"offset": offset, "content": STANDARD.encode(text)});
    let parts = path(a.id, &format!("/{id}/parts"));
    a.admin.post(&parts, part(5, "mple\n")).await.expect(409).problem("import_offset");
    a.admin.post(&parts, part(18, "mple\ntwo@file.example\n")).await.expect(200);
    // The same once more changes nothing.
    let same = a.admin.post(&parts, part(18, "mple\ntwo@file.example\n")).await.expect(200);
    assert_eq!(same.json["bytes"], 40);
    let bad = json!({"offset": 40, "content": "no base64!"});
    assert_eq!(a.admin.post(&parts, bad).await.expect(422).faults(), ["/content"]);
    // A part may have ten times as many bytes as other bodies, and no more.
    let large = json!({"offset": 40, "content": "A".repeat(11 * 1024 * 1024)});
    a.admin.post(&parts, large).await.expect(413).problem("payload_too_large");
    // Nobody has somebody else's file worked off by their own authority.
    let start = path(a.id, &format!("/{id}/start"));
    a.owner.post(&start, json!({"dry_run": false})).await.expect(409).problem("import_of_another");
    a.admin.post_nothing(&path(a.id, &format!("/{id}/pause"))).await.expect(409).problem("import_state");

    // One that is held before the worker gets to it.
    let mut psql = world.database.psql(Login::Owner).await;
    let hold =
        format!("UPDATE imports SET state = 'importing', available_at = now() + interval '1 hour' WHERE id = '{id}'");
    psql.run(&hold).await.unwrap();
    a.admin.post_nothing(&path(a.id, &format!("/{id}/pause"))).await.expect(200);
    let third = upload(&a.admin, a.id, "csv", "email\n").await.expect(201).id_at("/id");
    upload(&a.admin, a.id, "csv", "email\n").await.expect(409).problem("too_many_imports");
    a.admin.post_nothing(&path(a.id, &format!("/{third}/cancel"))).await.expect(200);
    a.admin.post_nothing(&path(a.id, &format!("/{id}/resume"))).await.expect(200);
    let done = ended(&a.admin, a.id, id).await;
    assert_eq!((done["state"].as_str(), numbers(&done)), (Some("finished"), [2, 0, 0]), "{done}");
    a.admin.post_nothing(&path(a.id, &format!("/{id}/cancel"))).await.expect(409).problem("import_state");
    let left = format!("SELECT count(*) FROM import_parts WHERE import_id IN ('{id}', '{third}')");
    assert_eq!(psql.number(&left).await, 0);
    world.close().await;
}

/// Proves AUT-9, AZ-8.
#[tokio::test]
async fn an_import_ends_with_the_authority_of_who_began_it() {
    let world = World::open().await;
    let a = &world.a;
    let id = upload(&a.admin, a.id, "csv", "email\none@file.example\n").await.expect(201).id_at("/id");
    let mut psql = world.database.psql(Login::Owner).await;
    let later =
        format!("UPDATE imports SET state = 'importing', available_at = now() + interval '1 hour' WHERE id = '{id}'");
    psql.run(&later).await.unwrap();
    let member = format!("/v1/organizations/{}/members/{}", a.id, a.admin.membership);
    a.owner.patch(&member, json!({"role": "member"})).await.expect(200);
    psql.run(&format!("UPDATE imports SET available_at = now(), paused = false WHERE id = '{id}'")).await.unwrap();
    let over = ended(&a.owner, a.id, id).await;
    assert_eq!((&over["state"], &over["failure"]), (&json!("failed"), &json!("authority_lost")), "{over}");
    assert_eq!(numbers(&over), [0, 0, 0]);
    let record = a.owner.get(&format!("/v1/organizations/{}/audit?event=import.failed", a.id)).await.expect(200);
    assert_eq!(record.json["items"][0]["metadata"]["reason"], "authority_lost");
    world.close().await;
}

/// Proves AUT-9.
#[tokio::test]
async fn what_nobody_goes_on_with_is_destroyed() {
    use crate::harness::Server;
    let world = World::open().await;
    let a = &world.a;
    let id = upload(&a.admin, a.id, "csv", "email\none@file.example\n").await.expect(201).id_at("/id");
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run("UPDATE imports SET updated_at = now() - interval '25 hours'").await.unwrap();
    psql.run("DELETE FROM job_runs").await.unwrap();
    let jobs: Vec<_> = freehold::operations::jobs().into_iter().filter(|job| job.name == "imports_clean_up").collect();
    assert_eq!(jobs.len(), 1);
    let leader = Server::leading(&world.database, &[], jobs).await;
    let asked = world.platform.at_server_of(leader.nobody());
    asked.post_nothing("/v1/jobs/imports_clean_up/runs").await.expect(201);
    eventually("it is cancelled", PATIENCE, async || {
        let import = a.admin.get(&path(a.id, &format!("/{id}"))).await.expect(200);
        (import.json["state"] == "cancelled").then_some(())
    })
    .await;
    assert_eq!(psql.number("SELECT count(*) FROM import_parts").await, 0);
    leader.stop().await;
    world.close().await;
}

/// Proves AUT-9, AZ-12.
#[tokio::test]
async fn accounts_with_hashes_are_the_platform_administrators_to_make() {
    let world = World::open().await;
    let a = &world.a;
    // Somebody who runs errands for the platform, with an administrator's role there and no more.
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!(
        "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
         VALUES (gen_random_uuid(), '{PLATFORM}', '{}', 'admin', 'active', now(), now())",
        a.subject.account
    ))
    .await
    .unwrap();
    let errand = sign_in(world.server.nobody(), &a.subject.email).await;
    errand.post("/v1/session/organization", json!({"organization_id": PLATFORM})).await.expect(200);
    upload(&errand, PLATFORM, "csv", "email\n").await.expect(403).problem("role_above_own");
    // Whoever administers it makes accounts, and nothing of theirs in an organisation.
    let file = "email,role,teams,state\none@file.example,,,\ntwo@file.example,member,,\nthree@file.example,,Team,\n\
                four@file.example,,,blocked\n";
    let done = import(&world.platform, PLATFORM, "csv", file).await;
    assert_eq!(numbers(&done), [2, 0, 2], "{done}");
    let expected =
        ["2 made - -", "3 refused not_in_an_organization role", "4 refused not_in_an_organization teams", "5 made - -"];
    assert_eq!(lines(&world.platform, &done).await, expected);
    let found = world.platform.get("/v1/accounts?email=four@file.example").await.expect(200);
    assert_eq!(
        (&found.json["items"][0]["state"], &found.json["items"][0]["name"]),
        (&json!("blocked"), &json!("four"))
    );
    // Without a password there is none that is right.
    let body = json!({"email": "one@file.example", "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", body).await.expect(401).problem("invalid_credentials");
    // And once more: nobody is made or changed twice.
    let again = import(&world.platform, PLATFORM, "csv", file).await;
    assert_eq!(numbers(&again), [0, 2, 2], "{again}");
    world.close().await;
}
