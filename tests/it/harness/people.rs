//! People behind the server's back: a hundred who accept an invitation would take their time.

use entity::Pii;
use freehold::vault::{Field, Vault};
use uuid::Uuid;

use super::Psql;

const EMAIL: Field<Pii> = Field::new("accounts.email");
const NAME: Field<Pii> = Field::new("accounts.name");
const WORD: Field<Pii> = Field::new("accounts.word");

fn hex(bytes: &[u8]) -> String {
    format!("'\\x{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Adds accounts with these addresses and names, sealed and found as the server does it.
pub async fn insert_people(
    vault: &Vault,
    psql: &mut Psql,
    people: impl Iterator<Item = (String, String)>,
) -> Vec<Uuid> {
    let (mut ids, mut accounts, mut matches) = (Vec::new(), Vec::new(), Vec::new());
    for (email, name) in people {
        let (id, salt): (Uuid, _) = (freehold::runtime::Ids.next(), vault.salt().unwrap());
        let sealed = |field, text: &str| hex(vault.seal_for(&salt, field, id, text.as_bytes()).unwrap().as_bytes());
        let columns = [hex(salt.as_bytes()), sealed(EMAIL, &email), sealed(NAME, &name)].join(", ");
        accounts.push(format!("('{id}', {columns}, 'active', now(), now())"));
        let text = format!("{email} {name}").to_lowercase();
        let words: std::collections::BTreeSet<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let found_by = words.into_iter().map(|word| (WORD, "word", word)).chain([(EMAIL, "email", email.as_str())]);
        for (field, kind, text) in found_by {
            for (key, value) in vault.matches(field, text).unwrap() {
                matches.push(format!("('{id}', {}, '{kind}', '{key}')", hex(value.as_bytes())));
            }
        }
        ids.push(id);
    }
    for (into, rows) in [
        ("accounts (id, salt, email, name, state, created_at, updated_at)", accounts),
        ("account_matches (account_id, value, field, key_id)", matches),
    ] {
        for some in rows.chunks(2000) {
            psql.run(&format!("INSERT INTO {into} VALUES {}", some.join(", "))).await.unwrap();
        }
    }
    ids
}
