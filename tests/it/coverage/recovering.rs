//! A stage on which people recover from a lost second factor.

use entity::{AccountId, Pii};
use freehold::{sessions::hash, types::Caller, vault::Field};
use serde_json::json;
use uuid::Uuid;

use super::stage::hex;
use crate::{
    harness::Psql,
    world::{Tenant, World},
};

/// What each token of [`super::before::Before::Recovering`] begins with; the account follows.
pub const COMPLETES: &str = "fhl_";
pub const STOPS: &str = "fhx_";
pub const PROVES: &str = "fhv_";

/// The recovery of a tenant's subject, which waits for an administrator.
pub fn wanted(tenant: &Tenant) -> Uuid {
    Uuid::from_u128(tenant.id.as_u128() ^ 0xfe)
}

/// The member of each tenant has a recovery address, another that waits for its proof, and a recovery that can be
/// completed; the subject has an address, and a recovery that waits for an administrator.
pub async fn recovering(world: &World, psql: &mut Psql) {
    let demand = json!({"mfa": {"recovery_approval": "administrator"}});
    world.platform.patch("/v1/settings", demand).await.expect(200);
    for tenant in [&world.a, &world.b] {
        let (member, subject) = (tenant.member.account, tenant.subject.account);
        address(world, psql, (member, "home", "now()")).await;
        address(world, psql, (member, "next", "NULL")).await;
        address(world, psql, (subject, "home", "now()")).await;
        let completes = hex(&hash(&format!("{COMPLETES}{member}")));
        let open = freehold::runtime::Ids.next::<Uuid>();
        request(psql, (open, member), &format!("{completes}, 'none'")).await;
        request(psql, (wanted(tenant), subject), "NULL, 'wanted'").await;
    }
}

async fn address(world: &World, psql: &mut Psql, (account, name, verified): (Uuid, &str, &str)) {
    let app = world.server.app();
    let tx = app.db.read(&Caller::anonymous(world.server.system().origin)).await.unwrap();
    let salt = freehold::accounts::salt(&tx, AccountId(account)).await.unwrap();
    let id: Uuid = freehold::runtime::Ids.next();
    let field: Field<Pii> = Field::new("recovery_addresses.email");
    let email = format!("{name}.{account}@example.net");
    let email = app.vault.seal_for(&salt, field, id, email.as_bytes()).unwrap();
    let proof = if name == "next" { format!("{PROVES}{account}") } else { format!("{name} {account}") };
    let add = format!(
        "INSERT INTO recovery_addresses (id, account_id, email, token_hash, created_at, expires_at, verified_at)
         VALUES ('{id}', '{account}', {}, {}, now(), now() + interval '1 day', {verified})",
        hex(email.as_bytes()),
        hex(&hash(&proof)),
    );
    psql.run(&add).await.unwrap();
}

async fn request(psql: &mut Psql, (id, account): (Uuid, Uuid), token_and_approval: &str) {
    let add = format!(
        "INSERT INTO recovery_requests (id, account_id, stop_hash, token_hash, approval, begun_at, created_at, not_before,
             expires_at)
         VALUES ('{id}', '{account}', {}, {token_and_approval}, now(), now(), now(), now() + interval '1 day')",
        hex(&hash(&format!("{STOPS}{account}"))),
    );
    psql.run(&add).await.unwrap();
}
