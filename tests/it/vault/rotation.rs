//! A data key is changed for the next while people work.

use std::time::Duration;

use freehold::operations;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Login, PASSWORD, Process, Psql, Server, eventually, insert_people},
    world::{CANARY, Person, Tenant, World},
};

/// How long a rotation of a small database may take, on a machine that does much else.
const DONE: Duration = Duration::from_secs(90);

/// Starts a rotation and returns its id.
async fn start(administrator: &Actor, scope: &str) -> Uuid {
    administrator.post("/v1/key-rotations", json!({"scope": scope})).await.expect(201).id_at("/id")
}

async fn finished(administrator: &Actor, id: Uuid) -> Value {
    eventually("the rotation is over", DONE, async || {
        let answer = administrator.get(&format!("/v1/key-rotations/{id}")).await.expect(200);
        (answer.json["step"] == "finished").then(|| answer.json.clone())
    })
    .await
}

/// The keys of a scope with what is under them, the newest first.
async fn keys(administrator: &Actor, scope: &str) -> Vec<Value> {
    let answer = administrator.get("/v1/data-keys?count=true").await.expect(200);
    answer.items().iter().filter(|key| key["scope"] == scope).cloned().collect()
}

/// How many values are under a key, wherever a sealed value can be, by what the database itself says.
async fn left(psql: &mut Psql, key: &str) -> i64 {
    let columns = psql
        .rows(
            "SELECT table_name, column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND NOT (SELECT relispartition FROM pg_class WHERE oid = table_name::regclass)
               AND data_type = 'bytea'
               AND column_name NOT IN ('salt', 'value', 'wrapped', 'root_key', 'token_hash', 'key', 'fingerprint')",
        )
        .await;
    assert!(columns.len() > 5, "{columns:?}");
    let mut left = 0;
    for column in columns {
        let (table, column) = (column["table_name"].as_str().unwrap(), column["column_name"].as_str().unwrap());
        let hex = key.replace('-', "");
        left += psql
            .number(&format!("SELECT count(*) FROM {table} WHERE encode(substr({column}, 2, 16), 'hex') = '{hex}'"))
            .await;
    }
    left
}

fn profile(tenant: &Tenant, of: &Person) -> String {
    format!("/v1/organizations/{}/members/{}/attributes", tenant.id, of.membership)
}

/// Insists that a member, and nobody else, is found by a value.
async fn found_by(by: &Actor, tenant: &Tenant, wanted: &str, who: &Person) {
    let path = format!("/v1/organizations/{}/members?attribute={}", tenant.id, wanted.replace(' ', "%20"));
    let found = by.get(&path).await.expect(200);
    let ids: Vec<_> = found.items().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, [json!(who.membership)], "{wanted}");
}

/// Proves DAT-6, DAT-7.
#[tokio::test]
async fn a_rotation_leaves_nothing_under_the_old_key_which_is_destroyed_on_a_second_word() {
    let world = World::open().await;
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    let administrator = world.platform_session().await;
    assert_eq!(administrator.get("/v1/data-keys").await.expect(200).json["root_key_custodian"], "server");
    let a = &world.a;
    let chart = json!({
        "key": "chart", "label": "Chart", "type": "text", "visible_to": "person_and_admins", "editable_by": "admins",
        "sealed_in": "hipaa", "searchable": true,
    });
    a.admin.post(&format!("/v1/organizations/{}/attributes", a.id), chart).await.expect(201);
    let value = json!({"attributes": {"chart": "MRN 4711"}});
    a.admin.patch(&profile(a, &a.member), value).await.expect(200);
    for (round, scope) in ["pii", "secrets", "hipaa"].into_iter().enumerate() {
        let before = keys(&administrator, scope).await;
        assert_eq!((before.len(), &before[0]["state"]), (1, &json!("active")));
        let preview = administrator.get(&format!("/v1/key-rotations/preview/{scope}")).await.expect(200);
        assert_eq!((&preview.json["values"], &preview.json["from_version"]), (&before[0]["values"], &json!(1)));
        assert!(before[0]["values"].as_i64().unwrap() > 0);
        let destroy = format!("/v1/data-keys/{}/destroy", before[0]["id"].as_str().unwrap());
        administrator.post_nothing(&destroy).await.expect(409).problem("key_in_use");
        let id = start(&administrator, scope).await;
        let over = finished(&administrator, id).await;
        assert_eq!(over["values_done"], over["values_total"]);
        let after = keys(&administrator, scope).await;
        assert_eq!(after.iter().map(|key| &key["state"]).collect::<Vec<_>>(), ["active", "retired"]);
        assert_eq!(after[1]["values"], 0);
        let mut psql = world.database.psql(Login::Owner).await;
        let old = before[0]["id"].as_str().unwrap();
        assert_eq!(left(&mut psql, old).await, 0);
        for table in ["account_matches", "invitation_matches", "attribute_matches"] {
            assert_eq!(psql.number(&format!("SELECT count(*) FROM {table} WHERE key_id = '{old}'")).await, 0);
        }
        administrator.post_nothing(&destroy).await.expect(200);
        administrator.post_nothing(&destroy).await.expect(409);
        let gone = psql.number("SELECT count(*) FROM data_keys WHERE wrapped IS NULL").await;
        assert_eq!(usize::try_from(gone).unwrap(), round + 1);
    }
    // People are found, told apart and signed in as before.
    let sign_in = json!({"email": world.a.member.email, "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    world.a.owner.get("/v1/me").await.expect(200);
    let name = world.a.member.get("/v1/me").await.expect(200).text_at("/account/name").to_owned();
    let word = name.split(' ').next().unwrap();
    let found = world.a.admin.get(&format!("/v1/organizations/{}/members?search={word}", world.a.id)).await.expect(200);
    assert!(!found.items().is_empty(), "{word}");
    // So are the values of profile attributes, of either scope.
    let desk = format!("By the window, {CANARY}");
    assert_eq!(a.admin.get(&profile(a, &a.subject)).await.expect(200).text_at("/attributes/desk"), desk);
    found_by(&a.admin, a, &format!("desk:{desk}"), &a.subject).await;
    assert_eq!(a.admin.get(&profile(a, &a.member)).await.expect(200).text_at("/attributes/chart"), "MRN 4711");
    found_by(&a.admin, a, "chart:mrn 4711", &a.member).await;
    // A restart opens everything.
    let again = Server::start(&world.database).await;
    again.bearer(world.a.owner.token()).get("/v1/me").await.expect(200);
    found_by(&again.bearer(a.admin.token()), a, "chart:MRN 4711", &a.member).await;
    again.stop().await;
    leader.stop().await;
    world.close().await;
}

/// Proves DAT-3, DAT-6: nothing is written under a key that an instance does not know, and two rotations of a scope do
/// not go on at once.
#[tokio::test]
async fn a_new_key_seals_nothing_before_every_instance_knows_it() {
    let world = World::open().await;
    let leader = Server::leading(&world.database, &[], operations::jobs()).await;
    let administrator = world.platform_session().await;
    let mut psql = world.database.psql(Login::Owner).await;
    // An instance that is there and hears nothing.
    psql.run(
        "INSERT INTO instances (id, name, version, started_at, seen_at)
         VALUES ('00000000-0000-7000-8000-00000000dead', 'deaf', '0', now(), now() + interval '1 hour')",
    )
    .await
    .unwrap();
    let id = start(&administrator, "pii").await;
    administrator.post("/v1/key-rotations", json!({"scope": "pii"})).await.expect(409).problem("operation_in_progress");
    administrator.post("/v1/key-rotations", json!({"scope": "none"})).await.expect(404);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let waiting = administrator.get(&format!("/v1/key-rotations/{id}")).await.expect(200);
    assert_eq!(waiting.json["step"], "announcing", "{waiting}");
    let present = keys(&administrator, "pii").await;
    assert_eq!(present.iter().map(|key| &key["state"]).collect::<Vec<_>>(), ["pending", "active"]);
    assert_eq!(present[0]["values"], 0);
    let inventory = administrator.get("/v1/data-keys").await.expect(200);
    assert!(inventory.json["acknowledged"].as_i64() < inventory.json["instances"].as_i64(), "{inventory}");
    // Whoever comes now is found under both keys.
    let invite = json!({"email": "between@example.com", "role": "member"});
    world.a.admin.post(&format!("/v1/organizations/{}/invitations", world.a.id), invite.clone()).await.expect(201);
    let newest =
        "SELECT count(*) FROM invitation_matches WHERE invitation_id = (SELECT max(id::text)::uuid FROM invitations)";
    assert_eq!(psql.number(newest).await, 2);
    world.a.admin.post(&format!("/v1/organizations/{}/invitations", world.a.id), invite).await.expect(409);
    // So is whoever gets a value of a sealed attribute now, and whoever had one.
    let a = &world.a;
    let value = json!({"attributes": {"desk": "Between two keys"}});
    a.admin.patch(&profile(a, &a.member), value).await.expect(200);
    let of_value = "SELECT count(*) FROM attribute_matches m JOIN attribute_values v ON v.id = m.value_id
                    WHERE v.membership_id";
    let of_member = format!("{of_value} = '{}'", a.member.membership);
    let of_subject = format!("{of_value} = '{}'", a.subject.membership);
    assert_eq!((psql.number(&of_member).await, psql.number(&of_subject).await), (2, 1));
    found_by(&a.admin, a, "desk:between two keys", &a.member).await;
    found_by(&a.admin, a, &format!("desk:By the window, {CANARY}"), &a.subject).await;
    psql.run("DELETE FROM instances WHERE name = 'deaf'").await.unwrap();
    finished(&administrator, id).await;
    assert_eq!(psql.number(newest).await, 1);
    assert_eq!((psql.number(&of_member).await, psql.number(&of_subject).await), (1, 1));
    found_by(&a.admin, a, "desk:between two keys", &a.member).await;
    found_by(&a.admin, a, &format!("desk:By the window, {CANARY}"), &a.subject).await;
    // An instance that slept through all of it can't add what the others would not find.
    let old = psql.text("SELECT id FROM data_keys WHERE scope = 'pii' AND state = 'retired'").await;
    let late = format!(
        "INSERT INTO account_matches (account_id, value, field, key_id)
         VALUES ('{}', sha256('late'), 'email', '{old}')",
        world.a.member.account
    );
    let refused = psql.run(&late).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "40001", "{refused}");
    leader.stop().await;
    world.close().await;
}

/// How many people there are in the story of the killed leaders; the long runs say so in `FREEHOLD_TEST_PEOPLE`.
const PEOPLE: usize = 3000;

/// Proves DAT-6, DAT-3.
#[tokio::test]
async fn a_rotation_survives_killed_leaders_while_people_sign_in_come_and_search() {
    #[expect(clippy::disallowed_methods, reason = "the long runs of the tests are asked for by the environment")]
    let number = std::env::var("FREEHOLD_TEST_PEOPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(PEOPLE);
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let people = (0..number).map(|n| (format!("crowd{n}@example.com"), format!("Crowd {n}")));
    insert_people(&world.server.app().vault, &mut psql, people).await;
    let administrator = world.platform_session().await;
    let mut leaders: Vec<_> = (0..2).map(|_| leader(&world)).collect();
    for leader in &mut leaders {
        leader.ready().await;
    }
    let id = start(&administrator, "pii").await;
    let work = tokio::spawn(work(
        world.platform_session().await,
        world.server.bearer(world.a.admin.token()),
        world.a.clone(),
        world.server.nobody().clone(),
    ));
    // The match values come before the first of what is counted.
    let patience = DONE + Duration::from_millis(number as u64);
    let mut killed = 0;
    while killed < 2 {
        let place =
            format!("SELECT step <> 'announcing' AND rows_done > {killed} FROM key_rotations WHERE id = '{id}'");
        eventually("it goes on", patience, async || (psql.text(&place).await == "true").then_some(())).await;
        // Whichever leads: both are killed, one after the other.
        leaders[killed].kill_9();
        leaders.push(leader(&world));
        killed += 1;
    }
    let over = eventually("the rotation is over", patience * 3, async || {
        let answer = administrator.get(&format!("/v1/key-rotations/{id}")).await.expect(200);
        (answer.json["step"] == "finished").then(|| answer.json.clone())
    })
    .await;
    work.abort();
    match work.await {
        Err(error) if error.is_cancelled() => {}
        other => panic!("somebody's work failed meanwhile: {other:?}"),
    }
    assert_eq!(over["values_done"], over["values_total"]);
    let old = over["from_key"].as_str().unwrap();
    assert_eq!(left(&mut psql, old).await, 0);
    assert_eq!(psql.number(&format!("SELECT count(*) FROM account_matches WHERE key_id = '{old}'")).await, 0);
    // Nobody was lost, nobody is there twice.
    let accounts = psql.number("SELECT count(*) FROM accounts").await;
    assert_eq!(psql.number("SELECT count(*) FROM account_matches WHERE field = 'email'").await, accounts);
    assert_eq!(
        psql.number("SELECT count(DISTINCT account_id) FROM account_matches WHERE field = 'email'").await,
        accounts
    );
    for one in [0, number / 2, number - 1] {
        let found = administrator.get(&format!("/v1/accounts?email=crowd{one}@example.com")).await.expect(200);
        assert_eq!(found.text_at("/items/0/name"), format!("Crowd {one}"));
    }
    drop(leaders);
    world.close().await;
}

fn leader(world: &World) -> Process {
    Process::on(&world.database, &[("FREEHOLD_JOBS_LEAD", "true"), ("FREEHOLD_HTTP_LISTEN", "127.0.0.1:0")])
}

/// What people do meanwhile; none of it may fail.
async fn work(administrator: Actor, admin: Actor, tenant: Tenant, nobody: Actor) {
    let organization = tenant.id;
    for round in 0.. {
        // What was filled in before is found and read, and what is filled in now.
        let desk = format!("By the window, {CANARY}");
        found_by(&admin, &tenant, &format!("desk:{desk}"), &tenant.subject).await;
        assert_eq!(admin.get(&profile(&tenant, &tenant.subject)).await.expect(200).text_at("/attributes/desk"), desk);
        let value = json!({"attributes": {"desk": format!("Desk {round}")}});
        admin.patch(&profile(&tenant, &tenant.member), value).await.expect(200);
        found_by(&admin, &tenant, &format!("desk:desk {round}"), &tenant.member).await;
        let email = format!("newcomer{round}@example.com");
        let invitations = format!("/v1/organizations/{organization}/invitations");
        let invite = json!({"email": email, "role": "member"});
        admin.post(&invitations, invite.clone()).await.expect(201);
        admin.post(&invitations, invite).await.expect(409).problem("already_invited");
        let found = administrator.get("/v1/accounts?email=crowd7@example.com").await.expect(200);
        assert_eq!(found.items().len(), 1, "somebody was not found");
        admin.get(&format!("/v1/organizations/{organization}/members?search=example&limit=5")).await.expect(200);
        let wrong = json!({"email": "crowd7@example.com", "password": PASSWORD, "token_delivery": "body"});
        let refused = nobody.post("/v1/sessions", wrong).await;
        assert!(matches!(refused.problem_code(), Ok("invalid_credentials" | "too_many_requests")), "{refused}");
    }
}
