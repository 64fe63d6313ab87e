//! Files of people on their way out.

use serde_json::{Value, json};

use crate::world::{CANARY, World};

/// Proves AUT-9.
#[tokio::test]
async fn an_organisation_gets_its_members_and_the_record_how_many() {
    let world = World::open().await;
    let a = &world.a;
    let path = format!("/v1/organizations/{}/members/export", a.id);
    let csv = a.admin.post(&path, json!({"format": "csv"})).await.expect(200);
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"members.csv\"");
    let rows: Vec<_> = csv.text.lines().collect();
    assert_eq!(rows[0], "email,name,role,custom_roles,teams,state,joined_at,last_sign_in_at");
    assert_eq!(rows.len(), 1 + 8, "{}", csv.text);
    let subject = rows.iter().find(|row| row.starts_with(&format!("{},", a.subject.email))).unwrap();
    assert!(subject.contains(&format!(",subject of {CANARY},member,,Team of {CANARY},active,")), "{subject}");
    let blocked = rows.iter().find(|row| row.starts_with(&a.blocked.email)).unwrap();
    assert!(blocked.contains(",blocked,"), "{blocked}");
    assert!(!csv.text.contains("$argon2"), "hashes left");

    let json_lines = a.admin.post(&path, json!({"format": "json_lines"})).await.expect(200);
    let people: Vec<Value> = json_lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(people.len(), 8);
    assert!(people.iter().any(|person| person["email"] == json!(a.owner.email) && person["role"] == "owner"));

    let record = format!("/v1/organizations/{}/audit?event=member.exported", a.id);
    let entries = a.owner.get(&record).await.expect(200);
    assert_eq!(entries.items().len(), 2);
    assert_eq!(entries.items()[0]["metadata"]["rows"], 8);
    assert_eq!(entries.items()[0]["actor"]["id"], json!(a.admin.account));
    world.close().await;
}

/// Proves AUT-9, AZ-9.
#[tokio::test]
async fn the_platform_gets_everybody_without_their_hashes() {
    let world = World::open().await;
    let file = world.platform.post("/v1/accounts/export", json!({"format": "csv"})).await.expect(200);
    let rows: Vec<_> = file.text.lines().collect();
    assert_eq!(rows[0], "email,name,state,created_at,last_sign_in_at");
    assert_eq!(rows.len(), 1 + 1 + 2 * 9, "{}", file.text);
    assert!(rows.iter().any(|row| row.starts_with("suspended.bravo@example.com,") && row.contains(",blocked,")));
    assert!(!file.text.contains("$argon2"));
    world.close().await;
}
