//! Values that were moved, cut or changed in the database: the client learns nothing, the log says which.

use std::time::Duration;

use crate::{
    harness::{Actor, Answer, Login, Process, Psql, eventually},
    world::World,
};

/// How long a line of the log may be on its way.
const LOGGED: Duration = Duration::from_secs(5);

/// A sealed value of the database, and who reads it where.
struct Place<'a> {
    table: &'static str,
    column: &'static str,
    row: String,
    reader: &'a Actor,
    path: String,
    /// A value of another field.
    elsewhere: &'static str,
}

async fn places(world: &World) -> Vec<Place<'_>> {
    let a = &world.a;
    world.acting_in(a.id).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let inside = |path: &str| format!("/v1/organizations/{}{path}", a.id);
    let access = format!("SELECT id FROM platform_access WHERE organization_id = '{}'", a.id);
    vec![
        Place {
            table: "accounts",
            column: "name",
            row: a.member.account.to_string(),
            reader: &a.admin,
            path: inside(&format!("/members/{}", a.member.membership)),
            elsewhere: "SELECT email FROM accounts WHERE id = $",
        },
        Place {
            table: "sessions",
            column: "user_agent",
            row: a.member.session.to_string(),
            reader: &a.member,
            path: format!("/v1/me/sessions/{}", a.member.session),
            elsewhere: "SELECT address FROM sessions WHERE id = $",
        },
        Place {
            table: "invitations",
            column: "email",
            row: a.pending.id.to_string(),
            reader: &a.admin,
            path: inside(&format!("/invitations/{}", a.pending.id)),
            elsewhere: "SELECT name FROM accounts LIMIT 1",
        },
        Place {
            table: "audit_personal",
            column: "address",
            row: a.entry.to_string(),
            reader: &a.admin,
            path: inside(&format!("/audit/{}", a.entry)),
            elsewhere: "SELECT user_agent FROM audit_personal WHERE id = $",
        },
        Place {
            table: "platform_access",
            column: "reason",
            row: psql.text(&access).await,
            reader: &a.admin,
            path: inside("/platform-access"),
            elsewhere: "SELECT address FROM sessions WHERE address IS NOT NULL LIMIT 1",
        },
    ]
}

async fn set(psql: &mut Psql, place: &Place<'_>, value: &str) {
    let Place { table, column, row, .. } = place;
    let update = format!("UPDATE {table} SET {column} = ({value}) WHERE id = '{row}'");
    assert_eq!(psql.run(&update).await.unwrap(), 1, "{update}");
}

/// Proves DAT-1.
#[tokio::test]
async fn a_value_that_was_tampered_with_is_refused_through_the_api_and_named_in_the_log() {
    let world = World::open().await;
    world.acting_in(world.b.id).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let own = Process::variables(&world.database);
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::among_others(&own);
    let base = process.ready().await;
    let key = psql.text("SELECT id FROM data_keys WHERE scope = 'pii'").await;
    for place in places(&world).await {
        let Place { table, column, row, path, .. } = &place;
        let reader = base.bearing(place.reader.token());
        reader.get(path).await.expect(200);
        let kept = psql.text(&format!("SELECT encode({column}, 'hex') FROM {table} WHERE id = '{row}'")).await;
        let bytes = format!("decode('{kept}', 'hex')");
        let others = format!("SELECT {column} FROM {table} WHERE id <> '{row}' AND {column} IS NOT NULL LIMIT 1");
        let last = format!("length({bytes}) - 1");
        for (what, value, names_key) in [
            ("another row's", others, true),
            ("another field's", place.elsewhere.replace('$', &format!("'{row}'")), true),
            ("another scope's", "SELECT private_key FROM signing_keys LIMIT 1".to_owned(), false),
            ("cut", format!("substr({bytes}, 1, {last})"), true),
            ("changed at its end", format!("set_byte({bytes}, {last}, get_byte({bytes}, {last}) # 1)"), true),
            ("changed in its vector", format!("set_byte({bytes}, 20, get_byte({bytes}, 20) # 128)"), true),
            ("under another key", format!("set_byte({bytes}, 5, get_byte({bytes}, 5) # 1)"), false),
            ("nothing", "''::bytea".to_owned(), false),
        ] {
            set(&mut psql, &place, &value).await;
            let before = process.output().len();
            let answer = reader.request(reqwest::Method::GET, path).send_to_the_broken().await;
            // A key that is not here may be on its way: that is no fault of the value yet.
            let expected = if what == "under another key" { (503, "unavailable") } else { (500, "internal") };
            let said = (answer.status, answer.problem_code().unwrap());
            assert_eq!(said, expected, "{table}.{column} {what}: {answer}");
            let Answer { json: problem, text, .. } = &answer;
            assert!(problem.get("detail").is_none() && problem.get("errors").is_none(), "{text}");
            assert!(!text.contains(column) && !text.contains(row.as_str()) && !text.contains(&key), "{text}");
            let named = |output: &str| {
                output.contains(&format!("{table}.{column} of row {row}")) && (!names_key || output.contains(&key))
            };
            let logged = async || named(&process.output()[before..]).then_some(());
            eventually(&format!("{table}.{column} {what} is in the log"), LOGGED, logged).await;
        }
        set(&mut psql, &place, &bytes).await;
        reader.get(path).await.expect(200);
    }
    process.terminate().await;
    world.close().await;
}
