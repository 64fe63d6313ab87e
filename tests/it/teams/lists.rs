//! Teams as things: made, found, changed, removed.

use serde_json::json;

use super::{add, make, newest_entry, path};
use crate::{harness::Login, world::World};

#[tokio::test]
async fn a_team_is_made_changed_and_removed() {
    let world = World::open().await;
    let a = &world.a;
    let body = json!({"name": "  Night shift ", "description": "Ten to six", "role": "manager"});
    let made = a.admin.post(&path(a, ""), body).await.expect(201);
    let one = path(a, &format!("/{}", made.text_at("/id")));
    assert_eq!(made.header("location"), one);
    assert_eq!((made.text_at("/name"), made.text_at("/role")), ("Night shift", "manager"));
    assert_eq!(newest_entry(a, "team.created").await["metadata"], json!({"role": "manager"}));

    // What is left out stays; null takes away.
    let renamed = a.admin.patch(&one, json!({"name": "Late shift"})).await.expect(200);
    assert_eq!((renamed.text_at("/description"), renamed.text_at("/role")), ("Ten to six", "manager"));
    assert_eq!(newest_entry(a, "team.updated").await["metadata"], json!({"fields": "name"}));
    let bare = a.admin.patch(&one, json!({"description": null, "role": null})).await.expect(200);
    assert_eq!((&bare.json["description"], &bare.json["role"]), (&json!(null), &json!(null)));
    let recorded = json!({"fields": "description role", "from": "manager", "to": null});
    assert_eq!(newest_entry(a, "team.updated").await["metadata"], recorded);
    let same = a.admin.patch(&one, json!({"name": "Late shift", "role": null})).await.expect(200);
    assert_eq!((same.header("etag"), &same.json["version"]), ("\"3\"", &json!(3)));

    for stale in ["\"1\"", "\"2\""] {
        let rename = json!({"name": "Other"});
        let answer = a.admin.request(reqwest::Method::PATCH, &one).json(&rename).header("if-match", stale).send().await;
        answer.expect(412).problem("precondition_failed");
        let answer = a.admin.request(reqwest::Method::DELETE, &one).header("if-match", stale).send().await;
        answer.expect(412).problem("precondition_failed");
    }
    add(&a.admin, a, made.id_at("/id"), &a.member).await.expect(204);
    add(&a.admin, a, made.id_at("/id"), &a.member).await.expect(204);
    a.admin.delete(&one).await.expect(204);
    assert_eq!(newest_entry(a, "team.deleted").await["metadata"], json!({"role": null, "members": 1}));
    a.admin.get(&one).await.expect(404).problem("not_found");
    world.close().await;
}

#[tokio::test]
async fn two_teams_never_have_the_same_name() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    make(&a.owner, a, "Équipe de nuit", None).await;
    let other = make(&a.owner, a, "Day shift", None).await;
    for same in ["équipe de NUIT", " ÉQUIPE DE NUIT ", "E\u{301}quipe de nuit"] {
        a.owner.post(&path(a, ""), json!({"name": same})).await.expect(409).problem("team_name_taken");
        let renamed = a.owner.patch(&path(a, &format!("/{other}")), json!({"name": same})).await;
        renamed.expect(409).problem("team_name_taken");
    }
    // Its own name in other letters is its own; another organisation's is nobody's business.
    a.owner.patch(&path(a, &format!("/{other}")), json!({"name": "DAY SHIFT"})).await.expect(200);
    make(&b.owner, b, "Day shift", None).await;
    world.close().await;
}

#[tokio::test]
async fn teams_are_found_by_how_their_names_begin() {
    let world = World::open().await;
    let a = &world.a;
    for name in ["North", "Northern lights", "100% remote", "100 days", "a_b", "aXb", "back\\slash"] {
        make(&a.owner, a, name, None).await;
    }
    let find = async |text: &str| {
        let query = format!("?search={}", text.replace('%', "%25").replace(' ', "%20").replace('\\', "%5C"));
        let found = a.manager.get(&path(a, &query)).await.expect(200);
        found.items().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find("nORTH").await, ["Northern lights", "North"]);
    assert_eq!(find("100%").await, ["100% remote"]);
    assert_eq!(find("a_").await, ["a_b"]);
    assert_eq!(find("back\\").await, ["back\\slash"]);
    assert_eq!(find("orth").await, [""; 0]);
    world.close().await;
}

#[tokio::test]
async fn an_organisation_has_at_most_five_hundred_teams() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Owner).await;
    let many = format!(
        "INSERT INTO teams (id, organization_id, name, name_key, created_at, updated_at)
         SELECT gen_random_uuid(), '{}', 'Crowd ' || n, 'crowd ' || n, now(), now() FROM generate_series(1, 498) n",
        a.id
    );
    psql.run(&many).await.unwrap();
    make(&a.owner, a, "The five hundredth", None).await;
    a.owner.post(&path(a, ""), json!({"name": "One more"})).await.expect(409).problem("too_many_teams");
    make(&b.owner, b, "Not our business", None).await;
    world.close().await;
}
