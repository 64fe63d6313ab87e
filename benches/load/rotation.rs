//! Changing a data key, beside a bare batched UPDATE of as many values (PERF-9).

use std::time::{Duration, Instant};

use entity::Pii;
use freehold::{runtime::Ids, vault::Field};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    Effort, crowd,
    installation::{Installation, People, post},
    table::{Row, Table},
};

const EMAIL: Field<Pii> = Field::new("accounts.email");
const NAME: Field<Pii> = Field::new("accounts.name");

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring a rotation of {} people", effort.people);
    let mut database = PgConnection::connect(installation.database_url().expose()).await.unwrap();
    populate(installation, &mut database, effort.people).await;
    // First the bare one, then ours: both find the table as somebody's UPDATE has left it.
    let bare = bare(&mut database).await;
    let (values, seconds) = rotated(installation, people).await;
    let ours = values / seconds;
    table.add(Row {
        id: "PERF-9",
        what: format!("values sealed anew, {values:.0} of them"),
        measured: format!("{ours:.0}/s"),
        limit: format!("a bare batched UPDATE {bare:.0}/s"),
        target: "≥ 50 %",
        result: format!("{:.0} %", 100.0 * ours / bare),
        reached: ours / bare >= 0.5,
    });
}

async fn populate(installation: &Installation, database: &mut PgConnection, people: usize) {
    let vault = crowd::vault(installation).await;
    for some in (0..people).collect::<Vec<_>>().chunks(1000) {
        let (mut ids, mut salts, mut emails, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut values, mut keys) = (Vec::new(), Vec::new());
        for number in some {
            let (id, salt): (Uuid, _) = (Ids.next(), vault.salt().unwrap());
            let email = format!("crowd{number}@example.com");
            emails.push(vault.seal_for(&salt, EMAIL, id, email.as_bytes()).unwrap().as_bytes().to_vec());
            names.push(vault.seal_for(&salt, NAME, id, b"Somebody Else").unwrap().as_bytes().to_vec());
            let (key, value) = vault.matches(EMAIL, &email).unwrap().remove(0);
            values.push(value.as_bytes().to_vec());
            keys.push(Uuid::from(key));
            salts.push(salt.as_bytes().to_vec());
            ids.push(id);
        }
        let accounts = "INSERT INTO accounts (id, salt, email, name, state, created_at, updated_at)
                        SELECT *, 'active', now(), now() FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[])";
        sqlx::query(accounts).bind(&ids).bind(&salts).bind(&emails).bind(&names).execute(&mut *database).await.unwrap();
        let matches = "INSERT INTO account_matches (account_id, value, field, key_id)
                       SELECT id, value, 'email', key FROM unnest($1::uuid[], $2::bytea[], $3::uuid[]) AS u (id, value, key)";
        sqlx::query(matches).bind(&ids).bind(&values).bind(&keys).execute(&mut *database).await.unwrap();
    }
    sqlx::query("VACUUM ANALYZE accounts, account_matches").execute(&mut *database).await.unwrap();
}

/// How often the bare UPDATE goes over the table: once is a tenth of a second.
const ROUNDS: u32 = 3;

/// Values a second of an UPDATE that only writes them, in batches as large as ours, inside the database.
async fn bare(database: &mut PgConnection) -> f64 {
    let updates = "DO $$
        DECLARE last uuid; ids uuid[];
        BEGIN
            last := '00000000-0000-0000-0000-000000000000';
            LOOP
                ids := ARRAY(SELECT id FROM accounts WHERE id > last ORDER BY id LIMIT 1000);
                EXIT WHEN cardinality(ids) = 0;
                UPDATE accounts SET email = email WHERE id = ANY (ids);
                last := ids[cardinality(ids)];
                COMMIT;
            END LOOP;
        END $$";
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        sqlx::query(updates).execute(&mut *database).await.unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64() / f64::from(ROUNDS);
    let number: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(database).await.unwrap();
    number as f64 / seconds
}

/// How many values a rotation sealed anew, and in how many seconds: from the first one to the last.
async fn rotated(installation: &Installation, people: &People) -> (f64, f64) {
    let url = &installation.instances[0].url;
    let started = post(&format!("{url}/v1/key-rotations"), Some(&people.admin), &json!({"scope": "pii"})).await;
    let place = format!("{url}/v1/key-rotations/{}", started["id"].as_str().unwrap());
    let client = reqwest::Client::new();
    let (mut first, mut last) = (None, None);
    loop {
        let answer = client.get(&place).bearer_auth(&people.admin).send().await.unwrap();
        let rotation: Value = answer.json().await.unwrap();
        let done = rotation["values_done"].as_f64().unwrap_or_else(|| panic!("{rotation}"));
        if done > 0.0 {
            first.get_or_insert((Instant::now(), done));
        }
        if rotation["step"] == "migrating" {
            last = Some((Instant::now(), done));
        }
        if rotation["step"] == "finished" {
            let ((begun, before), (ended, after)) = (first.unwrap(), last.unwrap());
            return (after - before, (ended - begun).as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
