//! What is protected: sealed at rest, bound to its place, under keys that can be changed while people work.

mod dump;
mod root_key;
mod rotation;
mod tampering;

use entity::{AccountId, accounts};
use freehold::{
    runtime::Clock,
    types::{Caller, Origin},
};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    harness::{Login, Server},
    world::{CANARY, World},
};

/// Freehold itself, at this moment.
pub fn caller() -> Caller {
    let origin = Origin { request_id: "vault".into(), address: None, user_agent: None, now: Clock::default().now() };
    Caller::system("test", origin)
}

/// Proves DAT-1.
#[tokio::test]
async fn a_value_that_was_moved_cut_or_changed_is_refused_and_named() {
    let world = World::open().await;
    let (one, other) = (world.a.member.account, world.a.auditor.account);
    let mut psql = world.database.psql(Login::Owner).await;
    let (app, caller) = (world.server.app(), caller());
    for (what, change) in [
        (
            "another row's",
            format!("SET name = o.name FROM accounts o WHERE o.id = '{other}' AND accounts.id = '{one}'"),
        ),
        ("another field's", format!("SET name = email WHERE id = '{one}'")),
        ("another person's", format!("SET salt = sha256('x') WHERE id = '{one}'")),
        ("cut", format!("SET name = substr(name, 1, length(name) - 1) WHERE id = '{one}'")),
        ("cut to nothing", format!("SET name = '' WHERE id = '{one}'")),
        ("bit-flipped", format!("SET name = set_bit(name, 8 * 40, 1 - get_bit(name, 8 * 40)) WHERE id = '{one}'")),
        ("of an unknown format", format!("SET name = set_byte(name, 0, 9) WHERE id = '{one}'")),
    ] {
        psql.run(&format!("CREATE TABLE kept AS SELECT * FROM accounts WHERE id = '{one}'")).await.unwrap();
        psql.run(&format!("UPDATE accounts {change}")).await.unwrap();
        let tx = app.db.read(&caller).await.unwrap();
        let refused = freehold::accounts::get(&app.vault, &tx, AccountId(one)).await;
        drop(tx);
        let refused = refused.expect_err(what).to_string();
        assert!(refused.contains(&one.to_string()), "{what}: {refused}");
        let key = psql.text("SELECT id FROM data_keys WHERE scope = 'pii'").await;
        let names_key = refused.contains(&key) || what.starts_with("cut to") || what.starts_with("of an unknown");
        assert!(names_key, "{what}: {refused}");
        let restore =
            "UPDATE accounts a SET name = k.name, salt = k.salt FROM kept k WHERE a.id = k.id; DROP TABLE kept";
        psql.run(restore).await.unwrap();
    }
    world.a.member.get("/v1/me").await.expect(200);
    world.close().await;
}

/// What the client sees is a problem document without a word about the value.
#[tokio::test]
async fn a_client_learns_nothing_of_a_value_that_can_not_be_opened() {
    let world = World::open().await;
    let one = &world.a.member;
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!("UPDATE accounts SET name = email WHERE id = '{}'", one.account)).await.unwrap();
    let server = Server::start(&world.database).await;
    let answer = server.bearer(one.token()).request(reqwest::Method::GET, "/v1/me").send_to_the_broken().await;
    assert_eq!((answer.status, answer.problem_code()), (500, Ok("internal")));
    let text = &answer.text;
    assert!(!text.contains("accounts") && !text.contains(CANARY), "{text}");
    server.stop().await;
    world.close().await;
}

/// Proves DAT-3.
#[tokio::test]
async fn an_address_is_found_counted_and_unique_by_its_match_value() {
    let world = World::open().await;
    let email = &world.a.member.email;
    let spelt = email.to_uppercase();
    let found = world.platform.get(&format!("/v1/accounts?email={spelt}")).await.expect(200);
    assert_eq!(found.items().len(), 1);
    assert_eq!(found.id_at("/items/0/id"), world.a.member.account);
    let mut psql = world.database.psql(Login::Owner).await;
    let values = format!(
        "SELECT count(*) FROM account_matches WHERE account_id = '{}' AND field = 'email'",
        world.a.member.account
    );
    assert_eq!(psql.number(&values).await, 1);
    // The same value for another person is refused by the database itself.
    let again = format!(
        "INSERT INTO account_matches (account_id, value, field, key_id)
         SELECT '{}', value, field, key_id FROM account_matches WHERE account_id = '{}' AND field = 'email'",
        world.a.auditor.account, world.a.member.account
    );
    assert!(psql.run(&again).await.unwrap_err().to_string().contains("accounts_email_match"));
    // It goes with the account.
    psql.run(&format!("DELETE FROM accounts WHERE id = '{}'", world.a.subject.account)).await.unwrap();
    let left = format!("SELECT count(*) FROM account_matches WHERE account_id = '{}'", world.a.subject.account);
    assert_eq!(psql.number(&left).await, 0);
    world.close().await;
}

/// Without the person's salt, nothing that was sealed for them can be opened.
///
/// Proves DAT-10.
#[tokio::test]
async fn without_the_salt_a_person_can_not_be_read() {
    let world = World::open().await;
    let one = world.a.member.account;
    let mut psql = world.database.psql(Login::Owner).await;
    let (app, caller) = (world.server.app(), caller());
    let tx = app.db.read(&caller).await.unwrap();
    let row: accounts::Model = tx
        .one(tx.find_identity::<accounts::Entity>().filter(accounts::Column::Id.eq(AccountId(one))))
        .await
        .unwrap()
        .unwrap();
    // Neither under the scope's own key nor under another person's.
    let name = freehold::vault::Field::<entity::Pii>::new("accounts.name");
    let value = row.name.unwrap();
    assert!(app.vault.open_for(row.salt.as_ref().unwrap(), name, one, &value).is_ok());
    assert!(app.vault.open(name, one, &value).is_err());
    assert!(app.vault.open_for(&app.vault.salt().unwrap(), name, one, &value).is_err());
    drop(tx);
    // The database knows no account that has lost it and says something all the same.
    let halved = psql.run(&format!("UPDATE accounts SET salt = NULL WHERE id = '{one}'")).await.unwrap_err();
    assert!(halved.to_string().contains("accounts_erased"), "{halved}");
    world.close().await;
}
