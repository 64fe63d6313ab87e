//! Who must have which password.

use serde_json::{Value, json};

use super::{OTHER, change, codes, complete};
use crate::{
    harness::{Actor, PASSWORD},
    world::{Tenant, World},
};

fn settings(tenant: &Tenant) -> String {
    format!("/v1/organizations/{}/settings", tenant.id)
}

/// Invites somebody who has an account already, and who accepts.
async fn join(world: &World, tenant: &Tenant, actor: &Actor, email: &str) {
    let path = format!("/v1/organizations/{}/invitations", tenant.id);
    tenant.owner.post(&path, json!({"email": email, "role": "member"})).await.expect(201);
    let token = world.database.mail().take_token(email).await;
    actor.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
}

async fn minimum(actor: &Actor) -> Value {
    actor.get("/v1/me/password").await.expect(200).json["rules"]["minimum_length"].clone()
}

/// Proves AUT-2.
#[tokio::test]
async fn a_person_in_several_organisations_meets_the_strictest_of_all() {
    let world = World::open().await;
    let (a, b, member) = (&world.a, &world.b, &world.a.member);
    join(&world, b, member, &member.email).await;
    b.owner.patch(&settings(b), json!({"passwords": {"minimum_length": 40}})).await.expect(200);
    // The session is in A, and B's settings count.
    assert_eq!(minimum(member).await, 40);
    assert_eq!(minimum(&a.admin).await, 12);
    assert_eq!(codes(&change(member, PASSWORD, OTHER).await.expect(422)), ["too_short"]);
    let verdict = member.post("/v1/me/password/check", json!({"password": OTHER})).await.expect(200);
    assert_eq!((&verdict.json["acceptable"], verdict.text_at("/unmet/0/code")), (&json!(false), "too_short"));

    // Whoever is blocked there may be let in again without a new password.
    let members = b.owner.get(&format!("/v1/organizations/{}/members?search={}", b.id, member.email)).await.expect(200);
    let path = format!("/v1/organizations/{}/members/{}", b.id, members.id_at("/items/0/id"));
    b.owner.patch(&path, json!({"status": "blocked"})).await.expect(200);
    assert_eq!(minimum(member).await, 40);
    change(member, PASSWORD, &format!("{OTHER}, {OTHER}")).await.expect(204);
    // An organisation that is gone asks for nothing.
    b.owner.delete(&format!("/v1/organizations/{}", b.id)).await.expect(204);
    assert_eq!(minimum(member).await, 12);
    change(&a.admin, PASSWORD, OTHER).await.expect(204);
    world.close().await;
}

/// Proves AUT-2.
#[tokio::test]
async fn a_profile_is_a_set_of_values_and_the_stricter_of_two_is_both() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let profiles = world.platform.get("/v1/password-profiles").await.expect(200);
    let names: Vec<_> = profiles.items().iter().map(|profile| profile["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["classic", "nist"]);
    let values = |at: usize| {
        let mut rules = profiles.items()[at]["rules"].clone();
        // The same everywhere, and no setting.
        assert_eq!(rules.as_object_mut().unwrap().remove("maximum_length"), Some(json!(256)));
        rules
    };
    let accept = async |tenant: &Tenant, password: &str| {
        let body =
            json!({"token": tenant.pending.token, "name": "Grace", "password": password, "token_delivery": "body"});
        nobody.post("/v1/invitations/accept", body).await
    };
    let phrase = "orchard granite lamps";
    assert_eq!(codes(&accept(a, phrase).await.expect(422)), ["no_upper_case", "no_digit"]);
    world.platform.patch("/v1/settings", json!({"passwords": values(1)})).await.expect(200);
    // An organisation can be classic on top of that, and then its people meet both.
    let b = &world.b;
    a.owner.patch(&settings(a), json!({"passwords": {"minimum_length": 14}})).await.expect(422);
    let classic = values(0);
    let laxer = b.owner.patch(&settings(b), json!({"passwords": classic.clone()})).await.expect(422);
    assert_eq!(laxer.faults(), ["/passwords/minimum_length"]);
    let mut stricter = classic;
    stricter.as_object_mut().unwrap().remove("minimum_length");
    b.owner.patch(&settings(b), json!({"passwords": stricter})).await.expect(200);
    accept(a, phrase).await.expect(201);
    assert_eq!(codes(&accept(b, phrase).await.expect(422)), ["no_upper_case", "no_digit"]);
    assert_eq!(codes(&accept(b, "Corect-horse-7").await.expect(422)), ["too_short"]);
    accept(b, OTHER).await.expect(201);
    world.close().await;
}

/// Proves AUT-2.
#[tokio::test]
async fn what_the_platform_asks_for_no_organisation_takes_back() {
    let world = World::open().await;
    let (a, digit) = (&world.a, "/sections/passwords/require_digit");
    let lax = a.owner.patch(&settings(a), json!({"passwords": {"require_digit": false}})).await.expect(422);
    assert_eq!((lax.faults(), lax.text_at("/errors/0/code")), (vec!["/passwords/require_digit"], "too_lax"));
    a.owner.patch(&settings(a), json!({"passwords": {"require_digit": 1}})).await.expect(422);
    world.platform.patch("/v1/settings", json!({"passwords": {"require_digit": false}})).await.expect(200);
    a.owner.patch(&settings(a), json!({"passwords": {"require_digit": true}})).await.expect(200);
    let stands = a.owner.get(&settings(a)).await.expect(200).json.pointer(digit).unwrap().clone();
    let expected = json!({
        "value": true, "effective": true, "platform": false, "default": true, "source": "organization",
        "demanded": false,
    });
    assert_eq!(stands, expected);
    world.close().await;
}

/// Proves AUT-2.
#[tokio::test]
async fn the_verdict_before_is_the_verdict_after() {
    let world = World::open().await;
    let (nobody, a) = (world.server.nobody(), &world.a);
    let token = &a.pending.token;
    let judge = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password, "name": "Grace Hopper"});
        nobody.post("/v1/password-checks", body).await
    };
    for password in
        ["x", "qwertyuiop", "Password1234!", "!Password123!", "Grace-is-great-2024", "correct horse battery"]
    {
        let verdict = judge(token, password).await.expect(200).json;
        let body = json!({"token": token, "name": "Grace Hopper", "password": password, "token_delivery": "body"});
        let refusal = nobody.post("/v1/invitations/accept", body).await.expect(422);
        let said: Vec<_> = verdict["unmet"].as_array().unwrap().iter().map(|rule| &rule["code"]).collect();
        assert_eq!(
            (codes(&refusal), &verdict["acceptable"]),
            (said.iter().map(|code| code.as_str().unwrap()).collect(), &json!(false))
        );
    }
    let verdict = judge(token, PASSWORD).await.expect(200).json;
    assert_eq!(verdict, json!({"acceptable": true, "strength": 4, "maximum_strength": 4, "unmet": []}));

    // Only whoever may choose a password gets to use the hashing pool.
    judge("fhi_nonsense", PASSWORD).await.expect(404).problem("invitation_not_valid");
    judge("fhp_nonsense", PASSWORD).await.expect(404).problem("password_reset_not_valid");
    judge("fhs_nonsense", PASSWORD).await.expect(409).problem("setup_not_available");
    judge(&a.revoked.token, PASSWORD).await.expect(404).problem("invitation_not_valid");
    complete(nobody, "fhp_nonsense", PASSWORD).await.expect(404).problem("password_reset_not_valid");
    world.close().await;
}
